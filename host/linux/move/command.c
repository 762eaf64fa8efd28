/* Commands of the mover to the adapter: one at a time, and trees of a few nodes. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include "move_internal.h"

enum flue_err move_fail(struct flue_mover *m, enum flue_err err, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(m->error, sizeof m->error, format, args);
    va_end(args);
    return err;
}

const char *flue_mover_error(const struct flue_mover *m)
{
    return m->error;
}

uint64_t move_now_us(struct flue_mover *m)
{
    uint64_t us = 0;
    return flue_time_us(m->adapter, &us) == FLUE_OK ? us : 0;
}

enum flue_err move_command(struct flue_mover *m, const struct flue_sqe *sqe, const char *what, struct flue_admin_done *done)
{
    uint64_t before = move_now_us(m);
    enum flue_err err = flue_admin_call(m->admin, sqe, NULL, 0, done);
    m->adapter_us += move_now_us(m) - before;
    if (err != FLUE_OK)
        return move_fail(m, err, "%s: %s", what, flue_err_name(err));
    if (done->status != NDIS_STATUS_SUCCESS)
        return move_fail(m, FLUE_ESTATE, "%s: %s", what, flue_ndis_status_name((NDIS_STATUS)done->status));
    return FLUE_OK;
}

enum flue_err move_tree_run(struct flue_mover *m, uint32_t opcode, struct node *node, unsigned count, const char *what)
{
    uint32_t *w = m->tree.addr, *n = w + sizeof(struct flue_tree_header) / 4;
    uint32_t at = (uint32_t)(sizeof(struct flue_tree_header) + count * sizeof(struct flue_tree_node)), bytes = at;
    struct flue_admin_done done;

    memset(w, 0, MOVE_TREE_BYTES);
    for (unsigned i = 0; i < count; i++)
        bytes += node[i].words * 4;
    w[0] = htole32(FLUE_TREE_MAGIC);
    w[1] = htole32(FLUE_TREE_VERSION);
    w[2] = htole32(count);
    w[3] = htole32(bytes);
    for (unsigned i = 0; i < count; i++, n += sizeof(struct flue_tree_node) / 4) {
        bool with = node[i].words > 0;
        n[0] = htole32(node[i].kind | node[i].depth << FLUE_TREE_NODE_DEPTH_SHIFT |
                       node[i].type << FLUE_TREE_NODE_STATE_TYPE_SHIFT | (with ? 1u << FLUE_TREE_NODE_REVISION_SHIFT : 0));
        n[1] = htole32(with ? at : 0);
        n[2] = htole32(node[i].words * 4);
        n[5] = htole32(node[i].handle);
        for (unsigned k = 0; k < node[i].words; k++)
            w[at / 4 + k] = htole32(node[i].state[k]);
        at += node[i].words * 4;
    }
    struct flue_sqe sqe = {.word0 = opcode, .word1 = m->tree.region, .length = bytes};
    enum flue_err err = move_command(m, &sqe, what, &done);
    n = w + sizeof(struct flue_tree_header) / 4;
    for (unsigned i = 0; err == FLUE_OK && i < count; i++, n += sizeof(struct flue_tree_node) / 4) {
        node[i].handle = le32toh(n[5]);
        node[i].status = le32toh(n[6]);
        for (unsigned k = 0; k < node[i].words; k++)
            node[i].state[k] = le32toh(w[le32toh(n[1]) / 4 + k]);
        node[i].detail = le32toh(n[7]) & FLUE_TREE_NODE_DETAIL_MASK;
    }
    /* The deepest one that was refused says why: those above only follow. */
    for (unsigned i = count; err == FLUE_OK && i-- > 0;)
        if (node[i].status != (uint32_t)NDIS_STATUS_SUCCESS)
            return move_fail(m, FLUE_ESTATE, "%s, node %u: %s, detail %u", what, i,
                             flue_ndis_status_name((NDIS_STATUS)node[i].status), node[i].detail);
    return err;
}

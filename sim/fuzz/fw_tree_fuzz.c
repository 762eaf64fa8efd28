/*
 * The firmware against a host that writes whatever the input says: a command, the buffer it names, and bits that change while
 * the buffer is read.
 *
 * Input: opcode, flags, a byte of choices, the handle and arg0 as choices, then the buffer (a tree).  Whatever it is, the
 * command is answered once or the queue is stopped, the firmware does not trap, and what is left in the tables can be listed.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "../../firmware/test/rig.h"
#include "../../host/test/check.h"

_Noreturn void check_failed(const char *file, int line, const char *format, ...)
{
    (void)file;
    (void)line;
    (void)format;
    abort();
}

static uint32_t state = 1;

uint32_t check_random(uint32_t below)
{
    state = state * 1664525u + 1013904223u;
    return below ? (state >> 8) % below : 0;
}

static struct rig r;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint32_t given[5] = {0};
    struct rig_tcp tcp = rig_tcp_state(1);
    if (size < 6 || size > 8192)
        return 0;
    rig_open(&r, 4, 4, 2);
    rig_ready(&r);
    given[0] = rig_new_neighbor(&r);
    given[1] = rig_new_path(&r, given[0], false, 1);
    given[2] = rig_new_tcp(&r, given[1], &tcp);
    given[3] = rig_command(&r, (struct flue_sqe){.word0 = FLUE_OP_HOLD, .handle = given[1], .arg = {99}}).result;
    uint32_t bytes = (uint32_t)(size - 6) & ~3u;
    memcpy(r.memory + RIG_TREE, data + 6, bytes);
    if (data[2] & 1 && bytes >= 16) { /* a header that is right, so that the nodes are reached */
        uint32_t *header = (uint32_t *)(void *)(r.memory + RIG_TREE);
        header[0] = FLUE_TREE_MAGIC;
        header[1] = FLUE_TREE_VERSION;
        header[3] = bytes;
    }
    for (unsigned i = 0; data[2] & 2 && i < 3; i++) /* handles that are right */
        if (bytes >= 64 + 32 * i)
            memcpy(r.memory + RIG_TREE + 32 + 32 * i + 20, &given[(data[3] >> 2 * i) & 3], 4);
    if (data[2] & 4)
        fw_host_flip(r.host, (enum flue_table)(1 + data[4] % 3), 0, data[5] % 16, data[4] >> 3);
    struct rig_done done = rig_command(&r, (struct flue_sqe){.word0 = data[0] | (uint32_t)(data[1] & 3) << 8,
                                                             .word1 = RIG_REGION,
                                                             .offset = RIG_TREE,
                                                             .length = bytes,
                                                             .handle = given[data[3] & 3],
                                                             .arg = {data[4] & 1 ? data[5] : given[data[4] >> 1 & 3]}});
    if (!done.answered || fw_host_trap(r.host))
        abort();
    if (!(data[2] & 4))
        rig_sound(&r);
    rig_start(&r, false);
    if (fw_host_trap(r.host) || !(fw_host_status(r.host) & FLUE_MMIO_READY_MASK))
        abort();
    rig_sound(&r);
    rig_close(&r);
    return 0;
}

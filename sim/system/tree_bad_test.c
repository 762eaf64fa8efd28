/*
 * Trees and commands that are wrong in one field: every field of command, header and node in turn, each with the values that
 * matter.  What each node is answered is written down; nothing else is touched, nothing outside the buffer is read.
 *
 * PROGRAM [--long] [--seed N] [name ...]   --long: every case at every width; else a share of them
 * that the seed chooses, at W = 32
 */
#include "tree_bad.h"

enum { SHARES = 20 };

static struct tree tree;
static struct watched watched;

/* ---- one case ---- */

/* The victims: what the trees of the other operations refer to. */
static struct tree victim;
static bool victim_held;

static void victim_take(struct trees *t)
{
    uint32_t state[TREE_WORDS];
    tree_clear(&victim);
    random_neighbor(t, state);
    tree_add(&victim, FLUE_NODE_NEW, 0, NeighborOffloadState, state);
    random_path(t, false, state);
    state[8] = 1000; /* too small for IPv6 */
    tree_add(&victim, FLUE_NODE_NEW, 1, Ip4OffloadState, state);
    random_tcp(t, state);
    tree_add(&victim, FLUE_NODE_NEW, 2, TcpOffloadState, state);
    random_path(t, true, state);
    state[1] |= 1; /* no IPv4 address */
    tree_add(&victim, FLUE_NODE_NEW, 1, Ip6OffloadState, state);
}

/* The good tree of this opcode, in `tree`. */
static void good_tree(struct trees *t, unsigned opcode)
{
    if (opcode == FLUE_OP_INITIATE) {
        victim_take(t);
        tree = victim;
        return;
    }
    if (!victim_held) {
        victim_take(t);
        trees_run(t, FLUE_OP_INITIATE, &victim);
        victim_held = true;
    }
    tree_clear(&tree);
    for (unsigned k = 0; k < NODES; k++) {
        bool state;
        uint32_t words[TREE_WORDS];
        unsigned type = good_type(opcode, k, &state);
        memset(words, 0xA5, sizeof words);
        if (opcode == FLUE_OP_UPDATE) { /* what it has already */
            const uint32_t *full = victim.item[k].state;
            memcpy(words, k == 0 ? full + 2 : k == 2 ? full + TCP_CACHED : full + 8, 4 * tree_words(type));
        }
        tree_add(&tree, FLUE_NODE_REFERENCE, NODE_DEPTH[k], type, state ? words : NULL)->handle = victim.item[k].handle;
    }
}

/* Only answers are written, and states where states go back. */
static void expect_written(const struct wrong *c, const uint32_t *before, const uint32_t *now, uint32_t words)
{
    bool states = c->opcode == FLUE_OP_QUERY || c->opcode == FLUE_OP_TERMINATE;
    for (uint32_t i = 0; i < words; i++) {
        bool node = i >= HEADER_WORDS && i < HEADER_WORDS + NODE_WORDS * NODES;
        bool may = node ? (i - HEADER_WORDS) % NODE_WORDS >= 5 && c->answers[0] != '!'
                        : i >= HEADER_WORDS + NODE_WORDS * NODES && states;
        CHECK(may || now[i] == before[i], "word %u of the buffer was written", i);
    }
}

static uint32_t status_of(char letter)
{
    return letter == '.' ? TREE_OK : letter == '~' ? (uint32_t)NDIS_STATUS_OFFLOAD_PARTIAL_SUCCESS : TREE_FAILURE;
}

static void expect_answers(const struct wrong *c, const uint32_t *now, const struct flue_admin_done *done)
{
    if (c->answers[0] == '!') {
        bool other = c->answers[1] == 'l' && done->detail == FLUE_AD_REGION;
        CHECK(done->status != TREE_OK && (done->detail == wrong_detail(c->answers[1]) || other),
              "the command: 0x%x detail %u, should be %u", done->status, done->detail, wrong_detail(c->answers[1]));
        return;
    }
    CHECK(done->status == TREE_OK && done->result == NODES, "the command: 0x%x detail %u, %u nodes", done->status, done->detail,
          done->result);
    for (unsigned k = 0; k < NODES; k++) {
        const struct flue_tree_node *n = (const void *)(now + HEADER_WORDS + NODE_WORDS * k);
        char want = c->answers[k];
        CHECK(n->status == status_of(want) && n->word7 == wrong_detail(want),
              "node %u: status 0x%x detail %u, should be 0x%x detail %u", k, n->status, n->word7, status_of(want),
              wrong_detail(want));
        if (c->opcode == FLUE_OP_INITIATE)
            CHECK((n->handle != 0) == (want == '.' || want == '~'), "node %u: handle 0x%x", k, n->handle);
    }
}

/* Objects beside the family as the answers say: an initiate took them, a terminate freed them, nobody else did. */
static void expect_held(struct trees *t, const struct wrong *c, const uint32_t *now)
{
    static struct flue_list_entry entry[TREE_OBJECTS];
    unsigned count = trees_list(t, entry, TREE_OBJECTS), beside = 0;
    for (unsigned k = 0; k < NODES; k++) {
        const struct flue_tree_node *n = (const void *)(now + HEADER_WORDS + NODE_WORDS * k);
        bool done = c->answers[0] != '!' && (c->answers[k] == '.' || c->answers[k] == '~');
        uint32_t handle = c->opcode == FLUE_OP_INITIATE ? done ? n->handle : 0 : victim.item[k].handle;
        bool want = c->opcode == FLUE_OP_INITIATE ? done : !(c->opcode == FLUE_OP_TERMINATE && done), is = false;
        for (unsigned i = 0; i < count; i++)
            if (handle && entry[i].handle == handle) {
                is = true;
                bool invalid = entry[i].row_state & FLUE_ROW_HEAD_INVALID_MASK;
                CHECK(invalid == (c->opcode == FLUE_OP_INVALIDATE && done), "node %u has state 0x%x", k, entry[i].row_state);
            }
        CHECK(is == want, "node %u is %s", k, is ? "held" : "gone");
        beside += want;
    }
    CHECK(count == watched.first.entries + beside, "%u objects are held, should be %u", count, watched.first.entries + beside);
}

static void one(struct trees *t, const struct wrong *c, unsigned number)
{
    static uint32_t before[LOOK_BUFFER / 4];
    struct flue_admin_done done;
    uint32_t bytes, offset, *word;
    unsigned failed = check_failures;
    if ((c->opcode == FLUE_OP_INITIATE && victim_held)) {
        trees_give_back(t, watched.first.entry, watched.first.entries);
        victim_held = false;
    }
    good_tree(t, c->opcode);
    word = watch_put(t, &watched, &tree, &bytes, &offset);
    struct flue_sqe sqe = {.word0 = c->opcode, .word1 = watched.buffer.region, .offset = offset, .length = bytes};
    uint32_t *target = c->command ? (uint32_t *)&sqe + c->word : word + c->word;
    *target = ((*target & c->keep) | c->put) + c->add;
    if (c->also) {
        word[c->also] = sqe.length = 0xFFFFF000u - offset;
    }
    memcpy(before, watched.buffer.addr, sizeof before);
    if (!trees_command(t, &sqe, &done))
        return;
    expect_answers(c, word, &done);
    if (!c->command)
        expect_written(c, before + offset / 4, word, bytes / 4);
    CHECK(!memcmp(before, watched.buffer.addr, offset), "words before the buffer were written");
    expect_held(t, c, word);

    if (c->opcode == FLUE_OP_INITIATE || c->opcode == FLUE_OP_INVALIDATE || c->opcode == FLUE_OP_TERMINATE) {
        bool refused = c->answers[0] == '!';
        if (!refused) {
            trees_give_back(t, watched.first.entry, watched.first.entries);
            victim_held = false;
        }
    }
    if (number % 16 == 15 || check_failures != failed) {
        if (victim_held)
            trees_give_back(t, watched.first.entry, watched.first.entries);
        victim_held = false;
        watch_same(t, &watched, c->field);
    }
    if (check_failures != failed)
        printf("  case %u: opcode %u, %s 0x%x at word %u of the %s, expected %s\n", number, c->opcode, c->field, c->value,
               c->word, c->command ? "command" : "buffer", c->answers);
}

static void wrong_fields(struct trees *t)
{
    unsigned case_count;
    const struct wrong *cases = wrong_cases(&case_count);
    victim_held = false;
    watch_begin(t, &watched);
    for (unsigned i = 0; i < case_count && check_failures < 5; i++) {
        if (trees_long || i % SHARES == check_seed % SHARES)
            one(t, &cases[i], i);
        if (trees_long)
            trees_progress(t, i + 1, case_count, 200, "wrong fields");
    }
    trees_give_back(t, watched.first.entry, watched.first.entries);
    watch_end(t, &watched, true);
}

/*
 * HND-006, CH-021, CH-028: a wrong field is answered by the detail that names it, at the node or for the command; what does
 * not depend on it is done; nobody else's state, nor memory beside the buffer, is touched; nothing leaks.
 */
TEST(every_field_that_is_wrong_is_answered_by_name_and_touches_nothing_else)
{
    trees_shortly(wrong_fields);
}

int main(int argc, char **argv)
{
    return trees_main(argc, argv, NULL, NULL);
}

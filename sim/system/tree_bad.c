#include "tree_bad.h"

enum { CASES = 2400 };

static struct wrong cases[CASES];
static unsigned case_count;

static const struct {
    char letter;
    enum flue_admin_detail detail;
} LETTER[] = {
    {'C', FLUE_AD_OPCODE}, {'G', FLUE_AD_REGION}, {'L', FLUE_AD_LENGTH},     {'M', FLUE_AD_HEADER},   {'N', FLUE_AD_NODES},
    {'K', FLUE_AD_KIND},   {'T', FLUE_AD_TYPE},   {'D', FLUE_AD_DEPTH},      {'R', FLUE_AD_REVISION}, {'O', FLUE_AD_OFFSET},
    {'H', FLUE_AD_HANDLE}, {'S', FLUE_AD_STALE},  {'W', FLUE_AD_WRONG_KIND}, {'P', FLUE_AD_PARENT},   {'V', FLUE_AD_VALUE},
    {'B', FLUE_AD_BUSY},   {'.', FLUE_AD_NONE},   {'~', FLUE_AD_NONE},
};

unsigned wrong_detail(char letter)
{
    if (letter == 'l')
        return FLUE_AD_LENGTH;
    for (unsigned i = 0; i < sizeof LETTER / sizeof *LETTER; i++)
        if (LETTER[i].letter == letter)
            return LETTER[i].detail;
    abort();
}

/* ---- the trees: neighbor, path over IPv4, connection, path over IPv6 ---- */

static const uint8_t FULL[NODES] = {NeighborOffloadState, Ip4OffloadState, TcpOffloadState, Ip6OffloadState};

unsigned good_type(unsigned opcode, unsigned k, bool *state)
{
    static const uint8_t CACHED[NODES] = {NeighborOffloadCachedState, Ip4OffloadCachedState, TcpOffloadCachedState,
                                          Ip6OffloadCachedState};
    static const uint8_t DELEGATED[NODES] = {NeighborOffloadDelegatedState, Ip4OffloadState, TcpOffloadDelegatedState,
                                             Ip6OffloadState};
    *state = opcode != FLUE_OP_INVALIDATE && !(opcode == FLUE_OP_TERMINATE && NODE_DEPTH[k] == 1);
    return opcode == FLUE_OP_UPDATE ? CACHED[k] : opcode == FLUE_OP_TERMINATE ? DELEGATED[k] : FULL[k];
}

/* ---- the table of cases ---- */

static struct wrong *add(unsigned opcode, const char *field, unsigned word, uint32_t mask, uint32_t put, const char *answers)
{
    if (case_count == CASES)
        abort();
    struct wrong *c = &cases[case_count++];
    *c = (struct wrong){.field = field, .value = put, .opcode = opcode, .word = word, .keep = ~mask, .put = put & mask};
    snprintf(c->answers, sizeof c->answers, "%s", answers);
    return c;
}

/* What all nodes are answered when node `k` fails with this letter and the shape of the tree stays. */
static const char *fails(unsigned opcode, unsigned k, char letter)
{
    static char out[NODES + 1];
    bool leave = opcode == FLUE_OP_TERMINATE;
    memcpy(out, "....", sizeof out);
    if (letter == '.')
        return out;
    out[k] = letter;
    for (unsigned below = k + 1; below < NODES && NODE_DEPTH[below] > NODE_DEPTH[k]; below++)
        out[below] = 'P';
    /* Above: who has a refused child is PARTIAL, who is PARTIAL was taken; who has a child left cannot leave. */
    if (k > 0) {
        unsigned above = k == 2 ? 1 : 0;
        out[above] = leave ? 'B' : opcode == FLUE_OP_INITIATE ? '~' : '.';
        if (leave)
            out[0] = 'B';
    }
    return out;
}

static uint32_t at_node(unsigned k, unsigned word)
{
    return HEADER_WORDS + NODE_WORDS * k + word;
}

/* Is this type one the operation knows for a node of its kind? (docs/control-plane.md, section 2) */
static bool type_known(unsigned opcode, unsigned type)
{
    switch (opcode) {
    case FLUE_OP_QUERY:
        return type >= 1 && type <= 17 && type != 16;
    case FLUE_OP_UPDATE:
        if (type == 2 || type == 6 || type == 10 || type == 14)
            return true;
        break;
    case FLUE_OP_TERMINATE:
        if (type == 3 || type == 7 || type == 11 || type == 15)
            return true;
        break;
    default:
        break;
    }
    return type == 4 || type == 8 || type == 12 || type == 17;
}

static unsigned layer_of(unsigned type)
{
    return type <= 4 ? 1 : type <= 12 ? 2 : 3;
}

static bool is_full(unsigned type)
{
    return type == 4 || type == 8 || type == 12 || type == 17;
}

static char type_answer(unsigned opcode, unsigned k, unsigned type)
{
    bool state;
    unsigned good = good_type(opcode, k, &state);
    if (!type_known(opcode, type))
        return 'T';
    if (k > 0 && layer_of(type) != layer_of(good))
        return 'D';
    if (opcode == FLUE_OP_INITIATE)
        return tree_words(type) == tree_words(good) ? 'V' : 'L';
    if (!state || (is_full(type) && opcode != FLUE_OP_QUERY)) {
        if (state)
            return 'R'; /* there is no state that could have one */
        bool ipv6 = type >= 9 && type <= 12;
        return layer_of(type) == layer_of(good) && ipv6 == (k == 3) ? '.' : 'W';
    }
    return tree_words(type) == tree_words(good) ? 'W' : 'L';
}

static void type_cases(unsigned opcode, unsigned k)
{
    static const uint8_t FAR[] = {0x1F, 0x20, 0x40, 0x7F, 0x80, 0xFF};
    bool state;
    for (unsigned i = 0; i < 20 + sizeof FAR; i++) {
        unsigned type = i < 20 ? i : FAR[i - 20];
        if (type == good_type(opcode, k, &state))
            continue;
        char letter = type_answer(opcode, k, type);
        if (letter != '.')
            add(opcode, "type", at_node(k, 0), FLUE_TREE_NODE_STATE_TYPE_MASK, type << FLUE_TREE_NODE_STATE_TYPE_SHIFT,
                fails(opcode, k, letter));
    }
}

static void kind_cases(unsigned opcode, unsigned k)
{
    bool state;
    (void)good_type(opcode, k, &state);
    uint32_t word = at_node(k, 0);
    for (uint32_t bit = 1; bit; bit <<= 1)
        if (bit & FLUE_TREE_NODE_WORD0_ZERO)
            add(opcode, "reserved bit of the node", word, bit, bit, fails(opcode, k, 'K'));
    add(opcode, "kind", word, FLUE_TREE_NODE_KIND_MASK, 0, fails(opcode, k, 'K'));
    if (state)
        add(opcode, "kind", word, FLUE_TREE_NODE_KIND_MASK, FLUE_NODE_PLACEHOLDER, fails(opcode, k, 'R'));
    if (opcode == FLUE_OP_INITIATE)
        add(opcode, "kind", word, FLUE_TREE_NODE_KIND_MASK, FLUE_NODE_REFERENCE, fails(opcode, k, k == 2 ? 'T' : 'R'));
    else
        add(opcode, "kind", word, FLUE_TREE_NODE_KIND_MASK, FLUE_NODE_NEW, fails(opcode, k, 'K'));
    static const uint8_t REVISIONS[] = {0, 1, 2, 3, 0x7F, 0x80, 0xFF};
    for (unsigned i = 0; i < sizeof REVISIONS; i++)
        if (REVISIONS[i] != state)
            add(opcode, "revision", word, FLUE_TREE_NODE_REVISION_MASK, (uint32_t)REVISIONS[i] << FLUE_TREE_NODE_REVISION_SHIFT,
                fails(opcode, k, 'R'));
}

/* A child without a parent, deeper than three levels, on the wrong layer.  From the jump on nobody is walked. */
static void depth_cases(unsigned opcode)
{
    static const struct {
        uint8_t node, depth;
        const char *initiate, *others, *terminate;
    } DEPTHS[] = {
        {0, 1, "DDDD", "DDDD", "DDDD"}, {0, 2, "DDDD", "DDDD", "DDDD"}, {0, 3, "DDDD", "DDDD", "DDDD"},
        {1, 0, ".DDD", ".DDD", "BDDD"}, {1, 2, ".DDD", ".DDD", "BDDD"}, {1, 3, ".DDD", ".DDD", "BDDD"},
        {2, 0, "..DP", "..DP", "BBDP"}, {2, 1, "~.D.", "..D.", "BBD."}, {2, 3, "..DD", "..DD", "BBDD"},
        {3, 0, "...D", "...D", "B..D"}, {3, 2, ".~.D", "...D", "B..D"}, {3, 3, "...D", "...D", "B..D"},
    };
    for (unsigned i = 0; i < sizeof DEPTHS / sizeof *DEPTHS; i++)
        add(opcode, "depth", at_node(DEPTHS[i].node, 0), FLUE_TREE_NODE_DEPTH_MASK,
            (uint32_t)DEPTHS[i].depth << FLUE_TREE_NODE_DEPTH_SHIFT,
            opcode == FLUE_OP_INITIATE    ? DEPTHS[i].initiate
            : opcode == FLUE_OP_TERMINATE ? DEPTHS[i].terminate
                                          : DEPTHS[i].others);
}

static uint32_t good_bytes(unsigned opcode)
{
    uint32_t bytes = 4 * (HEADER_WORDS + NODE_WORDS * NODES);
    for (unsigned k = 0; k < NODES; k++) {
        bool state;
        unsigned type = good_type(opcode, k, &state);
        bytes += state ? 4 * tree_words(type) : 0;
    }
    return bytes;
}

/* Where a state may not lie: not aligned, before the end of the nodes, in itself or in the one before, over the end, wrapping.
 */
static void place_cases(unsigned opcode, unsigned k)
{
    bool state;
    unsigned type = good_type(opcode, k, &state);
    uint32_t offset = at_node(k, 1), length = at_node(k, 2), bytes = 4 * tree_words(type);
    if (!state) {
        static const uint32_t ANY[] = {1, 4, 160, UINT32_MAX};
        for (unsigned i = 0; i < 4; i++) {
            add(opcode, "offset without a state", offset, UINT32_MAX, ANY[i], fails(opcode, k, 'T'));
            add(opcode, "length without a state", length, UINT32_MAX, ANY[i], fails(opcode, k, 'T'));
        }
        return;
    }
    uint32_t end = good_bytes(opcode);
    const uint32_t offsets[] = {0,
                                1,
                                4,
                                31,
                                32,
                                4 * at_node(k, 0),
                                4 * at_node(k, 5),
                                4 * at_node(NODES - 1, 0),
                                4 * (HEADER_WORDS + NODE_WORDS * NODES) - 4,
                                end - bytes + 4,
                                end - 4,
                                end,
                                end + 4,
                                LOOK_BUFFER,
                                0x7FFFFFFC,
                                0x80000000,
                                0u - bytes,
                                0u - bytes - 4,
                                4u - bytes,
                                0xFFFFFFFC,
                                UINT32_MAX};
    for (unsigned i = 0; i < sizeof offsets / sizeof *offsets; i++)
        if (offsets[i] < 4 * (HEADER_WORDS + NODE_WORDS * NODES) || offsets[i] > end - bytes)
            add(opcode, "offset", offset, UINT32_MAX, offsets[i], fails(opcode, k, 'O'));
    static const uint32_t ASIDE[] = {1, 2, 3, 0u - 1, 0u - 4};
    for (unsigned i = 0; i < 5; i++) { /* the last: into the nodes, or into the state before */
        struct wrong *c = add(opcode, "offset, moved by", offset, 0, 0, fails(opcode, k, 'O'));
        c->add = c->value = ASIDE[i];
    }
    const uint32_t lengths[] = {0,
                                1,
                                2,
                                3,
                                4 * tree_words(type) - 4,
                                4 * tree_words(type) + 4,
                                4 * tree_words(type) - 1,
                                end,
                                LOOK_BUFFER,
                                0x10000,
                                0x7FFFFFFF,
                                0x80000000,
                                0xFFFFFFFC,
                                UINT32_MAX};
    for (unsigned i = 0; i < sizeof lengths / sizeof *lengths; i++)
        if (lengths[i] != bytes)
            add(opcode, "length", length, UINT32_MAX, lengths[i], fails(opcode, k, 'L'));
}

/* What is only written, or only kept, can hold anything; a new neighbor or path has no handle, nor has a new connection here.
 */
static void rest_cases(unsigned opcode, unsigned k)
{
    static const uint32_t ANY[] = {0, 1, 0x80000000, UINT32_MAX};
    for (unsigned i = 0; i < 4; i++) {
        add(opcode, "status as it comes", at_node(k, 6), UINT32_MAX, ANY[i], "....");
        add(opcode, "detail as it comes", at_node(k, 7), UINT32_MAX, ANY[i], "....");
        add(opcode, "host handle", at_node(k, 3 + (i & 1)), UINT32_MAX, ANY[i], "....");
        if (opcode == FLUE_OP_INITIATE && ANY[i])
            add(opcode, "handle of a new node", at_node(k, 5), UINT32_MAX, ANY[i], fails(opcode, k, 'H'));
    }
}

static void header_cases(unsigned opcode)
{
    static const uint32_t MAGIC[] = {0, 1, UINT32_MAX, FLUE_TREE_MAGIC + 1, FLUE_TREE_MAGIC ^ 0x80000000};
    static const uint32_t VERSION[] = {0, 2, 3, 0x101, 0x80000001, UINT32_MAX};
    uint32_t end = good_bytes(opcode);
    const uint32_t nodes[] = {0, end / 32, (end - 32) / 32 + 1, 0x07FFFFFF, 0x08000000, 0x08000004, 0x80000000, UINT32_MAX};
    const uint32_t bytes[] = {0,       1,       31,          32,         end - 4,    end - 1,
                              end + 1, end + 4, LOOK_BUFFER, 0x80000000, 0xFFFFFFFC, UINT32_MAX};
    for (unsigned i = 0; i < sizeof MAGIC / sizeof *MAGIC; i++)
        add(opcode, "magic", 0, UINT32_MAX, MAGIC[i], "!M");
    for (unsigned i = 0; i < sizeof VERSION / sizeof *VERSION; i++)
        add(opcode, "version", 1, UINT32_MAX, VERSION[i], "!M");
    for (unsigned i = 0; i < sizeof nodes / sizeof *nodes; i++)
        if (nodes[i] == 0 || nodes[i] > (end - 32) / 32)
            add(opcode, "nodes", 2, UINT32_MAX, nodes[i], "!N");
    for (unsigned i = 0; i < sizeof bytes / sizeof *bytes; i++)
        add(opcode, "bytes", 3, UINT32_MAX, bytes[i], "!L");
    for (unsigned word = 4; word < 8; word++)
        for (unsigned bit = 0; bit < 32; bit += 31)
            add(opcode, "reserved word of the header", word, UINT32_MAX, 1u << bit, "!M");
}

static void command(unsigned opcode, const char *field, unsigned word, uint32_t mask, uint32_t put, const char *answers)
{
    add(opcode, field, word, mask, put, answers)->command = true;
}

/* Region, offset and length of the command: not registered, not aligned, outside, wrapping, 0 to 4 G. */
static void command_cases(unsigned opcode)
{
    static const uint32_t REGIONS[] = {7, 15, 16, 31, 32, 63, 127, 128, 255};
    static const uint32_t OFFSETS[] = {LOOK_BUFFER, LOOK_BUFFER + 8, 0x10000, 0x7FFFFFF8, 0x80000000, 0xFFFFFFF8};
    uint32_t end = good_bytes(opcode);
    const uint32_t lengths[] = {0, 1, 2, 3, 4, 28, 32, 64, end - 4, end - 1, end + 1, end + 2, end + 4, LOOK_BUFFER};
    enum { WORD0, REGION, OFFSET, LENGTH, HANDLE, ARG, ZERO = 8 };
    for (unsigned i = 0; i < sizeof REGIONS / sizeof *REGIONS; i++)
        if (REGIONS[i] > 7 || opcode == FLUE_OP_INITIATE)
            command(opcode, "region", REGION, FLUE_SQE_REGION_MASK, REGIONS[i], "!G");
    for (uint32_t bit = 256; bit; bit <<= 3)
        command(opcode, "reserved bit beside the region", REGION, bit, bit, "!C");
    for (unsigned i = 0; i < sizeof OFFSETS / sizeof *OFFSETS; i++)
        command(opcode, "offset of the command", OFFSET, UINT32_MAX, OFFSETS[i], "!G");
    for (uint32_t by = 1; by < 8; by++) {
        command(opcode, "offset of the command, moved by", OFFSET, 0, 0, "!G");
        cases[case_count - 1].add = cases[case_count - 1].value = by;
    }
    for (unsigned i = 0; i < sizeof lengths / sizeof *lengths; i++)
        command(opcode, "length of the command", LENGTH, UINT32_MAX, lengths[i],
                lengths[i] > end && lengths[i] % 4 == 0 ? "!l" : "!L");
    command(opcode, "length of the command", LENGTH, UINT32_MAX, UINT32_MAX, "!L");
    command(opcode, "length of the command", LENGTH, UINT32_MAX, 0xFFFFFFFC, "!G"); /* wraps */
    for (uint32_t bit = 1; bit; bit <<= 1)
        if ((bit & FLUE_SQE_WORD0_ZERO) || (bit == FLUE_SQE_LOAD_ONLY_MASK && opcode != FLUE_OP_INITIATE) ||
            (bit == FLUE_SQE_KEEP_ENTRY_MASK && opcode != FLUE_OP_TERMINATE))
            command(opcode, "flag", WORD0, bit, bit, "!C");
    static const uint8_t OPCODES[] = {0, FLUE_OP_RINGS + 1, FLUE_OP_RINGS + 2, 31, 32, 64, 128, 255};
    for (unsigned i = 0; i < sizeof OPCODES && opcode == FLUE_OP_INITIATE; i++)
        command(opcode, "opcode", WORD0, FLUE_SQE_OPCODE_MASK, OPCODES[i], "!C");
    for (unsigned word = ZERO; word < 16; word++)
        command(opcode, "reserved word of the command", word, UINT32_MAX, 1u << (word - 5), "!C");
    for (unsigned word = HANDLE; word < ZERO; word++)
        command(opcode, "word that a tree does not use", word, UINT32_MAX, UINT32_MAX, "....");
}

const struct wrong *wrong_cases(unsigned *count)
{
    static const uint8_t OPCODES[] = {FLUE_OP_INITIATE, FLUE_OP_QUERY, FLUE_OP_UPDATE, FLUE_OP_INVALIDATE, FLUE_OP_TERMINATE};
    case_count = 0;
    for (unsigned i = 0; i < sizeof OPCODES; i++) {
        unsigned opcode = OPCODES[i];
        command_cases(opcode);
        header_cases(opcode);
        depth_cases(opcode);
        for (unsigned k = 0; k < NODES; k++) {
            kind_cases(opcode, k);
            type_cases(opcode, k);
            place_cases(opcode, k);
            rest_cases(opcode, k);
        }
    }
    /* A buffer that says 4 G of itself: its nodes are walked, nothing behind its region is reached. */
    add(FLUE_OP_INITIATE, "offset beside a length of 4 G", at_node(0, 1), UINT32_MAX, LOOK_BUFFER, "GPPP")->also = 3;
    *count = case_count;
    return cases;
}

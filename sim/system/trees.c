#include "trees.h"

#define PUT(name, value) (((uint32_t)(value) << name##_SHIFT) & name##_MASK)

static void on_notice(void *ctx, enum flue_cqe_kind kind, uint32_t status, uint32_t result)
{
    struct trees *t = ctx;
    if (t->notices < 64) {
        t->notice[t->notices].kind = kind;
        t->notice[t->notices].status = status;
        t->notice[t->notices++].result = result;
    }
}

static void on_trap(void *ctx, const struct flue_admin_trap *trap)
{
    struct trees *t = ctx;
    t->trap = *trap;
    t->traps++;
}

static void on_done(void *ctx, const struct flue_admin_done *done)
{
    (void)ctx;
    *(struct flue_admin_done *)done->cookie = *done;
}

static void fail(struct trees *t, const char *what, enum flue_err err)
{
    const char *why = flue_sim_violation(t->rig->sim), *fault = flue_adapter_fault(t->rig->adapter);
    printf("width %u: %s: %s: %s %s\n", t->rig->width, what, flue_err_name(err), why ? why : "", fault ? fault : "");
    exit(1);
}

/* Another firmware image than the library's, for trying one: FLUE_FIRMWARE names the file. */
static const void *own_image(size_t *bytes)
{
    static uint8_t image[128 * 1024];
    const char *path = getenv("FLUE_FIRMWARE");
    FILE *file = path ? fopen(path, "rb") : NULL;
    *bytes = file ? fread(image, 1, sizeof image, file) : 0;
    if (path && !*bytes) {
        printf("FLUE_FIRMWARE: %s cannot be read\n", path);
        exit(1);
    }
    if (file)
        fclose(file);
    return *bytes ? image : NULL;
}

struct trees *trees_open(unsigned width, bool rough)
{
    struct trees *t = calloc(1, sizeof *t);
    if (!t)
        exit(1);
    t->rig = rig_open(&(struct rig_options){.width = width, .rough = rough});
    struct flue_admin_params params = {.log2_commands = 4};
    params.image = own_image(&params.image_bytes);
    struct flue_admin_handlers handlers = {.ctx = t, .notice = on_notice, .trapped = on_trap, .done = on_done};
    for (unsigned i = 0; i < 4; i++)
        params.seed[i] = (uint32_t)flue_rng_next(&t->rig->rng) | 1;
    enum flue_err err = flue_admin_start(t->rig->adapter, &params, &handlers, &t->admin);
    if (err)
        fail(t, "flue_admin_start", err);
    err = flue_mem_alloc(t->rig->adapter, TREE_BYTES, FLUE_ACCESS_READ_WRITE, &t->mem);
    if (err)
        fail(t, "flue_mem_alloc", err);
    flue_admin_info(t->admin, &t->info);
    struct flue_cfg_switches on = {.word0 = 0xF};
    if (!trees_config(t, FLUE_CFG_SWITCHES, true, &on, sizeof on))
        exit(1);
    return t;
}

void trees_close(struct trees *t)
{
    rig_close(t->rig);
    free(t);
}

void trees_at(unsigned width, bool rough, void (*body)(struct trees *t))
{
    const char *only = getenv("RIG_WIDTH");
    if (only && strtoul(only, NULL, 10) != width)
        return;
    unsigned before = check_failures;
    struct trees *t = trees_open(width, rough);
    body(t);
    if (check_failures != before)
        printf("  (width %u, %s)\n", width, rough ? "rough" : "smooth");
    trees_close(t);
}

void trees_everywhere(void (*body)(struct trees *t))
{
    static const unsigned WIDTHS[] = {32, 64, 128};
    for (unsigned i = 0; i < sizeof WIDTHS / sizeof *WIDTHS; i++)
        trees_at(WIDTHS[i], i != 0 || (check_seed & 1), body);
}

void trees_shortly(void (*body)(struct trees *t))
{
    if (trees_long)
        trees_everywhere(body);
    else
        trees_at(32, check_seed & 1, body);
}

/* ---- options ---- */

bool trees_long;
unsigned trees_rounds = 2;

int trees_main(int argc, char **argv, const char *name, unsigned *number)
{
    int kept = 1;
    for (int i = 1; i < argc; i++) {
        if (!strcmp(argv[i], "--long"))
            trees_long = true;
        else if (name && !strcmp(argv[i], name) && i + 1 < argc)
            *number = (unsigned)strtoul(argv[++i], NULL, 0);
        else
            argv[kept++] = argv[i];
    }
    if (kept > 1 && !strcmp(argv[1], "--seed"))
        trees_rounds = 1;
    return check_main(kept, argv, 1);
}

void trees_progress(const struct trees *t, unsigned done, unsigned of, unsigned every, const char *what)
{
    if (done % every == 0 || done == of)
        printf("  W=%u: %u of %u %s\n", t->rig->width, done, of, what);
}

/* ---- trees ---- */

void tree_clear(struct tree *tree)
{
    tree->count = 0;
}

unsigned tree_words(unsigned type)
{
    static const uint8_t WORDS[18] = {[1] = 2, [2] = 3,  [3] = 1,  [4] = 6,  [5] = 8,  [6] = 1,  [7] = 0,   [8] = 9,
                                      [9] = 8, [10] = 1, [11] = 0, [12] = 9, [13] = 4, [14] = 9, [15] = 22, [17] = 35};
    return type < 18 ? WORDS[type] : 0;
}

struct tree_item *tree_add(struct tree *tree, unsigned kind, unsigned depth, unsigned type, const uint32_t *state)
{
    struct tree_item *item = &tree->item[tree->count++];
    if (tree->count > TREE_NODES)
        abort();
    memset(item, 0, sizeof *item);
    item->kind = kind;
    item->depth = depth;
    item->type = type;
    if (state) {
        item->words = tree_words(type);
        memcpy(item->state, state, 4 * item->words);
    }
    return item;
}

uint32_t tree_marshal(struct trees *t, const struct tree *tree)
{
    struct flue_tree_header *header = t->mem.addr;
    struct flue_tree_node *node = (void *)(header + 1);
    uint32_t at = (uint32_t)(sizeof *header + tree->count * sizeof *node);
    memset(t->mem.addr, 0, at);
    for (unsigned i = 0; i < tree->count; i++) {
        const struct tree_item *item = &tree->item[i];
        node[i].word0 = PUT(FLUE_TREE_NODE_KIND, item->kind) | PUT(FLUE_TREE_NODE_DEPTH, item->depth) |
                        PUT(FLUE_TREE_NODE_STATE_TYPE, item->type) | PUT(FLUE_TREE_NODE_REVISION, item->words != 0);
        node[i].offset = item->words ? at : 0;
        node[i].length = 4 * item->words;
        node[i].host_handle[0] = (uint32_t)item->host_handle;
        node[i].host_handle[1] = (uint32_t)(item->host_handle >> 32);
        node[i].handle = item->handle;
        node[i].status = 0xDEADBEEF;
        if (at + 4 * item->words > TREE_BYTES)
            abort();
        memcpy((uint8_t *)t->mem.addr + at, item->state, 4 * item->words);
        at += 4 * item->words;
    }
    header->magic = FLUE_TREE_MAGIC;
    header->version = FLUE_TREE_VERSION;
    header->nodes = tree->count;
    header->bytes = at;
    return at;
}

void tree_unmarshal(struct trees *t, struct tree *tree)
{
    const struct flue_tree_node *node = (void *)((struct flue_tree_header *)t->mem.addr + 1);
    for (unsigned i = 0; i < tree->count; i++) {
        struct tree_item *item = &tree->item[i];
        item->handle = node[i].handle;
        item->status = node[i].status;
        item->detail = node[i].word7 & FLUE_TREE_NODE_DETAIL_MASK;
        memcpy(item->state, (uint8_t *)t->mem.addr + node[i].offset, 4 * item->words);
    }
}

/* ---- commands ---- */

bool trees_command(struct trees *t, const struct flue_sqe *sqe, struct flue_admin_done *done)
{
    t->before_us = flue_sim_time_us(t->rig->sim);
    enum flue_err err = flue_admin_call(t->admin, sqe, NULL, 0, done);
    t->after_us = flue_sim_time_us(t->rig->sim);
    const char *why = flue_sim_violation(t->rig->sim), *fault = flue_adapter_fault(t->rig->adapter);
    CHECK(err == FLUE_OK, "width %u: %s: %s %s", t->rig->width, flue_err_name(err), why ? why : "", fault ? fault : "");
    return err == FLUE_OK;
}

void trees_run(struct trees *t, unsigned opcode, struct tree *tree)
{
    struct flue_admin_done done;
    uint32_t bytes = tree_marshal(t, tree);
    struct flue_sqe sqe = {.word0 = opcode, .word1 = t->mem.region, .length = bytes};
    if (!trees_command(t, &sqe, &done))
        return;
    CHECK(done.status == TREE_OK && done.result == tree->count, "width %u: opcode %u: status 0x%x detail %u result %u",
          t->rig->width, opcode, done.status, done.detail, done.result);
    tree_unmarshal(t, tree);
}

bool trees_config(struct trees *t, enum flue_config_group group, bool set, void *record, size_t bytes)
{
    struct flue_admin_done done;
    struct flue_sqe sqe = {.word0 = set ? FLUE_OP_SET_CONFIG : FLUE_OP_GET_CONFIG, .arg = {group}};
    enum flue_err err = flue_admin_call(t->admin, &sqe, record, bytes, &done);
    CHECK(err == FLUE_OK && done.status == TREE_OK, "width %u: group %d: %s 0x%x detail %u", t->rig->width, group,
          flue_err_name(err), done.status, done.detail);
    return err == FLUE_OK && done.status == TREE_OK;
}

unsigned trees_list(struct trees *t, struct flue_list_entry *entry, unsigned most)
{
    struct flue_admin_done done;
    uint32_t bytes = most * (uint32_t)sizeof *entry;
    struct flue_sqe sqe = {.word0 = FLUE_OP_LIST, .word1 = t->mem.region, .length = bytes};
    if (!trees_command(t, &sqe, &done) || done.status != TREE_OK || done.result > most) {
        CHECK(false, "width %u: LIST: status 0x%x detail %u", t->rig->width, done.status, done.detail);
        return 0;
    }
    memcpy(entry, t->mem.addr, done.result * sizeof *entry);
    return done.result;
}

bool trees_hold(struct trees *t, unsigned neighbors, unsigned paths, unsigned connections)
{
    static struct flue_list_entry entry[TREE_OBJECTS];
    unsigned count = trees_list(t, entry, TREE_OBJECTS), held[4] = {0};
    for (unsigned i = 0; i < count; i++)
        held[entry[i].handle >> FLUE_HANDLE_KIND_SHIFT]++;
    bool right = held[1] == neighbors && held[2] == paths && held[3] == connections;
    CHECK(right, "width %u: %u neighbors, %u paths, %u connections are held, should be %u, %u, %u", t->rig->width, held[1],
          held[2], held[3], neighbors, paths, connections);
    return right;
}

void trees_pass(struct trees *t, uint64_t us)
{
    enum flue_sim_why why;
    unsigned handled;
    CHECK(flue_sim_advance(t->rig->sim, us, 0, &why) == FLUE_OK, "width %u: %s", t->rig->width,
          flue_sim_violation(t->rig->sim));
    CHECK(flue_poll(t->rig->adapter, 1000, &handled) == FLUE_OK, "%s", flue_adapter_fault(t->rig->adapter));
}

/* ---- random legal states ---- */

static uint32_t r32(struct trees *t)
{
    /* Edges are as likely as the middle. */
    switch (flue_rng_below(&t->rig->rng, 8)) {
    case 0:
        return 0;
    case 1:
        return UINT32_MAX;
    case 2:
        return 1u << flue_rng_below(&t->rig->rng, 32);
    default:
        return (uint32_t)flue_rng_next(&t->rig->rng);
    }
}

static uint32_t below(struct trees *t, uint32_t n)
{
    return (uint32_t)flue_rng_below(&t->rig->rng, n);
}

void random_neighbor(struct trees *t, uint32_t *s)
{
    s[0] = r32(t);
    s[1] = (r32(t) & 0xFFFF) | below(t, 4095) << FLUE_WIRE_NEIGHBOR_CONST_VLAN_ID_SHIFT;
    s[2] = r32(t);
    s[3] = r32(t) & 0xFFFF;
    s[4] = r32(t);
    s[5] = r32(t);
}

void random_path(struct trees *t, bool ipv6, uint32_t *s)
{
    memset(s, 0, 9 * 4);
    s[0] = r32(t);
    s[4] = (uint32_t)t->next_key++; /* no two alike */
    if (ipv6)
        for (unsigned i = 1; i < 8; i++)
            if (i != 4)
                s[i] = r32(t);
    s[8] = (ipv6 ? 1280 : 68) + below(t, 60000);
}

void random_tcp(struct trees *t, uint32_t *s)
{
    uint32_t scales =
        below(t, 15) << FLUE_WIRE_TCP_CONST_SND_WIND_SCALE_SHIFT | below(t, 15) << FLUE_WIRE_TCP_CONST_RCV_WIND_SCALE_SHIFT;
    s[0] = (r32(t) & FLUE_WIRE_TCP_CONST_FLAGS_MASK) | scales;
    s[1] = (uint32_t)(t->next_key++ * 2654435761u); /* no two alike */
    s[2] = 88 + below(t, 65535 - 88);
    s[3] = r32(t);

    uint32_t *c = s + TCP_CACHED;
    c[0] = r32(t) & FLUE_WIRE_TCP_CACHED_FLAGS_MASK;
    c[1] = below(t, 65535u << 14);
    c[2] = r32(t);
    c[3] = r32(t) & 0xFF;
    for (unsigned i = 4; i < 7; i++)
        c[i] = r32(t);
    c[7] = r32(t) & FLUE_WIRE_TCP_CACHED_FLOW_LABEL_MASK;
    c[8] = r32(t) & (FLUE_WIRE_TCP_CACHED_TTL_MASK | FLUE_WIRE_TCP_CACHED_TOS_MASK | FLUE_WIRE_TCP_CACHED_USER_PRIORITY_MASK);

    struct flue_wire_tcp_delegated *d = (void *)(s + TCP_DELEGATED);
    for (unsigned i = 0; i < 22; i++)
        s[TCP_DELEGATED + i] = r32(t);
    d->word0 = (4 + below(t, 6)) | (r32(t) & FLUE_WIRE_TCP_DELEGATED_FLAGS_MASK);
    d->rcv_wnd = below(t, c[1] + 1);
    uint32_t sent = below(t, (1u << 30) + 1);
    d->snd_max = d->snd_una + sent;
    d->snd_nxt = d->snd_una + below(t, sent + 1);
    if (d->send_wl1 - d->rcv_nxt == 0x80000000u)
        d->send_wl1++;
}

#include "wire.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "packet.h"

/* Kinds of a frame that a match may ask for. */
enum {
    KIND_TCP = 1 << 0,
    KIND_UDP = 1 << 1,
    KIND_IP4 = 1 << 2,
    KIND_IP6 = 1 << 3,
    KIND_SYN = 1 << 4,
    KIND_FIN = 1 << 5,
    KIND_RST = 1 << 6,
    KIND_PSH = 1 << 7,
    KIND_ACK = 1 << 8,
    KIND_URG = 1 << 9,
    KIND_DATA = 1 << 10,
};

static const struct {
    const char *name;
    uint32_t kind;
} KINDS[] = {
    {"tcp", KIND_TCP}, {"udp", KIND_UDP}, {"ip4", KIND_IP4}, {"ip6", KIND_IP6}, {"syn", KIND_SYN},   {"fin", KIND_FIN},
    {"rst", KIND_RST}, {"psh", KIND_PSH}, {"ack", KIND_ACK}, {"urg", KIND_URG}, {"data", KIND_DATA},
};

static const char *const ACTIONS[FLUE_WIRE_ACTIONS] = {"drop", "dup", "reorder", "flip", "truncate", "damage"};

enum { REORDER_FRAMES = 3 };
static const uint64_t REORDER_HOLD_NS = 1000000;

/* --- Text ------------------------------------------------------------------------------------------------------------- */

/* Each reader takes a whole token and says whether it was one. */
static bool read_number(const char *text, uint64_t *value)
{
    char *end;
    if (!isdigit((unsigned char)*text))
        return false;
    errno = 0;
    *value = strtoull(text, &end, 10);
    return !*end && !errno;
}

static bool read_scaled(const char *text, double *value, const char **unit)
{
    char *end;
    if (!isdigit((unsigned char)*text) && *text != '.')
        return false;
    *value = strtod(text, &end);
    *unit = end;
    return end != text && isfinite(*value);
}

static bool read_odds(const char *text, uint64_t *odds)
{
    double p;
    const char *unit;
    if (!read_scaled(text, &p, &unit) || p > (*unit == '%' ? 100.0 : 1.0))
        return false;
    if (!strcmp(unit, "%"))
        p /= 100.0;
    else if (*unit)
        return false;
    *odds = flue_rng_odds(p);
    return true;
}

static bool read_time(const char *text, uint64_t *ns)
{
    static const struct {
        const char *unit;
        double ns;
    } UNITS[] = {{"ns", 1}, {"us", 1e3}, {"ms", 1e6}, {"s", 1e9}};
    double v;
    const char *unit;
    if (!read_scaled(text, &v, &unit))
        return false;
    for (size_t i = 0; i < sizeof UNITS / sizeof *UNITS; i++)
        if (!strcmp(unit, UNITS[i].unit) && v * UNITS[i].ns < 1e15) {
            *ns = (uint64_t)(v * UNITS[i].ns + 0.5);
            return true;
        }
    *ns = 0;
    return !*unit && v == 0;
}

static bool read_rate(const char *text, uint64_t *bps)
{
    double v;
    const char *unit;
    if (!read_scaled(text, &v, &unit))
        return false;
    double scale = *unit == 'k' ? 1e3 : *unit == 'M' ? 1e6 : *unit == 'G' ? 1e9 : 1;
    if (unit[0] && (scale == 1 || unit[1]))
        return false;
    *bps = (uint64_t)(v * scale);
    return *bps >= 1000;
}

/* Cut `text` at the first `mark`; the rest, or NULL. */
static char *cut(char *text, char mark)
{
    char *at = strchr(text, mark);
    if (at)
        *at++ = 0;
    return at;
}

static const char *parse_match(struct flue_wire_match *m, char *text)
{
    m->len_max = UINT32_MAX;
    for (char *next; text; text = next) {
        next = cut(text, '&');
        uint64_t n = 0;
        char *dash;
        bool known = false;
        for (size_t i = 0; i < sizeof KINDS / sizeof *KINDS; i++)
            if (!strcmp(text, KINDS[i].name)) {
                m->flags |= KINDS[i].kind;
                known = true;
            }
        if (known)
            continue;
        if (text[0] == '%' && read_number(text + 1, &n) && n) {
            m->every = n;
        } else if (text[0] == 'x' && read_number(text + 1, &n) && n) {
            m->limit = n;
        } else if (!strncmp(text, "len", 3) && text[3] && strchr("<>=", text[3]) && read_number(text + 4, &n) && n < 65536) {
            if (text[3] == '<' && n)
                m->len_max = (uint32_t)n - 1;
            else if (text[3] == '>')
                m->len_min = (uint32_t)n + 1;
            else if (text[3] == '=')
                m->len_min = m->len_max = (uint32_t)n;
            else
                return "no frame is shorter than 0";
        } else if (read_number(text, &n) && n) {
            m->first = m->last = n;
        } else if ((dash = strchr(text, '-')) != NULL) {
            *dash = 0;
            bool good = read_number(text, &m->first) && read_number(dash + 1, &m->last) && m->first && m->first <= m->last;
            *dash = '-';
            if (!good)
                return "not a range of frame numbers";
        } else {
            return "unknown condition after @";
        }
    }
    return NULL;
}

/* ACTION=P..., or ACTION[:VALUE]@MATCH. */
static const char *parse_action(struct flue_wire_rules *r, enum flue_wire_action action, char *value, char *exact, char *match)
{
    if (r->rules == FLUE_WIRE_RULES)
        return "too many rules";
    struct flue_wire_rule *rule = &r->rule[r->rules++];
    memset(rule, 0, sizeof *rule);
    rule->action = action;
    rule->value = action == FLUE_WIRE_REORDER ? REORDER_FRAMES : 0;
    rule->hold_ns = REORDER_HOLD_NS;

    if (match) {
        rule->exact = true;
        if (value)
            return "a probability and an exact trigger exclude each other";
        if (exact) {
            if (action == FLUE_WIRE_DROP || action == FLUE_WIRE_DUP || action == FLUE_WIRE_DAMAGE)
                return "takes no value";
            if (!read_number(exact, &rule->value))
                return "the value is not a number";
            if (action == FLUE_WIRE_REORDER ? rule->value == 0 || rule->value > 1000 : rule->value >= 65536 * 8)
                return "the value is out of range";
            if (action == FLUE_WIRE_TRUNCATE && rule->value == 0)
                return "a frame has at least one byte";
            rule->has_value = true;
        }
        return parse_match(&rule->match, match);
    }
    if (exact || !value)
        return "needs =P or @MATCH";
    char *frames = cut(value, ':');
    char *hold = frames ? cut(frames, ':') : NULL;
    if (!read_odds(value, &rule->odds))
        return "not a probability (0 to 1, or 0% to 100%)";
    if (frames && action != FLUE_WIRE_REORDER)
        return "takes one value";
    if (frames && (!read_number(frames, &rule->value) || rule->value == 0 || rule->value > 1000))
        return "frames to wait for: 1 to 1000";
    if (hold && !read_time(hold, &rule->hold_ns))
        return "not a time (ns, us, ms, s)";
    return NULL;
}

static const char *parse_item(struct flue_wire_rules *r, char *item)
{
    char *match = cut(item, '@');
    char *value = cut(item, '=');
    char *exact = value ? NULL : cut(item, ':');

    for (size_t i = 0; i < FLUE_WIRE_ACTIONS; i++)
        if (!strcmp(item, ACTIONS[i]))
            return parse_action(r, (enum flue_wire_action)i, value, exact, match);
    if (match || !value)
        return "unknown";
    if (!strcmp(item, "burst")) {
        char *leave = cut(value, ':');
        char *loss = leave ? cut(leave, ':') : NULL;
        r->burst_loss = UINT64_C(1) << 32;
        if (!leave || !read_odds(value, &r->burst_enter) || !read_odds(leave, &r->burst_leave) ||
            (loss && !read_odds(loss, &r->burst_loss)))
            return "needs P:R or P:R:L, each a probability";
    } else if (!strcmp(item, "delay")) {
        char *jitter = cut(value, ':');
        if (!read_time(value, &r->delay_ns) || (jitter && !read_time(jitter, &r->jitter_ns)))
            return "not a time (ns, us, ms, s)";
    } else if (!strcmp(item, "rate")) {
        if (!read_rate(value, &r->rate_bps))
            return "not a rate in bit/s (k, M, G; at least 1k)";
    } else if (!strcmp(item, "queue")) {
        uint64_t n;
        if (!read_number(value, &n) || n < 1 || n > 65536)
            return "frames: 1 to 65536";
        r->queue = (uint32_t)n;
    } else {
        return "unknown";
    }
    return NULL;
}

enum flue_err flue_wire_parse(struct flue_wire_rules *rules, const char *text, char *error, size_t error_len)
{
    memset(rules, 0, sizeof *rules);
    if (error_len)
        error[0] = 0;
    while (text && *text) {
        size_t n = strcspn(text, ",");
        char item[128];
        const char *wrong = n == 0 ? "empty item" : n >= sizeof item ? "too long" : NULL;
        if (!wrong) {
            memcpy(item, text, n);
            item[n] = 0;
            wrong = parse_item(rules, item);
        }
        if (wrong) {
            snprintf(error, error_len, "'%.*s': %s", (int)n, text, wrong);
            return FLUE_EARG;
        }
        text += n;
        if (*text == ',' && !*++text) {
            snprintf(error, error_len, "',': nothing follows");
            return FLUE_EARG;
        }
    }
    if (rules->queue && !rules->rate_bps) {
        snprintf(error, error_len, "'queue': needs a rate");
        return FLUE_EARG;
    }
    return FLUE_OK;
}

/* --- Frames ----------------------------------------------------------------------------------------------------------- */

void flue_wire_init(struct flue_wire *wire, uint64_t seed, const char *name, flue_wire_note_fn *note, void *user)
{
    char purpose[64];
    memset(wire, 0, sizeof *wire);
    for (size_t i = 0; i < FLUE_WIRE_ACTIONS; i++) {
        snprintf(purpose, sizeof purpose, "%s/%s", name, ACTIONS[i]);
        flue_rng_init(&wire->rng[i], seed, purpose);
    }
    snprintf(purpose, sizeof purpose, "%s/burst", name);
    flue_rng_init(&wire->burst_rng, seed, purpose);
    snprintf(purpose, sizeof purpose, "%s/jitter", name);
    flue_rng_init(&wire->jitter_rng, seed, purpose);
    wire->note = note;
    wire->user = user;
}

static void free_list(struct flue_wire_frame *f)
{
    while (f) {
        struct flue_wire_frame *next = f->next;
        free(f);
        f = next;
    }
}

void flue_wire_free(struct flue_wire *wire)
{
    free_list(wire->head);
    free_list(wire->held);
    free_list(wire->spare);
    free(wire->sent_ns);
    wire->head = wire->tail = wire->held = wire->spare = NULL;
    wire->sent_ns = NULL;
}

enum flue_err flue_wire_set(struct flue_wire *wire, const struct flue_wire_rules *rules)
{
    uint64_t *ring = NULL;
    if (rules->queue) {
        ring = calloc(rules->queue, sizeof *ring);
        if (!ring)
            return FLUE_ENOMEM;
    }
    free(wire->sent_ns);
    wire->sent_ns = ring;
    wire->sent_cap = rules->queue;
    wire->sent_head = wire->sent_count = 0;
    wire->rules = *rules;
    wire->frames = 0;
    wire->burst_bad = false;
    return FLUE_OK;
}

static struct flue_wire_frame *frame_new(struct flue_wire *wire, const uint8_t *data, size_t len)
{
    struct flue_wire_frame *f = wire->spare;
    if (f && f->cap >= len) {
        wire->spare = f->next;
    } else {
        size_t cap = len > 2048 ? len : 2048;
        f = malloc(sizeof *f + cap);
        if (!f)
            return NULL;
        f->cap = (uint32_t)cap;
    }
    memcpy(f->data, data, len);
    f->len = (uint32_t)len;
    f->next = NULL;
    f->wait_frames = 0;
    f->bad = false;
    f->comment[0] = 0;
    return f;
}

void flue_wire_done(struct flue_wire *wire, struct flue_wire_frame *f)
{
    if (f->cap > 2048) {
        free(f);
        return;
    }
    f->next = wire->spare;
    wire->spare = f;
}

static uint32_t kinds_of(const uint8_t *data, size_t len)
{
    struct flue_pkt_hdr h;
    flue_pkt_parse(data, len, &h);
    uint32_t k = (h.is_tcp ? (uint32_t)KIND_TCP : 0) | (h.is_udp ? (uint32_t)KIND_UDP : 0) |
                 (h.is_ipv4 ? (uint32_t)KIND_IP4 : 0) | (h.is_ipv6 ? (uint32_t)KIND_IP6 : 0);
    if (h.is_tcp) {
        static const struct {
            uint32_t flag, kind;
        } FLAGS[] = {
            {FLUE_PKT_SYN, KIND_SYN}, {FLUE_PKT_FIN, KIND_FIN}, {FLUE_PKT_RST, KIND_RST},
            {FLUE_PKT_PSH, KIND_PSH}, {FLUE_PKT_ACK, KIND_ACK}, {FLUE_PKT_URG, KIND_URG},
        };
        for (size_t i = 0; i < sizeof FLAGS / sizeof *FLAGS; i++)
            if (h.tcp_flags & FLAGS[i].flag)
                k |= FLAGS[i].kind;
        if (h.l3_end > h.pay_off)
            k |= KIND_DATA;
    }
    return k;
}

static bool matches(struct flue_wire_rule *rule, uint64_t number, const uint8_t *data, size_t len)
{
    const struct flue_wire_match *m = &rule->match;
    if ((m->first && (number < m->first || number > m->last)) || (m->every && number % m->every) || len < m->len_min ||
        len > m->len_max || (m->flags && (kinds_of(data, len) & m->flags) != m->flags))
        return false;
    return ++rule->matched <= m->limit || !m->limit;
}

static struct flue_wire_rule *triggered(struct flue_wire *wire, enum flue_wire_action action, const uint8_t *data, size_t len)
{
    struct flue_wire_rule *hit = NULL;
    for (unsigned i = 0; i < wire->rules.rules; i++) {
        struct flue_wire_rule *rule = &wire->rules.rule[i];
        if (rule->action != action)
            continue;
        if (rule->exact ? matches(rule, wire->frames, data, len) : flue_rng_hit(&wire->rng[action], rule->odds))
            hit = rule;
    }
    return hit;
}

static bool burst_loses(struct flue_wire *wire)
{
    const struct flue_wire_rules *r = &wire->rules;
    if (!r->burst_enter)
        return false;
    if (flue_rng_hit(&wire->burst_rng, wire->burst_bad ? r->burst_leave : r->burst_enter))
        wire->burst_bad = !wire->burst_bad;
    return wire->burst_bad && flue_rng_hit(&wire->burst_rng, r->burst_loss);
}

/* Behind every frame that is due no later. */
static void insert(struct flue_wire *wire, struct flue_wire_frame *f)
{
    if (!wire->head || wire->tail->due_ns <= f->due_ns) {
        if (wire->head)
            wire->tail->next = f;
        else
            wire->head = f;
        wire->tail = f;
        f->next = NULL;
        return;
    }
    struct flue_wire_frame **at = &wire->head;
    while ((*at)->due_ns <= f->due_ns)
        at = &(*at)->next;
    f->next = *at;
    *at = f;
}

/* A frame passed those held back: one less for each, and the ones that waited long enough follow it. */
static void pass_held(struct flue_wire *wire, uint64_t due_ns)
{
    for (struct flue_wire_frame **at = &wire->held; *at;) {
        struct flue_wire_frame *f = *at;
        if (--f->wait_frames == 0) {
            *at = f->next;
            f->due_ns = due_ns;
            insert(wire, f);
        } else {
            at = &f->next;
        }
    }
}

/* When the frame has left a line of the configured rate; false when the line's queue is full. */
static bool serialize(struct flue_wire *wire, uint64_t now_ns, size_t len, uint64_t *left_ns)
{
    const struct flue_wire_rules *r = &wire->rules;
    *left_ns = now_ns;
    if (!r->rate_bps)
        return true;
    if (r->queue) {
        while (wire->sent_count && wire->sent_ns[wire->sent_head] <= now_ns) {
            wire->sent_head = (wire->sent_head + 1) % wire->sent_cap;
            wire->sent_count--;
        }
        if (wire->sent_count == wire->sent_cap)
            return false;
    }
    uint64_t start = wire->line_free_ns > now_ns ? wire->line_free_ns : now_ns;
    *left_ns = start + (uint64_t)((double)(len + FLUE_WIRE_OVERHEAD) * 8e9 / (double)r->rate_bps);
    wire->line_free_ns = *left_ns;
    if (r->queue)
        wire->sent_ns[(wire->sent_head + wire->sent_count++) % wire->sent_cap] = *left_ns;
    return true;
}

static void comment_add(struct flue_wire_frame *f, const char *text)
{
    size_t used = strlen(f->comment);
    snprintf(f->comment + used, sizeof f->comment - used, "%s%s", used ? "; " : "", text);
}

/* Schedule one copy. */
static enum flue_err schedule(struct flue_wire *wire, uint64_t now_ns, const uint8_t *data, size_t len, const char *comment,
                              bool bad, const struct flue_wire_rule *hold, bool *queued)
{
    uint64_t left_ns;
    *queued = serialize(wire, now_ns, len, &left_ns);
    if (!*queued) {
        wire->stats.queue_dropped++;
        return FLUE_OK;
    }
    struct flue_wire_frame *f = frame_new(wire, data, len);
    if (!f)
        return FLUE_ENOMEM;
    snprintf(f->comment, sizeof f->comment, "%s", comment);
    f->bad = bad;
    uint64_t due = left_ns + wire->rules.delay_ns;
    if (wire->rules.jitter_ns)
        due += flue_rng_next(&wire->jitter_rng) % (wire->rules.jitter_ns + 1);
    if (due < wire->last_due_ns)
        due = wire->last_due_ns;
    wire->waiting++;
    if (hold) {
        char text[48];
        snprintf(text, sizeof text, "held back behind %" PRIu64 " frames", hold->value);
        comment_add(f, text);
        wire->stats.reordered++;
        f->wait_frames = (uint32_t)hold->value;
        f->due_ns = due + hold->hold_ns;
        f->next = wire->held;
        wire->held = f;
    } else {
        f->due_ns = due;
        wire->last_due_ns = due;
        insert(wire, f);
        pass_held(wire, due);
    }
    return FLUE_OK;
}

enum flue_err flue_wire_put(struct flue_wire *wire, uint64_t now_ns, const uint8_t *frame, size_t len)
{
    uint8_t copy[65536];
    char comment[FLUE_WIRE_COMMENT] = "", text[64];
    if (!len || len > 65535)
        return FLUE_EARG;
    wire->frames++;
    wire->stats.frames_in++;
    wire->stats.bytes_in += len;

    /* Every rule is asked for every frame, so that the choices of one do not depend on another's. */
    const struct flue_wire_rule *drop = triggered(wire, FLUE_WIRE_DROP, frame, len);
    const struct flue_wire_rule *dup = triggered(wire, FLUE_WIRE_DUP, frame, len);
    const struct flue_wire_rule *hold = triggered(wire, FLUE_WIRE_REORDER, frame, len);
    const struct flue_wire_rule *flip = triggered(wire, FLUE_WIRE_FLIP, frame, len);
    const struct flue_wire_rule *trunc = triggered(wire, FLUE_WIRE_TRUNCATE, frame, len);
    const struct flue_wire_rule *damage = triggered(wire, FLUE_WIRE_DAMAGE, frame, len);
    bool burst = burst_loses(wire);

    if (drop || burst) {
        wire->stats.dropped++;
        if (wire->note)
            wire->note(wire->user, frame, len, now_ns,
                       drop ? drop->exact ? "dropped: exact rule" : "dropped" : "dropped: burst");
        return FLUE_OK;
    }
    const uint8_t *data = frame;
    size_t out_len = len;
    if (trunc) {
        size_t n = trunc->has_value ? (size_t)trunc->value : 1 + flue_rng_below(&wire->rng[FLUE_WIRE_TRUNCATE], len);
        if (n < len) {
            out_len = n;
            wire->stats.truncated++;
            snprintf(comment, sizeof comment, "truncated from %zu to %zu bytes", len, n);
        }
    }
    if (flip) {
        uint64_t bit = flip->has_value ? flip->value : flue_rng_below(&wire->rng[FLUE_WIRE_FLIP], out_len * 8);
        if (bit < out_len * 8) {
            memcpy(copy, frame, out_len);
            copy[bit / 8] ^= (uint8_t)(1u << (bit % 8));
            data = copy;
            wire->stats.flipped++;
            snprintf(text, sizeof text, "%sflipped bit %" PRIu64, comment[0] ? "; " : "", bit);
            strncat(comment, text, sizeof comment - strlen(comment) - 1);
        }
    }
    if (damage) {
        strncat(comment, comment[0] ? "; damaged" : "damaged", sizeof comment - strlen(comment) - 1);
        wire->stats.damaged++;
    }
    bool queued;
    enum flue_err err = schedule(wire, now_ns, data, out_len, comment, damage != NULL, hold, &queued);
    if (wire->note)
        wire->note(wire->user, frame, len, now_ns, queued ? "" : "dropped: queue full");
    if (!err && queued && dup) {
        strncat(comment, comment[0] ? "; duplicate" : "duplicate", sizeof comment - strlen(comment) - 1);
        wire->stats.duplicated++;
        err = schedule(wire, now_ns, data, out_len, comment, damage != NULL, NULL, &queued);
    }
    return err;
}

struct flue_wire_frame *flue_wire_take(struct flue_wire *wire, uint64_t now_ns)
{
    /* A frame held back whose time is over goes where its time puts it. */
    for (struct flue_wire_frame **at = &wire->held; *at;) {
        struct flue_wire_frame *f = *at;
        if (f->due_ns <= now_ns) {
            *at = f->next;
            insert(wire, f);
        } else {
            at = &f->next;
        }
    }
    struct flue_wire_frame *f = wire->head;
    if (!f || f->due_ns > now_ns)
        return NULL;
    wire->head = f->next;
    if (!wire->head)
        wire->tail = NULL;
    wire->waiting--;
    wire->stats.frames_out++;
    wire->stats.bytes_out += f->len;
    return f;
}

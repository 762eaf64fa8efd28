#include "generate.h"

#include <string.h>

enum { BETWEEN_FLIPS = 5000, EVENTS_WHILE_BAD = 8 };

static void draw_mood(struct flue_rng *rng, struct generate_row *row)
{
    static const struct {
        unsigned bit, one_in;
    } MOODS[] = {{GENERATE_NO_SENT, 6}, {GENERATE_NO_PLACED, 6},  {GENERATE_NO_TURN, 6},
                 {GENERATE_GAPS, 3},    {GENERATE_DUPLICATES, 3}, {GENERATE_TIMERS, 6},
                 {GENERATE_SILENT, 12}, {GENERATE_COMB, 4},       {GENERATE_FLOOD, 30}};
    if (row->mood_left-- > 0)
        return;
    row->mood_left = 20 + flue_rng_below(rng, 60);
    row->mood = 0;
    for (unsigned i = 0; i < sizeof MOODS / sizeof MOODS[0]; i++)
        if (one_in(rng, MOODS[i].one_in))
            row->mood |= MOODS[i].bit;
    if (row->mood & GENERATE_FLOOD) {
        row->mood = GENERATE_FLOOD;
        row->mood_left += 60;
    }
}

static void make_doorbell(struct flue_rng *rng, const struct flue_tcp *r, struct flue_tcp_event *e)
{
    uint32_t room = r->snd_una + r->snd_buf - r->send_limit, unread = r->rcv_nxt - r->consumed;
    uint32_t chunk = 1 + flue_rng_below(rng, 12 * r->mss);
    e->kind = FLUE_TCP_EV_DOORBELL;
    e->doorbell.send_limit = r->send_limit;
    e->doorbell.consumed = r->consumed;
    if (!r->fin_marked && !one_in(rng, 4))
        e->doorbell.send_limit += one_in(rng, 12) ? room : chunk < room ? chunk : room;
    if (one_in(rng, 2))
        e->doorbell.consumed = r->rcv_nxt;
    else if (one_in(rng, 2))
        e->doorbell.consumed += flue_rng_below(rng, (uint64_t)unread + 1);
    e->doorbell.fin = one_in(rng, r->state == FLUE_TCP_CLOSE_WAIT ? 6 : 30);
    if (!one_in(rng, 20))
        return;
    switch (flue_rng_below(rng, 4)) { /* what the host must not say */
    case 0:
        e->doorbell.send_limit = r->snd_una + r->snd_buf + 1 + flue_rng_below(rng, 3);
        break;
    case 1:
        e->doorbell.send_limit = r->send_limit - 1;
        break;
    case 2:
        e->doorbell.consumed = r->rcv_nxt + 1 + flue_rng_below(rng, 3);
        break;
    default:
        e->doorbell.consumed = r->consumed - 1;
    }
}

/* At, before or after the earlier deadline; time only goes forward. */
static void make_timer(struct flue_rng *rng, const struct flue_tcp *r, uint64_t *now_us, struct flue_tcp_event *e)
{
    uint32_t now = (uint32_t)*now_us, at = now;
    e->kind = FLUE_TCP_EV_TIMER;
    if (r->rto_on)
        at = r->rto_at;
    if (r->delack_on && (!r->rto_on || one_in(rng, 2)))
        at = r->delack_at;
    at += flue_rng_below(rng, 4) - 1u;
    if (!one_in(rng, 6) && at - now < 200000000)
        *now_us += at - now;
}

static void make_command(struct flue_rng *rng, const struct flue_tcp *r, struct flue_tcp_event *e)
{
    static const unsigned WEIGHT[FLUE_TCP_COMMANDS] = {8, 40, 12, 1, 3, 10};
    bool over = r->state == FLUE_TCP_CLOSED || r->state == FLUE_TCP_TIME_WAIT;
    e->kind = FLUE_TCP_EV_COMMAND;
    e->command = (enum flue_tcp_command)by_weight(rng, WEIGHT, FLUE_TCP_COMMANDS);
    if (over && one_in(rng, 2))
        e->command = FLUE_TCP_FREEZE;
}

static void make_sent(const struct flue_tcp *r, struct flue_rng *rng, struct flue_tcp_event *e)
{
    e->kind = FLUE_TCP_EV_SENT;
    e->sent.turn = r->turns > 0 && (r->acks == 0 || one_in(rng, 2));
    e->sent.failed = e->sent.turn && one_in(rng, 60);
}

static bool dead_row(struct flue_rng *rng, const struct flue_tcp *r, struct flue_tcp_event *e)
{
    static const unsigned WEIGHT[FLUE_TCP_EVENTS] = {2, 1, 1, 1, 0, 0, 1, 2};
    if (r->mode == FLUE_TCP_EMPTY && !one_in(rng, 6))
        return false;
    e->kind = (enum flue_tcp_event_kind)by_weight(rng, WEIGHT, FLUE_TCP_EVENTS);
    if (e->kind == FLUE_TCP_EV_SEGMENT || e->kind == FLUE_TCP_EV_FORWARD)
        generate_segment(rng, r->mss ? r : &(struct flue_tcp){.mss = 1000, .mss_rcv = 1000}, 0, &e->seg);
    else if (e->kind == FLUE_TCP_EV_TURN)
        e->budget = FLUE_TCP_TURN_BUDGET;
    else if (e->kind == FLUE_TCP_EV_COMMAND)
        e->command = r->mode == FLUE_TCP_FROZEN && !one_in(rng, 4) ? FLUE_TCP_CLEAR : 1 + flue_rng_below(rng, 5);
    return true;
}

bool generate_event(struct flue_rng *rng, struct generate_row *row, const struct flue_tcp *r, uint64_t *now_us,
                    struct flue_tcp_event *e)
{
    memset(e, 0, sizeof *e);
    if (row->bad && row->bad_left == 0) {
        e->kind = FLUE_TCP_EV_COMMAND;
        e->command = FLUE_TCP_CLEAR;
        return true;
    }
    if (r->mode == FLUE_TCP_EMPTY || r->mode == FLUE_TCP_FROZEN)
        return dead_row(rng, r, e);
    draw_mood(rng, row);
    bool over = r->state == FLUE_TCP_CLOSED || r->state == FLUE_TCP_TIME_WAIT;
    bool draining = r->mode == FLUE_TCP_FREEZING;
    unsigned m = draining ? 0 : row->mood;
    const unsigned weight[FLUE_TCP_EVENTS] = {
        [FLUE_TCP_EV_SEGMENT] = m & GENERATE_SILENT  ? 0
                                : draining || over   ? 4
                                : m & GENERATE_FLOOD ? 400
                                                     : 50,
        [FLUE_TCP_EV_FORWARD] = 2,
        [FLUE_TCP_EV_DOORBELL] = 10,
        [FLUE_TCP_EV_TURN] = m & GENERATE_NO_TURN ? 1
                             : row->wants         ? 30
                                                  : 3,
        [FLUE_TCP_EV_SENT] = r->turns + r->acks == 0 ? 0
                             : m & GENERATE_NO_SENT  ? 1
                                                     : 25,
        [FLUE_TCP_EV_PLACED] = row->placing == 0                           ? 0
                               : m & (GENERATE_NO_PLACED | GENERATE_FLOOD) ? 1
                                                                           : 30,
        [FLUE_TCP_EV_TIMER] = m & (GENERATE_TIMERS | GENERATE_SILENT) ? 30 : 3,
        [FLUE_TCP_EV_COMMAND] = over ? 8 : 1,
    };
    if (one_in(rng, 8))
        *now_us += flue_rng_below(rng, one_in(rng, 10) ? 100000 : 1000);
    if (one_in(rng, 200000))
        *now_us += UINT64_C(86400000000) * flue_rng_below(rng, 40);
    e->kind = (enum flue_tcp_event_kind)by_weight(rng, weight, FLUE_TCP_EVENTS);
    switch (e->kind) {
    case FLUE_TCP_EV_SEGMENT:
    case FLUE_TCP_EV_FORWARD:
        generate_segment(rng, r, m, &e->seg);
        break;
    case FLUE_TCP_EV_DOORBELL:
        make_doorbell(rng, r, e);
        break;
    case FLUE_TCP_EV_TURN:
        e->budget = one_in(rng, 5) ? 1 + flue_rng_below(rng, 65535) : FLUE_TCP_TURN_BUDGET;
        break;
    case FLUE_TCP_EV_SENT:
        make_sent(r, rng, e);
        break;
    case FLUE_TCP_EV_PLACED:
        e->placed.after = row->after[0];
        e->placed.ok = !one_in(rng, 100);
        break;
    case FLUE_TCP_EV_TIMER:
        make_timer(rng, r, now_us, e);
        break;
    default:
        make_command(rng, r, e);
    }
    return true;
}

bool generate_flip(struct flue_rng *rng, const struct generate_row *row, const struct flue_tcp *r)
{
    if (row->bad)
        return row->bad_left == 1 && one_in(rng, 2); /* else CLEAR comes */
    return r->mode != FLUE_TCP_EMPTY && one_in(rng, BETWEEN_FLIPS);
}

void generate_flipped(struct generate_row *row)
{
    row->bad = !row->bad;
    row->bad_left = EVENTS_WHILE_BAD;
}

void generate_done(struct generate_row *row, const struct flue_tcp_event *event, const struct flue_tcp_actions *actions)
{
    row->wants = actions->wants;
    if (row->bad && row->bad_left > 0)
        row->bad_left--;
    if (actions->reason == FLUE_TCP_R_BAD_ROW)
        return;
    if (event->kind == FLUE_TCP_EV_PLACED)
        memmove(row->after, row->after + 1, --row->placing * sizeof row->after[0]);
    if (actions->has_verdict && actions->verdict == FLUE_TCP_PLACE && row->placing < GENERATE_PLACING)
        row->after[row->placing++] = actions->place.after;
    if (event->kind == FLUE_TCP_EV_COMMAND && event->command == FLUE_TCP_CLEAR) {
        row->placing = 0;
        row->bad = false;
    }
}

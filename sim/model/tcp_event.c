/* The step of the reference TCP: one event, then the end of every event (docs/tcp.md 3.7, 3.9). */
#include "tcp_internal.h"

#include <string.h>

const char *flue_tcp_reason_name(enum flue_tcp_reason reason)
{
    static const char *const NAMES[] = {
#define FLUE_TCP_X(name) #name,
        FLUE_TCP_REASON_LIST(FLUE_TCP_X)
#undef FLUE_TCP_X
    };
    return reason < FLUE_TCP_REASONS ? NAMES[reason] : "?";
}

uint32_t flue_tcp_snd_free(const struct flue_tcp *t)
{
    uint32_t at = t->snd_una;
    if (t->turns >= 1)
        at = earlier(at, t->turn0);
    if (t->turns >= 2)
        at = earlier(at, t->turn1);
    return at;
}

static void hardware_failed(struct tcp_step *x)
{
    struct flue_tcp *t = x->t;
    x->out->note[x->out->notes++] = FLUE_TCP_UPLOAD_HARDWARE;
    t->mode = FLUE_TCP_FREEZING;
    t->ack_now = 0;
    t->ack_owed = 0;
    t->delack_on = 0;
}

static void doorbell(struct tcp_step *x, const struct flue_tcp_event *e)
{
    struct flue_tcp *t = x->t;
    uint32_t limit = e->doorbell.send_limit, consumed = e->doorbell.consumed;
    bool good = upto(t->consumed, consumed) && upto(consumed, t->rcv_nxt);
    good &= t->fin_marked ? limit == t->send_limit : upto(t->send_limit, limit) && upto(limit, t->snd_una + t->snd_buf);
    if (!good) {
        x->refused = true;
        x->out->reason = FLUE_TCP_R_REFUSED;
        return;
    }
    t->send_limit = limit;
    t->consumed = consumed;
    t->fin_marked |= e->doorbell.fin;
    if (t->mode == FLUE_TCP_LIVE && tcp_reopens(t))
        t->ack_now = 1;
}

static void sent(struct tcp_step *x, const struct flue_tcp_event *e)
{
    struct flue_tcp *t = x->t;
    if (!e->sent.turn) {
        t->acks -= t->acks > 0;
    } else if (t->turns > 0) {
        t->turns--;
        t->turn0 = t->turn1;
    }
    if (e->sent.failed) {
        x->out->reason = FLUE_TCP_R_READ_FAILED;
        hardware_failed(x);
    }
}

static bool command(struct tcp_step *x, enum flue_tcp_command command)
{
    struct flue_tcp *t = x->t;
    bool live = t->mode == FLUE_TCP_LIVE;
    switch (command) {
    case FLUE_TCP_LOAD:
        if (t->mode != FLUE_TCP_EMPTY)
            return false;
        t->mode = FLUE_TCP_LIVE;
        x->loaded = true;
        return true;
    case FLUE_TCP_START:
        t->ack_now |= live;
        return live;
    case FLUE_TCP_FREEZE:
        if (!live)
            return false;
        t->mode = FLUE_TCP_FREEZING;
        t->ack_now |= t->ack_owed > 0;
        return true;
    case FLUE_TCP_CLEAR:
        memset(t, 0, sizeof *t);
        return true;
    case FLUE_TCP_ABORT:
        if (!live || t->state == FLUE_TCP_CLOSED || t->state == FLUE_TCP_TIME_WAIT || t->acks >= 7)
            return false;
        tcp_stamp(x, FLUE_TCP_TX_RST, t->snd_max); /* TCP-206 */
        t->acks++;
        t->state = FLUE_TCP_CLOSED;
        x->ended = FLUE_TCP_END_ABORTED;
        return true;
    default:
        return true; /* SNAPSHOT */
    }
}

static void handle(struct tcp_step *x, const struct flue_tcp_event *e)
{
    struct flue_tcp *t = x->t;
    struct flue_tcp_actions *out = x->out;
    bool exists = t->mode == FLUE_TCP_LIVE || t->mode == FLUE_TCP_FREEZING;
    if (e->kind == FLUE_TCP_EV_SEGMENT || e->kind == FLUE_TCP_EV_FORWARD) {
        tcp_segment(x, &e->seg);
    } else if (e->kind == FLUE_TCP_EV_COMMAND) {
        out->reason = command(x, e->command) ? FLUE_TCP_R_COMMAND : FLUE_TCP_R_REFUSED;
    } else if (!exists) {
        out->reason = FLUE_TCP_R_CLOSED;
    } else if (e->kind == FLUE_TCP_EV_DOORBELL) {
        doorbell(x, e);
    } else if (e->kind == FLUE_TCP_EV_TURN) {
        tcp_turn(x, e->budget);
    } else if (e->kind == FLUE_TCP_EV_SENT) {
        sent(x, e);
    } else if (e->kind == FLUE_TCP_EV_PLACED) {
        tcp_placed(x, e->placed.after, e->placed.ok);
        if (!e->placed.ok)
            hardware_failed(x);
    } else if (t->mode == FLUE_TCP_FREEZING) {
        out->reason = FLUE_TCP_R_FROZEN;
    } else {
        tcp_timer(x);
    }
}

/* In CLOSED and TIME_WAIT no timer of ours runs; in CLOSED nothing is owed. */
static void quiet_ends(struct flue_tcp *t)
{
    if (t->state != FLUE_TCP_CLOSED && t->state != FLUE_TCP_TIME_WAIT)
        return;
    t->rto_on = 0;
    t->persisting = 0;
    t->timing = 0;
    if (t->state == FLUE_TCP_CLOSED) {
        t->ack_now = 0;
        t->ack_owed = 0;
        t->delack_on = 0;
    }
}

static void end_of_event(struct tcp_step *x, enum flue_tcp_state was)
{
    struct flue_tcp *t = x->t;
    struct flue_tcp_actions *out = x->out;
    tcp_advance(x);
    quiet_ends(t);
    bool over = t->state == FLUE_TCP_CLOSED || t->state == FLUE_TCP_TIME_WAIT;
    if (over && t->state != was)
        out->note[out->notes++] = FLUE_TCP_UPLOAD_CLOSED;
    tcp_ack_out(x);
    if (t->mode == FLUE_TCP_LIVE && !over)
        tcp_arm(x); /* after the ACK: blocks that left change what a turn would send */
    bool drained = t->turns == 0 && t->acks == 0 && t->placing == 0 && (!t->ack_now || t->state == FLUE_TCP_CLOSED);
    if (t->mode == FLUE_TCP_FREEZING && drained) {
        t->mode = FLUE_TCP_FROZEN;
        out->note[out->notes++] = FLUE_TCP_FROZE;
    }
}

void flue_tcp_step(struct flue_tcp *t, uint64_t now_us, const struct flue_tcp_event *event, struct flue_tcp_actions *out)
{
    struct tcp_step x = {.t = t, .now = (uint32_t)now_us, .age_unit = (uint32_t)(now_us >> 20), .out = out};
    uint32_t free_was = flue_tcp_snd_free(t), rcv_was = t->rcv_nxt, state_was = t->state;

    memset(out, 0, sizeof *out);
    handle(&x, event);
    bool exists = t->mode == FLUE_TCP_LIVE || t->mode == FLUE_TCP_FREEZING;
    bool looks = event->kind == FLUE_TCP_EV_COMMAND && event->command == FLUE_TCP_SNAPSHOT;
    if (exists && !looks)
        end_of_event(&x, (enum flue_tcp_state)state_was);

    out->wants = t->mode == FLUE_TCP_LIVE && t->turns < 2 && tcp_would_send(t);
    out->deadline_on = tcp_deadline(t, &out->deadline) && t->mode == FLUE_TCP_LIVE;
    if (!out->deadline_on)
        out->deadline = 0;
    bool moved = free_was != flue_tcp_snd_free(t) || rcv_was != t->rcv_nxt || state_was != t->state;
    out->has_tell = exists && (moved || x.loaded || x.doubt || x.refused || x.ended != FLUE_TCP_END_NONE);
    if (out->has_tell)
        out->tell = (struct flue_tcp_tell){.snd_free = flue_tcp_snd_free(t),
                                           .snd_una = t->snd_una,
                                           .rcv_nxt = t->rcv_nxt,
                                           .state = (enum flue_tcp_state)t->state,
                                           .ended = x.ended,
                                           .doubt = x.doubt,
                                           .refused = x.refused,
                                           .fin = t->fin_valid && before(t->fin_seq, t->rcv_nxt)};
}

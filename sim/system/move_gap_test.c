/* Something happens in each gap between the steps of a move, into the adapter and out of it (docs/tcp.md section 8). */
#include <stdlib.h>
#include <string.h>
#include "moves.h"

enum {
    RIG_MOVES = 7, /* connections of one rig: the tables hold 16 neighbors */
    BYTES = 12000, /* each way, behind the move */
    SHORT_US = 400,
    TIMER_US = 450000,  /* more than the shortest retransmission timeout */
    FULL = 400000,      /* more than a ring takes */
    RESUME_US = 100000, /* a delayed ACK and no timeout more */
    LIMIT_US = 5000000,
};

enum happening { FRAME, TIMER, FIN, RST, PROBE };
static const char *const happening_name[] = {"a frame", "a timer", "a FIN", "an RST", "a window probe"};

struct scene {
    enum happening what;
    bool out;
    unsigned gap;
    uint64_t probes; /* of the peer, before the gap */
};

static struct live_start start_of(const struct scene *s, unsigned number)
{
    return (struct live_start){.ipv6 = number & 1,
                               .timestamps = (number & 2) == 0,
                               .sack = number % 3 != 0,
                               .scale = number % 4,
                               .snd = 0xFFFFFF00u + 77 * number,
                               .rcv = 0x7FFFF000u + 1000 * s->gap,
                               .delay_us = 50};
}

static uint64_t timeouts(const struct moving *m)
{
    return m->live.peer.reasons[FLUE_TCP_R_RTO];
}

/* ---- before the move ---------------------------------------------------------------------------------------------------- */

static void prepare(struct moving *m, struct scene *s)
{
    struct live_rig *rig = m->live.rig;
    CHECK(moving_exchange(m, 3000, 3000, LIMIT_US)); /* a round trip was measured */
    switch (s->what) {
    case TIMER: /* what is on its way is lost */
        rig->drop_percent = 100;
        moving_push(m, 5000);
        live_run(rig, SHORT_US);
        rig->drop_percent = 0;
        break;
    case PROBE: /* the program reads nothing until the window is closed */
        live_peer_push(&m->live, FULL);
        live_run(rig, 20000);
        live_peer_push(&m->live, FULL);
        live_run(rig, 20000);
        CHECK(m->live.peer_sent < FULL && m->live.peer.t.snd_wnd < LIVE_MSS, "the window is %u", m->live.peer.t.snd_wnd);
        break;
    default:
        break;
    }
}

/* ---- in the gap --------------------------------------------------------------------------------------------------------- */

static void happen(struct moving *m, struct scene *s)
{
    struct live_rig *rig = m->live.rig;
    uint64_t now = flue_sim_time_us(rig->t->rig->sim);
    switch (s->what) {
    case FRAME:
        live_peer_push(&m->live, m->live.peer_sent + 4000);
        live_run(rig, SHORT_US);
        break;
    case TIMER:
        live_run(rig, TIMER_US);
        break;
    case FIN:
        live_peer_push(&m->live, m->live.peer_sent + 1000);
        flue_tcp_host_finish(&m->live.peer, now);
        live_run(rig, SHORT_US);
        break;
    case RST:
        flue_tcp_host_command(&m->live.peer, now, FLUE_TCP_ABORT);
        live_run(rig, SHORT_US);
        break;
    case PROBE:
        s->probes = m->live.peer.reasons[FLUE_TCP_R_PERSIST];
        live_run(rig, TIMER_US);
        CHECK(m->live.peer.reasons[FLUE_TCP_R_PERSIST] > s->probes, "the peer sent no probe");
        break;
    }
}

/* ---- after the move ----------------------------------------------------------------------------------------------------- */

static void close_both(struct moving *m)
{
    enum flue_tcp_end end;
    bool finished = false;
    for (unsigned i = 0; i < 50 && !finished; i++) {
        live_run(m->live.rig, 1000);
        (void)moving_ended(m, &end, &finished);
    }
    CHECK(finished, "the peer's end did not come");
    moving_finish(m);
    for (unsigned i = 0; i < 50 && m->live.peer.t.state != FLUE_TCP_TIME_WAIT; i++)
        live_run(m->live.rig, 1000);
    CHECK_EQ(m->live.peer.t.state, FLUE_TCP_TIME_WAIT);
    CHECK(!moving_ended(m, &end, &finished) || end == FLUE_TCP_END_CLOSED, "it ended with %d", (int)end);
}

static void go_on(struct moving *m, const struct scene *s)
{
    uint64_t here = s->what == TIMER ? 5000 : 3000, there = m->live.peer_sent;
    uint64_t before = timeouts(m), limit = s->what == TIMER ? RESUME_US : LIMIT_US;
    enum flue_tcp_end end;
    bool finished;
    if (s->what == RST) {
        live_run(m->live.rig, 10000);
        CHECK(moving_ended(m, &end, &finished) && end == FLUE_TCP_END_RESET, "the reset was not told, end %d", (int)end);
        return;
    }
    /* What was on its way arrives without a new wait: the timer's time went on (HND-005). */
    CHECK(moving_exchange(m, here, s->what == PROBE ? FULL : there, limit), "%llu to the peer, %llu of %llu to the host",
          (unsigned long long)m->live.peer_received, (unsigned long long)m->live.received, (unsigned long long)there);
    there = m->live.peer_sent + (s->what == FIN ? 0 : BYTES);
    CHECK(moving_exchange(m, here + BYTES, there, LIMIT_US), "%llu to the peer, %llu of %llu to the host",
          (unsigned long long)m->live.peer_received, (unsigned long long)m->live.received, (unsigned long long)there);
    CHECK(!moving_ended(m, &end, &finished), "it ended with %d", (int)end);
    CHECK_EQ(m->live.peer.ended, FLUE_TCP_END_NONE);
    if (s->what != PROBE) /* behind it a window's worth comes at the width's full rate, and a frame may find no room */
        CHECK_EQ(timeouts(m), before);
    if (s->what == FRAME || s->what == FIN) /* no frame was lost: nothing was sent twice */
        CHECK_EQ(m->live.peer.reasons[FLUE_TCP_R_RETRANSMIT], 0);
    if (s->what == FIN)
        close_both(m);
}

/* A reset before the state is taken ends the move: there is nothing to move any more. */
static bool over(const struct moving *m, const struct scene *s, unsigned gap)
{
    return s->what == RST && gap == s->gap && (s->out ? gap == 0 : m->home.ended == FLUE_TCP_END_RESET);
}

static bool play(struct detour *d, struct scene *s, unsigned number)
{
    struct moving m;
    struct live_start start = start_of(s, number);
    unsigned failures = check_failures, steps = s->out ? MOVE_OUT_STEPS : MOVE_IN_STEPS;
    moving_open(&m, d, &start, s->out);
    prepare(&m, s);
    for (unsigned gap = 0; gap <= steps && check_failures == failures; gap++) {
        if (gap == s->gap)
            happen(&m, s);
        if (gap == steps || over(&m, s, gap))
            break;
        if (s->out)
            move_out(&m, gap);
        else
            move_in(&m, gap);
    }
    if (check_failures == failures)
        go_on(&m, s);
    if (check_failures != failures) {
        const char *const *step = s->out ? move_out_step : move_in_step;
        printf("  (%s %s \"%s\" of a move %s)\n", happening_name[s->what], s->gap < steps ? "before" : "behind",
               step[s->gap < steps ? s->gap : steps - 1], s->out ? "out" : "in");
    }
    moving_close(&m);
    return check_failures == failures;
}

/* One thing in every gap, both directions. */
static void everywhere(enum happening what)
{
    enum { GAPS_IN = MOVE_IN_STEPS + 1, GAPS = GAPS_IN + MOVE_OUT_STEPS + 1 };
    bool good = true;
    for (unsigned first = 0; first < GAPS && good; first += RIG_MOVES) {
        struct live_rig *rig = live_rig_open(32, false, 4u << 20);
        struct detour d;
        detour_open(&d, rig);
        for (unsigned i = first; i < first + RIG_MOVES && i < GAPS && good; i++) {
            struct scene s = {.what = what, .out = i >= GAPS_IN, .gap = i < GAPS_IN ? i : i - GAPS_IN};
            good = play(&d, &s, i);
        }
        detour_close(&d);
        live_rig_close(rig);
    }
}

/* CH-100, HND-001, HND-002, HND-003: nothing is lost, nothing is sent twice; frames are forwarded between load and start only.
 */
TEST(a_frame_in_any_gap_of_a_move_arrives_once)
{
    everywhere(FRAME);
}

/* HND-002, HND-005: what was unacknowledged is sent again in time, by whoever has the connection then. */
TEST(a_timer_in_any_gap_of_a_move_goes_off)
{
    everywhere(TIMER);
}

/* HND-001, HND-002: the end comes behind the last byte, and both sides close in order. */
TEST(a_fin_in_any_gap_of_a_move_ends_the_stream_in_order)
{
    everywhere(FIN);
}

/* HND-003, HND-008: the program is told of the reset, wherever the connection is then. */
TEST(an_rst_in_any_gap_of_a_move_reaches_the_program)
{
    everywhere(RST);
}

/* HND-001, HND-002, HND-005: a closed window opens again when the program reads. */
TEST(a_window_probe_in_any_gap_of_a_move_is_answered)
{
    everywhere(PROBE);
}

TEST_MAIN(1)

/* Sets that are generated whole: orders of arrival, overlaps, resets and SYNs around the window, flags. */
#include "dialogue.h"

#include <string.h>

const char dialogues_generated;

enum { PIECES = 5, PIECE = 100, SPACE = 64 };

/* What a receiver holds, byte by byte: written as simply as possible, it decides over subject and ranges. */
struct shadow {
    bool had[4096];
    uint32_t nxt;
};

static void shadow_take(struct shadow *s, uint32_t l, uint32_t r)
{
    for (uint32_t i = l; i < r; i++)
        s->had[i] = true;
    while (s->had[s->nxt])
        s->nxt++;
}

/* Every block but a duplicate report is a maximal run of what is held above RCV.NXT. */
static void shadow_compare(struct talk *t, const struct shadow *s, const struct flue_tcp_tx *tx, bool dsack)
{
    EXPECT_EQ(tx->ack - t->irs, s->nxt);
    unsigned runs = 0;
    for (uint32_t i = s->nxt; i < 4000; i++)
        runs += s->had[i] && !s->had[i - (i > 0)] && i > 0;
    EXPECT_EQ(tx->blocks - dsack, runs < 4u - dsack ? runs : 4u - dsack);
    for (unsigned b = dsack; b < tx->blocks; b++) {
        uint32_t l = tx->block[b].left - t->irs, r = tx->block[b].right - t->irs;
        bool maximal = l > s->nxt && r > l && r < 4000 && !s->had[l - 1] && !s->had[r];
        for (uint32_t i = l; maximal && i < r; i++)
            maximal = s->had[i];
        EXPECT(maximal);
    }
}

static void order(struct talk *t, const unsigned *piece, bool fin)
{
    struct shadow s = {.nxt = 0};
    talk_open(t, (struct setup){.sack = true});
    for (unsigned i = 0; i < PIECES; i++) {
        uint32_t seq = PIECE * piece[i];
        bool last = fin && piece[i] == PIECES - 1, gap = s.nxt < seq;
        unsigned held = t->r.held_count;
        peer(t, (struct says){.seq = seq, .len = PIECE, .flags = FLUE_TCP_ACK | (last ? FLUE_TCP_FIN : 0)});
        shadow_take(&s, seq, seq + PIECE);
        bool at_once = gap || held > 0 || last || (fin && s.nxt == PIECES * PIECE);
        if (!at_once)
            pass_us(t, 40000);
        const struct flue_tcp_tx *tx = next_out(t);
        EXPECT(tx != 0);
        if (!tx)
            return;
        if (fin && s.nxt == PIECES * PIECE) {
            EXPECT_EQ(tx->ack - t->irs, s.nxt + 1);
        } else {
            shadow_compare(t, &s, tx, false);
            if (gap) { /* the first block holds the segment that caused the ACK */
                uint32_t l = tx->block[0].left - t->irs, r = tx->block[0].right - t->irs;
                EXPECT(tx->blocks > 0 && l <= seq && seq + PIECE <= r);
            }
        }
        expect_silence(t);
    }
    EXPECT_EQ(t->told.rcv_nxt - t->irs, PIECES * PIECE + fin);
    EXPECT_EQ(t->r.state, fin ? FLUE_TCP_CLOSE_WAIT : FLUE_TCP_ESTABLISHED);
}

/* TCP-079, TCP-040, TCP-072, TCP-203 */
DIALOGUE(all_120_orders_of_five_segments_deliver_them)
{
    unsigned count = 0;
    for (unsigned code = 0; code < 3125 && !t->failures; code++) {
        unsigned piece[PIECES], seen = 0, rest = code;
        for (unsigned i = 0; i < PIECES; i++, rest /= PIECES) {
            piece[i] = rest % PIECES;
            seen |= 1u << piece[i];
        }
        if (seen != (1u << PIECES) - 1)
            continue;
        count++;
        order(t, piece, false);
        order(t, piece, true);
    }
    EXPECT(count == 120 || t->failures);
}

/* TCP-079, TCP-023, TCP-024, TCP-073, TCP-076: every begin and end of a segment over a comb of three ranges */
DIALOGUE(every_overlap_of_a_segment_with_a_comb_of_ranges)
{
    static const uint32_t COMB[3][2] = {{8, 14}, {20, 26}, {32, 38}};
    for (uint32_t l = 0; l < 44 && !t->failures; l++) {
        for (uint32_t r = l + 1; r <= 46 && !t->failures; r++) {
            struct shadow s = {.nxt = 0};
            talk_open(t, (struct setup){.sack = true});
            peer(t, (struct says){.len = 4}); /* 0 to 4 were delivered */
            shadow_take(&s, 0, 4);
            pass_us(t, 40000);
            for (unsigned i = 0; i < 3; i++) {
                peer(t, (struct says){.seq = COMB[i][0], .len = COMB[i][1] - COMB[i][0]});
                shadow_take(&s, COMB[i][0], COMB[i][1]);
            }
            forget_out(t);
            bool duplicate = l < 4;
            for (unsigned i = 0; i < 3; i++)
                duplicate |= l < COMB[i][1] && COMB[i][0] < r;
            peer(t, (struct says){.seq = l, .len = r - l});
            shadow_take(&s, l, r);
            bool contained = r <= 4;
            for (unsigned i = 0; i < 3; i++)
                contained |= COMB[i][0] <= l && r <= COMB[i][1];
            EXPECT_EQ(t->a.verdict, contained ? FLUE_TCP_DROP : FLUE_TCP_PLACE);
            EXPECT(!contained || t->a.reason == FLUE_TCP_R_OLD);
            const struct flue_tcp_tx *tx = next_out(t);
            EXPECT(tx != 0);
            if (!tx)
                return;
            bool reported = duplicate && tx->blocks > 0 && tx->block[0].left - t->irs >= l && tx->block[0].right - t->irs <= r;
            bool merged_over =
                duplicate && l >= 4 && s.nxt > l; /* what the report named is below RCV.NXT now: it still is one */
            EXPECT(!duplicate || reported || merged_over);
            shadow_compare(t, &s, tx, reported && duplicate);
            expect_silence(t);
            EXPECT_EQ(t->r.rcv_nxt - t->irs, s.nxt);
        }
    }
}

static const enum flue_tcp_state STATES[] = {FLUE_TCP_ESTABLISHED, FLUE_TCP_FIN_WAIT1, FLUE_TCP_FIN_WAIT2,
                                             FLUE_TCP_CLOSE_WAIT,  FLUE_TCP_CLOSING,   FLUE_TCP_LAST_ACK};

/* With first numbers below the wrap the peer's are such that the window ends at 2^32. */
static void enter(struct talk *t, enum flue_tcp_state state)
{
    enum { BUFFER = 1024, WINDOW = BUFFER - BUFFER / 32 };
    if (t->irs > 0xFFFF0000 && t->irs != 0xFFFFFFFF)
        t->irs = 0u - WINDOW;
    bool ours = state != FLUE_TCP_ESTABLISHED && state != FLUE_TCP_CLOSE_WAIT;
    bool theirs = state == FLUE_TCP_CLOSE_WAIT || state == FLUE_TCP_CLOSING || state == FLUE_TCP_LAST_ACK;
    talk_open(t, (struct setup){.rcv_buf = BUFFER});
    if (state == FLUE_TCP_LAST_ACK)
        peer(t, (struct says){.flags = FLUE_TCP_ACK | FLUE_TCP_FIN});
    if (ours)
        app_closes(t);
    if (state == FLUE_TCP_FIN_WAIT2)
        peer(t, (struct says){.ack = 1});
    if (theirs && state != FLUE_TCP_LAST_ACK)
        peer(t, (struct says){.flags = FLUE_TCP_ACK | FLUE_TCP_FIN});
    EXPECT_EQ(t->r.state, state);
    forget_out(t);
}

/* TCP-025, TCP-026, TCP-027, TCP-028, TCP-205, TCP-208 */
DIALOGUE(resets_and_syns_around_the_window_in_every_state)
{
    for (unsigned i = 0; i < 6 && !t->failures; i++) {
        enter(t, STATES[i]);
        uint32_t next = t->r.rcv_nxt - t->irs, edge = t->r.rcv_adv - t->irs;
        const uint32_t seqs[] = {next - 0x7FFFFFFF, next - 2, next - 1, next,     next + 1,          next + 2,
                                 edge - 2,          edge - 1, edge,     edge + 1, edge + 0x3FFFFFFF, next + 0x7FFFFFFF};
        for (unsigned k = 0; k < 12 && !t->failures; k++) {
            enter(t, STATES[i]);
            peer(t, (struct says){.seq = seqs[k], .flags = FLUE_TCP_RST});
            bool inside = seqs[k] - next < edge - next;
            EXPECT_EQ(t->r.state, seqs[k] == next ? FLUE_TCP_CLOSED : STATES[i]);
            if (inside && seqs[k] != next)
                expect_ack(t, next);
            expect_silence(t);
            enter(t, STATES[i]);
            peer(t, (struct says){.seq = seqs[k], .flags = FLUE_TCP_SYN});
            expect_reason(t, FLUE_TCP_R_SYN);
            EXPECT_EQ(t->r.state, STATES[i]);
            expect_ack(t, next);
            expect_silence(t);
        }
    }
}

/* TCP-016, TCP-031 */
DIALOGUE(all_256_flag_combinations_have_a_defined_result)
{
    for (unsigned i = 0; i < 6 && !t->failures; i++) {
        for (unsigned flags = 0; flags < 256 && !t->failures; flags++) {
            enter(t, STATES[i]);
            uint32_t next = t->r.rcv_nxt - t->irs;
            bool receives = STATES[i] <= FLUE_TCP_FIN_WAIT2;
            peer(t, (struct says){
                        .seq = next, .len = 10, .ack = t->r.snd_una - t->iss, .flags = (uint8_t)flags, .no_flags = !flags});
            enum flue_tcp_reason want = flags & FLUE_TCP_RST      ? FLUE_TCP_R_RST
                                        : flags & FLUE_TCP_SYN    ? FLUE_TCP_R_SYN
                                        : !(flags & FLUE_TCP_ACK) ? FLUE_TCP_R_NO_ACK
                                        : flags & FLUE_TCP_URG    ? FLUE_TCP_R_URGENT
                                        : receives                ? FLUE_TCP_R_ACCEPTED
                                                                  : FLUE_TCP_R_AFTER_FIN;
            expect_reason(t, want);
            EXPECT_EQ(t->a.verdict, want == FLUE_TCP_R_ACCEPTED ? FLUE_TCP_PLACE : FLUE_TCP_DROP);
            EXPECT_EQ(t->r.rcv_nxt - t->irs - next, want == FLUE_TCP_R_ACCEPTED ? 10u + (flags & FLUE_TCP_FIN ? 1 : 0) : 0);
        }
    }
}

/* TCP-081, TCP-083: blocks of any edges leave the marks in order */
DIALOGUE(every_pair_of_block_edges_leaves_the_marks_in_order)
{
    for (uint32_t l = 0; l <= 12 && !t->failures; l++) {
        for (uint32_t r = 0; r <= 12 && !t->failures; r++) {
            talk_open(t, (struct setup){.sack = true, .cwnd = 12});
            app_writes(t, 11000);
            peer(t, (struct says){.ack = 1000, .blocks = 3, .block = {{3000, 4000}, {6000, 7000}, {9000, 10000}}});
            peer(t, (struct says){.ack = 1000, .blocks = 1, .block = {{1000 * l, 1000 * r}}});
            uint32_t marked = 0;
            for (unsigned i = 0; i < t->r.sacked_count; i++)
                marked += (t->r.sacked[i].right - t->r.sacked[i].left) / 1000;
            uint32_t want = 3;
            if (l > 1 && l < r && r <= 11)
                for (uint32_t k = l; k < r; k++)
                    want += k != 3 && k != 6 && k != 9;
            EXPECT_EQ(marked, want); /* order and distance are watched */
        }
    }
}

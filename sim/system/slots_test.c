/*
 * Slots, doorbells and rings that are wrong: each yields its status or its named event, nothing on the wire, no access outside
 * a region (the monitor watches), and the traffic behind it goes on.
 */
#include "raw.h"

enum { LEN = 600 };

/* A good packet behind the bad ones is sent. */
static void expect_good(struct raw *raw, const char *what)
{
    raw_good(raw, LEN);
    raw_ring(raw, 0);
    if (!raw_settle(raw))
        return;
    raw_expect(raw, what, FLUE_EV_TX_DONE, FLUE_Q_TX, FLUE_ST_OK, raw->tail[0]);
    raw_expect_silence(raw, what);
    CHECK_EQ(raw_frames(raw), 1);
}

/* The slots so far must come back with this status, as one completion up to the tail; then traffic goes on. */
static void expect_refused(struct raw *raw, const char *what, unsigned status)
{
    uint16_t end = raw->tail[0];
    raw_ring(raw, 0);
    if (!raw_settle(raw))
        return;
    raw_expect(raw, what, FLUE_EV_TX_DONE, FLUE_Q_TX, status, end);
    raw_expect_silence(raw, what);
    CHECK(raw_frames(raw) == 0, "width %u, %s: a frame left", raw->width, what);
    expect_good(raw, what);
}

/* length 0, beyond the region, unknown kinds, reserved bits */
RAW_TEST(a_malformed_packet_comes_back_with_its_status)
{
    raw_slot(raw, 0, raw_packet(LEN), 0, 0, 0);
    raw_slot(raw, 0, raw_frag(0, true), 0, RAW_DATA, 0);
    expect_refused(raw, "fragment of length 0", FLUE_ST_BAD_LENGTH);

    raw_slot(raw, 0, raw_packet(0), 0, 0, 0);
    raw_slot(raw, 0, raw_frag(0, true), LEN, RAW_DATA, 0);
    expect_refused(raw, "packet of length 0", FLUE_ST_BAD_LENGTH);

    raw_slot(raw, 0, raw_packet(LEN), 0, 0, 0);
    raw_slot(raw, 0, raw_frag(0, false), 100, RAW_DATA, 0);
    raw_slot(raw, 0, raw_frag(0, true), LEN - 101, RAW_DATA, 0);
    expect_refused(raw, "fragments one byte short", FLUE_ST_BAD_LENGTH);

    raw_slot(raw, 0, raw_packet(LEN), 0, 0, 0);
    raw_slot(raw, 0, raw_frag(0, true), LEN + 1, RAW_DATA, 0);
    expect_refused(raw, "fragment one byte long", FLUE_ST_BAD_LENGTH);

    raw_slot(raw, 0, raw_packet(LEN), 0, 0, 0);
    raw_slot(raw, 0, raw_frag(0, true), LEN, RAW_BYTES - LEN + 1, 0);
    expect_refused(raw, "last byte beyond the region", FLUE_ST_BAD_REGION);

    raw_slot(raw, 0, raw_packet(LEN), 0, 0, 0);
    raw_slot(raw, 0, raw_frag(0, true), LEN, 0xFFFFFFFFu, 0);
    expect_refused(raw, "offset that wraps", FLUE_ST_BAD_REGION);

    raw_slot(raw, 0, raw_packet(LEN), 0, 0, 0);
    raw_slot(raw, 0, raw_frag(2, true), LEN, RAW_DATA, 0);
    expect_refused(raw, "region that is not valid", FLUE_ST_BAD_REGION);

    raw_slot(raw, 0, raw_packet(LEN), 0, 0, 0);
    raw_slot(raw, 0, raw_frag(200, true), LEN, RAW_DATA, 0);
    expect_refused(raw, "region that is not there", FLUE_ST_BAD_REGION);

    raw_slot(raw, 0, raw_packet(LEN) | 0x20, 0, 0, 0);
    raw_slot(raw, 0, raw_frag(0, true), LEN, RAW_DATA, 0);
    expect_refused(raw, "reserved bit in PACKET", FLUE_ST_BAD_SLOT);

    static const uint32_t beside[][3] = {{FLUE_SLOT_PACKET_GENERIC_MASK}, {FLUE_SLOT_PACKET_VLAN_MASK}, {0, 1}, {0, 0, 1}};
    for (unsigned i = 0; i < sizeof beside / sizeof *beside; i++) {
        raw_slot(raw, 0, raw_packet(LEN) | FLUE_SLOT_PACKET_FORWARD_MASK | beside[i][0], beside[i][1], beside[i][2], 0);
        raw_slot(raw, 0, raw_frag(0, true), LEN, RAW_DATA, 0);
        expect_refused(raw, "forward beside a request", FLUE_ST_BAD_SLOT);
    }
    raw_slot(raw, 0, raw_packet(LEN) | FLUE_SLOT_PACKET_FORWARD_MASK, 0, 0, 0);
    raw_slot(raw, 0, raw_frag(0, true), LEN, RAW_DATA, 0);
    expect_refused(raw, "forwarded bytes that are no segment", FLUE_ST_NO_SEGMENT);

    raw_slot(raw, 0, raw_packet(LEN), 0, 0, 0);
    raw_slot(raw, 0, raw_frag(0, true) | 0x8, LEN, RAW_DATA, 0);
    expect_refused(raw, "reserved bit in FRAG", FLUE_ST_BAD_SLOT);

    raw_slot(raw, 0, raw_packet(LEN), 0, 0, 0);
    raw_slot(raw, 0, raw_frag(0, true), LEN, RAW_DATA, 1);
    expect_refused(raw, "word 3 of FRAG not zero", FLUE_ST_BAD_SLOT);

    raw_slot(raw, 0, raw_frag(0, true), LEN, RAW_DATA, 0);
    expect_refused(raw, "FRAG without PACKET", FLUE_ST_BAD_SLOT);

    raw_slot(raw, 0, 0, 0, 0, 0);
    expect_refused(raw, "kind 0", FLUE_ST_BAD_SLOT);

    raw_slot(raw, 0, raw_packet(13), 0, 0, 0);
    raw_slot(raw, 0, raw_frag(0, true), 13, RAW_DATA, 0);
    expect_refused(raw, "13 bytes", FLUE_ST_BAD_LENGTH);

    raw_slot(raw, 0, raw_packet(1515), 0, 0, 0);
    raw_slot(raw, 0, raw_frag(0, true), 1515, RAW_DATA, 0);
    expect_refused(raw, "one byte over the limit", FLUE_ST_TOO_LONG);
}

/* chains without end, self-link, links to nowhere */
RAW_TEST(a_chain_that_does_not_end_comes_back)
{
    raw_slot(raw, 0, raw_packet(LEN), 0, 0, 0);
    raw_slot(raw, 0, raw_frag(0, false), LEN, RAW_DATA, 0);
    expect_refused(raw, "chain to the tail", FLUE_ST_CHAIN);

    raw_slot(raw, 0, raw_packet(LEN), 0, 0, 0);
    expect_refused(raw, "PACKET alone", FLUE_ST_CHAIN);

    raw_slot(raw, 0, raw_packet(LEN), 0, 0, 0);
    raw_slot(raw, 0, raw_link(0), 4, RAW_DATA + 0x8000, 0);
    raw_slot_at(raw, RAW_DATA + 0x8000, raw_link(0), 4, RAW_DATA + 0x8000, 0);
    expect_refused(raw, "link to itself", FLUE_ST_CHAIN);

    raw_slot(raw, 0, raw_packet(LEN), 0, 0, 0);
    raw_slot(raw, 0, raw_link(0), 2, RAW_DATA + 0x8000, 0);
    raw_slot_at(raw, RAW_DATA + 0x8000, raw_frag(0, false), 10, RAW_DATA, 0);
    raw_slot_at(raw, RAW_DATA + 0x8010, raw_frag(0, false), 10, RAW_DATA, 0);
    expect_refused(raw, "array without a last fragment", FLUE_ST_CHAIN);

    raw_slot(raw, 0, raw_packet(2000), 0, 0, 0);
    raw_slot(raw, 0, raw_link(0), 2000, RAW_DATA + 0x8000, 0);
    for (unsigned i = 0; i < 2000; i++)
        raw_slot_at(raw, RAW_DATA + 0x8000 + i * 16, raw_frag(0, i == 1999), 1, RAW_DATA, 0);
    expect_refused(raw, "more than 1,024 slots", FLUE_ST_CHAIN);

    raw_slot(raw, 0, raw_packet(LEN), 0, 0, 0);
    raw_slot(raw, 0, raw_link(0), 2, RAW_BYTES - 16, 0);
    raw_slot_at(raw, RAW_BYTES - 16, raw_frag(0, false), 10, RAW_DATA, 0);
    expect_refused(raw, "array beyond the region", FLUE_ST_BAD_REGION);

    raw_slot(raw, 0, raw_packet(LEN), 0, 0, 0);
    raw_slot(raw, 0, raw_link(9), 2, 0, 0);
    expect_refused(raw, "array in no region", FLUE_ST_BAD_REGION);
}

/* A LINK that is right: fragments in an array, 1,000 of one byte (TO-066). */
RAW_TEST(a_packet_in_an_array_of_small_fragments_is_sent)
{
    raw_slot(raw, 0, raw_packet(1000), 0, 0, 0);
    raw_slot(raw, 0, raw_link(0), 1000, RAW_DATA + 0x8000, 0);
    for (unsigned i = 0; i < 1000; i++)
        raw_slot_at(raw, RAW_DATA + 0x8000 + i * 16, raw_frag(i % 2, i == 999), 1, RAW_DATA + i, 0);
    raw_good(raw, LEN);
    raw_ring(raw, 0);
    if (!raw_settle(raw))
        return;
    raw_expect(raw, "array", FLUE_EV_TX_DONE, FLUE_Q_TX, FLUE_ST_OK, (uint16_t)(raw->tail[0] - 2));
    raw_expect(raw, "behind it", FLUE_EV_TX_DONE, FLUE_Q_TX, FLUE_ST_OK, raw->tail[0]);
    uint8_t frame[2000];
    size_t len;
    CHECK(flue_sim_wire_recv(raw->sim, frame, sizeof frame, &len, NULL) == FLUE_OK && len == 1000 &&
          !memcmp(frame, raw->mem + RAW_DATA, 1000));
}

/* After bad slots the queue finds the next PACKET in the ring. */
RAW_TEST(bad_slots_do_not_take_the_packets_behind_them_along)
{
    raw_slot(raw, 0, raw_packet(LEN), 0, 0, 0);
    raw_slot(raw, 0, raw_frag(0, false), 0, RAW_DATA, 0);
    raw_slot(raw, 0, raw_frag(0, true), LEN, RAW_DATA, 0);
    uint16_t first = raw->tail[0];
    raw_good(raw, LEN);
    uint16_t second = raw->tail[0];
    raw_slot(raw, 0, 3, 0xFFFFFFFF, 0xFFFFFFFF, 0xFFFFFFFF);
    raw_slot(raw, 0, 0, 0, 0, 0);
    uint16_t third = raw->tail[0];
    raw_good(raw, LEN);
    raw_ring(raw, 0);
    if (!raw_settle(raw))
        return;
    raw_expect(raw, "first", FLUE_EV_TX_DONE, FLUE_Q_TX, FLUE_ST_BAD_LENGTH, first);
    raw_expect(raw, "second", FLUE_EV_TX_DONE, FLUE_Q_TX, FLUE_ST_OK, second);
    raw_expect(raw, "third", FLUE_EV_TX_DONE, FLUE_Q_TX, FLUE_ST_BAD_SLOT, third);
    raw_expect(raw, "fourth", FLUE_EV_TX_DONE, FLUE_Q_TX, FLUE_ST_OK, raw->tail[0]);
    raw_expect_silence(raw, "fourth");
    CHECK_EQ(raw_frames(raw), 2);
}

/* A queue error stops its queue with one event; disable and enable bring it back. */
static void expect_stopped(struct raw *raw, const char *what, unsigned queue, unsigned code)
{
    struct raw_event e;
    if (!raw_settle(raw))
        return;
    CHECK(raw_next(raw, &e) && e.kind == FLUE_EV_QUEUE_ERROR && e.queue == queue && (e.w1 & 0xFF) == code,
          "width %u, %s: kind %u queue %u code %u", raw->width, what, e.kind, e.queue, e.w1 & 0xFF);
    CHECK(raw_read(raw, FLUE_REG_STATUS) & (queue ? FLUE_STATUS_RX_ERROR_MASK : FLUE_STATUS_TX_ERROR_MASK));
    raw_ring(raw, queue);
    raw_settle(raw);
    raw_expect_silence(raw, what);
    raw_frames(raw);
    raw_queue(raw, queue);
    CHECK(!(raw_read(raw, FLUE_REG_STATUS) & (FLUE_STATUS_RX_ERROR_MASK | FLUE_STATUS_TX_ERROR_MASK)));
    expect_good(raw, what);
}

/* index jump, ring size, ring outside memory, for both queues */
RAW_TEST(a_ring_that_cannot_be_right_stops_its_queue_with_an_event)
{
    uint64_t before = raw_read(raw, FLUE_REG_STAT + 8 * FLUE_STAT_QUEUE_ERRORS);
    for (unsigned q = 0; q < 2; q++) {
        uint32_t cfg = q ? FLUE_REG_RXQ_CFG : FLUE_REG_TXQ_CFG, base = q ? FLUE_REG_RXQ_BASE : FLUE_REG_TXQ_BASE;
        raw_write(raw, q ? FLUE_REG_RXQ_TAIL : FLUE_REG_TXQ_TAIL, raw->tail[q] + RAW_SLOTS + 1u);
        expect_stopped(raw, "index jump", q, FLUE_QE_DOORBELL);

        raw_write(raw, cfg, 0);
        raw_write(raw, cfg, 2u << FLUE_TXQ_CFG_LOG2_SLOTS_SHIFT | FLUE_TXQ_CFG_ENABLE_MASK);
        expect_stopped(raw, "ring of 4 slots", q, FLUE_QE_CONFIG);

        raw_write(raw, cfg, 0);
        raw_write(raw, base, RAW_BYTES);
        raw_write(raw, cfg, (uint32_t)RAW_LOG2 << FLUE_TXQ_CFG_LOG2_SLOTS_SHIFT | FLUE_TXQ_CFG_ENABLE_MASK);
        raw_write(raw, q ? FLUE_REG_RXQ_TAIL : FLUE_REG_TXQ_TAIL, 4);
        expect_stopped(raw, "ring outside its region", q, FLUE_QE_FETCH);
    }
    CHECK_EQ(raw_read(raw, FLUE_REG_STAT + 8 * FLUE_STAT_QUEUE_ERRORS) - before, 6);
}

/* --- Receive -------------------------------------------------------------------------------------------------------------- */

static void send(struct raw *raw, size_t len)
{
    CHECK(flue_sim_wire_send(raw->sim, raw->mem + RAW_DATA, len) == FLUE_OK);
}

RAW_TEST(a_malformed_receive_buffer_comes_back_and_the_frame_goes_to_the_next)
{
    static const struct {
        uint32_t w0, w1, w2, w3;
        unsigned status;
        const char *what;
    } BAD[] = {
        {6, 0, RAW_BUFFER, 0, FLUE_ST_BAD_LENGTH, "length 0"},
        {6, 2048, RAW_BYTES - 499, 0, FLUE_ST_BAD_REGION, "beyond the region"},
        {6 | 1 << 8, 2048, RAW_BUFFER, 0, FLUE_ST_BAD_REGION, "read-only region"},
        {6 | 3 << 8, 2048, RAW_BUFFER, 0, FLUE_ST_BAD_REGION, "no such region"},
        {1, 2048, RAW_BUFFER, 0, FLUE_ST_BAD_SLOT, "kind PACKET"},
        {0, 2048, RAW_BUFFER, 0, FLUE_ST_BAD_SLOT, "kind 0"},
        {2, 2048, RAW_BUFFER, 0, FLUE_ST_BAD_SLOT, "not last"},
        {6 | 8, 2048, RAW_BUFFER, 0, FLUE_ST_BAD_SLOT, "reserved bit"},
    };
    for (unsigned i = 0; i < sizeof BAD / sizeof *BAD; i++) {
        raw_slot(raw, 1, BAD[i].w0, BAD[i].w1, BAD[i].w2, BAD[i].w3);
        raw_buffer(raw, i, 2048);
        raw_ring(raw, 1);
        /* A buffer may be refused when it is fetched or when a frame wants it: two frames, and the second finds another buffer.
         */
        send(raw, 500);
        raw_settle(raw);
        struct raw_event e;
        CHECK(raw_next(raw, &e) && e.kind == FLUE_EV_RX_DONE && e.status == BAD[i].status &&
                  e.index == (uint16_t)(raw->tail[1] - 1),
              "width %u, %s: kind %u status %u index %u", raw->width, BAD[i].what, e.kind, e.status, e.index);
        if (!raw_next(raw, &e)) { /* that frame went with its buffer */
            send(raw, 500);
            raw_settle(raw);
            if (!raw_next(raw, &e))
                memset(&e, 0, sizeof e);
        }
        CHECK(e.kind == FLUE_EV_RX_DONE && e.status == FLUE_ST_OK && (e.w1 & 0x1FFFF) == 500 && e.index == raw->tail[1],
              "width %u, behind %s: kind %u status %u length %u index %u", raw->width, BAD[i].what, e.kind, e.status,
              e.w1 & 0x1FFFF, e.index);
        CHECK(!memcmp(raw->mem + RAW_BUFFER + i * RAW_BUFFER_BYTES, raw->mem + RAW_DATA, 500));
        raw_expect_silence(raw, BAD[i].what);
    }
}

RAW_TEST(a_frame_larger_than_its_buffer_is_not_written_beyond_it)
{
    memset(raw->mem + RAW_BUFFER, 0xCC, RAW_BUFFER_BYTES);
    raw_buffer(raw, 0, 200);
    raw_buffer(raw, 1, 2048);
    raw_ring(raw, 1);
    send(raw, 201);
    raw_settle(raw);
    raw_expect(raw, "too long", FLUE_EV_RX_DONE, FLUE_Q_RX, FLUE_ST_TOO_LONG, 1);
    for (unsigned i = 200; i < 1000; i++)
        CHECK(raw->mem[RAW_BUFFER + i] == 0xCC, "byte %u behind the buffer was written", i);
    send(raw, 1514);
    raw_settle(raw);
    raw_expect(raw, "next", FLUE_EV_RX_DONE, FLUE_Q_RX, FLUE_ST_OK, 2);
    CHECK_EQ(raw_read(raw, FLUE_REG_STAT + 8 * FLUE_STAT_RX_DROP_BUFFER), 1);
}

/* Frames nobody has a buffer for are dropped and counted; those that still fit come when buffers do. */
RAW_TEST(frames_without_a_buffer_wait_or_are_dropped_and_counted)
{
    enum { FRAMES = 60 };
    struct raw_event e;
    unsigned got = 0;
    for (unsigned i = 0; i < FRAMES; i++)
        send(raw, 1514);
    raw_settle(raw);
    raw_expect_silence(raw, "no buffer yet");
    for (unsigned round = 0; round < 3; round++) {
        for (unsigned i = 0; i < 20; i++)
            raw_buffer(raw, i, 2048);
        raw_ring(raw, 1);
        raw_settle(raw);
        while (raw_next(raw, &e)) {
            CHECK(e.kind == FLUE_EV_RX_DONE && e.status == FLUE_ST_OK && (e.w1 & 0x1FFFF) == 1514,
                  "kind %u queue %u status %u index %u length %u", e.kind, e.queue, e.status, e.index, e.w1 & 0x1FFFF);
            got++;
        }
    }
    uint32_t lost = raw_read(raw, FLUE_REG_STAT + 8 * FLUE_STAT_RX_DROP_FULL);
    CHECK(got >= 2 && got + lost == FRAMES, "width %u: %u came, %u were dropped", raw->width, got, lost);
    send(raw, 99);
    raw_settle(raw);
    CHECK(raw_next(raw, &e) && (e.w1 & 0x1FFFF) == 99);
}

/* Damaged, short and long frames are dropped, each under its own counter. */
RAW_TEST(frames_that_are_none_are_dropped_by_reason)
{
    struct raw_event e;
    CHECK(flue_sim_wire_set(raw->sim, FLUE_SIM_WIRE_RX, "damage@1-3") == FLUE_OK);
    for (unsigned i = 0; i < 8; i++)
        raw_buffer(raw, i, 2048);
    raw_ring(raw, 1);
    for (unsigned i = 0; i < 3; i++)
        send(raw, 100 + i);
    for (unsigned i = 1; i < 14; i++)
        send(raw, i);
    send(raw, 14);
    send(raw, 1515);
    send(raw, 5000);
    send(raw, 1514);
    raw_settle(raw);
    raw_expect(raw, "14 bytes", FLUE_EV_RX_DONE, FLUE_Q_RX, FLUE_ST_OK, 1);
    CHECK(raw_next(raw, &e) && e.status == FLUE_ST_OK && (e.w1 & 0x1FFFF) == 1514, "width %u", raw->width);
    raw_expect_silence(raw, "dropped frames");
    CHECK_EQ(raw_read(raw, FLUE_REG_STAT + 8 * FLUE_STAT_RX_DROP_BAD), 3);
    CHECK_EQ(raw_read(raw, FLUE_REG_STAT + 8 * FLUE_STAT_RX_DROP_RUNT), 13);
    CHECK_EQ(raw_read(raw, FLUE_REG_STAT + 8 * FLUE_STAT_RX_DROP_LONG), 2);
}

/* --- Bus errors ----------------------------------------------------------------------------------------------------------- */

RAW_TEST(a_bus_error_ends_the_request_it_hits_and_no_other)
{
    struct raw_event e;
    uint64_t data = raw->bus + RAW_DATA, buffer = raw->bus + RAW_BUFFER;
    CHECK(flue_sim_memory_error(raw->sim, &(struct flue_sim_memory_error){.nth = 2, .lo = data, .hi = data + LEN}) == FLUE_OK);
    for (unsigned i = 0; i < 3; i++)
        raw_good(raw, LEN);
    raw_ring(raw, 0);
    raw_settle(raw);
    unsigned errors = 0;
    for (unsigned i = 0; i < 3; i++) {
        CHECK(raw_next(raw, &e) && e.kind == FLUE_EV_TX_DONE && e.index == (i + 1) * 2, "width %u: event %u", raw->width, i);
        CHECK(e.status == FLUE_ST_OK || e.status == FLUE_ST_DMA_READ);
        errors += e.status == FLUE_ST_DMA_READ;
    }
    CHECK_EQ(errors, 1);
    CHECK_EQ(raw_frames(raw), 2);

    CHECK(flue_sim_memory_error(raw->sim, &(struct flue_sim_memory_error){.write = true, .lo = buffer, .hi = buffer + 2048}) ==
          FLUE_OK);
    for (unsigned i = 0; i < 3; i++) {
        raw_buffer(raw, i, 2048);
        raw_ring(raw, 1);
        send(raw, 700);
        raw_settle(raw);
        raw_expect(raw, "receive", FLUE_EV_RX_DONE, FLUE_Q_RX, i ? FLUE_ST_OK : FLUE_ST_DMA_WRITE, (uint16_t)(i + 1));
    }
    CHECK_EQ(raw_read(raw, FLUE_REG_STAT + 8 * FLUE_STAT_DMA_READ_ERROR), 1);
    CHECK_EQ(raw_read(raw, FLUE_REG_STAT + 8 * FLUE_STAT_DMA_WRITE_ERROR), 1);
    expect_good(raw, "behind the errors");
}

RAW_TEST(a_bus_error_on_slots_stops_that_queue_or_ends_that_packet)
{
    uint64_t array = raw->bus + RAW_DATA + 0x8000;
    for (unsigned q = 0; q < 2; q++) {
        uint64_t ring = raw->bus + (q ? RAW_RXQ : RAW_TXQ);
        CHECK(flue_sim_memory_error(raw->sim, &(struct flue_sim_memory_error){.lo = ring, .hi = ring + 1024}) == FLUE_OK);
        if (q)
            raw_buffer(raw, 0, 2048);
        else
            raw_good(raw, LEN);
        raw_ring(raw, q);
        expect_stopped(raw, q ? "receive ring" : "transmit ring", q, FLUE_QE_FETCH);
    }
    CHECK(flue_sim_memory_error(raw->sim, &(struct flue_sim_memory_error){.lo = array, .hi = array + 64}) == FLUE_OK);
    raw_slot(raw, 0, raw_packet(LEN), 0, 0, 0);
    raw_slot(raw, 0, raw_link(0), 1, RAW_DATA + 0x8000, 0);
    raw_slot_at(raw, RAW_DATA + 0x8000, raw_frag(0, true), LEN, RAW_DATA, 0);
    expect_refused(raw, "array", FLUE_ST_DMA_READ);
}

/* --- Storms --------------------------------------------------------------------------------------------------------------- */

/* Doorbells far more often than there is work, also with what was told already; nothing is sent twice, nothing is lost. */
RAW_TEST(a_doorbell_storm_changes_nothing)
{
    struct raw_event e;
    unsigned done = 0, put = 0, frames = 0;
    for (unsigned round = 0; round < 3000; round++) {
        if (put < 200 && (uint16_t)(raw->tail[0] - 2u * done) <= RAW_SLOTS - 2 && flue_rng_below(&raw->rng, 4) == 0) {
            raw_good(raw, 60 + put++);
        }
        raw_ring(raw, flue_rng_below(&raw->rng, 8) == 0);
        if (flue_rng_below(&raw->rng, 16) == 0)
            while (raw_next(raw, &e)) {
                CHECK(e.kind == FLUE_EV_TX_DONE && e.status == FLUE_ST_OK && e.index == (done + 1) * 2);
                done++;
            }
    }
    raw_settle(raw);
    while (raw_next(raw, &e))
        done++;
    frames = raw_frames(raw);
    CHECK(put > 30 && done == put && frames == put, "width %u: %u put, %u done, %u frames", raw->width, put, done, frames);
}

/* Random slots in every ring, behind each a good packet: whatever they say, the queue survives or stops with an event. */
RAW_TEST(random_slots_never_hang_the_adapter)
{
    struct raw_event e;
    flue_sim_allow_bad_checksums(raw->sim, true);
    for (unsigned round = 0; round < 60; round++) {
        unsigned n = 1 + flue_rng_below(&raw->rng, 12);
        for (unsigned i = 0; i < n; i++) {
            uint32_t w[4];
            for (unsigned k = 0; k < 4; k++)
                w[k] = (uint32_t)flue_rng_next(&raw->rng);
            unsigned form = flue_rng_below(&raw->rng, 6);
            if (form == 0) {
                w[0] = raw_packet(flue_rng_below(&raw->rng, 2000));
                w[1] = flue_rng_below(&raw->rng, 3) ? 0 : w[1];
                w[2] &= flue_rng_below(&raw->rng, 2) ? 0x3FF001Fu : 0;
                w[3] = 0;
            } else if (form <= 3) {
                w[0] = raw_frag(flue_rng_below(&raw->rng, 3), form == 3);
                w[1] = flue_rng_below(&raw->rng, 1000);
                w[2] %= RAW_BYTES;
                w[3] = 0;
            } else if (form == 4) {
                w[0] = raw_link(0);
                w[1] = flue_rng_below(&raw->rng, 40);
                w[2] = (w[2] % RAW_BYTES) & ~15u;
                w[3] = 0;
            }
            raw_slot(raw, 0, w[0], w[1], w[2], w[3]);
            if (flue_rng_below(&raw->rng, 2) == 0)
                raw_ring(raw, 0);
        }
        raw_ring(raw, 0);
        if (!raw_settle(raw))
            return;
        uint16_t last = 0;
        bool stopped = false;
        while (raw_next(raw, &e)) {
            stopped |= e.kind == FLUE_EV_QUEUE_ERROR;
            last = e.index;
        }
        CHECK(stopped || last == raw->tail[0], "width %u, round %u: completed to %u of %u", raw->width, round, last,
              raw->tail[0]);
        raw_frames(raw);
        if (stopped)
            raw_queue(raw, 0);
        if (round % 10 == 9)
            expect_good(raw, "behind random slots");
    }
}

TEST_MAIN(1)

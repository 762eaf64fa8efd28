/* The whole adapter with its driver in virtual time: frames both ways. */
#include "rig.h"

/* A frame without requests leaves bit-exact (TO-018) and completes; one from the wire is received bit-exact. */
RIG_TEST(one_plain_frame_goes_each_way)
{
    rig_expect_alive(rig);
}

/* Every length around the limit of the build; longer ones are refused (transmit) and dropped (receive). */
RIG_TEST(frames_up_to_the_largest_of_the_build_go_each_way)
{
    static uint8_t frame[16384];
    unsigned max = flue_adapter_identity(rig->adapter)->max_frame_bytes - 4;
    struct flue_config c;
    flue_config_keep(&c);
    c.max_frame_bytes = max;
    CHECK(flue_config_set(rig->adapter, &c) == FLUE_OK);
    for (size_t i = 0; i < sizeof frame; i++)
        frame[i] = (uint8_t)flue_rng_next(&rig->rng);
    frame[12] = 0x88;
    frame[13] = 0xB5;
    for (unsigned len = max - 9; len <= max + 1; len++) {
        bool fits = len <= max;
        rig_forget(rig);
        CHECK(rig_put(rig, frame, len, 5, &(struct flue_tx_packet){0}) == FLUE_OK);
        CHECK(flue_sim_wire_send(rig->sim, frame, len) == FLUE_OK);
        CHECK(rig_settle(rig), "width %u: %s", rig->width, flue_sim_violation(rig->sim));
        struct rig_frame *out = rig_next_out(rig), *in = rig_next_in(rig);
        struct flue_tx_done *done = rig_next_done(rig);
        CHECK(fits ? out && out->len == len && !memcmp(out->data, frame, len) : !out, "width %u, %u bytes out", rig->width,
              len);
        CHECK(fits ? in && in->len == len && !memcmp(in->data, frame, len) : !in, "width %u, %u bytes in", rig->width, len);
        CHECK(done && done->status == (fits ? FLUE_ST_OK : FLUE_ST_TOO_LONG), "width %u, %u bytes", rig->width, len);
    }
    CHECK_EQ(rig_stat(rig, FLUE_STAT_RX_DROP_LONG), 1);
}

/* Section 5: ring indices are free running modulo 2^16; both queues and the events pass it. */
TEST(ring_indices_pass_two_to_the_sixteenth)
{
    enum { FRAMES = 66000 };
    static bool ran;
    if (ran) /* nothing in it is drawn: the second round would be the same */
        return;
    ran = true;
    struct rig *rig = rig_open(&(struct rig_options){.width = 128, .rx_idle = 60});
    uint8_t frame[60] = {[12] = 0x88, [13] = 0xB5};
    struct flue_frag frag[2];
    unsigned n = rig_load(rig, frame, sizeof frame, 1, frag), sent = 0, fed = 0, done = 0, in = 0, handled;
    enum flue_sim_why why;
    while (done < FRAMES || in < FRAMES) {
        while (sent < FRAMES &&
               flue_tx_put(rig->adapter, &(struct flue_tx_packet){
                                             .frags = frag, .frag_count = n, .cookie = (void *)(uintptr_t)sent}) == FLUE_OK)
            sent++;
        for (; fed < FRAMES && flue_sim_wire_waiting(rig->sim) < 16; fed++)
            CHECK(flue_sim_wire_send(rig->sim, frame, sizeof frame) == FLUE_OK);
        if (flue_tx_kick(rig->adapter) || flue_rx_kick(rig->adapter) ||
            flue_sim_run(rig->sim, 1000, FLUE_SIM_UNTIL_IRQ, &why) || flue_poll(rig->adapter, 1000, &handled))
            break;
        for (struct flue_tx_done *d; (d = rig_next_done(rig)) != NULL; done++)
            CHECK(d->status == FLUE_ST_OK && (unsigned)(uintptr_t)d->cookie == done);
        in += rig->ins;
        rig_forget(rig);
        if (why == FLUE_SIM_IDLE && !handled && sent == FRAMES && fed == FRAMES && !flue_sim_wire_waiting(rig->sim))
            break;
    }
    CHECK(done == FRAMES && in == FRAMES, "%u sent, %u received: %s", done, in, flue_sim_violation(rig->sim));
    rig_close(rig);
}

TEST_MAIN(1)

/*
 * How fast the adapter is simulated, and how busy its ports are: full-size frames both ways, smooth bus.  Prints BENCH lines.
 * The test itself asks only for what does not depend on the machine.
 */
#include <time.h>

#include "rig.h"

enum { FRAMES = 4000, FRAME_BYTES = 1514, RX_IDLE = 48 };

static double seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t); /* other programs do not count */
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/* Send and receive FRAMES frames at once; returns simulated cycles a second. */
static double busy_both_ways(unsigned width, double *tx_share, double *rx_share)
{
    struct rig *rig = rig_open(&(struct rig_options){.width = width, .rx_idle = RX_IDLE});
    uint8_t frame[FRAME_BYTES];
    struct flue_frag frag[4];
    struct flue_sim_stats a, b;
    enum flue_sim_why why;
    unsigned sent = 0, fed = 0, handled;
    memset(frame, 0x11, sizeof frame);
    frame[12] = 0x88;
    frame[13] = 0xB5;
    unsigned n = rig_load(rig, frame, sizeof frame, 1, frag);
    flue_sim_stats(rig->sim, &a);
    double t0 = seconds();
    while (rig->dones < FRAMES || rig->ins < FRAMES) {
        while (sent < FRAMES && flue_tx_put(rig->adapter, &(struct flue_tx_packet){.frags = frag, .frag_count = n}) == FLUE_OK)
            sent++;
        for (; fed < FRAMES && flue_sim_wire_waiting(rig->sim) < 8; fed++)
            CHECK(flue_sim_wire_send(rig->sim, frame, sizeof frame) == FLUE_OK);
        if (flue_tx_kick(rig->adapter) || flue_rx_kick(rig->adapter) ||
            flue_sim_run(rig->sim, 2000, FLUE_SIM_UNTIL_IRQ, &why) || flue_poll(rig->adapter, 1000, &handled)) {
            CHECK(false, "width %u: %s", width, flue_sim_violation(rig->sim));
            break;
        }
        if (why == FLUE_SIM_IDLE && sent == FRAMES && fed == FRAMES && !handled)
            break;
    }
    double t1 = seconds();
    flue_sim_stats(rig->sim, &b);
    CHECK_EQ(rig->dones, FRAMES);
    CHECK_EQ(rig->ins, FRAMES);
    double cycles = (double)(b.cycles - a.cycles), beats = FRAMES * (double)((FRAME_BYTES + width / 8 - 1) / (width / 8));
    *tx_share = (double)rig->outs / FRAMES * beats / cycles;
    *rx_share = (double)rig->ins / FRAMES * beats / cycles;
    rig_close(rig);
    return cycles / (t1 - t0);
}

TEST(the_adapter_is_simulated_at_speed_and_its_ports_are_kept_busy)
{
    static const unsigned WIDTHS[] = {32, 64, 128};
    for (unsigned i = 0; i < 3; i++) {
        double tx, rx, rate = busy_both_ways(WIDTHS[i], &tx, &rx);
        printf("BENCH %s %.0f cycles/s W=%u, 1514-byte frames both ways, no waves, monitors on, of processor time\n",
               WIDTHS[i] == 32 ? "sim_cycles_per_s" : "sim_cycles_per_s/wide", rate, WIDTHS[i]);
        printf("BENCH adapter_tx_beats/%u %.3f beats/cycle 1514-byte frames both ways, no bus stalls\n", WIDTHS[i], tx);
        printf("BENCH adapter_rx_beats/%u %.3f beats/cycle 1514-byte frames both ways, no bus stalls\n", WIDTHS[i], rx);
        CHECK(tx > 0.5 && rx > 0.5, "width %u: %.3f of the transmit port, %.3f of the receive port", WIDTHS[i], tx, rx);
    }
}

TEST_MAIN(1)

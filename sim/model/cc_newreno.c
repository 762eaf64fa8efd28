/* NewReno: RFC 5681 section 3.1 with byte counting, L = 1 (TCP-141, TCP-142, TCP-146, TCP-147). */
#include "tcp_internal.h"

#define acked_bytes cc0 /* since cwnd grew last, in congestion avoidance */

void tcp_cc_ack(struct flue_tcp *t, uint32_t acked, uint32_t flight_before)
{
    if (2 * (uint64_t)flight_before < t->cwnd)
        return; /* the application, not the network, limits the flight */
    if (t->cwnd < t->ssthresh) {
        t->cwnd += least(acked, t->mss);
    } else {
        t->acked_bytes += acked;
        if (t->acked_bytes >= t->cwnd) {
            t->acked_bytes -= t->cwnd;
            t->cwnd += t->mss;
        }
    }
    t->cwnd = least(t->cwnd, TCP_CWND_MAX);
}

void tcp_cc_loss(struct flue_tcp *t, uint32_t flight)
{
    t->ssthresh = most(flight / 2, 2 * t->mss);
}

void tcp_cc_timeout(struct flue_tcp *t, uint32_t flight)
{
    t->ssthresh = most(flight / 2, 2 * t->mss);
}

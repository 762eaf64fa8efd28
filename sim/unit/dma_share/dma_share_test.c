/*
 * Users of one write client: every request with its own data, every answer to who asked.
 */
#include "bench.h"

enum { USERS = 3, LEN_BITS = 17 };

static void put(int user, unsigned number, unsigned len)
{
    uint8_t data[512];
    struct bench_bits req = {0};
    for (unsigned i = 0; i < len; i++)
        data[i] = (uint8_t)(number * 7 + i + (unsigned)user * 85);
    bench_bits_set(&req, 0, LEN_BITS, len);
    bench_bits_set(&req, LEN_BITS, 32, number);
    bench_bits_set(&req, LEN_BITS + 32, 8, (unsigned)user);
    bench_send(user, "", 1, false, &req);
    bench_send(8 + user, data, len, false, NULL);
}

/* Take everything: the n-th request goes with the n-th packet. */
static void check_all(unsigned count[USERS])
{
    struct bench_packet req, data;
    unsigned seen[USERS] = {0};
    while (bench_take(0, &req)) {
        unsigned user = (unsigned)bench_bits_get(&req.user, LEN_BITS + 32, 8);
        unsigned number = (unsigned)bench_bits_get(&req.user, LEN_BITS, 32),
                 len = (unsigned)bench_bits_get(&req.user, 0, LEN_BITS);
        CHECK(user < USERS);
        CHECK_EQ(seen[user], number); /* in the user's order */
        seen[user]++;
        CHECK(bench_take(1, &data));
        CHECK_EQ(len, data.len);
        for (unsigned i = 0; i < len; i++)
            CHECK_EQ((uint8_t)(number * 7 + i + user * 85), data.data[i]);
    }
    for (unsigned u = 0; u < USERS; u++) {
        CHECK_EQ(count[u], seen[u]);
        CHECK_EQ(count[u], bench_count((int)u, 0)); /* one answer each */
    }
}

TEST(requests_keep_their_data_and_get_their_answers)
{
    unsigned count[USERS] = {0};
    bench_set(0, 0, 5, bench_random_in(3, 20));
    bench_mode_random();
    for (unsigned n = 0; n < 600; n++) {
        unsigned u = (unsigned)bench_random_in(0, USERS - 1);
        put((int)u, count[u]++, (unsigned)bench_random_in(1, 200));
    }
    bench_drain(400000);
    bench_mode_all(BENCH_FULL, 0, 0);
    bench_drain(20000);
    check_all(count);
}

TEST(users_take_turns)
{
    struct bench_packet req;
    unsigned count[USERS] = {20, 20, 20}, last = 9, same = 0;
    bench_set(0, 0, 5, 3);
    for (unsigned n = 0; n < 20; n++)
        for (int u = 0; u < USERS; u++)
            put(u, n, 16);
    bench_drain(20000);
    CHECK_EQ(60, bench_arrived(0));
    for (unsigned n = 0; n < 60; n++) {
        CHECK(bench_take(0, &req));
        unsigned user = (unsigned)bench_bits_get(&req.user, LEN_BITS + 32, 8);
        same += user == last;
        last = user;
    }
    CHECK_EQ(0, same);
    for (unsigned u = 0; u < USERS; u++)
        CHECK_EQ(count[u], bench_count((int)u, 0));
}

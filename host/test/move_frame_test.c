/* Which frames of the kernel belong to a connection that is in the adapter. */
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include "check.h"
#include "move_internal.h"

enum { HERE_PORT = 51234, THERE_PORT = 443, FRAME_MAX = 128 };

static struct route route4 = {.local = {192, 0, 2, 1}, .remote = {192, 0, 2, 2}};
static struct route route6 = {.ipv6 = true, .local = {0x20, 1, 0xd, 0xb8, [15] = 1}, .remote = {0x20, 1, 0xd, 0xb8, [15] = 2}};

static struct moved connection(struct route *r)
{
    struct moved c = {.route = r, .silent = true};
    if (r->ipv6) {
        *(struct sockaddr_in6 *)&c.state.local = (struct sockaddr_in6){.sin6_family = AF_INET6, .sin6_port = htons(HERE_PORT)};
        *(struct sockaddr_in6 *)&c.state.remote =
            (struct sockaddr_in6){.sin6_family = AF_INET6, .sin6_port = htons(THERE_PORT)};
    } else {
        *(struct sockaddr_in *)&c.state.local = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(HERE_PORT)};
        *(struct sockaddr_in *)&c.state.remote = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(THERE_PORT)};
    }
    return c;
}

/* What the kernel sends on it, with `tags` VLAN tags and `options` bytes of IPv4 options; the length. */
static size_t frame_of(uint8_t *f, const struct route *r, unsigned tags, unsigned options)
{
    size_t at = 12;
    memset(f, 0, FRAME_MAX);
    for (unsigned i = 0; i < tags; i++, at += 4)
        f[at] = 0x81;
    f[at] = r->ipv6 ? 0x86 : 0x08;
    f[at + 1] = r->ipv6 ? 0xDD : 0x00;
    uint8_t *ip = f + at + 2, *tcp = ip + (r->ipv6 ? 40 : 20 + options);
    if (r->ipv6) {
        ip[0] = 0x60;
        ip[6] = IPPROTO_TCP;
        memcpy(ip + 8, r->local, 16);
        memcpy(ip + 24, r->remote, 16);
    } else {
        ip[0] = (uint8_t)(0x40 | (5 + options / 4));
        ip[6] = 0x40; /* do not fragment */
        ip[9] = IPPROTO_TCP;
        memcpy(ip + 12, r->local, 4);
        memcpy(ip + 16, r->remote, 4);
    }
    tcp[0] = HERE_PORT >> 8;
    tcp[1] = HERE_PORT & 0xFF;
    tcp[2] = THERE_PORT >> 8;
    tcp[3] = THERE_PORT & 0xFF;
    return (size_t)(tcp - f) + 20;
}

static bool withheld(struct moved *c, const uint8_t *f, size_t len)
{
    struct flue_mover m = {.moved = c};
    uint8_t *exact = malloc(len + 1); /* the address sanitizer sees a look beyond the end */
    memcpy(exact, f, len);
    bool is = flue_mover_withholds(&m, exact, len);
    free(exact);
    return is;
}

/* HND-004 */
TEST(what_the_kernel_sends_of_a_moved_connection_is_withheld)
{
    uint8_t f[FRAME_MAX];
    for (unsigned ipv6 = 0; ipv6 < 2; ipv6++)
        for (unsigned tags = 0; tags < 3; tags++)
            for (unsigned options = 0; options <= (ipv6 ? 0u : 40u); options += 4) {
                struct route *r = ipv6 ? &route6 : &route4;
                struct moved other = connection(ipv6 ? &route4 : &route6), c = connection(r);
                size_t len = frame_of(f, r, tags, options);
                CHECK(withheld(&c, f, len));
                c.next = &other;
                CHECK(withheld(&c, f, len));
                CHECK(!withheld(&other, f, len));
                for (size_t cut = 0; cut < len - 16; cut++)
                    CHECK(!withheld(&c, f, cut)); /* the ports are not there */
            }
}

/* HND-004: only of those that the kernel has let go, and nothing else of the two hosts. */
TEST(other_frames_of_the_kernel_leave)
{
    uint8_t f[FRAME_MAX];
    for (unsigned ipv6 = 0; ipv6 < 2; ipv6++) {
        struct route *r = ipv6 ? &route6 : &route4;
        struct moved c = connection(r);
        size_t len = frame_of(f, r, 0, 0), tcp = len - 20;
        CHECK(!withheld(NULL, f, len));
        c.silent = false;
        CHECK(!withheld(&c, f, len));
        c.silent = true;
        size_t different[] = {tcp + 1, tcp + 3, ipv6 ? 14 + 23 : 14 + 15, ipv6 ? 14 + 39 : 14 + 19, ipv6 ? 14 + 6 : 14 + 9, 13};
        for (unsigned i = 0; i < sizeof different / sizeof different[0]; i++) {
            f[different[i]] ^= 1;
            CHECK(!withheld(&c, f, len));
            f[different[i]] ^= 1;
        }
        if (!ipv6) {
            f[14 + 7] = 1; /* a later fragment has no ports */
            CHECK(!withheld(&c, f, len));
        }
    }
}

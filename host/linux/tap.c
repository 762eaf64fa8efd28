/*
 * TAP devices: creating, offload mask, address (linux-host.md section 1).
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <linux/ipv6.h>
#include <linux/netlink.h>
#include <net/if.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>
#include "flue/linux.h"

static_assert(FLUE_TUN_CSUM == TUN_F_CSUM && FLUE_TUN_TSO4 == TUN_F_TSO4 && FLUE_TUN_TSO6 == TUN_F_TSO6 &&
                  FLUE_TUN_TSO_ECN == TUN_F_TSO_ECN,
              "the kernel's values");

struct flue_tap {
    int fd;
    int ctl4, ctl6; /* sockets in the interface's namespace, for its settings */
    int netlink;    /* and for its routes and neighbors */
    uint32_t offload;
    char name[IFNAMSIZ];
};

static _Thread_local char error_text[160];

const char *flue_tap_error(void)
{
    return error_text;
}

/* Remember what failed; errno is kept. */
__attribute__((format(printf, 1, 2))) static enum flue_err failed(const char *format, ...)
{
    int keep = errno;
    va_list args;
    va_start(args, format);
    vsnprintf(error_text, sizeof error_text, format, args);
    va_end(args);
    errno = keep;
    return FLUE_EIO;
}

/* Enter a namespace; *back gets a descriptor for leave_netns(), -1 when there was nothing to enter. */
static enum flue_err enter_netns(const char *netns, int *back)
{
    char path[256];
    *back = -1;
    if (netns == NULL)
        return FLUE_OK;
    int len = snprintf(path, sizeof path, "%s%s", strchr(netns, '/') != NULL ? "" : "/run/netns/", netns);
    if (len < 0 || (size_t)len >= sizeof path)
        return FLUE_EARG;
    int there = open(path, O_RDONLY | O_CLOEXEC);
    if (there < 0)
        return failed("open network namespace %s", path);
    *back = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
    if (*back < 0 || setns(there, CLONE_NEWNET) != 0) {
        failed("enter network namespace %s", path);
        if (*back >= 0)
            close(*back);
        close(there);
        *back = -1;
        return FLUE_EIO;
    }
    close(there);
    return FLUE_OK;
}

static enum flue_err leave_netns(int back)
{
    if (back < 0)
        return FLUE_OK;
    int result = setns(back, CLONE_NEWNET);
    close(back);
    return result == 0 ? FLUE_OK : failed("return to the first network namespace");
}

static enum flue_err tap_create(struct flue_tap *tap, const struct flue_tap_params *params)
{
    struct ifreq ifr = {0};
    int header_bytes = FLUE_VNET_BYTES, on = 1;

    tap->fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
    if (tap->fd < 0)
        return failed("open /dev/net/tun");
    ifr.ifr_flags = (short)(IFF_TAP | IFF_NO_PI | (params->vnet_header ? IFF_VNET_HDR : 0));
    memcpy(ifr.ifr_name, params->name, strlen(params->name));
    if (ioctl(tap->fd, TUNSETIFF, &ifr) != 0)
        return failed("TUNSETIFF %s", params->name);
    memcpy(tap->name, ifr.ifr_name, IFNAMSIZ);
    tap->name[IFNAMSIZ - 1] = '\0';
    if (params->vnet_header) {
        if (ioctl(tap->fd, TUNSETVNETHDRSZ, &header_bytes) != 0)
            return failed("TUNSETVNETHDRSZ %s", tap->name);
        if (ioctl(tap->fd, TUNSETVNETLE, &on) != 0)
            return failed("TUNSETVNETLE %s", tap->name);
        enum flue_err err = flue_tap_offload_set(tap, params->offload);
        if (err != FLUE_OK)
            return err;
    }
    tap->ctl4 = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    tap->ctl6 = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0); /* absent without IPv6: only its addresses need it */
    tap->netlink = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
    return tap->ctl4 < 0 || tap->netlink < 0 ? failed("socket for the settings of %s", tap->name) : FLUE_OK;
}

enum flue_err flue_tap_open(const struct flue_tap_params *params, struct flue_tap **out)
{
    enum flue_err err;
    int back;

    if (out == NULL)
        return FLUE_EARG;
    *out = NULL;
    if (params == NULL || params->name == NULL || strlen(params->name) >= IFNAMSIZ ||
        (params->offload != 0 && !params->vnet_header))
        return FLUE_EARG;
    struct flue_tap *tap = calloc(1, sizeof *tap);
    if (tap == NULL)
        return FLUE_ENOMEM;
    tap->fd = tap->ctl4 = tap->ctl6 = tap->netlink = -1;
    err = enter_netns(params->netns, &back);
    if (err == FLUE_OK) {
        err = tap_create(tap, params);
        enum flue_err left = leave_netns(back);
        err = err != FLUE_OK ? err : left;
    }
    if (err != FLUE_OK) {
        int keep = errno;
        flue_tap_close(tap);
        errno = keep;
        return err;
    }
    *out = tap;
    return FLUE_OK;
}

void flue_tap_close(struct flue_tap *tap)
{
    if (tap == NULL)
        return;
    int fds[] = {tap->fd, tap->ctl4, tap->ctl6, tap->netlink};
    for (size_t i = 0; i < sizeof fds / sizeof fds[0]; i++)
        if (fds[i] >= 0)
            close(fds[i]);
    free(tap);
}

int flue_tap_fd(const struct flue_tap *tap)
{
    return tap->fd;
}

int flue_tap_netlink(const struct flue_tap *tap)
{
    return tap->netlink;
}

enum flue_err flue_tap_link_get(const struct flue_tap *tap, struct flue_tap_link *link)
{
    struct ifreq ifr = {0};
    memcpy(ifr.ifr_name, tap->name, IFNAMSIZ);
    if (ioctl(tap->ctl4, SIOCGIFINDEX, &ifr) != 0)
        return failed("index of %s", tap->name);
    link->index = ifr.ifr_ifindex;
    if (ioctl(tap->ctl4, SIOCGIFMTU, &ifr) != 0)
        return failed("MTU of %s", tap->name);
    link->mtu_bytes = (uint32_t)ifr.ifr_mtu;
    if (ioctl(tap->ctl4, SIOCGIFHWADDR, &ifr) != 0)
        return failed("hardware address of %s", tap->name);
    memcpy(link->mac, ifr.ifr_hwaddr.sa_data, sizeof link->mac);
    return FLUE_OK;
}

const char *flue_tap_name(const struct flue_tap *tap)
{
    return tap->name;
}

uint32_t flue_tap_offload(const struct flue_tap *tap)
{
    return tap->offload;
}

enum flue_err flue_tap_offload_set(struct flue_tap *tap, uint32_t offload)
{
    if (ioctl(tap->fd, TUNSETOFFLOAD, (unsigned long)offload) != 0)
        return failed("TUNSETOFFLOAD 0x%x %s", offload, tap->name);
    tap->offload = offload;
    return FLUE_OK;
}

static struct ifreq request_for(const struct flue_tap *tap)
{
    struct ifreq ifr = {0};
    memcpy(ifr.ifr_name, tap->name, IFNAMSIZ);
    return ifr;
}

enum flue_err flue_tap_mtu_set(struct flue_tap *tap, unsigned mtu_bytes)
{
    struct ifreq ifr = request_for(tap);
    ifr.ifr_mtu = (int)mtu_bytes;
    return ioctl(tap->ctl4, SIOCSIFMTU, &ifr) == 0 ? FLUE_OK : failed("set MTU %u of %s", mtu_bytes, tap->name);
}

enum flue_err flue_tap_up(struct flue_tap *tap)
{
    struct ifreq ifr = request_for(tap);
    if (ioctl(tap->ctl4, SIOCGIFFLAGS, &ifr) != 0)
        return failed("flags of %s", tap->name);
    ifr.ifr_flags = (short)(ifr.ifr_flags | IFF_UP);
    return ioctl(tap->ctl4, SIOCSIFFLAGS, &ifr) == 0 ? FLUE_OK : failed("set %s up", tap->name);
}

static enum flue_err address4_add(struct flue_tap *tap, const struct in_addr *address, unsigned prefix)
{
    struct ifreq ifr = request_for(tap);
    struct sockaddr_in sin = {.sin_family = AF_INET, .sin_addr = *address};
    memcpy(&ifr.ifr_addr, &sin, sizeof sin);
    if (ioctl(tap->ctl4, SIOCSIFADDR, &ifr) != 0)
        return failed("add an IPv4 address to %s", tap->name);
    sin.sin_addr.s_addr = prefix == 0 ? 0 : htonl(~0u << (32 - prefix));
    memcpy(&ifr.ifr_netmask, &sin, sizeof sin);
    return ioctl(tap->ctl4, SIOCSIFNETMASK, &ifr) == 0 ? FLUE_OK : failed("set the prefix of %s", tap->name);
}

static enum flue_err address6_add(struct flue_tap *tap, const struct in6_addr *address, unsigned prefix)
{
    struct ifreq ifr = request_for(tap);
    if (tap->ctl6 < 0 || ioctl(tap->ctl4, SIOCGIFINDEX, &ifr) != 0)
        return failed("add an IPv6 address to %s", tap->name);
    struct in6_ifreq add = {.ifr6_addr = *address, .ifr6_prefixlen = prefix, .ifr6_ifindex = ifr.ifr_ifindex};
    return ioctl(tap->ctl6, SIOCSIFADDR, &add) == 0 ? FLUE_OK : failed("add an IPv6 address to %s", tap->name);
}

enum flue_err flue_tap_address_add(struct flue_tap *tap, const char *address)
{
    char text[INET6_ADDRSTRLEN + 8], *end;
    struct in_addr a4;
    struct in6_addr a6;

    if (strlen(address) >= sizeof text)
        return FLUE_EARG;
    strcpy(text, address);
    char *slash = strchr(text, '/');
    if (slash == NULL)
        return FLUE_EARG;
    *slash = '\0';
    unsigned long prefix = strtoul(slash + 1, &end, 10);
    if (end == slash + 1 || *end != '\0')
        return FLUE_EARG;
    if (inet_pton(AF_INET, text, &a4) == 1)
        return prefix <= 32 ? address4_add(tap, &a4, (unsigned)prefix) : FLUE_EARG;
    if (inet_pton(AF_INET6, text, &a6) == 1)
        return prefix <= 128 ? address6_add(tap, &a6, (unsigned)prefix) : FLUE_EARG;
    return FLUE_EARG;
}

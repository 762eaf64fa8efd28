/*
 * What creating an interface needs: CAP_NET_ADMIN over the network namespace, and access to /dev/net/tun.  An ordinary user
 * gets the first in a user and network namespace of its own (linux-host.md 1.1, step 2).
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "flued.h"

static bool file_write(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    ssize_t n = write(fd, text, strlen(text));
    close(fd);
    return n == (ssize_t)strlen(text);
}

static bool own_namespaces(void)
{
    char map[64];
    unsigned uid = geteuid(), gid = getegid();

    if (unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0) {
        log_line(LOG_ERROR, "not root, and an own user and network namespace is refused: %s", strerror(errno));
        return false;
    }
    snprintf(map, sizeof map, "0 %u 1", uid);
    if (!file_write("/proc/self/uid_map", map) || !file_write("/proc/self/setgroups", "deny")) {
        log_line(LOG_ERROR, "not root, and the own user namespace cannot be mapped: %s", strerror(errno));
        return false;
    }
    snprintf(map, sizeof map, "0 %u 1", gid);
    (void)!file_write("/proc/self/gid_map", map);
    return true;
}

bool privileges_get(const struct options *o)
{
    if (access("/dev/net/tun", F_OK) != 0) {
        log_line(LOG_ERROR, "/dev/net/tun does not exist: load the tun module, or give the container that device");
        return false;
    }
    if (access("/dev/net/tun", R_OK | W_OK) != 0) {
        log_line(LOG_ERROR, "/dev/net/tun may not be opened by user %u: run as root, or chmod 666 /dev/net/tun", geteuid());
        return false;
    }
    if (geteuid() == 0)
        return true;
    if (o->host.netns != NULL || o->wire.netns != NULL) {
        log_line(LOG_ERROR, "entering a named network namespace needs root");
        return false;
    }
    if (!own_namespaces())
        return false;
    log_line(LOG_INFO, "not root: both interfaces are in an own network namespace; enter it with nsenter -t %d -U -n",
             getpid());
    return true;
}

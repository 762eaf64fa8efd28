/*
 * What a device holds of offloaded state, read from the device itself (commands LIST and QUERY): for a person, and for whoever
 * has no contexts.
 */
#ifndef FLUE_NDIS_OBJECTS_H
#define FLUE_NDIS_OBJECTS_H

#include "flue/admin.h"
#include "flue/ndis/tree.h"

#ifdef __cplusplus
extern "C" {
#endif

struct flue_object {
    enum flue_tree_layer layer;
    uint32_t handle, parent; /* the device's; parent 0 for a neighbor */
    uint64_t host_handle;    /* NdisOffloadHandle */
    uint32_t dependents;
    enum flue_row_state state;
    bool ipv6, invalidated, corrupt;
    bool key;                             /* the rest was read; false for what is corrupt, or not loaded */
    uint8_t source_mac[6], target_mac[6]; /* of a neighbor */
    uint16_t vlan_id;                     /* likewise; 0: none */
    uint8_t local[16], remote[16];        /* addresses of a path; IPv4: the first four bytes */
    uint16_t local_port, remote_port;     /* of a connection */
};

/*
 * Call each with every object, neighbors first, then paths, then connections.  Commands wait for one another: not from a
 * handler.
 *
 * Returns FLUE_EDEVICE  the answer cannot be true, or a command was refused
 *         others        from flue_admin_call()
 */
typedef void flue_object_each(void *ctx, const struct flue_object *object);
FLUE_MUST_CHECK enum flue_err flue_objects_list(struct flue_admin *admin, flue_object_each *each, void *ctx);

#ifdef __cplusplus
}
#endif
#endif

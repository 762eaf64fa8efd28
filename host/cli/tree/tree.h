/* `flue tree`: a script of state trees, and the device it runs on. */
#ifndef FLUE_CLI_TREE_H
#define FLUE_CLI_TREE_H

#include <cjson/cJSON.h>
#include <stdio.h>
#include "flue/admin.h"
#include "flue/ndis/offload.h"
#include "flue/ndis/target.h"
#include "flue/ndis/tree.h"
#include "tree_text.h"

/* ---- device ------------------------------------------------------------------------------------------------------ */

struct tree_device;

enum tree_device_kind { TREE_DEVICE_MODEL, TREE_DEVICE_RTL };

struct tree_device_params {
    enum tree_device_kind kind;
    const char *model_dir; /* of the RTL; null: the usual places */
    unsigned width;        /* of the RTL */
    FILE *dump;            /* every buffer before and after its operation; null: none */
};

/* Open a device with its firmware running, nothing offloaded, connection offload on.  Null: *wrong says why. */
struct tree_device *tree_device_open(const struct tree_device_params *params, const char **wrong);
void tree_device_close(struct tree_device *device);

/* Run one operation to its completion; *done is the answer to its command (status NDIS_STATUS_FAILURE when none was sent). */
enum flue_err tree_device_operate(struct tree_device *device, enum flue_tree_op op, NDIS_MINIPORT_OFFLOAD_BLOCK_LIST *root,
                                  struct flue_admin_done *done);

/* The device's handle behind a context; 0 when it is none. */
uint32_t tree_device_handle(const struct tree_device *device, const void *context);

/* A command with a small buffer, such as SET_CONFIG. */
enum flue_err tree_device_call(struct tree_device *device, enum flue_admin_opcode opcode, uint32_t arg, void *data,
                               size_t bytes, struct flue_admin_done *done);

/*
 * Let adapter time pass to the next full tenth of a second, and then by us.  Two devices that do the same work between
 * these calls see the same ticks, however long each takes for it.
 */
enum flue_err tree_device_wait(struct tree_device *device, uint64_t us);

/* Why a call failed. */
const char *tree_device_fault(const struct tree_device *device, enum flue_err err);

/* ---- values ------------------------------------------------------------------------------------------------------ */

/* Fill the state structures behind a node.  Addresses of a path are borrowed from values. */
void tree_values_store(NDIS_MINIPORT_OFFLOAD_BLOCK_LIST *node, unsigned classes, const struct flue_text_values *values);

/* Read them back; what is not there stays as it was. */
void tree_values_load(const NDIS_MINIPORT_OFFLOAD_BLOCK_LIST *node, unsigned classes, enum flue_tree_op op,
                      struct flue_text_values *values);

/* Classes of state behind a node of a script. */
unsigned tree_item_classes(enum flue_tree_op op, const struct flue_text_item *item);

/* ---- run --------------------------------------------------------------------------------------------------------- */

/*
 * Run a script, print what becomes of it (or collect it in `steps`, when not null).  Expectations that do not hold are
 * counted in *unmet and printed on stderr as FILE:LINE.  The device is closed.
 *
 * Returns an error of the device, which was printed.
 */
enum flue_err tree_run(struct tree_device *device, const struct flue_text_script *script, const char *file, cJSON *steps,
                       unsigned *unmet);

#endif

/* What the parts of a run share. */
#ifndef FLUE_CLI_TREE_RUN_H
#define FLUE_CLI_TREE_RUN_H

#include "tree.h"

/* An object of the script as it stands now. */
struct held {
    void *context; /* as the target gave it; kept when the object is gone, to try it */
    bool alive;
    int parent; /* object, or FLUE_TEXT_OBJECT_NO */
    bool has_status;
    NDIS_STATUS status;
    enum flue_admin_detail detail;
    struct flue_text_values values;
};

/* A node of the operation under way. */
struct node {
    struct flue_text_item item;
    NDIS_MINIPORT_OFFLOAD_BLOCK_LIST *list;
    void *cell;
    uint32_t handle; /* the device's, as it was before the operation */
    unsigned classes;
};

/* Data of a connection at hand-over, freed at the end of the run. */
struct data {
    struct data *next;
    NET_BUFFER_LIST list;
    NET_BUFFER buffer;
    MDL piece;
    uint8_t bytes[];
};

struct run {
    struct tree_device *device;
    const struct flue_text_script *script;
    const char *file;
    cJSON *steps; /* null: print */
    struct held *held;
    struct data *data;
    struct node *nodes;
    size_t node_count;
    struct flue_admin_done done; /* of the last operation or setting */
    bool has_done;
    unsigned unmet;
};

/* ---- tree_report.c ------------------------------------------------------------------------------------------------- */

/* Begin the report of a step, add the answer to its command, and give it to the list or the terminal (it is freed). */
cJSON *tree_step_begin(const struct flue_text_step *step, const char *name);
void tree_done_add(cJSON *to, const struct flue_admin_done *done);
void tree_report(struct run *run, cJSON *step);

/* What became of a node. */
cJSON *tree_node_report(const struct run *run, enum flue_tree_op op, const struct node *n);

/* The statement `list`. */
enum flue_err tree_list_run(struct run *run, const struct flue_text_step *step);

/* ---- tree_setting.c ------------------------------------------------------------------------------------------------ */

/* A statement that changes a configuration record. */
enum flue_err tree_setting_run(struct run *run, const struct flue_text_step *step);

#endif

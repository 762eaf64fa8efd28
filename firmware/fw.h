/*
 * What the files of the firmware share.  One struct holds everything that is kept; nothing in it grows with the tables.
 * On the processor there is one of it; in the host build each instance has its own and fw_now points at the one that runs.
 */
#ifndef FLUE_FW_H
#define FLUE_FW_H

#include "flue/control.h"
#include "flue/ndis/status.h"
#include "flue/regs.h"
#include "hw.h"

#define FIELD(word, name)     (((word)&name##_MASK) >> name##_SHIFT)
#define IN_FIELD(value, name) ((uint32_t)(value) << name##_SHIFT)

/* Causes of hw_trap(), from FLUE_TRAP_ASSERT on. */
enum fw_trap {
    FW_TRAP_INDEX = 17, /* no seed fits the index: rows and slots disagree */
    FW_TRAP_CHAIN = 18, /* the free list and the number of used rows disagree */
};

/* Words of the rows. */
enum {
    W_STATE,
    W_LINK,
    W_HOST,
    W_TICKS = 4,
    W_N_CONST = 5,
    W_N_DEST = 7,
    W_N_HRT = 9,
    W_N_NRT,
    W_P_MTU = 5,
    W_P_KEY,
    W_P_SOURCE,
    W_C_PATH = 5,
    W_C_PORTS,
    W_C_DIVERT,
    W_C_CONST,
    W_C_CACHED = 12,
    W_C_DELEGATED = 21,
};

/* Layers; also the table that holds the rows. */
enum { NEIGHBOR = FLUE_TBL_NEIGHBOR, PATH = FLUE_TBL_PATH, TCP = FLUE_TBL_CONNECTION };

enum { STATE_CONST = 1, STATE_CACHED = 2, STATE_DELEGATED = 4, STATE_FULL = 7 };

#define NO_ROW       0xFFFFu
#define WINDOW_WORDS 96u
#define STATE_WORDS  35u /* wire_tcp_const, _cached, _delegated */

/* Notices that wait in word 0 of a row. */
#define PENDING_ERROR  (1u << FLUE_ROW_HEAD_PENDING_SHIFT)
#define PENDING_UPLOAD (2u << FLUE_ROW_HEAD_PENDING_SHIFT)
#define PENDING_ABORT  (4u << FLUE_ROW_HEAD_PENDING_SHIFT)

/* Configuration, kept here and in table SYSTEM. */
struct fw_config {
    struct flue_cfg_connection connection;
    struct flue_cfg_switches switches;
    struct flue_cfg_limits limits;
    struct flue_cfg_vlans vlans;
};
#define CONFIG_WORDS (sizeof(struct fw_config) / 4)

/* Words of table SYSTEM. */
enum {
    SYS_MAGIC,
    SYS_RESEEDS,
    SYS_CONFIG = 8,
    SYS_STATS = 64, /* TCP4, TCP6, IP4, IP6 */
    SYS_STATS_END = SYS_STATS + 2 * sizeof(struct flue_stats_tcp) / 4 + 2 * sizeof(struct flue_stats_ip) / 4,
};
#define SYS_MARK 0x464C5531u

/* A node whose subtree is being walked. */
struct fw_level {
    uint32_t node; /* its number */
    uint32_t handle;
    uint32_t row;
    uint32_t word0;  /* of its row, when it was taken */
    uint32_t status; /* when `failed` */
    uint8_t layer;   /* 0: placeholder */
    uint8_t least;   /* lowest layer it can be */
    uint8_t kids;    /* layer of its children, 0 not known yet */
    uint8_t kind;
    uint8_t detail;
    bool closed;     /* its descendants are not attempted */
    bool some, lack; /* a child was taken; one was not */
};

struct firmware {
    /* tables */
    uint32_t size[4], free[4], fresh[4], used[4];
    uint32_t established[2], sending, buffering; /* connections: open by version, with send data, with receive data */
    uint32_t distinct[3];                        /* source MACs, VLANs, local addresses; true while limited */
    uint32_t loose_error[4];                     /* errors of free rows and of table SYSTEM, to be told */
    bool notices;                                /* some row has one pending */
    bool recount;                                /* a corrupt row was freed: the numbers are to be counted again */

    /* time */
    uint64_t tick_base_us;
    uint32_t ticks;
    uint32_t tick_us;

    /* queue */
    uint8_t queue; /* see admin.c */
    bool draining;
    uint16_t heartbeat;
    uint16_t head, tail; /* of submissions, of completions */
    struct hw_ring asq, acq;
    struct flue_sqe sqe;
    uint32_t result;
    uint32_t refusal; /* status that goes with LIMIT */

    /* tree */
    uint32_t region, buffer, bytes, nodes;
    uint32_t window_at, window_bytes;
    uint32_t dirty_from, dirty_to; /* part of the window to be written back */
    uint32_t state_end;
    uint8_t roots; /* layer of the roots, 0 not known yet */
    uint32_t window[WINDOW_WORDS];
    uint32_t state[STATE_WORDS];
    struct fw_level level[3];

    struct fw_config config;
};

#ifdef __riscv
extern struct firmware fw;
#else
extern _Thread_local struct firmware *fw_now;
#define fw (*fw_now)
#endif

typedef enum flue_admin_detail detail_t;

/* main.c */
void fw_start(void);
void fw_serve(uint32_t events); /* until there is nothing to do */
uint32_t fw_image_bytes(void);
uint32_t fw_stack_bytes(void);

/* admin.c */
void admin_ring(void); /* look at the ring registers again */
bool admin_next(void); /* one command; false: nothing to do or no room */
void admin_notices(void);
void admin_ready(void);                    /* write register status */
detail_t admin_refuse(NDIS_STATUS status); /* LIMIT with this status */

/* tree.c */
enum { OPS_INITIATE, OPS_QUERY, OPS_UPDATE, OPS_INVALIDATE, OPS_TERMINATE };
detail_t tree_walk(unsigned op);

/* object.c */
void object_start(bool cold);
detail_t object_find(uint32_t handle, uint32_t layer, bool corrupt_too, uint32_t *row, uint32_t *word0);
detail_t object_take(uint32_t layer, uint32_t limit, NDIS_STATUS none, uint32_t *row, uint32_t *generation);
void object_guard(uint32_t layer, uint32_t row, uint32_t generation, uint32_t parent);
detail_t object_index(enum flue_table_op insert, uint32_t row);
void object_unindex(enum flue_table_op delete, uint32_t row);
void object_free(uint32_t layer, uint32_t row);
uint32_t object_link(uint32_t layer, uint32_t row);
void object_refer(uint32_t layer, uint32_t row, int32_t by);
bool object_errors(void); /* true: there were some */
uint32_t object_handle(uint32_t layer, uint32_t row, uint32_t word0);
void object_distinct(void);
void object_count(void);
static inline uint32_t row_state(uint32_t word0)
{
    return FIELD(word0, FLUE_ROW_HEAD_STATE);
}

/* neighbor.c, path.c, connection.c: state in, out of fw.state; `host` is the host's handle */
detail_t neighbor_take(const uint32_t *state, const uint32_t *host, struct fw_level *out);
detail_t neighbor_query(uint32_t row, unsigned classes, uint32_t *state);
detail_t neighbor_update(uint32_t row, const uint32_t *state);
void neighbor_free(uint32_t row);
bool neighbor_seen(uint32_t row, unsigned what, const uint32_t *value, uint32_t end);
detail_t path_take(const uint32_t *state, bool ipv6, const uint32_t *host, const struct fw_level *neighbor,
                   struct fw_level *out);
detail_t path_query(uint32_t row, unsigned classes, uint32_t *state);
detail_t path_update(uint32_t row, const uint32_t *state);
detail_t path_relink(uint32_t row, const struct fw_level *neighbor);
void path_free(uint32_t row);
bool path_seen(uint32_t row, uint32_t end);
detail_t connection_take(const uint32_t *state, const uint32_t *host, const struct fw_level *path, uint32_t held,
                         bool load_only, struct fw_level *out);
detail_t connection_query(uint32_t row, unsigned classes, bool residue, uint32_t *state);
detail_t connection_update(uint32_t row, const uint32_t *state);
void connection_free(uint32_t row);
void connection_gone(uint32_t row); /* its state was returned: out of the numbers */
detail_t connection_hold(void);
detail_t connection_start(void);
detail_t connection_release(void);
detail_t connection_abort(void);
detail_t connection_forward(void);

/* config.c */
void config_start(bool cold);
void config_mend(uint32_t word);
detail_t config_set(void);
detail_t config_get(void);
bool config_open(bool ipv6); /* connection offload of this version is on */
uint32_t config_limit(uint32_t value, uint32_t most);
#define MAX_RCV_WND  (65535u << 14)
#define MAX_PATH_MTU 65535u

/* stats.c */
detail_t stats_get(void);
detail_t stats_reset(void);

/* time.c */
void time_start(void);
uint32_t time_ticks(void);

#endif

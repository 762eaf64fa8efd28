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
    W_C_RINGS = 43,
    W_C_TRIES,
    W_C_REASON,
};

/* Layers; also the table that holds the rows. */
enum { NEIGHBOR = FLUE_TBL_NEIGHBOR, PATH = FLUE_TBL_PATH, TCP = FLUE_TBL_CONNECTION };

enum { STATE_CONST = 1, STATE_CACHED = 2, STATE_DELEGATED = 4, STATE_FULL = 7 };

#define NO_ROW       0xFFFFu
#define WINDOW_WORDS 96u
#define ENGINE_WORDS (sizeof(struct flue_tcp_words) / 4)
#define STATE_WORDS  35u /* wire_tcp_const, _cached, _delegated */

/* Notices that wait in word 0 of a row. */
#define PENDING_ERROR  (1u << FLUE_ROW_HEAD_PENDING_SHIFT)
#define PENDING_UPLOAD (2u << FLUE_ROW_HEAD_PENDING_SHIFT)
#define PENDING_ABORT  (4u << FLUE_ROW_HEAD_PENDING_SHIFT)

enum { UPLOAD_URGENT_DATA = 5, UPLOAD_HARDWARE_FAILURE = 11 }; /* TCP_UPLOAD_REASON */

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
    SYS_ENGINE, /* there is one */
    SYS_CONFIG = 8,
    SYS_STATS = 64, /* TCP4, TCP6, IP4, IP6 */
    SYS_STATS_END = SYS_STATS + 2 * sizeof(struct flue_stats_tcp) / 4 + 2 * sizeof(struct flue_stats_ip) / 4,
};
#define SYS_MARK 0x464C5531u

/* A node whose subtree is being walked; eight words, for it is found by its depth. */
struct fw_level {
    uint32_t *out;  /* its answer in the window: handle, status, detail; null: the window went on, see fw_away */
    uint32_t row;   /* of its object */
    uint32_t word0; /* of its row, when it was taken */
    uint32_t layer; /* 0: placeholder */
    uint32_t flags; /* LEVEL_* */
    uint32_t kids;  /* layers its children may have, one bit each; of a placeholder those it has room for 8 bits above */
    uint32_t spare[2];
};
enum {
    LEVEL_KIND = 3,     /* as in the node */
    LEVEL_FAILED = 4,   /* its answer is written */
    LEVEL_CLOSED = 8,   /* its descendants are not attempted */
    LEVEL_SOME = 16,    /* a child was taken */
    LEVEL_LACK = 32,    /* one was not */
    LEVEL_RELEASE = 64, /* to be freed when its descendants are done */
};

/* The answer of a node that the window left behind. */
struct fw_away {
    uint32_t at; /* in the buffer */
    uint32_t word[3];
};

struct firmware {
    /* tables */
    uint32_t size[4], free[4], fresh[4], used[4];
    uint32_t most[4];                            /* rows that may be used: the size or a lower limit */
    uint32_t established[2], sending, buffering; /* connections: open by version, with send data, with receive data */
    uint32_t distinct[3];                        /* source MACs, VLANs, local addresses; true while limited */
    uint32_t loose_error[4];                     /* errors of free rows and of table SYSTEM, to be told */
    bool notices;                                /* some row has one pending */
    bool recount;                                /* a corrupt row was freed: the numbers are to be counted again */
    bool engine;                                 /* there is a TCP engine */
    uint32_t leaving; /* row of a connection whose entry is being deleted (hw_table_end), plus 1; free after that */

    /* time */
    uint32_t tick_base, tick_base_hi; /* when the present tick began, us */
    uint32_t ticks;
    uint32_t tick_us;

    /* queue */
    uint8_t queue; /* see admin.c */
    bool draining;
    uint16_t heartbeat;
    uint16_t head, tail; /* of submissions, of completions */
    struct hw_ring asq, acq;
    uint32_t asq_slots, acq_slots;
    struct flue_sqe sqe;
    struct flue_cqe cqe;
    uint32_t result;
    uint32_t refusal; /* status that goes with LIMIT */

    /* tree */
    uint32_t nodes;
    uint32_t window_at, window_bytes; /* the window: what part of the buffer */
    uint32_t *first;                  /* node of the window, when it has moved (window_at) */
    uint32_t state_end;
    uint32_t window[WINDOW_WORDS];
    uint32_t state[STATE_WORDS];
    struct fw_level level[4]; /* 0: above the roots */
    struct fw_away away[4];

    struct fw_config config;
    uint32_t rcv_wnd_most; /* limit of InitialRcvWnd */
    bool shut[2];          /* connection offload of IPv4, IPv6 is off */
};

#ifdef __riscv
extern struct firmware fw;
#else
extern _Thread_local struct firmware *fw_now;
#define fw (*fw_now)
#endif

typedef enum flue_admin_detail detail_t;

/* The way of a command that goes well is straight; what is rare is kept out of it. */
#define RARE(condition) __builtin_expect(!!(condition), 0)
#define COLD            __attribute__((noinline, cold))
#define INLINE          static inline __attribute__((always_inline))

/* A detail that is not NONE: the compiler knows then that what goes with NONE is there. */
INLINE detail_t refused(detail_t detail)
{
    if (detail == FLUE_AD_NONE)
        __builtin_unreachable();
    return detail;
}

/* Halves and bytes of a word in memory, little end first: on the processor one load, where shifting takes longer. */
INLINE uint32_t half_of(const uint32_t *word, unsigned half)
{
    uint16_t value;
    __builtin_memcpy(&value, (const char *)word + 2 * half, 2);
    return value;
}

INLINE uint32_t byte_of(const uint32_t *word, unsigned byte)
{
    return ((const uint8_t *)word)[byte];
}

/* main.c */
void fw_start(void);
void fw_serve(uint32_t events); /* until there is nothing to do */
uint32_t fw_image_bytes(void);
uint32_t fw_stack_bytes(void);

/* admin.c */
void admin_ring(void);          /* look at the ring registers again */
bool admin_next(bool doorbell); /* one command; false: nothing to do or no room */
void admin_notices(void);
void admin_ready(void);                    /* write register status */
detail_t admin_refuse(NDIS_STATUS status); /* LIMIT with this status */

/* tree.c */
enum { OPS_INITIATE = 1, OPS_QUERY = 2, OPS_UPDATE = 4, OPS_INVALIDATE = 8, OPS_TERMINATE = 16 };
bool tree_fetch(void); /* ask for the header and what follows it; false: too short */
detail_t tree_walk(unsigned op, bool *flushing);

/* engine.c */
void engine_start(bool cold);
bool engine_has(uint32_t row);
detail_t engine_rings(uint32_t row);
void engine_hold(uint32_t row, uint32_t generation);
void engine_release(uint32_t row, uint32_t generation);
detail_t engine_load(uint32_t row, uint32_t generation, const uint32_t *state, uint32_t path, bool ipv6);
bool engine_settled(uint32_t row, uint32_t *newest);
bool engine_passed(uint32_t row, uint32_t *newest);
void engine_run(uint32_t row);
void engine_abort(uint32_t row);
void engine_query(uint32_t row, uint32_t *delegated);
bool engine_freeze(uint32_t row, uint32_t *delegated);
void engine_forget(uint32_t row);
void engine_notes(void);

/* object.c */
void object_start(bool cold);
detail_t object_find(uint32_t handle, uint32_t layer, bool corrupt_too, uint32_t *row, uint32_t *word0);
detail_t object_take(uint32_t layer, NDIS_STATUS none, uint32_t *row, uint32_t *generation);
void object_guard(uint32_t layer, uint32_t row, uint32_t generation, uint32_t parent);
void object_blind(uint32_t layer, uint32_t row); /* a key that nothing has; its entry was deleted */
uint32_t object_chained(uint32_t layer);         /* the free list made anew; its first row */
detail_t object_index(enum flue_table_op insert, uint32_t row);
void object_unindex(enum flue_table_op delete, uint32_t row);
detail_t object_reindex(enum flue_table_op insert, uint32_t row, enum flue_table_result first);
void object_free(uint32_t layer, uint32_t row);
bool object_take_errors(void);
void object_left(void); /* the row that is leaving, if there is one, becomes free */
void object_distinct(void);
void object_count(void);
INLINE uint32_t row_state(uint32_t word0)
{
    return FIELD(word0, FLUE_ROW_HEAD_STATE);
}

INLINE uint32_t object_handle(uint32_t layer, uint32_t row, uint32_t word0)
{
    return IN_FIELD(layer, FLUE_HANDLE_KIND) | (word0 & FLUE_ROW_HEAD_GENERATION_MASK) | row;
}

/* Take what the tables report; true: there was something, and rows may have changed. */
INLINE bool object_errors(void)
{
    return RARE(hw_events() & FLUE_MMIO_TABLE_ERROR_MASK) && object_take_errors();
}

/* Parent and number of dependents, mended when the word was bad. */
INLINE uint32_t object_link(uint32_t layer, uint32_t row)
{
    uint32_t link = hw_row_get((enum flue_table)layer, row, W_LINK);
    return object_errors() ? hw_row_get((enum flue_table)layer, row, W_LINK) : link;
}

/* One dependent more (before the row is in use), or less (while it is): a count made anew meanwhile is then right too. */
INLINE void object_refer(uint32_t layer, uint32_t row, int32_t by)
{
    hw_row_put((enum flue_table)layer, row, W_LINK, object_link(layer, row) + ((uint32_t)by << FLUE_ROW_HEAD_REFS_SHIFT));
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
detail_t connection_take(const uint32_t *state, const uint32_t *host, const struct fw_level *path, uint32_t *handle);
detail_t connection_query(uint32_t row, unsigned classes, uint32_t *state);
detail_t connection_update(uint32_t row, const uint32_t *state);
detail_t connection_leave(uint32_t row, uint32_t word0, uint32_t offset, bool wanted);
void connection_free(uint32_t row);
detail_t connection_hold(void);
detail_t connection_start(void);
detail_t connection_release(void);
detail_t connection_abort(void);
detail_t connection_forward(void);
detail_t connection_rings(void);

/* config.c */
void config_start(bool cold);
void config_mend(uint32_t word);
detail_t config_set(void);
detail_t config_get(void);
INLINE bool config_open(bool ipv6) /* connection offload of this version is on */
{
    return !(ipv6 ? fw.shut[1] : fw.shut[0]);
}
uint32_t config_limit(uint32_t value, uint32_t most);
void config_apply(void); /* what follows from it */
#define MAX_RCV_WND  (65535u << 14)
#define MAX_PATH_MTU 65535u

/* stats.c */
detail_t stats_get(void);
detail_t stats_reset(void);

/* time.c */
void time_start(void);
uint32_t time_advance(uint64_t now_us);

/* The present tick. */
INLINE uint32_t time_ticks(void)
{
    uint64_t now_us = hw_time_us();
    uint32_t past = (uint32_t)now_us - fw.tick_base;
    if (RARE(now_us >> 32 != fw.tick_base_hi) || RARE(past >= 2 * fw.tick_us))
        return time_advance(now_us);
    if (past >= fw.tick_us) {
        fw.tick_base += fw.tick_us;
        fw.ticks++;
    }
    return fw.ticks;
}

#endif

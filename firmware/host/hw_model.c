/*
 * hw.h over the model: each call acts on the instance that runs.
 */
#include "host.h"
#include "../fw.h"
#include "tables.h"

#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

_Thread_local struct firmware *fw_now;

/* A copy that was begun; local null: none. */
struct engine {
    void *local;
    uint32_t region, offset, bytes;
    bool to_host, of_row;
    enum flue_table table;
    uint32_t row, word;
};

struct fw_host {
    struct firmware state;
    struct tables tables;
    struct fw_host_ops ops;
    struct hw_ring asq, acq;
    uint32_t seed[4];
    uint32_t events, levels, status, trap;
    uint16_t asq_head, acq_tail;
    bool cold, started, stopped, asleep;
    struct engine engine;
    bool commanded; /* a table command was begun */
    enum flue_table_result result;
    uint32_t found;
    uint64_t calls, stop_at;
    jmp_buf out;
};

static _Thread_local struct fw_host *now;

static struct fw_host *call(void)
{
    now->calls++;
    if (now->stop_at && now->calls >= now->stop_at) {
        now->stop_at = 0;
        now->stopped = true;
        longjmp(now->out, 1);
    }
    return now;
}

/* ---- hw.h ---- */

uint64_t hw_time_us(void)
{
    struct fw_host *h = call();
    return h->ops.time_us ? h->ops.time_us(h->ops.ctx) : 0;
}

static uint32_t events(const struct fw_host *h)
{
    return h->events | h->levels | (h->tables.errors ? FLUE_MMIO_TABLE_ERROR_MASK : 0);
}

uint32_t hw_events(void)
{
    return events(call());
}

void hw_event_clear(uint32_t which)
{
    call()->events &= ~which;
}

uint32_t hw_sleep(void)
{
    return events(call());
}

void hw_deadline(uint64_t time_us)
{
    (void)time_us;
    (void)call();
}

void hw_status(uint32_t word)
{
    call()->status = word;
}

uint32_t hw_boot(void)
{
    return call()->cold ? FLUE_MMIO_COLD_MASK : 0;
}

void hw_seed(uint32_t seed[4])
{
    memcpy(seed, call()->seed, sizeof now->seed);
}

void hw_table_sizes(uint32_t *connections, uint32_t *paths, uint32_t *neighbors)
{
    struct fw_host *h = call();
    *connections = h->tables.rows[FLUE_TBL_CONNECTION];
    *paths = h->tables.rows[FLUE_TBL_PATH];
    *neighbors = h->tables.rows[FLUE_TBL_NEIGHBOR];
}

struct hw_ring hw_asq(void)
{
    return call()->asq;
}

struct hw_ring hw_acq(void)
{
    return call()->acq;
}

uint32_t hw_asq_base(void)
{
    return call()->asq.base;
}

uint32_t hw_asq_cfg(void)
{
    return call()->asq.cfg;
}

uint32_t hw_acq_base(void)
{
    return call()->acq.base;
}

uint32_t hw_acq_cfg(void)
{
    return call()->acq.cfg;
}

uint32_t hw_asq_tail(void)
{
    return call()->asq.index;
}

uint32_t hw_acq_head(void)
{
    return call()->acq.index;
}

void hw_asq_head(uint32_t index)
{
    struct fw_host *h = call();
    h->asq_head = (uint16_t)index;
    if (h->ops.asq_head)
        h->ops.asq_head(h->ops.ctx, (uint16_t)index);
}

void hw_acq_tail(uint32_t index)
{
    struct fw_host *h = call();
    h->acq_tail = (uint16_t)index;
    if (h->ops.acq_tail)
        h->ops.acq_tail(h->ops.ctx, (uint16_t)index);
}

/* What was begun happens at its end: who touches the data before is found out. */
static void begin(const struct engine *wanted)
{
    struct fw_host *h = call();
    if (h->engine.local || (wanted->offset | wanted->bytes | (uint32_t)(uintptr_t)wanted->local) & 3 || wanted->bytes < 4 ||
        wanted->bytes > 4096)
        abort(); /* hw.h: the caller checks */
    h->engine = *wanted;
}

void hw_dma_begin_read(uint32_t region, uint32_t offset, void *local, uint32_t bytes)
{
    begin(&(struct engine){.local = local, .region = region, .offset = offset, .bytes = bytes});
}

void hw_dma_begin_write(uint32_t region, uint32_t offset, const void *local, uint32_t bytes)
{
    begin(&(struct engine){
        .local = (void *)(uintptr_t)local, .region = region, .offset = offset, .bytes = bytes, .to_host = true});
}

void hw_row_begin_get(enum flue_table table, uint32_t row, uint32_t word, uint32_t *local, uint32_t words)
{
    begin(&(struct engine){.local = local, .bytes = words * 4, .of_row = true, .table = table, .row = row, .word = word});
}

void hw_row_begin_put(enum flue_table table, uint32_t row, uint32_t word, const uint32_t *local, uint32_t words)
{
    begin(&(struct engine){.local = (void *)(uintptr_t)local,
                           .bytes = words * 4,
                           .to_host = true,
                           .of_row = true,
                           .table = table,
                           .row = row,
                           .word = word});
}

bool hw_dma_end(void)
{
    struct fw_host *h = call();
    struct engine e = h->engine;
    if (!e.local)
        abort(); /* nothing was begun */
    h->engine.local = NULL;
    if (!e.of_row)
        return h->ops.dma(h->ops.ctx, e.region, e.offset, e.local, e.bytes, e.to_host);
    uint32_t *word = e.local;
    for (uint32_t i = 0; i < e.bytes / 4; i++)
        if (e.to_host)
            tables_put(&h->tables, e.table, e.row, e.word + i, word[i]);
        else
            word[i] = tables_get(&h->tables, e.table, e.row, e.word + i);
    return true;
}

uint32_t hw_row_get(enum flue_table table, uint32_t row, uint32_t word)
{
    return tables_get(&call()->tables, table, row, word);
}

void hw_row_put(enum flue_table table, uint32_t row, uint32_t word, uint32_t value)
{
    tables_put(&call()->tables, table, row, word, value);
}

/* The host build has tables and no engine. */
uint32_t hw_record_get(uint32_t row, uint32_t word)
{
    (void)row;
    (void)word;
    return 0;
}

void hw_record_put(uint32_t row, uint32_t word, uint32_t value)
{
    (void)row;
    (void)word;
    (void)value;
}

uint32_t hw_port_get(uint32_t row, uint32_t reg)
{
    (void)row;
    (void)reg;
    return 0;
}

void hw_port_put(uint32_t row, uint32_t reg, uint32_t value)
{
    (void)row;
    (void)reg;
    (void)value;
}

/* A command goes on when the processor stops, so it is done at once; its result waits. */
void hw_table_begin(enum flue_table_op op, uint32_t index)
{
    struct fw_host *h = call();
    if (h->commanded)
        abort();
    h->commanded = true;
    h->result = tables_command(&h->tables, op, index, &h->found);
}

enum flue_table_result hw_table_end(uint32_t *found)
{
    struct fw_host *h = call();
    if (!h->commanded)
        abort();
    h->commanded = false;
    if (found)
        *found = h->found;
    return h->result;
}

void hw_table_key(const uint32_t *key, unsigned words)
{
    memcpy(call()->tables.key, key, words * 4);
}

void hw_table_seed(const uint32_t seed[4])
{
    memcpy(call()->tables.next_seed, seed, sizeof now->tables.next_seed);
}

uint32_t hw_table_error(void)
{
    return tables_error(&call()->tables);
}

_Noreturn void hw_trap(uint32_t cause)
{
    now->trap = cause;
    now->stopped = true;
    longjmp(now->out, 1);
}

uint32_t fw_image_bytes(void)
{
    return 0; /* there is no image */
}

uint32_t fw_stack_bytes(void)
{
    return 0;
}

/* ---- host.h ---- */

struct fw_host *fw_host_new(const struct fw_host_sizes *sizes, const struct fw_host_ops *ops)
{
    struct fw_host *h = calloc(1, sizeof *h);
    if (!h)
        return NULL;
    h->ops = *ops;
    h->stopped = true;
    if (!tables_init(&h->tables, sizes->connections, sizes->paths, sizes->neighbors)) {
        fw_host_delete(h);
        return NULL;
    }
    return h;
}

void fw_host_delete(struct fw_host *h)
{
    if (h)
        tables_free(&h->tables);
    free(h);
}

void fw_host_start(struct fw_host *h, bool cold, const uint32_t seed[4])
{
    memset(&h->state, 0, sizeof h->state);
    memcpy(h->seed, seed, sizeof h->seed);
    h->cold = cold;
    h->started = h->stopped = h->asleep = false;
    h->trap = h->status = 0;
    h->events = 0;
    h->engine.local = NULL;
    h->commanded = false;
    h->asq_head = h->acq_tail = 0;
}

void fw_host_rings(struct fw_host *h, const struct fw_host_ring *asq, const struct fw_host_ring *acq)
{
    h->asq = (struct hw_ring){asq->base, asq->cfg, asq->index};
    h->acq = (struct hw_ring){acq->base, acq->cfg, acq->index};
    h->events |= FLUE_MMIO_DOORBELL_MASK;
    h->asleep = false;
}

void fw_host_event(struct fw_host *h, uint32_t which, bool level)
{
    if (which & FLUE_MMIO_DRAIN_MASK)
        h->levels = level ? h->levels | FLUE_MMIO_DRAIN_MASK : h->levels & ~FLUE_MMIO_DRAIN_MASK;
    h->events |= which & ~FLUE_MMIO_DRAIN_MASK;
    h->asleep = false;
}

bool fw_host_run(struct fw_host *h)
{
    struct fw_host *outer = now;
    struct firmware *outer_state = fw_now;
    if (h->stopped)
        return false;
    now = h;
    fw_now = &h->state;
    if (setjmp(h->out) == 0) {
        if (!h->started) {
            fw_start();
            h->started = true;
        }
        uint32_t which;
        for (unsigned i = 0; i < 1000 && ((which = hw_sleep()) != 0 || h->state.draining); i++) {
            fw_serve(which);
            if (which & FLUE_MMIO_DRAIN_MASK)
                break; /* quiet until the drain is over */
        }
        h->asleep = true;
    }
    now = outer;
    fw_now = outer_state;
    return !h->stopped;
}

uint32_t fw_host_status(const struct fw_host *h)
{
    return h->status;
}

uint32_t fw_host_trap(const struct fw_host *h)
{
    return h->trap;
}

uint16_t fw_host_asq_head(const struct fw_host *h)
{
    return h->asq_head;
}

uint16_t fw_host_acq_tail(const struct fw_host *h)
{
    return h->acq_tail;
}

bool fw_host_asleep(const struct fw_host *h)
{
    return h->asleep;
}

uint32_t fw_host_rows(const struct fw_host *h, enum flue_table table)
{
    return h->tables.rows[table];
}

uint32_t fw_host_word(const struct fw_host *h, enum flue_table table, uint32_t row, uint32_t word)
{
    return h->tables.word[table][row * h->tables.words[table] + word];
}

void fw_host_set_word(struct fw_host *h, enum flue_table table, uint32_t row, uint32_t word, uint32_t value)
{
    tables_put(&h->tables, table, row, word, value);
}

void fw_host_flip(struct fw_host *h, enum flue_table table, uint32_t row, uint32_t word, unsigned bit)
{
    tables_flip(&h->tables, table, row, word, bit);
}

bool fw_host_find(struct fw_host *h, enum flue_table table, const uint32_t *key, uint32_t *row)
{
    memcpy(h->tables.key, key, table == FLUE_TBL_PATH ? 36 : 8);
    return tables_command(&h->tables, table == FLUE_TBL_PATH ? FLUE_TOP_FIND_PATH : FLUE_TOP_FIND_CONN, 0, row) == FLUE_TR_OK;
}

unsigned fw_host_indexed(const struct fw_host *h, enum flue_table table)
{
    const struct table_index *x = &h->tables.index[table == FLUE_TBL_CONNECTION];
    unsigned count = 0;
    for (uint32_t n = 0; n < x->buckets * TABLE_WAYS + TABLE_STASH; n++)
        count += x->slot[n] != 0;
    return count;
}

void fw_host_full(struct fw_host *h, unsigned inserts)
{
    h->tables.full = inserts;
}

unsigned fw_host_reseeds(const struct fw_host *h)
{
    return h->tables.reseeds;
}

void fw_host_stop_after(struct fw_host *h, uint64_t calls)
{
    h->stop_at = calls ? h->calls + calls : 0;
}

uint64_t fw_host_calls(const struct fw_host *h)
{
    return h->calls;
}

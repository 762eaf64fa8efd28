#include "engine.h"

#include <cstring>

#include "Vsubject.h"
#include "verilated.h"

struct engine {
    VerilatedContext context;
    Vsubject top{&context};
};

extern "C" struct engine *engine_open(void)
{
    return new engine;
}

extern "C" void engine_close(struct engine *engine)
{
    engine->top.final();
    delete engine;
}

extern "C" void engine_clock(struct engine *engine, const struct engine_in *in, struct engine_out *out)
{
    Vsubject &t = engine->top;
    t.rst = in->rst;
    t.time_us_i = in->time_us;
    t.rto_min_us_i = in->rto_min_us;
    t.rto_max_us_i = in->rto_max_us;
    t.event_valid_i = in->valid;
    t.event_kind_i = static_cast<uint8_t>(in->kind);
    t.event_index_i = static_cast<uint16_t>(in->index);
    t.take_i = in->take;
    t.flip_i = in->flip;
    static_assert(sizeof t.event_data_i.m_storage == sizeof in->data, "width of an event");
    std::memcpy(t.event_data_i.m_storage, in->data, sizeof in->data);
    t.clk = 0;
    t.eval();
    out->ready = t.event_ready_o;
    out->verdict_valid = t.verdict_valid_o;
    out->verdict_forward = t.verdict_forward_o;
    out->tx_valid = t.tx_valid_o;
    out->tell_valid = t.tell_valid_o;
    out->notify_valid = t.notify_valid_o;
    out->done_valid = t.done_valid_o;
    out->done_ok = t.done_ok_o;
    out->done_data = t.done_data_o;
    out->sched_valid = t.sched_valid_o;
    out->sched_index = t.sched_index_o;
    out->sched_wants = t.sched_wants_o;
    out->deadline_valid = t.deadline_valid_o;
    out->deadline_index = t.deadline_index_o;
    out->deadline_on = t.deadline_on_o;
    out->deadline_us = t.deadline_us_o;
    out->trace_valid = t.trace_valid_o;
    out->trace_event = t.trace_event_o;
    out->trace_index = t.trace_index_o;
    out->trace_reason = t.trace_reason_o;
    out->forgot = t.forgot_o;
    out->idle = t.idle_o;
    out->notify = t.notify_o;
    static_assert(sizeof t.verdict_o.m_storage <= sizeof out->verdict && sizeof t.tx_o.m_storage <= sizeof out->tx &&
                      sizeof t.tell_o.m_storage <= sizeof out->tell && sizeof t.trace_rec_o.m_storage == sizeof out->record,
                  "widths of what leaves");
    if (out->verdict_valid) std::memcpy(out->verdict, t.verdict_o.m_storage, sizeof t.verdict_o.m_storage);
    if (out->tx_valid) std::memcpy(out->tx, t.tx_o.m_storage, sizeof t.tx_o.m_storage);
    if (out->tell_valid) std::memcpy(out->tell, t.tell_o.m_storage, sizeof t.tell_o.m_storage);
    if (out->trace_valid) std::memcpy(out->record, t.trace_rec_o.m_storage, sizeof out->record);
    t.clk = 1;
    t.eval();
}

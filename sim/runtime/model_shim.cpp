// The Verilated adapter behind the C interface of model.h: the only C++ of the runtime.
//
// Built once a width: FLUE_MODEL_W is the data width in bits, VM_TRACE_FST (Verilator's) is 1 in the build with waves.

#include <cstring>
#include <memory>
#include <new>

#include "Vflue_adapter.h"
#include "model.h"
#include "verilated.h"
#if VM_TRACE_FST
#include "verilated_fst_c.h"
#endif

namespace
{

constexpr size_t BYTES = FLUE_MODEL_W / 8;
static_assert(BYTES <= FLUE_MODEL_BYTES_MAX, "bus of the model");

struct Model {
    flue_model_watch_fn *watch = nullptr;
    void *watch_user = nullptr;
    VerilatedContext context;
    std::unique_ptr<Vflue_adapter> top;
#if VM_TRACE_FST
    std::unique_ptr<VerilatedFstC> fst;
#endif
};

thread_local Model *clocked; // whose edge is being evaluated

// A port of any width, to and from little-endian bytes or a 64-bit word.
template <typename Port> void put(Port &port, const uint8_t *bytes)
{
    static_assert(sizeof(Port) == BYTES, "data port");
    std::memcpy(&port, bytes, BYTES);
}

template <typename Port> void get(const Port &port, uint8_t *bytes)
{
    static_assert(sizeof(Port) == BYTES, "data port");
    std::memcpy(bytes, &port, BYTES);
}

template <typename Port> void put_word(Port &port, uint64_t value)
{
    port = static_cast<Port>(value);
}

inline void apply(Vflue_adapter &t, const flue_model_in &in)
{
    const uint32_t b = in.bits;
    t.clk = 0;
    t.rst = (b & FLUE_IN_RST) != 0;
    t.time_us_i = in.time_us;
    t.axil_awvalid_i = (b & FLUE_IN_AXIL_AWVALID) != 0;
    t.axil_awaddr_i = static_cast<uint16_t>(in.axil_awaddr & 0xFFFF);
    t.axil_wvalid_i = (b & FLUE_IN_AXIL_WVALID) != 0;
    t.axil_wdata_i = in.axil_wdata;
    t.axil_wstrb_i = 0xF;
    t.axil_bready_i = (b & FLUE_IN_AXIL_BREADY) != 0;
    t.axil_arvalid_i = (b & FLUE_IN_AXIL_ARVALID) != 0;
    t.axil_araddr_i = static_cast<uint16_t>(in.axil_araddr & 0xFFFF);
    t.axil_rready_i = (b & FLUE_IN_AXIL_RREADY) != 0;
    t.axi_awready_i = (b & FLUE_IN_AXI_AWREADY) != 0;
    t.axi_wready_i = (b & FLUE_IN_AXI_WREADY) != 0;
    t.axi_bvalid_i = (b & FLUE_IN_AXI_BVALID) != 0;
    t.axi_bid_i = in.axi_bid;
    t.axi_bresp_i = in.axi_bresp;
    t.axi_arready_i = (b & FLUE_IN_AXI_ARREADY) != 0;
    t.axi_rvalid_i = (b & FLUE_IN_AXI_RVALID) != 0;
    t.axi_rid_i = in.axi_rid;
    t.axi_rresp_i = in.axi_rresp;
    t.axi_rlast_i = (b & FLUE_IN_AXI_RLAST) != 0;
    put(t.axi_rdata_i, in.axi_rdata);
    t.wire_rx_valid_i = (b & FLUE_IN_RX_VALID) != 0;
    t.wire_rx_last_i = (b & FLUE_IN_RX_LAST) != 0;
    t.wire_rx_bad_i = (b & FLUE_IN_RX_BAD) != 0;
    put_word(t.wire_rx_keep_i, in.rx_keep);
    put(t.wire_rx_data_i, in.rx_data);
    t.wire_tx_ready_i = (b & FLUE_IN_TX_READY) != 0;
}

// A one-bit output as its place in `bits`.
inline uint32_t pin(bool value, uint32_t place)
{
    return value ? place : 0u;
}

inline void sample(const Vflue_adapter &t, flue_model_out &out)
{
    out.bits = pin(t.axil_awready_o, FLUE_OUT_AXIL_AWREADY) | pin(t.axil_wready_o, FLUE_OUT_AXIL_WREADY) |
               pin(t.axil_bvalid_o, FLUE_OUT_AXIL_BVALID) | pin(t.axil_arready_o, FLUE_OUT_AXIL_ARREADY) |
               pin(t.axil_rvalid_o, FLUE_OUT_AXIL_RVALID) | pin(t.axi_awvalid_o, FLUE_OUT_AXI_AWVALID) |
               pin(t.axi_wvalid_o, FLUE_OUT_AXI_WVALID) | pin(t.axi_wlast_o, FLUE_OUT_AXI_WLAST) |
               pin(t.axi_bready_o, FLUE_OUT_AXI_BREADY) | pin(t.axi_arvalid_o, FLUE_OUT_AXI_ARVALID) |
               pin(t.axi_rready_o, FLUE_OUT_AXI_RREADY) | pin(t.wire_rx_ready_o, FLUE_OUT_RX_READY) |
               pin(t.wire_tx_valid_o, FLUE_OUT_TX_VALID) | pin(t.wire_tx_last_o, FLUE_OUT_TX_LAST) |
               pin(t.wire_tx_bad_o, FLUE_OUT_TX_BAD) | pin(t.irq_o, FLUE_OUT_IRQ) | pin(t.idle_o, FLUE_OUT_IDLE) |
               pin(t.deadline_valid_o, FLUE_OUT_DEADLINE);
    if (out.bits & FLUE_OUT_DEADLINE)
        out.deadline_us = t.deadline_us_o;
    if (out.bits & (FLUE_OUT_AXIL_BVALID | FLUE_OUT_AXIL_RVALID)) {
        out.axil_bresp = t.axil_bresp_o;
        out.axil_rresp = t.axil_rresp_o;
        out.axil_rdata = t.axil_rdata_o;
    }
    if (out.bits & FLUE_OUT_AXI_ARVALID) {
        out.axi_arid = t.axi_arid_o;
        out.axi_araddr = t.axi_araddr_o;
        out.axi_arlen = t.axi_arlen_o;
        out.axi_arsize = t.axi_arsize_o;
        out.axi_arburst = t.axi_arburst_o;
    }
    if (out.bits & FLUE_OUT_AXI_AWVALID) {
        out.axi_awid = t.axi_awid_o;
        out.axi_awaddr = t.axi_awaddr_o;
        out.axi_awlen = t.axi_awlen_o;
        out.axi_awsize = t.axi_awsize_o;
        out.axi_awburst = t.axi_awburst_o;
    }
    if (out.bits & FLUE_OUT_AXI_WVALID) {
        get(t.axi_wdata_o, out.axi_wdata);
        out.axi_wstrb = t.axi_wstrb_o;
    }
    if (out.bits & FLUE_OUT_TX_VALID) {
        get(t.wire_tx_data_o, out.tx_data);
        out.tx_keep = t.wire_tx_keep_o;
    }
}

void *model_create(uint64_t seed)
{
    Model *m = new (std::nothrow) Model;
    if (!m)
        return nullptr;
    m->context.randReset(2);
    m->context.randSeed(static_cast<int>((seed ^ (seed >> 31)) & 0x7FFFFFFF) | 1);
    m->context.fatalOnError(false);
    m->context.errorLimit(1000000);
#if VM_TRACE_FST
    m->context.traceEverOn(true);
#endif
    m->top.reset(new (std::nothrow) Vflue_adapter(&m->context, "adapter"));
    if (!m->top) {
        delete m;
        return nullptr;
    }
    return m;
}

void model_destroy(void *model)
{
    Model *m = static_cast<Model *>(model);
    if (m)
        m->top->final();
    delete m;
}

void model_cycle(void *model, const flue_model_in *in, flue_model_out *out)
{
    Model *m = static_cast<Model *>(model);
    Vflue_adapter &t = *m->top;
    m->context.timeInc(1); // an assertion that fails names the cycle
    apply(t, *in);
    t.eval();
    sample(t, *out);
    clocked = m;
    t.clk = 1;
    t.eval();
}

void model_cycle_traced(void *model, const flue_model_in *in, flue_model_out *out, uint64_t time_ps, uint32_t half_ps)
{
#if VM_TRACE_FST
    Model *m = static_cast<Model *>(model);
    Vflue_adapter &t = *m->top;
    apply(t, *in);
    t.eval();
    sample(t, *out);
    if (m->fst)
        m->fst->dump(time_ps);
    clocked = m;
    t.clk = 1;
    t.eval();
    if (m->fst)
        m->fst->dump(time_ps + half_ps);
#else
    (void)time_ps;
    (void)half_ps;
    model_cycle(model, in, out);
#endif
}

bool model_trace_open(void *model, const char *path)
{
#if VM_TRACE_FST
    Model *m = static_cast<Model *>(model);
    m->fst.reset(new (std::nothrow) VerilatedFstC);
    if (!m->fst)
        return false;
    m->top->trace(m->fst.get(), 99);
    m->fst->open(path);
    if (!m->fst->isOpen())
        m->fst.reset();
    return m->fst != nullptr;
#else
    (void)model;
    (void)path;
    return false;
#endif
}

void model_trace_close(void *model)
{
#if VM_TRACE_FST
    Model *m = static_cast<Model *>(model);
    if (m->fst)
        m->fst->close();
    m->fst.reset();
#else
    (void)model;
#endif
}

bool model_failed(void *model)
{
    return static_cast<Model *>(model)->context.gotError();
}

void model_watch(void *model, flue_model_watch_fn *fn, void *user)
{
    Model *m = static_cast<Model *>(model);
    m->watch = fn;
    m->watch_user = user;
}

const flue_model_api API = {
    FLUE_MODEL_ABI,     FLUE_MODEL_W,     VM_TRACE_FST != 0, model_create, model_destroy, model_cycle,
    model_cycle_traced, model_trace_open, model_trace_close, model_failed, model_watch,
};

} // namespace

// Called by rtl/flue_tcp_watch.sv.
extern "C" void flue_tcp_watch_event(int what, int row, int a, const uint32_t *data)
{
    if (clocked && clocked->watch)
        clocked->watch(clocked->watch_user, static_cast<flue_model_watch>(what), static_cast<unsigned>(row),
                       static_cast<unsigned>(a), data);
}

extern "C" __attribute__((visibility("default"))) const flue_model_api *flue_model_api(void)
{
    return &API;
}

/* AXI4-Lite manager: one register access at a time, the clock running until it is answered. */
#include "runtime.h"

#include <inttypes.h>

enum { LIMIT_CYCLES = 20000, REGISTER_BYTES = 0x10000 };

static const uint32_t IN_AXIL =
    FLUE_IN_AXIL_AWVALID | FLUE_IN_AXIL_WVALID | FLUE_IN_AXIL_BREADY | FLUE_IN_AXIL_ARVALID | FLUE_IN_AXIL_RREADY;

void flue_axil_step(struct flue_sim *s)
{
    const uint32_t in = s->in.bits, out = s->out.bits;
    if ((in & FLUE_IN_AXIL_AWVALID) && (out & FLUE_OUT_AXIL_AWREADY))
        s->in.bits &= ~(uint32_t)FLUE_IN_AXIL_AWVALID;
    if ((in & FLUE_IN_AXIL_WVALID) && (out & FLUE_OUT_AXIL_WREADY))
        s->in.bits &= ~(uint32_t)FLUE_IN_AXIL_WVALID;
    if ((in & FLUE_IN_AXIL_ARVALID) && (out & FLUE_OUT_AXIL_ARREADY))
        s->in.bits &= ~(uint32_t)FLUE_IN_AXIL_ARVALID;
    if ((in & FLUE_IN_AXIL_BREADY) && (out & FLUE_OUT_AXIL_BVALID)) {
        if (s->in.bits & (FLUE_IN_AXIL_AWVALID | FLUE_IN_AXIL_WVALID))
            flue_monitor_fail(&s->mon, "registers", "a write is answered before it was taken");
        s->axil.resp = s->out.axil_bresp;
        s->axil.busy = false;
    }
    if ((in & FLUE_IN_AXIL_RREADY) && (out & FLUE_OUT_AXIL_RVALID)) {
        if (s->in.bits & FLUE_IN_AXIL_ARVALID)
            flue_monitor_fail(&s->mon, "registers", "a read is answered before it was taken");
        s->axil.resp = s->out.axil_rresp;
        s->axil.value = s->out.axil_rdata;
        s->axil.busy = false;
    }
    if (!s->axil.busy)
        s->in.bits &= ~IN_AXIL;
}

static enum flue_err finish(struct flue_sim *s)
{
    uint64_t end = s->cycles + LIMIT_CYCLES;
    s->axil.busy = true;
    while (s->axil.busy && s->cycles < end)
        flue_sim_cycle(s);
    if (s->axil.busy) {
        s->axil.busy = false;
        s->in.bits &= ~IN_AXIL;
        return FLUE_ETIMEOUT;
    }
    if (s->mon.violations)
        return FLUE_EMONITOR;
    return s->axil.resp ? FLUE_EDEVICE : FLUE_OK;
}

enum flue_err flue_axil_read(struct flue_sim *s, uint32_t offset, uint32_t *value)
{
    *value = 0;
    if (offset % 4 || offset >= REGISTER_BYTES)
        return FLUE_EARG;
    if (s->axil.busy)
        return FLUE_ESTATE;
    s->reg_reads++;
    s->in.axil_araddr = offset;
    s->in.bits |= FLUE_IN_AXIL_ARVALID | FLUE_IN_AXIL_RREADY;
    enum flue_err err = finish(s);
    *value = err == FLUE_OK ? s->axil.value : 0;
    if (err == FLUE_OK)
        flue_rings_read(&s->rings, offset, *value);
    return err;
}

enum flue_err flue_axil_write(struct flue_sim *s, uint32_t offset, uint32_t value)
{
    if (offset % 4 || offset >= REGISTER_BYTES)
        return FLUE_EARG;
    if (s->axil.busy)
        return FLUE_ESTATE;
    s->reg_writes++;
    flue_rings_write(&s->rings, offset, value);
    s->in.axil_awaddr = offset;
    s->in.axil_wdata = value;
    s->in.bits |= FLUE_IN_AXIL_AWVALID | FLUE_IN_AXIL_WVALID | FLUE_IN_AXIL_BREADY;
    return finish(s);
}

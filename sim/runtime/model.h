/*
 * The adapter model as the runtime sees it: its input pins, its output pins, and one function that makes a clock cycle.  Each
 * width is a shared object, libflue_model_w<W>.so (libflue_model_w<W>_fst.so with waves), that exports flue_model_api().
 *
 * In a cycle the inputs are applied, the outputs they lead to are sampled, and the rising edge follows.
 */
#ifndef FLUE_MODEL_H
#define FLUE_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define FLUE_MODEL_ABI       2u
#define FLUE_MODEL_BYTES_MAX 64u /* W = 512 */

/* Pins of one bit, packed into `bits`. */
enum {
    FLUE_IN_RST = 1u << 0,
    FLUE_IN_AXIL_AWVALID = 1u << 1,
    FLUE_IN_AXIL_WVALID = 1u << 2,
    FLUE_IN_AXIL_BREADY = 1u << 3,
    FLUE_IN_AXIL_ARVALID = 1u << 4,
    FLUE_IN_AXIL_RREADY = 1u << 5,
    FLUE_IN_AXI_AWREADY = 1u << 6,
    FLUE_IN_AXI_WREADY = 1u << 7,
    FLUE_IN_AXI_BVALID = 1u << 8,
    FLUE_IN_AXI_ARREADY = 1u << 9,
    FLUE_IN_AXI_RVALID = 1u << 10,
    FLUE_IN_AXI_RLAST = 1u << 11,
    FLUE_IN_RX_VALID = 1u << 12,
    FLUE_IN_RX_LAST = 1u << 13,
    FLUE_IN_RX_BAD = 1u << 14,
    FLUE_IN_TX_READY = 1u << 15,
};

enum {
    FLUE_OUT_AXIL_AWREADY = 1u << 0,
    FLUE_OUT_AXIL_WREADY = 1u << 1,
    FLUE_OUT_AXIL_BVALID = 1u << 2,
    FLUE_OUT_AXIL_ARREADY = 1u << 3,
    FLUE_OUT_AXIL_RVALID = 1u << 4,
    FLUE_OUT_AXI_AWVALID = 1u << 5,
    FLUE_OUT_AXI_WVALID = 1u << 6,
    FLUE_OUT_AXI_WLAST = 1u << 7,
    FLUE_OUT_AXI_BREADY = 1u << 8,
    FLUE_OUT_AXI_ARVALID = 1u << 9,
    FLUE_OUT_AXI_RREADY = 1u << 10,
    FLUE_OUT_RX_READY = 1u << 11,
    FLUE_OUT_TX_VALID = 1u << 12,
    FLUE_OUT_TX_LAST = 1u << 13,
    FLUE_OUT_TX_BAD = 1u << 14,
    FLUE_OUT_IRQ = 1u << 15,
    FLUE_OUT_IDLE = 1u << 16,
    FLUE_OUT_DEADLINE = 1u << 17,
};

/* Both are made of whole 64-bit words without holes: they are compared, recorded and hashed as such. */
struct flue_model_in {
    uint32_t bits;
    uint32_t axil_awaddr;
    uint32_t axil_wdata;
    uint32_t axil_araddr;
    uint64_t time_us;
    uint8_t axi_bid, axi_bresp, axi_rid, axi_rresp;
    uint32_t zero;
    uint64_t rx_keep;
    uint8_t axi_rdata[FLUE_MODEL_BYTES_MAX];
    uint8_t rx_data[FLUE_MODEL_BYTES_MAX];
};

struct flue_model_out {
    uint32_t bits;
    uint32_t axil_rdata;
    uint8_t axil_bresp, axil_rresp;
    uint8_t axi_awid, axi_awlen, axi_awsize, axi_awburst;
    uint8_t zero[2];
    uint8_t axi_arid, axi_arlen, axi_arsize, axi_arburst;
    uint32_t zero1;
    uint64_t axi_awaddr;
    uint64_t axi_araddr;
    uint64_t axi_wstrb;
    uint64_t tx_keep;
    uint64_t deadline_us;
    uint8_t axi_wdata[FLUE_MODEL_BYTES_MAX]; /* bytes above W/8 stay 0; old while valid is low, as are the fields above */
    uint8_t tx_data[FLUE_MODEL_BYTES_MAX];
};

#define FLUE_IN_WORDS  (sizeof(struct flue_model_in) / 8)
#define FLUE_OUT_WORDS (sizeof(struct flue_model_out) / 8)

/*
 * What happens in the TCP engine, for the monitors (rtl/flue_tcp_watch.sv): `data` has bit 0 of the packed struct first.
 */
enum flue_model_watch {
    FLUE_WATCH_RESET,
    FLUE_WATCH_TRACE,    /* an event is over; a: reason << 8 | event, data: the record after it */
    FLUE_WATCH_VERDICT,  /* of a segment event, in their order; data: tcp_verdict_t */
    FLUE_WATCH_TX,       /* something is to leave; data: tcp_tx_t */
    FLUE_WATCH_SENT,     /* it left; a: tcp_sent_t */
    FLUE_WATCH_DEADLINE, /* a: on, data: microseconds */
    FLUE_WATCH_RING,     /* a: word of flue_tcp_rings, data: its value */
    FLUE_WATCH_FOUND,    /* a frame was looked up; a: the driver forwarded it, data: lookup_key_t */
};
enum { FLUE_WATCH_WORDS = 68 }; /* of data */

typedef void flue_model_watch_fn(void *user, enum flue_model_watch what, unsigned row, unsigned a, const uint32_t *data);

struct flue_model_api {
    uint32_t abi;
    uint32_t width; /* bits */
    bool traced;

    /* A model before its first cycle; registers without reset value take values drawn from seed.  NULL: out of memory. */
    void *(*create)(uint64_t seed);
    void (*destroy)(void *model);

    /* One clock cycle. */
    void (*cycle)(void *model, const struct flue_model_in *in, struct flue_model_out *out);

    /* The same, writing waves at time_ps and after half a period. */
    void (*cycle_traced)(void *model, const struct flue_model_in *in, struct flue_model_out *out, uint64_t time_ps,
                         uint32_t half_ps);
    bool (*trace_open)(void *model, const char *path);
    void (*trace_close)(void *model);

    /* True once an assertion of the RTL failed (Verilator printed which). */
    bool (*failed)(void *model);

    /* From now on tell `fn` what happens in the TCP engine.  Null: a model that has none. */
    void (*watch)(void *model, flue_model_watch_fn *fn, void *user);
};

typedef const struct flue_model_api *flue_model_api_fn(void); /* exported as flue_model_api */

#ifdef __cplusplus
}
#endif
#endif

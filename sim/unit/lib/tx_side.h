/*
 * Side information of transmitted packets as bits: tx_tag_t, csum_cmd_t and lso_cmd_t of rtl/flue_pkg.sv.
 * Each _put writes a struct's fields at bit `at`, each _get reads them; _BITS is its width.
 */
#ifndef FLUE_TX_SIDE_H
#define FLUE_TX_SIDE_H

#include "bench.h"

enum { TX_TAG_BITS = 61, CSUM_CMD_BITS = 80, LSO_CMD_BITS = 141 };

enum { TX_ST_OK = 0, TX_ST_DMA_READ = 5 };

struct tx_tag {
    bool engine, turn, eor, empty, lso, lso_v2, vlan;
    unsigned status, slot, payload, vlan_tci;
};

struct csum_cmd {
    bool ip_en, l4_en, l4_udp;
    unsigned ip_start, ip_ihl, l4_start, l4_pos, l4_end, l4_seed;
};

struct lso_cmd {
    bool drop, lso, v6, id_15bit;
    unsigned mss, hdr_len, l3_off, l4_off, pay_len;
    struct csum_cmd csum;
};

static inline void tx_tag_put(struct bench_bits *bits, unsigned at, const struct tx_tag *tag)
{
    bench_bits_set(bits, at, 16, tag->vlan_tci);
    bench_bits_set(bits, at + 16, 1, tag->vlan);
    bench_bits_set(bits, at + 17, 17, tag->payload);
    bench_bits_set(bits, at + 34, 1, tag->lso_v2);
    bench_bits_set(bits, at + 35, 1, tag->lso);
    bench_bits_set(bits, at + 36, 16, tag->slot);
    bench_bits_set(bits, at + 52, 5, tag->status);
    bench_bits_set(bits, at + 57, 1, tag->empty);
    bench_bits_set(bits, at + 58, 1, tag->eor);
    bench_bits_set(bits, at + 59, 1, tag->turn);
    bench_bits_set(bits, at + 60, 1, tag->engine);
}

static inline struct tx_tag tx_tag_get(const struct bench_bits *bits, unsigned at)
{
    return (struct tx_tag){
        .vlan_tci = (unsigned)bench_bits_get(bits, at, 16),
        .vlan = bench_bits_get(bits, at + 16, 1),
        .payload = (unsigned)bench_bits_get(bits, at + 17, 17),
        .lso_v2 = bench_bits_get(bits, at + 34, 1),
        .lso = bench_bits_get(bits, at + 35, 1),
        .slot = (unsigned)bench_bits_get(bits, at + 36, 16),
        .status = (unsigned)bench_bits_get(bits, at + 52, 5),
        .empty = bench_bits_get(bits, at + 57, 1),
        .eor = bench_bits_get(bits, at + 58, 1),
        .turn = bench_bits_get(bits, at + 59, 1),
        .engine = bench_bits_get(bits, at + 60, 1),
    };
}

static inline void csum_cmd_put(struct bench_bits *bits, unsigned at, const struct csum_cmd *cmd)
{
    bench_bits_set(bits, at, 1, cmd->l4_udp);
    bench_bits_set(bits, at + 1, 16, cmd->l4_seed);
    bench_bits_set(bits, at + 17, 17, cmd->l4_end);
    bench_bits_set(bits, at + 34, 16, cmd->l4_pos);
    bench_bits_set(bits, at + 50, 16, cmd->l4_start);
    bench_bits_set(bits, at + 66, 1, cmd->l4_en);
    bench_bits_set(bits, at + 67, 4, cmd->ip_ihl);
    bench_bits_set(bits, at + 71, 8, cmd->ip_start);
    bench_bits_set(bits, at + 79, 1, cmd->ip_en);
}

static inline struct csum_cmd csum_cmd_get(const struct bench_bits *bits, unsigned at)
{
    return (struct csum_cmd){
        .l4_udp = bench_bits_get(bits, at, 1),
        .l4_seed = (unsigned)bench_bits_get(bits, at + 1, 16),
        .l4_end = (unsigned)bench_bits_get(bits, at + 17, 17),
        .l4_pos = (unsigned)bench_bits_get(bits, at + 34, 16),
        .l4_start = (unsigned)bench_bits_get(bits, at + 50, 16),
        .l4_en = bench_bits_get(bits, at + 66, 1),
        .ip_ihl = (unsigned)bench_bits_get(bits, at + 67, 4),
        .ip_start = (unsigned)bench_bits_get(bits, at + 71, 8),
        .ip_en = bench_bits_get(bits, at + 79, 1),
    };
}

static inline void lso_cmd_put(struct bench_bits *bits, unsigned at, const struct lso_cmd *cmd)
{
    csum_cmd_put(bits, at, &cmd->csum);
    at += CSUM_CMD_BITS;
    bench_bits_set(bits, at, 17, cmd->pay_len);
    bench_bits_set(bits, at + 17, 8, cmd->l4_off);
    bench_bits_set(bits, at + 25, 8, cmd->l3_off);
    bench_bits_set(bits, at + 33, 8, cmd->hdr_len);
    bench_bits_set(bits, at + 41, 16, cmd->mss);
    bench_bits_set(bits, at + 57, 1, cmd->id_15bit);
    bench_bits_set(bits, at + 58, 1, cmd->v6);
    bench_bits_set(bits, at + 59, 1, cmd->lso);
    bench_bits_set(bits, at + 60, 1, cmd->drop);
}

#endif

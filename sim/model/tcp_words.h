/* Packed structs of rtl/tcp/flue_tcp_pkg.sv as the model has them. */
#ifndef FLUE_MODEL_TCP_WORDS_H
#define FLUE_MODEL_TCP_WORDS_H

#include "tcp.h"

#ifdef __cplusplus
extern "C" {
#endif

enum {
    TCP_RECORD_WORDS = 68, /* words of tcp_words (docs/control-layouts.md) */
    TCP_VERDICT_BITS = 170,
    TCP_TX_BITS = 2 + 16 + 32 + 17 + 16 + 3 + 32 + 16 + 2 + 32 + 32 + 3 + 256,
};

/* The record as the words of tcp_words: word 0 has the top 32 bits of tcp_rec_t. */
void tcp_record_pack(const struct flue_tcp *record, uint32_t words[TCP_RECORD_WORDS]);
void tcp_record_unpack(const uint32_t words[TCP_RECORD_WORDS], struct flue_tcp *record);

/* tcp_verdict_t and tcp_tx_t, bit 0 in bit 0 of the first word.  Returns the connection's row. */
unsigned tcp_verdict_unpack(const uint32_t *words, enum flue_tcp_verdict *verdict, struct flue_tcp_place *place);
unsigned tcp_tx_unpack(const uint32_t *words, struct flue_tcp_tx *tx);

#ifdef __cplusplus
}
#endif
#endif

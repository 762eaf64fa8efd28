/* Orders of program.c, which the bench gives it. */
#ifndef ORDERS_H
#define ORDERS_H

enum {
    ORDER_PEEK = 1,
    ORDER_POKE,
    ORDER_POKE_BYTE,
    ORDER_POKE_HALF,
    ORDER_DMA,
    ORDER_DMA_AGAIN,
    ORDER_SLEEP,
    ORDER_TIME,
    ORDER_COMMAND,
    ORDER_SEED,
    ORDER_ERROR,
    ORDER_CLEAR,
    ORDER_STATUS,
    ORDER_MEMORY,
    ORDER_DIE,
    ORDER_HANG,
    ORDER_WORK,
    ORDER_ROW
};
enum {
    DIE_EBREAK = 1,
    DIE_ECALL,
    DIE_ILLEGAL,
    DIE_ZERO,
    DIE_LOAD,
    DIE_STORE,
    DIE_JUMP,
    DIE_BUS_LOAD,
    DIE_BUS_STORE,
    DIE_BUS_BYTE,
    DIE_BUS_FETCH,
    DIE_ASSERT = 4242
};

#endif

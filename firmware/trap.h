/*
 * Where things are in the processor's memory, for start.S, link.ld's readers and the host.
 *
 * Trap record: the last 128 bytes of memory.  A trap of any kind makes the hardware keep cause and place (FW_TRAP_CAUSE,
 * FW_TRAP_PC) and start the core again at address 0 with its registers intact; start.S stores them here and says so by
 * writing trap_cause, which stops the core.
 */
#ifndef FLUE_FW_TRAP_H
#define FLUE_FW_TRAP_H

#define FLUE_TRAP_BYTES    128 /* word 0: address of the instruction; word n: register xn */
#define FLUE_TRAP_SAVE(kb) ((kb)*1024 - FLUE_TRAP_BYTES)

/* Causes of FW_TRAP_CAUSE; the hardware knows the first four. */
#define FLUE_TRAP_MISALIGNED 1
#define FLUE_TRAP_ILLEGAL    2
#define FLUE_TRAP_BREAKPOINT 3  /* ebreak and ecall */
#define FLUE_TRAP_BUS        4  /* no such address, or a DMA register written while DMA is busy */
#define FLUE_TRAP_RETURNED   16 /* main returned */
#define FLUE_TRAP_ASSERT     17 /* and up: the firmware's own, hw_trap() */

/* What start.S needs of record mmio; hw_mmio.h asserts that they agree with the contract. */
#define FLUE_TRAP_MMIO       -256 /* 0xFFFFFF00, from register x0 */
#define FLUE_TRAP_MMIO_CAUSE 28
#define FLUE_TRAP_MMIO_PC    32

#endif

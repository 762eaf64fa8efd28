/*
 * Start of the processor, at address 0: of a program, or again after a trap with every register as it was.
 * trap.h has the protocol.  A program finds its stack below the trap record and its bss cleared.
 */
#include "trap.h"

    .section .start, "ax", @progbits
    .globl _start
_start:
    sw      ra, %lo(saved_ra)(zero)         /* within reach of x0 */
    lw      ra, FLUE_TRAP_MMIO + FLUE_TRAP_MMIO_CAUSE(zero) /* 0 unless this is a trap */
    beqz    ra, start
    j       trap
saved_ra:
    .word   0

start:
    .option push
    .option norelax                         /* gp makes data reachable, so it cannot be found through gp */
    la      gp, __global_pointer$
    .option pop
    la      sp, flue_stack_top
    la      t0, flue_bss_begin
    la      t1, flue_bss_end
1:  bgeu    t0, t1, 2f                      /* up to flue_bss_end, not with it */
    sw      zero, 0(t0)
    addi    t0, t0, 4
    j       1b
2:  call    main
    sw      ra, FLUE_TRAP_MMIO + FLUE_TRAP_MMIO_PC(zero)    /* main does not return */
    li      t1, FLUE_TRAP_RETURNED
    sw      t1, FLUE_TRAP_MMIO + FLUE_TRAP_MMIO_CAUSE(zero)
3:  j       3b

trap:
    la      ra, flue_trap_save
    .irp    n, 2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
    sw      x\n, 4 * \n(ra)
    .endr
    lw      t0, %lo(saved_ra)(zero)
    sw      t0, 4(ra)
    lw      t1, FLUE_TRAP_MMIO + FLUE_TRAP_MMIO_PC(zero)
    sw      t1, 0(ra)
    sw      zero, FLUE_TRAP_MMIO + FLUE_TRAP_MMIO_CAUSE(zero)   /* saved: the core stops here */
4:  j       4b

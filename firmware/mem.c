/*
 * What the compiler calls for structs: memset and memcpy, for words on the processor.  (The host has its own.)
 */
#ifdef __riscv
#include <stddef.h>
#include <stdint.h>

__attribute__((used, noinline, optimize("no-tree-loop-distribute-patterns"))) void *memset(void *to, int value, size_t bytes)
{
    uint8_t *byte = to;
    if (value == 0 && (((uintptr_t)to | bytes) & 3) == 0) { /* structs, as it comes */
        for (uint32_t *word = to; bytes > 0; bytes -= 4)
            *word++ = 0;
        return to;
    }
    for (; bytes > 0; bytes--)
        *byte++ = (uint8_t)value;
    return to;
}

__attribute__((used, noinline, optimize("no-tree-loop-distribute-patterns"))) void *
memcpy(void *restrict to, const void *restrict from, size_t bytes)
{
    uint8_t *byte = to;
    const uint8_t *source = from;
    if ((((uintptr_t)to | (uintptr_t)from | bytes) & 3) == 0) {
        const uint32_t *source_word = from;
        for (uint32_t *word = to; bytes > 0; bytes -= 4)
            *word++ = *source_word++;
        return to;
    }
    for (; bytes > 0; bytes--)
        *byte++ = *source++;
    return to;
}
#else
typedef int mem_on_the_processor_only;
#endif

/*
 * What the compiler calls for structs: memset and memcpy, for words on the processor.  (The host has its own.)
 */
#ifdef __riscv
#include <stddef.h>
#include <stdint.h>

__attribute__((used, optimize("no-tree-loop-distribute-patterns"))) void *memset(void *to, int value, size_t bytes)
{
    uint8_t *byte = to;
    for (; bytes > 0; bytes--)
        *byte++ = (uint8_t)value;
    return to;
}

__attribute__((used, optimize("no-tree-loop-distribute-patterns"))) void *memcpy(void *restrict to, const void *restrict from,
                                                                                 size_t bytes)
{
    uint8_t *byte = to;
    const uint8_t *source = from;
    for (; bytes > 0; bytes--)
        *byte++ = *source++;
    return to;
}
#else
typedef int mem_on_the_processor_only;
#endif

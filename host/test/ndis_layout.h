/*
 * The rows of ndis_layout.def as assertions of the compiler, and one probe for each bit field: an object with that field
 * all ones in section .ndisbits, 64 bytes each, in the order of the list.
 *
 * With NDIS_LAYOUT_MINGW the same rows are held against mingw-w64's headers instead of ours; ndis_layout_status.h then has
 * the status macros of its ddk/ndis.h, which does not compile as a whole for NDIS 6.
 */
#ifndef FLUE_TEST_NDIS_LAYOUT_H
#define FLUE_TEST_NDIS_LAYOUT_H

#ifdef NDIS_LAYOUT_MINGW
#define UM_NDIS630   1
#define _WIN32_WINNT 0x0A00
#define WIN32_NO_STATUS
#include <winsock2.h>
#include <windows.h>
#undef WIN32_NO_STATUS
#include <ntstatus.h>
#include <ntddndis.h>
#include "ndis_layout_status.h"
typedef int NDIS_STATUS;
#define ONLY_OURS(row)
#else
#include "flue/ndis/handlers.h"
#include "flue/ndis/offload.h"
#include "flue/ndis/oid.h"
#define ONLY_OURS(row) row
#endif
#include <stddef.h>
#include <stdint.h>

#define PTR sizeof(void *)
#if UINTPTR_MAX > 0xFFFFFFFFu
#define PICK(x64, x86) x64
#else
#define PICK(x64, x86) x86
#endif

#define FROM_MINGW(row) row
#define FROM_TABLE(row) ONLY_OURS(row)

/* ---- assertions -------------------------------------------------------------------------------------------------- */

#define STRUCT(from, type, x64, x86) FROM_##from(_Static_assert(sizeof(type) == PICK(x64, x86), "size of " #type);)
#define FIELD(from, type, member, x64, x86, size)                                                                              \
    FROM_##from(_Static_assert(offsetof(type, member) == PICK(x64, x86), "offset of " #type "." #member);                      \
                _Static_assert(sizeof(((type *)0)->member) == (size), "size of " #type "." #member);)
#define VALUE(from, name, value) FROM_##from(_Static_assert((uint32_t)(name) == (uint32_t)(value), "value of " #name);)
#define BITS(from, type, member, byte, bit, n)
#include "ndis_layout.def"
#undef STRUCT
#undef FIELD
#undef VALUE
#undef BITS

/* ---- probes ------------------------------------------------------------------------------------------------------ */

#ifdef NDIS_LAYOUT_PROBES
#define PASTE_(a, b) a##b
#define PASTE(a, b)  PASTE_(a, b)
#define STRUCT(from, type, x64, x86)
#define FIELD(from, type, member, x64, x86, size)
#define VALUE(from, name, value)
#define BITS(from, type, member, byte, bit, n)                                                                                 \
    FROM_##from(__attribute__((section(".ndisbits"), used, aligned(64))) const union {                                         \
        uint8_t raw[64];                                                                                                       \
        type object;                                                                                                           \
    } PASTE(probe_, __LINE__) = {.object.member = (1u << (n)) - 1u};)
#include "ndis_layout.def"
#undef STRUCT
#undef FIELD
#undef VALUE
#undef BITS
#endif

#endif

/*
 * What every NDIS structure begins with: the object header, its types, and how layouts are written down here.
 *
 * Layouts are those of the Windows ABI and come out the same from every compiler: a unit with bit fields is filled to its
 * end with unnamed bits (the System V rules would put the next member into what is left), and 64-bit counters are aligned
 * to 8 bytes also with 32-bit pointers.  Sizes and offsets follow the pointer width of the compiler: 64-bit builds have the
 * x64 tables of chimney.md and task-offload.md, 32-bit builds the x86 ones.  Integers are little endian in memory.
 */
#ifndef FLUE_NDIS_OBJECT_H
#define FLUE_NDIS_OBJECT_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef void *NDIS_HANDLE;
typedef uint32_t NDIS_PORT_NUMBER;

/* A 64-bit counter inside a structure. */
typedef uint64_t flue_ndis_u64 __attribute__((aligned(8)));

/* Bytes from the start of a structure through a member: what Header.Size counts (task-offload.md 1.1). */
#define FLUE_NDIS_SIZE_THROUGH(type, member) (offsetof(type, member) + sizeof(((type *)0)->member))

typedef struct NDIS_OBJECT_HEADER {
    uint8_t Type;     /* NDIS_OBJECT_TYPE_*; in a block list an OFFLOAD_STATE_TYPE */
    uint8_t Revision; /* of this structure alone */
    uint16_t Size;    /* bytes from here through the last member of that revision */
} NDIS_OBJECT_HEADER, *PNDIS_OBJECT_HEADER;

#define NDIS_OBJECT_TYPE_DEFAULT                                          0x80
#define NDIS_OBJECT_TYPE_CLIENT_CHIMNEY_OFFLOAD_GENERIC_CHARACTERISTICS   0x8E
#define NDIS_OBJECT_TYPE_PROVIDER_CHIMNEY_OFFLOAD_GENERIC_CHARACTERISTICS 0x8F
#define NDIS_OBJECT_TYPE_CLIENT_CHIMNEY_OFFLOAD_CHARACTERISTICS           0x93
#define NDIS_OBJECT_TYPE_PROVIDER_CHIMNEY_OFFLOAD_CHARACTERISTICS         0x94
#define NDIS_OBJECT_TYPE_STATUS_INDICATION                                0x98
#define NDIS_OBJECT_TYPE_MINIPORT_ADAPTER_OFFLOAD_ATTRIBUTES              0xA0
#define NDIS_OBJECT_TYPE_OFFLOAD                                          0xA7
#define NDIS_OBJECT_TYPE_OFFLOAD_ENCAPSULATION                            0xA8

#ifdef __cplusplus
}
#endif
#endif

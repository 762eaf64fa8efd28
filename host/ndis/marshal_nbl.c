/* Chains of packet lists handed over with a connection: counted and copied, never believed. */
#include "tree_internal.h"

#include <string.h>

#define CHAIN_MAX 65536u     /* lists of a chain, pieces of a packet */
#define BYTES_MAX (1u << 30) /* of a chain: more than any window */

/* Bytes from the packet's start to the end of its memory are enough for it. */
static bool packet_holds(const NET_BUFFER *packet)
{
    uint64_t have = 0;
    uint32_t skip = packet->CurrentMdlOffset, pieces = 0;

    for (const MDL *mdl = packet->CurrentMdl; mdl != NULL && have < packet->DataLength; mdl = mdl->Next) {
        if (skip > mdl->ByteCount || (mdl->ByteCount > 0 && mdl->MappedSystemVa == NULL) || ++pieces > CHAIN_MAX)
            return false;
        have += mdl->ByteCount - skip;
        skip = 0;
    }
    return have >= packet->DataLength;
}

bool nbl_chain_bytes(const NET_BUFFER_LIST *chain, uint32_t *bytes)
{
    uint64_t sum = 0;
    uint32_t lists = 0;

    *bytes = 0;
    for (const NET_BUFFER_LIST *list = chain; list != NULL; list = list->Next) {
        const NET_BUFFER *packet = list->FirstNetBuffer;
        if (++lists > CHAIN_MAX || packet == NULL || packet->Next != NULL || !packet_holds(packet))
            return false;
        sum += packet->DataLength;
        if (sum > BYTES_MAX)
            return false;
    }
    *bytes = (uint32_t)sum;
    return true;
}

void nbl_chain_copy(const NET_BUFFER_LIST *chain, uint8_t *out, uint32_t bytes)
{
    for (const NET_BUFFER_LIST *list = chain; list != NULL && bytes > 0; list = list->Next) {
        const NET_BUFFER *packet = list->FirstNetBuffer;
        uint32_t left = packet->DataLength < bytes ? packet->DataLength : bytes, skip = packet->CurrentMdlOffset;
        for (const MDL *mdl = packet->CurrentMdl; left > 0; mdl = mdl->Next) {
            uint32_t take = mdl->ByteCount - skip < left ? mdl->ByteCount - skip : left;
            memcpy(out, (const uint8_t *)mdl->MappedSystemVa + skip, take);
            out += take;
            left -= take;
            bytes -= take;
            skip = 0;
        }
    }
}

void nbl_advance(NET_BUFFER *packet, uint32_t bytes)
{
    packet->DataLength -= bytes;
    packet->DataOffset += bytes;
    packet->CurrentMdlOffset += bytes;
    while (packet->CurrentMdl != NULL && packet->CurrentMdl->Next != NULL &&
           packet->CurrentMdlOffset >= packet->CurrentMdl->ByteCount) {
        packet->CurrentMdlOffset -= packet->CurrentMdl->ByteCount;
        packet->CurrentMdl = packet->CurrentMdl->Next;
    }
}

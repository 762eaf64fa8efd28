/*
 * NDIS types at run time: bit fields, out-of-band slots, state structures one behind the other.  Offsets, sizes and values
 * are assertions of the compiler in ndis_layout.h; other compilers read the same list (ndis_layout_abi_test.py).
 */
#include "check.h"

#include <stdlib.h>
#include <string.h>
#include "ndis_layout.h"

/* ---- bit fields -------------------------------------------------------------------------------------------------- */

static uint64_t read_bits(const uint8_t *raw, unsigned byte, unsigned bit, unsigned n)
{
    uint64_t word = 0;
    for (unsigned i = 0; i < 8; i++)
        word |= (uint64_t)raw[byte + i] << (8 * i);
    return word >> bit & ((1ull << n) - 1);
}

/* TO-015, CH-005, CH-006, CH-011: every field, all-zero, all-one and walking-one, reads back and sets no other bit. */
TEST(every_bit_field_sits_where_the_tables_say)
{
    unsigned fields = 0;
#define STRUCT(from, type, x64, x86)
#define FIELD(from, type, member, x64, x86, size)
#define VALUE(from, name, value)
#define BITS(from, type, member, byte, bit, n)                                                                                 \
    do {                                                                                                                       \
        union {                                                                                                                \
            type object;                                                                                                       \
            uint8_t raw[64];                                                                                                   \
        } u;                                                                                                                   \
        for (unsigned at = 0; at <= (n) + 1u; at++) {                                                                          \
            uint32_t value = at < (n) ? 1u << at : at == (n) ? (1u << (n)) - 1u : 0u;                                          \
            memset(&u, 0, sizeof u);                                                                                           \
            u.object.member = value & ((1u << (n)) - 1u);                                                                      \
            CHECK_EQ(read_bits(u.raw, byte, bit, n), value);                                                                   \
            unsigned set = 0;                                                                                                  \
            for (unsigned i = 0; i < sizeof u.raw; i++)                                                                        \
                set += (unsigned)__builtin_popcount(u.raw[i]);                                                                 \
            CHECK_EQ(set, __builtin_popcount(value));                                                                          \
            memset(&u, 0xFF, sizeof u);                                                                                        \
            u.object.member = value & ((1u << (n)) - 1u);                                                                      \
            CHECK_EQ(u.object.member, value);                                                                                  \
            CHECK_EQ(read_bits(u.raw, byte, bit, n), value);                                                                   \
        }                                                                                                                      \
        fields++;                                                                                                              \
    } while (0);
#include "ndis_layout.def"
#undef STRUCT
#undef FIELD
#undef VALUE
#undef BITS
    CHECK(fields > 90);
}

/* ---- slots ------------------------------------------------------------------------------------------------------- */

/* TO-016: 802.1Q out of band and on the wire have the same fields in another order. */
TEST(a_tag_control_word_keeps_its_fields_in_both_orders)
{
    for (uint32_t tci = 0; tci <= 0xFFFF; tci++) {
        NDIS_NET_BUFFER_LIST_8021Q_INFO info = {.Value = NULL};
        info.TagHeader.UserPriority = tci >> 13 & 7u;
        info.TagHeader.CanonicalFormatId = tci >> 12 & 1u;
        info.TagHeader.VlanId = tci & 0xFFFu;
        CHECK_EQ(flue_ndis_vlan_from_tci((uint16_t)tci), (uint32_t)(uintptr_t)info.Value);
        CHECK_EQ(flue_ndis_vlan_to_tci((uint32_t)(uintptr_t)info.Value), tci);
    }
}

/* TO-017: a slot is a pointer wide and carries 32 bits in its low half, whichever of its two meanings is used. */
TEST(a_slot_carries_its_word_in_the_low_half)
{
    NET_BUFFER_LIST nbl;
    memset(&nbl, 0, sizeof nbl);
    for (unsigned slot = 0; slot < MaxNetBufferListInfo; slot++) {
        flue_ndis_slot_set(&nbl, (NDIS_NET_BUFFER_LIST_INFO)slot, 0x80000000u + slot);
        CHECK_EQ((uintptr_t)NET_BUFFER_LIST_INFO(&nbl, slot), 0x80000000u + slot);
    }
    for (unsigned slot = 0; slot < MaxNetBufferListInfo; slot++)
        CHECK_EQ(flue_ndis_slot(&nbl, (NDIS_NET_BUFFER_LIST_INFO)slot), 0x80000000u + slot);
    NDIS_TCP_LARGE_SEND_OFFLOAD_NET_BUFFER_LIST_INFO lso = {.Value = NULL};
    lso.LsoV2Transmit.MSS = 1460;
    lso.LsoV2Transmit.TcpHeaderOffset = 54;
    lso.LsoV2Transmit.Type = NDIS_TCP_LARGE_SEND_OFFLOAD_V2_TYPE;
    CHECK_EQ((uintptr_t)lso.Value, 0x40000000u | 54u << 20 | 1460u);
}

/* ---- state ------------------------------------------------------------------------------------------------------- */

struct tree {
    NDIS_MINIPORT_OFFLOAD_BLOCK_LIST node;
    uint8_t state[sizeof(TCP_OFFLOAD_STATE_CONST) + sizeof(TCP_OFFLOAD_STATE_CACHED) + sizeof(TCP_OFFLOAD_STATE_DELEGATED)];
};

/* CH-009: behind CONST (24) and CACHED (44) the delegated state lies on a 4-byte boundary; it is walked to and copied. */
TEST(state_is_walked_by_length_and_read_on_any_boundary)
{
    struct tree *tree = calloc(1, sizeof *tree);
    TCP_OFFLOAD_STATE_CONST constant = {.Header.Length = sizeof constant, .RemoteMss = 1460};
    TCP_OFFLOAD_STATE_CACHED cached = {.Header.Length = sizeof cached, .TtlOrHopLimit = 64};
    TCP_OFFLOAD_STATE_DELEGATED delegated = {.Header.Length = sizeof delegated, .CWnd = 0xFFFFFFFF, .DWnd = 7}, read;
    TCP_OFFLOAD_STATE_CACHED c;
    CHECK(tree != NULL);
    memcpy(tree->state, &constant, sizeof constant);
    memcpy(tree->state + sizeof constant, &cached, sizeof cached);
    memcpy(tree->state + sizeof constant + sizeof cached, &delegated, sizeof delegated);

    const uint8_t *at = flue_ndis_state_first(&tree->node);
    CHECK(at == tree->state);
    at = flue_ndis_state_next(at);
    CHECK_EQ(at - tree->state, 24);
    CHECK(flue_ndis_state_copy(&c, sizeof c, at, sizeof c));
    CHECK_EQ(c.TtlOrHopLimit, 64);
    at = flue_ndis_state_next(at);
    CHECK_EQ(at - tree->state, 68);
    CHECK_EQ((uintptr_t)at % 8, 4);
    CHECK(flue_ndis_state_copy(&read, sizeof read, at, FLUE_NDIS_TCP_DELEGATED_LENGTH_60));
    CHECK_EQ(memcmp(&read, &delegated, sizeof read), 0);
    free(tree);
}

/* CH-007: Length says whether DWnd is there; a structure that is too short is not read. */
TEST(delegated_state_has_dwnd_only_when_its_length_covers_it)
{
    uint8_t *at = malloc(FLUE_NDIS_TCP_DELEGATED_LENGTH_60); /* the sanitizer sees a read beyond it */
    TCP_OFFLOAD_STATE_DELEGATED read;
    CHECK(at != NULL);
    CHECK_EQ(FLUE_NDIS_TCP_DELEGATED_LENGTH_60, PICK(120, 108));
    CHECK_EQ(FLUE_NDIS_TCP_DELEGATED_LENGTH_61, PICK(128, 112));
    memset(at, 0x11, FLUE_NDIS_TCP_DELEGATED_LENGTH_60);
    uint32_t length = FLUE_NDIS_TCP_DELEGATED_LENGTH_60;
    memcpy(at, &length, sizeof length);
    memset(&read, 0xEE, sizeof read);
    CHECK(flue_ndis_state_copy(&read, sizeof read, at, FLUE_NDIS_TCP_DELEGATED_LENGTH_60));
    CHECK_EQ(read.CWnd, 0x11111111);
    CHECK_EQ(read.DWnd, 0);
    length--;
    memcpy(at, &length, sizeof length);
    memset(&read, 0xEE, sizeof read);
    CHECK(!flue_ndis_state_copy(&read, sizeof read, at, FLUE_NDIS_TCP_DELEGATED_LENGTH_60));
    CHECK_EQ(read.CWnd, 0xEEEEEEEE);
    free(at);
}

/* CH-002: a protocol node may be overlaid on a miniport node: equal from ProtocolReserved on. */
TEST(the_two_views_of_a_node_agree_from_protocol_reserved_on)
{
#define SAME(member)                                                                                                           \
    CHECK_EQ(offsetof(NDIS_MINIPORT_OFFLOAD_BLOCK_LIST, member), offsetof(NDIS_PROTOCOL_OFFLOAD_BLOCK_LIST, member))
    SAME(ProtocolReserved);
    SAME(MiniportReserved);
    SAME(ImReserved);
    SAME(Scratch);
    SAME(SourceHandle);
    SAME(PortNumber);
    SAME(NetBufferListChain);
    SAME(Status);
#undef SAME
    CHECK_EQ(sizeof(NDIS_MINIPORT_OFFLOAD_BLOCK_LIST), sizeof(NDIS_PROTOCOL_OFFLOAD_BLOCK_LIST));
}

/* ---- names ------------------------------------------------------------------------------------------------------- */

/* CH-014, TO-003: a value in a message is written with its published name. */
TEST(statuses_oids_and_enumerators_have_their_published_names)
{
#define STRUCT(from, type, x64, x86)
#define FIELD(from, type, member, x64, x86, size)
#define BITS(from, type, member, byte, bit, n)
#define VALUE(from, name, value)                                                                                               \
    if (strncmp(#name, "NDIS_STATUS_", 12) == 0)                                                                               \
        CHECK(strcmp(flue_ndis_status_name((NDIS_STATUS)(name)), #name) == 0);                                                 \
    if (strncmp(#name, "OID_", 4) == 0)                                                                                        \
        CHECK(strcmp(flue_ndis_oid_name((uint32_t)(name)), #name) == 0);
#include "ndis_layout.def"
#undef STRUCT
#undef FIELD
#undef VALUE
#undef BITS
    CHECK(strcmp(flue_ndis_status_name(0x12345678), "NDIS_STATUS_?") == 0);
    CHECK(flue_ndis_oid_name(0x12345678) == NULL);
    CHECK(strcmp(flue_ndis_state_type_name(17), "TcpOffloadState") == 0);
    CHECK(strcmp(flue_ndis_state_type_name(18), "?") == 0);
    CHECK(strcmp(flue_ndis_connection_state_name(4), "TcpConnectionEstablished") == 0);
    CHECK(strcmp(flue_ndis_event_name(3), "TcpIndicateRetrieve") == 0);
    CHECK(strcmp(flue_ndis_upload_reason_name(11), "HardwareFailure") == 0);
    CHECK(strcmp(flue_ndis_upload_reason_name(12), "?") == 0);
}

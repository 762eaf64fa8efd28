/*
 * The TAP's packet header and frame, as the driver reads them in both directions.
 *
 * Input: 2 bytes of switches, 12 of header, then the frame.  Nothing outside the frame is touched, what is sent keeps to the
 * adapter's limits, and segments cut in software carry every payload byte once.
 */
#include <stdlib.h>
#include <string.h>
#include "flue/linux.h"

static void require(bool truth)
{
    if (!truth)
        abort();
}

static void send_side(const struct flue_config *config, const struct flue_vnet *vnet, uint8_t *frame, size_t len)
{
    struct flue_tx_packet packet = {0};
    struct flue_soft_gso gso;
    uint8_t header[FLUE_SOFT_HDR_MAX];

    switch (flue_vnet_to_packet(config, vnet, frame, len, &packet)) {
    case FLUE_SEND:
        require(!packet.generic || (size_t)packet.csum_start + packet.csum_offset + 2 <= len);
        if (packet.lso != 0) {
            uint32_t l4 = packet.lso >> FLUE_SLOT_PACKET_LSO_TCP_OFF_SHIFT & 0x3FF;
            require((packet.lso & FLUE_SLOT_PACKET_LSO_MSS_MASK) != 0 && l4 + 20 <= 128 && l4 + 20 < len);
        }
        break;
    case FLUE_SOFT_CSUM:
        require(flue_soft_csum(vnet, frame, len) == FLUE_OK);
        break;
    case FLUE_SOFT_SEGMENT:
        if (flue_soft_begin(vnet, frame, len, &gso) != FLUE_OK)
            break;
        size_t payload = 0;
        for (unsigned i = 0; i < gso.segments; i++) {
            uint32_t at, bytes;
            flue_soft_segment(&gso, i, header, &at, &bytes);
            require(bytes > 0 && bytes <= gso.mss && at == gso.payload + payload);
            payload += bytes;
        }
        require(gso.payload + payload == len);
        break;
    case FLUE_DROP:
        break;
    }
}

static void receive_side(uint32_t word, uint8_t *frame, size_t len)
{
    struct flue_rx_done done = {.len_bytes = (uint32_t)len, .csum = word & 0x3F, .l4_offset = (uint16_t)(word >> 6 & 0x3FF)};
    struct flue_vnet vnet;

    if (flue_vnet_from_rx(&done, frame, &vnet))
        require((size_t)vnet.csum_start + vnet.csum_offset + 2 <= len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct flue_config config = {.max_offload_bytes = 65535};
    struct flue_vnet vnet;

    if (size < 2 + FLUE_VNET_BYTES + 1 || size > 70000)
        return 0;
    uint32_t switches = (uint32_t)data[0] | (uint32_t)data[1] << 8;
    for (unsigned i = 0; i < FLUE_SW_COUNT; i++)
        config.way[i] = switches >> i & 1                                ? FLUE_WAY_OFF
                        : flue_switch_has_direction((enum flue_switch)i) ? FLUE_WAY_BOTH
                                                                         : FLUE_WAY_ON;
    flue_vnet_load(&vnet, data + 2);
    size_t len = size - 2 - FLUE_VNET_BYTES;
    uint8_t *frame = malloc(len);
    require(frame != NULL);
    memcpy(frame, data + 2 + FLUE_VNET_BYTES, len);
    send_side(&config, &vnet, frame, len);
    memcpy(frame, data + 2 + FLUE_VNET_BYTES, len);
    receive_side(switches, frame, len);
    free(frame);
    return 0;
}

// Types that cross a block boundary of the adapter.
//
// Offsets count bytes from the first byte of the frame; values are in host
// (not wire) byte order once they are in a field here.  Clauses: TO-nnn and
// section numbers are those of docs/spec/task-offload.md.
package flue_pkg;

  localparam int LEN_W   = 17;            // length of a host frame or super-segment, bytes
  localparam int SLOT_W  = 16;            // free-running index of a ring slot
  localparam int HDR_MAX = 128;           // largest LSO template, bytes (section 2.3)

  // Outcome of one transmit request or receive buffer; in its completion event.
  typedef enum logic [4:0] {
    ST_OK            = 5'd0,
    ST_BAD_SLOT      = 5'd1,              // unknown kind, reserved bit set, FRAG without PACKET
    ST_BAD_LENGTH    = 5'd2,              // a length of 0, or fragments that do not sum to the packet
    ST_BAD_REGION    = 5'd3,              // outside a registered region, or region not valid
    ST_CHAIN         = 5'd4,              // chain that does not end, or ends at the tail
    ST_DMA_READ      = 5'd5,              // the bus answered a read with an error
    ST_DMA_WRITE     = 5'd6,              // the bus answered a write with an error
    ST_BAD_REQUEST   = 5'd7,              // both IP flags, both L4 flags, version mismatch (TO-027)
    ST_BAD_OFFSET    = 5'd8,              // header or checksum offset outside the frame, or odd
    ST_FRAGMENT      = 5'd9,              // L4 checksum or LSO asked for an IP fragment (TO-027, TO-068)
    ST_DISABLED      = 5'd10,             // offload not enabled in the configuration (TO-028, TO-074)
    ST_LSO_MSS       = 5'd11,             // MSS 0 (TO-067)
    ST_LSO_HEADER    = 5'd12,             // template over 128 bytes or not TCP (TO-063)
    ST_LSO_FLAGS     = 5'd13,             // SYN, RST or URG in the template (TO-068)
    ST_LSO_LENGTH    = 5'd14,             // payload 0 or above MaxOffLoadSize (TO-067)
    ST_TOO_LONG      = 5'd15,             // frame over the frame limit, or over the receive buffer
    ST_ABORTED       = 5'd16,             // returned by drain or reset, nothing was done
    ST_NOT_TAKEN     = 5'd17,             // forwarded: its connection takes nothing now
    ST_NO_ROOM       = 5'd18,             // forwarded: the receive path had no room, forward it again
    ST_NO_SEGMENT    = 5'd19,             // forwarded: not a whole TCP segment with right checksums
    ST_WRONG_CONN    = 5'd20              // forwarded: not a segment of the connection with this handle
  } status_e;

  // What the parser says of a frame (rtl/parse/).  Fields of a layer that is
  // absent are 0.  The record is given before the frame's end is known: a user
  // that needs it compares l3_end with the length of the frame itself, and
  // pay_off (l4_off) with l3_end.
  typedef struct packed {
    logic        trunc;                   // the frame ends inside a header it announced
    logic        bad_hdr;                 // impossible: IP version, IHL < 5, data offset < 5, UDP length; or over 128 bytes of extensions
    logic [1:0]  vlan_count;              // tags skipped, 0 to 2
    logic [15:0] vlan_tci;                // outer tag
    logic        vlan_stag;               // outer tag is a service tag (0x88A8), not 0x8100
    logic        is_ipv4;
    logic        is_ipv6;
    logic        ip_frag;                 // IPv4 MF or offset nonzero; any IPv6 Fragment header (TO-039)
    logic        ip_opts;                 // IPv4 options, or IPv6 extension headers
    logic        ip_route;                // IPv6 Routing header with segments left: final destination is not in the IP header
    logic        is_tcp;                  // L4 header found and TCP; never for a fragment
    logic        is_udp;
    logic        tcp_opts;
    logic        udp_no_csum;             // UDP checksum field is 0
    logic [8:0]  tcp_flags;               // NS CWR ECE URG ACK PSH RST SYN FIN
    logic [7:0]  proto;                   // IPv4 protocol or last IPv6 next header
    logic [7:0]  l3_off;                  // 14, 18 or 22
    logic [9:0]  l4_off;                  // first byte after the IP header and its options/extensions
    logic [9:0]  pay_off;                 // first byte after the TCP or UDP header, l4_off if there is neither
    logic [16:0] l3_end;                  // first byte after the IP datagram, from its length field
  } hdr_t;

  // Transmit request as the queue took it from a PACKET slot.
  typedef struct packed {
    status_e           status;            // not ST_OK: emit nothing, complete with this
    logic [SLOT_W-1:0] slot;              // index of the slot after the packet's last one
    logic [LEN_W-1:0]  length;            // bytes of the whole packet
    logic [31:0]       lso;               // section 2.3, transmit view; 0 = no LSO
    logic              ipv4;              // section 2.2, transmit view
    logic              ipv6;
    logic              tcp_csum;
    logic              udp_csum;
    logic              ip_csum;
    logic [9:0]        tcp_off;           // TcpHeaderOffset
    logic              generic;           // sum from csum_start to the frame's end instead
    logic [15:0]       csum_start;
    logic [5:0]        csum_offset;       // from csum_start
    logic              vlan;              // insert vlan_tci
    logic [15:0]       vlan_tci;
  } tx_req_t;

  // Transmit switches (register TX_CFG) that requests are checked against.
  typedef struct packed {
    logic              ip4_csum;
    logic              tcp4_csum;
    logic              udp4_csum;
    logic              tcp6_csum;
    logic              udp6_csum;
    logic              lso_v1;
    logic              lso_v2_ipv4;
    logic              lso_v2_ipv6;
    logic              vlan_insert;
    logic              id_15bit;          // LSOv2 identification counts modulo 0x8000
    logic [LEN_W-1:0]  max_offload;       // largest LSO payload, bytes
    logic [13:0]       max_frame;         // largest frame on the wire without inserted tag and FCS, bytes
  } tx_cfg_t;

  // Checksum work on one frame of the wire (rtl/csum/flue_csum_insert.sv).
  typedef struct packed {
    logic              ip_en;             // IPv4 header checksum: field taken as 0
    logic [7:0]        ip_start;          // first byte of the IPv4 header, even
    logic [3:0]        ip_ihl;            // 32-bit words
    logic              l4_en;
    logic [15:0]       l4_start;          // first byte summed, even
    logic [15:0]       l4_pos;            // where the sum is stored, even
    logic [16:0]       l4_end;            // first byte no longer summed; beyond the frame = its end
    logic [15:0]       l4_seed;           // added to the sum (LSO: TCP length)
    logic              l4_udp;            // a result of 0 is stored as 0xFFFF
  } csum_cmd_t;

  // What LSO does with one request (made by flue_tx_check).
  typedef struct packed {
    logic              drop;              // consume the packet, emit no frame
    logic              lso;               // cut; else pass through
    logic              v6;
    logic              id_15bit;
    logic [15:0]       mss;               // payload bytes per segment
    logic [7:0]        hdr_len;           // template bytes, 54 to 128
    logic [7:0]        l3_off;
    logic [7:0]        l4_off;
    logic [LEN_W-1:0]  pay_len;           // payload bytes of the whole request
    csum_cmd_t         csum;              // for the frame, or (lso) for every segment: ip_* and l4_* of a plain
                                          // TCP request, l4_end beyond any frame, l4_seed 0 (flue_lso sets it)
  } lso_cmd_t;

  // Travels with each transmitted frame to the wire port and back to the queue.
  typedef struct packed {
    logic              engine;            // the TCP engine's: `slot` is the row of its connection, the queue takes no notice
    logic              turn;              // engine: data or FIN, else a pure ACK or RST; queue: forwarded, not for the wire
    logic              eor;               // last frame of its request, or the request without frame
    logic              empty;             // no frame belongs to this tag
    status_e           status;
    logic [SLOT_W-1:0] slot;
    logic              lso;
    logic              lso_v2;
    logic [LEN_W-1:0]  payload;           // LSO payload bytes sent by the request so far
    logic              vlan;
    logic [15:0]       vlan_tci;
  } tx_tag_t;

  // Receive switches (register RX_CFG).  Each csum bit is already the AND of
  // configuration and encapsulation activation (section 3.1.3).
  typedef struct packed {
    logic              ip4_csum;
    logic              tcp4_csum;
    logic              udp4_csum;
    logic              tcp6_csum;
    logic              udp6_csum;
    logic              ip_opts;           // IpOptionsSupported enabled
    logic              ip6_ext;           // IpExtensionHeadersSupported enabled
    logic              tcp_opts;          // TcpOptionsSupported enabled
    logic              vlan_strip;        // move the outer tag out of band
    logic [13:0]       max_frame;         // longer frames (tag not counted) are dropped, bytes
  } rx_cfg_t;

  // Receive checksum results, bit order of section 2.2 (bit 0 = TcpChecksumFailed).
  typedef struct packed {
    logic ip_value_invalid;               // 8: always 0 without coalescing
    logic tcp_value_invalid;              // 7: always 0 without coalescing
    logic loopback;                       // 6: never set (TO-046)
    logic ip_ok;
    logic udp_ok;
    logic tcp_ok;
    logic ip_bad;
    logic udp_bad;
    logic tcp_bad;                        // 0
  } rx_csum_t;

  // Travels with a received frame from the park FIFO to its completion event.
  typedef struct packed {
    logic [13:0] length;                  // bytes after tag removal
    rx_csum_t    csum;
    logic        vlan;                    // a tag was removed
    logic [15:0] vlan_tci;
    logic        is_ipv6;
    logic [9:0]  l4_off;                  // after tag removal; 0 when no TCP or UDP header was found
  } rx_meta_t;

  // What the receive queue tells of a diverted frame, or as a marker (event_divert in flue_layout.rdl).
  typedef struct packed {
    logic        gap;                     // frames of the connection were lost since the number before
    logic [15:0] index;                   // row of the connection
    logic [13:0] generation;
    logic [31:0] number;                  // of the frame, from 1 on; of the marker, as the firmware gave it
  } rx_note_t;

  // One DMA access: a contiguous piece of one registered region.
  typedef struct packed {
    logic [7:0]       region;
    logic [31:0]      offset;             // bytes into the region
    logic [LEN_W-1:0] length;             // bytes, at least 1
  } dma_req_t;

  // What a received TCP segment is looked up by (rtl/lookup/flue_tables.sv).  Addresses in memory
  // order: byte 0, the first on the wire, in bits 7:0, so that bits 31:0 are word 0 of the address
  // in a row; IPv4 has bits 31:0 only, the rest zero.  Ports in host order.
  typedef struct packed {
    logic         ipv6;
    logic         vlan_valid;             // the frame has a tag
    logic [11:0]  vlan;                   // its VLAN id, 0 without tag
    logic [127:0] local_addr;             // destination of the frame
    logic [127:0] remote_addr;            // source of the frame
    logic [15:0]  local_port;
    logic [15:0]  remote_port;
  } lookup_key_t;

  // What was found.  Without `hit` only path_hit and bad mean something.
  typedef struct packed {
    logic         hit;                    // a connection
    logic         path_hit;               // at least a path
    logic         bad;                    // a row failed its check on the way: no connection was found, but there may be one
    logic         invalid;                // invalidated
    logic [3:0]   row_state;              // row_state_e of the connection
    logic [13:0]  generation;
    logic [15:0]  index;                  // row of the connection
    logic [15:0]  path;                   // row of its path
  } lookup_rsp_t;

  // One's-complement addition of two 16-bit sums.
  function automatic logic [15:0] oc_add(input logic [15:0] a, input logic [15:0] b);
    logic [16:0] s;
    s = {1'b0, a} + {1'b0, b};
    return s[15:0] + {15'b0, s[16]};
  endfunction

  // Successor in the longest sequence of a shift register of `width` bits (2 to 16),
  // for pointers of large memories: one LUT where a counter takes one a bit.  The
  // sequence has 2^width - 1 values; 0 is one, all ones is not; the one before 0 has
  // only its top bit set.  The caller drops the bits above `width`.
  function automatic logic [15:0] lfsr_next(input logic [15:0] q, input int width);
    logic [15:0] taps;
    case (width)
      2:       taps = 16'h0003;
      3:       taps = 16'h0006;
      4:       taps = 16'h000C;
      5:       taps = 16'h0014;
      6:       taps = 16'h0030;
      7:       taps = 16'h0060;
      8:       taps = 16'h00B8;
      9:       taps = 16'h0110;
      10:      taps = 16'h0240;
      11:      taps = 16'h0500;
      12:      taps = 16'h0829;
      13:      taps = 16'h100D;
      14:      taps = 16'h2015;
      15:      taps = 16'h6000;
      default: taps = 16'hD008;
    endcase
    return {q[14:0], ~^(q & taps)};
  endfunction

endpackage

// Decides what a transmit request becomes: legal or not, cut or passed, which sums.
//
// Contract: combinational.  status_o is ST_OK or why nothing is emitted; cmd_o.drop says
// the same.  The first reason in this order is given:
//   1. the queue's own status
//   2. a frame of under 14 bytes: ST_BAD_LENGTH
//   3. both IP flags, two kinds of L4 checksum, an IPv4 header checksum for IPv6 (TO-027),
//      or an IP version that the frame does not have: ST_BAD_REQUEST
//   4. an offload that is not enabled (TO-028, TO-074): ST_DISABLED
//   5. an L4 checksum or LSO for a fragment (TO-027, TO-068): ST_FRAGMENT
//   6. LSO: MSS 0 (TO-067): ST_LSO_MSS; no whole TCP header, or headers of over 128 bytes (TO-063):
//      ST_LSO_HEADER; SYN, RST or URG (TO-068): ST_LSO_FLAGS
//   7. a header or checksum field outside the IP datagram or the frame, at an odd offset, or
//      (LSO) not where the frame has it: ST_BAD_OFFSET
//   8. LSO: payload of 0, over MaxOffLoadSize, or beyond the packet (TO-067): ST_LSO_LENGTH
//   9. a frame over max_frame, tags in it not counted: ST_TOO_LONG
// With neither IP flag, no `generic` and no LSO word the frame is not looked into (TO-018).
// LSO ignores the checksum bits and their switches (TO-075).  Payload of LSOv1 ends where the
// IPv4 total length says (TO-053), of LSOv2 with the packet (TO-052).  A TCP checksum starts
// at tcp_off (TO-025), a UDP one where the parser found UDP (TO-022); both end with the IP
// datagram (TO-024).  A generic sum runs to the frame's end and needs all four TCP and UDP
// switches, because it does not say what it sums; stored at offset 6 it is taken for UDP,
// where a result of 0 is sent as 0xFFFF.
module flue_tx_check
  import flue_pkg::*;
(
  input  tx_req_t  req_i,
  input  hdr_t     hdr_i,
  input  tx_cfg_t  cfg_i,

  output lso_cmd_t cmd_o,
  output status_e  status_o
);

  // ---- what is asked for ----

  // The LSO word of section 2.3.
  logic        lso, v2, v6;
  logic [19:0] mss;
  logic [9:0]  lso_off;

  assign lso     = req_i.lso != 32'd0;
  assign mss     = req_i.lso[19:0];
  assign lso_off = req_i.lso[29:20];
  assign v2      = req_i.lso[30];
  assign v6      = v2 && req_i.lso[31];

  logic any_ip, ip_csum, tcp_csum, udp_csum, generic, l4_csum;

  assign any_ip   = !lso && (req_i.ipv4 || req_i.ipv6);
  assign ip_csum  = any_ip && req_i.ip_csum;
  assign tcp_csum = any_ip && req_i.tcp_csum;
  assign udp_csum = any_ip && req_i.udp_csum;
  assign generic  = !lso && req_i.generic;
  assign l4_csum  = tcp_csum || udp_csum || generic;

  // ---- versions and switches ----

  logic bad_request, disabled;

  always_comb begin
    if (lso) bad_request = (req_i.ipv4 && req_i.ipv6) || req_i.generic || (v6 ? !hdr_i.is_ipv6 : !hdr_i.is_ipv4);
    else     bad_request = (req_i.ipv4 && req_i.ipv6)
                           || (tcp_csum && udp_csum) || (generic && (tcp_csum || udp_csum))
                           || (ip_csum && req_i.ipv6)
                           || ((ip_csum || tcp_csum || udp_csum) && (req_i.ipv6 ? !hdr_i.is_ipv6 : !hdr_i.is_ipv4));

    if (lso) disabled = v2 ? (v6 ? !cfg_i.lso_v2_ipv6 : !cfg_i.lso_v2_ipv4) : !cfg_i.lso_v1;
    else     disabled = (ip_csum && !cfg_i.ip4_csum)
                        || (tcp_csum && (req_i.ipv6 ? !cfg_i.tcp6_csum : !cfg_i.tcp4_csum))
                        || (udp_csum && (req_i.ipv6 ? !cfg_i.udp6_csum : !cfg_i.udp4_csum))
                        || (generic && !(cfg_i.tcp4_csum && cfg_i.udp4_csum && cfg_i.tcp6_csum && cfg_i.udp6_csum));
  end

  // ---- places ----

  // Where the L4 sum starts and where it is stored; and that both are inside.
  logic [15:0] l4_start;
  logic [5:0]  field_off;
  logic [16:0] l4_pos;
  logic        datagram_inside, field_inside, bad_offset;

  always_comb begin
    if (generic)       {l4_start, field_off} = {req_i.csum_start, req_i.csum_offset};
    else if (udp_csum) {l4_start, field_off} = {6'd0, hdr_i.l4_off, 6'd6};
    else if (lso)      {l4_start, field_off} = {6'd0, hdr_i.l4_off, 6'd16};
    else               {l4_start, field_off} = {6'd0, req_i.tcp_off, 6'd16};
  end

  assign l4_pos          = 17'(l4_start) + 17'(field_off);
  assign datagram_inside = hdr_i.l3_end <= req_i.length;
  assign field_inside    = l4_pos + 17'd2 <= (generic ? req_i.length : hdr_i.l3_end);

  always_comb begin
    bad_offset = 1'b0;
    if (lso) bad_offset = lso_off != hdr_i.l4_off;
    if (ip_csum || tcp_csum || udp_csum)          // the whole IP header was read
      bad_offset = hdr_i.l4_off == 10'd0 || !datagram_inside;
    if (l4_csum && (!field_inside || l4_start[0] || field_off[0])) bad_offset = 1'b1;
    if (udp_csum && (!hdr_i.is_udp || hdr_i.bad_hdr || 17'(hdr_i.pay_off) > hdr_i.l3_end)) bad_offset = 1'b1;
  end

  // ---- lengths ----

  logic [LEN_W:0]   pay_len;            // the sign tells that the headers do not fit
  logic [LEN_W-1:0] limit;
  logic             bad_payload, too_long;

  assign pay_len     = (LEN_W+1)'(v2 ? req_i.length : hdr_i.l3_end) - (LEN_W+1)'(hdr_i.pay_off);
  assign bad_payload = pay_len[LEN_W] || pay_len[LEN_W-1:0] == '0 || pay_len[LEN_W-1:0] > cfg_i.max_offload
                       || (!v2 && !datagram_inside);
  assign limit       = LEN_W'(cfg_i.max_frame) + LEN_W'({hdr_i.vlan_count, 2'b00});
  assign too_long    = req_i.length > limit && !(lso && mss[19:16] == 4'd0
                                                 && LEN_W'(mss[15:0]) + LEN_W'(hdr_i.pay_off) <= limit);

  // ---- the verdict ----

  always_comb begin
    status_o = ST_OK;
    if (req_i.status != ST_OK)                                  status_o = req_i.status;
    else if (req_i.length < LEN_W'(14))                         status_o = ST_BAD_LENGTH;
    else if (bad_request)                                       status_o = ST_BAD_REQUEST;
    else if (disabled)                                          status_o = ST_DISABLED;
    else if ((lso || l4_csum) && hdr_i.ip_frag)                 status_o = ST_FRAGMENT;
    else if (lso && mss == 20'd0)                               status_o = ST_LSO_MSS;
    else if (lso && (!hdr_i.is_tcp || hdr_i.trunc || hdr_i.pay_off > 10'(HDR_MAX)))
                                                                status_o = ST_LSO_HEADER;
    else if (lso && (hdr_i.tcp_flags & 9'h026) != 9'd0)         status_o = ST_LSO_FLAGS;
    else if (bad_offset)                                        status_o = ST_BAD_OFFSET;
    else if (lso && bad_payload)                                status_o = ST_LSO_LENGTH;
    else if (too_long)                                          status_o = ST_TOO_LONG;
  end

  // ---- the work ----

  always_comb begin
    cmd_o = '{
      drop:     status_o != ST_OK,
      lso:      lso,
      v6:       v6,
      id_15bit: v2 && cfg_i.id_15bit,
      mss:      mss[19:16] != 4'd0 ? 16'hFFFF : mss[15:0],
      hdr_len:  hdr_i.pay_off[7:0],
      l3_off:   hdr_i.l3_off,
      l4_off:   hdr_i.l4_off[7:0],
      pay_len:  pay_len[LEN_W-1:0],
      csum: '{
        ip_en:    lso ? !v6 : ip_csum,
        ip_start: hdr_i.l3_off,
        ip_ihl:   hdr_i.l4_off[5:2] - hdr_i.l3_off[5:2],
        l4_en:    lso || l4_csum,
        l4_start: l4_start,
        l4_pos:   l4_pos[15:0],
        l4_end:   lso || generic ? '1 : hdr_i.l3_end,
        l4_seed:  16'd0,
        l4_udp:   udp_csum || (generic && field_off == 6'd6)
      }
    };
  end

endmodule

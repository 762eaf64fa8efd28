// Decides what a transmit request becomes: legal or not, cut or passed, which sums.
//
// Contract: from ask_i to next_i the inputs stand still (ask_i need not stay high); done_o
// says that the answer is there, and stays until next_i (a new question may follow at once).  status_o
// is ST_OK or why nothing is emitted; cmd_o.drop says the same.  The first reason in this
// order is given:
//   1. the queue's own status
//   2. a frame of under 14 bytes: ST_BAD_LENGTH
//   3. both IP flags, two kinds of L4 checksum, an IPv4 header checksum for IPv6 (TO-027),
//      or an IP version that the frame does not have: ST_BAD_REQUEST
//   4. an offload that is not enabled (TO-028, TO-074): ST_DISABLED
//   5. an L4 checksum or LSO for a fragment (TO-027, TO-068): ST_FRAGMENT
//   6. LSO: MSS 0 (TO-067): ST_LSO_MSS; no whole TCP header, or headers of over 128 bytes (TO-063):
//      ST_LSO_HEADER; SYN, RST or URG (TO-068): ST_LSO_FLAGS
//   7. a header or checksum field outside the IP datagram or the frame (from byte 32,768 in
//      any case), at an odd offset, or (LSO) not where the frame has it: ST_BAD_OFFSET
//   8. LSO: payload of 0, over MaxOffLoadSize, or beyond the packet (TO-067): ST_LSO_LENGTH
//   9. a frame over max_frame, tags in it not counted, or (LSO) headers and MSS that would
//      be: ST_TOO_LONG
// With neither IP flag, no `generic` and no LSO word the frame is not looked into (TO-018).
// LSO ignores the checksum bits and their switches (TO-075).  Payload of LSOv1 ends where the
// IPv4 total length says (TO-053), of LSOv2 with the packet (TO-052).  A TCP checksum starts
// at tcp_off (TO-025), a UDP one where the parser found UDP (TO-022); both end with the IP
// datagram (TO-024).  A generic sum runs to the frame's end and needs all four TCP and UDP
// switches, because it does not say what it sums; stored at offset 6 it is taken for UDP,
// where a result of 0 is sent as 0xFFFF.
// Latency: 3 cycles.
module flue_tx_check
  import flue_pkg::*;
(
  input  logic     clk,
  input  logic     rst,

  input  tx_cfg_t  cfg_i,

  input  logic     ask_i,
  input  logic     next_i,
  input  tx_req_t  req_i,
  input  hdr_t     hdr_i,

  output logic     done_o,
  output lso_cmd_t cmd_o,
  output status_e  status_o
);

  // ---- stage 1: what is asked for ----

  // The LSO word of section 2.3.
  logic        v2, v6;
  logic [19:0] mss;
  logic [9:0]  lso_off;

  assign mss     = req_i.lso[19:0];
  assign lso_off = req_i.lso[29:20];
  assign v2      = req_i.lso[30];
  assign v6      = v2 && req_i.lso[31];

  logic asked_q, lso_q, ip_q, tcp_q, udp_q, generic_q, lso_or_udp_q, l4_q;
  logic lso, any_ip;

  assign lso    = req_i.lso != 32'd0;
  assign any_ip = !lso && (req_i.ipv4 || req_i.ipv6);

  always_ff @(posedge clk) begin
    asked_q      <= ask_i && !next_i;
    lso_q        <= lso;
    ip_q         <= any_ip && req_i.ip_csum;
    tcp_q        <= any_ip && req_i.tcp_csum;
    udp_q        <= any_ip && req_i.udp_csum;
    generic_q    <= !lso && req_i.generic;
    lso_or_udp_q <= lso || (any_ip && req_i.udp_csum);
    l4_q         <= !lso && (req_i.generic || ((req_i.ipv4 || req_i.ipv6) && (req_i.tcp_csum || req_i.udp_csum)));
    if (rst) asked_q <= 1'b0;
  end

  // ---- stage 2: places and lengths, and what can be told without them ----

  logic bad_request, disabled, bad_place;

  always_comb begin
    if (lso_q) bad_request = (req_i.ipv4 && req_i.ipv6) || req_i.generic || (v6 ? !hdr_i.is_ipv6 : !hdr_i.is_ipv4);
    else       bad_request = (req_i.ipv4 && req_i.ipv6)
                             || (tcp_q && udp_q) || (generic_q && (tcp_q || udp_q)) || (ip_q && req_i.ipv6)
                             || ((ip_q || tcp_q || udp_q) && (req_i.ipv6 ? !hdr_i.is_ipv6 : !hdr_i.is_ipv4));

    if (lso_q) disabled = v2 ? (v6 ? !cfg_i.lso_v2_ipv6 : !cfg_i.lso_v2_ipv4) : !cfg_i.lso_v1;
    else       disabled = (ip_q && !cfg_i.ip4_csum)
                          || (tcp_q && (req_i.ipv6 ? !cfg_i.tcp6_csum : !cfg_i.tcp4_csum))
                          || (udp_q && (req_i.ipv6 ? !cfg_i.udp6_csum : !cfg_i.udp4_csum))
                          || (generic_q && !(cfg_i.tcp4_csum && cfg_i.udp4_csum && cfg_i.tcp6_csum && cfg_i.udp6_csum));
  end

  // Where the L4 sum starts, and how far from there it is stored.
  logic [15:0]    l4_start;
  logic [5:0]     field_off;
  logic           datagram_inside;
  logic [LEN_W:0] pay_len;              // the sign tells that the headers do not fit

  always_comb begin
    if (generic_q)         {l4_start, field_off} = {req_i.csum_start, req_i.csum_offset};
    else if (lso_or_udp_q) {l4_start, field_off} = {6'd0, hdr_i.l4_off, lso_q ? 6'd16 : 6'd6};
    else                   {l4_start, field_off} = {6'd0, req_i.tcp_off, 6'd16};
  end

  assign datagram_inside = hdr_i.l3_end <= req_i.length;
  assign pay_len         = (LEN_W+1)'(v2 ? req_i.length : hdr_i.l3_end) - (LEN_W+1)'(hdr_i.pay_off);

  // Odd, beyond any frame, or not where the parser found it.
  assign bad_place = (lso_q && lso_off != hdr_i.l4_off)
                     || ((ip_q || tcp_q || udp_q) && (hdr_i.l4_off == 10'd0 || !datagram_inside))
                     || (l4_q && (l4_start[0] || field_off[0] || l4_start[15]))
                     || (udp_q && (!hdr_i.is_udp || hdr_i.bad_hdr));

  typedef struct packed {
    logic bad_length, bad_request, disabled, fragment, lso_mss, lso_header, lso_flags, bad_place;
  } reason_t;

  logic             summed_q;
  reason_t          reason_q;
  lso_cmd_t         cmd_q;
  logic [LEN_W-1:0] field_bound_q, limit_q, longest_q;
  logic             bad_payload_q;      // negative, or (LSOv1) beyond the packet
  logic             mss_huge_q;

  always_ff @(posedge clk) begin
    summed_q <= asked_q && !next_i;

    reason_q <= '{
      bad_length:  req_i.length < LEN_W'(14),
      bad_request: bad_request,
      disabled:    disabled,
      fragment:    (lso_q || l4_q) && hdr_i.ip_frag,
      lso_mss:     lso_q && mss == 20'd0,
      lso_header:  lso_q && (!hdr_i.is_tcp || hdr_i.trunc || hdr_i.pay_off > 10'(HDR_MAX)),
      lso_flags:   lso_q && (hdr_i.tcp_flags & 9'h026) != 9'd0,
      bad_place:   bad_place
    };
    field_bound_q <= generic_q ? req_i.length : hdr_i.l3_end;
    limit_q       <= LEN_W'(cfg_i.max_frame) + LEN_W'({hdr_i.vlan_count, 2'b00});
    longest_q     <= lso_q ? LEN_W'(mss[15:0]) + LEN_W'(hdr_i.pay_off) : req_i.length;
    bad_payload_q <= pay_len[LEN_W] || (!v2 && !datagram_inside);
    mss_huge_q    <= mss[19:16] != 4'd0;
    cmd_q         <= '{
      drop:     1'b0,
      lso:      lso_q,
      v6:       v6,
      id_15bit: v2 && cfg_i.id_15bit,
      mss:      mss[15:0],
      hdr_len:  hdr_i.pay_off[7:0],
      l3_off:   hdr_i.l3_off,
      l4_off:   hdr_i.l4_off[7:0],
      pay_len:  pay_len[LEN_W-1:0],
      csum: '{
        ip_en:    lso_q ? !v6 : ip_q,
        ip_start: hdr_i.l3_off,
        ip_ihl:   hdr_i.l4_off[5:2] - hdr_i.l3_off[5:2],
        l4_en:    lso_q || l4_q,
        l4_start: l4_start,
        l4_pos:   l4_start + 16'(field_off),
        l4_end:   {lso_q || generic_q || hdr_i.l3_end[16], hdr_i.l3_end[15:0]},   // beyond any frame: to its end
        l4_seed:  16'd0,
        l4_udp:   udp_q || (generic_q && field_off == 6'd6)
      }
    };
    if (rst) summed_q <= 1'b0;
  end

  // ---- stage 3: the verdict ----

  status_e early_q;                     // the first reason of stage 2
  logic    field_outside_q, bad_payload_q2, too_long_q;

  always_ff @(posedge clk) begin
    done_o <= (done_o || summed_q) && !next_i;
    if (req_i.status != ST_OK)     early_q <= req_i.status;
    else if (reason_q.bad_length)  early_q <= ST_BAD_LENGTH;
    else if (reason_q.bad_request) early_q <= ST_BAD_REQUEST;
    else if (reason_q.disabled)    early_q <= ST_DISABLED;
    else if (reason_q.fragment)    early_q <= ST_FRAGMENT;
    else if (reason_q.lso_mss)     early_q <= ST_LSO_MSS;
    else if (reason_q.lso_header)  early_q <= ST_LSO_HEADER;
    else if (reason_q.lso_flags)   early_q <= ST_LSO_FLAGS;
    else if (reason_q.bad_place)   early_q <= ST_BAD_OFFSET;
    else                           early_q <= ST_OK;

    field_outside_q <= l4_q && 17'({cmd_q.csum.l4_pos[15:1], 1'b1}) >= field_bound_q;     // its second byte
    bad_payload_q2  <= lso_q && (bad_payload_q || cmd_q.pay_len == '0 || cmd_q.pay_len > cfg_i.max_offload);
    too_long_q      <= longest_q > limit_q || (lso_q && mss_huge_q);
    if (rst) done_o <= 1'b0;
  end

  always_comb begin
    if (early_q != ST_OK)     status_o = early_q;
    else if (field_outside_q) status_o = ST_BAD_OFFSET;
    else if (bad_payload_q2)  status_o = ST_LSO_LENGTH;
    else if (too_long_q)      status_o = ST_TOO_LONG;
    else                      status_o = ST_OK;
    cmd_o      = cmd_q;
    cmd_o.drop = status_o != ST_OK;
  end

endmodule

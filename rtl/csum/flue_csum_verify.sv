// Checks the IPv4 header, TCP and UDP checksums of received frames.
//
// Contract: every frame leaves unchanged and in order; beside its last beat stand
// its length and the result of section 3.1.3 (TO-031 to TO-046): for each sum at
// most one of good and bad, none where the configuration, the packet or its
// lengths leave it unchecked.  cfg_i is read when a frame's end is a few beats
// deep; each of its checksum bits is already ANDed with the encapsulation switch.
// out_segment_o does not depend on cfg_i: a whole TCP segment with right sums, no fragment, no
// IPv4 options, no IPv6 extension headers (TCP-001, TCP-003, TCP-004, TCP-014, TCP-015).
// Of a frame of more than 12,288 bytes only that is known: its length may be too low.
// One beat a cycle; input and output move together.
//
// How: two sums over the frame, the IPv4 header and {addresses, L4}.  Bytes that
// do not count are cleared on the way into the adders.
// Latency: 7 cycles and $clog2(W/32).  Cost: two flue_csum_acc.
module flue_csum_verify
  import flue_pkg::*;
#(
  parameter int W = 64
) (
  input  logic           clk,
  input  logic           rst,

  input  rx_cfg_t        cfg_i,

  input  logic           in_valid_i,
  output logic           in_ready_o,
  input  logic [W-1:0]   in_data_i,
  input  logic [W/8-1:0] in_keep_i,
  input  logic           in_last_i,
  input  logic           in_bad_i,
  input  hdr_t           in_hdr_i,

  output logic           out_valid_o,
  input  logic           out_ready_i,
  output logic [W-1:0]   out_data_o,
  output logic [W/8-1:0] out_keep_o,
  output logic           out_last_o,
  output logic           out_bad_o,
  output hdr_t           out_hdr_o,
  output rx_csum_t       out_csum_o,    // valid with last
  output logic           out_segment_o, // valid with last
  output logic [13:0]    out_len_o      // valid with last
);

  localparam int B     = W / 8;
  localparam int N     = W / 32;
  localparam int LB    = $clog2(B);
  localparam int LN    = $clog2(N);
  localparam int DEPTH = 7 + LN;        // stages, the output included
  localparam int SUM   = 4 + LN;        // the stage beside sum_o

  typedef struct packed {
    logic [W-1:0] data;
    logic [B-1:0] keep;
    logic         last;
    logic         bad;
    hdr_t         hdr;
    logic [13:0]  len;
  } beat_t;

  logic  move;
  logic  valid_q [1:DEPTH];
  beat_t beat_q  [1:DEPTH];

  assign move       = out_ready_i || !valid_q[DEPTH];
  assign in_ready_o = move;

  // ---- stage 1: where this beat is in its frame ----

  logic [13:0]    len_q;                // bytes of the frame before this beat
  logic [13:0]    len_d;
  logic [LB-1:0]  top;                  // highest lane of this beat
  logic [13-LB:0] beat_index;

  always_comb begin
    // Bit k is set if the run of lanes that ends at the highest one ends where bit k of the index is set.
    for (int k = 0; k < LB; k++) begin
      top[k] = 1'b0;
      for (int j = 1 << k; j < B; j += 2 << k)
        if (in_keep_i[j] && (j + (1 << k) >= B || !in_keep_i[(j + (1 << k)) % B])) top[k] = 1'b1;
    end
  end

  assign len_d      = len_q + 14'(top) + 14'd1;
  assign beat_index = len_q[13:LB];

  // Headers begin and end in the upper half of a 32-bit word, at byte 2 modulo 4, so the index of the
  // word tells a boundary: of the IP header, of the addresses (2) and of L4.
  logic [5:0] from_ip, from_addr, to_addr, from_l4;

  always_comb begin
    unique case ({in_hdr_i.is_ipv6, in_hdr_i.vlan_count})
      {1'b0, 2'd0}: {from_ip, from_addr, to_addr} = {6'd3, 6'd6, 6'd8};
      {1'b0, 2'd1}: {from_ip, from_addr, to_addr} = {6'd4, 6'd7, 6'd9};
      {1'b1, 2'd0}: {from_ip, from_addr, to_addr} = {6'd3, 6'd5, 6'd13};
      {1'b1, 2'd1}: {from_ip, from_addr, to_addr} = {6'd4, 6'd6, 6'd14};
      {1'b1, 2'd2}: {from_ip, from_addr, to_addr} = {6'd5, 6'd7, 6'd15};
      default:      {from_ip, from_addr, to_addr} = {6'd5, 6'd8, 6'd10};
    endcase
  end
  assign from_l4 = in_hdr_i.l4_off[7:2];

  // Headers end before word 64.
  logic early;
  assign early = beat_index[13-LB:6-LN] == '0;

  typedef struct packed {
    logic                    here;      // the boundary is in this beat,
    logic [(LN > 0 ? LN : 1)-1:0] word; // in this word
  } mark_t;

  mark_t         ip_q, addr_q, addr_end_q, l4_q;
  logic          end_q;                 // the IP datagram ends in this beat
  logic [LB-1:0] end_byte_q;

  always_ff @(posedge clk) begin
    if (move) begin
      ip_q       <= '{here: early && beat_index[5-LN:0] == from_ip[5:LN],   word: $bits(ip_q.word)'(from_ip % 6'(N))};
      addr_q     <= '{here: early && beat_index[5-LN:0] == from_addr[5:LN], word: $bits(ip_q.word)'(from_addr % 6'(N))};
      addr_end_q <= '{here: early && beat_index[5-LN:0] == to_addr[5:LN],   word: $bits(ip_q.word)'(to_addr % 6'(N))};
      l4_q       <= '{here: early && beat_index[5-LN:0] == from_l4[5:LN],   word: $bits(ip_q.word)'(from_l4 % 6'(N))};
      end_q      <= in_hdr_i.l3_end[16:LB] == (17-LB)'(beat_index);
      end_byte_q <= in_hdr_i.l3_end[LB-1:0];
      if (in_valid_i && len_q[13:12] != 2'b11) len_q <= len_d;      // does not wrap round
    end
    if (rst || (move && in_valid_i && in_last_i)) len_q <= '0;
  end

  // ---- stage 2: bytes that do not count are cleared ----

  logic past_ip_q, past_addr_q, past_addr_end_q, past_l4_q, past_end_q;

  function automatic logic lane(input logic past, input mark_t m, input int word, input bit upper);
    return past || (m.here && (upper ? word >= int'(m.word) : word > int'(m.word)));
  endfunction

  logic [B-1:0] head_on, l4_on;         // bytes for the two sums

  always_comb begin
    for (int i = 0; i < B; i++) begin
      logic ip, addr, addr_end, l4, over;
      ip         = lane(past_ip_q,       ip_q,       i / 4, i % 4 >= 2);
      addr       = lane(past_addr_q,     addr_q,     i / 4, i % 4 >= 2);
      addr_end   = lane(past_addr_end_q, addr_end_q, i / 4, i % 4 >= 2);
      l4         = lane(past_l4_q,       l4_q,       i / 4, i % 4 >= 2);
      over       = past_end_q || (end_q && LB'(i) >= end_byte_q);
      head_on[i] = valid_q[1] && ip && !l4;
      l4_on[i]   = valid_q[1] && ((addr && !addr_end) || l4) && !over;
    end
  end

  logic [W-1:0] head_q, body_q;         // big-endian words
  logic         last2_q;                // a frame ends here, or (reset) whatever was begun

  always_ff @(posedge clk) begin
    if (move) begin
      for (int i = 0; i < B; i++) begin
        head_q[32*(i/4) + 24 - 8*(i%4) +: 8] <= head_on[i] ? beat_q[1].data[8*i +: 8] : 8'd0;
        body_q[32*(i/4) + 24 - 8*(i%4) +: 8] <= l4_on[i]   ? beat_q[1].data[8*i +: 8] : 8'd0;
      end
      last2_q <= valid_q[1] && beat_q[1].last;
      if (valid_q[1]) begin
        past_ip_q       <= !beat_q[1].last && (past_ip_q       || ip_q.here);
        past_addr_q     <= !beat_q[1].last && (past_addr_q     || addr_q.here);
        past_addr_end_q <= !beat_q[1].last && (past_addr_end_q || addr_end_q.here);
        past_l4_q       <= !beat_q[1].last && (past_l4_q       || l4_q.here);
        past_end_q      <= !beat_q[1].last && (past_end_q      || end_q);
      end
    end
    if (rst) begin
      last2_q         <= 1'b1;
      past_ip_q       <= 1'b0;
      past_addr_q     <= 1'b0;
      past_addr_end_q <= 1'b0;
      past_l4_q       <= 1'b0;
      past_end_q      <= 1'b0;
    end
  end

  // ---- the two sums: stages 3 to SUM ----

  logic [15:0] head_sum, body_sum;
  logic        head_carry, body_carry;
  logic [4:0]  head_extra, body_extra;

  flue_csum_acc #(.W(W)) u_head (
    .clk, .rst, .en_i(move), .words_i(head_q), .last_i(last2_q),
    .sum_o(head_sum), .carry_o(head_carry), .extra_o(head_extra)
  );
  flue_csum_acc #(.W(W)) u_body (
    .clk, .rst, .en_i(move), .words_i(body_q), .last_i(last2_q),
    .sum_o(body_sum), .carry_o(body_carry), .extra_o(body_extra)
  );

  // ---- what is checked: beside SUM ----

  hdr_t        h;
  logic        in_frame_q;              // the datagram ends inside the frame
  logic        headers_fit_q;           // its headers end inside the datagram
  logic        wanted_q;                // not damaged, and options allowed
  logic        plain_q;                 // TCP, not damaged, nothing between its header and IP's
  logic        ip_q3, is_tcp_q, tcp_q, udp_q;
  logic [15:0] l4_len_q;

  logic [14:0] beyond_frame;            // the sign tells
  logic [7:0]  beyond_end;

  assign h            = beat_q[SUM-1].hdr;
  assign beyond_frame = 15'(beat_q[SUM-1].len) - 15'(h.l3_end[13:0]);
  assign beyond_end   = 8'(h.l3_end[7:1]) - 8'({h.pay_off[7:2], 1'b1});     // pay_off is 2 modulo 4

  always_ff @(posedge clk) if (move) begin
    l4_len_q <= h.l3_end[15:0] - 16'(h.l4_off);
    in_frame_q    <= h.l3_end[16:14] == 3'd0 && !beyond_frame[14];
    headers_fit_q <= h.l3_end[13:8] != 6'd0 || !beyond_end[7];
    wanted_q <= !h.trunc && !h.bad_hdr && (!h.ip_opts || (h.is_ipv6 ? cfg_i.ip6_ext : cfg_i.ip_opts));
    plain_q  <= h.is_tcp && !h.trunc && !h.bad_hdr && !h.ip_opts;
    ip_q3    <= h.is_ipv4;
    is_tcp_q <= h.is_tcp;
    tcp_q    <= h.is_tcp && !h.ip_route && (h.is_ipv6 ? cfg_i.tcp6_csum : cfg_i.tcp4_csum)
                && (!h.tcp_opts || cfg_i.tcp_opts);
    udp_q    <= h.is_udp && !h.ip_route && (h.is_ipv6 ? cfg_i.udp6_csum : cfg_i.udp4_csum)
                && !h.udp_no_csum;
  end

  // ---- stage SUM + 1: length and protocol of the pseudo-header join ----

  // {sum, carry, extra} is right when it adds up to 0xFFFF; what remains to be found is `want`.
  logic        head_good_q, ipv4_q, segment_q, ip_en_q, tcp_en_q, udp_en_q;
  logic        checked, head_good;
  logic [16:0] body_q2;
  logic [5:0]  want_q, want_carry_q;

  assign checked   = in_frame_q && headers_fit_q && wanted_q;
  assign head_good = &head_sum[15:5] && head_sum[4:0] == ~(head_extra + 5'(head_carry));

  // 0xFFFF less the protocol number and what is extra; a table, because there are few cases.
  function automatic logic [5:0] wanted(input logic tcp, input logic [4:0] extra, input logic carry);
    wanted = '0;
    for (int e = 0; e <= N; e++)
      if (extra == 5'(e)) wanted = tcp ? (carry ? 6'(56 - e) : 6'(57 - e)) : (carry ? 6'(45 - e) : 6'(46 - e));
  endfunction

  always_ff @(posedge clk) if (move) begin
    head_good_q  <= head_good;
    body_q2      <= 17'(body_sum) + 17'(l4_len_q) + 17'(body_carry);
    want_q       <= wanted(is_tcp_q, body_extra, 1'b0);
    want_carry_q <= wanted(is_tcp_q, body_extra, 1'b1);
    segment_q    <= in_frame_q && headers_fit_q && plain_q;
    ip_en_q      <= checked && ip_q3 && cfg_i.ip4_csum;
    ipv4_q       <= ip_q3;
    tcp_en_q     <= checked && tcp_q;
    udp_en_q     <= checked && udp_q;
  end

  // ---- stage SUM + 2, and the result: output stage ----

  logic body_good_q, head_good_q2, segment_q2, ip_en_q2, tcp_en_q2, udp_en_q2;

  always_ff @(posedge clk) if (move) begin
    body_good_q  <= &body_q2[15:6] && body_q2[5:0] == (body_q2[16] ? want_carry_q : want_q);
    head_good_q2 <= head_good_q;
    segment_q2   <= segment_q && (head_good_q || !ipv4_q);
    ip_en_q2     <= ip_en_q;
    tcp_en_q2    <= tcp_en_q && (head_good_q || !ipv4_q);        // TO-041
    udp_en_q2    <= udp_en_q && (head_good_q || !ipv4_q);
    out_segment_o <= segment_q2 && body_good_q;
    out_csum_o   <= '{
      ip_value_invalid:  1'b0,
      tcp_value_invalid: 1'b0,
      loopback:          1'b0,
      ip_ok:             ip_en_q2 && head_good_q2,
      ip_bad:            ip_en_q2 && !head_good_q2,
      udp_ok:            udp_en_q2 && body_good_q,
      udp_bad:           udp_en_q2 && !body_good_q,
      tcp_ok:            tcp_en_q2 && body_good_q,
      tcp_bad:           tcp_en_q2 && !body_good_q
    };
  end

  // ---- the frame beside them ----

  always_ff @(posedge clk) begin
    if (move) begin
      valid_q[1] <= in_valid_i;
      beat_q[1]  <= '{data: in_data_i, keep: in_keep_i, last: in_last_i, bad: in_bad_i, hdr: in_hdr_i, len: len_d};
      for (int s = 2; s <= DEPTH; s++) begin
        valid_q[s] <= valid_q[s-1];
        beat_q[s]  <= beat_q[s-1];
      end
    end
    if (rst) begin
      for (int s = 1; s <= DEPTH; s++) valid_q[s] <= 1'b0;
    end
  end

  assign out_valid_o = valid_q[DEPTH];
  assign out_data_o  = beat_q[DEPTH].data;
  assign out_keep_o  = beat_q[DEPTH].keep;
  assign out_last_o  = beat_q[DEPTH].last;
  assign out_bad_o   = beat_q[DEPTH].bad;
  assign out_hdr_o   = beat_q[DEPTH].hdr;
  assign out_len_o   = beat_q[DEPTH].len;

endmodule

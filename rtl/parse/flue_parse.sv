// Reads the headers of a frame: Ethernet, up to two VLAN tags (0x8100, 0x88A8),
// IPv4 with options, IPv6 with up to 128 bytes of extension headers, TCP, UDP.
//
// Contract: every frame that goes in comes out unchanged (`bad` too), held back
// until its header record is known; the record stands beside all its beats.  A
// record is complete at the latest 252 bytes into its frame, or at the frame's
// last beat, whatever its bytes say: there is no frame that hangs the parser.
// One beat a cycle.  The input stalls only while the output does, or when more
// than a dozen frames wait inside (frames of at most 20 bytes behind longer headers).
// hdr_t says what each field means; sim/model/packet.c is the reference.
//
// How: two virtual bytes before the frame put every header on a 32-bit boundary.
// A small machine takes one 32-bit word a step, W/32 steps a beat; a word counts
// once its last byte is inside the frame.
//
// Latency: 3 cycles behind the beat that completes the headers.
// Cost: the delay (FIFO_BYTES of block RAM), 16 records of 71 bits in LUT memory; 494 COMB at W = 32, 954 at 64.
// Block RAM: 2 at W=64, 1 at W=32.
module flue_parse
  import flue_pkg::*;
#(
  parameter int W          = 64,
  parameter int FIFO_BYTES = 512
) (
  input  logic           clk,
  input  logic           rst,

  input  logic           in_valid_i,
  output logic           in_ready_o,
  input  logic [W-1:0]   in_data_i,
  input  logic [W/8-1:0] in_keep_i,
  input  logic           in_last_i,
  input  logic           in_bad_i,

  output logic           out_valid_o,
  input  logic           out_ready_i,
  output logic [W-1:0]   out_data_o,
  output logic [W/8-1:0] out_keep_o,
  output logic           out_last_o,
  output logic           out_bad_o,
  output hdr_t           out_hdr_o
);

  localparam int N      = W / 32;                     // words in a beat
  localparam int POS_W  = 6;                          // index of a word; a verdict comes before word 64
  localparam int BEAT_W = POS_W - $clog2(N);
  localparam int DEPTH  = FIFO_BYTES / (W / 8) > 16 ? FIFO_BYTES / (W / 8) : 16;

  if (FIFO_BYTES < 320) begin : g_check
    $error("flue_parse: FIFO_BYTES must hold the longest header stack");
  end

  // The word that is awaited, one bit each.
  typedef struct packed {
    logic eth;                          // words 0 to 3; the last one has the type
    logic tag;                          // tag control information and the next type
    logic ip4_len, ip4_frag, ip4_proto;
    logic ip6_ver, ip6_len;
    logic ext;                          // the first word of an extension header
    logic rest;                         // of the IP or extension header
    logic tcp;                          // words 0 to 3; the last one has the data offset
    logic tcp_rest;
    logic udp;                          // words 0 and 1; no bit set: the headers are complete
  } phase_t;

  // What can be told of a word before it is its turn.
  typedef struct packed {
    logic whole;                        // its last byte is there
    logic tag, ip4, ip6;                // as a type, low half
    logic some14, some13, some8, some16;  // low half: a bit is set in 13:0, 15:3, 7:0, 15:0
    logic ip4_ok, ip6_ok, tcp_ok;       // high half: as the first of an IP header, as TCP's data offset
  } hint_t;

  // What is stored of a frame; make_hdr() turns it into hdr_t.
  typedef struct packed {
    logic        trunc;
    logic        bad_hdr;
    logic [1:0]  vlan_count;
    logic        is_ipv4;
    logic        is_ipv6;
    logic        ip_frag;
    logic        ip_opts;
    logic        ip_route;
    logic        is_tcp;
    logic        is_udp;
    logic        udp_no_csum;
    logic [5:0]  l3_last;               // index of the last word before L4; 0: not found
    logic [3:0]  l4_words;              // words of the TCP or UDP header
    // The memory of the records is 4 bits wide: fields that one of transmit and
    // receive does not look at stand together here, so that it goes away there.
    logic        tcp_ns;
    logic [15:0] ip_len;                // IPv4 total length, IPv6 payload length
    logic [7:0]  tcp_flags;
    logic [7:0]  proto;
    logic [15:0] vlan_tci;
    logic        vlan_stag;
  } rec_t;

  typedef struct packed {
    phase_t      phase;
    logic [5:0]  left;                  // words of this header after the one awaited
    logic        at_data;               // a fragment's data follow
    logic [15:0] udp_len;
    rec_t        rec;
  } state_t;

  function automatic hint_t look_at(input logic [7:0] first, input logic [15:0] low, input logic whole);
    return '{
      whole:  whole,
      tag:    low == 16'h8100 || low == 16'h88A8,
      ip4:    low == 16'h0800,
      ip6:    low == 16'h86DD,
      some14: low[13:0] != 14'd0,
      some13: low[15:3] != 13'd0,
      some8:  low[7:0] != 8'd0,
      some16: low != 16'd0,
      ip4_ok: first[7:4] == 4'd4 && first[3:0] >= 4'd5,
      ip6_ok: first[7:4] == 4'd6,
      tcp_ok: first[7:4] >= 4'd5
    };
  endfunction

  // The state before the first word.
  function automatic state_t start(input logic [5:0] left);
    state_t s;
    s           = '0;
    s.phase.eth = 1'b1;
    s.left      = left;
    return s;
  endfunction

  // One word, first byte on top; pos is its index in the frame.
  function automatic state_t step(input state_t s, input logic [31:0] w, input hint_t h,
                                  input logic [POS_W-1:0] pos);
    state_t n;
    phase_t p;
    logic   last_word;                  // of the header
    logic   over;                       // the word after 128 bytes of extension headers
    logic   at_type, ip_end, tcp_offset;
    logic   tcp, udp, options, routing, fragment, ah, follows;
    logic   tag_kept, ip4_kept, ip6_kept, ext_kept, tcp_kept, udp_kept;
    n          = s;
    p          = s.phase;
    last_word  = s.left == 6'd0;
    over       = (p.ext || p.rest) && pos == POS_W'(46) + POS_W'(s.rec.vlan_count);
    at_type    = (p.eth && last_word) || p.tag;
    ip_end     = p.rest && last_word && !over;
    tcp_offset = p.tcp && last_word;

    // What the IP or extension header announces.
    tcp      = s.rec.proto == 8'd6 && !s.rec.ip_frag;
    udp      = s.rec.proto == 8'd17 && !s.rec.ip_frag;
    options  = s.rec.proto == 8'd0 || s.rec.proto == 8'd60;
    routing  = s.rec.proto == 8'd43;
    fragment = s.rec.proto == 8'd44;
    ah       = s.rec.proto == 8'd51;
    follows  = (options || routing || fragment || ah) && s.rec.is_ipv6 && !s.at_data;

    n.phase.eth       = p.eth && !last_word;
    n.phase.tag       = at_type && h.tag && (p.eth || s.rec.vlan_count == 2'd0);      // not a third one
    n.phase.ip4_len   = at_type && h.ip4;
    n.phase.ip4_frag  = p.ip4_len && h.ip4_ok;
    n.phase.ip4_proto = p.ip4_frag;
    n.phase.ip6_ver   = at_type && h.ip6;
    n.phase.ip6_len   = p.ip6_ver && h.ip6_ok;
    n.phase.rest      = p.ip4_proto || p.ip6_len || (p.ext && !over) || (p.rest && !last_word && !over);
    n.phase.ext       = ip_end && follows;
    n.phase.tcp       = (ip_end && tcp) || (p.tcp && !last_word);
    n.phase.tcp_rest  = (tcp_offset && h.tcp_ok) || (p.tcp_rest && !last_word);
    n.phase.udp       = (ip_end && udp) || (p.udp && !last_word);
    if (!h.whole) n.phase = p;          // the frame ends here

    // 32 and above stand for "over the limit in any case".
    n.left = s.left - 6'd1;
    if (p.ip4_len)  n.left = {2'b00, w[27:24] - 4'd2};
    if (p.ip6_ver)  n.left = 6'd8;
    if (p.ext)      n.left = fragment ? 6'd0 : ah ? {w[23:21] != 3'd0, w[20:16]}
                                                  : {w[23:20] != 4'd0, w[19:16], 1'b0};
    if (ip_end)     n.left = tcp ? 6'd3 : 6'd1;
    if (tcp_offset) n.left = {2'b00, w[31:28] - 4'd5};

    // The record.
    tag_kept = h.whole && p.tag;
    ip4_kept = h.whole && p.ip4_len && h.ip4_ok;
    ip6_kept = h.whole && p.ip6_len;
    ext_kept = h.whole && p.ext && !over;
    tcp_kept = h.whole && tcp_offset && h.tcp_ok;
    udp_kept = h.whole && p.udp && last_word;
    if (tag_kept) n.rec.vlan_count = {s.rec.vlan_count[0], !s.rec.vlan_count[0]};
    if (tag_kept && s.rec.vlan_count == 2'd0) n.rec.vlan_tci = w[31:16];
    if (h.whole && p.eth && last_word && h.tag) n.rec.vlan_stag = w[3];   // 0x88A8, else 0x8100
    if (ip4_kept) n.rec.is_ipv4 = 1'b1;
    if (ip6_kept) n.rec.is_ipv6 = 1'b1;
    if (ip4_kept || ip6_kept) n.rec.ip_len = p.ip4_len ? w[15:0] : w[31:16];
    if ((ip4_kept && w[27:24] != 4'd5) || ext_kept) n.rec.ip_opts = 1'b1;
    if ((h.whole && p.ip4_frag && h.some14) || (ext_kept && fragment)) n.rec.ip_frag = 1'b1;   // MF and offset
    if (ext_kept && fragment && h.some13) n.at_data = 1'b1;                                    // offset
    if (ext_kept && routing && h.some8) n.rec.ip_route = 1'b1;                                 // segments left
    if (h.whole && (p.ip4_proto || p.ip6_len || (p.ext && !over)))
      n.rec.proto = p.ip4_proto ? w[23:16] : p.ip6_len ? w[15:8] : w[31:24];
    if (h.whole && ip_end && !follows) n.rec.l3_last = pos;
    if (tcp_kept) n.rec.is_tcp = 1'b1;
    if (tcp_kept) {n.rec.tcp_ns, n.rec.tcp_flags} = w[24:16];
    if (udp_kept) n.rec.is_udp = 1'b1;
    if (udp_kept && !h.some16) n.rec.udp_no_csum = 1'b1;
    if (udp_kept) n.udp_len = w[31:16];
    if (tcp_kept || udp_kept) n.rec.l4_words = p.tcp ? w[31:28] : 4'd2;
    if (h.whole && ((p.ip4_len && !h.ip4_ok) || (p.ip6_ver && !h.ip6_ok) || over || (tcp_offset && !h.tcp_ok)))
      n.rec.bad_hdr = 1'b1;
    return n;
  endfunction

  // ---- the delay ----

  logic room;                           // for the records of the frames that are on their way
  logic take;
  logic fifo_ready;
  logic held_valid, held_ready, held_last;

  assign in_ready_o = fifo_ready && room;
  assign take       = in_valid_i && in_ready_o;

  flue_packet_fifo #(.W(W), .DEPTH(DEPTH)) u_delay (
    .clk, .rst,
    .in_valid_i  (in_valid_i && room),
    .in_ready_o  (fifo_ready),
    .in_data_i, .in_keep_i, .in_last_i, .in_bad_i,
    .out_valid_o (held_valid),
    .out_ready_i (held_ready),
    .out_data_o, .out_keep_o,
    .out_last_o  (held_last),
    .out_bad_o
  );

  // ---- the headers ----

  logic              beat_q, first_q, last_q;
  logic [W+15:0]     bytes, bytes_q;    // this beat behind the last two bytes of the one before
  hint_t [N-1:0]     hint_q;
  logic [BEAT_W-1:0] count_q;           // beats of this frame before this one, modulo 64 words
  state_t            state_q, state_d;
  logic              ran_q, ended_q;    // state_q has taken a beat, the last one
  logic              open;              // a header is not complete
  logic              pushed_q, push;    // the record went on; it goes now

  assign bytes = {in_data_i, bytes_q[W+15 -: 16]};

  always_comb begin
    state_d = N > 2 && first_q ? start(6'd3) : state_q;
    for (int j = 0; j < N; j++)
      state_d = step(state_d, {<<8{bytes_q[32*j +: 32]}}, hint_q[j],
                     POS_W'(count_q) * POS_W'(N) + POS_W'(j));
    // A first beat of one or two words only counts, which keeps it out of the path above.
    if (N <= 2 && first_q) state_d = start(6'(3 - N));
  end

  always_ff @(posedge clk) begin
    beat_q <= take;
    if (take) begin
      bytes_q <= bytes;
      last_q  <= in_last_i;
      first_q <= last_q;                // the beat before this one ended its frame
      count_q <= last_q ? '0 : count_q + 1'b1;
      for (int j = 0; j < N; j++)
        hint_q[j] <= look_at(bytes[32*j +: 8], {<<8{bytes[32*j+16 +: 16]}}, in_keep_i[4*j+1]);
    end
    if (beat_q) state_q <= state_d;
    ran_q    <= beat_q;
    ended_q  <= last_q;
    pushed_q <= (pushed_q || push) && !(beat_q && first_q);
    if (rst) begin
      beat_q <= 1'b0;
      ran_q  <= 1'b0;
      last_q <= 1'b1;
    end
  end

  assign open = state_q.phase != '0;
  assign push = ran_q && !pushed_q && (ended_q || !open);

  // ---- the records ----

  // The UDP length and the words of the IP header fill the IP length exactly.
  logic [15:0] ip_bytes;
  logic [5:0]  ip_words;
  logic        udp_fits;
  assign ip_bytes = state_q.rec.ip_len - state_q.udp_len;
  assign ip_words = state_q.rec.l3_last - (state_q.rec.is_ipv6 ? 6'd13 : 6'd3)
                    - 6'(state_q.rec.vlan_count);
  assign udp_fits = ip_bytes == {8'd0, ip_words, 2'b00};

  function automatic hdr_t make_hdr(input rec_t r);
    hdr_t       h;
    logic [7:0] l3_off;
    logic [7:0] pay_word;
    l3_off        = {3'b000, 5'd14 + {1'b0, r.vlan_count, 2'b00}};
    pay_word      = {2'b00, r.l3_last} + {4'b0000, r.l4_words};
    h.trunc       = r.trunc;
    h.bad_hdr     = r.bad_hdr;
    h.vlan_count  = r.vlan_count;
    h.vlan_tci    = r.vlan_tci;
    h.vlan_stag   = r.vlan_stag && r.vlan_count != 2'd0;
    h.is_ipv4     = r.is_ipv4;
    h.is_ipv6     = r.is_ipv6;
    h.ip_frag     = r.ip_frag;
    h.ip_opts     = r.ip_opts;
    h.ip_route    = r.ip_route;
    h.is_tcp      = r.is_tcp;
    h.is_udp      = r.is_udp;
    h.tcp_opts    = r.is_tcp && r.l4_words != 4'd5;
    h.udp_no_csum = r.udp_no_csum;
    h.tcp_flags   = {r.tcp_ns, r.tcp_flags};
    h.proto       = r.proto;
    h.l3_off      = r.is_ipv4 || r.is_ipv6 ? l3_off : 8'd0;
    h.l4_off      = r.l3_last != 6'd0 ? {2'b00, r.l3_last, 2'b10} : 10'd0;
    h.pay_off     = r.l3_last != 6'd0 ? {pay_word, 2'b10} : 10'd0;
    h.l3_end      = 17'd0;
    if (r.is_ipv4) h.l3_end = 17'(r.ip_len) + 17'(l3_off);
    if (r.is_ipv6) h.l3_end = 17'(r.ip_len) + 17'(l3_off) + 17'd40;
    return h;
  endfunction

  rec_t       rec_in, rec_out;
  logic       rec_valid, rec_ready;
  logic [1:0] rec_quarters;             // of the record FIFO that are full
  logic [3:0] unused;

  always_comb begin
    rec_in         = state_q.rec;
    rec_in.trunc   = open;
    rec_in.bad_hdr = state_q.rec.bad_hdr || (state_q.rec.is_udp && !udp_fits);
  end

  flue_fifo #(.W($bits(rec_t)), .DEPTH(16)) u_records (
    .clk, .rst,
    .in_valid_i  (push),
    .in_ready_o  (unused[3]),
    .in_i        (rec_in),
    .out_valid_o (rec_valid),
    .out_ready_i (rec_ready),
    .out_o       (rec_out),
    .count_o     ({unused[2], rec_quarters, unused[1:0]})
  );

  // Stops at 12 records; at most two more frames are between `take` and u_records then.
  assign room = rec_quarters != 2'd3;

  // ---- the record joins its frame ----

  logic hdr_valid_q;

  assign out_valid_o = held_valid && hdr_valid_q;
  assign held_ready  = out_ready_i && hdr_valid_q;
  assign out_last_o  = held_last;
  assign rec_ready   = !hdr_valid_q || (held_valid && out_ready_i && held_last);

  always_ff @(posedge clk) begin
    if (rec_ready) begin
      hdr_valid_q <= rec_valid;
      out_hdr_o   <= make_hdr(rec_out);
    end
    if (rst) hdr_valid_q <= 1'b0;
  end

endmodule

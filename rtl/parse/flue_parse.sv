// Reads the headers of a frame: Ethernet, up to two VLAN tags (0x8100, 0x88A8),
// IPv4 with options, IPv6 with up to 128 bytes of extension headers, TCP, UDP.
//
// Contract: every frame that goes in comes out unchanged (`bad` too), held back
// until its header record is known; the record stands beside all its beats.  A
// record is complete at the latest 252 bytes into its frame, or at the frame's
// last beat, whatever its bytes say: there is no frame that hangs the parser.
// One beat a cycle.  The input stalls only while the output does, or when more
// than a dozen frames wait inside (frames under 16 bytes behind long headers).
// hdr_t says what each field means; sim/model/packet.c is the reference.
//
// How: two virtual bytes before the frame put every header on a 32-bit boundary.
// A small machine takes one 32-bit word a step, W/32 steps a beat; a word counts
// once its last byte is inside the frame.
//
// Latency: 3 cycles behind the beat that completes the headers.
// Cost: the delay (FIFO_BYTES of block RAM), 16 records of 71 bits in LUT memory.
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

  // The word that is awaited.
  typedef enum logic [3:0] {
    S_ETH,                              // words 0 to 3; the last one has the type
    S_TAG,                              // tag control information and the next type
    S_IP4_LEN, S_IP4_FRAG, S_IP4_PROTO, S_IP4_REST,
    S_IP6_VER, S_IP6_LEN, S_IP6_REST,
    S_EXT, S_EXT_REST,
    S_TCP,                              // words 0 to 3; the last one has the data offset
    S_TCP_REST,
    S_UDP,                              // words 0 and 1
    S_DONE
  } phase_e;

  // What follows the header that is being read.
  typedef enum logic [2:0] {K_NONE, K_TCP, K_UDP, K_OPTIONS, K_ROUTING, K_FRAGMENT, K_AH} kind_e;

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
  } rec_t;

  typedef struct packed {
    phase_e      phase;
    logic [5:0]  left;                  // words of this header after the one awaited
    kind_e       next;
    logic [15:0] udp_len;
    rec_t        rec;
  } state_t;

  function automatic kind_e kind_of(input logic [7:0] proto, input logic frag, input logic v6);
    if (proto == 8'd6)  return frag ? K_NONE : K_TCP;
    if (proto == 8'd17) return frag ? K_NONE : K_UDP;
    if (v6 && (proto == 8'd0 || proto == 8'd60)) return K_OPTIONS;
    if (v6 && proto == 8'd43) return K_ROUTING;
    if (v6 && proto == 8'd44) return K_FRAGMENT;
    if (v6 && proto == 8'd51) return K_AH;
    return K_NONE;
  endfunction

  // Ethernet type -> what is awaited; a third tag is not taken.
  function automatic phase_e after_type(input logic [15:0] ethertype, input logic tag_allowed);
    if (ethertype == 16'h0800) return S_IP4_LEN;
    if (ethertype == 16'h86DD) return S_IP6_VER;
    if (tag_allowed && (ethertype == 16'h8100 || ethertype == 16'h88A8)) return S_TAG;
    return S_DONE;
  endfunction

  // One word, first byte on top.  pos is its index in the frame.
  function automatic state_t step(input state_t s, input logic [31:0] w,
                                  input logic [POS_W-1:0] pos);
    state_t     n;
    logic       last_word;              // of the header
    logic       over;                   // the word after 128 bytes of extension headers
    logic [7:0] proto;
    n         = s;
    n.left    = s.left - 6'd1;
    last_word = s.left == 6'd0;
    over      = pos == POS_W'(46) + POS_W'(s.rec.vlan_count);
    unique case (s.phase)
      S_IP4_PROTO: proto = w[23:16];
      S_IP6_LEN:   proto = w[15:8];
      default:     proto = w[31:24];    // extension headers
    endcase

    unique case (s.phase)
      S_ETH: if (last_word) n.phase = after_type(w[15:0], 1'b1);

      S_TAG: begin
        n.phase          = after_type(w[15:0], s.rec.vlan_count == 2'd0);
        n.rec.vlan_count = {s.rec.vlan_count[0], !s.rec.vlan_count[0]};
        if (s.rec.vlan_count == 2'd0) n.rec.vlan_tci = w[31:16];
      end

      S_IP4_LEN: if (w[31:28] != 4'd4 || w[27:24] < 4'd5) begin
        n.phase       = S_DONE;
        n.rec.bad_hdr = 1'b1;
      end else begin
        n.phase       = S_IP4_FRAG;
        n.left        = {2'b00, w[27:24] - 4'd2};
        n.rec.ip_len  = w[15:0];
        n.rec.is_ipv4 = 1'b1;
        n.rec.ip_opts = w[27:24] != 4'd5;
      end
      S_IP4_FRAG: begin
        n.phase       = S_IP4_PROTO;
        n.rec.ip_frag = w[13:0] != 14'd0;         // MF and offset
      end
      S_IP4_PROTO: begin
        n.phase     = S_IP4_REST;
        n.next      = kind_of(proto, s.rec.ip_frag, 1'b0);
        n.rec.proto = proto;
      end

      S_IP6_VER: begin
        n.phase       = w[31:28] == 4'd6 ? S_IP6_LEN : S_DONE;
        n.left        = 6'd8;
        n.rec.bad_hdr = w[31:28] != 4'd6;
      end
      S_IP6_LEN: begin
        n.phase       = S_IP6_REST;
        n.next        = kind_of(proto, 1'b0, 1'b1);
        n.rec.is_ipv6 = 1'b1;
        n.rec.proto   = proto;
        n.rec.ip_len  = w[31:16];
      end

      S_EXT: begin
        n.phase        = S_EXT_REST;
        n.rec.ip_opts  = 1'b1;
        n.rec.ip_route = s.rec.ip_route || (s.next == K_ROUTING && w[7:0] != 8'd0);
        n.rec.ip_frag  = s.rec.ip_frag || s.next == K_FRAGMENT;
        n.rec.proto    = proto;
        n.next         = kind_of(proto, s.rec.ip_frag || s.next == K_FRAGMENT, 1'b1);
        if (s.next == K_FRAGMENT && w[15:3] != 13'd0) n.next = K_NONE;
        // 32 and above stand for "over the limit in any case"
        unique case (s.next)
          K_FRAGMENT: n.left = 6'd0;
          K_AH:       n.left = {w[23:21] != 3'd0, w[20:16]};
          default:    n.left = {w[23:20] != 4'd0, w[19:16], 1'b0};
        endcase
        if (over) begin
          n             = s;
          n.phase       = S_DONE;
          n.rec.bad_hdr = 1'b1;
        end
      end

      S_IP4_REST, S_IP6_REST, S_EXT_REST:
        if (s.phase == S_EXT_REST && over) begin
          n.phase       = S_DONE;
          n.rec.bad_hdr = 1'b1;
        end else if (last_word) begin
          n.rec.l3_last = pos;
          unique case (s.next)
            K_NONE:  n.phase = S_DONE;
            K_TCP:   begin n.phase = S_TCP; n.left = 6'd3; end
            K_UDP:   begin n.phase = S_UDP; n.left = 6'd1; end
            default: begin n.phase = S_EXT; n.rec.l3_last = s.rec.l3_last; end
          endcase
        end

      S_TCP: if (last_word) begin
        if (w[31:28] < 4'd5) begin
          n.phase       = S_DONE;
          n.rec.bad_hdr = 1'b1;
        end else begin
          n.phase         = S_TCP_REST;
          n.left          = {2'b00, w[31:28] - 4'd5};
          n.rec.is_tcp    = 1'b1;
          n.rec.tcp_ns    = w[24];
          n.rec.tcp_flags = w[23:16];
          n.rec.l4_words  = w[31:28];
        end
      end
      S_TCP_REST: if (last_word) n.phase = S_DONE;

      S_UDP: if (last_word) begin
        n.phase           = S_DONE;
        n.udp_len         = w[31:16];
        n.rec.is_udp      = 1'b1;
        n.rec.udp_no_csum = w[15:0] == 16'd0;
        n.rec.l4_words    = 4'd2;
      end

      default: n = s;
    endcase
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
  logic [W+15:0]     bytes_q;           // this beat behind the last two bytes of the one before
  logic [N-1:0]      whole_q;           // words whose last byte is there
  logic [BEAT_W-1:0] count_q;           // beats of this frame before this one, modulo 64 words
  state_t            state_q, state_d;
  logic              push_q;            // state_q is a new record

  always_comb begin
    state_d = state_q;
    if (N > 2 && first_q) state_d = '{phase: S_ETH, left: 6'd3, next: K_NONE, udp_len: '0, rec: '0};
    for (int j = 0; j < N; j++) begin
      if (whole_q[j])
        state_d = step(state_d, {<<8{bytes_q[32*j +: 32]}}, POS_W'(count_q) * POS_W'(N) + POS_W'(j));
    end
    // A first beat of one or two words only counts, which keeps it out of the path above.
    if (N <= 2 && first_q)
      state_d = '{phase: S_ETH, left: 6'(4 - N - 1), next: K_NONE, udp_len: '0, rec: '0};
    if (last_q && state_d.phase != S_DONE) begin
      state_d.phase     = S_DONE;
      state_d.rec.trunc = 1'b1;
    end
  end

  always_ff @(posedge clk) begin
    beat_q <= take;
    if (take) begin
      bytes_q <= {in_data_i, bytes_q[W+15 -: 16]};
      last_q  <= in_last_i;
      first_q <= last_q;                // the beat before this one ended its frame
      for (int j = 0; j < N; j++) whole_q[j] <= in_keep_i[4*j+1];
      count_q <= last_q ? '0 : count_q + 1'b1;
    end
    if (beat_q) state_q <= state_d;
    push_q <= beat_q && state_d.phase == S_DONE && (first_q || state_q.phase != S_DONE);
    if (rst) begin
      beat_q <= 1'b0;
      push_q <= 1'b0;
      last_q <= 1'b1;
    end
  end

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
    rec_in.bad_hdr = state_q.rec.bad_hdr || (state_q.rec.is_udp && !udp_fits);
  end

  flue_fifo #(.W($bits(rec_t)), .DEPTH(16)) u_records (
    .clk, .rst,
    .in_valid_i  (push_q),
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

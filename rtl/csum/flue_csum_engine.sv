// Transmit checksums of one frame after another: IPv4 header, and TCP, UDP or any
// range, computed while the frame passes by.
//
// Contract: beat_i marks a beat of a frame that moves, with its data, keep and last
// beside it and cmd_i the same on all its beats.  For every frame that ends with
// keep_i one result follows, in order: what is to be stored at which 16-bit word.
//   IPv4 (ip_en): complement of the sum of the header, its checksum field taken as 0,
//                 whatever it holds (TO-019)
//   L4 (l4_en):   complement of the sum of bytes l4_start to l4_end - 1, at most to the
//                 frame's end, an odd last byte padded with 0, plus l4_seed; for UDP
//                 0xFFFF in place of 0 (TO-023).  The field itself is summed as it is
//                 (3.1.2: it holds the pseudo-header sum).
// Sums are in the byte order of the lanes: a one's-complement sum of swapped words is the
// swapped sum.  A position beyond the largest frame gives no result for that sum.
// Rate: a beat a cycle, frames back to back.  Latency: log2(W / 16) + 7 cycles.
// Cost: two trees of adders; masking is done by the lanes' resets.
module flue_csum_engine import flue_pkg::*; #(
  parameter int W     = 64,             // 32 to 512
  parameter int DEPTH = 512,            // beats of the largest frame, a power of two
  localparam int B  = W / 8,
  localparam int PW = $clog2(DEPTH * B) - 1   // bits of a 16-bit word's number
) (
  input  logic          clk,
  input  logic          rst,
  input  logic          fault_csum_i,   // fault injection: flip a bit of every L4 checksum

  input  logic          beat_i,
  input  logic [W-1:0]  data_i,
  input  logic [B-1:0]  lanes_i,        // the stream's keep
  input  logic          last_i,
  input  logic          keep_i,         // with last: the frame wants a result
  input  csum_cmd_t     cmd_i,

  output logic          done_o,
  output logic          ip_en_o,
  output logic [7:0]    ip_word_o,
  output logic [15:0]   ip_sum_o,
  output logic          l4_en_o,
  output logic [PW-1:0] l4_word_o,
  output logic [15:0]   l4_sum_o
);

  localparam int L      = $clog2(B);
  localparam int RW     = $clog2(DEPTH);
  localparam int LANES  = W / 16;
  localparam int LEVELS = $clog2(LANES);
  localparam int AW     = 16 + $clog2(DEPTH * LANES);   // sum of the largest frame
  localparam int IW     = 21;                           // sum of 30 words and what is left of them

  // ---- A: the beat, and where its frame's ranges are

  logic          a_beat_q, a_last_q, a_keep_q, a_first_q;
  logic [W-1:0]  a_data_q;
  logic [B-1:0]  a_lanes_q;
  logic [RW-1:0] a_row_q, row_q;
  // verilator lint_off UNUSEDSIGNAL
  csum_cmd_t     a_cmd_q;               // ip_ihl became a_ip_end_q, l4_pos may have spare bits
  // verilator lint_on UNUSEDSIGNAL
  logic [8:0]    a_ip_end_q;            // first byte behind the IPv4 header
  logic [7:0]    a_ip_word_q;           // its checksum field

  always_ff @(posedge clk) begin
    a_beat_q    <= beat_i;
    a_last_q    <= beat_i && last_i;
    a_keep_q    <= beat_i && last_i && keep_i;
    a_first_q   <= beat_i && row_q == '0;
    a_data_q    <= data_i;
    a_lanes_q   <= lanes_i;
    a_row_q     <= row_q;
    a_cmd_q     <= cmd_i;
    a_ip_end_q  <= {1'b0, cmd_i.ip_start} + {3'b0, cmd_i.ip_ihl, 2'b0};
    a_ip_word_q <= {1'b0, cmd_i.ip_start[7:1]} + 8'd5;
    if (beat_i) row_q <= last_i ? '0 : row_q + 1'b1;
    if (rst) begin
      row_q    <= '0;
      a_beat_q <= 1'b0;
      a_keep_q <= 1'b0;
    end
  end

  // ---- B: which lanes of the beat belong to which sum

  logic               ip_at_start, ip_at_end, ip_at_field, l4_at_start, l4_at_end;
  logic               ip_began_q, ip_ended_q, l4_began_q, l4_ended_q;
  logic [LANES-1:0]   ip_use, b_ip_use_q;
  logic [B-1:0]       l4_use, b_l4_use_q;
  logic [W-1:0]       b_data_q;

  assign ip_at_start = 18'(a_row_q) == 18'(a_cmd_q.ip_start >> L);
  assign ip_at_end   = 18'(a_row_q) == 18'(a_ip_end_q >> L);
  assign ip_at_field = 18'(a_row_q) == 18'(a_ip_word_q >> (L - 1));
  assign l4_at_start = 18'(a_row_q) == 18'(a_cmd_q.l4_start >> L);
  assign l4_at_end   = 18'(a_row_q) == 18'(a_cmd_q.l4_end >> L);

  always_comb begin
    for (int j = 0; j < LANES; j++)
      ip_use[j] = (ip_began_q || (ip_at_start && (L-1)'(j) >= a_cmd_q.ip_start[L-1:1]))
                  && !ip_ended_q && !(ip_at_end && (L-1)'(j) >= a_ip_end_q[L-1:1])
                  && !(ip_at_field && (L-1)'(j) == a_ip_word_q[L-2:0]) && a_beat_q;
    for (int j = 0; j < B; j++)
      l4_use[j] = (l4_began_q || (l4_at_start && L'(j) >= a_cmd_q.l4_start[L-1:0]))
                  && !l4_ended_q && !(l4_at_end && L'(j) >= a_cmd_q.l4_end[L-1:0])
                  && a_lanes_q[j] && a_beat_q;
  end

  always_ff @(posedge clk) begin
    b_data_q   <= a_data_q;
    b_ip_use_q <= ip_use;
    b_l4_use_q <= l4_use;
    if (a_beat_q) begin
      ip_began_q <= !a_last_q && (ip_began_q || ip_at_start);
      ip_ended_q <= !a_last_q && (ip_ended_q || ip_at_end);
      l4_began_q <= !a_last_q && (l4_began_q || l4_at_start);
      l4_ended_q <= !a_last_q && (l4_ended_q || l4_at_end);
    end
    if (rst) begin
      ip_began_q <= 1'b0;
      ip_ended_q <= 1'b0;
      l4_began_q <= 1'b0;
      l4_ended_q <= 1'b0;
    end
  end

  // ---- C: the lanes, 0 where they do not count (the flip-flops' own reset)

  logic [W-1:0] c_ip_q, c_l4_q;

  always_ff @(posedge clk) begin
    for (int j = 0; j < LANES; j++)
      if (!b_ip_use_q[j]) c_ip_q[16*j +: 16] <= '0;
      else c_ip_q[16*j +: 16] <= b_data_q[16*j +: 16];
    for (int j = 0; j < B; j++)
      if (!b_l4_use_q[j]) c_l4_q[8*j +: 8] <= '0;
      else c_l4_q[8*j +: 8] <= b_data_q[8*j +: 8];
  end

  // ---- D: their sum

  logic [15+LEVELS:0] d_ip, d_l4;

  flue_csum_sum #(.W(W)) u_ip (.clk, .lanes_i(c_ip_q), .sum_o(d_ip));
  flue_csum_sum #(.W(W)) u_l4 (.clk, .lanes_i(c_l4_q), .sum_o(d_l4));

  // What the later stages need of the command, each as old as what it goes with.
  typedef struct packed {
    logic        first;
    logic [15:0] seed;                  // in lane order
  } start_t;

  typedef struct packed {
    logic          keep;
    logic          ip_en;
    logic [7:0]    ip_word;
    logic          l4_en;
    logic [PW-1:0] l4_word;
  } place_t;

  localparam int D = LEVELS + 2;        // cycles from A to the sum of a beat
  localparam int H = D + 4;             // and to the result

  start_t       start_q [D];
  place_t       place_q [H];
  logic [H-2:0] udp_q;

  always_ff @(posedge clk) begin
    start_q[0] <= '{first: a_first_q, seed: {a_cmd_q.l4_seed[7:0], a_cmd_q.l4_seed[15:8]}};
    place_q[0] <= '{
      keep: a_keep_q, ip_en: a_cmd_q.ip_en, ip_word: a_ip_word_q,
      l4_en: a_cmd_q.l4_en && 17'(a_cmd_q.l4_pos) < 17'(DEPTH * B), l4_word: a_cmd_q.l4_pos[PW:1]
    };
    udp_q <= {udp_q[H-3:0], a_cmd_q.l4_udp};
    for (int i = 1; i < D; i++) start_q[i] <= start_q[i-1];
    for (int i = 1; i < H; i++) place_q[i] <= place_q[i-1];
    if (rst)
      for (int i = 0; i < H; i++) place_q[i].keep <= 1'b0;
  end

  // ---- E: over the frame;  F, G: folded to 16 bits;  H: what is stored

  logic [IW-1:0] e_ip_q;
  logic [AW-1:0] e_l4_q;
  logic [16:0]   f_ip_q, f_l4_q;
  logic [15:0]   g_ip_q, g_l4_q;

  always_ff @(posedge clk) begin
    e_ip_q <= (start_q[D-1].first ? '0 : e_ip_q) + IW'(d_ip);
    e_l4_q <= (start_q[D-1].first ? AW'(start_q[D-1].seed) : e_l4_q) + AW'(d_l4);

    f_ip_q <= {1'b0, e_ip_q[15:0]} + 17'(e_ip_q[IW-1:16]);
    f_l4_q <= {1'b0, e_l4_q[15:0]} + 17'(e_l4_q[AW-1:16]);

    g_ip_q <= f_ip_q[15:0] + 16'(f_ip_q[16]);
    g_l4_q <= f_l4_q[15:0] + 16'(f_l4_q[16]);

    ip_sum_o <= ~g_ip_q;
    if (udp_q[H-2] && g_l4_q == '1) l4_sum_o <= '1;
    else l4_sum_o <= {~g_l4_q[15:1], ~g_l4_q[0] ^ fault_csum_i};
  end

  assign done_o    = place_q[H-1].keep;
  assign ip_en_o   = place_q[H-1].ip_en;
  assign ip_word_o = place_q[H-1].ip_word;
  assign l4_en_o   = place_q[H-1].l4_en;
  assign l4_word_o = place_q[H-1].l4_word;

endmodule

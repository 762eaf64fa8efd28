// Transmit checksums of one frame after another: IPv4 header, and TCP, UDP or any
// range, computed while the frame passes by.
//
// Contract: beat_i marks a beat of a frame that moves, with its data, lanes and last
// beside it and cmd_i the same on all its beats.  For every frame that ends with
// keep_i one result follows, in order: what is to be stored, complemented, at which
// 16-bit word of the frame.
//   IPv4 (ip_en): sum of the header, its checksum field taken as 0, whatever it holds
//                 (TO-019)
//   L4 (l4_en):   sum of bytes l4_start to l4_end - 1, at most to the frame's end, an odd
//                 last byte padded with 0, plus l4_seed unless l4_start is 0; for UDP 0
//                 in place of 0xFFFF (TO-023).  The field itself is summed as it is (3.1.2:
//                 it holds the pseudo-header sum).
// Sums are in the byte order of the lanes: a one's-complement sum of swapped words is the
// swapped sum.  An L4 position behind the largest frame gives no result for that sum.
// Rate: a beat a cycle, frames back to back.  Latency: log2(W / 32) + 8 cycles.
// Cost: two flue_csum_acc; masking is done by the resets of the lanes' flip-flops.
module flue_csum_engine import flue_pkg::*; #(
  parameter int W     = 64,             // 32 to 512
  parameter int DEPTH = 512,            // beats of the largest frame, a power of two
  localparam int B  = W / 8,
  localparam int PW = $clog2(DEPTH * B) - 1   // bits of a 16-bit word's number
) (
  input  logic          clk,
  input  logic          rst,

  input  logic          beat_i,
  input  logic [W-1:0]  data_i,
  input  logic [B-1:0]  lanes_i,        // the stream's keep
  input  logic          last_i,
  input  logic          keep_i,         // with last: the frame wants a result
  input  csum_cmd_t     cmd_i,

  output logic          done_o,
  output logic          ip_en_o,
  output logic [6:0]    ip_word_o,      // first word of the header: the field is the fifth behind it
  output logic [15:0]   ip_sum_o,
  output logic          l4_en_o,
  output logic [PW-1:0] l4_word_o,
  output logic [15:0]   l4_sum_o
);

  localparam int L      = $clog2(B);
  localparam int RW     = $clog2(DEPTH);
  localparam int LANES  = W / 16;

  // ---- A: the beat, and which of its lanes begin or end a range

  logic [RW-1:0]    row_q;
  logic [8:0]       ip_end;             // first byte behind the IPv4 header
  logic             ip_at_start, ip_at_end, l4_at_start, l4_at_end;

  assign ip_end      = {1'b0, cmd_i.ip_start} + {3'b0, cmd_i.ip_ihl, 2'b0};
  assign ip_at_start = 17'(row_q) == 17'(cmd_i.ip_start >> L);
  assign ip_at_end   = 17'(row_q) == 17'(ip_end >> L);
  assign l4_at_start = 17'(row_q) == 17'(cmd_i.l4_start >> L);
  assign l4_at_end   = 17'(row_q) == 17'(cmd_i.l4_end >> L);

  logic             a_beat_q, a_first_q, a_last_q;
  logic [W-1:0]     a_data_q;
  logic [B-1:0]     a_lanes_q;
  logic             a_ip_start_q, a_ip_end_q, a_l4_start_q, a_l4_end_q;   // in this beat
  logic [LANES-1:0] a_ip_first_q, a_ip_from_q, a_ip_to_q, a_l4_from_q;
  logic [B-1:0]     a_l4_to_q;          // lanes before the end
  logic [15:0]      a_seed_q;           // in lane order

  always_ff @(posedge clk) begin
    a_beat_q     <= beat_i;
    a_first_q    <= beat_i && row_q == '0;
    a_last_q     <= last_i;
    a_data_q     <= data_i;
    a_lanes_q    <= lanes_i;
    a_seed_q     <= {cmd_i.l4_seed[7:0], cmd_i.l4_seed[15:8]};
    a_ip_start_q <= ip_at_start;
    a_ip_end_q   <= ip_at_end;
    a_l4_start_q <= l4_at_start;
    a_l4_end_q   <= l4_at_end;
    for (int j = 0; j < LANES; j++) begin
      a_ip_first_q[j] <= ip_at_start && (L-1)'(j) == cmd_i.ip_start[L-1:1];
      a_ip_from_q[j]  <= (L-1)'(j) >= cmd_i.ip_start[L-1:1];
      a_ip_to_q[j]    <= (L-1)'(j) < ip_end[L-1:1];
      a_l4_from_q[j]  <= (L-1)'(j) >= cmd_i.l4_start[L-1:1];
    end
    for (int j = 0; j < B; j++)
      a_l4_to_q[j] <= L'(j) < cmd_i.l4_end[L-1:0];
    if (beat_i) row_q <= row_q + 1'b1;
    if (rst || (beat_i && last_i)) row_q <= '0;
    if (rst) a_beat_q <= 1'b0;
  end

  // ---- B: lanes behind the beginning, and lanes before the end

  logic             ip_began_q, ip_ended_q, l4_began_q, l4_ended_q;
  logic [W-1:0]     b_data_q;
  logic [LANES-1:0] b_ip_from_q, b_ip_to_q, b_l4_from_q;
  logic [B-1:0]     b_l4_to_q;
  logic             b_first_q;
  logic [4:0]       ip_behind_q;        // whether the header begins in one of the five lanes before this beat
  logic [LANES+4:0] ip_field;           // its first lane, five lanes later
  logic [15:0]      b_seed_q;

  assign ip_field = {a_ip_first_q, ip_behind_q};

  always_ff @(posedge clk) begin
    b_data_q  <= a_data_q;
    b_first_q <= a_first_q;
    b_seed_q  <= a_seed_q;
    for (int j = 0; j < LANES; j++) begin
      b_ip_from_q[j] <= a_beat_q && (ip_began_q || (a_ip_start_q && a_ip_from_q[j]));
      b_ip_to_q[j]   <= !ip_ended_q && (!a_ip_end_q || a_ip_to_q[j]) && !ip_field[j];
      b_l4_from_q[j] <= a_beat_q && (l4_began_q || (a_l4_start_q && a_l4_from_q[j]));
    end
    for (int j = 0; j < B; j++)
      b_l4_to_q[j] <= !l4_ended_q && (!a_l4_end_q || a_l4_to_q[j]) && a_lanes_q[j];
    if (a_beat_q) begin
      ip_began_q  <= ip_began_q || a_ip_start_q;
      ip_ended_q  <= ip_ended_q || a_ip_end_q;
      l4_began_q  <= l4_began_q || a_l4_start_q;
      l4_ended_q  <= l4_ended_q || a_l4_end_q;
      ip_behind_q <= ip_field[LANES+4:LANES];
    end
    if (rst || (a_beat_q && a_last_q)) begin
      ip_began_q  <= 1'b0;
      ip_ended_q  <= 1'b0;
      l4_began_q  <= 1'b0;
      l4_ended_q  <= 1'b0;
      ip_behind_q <= '0;
    end
  end

  logic [2:0] last_q;                   // [i]: i + 1 cycles old

  // ---- C: the lanes, 0 where they do not count (by the flip-flops' own reset).  The seed
  // takes the first lane of the frame, where no range begins that has one.

  logic [W-1:0] c_ip_q, c_l4_q;

  always_ff @(posedge clk) begin
    for (int j = 0; j < LANES; j++)
      if (!b_ip_from_q[j] || !b_ip_to_q[j]) c_ip_q[16*j +: 16] <= '0;
      else c_ip_q[16*j +: 16] <= b_data_q[16*j +: 16];
    for (int j = 0; j < B; j++)
      if (!b_l4_from_q[j/2] || !b_l4_to_q[j]) c_l4_q[8*j +: 8] <= '0;
      else c_l4_q[8*j +: 8] <= b_data_q[8*j +: 8];
    if (b_first_q && !b_l4_from_q[0]) c_l4_q[15:0] <= b_seed_q;
  end

  // ---- D: their sums over the frame, with carries still to be added

  logic [15:0] d_ip, d_l4;
  logic        d_ip_carry, d_l4_carry;
  logic [4:0]  d_ip_extra, d_l4_extra;

  flue_csum_acc #(.W(W)) u_ip (
    .clk, .rst, .en_i(1'b1), .words_i(c_ip_q), .last_i(last_q[2]),
    .sum_o(d_ip), .carry_o(d_ip_carry), .extra_o(d_ip_extra)
  );
  flue_csum_acc #(.W(W)) u_l4 (
    .clk, .rst, .en_i(1'b1), .words_i(c_l4_q), .last_i(last_q[2]),
    .sum_o(d_l4), .carry_o(d_l4_carry), .extra_o(d_l4_extra)
  );

  // What the later stages need of the command, as old as the sum.
  typedef struct packed {
    logic          keep;
    logic          ip_en;
    logic [6:0]    ip_word;
    logic          l4_en;
    logic [PW-1:0] l4_word;
  } place_t;

  localparam int H = $clog2(W / 32) + 8;  // cycles from the last beat to the result

  place_t       place_q [H];            // [i]: i + 1 cycles old
  logic [H-1:0] udp_q;

  always_ff @(posedge clk) begin
    place_q[0] <= '{
      keep: beat_i && last_i && keep_i, ip_en: cmd_i.ip_en, ip_word: cmd_i.ip_start[7:1],
      l4_en: cmd_i.l4_en && (cmd_i.l4_pos >> (PW + 1)) == '0, l4_word: cmd_i.l4_pos[PW:1]
    };
    for (int i = 1; i < H; i++) place_q[i] <= place_q[i-1];
    udp_q  <= {udp_q[H-2:0], cmd_i.l4_udp};
    last_q <= {last_q[1:0], beat_i && last_i};
    if (rst) begin
      for (int i = 0; i < H; i++) place_q[i].keep <= 1'b0;
      last_q <= '1;                     // what is on its way ends there
    end
  end

  // ---- E: the carries;  F: the carry of that, which leaves few bits.

  logic [16:0] e_ip_q, e_l4_q;
  logic [15:0] f_ip_q, f_l4_q;

  // Carries are at most W / 32 + 1, so a sum that overflows ends in a small number.
  function automatic logic [15:0] round(input logic [16:0] x);
    return {x[15:5], x[4:0] + 5'(x[16])};
  endfunction

  always_ff @(posedge clk) begin
    e_ip_q   <= 17'(d_ip) + 17'(d_ip_extra) + 17'(d_ip_carry);
    e_l4_q   <= 17'(d_l4) + 17'(d_l4_extra) + 17'(d_l4_carry);
    f_l4_q   <= round(e_l4_q);
    f_ip_q   <= round(e_ip_q);
    ip_sum_o <= f_ip_q;
    l4_sum_o <= f_l4_q;
    if (udp_q[H-2] && f_l4_q == '1) l4_sum_o <= '0;
  end

  assign done_o    = place_q[H-1].keep;
  assign ip_en_o   = place_q[H-1].ip_en;
  assign ip_word_o = place_q[H-1].ip_word;
  assign l4_en_o   = place_q[H-1].l4_en;
  assign l4_word_o = place_q[H-1].l4_word;

endmodule

// Stores two 16-bit checksums into a frame on its way.
//
// Contract: a frame moves only while patch_valid_i is high; patch_ready_o is high with
// its last beat.  Word n of the frame (bytes 2n, 2n + 1) is replaced by the complement of
// its sum where enabled; the L4 word is behind the IPv4 header, so at least 10 bytes
// behind that of the header.  The user bits belong to the frame.
// Latency: 2 cycles.  Rate: a beat a cycle.  Cost: 1 LUT4 a bit (W > 64: 2).
module flue_csum_patch #(
  parameter int W  = 64,                // data, bits: 32 to 512
  parameter int PW = 11,                // bits of a word's number
  parameter int U  = 1,
  localparam int B = W / 8
) (
  input  logic          clk,
  input  logic          rst,

  input  logic          patch_valid_i,
  output logic          patch_ready_o,
  input  logic          ip_en_i,
  input  logic [6:0]    ip_word_i,      // first word of the header: the field is the fifth behind it
  input  logic [15:0]   ip_sum_i,
  input  logic          l4_en_i,
  input  logic [PW-1:0] l4_word_i,
  input  logic [15:0]   l4_sum_i,

  input  logic          in_valid_i,
  output logic          in_ready_o,
  input  logic [W-1:0]  in_data_i,
  input  logic [B-1:0]  in_keep_i,
  input  logic          in_last_i,
  input  logic [U-1:0]  in_user_i,

  output logic          out_valid_o,
  input  logic          out_ready_i,
  output logic [W-1:0]  out_data_o,
  output logic [B-1:0]  out_keep_o,
  output logic          out_last_o,
  output logic [U-1:0]  out_user_o
);

  localparam int LANES = W / 16;
  localparam int G     = $clog2(LANES);
  localparam int RW    = PW - G;        // bits of a row's number

  logic             go, moves;
  logic             valid_q, last_q;
  logic [W-1:0]     data_q;
  logic [B-1:0]     keep_q;
  logic [U-1:0]     user_q;
  logic [RW-1:0]    row_q;
  logic             ip_row, l4_row;     // the header begins, the L4 word is in this beat
  logic [LANES-1:0] ip_first;
  logic [4:0]       ip_behind_q;        // whether it begins in one of the five lanes before this beat
  logic [LANES+4:0] ip_field;           // its first lane, five lanes later
  logic [LANES-1:0] ip_here_q, l4_here_q;
  logic [15:0]      ip_sum_q, l4_sum_q;
  logic [W-1:0]     patched;

  assign go            = !out_valid_o || out_ready_i;
  assign in_ready_o    = go && patch_valid_i;
  assign moves         = in_valid_i && in_ready_o;
  assign patch_ready_o = moves && in_last_i;
  assign ip_row        = ip_en_i && 16'(row_q) == 16'(ip_word_i >> G);
  assign l4_row        = l4_en_i && row_q == l4_word_i[PW-1:G];

  assign ip_field      = {ip_first, ip_behind_q};

  always_comb
    for (int j = 0; j < LANES; j++) ip_first[j] = ip_row && ip_word_i[G-1:0] == G'(j);

  always_ff @(posedge clk) begin
    if (moves) begin
      row_q       <= row_q + 1'b1;
      ip_behind_q <= ip_field[LANES+4:LANES];
    end
    if (rst || patch_ready_o) begin
      row_q       <= '0;
      ip_behind_q <= '0;
    end
    if (go) begin
      valid_q  <= moves;
      data_q   <= in_data_i;
      keep_q   <= in_keep_i;
      last_q   <= in_last_i;
      user_q   <= in_user_i;
      ip_sum_q <= ip_sum_i;
      l4_sum_q <= l4_row ? l4_sum_i : ip_sum_i;
      for (int j = 0; j < LANES; j++) begin
        ip_here_q[j] <= ip_field[j];
        l4_here_q[j] <= l4_row && l4_word_i[G-1:0] == G'(j);
      end

      out_valid_o <= valid_q;
      out_keep_o  <= keep_q;
      out_last_o  <= last_q;
      out_user_o  <= user_q;
      out_data_o  <= patched;
    end
    if (rst) begin
      valid_q     <= 1'b0;
      out_valid_o <= 1'b0;
    end
  end

  // Where a beat has at most one of the words they share the way to the lanes: l4_sum_q
  // then is the one of this beat.
  if (W > 64) begin : g_two
    for (genvar g = 0; g < LANES; g++) begin : g_lane
      assign patched[16*g +: 16] = l4_here_q[g] ? ~l4_sum_q
                                 : ip_here_q[g] ? ~ip_sum_q : data_q[16*g +: 16];
    end
  end else begin : g_one
    logic [LANES-1:0] here_q;
    assign here_q = ip_here_q | l4_here_q;
    for (genvar g = 0; g < LANES; g++) begin : g_lane
      assign patched[16*g +: 16] = here_q[g] ? ~l4_sum_q : data_q[16*g +: 16];
    end
    logic unused_ip_sum;
    assign unused_ip_sum = ^ip_sum_q;
  end

endmodule

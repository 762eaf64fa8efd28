// Removes bytes from the front of each packet.
//
// Contract: the first in_count_i bytes of a packet are removed; in_count_i and
// in_user_i belong to the packet.  A packet that is not longer than that vanishes.
// Rate: a beat a cycle; a packet that ends on the byte where a word is full and
// another begun takes one more if the next packet needs the output at once
// (flue_pack).  Latency: 4 cycles.
module flue_strip #(
  parameter int W  = 64,          // data, bits
  parameter int CW = 8,           // in_count_i, bits
  parameter int U  = 1            // user, bits
) (
  input  logic           clk,
  input  logic           rst,

  input  logic           in_valid_i,
  output logic           in_ready_o,
  input  logic [W-1:0]   in_data_i,
  input  logic [W/8-1:0] in_keep_i,
  input  logic           in_last_i,
  input  logic           in_bad_i,
  input  logic [CW-1:0]  in_count_i,
  input  logic [U-1:0]   in_user_i,

  output logic           out_valid_o,
  input  logic           out_ready_i,
  output logic [W-1:0]   out_data_o,
  output logic [W/8-1:0] out_keep_o,
  output logic           out_last_o,
  output logic           out_bad_o,
  output logic [U-1:0]   out_user_o
);

  localparam int B  = W / 8;
  localparam int L  = $clog2(B);
  localparam int RW = CW > L + 1 ? CW : L + 1;

  logic          first_q;         // the next beat begins a packet
  logic [RW-1:0] rest_q, rest;    // bytes still to be removed
  logic [L:0]    bytes;           // in the beat
  logic          some;            // of them are left

  always_comb begin
    bytes = '0;
    for (int j = 0; j < B; j++) if (in_keep_i[j]) bytes = (L+1)'(j + 1);
  end

  assign rest = first_q ? RW'(in_count_i) : rest_q;
  assign some = RW'(bytes) > rest;

  // The chunk of the beat that stays.
  logic         chunk_valid_q, chunk_ready, chunk_last_q, chunk_bad_q;
  logic [W-1:0] chunk_data_q;
  logic [L-1:0] chunk_off_q;
  logic [L:0]   chunk_len_q;
  logic [U-1:0] chunk_user_q;

  assign in_ready_o = !chunk_valid_q || chunk_ready;

  always_ff @(posedge clk) begin
    if (in_ready_o) begin
      chunk_valid_q <= in_valid_i && some;
      chunk_last_q  <= in_last_i;
      chunk_bad_q   <= in_bad_i;
      chunk_data_q  <= in_data_i;
      chunk_off_q   <= rest[L-1:0];
      chunk_len_q   <= bytes - rest[L:0];
      chunk_user_q  <= in_user_i;
      if (in_valid_i) begin
        first_q <= in_last_i;
        rest_q  <= some ? '0 : rest - RW'(bytes);
      end
    end
    if (rst) begin
      chunk_valid_q <= 1'b0;
      first_q       <= 1'b1;
    end
  end

  flue_pack #(.W(W), .U(U)) u_pack (
    .clk, .rst,
    .in_valid_i(chunk_valid_q), .in_ready_o(chunk_ready), .in_data_i(chunk_data_q),
    .in_off_i(chunk_off_q), .in_len_i(chunk_len_q), .in_last_i(chunk_last_q),
    .in_bad_i(chunk_bad_q), .in_skip_i('0), .in_user_i(chunk_user_q),
    .out_valid_o, .out_ready_i, .out_data_o, .out_keep_o, .out_last_o, .out_bad_o, .out_user_o
  );

endmodule

// Bus words of a read, in order, into one dense packet.
//
// Contract: a word holds bytes in lanes start_i to end_i; last_i ends the packet, bad_i says
// that the bus reported an error with it or before it in its burst, refused_i that the packet
// ends here without data (the word then counts as one byte of rubbish, so that there is a beat
// to carry `bad`).  The packet leaves with `bad` on last at the first word that is bad or
// refused, and out_status_o says which; its later words are swallowed, so that what is cut into
// frames downstream never sends bytes the bus did not give.
module flue_dma_join
  import flue_pkg::*;
#(
  parameter int W = 64,
  localparam int B = W / 8,
  localparam int L = $clog2(B)
) (
  input  logic         clk,
  input  logic         rst,

  input  logic         in_valid_i,
  output logic         in_ready_o,
  input  logic [W-1:0] in_data_i,
  input  logic [L-1:0] in_start_i,
  input  logic [L-1:0] in_end_i,
  input  logic         in_last_i,
  input  logic         in_bad_i,
  input  logic         in_refused_i,

  output logic         out_valid_o,
  input  logic         out_ready_i,
  output logic [W-1:0] out_data_o,
  output logic [B-1:0] out_keep_o,
  output logic         out_last_o,
  output logic         out_bad_o,
  output status_e      out_status_o
);

  logic ended_q;                  // this packet ended early
  logic hold_q;                   // the end of a bad packet is in the packer: nothing follows it
  logic refused_q;                // that packet was refused
  logic bad, feed, pack_ready;

  assign bad        = in_bad_i || in_refused_i;
  assign feed       = in_valid_i && !ended_q && !hold_q;
  assign in_ready_o = ended_q || (pack_ready && !hold_q);

  flue_pack #(.W(W), .U(1)) u_pack (
    .clk,
    .rst,
    .in_valid_i (feed),
    .in_ready_o (pack_ready),
    .in_data_i,
    .in_off_i   (in_start_i),
    .in_len_i   (in_refused_i ? (L+1)'(1) : {1'b0, in_end_i - in_start_i} + 1'b1),
    .in_last_i  (in_last_i || in_bad_i),
    .in_bad_i   (bad),
    .in_skip_i  ('0),
    .in_user_i  (1'b0),
    .out_valid_o,
    .out_ready_i,
    .out_data_o,
    .out_keep_o,
    .out_last_o,
    .out_bad_o,
    .out_user_o ()
  );

  assign out_status_o = !out_bad_o ? ST_OK : refused_q ? ST_BAD_REGION : ST_DMA_READ;

  always_ff @(posedge clk) begin
    if (in_valid_i && in_ready_o) ended_q <= !in_last_i && (ended_q || in_bad_i);
    if (feed && pack_ready && bad) begin
      hold_q    <= 1'b1;
      refused_q <= in_refused_i;
    end else if (out_valid_o && out_ready_i && out_last_o && out_bad_o) begin
      hold_q <= 1'b0;
    end
    if (rst) begin
      ended_q <= 1'b0;
      hold_q  <= 1'b0;
    end
  end

endmodule

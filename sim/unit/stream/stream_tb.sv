// Unit bench of rtl/stream/: every module at every data width.
//
// IDs of sources and sinks: 8 * module + width index (0 = 32 bits .. 4 = 512).
module stream_tb (
  input logic clk,
  input logic rst
);

  for (genvar g = 0; g < 5; g++) begin : g_width
    localparam int W = 32 << g;
    stream_pack_tb #(.W(W), .ID(g)) u_pack (.clk, .rst);
  end

endmodule

// Chunks are one-beat packets; user: off 7:0, len 15:8, skip 23:16, last 24, bad 25, packet's user 63:32.
module stream_pack_tb #(
  parameter int W  = 64,
  parameter int ID = 0
) (
  input logic clk,
  input logic rst
);
  localparam int B = W / 8;
  localparam int L = $clog2(B);

  logic         in_valid, in_ready, out_valid, out_ready, out_last, out_bad;
  logic [W-1:0] in_data, out_data;
  logic [B-1:0] out_keep;
  logic [63:0]  chunk;
  logic [31:0]  out_user;

  bench_source #(.W(W), .U(64), .ID(ID)) u_source (
    .clk, .rst, .out_valid_o(in_valid), .out_ready_i(in_ready), .out_data_o(in_data),
    .out_keep_o(), .out_last_o(), .out_bad_o(), .out_user_o(chunk), .out_user_last_o()
  );
  flue_pack #(.W(W), .U(32)) dut (
    .clk, .rst,
    .in_valid_i(in_valid), .in_ready_o(in_ready), .in_data_i(in_data),
    .in_off_i(chunk[L-1:0]), .in_len_i(chunk[8+L:8]), .in_last_i(chunk[24]), .in_bad_i(chunk[25]),
    .in_skip_i(chunk[16+:L]), .in_user_i(chunk[63:32]),
    .out_valid_o(out_valid), .out_ready_i(out_ready), .out_data_o(out_data), .out_keep_o(out_keep),
    .out_last_o(out_last), .out_bad_o(out_bad), .out_user_o(out_user)
  );
  bench_sink #(.W(W), .U(32), .ID(ID), .SKIP(1'b1)) u_sink (
    .clk, .rst, .in_valid_i(out_valid), .in_ready_o(out_ready), .in_data_i(out_data),
    .in_keep_i(out_keep), .in_last_i(out_last), .in_bad_i(out_bad), .in_user_i(out_user),
    .in_user_last_i(1'b0)
  );
endmodule

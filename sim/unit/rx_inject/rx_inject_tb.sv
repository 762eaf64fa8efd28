// Unit bench of rtl/queue/flue_rx_inject.sv at every data width.
//
// IDs: width index g (0 = 32 bits .. 4 = 512).  Sources: g the wire, 8 + g the host's frames.  Sinks: g what leaves, 8 + g {it is the
// host's}, told for each frame 20 cycles after its last beat left: the blocks behind.  Status g: {begins, forward}.
module rx_inject_tb (
  input logic clk,
  input logic rst
);

  for (genvar g = 0; g < 5; g++) begin : g_width
    localparam int W = 32 << g;

    logic           wire_valid, wire_last, wire_bad, in_valid, in_ready, in_last, in_bad, out_valid, out_ready, out_last, out_bad;
    logic [W-1:0]   wire_data, in_data, out_data;
    logic [W/8-1:0] wire_keep, in_keep, out_keep;
    logic           forward, begins;
    logic [19:0]    behind_q;

    bench_source #(.W(W), .ID(g)) u_wire (
      .clk, .rst, .out_valid_o(wire_valid), .out_ready_i(1'b1), .out_data_o(wire_data), .out_keep_o(wire_keep),
      .out_last_o(wire_last), .out_bad_o(wire_bad), .out_user_o(), .out_user_last_o()
    );
    bench_source #(.W(W), .ID(8 + g)) u_host (
      .clk, .rst, .out_valid_o(in_valid), .out_ready_i(in_ready), .out_data_o(in_data), .out_keep_o(in_keep),
      .out_last_o(in_last), .out_bad_o(in_bad), .out_user_o(), .out_user_last_o()
    );
    flue_rx_inject #(.W(W), .DEPTH(512)) dut (
      .clk, .rst, .wire_valid_i(wire_valid), .wire_data_i(wire_data), .wire_keep_i(wire_keep), .wire_last_i(wire_last),
      .wire_bad_i(wire_bad), .in_valid_i(in_valid), .in_ready_o(in_ready), .in_data_i(in_data), .in_keep_i(in_keep),
      .in_last_i(in_last), .in_bad_i(in_bad), .out_valid_o(out_valid), .out_ready_i(out_ready), .out_data_o(out_data),
      .out_keep_o(out_keep), .out_last_o(out_last), .out_bad_o(out_bad), .end_i(behind_q[19]), .forward_o(forward),
      .begin_o(begins)
    );
    bench_sink #(.W(W), .ID(g)) u_out (
      .clk, .rst, .in_valid_i(out_valid), .in_ready_o(out_ready), .in_data_i(out_data), .in_keep_i(out_keep),
      .in_last_i(out_last), .in_bad_i(out_bad), .in_user_i(1'b0), .in_user_last_i(1'b0)
    );
    bench_sink #(.W(8), .ID(8 + g)) u_ends (
      .clk, .rst, .in_valid_i(behind_q[19]), .in_ready_o(), .in_data_i('0), .in_keep_i(1'b1), .in_last_i(1'b1), .in_bad_i(1'b0),
      .in_user_i(forward), .in_user_last_i(1'b0)
    );
    bench_status #(.W(2), .ID(g)) u_status (.clk, .rst, .value_i({begins, forward}));

    always_ff @(posedge clk) begin
      behind_q <= {behind_q[18:0], out_valid && out_ready && out_last};
      if (rst) behind_q <= '0;
    end
  end

endmodule

// The bench framework against itself: a source wired to a sink, and a sink
// that sees broken rules on request.
module bench_tb (
  input logic clk,
  input logic rst
);

  for (genvar g = 0; g < 5; g++) begin : g_width
    localparam int W = 32 << g;
    logic           valid, ready, last, bad;
    logic [W-1:0]   data;
    logic [W/8-1:0] keep;
    logic [39:0]    user;
    logic [15:0]    user_last;

    bench_source #(.W(W), .U(40), .UL(16), .ID(g)) u_source (
      .clk, .rst,
      .out_valid_o(valid), .out_ready_i(ready), .out_data_o(data), .out_keep_o(keep),
      .out_last_o(last), .out_bad_o(bad), .out_user_o(user), .out_user_last_o(user_last)
    );
    bench_sink #(.W(W), .U(40), .UL(16), .ID(g)) u_sink (
      .clk, .rst,
      .in_valid_i(valid), .in_ready_o(ready), .in_data_i(data), .in_keep_i(keep),
      .in_last_i(last), .in_bad_i(bad), .in_user_i(user), .in_user_last_i(user_last)
    );
  end

  logic [7:0] wires;
  bench_config #(.W(8), .ID(0)) u_config (.clk, .value_o(wires));
  bench_status #(.W(8), .ID(0)) u_status (.clk, .rst, .value_i(wires));

  // A stream that the test drives bit by bit: 0 valid, 1 last, 2 bad, 6:3 keep, 38:7
  // data, 39 user; the sink's ready is status 1.
  logic [39:0] raw;
  logic        raw_ready;
  bench_config #(.W(40), .ID(1)) u_raw (.clk, .value_o(raw));
  bench_status #(.W(1), .ID(1)) u_raw_ready (.clk, .rst, .value_i(raw_ready));
  bench_sink #(.W(32), .U(1), .UL(1), .ID(5)) u_raw_sink (
    .clk, .rst,
    .in_valid_i(raw[0]), .in_ready_o(raw_ready), .in_data_i(raw[38:7]), .in_keep_i(raw[6:3]),
    .in_last_i(raw[1]), .in_bad_i(raw[2]), .in_user_i(raw[39]), .in_user_last_i(1'b0)
  );

endmodule

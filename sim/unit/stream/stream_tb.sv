// Unit bench of rtl/stream/: every module at every data width.
//
// IDs of sources, sinks and signals: module + width index (0 = 32 bits .. 4 = 512),
// with the modules of stream_test.h.  User bits: 31:0 mark of the packet, 39:32 count
// (strip) or length of the head (prepend), 167:40 head.  User bits of the last beat:
// meta data of the frame FIFOs.
module stream_tb (
  input logic clk,
  input logic rst
);

  for (genvar g = 0; g < 5; g++) begin : g_width
    stream_pack_tb    #(.W(32 << g), .ID(g)) u_pack (.clk, .rst);
    stream_pass_tb    #(.W(32 << g), .ID(g)) u_pass (.clk, .rst);
    stream_arb_tb     #(.W(32 << g), .ID(80 + g)) u_arb (.clk, .rst);
    stream_convert_tb #(.WI(32 << g), .WO(32 << ((g + 1) % 5)), .ID(64 + g)) u_wider (.clk, .rst);
    stream_convert_tb #(.WI(32 << g), .WO(32 << ((g + 4) % 5)), .ID(72 + g)) u_narrower (.clk, .rst);
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

// The modules whose input and output are one packet stream of the same width.
module stream_pass_tb #(
  parameter int W  = 64,
  parameter int ID = 0            // width index
) (
  input logic clk,
  input logic rst
);
  localparam int B     = W / 8;
  localparam int P     = W + B + 34;              // a beat as a payload
  localparam int REG   = 1;                       // module / 8 of stream_test.h
  localparam int FIFO  = 2;
  localparam int PFIFO = 3;
  localparam int FRAME = 4;
  localparam int DROP  = 5;
  localparam int STRIP = 6;
  localparam int PREP  = 7;

  logic         in_valid [8], in_ready [8], in_last [8], in_bad [8];
  logic [W-1:0] in_data [8];
  logic [B-1:0] in_keep [8];
  logic [167:0] in_user [8];
  logic [15:0]  in_meta [8];
  logic         out_valid [8], out_ready [8], out_last [8], out_bad [8];
  logic [W-1:0] out_data [8];
  logic [B-1:0] out_keep [8];
  logic [31:0]  out_user [8];

  for (genvar m = 1; m < 8; m++) begin : g_module
    bench_source #(.W(W), .U(168), .UL(16), .ID(8 * m + ID)) u_source (
      .clk, .rst, .out_valid_o(in_valid[m]), .out_ready_i(in_ready[m]), .out_data_o(in_data[m]),
      .out_keep_o(in_keep[m]), .out_last_o(in_last[m]), .out_bad_o(in_bad[m]),
      .out_user_o(in_user[m]), .out_user_last_o(in_meta[m])
    );
    bench_sink #(.W(W), .U(32), .ID(8 * m + ID)) u_sink (
      .clk, .rst, .in_valid_i(out_valid[m]), .in_ready_o(out_ready[m]), .in_data_i(out_data[m]),
      .in_keep_i(out_keep[m]), .in_last_i(out_last[m]), .in_bad_i(out_bad[m]),
      .in_user_i(out_user[m]), .in_user_last_i(1'b0)
    );
  end

  flue_stream_reg #(.W(P)) u_reg (
    .clk, .rst, .in_valid_i(in_valid[REG]), .in_ready_o(in_ready[REG]),
    .in_i({in_user[REG][31:0], in_last[REG], in_bad[REG], in_keep[REG], in_data[REG]}),
    .out_valid_o(out_valid[REG]), .out_ready_i(out_ready[REG]),
    .out_o({out_user[REG], out_last[REG], out_bad[REG], out_keep[REG], out_data[REG]})
  );

  logic [4:0] count;
  flue_fifo #(.W(P), .DEPTH(16)) u_fifo (
    .clk, .rst, .in_valid_i(in_valid[FIFO]), .in_ready_o(in_ready[FIFO]),
    .in_i({in_user[FIFO][31:0], in_last[FIFO], in_bad[FIFO], in_keep[FIFO], in_data[FIFO]}),
    .out_valid_o(out_valid[FIFO]), .out_ready_i(out_ready[FIFO]),
    .out_o({out_user[FIFO], out_last[FIFO], out_bad[FIFO], out_keep[FIFO], out_data[FIFO]}),
    .count_o(count)
  );
  bench_status #(.W(5), .ID(8 * FIFO + ID)) u_count (.clk, .rst, .value_i(count));

  flue_packet_fifo #(.W(W), .DEPTH(32)) u_packet_fifo (
    .clk, .rst,
    .in_valid_i(in_valid[PFIFO]), .in_ready_o(in_ready[PFIFO]), .in_data_i(in_data[PFIFO]),
    .in_keep_i(in_keep[PFIFO]), .in_last_i(in_last[PFIFO]), .in_bad_i(in_bad[PFIFO]),
    .out_valid_o(out_valid[PFIFO]), .out_ready_i(out_ready[PFIFO]), .out_data_o(out_data[PFIFO]),
    .out_keep_o(out_keep[PFIFO]), .out_last_o(out_last[PFIFO]), .out_bad_o(out_bad[PFIFO])
  );
  assign out_user[PFIFO] = '0;

  for (genvar m = FRAME; m <= DROP; m++) begin : g_frame
    logic [15:0] meta;
    logic        drop_bad, drop_full;
    flue_frame_fifo #(.W(W), .DEPTH(64), .META_W(16), .FRAMES(8), .DROP_FULL(m == DROP)) u_frame_fifo (
      .clk, .rst,
      .in_valid_i(in_valid[m]), .in_ready_o(in_ready[m]), .in_data_i(in_data[m]),
      .in_keep_i(in_keep[m]), .in_last_i(in_last[m]), .in_bad_i(in_bad[m]), .in_meta_i(in_meta[m]),
      .out_valid_o(out_valid[m]), .out_ready_i(out_ready[m]), .out_data_o(out_data[m]),
      .out_keep_o(out_keep[m]), .out_last_o(out_last[m]), .out_bad_o(out_bad[m]), .out_meta_o(meta),
      .drop_bad_o(drop_bad), .drop_full_o(drop_full)
    );
    assign out_user[m] = 32'(meta);
    bench_status #(.W(3), .ID(8 * m + ID)) u_drops (
      .clk, .rst, .value_i({in_valid[m] && !in_ready[m], drop_full, drop_bad})
    );
  end

  flue_strip #(.W(W), .U(32)) u_strip (
    .clk, .rst,
    .in_valid_i(in_valid[STRIP]), .in_ready_o(in_ready[STRIP]), .in_data_i(in_data[STRIP]),
    .in_keep_i(in_keep[STRIP]), .in_last_i(in_last[STRIP]), .in_bad_i(in_bad[STRIP]),
    .in_count_i(in_user[STRIP][39:32]), .in_user_i(in_user[STRIP][31:0]),
    .out_valid_o(out_valid[STRIP]), .out_ready_i(out_ready[STRIP]), .out_data_o(out_data[STRIP]),
    .out_keep_o(out_keep[STRIP]), .out_last_o(out_last[STRIP]), .out_bad_o(out_bad[STRIP]),
    .out_user_o(out_user[STRIP])
  );

  flue_prepend #(.W(W), .HEAD(16), .U(32)) u_prepend (
    .clk, .rst,
    .in_valid_i(in_valid[PREP]), .in_ready_o(in_ready[PREP]), .in_data_i(in_data[PREP]),
    .in_keep_i(in_keep[PREP]), .in_last_i(in_last[PREP]), .in_bad_i(in_bad[PREP]),
    .in_head_i(in_user[PREP][167:40]), .in_head_len_i(in_user[PREP][36:32]),
    .in_user_i(in_user[PREP][31:0]),
    .out_valid_o(out_valid[PREP]), .out_ready_i(out_ready[PREP]), .out_data_o(out_data[PREP]),
    .out_keep_o(out_keep[PREP]), .out_last_o(out_last[PREP]), .out_bad_o(out_bad[PREP]),
    .out_user_o(out_user[PREP])
  );
endmodule

// Three sources, ID, ID + 8 and ID + 16, and one sink, ID.
module stream_arb_tb #(
  parameter int W  = 64,
  parameter int ID = 0
) (
  input logic clk,
  input logic rst
);
  localparam int B = W / 8;

  logic [2:0]        in_valid, in_ready, in_last, in_bad;
  logic [2:0][W-1:0] in_data;
  logic [2:0][B-1:0] in_keep;
  logic [2:0][31:0]  in_user;
  logic              out_valid, out_ready, out_last, out_bad;
  logic [W-1:0]      out_data;
  logic [B-1:0]      out_keep;
  logic [31:0]       out_user;

  for (genvar i = 0; i < 3; i++) begin : g_input
    bench_source #(.W(W), .U(32), .ID(ID + 8 * i)) u_source (
      .clk, .rst, .out_valid_o(in_valid[i]), .out_ready_i(in_ready[i]), .out_data_o(in_data[i]),
      .out_keep_o(in_keep[i]), .out_last_o(in_last[i]), .out_bad_o(in_bad[i]),
      .out_user_o(in_user[i]), .out_user_last_o()
    );
  end
  flue_stream_arb #(.N(3), .W(W), .U(32)) dut (
    .clk, .rst,
    .in_valid_i(in_valid), .in_ready_o(in_ready), .in_data_i(in_data), .in_keep_i(in_keep),
    .in_last_i(in_last), .in_bad_i(in_bad), .in_user_i(in_user),
    .out_valid_o(out_valid), .out_ready_i(out_ready), .out_data_o(out_data), .out_keep_o(out_keep),
    .out_last_o(out_last), .out_bad_o(out_bad), .out_user_o(out_user)
  );
  bench_sink #(.W(W), .U(32), .ID(ID)) u_sink (
    .clk, .rst, .in_valid_i(out_valid), .in_ready_o(out_ready), .in_data_i(out_data),
    .in_keep_i(out_keep), .in_last_i(out_last), .in_bad_i(out_bad), .in_user_i(out_user),
    .in_user_last_i(1'b0)
  );
endmodule

// From one width to another.
module stream_convert_tb #(
  parameter int WI = 32,
  parameter int WO = 64,
  parameter int ID = 0
) (
  input logic clk,
  input logic rst
);
  logic            in_valid, in_ready, in_last, in_bad, out_valid, out_ready, out_last, out_bad;
  logic [WI-1:0]   in_data;
  logic [WI/8-1:0] in_keep;
  logic [WO-1:0]   out_data;
  logic [WO/8-1:0] out_keep;
  logic [31:0]     in_user, out_user;

  bench_source #(.W(WI), .U(32), .ID(ID)) u_source (
    .clk, .rst, .out_valid_o(in_valid), .out_ready_i(in_ready), .out_data_o(in_data),
    .out_keep_o(in_keep), .out_last_o(in_last), .out_bad_o(in_bad), .out_user_o(in_user),
    .out_user_last_o()
  );
  flue_stream_width #(.WI(WI), .WO(WO), .U(32)) dut (
    .clk, .rst,
    .in_valid_i(in_valid), .in_ready_o(in_ready), .in_data_i(in_data), .in_keep_i(in_keep),
    .in_last_i(in_last), .in_bad_i(in_bad), .in_user_i(in_user),
    .out_valid_o(out_valid), .out_ready_i(out_ready), .out_data_o(out_data), .out_keep_o(out_keep),
    .out_last_o(out_last), .out_bad_o(out_bad), .out_user_o(out_user)
  );
  bench_sink #(.W(WO), .U(32), .ID(ID)) u_sink (
    .clk, .rst, .in_valid_i(out_valid), .in_ready_o(out_ready), .in_data_i(out_data),
    .in_keep_i(out_keep), .in_last_i(out_last), .in_bad_i(out_bad), .in_user_i(out_user),
    .in_user_last_i(1'b0)
  );
endmodule

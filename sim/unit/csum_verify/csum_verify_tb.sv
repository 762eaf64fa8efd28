// Unit bench of rtl/csum/flue_csum_verify.sv at every data width.
//
// IDs: width index (0 = 32 bits .. 4 = 512).  Source user: hdr_t.  Sink user: hdr_t; user_last: segment 23, length 22:9,
// result 8:0.  Config 0: rx_cfg_t of all widths.
module csum_verify_tb
  import flue_pkg::*;
(
  input logic clk,
  input logic rst
);
  rx_cfg_t cfg;

  bench_config #(.W($bits(rx_cfg_t)), .ID(0)) u_config (.clk, .value_o(cfg));

  for (genvar g = 0; g < 5; g++) begin : g_width
    csum_verify_width_tb #(.W(32 << g), .ID(g)) u_width (.clk, .rst, .cfg_i(cfg));
  end

endmodule

module csum_verify_width_tb
  import flue_pkg::*;
#(
  parameter int W  = 64,
  parameter int ID = 0
) (
  input logic    clk,
  input logic    rst,
  input rx_cfg_t cfg_i
);
  logic           in_valid, in_ready, in_last, in_bad;
  logic [W-1:0]   in_data;
  logic [W/8-1:0] in_keep;
  hdr_t           in_hdr;
  logic           out_valid, out_ready, out_last, out_bad;
  logic [W-1:0]   out_data;
  logic [W/8-1:0] out_keep;
  hdr_t           out_hdr;
  rx_csum_t       out_csum;
  logic           out_segment;
  logic [13:0]    out_len;

  bench_source #(.W(W), .U($bits(hdr_t)), .ID(ID)) u_source (
    .clk, .rst, .out_valid_o(in_valid), .out_ready_i(in_ready), .out_data_o(in_data),
    .out_keep_o(in_keep), .out_last_o(in_last), .out_bad_o(in_bad), .out_user_o(in_hdr),
    .out_user_last_o()
  );
  flue_csum_verify #(.W(W)) dut (
    .clk, .rst, .cfg_i,
    .in_valid_i(in_valid), .in_ready_o(in_ready), .in_data_i(in_data), .in_keep_i(in_keep),
    .in_last_i(in_last), .in_bad_i(in_bad), .in_hdr_i(in_hdr),
    .out_valid_o(out_valid), .out_ready_i(out_ready), .out_data_o(out_data), .out_keep_o(out_keep),
    .out_last_o(out_last), .out_bad_o(out_bad), .out_hdr_o(out_hdr), .out_csum_o(out_csum),
    .out_segment_o(out_segment), .out_len_o(out_len)
  );
  bench_sink #(.W(W), .U($bits(hdr_t)), .UL(24), .ID(ID)) u_sink (
    .clk, .rst, .in_valid_i(out_valid), .in_ready_o(out_ready), .in_data_i(out_data),
    .in_keep_i(out_keep), .in_last_i(out_last), .in_bad_i(out_bad), .in_user_i(out_hdr),
    .in_user_last_i({out_segment, out_len, out_csum})
  );
  bench_status #(.W(1), .ID(ID)) u_status (.clk, .rst, .value_i(in_valid && !in_ready));
endmodule

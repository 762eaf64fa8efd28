// Unit bench of rtl/vlan/: both modules at every data width.
//
// IDs of sources and sinks: 0 + width index for insertion, 8 + width index for
// removal, 16 + width index for insertion followed by removal.  User bits: the tag
// (tx_tag_t) or the meta data (rx_meta_t).
module vlan_tb
  import flue_pkg::*;
(
  input logic clk,
  input logic rst
);

  for (genvar g = 0; g < 5; g++) begin : g_width
    vlan_width_tb #(.W(32 << g), .ID(g)) u_width (.clk, .rst);
  end

endmodule

module vlan_width_tb
  import flue_pkg::*;
#(
  parameter int W  = 64,
  parameter int ID = 0
) (
  input logic clk,
  input logic rst
);
  localparam int B   = W / 8;
  localparam int INS = 0;
  localparam int REM = 1;
  localparam int TAG = $bits(tx_tag_t);
  localparam int META = $bits(rx_meta_t);

  // 0 to 2: between sources and modules; 3 to 5: between modules and sinks.
  logic         valid [6], ready [6], last [6], bad [6];
  logic [W-1:0] data [6];
  logic [B-1:0] keep [6];
  logic [63:0]  user [6];

  for (genvar m = 0; m < 3; m++) begin : g_ends
    bench_source #(.W(W), .U(64), .ID(8 * m + ID)) u_source (
      .clk, .rst, .out_valid_o(valid[m]), .out_ready_i(ready[m]), .out_data_o(data[m]),
      .out_keep_o(keep[m]), .out_last_o(last[m]), .out_bad_o(bad[m]), .out_user_o(user[m]),
      .out_user_last_o()
    );
    bench_sink #(.W(W), .U(64), .ID(8 * m + ID)) u_sink (
      .clk, .rst, .in_valid_i(valid[3+m]), .in_ready_o(ready[3+m]), .in_data_i(data[3+m]),
      .in_keep_i(keep[3+m]), .in_last_i(last[3+m]), .in_bad_i(bad[3+m]), .in_user_i(user[3+m]),
      .in_user_last_i(1'b0)
    );
  end

  tx_tag_t  out_tag;
  rx_meta_t out_meta;

  flue_vlan_insert #(.W(W)) u_insert (
    .clk, .rst,
    .in_valid_i(valid[INS]), .in_ready_o(ready[INS]), .in_data_i(data[INS]), .in_keep_i(keep[INS]),
    .in_last_i(last[INS]), .in_bad_i(bad[INS]), .in_tag_i(tx_tag_t'(user[INS][TAG-1:0])),
    .out_valid_o(valid[3+INS]), .out_ready_i(ready[3+INS]), .out_data_o(data[3+INS]),
    .out_keep_o(keep[3+INS]), .out_last_o(last[3+INS]), .out_bad_o(bad[3+INS]), .out_tag_o(out_tag)
  );
  assign user[3+INS] = 64'(out_tag);

  flue_vlan_strip #(.W(W)) u_strip (
    .clk, .rst,
    .in_valid_i(valid[REM]), .in_ready_o(ready[REM]), .in_data_i(data[REM]), .in_keep_i(keep[REM]),
    .in_last_i(last[REM]), .in_bad_i(bad[REM]), .in_meta_i(rx_meta_t'(user[REM][META-1:0])),
    .out_valid_o(valid[3+REM]), .out_ready_i(ready[3+REM]), .out_data_o(data[3+REM]),
    .out_keep_o(keep[3+REM]), .out_last_o(last[3+REM]), .out_bad_o(bad[3+REM]), .out_meta_o(out_meta)
  );
  assign user[3+REM] = 64'(out_meta);

  // What insertion made, removal takes away: TCI and `vlan` go over as on a wire.
  logic         mid_valid, mid_ready, mid_last, mid_bad;
  logic [W-1:0] mid_data;
  logic [B-1:0] mid_keep;
  tx_tag_t      mid_tag;
  rx_meta_t     mid_meta, end_meta;

  flue_vlan_insert #(.W(W)) u_both_insert (
    .clk, .rst,
    .in_valid_i(valid[2]), .in_ready_o(ready[2]), .in_data_i(data[2]), .in_keep_i(keep[2]),
    .in_last_i(last[2]), .in_bad_i(bad[2]), .in_tag_i(tx_tag_t'(user[2][TAG-1:0])),
    .out_valid_o(mid_valid), .out_ready_i(mid_ready), .out_data_o(mid_data), .out_keep_o(mid_keep),
    .out_last_o(mid_last), .out_bad_o(mid_bad), .out_tag_o(mid_tag)
  );
  always_comb begin
    mid_meta          = '0;
    mid_meta.vlan     = mid_tag.vlan;
    mid_meta.vlan_tci = mid_tag.vlan_tci;
  end
  flue_vlan_strip #(.W(W)) u_both_strip (
    .clk, .rst,
    .in_valid_i(mid_valid), .in_ready_o(mid_ready), .in_data_i(mid_data), .in_keep_i(mid_keep),
    .in_last_i(mid_last), .in_bad_i(mid_bad), .in_meta_i(mid_meta),
    .out_valid_o(valid[5]), .out_ready_i(ready[5]), .out_data_o(data[5]), .out_keep_o(keep[5]),
    .out_last_o(last[5]), .out_bad_o(bad[5]), .out_meta_o(end_meta)
  );
  assign user[5] = 64'({end_meta.vlan, end_meta.vlan_tci});

endmodule

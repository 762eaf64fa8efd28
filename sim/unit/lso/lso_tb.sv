// flue_lso at every width: by itself (IDs 0 to 4), and with flue_csum_insert
// behind it, so that whole frames leave (IDs 5 to 9).  Config 0 is fault_seq_i.
module lso_tb import flue_pkg::*; (
  input logic clk,
  input logic rst
);

  localparam int CMD = $bits(lso_cmd_t);
  localparam int TAG = $bits(tx_tag_t);
  localparam int SUM = $bits(csum_cmd_t);

  // What sim/unit/lib/tx_side.h has as numbers.
  if (CMD != 141 || TAG != 61 || SUM != 80) begin : g_check
    $error("tx_side.h does not describe these structs");
  end

  logic fault;
  bench_config #(.W(1), .ID(0)) u_fault (.clk, .value_o(fault));

  for (genvar g = 0; g < 10; g++) begin : g_width
    localparam int W = 32 << (g % 5);
    logic           in_valid, in_ready, in_last, in_bad;
    logic [W-1:0]   in_data;
    logic [W/8-1:0] in_keep;
    lso_cmd_t       in_cmd;
    tx_tag_t        in_tag;
    logic           valid, ready, last, bad;
    logic [W-1:0]   data;
    logic [W/8-1:0] keep;
    csum_cmd_t      cmd;
    tx_tag_t        tag;

    bench_source #(.W(W), .U(CMD + TAG), .ID(g)) u_source (
      .clk, .rst,
      .out_valid_o(in_valid), .out_ready_i(in_ready), .out_data_o(in_data), .out_keep_o(in_keep),
      .out_last_o(in_last), .out_bad_o(in_bad), .out_user_o({in_cmd, in_tag}), .out_user_last_o()
    );
    flue_lso #(.W(W)) u_lso (
      .clk, .rst, .fault_seq_i(fault),
      .in_valid_i(in_valid), .in_ready_o(in_ready), .in_data_i(in_data), .in_keep_i(in_keep),
      .in_last_i(in_last), .in_bad_i(in_bad), .in_cmd_i(in_cmd), .in_tag_i(in_tag),
      .out_valid_o(valid), .out_ready_i(ready), .out_data_o(data), .out_keep_o(keep),
      .out_last_o(last), .out_bad_o(bad), .out_cmd_o(cmd), .out_tag_o(tag)
    );
    if (g < 5) begin : g_alone
      bench_sink #(.W(W), .U(SUM + TAG), .ID(g)) u_sink (
        .clk, .rst,
        .in_valid_i(valid), .in_ready_o(ready), .in_data_i(data), .in_keep_i(keep),
        .in_last_i(last), .in_bad_i(bad), .in_user_i({cmd, tag}), .in_user_last_i(1'b0)
      );
    end else begin : g_chain
      logic           out_valid, out_ready, out_last, out_bad;
      logic [W-1:0]   out_data;
      logic [W/8-1:0] out_keep;
      tx_tag_t        out_tag;
      flue_csum_insert #(.W(W), .DEPTH(131072 / W), .FRAMES(16)) u_csum (
        .clk, .rst, .fault_csum_i(1'b0),
        .in_valid_i(valid), .in_ready_o(ready), .in_data_i(data), .in_keep_i(keep),
        .in_last_i(last), .in_bad_i(bad), .in_cmd_i(cmd), .in_tag_i(tag),
        .out_valid_o(out_valid), .out_ready_i(out_ready), .out_data_o(out_data), .out_keep_o(out_keep),
        .out_last_o(out_last), .out_bad_o(out_bad), .out_tag_o(out_tag)
      );
      bench_sink #(.W(W), .U(TAG), .ID(g)) u_sink (
        .clk, .rst,
        .in_valid_i(out_valid), .in_ready_o(out_ready), .in_data_i(out_data), .in_keep_i(out_keep),
        .in_last_i(out_last), .in_bad_i(out_bad), .in_user_i(out_tag), .in_user_last_i(1'b0)
      );
    end
  end

endmodule

// Bench of rtl/lookup/: flue_tables at four sizes.
//
// Instance n has 2, 8, 64, 1024 connections and paths, instance 4 has 8 in an index of 16 slots, for moves and FULL.  Sources 4n lookups, 4n + 1 word accesses, 4n + 2 commands; sinks
// of the same numbers their answers, 4n + 3 the error words.  Config n: flip, {toggle, table, row, word, bit}.  Status n: idle.
module lookup_tb (
  input logic clk,
  input logic rst
);

  lookup_one_tb #(.N(0), .CONNECTIONS(2),    .NEIGHBORS(2))   u_2    (.clk, .rst);
  lookup_one_tb #(.N(1), .CONNECTIONS(8),    .NEIGHBORS(16))  u_8    (.clk, .rst);
  lookup_one_tb #(.N(2), .CONNECTIONS(64),   .NEIGHBORS(16))  u_64   (.clk, .rst);
  lookup_one_tb #(.N(3), .CONNECTIONS(1024), .NEIGHBORS(256)) u_1024 (.clk, .rst);
  lookup_one_tb #(.N(4), .CONNECTIONS(8),    .NEIGHBORS(16), .BUCKET_W(2)) u_few (.clk, .rst);

endmodule

module lookup_one_tb
  import flue_pkg::*;
  import flue_control_pkg::*;
#(
  parameter int N           = 0,
  parameter int CONNECTIONS = 64,
  parameter int NEIGHBORS   = 16,
  parameter int BUCKET_W    = 0
) (
  input logic clk,
  input logic rst
);

  localparam int KEY_W = $bits(lookup_key_t);
  localparam int CMD_W = 4 + 16 + 9 * 32 + 4 * 32;
  localparam int TP_W  = 1 + 2 + 16 + 6 + 32;
  localparam int RSP_W = $bits(lookup_rsp_t);

  logic                   lk_valid, lk_ready, lk_done, tp_valid, tp_ready, tp_bad, cmd_valid, cmd_ready, cmd_done;
  logic                   err_valid, err_ready, idle;
  lookup_key_t            lk;
  lookup_rsp_t            rsp;
  logic [TP_W-1:0]        tp;
  logic [CMD_W-1:0]       cmd;
  logic [31:0]            tp_rdata, err;
  logic [15:0]            cmd_found;
  table_result_e          cmd_result;
  logic [30:0]            flip;           // {toggle, table, row, word, bit}
  logic                   flip_q;

  bench_source #(.W(8), .U(KEY_W), .ID(4*N)) u_lk (
    .clk, .rst, .out_valid_o(lk_valid), .out_ready_i(lk_ready), .out_data_o(), .out_keep_o(), .out_last_o(),
    .out_bad_o(), .out_user_o(lk), .out_user_last_o()
  );
  bench_source #(.W(8), .U(TP_W), .ID(4*N+1)) u_tp (
    .clk, .rst, .out_valid_o(tp_valid), .out_ready_i(tp_ready), .out_data_o(), .out_keep_o(), .out_last_o(),
    .out_bad_o(), .out_user_o(tp), .out_user_last_o()
  );
  bench_source #(.W(8), .U(CMD_W), .ID(4*N+2)) u_cmd (
    .clk, .rst, .out_valid_o(cmd_valid), .out_ready_i(cmd_ready), .out_data_o(), .out_keep_o(), .out_last_o(),
    .out_bad_o(), .out_user_o(cmd), .out_user_last_o()
  );
  bench_config #(.W(31), .ID(N)) u_flip (.clk, .value_o(flip));

  always_ff @(posedge clk) flip_q <= flip[30];

  flue_tables #(.CONNECTIONS(CONNECTIONS), .NEIGHBORS(NEIGHBORS), .FAULTS(1'b1), .BUCKET_W(BUCKET_W)) dut (
    .clk, .rst,
    .lk_valid_i(lk_valid), .lk_ready_o(lk_ready), .lk_i(lk), .lk_valid_o(lk_done), .lk_o(rsp),
    .tp_valid_i(tp_valid), .tp_ready_o(tp_ready), .tp_write_i(tp[56]), .tp_table_i(tp[55:54]),
    .tp_row_i(tp[53:38]), .tp_word_i(tp[37:32]), .tp_wdata_i(tp[31:0]), .tp_rdata_o(tp_rdata), .tp_bad_o(tp_bad),
    .cmd_valid_i(cmd_valid), .cmd_ready_o(cmd_ready), .cmd_op_i(table_op_e'(cmd[435:432])), .cmd_index_i(cmd[431:416]),
    .cmd_key_i(cmd[415:128]), .cmd_seed_i(cmd[127:0]), .cmd_done_o(cmd_done), .cmd_result_o(cmd_result),
    .cmd_found_o(cmd_found), .err_valid_o(err_valid), .err_ready_i(err_ready), .err_o(err),
    .flip_i(flip[30] != flip_q), .flip_table_i(flip[29:28]), .flip_row_i(flip[27:12]), .flip_word_i(flip[11:6]),
    .flip_bit_i(flip[5:0]), .idle_o(idle)
  );

  // Answers are pulses: they go into sinks that are never stopped.
  bench_sink #(.W(8), .U(RSP_W), .ID(4*N)) u_lk_sink (
    .clk, .rst, .in_valid_i(lk_done), .in_ready_o(), .in_data_i('0), .in_keep_i(1'b1), .in_last_i(1'b1),
    .in_bad_i(1'b0), .in_user_i(rsp), .in_user_last_i(1'b0)
  );
  bench_sink #(.W(8), .U(33), .ID(4*N+1)) u_tp_sink (
    .clk, .rst, .in_valid_i(tp_valid && tp_ready), .in_ready_o(), .in_data_i('0), .in_keep_i(1'b1), .in_last_i(1'b1),
    .in_bad_i(1'b0), .in_user_i({tp_bad, tp_rdata}), .in_user_last_i(1'b0)
  );
  bench_sink #(.W(8), .U(19), .ID(4*N+2)) u_cmd_sink (
    .clk, .rst, .in_valid_i(cmd_done), .in_ready_o(), .in_data_i('0), .in_keep_i(1'b1), .in_last_i(1'b1),
    .in_bad_i(1'b0), .in_user_i({cmd_result, cmd_found}), .in_user_last_i(1'b0)
  );
  bench_sink #(.W(8), .U(32), .ID(4*N+3)) u_err_sink (
    .clk, .rst, .in_valid_i(err_valid), .in_ready_o(err_ready), .in_data_i('0), .in_keep_i(1'b1), .in_last_i(1'b1),
    .in_bad_i(1'b0), .in_user_i(err), .in_user_last_i(1'b0)
  );
  // idle; an entry is moved (counted)
  bench_status #(.W(2), .ID(N)) u_status (.clk, .rst, .value_i({dut.u_index.state_q == dut.u_index.S_OVER, idle}));

endmodule

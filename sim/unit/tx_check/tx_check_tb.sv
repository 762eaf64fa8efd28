// Unit bench of rtl/lso/flue_tx_check.sv: a request in, a verdict out, both as one-beat packets.
//
// Source 0 user, last struct first: tx_req_t, hdr_t, tx_cfg_t.  Sink 0 user: status_e above lso_cmd_t.
module tx_check_tb
  import flue_pkg::*;
(
  input logic clk,
  input logic rst
);
  typedef struct packed {
    tx_cfg_t cfg;
    hdr_t    hdr;
    tx_req_t req;
  } ask_t;

  typedef struct packed {
    status_e  status;
    lso_cmd_t cmd;
  } answer_t;

  logic    valid, ready, done, taken;
  ask_t    ask;
  answer_t answer;

  bench_source #(.W(8), .U($bits(ask_t)), .ID(0)) u_source (
    .clk, .rst, .out_valid_o(valid), .out_ready_i(taken), .out_data_o(), .out_keep_o(),
    .out_last_o(), .out_bad_o(), .out_user_o(ask), .out_user_last_o()
  );
  flue_tx_check dut (
    .clk, .rst, .cfg_i(ask.cfg), .ask_i(valid), .next_i(taken), .req_i(ask.req), .hdr_i(ask.hdr),
    .done_o(done), .cmd_o(answer.cmd), .status_o(answer.status)
  );
  assign taken = done && ready;
  bench_sink #(.W(8), .U($bits(answer_t)), .ID(0)) u_sink (
    .clk, .rst, .in_valid_i(done), .in_ready_o(ready), .in_data_i(8'd0), .in_keep_i(1'b1),
    .in_last_i(1'b1), .in_bad_i(1'b0), .in_user_i(answer), .in_user_last_i(1'b0)
  );
endmodule

// Joins the host's packets and the TCP engine's before large send, packet by packet in turns.
//
// Contract: as flue_stream_arb; command and tag belong to the packet.  A packet of either side that has begun must not
//   wait for one of the other.
// Latency: 1 cycle, 2 when the turn was elsewhere.  Cost: 256 COMB at W=32, one LUT4 and a flip-flop a bit.
module flue_tcp_merge
  import flue_pkg::*;
#(
  parameter int W = 32,           // data, bits
  localparam int B = W / 8
) (
  input  logic         clk,
  input  logic         rst,

  input  logic         host_valid_i,
  output logic         host_ready_o,
  input  logic [W-1:0] host_data_i,
  input  logic [B-1:0] host_keep_i,
  input  logic         host_last_i,
  input  logic         host_bad_i,
  input  lso_cmd_t     host_cmd_i,
  input  tx_tag_t      host_tag_i,

  input  logic         tcp_valid_i,
  output logic         tcp_ready_o,
  input  logic [W-1:0] tcp_data_i,
  input  logic [B-1:0] tcp_keep_i,
  input  logic         tcp_last_i,
  input  logic         tcp_bad_i,
  input  lso_cmd_t     tcp_cmd_i,
  input  tx_tag_t      tcp_tag_i,

  output logic         out_valid_o,
  input  logic         out_ready_i,
  output logic [W-1:0] out_data_o,
  output logic [B-1:0] out_keep_o,
  output logic         out_last_o,
  output logic         out_bad_o,
  output lso_cmd_t     out_cmd_o,
  output tx_tag_t      out_tag_o
);

  flue_stream_arb #(.N(2), .W(W), .U($bits(lso_cmd_t) + $bits(tx_tag_t))) u_arb (
    .clk, .rst,
    .in_valid_i({tcp_valid_i, host_valid_i}), .in_ready_o({tcp_ready_o, host_ready_o}),
    .in_data_i({tcp_data_i, host_data_i}), .in_keep_i({tcp_keep_i, host_keep_i}),
    .in_last_i({tcp_last_i, host_last_i}), .in_bad_i({tcp_bad_i, host_bad_i}),
    .in_user_i({{tcp_cmd_i, tcp_tag_i}, {host_cmd_i, host_tag_i}}),
    .out_valid_o, .out_ready_i, .out_data_o, .out_keep_o, .out_last_o, .out_bad_o,
    .out_user_o({out_cmd_o, out_tag_o})
  );

endmodule

// The rules of an event, in three stages of registers (docs/tcp.md section 3).
//
//   event: is it acceptable, what is due -> ack: acknowledgement, payload -> send: losses, window, what a turn sends
//
// Contract: in_valid_i and in_ready_o take an event with its record, out_valid_o and out_ready_i hand it on.  Events keep their
//   order.  An event of a connection that is in a stage must not enter.
// Latency: 16 cycles for a segment without ranges; longer where the stages say so.
module flue_tcp_rules
  import flue_tcp_pkg::*;
  import flue_tcp_step_pkg::*;
#(
  parameter int CONNECTIONS = 64,
  localparam int STAGES = 3
) (
  input  logic               clk,
  input  logic               rst,
  input  tcp_cfg_t           cfg_i,
  output logic               clearing_o,    // after reset: nothing may enter

  input  logic               in_valid_i,
  output logic               in_ready_o,
  input  tcp_rec_t           rec_i,
  input  tcp_work_t          work_i,
  input  logic               bad_i,         // the record failed its check; a cycle behind it

  output logic [STAGES-1:0]              busy_o,
  output logic [STAGES-1:0][INDEX_W-1:0] index_o,
  output logic               forgot_o,      // pulse: a range of the peer's did not fit

  output logic               out_valid_o,
  input  logic               out_ready_i,
  output tcp_leave_t         out_o
);

  logic      event_valid, event_ready, ack_valid, ack_ready;
  tcp_pass_t event_pass, ack_pass;

  flue_tcp_stage_event u_event (
    .clk, .rst, .in_valid_i, .in_ready_o, .rec_i, .work_i, .bad_i, .busy_o(busy_o[0]), .index_o(index_o[0]),
    .out_valid_o(event_valid), .out_ready_i(event_ready), .out_o(event_pass)
  );
  flue_tcp_stage_ack u_ack (
    .clk, .rst, .in_valid_i(event_valid), .in_ready_o(event_ready), .in_i(event_pass),
    .busy_o(busy_o[1]), .index_o(index_o[1]), .out_valid_o(ack_valid), .out_ready_i(ack_ready), .out_o(ack_pass)
  );
  flue_tcp_stage_send #(.CONNECTIONS(CONNECTIONS)) u_send (
    .clk, .rst, .cfg_i, .clearing_o, .in_valid_i(ack_valid), .in_ready_o(ack_ready), .in_i(ack_pass),
    .busy_o(busy_o[2]), .index_o(index_o[2]), .forgot_o, .out_valid_o, .out_ready_i, .out_o
  );

endmodule

// The TCP engine: events in, decisions out; the only reader and writer of connection state (docs/tcp.md).
//
//   arbiter (2 cycles) -> store (read, 4) -> rules (event 4, ack 3, send 9 and more) -> output (4, writes back)
//
// Contract: events of a connection take effect in the order in which they enter.  Whoever takes tx, tell, notify or a verdict
//   never waits for one of its own events to enter; sched, deadline, done and trace are pulses, taken at once.  With tx_room_i
//   low only `sent` enters: keep it high while EVENTS more records have room.
//   verdict_forward_o tells verdicts of forwarded segments from those of the wire; each kind comes in its order.
//   A command or word access is answered by done_o, in order: ok, and the word read.  A word is written only while the
//   connection is EMPTY or FROZEN; index INDEX_SNAPSHOT reads what the last SNAPSHOT copied.
// Rate: an event every 9 cycles over different connections, the same one again after 25; longer where flue_tcp_rules says so.
// Latency: 24 cycles to the trace.
// Cost: 16,958 COMB (11,074 LUT4, 2,942 carry cells) at 64 connections; the record goes through five copies.
// Block RAM: 17 at CONNECTIONS=64.
module flue_tcp_engine
  import flue_tcp_pkg::*;
  import flue_tcp_step_pkg::*;
#(
  parameter int CONNECTIONS = 64            // 2 to 1,024
) (
  input  logic               clk,
  input  logic               rst,
  input  logic [63:0]        time_us_i,
  input  tcp_cfg_t           cfg_i,

  input  logic               segment_valid_i,
  output logic               segment_ready_o,
  input  logic [INDEX_W-1:0] segment_index_i,
  input  tcp_seg_t           segment_i,

  input  logic               forward_valid_i,
  output logic               forward_ready_o,
  input  logic [INDEX_W-1:0] forward_index_i,
  input  tcp_seg_t           forward_i,

  input  logic               doorbell_valid_i,
  output logic               doorbell_ready_o,
  input  logic [INDEX_W-1:0] doorbell_index_i,
  input  tcp_doorbell_t      doorbell_i,

  input  logic               turn_valid_i,
  output logic               turn_ready_o,
  input  logic [INDEX_W-1:0] turn_index_i,
  input  logic [16:0]        turn_budget_i,

  input  logic               sent_valid_i,
  output logic               sent_ready_o,
  input  logic [INDEX_W-1:0] sent_index_i,
  input  tcp_sent_t          sent_i,

  input  logic               placed_valid_i,
  output logic               placed_ready_o,
  input  logic [INDEX_W-1:0] placed_index_i,
  input  tcp_placed_t        placed_i,

  input  logic               timer_valid_i,
  output logic               timer_ready_o,
  input  logic [INDEX_W-1:0] timer_index_i,

  input  logic               command_valid_i,
  output logic               command_ready_o,
  input  logic [INDEX_W-1:0] command_index_i,
  input  tcp_command_e       command_i,

  input  logic               word_valid_i,
  output logic               word_ready_o,
  input  logic [INDEX_W-1:0] word_index_i,
  input  tcp_access_t        word_i,

  output logic               done_valid_o,
  output logic               done_ok_o,
  output logic [31:0]        done_data_o,

  output logic               verdict_valid_o,
  input  logic               verdict_ready_i,
  output logic               verdict_forward_o,
  output tcp_verdict_t       verdict_o,

  input  logic               tx_room_i,
  output logic               tx_valid_o,
  input  logic               tx_ready_i,
  output tcp_tx_t            tx_o,

  output logic               tell_valid_o,
  input  logic               tell_ready_i,
  output tcp_tell_t          tell_o,

  output logic               notify_valid_o,
  input  logic               notify_ready_i,
  output tcp_notify_t        notify_o,

  output logic               sched_valid_o,
  output logic [INDEX_W-1:0] sched_index_o,
  output logic               sched_wants_o,

  output logic               deadline_valid_o,
  output logic [INDEX_W-1:0] deadline_index_o,
  output logic               deadline_on_o,
  output logic [31:0]        deadline_us_o,

  output logic               trace_valid_o,  // an event is over
  output tcp_event_e         trace_event_o,
  output logic [INDEX_W-1:0] trace_index_o,
  output tcp_reason_e        trace_reason_o,
  output tcp_rec_t           trace_rec_o,    // simulation only

  output logic               forgot_o,       // pulse: a reported range did not fit
  output logic               idle_o
);

  // ---- which event ----
  logic      waiting, enter_valid, enter_ready, clearing;
  tcp_work_t enter;
  logic      read_busy, output_busy;
  logic [2:0] rules_busy;
  logic [INDEX_W-1:0] read_index, output_index;
  logic [2:0][INDEX_W-1:0] rules_index;

  flue_tcp_arbiter #(.CONNECTIONS(CONNECTIONS)) u_arbiter (
    .clk, .rst, .time_us_i, .tx_room_i, .hold_i(clearing),
    .segment_valid_i, .segment_ready_o, .segment_index_i, .segment_i,
    .forward_valid_i, .forward_ready_o, .forward_index_i, .forward_i,
    .doorbell_valid_i, .doorbell_ready_o, .doorbell_index_i, .doorbell_i,
    .turn_valid_i, .turn_ready_o, .turn_index_i, .turn_budget_i,
    .sent_valid_i, .sent_ready_o, .sent_index_i, .sent_i,
    .placed_valid_i, .placed_ready_o, .placed_index_i, .placed_i,
    .timer_valid_i, .timer_ready_o, .timer_index_i,
    .command_valid_i, .command_ready_o, .command_index_i, .command_i,
    .word_valid_i, .word_ready_o, .word_index_i, .word_i,
    .under_way_i({read_busy, rules_busy, output_busy}), .under_way_index_i({read_index, rules_index, output_index}),
    .waiting_o(waiting), .out_valid_o(enter_valid), .out_ready_i(enter_ready), .out_o(enter)
  );

  // ---- its record ----
  logic                 had_valid, had_ready, had_bad, store_clearing;
  tcp_rec_t             had_rec;
  tcp_work_t            had_work;
  logic                 wr_valid, wr_snapshot, wr_access;
  logic [SLICES-1:0]    wr_here;
  logic [1:0]           wr_word;
  logic [SLICES*32-1:0] wr;

  flue_tcp_store #(.CONNECTIONS(CONNECTIONS)) u_store (
    .clk, .rst, .start_i(enter_valid), .ready_o(enter_ready), .work_i(enter),
    .out_valid_o(had_valid), .out_ready_i(had_ready), .out_rec_o(had_rec), .out_work_o(had_work), .out_bad_o(had_bad),
    .busy_o(read_busy), .index_o(read_index), .clearing_o(store_clearing),
    .wr_valid_i(wr_valid), .wr_index_i(output_index), .wr_snapshot_i(wr_snapshot), .wr_access_i(wr_access),
    .wr_here_i(wr_here), .wr_word_i(wr_word), .wr_i(wr)
  );

  // ---- what follows from it ----
  logic       out_valid, out_ready;
  tcp_leave_t out;

  flue_tcp_rules #(.CONNECTIONS(CONNECTIONS)) u_rules (
    .clk, .rst, .cfg_i, .clearing_o(clearing), .in_valid_i(had_valid), .in_ready_o(had_ready), .rec_i(had_rec), .work_i(had_work), .bad_i(had_bad),
    .busy_o(rules_busy), .index_o(rules_index), .forgot_o,
    .out_valid_o(out_valid), .out_ready_i(out_ready), .out_o(out)
  );

  // ---- what leaves ----
  logic output_idle;

  flue_tcp_output u_output (
    .clk, .rst, .start_i(out_valid), .ready_o(out_ready), .in_i(out),
    .busy_o(output_busy), .index_o(output_index),
    .wr_valid_o(wr_valid), .wr_snapshot_o(wr_snapshot), .wr_access_o(wr_access), .wr_here_o(wr_here),
    .wr_word_o(wr_word), .wr_o(wr),
    .verdict_valid_o, .verdict_ready_i, .verdict_forward_o, .verdict_o, .tx_valid_o, .tx_ready_i, .tx_o,
    .tell_valid_o, .tell_ready_i, .tell_o, .notify_valid_o, .notify_ready_i, .notify_o,
    .done_valid_o, .done_ok_o, .done_data_o, .sched_valid_o, .sched_index_o, .sched_wants_o,
    .deadline_valid_o, .deadline_index_o, .deadline_on_o, .deadline_us_o,
    .trace_valid_o, .trace_event_o, .trace_index_o, .trace_reason_o, .trace_rec_o, .idle_o(output_idle)
  );

  assign idle_o = !clearing && !store_clearing && !waiting && !enter_valid && !read_busy && rules_busy == '0 && output_idle;

endmodule

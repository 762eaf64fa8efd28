// The TCP engine as the subject of lockstep runs and dialogues: one port for events of every kind, what leaves as wide vectors.
module tcp_subject_tb
  import flue_tcp_pkg::*;
#(
  parameter int CONNECTIONS = 64
) (
  input  logic                       clk,
  input  logic                       rst,
  input  logic [63:0]                time_us_i,
  input  logic [31:0]                rto_min_us_i,
  input  logic [31:0]                rto_max_us_i,

  input  logic                       event_valid_i,
  output logic                       event_ready_o,
  input  logic [3:0]                 event_kind_i,   // tcp_event_e, 15 = word access
  input  logic [INDEX_W-1:0]         event_index_i,
  input  logic [$bits(tcp_seg_t)-1:0] event_data_i,

  input  logic                       flip_i,         // one bit of the row of connection event_index_i, quarter event_data_i;
                                                     // from 4 on: of its range event_data_i - 4
  input  logic                       take_i,         // take what is offered
  output logic                       verdict_valid_o,
  output logic                       verdict_forward_o,
  output tcp_verdict_t               verdict_o,
  output logic                       tx_valid_o,
  output tcp_tx_t                    tx_o,
  output logic                       tell_valid_o,
  output tcp_tell_t                  tell_o,
  output logic                       notify_valid_o,
  output tcp_notify_t                notify_o,
  output logic                       done_valid_o,
  output logic                       done_ok_o,
  output logic [31:0]                done_data_o,
  output logic                       sched_valid_o,
  output logic [INDEX_W-1:0]         sched_index_o,
  output logic                       sched_wants_o,
  output logic                       deadline_valid_o,
  output logic [INDEX_W-1:0]         deadline_index_o,
  output logic                       deadline_on_o,
  output logic [31:0]                deadline_us_o,
  output logic                       trace_valid_o,
  output logic [3:0]                 trace_event_o,
  output logic [INDEX_W-1:0]         trace_index_o,
  output logic [4:0]                 trace_reason_o,
  output logic [RECORD_WORDS*32-1:0] trace_rec_o,    // all words, those of the scoreboard too
  output logic                       forgot_o,
  output logic                       idle_o
);

  localparam int SOURCES = 9;
  logic [SOURCES-1:0] valid, ready;

  always_comb begin
    valid = '0;
    if (event_kind_i == 4'd15) valid[8] = event_valid_i;
    else                       valid[event_kind_i] = event_valid_i;
  end
  assign event_ready_o = |(valid & ready);

  flue_tcp_engine #(.CONNECTIONS(CONNECTIONS)) dut (
    .clk, .rst, .time_us_i, .cfg_i('{rto_min_us: rto_min_us_i, rto_max_us: rto_max_us_i}),
    .segment_valid_i(valid[0]), .segment_ready_o(ready[0]), .segment_index_i(event_index_i),
    .segment_i(tcp_seg_t'(event_data_i)),
    .forward_valid_i(valid[1]), .forward_ready_o(ready[1]), .forward_index_i(event_index_i),
    .forward_i(tcp_seg_t'(event_data_i)),
    .doorbell_valid_i(valid[2]), .doorbell_ready_o(ready[2]), .doorbell_index_i(event_index_i),
    .doorbell_i(tcp_doorbell_t'(event_data_i[$bits(tcp_doorbell_t)-1:0])),
    .turn_valid_i(valid[3]), .turn_ready_o(ready[3]), .turn_index_i(event_index_i), .turn_budget_i(event_data_i[16:0]),
    .sent_valid_i(valid[4]), .sent_ready_o(ready[4]), .sent_index_i(event_index_i),
    .sent_i(tcp_sent_t'(event_data_i[$bits(tcp_sent_t)-1:0])),
    .placed_valid_i(valid[5]), .placed_ready_o(ready[5]), .placed_index_i(event_index_i),
    .placed_i(tcp_placed_t'(event_data_i[$bits(tcp_placed_t)-1:0])),
    .timer_valid_i(valid[6]), .timer_ready_o(ready[6]), .timer_index_i(event_index_i),
    .command_valid_i(valid[7]), .command_ready_o(ready[7]), .command_index_i(event_index_i),
    .command_i(tcp_command_e'(event_data_i[2:0])),
    .word_valid_i(valid[8]), .word_ready_o(ready[8]), .word_index_i(event_index_i),
    .word_i(tcp_access_t'(event_data_i[$bits(tcp_access_t)-1:0])),
    .done_valid_o, .done_ok_o, .done_data_o,
    .verdict_valid_o, .verdict_ready_i(take_i), .verdict_forward_o, .verdict_o,
    .tx_room_i(1'b1), .tx_valid_o, .tx_ready_i(take_i), .tx_o,
    .tell_valid_o, .tell_ready_i(take_i), .tell_o,
    .notify_valid_o, .notify_ready_i(take_i), .notify_o,
    .sched_valid_o, .sched_index_o, .sched_wants_o,
    .deadline_valid_o, .deadline_index_o, .deadline_on_o, .deadline_us_o,
    .trace_valid_o, .trace_event_o(trace_event), .trace_index_o, .trace_reason_o(trace_reason), .trace_rec_o(trace_rec),
    .forgot_o, .idle_o
  );

  always_ff @(posedge clk)
    if (flip_i && event_data_i[3:0] < 4'd4) dut.u_store.g_slice[3].u_ram.mem[9'({event_index_i[6:0], event_data_i[1:0]})][5] <=
      !dut.u_store.g_slice[3].u_ram.mem[9'({event_index_i[6:0], event_data_i[1:0]})][5];

  // ---- the scoreboard lies beside the record ----
  localparam int AFTER = 32 * (RECORD_WORDS - SACKED_WORD - SACKED_WORDS);   // bits of the words behind it
  tcp_range_t [SACKED-1:0] sacked;
  logic [9:0]              at;
  assign at = {trace_index_o[6:0], 3'd0};

  always_comb
    for (int i = 0; i < SACKED; i++) begin
      sacked[i].left  = dut.u_rules.u_send.u_scoreboard.u_left.mem[at + 10'(i)][31:0];
      sacked[i].right = dut.u_rules.u_send.u_scoreboard.u_right.mem[at + 10'(i)][31:0];
    end

  logic [9:0] flip_at;
  assign flip_at = {event_index_i[6:0], event_data_i[2:0] - 3'd4};
  always_ff @(posedge clk)
    if (flip_i && event_data_i[3:0] >= 4'd4)
      dut.u_rules.u_send.u_scoreboard.u_right.mem[flip_at][9] <= !dut.u_rules.u_send.u_scoreboard.u_right.mem[flip_at][9];

  tcp_event_e  trace_event;
  tcp_reason_e trace_reason;
  tcp_rec_t    trace_rec;
  assign trace_event_o  = trace_event;
  assign trace_reason_o = trace_reason;
  assign trace_rec_o    = {trace_rec[$bits(tcp_rec_t)-1:AFTER], sacked, trace_rec[AFTER-1:0]};

endmodule

// flue_tcp_sched and flue_tcp_timer for 2, 64 and 1,024 connections (g = 0 to 2).
//
// Scheduler: source 4 g wishes, every second cycle, 4 g + 1 results, 4 g + 2 sent; sink 4 g turns; config g room; status g idle.
// Timer: source 16 + g deadlines, every fourth cycle; sink 16 + g events; config 16 time; status 16 + g {valid, deadline, idle}.
module tcp_sched_tb
  import flue_pkg::*;
  import flue_tcp_pkg::*;
(
  input logic clk,
  input logic rst
);

  logic [1:0]  phase_q;
  logic [63:0] now;

  always_ff @(posedge clk) begin
    phase_q <= phase_q + 2'd1;
    if (rst) phase_q <= '0;
  end

  bench_config #(.W(64), .ID(16)) u_time (.clk, .value_o(now));

  for (genvar g = 0; g < 3; g++) begin : g_size
    localparam int N = g == 0 ? 2 : g == 1 ? 64 : 1024;

    logic             wish_valid, wish, result_valid, result_sent, sent, room, turn_valid, turn_ready, idle;
    logic [15:0]      wish_index, turn_index;
    logic [LEN_W-1:0] result_bytes, budget;

    bench_source #(.W(8), .U(17), .ID(4 * g)) u_wishes (
      .clk, .rst, .out_valid_o(wish_valid), .out_ready_i(phase_q[0]), .out_data_o(), .out_keep_o(), .out_last_o(),
      .out_bad_o(), .out_user_o({wish_index, wish}), .out_user_last_o()
    );
    bench_source #(.W(8), .U(18), .ID(4 * g + 1)) u_results (
      .clk, .rst, .out_valid_o(result_valid), .out_ready_i(1'b1), .out_data_o(), .out_keep_o(), .out_last_o(),
      .out_bad_o(), .out_user_o({result_sent, result_bytes}), .out_user_last_o()
    );
    bench_source #(.W(8), .ID(4 * g + 2)) u_sent (
      .clk, .rst, .out_valid_o(sent), .out_ready_i(1'b1), .out_data_o(), .out_keep_o(), .out_last_o(),
      .out_bad_o(), .out_user_o(), .out_user_last_o()
    );
    bench_config #(.W(1), .ID(g)) u_room (.clk, .value_o(room));
    flue_tcp_sched #(.CONNECTIONS(N)) u_sched (
      .clk, .rst, .wants_valid_i(wish_valid && phase_q[0]), .wants_index_i(wish_index), .wants_i(wish),
      .turn_valid_o(turn_valid), .turn_ready_i(turn_ready), .turn_index_o(turn_index), .turn_budget_o(budget),
      .result_valid_i(result_valid), .result_sent_i(result_sent), .result_bytes_i(result_bytes),
      .sent_i(sent), .room_i(room), .idle_o(idle)
    );
    bench_sink #(.W(8), .U(16 + LEN_W), .ID(4 * g)) u_turns (
      .clk, .rst, .in_valid_i(turn_valid), .in_ready_o(turn_ready), .in_data_i('0), .in_keep_i(1'b1),
      .in_last_i(1'b1), .in_bad_i(1'b0), .in_user_i({turn_index, budget}), .in_user_last_i(1'b0)
    );
    bench_status #(.W(1), .ID(g)) u_idle (.clk, .rst, .value_i(idle));

    logic        set_valid, set_on, timer_valid, timer_ready, deadline_valid, timer_idle;
    logic [15:0] set_index, timer_index;
    logic [31:0] set_at;
    logic [63:0] deadline;

    bench_source #(.W(8), .U(49), .ID(16 + g)) u_sets (
      .clk, .rst, .out_valid_o(set_valid), .out_ready_i(phase_q == 2'd3), .out_data_o(), .out_keep_o(),
      .out_last_o(), .out_bad_o(), .out_user_o({set_index, set_on, set_at}), .out_user_last_o()
    );
    flue_tcp_timer #(.CONNECTIONS(N)) u_timer (
      .clk, .rst, .time_us_i(now), .set_valid_i(set_valid && phase_q == 2'd3), .set_index_i(set_index),
      .set_on_i(set_on), .set_at_i(set_at), .timer_valid_o(timer_valid), .timer_ready_i(timer_ready),
      .timer_index_o(timer_index), .deadline_valid_o(deadline_valid), .deadline_us_o(deadline),
      .idle_o(timer_idle)
    );
    bench_sink #(.W(8), .U(16), .ID(16 + g)) u_events (
      .clk, .rst, .in_valid_i(timer_valid), .in_ready_o(timer_ready), .in_data_i('0), .in_keep_i(1'b1),
      .in_last_i(1'b1), .in_bad_i(1'b0), .in_user_i(timer_index), .in_user_last_i(1'b0)
    );
    bench_status #(.W(66), .ID(16 + g)) u_status (.clk, .rst, .value_i({deadline_valid, deadline, timer_idle}));
  end

endmodule

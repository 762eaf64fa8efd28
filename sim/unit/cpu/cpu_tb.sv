// The management processor at two DMA widths.  Host, flue_dma and the tables'
// commands are played by the test; table words are a memory here that takes
// a changing number of cycles.  IDs are 16 * g + n.
module cpu_tb
  import flue_pkg::*;
  import flue_control_pkg::*;
(
  input logic clk,
  input logic rst
);

  for (genvar g = 0; g < 2; g++) begin : g_width
    localparam int W = g == 0 ? 32 : 128;
    localparam int N = 16 * g;
    localparam int R = $bits(dma_req_t);

    logic [354:0] c;                      // see enum config in cpu_test.c
    bench_config #(.W(355), .ID(g)) u_config (.clk, .value_o(c));

    // ---- host ----
    logic        pulse, ping, doorbell, win, win_we, fw_req, fw_we, fw_ack;
    logic [19:0] win_addr, fw_addr;
    logic [31:0] win_data, fw_wdata, fw_rdata;

    bench_source #(.W(8), .U(2), .ID(N + 0)) u_pulse (.clk, .rst, .out_valid_o(pulse), .out_ready_i(1'b1), .out_data_o(),
      .out_keep_o(), .out_last_o(), .out_bad_o(), .out_user_o({doorbell, ping}), .out_user_last_o());
    bench_source #(.W(8), .U(53), .ID(N + 1)) u_window (.clk, .rst, .out_valid_o(win), .out_ready_i(1'b1), .out_data_o(),
      .out_keep_o(), .out_last_o(), .out_bad_o(), .out_user_o({win_we, win_addr, win_data}), .out_user_last_o());
    bench_sink #(.W(8), .U(32), .ID(N + 1)) u_answer (.clk, .rst, .in_valid_i(fw_ack), .in_ready_o(), .in_data_i('0),
      .in_keep_i(1'b1), .in_last_i(1'b1), .in_bad_i(1'b0), .in_user_i(fw_rdata), .in_user_last_i(1'b0));

    always_ff @(posedge clk) begin
      fw_req <= win && !rst;
      if (win) {fw_we, fw_addr, fw_wdata} <= {win_we, win_addr, win_data};
    end

    // ---- DMA ----
    logic           rr_valid, rr_ready, rd_valid, rd_ready, rd_last, rd_bad, wr_valid, wr_ready, wd_valid, wd_ready, wd_last;
    logic           wr_done;
    dma_req_t       rr, wr;
    logic [W-1:0]   rd_data, wd_data;
    logic [W/8-1:0] rd_keep, wd_keep;
    status_e        rd_status, wr_status;

    bench_sink #(.W(8), .U(R), .ID(N + 2)) u_rr (.clk, .rst, .in_valid_i(rr_valid), .in_ready_o(rr_ready), .in_data_i('0),
      .in_keep_i(1'b1), .in_last_i(1'b1), .in_bad_i(1'b0), .in_user_i(rr), .in_user_last_i(1'b0));
    bench_sink #(.W(8), .U(R), .ID(N + 3)) u_wr (.clk, .rst, .in_valid_i(wr_valid), .in_ready_o(wr_ready), .in_data_i('0),
      .in_keep_i(1'b1), .in_last_i(1'b1), .in_bad_i(1'b0), .in_user_i(wr), .in_user_last_i(1'b0));
    bench_sink #(.W(W), .ID(N + 4)) u_wd (.clk, .rst, .in_valid_i(wd_valid), .in_ready_o(wd_ready), .in_data_i(wd_data),
      .in_keep_i(wd_keep), .in_last_i(wd_last), .in_bad_i(1'b0), .in_user_i(1'b0), .in_user_last_i(1'b0));
    bench_source #(.W(W), .U($bits(status_e)), .ID(N + 2)) u_rd (.clk, .rst, .out_valid_o(rd_valid), .out_ready_i(rd_ready),
      .out_data_o(rd_data), .out_keep_o(rd_keep), .out_last_o(rd_last), .out_bad_o(rd_bad), .out_user_o({rd_status}),
      .out_user_last_o());
    bench_source #(.W(8), .U($bits(status_e)), .ID(N + 3)) u_done (.clk, .rst, .out_valid_o(wr_done), .out_ready_i(1'b1),
      .out_data_o(), .out_keep_o(), .out_last_o(), .out_bad_o(), .out_user_o({wr_status}), .out_user_last_o());

    // ---- tables ----
    logic             tp_valid, tp_ready, tp_write, cmd_valid, cmd_ready, cmd_done, err_valid, err_ready;
    logic [1:0]       tp_table;
    logic [15:0]      tp_row, cmd_index, cmd_found;
    logic [5:0]       tp_word;
    logic [31:0]      tp_wdata, tp_rdata, err;
    table_op_e        cmd_op;
    table_result_e    cmd_result;
    logic [8:0][31:0] cmd_key;
    logic [3:0][31:0] cmd_seed;
    logic [31:0]      words [4096];       // {table, row mod 16, word}
    logic [3:0]       delay;

    bench_sink #(.W(8), .U(436), .ID(N + 5)) u_cmd (.clk, .rst, .in_valid_i(cmd_valid), .in_ready_o(cmd_ready),
      .in_data_i('0), .in_keep_i(1'b1), .in_last_i(1'b1), .in_bad_i(1'b0), .in_user_i({cmd_seed, cmd_key, cmd_index, cmd_op}),
      .in_user_last_i(1'b0));
    bench_source #(.W(8), .U(19), .ID(N + 5)) u_cmd_done (.clk, .rst, .out_valid_o(cmd_done), .out_ready_i(1'b1),
      .out_data_o(), .out_keep_o(), .out_last_o(), .out_bad_o(), .out_user_o({cmd_found, cmd_result}), .out_user_last_o());
    bench_source #(.W(8), .U(32), .ID(N + 6)) u_err (.clk, .rst, .out_valid_o(err_valid), .out_ready_i(err_ready),
      .out_data_o(), .out_keep_o(), .out_last_o(), .out_bad_o(), .out_user_o(err), .out_user_last_o());

    assign tp_ready = tp_valid && delay[1:0] == 2'd0;
    assign tp_rdata = words[{tp_table, tp_row[3:0], tp_word}];

    always_ff @(posedge clk) begin
      delay <= rst ? 4'd1 : {delay[2:0], delay[3] ^ delay[2]};
      if (tp_valid && tp_ready && tp_write) words[{tp_table, tp_row[3:0], tp_word}] <= tp_wdata;
    end

    // ---- the module ----
    logic        running, trapped, asleep, is_ready, drained, is_idle, deadline_valid, set_admin, set_firmware;
    logic [15:0] heartbeat, asq_head, acq_tail;
    logic [31:0] cause, pc;
    logic [63:0] deadline;

    flue_mgmt #(.W(W), .FW_KB(32), .CONNECTIONS(64), .PATHS(48), .NEIGHBORS(16)) u_mgmt (
      .clk, .rst, .time_us_i(c[66:3]),
      .run_i(c[0]), .cold_i(c[1]), .fw_req_i(fw_req), .fw_we_i(fw_we), .fw_addr_i(fw_addr), .fw_wdata_i(fw_wdata),
      .fw_ack_o(fw_ack), .fw_rdata_o(fw_rdata), .ping_i(pulse && ping), .seed_i(c[354:227]),
      .running_o(running), .trapped_o(trapped), .asleep_o(asleep), .ready_o(is_ready), .heartbeat_o(heartbeat),
      .trap_cause_o(cause), .trap_pc_o(pc), .set_admin_o(set_admin), .set_firmware_o(set_firmware),
      .asq_base_i(c[98:67]), .asq_cfg_i(c[130:99]), .asq_tail_i({16'b0, c[146:131]}), .acq_base_i(c[178:147]),
      .acq_cfg_i(c[210:179]), .acq_head_i({16'b0, c[226:211]}), .doorbell_i(pulse && doorbell),
      .asq_head_o(asq_head), .acq_tail_o(acq_tail), .drain_i(c[2]), .drained_o(drained), .idle_o(is_idle),
      .deadline_valid_o(deadline_valid), .deadline_us_o(deadline),
      .rd_req_valid_o(rr_valid), .rd_req_ready_i(rr_ready), .rd_req_o(rr), .rd_valid_i(rd_valid), .rd_ready_o(rd_ready),
      .rd_data_i(rd_data), .rd_keep_i(rd_keep), .rd_last_i(rd_last), .rd_bad_i(rd_bad), .rd_status_i(rd_status),
      .wr_req_valid_o(wr_valid), .wr_req_ready_i(wr_ready), .wr_req_o(wr), .wr_valid_o(wd_valid), .wr_ready_i(wd_ready),
      .wr_data_o(wd_data), .wr_keep_o(wd_keep), .wr_last_o(wd_last), .wr_done_i(wr_done), .wr_status_i(wr_status),
      .tp_valid_o(tp_valid), .tp_ready_i(tp_ready), .tp_write_o(tp_write), .tp_table_o(tp_table), .tp_row_o(tp_row),
      .tp_word_o(tp_word), .tp_wdata_o(tp_wdata), .tp_rdata_i(tp_rdata), .tp_bad_i(1'b0),
      .cmd_valid_o(cmd_valid), .cmd_ready_i(cmd_ready), .cmd_op_o(cmd_op), .cmd_index_o(cmd_index), .cmd_key_o(cmd_key),
      .cmd_seed_o(cmd_seed), .cmd_done_i(cmd_done), .cmd_result_i(cmd_result), .cmd_found_i(cmd_found),
      .eng_valid_o(), .eng_ready_i(1'b1), .eng_write_o(), .eng_addr_o(), .eng_wdata_o(), .eng_rdata_i('0), .eng_note_i(1'b0),
      .err_valid_i(err_valid), .err_ready_o(err_ready), .err_i(err)
    );

    bench_status #(.W(187), .ID(g)) u_status (.clk, .rst, .value_i({
      u_mgmt.u_core.valid_o && u_mgmt.u_core.instr_o && u_mgmt.u_core.ready_i, rr_valid || wr_valid,
      deadline, pc, cause, acq_tail, asq_head, heartbeat,
      set_firmware, set_admin, deadline_valid, is_idle, drained, is_ready, asleep, trapped, running}));
  end

endmodule

// The three queues with the host and the blocks between them played by the
// test: read and write clients of the DMA, the transmit path, received frames.
// IDs are 16 * g + n.
module queue_tb
  import flue_pkg::*;
  import flue_layout_pkg::*;
(
  input logic clk,
  input logic rst
);

  for (genvar g = 0; g < 3; g++) begin : g_width
    localparam int W = g == 0 ? 32 : g == 1 ? 64 : 512;
    localparam int B = W / 8;
    localparam int N = 16 * g;
    localparam int R = $bits(dma_req_t);

    logic [223:0] c;                      // registers; see enum reg in queue_test.c
    bench_config #(.W(224), .ID(g)) u_config (.clk, .value_o(c));

    // ---- one-beat channels ----
    logic     txs_req_valid, txs_req_ready, pay_req_valid, pay_req_ready, pay_req_last;
    logic     rxs_req_valid, rxs_req_ready, wr_req_valid, wr_req_ready, ew_req_valid, ew_req_ready;
    logic     req_valid, req_ready;
    dma_req_t txs_req, pay_req, rxs_req, wr_req, ew_req;
    tx_req_t  req;

    bench_sink #(.W(8), .U(R), .ID(N + 0)) u_txs_req (.clk, .rst, .in_valid_i(txs_req_valid), .in_ready_o(txs_req_ready),
      .in_data_i('0), .in_keep_i(1'b1), .in_last_i(1'b1), .in_bad_i(1'b0), .in_user_i(txs_req), .in_user_last_i(1'b0));
    bench_sink #(.W(8), .U(R + 1), .ID(N + 1)) u_pay_req (.clk, .rst, .in_valid_i(pay_req_valid), .in_ready_o(pay_req_ready),
      .in_data_i('0), .in_keep_i(1'b1), .in_last_i(1'b1), .in_bad_i(1'b0), .in_user_i({pay_req_last, pay_req}),
      .in_user_last_i(1'b0));
    bench_sink #(.W(8), .U($bits(tx_req_t)), .ID(N + 2)) u_req (.clk, .rst, .in_valid_i(req_valid), .in_ready_o(req_ready),
      .in_data_i('0), .in_keep_i(1'b1), .in_last_i(1'b1), .in_bad_i(1'b0), .in_user_i(req), .in_user_last_i(1'b0));
    bench_sink #(.W(8), .U(R), .ID(N + 3)) u_rxs_req (.clk, .rst, .in_valid_i(rxs_req_valid), .in_ready_o(rxs_req_ready),
      .in_data_i('0), .in_keep_i(1'b1), .in_last_i(1'b1), .in_bad_i(1'b0), .in_user_i(rxs_req), .in_user_last_i(1'b0));
    bench_sink #(.W(8), .U(R), .ID(N + 4)) u_wr_req (.clk, .rst, .in_valid_i(wr_req_valid), .in_ready_o(wr_req_ready),
      .in_data_i('0), .in_keep_i(1'b1), .in_last_i(1'b1), .in_bad_i(1'b0), .in_user_i(wr_req), .in_user_last_i(1'b0));
    bench_sink #(.W(8), .U(R), .ID(N + 5)) u_ew_req (.clk, .rst, .in_valid_i(ew_req_valid), .in_ready_o(ew_req_ready),
      .in_data_i('0), .in_keep_i(1'b1), .in_last_i(1'b1), .in_bad_i(1'b0), .in_user_i(ew_req), .in_user_last_i(1'b0));

    logic    pay_end, done_valid, wr_done, ew_done;
    status_e pay_status, wr_status, ew_status;
    tx_tag_t done_tag;

    bench_source #(.W(8), .U($bits(status_e)), .ID(N + 1)) u_pay_end (.clk, .rst, .out_valid_o(pay_end), .out_ready_i(1'b1),
      .out_data_o(), .out_keep_o(), .out_last_o(), .out_bad_o(), .out_user_o({pay_status}), .out_user_last_o());
    bench_source #(.W(8), .U($bits(tx_tag_t)), .ID(N + 2)) u_done (.clk, .rst, .out_valid_o(done_valid), .out_ready_i(1'b1),
      .out_data_o(), .out_keep_o(), .out_last_o(), .out_bad_o(), .out_user_o({done_tag}), .out_user_last_o());
    bench_source #(.W(8), .U($bits(status_e)), .ID(N + 5)) u_wr_done (.clk, .rst, .out_valid_o(wr_done), .out_ready_i(1'b1),
      .out_data_o(), .out_keep_o(), .out_last_o(), .out_bad_o(), .out_user_o({wr_status}), .out_user_last_o());
    bench_source #(.W(8), .U($bits(status_e)), .ID(N + 6)) u_ew_done (.clk, .rst, .out_valid_o(ew_done), .out_ready_i(1'b1),
      .out_data_o(), .out_keep_o(), .out_last_o(), .out_bad_o(), .out_user_o({ew_status}), .out_user_last_o());

    // ---- packet streams ----
    logic         txs_valid, txs_ready, txs_last, txs_bad, rxs_valid, rxs_ready, rxs_last, rxs_bad;
    logic         in_valid, in_ready, in_last, wd_valid, wd_ready, wd_last, ed_valid, ed_ready, ed_last;
    logic [W-1:0] txs_data, rxs_data, in_data, wd_data, ed_data;
    logic [B-1:0] txs_keep, rxs_keep, in_keep, wd_keep, ed_keep;
    status_e      txs_status, rxs_status;
    rx_meta_t     in_meta;
    logic         frame_valid, frame_ready, marker, marker_ready, divert, taken, lost, re_note;
    rx_note_t     in_note;

    bench_source #(.W(W), .U($bits(status_e)), .ID(N + 0)) u_txs (.clk, .rst, .out_valid_o(txs_valid), .out_ready_i(txs_ready),
      .out_data_o(txs_data), .out_keep_o(txs_keep), .out_last_o(txs_last), .out_bad_o(txs_bad),
      .out_user_o({txs_status}), .out_user_last_o());
    bench_source #(.W(W), .U($bits(status_e)), .ID(N + 3)) u_rxs (.clk, .rst, .out_valid_o(rxs_valid), .out_ready_i(rxs_ready),
      .out_data_o(rxs_data), .out_keep_o(rxs_keep), .out_last_o(rxs_last), .out_bad_o(rxs_bad),
      .out_user_o({rxs_status}), .out_user_last_o());
    // A packet with `marker` stands for a marker.
    bench_source #(.W(W), .U($bits(rx_meta_t) + 2 + $bits(rx_note_t)), .ID(N + 4)) u_in (.clk, .rst, .out_valid_o(in_valid),
      .out_ready_i(in_ready), .out_data_o(in_data), .out_keep_o(in_keep), .out_last_o(in_last), .out_bad_o(),
      .out_user_o({marker, divert, in_note, in_meta}), .out_user_last_o());
    assign frame_valid = in_valid && !marker;
    assign in_ready    = marker ? marker_ready : frame_ready;
    bench_sink #(.W(8), .U(2), .ID(N + 8)) u_fate (.clk, .rst, .in_valid_i(taken || lost), .in_ready_o(), .in_data_i('0),
      .in_keep_i(1'b1), .in_last_i(1'b1), .in_bad_i(1'b0), .in_user_i({taken, lost}), .in_user_last_i(1'b0));
    bench_sink #(.W(W), .ID(N + 6)) u_wd (.clk, .rst, .in_valid_i(wd_valid), .in_ready_o(wd_ready), .in_data_i(wd_data),
      .in_keep_i(wd_keep), .in_last_i(wd_last), .in_bad_i(1'b0), .in_user_i(1'b0), .in_user_last_i(1'b0));
    bench_sink #(.W(W), .ID(N + 7)) u_ed (.clk, .rst, .in_valid_i(ed_valid), .in_ready_o(ed_ready), .in_data_i(ed_data),
      .in_keep_i(ed_keep), .in_last_i(ed_last), .in_bad_i(1'b0), .in_user_i(1'b0), .in_user_last_i(1'b0));

    // ---- the modules ----
    logic [15:0]  tx_head, rx_head, eq_tail;
    logic         tx_quiet, rx_quiet, tx_idle, rx_idle, eq_idle, tx_stopped, rx_stopped, eq_stopped;
    logic         drained, posted, rx_wait, ew_error, eq_wait, drop;
    queue_error_e tx_error, rx_error;
    logic         te_valid, te_ready, re_valid, re_ready, te_lso;
    logic [95:0]  te, re;
    status_e      te_status, re_status;

    flue_tx_queue #(.W(W), .FORWARD(1'b0)) u_tx (
      .clk, .rst,
      .enable_i(c[0]), .stop_i(c[3]), .region_i(c[15:8]), .base_i(c[127:102]), .log2_slots_i(c[35:32]),
      .tail_i(c[63:48]), .head_o(tx_head), .quiet_o(tx_quiet), .idle_o(tx_idle), .stopped_o(tx_stopped),
      .error_o(tx_error),
      .slot_req_valid_o(txs_req_valid), .slot_req_ready_i(txs_req_ready), .slot_req_o(txs_req),
      .slot_valid_i(txs_valid), .slot_ready_o(txs_ready), .slot_data_i(txs_data), .slot_keep_i(txs_keep),
      .slot_last_i(txs_last), .slot_bad_i(txs_bad), .slot_status_i(txs_status),
      .pay_req_valid_o(pay_req_valid), .pay_req_ready_i(pay_req_ready), .pay_req_o(pay_req),
      .pay_req_last_o(pay_req_last), .pay_end_i(pay_end), .pay_status_i(pay_status),
      .req_valid_o(req_valid), .req_ready_i(req_ready), .req_o(req),
      .done_valid_i(done_valid), .done_tag_i(done_tag),
      .req_forward_o(), .fwd_handle_o(), .fwd_done_i(1'b0), .fwd_status_i(ST_OK),
      .event_valid_o(te_valid), .event_ready_i(te_ready), .event_o(te), .event_status_o(te_status),
      .event_lso_o(te_lso)
    );

    flue_rx_queue #(.W(W)) u_rx (
      .clk, .rst,
      .enable_i(c[1]), .stop_i(c[3]), .region_i(c[23:16]), .base_i(c[159:134]), .log2_slots_i(c[39:36]),
      .tail_i(c[79:64]), .head_o(rx_head), .quiet_o(rx_quiet), .idle_o(rx_idle), .wait_o(rx_wait),
      .stopped_o(rx_stopped), .error_o(rx_error),
      .slot_req_valid_o(rxs_req_valid), .slot_req_ready_i(rxs_req_ready), .slot_req_o(rxs_req),
      .slot_valid_i(rxs_valid), .slot_ready_o(rxs_ready), .slot_data_i(rxs_data), .slot_keep_i(rxs_keep),
      .slot_last_i(rxs_last), .slot_bad_i(rxs_bad), .slot_status_i(rxs_status),
      .in_valid_i(frame_valid), .in_ready_o(frame_ready), .in_data_i(in_data), .in_keep_i(in_keep),
      .in_last_i(in_last), .in_meta_i(in_meta), .in_divert_i(divert), .in_note_i(in_note), .taken_o(taken), .lost_o(lost),
      .marker_valid_i(in_valid && marker), .marker_ready_o(marker_ready),
      .wr_req_valid_o(wr_req_valid), .wr_req_ready_i(wr_req_ready), .wr_req_o(wr_req),
      .wr_valid_o(wd_valid), .wr_ready_i(wd_ready), .wr_data_o(wd_data), .wr_keep_o(wd_keep),
      .wr_last_o(wd_last), .wr_done_i(wr_done), .wr_status_i(wr_status),
      .event_valid_o(re_valid), .event_ready_i(re_ready), .event_o(re), .event_status_o(re_status),
      .event_note_o(re_note), .drop_o(drop)
    );

    flue_event_queue #(.W(W)) u_eq (
      .clk, .rst, .time_us_i(c[222:192]),
      .enable_i(c[2]), .flush_i(c[4]), .region_i(c[31:24]), .base_i(c[191:166]), .log2_slots_i(c[43:40]),
      .head_i(c[95:80]), .tail_o(eq_tail), .stopped_o(eq_stopped), .idle_o(eq_idle), .posted_o(posted),
      .wait_o(eq_wait), .write_error_o(ew_error),
      .tx_valid_i(te_valid), .tx_ready_o(te_ready), .tx_event_i(te),
      .rx_valid_i(re_valid), .rx_ready_o(re_ready), .rx_event_i(re),
      .drain_i(c[3]), .drained_o(drained),
      .tx_enable_i(c[0]), .tx_quiet_i(tx_quiet), .tx_stopped_i(tx_stopped), .tx_error_i(tx_error),
      .tx_head_i(tx_head),
      .rx_enable_i(c[1]), .rx_quiet_i(rx_quiet), .rx_stopped_i(rx_stopped), .rx_error_i(rx_error),
      .rx_head_i(rx_head),
      .wr_req_valid_o(ew_req_valid), .wr_req_ready_i(ew_req_ready), .wr_req_o(ew_req),
      .wr_valid_o(ed_valid), .wr_ready_i(ed_ready), .wr_data_o(ed_data), .wr_keep_o(ed_keep),
      .wr_last_o(ed_last), .wr_done_i(ew_done), .wr_status_i(ew_status)
    );

    bench_status #(.W(64), .ID(g)) u_status (.clk, .rst, .value_i({
      1'b0, drop, eq_wait, rx_wait, ew_error, posted, eq_idle, rx_idle, tx_idle, drained,
      eq_stopped, rx_stopped, tx_stopped, rx_quiet, tx_quiet, 1'b0, eq_tail, rx_head, tx_head}));

    logic unused;
    assign unused = &{1'b0, te_status, te_lso, re_status, re_note};
  end

  // ---- registers, statistics, interrupt: IDs from 64, config 8, status 8 ----
  logic         aw_valid, aw_ready, w_valid, w_ready, b_valid, b_ready, ar_valid, ar_ready, r_valid, r_ready;
  logic [15:0]  aw_addr, ar_addr;
  logic [31:0]  w_data, r_data, stat_data, rg_wdata, rg_rdata;
  logic [1:0]   b_resp, r_resp;
  logic [319:0] k;                        // see enum in regs_test.c
  logic         stat_req, stat_ack, rg_we, enable, drain, flush, clear, regs_idle, stats_idle, irq_idle;
  logic         irq, rise, deadline_valid;
  logic [63:0]  deadline_us;
  logic [5:0]   stat_addr;
  logic [3:0]   rg_addr;
  logic [4:0]   cause, mask;
  logic         fw_req, fw_write, fw_ack, fw_run, fw_cold, fw_ping, doorbell, flip;
  logic [19:2]  fw_addr;
  logic [31:0]  fw_wdata, fw_rdata;
  logic [28:0]  flip_where;
  logic [3:0][31:0] seed;
  logic [127:0] rings;
  logic [34:0]  line;
  logic         db_valid, db_ready;
  logic [50:0]  db;
  logic [15:0]  distance_us;
  logic [7:0]   mod_events;
  tx_cfg_t      tx_cfg;
  rx_cfg_t      rx_cfg;

  bench_config #(.W(320), .ID(8)) u_config (.clk, .value_o(k));

  bench_source #(.W(8), .U(16), .ID(64)) u_aw (.clk, .rst, .out_valid_o(aw_valid), .out_ready_i(aw_ready),
    .out_data_o(), .out_keep_o(), .out_last_o(), .out_bad_o(), .out_user_o(aw_addr), .out_user_last_o());
  bench_source #(.W(8), .U(32), .ID(65)) u_w (.clk, .rst, .out_valid_o(w_valid), .out_ready_i(w_ready),
    .out_data_o(), .out_keep_o(), .out_last_o(), .out_bad_o(), .out_user_o(w_data), .out_user_last_o());
  bench_source #(.W(8), .U(16), .ID(66)) u_ar (.clk, .rst, .out_valid_o(ar_valid), .out_ready_i(ar_ready),
    .out_data_o(), .out_keep_o(), .out_last_o(), .out_bad_o(), .out_user_o(ar_addr), .out_user_last_o());
  bench_sink #(.W(8), .U(2), .ID(64)) u_b (.clk, .rst, .in_valid_i(b_valid), .in_ready_o(b_ready), .in_data_i('0),
    .in_keep_i(1'b1), .in_last_i(1'b1), .in_bad_i(1'b0), .in_user_i(b_resp), .in_user_last_i(1'b0));
  bench_sink #(.W(8), .U(34), .ID(65)) u_r (.clk, .rst, .in_valid_i(r_valid), .in_ready_o(r_ready), .in_data_i('0),
    .in_keep_i(1'b1), .in_last_i(1'b1), .in_bad_i(1'b0), .in_user_i({r_resp, r_data}), .in_user_last_i(1'b0));

  flue_regs #(
    .W(64), .REGIONS(4), .MAX_FRAME(1518), .FAULTS(1'b1), .FW_KB(32), .FW_CORE(4'd2), .CONNECTIONS(64), .PATHS(48),
    .NEIGHBORS(16)
  ) u_regs (
    .clk, .rst, .time_us_i(k[63:0]),
    .axil_awvalid_i(aw_valid), .axil_awready_o(aw_ready), .axil_awaddr_i(aw_addr), .axil_wvalid_i(w_valid),
    .axil_wready_o(w_ready), .axil_wdata_i(w_data), .axil_wstrb_i('1), .axil_bvalid_o(b_valid), .axil_bready_i(b_ready),
    .axil_bresp_o(b_resp), .axil_arvalid_i(ar_valid), .axil_arready_o(ar_ready), .axil_araddr_i(ar_addr),
    .axil_rvalid_o(r_valid), .axil_rready_i(r_ready), .axil_rdata_o(r_data), .axil_rresp_o(r_resp),
    .enable_o(enable), .drain_o(drain), .flush_o(flush), .clear_o(clear), .idle_o(regs_idle), .idle_i(k[64]),
    .drained_i(k[65] && drain), .tx_error_i(k[66]), .rx_error_i(k[67]), .event_error_i(k[68]), .tx_busy_i(k[69]),
    .rx_busy_i(k[70]), .tx_cfg_o(tx_cfg), .rx_cfg_o(rx_cfg), .fault_csum_o(), .fault_seq_o(),
    .txq_enable_o(), .txq_base_o(), .txq_region_o(), .txq_log2_slots_o(), .txq_tail_o(), .txq_head_i(k[111:96]),
    .rxq_enable_o(), .rxq_base_o(), .rxq_region_o(), .rxq_log2_slots_o(), .rxq_tail_o(), .rxq_head_i(k[111:96]),
    .eq_enable_o(), .eq_base_o(), .eq_region_o(), .eq_log2_slots_o(), .eq_head_o(), .eq_tail_i(k[111:96]),
    .set_event_i(posted), .set_error_i(k[72]), .set_drained_i(k[73]), .set_admin_i(k[74]),
    .set_firmware_i(k[75]), .cause_o(cause), .mask_o(mask),
    .fw_run_o(fw_run), .fw_cold_o(fw_cold), .fw_ping_o(fw_ping), .doorbell_o(doorbell), .seed_o(seed),
    .fw_running_i(k[76]), .fw_trapped_i(k[77]), .fw_asleep_i(k[78]), .fw_ready_i(k[79]), .fw_heartbeat_i(k[127:112]),
    .fw_cause_i(k[159:128]), .fw_pc_i(k[191:160]),
    .asq_enable_o(rings[0]), .asq_base_o(rings[26:1]), .asq_region_o(rings[34:27]), .asq_log2_slots_o(rings[38:35]),
    .asq_tail_o(rings[54:39]), .asq_head_i(k[111:96]),
    .acq_enable_o(rings[64]), .acq_base_o(rings[90:65]), .acq_region_o(rings[98:91]), .acq_log2_slots_o(rings[102:99]),
    .acq_head_o(rings[118:103]), .acq_tail_i(k[111:96]),
    .flip_o(flip), .flip_table_o(flip_where[1:0]), .flip_row_o(flip_where[17:2]), .flip_word_o(flip_where[23:18]),
    .flip_bit_o(flip_where[28:24]),
    .fw_req_o(fw_req), .fw_write_o(fw_write), .fw_addr_o(fw_addr), .fw_wdata_o(fw_wdata), .fw_ack_i(fw_ack),
    .fw_rdata_i(fw_rdata),
    .mod_distance_us_o(distance_us), .mod_events_o(mod_events),
    .stat_req_o(stat_req), .stat_addr_o(stat_addr), .stat_ack_i(stat_ack), .stat_data_i(stat_data),
    .rg_we_o(rg_we), .rg_addr_o(rg_addr), .rg_wdata_o(rg_wdata), .rg_rdata_i(rg_rdata),
    .fault_place_o(), .line_enable_o(line[0]), .line_base_o(line[26:1]), .line_region_o(line[34:27]),
    .db_valid_o(db_valid), .db_ready_i(db_ready), .db_index_o(db[15:0]), .db_word_o(db[18:16]), .db_data_o(db[50:19])
  );

  assign {rings[63:55], rings[127:119]} = '0;

  // Memory behind the window: 16 words, answers after k[85:80] cycles.
  logic [31:0] fw_mem [16];
  logic [5:0]  fw_left_q;
  logic        fw_wait_q;

  assign fw_ack   = (fw_req && k[85:80] == '0) || (fw_wait_q && fw_left_q == '0);
  assign fw_rdata = fw_ack ? fw_mem[fw_addr[5:2]] : '1;

  always_ff @(posedge clk) begin
    if (fw_req) fw_left_q <= k[85:80] - 1'b1;
    else        fw_left_q <= fw_left_q - 1'b1;
    if (fw_req)      fw_wait_q <= k[85:80] != '0;
    else if (fw_ack) fw_wait_q <= 1'b0;
    if (fw_ack && fw_write) fw_mem[fw_addr[5:2]] <= fw_wdata;
    if (rst) fw_wait_q <= 1'b0;
  end

  // Sink 66: words of doorbell records {data, word, row}.
  bench_sink #(.W(8), .U(51), .ID(66)) u_db (.clk, .rst, .in_valid_i(db_valid), .in_ready_o(db_ready), .in_data_i('0),
    .in_keep_i(1'b1), .in_last_i(1'b1), .in_bad_i(1'b0), .in_user_i(db), .in_user_last_i(1'b0));

  bench_status #(.W(384), .ID(9)) u_fw_status (.clk, .rst, .value_i(
    384'({line, seed, rings, flip, flip_where, doorbell, fw_ping, fw_cold, fw_run})));

  flue_region_table #(.REGIONS(4)) u_table (
    .clk, .rst, .rg_we_i(rg_we), .rg_addr_i(rg_addr), .rg_wdata_i(rg_wdata), .rg_rdata_o(rg_rdata),
    .look_valid_i(1'b0), .look_i('0), .base_o(), .size_o(), .valid_o(), .writable_o()
  );

  // Pulses come in single beats, so that the test can count them; bytes beside them.
  logic [31:0] inc;
  logic        inc_valid;
  logic [27:0] amounts;
  bench_source #(.W(8), .U(60), .ID(67)) u_inc (.clk, .rst, .out_valid_o(inc_valid), .out_ready_i(1'b1),
    .out_data_o(), .out_keep_o(), .out_last_o(), .out_bad_o(), .out_user_o({amounts, inc}), .out_user_last_o());

  flue_stats #(.PEND_W(4), .BYTES_W(24)) u_stats (
    .clk, .rst, .clear_i(clear), .inc_i(inc_valid ? inc : '0), .tx_bytes_i(inc_valid ? amounts[13:0] : '0),
    .rx_bytes_i(inc_valid ? amounts[27:14] : '0), .rd_req_i(stat_req), .rd_addr_i(stat_addr), .rd_ack_o(stat_ack),
    .rd_data_o(stat_data), .idle_o(stats_idle)
  );

  logic posted, post_valid, unused_post;
  bench_source #(.W(8), .U(1), .ID(68)) u_post (.clk, .rst, .out_valid_o(post_valid), .out_ready_i(1'b1),
    .out_data_o(), .out_keep_o(), .out_last_o(), .out_bad_o(), .out_user_o(unused_post), .out_user_last_o());
  assign posted = post_valid;

  flue_irq u_irq (
    .clk, .rst(rst || clear), .time_us_i(k[63:0]), .cause_i(cause), .mask_i(mask), .distance_us_i(distance_us), .events_i(mod_events), .posted_i(posted),
    .irq_o(irq), .rise_o(rise), .idle_o(irq_idle), .deadline_valid_o(deadline_valid), .deadline_us_o(deadline_us)
  );

  bench_status #(.W(160), .ID(8)) u_status (.clk, .rst, .value_i(
    160'({rx_cfg, tx_cfg, enable, drain, flush, clear, regs_idle, stats_idle, irq_idle, rise, irq, deadline_valid, deadline_us})));

endmodule

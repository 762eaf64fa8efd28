// Everything of live connections: the engine and what surrounds it.  Wiring only; docs/tcp.md has the picture.
//
// Contract: ports are those of the blocks inside; a group's comment names its neighbor in the adapter.
//   stop_i: no new turns and no status lines (the adapter drains).
//   quiet_o: nothing happens here without input, time or the receive queue.
//   frames_idle_o: no frame that came in at in_* is being placed, and none has its verdict.
module flue_tcp
  import flue_pkg::*;
  import flue_tcp_pkg::*;
#(
  parameter int W           = 32,
  parameter int CONNECTIONS = 64,
  parameter int MAX_FRAME   = 1518,       // of the adapter
  localparam int B = W / 8
) (
  input  logic               clk,
  input  logic               rst,
  input  logic [63:0]        time_us_i,
  input  logic               stop_i,
  input  logic               fault_place_i,
  output logic               quiet_o,
  output logic               frames_idle_o,
  output logic               deadline_valid_o,
  output logic [63:0]        deadline_us_o,

  // flue_mgmt
  input  logic               fw_valid_i,
  output logic               fw_ready_o,
  input  logic               fw_write_i,
  input  logic [25:2]        fw_addr_i,
  input  logic [31:0]        fw_wdata_i,
  output logic [31:0]        fw_rdata_o,
  output logic               note_o,

  // flue_regs
  input  logic               db_valid_i,
  output logic               db_ready_o,
  input  logic [15:0]        db_index_i,
  input  logic [2:0]         db_word_i,
  input  logic [31:0]        db_data_i,
  input  logic               line_enable_i,
  input  logic [7:0]         line_region_i,
  input  logic [31:6]        line_base_i,

  // flue_tables
  output logic               lk_valid_o,
  input  logic               lk_ready_i,
  output lookup_key_t        lk_o,
  input  logic               lk_valid_i,
  input  lookup_rsp_t        lk_i,
  output logic               tp_valid_o,
  input  logic               tp_ready_i,
  output logic [1:0]         tp_table_o,
  output logic [15:0]        tp_row_o,
  output logic [5:0]         tp_word_o,
  input  logic [31:0]        tp_rdata_i,
  input  logic               tp_bad_i,

  // between flue_csum_verify and the park
  input  logic               tap_move_i,
  input  logic [W-1:0]       tap_data_i,
  input  logic               tap_last_i,
  input  hdr_t               tap_hdr_i,
  input  logic               tap_segment_i,
  input  logic               tap_drop_i,
  input  logic               tap_forward_i,
  input  logic               tap_drop_full_i,
  output logic               tap_full_o,
  input  logic [31:0]        forward_handle_i,    // flue_tx_queue
  output logic               forward_done_o,
  output status_e            forward_status_o,

  // behind the park: from flue_vlan_strip to flue_rx_queue
  input  logic               in_valid_i,
  output logic               in_ready_o,
  input  logic [W-1:0]       in_data_i,
  input  logic [B-1:0]       in_keep_i,
  input  logic               in_last_i,
  input  rx_meta_t           in_meta_i,
  output logic               rx_valid_o,
  input  logic               rx_ready_i,
  output logic [W-1:0]       rx_data_o,
  output logic [B-1:0]       rx_keep_o,
  output logic               rx_last_o,
  output rx_meta_t           rx_meta_o,
  output logic               rx_divert_o,
  output rx_note_t           rx_note_o,
  input  logic               rx_taken_i,
  input  logic               rx_lost_i,
  output logic               rx_marker_valid_o,
  input  logic               rx_marker_ready_i,

  // flue_tcp_payload, to read client 1 of the DMA
  output logic               rd_req_valid_o,
  input  logic               rd_req_ready_i,
  output dma_req_t           rd_req_o,
  output logic               rd_req_last_o,
  input  logic               rd_valid_i,
  output logic               rd_ready_o,
  input  logic [W-1:0]       rd_data_i,
  input  logic [B-1:0]       rd_keep_i,
  input  logic               rd_last_i,
  input  logic               rd_bad_i,

  // flue_dma_share: 0 placements, 1 status lines
  output logic [1:0]         wr_req_valid_o,
  input  logic [1:0]         wr_req_ready_i,
  output dma_req_t [1:0]     wr_req_o,
  output logic [1:0]         wr_valid_o,
  input  logic [1:0]         wr_ready_i,
  output logic [1:0][W-1:0]  wr_data_o,
  output logic [1:0][B-1:0]  wr_keep_o,
  output logic [1:0]         wr_last_o,
  input  logic [1:0]         wr_done_i,
  input  status_e            wr_status_i,

  // flue_tcp_merge, and the tags at the wire port
  output logic               tx_valid_o,
  input  logic               tx_ready_i,
  output logic [W-1:0]       tx_data_o,
  output logic [B-1:0]       tx_keep_o,
  output logic               tx_last_o,
  output logic               tx_bad_o,
  output lso_cmd_t           tx_cmd_o,
  output tx_tag_t            tx_tag_o,
  input  logic               done_valid_i,
  input  tx_tag_t            done_tag_i,

  // flue_event_queue: words 0 to 2
  output logic               event_valid_o,
  input  logic               event_ready_i,
  output logic [95:0]        event_o,

  // what the engine decided
  output logic               trace_valid_o,
  output tcp_event_e         trace_event_o,
  output logic [INDEX_W-1:0] trace_index_o,
  output tcp_reason_e        trace_reason_o
);

  localparam int SEND_DEPTH = 32;
  localparam int ROOM_W     = $clog2(SEND_DEPTH + 1);

  // ---- received frames ----
  logic               key_valid, key_ready, lookup, forward, seg_valid, seg_ready, extract_idle;
  lookup_key_t        key;
  tcp_seg_t           seg, event_seg;
  logic [9:0]         pay_off;
  logic               marker_valid, marker_ready, hit_valid, hit_ready;
  logic [INDEX_W-1:0] marker_index, hit_index, event_index, frame_index;
  logic [13:0]        marker_generation;
  logic [31:0]        marker_number;
  logic               seg_event_valid, seg_event_ready, answer_valid;
  tcp_verdict_t       answer, verdict;
  logic               verdict_valid, verdict_ready, verdict_hit, verdict_marker, classify_idle;
  logic               ask_valid, ask_ready, ask_gap, frame_done, frame_done_ready, frame_commit, frame_lost;
  logic [31:0]        ask_number;
  logic               count_valid, count_ready, count_reset, count_gap, numbers_idle;
  logic [31:0]        count_number;
  logic [5:0]         count_on_way;
  logic               recv_ring_valid, recv_ring_ready, send_ring_valid, send_ring_ready, ring_write;
  logic [INDEX_W-1:0] send_ring_index, port_index;
  logic [1:0]         ring_word;
  logic [31:0]        ring_data;
  tcp_ring_t          ring;
  logic               placed_valid, placed_ready, dispatch_idle;
  logic [INDEX_W-1:0] placed_index;
  tcp_placed_t        placed;

  flue_tcp_extract #(.W(W)) u_extract (
    .clk, .rst, .in_move_i(tap_move_i), .in_data_i(tap_data_i), .in_last_i(tap_last_i), .in_hdr_i(tap_hdr_i),
    .in_segment_i(tap_segment_i), .in_drop_i(tap_drop_i), .in_forward_i(tap_forward_i), .drop_full_i(tap_drop_full_i), .full_o(tap_full_o),
    .key_valid_o(key_valid), .key_ready_i(key_ready), .lookup_o(lookup), .forward_o(forward), .key_o(key),
    .seg_valid_o(seg_valid), .seg_ready_i(seg_ready), .seg_o(seg), .pay_off_o(pay_off), .idle_o(extract_idle)
  );

  flue_tcp_classify u_classify (
    .clk, .rst, .key_valid_i(key_valid), .key_ready_o(key_ready), .lookup_i(lookup), .forward_i(forward), .key_i(key),
    .seg_valid_i(seg_valid), .seg_ready_o(seg_ready), .seg_i(seg), .pay_off_i(pay_off),
    .lk_valid_o, .lk_ready_i, .lk_o, .lk_valid_i, .lk_i,
    .marker_valid_i(marker_valid), .marker_ready_o(marker_ready), .marker_index_i(marker_index),
    .marker_generation_i(marker_generation), .marker_number_i(marker_number),
    .hit_valid_o(hit_valid), .hit_ready_i(hit_ready), .hit_index_o(hit_index),
    .event_valid_o(seg_event_valid), .event_ready_i(seg_event_ready), .event_index_o(event_index),
    .event_seg_o(event_seg), .answer_valid_i(answer_valid), .answer_i(answer),
    .verdict_valid_o(verdict_valid), .verdict_ready_i(verdict_ready), .verdict_o(verdict),
    .verdict_hit_o(verdict_hit), .verdict_marker_o(verdict_marker), .forward_handle_i, .forward_done_o, .forward_status_o, .bad_o(), .idle_o(classify_idle)
  );

  flue_tcp_numbers #(.CONNECTIONS(CONNECTIONS)) u_numbers (
    .clk, .rst, .hit_valid_i(hit_valid), .hit_ready_o(hit_ready), .hit_index_i(hit_index),
    .done_valid_i(frame_done), .done_ready_o(frame_done_ready), .done_index_i(frame_index),
    .done_commit_i(frame_commit), .done_lost_i(frame_lost),
    .ask_valid_i(ask_valid), .ask_ready_o(ask_ready), .ask_index_i(frame_index), .ask_number_o(ask_number),
    .ask_gap_o(ask_gap),
    .fw_valid_i(count_valid), .fw_ready_o(count_ready), .fw_index_i(port_index), .fw_reset_i(count_reset),
    .fw_number_o(count_number), .fw_gap_o(count_gap), .fw_on_way_o(count_on_way), .idle_o(numbers_idle)
  );

  flue_tcp_dispatch #(.W(W)) u_dispatch (
    .clk, .rst, .in_valid_i, .in_ready_o, .in_data_i, .in_keep_i, .in_last_i, .in_meta_i,
    .verdict_valid_i(verdict_valid), .verdict_ready_o(verdict_ready), .verdict_i(verdict),
    .verdict_hit_i(verdict_hit), .verdict_marker_i(verdict_marker),
    .out_valid_o(rx_valid_o), .out_ready_i(rx_ready_i), .out_data_o(rx_data_o), .out_keep_o(rx_keep_o),
    .out_last_o(rx_last_o), .out_meta_o(rx_meta_o), .out_divert_o(rx_divert_o), .out_note_o(rx_note_o),
    .taken_i(rx_taken_i), .lost_i(rx_lost_i), .marker_valid_o(rx_marker_valid_o), .marker_ready_i(rx_marker_ready_i),
    .ask_valid_o(ask_valid), .ask_ready_i(ask_ready), .ask_number_i(ask_number), .ask_gap_i(ask_gap),
    .done_valid_o(frame_done), .done_ready_i(frame_done_ready), .done_commit_o(frame_commit),
    .done_lost_o(frame_lost), .index_o(frame_index),
    .ring_valid_o(recv_ring_valid), .ring_ready_i(recv_ring_ready), .ring_i(ring),
    .wr_req_valid_o(wr_req_valid_o[0]), .wr_req_ready_i(wr_req_ready_i[0]), .wr_req_o(wr_req_o[0]),
    .wr_valid_o(wr_valid_o[0]), .wr_ready_i(wr_ready_i[0]), .wr_data_o(wr_data_o[0]), .wr_keep_o(wr_keep_o[0]),
    .wr_last_o(wr_last_o[0]), .wr_done_i(wr_done_i[0]), .wr_status_i,
    .placed_valid_o(placed_valid), .placed_ready_i(placed_ready), .placed_index_o(placed_index), .placed_o(placed),
    .fault_place_i, .wait_o(), .idle_o(dispatch_idle)
  );

  flue_tcp_rings #(.CONNECTIONS(CONNECTIONS)) u_rings (
    .clk, .rst, .wr_valid_i(ring_write), .wr_index_i(port_index), .wr_word_i(ring_word), .wr_data_i(ring_data),
    .send_valid_i(send_ring_valid), .send_ready_o(send_ring_ready), .send_index_i(send_ring_index),
    .recv_valid_i(recv_ring_valid), .recv_ready_o(recv_ring_ready), .recv_index_i(frame_index), .ring_o(ring)
  );

  // ---- engine ----
  logic               doorbell_valid, doorbell_ready, turn_valid, turn_ready, sent_valid, sent_ready;
  logic [INDEX_W-1:0] doorbell_index, turn_index, sent_index, timer_index;
  tcp_doorbell_t      doorbell;
  logic [LEN_W-1:0]   turn_budget;
  tcp_sent_t          sent;
  logic               timer_valid, timer_ready, command_valid, command_ready, word_valid, word_ready;
  tcp_command_e       command;
  tcp_access_t        access;
  logic               done_valid, done_ok, room, tx_valid, tx_ready, tell_valid, tell_ready, notify_valid, notify_ready;
  logic [31:0]        done_data, set_us;
  tcp_tx_t            tx;
  tcp_tell_t          tell;
  tcp_notify_t        notify;
  logic               wants_valid, wants, set_valid, set_on, engine_idle;
  logic [INDEX_W-1:0] wants_index, set_index;
  logic [ROOM_W-1:0]  send_room;

  assign room = send_room > ROOM_W'(EVENTS);

  flue_tcp_engine #(.CONNECTIONS(CONNECTIONS)) u_engine (
    .clk, .rst, .time_us_i, .cfg_i('{rto_min_us: 32'd200_000, rto_max_us: 32'd120_000_000}),
    .segment_valid_i(seg_event_valid), .segment_ready_o(seg_event_ready), .segment_index_i(event_index),
    .segment_i(event_seg),
    .forward_valid_i(1'b0), .forward_ready_o(), .forward_index_i('0), .forward_i('0),
    .doorbell_valid_i(doorbell_valid), .doorbell_ready_o(doorbell_ready), .doorbell_index_i(doorbell_index),
    .doorbell_i(doorbell),
    .turn_valid_i(turn_valid), .turn_ready_o(turn_ready), .turn_index_i(turn_index), .turn_budget_i(turn_budget),
    .sent_valid_i(sent_valid), .sent_ready_o(sent_ready), .sent_index_i(sent_index), .sent_i(sent),
    .placed_valid_i(placed_valid), .placed_ready_o(placed_ready), .placed_index_i(placed_index), .placed_i(placed),
    .timer_valid_i(timer_valid), .timer_ready_o(timer_ready), .timer_index_i(timer_index),
    .command_valid_i(command_valid), .command_ready_o(command_ready), .command_index_i(port_index), .command_i(command),
    .word_valid_i(word_valid), .word_ready_o(word_ready), .word_index_i(port_index), .word_i(access),
    .done_valid_o(done_valid), .done_ok_o(done_ok), .done_data_o(done_data),
    .verdict_valid_o(answer_valid), .verdict_ready_i(1'b1), .verdict_forward_o(), .verdict_o(answer),
    .tx_room_i(room), .tx_valid_o(tx_valid), .tx_ready_i(tx_ready), .tx_o(tx),
    .tell_valid_o(tell_valid), .tell_ready_i(tell_ready), .tell_o(tell),
    .notify_valid_o(notify_valid), .notify_ready_i(notify_ready), .notify_o(notify),
    .sched_valid_o(wants_valid), .sched_index_o(wants_index), .sched_wants_o(wants),
    .deadline_valid_o(set_valid), .deadline_index_o(set_index), .deadline_on_o(set_on), .deadline_us_o(set_us),
    .trace_valid_o, .trace_event_o, .trace_index_o, .trace_reason_o, .trace_rec_o(), .forgot_o(), .idle_o(engine_idle)
  );

  // ---- when ----
  logic sched_idle, timer_idle, turn_over;

  assign turn_over = trace_valid_o && trace_event_o == EV_TURN;

  // Two turns keep the line busy; what they take of it (262 us at 1 Gb/s) is how long ACKs wait behind them, and the pure ACKs of
  // a full receive stream must have room in u_send meanwhile: 11 of them, with four turns 21.
  flue_tcp_sched #(.CONNECTIONS(CONNECTIONS), .TURNS(2)) u_sched (
    .clk, .rst, .wants_valid_i(wants_valid), .wants_index_i(wants_index), .wants_i(wants),
    .turn_valid_o(turn_valid), .turn_ready_i(turn_ready), .turn_index_o(turn_index), .turn_budget_o(turn_budget),
    .result_valid_i(turn_over), .result_sent_i(trace_reason_o inside {R_NEW_DATA, R_RETRANSMIT, R_RESCUE}),
    .result_bytes_i(tx.len), .sent_i(sent_valid && sent_ready && sent.turn), .room_i(room && !stop_i),
    .idle_o(sched_idle)
  );

  flue_tcp_timer #(.CONNECTIONS(CONNECTIONS)) u_timer (
    .clk, .rst, .time_us_i, .set_valid_i(set_valid), .set_index_i(set_index), .set_on_i(set_on), .set_at_i(set_us),
    .timer_valid_o(timer_valid), .timer_ready_i(timer_ready), .timer_index_o(timer_index),
    .deadline_valid_o, .deadline_us_o, .idle_o(timer_idle)
  );

  // ---- what leaves ----
  logic send_idle;

  flue_tcp_send #(.W(W), .DEPTH(SEND_DEPTH), .MAX_FRAME(MAX_FRAME)) u_send (
    .clk, .rst, .time_us_i, .in_valid_i(tx_valid), .in_ready_o(tx_ready), .in_i(tx), .room_o(send_room),
    .tp_valid_o, .tp_ready_i, .tp_table_o, .tp_row_o, .tp_word_o, .tp_rdata_i, .tp_bad_i,
    .ring_valid_o(send_ring_valid), .ring_ready_i(send_ring_ready), .ring_index_o(send_ring_index), .ring_i(ring),
    .req_valid_o(rd_req_valid_o), .req_ready_i(rd_req_ready_i), .req_o(rd_req_o), .req_last_o(rd_req_last_o),
    .pay_valid_i(rd_valid_i), .pay_ready_o(rd_ready_o), .pay_data_i(rd_data_i), .pay_keep_i(rd_keep_i),
    .pay_last_i(rd_last_i), .pay_bad_i(rd_bad_i),
    .out_valid_o(tx_valid_o), .out_ready_i(tx_ready_i), .out_data_o(tx_data_o), .out_keep_o(tx_keep_o),
    .out_last_o(tx_last_o), .out_bad_o(tx_bad_o), .out_cmd_o(tx_cmd_o), .out_tag_o(tx_tag_o),
    .done_valid_i, .done_tag_i, .sent_valid_o(sent_valid), .sent_ready_i(sent_ready), .sent_index_o(sent_index),
    .sent_o(sent), .idle_o(send_idle)
  );

  // ---- host and firmware ----
  logic        load_valid, load_ready, load_live, host_idle;
  logic [13:0] generation;

  flue_tcp_host #(.W(W), .CONNECTIONS(CONNECTIONS)) u_host (
    .clk, .rst, .load_valid_i(load_valid), .load_ready_o(load_ready), .load_index_i(port_index),
    .load_generation_i(generation), .load_live_i(load_live),
    .db_valid_i, .db_ready_o, .db_index_i, .db_word_i, .db_data_i, .refused_o(),
    .doorbell_valid_o(doorbell_valid), .doorbell_ready_i(doorbell_ready), .doorbell_index_o(doorbell_index),
    .doorbell_o(doorbell), .tell_valid_i(tell_valid), .tell_ready_o(tell_ready), .tell_i(tell),
    .status_enable_i(line_enable_i && !stop_i), .status_region_i(line_region_i), .status_base_i({line_base_i, 1'b0}),
    .wr_req_valid_o(wr_req_valid_o[1]), .wr_req_ready_i(wr_req_ready_i[1]), .wr_req_o(wr_req_o[1]),
    .wr_valid_o(wr_valid_o[1]), .wr_ready_i(wr_ready_i[1]), .wr_data_o(wr_data_o[1]), .wr_keep_o(wr_keep_o[1]),
    .wr_last_o(wr_last_o[1]), .wr_done_i(wr_done_i[1]), .wr_status_i, .write_error_o(),
    .event_valid_o, .event_ready_i, .event_o, .idle_o(host_idle)
  );

  assign marker_index      = port_index;
  assign marker_generation = generation;

  flue_tcp_port u_port (
    .clk, .rst, .fw_valid_i, .fw_ready_o, .fw_write_i, .fw_addr_i, .fw_wdata_i, .fw_rdata_o, .note_o,
    .access_valid_o(word_valid), .access_ready_i(word_ready), .access_index_o(port_index), .access_o(access),
    .command_valid_o(command_valid), .command_ready_i(command_ready), .command_o(command),
    .done_valid_i(done_valid), .done_ok_i(done_ok), .done_data_i(done_data),
    .notify_valid_i(notify_valid), .notify_ready_o(notify_ready), .notify_i(notify),
    .load_valid_o(load_valid), .load_ready_i(load_ready), .generation_o(generation), .load_live_o(load_live),
    .marker_valid_o(marker_valid), .marker_ready_i(marker_ready), .marker_number_o(marker_number),
    .count_valid_o(count_valid), .count_ready_i(count_ready), .count_reset_o(count_reset),
    .count_number_i(count_number), .count_gap_i(count_gap), .count_on_way_i(count_on_way),
    .ring_valid_o(ring_write), .ring_word_o(ring_word), .ring_data_o(ring_data)
  );

  assign frames_idle_o = classify_idle && dispatch_idle;
  assign quiet_o = extract_idle && classify_idle && numbers_idle && dispatch_idle && engine_idle &&
                   (sched_idle || stop_i) && timer_idle && send_idle && host_idle && !fw_valid_i;

endmodule

// Unit bench of the engine's receive side: flue_tcp_extract, flue_tcp_classify, flue_tcp_numbers and flue_tcp_dispatch around a real park
// FIFO and tag remover; the test plays tables, engine, DMA, receive queue and firmware.
//
// IDs are 16 * g + n.  Sources: 0 frames (user hdr_t; user_last {forward, rx_meta_t, segment, drop}), 1 lookup answers {not the connection
// that was forwarded to, lookup_rsp_t}, 2 engine's answers,
// 3 markers {index, generation, number}, 4 fates of diverted frames (1: taken), 5 write answers, 6 firmware {reset, index}.
// Sinks: 0 frames at the receive queue {divert, rx_note_t, rx_meta_t}, 1 lookups, 2 segments {index, seg}, 3 markers, 4 write
// requests, 5 write data, 6 placed {index, ok, after}, 7 firmware answers {number, gap, on_way}, 8 statuses of forwarded frames.
// Config g: fault_place.  Status g: see the end.
module tcp_receive_tb (
  input logic clk,
  input logic rst
);

  tcp_receive_width_tb #(.W(32),  .G(0)) u_32  (.clk, .rst);
  tcp_receive_width_tb #(.W(64),  .G(1)) u_64  (.clk, .rst);
  tcp_receive_width_tb #(.W(512), .G(2)) u_512 (.clk, .rst);

endmodule

module tcp_receive_width_tb
  import flue_pkg::*;
  import flue_tcp_pkg::*;
#(
  parameter int W = 32,
  parameter int G = 0
) (
  input logic clk,
  input logic rst
);
  localparam int B      = W / 8;
  localparam int N      = 16 * G;
  localparam int FRAMES = 16;

  // ---- frames, to the park and beside it ----
  logic         valid, last, bad, segment, drop, forward_in, full, drop_full;
  logic [W-1:0] data;
  logic [B-1:0] keep;
  hdr_t         hdr;
  rx_meta_t     meta, pk_meta, vs_meta;
  logic         pk_valid, pk_ready, pk_last, pk_bad, vs_valid, vs_ready, vs_last;
  logic [W-1:0] pk_data, vs_data;
  logic [B-1:0] pk_keep, vs_keep;

  bench_source #(.W(W), .U($bits(hdr_t)), .UL($bits(rx_meta_t) + 3), .ID(N)) u_source (
    .clk, .rst, .out_valid_o(valid), .out_ready_i(1'b1), .out_data_o(data), .out_keep_o(keep),
    .out_last_o(last), .out_bad_o(bad), .out_user_o(hdr), .out_user_last_o({forward_in, meta, segment, drop})
  );
  flue_frame_fifo #(.W(W), .DEPTH(1024), .META_W($bits(rx_meta_t)), .FRAMES(FRAMES)) u_park (
    .clk, .rst, .in_valid_i(valid), .in_ready_o(), .in_data_i(data), .in_keep_i(keep), .in_last_i(last),
    .in_bad_i(drop || bad || full), .in_meta_i(meta),
    .out_valid_o(pk_valid), .out_ready_i(pk_ready), .out_data_o(pk_data), .out_keep_o(pk_keep), .out_last_o(pk_last),
    .out_bad_o(pk_bad), .out_meta_o(pk_meta), .drop_bad_o(), .drop_full_o(drop_full)
  );
  flue_vlan_strip #(.W(W)) u_strip (
    .clk, .rst, .in_valid_i(pk_valid), .in_ready_o(pk_ready), .in_data_i(pk_data), .in_keep_i(pk_keep),
    .in_last_i(pk_last), .in_bad_i(pk_bad), .in_meta_i(pk_meta),
    .out_valid_o(vs_valid), .out_ready_i(vs_ready), .out_data_o(vs_data), .out_keep_o(vs_keep), .out_last_o(vs_last),
    .out_bad_o(), .out_meta_o(vs_meta)
  );

  // ---- the modules ----
  logic         key_valid, key_ready, lookup, seg_valid, seg_ready, lk_valid, lk_ready, rsp_valid;
  lookup_key_t  key, lk;
  lookup_rsp_t  rsp;
  tcp_seg_t     seg, ev_seg;
  logic [9:0]   pay_off;
  logic         mk_valid, mk_ready, hit_valid, hit_ready, ev_valid, ev_ready, eng_valid;
  logic [15:0]  mk_index, hit_index, ev_index;
  logic [13:0]  mk_generation;
  logic [31:0]  mk_number;
  tcp_verdict_t eng, verdict;
  logic         verdict_valid, verdict_ready, verdict_hit, verdict_marker, bad_row;
  logic         forward, forward_done, wrong;
  logic [31:0]  forward_handle;
  status_e      forward_status;
  logic         extract_idle, classify_idle, numbers_idle, dispatch_idle, waits;

  flue_tcp_extract #(.W(W), .FRAMES(FRAMES)) u_extract (
    .clk, .rst, .in_move_i(valid), .in_data_i(data), .in_last_i(last), .in_hdr_i(hdr), .in_segment_i(segment),
    .in_drop_i(drop || bad), .in_forward_i(forward_in), .drop_full_i(drop_full), .full_o(full),
    .key_valid_o(key_valid), .key_ready_i(key_ready), .lookup_o(lookup), .forward_o(forward), .key_o(key),
    .seg_valid_o(seg_valid), .seg_ready_i(seg_ready), .seg_o(seg), .pay_off_o(pay_off), .idle_o(extract_idle)
  );

  flue_tcp_classify #(.DEPTH(8)) u_classify (
    .clk, .rst, .key_valid_i(key_valid), .key_ready_o(key_ready), .lookup_i(lookup), .forward_i(forward), .key_i(key),
    .seg_valid_i(seg_valid), .seg_ready_o(seg_ready), .seg_i(seg), .pay_off_i(pay_off),
    .lk_valid_o(lk_valid), .lk_ready_i(lk_ready), .lk_o(lk), .lk_valid_i(rsp_valid), .lk_i(rsp),
    .marker_valid_i(mk_valid), .marker_ready_o(mk_ready), .marker_index_i(mk_index),
    .marker_generation_i(mk_generation), .marker_number_i(mk_number),
    .hit_valid_o(hit_valid), .hit_ready_i(hit_ready), .hit_index_o(hit_index),
    .event_valid_o(ev_valid), .event_ready_i(ev_ready), .event_index_o(ev_index), .event_seg_o(ev_seg),
    .answer_valid_i(eng_valid), .answer_i(eng),
    .verdict_valid_o(verdict_valid), .verdict_ready_i(verdict_ready), .verdict_o(verdict), .verdict_hit_o(verdict_hit),
    .verdict_marker_o(verdict_marker), .forward_handle_i(forward_handle), .forward_done_o(forward_done),
    .forward_status_o(forward_status), .bad_o(bad_row), .idle_o(classify_idle)
  );

  bench_sink #(.W(8), .U($bits(lookup_key_t)), .ID(N + 1)) u_lk (.clk, .rst, .in_valid_i(lk_valid), .in_ready_o(lk_ready),
    .in_data_i('0), .in_keep_i(1'b1), .in_last_i(1'b1), .in_bad_i(1'b0), .in_user_i(lk), .in_user_last_i(1'b0));
  // The handle that the driver named, as the answer has it or not.
  assign forward_handle = {2'd3, rsp.generation ^ 14'(wrong), rsp.index};

  bench_source #(.W(8), .U($bits(lookup_rsp_t) + 1), .ID(N + 1)) u_rsp (.clk, .rst, .out_valid_o(rsp_valid), .out_ready_i(1'b1),
    .out_data_o(), .out_keep_o(), .out_last_o(), .out_bad_o(), .out_user_o({wrong, rsp}), .out_user_last_o());
  bench_sink #(.W(8), .U($bits(status_e)), .ID(N + 8)) u_forward (.clk, .rst, .in_valid_i(forward_done), .in_ready_o(),
    .in_data_i('0), .in_keep_i(1'b1), .in_last_i(1'b1), .in_bad_i(1'b0), .in_user_i({forward_status}), .in_user_last_i(1'b0));
  bench_sink #(.W(8), .U(16 + $bits(tcp_seg_t)), .ID(N + 2)) u_ev (.clk, .rst, .in_valid_i(ev_valid), .in_ready_o(ev_ready),
    .in_data_i('0), .in_keep_i(1'b1), .in_last_i(1'b1), .in_bad_i(1'b0), .in_user_i({ev_index, ev_seg}), .in_user_last_i(1'b0));
  bench_source #(.W(8), .U($bits(tcp_verdict_t)), .ID(N + 2)) u_eng (.clk, .rst, .out_valid_o(eng_valid), .out_ready_i(1'b1),
    .out_data_o(), .out_keep_o(), .out_last_o(), .out_bad_o(), .out_user_o({eng}), .out_user_last_o());
  bench_source #(.W(8), .U(62), .ID(N + 3)) u_mk (.clk, .rst, .out_valid_o(mk_valid), .out_ready_i(mk_ready),
    .out_data_o(), .out_keep_o(), .out_last_o(), .out_bad_o(), .out_user_o({mk_index, mk_generation, mk_number}),
    .out_user_last_o());

  logic        ask_valid, ask_ready, ask_gap, done_valid, done_ready, done_commit, done_lost, fw_valid, fw_ready, fw_reset, fw_gap;
  logic [31:0] ask_number, fw_number;
  logic [15:0] index, fw_index;
  logic [5:0]  fw_on_way;

  flue_tcp_numbers #(.CONNECTIONS(64)) u_numbers (
    .clk, .rst, .hit_valid_i(hit_valid), .hit_ready_o(hit_ready), .hit_index_i(hit_index),
    .done_valid_i(done_valid), .done_ready_o(done_ready), .done_index_i(index), .done_commit_i(done_commit),
    .done_lost_i(done_lost), .ask_valid_i(ask_valid), .ask_ready_o(ask_ready), .ask_index_i(index),
    .ask_number_o(ask_number), .ask_gap_o(ask_gap),
    .fw_valid_i(fw_valid), .fw_ready_o(fw_ready), .fw_index_i(fw_index), .fw_reset_i(fw_reset),
    .fw_number_o(fw_number), .fw_gap_o(fw_gap), .fw_on_way_o(fw_on_way), .idle_o(numbers_idle)
  );

  bench_source #(.W(8), .U(17), .ID(N + 6)) u_fw (.clk, .rst, .out_valid_o(fw_valid), .out_ready_i(fw_ready),
    .out_data_o(), .out_keep_o(), .out_last_o(), .out_bad_o(), .out_user_o({fw_reset, fw_index}), .out_user_last_o());
  bench_sink #(.W(8), .U(39), .ID(N + 7)) u_fw_answer (.clk, .rst, .in_valid_i(fw_valid && fw_ready), .in_ready_o(),
    .in_data_i('0), .in_keep_i(1'b1), .in_last_i(1'b1), .in_bad_i(1'b0), .in_user_i({fw_number, fw_gap, fw_on_way}),
    .in_user_last_i(1'b0));

  logic         out_valid, out_ready, out_last, divert, taken, lost, marker_valid, marker_ready;
  logic [W-1:0] out_data, wr_data;
  logic [B-1:0] out_keep, wr_keep;
  rx_meta_t     out_meta;
  rx_note_t     note;
  logic         ring_valid, ring_ready, wr_req_valid, wr_req_ready, wr_valid, wr_ready, wr_last, wr_done, placed_valid, placed_ready, fault;
  tcp_ring_t    ring;
  dma_req_t     wr_req;
  status_e      wr_status;
  logic [15:0]  placed_index;
  tcp_placed_t  placed;

  flue_tcp_dispatch #(.W(W)) u_dispatch (
    .clk, .rst, .in_valid_i(vs_valid), .in_ready_o(vs_ready), .in_data_i(vs_data), .in_keep_i(vs_keep),
    .in_last_i(vs_last), .in_meta_i(vs_meta),
    .verdict_valid_i(verdict_valid), .verdict_ready_o(verdict_ready), .verdict_i(verdict), .verdict_hit_i(verdict_hit),
    .verdict_marker_i(verdict_marker),
    .out_valid_o(out_valid), .out_ready_i(out_ready), .out_data_o(out_data), .out_keep_o(out_keep), .out_last_o(out_last),
    .out_meta_o(out_meta), .out_divert_o(divert), .out_note_o(note), .taken_i(taken), .lost_i(lost),
    .marker_valid_o(marker_valid), .marker_ready_i(marker_ready),
    .ask_valid_o(ask_valid), .ask_ready_i(ask_ready), .ask_number_i(ask_number), .ask_gap_i(ask_gap),
    .done_valid_o(done_valid), .done_ready_i(done_ready), .done_commit_o(done_commit), .done_lost_o(done_lost), .index_o(index),
    .ring_valid_o(ring_valid), .ring_ready_i(ring_ready), .ring_i(ring),
    .wr_req_valid_o(wr_req_valid), .wr_req_ready_i(wr_req_ready), .wr_req_o(wr_req), .wr_valid_o(wr_valid),
    .wr_ready_i(wr_ready), .wr_data_o(wr_data), .wr_keep_o(wr_keep), .wr_last_o(wr_last), .wr_done_i(wr_done),
    .wr_status_i(wr_status),
    .placed_valid_o(placed_valid), .placed_ready_i(placed_ready), .placed_index_o(placed_index), .placed_o(placed),
    .fault_place_i(fault), .wait_o(waits), .idle_o(dispatch_idle)
  );

  bench_sink #(.W(8), .U($bits(dma_req_t)), .ID(N + 4)) u_req (.clk, .rst, .in_valid_i(wr_req_valid), .in_ready_o(wr_req_ready),
    .in_data_i('0), .in_keep_i(1'b1), .in_last_i(1'b1), .in_bad_i(1'b0), .in_user_i(wr_req), .in_user_last_i(1'b0));
  bench_sink #(.W(W), .ID(N + 5)) u_data (.clk, .rst, .in_valid_i(wr_valid), .in_ready_o(wr_ready), .in_data_i(wr_data),
    .in_keep_i(wr_keep), .in_last_i(wr_last), .in_bad_i(1'b0), .in_user_i(1'b0), .in_user_last_i(1'b0));
  bench_source #(.W(8), .U($bits(status_e)), .ID(N + 5)) u_done (.clk, .rst, .out_valid_o(wr_done), .out_ready_i(1'b1),
    .out_data_o(), .out_keep_o(), .out_last_o(), .out_bad_o(), .out_user_o({wr_status}), .out_user_last_o());
  bench_sink #(.W(8), .U(49), .ID(N + 6)) u_placed (.clk, .rst, .in_valid_i(placed_valid), .in_ready_o(placed_ready),
    .in_data_i('0), .in_keep_i(1'b1), .in_last_i(1'b1), .in_bad_i(1'b0), .in_user_i({placed_index, placed.ok, placed.after}),
    .in_user_last_i(1'b0));
  bench_sink #(.W(8), .U($bits(rx_note_t)), .ID(N + 3)) u_markers (.clk, .rst, .in_valid_i(marker_valid), .in_ready_o(marker_ready),
    .in_data_i('0), .in_keep_i(1'b1), .in_last_i(1'b1), .in_bad_i(1'b0), .in_user_i(note), .in_user_last_i(1'b0));
  bench_config #(.W(1), .ID(G)) u_config (.clk, .value_o(fault));

  // Rings of 2, 4, 8 and 16 KB; the answer takes three cycles.
  logic [1:0] ring_q;
  always_ff @(posedge clk) ring_q <= ring_valid && !ring_ready && !rst ? ring_q + 1'b1 : '0;
  assign ring_ready = &ring_q;
  assign ring       = '{region: index[7:0], log2: 5'd11 + 5'(index[1:0]), base: {index[11:0], 20'h12340}};

  // The receive queue: a diverted frame meets its fate with its first beat.
  typedef enum logic [1:0] { F_NONE, F_PASS, F_EAT } fate_e;
  fate_e fate_q;
  logic  fate_valid, fate, sink_ready;

  bench_source #(.W(8), .U(1), .ID(N + 4)) u_fate (.clk, .rst, .out_valid_o(fate_valid), .out_ready_i(taken || lost),
    .out_data_o(), .out_keep_o(), .out_last_o(), .out_bad_o(), .out_user_o(fate), .out_user_last_o());
  assign taken = fate_q == F_NONE && out_valid && divert && fate_valid && fate;
  assign lost  = fate_q == F_NONE && out_valid && divert && fate_valid && !fate;
  always_ff @(posedge clk) begin
    if (fate_q == F_NONE) begin
      if (lost) fate_q <= F_EAT;
      else if (taken || (out_valid && !divert)) fate_q <= F_PASS;
    end else if (out_valid && out_ready && out_last) begin
      fate_q <= F_NONE;
    end
    if (rst) fate_q <= F_NONE;
  end
  assign out_ready = fate_q == F_EAT || (fate_q == F_PASS && sink_ready);

  bench_sink #(.W(W), .U(1 + $bits(rx_note_t) + $bits(rx_meta_t)), .ID(N)) u_out (
    .clk, .rst, .in_valid_i(out_valid && fate_q == F_PASS), .in_ready_o(sink_ready), .in_data_i(out_data),
    .in_keep_i(out_keep), .in_last_i(out_last), .in_bad_i(1'b0), .in_user_i({divert, note, out_meta}), .in_user_last_i(1'b0)
  );

  bench_status #(.W(9), .ID(G)) u_status (.clk, .rst, .value_i({waits, extract_idle, classify_idle, numbers_idle, dispatch_idle,
    bad_row, valid && last && (drop || bad), drop_full, valid && last && !drop && !bad && full}));

  logic unused;
  assign unused = &{1'b0, bad};
endmodule

// flue_tcp_send from record to wire at W = 32, 64 and 128: with the rows and rings it reads, the processor and the transmit
// queue beside it at their arbiters, and large send, checksums and VLAN insertion behind it.
//
// Source IDs, from 8 g: 0 records, 1 the processor's accesses, 2 ring words, 3 the host's packets, 4 the host's reads.
// Sink IDs: 0 frames on the wire with their tag, 1 sent events, 2 the processor's answers, 3 what the host read.
// Config 0: protocol time.  Config 1: {slow memory, flip a bit of a row: pulse, table, row, word, bit}.
// Status g: {idle, room}.  Status 8: {time, milliseconds valid, milliseconds} of a clock alone.
module tcp_send_tb
  import flue_pkg::*;
  import flue_tcp_pkg::*;
(
  input logic clk,
  input logic rst
);

  localparam int TX = $bits(tcp_tx_t);
  localparam int CMD = $bits(lso_cmd_t);
  localparam int TAG = $bits(tx_tag_t);

  // What tcp_send_test.c has as numbers.
  if (TX != 459 || CMD != 141 || TAG != 61 || $bits(dma_req_t) != 57) begin : g_check
    $error("tcp_send_test.c does not describe these structs");
  end

  logic [63:0] now;
  logic        slow, flip, flip_q;
  logic [1:0]  flip_table;
  logic [15:0] flip_row;
  logic [5:0]  flip_word, flip_bit;

  bench_config #(.W(64), .ID(0)) u_time (.clk, .value_o(now));
  bench_config #(.W(32), .ID(1)) u_flip (
    .clk, .value_o({slow, flip, flip_table, flip_row, flip_word, flip_bit})
  );
  always_ff @(posedge clk) flip_q <= flip;

  logic [31:0] ms;
  logic        ms_valid;
  flue_tcp_clock u_clock (.clk, .rst, .time_us_i(now), .ms_o(ms), .valid_o(ms_valid));
  bench_status #(.W(97), .ID(8)) u_clock_status (.clk, .rst, .value_i({now, ms_valid, ms}));

  for (genvar g = 0; g < 3; g++) begin : g_width
    localparam int W = 32 << g;
    localparam int B = W / 8;
    localparam int N = 8 * g;

    // ---- rows ----
    logic        cpu_valid, cpu_ready, cpu_write, tcp_valid, tcp_ready, tp_valid, tp_ready, tp_write, tp_bad;
    logic [1:0]  cpu_table, tcp_table, tp_table;
    logic [15:0] cpu_row, tcp_row, tp_row;
    logic [5:0]  cpu_word, tcp_word, tp_word;
    logic [31:0] cpu_wdata, tp_wdata, tp_rdata;

    bench_source #(.W(8), .U(57), .ID(N + 1)) u_cpu (
      .clk, .rst, .out_valid_o(cpu_valid), .out_ready_i(cpu_ready), .out_data_o(), .out_keep_o(), .out_last_o(),
      .out_bad_o(), .out_user_o({cpu_write, cpu_table, cpu_row, cpu_word, cpu_wdata}), .out_user_last_o()
    );
    // Never stalled by its test.
    bench_sink #(.W(8), .U(33), .ID(N + 2)) u_cpu_answer (
      .clk, .rst, .in_valid_i(cpu_valid && cpu_ready), .in_ready_o(), .in_data_i('0), .in_keep_i(1'b1),
      .in_last_i(1'b1), .in_bad_i(1'b0), .in_user_i({tp_bad, tp_rdata}), .in_user_last_i(1'b0)
    );
    flue_table_port_arb u_port (
      .clk, .rst, .cpu_valid_i(cpu_valid), .cpu_ready_o(cpu_ready), .cpu_write_i(cpu_write),
      .cpu_table_i(cpu_table), .cpu_row_i(cpu_row), .cpu_word_i(cpu_word), .cpu_wdata_i(cpu_wdata),
      .tcp_valid_i(tcp_valid), .tcp_ready_o(tcp_ready), .tcp_table_i(tcp_table), .tcp_row_i(tcp_row),
      .tcp_word_i(tcp_word), .tp_valid_o(tp_valid), .tp_ready_i(tp_ready), .tp_write_o(tp_write),
      .tp_table_o(tp_table), .tp_row_o(tp_row), .tp_word_o(tp_word), .tp_wdata_o(tp_wdata)
    );
    flue_table_rows #(.CONNECTIONS(8), .PATHS(8), .NEIGHBORS(4), .FAULTS(1'b1)) u_rows (
      .clk, .rst, .rd_valid_i(1'b0), .rd_conn_i(1'b0), .rd_row_i('0), .rd_word_i('0), .rd_data_o(), .rd_bad_o(),
      .tp_valid_i(tp_valid), .tp_ready_o(tp_ready), .tp_write_i(tp_write), .tp_table_i(tp_table),
      .tp_row_i(tp_row), .tp_word_i(tp_word), .tp_wdata_i(tp_wdata), .tp_rdata_o(tp_rdata), .tp_bad_o(tp_bad),
      .clear_i(1'b0), .clearing_o(), .err_valid_o(), .err_ready_i(1'b1), .err_o(),
      .flip_i(flip && !flip_q), .flip_table_i(flip_table), .flip_row_i(flip_row), .flip_word_i(flip_word),
      .flip_bit_i(flip_bit), .flip_busy_o(), .idle_o()
    );

    // ---- rings; the dispatch side asks all the time for row 7 ----
    logic        ring_wr, ring_valid, ring_ready;
    logic [15:0] ring_wr_index, ring_index;
    logic [1:0]  ring_wr_word;
    logic [31:0] ring_wr_data;
    tcp_ring_t   ring;

    bench_source #(.W(8), .U(50), .ID(N + 2)) u_ring_words (
      .clk, .rst, .out_valid_o(ring_wr), .out_ready_i(1'b1), .out_data_o(), .out_keep_o(), .out_last_o(),
      .out_bad_o(), .out_user_o({ring_wr_index, ring_wr_word, ring_wr_data}), .out_user_last_o()
    );
    flue_tcp_rings #(.CONNECTIONS(8)) u_rings (
      .clk, .rst, .wr_valid_i(ring_wr), .wr_index_i(ring_wr_index), .wr_word_i(ring_wr_word),
      .wr_data_i(ring_wr_data), .send_valid_i(ring_valid), .send_ready_o(ring_ready), .send_index_i(ring_index),
      .recv_valid_i(slow && now[0] && ring_wr_index[0]), .recv_ready_o(), .recv_index_i(16'd7), .ring_o(ring)
    );

    // ---- payload ----
    logic         host_rd_valid, host_rd_ready, host_rd_last, tcp_rd_valid, tcp_rd_ready, tcp_rd_last;
    logic         rd_valid, rd_ready, rd_last, mem_valid, mem_ready, mem_last, mem_bad;
    logic         pay_valid, pay_ready, host_pay_valid, host_pay_ready;
    dma_req_t     host_rd, tcp_rd, rd;
    logic [W-1:0] mem_data;
    logic [B-1:0] mem_keep;

    bench_source #(.W(8), .U(58), .ID(N + 4)) u_host_reads (
      .clk, .rst, .out_valid_o(host_rd_valid), .out_ready_i(host_rd_ready), .out_data_o(), .out_keep_o(),
      .out_last_o(), .out_bad_o(), .out_user_o({host_rd_last, host_rd}), .out_user_last_o()
    );
    flue_tcp_payload u_payload (
      .clk, .rst, .host_req_valid_i(host_rd_valid), .host_req_ready_o(host_rd_ready), .host_req_i(host_rd),
      .host_req_last_i(host_rd_last), .tcp_req_valid_i(tcp_rd_valid), .tcp_req_ready_o(tcp_rd_ready),
      .tcp_req_i(tcp_rd), .tcp_req_last_i(tcp_rd_last), .req_valid_o(rd_valid), .req_ready_i(rd_ready),
      .req_o(rd), .req_last_o(rd_last), .in_valid_i(mem_valid), .in_ready_o(mem_ready), .in_last_i(mem_last),
      .host_valid_o(host_pay_valid), .host_ready_i(host_pay_ready), .tcp_valid_o(pay_valid),
      .tcp_ready_i(pay_ready)
    );
    pattern_memory #(.W(W)) u_memory (
      .clk, .rst, .slow_i(slow), .req_valid_i(rd_valid), .req_ready_o(rd_ready), .req_i(rd), .req_last_i(rd_last),
      .out_valid_o(mem_valid), .out_ready_i(mem_ready), .out_data_o(mem_data), .out_keep_o(mem_keep),
      .out_last_o(mem_last), .out_bad_o(mem_bad)
    );
    bench_sink #(.W(W), .ID(N + 3)) u_host_pay (
      .clk, .rst, .in_valid_i(host_pay_valid), .in_ready_o(host_pay_ready), .in_data_i(mem_data),
      .in_keep_i(mem_keep), .in_last_i(mem_last), .in_bad_i(mem_bad), .in_user_i(1'b0), .in_user_last_i(1'b0)
    );

    // ---- the module ----
    logic         tx_valid, tx_ready, se_valid, se_ready, se_last, se_bad, sent_valid, sent_ready, idle, done_valid;
    tcp_tx_t      tx;
    logic [5:0]   room;
    logic [W-1:0] se_data;
    logic [B-1:0] se_keep;
    lso_cmd_t     se_cmd;
    tx_tag_t      se_tag, done_tag;
    logic [15:0]  sent_index;
    tcp_sent_t    sent;

    bench_source #(.W(8), .U(TX), .ID(N)) u_tx (
      .clk, .rst, .out_valid_o(tx_valid), .out_ready_i(tx_ready), .out_data_o(), .out_keep_o(), .out_last_o(),
      .out_bad_o(), .out_user_o({tx}), .out_user_last_o()
    );
    flue_tcp_send #(.W(W)) u_send (
      .clk, .rst, .time_us_i(now), .in_valid_i(tx_valid), .in_ready_o(tx_ready), .in_i(tx), .room_o(room),
      .tp_valid_o(tcp_valid), .tp_ready_i(tcp_ready), .tp_table_o(tcp_table), .tp_row_o(tcp_row),
      .tp_word_o(tcp_word), .tp_rdata_i(tp_rdata), .tp_bad_i(tp_bad), .ring_valid_o(ring_valid),
      .ring_ready_i(ring_ready), .ring_index_o(ring_index), .ring_i(ring), .req_valid_o(tcp_rd_valid),
      .req_ready_i(tcp_rd_ready), .req_o(tcp_rd), .req_last_o(tcp_rd_last), .pay_valid_i(pay_valid),
      .pay_ready_o(pay_ready), .pay_data_i(mem_data), .pay_keep_i(mem_keep), .pay_last_i(mem_last),
      .pay_bad_i(mem_bad), .out_valid_o(se_valid), .out_ready_i(se_ready), .out_data_o(se_data),
      .out_keep_o(se_keep), .out_last_o(se_last), .out_bad_o(se_bad), .out_cmd_o(se_cmd), .out_tag_o(se_tag),
      .done_valid_i(done_valid), .done_tag_i(done_tag), .sent_valid_o(sent_valid), .sent_ready_i(sent_ready),
      .sent_index_o(sent_index), .sent_o(sent), .idle_o(idle)
    );
    bench_sink #(.W(8), .U(18), .ID(N + 1)) u_sent (
      .clk, .rst, .in_valid_i(sent_valid), .in_ready_o(sent_ready), .in_data_i('0), .in_keep_i(1'b1),
      .in_last_i(1'b1), .in_bad_i(1'b0), .in_user_i({sent_index, sent}), .in_user_last_i(1'b0)
    );
    bench_status #(.W(7), .ID(g)) u_status (.clk, .rst, .value_i({idle, room}));

    // ---- to the wire ----
    logic         ho_valid, ho_ready, ho_last, ho_bad, me_valid, me_ready, me_last, me_bad;
    logic         lo_valid, lo_ready, lo_last, lo_bad, ci_valid, ci_ready, ci_last, ci_bad, vi_valid, vi_ready;
    logic         vi_last, vi_bad, wire_ready;
    logic [W-1:0] ho_data, me_data, lo_data, ci_data, vi_data;
    logic [B-1:0] ho_keep, me_keep, lo_keep, ci_keep, vi_keep;
    lso_cmd_t     ho_cmd, me_cmd;
    csum_cmd_t    lo_cmd;
    tx_tag_t      ho_tag, me_tag, lo_tag, ci_tag;

    bench_source #(.W(W), .U(CMD + TAG), .ID(N + 3)) u_host (
      .clk, .rst, .out_valid_o(ho_valid), .out_ready_i(ho_ready), .out_data_o(ho_data), .out_keep_o(ho_keep),
      .out_last_o(ho_last), .out_bad_o(ho_bad), .out_user_o({ho_cmd, ho_tag}), .out_user_last_o()
    );
    flue_tcp_merge #(.W(W)) u_merge (
      .clk, .rst, .host_valid_i(ho_valid), .host_ready_o(ho_ready), .host_data_i(ho_data), .host_keep_i(ho_keep),
      .host_last_i(ho_last), .host_bad_i(ho_bad), .host_cmd_i(ho_cmd), .host_tag_i(ho_tag),
      .tcp_valid_i(se_valid), .tcp_ready_o(se_ready), .tcp_data_i(se_data), .tcp_keep_i(se_keep),
      .tcp_last_i(se_last), .tcp_bad_i(se_bad), .tcp_cmd_i(se_cmd), .tcp_tag_i(se_tag),
      .out_valid_o(me_valid), .out_ready_i(me_ready), .out_data_o(me_data), .out_keep_o(me_keep),
      .out_last_o(me_last), .out_bad_o(me_bad), .out_cmd_o(me_cmd), .out_tag_o(me_tag)
    );
    flue_lso #(.W(W)) u_lso (
      .clk, .rst, .fault_seq_i(1'b0), .in_valid_i(me_valid), .in_ready_o(me_ready), .in_data_i(me_data),
      .in_keep_i(me_keep), .in_last_i(me_last), .in_bad_i(me_bad), .in_cmd_i(me_cmd), .in_tag_i(me_tag),
      .out_valid_o(lo_valid), .out_ready_i(lo_ready), .out_data_o(lo_data), .out_keep_o(lo_keep),
      .out_last_o(lo_last), .out_bad_o(lo_bad), .out_cmd_o(lo_cmd), .out_tag_o(lo_tag)
    );
    flue_csum_insert #(.W(W), .DEPTH(65536 / W), .FRAMES(16)) u_csum (
      .clk, .rst, .fault_csum_i(1'b0), .in_valid_i(lo_valid), .in_ready_o(lo_ready), .in_data_i(lo_data),
      .in_keep_i(lo_keep), .in_last_i(lo_last), .in_bad_i(lo_bad), .in_cmd_i(lo_cmd), .in_tag_i(lo_tag),
      .out_valid_o(ci_valid), .out_ready_i(ci_ready), .out_data_o(ci_data), .out_keep_o(ci_keep),
      .out_last_o(ci_last), .out_bad_o(ci_bad), .out_tag_o(ci_tag)
    );
    flue_vlan_insert #(.W(W)) u_vlan (
      .clk, .rst, .in_valid_i(ci_valid), .in_ready_o(ci_ready), .in_data_i(ci_data), .in_keep_i(ci_keep),
      .in_last_i(ci_last), .in_bad_i(ci_bad), .in_tag_i(ci_tag), .out_valid_o(vi_valid), .out_ready_i(vi_ready),
      .out_data_o(vi_data), .out_keep_o(vi_keep), .out_last_o(vi_last), .out_bad_o(vi_bad), .out_tag_o(done_tag)
    );
    assign vi_ready   = wire_ready || done_tag.empty;
    assign done_valid = vi_valid && vi_ready && vi_last;
    bench_sink #(.W(W), .U(TAG), .ID(N)) u_wire (
      .clk, .rst, .in_valid_i(vi_valid && !done_tag.empty), .in_ready_o(wire_ready), .in_data_i(vi_data),
      .in_keep_i(vi_keep), .in_last_i(vi_last), .in_bad_i(vi_bad), .in_user_i(done_tag), .in_user_last_i(1'b0)
    );
  end

endmodule

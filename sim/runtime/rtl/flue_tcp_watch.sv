// What the simulator's monitors see of the TCP engine: bound into flue_tcp, for simulation only.
//
// Contract: each thing that happens is one call of flue_tcp_watch_event(what, row, a, data), in the cycle before its clock edge;
//   what and a are those of sim/runtime/model.h, data is the packed struct with bit 0 first; a record has all 68 words of the
//   firmware's view.
module flue_tcp_watch
  import flue_pkg::*;
  import flue_tcp_pkg::*;
(
  input logic               clk,
  input logic               rst,
  input logic               trace_valid_i,
  input tcp_event_e         trace_event_i,
  input logic [INDEX_W-1:0] trace_index_i,
  input tcp_reason_e        trace_reason_i,
  input tcp_rec_t           trace_rec_i,
  input logic               answer_valid_i,
  input tcp_verdict_t       answer_i,
  input logic               tx_move_i,
  input tcp_tx_t            tx_i,
  input logic               sent_move_i,
  input logic [INDEX_W-1:0] sent_index_i,
  input tcp_sent_t          sent_i,
  input logic               set_valid_i,
  input logic [INDEX_W-1:0] set_index_i,
  input logic               set_on_i,
  input logic [31:0]        set_us_i,
  input logic               ring_write_i,
  input logic [INDEX_W-1:0] ring_index_i,
  input logic [1:0]         ring_word_i,
  input logic [31:0]        ring_data_i,
  input logic               ask_move_i,
  input lookup_key_t        ask_i,
  input logic               ask_forward_i,
  input logic               found_valid_i,
  input lookup_rsp_t        found_i
);

  localparam int BITS = 68 * 32;               // a record, the widest

  import "DPI-C" function void flue_tcp_watch_event(input int what, input int row, input int a, input bit [BITS-1:0] data);

  localparam int RESET = 0, TRACE = 1, VERDICT = 2, TX = 3, SENT = 4, DEADLINE = 5, RING = 6, FOUND = 7;

  logic [BITS-1:0] rec;
  flue_tcp_watch_record u_record (.index_i(trace_index_i), .rec_i(trace_rec_i), .words_o(rec));

  lookup_key_t key_q;
  logic        forward_q;

  always_ff @(posedge clk) begin
    if (ask_move_i) begin
      key_q     <= ask_i;
      forward_q <= ask_forward_i;
    end
    if (rst) begin
      flue_tcp_watch_event(RESET, 0, 0, '0);
    end else begin
      if (ring_write_i) flue_tcp_watch_event(RING, int'(ring_index_i), int'(ring_word_i), BITS'(ring_data_i));
      if (found_valid_i && found_i.hit) flue_tcp_watch_event(FOUND, int'(found_i.index), int'(forward_q), BITS'(key_q));
      if (sent_move_i) flue_tcp_watch_event(SENT, int'(sent_index_i), int'(sent_i), '0);
      if (tx_move_i) flue_tcp_watch_event(TX, int'(tx_i.index), 0, BITS'(tx_i));
      if (trace_valid_i)
        flue_tcp_watch_event(TRACE, int'(trace_index_i), {27'b0, trace_reason_i} << 8 | int'(trace_event_i), rec);
      if (answer_valid_i) flue_tcp_watch_event(VERDICT, 0, 0, BITS'(answer_i));
      if (set_valid_i) flue_tcp_watch_event(DEADLINE, int'(set_index_i), int'(set_on_i), BITS'(set_us_i));
    end
  end

endmodule

bind flue_tcp flue_tcp_watch u_watch (
  .clk, .rst, .trace_valid_i(trace_valid_o), .trace_event_i(trace_event_o), .trace_index_i(trace_index_o),
  .trace_reason_i(trace_reason_o), .trace_rec_i(u_engine.trace_rec_o), .answer_valid_i(answer_valid), .answer_i(answer),
  .tx_move_i(tx_valid && tx_ready), .tx_i(tx), .sent_move_i(sent_valid && sent_ready), .sent_index_i(sent_index),
  .sent_i(sent), .set_valid_i(set_valid), .set_index_i(set_index), .set_on_i(set_on), .set_us_i(set_us),
  .ring_write_i(ring_write), .ring_index_i(port_index), .ring_word_i(ring_word), .ring_data_i(ring_data),
  .ask_move_i(lk_valid_o && lk_ready_i), .ask_i(lk_o), .ask_forward_i(forward), .found_valid_i(lk_valid_i), .found_i(lk_i)
);

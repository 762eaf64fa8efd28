// First stage of the rules: is the event acceptable, what is due (docs/tcp.md 3.1, 3.4 to 3.7).
//
// Contract: in_valid_i and in_ready_o take an event with its record, out_valid_o and out_ready_i hand it on.
// Latency: 4 cycles for a segment, 3 for the others.
module flue_tcp_stage_event
  import flue_tcp_pkg::*;
  import flue_tcp_step_pkg::*;
(
  input  logic               clk,
  input  logic               rst,

  input  logic               in_valid_i,
  output logic               in_ready_o,
  input  tcp_rec_t           rec_i,
  input  tcp_work_t          work_i,
  input  logic               bad_i,         // the record failed its check; a cycle behind it

  output logic               busy_o,
  output logic [INDEX_W-1:0] index_o,

  output logic               out_valid_o,
  input  logic               out_ready_i,
  output tcp_pass_t          out_o
);

  logic       active_q, over_q, bad_q, segment, load;    // an event is here; its last cycle
  logic [1:0] step_q;
  tcp_rec_t   rec_q;
  tcp_work_t  work_q;

  assign segment     = work_q.kind == EV_SEGMENT || work_q.kind == EV_FORWARD;
  assign out_valid_o = over_q;
  assign in_ready_o  = !active_q || (out_valid_o && out_ready_i);
  assign load        = in_valid_i && in_ready_o;
  assign busy_o      = active_q;
  assign index_o     = work_q.index;

  always_ff @(posedge clk) begin
    if (!over_q) step_q <= step_q + 2'd1;
    if (!over_q) over_q <= active_q && step_q == (segment ? 2'd2 : 2'd1);
    if (step_q == '0) bad_q  <= bad_i;
    if (in_ready_o) begin
      active_q <= in_valid_i;
      over_q   <= 1'b0;
    end
    if (load) begin
      step_q <= '0;
      rec_q  <= rec_i;
      work_q <= work_i;
    end
    if (rst) begin
      active_q <= 1'b0;
      over_q   <= 1'b0;
    end
  end

  // ---- both kinds, in their cycles ----
  tcp_rec_t accept_rec, event_rec;
  tcp_way_t accept_way, event_way;

  flue_tcp_accept u_accept (
    .clk, .rec_i(rec_q), .seg_i(tcp_seg_t'(work_q.data)), .now_i(work_q.now), .age_i(work_q.age),
    .rec_o(accept_rec), .way_o(accept_way)
  );
  flue_tcp_event u_event (.clk, .rec_i(rec_q), .work_i(work_q), .rec_o(event_rec), .way_o(event_way));

  logic [31:0] since_q, sent_q, free_q;
  always_ff @(posedge clk) begin
    since_q <= work_q.now - rec_q.timed_at;
    sent_q  <= turn_below(rec_q.snd_una, rec_q.turns != '0, rec_q.turn0);
    free_q  <= turn_below(sent_q, rec_q.turns == 2'd2, rec_q.turn1);
  end

  // ---- what follows ----
  logic write;
  assign write = work_q.data[$bits(tcp_access_t)-1];

  always_comb begin
    out_o = '{rec: event_rec, work: work_q, way: event_way, bad: bad_q, free: free_q, rcv_nxt: rec_q.rcv_nxt,
              state: rec_q.state};
    if (segment) begin
      out_o.rec = accept_rec;
      out_o.way = accept_way;
      if (rec_q.mode != MODE_LIVE) begin
        out_o.rec        = rec_q;
        out_o.way        = way_none();
        out_o.way.divert = 1'b1;
        out_o.way.quiet  = rec_q.mode != MODE_FREEZING;
        out_o.way.reason = rec_q.mode == MODE_FREEZING ? R_FROZEN : R_CLOSED;
      end
    end
    out_o.way.round_trip = since_q[31:26] != '0 ? '1 : since_q[25:0];
    if (work_q.word) begin
      out_o.rec        = rec_q;
      out_o.way        = way_none();
      out_o.way.quiet  = 1'b1;
      out_o.way.reason = write && rec_q.mode != MODE_EMPTY && rec_q.mode != MODE_FROZEN ? R_REFUSED : R_COMMAND;
    end
    if (bad_q && !out_o.way.clear) out_o.way.quiet = 1'b1;
  end

endmodule

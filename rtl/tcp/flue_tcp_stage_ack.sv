// Second stage of the rules: acknowledgement and payload of an accepted segment; other events only pass
// (docs/tcp.md 3.1 steps 11 and 12, 3.2).
//
// Contract: in_valid_i and in_ready_o take an event, out_valid_o and out_ready_i hand it on.  A cycle passes until it takes another.
// Latency: 3 cycles, and up to 5 when the payload may meet held ranges; 1 for what only passes.
module flue_tcp_stage_ack
  import flue_tcp_pkg::*;
  import flue_tcp_step_pkg::*;
(
  input  logic               clk,
  input  logic               rst,

  input  logic               in_valid_i,
  output logic               in_ready_o,
  input  tcp_pass_t          in_i,

  output logic               busy_o,
  output logic [INDEX_W-1:0] index_o,

  output logic               out_valid_o,
  input  logic               out_ready_i,
  output tcp_pass_t          out_o
);

  typedef enum logic [2:0] { S_OUT, S_HOLD, S_HELD, S_ACK, S_ACK2 } state_e;
  state_e    state_q;
  tcp_pass_t pass_q;
  logic      load, met_q, first, active_q, over_q;   // an event is here; its last cycle

  assign load        = in_valid_i && in_ready_o;
  assign out_valid_o = over_q;
  assign in_ready_o  = !active_q;           // alone: here the chain of readies ends
  assign busy_o      = active_q;
  assign index_o     = pass_q.work.index;

  // ---- held ranges ----
  logic       hold_busy, hold_last, touched, contained, overlap, above, push;
  tcp_range_t joined, overlapped;
  tcp_range_t [HELD-1:0] held;
  logic [2:0] held_count;

  flue_tcp_hold u_hold (
    .clk, .rst, .load_i(load), .list_i(in_i.rec.held), .count_i(in_i.rec.held_count),
    .start_i(state_q == S_HOLD), .bytes_i(pass_q.way.bytes),
    .payload_i('{left: pass_q.way.left, right: pass_q.way.right}), .fin_at_i(pass_q.way.fin_at),
    .busy_o(hold_busy), .last_o(hold_last), .touched_o(touched), .contained_o(contained), .union_o(joined),
    .overlap_o(overlap), .first_o(overlapped), .above_o(above), .list_o(held), .count_o(held_count)
  );

  // ---- acknowledgement and payload ----
  tcp_rec_t ack_rec, second_rec;
  tcp_way_t ack_way, second_way;

  flue_tcp_ack u_ack (
    .clk, .rec_i(pass_q.rec), .way_i(pass_q.way), .seg_i(tcp_seg_t'(pass_q.work.data)), .rec_o(ack_rec), .way_o(ack_way)
  );
  flue_tcp_receive u_receive (
    .clk, .rec_i(ack_rec), .way_i(ack_way), .met_i(met_q), .count_i(held_count), .touched_i(touched), .contained_i(contained),
    .union_i(joined), .overlap_i(overlap), .overlap_range_i(overlapped), .above_i(above),
    .rec_o(second_rec), .way_o(second_way), .push_o(push)
  );

  // ---- the order of steps ----
  assign first = in_i.way.merge || (in_i.way.bytes && !in_i.way.order);

  always_ff @(posedge clk) begin
    unique case (state_q)
      S_HOLD: begin
        met_q   <= held_count != '0;
        state_q <= S_HELD;
      end
      S_HELD:  if (!hold_busy || hold_last) state_q <= S_ACK;
      S_ACK:   state_q <= S_ACK2;
      S_ACK2: begin
        state_q <= S_OUT;
        over_q  <= 1'b1;
      end
      default: ;
    endcase
    if (over_q && out_ready_i) begin
      active_q <= 1'b0;
      over_q   <= 1'b0;
    end
    if (load) begin
      pass_q   <= in_i;
      active_q <= 1'b1;
      over_q   <= !in_i.way.accepted;
      met_q    <= 1'b0;
      state_q  <= !in_i.way.accepted ? S_OUT : first ? S_HOLD : S_ACK;
    end
    if (rst) begin
      active_q <= 1'b0;
      over_q   <= 1'b0;
      state_q  <= S_OUT;
    end
  end

  always_comb begin
    out_o = pass_q;
    if (pass_q.way.accepted) begin
      out_o.rec = second_rec;
      out_o.way = second_way;
    end
    out_o.rec.held       = held;
    out_o.rec.held_count = held_count;
    if (pass_q.way.accepted && push) begin
      for (int i = 1; i < HELD; i++) out_o.rec.held[i] = held[i-1];
      out_o.rec.held[0]    = joined;
      out_o.rec.held_count = held_count + 3'd1;
    end
  end

endmodule

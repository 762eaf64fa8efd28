// Fourth step: what a turn now would send (docs/tcp.md 3.4).
//
// Contract: the inputs stand for four cycles, in the fourth the answer is there.  choice_o.reason is R_IDLE_TURN when nothing; len is to be rounded down to whole mss_now when
// `round` is set.  The same for any budget: whether something is sent.
// TCP-048, TCP-052, TCP-092, TCP-098 to TCP-100, TCP-140, TCP-200.
module flue_tcp_choose
  import flue_tcp_pkg::*;
  import flue_tcp_step_pkg::*;
(
  input  logic         clk,
  input  tcp_rec_t     rec_i,
  input  logic [16:0]  budget_i,
  input  logic [15:0]  mss_now_i,

  // what flue_tcp_flight found
  input  logic [31:0]  clear_i,
  input  logic [31:0]  offered_i,
  input  logic [31:0]  queued_i,
  input  logic         fin_i,

  // what flue_tcp_scan found
  input  logic [31:0]  lost_edge_i,
  input  logic [31:0]  lost_i,
  input  logic [31:0]  at_i,
  input  logic         hole_i,
  input  tcp_range_t   first_i,
  input  tcp_range_t   last_i,
  input  logic [31:0]  above_i,

  output tcp_choice_t  choice_o
);

  logic        fast;
  logic [31:0] mss;
  logic [16:0] mss_now, budget;
  assign fast    = rec_i.recovery == REC_FAST;
  assign mss     = 32'(rec_i.mss);
  assign mss_now = 17'(mss_now_i);
  assign budget  = budget_i < mss_now ? mss_now : budget_i;

  // ---- first cycle: cwnd less what is in flight but for losses; losses; the hole and the highest one ----
  tcp_range_t  hole, top_q;                 // first from high_rxt on; highest below recover
  logic [31:0] extra, clear_q, clear_new_q, slack_q, most_new_q, hole_left_q, hole_end_q, tail;
  logic [16:0] budget_q;
  logic        due, due_q, later_q, rescue_q;

  assign tail  = seq_lt(at_i, lost_edge_i) ? lost_edge_i - at_i : '0;
  assign extra = rec_i.recovery != REC_OPEN || rec_i.sack || rec_i.dup_acks == '0 ? '0
               : rec_i.dup_acks == 4'd1 ? mss : {mss[30:0], 1'b0};
  assign hole  = hole_i ? first_i : '{left: at_i, right: lost_edge_i};
  assign due   = rec_i.recovery != REC_OPEN && seq_lt(hole.left, lost_edge_i);

  always_ff @(posedge clk) begin
    clear_q     <= rec_i.cwnd + clear_i;
    clear_new_q <= (rec_i.cwnd + extra) + clear_i;
    slack_q     <= lost_i + tail;
    budget_q    <= budget;
    most_new_q  <= seq_min(32'(budget), offered_i);
    due_q       <= due;
    later_q     <= fast && rec_i.sack && hole_i;
    rescue_q    <= fast && rec_i.sack && !rec_i.rescued;
    hole_left_q <= hole.left;
    hole_end_q  <= due ? seq_min(hole.right, lost_edge_i) : hole.right;
    top_q       <= seq_lt(above_i, rec_i.recover) ? '{left: above_i, right: rec_i.recover} : last_i;
  end

  // ---- second cycle: room, may be negative ----
  logic [31:0] room_new, room_q, fits_q, hole_bytes_q, top_left_q;
  logic        top_any_q;

  assign room_new = clear_new_q + slack_q;

  always_ff @(posedge clk) begin
    room_q       <= clear_q + slack_q;
    fits_q       <= seq_min(room_new, most_new_q);
    hole_bytes_q <= hole_end_q - hole_left_q;
    top_left_q   <= seq_max(top_q.left, top_q.right - 32'(mss_now));
    top_any_q    <= top_q.left != top_q.right;
  end

  // ---- third cycle ----
  logic        some, segment_fits_q, all_q, whole_q, fresh_q, single, single_q, more_q;
  logic [31:0] most, most_q;
  logic        below_budget, below_segment, more;
  logic [16:0] top_bytes_q;

  assign some = !fits_q[31] && fits_q != '0;
  assign below_budget  = seq_lt(room_q, 32'(budget_q));
  assign below_segment = seq_lt(room_q, 32'(mss_now));
  assign single        = hole_bytes_q <= 32'(mss_now);

  always_comb begin
    if (rec_i.force_rxt || (below_budget && below_segment)) begin
      most = 32'(mss_now);
      more = !single;
    end else if (below_budget) begin
      most = room_q;
      more = hole_bytes_q > room_q;
    end else begin
      most = 32'(budget_q);
      more = hole_bytes_q > 32'(budget_q);
    end
  end

  always_ff @(posedge clk) begin
    segment_fits_q <= seq_le(mss, room_q);
    all_q          <= some && fits_q == queued_i;
    whole_q        <= some && fits_q >= 32'(mss_now);
    fresh_q        <= some && (fits_q >= {1'b0, rec_i.max_snd_wnd[31:1]} || rec_i.sws_override);
    most_q         <= most;
    more_q         <= more;
    single_q       <= single;
    top_bytes_q    <= 17'(top_q.right - top_left_q);
  end

  // ---- fourth cycle ----
  logic fresh;
  assign fresh = (!fast || segment_fits_q) && (all_q || whole_q || fresh_q || fin_i);

  always_comb begin
    choice_o = '{reason: R_IDLE_TURN, left: rec_i.snd_max, len: 17'(fits_q), round: 1'b0, lost: 1'b0};
    if (ended_state(rec_i.state)) begin
      choice_o.reason = R_IDLE_TURN;
    end else if (due_q && (rec_i.force_rxt || segment_fits_q)) begin
      choice_o.reason = R_RETRANSMIT;
      choice_o.left   = hole_left_q;
      choice_o.len    = more_q ? 17'(most_q) : 17'(hole_bytes_q);
      choice_o.round  = more_q;
      choice_o.lost   = 1'b1;
    end else if (fresh) begin
      choice_o.reason = R_NEW_DATA;
      choice_o.round  = !all_q && whole_q;
      if (queued_i == '0) choice_o.len = '0;
    end else if (later_q && segment_fits_q) begin
      choice_o.reason = R_RETRANSMIT;
      choice_o.left   = hole_left_q;
      choice_o.len    = single_q ? 17'(hole_bytes_q) : mss_now;
    end else if (rescue_q && top_any_q && segment_fits_q) begin
      choice_o.reason = R_RESCUE;
      choice_o.left   = top_left_q;
      choice_o.len    = top_bytes_q;
    end
  end

endmodule

// Fourth step: what a turn now would send (docs/tcp.md 3.4).
//
// Contract: combinational.  choice_o.reason is R_IDLE_TURN when nothing; len is to be rounded down to whole mss_now when
// `round` is set.  The same for any budget: whether something is sent.
// TCP-048, TCP-052, TCP-092, TCP-098 to TCP-100, TCP-140, TCP-200.
module flue_tcp_choose
  import flue_tcp_pkg::*;
  import flue_tcp_step_pkg::*;
(
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

  logic [31:0] mss;
  logic [16:0] mss_now, budget;
  assign mss     = 32'(rec_i.mss);
  assign mss_now = 17'(mss_now_i);
  assign budget  = budget_i < mss_now ? mss_now : budget_i;

  // ---- room: cwnd - pipe, may be negative ----
  logic [31:0] tail, slack, room;
  logic        segment_fits, fast;
  assign tail  = seq_lt(at_i, lost_edge_i) ? lost_edge_i - at_i : '0;
  assign slack = lost_i + tail;
  assign room  = (rec_i.cwnd + clear_i) + slack;
  assign segment_fits = seq_le(mss, room);
  assign fast = rec_i.recovery == REC_FAST;

  // ---- holes ----
  tcp_range_t  hole, top;                   // first from high_rxt on; highest below recover
  logic [31:0] hole_end, hole_bytes, most, top_left, top_bytes;
  logic        due, later, rescue;

  assign hole       = hole_i ? first_i : '{left: at_i, right: lost_edge_i};
  assign due        = rec_i.recovery != REC_OPEN && seq_lt(hole.left, lost_edge_i);
  assign hole_end   = due ? seq_min(hole.right, lost_edge_i) : hole.right;
  assign hole_bytes = hole_end - hole.left;
  assign most       = rec_i.force_rxt ? 32'(mss_now)
                    : seq_lt(room, 32'(budget)) ? (seq_lt(room, 32'(mss_now)) ? 32'(mss_now) : room) : 32'(budget);
  assign later      = fast && rec_i.sack && hole_i;

  assign top        = seq_lt(above_i, rec_i.recover) ? '{left: above_i, right: rec_i.recover} : last_i;
  assign rescue     = fast && rec_i.sack && !rec_i.rescued && top.left != top.right;
  assign top_left   = seq_max(top.left, top.right - 32'(mss_now));
  assign top_bytes  = top.right - top_left;

  // ---- new data ----
  logic [31:0] extra, room_new, most_new, fits;
  logic        some, all, whole, half, fresh;

  assign extra    = rec_i.recovery != REC_OPEN || rec_i.sack || rec_i.dup_acks == '0 ? '0
                  : rec_i.dup_acks == 4'd1 ? mss : {mss[30:0], 1'b0};
  assign room_new = ((rec_i.cwnd + extra) + clear_i) + slack;
  assign most_new = seq_min(32'(budget), offered_i);
  assign fits     = seq_min(room_new, most_new);

  assign some  = !fits[31] && fits != '0;
  assign all   = some && fits == queued_i;
  assign whole = some && fits >= 32'(mss_now);
  assign half  = some && fits >= {1'b0, rec_i.max_snd_wnd[31:1]};
  assign fresh = (!fast || segment_fits) && (all || whole || half || (some && rec_i.sws_override) || fin_i);

  always_comb begin
    choice_o = '{reason: R_IDLE_TURN, left: rec_i.snd_max, len: 17'(fits), round: 1'b0, lost: 1'b0};
    if (ended_state(rec_i.state)) begin
      choice_o.reason = R_IDLE_TURN;
    end else if (due && (rec_i.force_rxt || segment_fits)) begin
      choice_o.reason = R_RETRANSMIT;
      choice_o.left   = hole.left;
      choice_o.len    = hole_bytes <= most ? 17'(hole_bytes) : 17'(most);
      choice_o.round  = hole_bytes > most;
      choice_o.lost   = 1'b1;
    end else if (fresh) begin
      choice_o.reason = R_NEW_DATA;
      choice_o.round  = !all && whole;
      if (queued_i == '0) choice_o.len = '0;
    end else if (later && segment_fits) begin
      choice_o.reason = R_RETRANSMIT;
      choice_o.left   = hole.left;
      choice_o.len    = hole_bytes <= 32'(mss_now) ? 17'(hole_bytes) : mss_now;
    end else if (rescue && segment_fits) begin
      choice_o.reason = R_RESCUE;
      choice_o.left   = top_left;
      choice_o.len    = 17'(top_bytes);
    end
  end

endmodule

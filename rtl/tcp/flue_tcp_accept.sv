// First step of a segment: is it acceptable, and which of its bytes (docs/tcp.md 3.1 steps 1 to 9, and the trimming of 11).
//
// Contract: the inputs stand for four cycles, in the fourth the answer is there.  rec_i is LIVE.  Without way_o.accepted the
// segment is done: rec_o and way_o say what it caused.  With it, [left, right) are its new bytes inside the window, to be
// checked against the held ranges.
// TCP-020 to TCP-034, TCP-057, TCP-173 to TCP-178.
module flue_tcp_accept
  import flue_tcp_pkg::*;
  import flue_tcp_step_pkg::*;
(
  input  logic        clk,
  input  tcp_rec_t    rec_i,
  input  tcp_seg_t    seg_i,
  input  logic [31:0] now_i,
  input  logic [31:0] age_i,

  output tcp_rec_t    rec_o,
  output tcp_way_t    way_o
);

  localparam logic [31:0] AGE_LIMIT  = 32'd1977000;   // 24 days of 2^20 us (TCP-177)
  localparam logic [31:0] OOW_US     = 32'd500000;    // one limited ACK in this time (TCP-033)
  localparam logic [15:0] MSS_RCV_MIN = 16'd536;

  // ---- first cycle: differences, and what needs no other ----
  logic [31:0] off_q, win_q, end_q, fin_off_q;   // first byte, right edge, FIN that is known: relative to rcv_edge; end of payload
  logic [16:0] slen, slen_q;
  logic        fresh_q, old_q, recent_q, sent_q, limited_q, marks_q;
  logic [15:0] mss_rcv_q, mss_floor;

  assign slen      = 17'(seg_i.len) + 17'(seg_i.flags.syn) + 17'(seg_i.flags.fin);
  assign mss_floor = rec_i.mss_rcv < MSS_RCV_MIN ? MSS_RCV_MIN : rec_i.mss_rcv;

  always_ff @(posedge clk) begin
    off_q     <= seg_i.seq - rec_i.rcv_edge;
    win_q     <= rec_i.rcv_adv - rec_i.rcv_edge;
    end_q     <= seg_i.seq + 32'(seg_i.len);
    fin_off_q <= rec_i.fin_seq - rec_i.rcv_edge;
    slen_q    <= slen;
    fresh_q   <= (age_i - rec_i.ts_age) < AGE_LIMIT;
    old_q     <= seq_lt(seg_i.ts_val, rec_i.ts_recent);
    recent_q   <= seq_le(rec_i.snd_una - rec_i.max_snd_wnd, seg_i.ack);
    sent_q   <= seq_le(seg_i.ack, rec_i.snd_max);
    limited_q <= rec_i.oow_on && (rec_i.oow_at + ~now_i) < OOW_US;
    marks_q   <= seq_le(seg_i.seq, rec_i.last_ack_sent);
    mss_rcv_q <= seg_i.len > mss_floor ? seg_i.len : mss_floor;
  end

  // ---- second cycle: where the segment lies ----
  logic [31:0] last, stop;                 // last sequence number, end of payload
  logic        in_window_q, closed_q, probe_q, at_q, below_q, last_below_q, stop_below_q, stop_at_q;
  logic        cut_q, inside_q, fin_cut_q, some_q, fin_same_q;
  logic [15:0] skip_q;

  assign last = (off_q + 32'(slen_q)) - 32'd1;
  assign stop = off_q + 32'(seg_i.len);

  function automatic logic fits_in(input logic [31:0] x, input logic [31:0] w);
    return !x[31] && seq_lt(x, w);
  endfunction

  logic last_lt, off_in, cut;
  assign last_lt = seq_lt(last, win_q);
  assign off_in  = fits_in(off_q, win_q);
  assign cut     = seq_lt(win_q, stop);

  always_ff @(posedge clk) begin
    if (slen_q == '0) in_window_q <= win_q == '0 ? off_q == '0 : off_in;
    else              in_window_q <= win_q != '0 && (off_in || (!last[31] && last_lt) || (off_q[31] && !last[31] && !last_lt));
    closed_q     <= win_q == '0 && off_q == '0 && slen_q != '0;
    probe_q      <= off_q == '1 && seg_i.len <= 16'd1 && !seg_i.flags.syn && !seg_i.flags.rst;
    at_q         <= off_q == '0;
    below_q      <= off_q[31];
    last_below_q <= slen_q != '0 && last[31];
    stop_below_q <= stop[31];
    stop_at_q    <= stop == '0;
    cut_q        <= cut;
    inside_q     <= seq_lt(stop, win_q);
    fin_cut_q    <= rec_i.fin_valid && (cut ? seq_lt(fin_off_q, win_q) : seq_lt(rec_i.fin_seq, end_q));
    fin_same_q   <= rec_i.fin_seq == end_q;
    skip_q       <= 16'(-off_q);
    // left < right, but for what depends on the end of the payload.
    some_q       <= (off_q[31] ? !win_q[31] && win_q != '0 : seq_lt(off_q, win_q)) &&
                    (!rec_i.fin_valid || (off_q[31] ? !fin_off_q[31] && fin_off_q != '0 : seq_lt(off_q, fin_off_q)));
  end

  logic old_ts, ack_good, at_once;
  assign old_ts   = rec_i.ts && seg_i.has_ts && !seg_i.flags.rst && rec_i.ts_valid && fresh_q && old_q;
  assign ack_good = recent_q && sent_q;
  assign at_once  = seg_i.len != '0 || probe_q;

  // ---- third cycle: the decision ----
  logic answer, challenge, known;          // L; limited whatever the length; a duplicate of old bytes
  logic accepted;
  tcp_reason_e reason;

  always_comb begin
    answer    = 1'b0;
    challenge = 1'b0;
    known     = 1'b0;
    accepted  = 1'b0;
    reason    = R_ACCEPTED;
    if (ended_state(rec_i.state)) begin
      reason = R_CLOSED;
    end else if (old_ts) begin
      reason = R_PAWS;
      answer = 1'b1;
    end else if (!in_window_q && !closed_q) begin
      if (seg_i.flags.rst) begin
        reason = R_RST_OUTSIDE;
      end else if (seg_i.flags.syn) begin
        reason    = R_SYN;
        answer    = 1'b1;
        challenge = 1'b1;
      end else begin
        reason = last_below_q ? R_OLD : probe_q ? R_PROBE : R_OUTSIDE;
        known  = seg_i.len != '0 && below_q;
        answer = 1'b1;
      end
    end else if (seg_i.flags.rst) begin
      reason    = at_q ? R_RST : R_RST_CHALLENGE;
      answer    = !at_q;
      challenge = 1'b1;
    end else if (seg_i.flags.syn) begin
      reason    = R_SYN;
      answer    = 1'b1;
      challenge = 1'b1;
    end else if (!seg_i.flags.ack) begin
      reason = R_NO_ACK;
    end else if (!ack_good) begin
      reason    = R_ACK_RANGE;
      answer    = 1'b1;
      challenge = 1'b1;
    end else if (seg_i.flags.urg) begin
      reason = R_URGENT;
    end else begin
      accepted = 1'b1;
      answer   = closed_q;
      if (closed_q) reason = R_OUTSIDE;
      else if (!receiving(rec_i.state) && (seg_i.len != '0 || seg_i.flags.fin)) reason = R_AFTER_FIN;
    end
  end

  tcp_reason_e reason_q;
  logic        answer_q, challenge_q, known_q, accepted_q;
  always_ff @(posedge clk) begin
    reason_q    <= reason;
    answer_q    <= answer && ((at_once && !challenge) || !limited_q);
    challenge_q <= !at_once || challenge;
    known_q     <= known;
    accepted_q  <= accepted;
  end

  // ---- fourth cycle: trimming ----
  logic        usable, some;               // payload may be taken; left < right
  logic [31:0] left, right;

  assign usable = accepted_q && !closed_q && receiving(rec_i.state);
  assign left   = below_q ? rec_i.rcv_edge : seg_i.seq;
  assign right  = fin_cut_q ? rec_i.fin_seq : cut_q ? rec_i.rcv_adv : end_q;
  assign some   = some_q && (below_q ? !stop_below_q && !stop_at_q : seg_i.len != '0);

  always_comb begin
    rec_o = rec_i;
    way_o = way_none();

    way_o.reason   = reason_q;
    way_o.divert   = reason_q == R_CLOSED;
    way_o.accepted = accepted_q;
    way_o.left     = left;
    way_o.right    = right;
    way_o.left_cut = below_q && seg_i.len != '0;
    way_o.skip     = below_q ? skip_q : 16'd0;
    way_o.no_room  = usable && (&rec_i.placing) && (seg_i.len != '0 || seg_i.flags.fin);
    way_o.bytes    = usable && !(&rec_i.placing) && some;
    way_o.order    = below_q || at_q;
    way_o.merge    = usable && !(&rec_i.placing) && rec_i.held_count != '0 && (seg_i.len != '0 || seg_i.flags.fin);
    way_o.fin_at   = end_q;
    way_o.fin      = usable && !(&rec_i.placing) && seg_i.flags.fin && inside_q && !fin_cut_q &&
                     (!rec_i.fin_valid || fin_same_q);

    if (answer_q) begin
      rec_o.ack_now = 1'b1;
      if (challenge_q) begin
        rec_o.oow_on = 1'b1;
        rec_o.oow_at = now_i + OOW_US;
      end
    end

    // Bytes below rcv_edge, reported once (TCP-076).
    if (known_q || (usable && !(&rec_i.placing) && seg_i.len != '0 && below_q)) begin
      if (rec_i.sack) begin
        rec_o.dsack.left  = seg_i.seq;
        rec_o.dsack.right = stop_below_q ? end_q : rec_i.rcv_edge;
      end
      if (usable) rec_o.ack_now = 1'b1;
    end

    if (reason_q == R_RST) begin
      rec_o.state = TCP_CLOSED;
      way_o.ended = END_RESET;
    end
    if (reason_q == R_URGENT) begin
      rec_o.asked      = 1'b1;
      way_o.note_valid = !rec_i.asked;
      way_o.note       = NOTE_UPLOAD_URGENT;
    end

    if (accepted_q && rec_i.ts && seg_i.has_ts && marks_q) begin
      rec_o.ts_valid  = 1'b1;
      rec_o.ts_recent = seg_i.ts_val;
      rec_o.ts_age    = age_i;
    end
    if (usable && seg_i.len != '0) begin
      rec_o.mss_rcv = mss_rcv_q;
    end
    if (way_o.no_room) begin
      way_o.reason  = R_NO_INTERVAL;
      rec_o.ack_now = 1'b1;
    end
  end

endmodule

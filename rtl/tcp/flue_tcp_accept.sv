// First step of a segment: is it acceptable, and which of its bytes (docs/tcp.md 3.1 steps 1 to 9, and the trimming of 11).
//
// Contract: combinational.  rec_i is LIVE.  Without way_o.accepted the segment is done: rec_o and way_o say what it
// caused.  With it, [left, right) are its new bytes inside the window, to be checked against the held ranges.
// TCP-020 to TCP-034, TCP-057, TCP-173 to TCP-178.
module flue_tcp_accept
  import flue_tcp_pkg::*;
  import flue_tcp_step_pkg::*;
(
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

  // ---- where the segment lies; all relative to rcv_edge ----
  logic [31:0] off, win, last, stop;       // first byte, right edge, last sequence number, end of payload
  logic [16:0] slen;
  logic        off_in, last_in, in_window, closed, probe;

  assign off  = seg_i.seq - rec_i.rcv_edge;
  assign win  = rec_i.rcv_adv - rec_i.rcv_edge;
  assign slen = 17'(seg_i.len) + 17'(seg_i.flags.syn) + 17'(seg_i.flags.fin);
  assign stop = off + 32'(seg_i.len);
  assign last = off + 32'(slen) - 32'd1;

  function automatic logic fits_in(input logic [31:0] x, input logic [31:0] w);
    return !x[31] && seq_lt(x, w);
  endfunction

  assign off_in  = fits_in(off, win);
  assign last_in = fits_in(last, win);
  assign probe   = off == '1 && seg_i.len <= 16'd1 && !seg_i.flags.syn && !seg_i.flags.rst;
  assign closed  = win == '0 && off == '0 && slen != '0;

  always_comb begin
    if (slen == '0) in_window = win == '0 ? off == '0 : off_in;
    else            in_window = win != '0 && (off_in || last_in || (off[31] && !last[31] && seq_le(win, last)));
  end

  // ---- time stamps, ACK number ----
  logic old_ts, ack_good;
  assign old_ts = rec_i.ts && seg_i.has_ts && !seg_i.flags.rst && rec_i.ts_valid &&
                  (age_i - rec_i.ts_age) < AGE_LIMIT && seq_lt(seg_i.ts_val, rec_i.ts_recent);
  assign ack_good = seq_le(rec_i.snd_una - rec_i.max_snd_wnd, seg_i.ack) && seq_le(seg_i.ack, rec_i.snd_max);

  // ---- the limited ACK ----
  logic limited, at_once;
  assign limited = rec_i.oow_on && (rec_i.oow_at - now_i - 32'd1) < OOW_US;
  assign at_once = seg_i.len != '0 || probe;

  // ---- the decision ----
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
    end else if (!in_window && !closed) begin
      if (seg_i.flags.rst) begin
        reason = R_RST_OUTSIDE;
      end else if (seg_i.flags.syn) begin
        reason    = R_SYN;
        answer    = 1'b1;
        challenge = 1'b1;
      end else begin
        reason = slen != '0 && last[31] ? R_OLD : probe ? R_PROBE : R_OUTSIDE;
        known  = seg_i.len != '0 && off[31];
        answer = 1'b1;
      end
    end else if (seg_i.flags.rst) begin
      reason    = off == '0 ? R_RST : R_RST_CHALLENGE;
      answer    = off != '0;
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
      answer   = closed;
      if (closed) reason = R_OUTSIDE;
      else if (!receiving(rec_i.state) && (seg_i.len != '0 || seg_i.flags.fin)) reason = R_AFTER_FIN;
    end
  end

  // ---- trimming ----
  logic        usable, cut, fin_cut;       // payload may be taken; its right end was cut
  logic [31:0] left, edge_right, right;

  assign usable     = accepted && !closed && receiving(rec_i.state);
  assign left       = off[31] ? rec_i.rcv_edge : seg_i.seq;
  assign cut        = seq_lt(win, stop);
  assign edge_right = cut ? rec_i.rcv_adv : seg_i.seq + 32'(seg_i.len);
  assign fin_cut    = rec_i.fin_valid && seq_lt(rec_i.fin_seq, edge_right);
  assign right      = fin_cut ? rec_i.fin_seq : edge_right;

  // left < right, without waiting for either.
  logic        some;
  logic [31:0] fin_off;
  assign fin_off = rec_i.fin_seq - rec_i.rcv_edge;
  assign some    = (off[31] ? !stop[31] && stop != '0 : seg_i.len != '0) &&
                   (off[31] ? !win[31] && win != '0 : seq_lt(off, win)) &&
                   (!rec_i.fin_valid || (off[31] ? !fin_off[31] && fin_off != '0 : seq_lt(off, fin_off)));

  always_comb begin
    rec_o = rec_i;
    way_o = way_none();

    way_o.reason   = reason;
    way_o.divert   = reason == R_CLOSED;
    way_o.accepted = accepted;
    way_o.left     = left;
    way_o.right    = right;
    way_o.left_cut = off[31] && seg_i.len != '0;
    way_o.skip     = off[31] ? 16'(-off) : 16'd0;
    way_o.no_room  = usable && (&rec_i.placing) && (seg_i.len != '0 || seg_i.flags.fin);
    way_o.bytes    = usable && !(&rec_i.placing) && some;
    way_o.order    = off[31] || off == '0;
    way_o.merge    = usable && !(&rec_i.placing) && rec_i.held_count != '0 && (seg_i.len != '0 || seg_i.flags.fin);
    way_o.fin_at   = seg_i.seq + 32'(seg_i.len);
    way_o.fin      = usable && !(&rec_i.placing) && seg_i.flags.fin && seq_lt(stop, win) && !fin_cut &&
                     (!rec_i.fin_valid || rec_i.fin_seq == way_o.fin_at);

    if (answer && ((at_once && !challenge) || !limited)) begin
      rec_o.ack_now = 1'b1;
      if (!at_once || challenge) begin
        rec_o.oow_on = 1'b1;
        rec_o.oow_at = now_i + OOW_US;
      end
    end

    // Bytes below rcv_edge, reported once (TCP-076).
    if (known || (usable && !(&rec_i.placing) && seg_i.len != '0 && off[31])) begin
      if (rec_i.sack) begin
        rec_o.dsack.left  = seg_i.seq;
        rec_o.dsack.right = stop[31] ? way_o.fin_at : rec_i.rcv_edge;
      end
      if (usable) rec_o.ack_now = 1'b1;
    end

    if (reason == R_RST) begin
      rec_o.state = TCP_CLOSED;
      way_o.ended = END_RESET;
    end
    if (reason == R_URGENT) begin
      rec_o.asked      = 1'b1;
      way_o.note_valid = !rec_i.asked;
      way_o.note       = NOTE_UPLOAD_URGENT;
    end

    if (accepted && rec_i.ts && seg_i.has_ts && seq_le(seg_i.seq, rec_i.last_ack_sent)) begin
      rec_o.ts_valid  = 1'b1;
      rec_o.ts_recent = seg_i.ts_val;
      rec_o.ts_age    = age_i;
    end
    if (usable && seg_i.len != '0) begin
      if (rec_i.mss_rcv < MSS_RCV_MIN)  rec_o.mss_rcv = MSS_RCV_MIN;
      if (seg_i.len > rec_o.mss_rcv)    rec_o.mss_rcv = seg_i.len;
    end
    if (way_o.no_room) begin
      way_o.reason  = R_NO_INTERVAL;
      rec_o.ack_now = 1'b1;
    end
  end

endmodule

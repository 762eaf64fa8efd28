// Second step of a segment, its acknowledgement: window, SND.UNA, round trip, states (docs/tcp.md 3.2).
//
// Contract: the inputs stand for three cycles, in the third the answer is there.  The ranges of the SACK option, the count of duplicates and the congestion window follow in later
// steps.  TCP-029, TCP-035, TCP-121, TCP-123, TCP-127, TCP-202.
module flue_tcp_ack
  import flue_tcp_pkg::*;
  import flue_tcp_step_pkg::*;
(
  input  logic        clk,
  input  tcp_rec_t    rec_i,
  input  tcp_way_t    way_i,
  input  tcp_seg_t    seg_i,

  output tcp_rec_t    rec_o,
  output tcp_way_t    way_o
);

  // ---- first cycle ----
  logic        advanced_q, back_q, wl1_lt_q, wl1_same_q, wl2_le_q, timed_q, further_q, fin_acked_q, left_q;
  logic [31:0] acked_q, flight_q, wnd_q, shrunk_q;
  logic signed [29:0] error_q;             // of the round trip: srtt follows by 1/8, the deviation by 1/4 (RFC 6298)

  always_ff @(posedge clk) begin
    acked_q     <= seg_i.ack - rec_i.snd_una;
    advanced_q  <= seq_lt(rec_i.snd_una, seg_i.ack);
    back_q      <= seq_lt(seg_i.ack, rec_i.snd_una);
    flight_q    <= rec_i.snd_max - rec_i.snd_una;
    wnd_q       <= 32'(seg_i.wnd) << rec_i.snd_scale;
    wl1_lt_q    <= seq_lt(rec_i.snd_wl1, seg_i.seq);
    wl1_same_q  <= rec_i.snd_wl1 == seg_i.seq;
    wl2_le_q    <= seq_le(rec_i.snd_wl2, seg_i.ack);
    timed_q     <= seq_lt(rec_i.timed_seq, seg_i.ack);
    further_q   <= seq_lt(rec_i.high_rxt, seg_i.ack);
    fin_acked_q <= rec_i.fin_sent && seg_i.ack == rec_i.send_limit + 32'd1;
    error_q     <= $signed({4'b0, way_i.round_trip}) - $signed({4'b0, rec_i.srtt8[28:3]});
  end

  // ---- second cycle ----
  logic        newer_q, wnd_same_q, wnd_more_q;
  logic [28:0] deviation, srtt8_q;
  logic [27:0] rttvar4_q;
  logic [32:0] less;

  assign deviation = error_q[29] ? 29'(-error_q) : 29'(error_q);
  assign less      = {1'b0, rec_i.snd_wnd} - {1'b0, acked_q};

  always_ff @(posedge clk) begin
    newer_q    <= !back_q && (wl1_lt_q || (wl1_same_q && wl2_le_q));
    wnd_same_q <= wnd_q == rec_i.snd_wnd;
    wnd_more_q <= wnd_q > rec_i.max_snd_wnd;
    left_q     <= flight_q != '0;
    shrunk_q   <= less[32] ? '0 : less[31:0];
    srtt8_q    <= rec_i.srtt8 + 29'(error_q[28:0]);
    rttvar4_q  <= rec_i.rttvar4 + 28'(deviation) - 28'(rec_i.rttvar4[27:2]);
  end

  // ---- third cycle ----
  logic sample;
  assign sample = advanced_q && rec_i.timing && timed_q;

  always_comb begin
    rec_o = rec_i;
    way_o = way_i;

    way_o.advanced    = advanced_q;
    way_o.acked       = acked_q;
    way_o.flight      = flight_q;
    way_o.wnd_changed = newer_q && !wnd_same_q;
    way_o.dup         = !advanced_q && !back_q && left_q && seg_i.len == '0 && !seg_i.flags.fin;

    if (newer_q) begin
      rec_o.snd_wnd = wnd_q;
      rec_o.snd_wl1 = seg_i.seq;
      rec_o.snd_wl2 = seg_i.ack;
      if (wnd_more_q) rec_o.max_snd_wnd = wnd_q;
    end else if (advanced_q) begin
      // An older window keeps its right edge: the peer never announced what lies beyond (TCP-052).
      rec_o.snd_wnd = shrunk_q;
    end

    if (advanced_q) begin
      rec_o.snd_una    = seg_i.ack;
      rec_o.expiries   = '0;
      rec_o.dup_acks   = '0;
      rec_o.persisting = 1'b0;
      if (further_q) rec_o.high_rxt = seg_i.ack;
      way_o.restart    = 1'b1;
      if (fin_acked_q) begin
        unique case (rec_i.state)
          TCP_FIN_WAIT1: rec_o.state = TCP_FIN_WAIT2;
          TCP_CLOSING:   rec_o.state = TCP_TIME_WAIT;
          TCP_LAST_ACK: begin
            rec_o.state = TCP_CLOSED;
            way_o.ended = END_CLOSED;
          end
          default: ;
        endcase
      end
    end

    if (sample) begin
      rec_o.timing    = 1'b0;
      rec_o.backoff   = '0;
      rec_o.rtt_valid = 1'b1;
      if (rec_i.rtt_valid) begin
        rec_o.srtt8   = srtt8_q;
        rec_o.rttvar4 = rttvar4_q;
      end else begin
        rec_o.srtt8   = {way_i.round_trip, 3'b0};
        rec_o.rttvar4 = {1'b0, way_i.round_trip, 1'b0};
      end
    end
  end

endmodule

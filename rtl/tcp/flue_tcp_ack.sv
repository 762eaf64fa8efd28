// Second step of a segment, its acknowledgement: window, SND.UNA, round trip, states (docs/tcp.md 3.2).
//
// Contract: combinational.  The ranges of the SACK option, the count of duplicates and the congestion window follow in later
// steps.  TCP-029, TCP-035, TCP-121, TCP-123, TCP-127, TCP-202.
module flue_tcp_ack
  import flue_tcp_pkg::*;
  import flue_tcp_step_pkg::*;
(
  input  tcp_rec_t    rec_i,
  input  tcp_way_t    way_i,
  input  tcp_seg_t    seg_i,

  output tcp_rec_t    rec_o,
  output tcp_way_t    way_o
);

  logic        advanced, newer, sample;
  logic [31:0] acked, flight, wnd;

  assign acked    = seg_i.ack - rec_i.snd_una;
  assign advanced = seq_lt(rec_i.snd_una, seg_i.ack);
  assign flight   = rec_i.snd_max - rec_i.snd_una;
  assign wnd      = 32'(seg_i.wnd) << rec_i.snd_scale;
  assign newer    = !seq_lt(seg_i.ack, rec_i.snd_una) &&
                    (seq_lt(rec_i.snd_wl1, seg_i.seq) ||
                     (rec_i.snd_wl1 == seg_i.seq && seq_le(rec_i.snd_wl2, seg_i.ack)));
  assign sample   = advanced && rec_i.timing && seq_lt(rec_i.timed_seq, seg_i.ack);

  // ---- round trip: srtt by 1/8, the deviation by 1/4 (RFC 6298) ----
  logic signed [29:0] error;
  logic        [28:0] deviation;

  assign error     = $signed({4'b0, way_i.round_trip}) - $signed({4'b0, rec_i.srtt8[28:3]});
  assign deviation = error[29] ? 29'(-error) : 29'(error);

  always_comb begin
    rec_o = rec_i;
    way_o = way_i;

    way_o.advanced    = advanced;
    way_o.acked       = acked;
    way_o.flight      = flight;
    way_o.wnd_changed = newer && wnd != rec_i.snd_wnd;
    way_o.dup         = seg_i.ack == rec_i.snd_una && flight != '0 && seg_i.len == '0 && !seg_i.flags.fin;

    if (newer) begin
      rec_o.snd_wnd = wnd;
      rec_o.snd_wl1 = seg_i.seq;
      rec_o.snd_wl2 = seg_i.ack;
      if (wnd > rec_i.max_snd_wnd) rec_o.max_snd_wnd = wnd;
    end else if (advanced) begin
      // An older window keeps its right edge: the peer never announced what lies beyond (TCP-052).
      rec_o.snd_wnd = acked < rec_i.snd_wnd ? rec_i.snd_wnd - acked : '0;
    end

    if (advanced) begin
      rec_o.snd_una    = seg_i.ack;
      rec_o.expiries   = '0;
      rec_o.dup_acks   = '0;
      rec_o.persisting = 1'b0;
      rec_o.high_rxt   = seq_max(rec_i.high_rxt, seg_i.ack);
      way_o.restart    = 1'b1;
      if (rec_i.fin_sent && seg_i.ack == rec_i.send_limit + 32'd1) begin
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
        rec_o.srtt8   = rec_i.srtt8 + 29'(error[28:0]);
        rec_o.rttvar4 = rec_i.rttvar4 + 28'(deviation) - 28'(rec_i.rttvar4[27:2]);
      end else begin
        rec_o.srtt8   = {way_i.round_trip, 3'b0};
        rec_o.rttvar4 = {1'b0, way_i.round_trip, 1'b0};
      end
    end
  end

endmodule

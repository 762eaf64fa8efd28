// The record of the event that the rules work on: each field is written in the steps that may change it, and in no other,
// so that a field costs its sources and nothing for the steps that leave it alone.
//
// Contract: at most one of load_i and the steps is high.  The lists of ranges are elsewhere (flue_tcp_hold, the scoreboard);
// held_count and sacked_count are those that were loaded.
module flue_tcp_record
  import flue_tcp_pkg::*;
(
  input  logic     clk,
  input  logic     load_i,
  input  tcp_rec_t rec_i,
  input  logic     event_i,
  input  tcp_rec_t event_rec_i,
  input  logic     ack_i,
  input  tcp_rec_t ack_rec_i,
  input  logic     loss_i,
  input  tcp_rec_t loss_rec_i,
  input  logic     enter_i,
  input  tcp_rec_t enter_rec_i,
  input  logic     apply_i,
  input  tcp_rec_t apply_rec_i,
  output tcp_rec_t rec_o
);

  always_ff @(posedge clk) begin
    if (load_i) begin
      rec_o.pad0 <= rec_i.pad0;
      rec_o.rcv_scale <= rec_i.rcv_scale;
      rec_o.snd_scale <= rec_i.snd_scale;
      rec_o.ts_us <= rec_i.ts_us;
      rec_o.sack <= rec_i.sack;
      rec_o.ts <= rec_i.ts;
      rec_o.mss <= rec_i.mss;
      rec_o.rcv_buf <= rec_i.rcv_buf;
      rec_o.pad3 <= rec_i.pad3;
      rec_o.limit <= rec_i.limit;
      rec_o.snd_buf <= rec_i.snd_buf;
      rec_o.pad4 <= rec_i.pad4;
      rec_o.generation <= rec_i.generation;
      rec_o.pad23 <= rec_i.pad23;
      rec_o.pad24 <= rec_i.pad24;
      rec_o.ts_offset <= rec_i.ts_offset;
      rec_o.room <= rec_i.room;
      rec_o.rto_on <= rec_i.rto_on;
      rec_o.rcv_adv <= rec_i.rcv_adv;
      rec_o.last_ack_sent <= rec_i.last_ack_sent;
      rec_o.delack_at <= rec_i.delack_at;
      rec_o.rto_at <= rec_i.rto_at;
    end
    if (load_i || ack_i) begin
      rec_o.rtt_valid <= load_i ? rec_i.rtt_valid : ack_rec_i.rtt_valid;
      rec_o.fin_valid <= load_i ? rec_i.fin_valid : ack_rec_i.fin_valid;
      rec_o.rcv_edge <= load_i ? rec_i.rcv_edge : ack_rec_i.rcv_edge;
      rec_o.fin_seq <= load_i ? rec_i.fin_seq : ack_rec_i.fin_seq;
      rec_o.snd_una <= load_i ? rec_i.snd_una : ack_rec_i.snd_una;
      rec_o.max_snd_wnd <= load_i ? rec_i.max_snd_wnd : ack_rec_i.max_snd_wnd;
      rec_o.snd_wl1 <= load_i ? rec_i.snd_wl1 : ack_rec_i.snd_wl1;
      rec_o.snd_wl2 <= load_i ? rec_i.snd_wl2 : ack_rec_i.snd_wl2;
      rec_o.snd_wnd <= load_i ? rec_i.snd_wnd : ack_rec_i.snd_wnd;
      rec_o.srtt8 <= load_i ? rec_i.srtt8 : ack_rec_i.srtt8;
      rec_o.rttvar4 <= load_i ? rec_i.rttvar4 : ack_rec_i.rttvar4;
      rec_o.persisting <= load_i ? rec_i.persisting : ack_rec_i.persisting;
    end
    if (load_i || apply_i) begin
      rec_o.fin_sent <= load_i ? rec_i.fin_sent : apply_rec_i.fin_sent;
      rec_o.snd_max <= load_i ? rec_i.snd_max : apply_rec_i.snd_max;
      rec_o.timed_seq <= load_i ? rec_i.timed_seq : apply_rec_i.timed_seq;
      rec_o.timed_at <= load_i ? rec_i.timed_at : apply_rec_i.timed_at;
      rec_o.turn1 <= load_i ? rec_i.turn1 : apply_rec_i.turn1;
    end
    if (load_i || enter_i) begin
      rec_o.recover <= load_i ? rec_i.recover : enter_rec_i.recover;
      rec_o.ssthresh <= load_i ? rec_i.ssthresh : enter_rec_i.ssthresh;
    end
    if (load_i || event_i) begin
      rec_o.oow_on <= load_i ? rec_i.oow_on : event_rec_i.oow_on;
      rec_o.ts_valid <= load_i ? rec_i.ts_valid : event_rec_i.ts_valid;
      rec_o.fin_marked <= load_i ? rec_i.fin_marked : event_rec_i.fin_marked;
      rec_o.mss_rcv <= load_i ? rec_i.mss_rcv : event_rec_i.mss_rcv;
      rec_o.consumed <= load_i ? rec_i.consumed : event_rec_i.consumed;
      rec_o.ts_recent <= load_i ? rec_i.ts_recent : event_rec_i.ts_recent;
      rec_o.ts_age <= load_i ? rec_i.ts_age : event_rec_i.ts_age;
      rec_o.oow_at <= load_i ? rec_i.oow_at : event_rec_i.oow_at;
      rec_o.send_limit <= load_i ? rec_i.send_limit : event_rec_i.send_limit;
      rec_o.asked <= load_i ? rec_i.asked : event_rec_i.asked;
      rec_o.broken <= load_i ? rec_i.broken : event_rec_i.broken;
      rec_o.delack_on <= load_i ? rec_i.delack_on : event_rec_i.delack_on;
      rec_o.acks <= load_i ? rec_i.acks : event_rec_i.acks;
      rec_o.mode <= load_i ? rec_i.mode : event_rec_i.mode;
    end
    if (load_i || loss_i) begin
      rec_o.cc <= load_i ? rec_i.cc : loss_rec_i.cc;
    end
    if (load_i || enter_i || apply_i) begin
      rec_o.rescued <= load_i ? rec_i.rescued : enter_i ? enter_rec_i.rescued : apply_rec_i.rescued;
    end
    if (load_i || event_i || ack_i) begin
      rec_o.placing <= load_i ? rec_i.placing : event_i ? event_rec_i.placing : ack_rec_i.placing;
      rec_o.backoff <= load_i ? rec_i.backoff : event_i ? event_rec_i.backoff : ack_rec_i.backoff;
      rec_o.expiries <= load_i ? rec_i.expiries : event_i ? event_rec_i.expiries : ack_rec_i.expiries;
      rec_o.ack_owed <= load_i ? rec_i.ack_owed : event_i ? event_rec_i.ack_owed : ack_rec_i.ack_owed;
      rec_o.ack_now <= load_i ? rec_i.ack_now : event_i ? event_rec_i.ack_now : ack_rec_i.ack_now;
      rec_o.dsack <= load_i ? rec_i.dsack : event_i ? event_rec_i.dsack : ack_rec_i.dsack;
    end
    if (load_i || event_i || apply_i) begin
      rec_o.turns <= load_i ? rec_i.turns : event_i ? event_rec_i.turns : apply_rec_i.turns;
      rec_o.sws_override <= load_i ? rec_i.sws_override : event_i ? event_rec_i.sws_override : apply_rec_i.sws_override;
      rec_o.turn0 <= load_i ? rec_i.turn0 : event_i ? event_rec_i.turn0 : apply_rec_i.turn0;
    end
    if (load_i || event_i || loss_i) begin
      rec_o.rcv_nxt <= load_i ? rec_i.rcv_nxt : event_i ? event_rec_i.rcv_nxt : loss_rec_i.rcv_nxt;
    end
    if (load_i || loss_i || enter_i) begin
      rec_o.recovery <= load_i ? rec_i.recovery : loss_i ? loss_rec_i.recovery : enter_rec_i.recovery;
      rec_o.partial <= load_i ? rec_i.partial : loss_i ? loss_rec_i.partial : enter_rec_i.partial;
      rec_o.recover_valid <= load_i ? rec_i.recover_valid : loss_i ? loss_rec_i.recover_valid
                              : enter_rec_i.recover_valid;
      rec_o.cwnd <= load_i ? rec_i.cwnd : loss_i ? loss_rec_i.cwnd : enter_rec_i.cwnd;
    end
    if (load_i || event_i || ack_i || apply_i) begin
      rec_o.timing <= load_i ? rec_i.timing : event_i ? event_rec_i.timing
                       : ack_i ? ack_rec_i.timing : apply_rec_i.timing;
    end
    if (load_i || event_i || ack_i || loss_i) begin
      rec_o.dup_acks <= load_i ? rec_i.dup_acks : event_i ? event_rec_i.dup_acks
                         : ack_i ? ack_rec_i.dup_acks : loss_rec_i.dup_acks;
    end
    if (load_i || loss_i || enter_i || apply_i) begin
      rec_o.force_rxt <= load_i ? rec_i.force_rxt : loss_i ? loss_rec_i.force_rxt
                          : enter_i ? enter_rec_i.force_rxt : apply_rec_i.force_rxt;
    end
    if (load_i || ack_i || loss_i || enter_i || apply_i) begin
      rec_o.high_rxt <= load_i ? rec_i.high_rxt : ack_i ? ack_rec_i.high_rxt
                         : loss_i ? loss_rec_i.high_rxt : enter_i ? enter_rec_i.high_rxt : apply_rec_i.high_rxt;
    end
    if (load_i || event_i || ack_i || loss_i || apply_i) begin
      rec_o.state <= load_i ? rec_i.state : event_i ? event_rec_i.state : ack_i ? ack_rec_i.state
                      : loss_i ? loss_rec_i.state : apply_rec_i.state;
    end
    if (load_i) begin                         // as loaded; then the lists have them
      rec_o.held_count   <= rec_i.held_count;
      rec_o.sacked_count <= rec_i.sacked_count;
      rec_o.held         <= '0;
      rec_o.sacked       <= '0;
    end
  end

endmodule

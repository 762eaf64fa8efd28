// End of an event, first part: retransmission and persist timers (docs/tcp.md 3.6, 3.9).
//
// Contract: combinational.  would_i: a turn now would send; rto_i the timeout, or the persist interval when nothing is in flight.
// TCP-053, TCP-054, TCP-125, TCP-131.
module flue_tcp_arm
  import flue_tcp_pkg::*;
  import flue_tcp_step_pkg::*;
(
  input  tcp_rec_t    rec_i,
  input  tcp_way_t    way_i,
  input  logic [31:0] now_i,
  input  logic [31:0] rto_i,
  input  logic        would_i,

  output tcp_rec_t    rec_o
);

  logic        flying, queued, over, live;
  logic [31:0] later;

  assign flying = seq_lt(rec_i.snd_una, rec_i.snd_max);
  assign queued = seq_lt(rec_i.snd_max, rec_i.send_limit) || (rec_i.fin_marked && !rec_i.fin_sent);
  assign over   = ended_state(rec_i.state);
  assign live   = rec_i.mode == MODE_LIVE && !over;
  assign later  = now_i + rto_i;

  always_comb begin
    rec_o = rec_i;

    if (way_i.restart || (way_i.data && (rec_i.persisting || !rec_i.rto_on))) begin
      rec_o.rto_on     = flying;
      rec_o.rto_at     = flying ? later : rec_i.rto_at;
      rec_o.persisting = 1'b0;
      if (rec_i.persisting) rec_o.expiries = '0;
    end

    if (live) begin
      if (!flying && queued && !would_i) begin
        if (!rec_o.persisting) rec_o.expiries = '0;
        if (!rec_o.persisting || way_i.probed) rec_o.rto_at = later;
        rec_o.rto_on     = 1'b1;
        rec_o.persisting = 1'b1;
      end else if (rec_o.persisting) begin
        rec_o.rto_on     = 1'b0;
        rec_o.persisting = 1'b0;
        rec_o.expiries   = '0;
      end
      if (flying && !rec_o.rto_on) begin
        rec_o.rto_on = 1'b1;
        rec_o.rto_at = later;
      end
    end

    if (over) begin
      rec_o.rto_on     = 1'b0;
      rec_o.persisting = 1'b0;
    end
  end

endmodule

// Third step of a segment: duplicates, recovery, growth of the window (docs/tcp.md 3.2).
//
// Contract: combinational; the ranges of the SACK option are in the scoreboard.  cc_ack_o asks the congestion control, whose
// answer is used in the same step.  enter_o: fast recovery begins, in a step of its own (flue_tcp_enter).
// TCP-090 to TCP-096, TCP-125.
module flue_tcp_recover
  import flue_tcp_pkg::*;
  import flue_tcp_step_pkg::*;
(
  input  tcp_rec_t     rec_i,
  input  tcp_way_t     way_i,
  input  logic         sack_new_i,            // the segment reported bytes that were not known
  input  logic         lost_i,                // the scoreboard says that something is lost

  output logic         cc_ack_o,
  input  logic [31:0]  cc_cwnd_i,
  input  logic [127:0] cc_private_i,

  output tcp_rec_t     rec_o,
  output tcp_way_t     way_o,
  output logic         enter_o
);

  logic        covers, dup;
  logic [31:0] flight, floor, deflated;

  assign covers   = seq_le(rec_i.recover, rec_i.snd_una);
  assign flight   = rec_i.snd_max - rec_i.snd_una;
  assign floor    = (flight < 32'(rec_i.mss) ? 32'(rec_i.mss) : flight) + 32'(rec_i.mss);
  assign deflated = way_i.acked < rec_i.cwnd ? rec_i.cwnd - way_i.acked : '0;
  assign dup      = way_i.accepted && way_i.dup && (rec_i.sack ? sack_new_i : !way_i.wnd_changed);
  assign cc_ack_o = way_i.advanced && rec_i.recovery != REC_FAST;

  always_comb begin
    rec_o = rec_i;
    way_o = way_i;

    if (way_i.advanced) begin
      if (rec_i.recovery != REC_FAST) begin
        rec_o.cwnd = cc_cwnd_i;
        rec_o.cc   = cc_private_i;
        if (covers) rec_o.recovery = REC_OPEN;
      end else if (covers) begin
        rec_o.recovery = REC_OPEN;
        if (rec_i.sack) rec_o.cwnd = rec_i.ssthresh;
        else            rec_o.cwnd = rec_i.ssthresh < floor ? rec_i.ssthresh : floor;
      end else if (!rec_i.sack) begin
        rec_o.cwnd      = deflated + 32'(rec_i.mss);
        rec_o.high_rxt  = rec_i.snd_una;
        rec_o.force_rxt = 1'b1;
        rec_o.partial   = 1'b1;
        if (rec_i.partial) way_o.restart = 1'b0;
      end
    end else if (dup) begin
      if (rec_i.dup_acks != '1) rec_o.dup_acks = rec_i.dup_acks + 4'd1;
      if (rec_i.recovery == REC_FAST && !rec_i.sack) rec_o.cwnd = rec_i.cwnd + 32'(rec_i.mss);
    end

    if (way_i.accepted && rec_o.recovery == REC_OPEN &&
        (seq_lt(rec_i.recover, rec_i.snd_una) || (rec_i.sack && rec_i.recover == rec_i.snd_una)))
      rec_o.recover_valid = 1'b0;

    enter_o = way_i.accepted && rec_o.recovery == REC_OPEN && !rec_o.recover_valid &&
              (rec_o.dup_acks >= 4'd3 || (rec_i.sack && lost_i));
  end

endmodule

// Third step of a segment: duplicates, recovery, growth of the window (docs/tcp.md 3.2).
//
// Contract: the inputs stand for three cycles, in the third the answer is there.  The ranges of the SACK option are in the
// scoreboard.  cc_ack_o asks the congestion control, whose answer is used in the third cycle.  enter_o: fast recovery begins, in a step of its own (flue_tcp_enter).
// TCP-090 to TCP-096, TCP-125.
module flue_tcp_recover
  import flue_tcp_pkg::*;
  import flue_tcp_step_pkg::*;
(
  input  logic         clk,
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

  // ---- first and second cycle ----
  logic        covers_q, behind_q, same_q, dup, lost_q;
  logic [31:0] flight_q, floor_q, deflated_q, inflated_q;
  logic [32:0] less;

  assign less = {1'b0, rec_i.cwnd} - {1'b0, way_i.acked};

  always_ff @(posedge clk) begin
    covers_q   <= seq_le(rec_i.recover, rec_i.snd_una);
    behind_q   <= seq_lt(rec_i.recover, rec_i.snd_una);
    same_q     <= rec_i.recover == rec_i.snd_una;
    flight_q   <= rec_i.snd_max - rec_i.snd_una;
    floor_q    <= (flight_q < 32'(rec_i.mss) ? 32'(rec_i.mss) : flight_q) + 32'(rec_i.mss);
    deflated_q <= (less[32] ? '0 : less[31:0]) + 32'(rec_i.mss);
    inflated_q <= rec_i.cwnd + 32'(rec_i.mss);
    lost_q     <= lost_i;
  end

  // ---- third cycle ----
  assign dup      = way_i.accepted && way_i.dup && (rec_i.sack ? sack_new_i : !way_i.wnd_changed);
  assign cc_ack_o = way_i.advanced && rec_i.recovery != REC_FAST;

  always_comb begin
    rec_o = rec_i;
    way_o = way_i;

    if (way_i.advanced) begin
      if (rec_i.recovery != REC_FAST) begin
        rec_o.cwnd = cc_cwnd_i;
        rec_o.cc   = cc_private_i;
        if (covers_q) rec_o.recovery = REC_OPEN;
      end else if (covers_q) begin
        rec_o.recovery = REC_OPEN;
        if (rec_i.sack) rec_o.cwnd = rec_i.ssthresh;
        else            rec_o.cwnd = rec_i.ssthresh < floor_q ? rec_i.ssthresh : floor_q;
      end else if (!rec_i.sack) begin
        rec_o.cwnd      = deflated_q;
        rec_o.high_rxt  = rec_i.snd_una;
        rec_o.force_rxt = 1'b1;
        rec_o.partial   = 1'b1;
        if (rec_i.partial) way_o.restart = 1'b0;
      end
    end else if (dup) begin
      if (rec_i.dup_acks != '1) rec_o.dup_acks = rec_i.dup_acks + 4'd1;
      if (rec_i.recovery == REC_FAST && !rec_i.sack) rec_o.cwnd = inflated_q;
    end

    if (way_i.accepted && rec_o.recovery == REC_OPEN &&
        (behind_q || (rec_i.sack && same_q)))
      rec_o.recover_valid = 1'b0;

    enter_o = way_i.accepted && rec_o.recovery == REC_OPEN && !rec_o.recover_valid &&
              (rec_o.dup_acks >= 4'd3 || (rec_i.sack && lost_q));
  end

endmodule

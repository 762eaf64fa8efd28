// The beginning of a recovery: fast recovery, or that after a timeout (docs/tcp.md 3.2, 3.6).
//
// Contract: combinational; the congestion control gave the threshold.  TCP-093, TCP-094, TCP-126, TCP-128.
module flue_tcp_enter
  import flue_tcp_pkg::*;
  import flue_tcp_step_pkg::*;
(
  input  tcp_rec_t    rec_i,
  input  tcp_way_t    way_i,
  input  logic [31:0] ssthresh_i,

  output tcp_rec_t    rec_o
);

  always_comb begin
    rec_o               = rec_i;
    rec_o.recover       = rec_i.snd_max;
    rec_o.recover_valid = 1'b1;
    rec_o.high_rxt      = rec_i.snd_una;
    rec_o.force_rxt     = 1'b1;
    rec_o.partial       = 1'b0;
    if (way_i.rto) begin
      rec_o.recovery = REC_LOSS;
      rec_o.cwnd     = 32'(rec_i.mss);
      if (way_i.first) rec_o.ssthresh = ssthresh_i;
    end else begin
      rec_o.recovery = REC_FAST;
      rec_o.rescued  = 1'b0;
      rec_o.ssthresh = ssthresh_i;
      rec_o.cwnd     = ssthresh_i + (rec_i.sack ? '0 : {14'b0, rec_i.mss, 2'b0} - 32'(rec_i.mss));
    end
  end

endmodule

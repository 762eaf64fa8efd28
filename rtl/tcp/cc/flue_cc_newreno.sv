// Congestion control: NewReno (RFC 5681, appropriate byte counting with L = 1).
//
// Every file in this folder has these ports: events in, the window as it becomes out, with 128 private bits kept in the
// record.  The inputs stand for three cycles, in the third the answer is there.  A control that needs longer answers with
// event EV_CC.
//
// Contract: ack_i or loss_i or timeout_i.  An ACK that the window did not limit (2 * before_i < cwnd) changes nothing (TCP-146).
// loss_i: third duplicate or SACK; timeout_i: first expiry.
// TCP-093, TCP-128, TCP-141, TCP-142, TCP-147.
module flue_cc_newreno (
  input  logic         clk,
  input  logic         ack_i,
  input  logic [31:0]  acked_i,              // bytes newly acknowledged
  input  logic [31:0]  before_i,             // bytes in flight before
  input  logic         loss_i,
  input  logic         timeout_i,
  input  logic [31:0]  flight_i,             // bytes in flight, for loss and timeout
  input  logic [15:0]  mss_i,

  input  logic [31:0]  cwnd_i,
  input  logic [31:0]  ssthresh_i,
  input  logic [127:0] private_i,            // 31:0 bytes acknowledged towards the next segment

  output logic [31:0]  cwnd_o,
  output logic [31:0]  ssthresh_o,
  output logic [127:0] private_o
);

  localparam logic [31:0] CWND_MAX = 32'd1 << 30;

  logic        limited_q, slow_q, full_q;
  logic [31:0] step_q, grown_q, counted_q, half, least, threshold_q;
  logic [32:0] counted, over_q;              // towards the next segment; beyond the window

  assign counted = {1'b0, private_i[31:0]} + {1'b0, acked_i};
  assign half    = {1'b0, flight_i[31:1]};
  assign least   = {15'b0, mss_i, 1'b0};

  always_ff @(posedge clk) begin
    limited_q   <= {before_i, 1'b0} >= {1'b0, cwnd_i};
    slow_q      <= cwnd_i < ssthresh_i;
    counted_q   <= counted[31:0];
    over_q      <= counted - {1'b0, cwnd_i};
    full_q      <= counted >= {1'b0, cwnd_i};
    step_q      <= cwnd_i < ssthresh_i && acked_i < 32'(mss_i) ? acked_i : 32'(mss_i);
    grown_q     <= cwnd_i + step_q > CWND_MAX ? CWND_MAX : cwnd_i + step_q;
    threshold_q <= half > least ? half : least;
  end

  always_comb begin
    cwnd_o     = cwnd_i;
    private_o  = private_i;
    ssthresh_o = loss_i || timeout_i ? threshold_q : ssthresh_i;
    if (ack_i && limited_q) begin
      if (slow_q || full_q) cwnd_o = grown_q;
      if (!slow_q)          private_o[31:0] = full_q ? over_q[31:0] : counted_q;
    end
  end

endmodule

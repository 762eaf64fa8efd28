// Congestion control: NewReno (RFC 5681, appropriate byte counting with L = 1).
//
// Every file in this folder has these ports: events in, the window as it becomes out, all in one step, with 128
// private bits kept in the record.  A control that needs longer answers with event EV_CC.
//
// Contract: combinational; ack_i and loss_i may come together and count in this order.  An ACK that the window did not
// limit (2 * before_i < cwnd) changes nothing (TCP-146).  loss_i: third duplicate or SACK; timeout_i: first expiry.
// TCP-093, TCP-128, TCP-141, TCP-142, TCP-147.
module flue_cc_newreno (
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

  logic [32:0] counted;
  logic [31:0] step, grown, half, least;
  logic        limited;

  assign limited = {before_i, 1'b0} >= {1'b0, cwnd_i};
  assign counted = {1'b0, private_i[31:0]} + {1'b0, acked_i};
  assign grown   = cwnd_i + step > CWND_MAX ? CWND_MAX : cwnd_i + step;
  assign half    = {1'b0, flight_i[31:1]};
  assign least   = {15'b0, mss_i, 1'b0};

  always_comb begin
    step      = '0;
    private_o = private_i;
    if (ack_i && limited) begin
      if (cwnd_i < ssthresh_i) begin
        step = acked_i < 32'(mss_i) ? acked_i : 32'(mss_i);
      end else if (counted >= {1'b0, cwnd_i}) begin
        step            = 32'(mss_i);
        private_o[31:0] = 32'(counted - {1'b0, cwnd_i});
      end else begin
        private_o[31:0] = counted[31:0];
      end
    end
    cwnd_o     = grown;
    ssthresh_o = ssthresh_i;
    if (loss_i || timeout_i) ssthresh_o = half > least ? half : least;
  end

endmodule

// Retransmission timeout (RFC 6298) before back-off, and doubled (docs/tcp.md 3.6).
//
// Contract: the answer follows its inputs after three cycles; doublings_i after two.  TCP-120 to TCP-122.
module flue_tcp_rto
  import flue_tcp_pkg::*;
(
  input  logic        clk,
  input  tcp_rec_t    rec_i,
  input  tcp_cfg_t    cfg_i,
  input  logic [4:0]  doublings_i,          // above 12 counts as 12
  output logic [31:0] rto_o
);

  localparam logic [31:0] NO_SAMPLE_US   = 32'd1000000;
  localparam logic [27:0] GRANULARITY_US = 28'd1000;

  logic [31:0] exact_q, base_q;            // before back-off
  logic [3:0]  shift_q;
  logic [43:0] doubled_q;

  always_ff @(posedge clk) begin
    exact_q <= {6'b0, rec_i.srtt8[28:3]} +
               {4'b0, rec_i.rttvar4 < GRANULARITY_US ? GRANULARITY_US : rec_i.rttvar4};
    if (!rec_i.rtt_valid)                base_q <= NO_SAMPLE_US;
    else if (exact_q > cfg_i.rto_max_us) base_q <= cfg_i.rto_max_us;
    else if (exact_q < cfg_i.rto_min_us) base_q <= cfg_i.rto_min_us;
    else                                 base_q <= exact_q;
    shift_q   <= doublings_i > 5'd12 ? 4'd12 : doublings_i[3:0];
    doubled_q <= {12'b0, base_q} << shift_q;
  end

  assign rto_o = doubled_q > {12'b0, cfg_i.rto_max_us} ? cfg_i.rto_max_us : doubled_q[31:0];

endmodule

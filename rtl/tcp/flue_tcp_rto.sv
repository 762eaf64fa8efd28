// Retransmission timeout (RFC 6298) before back-off, and doubled (docs/tcp.md 3.6).
//
// Contract: combinational, two independent halves: the caller registers the first between them.  TCP-120 to TCP-122.
module flue_tcp_rto
  import flue_tcp_pkg::*;
(
  input  tcp_rec_t    rec_i,
  input  tcp_cfg_t    cfg_i,
  output logic [31:0] base_o,

  input  logic [31:0] base_i,
  input  logic [4:0]  doublings_i,          // above 12 counts as 12
  output logic [31:0] rto_o
);

  localparam logic [31:0] NO_SAMPLE_US   = 32'd1000000;
  localparam logic [27:0] GRANULARITY_US = 28'd1000;

  logic [31:0] exact;
  assign exact = {6'b0, rec_i.srtt8[28:3]} +
                 {4'b0, rec_i.rttvar4 < GRANULARITY_US ? GRANULARITY_US : rec_i.rttvar4};

  always_comb begin
    base_o = exact;
    if (exact < cfg_i.rto_min_us) base_o = cfg_i.rto_min_us;
    if (exact > cfg_i.rto_max_us) base_o = cfg_i.rto_max_us;
    if (!rec_i.rtt_valid)         base_o = NO_SAMPLE_US;
  end

  logic [43:0] doubled;
  assign doubled = {12'b0, base_i} << (doublings_i > 5'd12 ? 5'd12 : doublings_i);
  assign rto_o   = doubled > {12'b0, cfg_i.rto_max_us} ? cfg_i.rto_max_us : doubled[31:0];

endmodule

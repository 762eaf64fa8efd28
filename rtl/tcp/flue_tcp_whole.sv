// How much of a length whole segments make up: len rounded down to a multiple of mss, one bit of the quotient a cycle.
//
// Contract: start_i when !busy_o; whole_o stands when busy_o is low again.  mss is not 0.
// Latency: 12 cycles (mss of 52 bytes and more).
module flue_tcp_whole (
  input  logic        clk,
  input  logic        rst,
  input  logic        start_i,
  input  logic [16:0] len_i,
  input  logic [15:0] mss_i,
  output logic        busy_o,
  output logic [16:0] whole_o
);

  localparam int BITS = 12;

  logic [15+BITS-1:0] part_q;
  logic [BITS-1:0]    step_q;
  logic [16:0]        rest_q, len_q;
  logic [17:0]        less;

  assign less    = {1'b0, rest_q} - {1'b0, part_q[16:0]};
  assign busy_o  = step_q != '0;
  assign whole_o = len_q - rest_q;

  always_ff @(posedge clk) begin
    if (busy_o) begin
      part_q <= part_q >> 1;
      step_q <= step_q >> 1;
      if (part_q[15+BITS-1:17] == '0 && !less[17]) rest_q <= less[16:0];
    end else if (start_i) begin
      part_q <= {mss_i, (BITS-1)'(0)};
      step_q <= '1;
      rest_q <= len_i;
      len_q  <= len_i;
    end
    if (rst) step_q <= '0;
  end

endmodule

// Milliseconds of protocol time, without a division: counted up behind time_us_i, which may jump.
//
// Contract: while valid_o is high, ms_o is time_us_i / 1000 of a cycle ago rounded down, modulo 2^32.  It is low for three cycles
//   after each millisecond, and after a jump for two cycles for each doubling of 1 ms in it (44 after an hour).
//   time_us_i never goes back and stays below 2^48 (8.9 years).
// Cost: 290 COMB: two additions and a subtraction of 48 bits.
module flue_tcp_clock (
  input  logic        clk,
  input  logic        rst,

  input  logic [63:0] time_us_i,
  output logic [31:0] ms_o,
  output logic        valid_o
);

  localparam int T = 48;
  localparam int U = T - 8;               // 1000 << U is beyond 2^T

  logic [T-1:0] base_q;                   // 1000 x milliseconds counted
  logic [T+1:0] step_q;                   // 1000 * unit_q
  logic [U-1:0] unit_q;                   // a power of two
  logic         down_q;                   // the steps become smaller
  logic [T-1:0] behind;
  logic         fits;

  assign behind  = time_us_i[T-1:0] - base_q;
  assign fits    = {2'b0, behind} >= step_q;

  // Steps double while they fit, then halve to a single millisecond.
  always_ff @(posedge clk) begin
    valid_o <= !fits && unit_q[0];
    if (fits) begin
      base_q <= base_q + step_q[T-1:0];
      ms_o   <= ms_o + unit_q[31:0];
    end
    if (fits && !down_q) begin
      step_q <= step_q << 1;
      unit_q <= unit_q << 1;
    end else begin
      down_q <= !unit_q[0];
      if (!unit_q[0]) begin
        step_q <= step_q >> 1;
        unit_q <= unit_q >> 1;
      end
    end
    if (rst) begin
      base_q  <= '0;
      ms_o    <= '0;
      step_q  <= (T+2)'(1000);
      unit_q  <= U'(1);
      down_q  <= 1'b0;
      valid_o <= 1'b0;
    end
  end

  logic unused;
  assign unused = &{1'b0, time_us_i[63:T]};

endmodule

// Two bits of an ECP5 carry chain: each a table of four inputs for propagate, its quarter of the lower two for generate.
module CCU2C #(
  parameter [15:0] INIT0 = 0, INIT1 = 0,
  parameter INJECT1_0 = "YES", INJECT1_1 = "YES"
) (
  input  CIN, A0, B0, C0, D0, A1, B1, C1, D1,
  output S0, S1, COUT
);

  localparam JOIN0 = INJECT1_0 != "YES", JOIN1 = INJECT1_1 != "YES";   // the carry counts

  wire t0 = INIT0[{D0, C0, B0, A0}];
  wire t1 = INIT1[{D1, C1, B1, A1}];
  wire g0 = JOIN0 && INIT0[{2'b0, B0, A0}];
  wire g1 = JOIN1 && INIT1[{2'b0, B1, A1}];
  wire middle = t0 ? CIN : g0;

  assign S0   = t0 ^ (JOIN0 & CIN);
  assign S1   = t1 ^ (JOIN1 & middle);
  assign COUT = t1 ? middle : g1;

endmodule

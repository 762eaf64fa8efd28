// Flip-flop of the ECP5 with synchronous set or reset, as Yosys maps to it.  Its first value is random: nothing may rely on one.
module TRELLIS_FF #(
  parameter GSR = "DISABLED", CEMUX = "1", CLKMUX = "CLK", LSRMUX = "LSR", SRMODE = "LSR_OVER_CE", REGSET = "RESET"
) (
  input      CLK, LSR, CE, DI,
  output reg Q
);

  initial if (CLKMUX != "CLK" || SRMODE != "LSR_OVER_CE") begin
    $display("%m: a mode of TRELLIS_FF that the model does not know");
    $stop;
  end

  wire enable = CEMUX == "1" ? 1'b1 : CEMUX == "INV" ? !CE : CE;
  wire reset  = LSRMUX == "INV" ? !LSR : LSR;

  always @(posedge CLK)
    if (reset)       Q <= REGSET == "SET";
    else if (enable) Q <= DI;

endmodule

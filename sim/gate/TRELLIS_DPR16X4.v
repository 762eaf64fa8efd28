// LUT memory of the ECP5: 16 rows of 4 bits, written with the clock, read at once.  Contents are random at the beginning.
module TRELLIS_DPR16X4 #(
  parameter [63:0] INITVAL = 0,
  parameter WCKMUX = "WCK", WREMUX = "WRE"
) (
  input  [3:0] DI, WAD, RAD,
  input        WRE, WCK,
  output [3:0] DO
);

  initial if (WCKMUX != "WCK") begin
    $display("%m: a mode of TRELLIS_DPR16X4 that the model does not know");
    $stop;
  end

  reg [3:0] mem [0:15];

  always @(posedge WCK)
    if (WREMUX == "INV" ? !WRE : WRE) mem[WAD] <= DI;

  assign DO = mem[RAD];

endmodule

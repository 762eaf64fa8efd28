// Multiplexer of the ECP5 behind two PFUMX or two of itself.
module L6MUX21 (
  input  D0, D1, SD,
  output Z
);

  assign Z = SD ? D1 : D0;

endmodule

// Multiplexer of the ECP5 behind two tables.
module PFUMX (
  input  ALUT, BLUT, C0,
  output Z
);

  assign Z = C0 ? ALUT : BLUT;

endmodule

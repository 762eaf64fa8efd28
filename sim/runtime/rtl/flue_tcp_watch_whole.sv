// A record as the 68 words of the firmware's view: it holds them all.
module flue_tcp_watch_record
  import flue_tcp_pkg::*;
(
  input  logic [INDEX_W-1:0] index_i,
  input  tcp_rec_t           rec_i,
  output logic [68*32-1:0]   words_o
);

  logic unused;
  assign unused  = &{1'b0, index_i};
  assign words_o = rec_i;

endmodule

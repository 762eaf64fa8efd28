// A record as the 68 words of the firmware's view: the ranges of the peer lie in the scoreboard.
module flue_tcp_watch_record
  import flue_tcp_pkg::*;
(
  input  logic [INDEX_W-1:0] index_i,
  input  tcp_rec_t           rec_i,
  output logic [68*32-1:0]   words_o
);

  localparam int BEHIND = 14 * 32;             // words of the record behind the ranges

  tcp_range_t [SACKED-1:0] sacked;
  logic [9:0]              at;
  assign at = {index_i[6:0], 3'd0};

  always_comb
    for (int i = 0; i < SACKED; i++) begin
      sacked[i].left  = u_engine.u_rules.u_send.u_scoreboard.u_left.mem[at + 10'(i)][31:0];
      sacked[i].right = u_engine.u_rules.u_send.u_scoreboard.u_right.mem[at + 10'(i)][31:0];
    end
  assign words_o = {rec_i[$bits(tcp_rec_t)-1:BEHIND], sacked, rec_i[BEHIND-1:0]};

endmodule

// Third step of every event, the receive side: RCV.NXT and the peer's FIN (docs/tcp.md 3.9).
//
// Contract: the inputs stand for three cycles, in the third the answer is there.  TCP-041, TCP-202.
module flue_tcp_progress
  import flue_tcp_pkg::*;
  import flue_tcp_step_pkg::*;
(
  input  logic        clk,
  input  tcp_rec_t    rec_i,
  input  tcp_way_t    way_i,

  output tcp_rec_t    rec_o,
  output tcp_way_t    way_o
);

  logic        placed;                     // everything up to rcv_edge
  logic [31:0] end_q, nxt_q;
  logic        reached_q;

  assign placed = rec_i.placing == '0 && !rec_i.broken;

  always_ff @(posedge clk) begin
    end_q     <= rec_i.fin_seq + 32'd1;
    nxt_q     <= placed ? rec_i.rcv_edge : rec_i.rcv_nxt;
    reached_q <= rec_i.fin_valid && receiving(rec_i.state) && nxt_q == end_q;
  end

  always_comb begin
    rec_o = rec_i;
    way_o = way_i;

    rec_o.rcv_nxt = nxt_q;
    if (reached_q) begin
      way_o.ended = END_FIN;
      unique case (rec_i.state)
        TCP_ESTABLISHED: rec_o.state = TCP_CLOSE_WAIT;
        TCP_FIN_WAIT1:   rec_o.state = TCP_CLOSING;
        default:         rec_o.state = TCP_TIME_WAIT;
      endcase
    end
  end

endmodule

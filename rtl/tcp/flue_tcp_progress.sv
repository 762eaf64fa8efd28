// Third step of every event, the receive side: RCV.NXT and the peer's FIN (docs/tcp.md 3.9).
//
// Contract: combinational.  TCP-041, TCP-202.
module flue_tcp_progress
  import flue_tcp_pkg::*;
  import flue_tcp_step_pkg::*;
(
  input  tcp_rec_t    rec_i,
  input  tcp_way_t    way_i,

  output tcp_rec_t    rec_o,
  output tcp_way_t    way_o
);

  always_comb begin
    rec_o = rec_i;
    way_o = way_i;

    if (rec_i.placing == '0 && !rec_i.broken) rec_o.rcv_nxt = rec_i.rcv_edge;
    if (rec_i.fin_valid && receiving(rec_i.state) && rec_o.rcv_nxt == rec_i.fin_seq + 32'd1) begin
      way_o.ended = END_FIN;
      unique case (rec_i.state)
        TCP_ESTABLISHED: rec_o.state = TCP_CLOSE_WAIT;
        TCP_FIN_WAIT1:   rec_o.state = TCP_CLOSING;
        default:         rec_o.state = TCP_TIME_WAIT;
      endcase
    end
  end

endmodule

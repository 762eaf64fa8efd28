// Third step of every event, the receive side: RCV.NXT, the peer's FIN, a duplicate that lost its range (docs/tcp.md 3.9).
//
// Contract: combinational; front_i is the newest held range.  TCP-041, TCP-076, TCP-202.
module flue_tcp_progress
  import flue_tcp_pkg::*;
  import flue_tcp_step_pkg::*;
(
  input  tcp_rec_t    rec_i,
  input  tcp_way_t    way_i,
  input  logic        held_i,
  input  tcp_range_t  front_i,

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

    if (rec_i.dsack.left != rec_i.dsack.right && seq_le(rec_i.rcv_edge, rec_i.dsack.left) &&
        !(held_i && seq_le(front_i.left, rec_i.dsack.left) && seq_le(rec_i.dsack.right, front_i.right)))
      rec_o.dsack = '0;
  end

endmodule

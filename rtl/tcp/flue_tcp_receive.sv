// Second step of a segment, its payload: in order, out of order or known; the FIN (docs/tcp.md 3.1 steps 11 and 12).
//
// Contract: combinational; the held ranges were compared with the payload if there were any (met_i), count_i is what is
// left of them.  push_o puts the union in front of the list.  TCP-023, TCP-041, TCP-042, TCP-060, TCP-061, TCP-203.
module flue_tcp_receive
  import flue_tcp_pkg::*;
  import flue_tcp_step_pkg::*;
(
  input  tcp_rec_t    rec_i,
  input  tcp_way_t    way_i,

  input  logic        met_i,
  input  logic [2:0]  count_i,
  input  logic        touched_i,
  input  logic        contained_i,
  input  tcp_range_t  union_i,
  input  logic        overlap_i,
  input  tcp_range_t  overlap_range_i,
  input  logic        above_i,

  output tcp_rec_t    rec_o,
  output tcp_way_t    way_o,
  output logic        push_o
);

  logic        dropped, fin;
  logic [17:0] owed;
  logic [31:0] reached;                    // rcv_edge with this payload

  always_comb begin
    rec_o   = rec_i;
    way_o   = way_i;
    push_o  = 1'b0;
    dropped = 1'b0;
    reached = rec_i.rcv_edge;
    owed    = 18'(rec_i.ack_owed);

    if (way_i.bytes) begin
      if (way_i.order) begin
        way_o.place = 1'b1;
        reached     = met_i && touched_i ? union_i.right : way_i.right;
        owed        = 18'(rec_i.ack_owed) + 18'(17'(way_i.right - way_i.left));
        if (met_i || owed >= {1'b0, rec_i.mss_rcv, 1'b0}) rec_o.ack_now = 1'b1;
      end else if (contained_i && met_i) begin
        way_o.reason  = R_OLD;
        push_o        = 1'b1;
        rec_o.ack_now = 1'b1;
      end else if (count_i == 3'(HELD)) begin
        way_o.reason  = R_NO_INTERVAL;
        dropped       = 1'b1;
        rec_o.ack_now = 1'b1;
      end else begin
        way_o.place   = 1'b1;
        way_o.reason  = R_OUT_OF_ORDER;
        push_o        = 1'b1;
        rec_o.ack_now = 1'b1;
      end
    end
    rec_o.ack_owed = owed[17] ? '1 : owed[16:0];

    if (met_i && way_i.bytes && overlap_i && !way_i.left_cut) begin
      rec_o.ack_now = 1'b1;
      if (rec_i.sack) rec_o.dsack = overlap_range_i;
    end

    fin = way_i.fin && !dropped && !(met_i && above_i);
    if (fin) begin
      rec_o.fin_valid = 1'b1;
      rec_o.fin_seq   = way_i.fin_at;
      rec_o.ack_now   = 1'b1;
    end

    rec_o.rcv_edge = reached;
    if ((way_i.bytes || fin) && rec_o.fin_valid && reached == rec_o.fin_seq) begin
      rec_o.rcv_edge = reached + 32'd1;
      rec_o.ack_now  = 1'b1;
    end

    if (way_o.place) rec_o.placing = rec_i.placing + 6'd1;
  end

endmodule

// Second step of a segment, its payload: in order, out of order or known; the FIN (docs/tcp.md 3.1 steps 11 and 12).
//
// Contract: the inputs stand for three cycles, in the third the answer is there (rec_i changes it without a cycle in what the
// payload leaves alone).  The held ranges were compared with the payload if there were any (met_i), count_i is what is left
// of them.  push_o puts the union in front of the list.  TCP-023, TCP-041, TCP-042, TCP-060, TCP-061, TCP-203.
module flue_tcp_receive
  import flue_tcp_pkg::*;
  import flue_tcp_step_pkg::*;
(
  input  logic        clk,
  input  tcp_rec_t    rec_i,                 // as flue_tcp_ack leaves it
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

  // ---- first cycle: what becomes of the payload ----
  typedef enum logic [2:0] { T_NONE, T_ORDER, T_KNOWN, T_FULL, T_HELD } taken_e;
  taken_e      taken, taken_q;
  logic        fin, fin_q;
  logic [16:0] len_q;
  logic [31:0] reached_q, fin_at_q;        // rcv_edge with this payload; FIN that is known then

  always_comb begin
    taken = T_NONE;
    if (way_i.bytes) begin
      if (way_i.order)                  taken = T_ORDER;
      else if (contained_i && met_i)    taken = T_KNOWN;
      else if (count_i == 3'(HELD))     taken = T_FULL;
      else                              taken = T_HELD;
    end
    fin = way_i.fin && taken != T_FULL && !(met_i && above_i);
  end

  always_ff @(posedge clk) begin
    taken_q   <= taken;
    fin_q     <= fin;
    len_q     <= 17'(way_i.right - way_i.left);
    reached_q <= taken != T_ORDER ? rec_i.rcv_edge : met_i && touched_i ? union_i.right : way_i.right;
    fin_at_q  <= fin ? way_i.fin_at : rec_i.fin_seq;
  end

  // ---- second cycle ----
  logic [17:0] owed, owed_q;
  logic [31:0] behind_q;
  logic        enough_q, closes_q;

  assign owed = 18'(rec_i.ack_owed) + (taken_q == T_ORDER ? {1'b0, len_q} : '0);

  always_ff @(posedge clk) begin
    owed_q   <= owed;
    enough_q <= owed >= {1'b0, rec_i.mss_rcv, 1'b0};
    behind_q <= reached_q + 32'd1;
    closes_q <= reached_q == fin_at_q && (way_i.bytes || fin_q) && (rec_i.fin_valid || fin_q);
  end

  // ---- third cycle ----
  always_comb begin
    rec_o = rec_i;
    way_o = way_i;

    unique case (taken_q)
      T_ORDER: way_o.place  = 1'b1;
      T_KNOWN: way_o.reason = R_OLD;
      T_FULL:  way_o.reason = R_NO_INTERVAL;
      T_HELD: begin
        way_o.place  = 1'b1;
        way_o.reason = R_OUT_OF_ORDER;
      end
      default: ;
    endcase
    push_o = taken_q == T_KNOWN || taken_q == T_HELD;

    if (taken_q inside {T_KNOWN, T_FULL, T_HELD} || (taken_q == T_ORDER && (met_i || enough_q)) || fin_q || closes_q)
      rec_o.ack_now = 1'b1;
    rec_o.ack_owed = owed_q[17] ? '1 : owed_q[16:0];

    if (met_i && way_i.bytes && overlap_i && !way_i.left_cut) begin
      rec_o.ack_now = 1'b1;
      if (rec_i.sack) rec_o.dsack = overlap_range_i;
    end

    if (fin_q) begin
      rec_o.fin_valid = 1'b1;
      rec_o.fin_seq   = way_i.fin_at;
    end
    rec_o.rcv_edge = closes_q ? behind_q : reached_q;
    if (way_o.place) rec_o.placing = rec_i.placing + 6'd1;
  end

endmodule

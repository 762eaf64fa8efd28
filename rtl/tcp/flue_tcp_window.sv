// The window we announce, in two steps (docs/tcp.md 3.5).
//
// Contract: edge_o is where the window may reach, registered by the caller into edge_i; then from the scaled field: how far it
// reaches from rcv_nxt (reach_o), whether the ACK number must lie below rcv_nxt so that neither edge nor memory rule is broken
// (lower_o), and whether it opens.  TCP-044 to TCP-046, TCP-170.
module flue_tcp_window
  import flue_tcp_pkg::*;
(
  input  tcp_rec_t    rec_i,
  output logic [31:0] edge_o,

  input  logic [31:0] edge_i,
  output logic [31:0] reach_o,
  output logic        lower_o,
  output logic        opens_o,              // beyond what was announced
  output logic        worth_o               // by enough for an update of its own
);

  // ---- silly-window avoidance ----
  logic [31:0] limit, gain, step;
  assign limit = rec_i.consumed + 32'(rec_i.rcv_buf);
  assign gain  = limit - rec_i.rcv_adv;
  assign step  = {7'b0, rec_i.rcv_buf[25:1]} < 32'(rec_i.mss_rcv) ? {7'b0, rec_i.rcv_buf[25:1]} : 32'(rec_i.mss_rcv);
  assign edge_o = seq_le(step, gain) || (rec_i.consumed == rec_i.rcv_nxt && !gain[31]) ? limit : rec_i.rcv_adv;

  // ---- what the field can say ----
  logic [31:0] mask, most, open, cut, known, up, room, worthy;
  logic        short;
  assign mask  = (32'd1 << rec_i.rcv_scale) - 32'd1;
  assign most  = 32'h0000_FFFF << rec_i.rcv_scale;
  assign open  = edge_i - rec_i.rcv_nxt;
  assign cut   = open > (most | mask) ? most : open & ~mask;
  assign known = rec_i.rcv_adv - rec_i.rcv_nxt;
  assign short = cut < known;
  assign up    = (known + mask) & ~mask;
  assign room  = limit - rec_i.rcv_nxt;

  assign reach_o = short ? up : cut;
  assign lower_o = short && !seq_le(up, room);
  assign opens_o = reach_o > known && !lower_o;

  assign worthy  = {15'b0, rec_i.mss_rcv, 1'b0} > {8'b0, rec_i.rcv_buf[25:2]} ? {15'b0, rec_i.mss_rcv, 1'b0}
                                                                             : {8'b0, rec_i.rcv_buf[25:2]};
  assign worth_o = known < 32'(rec_i.mss_rcv) || seq_le(worthy, gain);

endmodule

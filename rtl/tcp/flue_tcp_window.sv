// The window we announce, in three steps (docs/tcp.md 3.5).
//
// Contract: edge_o is where the window may reach, registered by the caller into edge_i; then from the scaled field: how far it
// reaches from rcv_nxt (reach_o), whether the ACK number must lie below rcv_nxt so that neither edge nor memory rule is broken
// (lower_o).  TCP-044 to TCP-046, TCP-170.
module flue_tcp_window
  import flue_tcp_pkg::*;
  import flue_tcp_step_pkg::*;
(
  input  tcp_rec_t    rec_i,
  output logic [31:0] edge_o,

  input  logic [31:0] edge_i,
  input  logic        over_i,               // nothing more can arrive: the edge may go beyond the buffer
  output logic [31:0] reach_o,
  output logic        lower_o,
  output logic [31:0] number_o,             // the ACK number

  input  logic [31:0] reach_i,              // the three, registered
  input  logic        lower_i,
  input  logic [31:0] number_i,
  output logic        update_o              // worth a segment of its own after a doorbell
);

  // ---- silly-window avoidance; a 32nd of the buffer is kept for rounding up ----
  logic [31:0] limit, full, gain, step;
  assign limit = rec_i.consumed + 32'(rec_i.rcv_buf);
  assign full  = limit - {11'b0, rec_i.rcv_buf[25:5]};
  assign gain  = full - rec_i.rcv_adv;
  assign step  = {7'b0, rec_i.rcv_buf[25:1]} < 32'(rec_i.mss_rcv) ? {7'b0, rec_i.rcv_buf[25:1]} : 32'(rec_i.mss_rcv);
  assign edge_o = !gain[31] && (gain >= step || rec_i.consumed == rec_i.rcv_nxt) ? full : rec_i.rcv_adv;

  // ---- what the field can say ----
  logic [31:0] mask, most, open, cut, known, up, room;
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
  assign lower_o = short && !seq_le(up, room) && !over_i;

  // ---- an update of its own: the window opens by enough, or a lowered ACK number can be made good ----
  logic [31:0] most_mss, quarter, worthy, more;
  assign most_mss = {15'b0, rec_i.mss_rcv, 1'b0};
  assign quarter  = {8'b0, rec_i.rcv_buf[25:2]};
  assign worthy   = most_mss > quarter ? most_mss : quarter;
  assign number_o = lower_o ? rec_i.rcv_adv - reach_o : rec_i.rcv_nxt;
  assign more     = lower_i ? '0 : reach_i - known;
  assign update_o = (receiving(rec_i.state) && more != '0 && (known < 32'(rec_i.mss_rcv) || more >= worthy)) ||
                    (rec_i.placing == '0 && rec_i.ack_owed == '0 && seq_lt(rec_i.last_ack_sent, number_i));

endmodule

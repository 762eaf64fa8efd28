// The window we announce (docs/tcp.md 3.5).
//
// Contract: the answer follows its inputs after five cycles.  Whole units of the field are announced, never less than before: where
//   the field can not say the edge, the ACK number lies below rcv_nxt (window_o.number) so that neither edge nor memory rule is
//   broken.  over_i: nothing more can arrive, the edge may go beyond the buffer.
// Cost: 640 COMB, most of it carry chains.
// TCP-044 to TCP-046, TCP-170.
module flue_tcp_window
  import flue_tcp_pkg::*;
  import flue_tcp_step_pkg::*;
(
  input  logic        clk,
  input  tcp_rec_t    rec_i,
  input  logic        over_i,
  output tcp_window_t window_o
);

  // ---- first and second cycle: silly-window avoidance; a 32nd of the buffer is kept for rounding up ----
  logic [31:0] limit_q, known_q, step_q, full, full_q, gain_q, room_q, up_q, mask, most;
  logic        all_q;

  assign mask = (32'd1 << rec_i.rcv_scale) - 32'd1;
  assign most = 32'h0000_FFFF << rec_i.rcv_scale;
  assign full = limit_q - {11'b0, rec_i.rcv_buf[25:5]};

  always_ff @(posedge clk) begin
    limit_q <= rec_i.consumed + 32'(rec_i.rcv_buf);
    known_q <= rec_i.rcv_adv - rec_i.rcv_nxt;
    step_q  <= {7'b0, rec_i.rcv_buf[25:1]} < 32'(rec_i.mss_rcv) ? {7'b0, rec_i.rcv_buf[25:1]} : 32'(rec_i.mss_rcv);
    all_q   <= rec_i.consumed == rec_i.rcv_nxt;
    full_q  <= full;
    gain_q  <= full - rec_i.rcv_adv;
    room_q  <= limit_q - rec_i.rcv_nxt;
    up_q    <= (known_q + mask) & ~mask;
  end

  // ---- third cycle: where the window may reach ----
  logic [31:0] open_q;
  logic        fits_q;                      // the known edge rounded up

  always_ff @(posedge clk) begin
    open_q <= (!gain_q[31] && (gain_q >= step_q || all_q) ? full_q : rec_i.rcv_adv) - rec_i.rcv_nxt;
    fits_q <= seq_le(up_q, room_q) || over_i;
  end

  // ---- fourth cycle: what the field can say ----
  logic [31:0] cut, reach_q;
  logic        over, short, lower_q;
  assign over  = open_q > (most | mask);
  assign cut   = over ? most : open_q & ~mask;
  assign short = over ? most < known_q : (open_q & ~mask) < known_q;

  always_ff @(posedge clk) begin
    reach_q <= short ? up_q : cut;
    lower_q <= short && !fits_q;
  end

  // ---- fifth cycle ----
  always_ff @(posedge clk) begin
    window_o.reach  <= reach_q;
    window_o.number <= lower_q ? rec_i.rcv_adv - reach_q : rec_i.rcv_nxt;
    window_o.told   <= lower_q ? rec_i.rcv_adv : rec_i.rcv_nxt + reach_q;
    window_o.more   <= lower_q ? '0 : reach_q - known_q;
    window_o.narrow <= known_q < 32'(rec_i.mss_rcv);
  end

endmodule

// What is lost, where retransmission goes on, and the size of a segment now (docs/tcp.md 3.3, 3.4).
//
// Contract: the inputs stand for two cycles, in the second the answer is there.  edge_i is the loss edge that the scoreboard gives, first_i its lowest range; count_i ranges.
// TCP-097, TCP-190.
module flue_tcp_flight
  import flue_tcp_pkg::*;
(
  input  logic        clk,
  input  tcp_rec_t    rec_i,
  input  logic        some_i,               // the scoreboard is not empty
  input  logic [31:0] first_i,
  input  logic [31:0] edge_i,
  input  logic [31:0] sacked_i,             // bytes in the ranges of the scoreboard
  input  logic [2:0]  held_i,               // held ranges
  input  tcp_range_t  newest_i,             // the first of them
  input  logic        leaving_i,            // a segment of this event takes the duplicate along

  output logic [31:0] edge_o,
  output logic [31:0] clear_o,              // sacked_i less the bytes in flight
  output logic [31:0] offered_o,            // new bytes that the peer's window and the send ring have, may be negative
  output logic [31:0] queued_o,             // new bytes that the send ring has, -1 with the FIN sent
  output logic        fin_o,                // nothing but our FIN is left to send, and it may go
  output logic [31:0] cursor_o,             // first byte that may be retransmitted
  output logic [15:0] mss_now_o,
  output logic [2:0]  blocks_o,             // SACK blocks of a segment that leaves now
  output logic        dsack_o               // the first of them is the duplicate
);

  // ---- first cycle ----
  logic [31:0] one, flight_q, window_q, queued_q, one_q, cursor_q;   // one: end of the first segment in flight
  logic        same_q, first_lost_q, dsack_q, leaving_q;

  assign one = rec_i.snd_una + 32'(rec_i.mss);

  always_ff @(posedge clk) begin
    flight_q     <= rec_i.snd_max - rec_i.snd_una;
    window_q     <= rec_i.snd_una + rec_i.snd_wnd;
    queued_q     <= rec_i.send_limit - rec_i.snd_max;
    same_q       <= rec_i.send_limit == rec_i.snd_max;
    cursor_q     <= seq_max(rec_i.high_rxt, rec_i.snd_una);
    one_q        <= seq_min(one, rec_i.sack ? first_i : rec_i.recover);
    first_lost_q <= seq_le(rec_i.high_rxt, rec_i.snd_una);
    leaving_q    <= leaving_i;
    // A duplicate above rcv_edge is reported only with its range behind it (TCP-076).
    dsack_q      <= rec_i.dsack.left != rec_i.dsack.right &&
                    (seq_lt(rec_i.dsack.left, rec_i.rcv_edge) ||
                     (held_i != '0 && seq_le(newest_i.left, rec_i.dsack.left) &&
                      seq_le(rec_i.dsack.right, newest_i.right)));
  end

  // ---- second cycle ----
  always_comb begin
    edge_o = rec_i.snd_una;
    if (rec_i.recovery == REC_LOSS) begin
      edge_o = rec_i.recover;
    end else if (!rec_i.sack) begin
      if (rec_i.recovery == REC_FAST && first_lost_q) edge_o = one_q;
    end else if (some_i) begin
      edge_o = edge_i;
      if (rec_i.recovery == REC_FAST && rec_i.dup_acks >= 4'd3) edge_o = seq_max(edge_i, one_q);
    end
  end

  assign clear_o   = sacked_i - flight_q;
  assign queued_o  = queued_q;
  assign offered_o = seq_min(rec_i.send_limit, window_q) - rec_i.snd_max;
  assign fin_o     = rec_i.fin_marked && !rec_i.fin_sent && same_q && seq_lt(rec_i.send_limit, window_q);
  assign cursor_o  = cursor_q;
  assign dsack_o   = dsack_q;

  function automatic logic [2:0] some_of(input logic [2:0] n, input logic [2:0] most, input logic sack);
    return !sack ? '0 : n > most ? most : n;
  endfunction

  logic [2:0] room, later;                  // blocks that fit; of a segment after this event
  assign room      = rec_i.ts ? 3'd3 : 3'd4;
  assign blocks_o  = some_of(held_i + 3'(dsack_q), room, rec_i.sack);
  assign later     = leaving_q ? some_of(held_i, room, rec_i.sack) : blocks_o;
  assign mss_now_o = later == '0 ? rec_i.mss : rec_i.mss - 16'd4 - {10'b0, later, 3'b0};

endmodule

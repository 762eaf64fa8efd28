// Shares the payload's read client of the DMA between the transmit queue and the TCP engine.
//
// Contract: the requests of a packet (up to req_last) stay together; packets take turns.  What the DMA reads comes
//   back in the order of the packets and is offered to the side that asked for it; data, keep, last, bad and
//   status go straight from the DMA to both.  A packet that is not taken holds up those behind it: so a side must
//   not make one packet wait for another, and the engine offers a header to large send only when its payload is
//   here.
// Up to 32 packets are under way.
// Latency: none.  Cost: 133 COMB.
module flue_tcp_payload
  import flue_pkg::*;
(
  input  logic     clk,
  input  logic     rst,

  input  logic     host_req_valid_i,      // flue_tx_queue
  output logic     host_req_ready_o,
  input  dma_req_t host_req_i,
  input  logic     host_req_last_i,

  input  logic     tcp_req_valid_i,       // flue_tcp_send
  output logic     tcp_req_ready_o,
  input  dma_req_t tcp_req_i,
  input  logic     tcp_req_last_i,

  output logic     req_valid_o,           // flue_dma, read client 1
  input  logic     req_ready_i,
  output dma_req_t req_o,
  output logic     req_last_o,

  input  logic     in_valid_i,
  output logic     in_ready_o,
  input  logic     in_last_i,

  output logic     host_valid_o,
  input  logic     host_ready_i,
  output logic     tcp_valid_o,
  input  logic     tcp_ready_i
);

  // ---- requests ----
  logic inside_q;                         // a packet has begun: the requests of turn_q's side go on
  logic turn_q;                           // the engine's packet; between packets: who is preferred
  logic told_q;                           // whose packet it is, is in the list
  logic tcp, room, valid, begins;

  assign tcp    = inside_q ? turn_q : tcp_req_valid_i && (turn_q || !host_req_valid_i);
  assign valid  = tcp ? tcp_req_valid_i : host_req_valid_i;
  // Entered when it is offered: of a long piece data come back before it is taken.
  assign begins = req_valid_o && !inside_q && !told_q;

  assign req_valid_o      = valid && (inside_q || told_q || room);
  assign req_o            = tcp ? tcp_req_i : host_req_i;
  assign req_last_o       = tcp ? tcp_req_last_i : host_req_last_i;
  assign tcp_req_ready_o  = tcp && req_ready_i && (inside_q || told_q || room);
  assign host_req_ready_o = !tcp && req_ready_i && (inside_q || told_q || room);

  // A request on offer stays on offer: its side is preferred from then on.
  always_ff @(posedge clk) begin
    if (begins) told_q <= 1'b1;
    if (req_valid_o) begin
      turn_q <= tcp;
      if (req_ready_i) begin
        inside_q <= !req_last_o;
        told_q   <= 1'b0;
        if (req_last_o) turn_q <= !tcp;
      end
    end
    if (rst) begin
      inside_q <= 1'b0;
      told_q   <= 1'b0;
      turn_q   <= 1'b0;
    end
  end

  // ---- answers ----
  logic       owner_valid, owner, ends;
  logic [5:0] unused_count;

  assign ends = in_valid_i && in_ready_o && in_last_i;

  flue_fifo #(.W(1), .DEPTH(32)) u_owners (
    .clk, .rst, .in_valid_i(begins), .in_ready_o(room), .in_i(tcp),
    .out_valid_o(owner_valid), .out_ready_i(ends), .out_o(owner), .count_o(unused_count)
  );

  assign host_valid_o = in_valid_i && owner_valid && !owner;
  assign tcp_valid_o  = in_valid_i && owner_valid && owner;
  assign in_ready_o   = owner_valid && (owner ? tcp_ready_i : host_ready_i);

`ifdef FORMAL
  logic f_past;
  initial f_past = 1'b0;
  always_ff @(posedge clk) f_past <= 1'b1;

  logic       f_open_q, f_tcp_q;          // a packet is open, and whose
  logic [1:0] f_others_q [2];             // packets of the other side that ended while this one waits
  logic       f_ends;                     // a packet's last request is taken

  assign f_ends = req_valid_o && req_ready_i && req_last_o;

  always_ff @(posedge clk) begin
    if (req_valid_o && req_ready_i) begin
      f_open_q <= !req_last_o;
      f_tcp_q  <= tcp;
    end
    f_others_q[0] <= !host_req_valid_i || host_req_ready_o ? '0 : f_others_q[0] + 2'(f_ends);
    f_others_q[1] <= !tcp_req_valid_i || tcp_req_ready_o ? '0 : f_others_q[1] + 2'(f_ends);
    if (rst) begin
      f_open_q      <= 1'b0;
      f_others_q[0] <= '0;
      f_others_q[1] <= '0;
    end
    if (!f_past) assume (rst);
    if (f_past && !rst && !$past(rst)) begin
      // Environment: a side keeps its request.
      if ($past(host_req_valid_i && !host_req_ready_o)) assume (host_req_valid_i && $stable({host_req_i, host_req_last_i}));
      if ($past(tcp_req_valid_i && !tcp_req_ready_o)) assume (tcp_req_valid_i && $stable({tcp_req_i, tcp_req_last_i}));
      // A request on offer stays and never changes.
      if ($past(req_valid_o && !req_ready_i)) assert (req_valid_o && $stable({req_o, req_last_o}));
    end
    if (f_past && !rst) begin
      // Packets are not mixed, one request at most is taken, and a side waits for one packet of the other at most.
      assert (f_open_q == inside_q && (!inside_q || f_tcp_q == turn_q));
      if (req_valid_o && f_open_q) assert (tcp == f_tcp_q);
      assert (!(host_req_ready_o && tcp_req_ready_o));
      assert (f_others_q[0] <= 2'd1 && f_others_q[1] <= 2'd1);
      if (f_others_q[0] != '0) assert (!turn_q);
      if (f_others_q[1] != '0) assert (turn_q);
      cover (f_others_q[0] != '0 && host_req_valid_i && host_req_ready_o);
      cover (f_others_q[1] != '0 && tcp_req_valid_i && tcp_req_ready_o && !tcp_req_last_i);
    end
  end
`endif

endmodule

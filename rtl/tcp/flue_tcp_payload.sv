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
  logic tcp, room, valid, begins;

  assign tcp    = inside_q ? turn_q : tcp_req_valid_i && (turn_q || !host_req_valid_i);
  assign valid  = tcp ? tcp_req_valid_i : host_req_valid_i;
  assign begins = req_valid_o && req_ready_i && !inside_q;

  assign req_valid_o      = valid && (inside_q || room);
  assign req_o            = tcp ? tcp_req_i : host_req_i;
  assign req_last_o       = tcp ? tcp_req_last_i : host_req_last_i;
  assign tcp_req_ready_o  = tcp && req_ready_i && (inside_q || room);
  assign host_req_ready_o = !tcp && req_ready_i && (inside_q || room);

  // A request on offer stays on offer: its side is preferred from then on.
  always_ff @(posedge clk) begin
    if (req_valid_o) begin
      turn_q <= tcp;
      if (req_ready_i) begin
        inside_q <= !req_last_o;
        if (req_last_o) turn_q <= !tcp;
      end
    end
    if (rst) begin
      inside_q <= 1'b0;
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

endmodule

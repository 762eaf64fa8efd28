// Puts frames of the host among the received ones; what the wire brings meanwhile waits here.
//
// Contract: wire_* is never stalled.  A frame at in_* (all of it there, a beat a cycle) enters whole, between two frames of the
//   wire and only when none of them waits; so at most one frame's time is waited for, however full the wire is, and DEPTH beats
//   are room enough.  Frames of the wire keep their order and lose nothing.
// end_i: a frame that left at out_* has its last beat at the end of the blocks behind, which keep the order; forward_o: it is the
//   host's.  The next one enters only after that.
// Latency: 3 cycles for the wire.
// Cost: DEPTH words of W + log2(W / 8) + 2 bits in block RAM; 127 COMB at W=32.
// Block RAM: 1 at W=32.
module flue_rx_inject
  import flue_pkg::*;
#(
  parameter int W     = 32,       // stream, bits: 32 to 512
  parameter int DEPTH = 512       // beats, a power of two: more than the largest frame and 8
) (
  input  logic           clk,
  input  logic           rst,

  input  logic           wire_valid_i,
  input  logic [W-1:0]   wire_data_i,
  input  logic [W/8-1:0] wire_keep_i,
  input  logic           wire_last_i,
  input  logic           wire_bad_i,

  input  logic           in_valid_i,
  output logic           in_ready_o,
  input  logic [W-1:0]   in_data_i,
  input  logic [W/8-1:0] in_keep_i,
  input  logic           in_last_i,
  input  logic           in_bad_i,

  output logic           out_valid_o,
  input  logic           out_ready_i,     // low only for as long as the blocks behind are slow with a beat
  output logic [W-1:0]   out_data_o,
  output logic [W/8-1:0] out_keep_o,
  output logic           out_last_o,
  output logic           out_bad_o,

  input  logic           end_i,
  output logic           forward_o,
  output logic           begin_o          // pulse: the host's frame enters
);

  localparam int FRAMES_W = 7;            // frames between here and end_i

  logic           hold_valid, hold_ready, hold_last, hold_bad, hold_room;
  logic [W-1:0]   hold_data;
  logic [W/8-1:0] hold_keep;

  flue_packet_fifo #(.W(W), .DEPTH(DEPTH)) u_hold (
    .clk, .rst,
    .in_valid_i(wire_valid_i), .in_ready_o(hold_room), .in_data_i(wire_data_i), .in_keep_i(wire_keep_i),
    .in_last_i(wire_last_i), .in_bad_i(wire_bad_i),
    .out_valid_o(hold_valid), .out_ready_i(hold_ready), .out_data_o(hold_data), .out_keep_o(hold_keep),
    .out_last_o(hold_last), .out_bad_o(hold_bad)
  );

  logic                in_frame_q;        // a frame of the wire has begun
  logic                host_q;            // one of the host has
  logic                pending_q;         // the host's frame is not at end_i
  logic [FRAMES_W-1:0] behind_q;          // frames that began here and are not at end_i
  logic [FRAMES_W-1:0] ahead_q;           // of these, before the host's
  logic                moves, begins;

  assign begin_o     = in_valid_i && !pending_q && !in_frame_q && !hold_valid && !host_q;
  assign hold_ready  = out_ready_i && !host_q;
  assign in_ready_o  = out_ready_i && host_q;
  assign out_valid_o = host_q ? in_valid_i : hold_valid;
  assign out_data_o  = host_q ? in_data_i  : hold_data;
  assign out_keep_o  = host_q ? in_keep_i  : hold_keep;
  assign out_last_o  = host_q ? in_last_i  : hold_last;
  assign out_bad_o   = host_q ? in_bad_i   : hold_bad;
  assign moves       = out_valid_o && out_ready_i;
  assign begins      = begin_o || (moves && !host_q && !in_frame_q);
  assign forward_o   = pending_q && ahead_q == '0;

  always_ff @(posedge clk) begin
    if (moves && !host_q) in_frame_q <= !out_last_o;
    if (begin_o) host_q <= 1'b1;
    else if (moves && out_last_o) host_q <= 1'b0;

    behind_q <= behind_q + FRAMES_W'(begins) - FRAMES_W'(end_i);
    if (begin_o) begin
      pending_q <= 1'b1;
      ahead_q   <= behind_q - FRAMES_W'(end_i);
    end else if (end_i && pending_q) begin
      pending_q <= ahead_q != '0;
      ahead_q   <= ahead_q - 1'b1;
    end
    if (rst) begin
      in_frame_q <= 1'b0;
      host_q     <= 1'b0;
      pending_q  <= 1'b0;
      behind_q   <= '0;
    end
  end

  logic unused;
  assign unused = &{1'b0, hold_room};

`ifdef FORMAL
  always_ff @(posedge clk) if (!rst) begin
    if (wire_valid_i) assert (hold_room);
    if (end_i) assert (behind_q != '0);
    assert (behind_q != '1);
    assert (!(host_q && in_frame_q));
  end
`endif

endmodule

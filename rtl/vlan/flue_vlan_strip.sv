// Removes the outer VLAN tag of a received frame.
//
// Contract: a frame whose meta data has `vlan` leaves without its bytes 12 to 15 (of
// a shorter one: without those of them that it has; it must have 13 at least).  Other
// frames are not changed.  in_meta_i belongs to the frame and leaves beside it as it
// is; who sets `vlan` also took the TCI from the frame and set the length (TO-155).
// Rate: a beat a cycle.  Latency: 2 cycles; a beat waits for the next one of its frame.
// Cost: a LUT4 a bit, 2 * W + 110 flip-flops.
module flue_vlan_strip
  import flue_pkg::*;
#(
  parameter int W = 64            // data, bits: 32 to 512
) (
  input  logic           clk,
  input  logic           rst,

  input  logic           in_valid_i,
  output logic           in_ready_o,
  input  logic [W-1:0]   in_data_i,
  input  logic [W/8-1:0] in_keep_i,
  input  logic           in_last_i,
  input  logic           in_bad_i,
  input  rx_meta_t       in_meta_i,

  output logic           out_valid_o,
  input  logic           out_ready_i,
  output logic [W-1:0]   out_data_o,
  output logic [W/8-1:0] out_keep_o,
  output logic           out_last_o,
  output logic           out_bad_o,
  output rx_meta_t       out_meta_o
);

  localparam int B  = W / 8;
  localparam int N  = 12 / B;     // the beat that the tag begins in: 3, 1 or 0
  localparam int AT = 12 % B;     // and its lane: 0, 4 or 12

  // The beat that is held until the next one is there to lend it four bytes.
  logic         held_q, last_q, bad_q;
  logic [W-1:0] data_q;
  logic [B-1:0] keep_q;
  rx_meta_t     meta_q;
  logic [1:0]   beat_q;           // its number in the frame, at most N
  logic         tag_q;            // beat N of a frame to be changed
  logic         after_q;          // a later one

  logic free, emit, load;
  logic swallow;                  // all of the next beat goes into the held one or away
  logic next_beat_n;              // the next beat is beat N of its frame

  assign free       = !out_valid_o || out_ready_i;
  assign in_ready_o = !held_q || free;
  assign emit       = held_q && free && (last_q || in_valid_i);
  assign load       = in_valid_i && in_ready_o;

  // With 4 lanes the beat after the tag lends all it has.
  assign swallow = held_q && !last_q && in_last_i &&
                   (B == 4 ? tag_q || after_q || (meta_q.vlan && beat_q == 2'(N - 1))
                           : (tag_q || after_q) && !in_keep_i[B > 4 ? 4 : 0]);

  assign next_beat_n = N == 0 ? !held_q || last_q
                              : held_q && !last_q && beat_q == 2'(N - 1);

  always_ff @(posedge clk) begin
    if (load) begin
      data_q  <= in_data_i;
      keep_q  <= in_keep_i;
      last_q  <= in_last_i;
      bad_q   <= in_bad_i;
      meta_q  <= in_meta_i;
      tag_q   <= next_beat_n && in_meta_i.vlan;
      after_q <= held_q && !last_q && (tag_q || after_q);
      if (!held_q || last_q) beat_q <= '0;
      else if (beat_q != 2'(N)) beat_q <= beat_q + 1'b1;
    end
    if (load || emit) held_q <= load && !swallow;
    if (rst) held_q <= 1'b0;
  end

  // The held beat, moved down by four lanes from where the tag was.
  logic [W-1:0] moved;
  logic [B-1:0] moved_keep;

  assign moved      = W'({in_data_i, data_q} >> 32);
  assign moved_keep = B'({in_keep_i & {B{!last_q}}, keep_q} >> 4);

  always_ff @(posedge clk) begin
    if (free) begin
      out_valid_o <= emit;
      for (int j = 0; j < B; j++) begin
        out_data_o[8*j +: 8] <= after_q || (tag_q && j >= AT) ? moved[8*j +: 8] : data_q[8*j +: 8];
        out_keep_o[j]        <= after_q || (tag_q && j >= AT) ? moved_keep[j] : keep_q[j];
      end
      out_last_o <= last_q || swallow;
      out_bad_o  <= last_q ? bad_q : in_bad_i;
      out_meta_o <= meta_q;
    end
    if (rst) out_valid_o <= 1'b0;
  end

endmodule

// Inserts the out-of-band VLAN tag: 0x8100 and the TCI after byte 11 (TO-064).
//
// Contract: a frame whose tag has `vlan` leaves with the four bytes 0x81, 0x00,
// vlan_tci 15:8, vlan_tci 7:0 between its bytes 11 and 12, whatever follows (a tag in
// the frame becomes the inner one).  A frame without `vlan`, one of less than 12
// bytes, and the beat of an `empty` tag are not changed.  in_tag_i belongs to the
// frame and leaves beside it.
// Rate: a beat a cycle on the output; a frame that the tag makes one beat longer takes
// a cycle more.  Latency: 1 cycle.  Cost: two or three LUT4 a bit, W + 100 flip-flops.
module flue_vlan_insert
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
  input  tx_tag_t        in_tag_i,

  output logic           out_valid_o,
  input  logic           out_ready_i,
  output logic [W-1:0]   out_data_o,
  output logic [W/8-1:0] out_keep_o,
  output logic           out_last_o,
  output logic           out_bad_o,
  output tx_tag_t        out_tag_o
);

  localparam int B  = W / 8;
  localparam int N  = 12 / B;     // the beat that the tag begins in: 3, 1 or 0
  localparam int AT = 12 % B;     // and its lane: 0, 4 or 12

  logic        wants;             // the frame gets a tag
  logic [31:0] tag;

  assign wants = in_tag_i.vlan && !in_tag_i.empty;
  assign tag   = {in_tag_i.vlan_tci[7:0], in_tag_i.vlan_tci[15:8], 16'h0081};

  // The input beat: beat N of a frame that wants a tag, or one after it.
  logic       here, after_q, rest_q, free, moves;
  logic       residue;            // its last four lanes need a beat of their own
  logic       append;             // the frame ends right before the tag, and its word is full
  logic       tag_here;

  assign free       = !out_valid_o || out_ready_i;
  assign in_ready_o = free && !rest_q;
  assign moves      = in_valid_i && in_ready_o;

  if (N == 0) begin : g_first
    logic first_q;
    always_ff @(posedge clk) begin
      if (moves) first_q <= in_last_i;
      if (rst) first_q <= 1'b1;
    end
    assign here     = first_q && wants;
    assign tag_here = here && in_keep_i[AT-1];
    assign append   = 1'b0;
  end else begin : g_later
    logic [1:0] beat_q;           // input beats before this one, at most N
    logic       here_q, next;
    assign next   = beat_q == 2'(N - 1) && wants;
    always_ff @(posedge clk) begin
      if (moves) begin
        if (in_last_i) beat_q <= '0;
        else if (beat_q != 2'(N)) beat_q <= beat_q + 1'b1;
        here_q <= !in_last_i && next;
      end
      if (rst) begin
        beat_q <= '0;
        here_q <= 1'b0;
      end
    end
    assign here     = here_q;
    assign tag_here = here && (AT == 0 || in_keep_i[AT > 0 ? AT - 1 : 0]);
    assign append   = AT == 0 && next && in_last_i && in_keep_i[B-1];
  end

  assign residue = (tag_here || after_q) && in_keep_i[B-4];

  // The beat with the tag in its lanes or moved up by four, behind the last four
  // bytes of the beat before.
  logic [31:0]  carry_q;
  logic [3:0]   carry_keep_q;
  logic         carry_bad_q;
  logic [W-1:0] moved, data;
  logic [B-1:0] moved_keep, keep;

  assign moved      = W'({in_data_i, carry_q});
  assign moved_keep = B'({in_keep_i, carry_keep_q});

  always_comb
    for (int j = 0; j < B; j++) begin
      data[8*j +: 8] = after_q || (tag_here && j >= AT + 4) ? moved[8*j +: 8] : in_data_i[8*j +: 8];
      keep[j]        = after_q || (tag_here && j >= AT + 4) ? moved_keep[j] : in_keep_i[j];
      if (tag_here && j >= AT && j < AT + 4) begin
        data[8*j +: 8] = tag[8*(j-AT) +: 8];
        keep[j]        = 1'b1;
      end
    end

  always_ff @(posedge clk) begin
    if (moves) begin
      carry_q      <= append ? tag : in_data_i[W-1 -: 32];
      carry_keep_q <= in_keep_i[B-1 -: 4];
      carry_bad_q  <= in_bad_i;
      after_q      <= !in_last_i && (tag_here || after_q);
    end
    if (free) begin
      out_valid_o <= in_valid_i || rest_q;
      out_data_o  <= rest_q ? W'(carry_q) : data;
      out_keep_o  <= rest_q ? B'(carry_keep_q) : keep;
      out_last_o  <= rest_q || (in_last_i && !residue && !append);
      out_bad_o   <= rest_q ? carry_bad_q : in_bad_i;
      if (!rest_q) out_tag_o <= in_tag_i;
      rest_q <= !rest_q && in_valid_i && in_last_i && (residue || append);
    end
    if (rst) begin
      out_valid_o <= 1'b0;
      rest_q      <= 1'b0;
      after_q     <= 1'b0;
    end
  end

endmodule

// Small queue of 16 words in LUT memory, as cheap as it gets: for bookkeeping whose room is
// known.
//
// Contract: push_i only while room_o is high, or when at most 15 other words are inside; leaves
// in order, one word a cycle, out_o registered.  room_o is low with 14 words behind the one on
// offer.
// Latency: 2 cycles.  Cost: W bits of LUT memory 16 deep, W flip-flops, about 12 LUT4: the
// pointers are shift registers that run through all 16 values in an order of their own.
module flue_dma_queue #(
  parameter int W = 8
) (
  input  logic         clk,
  input  logic         rst,

  input  logic         push_i,
  output logic         room_o,
  input  logic [W-1:0] in_i,

  output logic         out_valid_o,
  input  logic         out_ready_i,
  output logic [W-1:0] out_o,
  output logic         load_o,             // out_o is about to become next_o
  output logic [W-1:0] next_o,

  output logic         empty_o             // nothing inside, out_o included
);

  // The order of the places: a de Bruijn sequence, of which the next bit is one LUT4.
  function automatic logic [3:0] after(input logic [3:0] p);
    return {p[2:0], p[3] ^ p[2] ^ (p[2:0] == 3'd0)};
  endfunction

  (* ram_style = "distributed", no_rw_check *)
  logic [W-1:0] mem [16];
  logic [6:0]   ahead_q;                   // where the next four words go, the first on top
  logic [3:0]   wr, rd;
  // Yosys would take a plain read address register into the memory and build it a second time
  // in front of LUT memory; one bit stored inverted keeps it out (saves 15 COMB).
  logic [3:0]   rd_q;
  logic         behind;                    // there are words behind out_o

  assign wr      = ahead_q[6:3];
  assign rd      = {!rd_q[3], rd_q[2:0]};
  assign behind  = wr != rd;
  assign load_o  = (!out_valid_o || out_ready_i) && behind;
  assign next_o  = mem[rd];
  assign empty_o = !out_valid_o && !behind;

  always_ff @(posedge clk) begin
    if (push_i) mem[wr] <= in_i;
    if (load_o) out_o   <= next_o;
  end

  always_ff @(posedge clk) begin
    if (push_i) ahead_q <= {ahead_q[5:3], after(ahead_q[3:0])};
    if (load_o) rd_q    <= after(rd) ^ 4'b1000;
    if (!out_valid_o || out_ready_i) out_valid_o <= behind;
    if (load_o)                              room_o <= 1'b1;
    else if (push_i && ahead_q[3:0] == rd) room_o <= 1'b0;  // the 14th

    if (rst) begin
      ahead_q     <= 7'b000_0100;
      rd_q        <= 4'b1000;
      out_valid_o <= 1'b0;
      room_o      <= 1'b1;
    end
  end

`ifdef FORMAL
  logic f_past_valid = 1'b0;
  always_ff @(posedge clk) f_past_valid <= 1'b1;

  // Place of a pointer value in the order of the pointers, and with it the words in the memory.
  function automatic logic [3:0] f_rank(input logic [3:0] p);
    logic [3:0] x;
    x = 4'd0;
    f_rank = 4'd0;
    for (int i = 0; i < 16; i++) begin
      if (x == p) f_rank = 4'(i);
      x = after(x);
    end
  endfunction

  logic [3:0] f_count;
  logic       f_asks;                      // nobody pushed without room_o so far
  assign f_count = f_rank(wr) - f_rank(rd);

  always_ff @(posedge clk) begin
    if (!f_past_valid) assume (rst);
    if (rst)                    f_asks <= 1'b1;
    else if (push_i && !room_o) f_asks <= 1'b0;
    // What the users promise: 16 words at most, counting the one on offer.
    if (!rst && f_count == 4'd15) assume (!push_i);
    if (f_past_valid && !rst) begin
      if (f_asks) assert (f_count <= 4'd14 && room_o == (f_count != 4'd14));
      assert (ahead_q[5:2] == after(wr));
      assert (ahead_q[4:1] == after(ahead_q[5:2]));
      assert (ahead_q[3:0] == after(ahead_q[4:1]));
      if (!$past(rst) && $past(out_valid_o && !out_ready_i)) begin
        assert (out_valid_o);
        assert (out_o == $past(out_o));
      end
      assert (f_count <= 4'd1 || out_valid_o);
      cover (f_count == 4'd15 && $past(f_count) == 4'd14);
    end
  end

  // A word pushed at an arbitrary moment leaves after exactly those before it.
  logic [2:0]   f_turn;                    // begins anywhere: the word pushed at 0 is marked
  logic         f_live = 1'b0;             // the marked word is inside
  logic [W-1:0] f_word;
  logic [3:0]   f_at;                      // its place in the memory
  logic         f_here;                    // it is on offer
  logic [3:0]   f_dist;

  assign f_dist = f_rank(f_at) - f_rank(rd);

  always_ff @(posedge clk) begin
    f_turn <= f_turn + 3'(push_i);
    if (!f_live) begin
      f_here <= 1'b0;
      f_word <= in_i;
      f_at   <= wr;
      f_live <= push_i && f_turn == '0;
    end else begin
      if (load_o && rd == f_at) f_here <= 1'b1;
      if (f_here && out_ready_i) f_live <= 1'b0;
    end
    if (rst) f_live <= 1'b0;
    if (f_past_valid && !rst && f_live) begin
      if (f_here) begin
        assert (out_valid_o);
        assert (out_o == f_word);
      end else begin
        assert (f_dist < f_count);
        assert (mem[f_at] == f_word);
      end
    end
  end
`endif

endmodule

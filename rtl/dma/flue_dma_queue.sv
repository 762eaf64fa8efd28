// Small queue of 16 words in LUT memory, as cheap as it gets: for bookkeeping whose room is known.
//
// Contract: push_i only while room_o is high, or when at most 15 other words are inside; leaves in order,
// one word a cycle, out_o registered.  room_o is low with 14 words or more in the memory behind it.
// Latency: 2 cycles.  Cost: W bits of LUT memory 16 deep, W flip-flops, about 12 LUT4: the pointers
// are shift registers that run through all 16 values in an order of their own.
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

  // A de Bruijn sequence: one LUT4 instead of an adder.
  function automatic logic [3:0] after(input logic [3:0] p);
    return {p[2:0], p[3] ^ p[2] ^ (p[2:0] == 3'd0)};
  endfunction

  (* ram_style = "distributed" *)
  logic [W-1:0] mem [16];
  logic [3:0]   wr_q, rd_q;
  logic         behind;

  assign behind  = wr_q != rd_q;
  assign load_o  = (!out_valid_o || out_ready_i) && behind;
  assign next_o  = mem[rd_q];
  assign empty_o = !out_valid_o && !behind;

  always_ff @(posedge clk) begin
    if (push_i) mem[wr_q] <= in_i;
    if (load_o) out_o     <= next_o;

    if (push_i) wr_q <= after(wr_q);
    if (load_o) rd_q <= after(rd_q);
    if (!out_valid_o || out_ready_i) out_valid_o <= behind;
    // One cycle old, so it keeps two places: one for a push in this very cycle.
    room_o <= after(wr_q) != rd_q && after(after(wr_q)) != rd_q;

    if (rst) begin
      wr_q        <= '0;
      rd_q        <= '0;
      out_valid_o <= 1'b0;
      room_o      <= 1'b0;
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
  assign f_count = f_rank(wr_q) - f_rank(rd_q);

  always_ff @(posedge clk) begin
    if (!f_past_valid) assume (rst);
    // What the users promise: 16 words at most, counting the one on offer.
    if (!rst && f_count == 4'd15) assume (!push_i);
    if (f_past_valid && !rst) begin
      if (room_o) assert (f_count != 4'd15);
      if (!$past(rst) && $past(out_valid_o && !out_ready_i)) begin
        assert (out_valid_o);
        assert (out_o == $past(out_o));
      end
      assert (f_count <= 4'd1 || out_valid_o);
      cover (f_count == 4'd15 && $past(f_count) == 4'd14);
    end
  end

  // A word pushed at an arbitrary moment leaves after exactly those before it.
  (* anyseq *) logic f_mark;
  logic         f_live = 1'b0;             // the marked word is inside
  logic [W-1:0] f_word;
  logic [3:0]   f_at;                      // its place in the memory
  logic         f_here;                    // it is on offer
  logic [3:0]   f_dist;

  assign f_dist = f_rank(f_at) - f_rank(rd_q);

  always_ff @(posedge clk) begin
    if (!f_live) begin
      f_here <= 1'b0;
      f_word <= in_i;
      f_at   <= wr_q;
      f_live <= push_i && f_mark;
    end else begin
      if (load_o && rd_q == f_at) f_here <= 1'b1;
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

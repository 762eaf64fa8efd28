// Small FIFO in LUT memory: first word falls through, output registered.
//
// Contract: holds DEPTH words, the one on offer included; in_ready_o is low only
// when it is full; one word in and one out a cycle.  count_o is the words inside (its
// counter is there only if it is used).
// Latency: 2 cycles.  Cost: LUT memory of W bits by DEPTH (16 deep: one block of
// 4 bits takes 6 COMB), W flip-flops.
module flue_fifo #(
  parameter int W     = 32,       // word, bits
  parameter int DEPTH = 16        // words, a power of two, at least 4
) (
  input  logic                       clk,
  input  logic                       rst,

  input  logic                       in_valid_i,
  output logic                       in_ready_o,
  input  logic [W-1:0]               in_i,

  output logic                       out_valid_o,
  input  logic                       out_ready_i,
  output logic [W-1:0]               out_o,

  output logic [$clog2(DEPTH+1)-1:0] count_o
);

  localparam int AW = $clog2(DEPTH);
  localparam int CW = $clog2(DEPTH + 1);

  if (DEPTH < 4 || 2**AW != DEPTH) begin : g_check
    $error("DEPTH must be a power of two, at least 4");
  end

  // The memory never holds DEPTH words: the oldest one is at the output.
  (* ram_style = "distributed" *)
  logic [W-1:0]  mem [DEPTH];
  logic [AW-1:0] wr_q, rd_q;
  logic          full_q;          // DEPTH - 1 words in the memory
  logic          push, pop, load;

  assign in_ready_o = !full_q;
  assign push       = in_valid_i && !full_q;
  assign pop        = out_valid_o && out_ready_i;
  assign load       = (!out_valid_o || out_ready_i) && wr_q != rd_q;

  always_ff @(posedge clk) if (push) mem[wr_q] <= in_i;
  always_ff @(posedge clk) if (load) out_o <= mem[rd_q];

  always_ff @(posedge clk) begin
    if (push) wr_q <= wr_q + 1'b1;
    if (load) rd_q <= rd_q + 1'b1;
    full_q <= !load && (push ? wr_q == AW'(rd_q - AW'(2)) : full_q);
    if (!out_valid_o || out_ready_i) out_valid_o <= load;
    if (push != pop) count_o <= count_o + (push ? CW'(1) : '1);
    if (rst) begin
      wr_q        <= '0;
      rd_q        <= '0;
      full_q      <= 1'b0;
      out_valid_o <= 1'b0;
      count_o     <= '0;
    end
  end

`ifdef FORMAL
  logic f_past;
  initial f_past = 1'b0;
  always_ff @(posedge clk) f_past <= 1'b1;

  logic [AW-1:0] f_stored;        // words in the memory
  assign f_stored = wr_q - rd_q;

  always_ff @(posedge clk) begin
    if (!f_past) assume (rst);
    if (f_past && !rst) begin
      // The count, the flag and the pointers tell one story.
      assert (count_o <= CW'(DEPTH));
      assert (full_q == (count_o == CW'(DEPTH)));
      assert (count_o == CW'(f_stored) + CW'(out_valid_o));
      assert (out_valid_o || f_stored <= AW'(1));
      if (!$past(rst) && $past(out_valid_o && !out_ready_i)) begin
        assert (out_valid_o);
        assert (out_o == $past(out_o));
      end
      cover (full_q);
      cover ($past(full_q) && count_o == '0);
    end
  end

  // Order and content: a marked word leaves after exactly the words that were ahead
  // of it.  f_turn_q begins anywhere, so any word may be the marked one.
  logic [2:0]    f_turn_q;
  logic          f_live_q;        // the marked word is inside
  logic [W-1:0]  f_word_q;
  logic [AW-1:0] f_at_q;          // where it was written
  logic [CW-1:0] f_ahead_q;       // words before it
  logic [AW-1:0] f_dist;

  assign f_dist = f_at_q - rd_q;

  always_ff @(posedge clk) begin
    f_turn_q <= f_turn_q + 3'(push);
    if (f_live_q) begin
      if (pop) f_ahead_q <= f_ahead_q - 1'b1;
      if (pop && f_ahead_q == '0) f_live_q <= 1'b0;
    end else if (push && f_turn_q == '0) begin
      f_live_q  <= 1'b1;
      f_word_q  <= in_i;
      f_at_q    <= wr_q;
      f_ahead_q <= count_o - CW'(pop);
    end
    if (rst) f_live_q <= 1'b0;
    if (f_past && !rst && f_live_q) begin
      assert (f_ahead_q < count_o);
      if (out_valid_o && f_ahead_q == '0) begin
        assert (out_o == f_word_q);
      end else begin
        assert (f_dist < f_stored);
        assert (f_ahead_q == CW'(f_dist) + CW'(out_valid_o));
        assert (mem[f_at_q] == f_word_q);
      end
      cover (pop && f_ahead_q == CW'(1));
    end
  end
`endif

endmodule

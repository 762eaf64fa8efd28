// FIFO in block RAM for answers whose room was reserved before they were asked for.
//
// Contract: push_i is never refused; whoever asks for data keeps asked - rd_ptr_o <= DEPTH,
// where both count words freely (modulo 2 * DEPTH).  Leaves in order, one word a cycle, out_o
// is registered.
// Latency: 3 cycles.  Cost: DEPTH * WIDTH bits of block RAM, two pointers, one output register.
module flue_dma_fifo #(
  parameter int WIDTH = 34,
  parameter int DEPTH = 512,      // words, a power of two
  localparam int A = $clog2(DEPTH)
) (
  input  logic             clk,
  input  logic             rst,

  input  logic             push_i,
  input  logic [WIDTH-1:0] in_i,

  output logic             out_valid_o,
  input  logic             out_ready_i,
  output logic [WIDTH-1:0] out_o,

  output logic [A:0]       rd_ptr_o
);

  // A word is never read in the cycle in which it is written, so no bypass is needed.
  (* no_rw_check *)
  logic [WIDTH-1:0] mem [DEPTH];
  logic [WIDTH-1:0] read_q;       // the block RAM's own output register
  logic             read_valid_q;
  logic [A:0]       wr_q, rd_q;
  logic             take, fetch;

  assign take     = !out_valid_o || out_ready_i;
  assign fetch    = (take || !read_valid_q) && rd_q != wr_q;
  assign rd_ptr_o = rd_q;

  always_ff @(posedge clk) begin
    if (push_i) mem[wr_q[A-1:0]] <= in_i;
    if (fetch)  read_q <= mem[rd_q[A-1:0]];
    if (take)   out_o  <= read_q;

    if (push_i) wr_q <= wr_q + 1'b1;
    if (fetch)  rd_q <= rd_q + 1'b1;
    if (take || !read_valid_q) read_valid_q <= fetch;
    if (take) out_valid_o <= read_valid_q;

    if (rst) begin
      wr_q         <= '0;
      rd_q         <= '0;
      read_valid_q <= 1'b0;
      out_valid_o  <= 1'b0;
    end
  end

`ifdef FORMAL
  logic f_past_valid = 1'b0;
  always_ff @(posedge clk) f_past_valid <= 1'b1;

  // Reserved room: what was pushed and not yet fetched fits.
  logic [A:0] f_count;
  assign f_count = wr_q - rd_q;

  always_ff @(posedge clk) begin
    if (!f_past_valid) assume (rst);
    if (!rst && f_count == (A+1)'(DEPTH)) assume (!push_i);
    if (f_past_valid && !$past(rst) && !rst) begin
      assert (f_count <= (A+1)'(DEPTH));
      if ($past(out_valid_o && !out_ready_i)) begin
        assert (out_valid_o);
        assert (out_o == $past(out_o));
      end
      cover (f_count == (A+1)'(DEPTH));
    end
  end

  // Two words that entered in order leave in order: follow the word written at an arbitrary
  // place in the order of arrival.
  logic [A:0] f_nth;                       // begins anywhere and stays
  logic [WIDTH-1:0] f_word;
  logic             f_seen = 1'b0;         // it was pushed and has not left
  logic [A:0]       f_out;                 // number of the word on offer

  assign f_out = rd_q - (A+1)'(read_valid_q) - (A+1)'(out_valid_o);

  always_ff @(posedge clk) begin
    f_nth <= f_nth;
    if (rst) f_seen <= 1'b0;
    else begin
      if (push_i && wr_q == f_nth) begin
        f_seen <= 1'b1;
        f_word <= in_i;
      end
      if (out_valid_o && out_ready_i && f_out == f_nth) f_seen <= 1'b0;
      if (f_past_valid && f_seen) begin
        // where it is now: in memory, in the read register, or on offer
        if (f_nth - rd_q < f_count)                         assert (mem[f_nth[A-1:0]] == f_word);
        else if (read_valid_q && f_nth == rd_q - 1'b1)      assert (read_q == f_word);
        else                                                assert (out_valid_o && f_nth == f_out);
        if (out_valid_o && f_nth == f_out)                  assert (out_o == f_word);
      end
    end
  end
`endif

endmodule

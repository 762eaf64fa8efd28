// One's-complement sum of a frame: W/32 big-endian words a beat.
//
// Contract: words_i holds zeros wherever nothing is to be summed, also on cycles
// without a beat; en_i moves every stage.  In the first move after reset last_i is set.  For the frame whose last beat came in
// with last_i, the sum is fold_o + extra_o (modulo 0xFFFF), LATENCY moves later.
// How: 2^32 counts as 1, so each adder takes its own carry back in with the next
// beat; the carry of a last beat travels on as one of extra_o.
// Latency: $clog2(W/32) + 2 moves.  Cost: W/32 adders of 32 bits, one of 16.
module flue_csum_acc #(
  parameter int W = 64
) (
  input  logic         clk,
  input  logic         rst,

  input  logic         en_i,
  input  logic [W-1:0] words_i,         // word i: words_i[32*i +: 32]
  input  logic         last_i,

  output logic [16:0]  fold_o,
  output logic [3:0]   extra_o          // at most W/32 - 1
);

  localparam int N      = W / 32;
  localparam int LEVELS = $clog2(N);

  // Nodes of the tree: 1 is the root, 2i and 2i+1 are the children of i, N to 2N-1 the words.
  logic [31:0]     node  [1:2*N-1];
  logic [3:0]      extra [1:2*N-1];
  logic [LEVELS:0] last;                // behind each level

  assign last[0] = last_i;

  for (genvar i = 0; i < N; i++) begin : g_word
    assign node[N+i]  = words_i[32*i +: 32];
    assign extra[N+i] = 4'd0;
  end

  for (genvar i = 1; i < N; i++) begin : g_node
    localparam int LEVEL = LEVELS - $clog2(i + 1);
    logic [32:0] sum;
    logic        carry_q;
    assign sum = 33'(node[2*i]) + 33'(node[2*i+1]) + 33'(carry_q);
    always_ff @(posedge clk) begin
      if (en_i) begin
        node[i]  <= sum[31:0];
        extra[i] <= extra[2*i] + extra[2*i+1] + 4'(sum[32]);
        carry_q  <= sum[32] && !last[LEVEL];
      end
      if (rst) carry_q <= 1'b0;
    end
  end

  for (genvar k = 0; k < LEVELS; k++) begin : g_last
    always_ff @(posedge clk) begin
      if (en_i) last[k+1] <= last[k];
      if (rst)  last[k+1] <= 1'b1;      // what is inside ends here
    end
  end

  // The sum of the frame so far; a finished one moves to total_q.
  logic [32:0] sum;
  logic [31:0] so_far_q, total_q;
  logic        carry_q, total_carry_q;
  logic [3:0]  total_extra_q;

  assign sum = 33'(so_far_q) + 33'(node[1]) + 33'(carry_q);

  always_ff @(posedge clk) begin
    if (en_i) begin
      so_far_q      <= sum[31:0];
      carry_q       <= sum[32];
      if (last[LEVELS]) begin
        so_far_q <= '0;
        carry_q  <= 1'b0;
      end
      total_q       <= sum[31:0];
      total_carry_q <= sum[32];
      total_extra_q <= extra[1];
      fold_o        <= 17'(total_q[31:16]) + 17'(total_q[15:0]) + 17'(total_carry_q);
      extra_o       <= total_extra_q;
    end
    if (rst) begin
      so_far_q <= '0;
      carry_q  <= 1'b0;
    end
  end

endmodule

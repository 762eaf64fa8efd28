// One's-complement sum of a frame: W/32 big-endian words a beat.
//
// Contract: words_i holds zeros wherever nothing is to be summed, also on cycles
// without a beat; en_i moves every stage.  In the first move after reset last_i is set.
// For the frame whose last beat came in with last_i, the sum is
// sum_o + carry_o + extra_o (modulo 0xFFFF), $clog2(W/32) + 2 moves later.
//
// How: 2^32 and 2^16 count as 1, so each adder takes its own carry back in with the
// next beat; what is carried out of a last beat travels on as carry_o and extra_o.
// Cost: W/32 - 1 adders of 32 bits, two of 16.
module flue_csum_acc #(
  parameter int W = 64
) (
  input  logic         clk,
  input  logic         rst,

  input  logic         en_i,
  input  logic [W-1:0] words_i,         // word i: words_i[32*i +: 32]
  input  logic         last_i,

  output logic [15:0]  sum_o,
  output logic         carry_o,
  output logic [4:0]   extra_o          // at most W/32
);

  localparam int N      = W / 32;
  localparam int LEVELS = $clog2(N);

  // Nodes of the tree: 1 is the root, 2i and 2i+1 are the children of i, N to 2N-1 the words.
  logic [31:0]       node  [1:2*N-1];
  logic [4:0]        extra [1:2*N-1];
  logic [LEVELS+1:0] last;              // behind each stage

  for (genvar i = 0; i < N; i++) begin : g_word
    assign node[N+i]  = words_i[32*i +: 32];
    assign extra[N+i] = 5'd0;
  end

  for (genvar i = 1; i < N; i++) begin : g_node
    localparam int LEVEL = LEVELS - $clog2(i + 1);
    logic [32:0] sum;
    logic        carry_q;
    assign sum = 33'(node[2*i]) + 33'(node[2*i+1]) + 33'(carry_q);
    always_ff @(posedge clk) begin
      if (en_i) begin
        node[i]  <= sum[31:0];
        extra[i] <= extra[2*i] + extra[2*i+1] + 5'(sum[32]);
        carry_q  <= sum[32] && !last[LEVEL];
      end
      if (rst) carry_q <= 1'b0;
    end
  end

  assign last[0] = last_i;
  for (genvar k = 0; k <= LEVELS; k++) begin : g_last
    always_ff @(posedge clk) begin
      if (en_i) last[k+1] <= last[k];
      if (rst)  last[k+1] <= 1'b1;      // what is inside ends here
    end
  end

  // The two halves of a beat's sum, then the sum of the frame so far; a finished one moves out.
  logic [16:0] half, sum;
  logic [15:0] half_q, so_far_q;
  logic        half_carry_q, carry_q;
  logic [4:0]  extra_q;

  assign half = 17'(node[1][31:16]) + 17'(node[1][15:0]) + 17'(half_carry_q);
  assign sum  = 17'(so_far_q) + 17'(half_q) + 17'(carry_q);

  logic        clear;                   // a frame is complete: one condition, so that it costs no logic in the data
  assign clear = rst || (en_i && last[LEVELS+1]);

  always_ff @(posedge clk) begin
    if (en_i) begin
      half_q       <= half[15:0];
      half_carry_q <= half[16] && !last[LEVELS];
      extra_q      <= extra[1] + 5'(half[16]);
      so_far_q     <= sum[15:0];
      carry_q      <= sum[16];
      sum_o        <= sum[15:0];
      carry_o      <= sum[16];
      extra_o      <= extra_q;
    end
    if (clear) begin
      so_far_q <= '0;
      carry_q  <= 1'b0;
    end
    if (rst) half_carry_q <= 1'b0;
  end

endmodule

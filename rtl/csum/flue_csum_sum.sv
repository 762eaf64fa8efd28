// One's-complement sum of the 16-bit lanes of a word, one level of adders a cycle.
//
// Contract: sum_o, LEVELS cycles after data_i, is congruent to the sum of its lanes
// modulo 0xFFFF, and 0 only if they are all 0.  No handshake.
// The word is halved until 16 bits are left: a sum of 16-bit lanes may be formed in wider
// words as long as each carry out of the top comes back in at the bottom, here with the
// next level.  That takes one carry chain a level; words above 128 bits are halved in parts
// of 128, so that a chain has at most 64 bits.
// Latency: log2(W / 16) cycles.  Cost: W - 16 bits of adders and their carries.
module flue_csum_sum #(
  parameter int W = 64,                 // 32 to 512
  localparam int PART   = (W < 128) ? W : 128,
  localparam int PARTS  = W / PART,
  localparam int HALVES = $clog2(PART / 16),
  localparam int OUT    = 17 + $clog2(PARTS)
) (
  input  logic           clk,
  input  logic [W-1:0]   data_i,
  output logic [OUT-1:0] sum_o
);

  // Each part down to 16 bits and a carry.
  logic [PARTS-1:0][16:0] part;

  for (genvar p = 0; p < PARTS; p++) begin : g_part
    for (genvar k = 0; k <= HALVES; k++) begin : g_half
      localparam int N = PART >> k;
      logic [N-1:0] word;
      logic         carry;
      if (k == 0) begin : g_in
        assign word  = data_i[p*PART +: PART];
        assign carry = 1'b0;
      end else begin : g_add
        always_ff @(posedge clk)
          {carry, word} <= {1'b0, g_half[k-1].word[2*N-1:N]} + {1'b0, g_half[k-1].word[N-1:0]}
                         + (N+1)'(g_half[k-1].carry);
      end
    end
    assign part[p] = {g_half[HALVES].carry, g_half[HALVES].word};
  end

  // The parts together.
  for (genvar k = 0; k <= $clog2(PARTS); k++) begin : g_level
    localparam int N = PARTS >> k;
    logic [N-1:0][16+k:0] sum;
    if (k == 0) begin : g_in
      assign sum = part;
    end else begin : g_add
      always_ff @(posedge clk)
        for (int j = 0; j < N; j++)
          sum[j] <= {1'b0, g_level[k-1].sum[2*j]} + {1'b0, g_level[k-1].sum[2*j+1]};
    end
  end

  assign sum_o = g_level[$clog2(PARTS)].sum[0];

endmodule

// Sum of the 16-bit lanes of a word, one level of adders a cycle.
//
// Contract: sum_o is the sum of lanes_i of LEVELS cycles before.  No handshake.
// Latency: log2(W / 16) cycles.  Cost: W - 16 bits of adders and carries.
module flue_csum_sum #(
  parameter int W = 64,                 // 32 to 512
  localparam int LEVELS = $clog2(W / 16)
) (
  input  logic                 clk,
  input  logic [W-1:0]         lanes_i,
  output logic [15+LEVELS:0]   sum_o
);

  // Level k has LANES >> k sums of 16 + k bits; each is a separate vector.
  for (genvar k = 0; k <= LEVELS; k++) begin : g_level
    localparam int N = (W / 16) >> k;
    logic [N-1:0][15+k:0] sum;
    if (k == 0) begin : g_in
      assign sum = lanes_i;
    end else begin : g_add
      always_ff @(posedge clk)
        for (int j = 0; j < N; j++)
          sum[j] <= {1'b0, g_level[k-1].sum[2*j]} + {1'b0, g_level[k-1].sum[2*j+1]};
    end
  end

  assign sum_o = g_level[LEVELS].sum[0];

endmodule

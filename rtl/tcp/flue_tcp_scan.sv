// Sums over the scoreboard of a connection, one range a cycle while a pass shows them (docs/tcp.md 3.3, 3.4).
//
// Passes:
//   edge    downward: bytes in ranges; the loss edge, left end of the highest range with three ranges, or more than 2 mss of bytes,
//           at or above it; left end of the lowest range
//   pipe    upward: unsacked bytes in [cursor, loss edge), the first hole from the cursor on, the highest hole below recover
// Contract: edge_i with the start of its pass; pipe_i in the cycle before its pass or before the results are used without a pass
//   (an empty scoreboard).  Of an empty scoreboard total_o and first_left_o mean nothing.
// Latency: results stand two cycles after the last range.
// Timing: two 32-bit chains and three LUTs.
module flue_tcp_scan
  import flue_tcp_pkg::*;
(
  input  logic        clk,

  input  logic        edge_i,
  input  logic        pipe_i,
  input  logic [31:0] una_i,
  input  logic [31:0] recover_i,
  input  logic [15:0] mss_i,
  input  logic [31:0] cursor_i,
  input  logic [31:0] lost_edge_i,

  input  logic        valid_i,
  input  tcp_range_t  item_i,

  output logic [31:0] total_o,
  output logic [31:0] edge_o,
  output logic [31:0] first_left_o,

  output logic [31:0] lost_edge_o,          // as it was at pipe_i
  output logic [31:0] lost_o,               // of [cursor, loss edge), below at_o
  output logic [31:0] at_o,                 // end of what was looked at
  output logic        hole_o,               // a hole was found between cursor and the highest range
  output tcp_range_t  first_o,
  output tcp_range_t  last_o,               // highest hole below recover, below above_o
  output logic [31:0] above_o               // end of the highest range
);

  logic pipe_q;                             // the pass

  // ---- edge: a range's size, then what it adds ----
  logic        sized_q, found_q;
  logic [1:0]  ranges_q;                    // before this one, at most 2
  logic [31:0] size_q, sum;
  logic        over;

  assign sum  = total_o + size_q;
  assign over = sum[31:17] != '0 || sum[16:0] > {mss_i, 1'b0};

  always_ff @(posedge clk) begin
    sized_q <= valid_i && !pipe_q;
    if (valid_i && !pipe_q) begin
      size_q       <= item_i.right - item_i.left;
      first_left_o <= item_i.left;
    end
    if (edge_i) begin
      total_o  <= '0;
      edge_o   <= una_i;
      ranges_q <= '0;
      found_q  <= 1'b0;
    end else if (sized_q) begin
      total_o <= sum;
      if (!ranges_q[1]) ranges_q <= ranges_q + 2'd1;
      if (!found_q && (ranges_q[1] || over)) begin
        edge_o  <= first_left_o;
        found_q <= 1'b1;
      end
    end
  end

  // ---- pipe: holes; then the bytes of those below the loss edge ----
  logic        gap, short, counts_q;
  logic [31:0] from_q, upto_q, bytes;

  assign gap   = seq_lt(at_o, item_i.left);
  assign short = seq_lt(item_i.left, recover_i);
  assign bytes = upto_q - from_q;           // negative: none

  always_ff @(posedge clk) begin
    if (edge_i) pipe_q <= 1'b0;
    if (pipe_i) pipe_q <= 1'b1;
    counts_q <= valid_i && pipe_q;
    from_q   <= at_o;
    upto_q   <= seq_min(item_i.left, lost_edge_o);
    if (pipe_i) begin
      lost_edge_o <= lost_edge_i;
      lost_o      <= '0;
      at_o        <= cursor_i;
      above_o     <= una_i;
      hole_o      <= 1'b0;
      last_o      <= '{left: una_i, right: una_i};
    end else begin
      if (valid_i && pipe_q) begin
        if (gap && !hole_o) begin
          hole_o  <= 1'b1;
          first_o <= '{left: at_o, right: item_i.left};
        end
        if (seq_lt(at_o, item_i.right)) at_o <= item_i.right;
        if (seq_lt(above_o, recover_i)) last_o <= '{left: above_o, right: short ? item_i.left : recover_i};
        above_o <= item_i.right;
      end
      if (counts_q && !bytes[31]) lost_o <= lost_o + bytes;
    end
  end

endmodule

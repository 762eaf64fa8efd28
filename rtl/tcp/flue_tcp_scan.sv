// Sums over the scoreboard of a connection, one range a cycle while it goes round (docs/tcp.md 3.3, 3.4).
//
// Passes, each over all ranges in ascending order:
//   total   bytes in ranges
//   edge    the loss edge: left end of the highest range with three ranges, or more than 2 mss of bytes, at or above it
//   pipe    unsacked bytes in [cursor, loss edge), the first hole from the cursor on, the highest hole below recover
// Contract: total_i or edge_i with the start of its pass; pipe_i in the cycle before its pass or before the results are
// used without a pass (an empty scoreboard).
module flue_tcp_scan
  import flue_tcp_pkg::*;
(
  input  logic        clk,

  input  logic        total_i,
  input  logic        edge_i,
  input  logic        pipe_i,
  input  logic [31:0] una_i,
  input  logic [31:0] recover_i,
  input  logic [15:0] mss_i,
  input  logic [31:0] cursor_i,
  input  logic [31:0] lost_edge_i,

  input  logic        valid_i,
  input  tcp_range_t  item_i,
  input  logic [3:0]  rest_i,               // ranges from this one on

  output logic [31:0] total_o,
  output logic [31:0] edge_o,

  output logic [31:0] lost_edge_o,          // as it was at pipe_i
  output logic [31:0] lost_o,               // of [cursor, loss edge), below at_o
  output logic [31:0] at_o,                 // end of what was looked at
  output logic        hole_o,               // a hole was found between cursor and the highest range
  output tcp_range_t  first_o,
  output tcp_range_t  last_o,               // highest hole below recover, below above_o
  output logic [31:0] above_o               // end of the highest range
);

  typedef enum logic [1:0] { S_TOTAL, S_EDGE, S_PIPE } pass_e;
  pass_e pass_q;

  logic [31:0] size, left_q, upto;          // left_q: bytes from this range on
  logic        gap;

  assign size = item_i.right - item_i.left;
  assign gap  = seq_lt(at_o, item_i.left);
  assign upto = seq_min(item_i.left, lost_edge_o);

  always_ff @(posedge clk) begin
    if (pipe_i) begin
      pass_q      <= S_PIPE;
      lost_edge_o <= lost_edge_i;
      lost_o      <= '0;
      at_o        <= cursor_i;
      above_o     <= una_i;
      hole_o      <= 1'b0;
      last_o      <= '{left: una_i, right: una_i};
    end else if (edge_i) begin
      pass_q <= S_EDGE;
      edge_o <= una_i;
      left_q <= total_o;
    end else if (total_i) begin
      pass_q  <= S_TOTAL;
      total_o <= '0;
    end else if (valid_i) begin
      unique case (pass_q)
        S_TOTAL: total_o <= total_o + size;
        S_EDGE: begin
          if (rest_i >= 4'd3 || left_q > {15'b0, mss_i, 1'b0}) edge_o <= item_i.left;
          left_q <= left_q - size;
        end
        default: begin
          if (gap && !hole_o) begin
            hole_o  <= 1'b1;
            first_o <= '{left: at_o, right: item_i.left};
          end
          if (seq_lt(at_o, upto)) lost_o <= lost_o + (upto - at_o);
          if (seq_lt(at_o, item_i.right)) at_o <= item_i.right;
          if (seq_lt(above_o, item_i.left) && seq_lt(above_o, recover_i))
            last_o <= '{left: above_o, right: seq_min(item_i.left, recover_i)};
          above_o <= item_i.right;
        end
      endcase
    end
  end

endmodule

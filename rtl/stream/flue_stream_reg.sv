// Register slice: cuts every combinational path between its two sides.
//
// Contract: one payload a cycle; holds two at most, keeps their order, never changes
// one on offer.  Latency: 1 cycle.  Cost: 2 * W flip-flops, W LUT4.
module flue_stream_reg #(
  parameter int W = 8             // payload, bits
) (
  input  logic         clk,
  input  logic         rst,

  input  logic         in_valid_i,
  output logic         in_ready_o,
  input  logic [W-1:0] in_i,

  output logic         out_valid_o,
  input  logic         out_ready_i,
  output logic [W-1:0] out_o
);

  // While ready, the spare follows the input; so when the output stalls, what it
  // was just given is there, and ready falls only if that was a payload.
  logic [W-1:0] spare_q;
  logic         free;

  assign free = out_ready_i || !out_valid_o;

  always_ff @(posedge clk) begin
    if (in_ready_o) spare_q <= in_i;
    if (free) begin
      out_valid_o <= in_valid_i || !in_ready_o;
      out_o       <= in_ready_o ? in_i : spare_q;
    end
    in_ready_o <= free || (in_ready_o && !in_valid_i);
    if (rst) begin
      out_valid_o <= 1'b0;
      in_ready_o  <= 1'b1;
    end
  end

`ifdef FORMAL
  // Two marked payloads that went in one after the other come out one after the
  // other; f_first and f_second are any two values.
  logic f_past;
  initial f_past = 1'b0;
  always_ff @(posedge clk) f_past <= 1'b1;

  logic [1:0] f_count;            // payloads inside
  always_ff @(posedge clk)
    if (rst) f_count <= '0;
    else f_count <= f_count + 2'(in_valid_i && in_ready_o) - 2'(out_valid_o && out_ready_i);

  always_ff @(posedge clk) begin
    if (!f_past) assume (rst);
    if (f_past && !rst && !$past(rst)) begin
      // Environment: the source keeps the stream rules.
      if ($past(in_valid_i && !in_ready_o)) begin
        assume (in_valid_i);
        assume (in_i == $past(in_i));
      end
      // An offered payload stays and never changes.
      if ($past(out_valid_o && !out_ready_i)) begin
        assert (out_valid_o);
        assert (out_o == $past(out_o));
      end
      cover (f_count == 2'd2);
    end
    if (f_past && !rst) begin
      // Nothing is lost or made: the count is what the flags say.
      assert (f_count == 2'(out_valid_o) + 2'(!in_ready_o));
      assert (in_ready_o || out_valid_o);
    end
  end
`endif

endmodule

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
  logic f_past;
  initial f_past = 1'b0;
  always_ff @(posedge clk) f_past <= 1'b1;

  logic       f_push, f_pop;
  logic [1:0] f_count;            // payloads inside
  assign f_push = in_valid_i && in_ready_o;
  assign f_pop  = out_valid_o && out_ready_i;
  always_ff @(posedge clk)
    if (rst) f_count <= '0;
    else f_count <= f_count + 2'(f_push) - 2'(f_pop);

  // A marked payload leaves after exactly those that were ahead of it.  f_turn_q
  // begins anywhere, so any payload may be the marked one.
  logic [1:0]   f_turn_q;
  logic         f_live_q, f_ahead_q;
  logic [W-1:0] f_word_q;
  always_ff @(posedge clk) begin
    f_turn_q <= f_turn_q + 2'(f_push);
    if (f_live_q) begin
      if (f_pop) f_ahead_q <= 1'b0;
      if (f_pop && !f_ahead_q) f_live_q <= 1'b0;
    end else if (f_push && f_turn_q == '0) begin
      f_live_q  <= 1'b1;
      f_word_q  <= in_i;
      f_ahead_q <= out_valid_o && !out_ready_i;
    end
    if (rst) f_live_q <= 1'b0;
    if (f_past && !rst && f_live_q) begin
      assert (f_count > 2'(f_ahead_q));
      assert ((f_ahead_q ? spare_q : out_o) == f_word_q);
    end
  end

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

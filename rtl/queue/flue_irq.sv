// Interrupt line: causes, mask, and moderation of the event cause.
//
// Contract: irq_o is high while an unmasked cause is set, but the event cause
//   raises it only `distance_us_i` after its last rise, or when `events_i`
//   events (if not 0) have been posted since; the other causes at once.
// While an unmasked event cause waits for that moment, deadline_valid_o is high
//   and deadline_us_o names it.
// A jump of time by more than 2^16 us may be taken for less: the rise is then
//   late by at most `distance_us_i`, never lost.
// Latency: 1 cycle from cause to line.
module flue_irq (
  input  logic        clk,
  input  logic        rst,
  input  logic [63:0] time_us_i,

  input  logic [4:0]  cause_i,            // register IRQ_CAUSE: firmware, admin, drained, error, event
  input  logic [4:0]  mask_i,
  input  logic [15:0] distance_us_i,
  input  logic [7:0]  events_i,
  input  logic        posted_i,           // pulse: an event was posted

  output logic        irq_o,
  output logic        rise_o,             // pulse
  output logic        idle_o,             // the line will not change without input or time
  output logic        deadline_valid_o,
  output logic [63:0] deadline_us_o
);

  logic        hold_q;                    // the distance has not passed
  logic [16:0] end_q;                     // when it will have, modulo 2^17 us
  logic        on_q;                      // the line is high for the event cause
  logic [7:0]  count_q;                   // events since the last rise
  logic [16:0] rest;
  logic        want, allowed, on, irq;

  assign rest    = end_q - time_us_i[16:0];
  assign want    = cause_i[0] && mask_i[0];
  assign allowed = on_q || !hold_q || (events_i != '0 && count_q >= events_i);
  assign on      = want && allowed;
  assign irq     = on || |(cause_i[4:1] & mask_i[4:1]);

  always_ff @(posedge clk) begin
    on_q  <= on;
    irq_o <= irq;
    if (rest[16] || rest == '0) hold_q <= 1'b0;
    if (on && !on_q) begin
      hold_q  <= 1'b1;
      end_q   <= time_us_i[16:0] + 17'(distance_us_i);
      count_q <= '0;
    end else if (posted_i && count_q != '1) begin
      count_q <= count_q + 1'b1;
    end
    if (rst) begin
      on_q    <= 1'b0;
      irq_o   <= 1'b0;
      hold_q  <= 1'b0;
      count_q <= '0;
    end
  end

  assign rise_o           = irq && !irq_o;
  assign deadline_valid_o = want && !on && hold_q;
  // The end of a distance nobody waits for is no work: only a deadline that was named is.
  assign idle_o           = irq == irq_o && on == on_q && !(deadline_valid_o && (rest[16] || rest == '0));
  assign deadline_us_o    = time_us_i + {{47{rest[16]}}, rest};     // in the past once it is over

`ifdef FORMAL
  logic f_past_valid = 1'b0;
  always_ff @(posedge clk) begin
    f_past_valid <= 1'b1;
    if (f_past_valid && !rst && !$past(rst)) begin
      // Without an unmasked cause the line is low, with one that is not delayed it is high.
      if ($past((cause_i & mask_i) == '0)) assert (!irq_o);
      if ($past(|(cause_i[4:1] & mask_i[4:1]))) assert (irq_o);
    end
  end
`endif

endmodule

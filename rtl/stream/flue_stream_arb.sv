// Joins N packet streams into one, round robin by packet.
//
// Contract: a packet is never mixed with another.  With the last beat of a packet of
// input i the turn goes to the first input after i that offers a beat, else it stays;
// a turn that is not used goes on in the same way.  in_user_i belongs to the packet.
// Rate: a beat a cycle, also from packet to packet.  Latency: 1 cycle, 2 when the
// turn was elsewhere.  Cost: an N to 1 multiplexer.
module flue_stream_arb #(
  parameter int N = 2,            // inputs, at least 2
  parameter int W = 64,           // data, bits
  parameter int U = 1             // user, bits
) (
  input  logic                  clk,
  input  logic                  rst,

  input  logic [N-1:0]          in_valid_i,
  output logic [N-1:0]          in_ready_o,
  input  logic [N-1:0][W-1:0]   in_data_i,
  input  logic [N-1:0][W/8-1:0] in_keep_i,
  input  logic [N-1:0]          in_last_i,
  input  logic [N-1:0]          in_bad_i,
  input  logic [N-1:0][U-1:0]   in_user_i,

  output logic                  out_valid_o,
  input  logic                  out_ready_i,
  output logic [W-1:0]          out_data_o,
  output logic [W/8-1:0]        out_keep_o,
  output logic                  out_last_o,
  output logic                  out_bad_o,
  output logic [U-1:0]          out_user_o
);

  localparam int NW = $clog2(N);

  logic          inside_q;        // a packet of input turn_q has begun and not ended
  logic [NW-1:0] turn_q, turn_d;
  logic          valid, free;

  // The nearest input after turn_q that offers a beat, found from the farthest down.
  always_comb begin
    turn_d = turn_q;
    for (int k = N - 1; k > 0; k--)
      for (int i = 0; i < N; i++)
        if (turn_q == NW'(i) && in_valid_i[(i + k) % N]) turn_d = NW'((i + k) % N);
  end

  assign valid = in_valid_i[turn_q];
  assign free  = !out_valid_o || out_ready_i;

  always_comb
    for (int i = 0; i < N; i++) in_ready_o[i] = free && turn_q == NW'(i);

  always_ff @(posedge clk) begin
    if (free) begin
      out_valid_o <= valid;
      out_data_o  <= in_data_i[turn_q];
      out_keep_o  <= in_keep_i[turn_q];
      out_last_o  <= in_last_i[turn_q];
      out_bad_o   <= in_bad_i[turn_q];
      out_user_o  <= in_user_i[turn_q];
      if (valid) inside_q <= !in_last_i[turn_q];
      if (valid ? in_last_i[turn_q] : !inside_q) turn_q <= turn_d;
    end
    if (rst) begin
      out_valid_o <= 1'b0;
      inside_q    <= 1'b0;
      turn_q      <= '0;
    end
  end

`ifdef FORMAL
  logic f_past;
  initial f_past = 1'b0;
  always_ff @(posedge clk) f_past <= 1'b1;

  logic          f_out_open_q;    // the beat that left last was not the last of its packet
  logic [NW-1:0] f_from_q;        // input of the beat on offer
  logic [NW-1:0] f_open_from_q;   // and of the beat that left last
  logic [NW:0]   f_passed_q [N];  // turns of others while the input waits

  // The inputs one cycle ago.
  logic [N-1:0]          f_taken_q, f_waits_q, f_last_q, f_bad_q;
  logic [N-1:0][W-1:0]   f_data_q;
  logic [N-1:0][W/8-1:0] f_keep_q;
  logic [N-1:0][U-1:0]   f_user_q;
  always_ff @(posedge clk) begin
    f_taken_q <= in_valid_i & in_ready_o;
    f_waits_q <= in_valid_i & ~in_ready_o;
    f_last_q  <= in_last_i;
    f_bad_q   <= in_bad_i;
    f_data_q  <= in_data_i;
    f_keep_q  <= in_keep_i;
    f_user_q  <= in_user_i;
  end

  // Turns from `a` to `b`.
  function automatic logic [NW:0] f_steps(input logic [NW-1:0] a, input logic [NW-1:0] b);
    return b >= a ? {1'b0, b} - {1'b0, a} : {1'b0, b} + (NW+1)'(N) - {1'b0, a};
  endfunction

  always_ff @(posedge clk) begin
    if (free) f_from_q <= turn_q;
    if (out_valid_o && out_ready_i) begin
      f_out_open_q  <= !out_last_o;
      f_open_from_q <= f_from_q;
    end
    for (int i = 0; i < N; i++) begin
      if (!in_valid_i[i] || in_ready_o[i]) f_passed_q[i] <= '0;
      else if (free && (valid ? in_last_i[turn_q] : !inside_q) && turn_d != turn_q)
        f_passed_q[i] <= f_passed_q[i] + 1'b1;
    end
    if (rst) begin
      f_out_open_q <= 1'b0;
      for (int i = 0; i < N; i++) f_passed_q[i] <= '0;
    end

    if (!f_past) assume (rst);
    if (f_past && !rst) begin
      // One beat at most is taken in a cycle, from an input that exists.
      assert ($onehot0(in_ready_o));
      assert ((NW+1)'(turn_q) < (NW+1)'(N));
      if (out_valid_o) assert ((NW+1)'(f_from_q) < (NW+1)'(N));
      // A packet is not mixed with another.
      assert (inside_q == (out_valid_o ? !out_last_o : f_out_open_q));
      if (inside_q) assert (turn_q == (out_valid_o ? f_from_q : f_open_from_q));
      if (out_valid_o && f_out_open_q) assert (f_from_q == f_open_from_q);
      // An input that offers a packet waits for N - 1 turns of others at most.
      for (int i = 0; i < N; i++)
        assert (f_passed_q[i] + f_steps(turn_q, NW'(i)) <= (NW+1)'(N - 1) || f_passed_q[i] == '0);
      for (int i = 0; i < N; i++) assert (f_passed_q[i] <= (NW+1)'(N - 1));
    end
    if (f_past && !rst && !$past(rst)) begin
      // Environment: a source keeps what it offers.
      assume ((f_waits_q & ~in_valid_i) == '0);
      // An offered beat stays and never changes; a new one is what the input offered.
      if ($past(out_valid_o && !out_ready_i)) begin
        assert (out_valid_o);
        assert ($stable(out_data_o) && $stable(out_keep_o) && $stable(out_last_o));
        assert ($stable(out_bad_o) && $stable(out_user_o));
      end else begin
        assert (out_valid_o == |f_taken_q);
        for (int i = 0; i < N; i++)
          if (f_taken_q[i]) begin
            assert (out_data_o == f_data_q[i] && out_keep_o == f_keep_q[i]);
            assert (out_last_o == f_last_q[i] && out_bad_o == f_bad_q[i]);
            assert (out_user_o == f_user_q[i]);
          end
      end
      cover (out_valid_o && f_passed_q[0] == (NW+1)'(N - 1));
      cover (out_valid_o && $past(out_valid_o && out_ready_i) && f_from_q != f_open_from_q);
    end
  end
`endif

endmodule

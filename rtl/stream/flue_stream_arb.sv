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

endmodule

// Where the send and the receive ring of each connection lie in host memory.
//
// Contract: the firmware writes words while a connection is not live: word 0 send ring's base (byte offset in its region),
//   1 its region in bits 7:0 and log2 of its bytes in 12:8, 2 and 3 the same of the receive ring.  A reader keeps valid and
//   index until ready; ring and ready come together.  Byte s of a stream lies at base + (s mod 2^log2).
//   Words of a row beyond the table are not written, and read as no ring: log2 0, region 255, which no table has.
//   What a row holds before it is written is not defined.
// Latency: 3 cycles, 7 when both readers ask.
// Cost: 114 COMB.
// Block RAM: 1.
module flue_tcp_rings
  import flue_tcp_pkg::*;
#(
  parameter int CONNECTIONS = 64          // 2 to 1,024; up to 128 fit into one block RAM
) (
  input  logic               clk,
  input  logic               rst,

  input  logic               wr_valid_i,
  input  logic [INDEX_W-1:0] wr_index_i,
  input  logic [1:0]         wr_word_i,
  input  logic [31:0]        wr_data_i,

  input  logic               send_valid_i,
  output logic               send_ready_o,
  input  logic [INDEX_W-1:0] send_index_i,

  input  logic               recv_valid_i,
  output logic               recv_ready_o,
  input  logic [INDEX_W-1:0] recv_index_i,

  output tcp_ring_t          ring_o        // with either ready
);

  localparam int ROW_W = $clog2(CONNECTIONS);

  logic [31:0]      mem [4 << ROW_W];
  logic [31:0]      data_q, base_q;
  logic [ROW_W-1:0] row;
  logic             recv_q;               // whose read it is; received frames go first
  logic [1:0]       step_q;               // none, base is read, place is read, answer
  logic [INDEX_W-1:0] index;
  logic             exists_q;

  assign index = recv_q ? recv_index_i : send_index_i;
  assign row   = index[ROW_W-1:0];

  always_ff @(posedge clk) begin
    if (wr_valid_i && wr_index_i < INDEX_W'(CONNECTIONS)) mem[{wr_index_i[ROW_W-1:0], wr_word_i}] <= wr_data_i;
    data_q <= mem[{row, recv_q, step_q[1]}];
  end

  always_ff @(posedge clk) begin
    if (step_q != 2'd0 || recv_valid_i || send_valid_i) step_q <= step_q + 2'd1;
    if (step_q == 2'd0) recv_q <= recv_valid_i;
    if (step_q == 2'd2) base_q <= data_q;
    exists_q <= index < INDEX_W'(CONNECTIONS);
    if (rst) step_q <= 2'd0;
  end

  always_comb begin
    ring_o = '{region: data_q[7:0], log2: data_q[12:8], base: base_q};
    if (!exists_q) begin
      ring_o.region = 8'hFF;
      ring_o.log2   = 5'd0;
    end
  end

  assign recv_ready_o = step_q == 2'd3 && recv_q;
  assign send_ready_o = step_q == 2'd3 && !recv_q;

endmodule

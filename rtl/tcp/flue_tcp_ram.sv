// Memory of the state store: 36-bit words in block RAM, one read and one write a cycle.
//
// Contract: what is read in the cycle in which it is written is not used (the reason for no_rw_check); q_o is the word at
// read_addr_i one cycle later.
// Cost: DEPTH / 512 block RAMs, rounded up.
// Block RAM: 1 at DEPTH=260.
module flue_tcp_ram #(
  parameter int DEPTH = 260,
  localparam int AW   = $clog2(DEPTH)
) (
  input  logic          clk,

  input  logic          write_i,
  input  logic [AW-1:0] write_addr_i,
  input  logic [35:0]   data_i,

  input  logic [AW-1:0] read_addr_i,
  output logic [35:0]   q_o
);

  (* ram_style = "block", no_rw_check *)
  logic [35:0] mem [DEPTH];

  always_ff @(posedge clk) begin
    q_o <= mem[read_addr_i];
    if (write_i) mem[write_addr_i] <= data_i;
  end

endmodule

// Memory of the lookup tables: 36-bit words in block RAM, one access a cycle.
//
// Contract: write_i writes the lower, the upper half of the word or both.  Either a write or a read each cycle, so that no word is ever read while it is
// written (the reason for no_rw_check); q_o is the word at addr_i one cycle later.
// Cost: DEPTH / 512 block RAMs, rounded up.
// Block RAM: 1 at DEPTH=512, 8 at DEPTH=4096, 2 at DEPTH=1024.
module flue_table_ram #(
  parameter int DEPTH = 512,
  localparam int AW   = $clog2(DEPTH)
) (
  input  logic          clk,

  input  logic [1:0]    write_i,
  input  logic [AW-1:0] addr_i,
  input  logic [35:0]   data_i,
  output logic [35:0]   q_o
);

  (* ram_style = "block", no_rw_check *)
  logic [35:0] mem [DEPTH];

  always_ff @(posedge clk) begin
    q_o <= mem[addr_i];
    if (write_i[0]) mem[addr_i][17:0]  <= data_i[17:0];
    if (write_i[1]) mem[addr_i][35:18] <= data_i[35:18];
  end

endmodule

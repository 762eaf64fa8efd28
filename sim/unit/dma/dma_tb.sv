// Bench of rtl/dma: flue_dma at every width, each with its clients and its memory.
//
// IDs of the instance of width 32 << n are 16 * n and up: sources 0 to 3 read requests ({last,
// request} as user bits), 4 to 6 write requests, 7 to 9 write data; sinks 0 to 3 read data
// (status with last). Config n: {we, addr[5:0], wdata[31:0]} of the region window.  Status n:
// rg_rdata, errors, busy.
module dma_tb
  import flue_pkg::*;
(
  input logic clk,
  input logic rst
);

  for (genvar g = 0; g < 5; g++) begin : g_width
    dma_bench #(.W(32 << g), .N(g)) u_bench (.clk, .rst);
  end

endmodule

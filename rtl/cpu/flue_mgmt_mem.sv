// Memory of the management processor: one port, shared by core, host and DMA in this order.
//
// Contract: the core is never kept waiting: a read at core_raddr_i, or a write, takes the cycle.
//   Host and DMA hold their request until it is granted; data of a read are in rdata_o in the
//   next cycle.
// Block RAM: 16 at FW_KB=32, 8 at FW_KB=16, 4 at FW_KB=8, 32 at FW_KB=64, 64 at FW_KB=128.
module flue_mgmt_mem #(
  parameter int FW_KB = 32,
  localparam int AW   = $clog2(FW_KB) + 10
) (
  input  logic          clk,

  input  logic          core_read_i,
  input  logic [AW-1:2] core_raddr_i,
  input  logic          core_write_i,
  input  logic [AW-1:2] core_waddr_i,
  input  logic [3:0]    core_wstrb_i,
  input  logic [31:0]   core_wdata_i,

  input  logic          host_valid_i,
  output logic          host_grant_o,
  input  logic          host_write_i,
  input  logic [AW-1:2] host_addr_i,
  input  logic [31:0]   host_wdata_i,

  input  logic          dma_valid_i,
  output logic          dma_grant_o,
  input  logic          dma_write_i,
  input  logic [AW-1:2] dma_addr_i,
  input  logic [31:0]   dma_wdata_i,

  output logic [31:0]   rdata_o
);

  localparam int WORDS = FW_KB * 256;
  localparam int SLICE = WORDS >= 16384 ? 1 : 16384 / WORDS > 8 ? 8 : 16384 / WORDS;

  logic          free, write;
  logic [AW-1:2] addr;
  logic [3:0]    we;
  logic [31:0]   wdata;

  assign free         = !core_read_i && !core_write_i;
  assign host_grant_o = host_valid_i && free;
  assign dma_grant_o  = dma_valid_i && free && !host_valid_i;

  always_comb begin
    addr  = core_raddr_i;
    write = core_write_i;
    wdata = host_valid_i ? host_wdata_i : dma_wdata_i;
    if (!core_read_i) begin
      addr  = host_valid_i ? host_addr_i : dma_addr_i;
      write = host_valid_i ? host_write_i : dma_valid_i && dma_write_i;
    end
    we = {4{write}};
    if (core_write_i) begin
      addr  = core_waddr_i;
      we    = core_wstrb_i;
      wdata = core_wdata_i;
    end
  end

  // As many bits a block RAM as make it as deep as the memory: no multiplexer behind it.
  for (genvar g = 0; g < 32 / SLICE; g++) begin : g_slice
    logic [SLICE-1:0] mem [WORDS];
    logic [SLICE-1:0] q;

    always_ff @(posedge clk) begin
      if (we[g*SLICE/8]) mem[addr] <= wdata[g*SLICE+:SLICE];
      else               q <= mem[addr];
    end

    assign rdata_o[g*SLICE+:SLICE] = q;
  end

endmodule

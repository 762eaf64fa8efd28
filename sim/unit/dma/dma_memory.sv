// Host memory behind an AXI4 port of the DMA bench; what it holds, how it stalls
// and what it checks is in dma_memory.c.
module dma_memory #(
  parameter int W  = 64,
  parameter int ID = 0
) (
  input  logic           clk,
  input  logic           rst,

  input  logic           busy_i,           // of the module under test

  input  logic [2:0]     arid_i,
  input  logic [63:0]    araddr_i,
  input  logic [7:0]     arlen_i,
  input  logic [2:0]     arsize_i,
  input  logic [1:0]     arburst_i,
  input  logic           arvalid_i,
  output logic           arready_o,
  output logic [2:0]     rid_o,
  output logic [W-1:0]   rdata_o,
  output logic [1:0]     rresp_o,
  output logic           rlast_o,
  output logic           rvalid_o,
  input  logic           rready_i,

  input  logic [2:0]     awid_i,
  input  logic [63:0]    awaddr_i,
  input  logic [7:0]     awlen_i,
  input  logic [2:0]     awsize_i,
  input  logic [1:0]     awburst_i,
  input  logic           awvalid_i,
  output logic           awready_o,
  input  logic [W-1:0]   wdata_i,
  input  logic [W/8-1:0] wstrb_i,
  input  logic           wlast_i,
  input  logic           wvalid_i,
  output logic           wready_o,
  output logic [2:0]     bid_o,
  output logic [1:0]     bresp_o,
  output logic           bvalid_o,
  input  logic           bready_i
);

  // Each is called at every edge with what the port shows, and says what it shows next.
  import "DPI-C" function void memory_reset(input int id, input int lanes);
  import "DPI-C" function bit memory_ar(input int id, input bit valid, input bit ready,
    input int unsigned axid, input longint unsigned addr, input int unsigned len,
    input int unsigned size, input int unsigned burst);
  import "DPI-C" function bit memory_r(input int id, input bit ready, output int unsigned axid,
    output bit [511:0] data, output int unsigned resp, output bit last);
  import "DPI-C" function bit memory_aw(input int id, input bit valid, input bit ready,
    input bit w_valid, input int unsigned axid, input longint unsigned addr, input int unsigned len,
    input int unsigned size, input int unsigned burst);
  import "DPI-C" function bit memory_w(input int id, input bit valid, input bit ready,
    input bit [511:0] data, input longint unsigned strb, input bit last);
  import "DPI-C" function bit memory_b(input int id, input bit valid, input bit ready,
    output int unsigned resp);
  import "DPI-C" function void memory_busy(input int id, input bit busy);

  always_ff @(posedge clk) begin : step
    automatic bit [511:0]  data;
    automatic bit          last;
    automatic int unsigned axid, rresp, bresp;
    if (rst) begin
      memory_reset(ID, W / 8);
      arready_o <= 1'b0;
      rvalid_o  <= 1'b0;
      awready_o <= 1'b0;
      wready_o  <= 1'b0;
      bvalid_o  <= 1'b0;
    end else begin
      memory_busy(ID, busy_i);
      arready_o <= memory_ar(ID, arvalid_i, arready_o, 32'(arid_i), araddr_i, 32'(arlen_i),
                             32'(arsize_i), 32'(arburst_i));
      rvalid_o  <= memory_r(ID, rready_i, axid, data, rresp, last);
      rid_o     <= axid[2:0];
      rdata_o   <= data[W-1:0];
      rresp_o   <= rresp[1:0];
      rlast_o   <= last;
      awready_o <= memory_aw(ID, awvalid_i, awready_o, wvalid_i, 32'(awid_i), awaddr_i,
                             32'(awlen_i), 32'(awsize_i), 32'(awburst_i));
      wready_o  <= memory_w(ID, wvalid_i, wready_o, 512'(wdata_i), 64'(wstrb_i), wlast_i);
      bvalid_o  <= memory_b(ID, bvalid_o, bready_i, bresp);
      bresp_o   <= bresp[1:0];
    end
  end

  assign bid_o = 3'd0;

endmodule

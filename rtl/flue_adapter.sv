// The adapter: wiring only.  docs/architecture.md has the picture.
//
// Contract: AXI4-Lite registers, AXI4 DMA, one packet stream to the wire and
//   one from it (never stalled).  `time_us_i` is the only notion of time and
//   may jump forward while `idle_o` is high.
// idle_o is exact: high when no beat, slot, event, DMA, interrupt change or
//   register access is pending, so that without input nothing will ever happen
//   before `deadline_us_o` (when deadline_valid_o).
module flue_adapter #(
  parameter int W         = 32,           // stream and AXI data width: 32, 64, 128, 256, 512
  parameter int REGIONS   = 4,            // rows of the region table, 1 to 16
  parameter int MAX_FRAME = 1518,         // largest frame on the wire with tags, without FCS, to 9018
  parameter bit FAULTS    = 1'b0          // register FAULT works
) (
  input  logic           clk,
  input  logic           rst,

  input  logic [63:0]    time_us_i,
  output logic           irq_o,
  output logic           idle_o,
  output logic           deadline_valid_o,
  output logic [63:0]    deadline_us_o,

  // AXI4-Lite subordinate: registers
  input  logic           axil_awvalid_i,
  output logic           axil_awready_o,
  input  logic [11:0]    axil_awaddr_i,
  input  logic           axil_wvalid_i,
  output logic           axil_wready_o,
  input  logic [31:0]    axil_wdata_i,
  input  logic [3:0]     axil_wstrb_i,
  output logic           axil_bvalid_o,
  input  logic           axil_bready_i,
  output logic [1:0]     axil_bresp_o,
  input  logic           axil_arvalid_i,
  output logic           axil_arready_o,
  input  logic [11:0]    axil_araddr_i,
  output logic           axil_rvalid_o,
  input  logic           axil_rready_i,
  output logic [31:0]    axil_rdata_o,
  output logic [1:0]     axil_rresp_o,

  // AXI4 manager: host memory
  output logic           axi_arvalid_o,
  input  logic           axi_arready_i,
  output logic [2:0]     axi_arid_o,
  output logic [63:0]    axi_araddr_o,
  output logic [7:0]     axi_arlen_o,
  output logic [2:0]     axi_arsize_o,
  output logic [1:0]     axi_arburst_o,
  input  logic           axi_rvalid_i,
  output logic           axi_rready_o,
  input  logic [2:0]     axi_rid_i,
  input  logic [W-1:0]   axi_rdata_i,
  input  logic [1:0]     axi_rresp_i,
  input  logic           axi_rlast_i,
  output logic           axi_awvalid_o,
  input  logic           axi_awready_i,
  output logic [2:0]     axi_awid_o,
  output logic [63:0]    axi_awaddr_o,
  output logic [7:0]     axi_awlen_o,
  output logic [2:0]     axi_awsize_o,
  output logic [1:0]     axi_awburst_o,
  output logic           axi_wvalid_o,
  input  logic           axi_wready_i,
  output logic [W-1:0]   axi_wdata_o,
  output logic [W/8-1:0] axi_wstrb_o,
  output logic           axi_wlast_o,
  input  logic           axi_bvalid_i,
  output logic           axi_bready_o,
  input  logic [2:0]     axi_bid_i,
  input  logic [1:0]     axi_bresp_i,

  // wire
  input  logic           wire_rx_valid_i,
  output logic           wire_rx_ready_o, // always high
  input  logic [W-1:0]   wire_rx_data_i,
  input  logic [W/8-1:0] wire_rx_keep_i,
  input  logic           wire_rx_last_i,
  input  logic           wire_rx_bad_i,
  output logic           wire_tx_valid_o,
  input  logic           wire_tx_ready_i,
  output logic [W-1:0]   wire_tx_data_o,
  output logic [W/8-1:0] wire_tx_keep_o,
  output logic           wire_tx_last_o,
  output logic           wire_tx_bad_o    // always low: a frame that fails never leaves
);

endmodule

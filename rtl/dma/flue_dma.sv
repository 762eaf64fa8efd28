// DMA: the adapter's only way to host memory.  Rules and ports: docs/architecture.md, section
// 4.
//
// Contract: four read clients (0 transmit slots, 1 transmit payload, 2 receive slots, 3 management
// processor) and three write clients (0 receive payload, 1 events, 2 management processor) over
// one AXI4 manager.  Every access is checked against the region table before anything of it
// leaves.  A client that stalls stalls nobody else.
// Latency: request to address 5 cycles; answer to client 2 cycles for slots, 6 for payload,
// 5 for the processor.
// One burst in 5 cycles.
// Cost: (RD_FIFO + one burst) * (W + 2) bits of block RAM; the rest in LUT memory.
// Block RAM: 4 at W=64, 2 at W=32.
module flue_dma
  import flue_pkg::*;
#(
  parameter int W       = 64,
  parameter int REGIONS = 16,
  parameter int RD_FIFO = 512,             // payload beats asked for ahead, a power of two
  localparam int B      = W / 8,
  localparam int IDX_W  = REGIONS > 1 ? $clog2(REGIONS) : 1
) (
  input  logic              clk,
  input  logic              rst,

  input  logic              rg_we_i,
  input  logic [IDX_W+1:0]  rg_addr_i,
  input  logic [31:0]       rg_wdata_i,
  output logic [31:0]       rg_rdata_o,

  input  logic [3:0]        rd_req_valid_i,
  output logic [3:0]        rd_req_ready_o,
  input  dma_req_t [3:0]    rd_req_i,
  input  logic [3:0]        rd_req_last_i, // of client 1; of the others each request is a packet
  output logic [3:0]        rd_valid_o,
  input  logic [3:0]        rd_ready_i,
  output logic [3:0][W-1:0] rd_data_o,
  output logic [3:0][B-1:0] rd_keep_o,
  output logic [3:0]        rd_last_o,
  output logic [3:0]        rd_bad_o,
  output status_e [3:0]     rd_status_o,

  input  logic [2:0]        wr_req_valid_i,
  output logic [2:0]        wr_req_ready_o,
  input  dma_req_t [2:0]    wr_req_i,
  input  logic [2:0]        wr_valid_i,
  output logic [2:0]        wr_ready_o,
  input  logic [2:0][W-1:0] wr_data_i,
  input  logic [2:0][B-1:0] wr_keep_i,
  input  logic [2:0]        wr_last_i,
  output logic [2:0]        wr_done_o,
  output status_e [2:0]     wr_status_o,

  output logic              busy_o,
  output logic              rd_err_o,
  output logic              wr_err_o,
  output logic              region_err_o,

  output logic [2:0]        m_axi_arid,
  output logic [63:0]       m_axi_araddr,
  output logic [7:0]        m_axi_arlen,
  output logic [2:0]        m_axi_arsize,
  output logic [1:0]        m_axi_arburst,
  output logic              m_axi_arvalid,
  input  logic              m_axi_arready,
  input  logic [2:0]        m_axi_rid,
  input  logic [W-1:0]      m_axi_rdata,
  input  logic [1:0]        m_axi_rresp,
  input  logic              m_axi_rlast,
  input  logic              m_axi_rvalid,
  output logic              m_axi_rready,

  output logic [2:0]        m_axi_awid,
  output logic [63:0]       m_axi_awaddr,
  output logic [7:0]        m_axi_awlen,
  output logic [2:0]        m_axi_awsize,
  output logic [1:0]        m_axi_awburst,
  output logic              m_axi_awvalid,
  input  logic              m_axi_awready,
  output logic [W-1:0]      m_axi_wdata,
  output logic [B-1:0]      m_axi_wstrb,
  output logic              m_axi_wlast,
  output logic              m_axi_wvalid,
  input  logic              m_axi_wready,
  input  logic [2:0]        m_axi_bid,
  input  logic [1:0]        m_axi_bresp,
  input  logic              m_axi_bvalid,
  output logic              m_axi_bready
);

  localparam int L     = $clog2(B);
  localparam int BURST = 16 * B > 256 ? 16 * B : 256;
  localparam int LEN_B = $clog2(BURST / B);

  if (W != 32 && W != 64 && W != 128 && W != 256 && W != 512) begin : g_check
    $error("W must be 32, 64, 128, 256 or 512");
  end

  logic             look_valid, entry_valid, entry_writable;
  logic [IDX_W-1:0] look;
  logic [63:12]     entry_base;
  logic [31:0]      entry_size;

  flue_region_table #(.REGIONS(REGIONS)) u_table (
    .clk,
    .rst,
    .rg_we_i,
    .rg_addr_i,
    .rg_wdata_i,
    .rg_rdata_o,
    .look_valid_i (look_valid),
    .look_i       (look),
    .base_o       (entry_base),
    .size_o       (entry_size),
    .valid_o      (entry_valid),
    .writable_o   (entry_writable)
  );

  logic [6:0]       client;
  logic [3:0]       rd_can;
  logic             wr_can, rd_burst, wr_burst, refused, is_first, is_final, packet_last;
  logic             issue_busy, rd_busy, wr_busy;
  logic [LEN_B-1:0] beats;
  logic [L-1:0]     start, stop;
  logic [63:L]      addr;
  status_e          wr_status;

  flue_dma_issue #(.W(W), .REGIONS(REGIONS)) u_issue (
    .clk,
    .rst,
    .req_valid_i      ({wr_req_valid_i, rd_req_valid_i}),
    .req_ready_o      ({wr_req_ready_o, rd_req_ready_o}),
    .req_i            ({wr_req_i, rd_req_i}),
    .req_last_i       (rd_req_last_i[1]),
    .can_i            ({{3{wr_can}}, rd_can}),
    .look_valid_o     (look_valid),
    .look_o           (look),
    .entry_base_i     (entry_base),
    .entry_size_i     (entry_size),
    .entry_valid_i    (entry_valid),
    .entry_writable_i (entry_writable),
    .rd_burst_o       (rd_burst),
    .wr_burst_o       (wr_burst),
    .client_o         (client),
    .refused_o        (refused),
    .first_o          (is_first),
    .final_o          (is_final),
    .packet_last_o    (packet_last),
    .beats_o          (beats),
    .start_o          (start),
    .end_o            (stop),
    .addr_o           (addr),
    .busy_o           (issue_busy)
  );

  flue_dma_read #(.W(W), .RD_FIFO(RD_FIFO)) u_read (
    .clk,
    .rst,
    .can_o         (rd_can),
    .burst_i       (rd_burst),
    .client_i      (client[3:0]),
    .refused_i     (refused),
    .final_i       (is_final),
    .packet_last_i (packet_last),
    .beats_i       (beats),
    .start_i       (start),
    .end_i         (stop),
    .addr_i        (addr),
    .m_axi_arid,
    .m_axi_araddr,
    .m_axi_arlen,
    .m_axi_arsize,
    .m_axi_arburst,
    .m_axi_arvalid,
    .m_axi_arready,
    .m_axi_rid,
    .m_axi_rdata,
    .m_axi_rresp,
    .m_axi_rlast,
    .m_axi_rvalid,
    .m_axi_rready,
    .out_valid_o   (rd_valid_o),
    .out_ready_i   (rd_ready_i),
    .out_data_o    (rd_data_o),
    .out_keep_o    (rd_keep_o),
    .out_last_o    (rd_last_o),
    .out_bad_o     (rd_bad_o),
    .out_status_o  (rd_status_o),
    .busy_o        (rd_busy),
    .err_o         (rd_err_o)
  );

  flue_dma_write #(.W(W)) u_write (
    .clk,
    .rst,
    .can_o      (wr_can),
    .burst_i    (wr_burst),
    .client_i   (client[6:5]),              // 0, 1, 2 from one-hot
    .refused_i  (refused),
    .first_i    (is_first),
    .final_i    (is_final),
    .beats_i    (beats),
    .start_i    (start),
    .end_i      (stop),
    .addr_i     (addr),
    .in_valid_i (wr_valid_i),
    .in_ready_o (wr_ready_o),
    .in_data_i  (wr_data_i),
    .in_keep_i  (wr_keep_i),
    .in_last_i  (wr_last_i),
    .done_o     (wr_done_o),
    .status_o   (wr_status),
    .m_axi_awid,
    .m_axi_awaddr,
    .m_axi_awlen,
    .m_axi_awsize,
    .m_axi_awburst,
    .m_axi_awvalid,
    .m_axi_awready,
    .m_axi_wdata,
    .m_axi_wstrb,
    .m_axi_wlast,
    .m_axi_wvalid,
    .m_axi_wready,
    .m_axi_bid,
    .m_axi_bresp,
    .m_axi_bvalid,
    .m_axi_bready,
    .busy_o     (wr_busy),
    .err_o      (wr_err_o)
  );

  assign wr_status_o = {3{wr_status}};
  assign busy_o      = issue_busy || rd_busy || wr_busy;

  always_ff @(posedge clk) begin
    region_err_o <= (rd_burst || wr_burst) && refused;
    if (rst) region_err_o <= 1'b0;
  end

endmodule

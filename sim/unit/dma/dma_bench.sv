// One flue_dma between sources, sinks and a memory; IDs in dma_tb.sv.
module dma_bench
  import flue_pkg::*;
#(
  parameter int W = 64,
  parameter int N = 0
) (
  input logic clk,
  input logic rst
);

  localparam int B     = W / 8;
  localparam int BASE  = 16 * N;
  localparam int REQ_W = $bits(dma_req_t);

  import "DPI-C" function void dma_done(input int n, input int client, input int status);

  logic [3:0]        rd_req_valid, rd_req_ready, rd_req_last;
  dma_req_t [3:0]    rd_req;
  logic [3:0]        rd_valid, rd_ready, rd_last, rd_bad;
  logic [3:0][W-1:0] rd_data;
  logic [3:0][B-1:0] rd_keep;
  status_e [3:0]     rd_status;
  logic [2:0]        wr_req_valid, wr_req_ready, wr_valid, wr_ready, wr_last, wr_done;
  dma_req_t [2:0]    wr_req;
  logic [2:0][W-1:0] wr_data;
  logic [2:0][B-1:0] wr_keep;
  status_e [2:0]     wr_status;
  logic              rg_we, busy, rd_err, wr_err, region_err;
  logic [5:0]        rg_addr;
  logic [31:0]       rg_wdata, rg_rdata;

  logic [2:0]   arid, rid, awid, bid;
  logic [63:0]  araddr, awaddr;
  logic [7:0]   arlen, awlen;
  logic [2:0]   arsize, awsize;
  logic [1:0]   arburst, awburst, rresp, bresp;
  logic         arvalid, arready, rlast, rvalid, rready, awvalid, awready, wlast, wvalid, wready;
  logic         bvalid, bready;
  logic [W-1:0] rdata, wdata;
  logic [B-1:0] wstrb;

  for (genvar c = 0; c < 4; c++) begin : g_read
    bench_source #(.W(8), .U(REQ_W + 1), .ID(BASE + c)) u_req (
      .clk, .rst, .out_valid_o(rd_req_valid[c]), .out_ready_i(rd_req_ready[c]),
      .out_data_o(), .out_keep_o(), .out_last_o(), .out_bad_o(),
      .out_user_o({rd_req_last[c], rd_req[c]}), .out_user_last_o()
    );
    bench_sink #(.W(W), .UL(5), .ID(BASE + c)) u_data (
      .clk, .rst, .in_valid_i(rd_valid[c]), .in_ready_o(rd_ready[c]), .in_data_i(rd_data[c]),
      .in_keep_i(rd_keep[c]), .in_last_i(rd_last[c]), .in_bad_i(rd_bad[c]), .in_user_i(1'b0),
      .in_user_last_i(rd_status[c])
    );
  end

  for (genvar c = 0; c < 3; c++) begin : g_write
    bench_source #(.W(8), .U(REQ_W), .ID(BASE + 4 + c)) u_req (
      .clk, .rst, .out_valid_o(wr_req_valid[c]), .out_ready_i(wr_req_ready[c]),
      .out_data_o(), .out_keep_o(), .out_last_o(), .out_bad_o(),
      .out_user_o(wr_req[c]), .out_user_last_o()
    );
    bench_source #(.W(W), .ID(BASE + 7 + c)) u_data (
      .clk, .rst, .out_valid_o(wr_valid[c]), .out_ready_i(wr_ready[c]), .out_data_o(wr_data[c]),
      .out_keep_o(wr_keep[c]), .out_last_o(wr_last[c]), .out_bad_o(), .out_user_o(),
      .out_user_last_o()
    );
    always_ff @(posedge clk) if (!rst && wr_done[c]) dma_done(N, c, 32'(wr_status[c]));
  end

  bench_config #(.W(39), .ID(N)) u_config (.clk, .value_o({rg_we, rg_addr, rg_wdata}));
  bench_status #(.W(36), .ID(N)) u_status (
    .clk, .rst, .value_i({busy, region_err, wr_err, rd_err, rg_rdata})
  );

  flue_dma #(.W(W), .REGIONS(16)) u_dma (
    .clk, .rst,
    .rg_we_i(rg_we), .rg_addr_i(rg_addr), .rg_wdata_i(rg_wdata), .rg_rdata_o(rg_rdata),
    .rd_req_valid_i(rd_req_valid), .rd_req_ready_o(rd_req_ready), .rd_req_i(rd_req),
    .rd_req_last_i(rd_req_last), .rd_valid_o(rd_valid), .rd_ready_i(rd_ready),
    .rd_data_o(rd_data), .rd_keep_o(rd_keep), .rd_last_o(rd_last), .rd_bad_o(rd_bad),
    .rd_status_o(rd_status),
    .wr_req_valid_i(wr_req_valid), .wr_req_ready_o(wr_req_ready), .wr_req_i(wr_req),
    .wr_valid_i(wr_valid), .wr_ready_o(wr_ready), .wr_data_i(wr_data), .wr_keep_i(wr_keep),
    .wr_last_i(wr_last), .wr_done_o(wr_done), .wr_status_o(wr_status),
    .busy_o(busy), .rd_err_o(rd_err), .wr_err_o(wr_err), .region_err_o(region_err),
    .m_axi_arid(arid), .m_axi_araddr(araddr), .m_axi_arlen(arlen), .m_axi_arsize(arsize),
    .m_axi_arburst(arburst), .m_axi_arvalid(arvalid), .m_axi_arready(arready),
    .m_axi_rid(rid), .m_axi_rdata(rdata), .m_axi_rresp(rresp), .m_axi_rlast(rlast),
    .m_axi_rvalid(rvalid), .m_axi_rready(rready),
    .m_axi_awid(awid), .m_axi_awaddr(awaddr), .m_axi_awlen(awlen), .m_axi_awsize(awsize),
    .m_axi_awburst(awburst), .m_axi_awvalid(awvalid), .m_axi_awready(awready),
    .m_axi_wdata(wdata), .m_axi_wstrb(wstrb), .m_axi_wlast(wlast), .m_axi_wvalid(wvalid),
    .m_axi_wready(wready),
    .m_axi_bid(bid), .m_axi_bresp(bresp), .m_axi_bvalid(bvalid), .m_axi_bready(bready)
  );

  dma_memory #(.W(W), .ID(N)) u_memory (
    .clk, .rst, .busy_i(busy),
    .arid_i(arid), .araddr_i(araddr), .arlen_i(arlen), .arsize_i(arsize), .arburst_i(arburst),
    .arvalid_i(arvalid), .arready_o(arready),
    .rid_o(rid), .rdata_o(rdata), .rresp_o(rresp), .rlast_o(rlast), .rvalid_o(rvalid),
    .rready_i(rready),
    .awid_i(awid), .awaddr_i(awaddr), .awlen_i(awlen), .awsize_i(awsize), .awburst_i(awburst),
    .awvalid_i(awvalid), .awready_o(awready),
    .wdata_i(wdata), .wstrb_i(wstrb), .wlast_i(wlast), .wvalid_i(wvalid), .wready_o(wready),
    .bid_o(bid), .bresp_o(bresp), .bvalid_o(bvalid), .bready_i(bready)
  );

endmodule

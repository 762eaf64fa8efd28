// Unit bench of rtl/dma/flue_dma_share.sv with three users.
//
// Sources 0 to 2: requests of a user (dma_req_t); 8 to 10: their data.  Sink 0: requests as the DMA gets them; 1: data.
// The DMA answers a write config 0 cycles after its last beat.  Status u: {done}.
module dma_share_tb
  import flue_pkg::*;
(
  input logic clk,
  input logic rst
);

  localparam int N = 3, W = 32;

  logic [N-1:0]          req_valid, req_ready, valid, ready, last, done;
  dma_req_t [N-1:0]      req;
  logic [N-1:0][W-1:0]   data;
  logic [N-1:0][W/8-1:0] keep;
  logic                  m_req_valid, m_req_ready, m_valid, m_ready, m_last, m_done;
  dma_req_t              m_req;
  logic [W-1:0]          m_data;
  logic [W/8-1:0]        m_keep;
  logic [4:0]            delay;
  logic [31:0]           line_q;

  bench_config #(.W(5), .ID(0)) u_config (.clk, .value_o(delay));

  for (genvar u = 0; u < N; u++) begin : g_user
    bench_source #(.W(8), .U($bits(dma_req_t)), .ID(u)) u_req (
      .clk, .rst, .out_valid_o(req_valid[u]), .out_ready_i(req_ready[u]), .out_data_o(), .out_keep_o(),
      .out_last_o(), .out_bad_o(), .out_user_o(req[u]), .out_user_last_o()
    );
    bench_source #(.W(W), .ID(8 + u)) u_data (
      .clk, .rst, .out_valid_o(valid[u]), .out_ready_i(ready[u]), .out_data_o(data[u]), .out_keep_o(keep[u]),
      .out_last_o(last[u]), .out_bad_o(), .out_user_o(), .out_user_last_o()
    );
    bench_status #(.W(1), .ID(u)) u_status (.clk, .rst, .value_i(done[u]));
  end

  flue_dma_share #(.N(N), .W(W)) dut (
    .clk, .rst, .req_valid_i(req_valid), .req_ready_o(req_ready), .req_i(req), .valid_i(valid), .ready_o(ready),
    .data_i(data), .keep_i(keep), .last_i(last), .done_o(done), .req_valid_o(m_req_valid), .req_ready_i(m_req_ready),
    .req_o(m_req), .valid_o(m_valid), .ready_i(m_ready), .data_o(m_data), .keep_o(m_keep), .last_o(m_last),
    .done_i(m_done)
  );

  // A write is over when its request and its packet are through; answered in order, `delay` cycles later.
  logic [7:0] asked_q, sent_q, begun_q;
  always_ff @(posedge clk) begin
    if (m_req_valid && m_req_ready)       asked_q <= asked_q + 8'd1;
    if (m_valid && m_ready && m_last)     sent_q  <= sent_q + 8'd1;
    if (asked_q != begun_q && sent_q != begun_q && line_q == '0) begin
      begun_q <= begun_q + 8'd1;
      line_q  <= 32'd1 << delay;
    end else begin
      line_q  <= line_q >> 1;
    end
    if (rst) {asked_q, sent_q, begun_q, line_q} <= '0;
  end
  assign m_done = line_q[0];

  bench_sink #(.W(8), .U($bits(dma_req_t)), .ID(0)) u_sink_req (
    .clk, .rst, .in_valid_i(m_req_valid), .in_ready_o(m_req_ready), .in_data_i(8'd0), .in_keep_i(1'b1),
    .in_last_i(1'b1), .in_bad_i(1'b0), .in_user_i(m_req), .in_user_last_i(1'b0)
  );
  bench_sink #(.W(W), .ID(1)) u_sink_data (
    .clk, .rst, .in_valid_i(m_valid), .in_ready_o(m_ready), .in_data_i(m_data), .in_keep_i(m_keep),
    .in_last_i(m_last), .in_bad_i(1'b0), .in_user_i(1'b0), .in_user_last_i(1'b0)
  );

endmodule

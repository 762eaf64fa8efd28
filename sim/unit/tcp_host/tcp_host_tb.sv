// Unit bench of rtl/tcp/flue_tcp_host.sv, a width each: 32, 64, 128, 256.
//
// Sources 4 g: load {live, generation, index}; 4 g + 1: doorbell word {data, word, index}; 4 g + 2: tell (tcp_tell_t).
// Sinks 4 g: doorbell {index, tcp_doorbell_t}; 4 g + 1: status line, user {region, offset, length}; 4 g + 2: event.
// Config g: {write fails, status_enable}.  Status g: {idle, write_error, refused}.
module tcp_host_tb
  import flue_pkg::*;
  import flue_tcp_pkg::*;
(
  input logic clk,
  input logic rst
);

  for (genvar g = 0; g < 4; g++) begin : g_width
    localparam int W    = 32 << g;
    localparam int ROWS = g == 0 ? 8 : g == 1 ? 2 : 64;

    logic               load_valid, load_ready, db_valid, db_ready, tell_valid, tell_ready;
    logic [30:0]        load;
    logic [50:0]        db;
    tcp_tell_t          tell;
    logic [1:0]         cfg;
    logic               refused, write_error, idle;
    logic               go_valid, go_ready, ev_valid, ev_ready;
    logic [INDEX_W-1:0] go_index;
    tcp_doorbell_t      go;
    logic [95:0]        ev;
    logic               req_valid, wr_valid, wr_ready, wr_last;
    dma_req_t           req, req_q;
    logic [W-1:0]       wr_data;
    logic [W/8-1:0]     wr_keep;
    logic [3:0]         done_q;

    bench_config #(.W(2), .ID(g)) u_config (.clk, .value_o(cfg));
    bench_status #(.W(3), .ID(g)) u_status (.clk, .rst, .value_i({idle, write_error, refused}));
    bench_source #(.W(8), .U(31), .ID(4 * g)) u_load (
      .clk, .rst, .out_valid_o(load_valid), .out_ready_i(load_ready), .out_data_o(), .out_keep_o(),
      .out_last_o(), .out_bad_o(), .out_user_o(load), .out_user_last_o()
    );
    bench_source #(.W(8), .U(51), .ID(4 * g + 1)) u_db (
      .clk, .rst, .out_valid_o(db_valid), .out_ready_i(db_ready), .out_data_o(), .out_keep_o(),
      .out_last_o(), .out_bad_o(), .out_user_o(db), .out_user_last_o()
    );
    bench_source #(.W(8), .U($bits(tcp_tell_t)), .ID(4 * g + 2)) u_tell (
      .clk, .rst, .out_valid_o(tell_valid), .out_ready_i(tell_ready), .out_data_o(), .out_keep_o(),
      .out_last_o(), .out_bad_o(), .out_user_o(tell), .out_user_last_o()
    );

    flue_tcp_host #(.W(W), .CONNECTIONS(ROWS)) dut (
      .clk, .rst,
      .load_valid_i(load_valid), .load_ready_o(load_ready), .load_index_i(load[15:0]),
      .load_generation_i(load[29:16]), .load_live_i(load[30]),
      .db_valid_i(db_valid), .db_ready_o(db_ready), .db_index_i(db[15:0]), .db_word_i(db[18:16]),
      .db_data_i(db[50:19]), .refused_o(refused),
      .doorbell_valid_o(go_valid), .doorbell_ready_i(go_ready), .doorbell_index_o(go_index), .doorbell_o(go),
      .tell_valid_i(tell_valid), .tell_ready_o(tell_ready), .tell_i(tell),
      .status_enable_i(cfg[0]), .status_region_i(8'd3), .status_base_i(27'h100),
      .wr_req_valid_o(req_valid), .wr_req_ready_i(1'b1), .wr_req_o(req),
      .wr_valid_o(wr_valid), .wr_ready_i(wr_ready), .wr_data_o(wr_data), .wr_keep_o(wr_keep),
      .wr_last_o(wr_last), .wr_done_i(done_q[3]), .wr_status_i(cfg[1] ? ST_DMA_WRITE : ST_OK),
      .write_error_o(write_error), .event_valid_o(ev_valid), .event_ready_i(ev_ready), .event_o(ev),
      .idle_o(idle)
    );

    always_ff @(posedge clk) begin
      if (req_valid) req_q <= req;
      done_q <= {done_q[2:0], wr_valid && wr_ready && wr_last};
      if (rst) done_q <= '0;
    end

    bench_sink #(.W(8), .U(INDEX_W + $bits(tcp_doorbell_t)), .ID(4 * g)) u_go (
      .clk, .rst, .in_valid_i(go_valid), .in_ready_o(go_ready), .in_data_i(8'd0), .in_keep_i(1'b1),
      .in_last_i(1'b1), .in_bad_i(1'b0), .in_user_i({go_index, go}), .in_user_last_i(1'b0)
    );
    bench_sink #(.W(W), .UL($bits(dma_req_t)), .ID(4 * g + 1)) u_line (
      .clk, .rst, .in_valid_i(wr_valid), .in_ready_o(wr_ready), .in_data_i(wr_data), .in_keep_i(wr_keep),
      .in_last_i(wr_last), .in_bad_i(1'b0), .in_user_i(1'b0), .in_user_last_i(req_valid ? req : req_q)
    );
    bench_sink #(.W(8), .U(96), .ID(4 * g + 2)) u_event (
      .clk, .rst, .in_valid_i(ev_valid), .in_ready_o(ev_ready), .in_data_i(8'd0), .in_keep_i(1'b1),
      .in_last_i(1'b1), .in_bad_i(1'b0), .in_user_i(ev), .in_user_last_i(1'b0)
    );
  end

endmodule

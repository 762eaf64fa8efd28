// DMA of the management processor: one copy at a time between host memory, or the words of a row of the tables, and its own.
//
// Contract: reg_put_i writes register reg_word_i (0 region, 1 offset, 2 local, 3 start; each is
//   new for every copy).  A start with a region above 255, an offset or address that is no
//   multiple of 4, a length that is none or not 4 to 4,096, or an end beyond memory becomes
//   ST_BAD_LENGTH and nothing else happens.  Of a row (start bit 30) the region is nothing, the offset
//   its address in the processor's map; it ends ST_OK.  While hold_i is high a copy waits before its
//   request, one of a row too.  drop_i: finish the copy without writing memory, forget one that waits.
//   on_bus_o: a request is with flue_dma.
// Latency: request one cycle after the start; a word a cycle that memory grants (from the
//   host), a word in two (to the host); of a row, 2 cycles more than the table takes for each word.
module flue_mgmt_dma
  import flue_pkg::*;
  import flue_control_pkg::*;
#(
  parameter int W     = 64,
  parameter int FW_KB = 32,
  localparam int B    = W / 8,
  localparam int AW   = $clog2(FW_KB) + 10
) (
  input  logic          clk,
  input  logic          rst,
  input  logic          hold_i,
  input  logic          drop_i,

  input  logic          reg_put_i,
  input  logic [1:0]    reg_word_i,
  input  logic [31:0]   reg_wdata_i,
  output logic          busy_o,
  output logic          on_bus_o,
  output status_e       status_o,

  output logic          mem_valid_o,
  input  logic          mem_grant_i,
  output logic          mem_write_o,
  output logic [AW-1:2] mem_addr_o,
  output logic [31:0]   mem_wdata_o,
  input  logic [31:0]   mem_rdata_i,       // the cycle after the grant

  output logic          tp_valid_o,        // a word of a row
  input  logic          tp_ready_i,
  output logic          tp_write_o,
  output logic [25:2]   tp_addr_o,
  output logic [31:0]   tp_wdata_o,
  input  logic [31:0]   tp_rdata_i,

  output logic          rd_req_valid_o,
  input  logic          rd_req_ready_i,
  output dma_req_t      rd_req_o,
  input  logic          rd_valid_i,
  output logic          rd_ready_o,
  input  logic [W-1:0]  rd_data_i,
  input  logic          rd_last_i,
  input  status_e       rd_status_i,
  output logic          wr_req_valid_o,
  input  logic          wr_req_ready_i,
  output dma_req_t      wr_req_o,
  output logic          wr_valid_o,
  input  logic          wr_ready_i,
  output logic [W-1:0]  wr_data_o,
  output logic [B-1:0]  wr_keep_o,
  output logic          wr_last_o,
  input  logic          wr_done_i,
  input  status_e       wr_status_i
);

  localparam int LANES  = W / 32;
  localparam int LANE_W = LANES > 1 ? $clog2(LANES) : 1;

  typedef enum logic [2:0] {S_IDLE, S_HELD, S_READ, S_WRITE, S_GET, S_PUT} state_e;  // GET, PUT: of a row

  state_e            state_q;
  logic              to_host_q, row_q;
  logic              asked_q;              // the request was taken
  logic              ended_q;              // the answer ended, with an error, before the request was taken
  logic              gone;                 // the row's word is taken or there
  logic              wr_q;                 // a beat, or in its first lane the word of a row, waits
  logic              fetched_q;            // memory shows the word of lane fetch_lane_q
  logic [7:0]        region_q;
  logic [31:2]       offset_q;
  logic [AW-1:2]     addr_q;               // of the next word
  logic [10:0]       left_q, words_q;      // words to move, of the whole copy
  logic              bad_region_q, bad_offset_q, bad_local_q, bad_start;
  logic [LANE_W-1:0] lane_q;               // of the next word within its beat
  logic              step;                 // a word moves
  logic              beat_end;             // it is the last of its beat
  logic              start;

  assign start = reg_put_i && reg_word_i == 2'd3;

  // ---- what is asked for ----
  logic [12:0] length;
  logic [AW:2] end_addr;                   // after the last word

  assign length    = reg_wdata_i[MMIO_LENGTH_LSB+:13];
  assign end_addr  = {1'b0, addr_q} + (AW-1)'(length[12:2]);
  assign bad_start = (bad_region_q && !reg_wdata_i[MMIO_ROW_LSB]) || bad_offset_q || bad_local_q || length[1:0] != 2'b00 ||
                     length[12:2] == '0 || length > 13'd4096 ||
                     reg_wdata_i[29:13] != '0 || (end_addr[AW] && end_addr[AW-1:2] != '0);

  always_ff @(posedge clk) begin
    if (reg_put_i)
      case (reg_word_i)
        2'd0: begin
          region_q     <= reg_wdata_i[7:0];
          bad_region_q <= reg_wdata_i[31:8] != '0;
        end
        2'd1: begin
          offset_q     <= reg_wdata_i[31:2];
          bad_offset_q <= reg_wdata_i[1:0] != '0;
        end
        2'd2: begin
          addr_q      <= reg_wdata_i[AW-1:2];
          bad_local_q <= reg_wdata_i[31:AW] != '0 || reg_wdata_i[1:0] != '0;
        end
        default: begin
          left_q    <= length[12:2];
          words_q   <= length[12:2];
          to_host_q <= reg_wdata_i[MMIO_TO_HOST_LSB];
          row_q     <= reg_wdata_i[MMIO_ROW_LSB];
          lane_q    <= '0;
        end
      endcase
    if (step) begin
      addr_q <= addr_q + 1'b1;
      left_q <= left_q - 1'b1;
      lane_q <= beat_end ? '0 : lane_q + 1'b1;
    end
    if (gone) offset_q[7:2] <= offset_q[7:2] + 1'b1;
  end

  assign rd_req_o = '{region: region_q, offset: {offset_q, 2'b0}, length: LEN_W'({words_q, 2'b0})};
  assign wr_req_o = rd_req_o;
  assign rd_req_valid_o = state_q == S_READ && !asked_q;
  assign wr_req_valid_o = state_q == S_WRITE && !asked_q;

  // ---- order of things ----
  logic rd_end;                            // the answer's last beat is taken

  always_ff @(posedge clk) begin
    case (state_q)
      S_IDLE:
        if (start) begin
          status_o <= ST_BAD_LENGTH;
          if (!bad_start) state_q <= S_HELD;
        end
      S_HELD:
        if (drop_i) state_q <= S_IDLE;
        else if (!hold_i) begin
          status_o <= ST_OK;
          state_q  <= row_q ? (to_host_q ? S_PUT : S_GET) : to_host_q ? S_WRITE : S_READ;
        end
      S_READ: begin                        // a request is held until it was taken, whatever its answer
        if (rd_end) status_o <= rd_status_i;
        if ((rd_end || ended_q) && (asked_q || rd_req_ready_i)) state_q <= S_IDLE;
      end
      S_GET, S_PUT:
        if ((left_q == '0 && !fetched_q && !wr_q) || (drop_i && (gone || !tp_valid_o))) state_q <= S_IDLE;
      default:
        if (wr_done_i) begin
          state_q  <= S_IDLE;
          status_o <= wr_status_i;
        end
    endcase
    ended_q <= state_q == S_READ && (ended_q || rd_end);
    if (state_q == S_HELD) asked_q <= 1'b0;
    else if (rd_req_ready_i && rd_req_valid_o || wr_req_ready_i && wr_req_valid_o) asked_q <= 1'b1;
    if (rst) begin
      state_q  <= S_IDLE;
      asked_q  <= 1'b0;
      status_o <= ST_OK;
    end
  end

  assign busy_o   = state_q != S_IDLE;
  assign on_bus_o = state_q == S_READ || state_q == S_WRITE;

  // ---- from the host: each lane of a beat is a word ----
  logic lane_last;

  assign lane_last = lane_q == LANE_W'(LANES - 1);
  // A beat is over with its last lane, with the last word, or at once when it is not wanted.
  assign rd_ready_o = state_q == S_READ && (drop_i || left_q == '0 ||
                                            (mem_grant_i && (lane_last || left_q == 11'd1)));
  assign rd_end     = rd_valid_i && rd_ready_o && rd_last_i;

  // ---- to the host: words gather in a beat ----
  logic [LANE_W-1:0] fetch_lane_q;
  logic              fetch_end_q, fetch_last_q;

  always_ff @(posedge clk) begin
    fetched_q    <= step && state_q inside {S_WRITE, S_PUT};
    fetch_lane_q <= lane_q;
    fetch_end_q  <= beat_end;
    fetch_last_q <= left_q == 11'd1;
    if (state_q == S_GET ? mem_grant_i : state_q == S_PUT ? tp_ready_i : wr_ready_i) wr_q <= 1'b0;
    if (fetched_q) begin
      for (int i = 0; i < LANES; i++)
        if (fetch_lane_q == LANE_W'(i)) wr_data_o[32*i+:32] <= mem_rdata_i;
      for (int i = 0; i < LANES; i++) wr_keep_o[4*i+:4] <= {4{fetch_lane_q >= LANE_W'(i)}};
      wr_last_o  <= fetch_last_q;
      wr_q       <= fetch_end_q;
    end
    if (state_q == S_GET && gone) begin
      wr_data_o[31:0] <= tp_rdata_i;
      wr_q            <= 1'b1;
    end
    if (state_q == S_IDLE) wr_q <= 1'b0;   // left over of a row that was dropped
    if (rst) begin
      fetched_q <= 1'b0;
      wr_q      <= 1'b0;
    end
  end

  assign wr_valid_o = wr_q && state_q == S_WRITE;

  // ---- a row, word by word ----
  assign tp_valid_o = state_q == S_GET ? left_q != '0 && !wr_q : state_q == S_PUT && wr_q;
  assign tp_write_o = state_q == S_PUT;
  assign tp_addr_o  = offset_q[25:2];
  assign tp_wdata_o = wr_data_o[31:0];
  assign gone       = tp_valid_o && tp_ready_i;

  assign mem_write_o = state_q inside {S_READ, S_GET};
  assign mem_addr_o  = addr_q;
  assign mem_valid_o = left_q != '0 && ((state_q == S_READ && rd_valid_i && !drop_i) ||
                                        (state_q == S_GET && wr_q && !drop_i) ||
                                        (state_q inside {S_WRITE, S_PUT} && !fetched_q && !wr_q));
  assign step        = mem_valid_o && mem_grant_i;
  assign beat_end    = lane_last || row_q || left_q == 11'd1;

  if (LANES > 1) begin : g_lanes
    always_comb begin
      mem_wdata_o = rd_data_i[31:0];
      for (int i = 1; i < LANES; i++)
        if (lane_q == LANE_W'(i)) mem_wdata_o = rd_data_i[32*i+:32];
      if (row_q) mem_wdata_o = wr_data_o[31:0];
    end
  end else begin : g_word
    assign mem_wdata_o = row_q ? wr_data_o : rd_data_i;
  end

`ifdef FORMAL
  logic f_past_valid = 1'b0;
  always_ff @(posedge clk) begin
    f_past_valid <= 1'b1;
    if (!rst) begin
      if (reg_put_i) assume (!busy_o);
      if (rd_valid_i) assume (state_q == S_READ);
      if (wr_done_i) assume (state_q == S_WRITE && asked_q);
      // No request without a copy that passed its checks.
      if (rd_req_valid_o || wr_req_valid_o)
        assert (words_q != '0 && words_q <= 11'd1024 && !bad_region_q && !bad_offset_q);
      if (f_past_valid && !$past(rst)) begin
        if ($past(rd_req_valid_o && !rd_req_ready_i)) assert (rd_req_valid_o && rd_req_o == $past(rd_req_o));
        if ($past(wr_req_valid_o && !wr_req_ready_i)) assert (wr_req_valid_o && wr_req_o == $past(wr_req_o));
      end
      if (f_past_valid && !$past(rst) && $past(wr_valid_o && !wr_ready_i))
        assert (wr_valid_o && wr_data_o == $past(wr_data_o) && wr_last_o == $past(wr_last_o));
    end
  end
`endif

endmodule

// The adapter: wiring only.  docs/architecture.md has the picture.
//
// Contract: AXI4-Lite registers, AXI4 DMA, one packet stream to the wire and
//   one from it (never stalled).  `time_us_i` is the only notion of time and
//   may jump forward while `idle_o` is high.
// MGMT = 0 leaves out the control plane (management processor and tables): BUILD_FW.memory_kb
//   then reads 0 and the rest works as it is.
// TCP = 0 leaves out the TCP engine: the tables hold state, no frame is looked up.
// idle_o is exact: high when no beat, slot, event, DMA, interrupt change or
//   register access is pending, so that without input nothing will ever happen
//   before `deadline_us_o` (when deadline_valid_o).
// Block RAM: 63; 8 at MGMT=0, 37 at TCP=0.
module flue_adapter
  import flue_pkg::*;
  import flue_layout_pkg::*;
  import flue_control_pkg::*;
  import flue_tcp_pkg::*;
#(
  parameter int W         = 32,           // stream and AXI data width: 32, 64, 128, 256, 512
  parameter int REGIONS   = 4,            // rows of the region table, 1 to 16
  parameter int MAX_FRAME = 1518,         // largest frame on the wire with tags, without FCS, to 9018
  parameter bit FAULTS    = 1'b0,         // registers FAULT and FAULT_TABLE work
  parameter bit MGMT      = 1'b1,         // control plane
  parameter bit TCP       = 1'b1,         // TCP engine, with MGMT
  parameter int FW_KB       = 32,         // memory of the management processor
  parameter int CORE        = 1,          // BUILD_FW.core
  parameter int CONNECTIONS = 64,         // rows of the tables
  parameter int PATHS       = CONNECTIONS,
  parameter int NEIGHBORS   = 16
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
  input  logic [15:0]    axil_awaddr_i,
  input  logic           axil_wvalid_i,
  output logic           axil_wready_o,
  input  logic [31:0]    axil_wdata_i,
  input  logic [3:0]     axil_wstrb_i,
  output logic           axil_bvalid_o,
  input  logic           axil_bready_i,
  output logic [1:0]     axil_bresp_o,
  input  logic           axil_arvalid_i,
  output logic           axil_arready_o,
  input  logic [15:0]    axil_araddr_i,
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

  localparam int B           = W / 8;
  localparam int FRAME_BEATS = (MAX_FRAME + B - 1) / B;
  localparam int TWO_FRAMES  = 1 << $clog2(2 * FRAME_BEATS);
  localparam int SEND_DEPTH  = TWO_FRAMES > 512 ? TWO_FRAMES : 512;   // beats; a block RAM has 512
  localparam int PARK_DEPTH  = TWO_FRAMES > 1024 ? TWO_FRAMES : 1024;
  localparam int HOLD_DEPTH  = 1 << $clog2(FRAME_BEATS + 16) > 512 ? 1 << $clog2(FRAME_BEATS + 16) : 512;
  localparam int SEND_FRAMES = 16;
  localparam int PARK_FRAMES = 32;
  localparam int IDX_W       = REGIONS > 1 ? $clog2(REGIONS) : 1;

  // ==== registers =============================================================

  logic                enable, drain, flush, clear, regs_idle, others_idle, drained;
  tx_cfg_t             tx_cfg;
  rx_cfg_t             rx_cfg;
  logic                fault_csum, fault_seq;
  logic                txq_enable, rxq_enable, eq_enable;
  logic [31:6]         txq_base, rxq_base, eq_base;
  logic [7:0]          txq_region, rxq_region, eq_region;
  logic [3:0]          txq_log2, rxq_log2, eq_log2;
  logic [SLOT_W-1:0]   txq_tail, txq_head, rxq_tail, rxq_head, eq_head, eq_tail;
  logic                tx_stopped, rx_stopped, eq_stopped, tx_quiet, rx_quiet, eq_idle;
  logic                set_error, set_drained, posted;
  logic [4:0]          cause, mask;
  logic [15:0]         mod_distance_us;
  logic [7:0]          mod_events;
  logic                stat_req, stat_ack;
  logic [5:0]          stat_addr;
  logic [31:0]         stat_data;
  logic                rg_we;
  logic [IDX_W+1:0]    rg_addr;
  logic [31:0]         rg_wdata, rg_rdata;

  logic                fw_run, fw_cold, fw_ping, doorbell, fw_running, fw_trapped, fw_asleep, fw_ready;
  logic [3:0][31:0]    seed;
  logic [15:0]         fw_heartbeat;
  logic [31:0]         fw_cause, fw_pc, fw_wdata, fw_rdata;
  logic                fw_req, fw_write, fw_ack, set_admin, set_firmware;
  logic [19:2]         fw_addr;
  logic                asq_enable, acq_enable;
  logic [31:6]         asq_base, acq_base;
  logic [7:0]          asq_region, acq_region;
  logic [3:0]          asq_log2, acq_log2;
  logic [SLOT_W-1:0]   asq_tail, asq_head, acq_head, acq_tail;
  logic                flip;
  logic [1:0]          flip_table;
  logic [15:0]         flip_row;
  logic [5:0]          flip_word;
  logic [4:0]          flip_bit;
  logic                fault_place, line_enable, db_valid, db_ready;
  logic [31:6]         line_base;
  logic [7:0]          line_region;
  logic [15:0]         db_index;
  logic [2:0]          db_word;
  logic [31:0]         db_data;

  flue_regs #(
    .W(W), .REGIONS(REGIONS), .MAX_FRAME(MAX_FRAME), .FAULTS(FAULTS), .FW_KB(MGMT ? FW_KB : 0),
    .FW_CORE(MGMT ? 4'(CORE) : 4'd0), .CONNECTIONS(MGMT ? CONNECTIONS : 0),
    .PATHS(MGMT ? PATHS : 0), .NEIGHBORS(MGMT ? NEIGHBORS : 0), .ENGINE(MGMT && TCP)
  ) u_regs (
    .clk, .rst, .time_us_i,
    .axil_awvalid_i, .axil_awready_o, .axil_awaddr_i, .axil_wvalid_i, .axil_wready_o, .axil_wdata_i,
    .axil_wstrb_i, .axil_bvalid_o, .axil_bready_i, .axil_bresp_o, .axil_arvalid_i, .axil_arready_o,
    .axil_araddr_i, .axil_rvalid_o, .axil_rready_i, .axil_rdata_o, .axil_rresp_o,
    .enable_o(enable), .drain_o(drain), .flush_o(flush), .clear_o(clear), .idle_o(regs_idle),
    .idle_i(others_idle), .drained_i(drained), .tx_error_i(tx_stopped), .rx_error_i(rx_stopped),
    .event_error_i(eq_stopped), .tx_busy_i(!tx_quiet || !eq_idle), .rx_busy_i(!rx_quiet || !eq_idle),
    .tx_cfg_o(tx_cfg), .rx_cfg_o(rx_cfg), .fault_csum_o(fault_csum), .fault_seq_o(fault_seq),
    .txq_enable_o(txq_enable), .txq_base_o(txq_base), .txq_region_o(txq_region),
    .txq_log2_slots_o(txq_log2), .txq_tail_o(txq_tail), .txq_head_i(txq_head),
    .rxq_enable_o(rxq_enable), .rxq_base_o(rxq_base), .rxq_region_o(rxq_region),
    .rxq_log2_slots_o(rxq_log2), .rxq_tail_o(rxq_tail), .rxq_head_i(rxq_head),
    .eq_enable_o(eq_enable), .eq_base_o(eq_base), .eq_region_o(eq_region),
    .eq_log2_slots_o(eq_log2), .eq_head_o(eq_head), .eq_tail_i(eq_tail),
    .set_event_i(posted), .set_error_i(set_error), .set_drained_i(set_drained),
    .set_admin_i(set_admin), .set_firmware_i(set_firmware), .cause_o(cause), .mask_o(mask),
    .fw_run_o(fw_run), .fw_cold_o(fw_cold), .fw_ping_o(fw_ping), .doorbell_o(doorbell),
    .seed_o(seed), .fw_running_i(fw_running), .fw_trapped_i(fw_trapped), .fw_asleep_i(fw_asleep),
    .fw_ready_i(fw_ready), .fw_heartbeat_i(fw_heartbeat), .fw_cause_i(fw_cause), .fw_pc_i(fw_pc),
    .asq_enable_o(asq_enable), .asq_base_o(asq_base), .asq_region_o(asq_region),
    .asq_log2_slots_o(asq_log2), .asq_tail_o(asq_tail), .asq_head_i(asq_head),
    .acq_enable_o(acq_enable), .acq_base_o(acq_base), .acq_region_o(acq_region),
    .acq_log2_slots_o(acq_log2), .acq_head_o(acq_head), .acq_tail_i(acq_tail),
    .flip_o(flip), .flip_table_o(flip_table), .flip_row_o(flip_row), .flip_word_o(flip_word),
    .flip_bit_o(flip_bit),
    .fw_req_o(fw_req), .fw_write_o(fw_write), .fw_addr_o(fw_addr), .fw_wdata_o(fw_wdata),
    .fw_ack_i(fw_ack), .fw_rdata_i(fw_rdata),
    .mod_distance_us_o(mod_distance_us), .mod_events_o(mod_events),
    .stat_req_o(stat_req), .stat_addr_o(stat_addr), .stat_ack_i(stat_ack), .stat_data_i(stat_data),
    .rg_we_o(rg_we), .rg_addr_o(rg_addr), .rg_wdata_o(rg_wdata), .rg_rdata_i(rg_rdata),
    .fault_place_o(fault_place), .line_enable_o(line_enable), .line_base_o(line_base), .line_region_o(line_region),
    .db_valid_o(db_valid), .db_ready_i(db_ready), .db_index_o(db_index), .db_word_o(db_word), .db_data_o(db_data)
  );

  // ==== DMA ===================================================================
  // Read clients: 0 transmit slots, 1 transmit payload, 2 receive slots, 3 management processor.
  // Write clients: 0 receive payload, 1 events, 2 management processor.

  logic     [3:0]        rd_req_valid, rd_req_ready, rd_req_last;
  dma_req_t [3:0]        rd_req;
  logic     [3:0]        rd_valid, rd_ready, rd_last, rd_bad;
  logic     [3:0][W-1:0] rd_data;
  logic     [3:0][B-1:0] rd_keep;
  status_e  [3:0]        rd_status;
  // Payload is read for the transmit queue and the engine; client 0 writes for the receive queue, placements and
  // status lines.
  logic                  host_pay_valid, tcp_pay_valid, tcp_pay_ready, host_pay_ready;
  logic                  host_req_valid, host_req_ready, host_req_last, tcp_req_valid, tcp_req_ready, tcp_req_last;
  dma_req_t              host_req, tcp_req;
  logic     [2:0]        sh_req_valid, sh_req_ready, sh_valid, sh_ready, sh_last, sh_done;
  dma_req_t [2:0]        sh_req;
  logic     [2:0][W-1:0] sh_data;
  logic     [2:0][B-1:0] sh_keep;
  logic     [2:0]        wr_req_valid, wr_req_ready;
  dma_req_t [2:0]        wr_req;
  logic     [2:0]        wr_valid, wr_ready, wr_last, wr_done;
  logic     [2:0][W-1:0] wr_data;
  logic     [2:0][B-1:0] wr_keep;
  status_e  [2:0]        wr_status;
  logic                  dma_busy;

  assign rd_req_last[0] = 1'b1;
  assign rd_req_last[2] = 1'b1;
  assign rd_req_last[3] = 1'b1;

  flue_dma #(.W(W), .REGIONS(REGIONS)) u_dma (
    .clk, .rst,
    .rg_we_i(rg_we), .rg_addr_i(rg_addr), .rg_wdata_i(rg_wdata), .rg_rdata_o(rg_rdata),
    .rd_req_valid_i(rd_req_valid), .rd_req_ready_o(rd_req_ready), .rd_req_i(rd_req),
    .rd_req_last_i(rd_req_last), .rd_valid_o(rd_valid), .rd_ready_i(rd_ready), .rd_data_o(rd_data),
    .rd_keep_o(rd_keep), .rd_last_o(rd_last), .rd_bad_o(rd_bad), .rd_status_o(rd_status),
    .wr_req_valid_i(wr_req_valid), .wr_req_ready_o(wr_req_ready), .wr_req_i(wr_req),
    .wr_valid_i(wr_valid), .wr_ready_o(wr_ready), .wr_data_i(wr_data), .wr_keep_i(wr_keep),
    .wr_last_i(wr_last), .wr_done_o(wr_done), .wr_status_o(wr_status),
    .busy_o(dma_busy), .rd_err_o(), .wr_err_o(), .region_err_o(),
    .m_axi_arid(axi_arid_o), .m_axi_araddr(axi_araddr_o), .m_axi_arlen(axi_arlen_o),
    .m_axi_arsize(axi_arsize_o), .m_axi_arburst(axi_arburst_o), .m_axi_arvalid(axi_arvalid_o),
    .m_axi_arready(axi_arready_i), .m_axi_rid(axi_rid_i), .m_axi_rdata(axi_rdata_i),
    .m_axi_rresp(axi_rresp_i), .m_axi_rlast(axi_rlast_i), .m_axi_rvalid(axi_rvalid_i),
    .m_axi_rready(axi_rready_o), .m_axi_awid(axi_awid_o), .m_axi_awaddr(axi_awaddr_o),
    .m_axi_awlen(axi_awlen_o), .m_axi_awsize(axi_awsize_o), .m_axi_awburst(axi_awburst_o),
    .m_axi_awvalid(axi_awvalid_o), .m_axi_awready(axi_awready_i), .m_axi_wdata(axi_wdata_o),
    .m_axi_wstrb(axi_wstrb_o), .m_axi_wlast(axi_wlast_o), .m_axi_wvalid(axi_wvalid_o),
    .m_axi_wready(axi_wready_i), .m_axi_bid(axi_bid_i), .m_axi_bresp(axi_bresp_i),
    .m_axi_bvalid(axi_bvalid_i), .m_axi_bready(axi_bready_o)
  );

  // ==== control plane =========================================================

  logic        mgmt_drained, mgmt_idle, mgmt_deadline_valid, tcp_quiet, tcp_frames_idle, tcp_deadline_valid;
  logic [63:0] mgmt_deadline_us, tcp_deadline_us;

  // Behind the receive checks, before the receive queue, and at the wire port: declared before they are used, or some tools
  // make other nets of the same name in the block that uses them.
  logic         cv_valid, cv_ready, cv_last, cv_drop, cv_segment, cv_forward, park_full;   // cv_forward: the driver forwarded it
  logic [W-1:0] cv_data;
  hdr_t         cv_hdr;
  logic         vs_valid, vs_ready, vs_last;
  logic [W-1:0] vs_data;
  logic [B-1:0] vs_keep;
  rx_meta_t     vs_meta;
  logic         done_valid;
  tx_tag_t      done_tag;

  // The engine's places in the data path; without it nothing comes or goes there.
  logic         tap_full, dp_valid, dp_ready, dp_last, dp_divert, dp_marker, dp_marker_ready, rx_taken, rx_lost;
  logic [W-1:0] dp_data;
  logic [B-1:0] dp_keep;
  rx_meta_t     dp_meta;
  rx_note_t     dp_note;
  logic         te_valid, te_ready, te_last, te_bad;
  logic [W-1:0] te_data;
  logic [B-1:0] te_keep;
  lso_cmd_t     te_cmd;
  tx_tag_t      te_tag;
  logic         conn_event_valid, conn_event_ready, forward_done;
  logic [31:0]  forward_handle;
  status_e      forward_status;
  logic [95:0]  conn_event;

  if (MGMT) begin : g_mgmt
    logic             tp_valid, tp_ready, tp_write, tp_bad, cmd_valid, cmd_ready, cmd_done;
    logic [1:0]       tp_table;
    logic [15:0]      tp_row, cmd_index, cmd_found;
    logic [5:0]       tp_word;
    logic [31:0]      tp_wdata, tp_rdata, table_err;
    table_op_e        cmd_op;
    table_result_e    cmd_result;
    logic [8:0][31:0] cmd_key;
    logic [3:0][31:0] cmd_seed;
    logic             err_valid, err_ready, cpu_idle, tables_idle;
    logic             eng_valid, eng_ready, eng_write, eng_note;
    logic [25:2]      eng_addr;
    logic [31:0]      eng_wdata, eng_rdata;
    logic             cpu_valid, cpu_ready, cpu_write, row_valid, row_ready, lk_valid, lk_ready, lk_done;
    logic [1:0]       cpu_table, row_table;
    logic [15:0]      cpu_row, row_row;
    logic [5:0]       cpu_word, row_word;
    logic [31:0]      cpu_wdata;
    lookup_key_t      lk;
    lookup_rsp_t      lk_rsp;

    flue_mgmt #(
      .W(W), .FW_KB(FW_KB), .CORE(CORE), .CONNECTIONS(CONNECTIONS), .PATHS(PATHS), .NEIGHBORS(NEIGHBORS)
    ) u_mgmt (
      .clk, .rst, .time_us_i,
      .run_i(fw_run), .cold_i(fw_cold), .fw_req_i(fw_req), .fw_we_i(fw_write),
      .fw_addr_i({fw_addr, 2'b00}), .fw_wdata_i(fw_wdata), .fw_ack_o(fw_ack), .fw_rdata_o(fw_rdata),
      .ping_i(fw_ping), .seed_i(seed), .running_o(fw_running), .trapped_o(fw_trapped),
      .asleep_o(fw_asleep), .ready_o(fw_ready), .heartbeat_o(fw_heartbeat),
      .trap_cause_o(fw_cause), .trap_pc_o(fw_pc), .set_admin_o(set_admin),
      .set_firmware_o(set_firmware),
      .asq_base_i({asq_base, 6'b0}), .asq_cfg_i({15'b0, asq_enable, 4'b0, asq_log2, asq_region}),
      .asq_tail_i({16'b0, asq_tail}), .acq_base_i({acq_base, 6'b0}),
      .acq_cfg_i({15'b0, acq_enable, 4'b0, acq_log2, acq_region}), .acq_head_i({16'b0, acq_head}),
      .doorbell_i(doorbell), .asq_head_o(asq_head), .acq_tail_o(acq_tail),
      .drain_i(drain), .drained_o(mgmt_drained), .idle_o(cpu_idle),
      .deadline_valid_o(mgmt_deadline_valid), .deadline_us_o(mgmt_deadline_us),
      .rd_req_valid_o(rd_req_valid[3]), .rd_req_ready_i(rd_req_ready[3]), .rd_req_o(rd_req[3]),
      .rd_valid_i(rd_valid[3]), .rd_ready_o(rd_ready[3]), .rd_data_i(rd_data[3]),
      .rd_keep_i(rd_keep[3]), .rd_last_i(rd_last[3]), .rd_bad_i(rd_bad[3]),
      .rd_status_i(rd_status[3]),
      .wr_req_valid_o(wr_req_valid[2]), .wr_req_ready_i(wr_req_ready[2]), .wr_req_o(wr_req[2]),
      .wr_valid_o(wr_valid[2]), .wr_ready_i(wr_ready[2]), .wr_data_o(wr_data[2]),
      .wr_keep_o(wr_keep[2]), .wr_last_o(wr_last[2]), .wr_done_i(wr_done[2]),
      .wr_status_i(wr_status[2]),
      .tp_valid_o(cpu_valid), .tp_ready_i(cpu_ready), .tp_write_o(cpu_write), .tp_table_o(cpu_table),
      .tp_row_o(cpu_row), .tp_word_o(cpu_word), .tp_wdata_o(cpu_wdata), .tp_rdata_i(tp_rdata),
      .tp_bad_i(tp_bad), .eng_valid_o(eng_valid), .eng_ready_i(eng_ready), .eng_write_o(eng_write),
      .eng_addr_o(eng_addr), .eng_wdata_o(eng_wdata), .eng_rdata_i(eng_rdata), .eng_note_i(eng_note), .cmd_valid_o(cmd_valid), .cmd_ready_i(cmd_ready), .cmd_op_o(cmd_op),
      .cmd_index_o(cmd_index), .cmd_key_o(cmd_key), .cmd_seed_o(cmd_seed), .cmd_done_i(cmd_done),
      .cmd_result_i(cmd_result), .cmd_found_i(cmd_found), .err_valid_i(err_valid),
      .err_ready_o(err_ready), .err_i(table_err)
    );

    flue_tables #(
      .CONNECTIONS(CONNECTIONS), .PATHS(PATHS), .NEIGHBORS(NEIGHBORS), .FAULTS(FAULTS)
    ) u_tables (
      .clk, .rst,
      .lk_valid_i(lk_valid), .lk_ready_o(lk_ready), .lk_i(lk), .lk_valid_o(lk_done), .lk_o(lk_rsp),
      .tp_valid_i(tp_valid), .tp_ready_o(tp_ready), .tp_write_i(tp_write), .tp_table_i(tp_table),
      .tp_row_i(tp_row), .tp_word_i(tp_word), .tp_wdata_i(tp_wdata), .tp_rdata_o(tp_rdata),
      .tp_bad_o(tp_bad), .cmd_valid_i(cmd_valid), .cmd_ready_o(cmd_ready), .cmd_op_i(cmd_op),
      .cmd_index_i(cmd_index), .cmd_key_i(cmd_key), .cmd_seed_i(cmd_seed), .cmd_done_o(cmd_done),
      .cmd_result_o(cmd_result), .cmd_found_o(cmd_found), .err_valid_o(err_valid),
      .err_ready_i(err_ready), .err_o(table_err),
      .flip_i(flip), .flip_table_i(flip_table), .flip_row_i(flip_row), .flip_word_i(flip_word),
      .flip_bit_i({1'b0, flip_bit}), .idle_o(tables_idle)
    );

    assign mgmt_idle = cpu_idle && tables_idle && !doorbell && !fw_ping && !flip;

    flue_table_port_arb u_port_arb (
      .clk, .rst,
      .cpu_valid_i(cpu_valid), .cpu_ready_o(cpu_ready), .cpu_write_i(cpu_write), .cpu_table_i(cpu_table),
      .cpu_row_i(cpu_row), .cpu_word_i(cpu_word), .cpu_wdata_i(cpu_wdata),
      .tcp_valid_i(row_valid), .tcp_ready_o(row_ready), .tcp_table_i(row_table), .tcp_row_i(row_row),
      .tcp_word_i(row_word),
      .tp_valid_o(tp_valid), .tp_ready_i(tp_ready), .tp_write_o(tp_write), .tp_table_o(tp_table),
      .tp_row_o(tp_row), .tp_word_o(tp_word), .tp_wdata_o(tp_wdata)
    );

    if (TCP) begin : g_tcp
      flue_tcp #(.W(W), .CONNECTIONS(CONNECTIONS), .MAX_FRAME(MAX_FRAME)) u_tcp (
        .clk, .rst, .time_us_i, .stop_i(drain), .fault_place_i(fault_place), .quiet_o(tcp_quiet),
        .frames_idle_o(tcp_frames_idle),
        .deadline_valid_o(tcp_deadline_valid), .deadline_us_o(tcp_deadline_us),
        .fw_valid_i(eng_valid), .fw_ready_o(eng_ready), .fw_write_i(eng_write), .fw_addr_i(eng_addr),
        .fw_wdata_i(eng_wdata), .fw_rdata_o(eng_rdata), .note_o(eng_note),
        .db_valid_i(db_valid), .db_ready_o(db_ready), .db_index_i(db_index), .db_word_i(db_word),
        .db_data_i(db_data), .line_enable_i(line_enable), .line_region_i(line_region), .line_base_i(line_base),
        .lk_valid_o(lk_valid), .lk_ready_i(lk_ready), .lk_o(lk), .lk_valid_i(lk_done), .lk_i(lk_rsp),
        .tp_valid_o(row_valid), .tp_ready_i(row_ready), .tp_table_o(row_table), .tp_row_o(row_row),
        .tp_word_o(row_word), .tp_rdata_i(tp_rdata), .tp_bad_i(tp_bad),
        .tap_move_i(cv_valid && cv_ready), .tap_data_i(cv_data), .tap_last_i(cv_last), .tap_hdr_i(cv_hdr),
        .tap_segment_i(cv_segment), .tap_drop_i(cv_drop), .tap_forward_i(cv_forward), .tap_drop_full_i(park_full), .tap_full_o(tap_full),
        .forward_handle_i(forward_handle), .forward_done_o(forward_done), .forward_status_o(forward_status),
        .in_valid_i(vs_valid), .in_ready_o(vs_ready), .in_data_i(vs_data), .in_keep_i(vs_keep),
        .in_last_i(vs_last), .in_meta_i(vs_meta),
        .rx_valid_o(dp_valid), .rx_ready_i(dp_ready), .rx_data_o(dp_data), .rx_keep_o(dp_keep), .rx_last_o(dp_last),
        .rx_meta_o(dp_meta), .rx_divert_o(dp_divert), .rx_note_o(dp_note), .rx_taken_i(rx_taken),
        .rx_lost_i(rx_lost), .rx_marker_valid_o(dp_marker), .rx_marker_ready_i(dp_marker_ready),
        .rd_req_valid_o(tcp_req_valid), .rd_req_ready_i(tcp_req_ready), .rd_req_o(tcp_req),
        .rd_req_last_o(tcp_req_last), .rd_valid_i(tcp_pay_valid), .rd_ready_o(tcp_pay_ready), .rd_data_i(rd_data[1]),
        .rd_keep_i(rd_keep[1]), .rd_last_i(rd_last[1]), .rd_bad_i(rd_bad[1]),
        .wr_req_valid_o(sh_req_valid[2:1]), .wr_req_ready_i(sh_req_ready[2:1]), .wr_req_o(sh_req[2:1]),
        .wr_valid_o(sh_valid[2:1]), .wr_ready_i(sh_ready[2:1]), .wr_data_o(sh_data[2:1]), .wr_keep_o(sh_keep[2:1]),
        .wr_last_o(sh_last[2:1]), .wr_done_i(sh_done[2:1]), .wr_status_i(wr_status[0]),
        .tx_valid_o(te_valid), .tx_ready_i(te_ready), .tx_data_o(te_data), .tx_keep_o(te_keep), .tx_last_o(te_last),
        .tx_bad_o(te_bad), .tx_cmd_o(te_cmd), .tx_tag_o(te_tag), .done_valid_i(done_valid), .done_tag_i(done_tag),
        .event_valid_o(conn_event_valid), .event_ready_i(conn_event_ready), .event_o(conn_event),
        .trace_valid_o(), .trace_event_o(), .trace_index_o(), .trace_reason_o()
      );
    end else begin : g_no_tcp
      assign eng_ready = 1'b1;
      assign eng_rdata = '0;
      assign eng_note  = 1'b0;
      assign {row_valid, row_table, row_row, row_word, lk_valid} = '0;
      assign lk = '0;

      logic unused;
      assign unused = &{1'b0, eng_valid, eng_write, eng_addr, eng_wdata, row_ready, lk_ready, lk_done, lk_rsp};
    end
  end else begin : g_plain
    assign {fw_ack, fw_running, fw_trapped, fw_asleep, fw_ready, set_admin, set_firmware} = '0;
    assign {fw_rdata, fw_heartbeat, fw_cause, fw_pc, asq_head, acq_tail} = '0;
    assign rd_req_valid[3]     = 1'b0;
    assign rd_req[3]           = '0;
    assign rd_ready[3]         = 1'b1;
    assign wr_req_valid[2]     = 1'b0;
    assign wr_req[2]           = '0;
    assign wr_valid[2]         = 1'b0;
    assign wr_data[2]          = '0;
    assign wr_keep[2]          = '0;
    assign wr_last[2]          = 1'b0;
    assign mgmt_drained        = 1'b1;
    assign mgmt_idle           = 1'b1;
    assign mgmt_deadline_valid = 1'b0;
    assign mgmt_deadline_us    = '0;

    logic unused;
    assign unused = &{1'b0, fw_run, fw_cold, fw_ping, doorbell, seed, fw_req, fw_write, fw_addr, fw_wdata,
                      asq_enable, asq_base, asq_region, asq_log2, asq_tail, acq_enable, acq_base,
                      acq_region, acq_log2, acq_head, flip, flip_table, flip_row, flip_word, flip_bit};
  end

  if (!MGMT || !TCP) begin : g_no_engine
    assign tcp_quiet          = 1'b1;
    assign tcp_frames_idle    = 1'b1;
    assign tcp_deadline_valid = 1'b0;
    assign tcp_deadline_us    = '0;
    assign db_ready           = 1'b1;
    assign tap_full           = 1'b0;
    assign dp_valid           = vs_valid;
    assign vs_ready           = dp_ready;
    assign dp_data            = vs_data;
    assign dp_keep            = vs_keep;
    assign dp_last            = vs_last;
    assign dp_meta            = vs_meta;
    assign forward_done       = 1'b0;
    assign forward_status     = ST_OK;
    assign dp_note            = '0;
    assign te_data            = '0;
    assign te_keep            = '0;
    assign te_cmd             = '0;
    assign te_tag             = '0;
    assign conn_event         = '0;
    assign tcp_req            = '0;
    assign sh_req[2:1]        = '0;
    assign sh_data[2:1]       = '0;
    assign sh_keep[2:1]       = '0;
    assign {dp_divert, dp_marker, te_valid, te_last, te_bad, conn_event_valid, tcp_req_valid, tcp_req_last,
            tcp_pay_ready, sh_req_valid[2:1], sh_valid[2:1], sh_last[2:1]} = '0;

    logic unused;
    assign unused = &{1'b0, fault_place, line_enable, line_base, line_region, db_valid, db_index, db_word, db_data,
                      rx_taken, rx_lost, dp_marker_ready, te_ready, conn_event_ready, tcp_req_ready, tcp_pay_valid,
                      sh_req_ready[2:1], sh_ready[2:1], sh_done[2:1], park_full, cv_hdr, cv_segment, cv_forward, forward_handle};
  end

  flue_tcp_payload u_payload (
    .clk, .rst,
    .host_req_valid_i(host_req_valid), .host_req_ready_o(host_req_ready), .host_req_i(host_req),
    .host_req_last_i(host_req_last),
    .tcp_req_valid_i(tcp_req_valid), .tcp_req_ready_o(tcp_req_ready), .tcp_req_i(tcp_req),
    .tcp_req_last_i(tcp_req_last),
    .req_valid_o(rd_req_valid[1]), .req_ready_i(rd_req_ready[1]), .req_o(rd_req[1]), .req_last_o(rd_req_last[1]),
    .in_valid_i(rd_valid[1]), .in_ready_o(rd_ready[1]), .in_last_i(rd_last[1]),
    .host_valid_o(host_pay_valid), .host_ready_i(host_pay_ready),
    .tcp_valid_o(tcp_pay_valid), .tcp_ready_i(tcp_pay_ready)
  );

  flue_dma_share #(.N(3), .W(W)) u_share (
    .clk, .rst,
    .req_valid_i(sh_req_valid), .req_ready_o(sh_req_ready), .req_i(sh_req), .valid_i(sh_valid), .ready_o(sh_ready),
    .data_i(sh_data), .keep_i(sh_keep), .last_i(sh_last), .done_o(sh_done),
    .req_valid_o(wr_req_valid[0]), .req_ready_i(wr_req_ready[0]), .req_o(wr_req[0]), .valid_o(wr_valid[0]),
    .ready_i(wr_ready[0]), .data_o(wr_data[0]), .keep_o(wr_keep[0]), .last_o(wr_last[0]), .done_i(wr_done[0])
  );

  // ==== transmit ==============================================================

  logic         tx_idle, req_valid, req_take, req_forward, fwd_done, fwd_lost;
  status_e      fwd_lost_status_q;
  queue_error_e tx_error;
  tx_req_t      req;
  logic         tx_event_valid, tx_event_ready, tx_event_lso;
  logic [95:0]  tx_event;
  status_e      tx_event_status;

  flue_tx_queue #(.W(W), .FORWARD(MGMT && TCP)) u_tx_queue (
    .clk, .rst,
    .enable_i(enable && txq_enable), .stop_i(drain), .region_i(txq_region), .base_i(txq_base),
    .log2_slots_i(txq_log2), .tail_i(txq_tail), .head_o(txq_head), .quiet_o(tx_quiet),
    .idle_o(tx_idle), .stopped_o(tx_stopped), .error_o(tx_error),
    .slot_req_valid_o(rd_req_valid[0]), .slot_req_ready_i(rd_req_ready[0]), .slot_req_o(rd_req[0]),
    .slot_valid_i(rd_valid[0]), .slot_ready_o(rd_ready[0]), .slot_data_i(rd_data[0]),
    .slot_keep_i(rd_keep[0]), .slot_last_i(rd_last[0]), .slot_bad_i(rd_bad[0]),
    .slot_status_i(rd_status[0]),
    .pay_req_valid_o(host_req_valid), .pay_req_ready_i(host_req_ready), .pay_req_o(host_req),
    .pay_req_last_o(host_req_last), .pay_end_i(host_pay_valid && host_pay_ready && rd_last[1]),
    .pay_status_i(rd_status[1]),
    .req_valid_o(req_valid), .req_ready_i(req_take), .req_o(req),
    .req_forward_o(req_forward), .done_valid_i(done_valid), .done_tag_i(done_tag),
    .fwd_handle_o(forward_handle), .fwd_done_i(fwd_done), .fwd_status_i(fwd_lost ? fwd_lost_status_q : forward_status),
    .event_valid_o(tx_event_valid), .event_ready_i(tx_event_ready), .event_o(tx_event),
    .event_status_o(tx_event_status), .event_lso_o(tx_event_lso)
  );

  logic         tp_valid, tp_ready, tp_last, tp_bad;
  logic [W-1:0] tp_data;
  logic [B-1:0] tp_keep;
  hdr_t         tp_hdr;

  flue_parse #(.W(W)) u_tx_parse (
    .clk, .rst,
    .in_valid_i(host_pay_valid), .in_ready_o(host_pay_ready), .in_data_i(rd_data[1]),
    .in_keep_i(rd_keep[1]), .in_last_i(rd_last[1]), .in_bad_i(rd_bad[1]),
    .out_valid_o(tp_valid), .out_ready_i(tp_ready), .out_data_o(tp_data), .out_keep_o(tp_keep),
    .out_last_o(tp_last), .out_bad_o(tp_bad), .out_hdr_o(tp_hdr)
  );

  // A packet waits for the verdict on its request.
  logic     judged, lso_valid, lso_ready;
  lso_cmd_t lso_cmd;
  status_e  check_status;
  tx_tag_t  lso_tag;

  assign lso_valid = tp_valid && judged;
  assign tp_ready  = lso_ready && judged;
  assign req_take  = tp_valid && tp_ready && tp_last;
  assign lso_tag   = '{engine: 1'b0, turn: req_forward, eor: 1'b0, empty: 1'b0, status: check_status, slot: '0, lso: lso_cmd.lso,
                       lso_v2: lso_cmd.lso && req.lso[30], payload: '0, vlan: req.vlan,
                       vlan_tci: req.vlan_tci};

  flue_tx_check u_tx_check (
    .clk, .rst, .cfg_i(tx_cfg), .ask_i(tp_valid && req_valid), .next_i(req_take), .req_i(req),
    .hdr_i(tp_hdr), .done_o(judged), .cmd_o(lso_cmd), .status_o(check_status)
  );

  logic         me_valid, me_ready, me_last, me_bad;
  logic [W-1:0] me_data;
  logic [B-1:0] me_keep;
  lso_cmd_t     me_cmd;
  tx_tag_t      me_tag;

  if (MGMT && TCP) begin : g_merge
    flue_tcp_merge #(.W(W)) u_merge (
      .clk, .rst,
      .host_valid_i(lso_valid), .host_ready_o(lso_ready), .host_data_i(tp_data), .host_keep_i(tp_keep),
      .host_last_i(tp_last), .host_bad_i(tp_bad), .host_cmd_i(lso_cmd), .host_tag_i(lso_tag),
      .tcp_valid_i(te_valid), .tcp_ready_o(te_ready), .tcp_data_i(te_data), .tcp_keep_i(te_keep),
      .tcp_last_i(te_last), .tcp_bad_i(te_bad), .tcp_cmd_i(te_cmd), .tcp_tag_i(te_tag),
      .out_valid_o(me_valid), .out_ready_i(me_ready), .out_data_o(me_data), .out_keep_o(me_keep),
      .out_last_o(me_last), .out_bad_o(me_bad), .out_cmd_o(me_cmd), .out_tag_o(me_tag)
    );
  end else begin : g_no_merge
    assign {me_valid, me_last, me_bad} = {lso_valid, tp_last, tp_bad};
    assign lso_ready = me_ready;
    assign te_ready  = 1'b0;
    assign me_data   = tp_data;
    assign me_keep   = tp_keep;
    assign me_cmd    = lso_cmd;
    assign me_tag    = lso_tag;
  end

  logic         lo_valid, lo_ready, lo_last, lo_bad;
  logic [W-1:0] lo_data;
  logic [B-1:0] lo_keep;
  csum_cmd_t    lo_cmd;
  tx_tag_t      lo_tag;

  flue_lso #(.W(W)) u_lso (
    .clk, .rst, .fault_seq_i(fault_seq),
    .in_valid_i(me_valid), .in_ready_o(me_ready), .in_data_i(me_data), .in_keep_i(me_keep),
    .in_last_i(me_last), .in_bad_i(me_bad), .in_cmd_i(me_cmd), .in_tag_i(me_tag),
    .out_valid_o(lo_valid), .out_ready_i(lo_ready), .out_data_o(lo_data), .out_keep_o(lo_keep),
    .out_last_o(lo_last), .out_bad_o(lo_bad), .out_cmd_o(lo_cmd), .out_tag_o(lo_tag)
  );

  logic         ci_valid, ci_ready, ci_last, ci_bad;
  logic [W-1:0] ci_data;
  logic [B-1:0] ci_keep;
  tx_tag_t      ci_tag;

  flue_csum_insert #(.W(W), .DEPTH(SEND_DEPTH), .FRAMES(SEND_FRAMES)) u_csum_insert (
    .clk, .rst, .fault_csum_i(fault_csum),
    .in_valid_i(lo_valid), .in_ready_o(lo_ready), .in_data_i(lo_data), .in_keep_i(lo_keep),
    .in_last_i(lo_last), .in_bad_i(lo_bad), .in_cmd_i(lo_cmd), .in_tag_i(lo_tag),
    .out_valid_o(ci_valid), .out_ready_i(ci_ready), .out_data_o(ci_data), .out_keep_o(ci_keep),
    .out_last_o(ci_last), .out_bad_o(ci_bad), .out_tag_o(ci_tag)
  );

  logic vi_valid, vi_ready;

  flue_vlan_insert #(.W(W)) u_vlan_insert (
    .clk, .rst,
    .in_valid_i(ci_valid), .in_ready_o(ci_ready), .in_data_i(ci_data), .in_keep_i(ci_keep),
    .in_last_i(ci_last), .in_bad_i(ci_bad), .in_tag_i(ci_tag),
    .out_valid_o(vi_valid), .out_ready_i(vi_ready), .out_data_o(wire_tx_data_o),
    .out_keep_o(wire_tx_keep_o), .out_last_o(wire_tx_last_o), .out_bad_o(wire_tx_bad_o),
    .out_tag_o(done_tag)
  );

  // An empty tag is for the queue, not for the wire; a forwarded frame goes where those from the wire go.
  logic out_forward, out_wire, inject_valid, inject_ready;

  assign out_forward     = !done_tag.engine && done_tag.turn;
  assign out_wire        = !done_tag.empty && !out_forward;
  assign wire_tx_valid_o = vi_valid && out_wire;
  assign inject_valid    = vi_valid && !done_tag.empty && out_forward;
  assign vi_ready        = done_tag.empty || (out_forward ? inject_ready : wire_tx_ready_i);
  assign done_valid      = vi_valid && vi_ready && wire_tx_last_o;

  // ==== receive ===============================================================

  logic         rp_valid, rp_ready, rp_last, rp_bad;
  logic [W-1:0] rp_data;
  logic [B-1:0] rp_keep;
  hdr_t         rp_hdr;
  logic         ri_valid, ri_ready, ri_last, ri_bad, inject_begins;
  logic [W-1:0] ri_data;
  logic [B-1:0] ri_keep;
  logic         cv_end;                   // a frame's last beat behind the checks

  if (MGMT && TCP) begin : g_inject
    assign wire_rx_ready_o = 1'b1;
    flue_rx_inject #(.W(W), .DEPTH(HOLD_DEPTH)) u_inject (
      .clk, .rst,
      .wire_valid_i(wire_rx_valid_i), .wire_data_i(wire_rx_data_i), .wire_keep_i(wire_rx_keep_i),
      .wire_last_i(wire_rx_last_i), .wire_bad_i(wire_rx_bad_i),
      .in_valid_i(inject_valid), .in_ready_o(inject_ready), .in_data_i(wire_tx_data_o), .in_keep_i(wire_tx_keep_o),
      .in_last_i(wire_tx_last_o), .in_bad_i(wire_tx_bad_o),
      .out_valid_o(ri_valid), .out_ready_i(ri_ready), .out_data_o(ri_data), .out_keep_o(ri_keep), .out_last_o(ri_last),
      .out_bad_o(ri_bad), .end_i(cv_end), .forward_o(cv_forward), .begin_o(inject_begins)
    );
  end else begin : g_no_inject
    assign wire_rx_ready_o = ri_ready;
    assign {ri_valid, ri_data, ri_keep, ri_last, ri_bad} =
           {wire_rx_valid_i, wire_rx_data_i, wire_rx_keep_i, wire_rx_last_i, wire_rx_bad_i};
    assign {inject_ready, cv_forward, inject_begins} = 3'b100;

    logic unused;
    assign unused = &{1'b0, inject_valid};
  end

  flue_parse #(.W(W)) u_rx_parse (
    .clk, .rst,
    .in_valid_i(ri_valid), .in_ready_o(ri_ready), .in_data_i(ri_data),
    .in_keep_i(ri_keep), .in_last_i(ri_last), .in_bad_i(ri_bad),
    .out_valid_o(rp_valid), .out_ready_i(rp_ready), .out_data_o(rp_data), .out_keep_o(rp_keep),
    .out_last_o(rp_last), .out_bad_o(rp_bad), .out_hdr_o(rp_hdr)
  );

  logic         cv_bad;
  logic [B-1:0] cv_keep;
  rx_csum_t     cv_csum;
  logic [13:0]  cv_len;

  flue_csum_verify #(.W(W)) u_csum_verify (
    .clk, .rst, .cfg_i(rx_cfg),
    .in_valid_i(rp_valid), .in_ready_o(rp_ready), .in_data_i(rp_data), .in_keep_i(rp_keep),
    .in_last_i(rp_last), .in_bad_i(rp_bad), .in_hdr_i(rp_hdr),
    .out_valid_o(cv_valid), .out_ready_i(cv_ready), .out_data_o(cv_data), .out_keep_o(cv_keep),
    .out_last_o(cv_last), .out_bad_o(cv_bad), .out_hdr_o(cv_hdr), .out_csum_o(cv_csum),
    .out_segment_o(cv_segment), .out_len_o(cv_len)
  );

  logic     drop_bad, drop_runt, drop_long, drop_off, drop_full, drop_queue;
  rx_meta_t cv_meta;

  assign cv_end = cv_valid && cv_ready && cv_last;

  flue_rx_filter u_rx_filter (
    .on_i(enable && !drain), .cfg_i(rx_cfg), .end_i(cv_end), .bad_i(cv_bad), .hdr_i(cv_hdr),
    .csum_i(cv_csum), .len_i(cv_len), .drop_o(cv_drop), .drop_bad_o(drop_bad),
    .drop_runt_o(drop_runt), .drop_long_o(drop_long), .drop_off_o(drop_off), .meta_o(cv_meta)
  );

  // A forwarded frame that is not parked is told at once; of the others flue_tcp tells.
  logic fwd_end_q, fwd_drop_q;

  always_ff @(posedge clk) begin
    fwd_end_q         <= cv_end && cv_forward;
    fwd_drop_q        <= cv_drop || tap_full;
    fwd_lost_status_q <= drop_off ? ST_ABORTED : cv_drop ? ST_NO_SEGMENT : ST_NO_ROOM;
    if (rst) fwd_end_q <= 1'b0;
  end

  assign fwd_lost = fwd_end_q && (fwd_drop_q || park_full);
  assign fwd_done = fwd_lost || forward_done;

  logic         pk_valid, pk_ready, pk_last, pk_bad;
  logic [W-1:0] pk_data;
  logic [B-1:0] pk_keep;
  rx_meta_t     pk_meta;

  flue_frame_fifo #(
    .W(W), .DEPTH(PARK_DEPTH), .META_W($bits(rx_meta_t)), .FRAMES(PARK_FRAMES), .DROP_FULL(1'b1)
  ) u_park (
    .clk, .rst,
    .in_valid_i(cv_valid), .in_ready_o(cv_ready), .in_data_i(cv_data), .in_keep_i(cv_keep),
    .in_last_i(cv_last), .in_bad_i(cv_drop || tap_full), .in_meta_i(cv_meta),
    .out_valid_o(pk_valid), .out_ready_i(pk_ready), .out_data_o(pk_data), .out_keep_o(pk_keep),
    .out_last_o(pk_last), .out_bad_o(pk_bad), .out_meta_o(pk_meta),
    .drop_bad_o(), .drop_full_o(park_full)
  );

  flue_vlan_strip #(.W(W)) u_vlan_strip (
    .clk, .rst,
    .in_valid_i(pk_valid), .in_ready_o(pk_ready), .in_data_i(pk_data), .in_keep_i(pk_keep),
    .in_last_i(pk_last), .in_bad_i(pk_bad), .in_meta_i(pk_meta),
    .out_valid_o(vs_valid), .out_ready_i(vs_ready), .out_data_o(vs_data), .out_keep_o(vs_keep),
    .out_last_o(vs_last), .out_bad_o(), .out_meta_o(vs_meta)
  );

  logic         rx_idle, rx_wait;
  queue_error_e rx_error;
  logic         rx_event_valid, rx_event_ready;
  logic         rx_event_note;
  logic [95:0]  rx_event;
  status_e      rx_event_status;

  flue_rx_queue #(.W(W)) u_rx_queue (
    .clk, .rst,
    .enable_i(enable && rxq_enable), .stop_i(drain), .region_i(rxq_region), .base_i(rxq_base),
    .log2_slots_i(rxq_log2), .tail_i(rxq_tail), .head_o(rxq_head), .quiet_o(rx_quiet),
    .idle_o(rx_idle), .wait_o(rx_wait), .stopped_o(rx_stopped), .error_o(rx_error),
    .slot_req_valid_o(rd_req_valid[2]), .slot_req_ready_i(rd_req_ready[2]), .slot_req_o(rd_req[2]),
    .slot_valid_i(rd_valid[2]), .slot_ready_o(rd_ready[2]), .slot_data_i(rd_data[2]),
    .slot_keep_i(rd_keep[2]), .slot_last_i(rd_last[2]), .slot_bad_i(rd_bad[2]),
    .slot_status_i(rd_status[2]),
    .in_valid_i(dp_valid), .in_ready_o(dp_ready), .in_data_i(dp_data), .in_keep_i(dp_keep),
    .in_last_i(dp_last), .in_meta_i(dp_meta), .in_divert_i(dp_divert), .in_note_i(dp_note), .taken_o(rx_taken),
    .lost_o(rx_lost), .marker_valid_i(dp_marker), .marker_ready_o(dp_marker_ready),
    .wr_req_valid_o(sh_req_valid[0]), .wr_req_ready_i(sh_req_ready[0]), .wr_req_o(sh_req[0]),
    .wr_valid_o(sh_valid[0]), .wr_ready_i(sh_ready[0]), .wr_data_o(sh_data[0]),
    .wr_keep_o(sh_keep[0]), .wr_last_o(sh_last[0]), .wr_done_i(sh_done[0]),
    .wr_status_i(wr_status[0]),
    .event_valid_o(rx_event_valid), .event_ready_i(rx_event_ready), .event_o(rx_event),
    .event_status_o(rx_event_status), .event_note_o(rx_event_note),
    .drop_o(drop_queue)
  );

  // ==== events and interrupt ==================================================

  // Receive queue and connections take turns at the event queue's receive side.
  logic rx_side_ready, conn_turn, conn_last_q;
  assign conn_turn        = conn_event_valid && !(rx_event_valid && conn_last_q);
  assign conn_event_ready = rx_side_ready && conn_turn;
  assign rx_event_ready   = rx_side_ready && !conn_turn;

  always_ff @(posedge clk) begin
    if (rx_side_ready) conn_last_q <= conn_turn;
    if (rst) conn_last_q <= 1'b0;
  end

  logic events_drained, eq_wait, eq_write_error, irq_rise, irq_idle, drained_q;
  logic tx_stopped_q, rx_stopped_q, eq_stopped_q;

  flue_event_queue #(.W(W)) u_event_queue (
    .clk, .rst, .time_us_i(time_us_i[30:0]),
    .enable_i(enable && eq_enable), .flush_i(flush), .region_i(eq_region), .base_i(eq_base),
    .log2_slots_i(eq_log2), .head_i(eq_head), .tail_o(eq_tail), .stopped_o(eq_stopped),
    .idle_o(eq_idle), .posted_o(posted), .wait_o(eq_wait), .write_error_o(eq_write_error),
    .tx_valid_i(tx_event_valid), .tx_ready_o(tx_event_ready), .tx_event_i(tx_event),
    .rx_valid_i(rx_event_valid || conn_event_valid), .rx_ready_o(rx_side_ready),
    .rx_event_i(conn_turn ? conn_event : rx_event),
    .drain_i(drain), .drained_o(events_drained),
    .tx_enable_i(enable && txq_enable), .tx_quiet_i(tx_quiet), .tx_stopped_i(tx_stopped),
    .tx_error_i(tx_error), .tx_head_i(txq_head),
    .rx_enable_i(enable && rxq_enable), .rx_quiet_i(rx_quiet), .rx_stopped_i(rx_stopped),
    .rx_error_i(rx_error), .rx_head_i(rxq_head),
    .wr_req_valid_o(wr_req_valid[1]), .wr_req_ready_i(wr_req_ready[1]), .wr_req_o(wr_req[1]),
    .wr_valid_o(wr_valid[1]), .wr_ready_i(wr_ready[1]), .wr_data_o(wr_data[1]),
    .wr_keep_o(wr_keep[1]), .wr_last_o(wr_last[1]), .wr_done_i(wr_done[1]),
    .wr_status_i(wr_status[1])
  );

  always_ff @(posedge clk) begin
    tx_stopped_q <= tx_stopped;
    rx_stopped_q <= rx_stopped;
    eq_stopped_q <= eq_stopped;
    drained_q    <= drained;
    if (rst) {tx_stopped_q, rx_stopped_q, eq_stopped_q, drained_q} <= '0;
  end

  logic tx_stops, rx_stops, eq_stops;
  assign tx_stops    = tx_stopped && !tx_stopped_q;
  assign rx_stops    = rx_stopped && !rx_stopped_q;
  assign eq_stops    = eq_stopped && !eq_stopped_q;
  assign set_error   = tx_stops || rx_stops || eq_stops;
  assign set_drained = drained && !drained_q;

  logic        irq_deadline_valid;
  logic [63:0] irq_deadline_us;

  // The earliest of three.
  logic        first_valid;
  logic [63:0] first_us;
  assign first_valid      = mgmt_deadline_valid || tcp_deadline_valid;
  assign first_us         = mgmt_deadline_valid && (!tcp_deadline_valid || mgmt_deadline_us < tcp_deadline_us) ?
                            mgmt_deadline_us : tcp_deadline_us;
  assign deadline_valid_o = irq_deadline_valid || first_valid;
  assign deadline_us_o    = first_valid && (!irq_deadline_valid || first_us < irq_deadline_us) ? first_us : irq_deadline_us;

  flue_irq u_irq (
    .clk, .rst(rst || clear), .time_us_i,
    .cause_i(cause), .mask_i(mask), .distance_us_i(mod_distance_us), .events_i(mod_events), .posted_i(posted),
    .irq_o, .rise_o(irq_rise), .idle_o(irq_idle), .deadline_valid_o(irq_deadline_valid),
    .deadline_us_o(irq_deadline_us)
  );

  // ==== statistics ============================================================

  // Frames dropped for want of room, at three places perhaps in one cycle.
  logic [3:0] full_owed_q;
  always_ff @(posedge clk) begin
    full_owed_q <= full_owed_q + 4'(drop_full) + 4'(drop_off) + 4'(drop_queue) - 4'(full_owed_q != '0);
    if (rst) full_owed_q <= '0;
  end

  logic [STATS-1:0] inc;
  logic             tx_posts, rx_posts, rx_good, stats_idle;
  event_rx_t        rx_ev;
  logic [13:0]      wire_bytes;

  assign tx_posts = tx_event_valid && tx_event_ready;
  assign rx_posts = rx_event_valid && rx_event_ready && !rx_event_note;
  assign rx_good  = rx_posts && rx_event_status == ST_OK;
  assign rx_ev    = {32'b0, rx_event};

  always_comb begin
    wire_bytes = '0;
    for (int i = 0; i < B; i++) wire_bytes = wire_bytes + 14'(wire_tx_keep_o[i]);
    if (!wire_tx_last_o) wire_bytes = 14'(B);
    if (!wire_tx_valid_o || !wire_tx_ready_i) wire_bytes = '0;
  end

  always_comb begin
    inc = '0;
    inc[STAT_TX_FRAMES]       = done_valid && out_wire;
    inc[STAT_TX_REQUESTS]     = tx_posts;
    inc[STAT_TX_ERRORS]       = tx_posts && tx_event_status != ST_OK;
    inc[STAT_TX_SUPER]        = tx_posts && tx_event_status == ST_OK && tx_event_lso;
    inc[STAT_TX_SEGMENTS]     = done_valid && out_wire && done_tag.lso;
    inc[STAT_TX_CSUM_IP]      = lo_valid && lo_ready && lo_last && !lo_bad && !lo_tag.empty && lo_cmd.ip_en;
    inc[STAT_TX_CSUM_L4]      = lo_valid && lo_ready && lo_last && !lo_bad && !lo_tag.empty && lo_cmd.l4_en;
    inc[STAT_TX_VLAN]         = done_valid && out_wire && done_tag.vlan;
    inc[STAT_TX_BAD_SLOT]     = tx_posts && tx_event_status inside {ST_BAD_SLOT, ST_BAD_LENGTH, ST_CHAIN};
    inc[STAT_TX_REFUSED]      = tx_posts && tx_event_status >= ST_BAD_REQUEST && tx_event_status <= ST_TOO_LONG;
    inc[STAT_RX_FRAMES]       = rx_good;
    inc[STAT_RX_IP_OK]        = rx_good && rx_ev.ip_ok;
    inc[STAT_RX_IP_BAD]       = rx_good && rx_ev.ip_bad;
    inc[STAT_RX_TCP_OK]       = rx_good && rx_ev.tcp_ok;
    inc[STAT_RX_TCP_BAD]      = rx_good && rx_ev.tcp_bad;
    inc[STAT_RX_UDP_OK]       = rx_good && rx_ev.udp_ok;
    inc[STAT_RX_UDP_BAD]      = rx_good && rx_ev.udp_bad;
    inc[STAT_RX_VLAN]         = rx_good && rx_ev.vlan;
    inc[STAT_RX_DROP_BAD]     = drop_bad && !cv_forward;
    inc[STAT_RX_DROP_RUNT]    = drop_runt && !cv_forward;
    inc[STAT_RX_DROP_LONG]    = drop_long && !cv_forward;
    inc[STAT_RX_DROP_FULL]    = full_owed_q != '0;
    inc[STAT_RX_DROP_BUFFER]  = rx_posts && rx_event_status == ST_TOO_LONG;
    inc[STAT_RX_BAD_SLOT]     = rx_posts && rx_event_status inside {ST_BAD_SLOT, ST_BAD_LENGTH};
    inc[STAT_DMA_READ_ERROR]  = tx_posts && tx_event_status inside {ST_BAD_REGION, ST_DMA_READ};
    inc[STAT_DMA_WRITE_ERROR] = (wr_done[0] && wr_status[0] != ST_OK) || eq_write_error;
    inc[STAT_QUEUE_ERRORS]    = tx_stops || rx_stops || eq_stops;
    inc[STAT_EVENTS]          = posted;
    inc[STAT_IRQS]            = irq_rise;
    inc[STAT_EVENT_WAIT]      = eq_wait;
  end

  flue_stats #(.PEND_W(4 + $clog2(W / 32))) u_stats (
    .clk, .rst, .clear_i(clear), .inc_i(inc), .tx_bytes_i(wire_bytes),
    .rx_bytes_i(rx_good ? rx_ev.length[13:0] : '0),
    .rd_req_i(stat_req), .rd_addr_i(stat_addr), .rd_ack_o(stat_ack), .rd_data_o(stat_data),
    .idle_o(stats_idle)
  );

  // ==== idle ==================================================================
  // Every transmit request is counted by its queue until its event is taken.
  // Received frames are counted here: before the park FIFO, and in or behind it.

  logic       in_frame_q, full_q;         // full_q: a frame was dropped, too many headers wait
  logic [9:0] front_q;
  logic [6:0] back_q;
  logic       rx_begins, rx_parks, rx_leaves;

  assign drop_full = (park_full && !fwd_end_q) || full_q;
  assign rx_begins = wire_rx_valid_i && wire_rx_ready_o && !in_frame_q;
  assign rx_parks  = cv_end && !cv_drop && !tap_full;
  assign rx_leaves = vs_valid && vs_ready && vs_last;

  always_ff @(posedge clk) begin
    if (wire_rx_valid_i && wire_rx_ready_o) in_frame_q <= !wire_rx_last_i;
    full_q  <= cv_end && !cv_drop && tap_full && !cv_forward;
    front_q <= front_q + 10'(rx_begins) + 10'(inject_begins) - 10'(cv_end);
    back_q  <= back_q + 7'(rx_parks) - 7'(park_full) - 7'(rx_leaves);
    if (rst) begin
      in_frame_q <= 1'b0;
      full_q     <= 1'b0;
      front_q    <= '0;
      back_q     <= '0;
    end
  end

  // A packet that ended early may still have reads under way, a parked frame its placement before it.
  assign drained     = events_drained && mgmt_drained && !dma_busy && back_q == '0 && tcp_frames_idle;
  assign others_idle = tx_idle && rx_idle && eq_idle && irq_idle && stats_idle && mgmt_idle && !dma_busy &&
                       !wire_rx_valid_i && front_q == '0 &&
                       (back_q == '0 || (rx_wait && dp_valid)) && full_owed_q == '0 && tcp_quiet && !conn_event_valid;
  assign idle_o      = others_idle && regs_idle;

endmodule

// Registers: the generated register file with its fields as typed ports, the
// three windows, the time latch, and function reset.
//
// Contract: docs/registers.md.  A function reset raises drain_o, waits for
//   drained_i, and then returns every field to its default in one cycle
//   (clear_o), also while the host reads.  Switches leave here already ANDed
//   with the abilities of the hardware (CAPS), receive checksums also with
//   the activation of their IP version; the frame limit is held to the build.
// A register is written whole: write strobes are ignored.
// An access of FW_DATA goes out as one pulse of fw_req_o and lasts until fw_ack_i; FW_ADDR moves
//   on behind it.  Without a management processor (FW_KB = 0) FW_DATA reads 0.
// `idle_o`: no register access is in progress and no reset is.
module flue_regs
  import flue_pkg::*;
  import flue_regfile_pkg::*;
#(
  parameter int          W         = 32,
  parameter int          REGIONS   = 4,
  parameter int          MAX_FRAME = 1518,
  parameter bit          FAULTS    = 1'b0,
  parameter logic [31:0] CAPS      = 32'h07FF_03FF,   // RX_CFG, TX_CFG bits the hardware has
  parameter int          FW_KB     = 0,               // memory of the management processor; 0 = none
  parameter logic [3:0]  FW_CORE   = 4'd0,            // BUILD_FW.core
  parameter int          CONNECTIONS = 0,             // rows of the tables
  parameter int          PATHS     = 0,
  parameter int          NEIGHBORS = 0,
  parameter bit          ENGINE    = 1'b0,            // BUILD_FW.engine
  localparam int         IDX_W     = REGIONS > 1 ? $clog2(REGIONS) : 1
) (
  input  logic              clk,
  input  logic              rst,
  input  logic [63:0]       time_us_i,

  input  logic              axil_awvalid_i,
  output logic              axil_awready_o,
  input  logic [15:0]       axil_awaddr_i,
  input  logic              axil_wvalid_i,
  output logic              axil_wready_o,
  input  logic [31:0]       axil_wdata_i,
  input  logic [3:0]        axil_wstrb_i,
  output logic              axil_bvalid_o,
  input  logic              axil_bready_i,
  output logic [1:0]        axil_bresp_o,
  input  logic              axil_arvalid_i,
  output logic              axil_arready_o,
  input  logic [15:0]       axil_araddr_i,
  output logic              axil_rvalid_o,
  input  logic              axil_rready_i,
  output logic [31:0]       axil_rdata_o,
  output logic [1:0]        axil_rresp_o,

  // control and state
  output logic              enable_o,
  output logic              drain_o,
  output logic              flush_o,      // a reset waits: events without room are lost
  output logic              clear_o,      // pulse: the reset happens
  output logic              idle_o,
  input  logic              idle_i,       // everything else
  input  logic              drained_i,
  input  logic              tx_error_i,
  input  logic              rx_error_i,
  input  logic              event_error_i,
  input  logic              tx_busy_i,
  input  logic              rx_busy_i,

  output tx_cfg_t           tx_cfg_o,
  output rx_cfg_t           rx_cfg_o,
  output logic              fault_csum_o,
  output logic              fault_seq_o,

  // rings
  output logic              txq_enable_o,
  output logic [31:6]       txq_base_o,
  output logic [7:0]        txq_region_o,
  output logic [3:0]        txq_log2_slots_o,
  output logic [SLOT_W-1:0] txq_tail_o,
  input  logic [SLOT_W-1:0] txq_head_i,
  output logic              rxq_enable_o,
  output logic [31:6]       rxq_base_o,
  output logic [7:0]        rxq_region_o,
  output logic [3:0]        rxq_log2_slots_o,
  output logic [SLOT_W-1:0] rxq_tail_o,
  input  logic [SLOT_W-1:0] rxq_head_i,
  output logic              eq_enable_o,
  output logic [31:6]       eq_base_o,
  output logic [7:0]        eq_region_o,
  output logic [3:0]        eq_log2_slots_o,
  output logic [SLOT_W-1:0] eq_head_o,
  input  logic [SLOT_W-1:0] eq_tail_i,

  // interrupt
  input  logic              set_event_i,  // pulses
  input  logic              set_error_i,
  input  logic              set_drained_i,
  input  logic              set_admin_i,
  input  logic              set_firmware_i,
  output logic [4:0]        cause_o,      // firmware, admin, drained, error, event
  output logic [4:0]        mask_o,
  output logic [15:0]       mod_distance_us_o,
  output logic [7:0]        mod_events_o,

  // management processor
  output logic              fw_run_o,
  output logic              fw_cold_o,
  output logic              fw_ping_o,    // pulse
  output logic              doorbell_o,   // pulse: a register of the admin queue was written
  output logic [3:0][31:0]  seed_o,
  input  logic              fw_running_i,
  input  logic              fw_trapped_i,
  input  logic              fw_asleep_i,
  input  logic              fw_ready_i,
  input  logic [15:0]       fw_heartbeat_i,
  input  logic [31:0]       fw_cause_i,
  input  logic [31:0]       fw_pc_i,
  output logic              asq_enable_o,
  output logic [31:6]       asq_base_o,
  output logic [7:0]        asq_region_o,
  output logic [3:0]        asq_log2_slots_o,
  output logic [SLOT_W-1:0] asq_tail_o,
  input  logic [SLOT_W-1:0] asq_head_i,
  output logic              acq_enable_o,
  output logic [31:6]       acq_base_o,
  output logic [7:0]        acq_region_o,
  output logic [3:0]        acq_log2_slots_o,
  output logic [SLOT_W-1:0] acq_head_o,
  input  logic [SLOT_W-1:0] acq_tail_i,
  output logic              flip_o,       // pulse, in builds with FAULTS
  output logic [1:0]        flip_table_o,
  output logic [15:0]       flip_row_o,
  output logic [5:0]        flip_word_o,
  output logic [4:0]        flip_bit_o,

  // windows
  output logic              fw_req_o,     // pulse; the rest is there until fw_ack_i
  output logic              fw_write_o,
  output logic [19:2]       fw_addr_o,
  output logic [31:0]       fw_wdata_o,
  input  logic              fw_ack_i,     // with fw_req_o or later
  input  logic [31:0]       fw_rdata_i,
  output logic              stat_req_o,
  output logic [5:0]        stat_addr_o,
  input  logic              stat_ack_i,
  input  logic [31:0]       stat_data_i,
  output logic              rg_we_o,
  output logic [IDX_W+1:0]  rg_addr_o,
  output logic [31:0]       rg_wdata_o,
  input  logic [31:0]       rg_rdata_i,

  // connections
  output logic              fault_place_o,
  output logic              line_enable_o,
  output logic [31:6]       line_base_o,
  output logic [7:0]        line_region_o,
  output logic              db_valid_o,   // a word of a doorbell record, until db_ready_i
  input  logic              db_ready_i,
  output logic [15:0]       db_index_o,
  output logic [2:0]        db_word_o,
  output logic [31:0]       db_data_o
);

  localparam int         LIMIT      = MAX_FRAME - 4;  // a tag may be inserted
  localparam logic [10:0] ADMIN_PAGE = 11'h008;          // registers of the admin queue: 0x100 to 0x11F

  flue__in_t  hwif_in;
  flue__out_t r;

  logic        req, is_write, rd_ack, wr_ack, axil_idle;
  logic [15:0] addr;
  logic        other, other_ack;          // an access beyond the register page
  logic [31:0] wdata, rdata;

  flue_axil #(.ADDR_W(16)) u_axil (
    .clk, .rst,
    .awvalid_i(axil_awvalid_i), .awready_o(axil_awready_o), .awaddr_i(axil_awaddr_i),
    .wvalid_i(axil_wvalid_i), .wready_o(axil_wready_o), .wdata_i(axil_wdata_i),
    .bvalid_o(axil_bvalid_o), .bready_i(axil_bready_i), .arvalid_i(axil_arvalid_i),
    .arready_o(axil_arready_o), .araddr_i(axil_araddr_i), .rvalid_o(axil_rvalid_o),
    .rready_i(axil_rready_i), .rdata_o(axil_rdata_o),
    .req_o(req), .is_write_o(is_write), .addr_o(addr), .wdata_o(wdata), .ack_i(rd_ack || wr_ack || other_ack),
    .rdata_i(other ? '0 : rdata), .idle_o(axil_idle)
  );

  assign axil_bresp_o = 2'b00;
  assign axil_rresp_o = 2'b00;

  flue_regfile u_regfile (
    .clk, .rst,
    .fn_rst                (rst || clear_o),
    .s_cpuif_req           (req && !other),
    .s_cpuif_req_is_wr     (is_write),
    .s_cpuif_addr          (addr[11:0]),
    .s_cpuif_wr_data       (wdata),
    .s_cpuif_wr_biten      ('1),
    .s_cpuif_req_stall_wr  (),
    .s_cpuif_req_stall_rd  (),
    .s_cpuif_rd_ack        (rd_ack),
    .s_cpuif_rd_err        (),
    .s_cpuif_rd_data       (rdata),
    .s_cpuif_wr_ack        (wr_ack),
    .s_cpuif_wr_err        (),
    .hwif_in,
    .hwif_out              (r)
  );

  // ---- identity, state, time ----
  logic        reset_q;                   // a function reset is under way
  logic        idle_q;
  logic [31:0] time_hi_q;

  assign hwif_in.BUILD.log2_bytes.next      = 4'($clog2(W / 8));
  assign hwif_in.BUILD.regions.next         = 8'(REGIONS);
  assign hwif_in.BUILD.faults.next          = FAULTS;
  assign hwif_in.BUILD_FRAME.max_frame.next = 14'(MAX_FRAME);
  assign hwif_in.CAPS.tx.next               = CAPS[15:0];
  assign hwif_in.CAPS.rx.next               = CAPS[31:16];
  assign hwif_in.STATUS.idle.next           = idle_q;
  assign hwif_in.STATUS.drained.next        = drained_i && !reset_q;
  assign hwif_in.STATUS.tx_error.next       = tx_error_i;
  assign hwif_in.STATUS.rx_error.next       = rx_error_i;
  assign hwif_in.STATUS.event_error.next    = event_error_i;
  assign hwif_in.STATUS.reset_busy.next     = reset_q;
  assign hwif_in.STATUS.tx_busy.next        = tx_busy_i;
  assign hwif_in.STATUS.rx_busy.next        = rx_busy_i;
  assign hwif_in.TIME_LO.us.next            = time_us_i[31:0];
  assign hwif_in.TIME_HI.us.next            = time_hi_q;

  always_ff @(posedge clk) begin
    idle_q <= idle_i;
    if (r.TIME_LO.us.swacc) time_hi_q <= time_us_i[63:32];
    if (r.CTRL.reset.value) reset_q <= 1'b1;
    if (rst || clear_o)     reset_q <= 1'b0;
  end

  assign clear_o  = reset_q && drained_i;
  assign enable_o = r.CTRL.enable.value;
  assign drain_o  = r.CTRL.drain.value || reset_q;
  assign flush_o  = reset_q;

  // ---- switches ----
  logic [13:0] limit_q;

  always_ff @(posedge clk)
    limit_q <= r.FRAME_LIMIT.max_frame.value > 14'(LIMIT) ? 14'(LIMIT) : r.FRAME_LIMIT.max_frame.value;

  always_comb begin
    tx_cfg_o = '{ip4_csum:    r.TX_CFG.ip4_csum.value    && CAPS[0],
                 tcp4_csum:   r.TX_CFG.tcp4_csum.value   && CAPS[1],
                 udp4_csum:   r.TX_CFG.udp4_csum.value   && CAPS[2],
                 tcp6_csum:   r.TX_CFG.tcp6_csum.value   && CAPS[3],
                 udp6_csum:   r.TX_CFG.udp6_csum.value   && CAPS[4],
                 lso_v1:      r.TX_CFG.lso_v1.value      && CAPS[5],
                 lso_v2_ipv4: r.TX_CFG.lso_v2_ipv4.value && CAPS[6],
                 lso_v2_ipv6: r.TX_CFG.lso_v2_ipv6.value && CAPS[7],
                 vlan_insert: r.TX_CFG.vlan_insert.value && CAPS[8],
                 id_15bit:    r.TX_CFG.id_15bit.value    && CAPS[9],
                 max_offload: r.TX_LIMIT.max_offload.value,
                 max_frame:   limit_q};
    rx_cfg_o = '{ip4_csum:    r.RX_CFG.ip4_csum.value    && r.RX_CFG.encap_v4.value && CAPS[16] && CAPS[25],
                 tcp4_csum:   r.RX_CFG.tcp4_csum.value   && r.RX_CFG.encap_v4.value && CAPS[17] && CAPS[25],
                 udp4_csum:   r.RX_CFG.udp4_csum.value   && r.RX_CFG.encap_v4.value && CAPS[18] && CAPS[25],
                 tcp6_csum:   r.RX_CFG.tcp6_csum.value   && r.RX_CFG.encap_v6.value && CAPS[19] && CAPS[26],
                 udp6_csum:   r.RX_CFG.udp6_csum.value   && r.RX_CFG.encap_v6.value && CAPS[20] && CAPS[26],
                 ip_opts:     r.RX_CFG.ip_opts.value     && CAPS[21],
                 ip6_ext:     r.RX_CFG.ip6_ext.value     && CAPS[22],
                 tcp_opts:    r.RX_CFG.tcp_opts.value    && CAPS[23],
                 vlan_strip:  r.RX_CFG.vlan_strip.value  && CAPS[24],
                 max_frame:   limit_q};
  end

  assign fault_csum_o = FAULTS && r.FAULT.csum_bit.value;
  assign fault_seq_o  = FAULTS && r.FAULT.lso_seq.value;

  // ---- rings ----
  assign txq_enable_o     = r.TXQ_CFG.enable.value;
  assign txq_base_o       = r.TXQ_BASE.offset.value;
  assign txq_region_o     = r.TXQ_CFG.region.value;
  assign txq_log2_slots_o = r.TXQ_CFG.log2_slots.value;
  assign txq_tail_o       = r.TXQ_TAIL.index.value;
  assign rxq_enable_o     = r.RXQ_CFG.enable.value;
  assign rxq_base_o       = r.RXQ_BASE.offset.value;
  assign rxq_region_o     = r.RXQ_CFG.region.value;
  assign rxq_log2_slots_o = r.RXQ_CFG.log2_slots.value;
  assign rxq_tail_o       = r.RXQ_TAIL.index.value;
  assign eq_enable_o      = r.EQ_CFG.enable.value;
  assign eq_base_o        = r.EQ_BASE.offset.value;
  assign eq_region_o      = r.EQ_CFG.region.value;
  assign eq_log2_slots_o  = r.EQ_CFG.log2_slots.value;
  assign eq_head_o        = r.EQ_HEAD.index.value;
  assign hwif_in.TXQ_HEAD.index.next = txq_head_i;
  assign hwif_in.RXQ_HEAD.index.next = rxq_head_i;
  assign hwif_in.EQ_TAIL.index.next  = eq_tail_i;

  // ---- interrupt ----
  assign hwif_in.IRQ_CAUSE.event_posted.hwset = set_event_i;
  assign hwif_in.IRQ_CAUSE.error.hwset        = set_error_i;
  assign hwif_in.IRQ_CAUSE.drained.hwset      = set_drained_i;
  assign hwif_in.IRQ_CAUSE.admin.hwset        = set_admin_i;
  assign hwif_in.IRQ_CAUSE.firmware.hwset     = set_firmware_i;
  assign cause_o = {r.IRQ_CAUSE.firmware.value, r.IRQ_CAUSE.admin.value, r.IRQ_CAUSE.drained.value,
                    r.IRQ_CAUSE.error.value, r.IRQ_CAUSE.event_posted.value};
  assign mask_o  = {r.IRQ_MASK.firmware.value, r.IRQ_MASK.admin.value, r.IRQ_MASK.drained.value,
                    r.IRQ_MASK.error.value, r.IRQ_MASK.event_posted.value};
  assign mod_distance_us_o = r.IRQ_MOD.distance_us.value;
  assign mod_events_o      = r.IRQ_MOD.events.value;

  // ---- management processor ----
  assign hwif_in.BUILD_FW.memory_kb.next          = 8'(FW_KB);
  assign hwif_in.BUILD_FW.core.next               = FW_CORE;
  assign hwif_in.BUILD_FW.engine.next             = ENGINE;
  assign hwif_in.BUILD_TABLES0.connections.next   = 16'(CONNECTIONS);
  assign hwif_in.BUILD_TABLES0.paths.next         = 16'(PATHS);
  assign hwif_in.BUILD_TABLES1.neighbors.next     = 16'(NEIGHBORS);
  assign hwif_in.FW_STATUS.running.next           = fw_running_i;
  assign hwif_in.FW_STATUS.trapped.next           = fw_trapped_i;
  assign hwif_in.FW_STATUS.asleep.next            = fw_asleep_i;
  assign hwif_in.FW_STATUS.ready.next             = fw_ready_i;
  assign hwif_in.FW_STATUS.heartbeat.next         = fw_heartbeat_i;
  assign hwif_in.FW_TRAP_CAUSE.cause.next         = fw_cause_i;
  assign hwif_in.FW_TRAP_PC.pc.next               = fw_pc_i;
  assign hwif_in.ASQ_HEAD.index.next              = asq_head_i;
  assign hwif_in.ACQ_TAIL.index.next              = acq_tail_i;

  assign fw_run_o         = r.FW_CTRL.run.value;
  assign fw_cold_o        = r.FW_CTRL.cold.value;
  assign fw_ping_o        = r.FW_PING.ping.value;
  assign asq_enable_o     = r.ASQ_CFG.enable.value;
  assign asq_base_o       = r.ASQ_BASE.offset.value;
  assign asq_region_o     = r.ASQ_CFG.region.value;
  assign asq_log2_slots_o = r.ASQ_CFG.log2_slots.value;
  assign asq_tail_o       = r.ASQ_TAIL.index.value;
  assign acq_enable_o     = r.ACQ_CFG.enable.value;
  assign acq_base_o       = r.ACQ_BASE.offset.value;
  assign acq_region_o     = r.ACQ_CFG.region.value;
  assign acq_log2_slots_o = r.ACQ_CFG.log2_slots.value;
  assign acq_head_o       = r.ACQ_HEAD.index.value;
  assign flip_o           = FAULTS && r.FAULT_TABLE.flip.value;
  assign flip_table_o     = r.FAULT_TABLE.table_.value;
  assign flip_row_o       = r.FAULT_TABLE.row.value;
  assign flip_word_o      = r.FAULT_TABLE.word.value;
  assign flip_bit_o       = r.FAULT_TABLE.bitnr.value;

  for (genvar g = 0; g < 4; g++) begin : g_seed
    assign seed_o[g] = r.SEED[g].value.value;
  end

  always_ff @(posedge clk) begin
    doorbell_o <= req && is_write && addr[15:5] == ADMIN_PAGE;
    if (rst) doorbell_o <= 1'b0;
  end

  // ---- memory window: FW_ADDR moves on when the access is answered ----
  logic fw_ack;

  always_ff @(posedge clk) begin
    fw_req_o <= r.FW_DATA.req;
    if (r.FW_DATA.req) begin
      fw_write_o <= r.FW_DATA.req_is_wr;
      fw_wdata_o <= r.FW_DATA.wr_data;
    end
    if (rst) fw_req_o <= 1'b0;
  end

  assign fw_addr_o                     = r.FW_ADDR.address.value[19:2];
  assign fw_ack                        = FW_KB == 0 ? fw_req_o : fw_ack_i;
  assign hwif_in.FW_DATA.rd_ack        = fw_ack && !fw_write_o;
  assign hwif_in.FW_DATA.wr_ack        = fw_ack && fw_write_o;
  assign hwif_in.FW_DATA.rd_data       = FW_KB == 0 ? '0 : fw_rdata_i;
  assign hwif_in.FW_ADDR.address.we    = fw_ack;
  assign hwif_in.FW_ADDR.address.next  = r.FW_ADDR.address.value + 20'd4;

  // ---- statistics window: the register file asks for one word at a time ----
  always_ff @(posedge clk) begin
    stat_req_o <= r.STAT.req;
    if (r.STAT.req) stat_addr_o <= r.STAT.addr[7:2];
    if (rst) stat_req_o <= 1'b0;
  end

  assign hwif_in.STAT.rd_ack  = stat_ack_i;
  assign hwif_in.STAT.rd_data = stat_data_i;
  assign hwif_in.STAT.wr_ack  = 1'b0;

  // ---- region window: rows beyond REGIONS read 0 and take no write ----
  localparam int RG_WAIT = 6;             // cycles the table needs to show a word

  logic               rg_there_q, rg_wr_ack_q;
  logic [RG_WAIT-1:0] rg_wait_q;

  always_ff @(posedge clk) begin
    rg_we_o     <= 1'b0;
    rg_wr_ack_q <= 1'b0;
    rg_wait_q   <= rg_wait_q << 1;
    if (r.REGION.req) begin
      rg_we_o      <= r.REGION.req_is_wr && 5'(r.REGION.addr[7:4]) < 5'(REGIONS);
      rg_wr_ack_q  <= r.REGION.req_is_wr;
      rg_wait_q[0] <= !r.REGION.req_is_wr;
      rg_there_q   <= 5'(r.REGION.addr[7:4]) < 5'(REGIONS);
      rg_addr_o    <= r.REGION.addr[IDX_W+3:2];
      rg_wdata_o   <= r.REGION.wr_data;
    end
    if (rst) begin
      rg_we_o     <= 1'b0;
      rg_wr_ack_q <= 1'b0;
      rg_wait_q   <= '0;
    end
  end

  assign hwif_in.REGION.wr_ack  = rg_wr_ack_q;
  assign hwif_in.REGION.rd_ack  = rg_wait_q[RG_WAIT-1];
  assign hwif_in.REGION.rd_data = rg_there_q ? rg_rdata_i : '0;

  // ---- connections ----
  // Doorbell records are written only; what is neither they nor a register reads 0 and takes no write.
  assign other         = addr[15:12] != '0;
  assign other_ack     = db_valid_o ? db_ready_i : req && other && !(addr[15] && is_write);
  assign db_index_o    = {6'b0, addr[14:5]};
  assign db_word_o     = addr[4:2];
  assign db_data_o     = wdata;
  assign fault_place_o = FAULTS && r.FAULT.place.value;
  assign line_enable_o = r.LINE_CFG.enable.value;
  assign line_region_o = r.LINE_CFG.region.value;
  assign line_base_o   = r.LINE_BASE.offset.value;

  always_ff @(posedge clk) begin
    if (req && addr[15] && is_write) db_valid_o <= 1'b1;
    else if (db_ready_i)             db_valid_o <= 1'b0;
    if (rst) db_valid_o <= 1'b0;
  end

  assign idle_o = axil_idle && !r.CTRL.reset.value && !reset_q;

  logic unused;
  assign unused = &{1'b0, axil_wstrb_i, r.STAT.req_is_wr, r.STAT.wr_data, r.STAT.wr_biten, r.STAT.addr[1:0],
                    r.REGION.wr_biten, r.REGION.addr[1:0], r.FW_DATA.wr_biten, fw_ack_i, fw_rdata_i};

endmodule

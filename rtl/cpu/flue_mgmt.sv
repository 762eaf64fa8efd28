// Management processor: a RISC-V core with its memory, its registers (record mmio), a DMA engine
// between host memory and its own, and the port to the tables.  docs/control-plane.md, section 5.
//
// Contract, host side: run_i starts the core at address 0; while it does not run (or has
//   trapped) fw_req_i, one cycle for each access, reads or writes the word of its memory at
//   fw_addr_i and is answered by fw_ack_o; else the answer is 0 and nothing is written.
//   Address and data of an access stay until fw_ack_o.  cold_i is taken when run_i rises, seed_i stays.  doorbell_i: one of the ring registers was
//   written.  running_o falls when the core and its DMA have stopped.
// Trap: bad address, misaligned access or jump, illegal instruction, breakpoint, or the
//   firmware's own: cause and place are kept, the core starts again at address 0 with its
//   registers intact to save them (firmware/start.S) and is then stopped, answer or not.
// Drain: drained_o rises when no DMA is under way and none will start until drain_i falls: the
//   firmware wrote quiet, or does not run, or gave no answer in 65,536 cycles.  What it starts
//   meanwhile waits.
// DMA: one request at a time, of 4 to 4,096 bytes, all in words; a read is one packet of
//   rd_*, a write one packet of wr_*.
// Block RAM: 16 at FW_KB=32, 8 at FW_KB=16.
// Sleep: a core that reads wait_event stands still until an event is pending; idle_o is then
//   high, and deadline_us_o (while deadline_valid_o) is when it goes on by itself.
module flue_mgmt
  import flue_pkg::*;
  import flue_control_pkg::*;
#(
  parameter int W           = 64,          // DMA data, bits
  parameter int FW_KB       = 32,          // memory, 8 to 128, a power of two
  parameter int CORE        = 1,           // 1 PicoRV32, 2 VexRiscv
  parameter int CONNECTIONS = 64,          // rows of the tables, for the firmware to read
  parameter int PATHS       = CONNECTIONS,
  parameter int NEIGHBORS   = 16,
  localparam int B          = W / 8
) (
  input  logic             clk,
  input  logic             rst,
  input  logic [63:0]      time_us_i,

  // host: run control and memory window
  input  logic             run_i,
  input  logic             cold_i,
  input  logic             fw_req_i,
  input  logic             fw_we_i,
  input  logic [19:0]      fw_addr_i,      // bytes, a multiple of 4
  input  logic [31:0]      fw_wdata_i,
  output logic             fw_ack_o,
  output logic [31:0]      fw_rdata_o,     // with fw_ack_o
  input  logic             ping_i,         // pulse
  input  logic [3:0][31:0] seed_i,
  output logic             running_o,
  output logic             trapped_o,
  output logic             asleep_o,
  output logic             ready_o,
  output logic [15:0]      heartbeat_o,
  output logic [31:0]      trap_cause_o,
  output logic [31:0]      trap_pc_o,
  output logic             set_admin_o,    // pulses for IRQ_CAUSE
  output logic             set_firmware_o,

  // host: admin rings
  input  logic [31:0]      asq_base_i,     // the registers as words
  input  logic [31:0]      asq_cfg_i,
  input  logic [31:0]      asq_tail_i,
  input  logic [31:0]      acq_base_i,
  input  logic [31:0]      acq_cfg_i,
  input  logic [31:0]      acq_head_i,
  input  logic             doorbell_i,     // pulse: one of them was written
  output logic [15:0]      asq_head_o,
  output logic [15:0]      acq_tail_o,

  input  logic             drain_i,        // level
  output logic             drained_o,
  output logic             idle_o,
  output logic             deadline_valid_o,
  output logic [63:0]      deadline_us_o,

  // DMA: read client 3 and write client 2 of flue_dma
  output logic             rd_req_valid_o,
  input  logic             rd_req_ready_i,
  output dma_req_t         rd_req_o,
  input  logic             rd_valid_i,
  output logic             rd_ready_o,
  input  logic [W-1:0]     rd_data_i,
  input  logic [B-1:0]     rd_keep_i,
  input  logic             rd_last_i,
  input  logic             rd_bad_i,
  input  status_e          rd_status_i,
  output logic             wr_req_valid_o,
  input  logic             wr_req_ready_i,
  output dma_req_t         wr_req_o,
  output logic             wr_valid_o,
  input  logic             wr_ready_i,
  output logic [W-1:0]     wr_data_o,
  output logic [B-1:0]     wr_keep_o,
  output logic             wr_last_o,
  input  logic             wr_done_i,
  input  status_e          wr_status_i,

  // tables: word port, command port, errors
  output logic             tp_valid_o,
  input  logic             tp_ready_i,
  output logic             tp_write_o,
  output logic [1:0]       tp_table_o,
  output logic [15:0]      tp_row_o,
  output logic [5:0]       tp_word_o,
  output logic [31:0]      tp_wdata_o,
  input  logic [31:0]      tp_rdata_i,
  input  logic             tp_bad_i,       // the word read failed its check: it is in err_i too
  output logic             cmd_valid_o,
  input  logic             cmd_ready_i,
  output table_op_e        cmd_op_o,
  output logic [15:0]      cmd_index_o,
  output logic [8:0][31:0] cmd_key_o,
  output logic [3:0][31:0] cmd_seed_o,
  input  logic             cmd_done_i,
  input  table_result_e    cmd_result_i,
  input  logic [15:0]      cmd_found_i,
  output logic             eng_valid_o,    // flue_tcp: until ready, which comes with the data
  input  logic             eng_ready_i,
  output logic             eng_write_o,
  output logic [25:2]      eng_addr_o,
  output logic [31:0]      eng_wdata_o,
  input  logic [31:0]      eng_rdata_i,
  input  logic             eng_note_i,     // it has a note

  input  logic             err_valid_i,
  output logic             err_ready_o,
  input  logic [31:0]      err_i
);

  localparam int AW = $clog2(FW_KB) + 10;

  if (CORE != 1) begin : g_check
    $error("CORE must be 1: PicoRV32 is the only core with a wrapper");
  end

  // ---- core ----
  logic        rst_core, early, valid, instr, ready, halted;
  logic [31:2] early_addr, addr, pc;
  logic [31:0] wdata, rdata;
  logic [3:0]  wstrb;
  logic [1:0]  cause;

  flue_core_picorv32 u_core (
    .clk, .rst(rst_core || rst),
    .early_o(early), .early_addr_o(early_addr), .valid_o(valid), .instr_o(instr), .addr_o(addr),
    .wdata_o(wdata), .wstrb_o(wstrb), .ready_i(ready), .rdata_i(rdata),
    .halted_o(halted), .cause_o(cause), .pc_o(pc)
  );

  // ---- bus ----
  logic        save, bad, mem_write, reg_act, reg_wait, reg_bad;
  logic [31:0] mem_rdata, reg_rdata, reg_seen;
  logic        core_word, core_done, core_engine, core_tp, core_tp_write, dma_tp, dma_tp_write, dma_has, dma_has_q;   // words of the tables
  logic [25:2] core_at, dma_at;
  logic [31:0] dma_tp_wdata;

  flue_mgmt_bus #(.AW(AW)) u_bus (
    .clk, .rst(rst_core || rst), .save_i(save),
    .early_i(early), .early_addr_i(early_addr), .valid_i(valid), .instr_i(instr), .addr_i(addr),
    .wstrb_i(wstrb), .halted_i(halted), .ready_o(ready), .rdata_o(rdata), .bad_o(bad),
    .mem_write_o(mem_write), .mem_rdata_i(mem_rdata),
    .reg_act_o(reg_act), .reg_wait_i(reg_wait), .reg_bad_i(reg_bad), .reg_rdata_i(reg_rdata),
    .reg_rdata_o(reg_seen),
    .tp_valid_o(core_word), .tp_ready_i(core_done), .tp_engine_o(core_engine), .tp_write_o(core_tp_write),
    .tp_addr_o(core_at), .tp_rdata_i(core_engine ? eng_rdata_i : tp_rdata_i)
  );

  // The core's word goes first; each is on the port until it is answered.
  always_ff @(posedge clk) dma_has_q <= dma_has && !tp_ready_i && !rst;

  assign core_tp     = core_word && !core_engine;
  assign core_done   = core_engine ? eng_ready_i : tp_ready_i && !dma_has;
  assign eng_valid_o = core_word && core_engine;
  assign eng_write_o = core_tp_write;
  assign eng_addr_o  = core_at;
  assign eng_wdata_o = wdata;

  assign dma_has    = dma_has_q || (dma_tp && !core_tp);
  assign tp_valid_o = core_tp || dma_tp;
  assign tp_write_o = dma_has ? dma_tp_write : core_tp_write;
  assign tp_wdata_o = dma_has ? dma_tp_wdata : wdata;
  assign {tp_table_o, tp_row_o, tp_word_o} = dma_has ? dma_at : core_at;

  // ---- run control ----
  logic dma_busy, dma_on_bus, cmd_busy, trap, trap_pc, quiet, clear, stopped, still, cold, held;

  flue_mgmt_run u_run (
    .clk, .rst, .run_i, .cold_i, .busy_i(dma_busy || cmd_busy), .hold_i(core_word && !core_done),
    .bad_i(bad), .bad_fetch_i(instr), .bad_addr_i(addr), .halted_i(halted), .cause_i(cause), .pc_i(pc),
    .trap_i(trap), .trap_pc_i(trap_pc), .wdata_i(wdata), .trap_cause_o, .trap_pc_o, .set_firmware_o,
    .rst_core_o(rst_core), .clear_o(clear), .save_o(save), .stopped_o(stopped), .trapped_o,
    .still_o(still), .cold_o(cold), .drain_i, .quiet_i(quiet), .held_o(held)
  );

  assign drained_o = drain_i && held && !dma_on_bus;
  assign running_o = (!stopped && !trapped_o) || dma_on_bus;

  // ---- registers ----
  logic    is_write, ready_q, asleep, awake, armed, regs_bad, is_dma;
  status_e dma_status;
  logic [31:0] dma_word;

  assign is_write = wstrb[0];
  assign is_dma   = is_write && addr[7:2] >= 6'(MMIO_DMA_REGION) && addr[7:2] <= 6'(MMIO_DMA_START);
  assign reg_bad  = regs_bad || (dma_busy && is_dma);

  always_comb begin
    dma_word = '0;
    dma_word[MMIO_BUSY_LSB]      = dma_busy;
    dma_word[MMIO_STATUS_LSB+:5] = dma_status;
  end

  flue_mgmt_regs #(
    .FW_KB(FW_KB), .CONNECTIONS(CONNECTIONS), .PATHS(PATHS), .NEIGHBORS(NEIGHBORS)
  ) u_regs (
    .clk, .rst, .clear_i(clear), .save_i(save), .time_us_i,
    .word_i(addr[7:2]), .write_i(is_write), .wdata_i(wdata), .act_i(reg_act), .wait_o(reg_wait),
    .bad_o(regs_bad), .rdata_o(reg_rdata), .seen_i(reg_seen),
    .cold_i(cold), .seed_i, .ping_i, .doorbell_i, .drain_i(drain_i && !held),
    .asq_base_i, .asq_cfg_i, .asq_tail_i, .acq_base_i, .acq_cfg_i, .acq_head_i,
    .trap_cause_i(trap_cause_o), .trap_pc_i(trap_pc_o), .dma_status_i(dma_word),
    .asq_head_o, .acq_tail_o, .set_admin_o, .ready_o(ready_q), .heartbeat_o,
    .quiet_o(quiet), .trap_o(trap), .trap_pc_o(trap_pc),
    .asleep_o(asleep), .awake_o(awake), .deadline_valid_o(armed), .deadline_us_o,
    .cmd_valid_o, .cmd_ready_i, .cmd_op_o, .cmd_index_o, .cmd_key_o, .cmd_seed_o,
    .cmd_done_i, .cmd_result_i, .cmd_found_i, .cmd_busy_o(cmd_busy),
    .note_i(eng_note_i), .err_valid_i, .err_ready_o, .err_i
  );

  assign ready_o          = ready_q && !save && !trapped_o;
  assign asleep_o         = asleep;
  assign deadline_valid_o = armed && asleep;

  // ---- DMA ----
  logic          dma_valid, dma_grant, dma_write;
  logic [AW-1:2] dma_addr;
  logic [31:0]   dma_wdata;

  flue_mgmt_dma #(.W(W), .FW_KB(FW_KB)) u_dma (
    .clk, .rst, .hold_i(held), .drop_i(stopped),
    .reg_put_i(reg_act && is_dma && !save), .reg_word_i(addr[3:2]), .reg_wdata_i(wdata),
    .busy_o(dma_busy), .on_bus_o(dma_on_bus), .status_o(dma_status),
    .mem_valid_o(dma_valid), .mem_grant_i(dma_grant), .mem_write_o(dma_write), .mem_addr_o(dma_addr),
    .mem_wdata_o(dma_wdata), .mem_rdata_i(mem_rdata),
    .tp_valid_o(dma_tp), .tp_ready_i(tp_ready_i && dma_has), .tp_write_o(dma_tp_write), .tp_addr_o(dma_at),
    .tp_wdata_o(dma_tp_wdata), .tp_rdata_i,
    .rd_req_valid_o, .rd_req_ready_i, .rd_req_o, .rd_valid_i, .rd_ready_o, .rd_data_i, .rd_last_i, .rd_status_i,
    .wr_req_valid_o, .wr_req_ready_i, .wr_req_o, .wr_valid_o, .wr_ready_i, .wr_data_o, .wr_keep_o, .wr_last_o,
    .wr_done_i, .wr_status_i
  );

  // ---- memory, and the host's window into it ----
  logic window_q, shown_q, there, grant;   // window: an access waits; shown: memory shows its word

  assign there = (stopped || trapped_o) && fw_addr_i[19:AW] == '0;

  flue_mgmt_mem #(.FW_KB(FW_KB)) u_mem (
    .clk,
    .core_read_i(early && !rst_core), .core_raddr_i(early_addr[AW-1:2]),
    .core_write_i(mem_write), .core_waddr_i(addr[AW-1:2]), .core_wstrb_i(wstrb), .core_wdata_i(wdata),
    .host_valid_i(window_q && there), .host_grant_o(grant), .host_write_i(fw_we_i),
    .host_addr_i(fw_addr_i[AW-1:2]), .host_wdata_i(fw_wdata_i),
    .dma_valid_i(dma_valid), .dma_grant_o(dma_grant), .dma_write_i(dma_write), .dma_addr_i(dma_addr),
    .dma_wdata_i(dma_wdata), .rdata_o(mem_rdata)
  );

  always_ff @(posedge clk) begin
    fw_ack_o <= window_q && (grant || !there);
    shown_q  <= grant;
    window_q <= (window_q && there && !grant) || fw_req_i;
    if (rst) begin
      fw_ack_o <= 1'b0;
      window_q <= 1'b0;
    end
  end

  assign fw_rdata_o = shown_q ? mem_rdata : '0;

  assign idle_o = (still || (asleep && !awake)) && !dma_busy && !cmd_busy && !window_q && !fw_ack_o && !fw_req_i;

  logic unused;
  assign unused = &{1'b0, rd_keep_i, rd_bad_i, tp_bad_i, fw_addr_i[1:0]};

endmodule

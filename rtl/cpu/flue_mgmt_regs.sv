// Registers of the management processor (record mmio), but for DMA: time, events and sleep,
// status, rings, tables' commands.
//
// Contract: rdata_o follows word_i at once, without effect.  act_i carries the access out: a
//   write, the latch of the time's high word, a table error taken; while wait_o is high it is
//   not over: a sleep, or the status of a DMA or table command under way.  seen_i is the value that the core is
//   given.  bad_o: a table command while one
//   is under way.
// clear_i (the core does not run) returns everything to its start.  Of save_i (after a trap)
//   nothing but trap_cause acts.
// Events come from pulses and are cleared by a 1, but for table_error and engine, high while there is
//   one, and drain, high until it is answered.
module flue_mgmt_regs
  import flue_pkg::*;
  import flue_control_pkg::*;
#(
  parameter int FW_KB       = 32,
  parameter int CONNECTIONS = 64,
  parameter int PATHS       = 64,
  parameter int NEIGHBORS   = 16
) (
  input  logic             clk,
  input  logic             rst,
  input  logic             clear_i,
  input  logic             save_i,
  input  logic [63:0]      time_us_i,

  input  logic [5:0]       word_i,
  input  logic             write_i,
  input  logic [31:0]      wdata_i,
  input  logic             act_i,
  output logic             wait_o,
  output logic             bad_o,
  output logic [31:0]      rdata_o,
  input  logic [31:0]      seen_i,

  input  logic             cold_i,
  input  logic [3:0][31:0] seed_i,
  input  logic             ping_i,
  input  logic             doorbell_i,
  input  logic             drain_i,        // asked for and not answered
  input  logic [31:0]      asq_base_i,
  input  logic [31:0]      asq_cfg_i,
  input  logic [31:0]      asq_tail_i,
  input  logic [31:0]      acq_base_i,
  input  logic [31:0]      acq_cfg_i,
  input  logic [31:0]      acq_head_i,
  input  logic [31:0]      trap_cause_i,   // shown while save_i
  input  logic [31:0]      trap_pc_i,
  input  logic [31:0]      dma_status_i,

  output logic [15:0]      asq_head_o,
  output logic [15:0]      acq_tail_o,
  output logic             set_admin_o,
  output logic             ready_o,
  output logic [15:0]      heartbeat_o,
  output logic             quiet_o,        // pulse
  output logic             trap_o,         // pulse: trap_cause was written, place before it
  output logic             trap_pc_o,      // pulse: trap_pc was written

  output logic             asleep_o,
  output logic             awake_o,        // an event is there or about to come
  output logic             deadline_valid_o,
  output logic [63:0]      deadline_us_o,

  output logic             cmd_valid_o,
  input  logic             cmd_ready_i,
  output table_op_e        cmd_op_o,
  output logic [15:0]      cmd_index_o,
  output logic [8:0][31:0] cmd_key_o,
  output logic [3:0][31:0] cmd_seed_o,
  input  logic             cmd_done_i,
  input  table_result_e    cmd_result_i,
  input  logic [15:0]      cmd_found_i,
  output logic             cmd_busy_o,
  input  logic             note_i,         // level: the engine has a note
  input  logic             err_valid_i,
  output logic             err_ready_o,
  input  logic [31:0]      err_i
);

  logic put;                               // a write is carried out
  assign put = act_i && write_i && !save_i;

  function automatic logic is_word(input logic [5:0] word, input int number);
    return 32'(word) == number;
  endfunction

  // ---- time and deadline ----
  logic [31:0] time_hi_q;
  logic        armed_q, due, due_q;

  assign due              = time_us_i >= deadline_us_o;
  assign deadline_valid_o = armed_q;

  always_ff @(posedge clk) begin
    if (!write_i && is_word(word_i, MMIO_TIME_LO)) time_hi_q <= time_us_i[63:32];
    due_q <= armed_q && due && !put;
    if (due_q) armed_q <= 1'b0;
    if (put && is_word(word_i, MMIO_DEADLINE_LO)) begin
      deadline_us_o[31:0] <= wdata_i;
      armed_q             <= 1'b0;
    end
    if (put && is_word(word_i, MMIO_DEADLINE_HI)) begin
      deadline_us_o[63:32] <= wdata_i;
      armed_q              <= wdata_i != '1;
    end
    if (rst || clear_i) begin
      armed_q <= 1'b0;
      due_q   <= 1'b0;
    end
  end

  // ---- events and sleep ----
  logic       doorbell_q, timer_q, ping_q;
  logic [5:0] events;

  always_comb begin
    events                       = '0;
    events[MMIO_DOORBELL_LSB]    = doorbell_q;
    events[MMIO_TIMER_LSB]       = timer_q;
    events[MMIO_TABLE_ERROR_LSB] = err_valid_i;
    events[MMIO_PING_LSB]        = ping_q;
    events[MMIO_DRAIN_LSB]       = drain_i;
    events[MMIO_ENGINE_LSB]      = note_i;
  end

  logic sleep;
  assign sleep    = !write_i && is_word(word_i, MMIO_WAIT_EVENT) && seen_i[MMIO_ENGINE_LSB:0] == '0;
  assign asleep_o = act_i && sleep && events == '0;
  assign awake_o  = events != '0 || (armed_q && due);

  always_ff @(posedge clk) begin
    if (put && is_word(word_i, MMIO_EVENT)) begin
      if (wdata_i[MMIO_DOORBELL_LSB]) doorbell_q <= 1'b0;
      if (wdata_i[MMIO_TIMER_LSB])    timer_q    <= 1'b0;
      if (wdata_i[MMIO_PING_LSB])     ping_q     <= 1'b0;
    end
    if (doorbell_i)       doorbell_q <= 1'b1;
    if (due_q && armed_q) timer_q    <= 1'b1;
    if (ping_i)           ping_q     <= 1'b1;
    if (rst || clear_i) begin
      doorbell_q <= 1'b0;
      timer_q    <= 1'b0;
      ping_q     <= 1'b0;
    end
  end

  // ---- status, rings, trap ----
  always_ff @(posedge clk) begin
    set_admin_o <= put && is_word(word_i, MMIO_ACQ_TAIL);
    if (put && is_word(word_i, MMIO_ACQ_TAIL)) acq_tail_o <= wdata_i[15:0];
    if (put && is_word(word_i, MMIO_ASQ_HEAD)) asq_head_o <= wdata_i[15:0];
    if (put && is_word(word_i, MMIO_STATUS)) begin
      heartbeat_o <= wdata_i[MMIO_HEARTBEAT_LSB+:16];
      ready_o     <= wdata_i[MMIO_READY_LSB];
    end
    if (rst || clear_i) begin
      set_admin_o <= 1'b0;
      acq_tail_o  <= '0;
      asq_head_o  <= '0;
      heartbeat_o <= '0;
      ready_o     <= 1'b0;
    end
  end

  assign quiet_o   = put && is_word(word_i, MMIO_STATUS) && wdata_i[MMIO_QUIET_LSB];
  assign trap_o    = act_i && write_i && is_word(word_i, MMIO_TRAP_CAUSE);
  assign trap_pc_o = put && is_word(word_i, MMIO_TRAP_PC);

  // ---- table commands ----
  logic          cmd_busy_q;
  table_result_e result_q;
  logic [15:0]   found_q;

  assign cmd_busy_o  = cmd_busy_q;
  assign wait_o      = sleep || (!write_i && ((is_word(word_i, MMIO_DMA_STATUS) && seen_i[MMIO_BUSY_LSB]) ||
                                              (is_word(word_i, MMIO_TABLE_STATUS) && seen_i[MMIO_TABLE_BUSY_LSB])));
  assign bad_o       = cmd_busy_q && write_i && word_i >= 6'(MMIO_TABLE_CMD);
  assign err_ready_o = act_i && !write_i && is_word(word_i, MMIO_TABLE_ERROR) && seen_i[31];

  always_ff @(posedge clk) begin
    if (cmd_ready_i) cmd_valid_o <= 1'b0;
    if (cmd_done_i) begin
      cmd_busy_q <= 1'b0;
      result_q   <= cmd_result_i;
      found_q    <= cmd_found_i;
    end
    if (put && is_word(word_i, MMIO_TABLE_CMD)) begin
      cmd_valid_o <= 1'b1;
      cmd_busy_q  <= 1'b1;
      cmd_op_o    <= table_op_e'(wdata_i[MMIO_OP_LSB+:4]);
      cmd_index_o <= wdata_i[MMIO_INDEX_LSB+:16];
    end
    for (int i = 0; i < 9; i++)
      if (put && is_word(word_i, MMIO_TABLE_KEY + i)) cmd_key_o[i] <= wdata_i;
    for (int i = 0; i < 4; i++)
      if (put && is_word(word_i, MMIO_TABLE_SEED + i)) cmd_seed_o[i] <= wdata_i;
    if (rst) begin
      cmd_valid_o <= 1'b0;
      cmd_busy_q  <= 1'b0;
    end
  end

  // ---- what is read ----
  logic [31:0]       boot, table_status, tables0, tables1, error;
  logic [63:0][31:0] words;

  always_comb begin
    boot                            = '0;
    boot[MMIO_COLD_LSB]             = cold_i;
    boot[MMIO_MEMORY_KB_LSB+:8]     = 8'(FW_KB);
    tables0                         = '0;
    tables0[MMIO_CONNECTIONS_LSB+:16] = 16'(CONNECTIONS);
    tables0[MMIO_PATHS_LSB+:16]     = 16'(PATHS);
    tables1                         = '0;
    tables1[MMIO_NEIGHBORS_LSB+:16] = 16'(NEIGHBORS);
    table_status                    = '0;
    table_status[MMIO_TABLE_BUSY_LSB] = cmd_busy_q;
    table_status[MMIO_RESULT_LSB+:3]  = result_q;
    table_status[MMIO_FOUND_LSB+:16]  = found_q;
    error                           = {1'b1, err_i[30:0]};

    words = '0;                            // indexed: a tree of multiplexers, smaller than a case
    words[MMIO_TIME_LO]        = time_us_i[31:0];
    words[MMIO_TIME_HI]        = time_hi_q;
    words[MMIO_EVENT]          = 32'(events);
    words[MMIO_WAIT_EVENT]     = 32'(events);
    words[MMIO_TRAP_CAUSE]     = save_i ? trap_cause_i : '0;
    words[MMIO_TRAP_PC]        = trap_pc_i;
    words[MMIO_BOOT]           = boot;
    words[MMIO_TABLES0]        = tables0;
    words[MMIO_TABLES1]        = tables1;
    words[MMIO_SEED]           = seed_i[0];
    words[MMIO_SEED + 1]       = seed_i[1];
    words[MMIO_SEED + 2]       = seed_i[2];
    words[MMIO_SEED + 3]       = seed_i[3];
    words[MMIO_ASQ_BASE]       = asq_base_i;
    words[MMIO_ASQ_CFG]        = asq_cfg_i;
    words[MMIO_ASQ_TAIL]       = asq_tail_i;
    words[MMIO_ACQ_BASE]       = acq_base_i;
    words[MMIO_ACQ_CFG]        = acq_cfg_i;
    words[MMIO_ACQ_HEAD]       = acq_head_i;
    words[MMIO_DMA_STATUS]     = dma_status_i;
    words[MMIO_TABLE_STATUS]   = table_status;
    words[MMIO_TABLE_ERROR]    = err_valid_i ? error : '0;
  end

  assign rdata_o = words[word_i];

`ifdef FORMAL
  always_ff @(posedge clk)
    if (!rst) begin
      if (cmd_done_i) assume (cmd_busy_q);
      assert (!cmd_valid_o || cmd_busy_q);
    end
`endif

endmodule

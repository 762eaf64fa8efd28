// Management processor: a RISC-V core with its memory, its registers (record mmio), a DMA engine
// between host memory and its own, and the port to the tables.  docs/control-plane.md, section 5.
//
// Contract, host side: run_i starts the core at address 0; while it does not run (or has
//   trapped) fw_req_i, one cycle for each access, reads or writes the word of its memory at
//   fw_addr_i and is answered by fw_ack_o; else the answer is 0 and nothing is written.
//   seed_i and cold_i are taken when run_i rises.  doorbell_i: one of the ring registers was
//   written.  running_o falls when the core and its DMA have stopped.
// Trap: bad address, misaligned access or jump, illegal instruction, breakpoint, or the
//   firmware's own: cause and place are kept, the core starts again at address 0 with its
//   registers intact to save them (firmware/start.S) and is then stopped, answer or not.
// Drain: drained_o rises when no DMA is under way and none will start until drain_i falls: the
//   firmware wrote quiet, or does not run, or gave no answer in 65,536 cycles.  What it starts
//   meanwhile waits.
// DMA: one request at a time, of 4 to 4,096 bytes, all in words; a read is one packet of
//   rd_*, a write one packet of wr_*.
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
  input  logic             err_valid_i,
  output logic             err_ready_o,
  input  logic [31:0]      err_i
);

endmodule

// The core's one bus: memory, registers, tables and TCP engine by address; everything else is an error.
//
// Contract: accesses come as flue_core_* make them, announced a cycle ahead.  Memory answers in
//   the first cycle of an access.  Registers are read in the first and act in the second
//   (reg_act_o, unless the core has halted); while reg_wait_i is high that one goes on.  A
//   table access holds its request until tp_ready_i; one of the engine is the same with tp_engine_o.  bad_o, from the second cycle on: no such
//   address, a fetch or a part of a word outside of memory, or (save_i) any table access; it is
//   never answered.
// Latency: memory 1 cycle, registers 2, tables 2 and what the table takes.
module flue_mgmt_bus
  import flue_control_pkg::*;
#(
  parameter int AW = 15                   // memory, 2^AW bytes
) (
  input  logic        clk,
  input  logic        rst,                // of the core
  input  logic        save_i,

  input  logic        early_i,
  input  logic [31:2] early_addr_i,
  input  logic        valid_i,
  input  logic        instr_i,
  input  logic [31:2] addr_i,
  input  logic [3:0]  wstrb_i,
  input  logic        halted_i,
  output logic        ready_o,
  output logic [31:0] rdata_o,
  output logic        bad_o,

  output logic        mem_write_o,        // at addr_i, with wstrb_i
  input  logic [31:0] mem_rdata_i,        // of early_addr_i, a cycle later

  output logic        reg_act_o,
  input  logic        reg_wait_i,
  input  logic        reg_bad_i,          // the access breaks a rule of its register
  input  logic [31:0] reg_rdata_i,        // combinational, of addr_i
  output logic [31:0] reg_rdata_o,        // the same as it is given to the core

  output logic        tp_valid_o,
  input  logic        tp_ready_i,
  output logic        tp_engine_o,
  output logic        tp_write_o,
  output logic [25:2] tp_addr_o,
  input  logic [31:0] tp_rdata_i
);

  localparam logic [31:0] REGS = MMIO_BASE, TABLES = MMIO_TABLES, ENGINE = MMIO_ENGINE;

  logic        mem_q, reg_q, table_q;     // where the access goes
  logic        second_q;                  // not its first cycle
  logic        done_q;                    // the table has answered
  logic        whole, act;
  logic [31:0] rdata_q;

  always_ff @(posedge clk) begin
    if (early_i) begin
      mem_q   <= early_addr_i[31:AW] == '0;
      reg_q   <= early_addr_i[31:8] == REGS[31:8] && early_addr_i[7:2] < 6'(MMIO_WORDS);
      table_q <= early_addr_i[31:26] == TABLES[31:26] || early_addr_i[31:26] == ENGINE[31:26];
    end
    second_q <= valid_i && !ready_o && !rst;
    done_q   <= tp_valid_o && tp_ready_i && !rst;
    rdata_q  <= table_q ? tp_rdata_i : reg_rdata_i;
  end

  assign whole = wstrb_i == '0 || wstrb_i == '1;
  assign act   = valid_i && second_q && !halted_i;

  assign mem_write_o = valid_i && mem_q && wstrb_i != '0 && !rst;
  assign reg_act_o   = act && reg_q && !bad_o;
  assign tp_valid_o  = act && table_q && !done_q && !bad_o;
  assign bad_o       = act && !mem_q && (!(reg_q || table_q) || instr_i || !whole ||
                                         (table_q && save_i) || (reg_q && reg_bad_i));

  assign ready_o     = valid_i && (mem_q || (reg_act_o && !reg_wait_i) || done_q);
  assign rdata_o     = mem_q ? mem_rdata_i : rdata_q;
  assign reg_rdata_o = rdata_q;

  assign tp_write_o  = wstrb_i[0];
  assign tp_engine_o = addr_i[31:26] == ENGINE[31:26];
  assign tp_addr_o   = addr_i[25:2];

`ifdef FORMAL
  logic f_early_q = 1'b0, f_open_q = 1'b0;

  always_ff @(posedge clk) begin
    f_early_q <= early_i;
    f_open_q  <= valid_i && !ready_o;
    if (!rst && valid_i && !f_open_q) assume (f_early_q);       // announced
    if (!rst && f_open_q && !halted_i) assume (!early_i || ready_o || !valid_i);
  end
`endif

endmodule

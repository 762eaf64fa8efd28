// PicoRV32 behind the bus of the management processor, with the place and cause of a halt.
//
// Contract: early_o announces an access and its address one cycle before valid_o; the access
//   then stands unchanged until ready_i.  halted_o rises when the core met an instruction it
//   does not carry out: cause_o 1 misaligned access or jump, 2 illegal, 3 ebreak or ecall, and
//   pc_o is the instruction (of a misaligned branch, as pc, the one after it).  pc_o is also
//   the instruction that makes the present data access.  rst leaves the registers as they are.
// Of a misaligned access halted_o is high one cycle after valid_o rose: the bus must not carry
//   anything but memory accesses out in that first cycle.
// The core fetches ahead by one: the last fetch begun is the next instruction's, the one
//   before it is that of the instruction under way.
// Cost: RV32I, no counters, no multiplier, shifts in steps of 4 and 1; about 4 cycles an
//   instruction.
module flue_core_picorv32 (
  input  logic        clk,
  input  logic        rst,

  output logic        early_o,
  output logic [31:2] early_addr_o,
  output logic        valid_o,
  output logic        instr_o,            // the access is a fetch
  output logic [31:2] addr_o,
  output logic [31:0] wdata_o,
  output logic [3:0]  wstrb_o,            // 0: read
  input  logic        ready_i,
  input  logic [31:0] rdata_i,

  output logic        halted_o,
  output logic [1:0]  cause_o,
  output logic [31:2] pc_o
);

  logic        la_read, la_write;
  logic [31:0] la_addr, addr;

  picorv32 #(
    .ENABLE_COUNTERS   (1'b0),
    .ENABLE_COUNTERS64 (1'b0)
  ) u_core (
    .clk,
    .resetn       (!rst),
    .trap         (halted_o),
    .mem_valid    (valid_o),
    .mem_instr    (instr_o),
    .mem_ready    (ready_i),
    .mem_addr     (addr),
    .mem_wdata    (wdata_o),
    .mem_wstrb    (wstrb_o),
    .mem_rdata    (rdata_i),
    .mem_la_read  (la_read),
    .mem_la_write (la_write),
    .mem_la_addr  (la_addr),
    .mem_la_wdata (),
    .mem_la_wstrb (),
    .pcpi_valid   (),
    .pcpi_insn    (),
    .pcpi_rs1     (),
    .pcpi_rs2     (),
    .pcpi_wr      (1'b0),
    .pcpi_rd      (32'b0),
    .pcpi_wait    (1'b0),
    .pcpi_ready   (1'b0),
    .irq          (32'b0),
    .eoi          (),
    .trace_valid  (),
    .trace_data   ()
  );

  assign early_o      = la_read || la_write;
  assign early_addr_o = la_addr[31:2];
  assign addr_o       = addr[31:2];

  // ---- the last two fetches: begun, and which instruction came ----
  // The kinds by which an instruction may halt the core: 1 as it may be misaligned, else 3 or 2.
  function automatic logic [1:0] kind(input logic [31:0] insn);
    case (insn[6:0])
      7'h03:   return insn[14:12] inside {3'd0, 3'd1, 3'd2, 3'd4, 3'd5} ? 2'd1 : 2'd2;  // loads
      7'h23:   return insn[14:12] inside {3'd0, 3'd1, 3'd2} ? 2'd1 : 2'd2;              // stores
      7'h63:   return insn[14:12] inside {3'd2, 3'd3} ? 2'd2 : 2'd1;                    // branches
      7'h67:   return insn[14:12] == 3'd0 ? 2'd1 : 2'd2;                                // jalr
      7'h6F:   return 2'd1;                                                             // jal
      7'h73:   return insn[31:7] inside {25'd0, 25'h2000} ? 2'd3 : 2'd2;
      default: return 2'd2;
    endcase
  endfunction

  logic        fetch_q;                   // a fetch stood in the last cycle
  logic [31:2] last_pc_q, pc_q;
  logic [31:0] last_q;                    // kept whole: its kind would be late behind the memory
  logic [1:0]  kind_q;

  always_ff @(posedge clk) begin
    fetch_q <= valid_o && instr_o;
    if (valid_o && instr_o && !fetch_q) begin
      last_pc_q <= addr[31:2];
      pc_q      <= last_pc_q;
      kind_q    <= kind(last_q);
    end
    if (valid_o && instr_o && ready_i) last_q <= rdata_i;
  end

  assign pc_o    = pc_q;
  assign cause_o = kind_q;

endmodule

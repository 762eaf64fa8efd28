// Run control of the management processor: start, stop, trap, drain.
//
// Contract: the core runs from run_i's rise, once its DMA and table command of before are over,
//   to its fall or a trap.  A trap keeps cause and place, restarts the core (rst_core_o for a
//   few cycles) to save its registers (save_o), and stops it when trap_cause is written, another
//   trap comes, or 1,024 cycles have passed; then trapped_o rises and set_firmware_o pulses.
//   The core is not stopped in the middle of a table access (hold_i).
// Drain: held_o rises when it is answered: by the firmware (quiet_i), by a core that does not
//   run, or by 65,536 cycles; it stays until drain_i falls.
module flue_mgmt_run (
  input  logic        clk,
  input  logic        rst,

  input  logic        run_i,
  input  logic        cold_i,
  input  logic        busy_i,              // DMA or a table command
  input  logic        hold_i,

  input  logic        bad_i,               // bus error, of a fetch or of the instruction at pc_i
  input  logic        bad_fetch_i,
  input  logic [31:2] bad_addr_i,
  input  logic        halted_i,            // the core halted, with cause, at pc_i
  input  logic [1:0]  cause_i,
  input  logic [31:2] pc_i,
  input  logic        trap_i,              // trap_cause written
  input  logic        trap_pc_i,           // trap_pc written
  input  logic [31:0] wdata_i,
  output logic [31:0] trap_cause_o,
  output logic [31:0] trap_pc_o,
  output logic        set_firmware_o,

  output logic        rst_core_o,
  output logic        clear_o,             // neither runs nor saves
  output logic        save_o,
  output logic        stopped_o,           // held by run_i
  output logic        trapped_o,
  output logic        still_o,             // nothing of this will change without input
  output logic        cold_o,

  input  logic        drain_i,
  input  logic        quiet_i,
  output logic        held_o
);

  typedef enum logic [1:0] {S_STOP, S_RUN, S_SAVE, S_TRAPPED} state_e;

  state_e      state_q;
  logic [16:0] wait_q;                     // cycles of an unanswered drain, or since the trap
  logic        trap, over;

  assign trap = bad_i || halted_i || trap_i;
  assign over = trap || wait_q[10];

  always_ff @(posedge clk) begin
    set_firmware_o <= 1'b0;
    case (state_q)
      S_STOP:
        if (run_i && !busy_i) begin
          state_q      <= S_RUN;
          cold_o       <= cold_i;
          trap_cause_o <= '0;
          trap_pc_o    <= '0;
        end
      S_RUN:
        if (trap) begin
          state_q      <= S_SAVE;
          trap_cause_o <= bad_i ? 32'd4 : halted_i ? 32'(cause_i) : wdata_i;
          if (bad_i || halted_i) trap_pc_o <= {bad_i && bad_fetch_i ? bad_addr_i : pc_i, 2'b0};
        end else if (trap_pc_i) begin
          trap_pc_o <= wdata_i;
        end
      S_SAVE:
        if (over && !rst_core_o) begin
          state_q        <= S_TRAPPED;
          set_firmware_o <= 1'b1;
        end
      default: ;
    endcase
    if (!run_i && !hold_i) state_q <= S_STOP;

    wait_q <= wait_q + 1'b1;
    if (state_q == S_RUN && (trap || !drain_i || held_o)) wait_q <= '0;
    if (state_q == S_STOP || state_q == S_TRAPPED) wait_q <= '0;

    if (state_q != S_RUN || quiet_i || wait_q[16]) held_o <= 1'b1;
    if (!drain_i) held_o <= 1'b0;

    if (rst) begin
      state_q        <= S_STOP;
      trap_cause_o   <= '0;
      trap_pc_o      <= '0;
      set_firmware_o <= 1'b0;
      held_o         <= 1'b0;
    end
  end

  assign save_o     = state_q == S_SAVE;
  assign stopped_o  = state_q == S_STOP;
  assign trapped_o  = state_q == S_TRAPPED;
  assign clear_o    = stopped_o;
  assign rst_core_o = stopped_o || trapped_o || (save_o && wait_q[10:2] == '0);
  assign still_o    = (stopped_o && !run_i) || (trapped_o && run_i);

endmodule

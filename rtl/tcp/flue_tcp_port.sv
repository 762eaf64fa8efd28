// The firmware's way to the TCP engine: one word at a time, by address.
//
// Contract: fw_valid_i until fw_ready_o, which comes with the data; fw_addr_i is a word address:
//     {0, row, word}      the record (words of `tcp_words`; row 0xFFFF reads the snapshot)
//     {1, row, register}  registers of engine_port_e (docs/control-layouts.md); any other reads 0 and takes no write
// note_o: there is a note; it stays until read.
// Latency: 2 cycles and what the block behind takes.
module flue_tcp_port
  import flue_tcp_pkg::*;
  import flue_control_pkg::*;
(
  input  logic               clk,
  input  logic               rst,

  input  logic               fw_valid_i,
  output logic               fw_ready_o,
  input  logic               fw_write_i,
  input  logic [25:2]        fw_addr_i,
  input  logic [31:0]        fw_wdata_i,
  output logic [31:0]        fw_rdata_o,
  output logic               note_o,

  output logic               access_valid_o,    // flue_tcp_engine
  input  logic               access_ready_i,
  output logic [INDEX_W-1:0] access_index_o,
  output tcp_access_t        access_o,
  output logic               command_valid_o,
  input  logic               command_ready_i,
  output tcp_command_e       command_o,         // of access_index_o
  input  logic               done_valid_i,      // of either
  input  logic               done_ok_i,
  input  logic [31:0]        done_data_i,
  input  logic               notify_valid_i,
  output logic               notify_ready_o,
  input  tcp_notify_t        notify_i,

  output logic               load_valid_o,      // flue_tcp_host
  input  logic               load_ready_i,
  output logic [13:0]        generation_o,      // of load and marker
  output logic               load_live_o,

  output logic               marker_valid_o,    // flue_tcp_classify
  input  logic               marker_ready_i,
  output logic [31:0]        marker_number_o,

  output logic               count_valid_o,     // flue_tcp_numbers
  input  logic               count_ready_i,
  output logic               count_reset_o,
  input  logic [31:0]        count_number_i,
  input  logic               count_gap_i,
  input  logic [5:0]         count_on_way_i,

  output logic               ring_valid_o,      // flue_tcp_rings
  output logic [1:0]         ring_word_o,
  output logic [31:0]        ring_data_o
);

  // What the firmware knows by number (rtl/regs/flue_control.rdl) is what the engine takes.
  if (3'(CMD_LOAD) != 3'(ENGINE_LOAD) || 3'(CMD_START) != 3'(ENGINE_START) || 3'(CMD_FREEZE) != 3'(ENGINE_FREEZE) ||
      3'(CMD_CLEAR) != 3'(ENGINE_CLEAR) || 3'(CMD_ABORT) != 3'(ENGINE_ABORT) ||
      3'(CMD_SNAPSHOT) != 3'(ENGINE_SNAPSHOT) || 3'(NOTE_FROZEN) != 3'(NT_FROZEN) ||
      3'(NOTE_UPLOAD_URGENT) != 3'(NT_UPLOAD_URGENT) || 3'(NOTE_UPLOAD_HARDWARE) != 3'(NT_UPLOAD_HARDWARE) ||
      3'(NOTE_UPLOAD_CLOSED) != 3'(NT_UPLOAD_CLOSED)) begin : g_check
    $error("flue_tcp_pkg and flue_control.rdl disagree");
  end

  typedef enum logic [2:0] {
    S_IDLE,
    S_BEGIN,                              // the address is decoded
    S_COUNT,                              // a marker's number is read first
    S_WAIT,                               // the block behind answers, or the engine takes it
    S_DONE                                // the engine's answer
  } state_e;

  state_e      state_q;
  logic        record, ready;
  logic [6:0]  register;
  logic        notes_ready, note_valid, note_take, ok_q;
  tcp_notify_t note;

  assign record         = !fw_addr_i[25];
  assign register       = fw_addr_i[8:2];
  assign access_index_o = fw_addr_i[24:9];
  assign access_o       = '{write: fw_write_i, word: register, data: fw_wdata_i};
  assign command_o      = tcp_command_e'(fw_wdata_i[2:0]);
  assign generation_o   = fw_wdata_i[13:0];
  assign load_live_o    = fw_wdata_i[31];
  assign count_reset_o  = fw_write_i && register == PORT_DIVERTED;
  assign ring_word_o    = register[1:0];
  assign ring_data_o    = fw_wdata_i;

  flue_fifo #(.W($bits(tcp_notify_t)), .DEPTH(16)) u_notes (
    .clk, .rst, .in_valid_i(notify_valid_i), .in_ready_o(notes_ready), .in_i(notify_i),
    .out_valid_o(note_valid), .out_ready_i(note_take), .out_o(note), .count_o()
  );
  assign notify_ready_o = notes_ready;
  assign note_o         = note_valid;

  // ---- which block answers ----
  logic wait_access, wait_command, wait_load, wait_marker, wait_count, counts;

  assign counts       = !record && (register == PORT_DIVERTED || (register == PORT_ON_WAY && !fw_write_i));
  assign wait_access  = record;
  assign wait_command = !record && fw_write_i && register == PORT_COMMAND;
  assign wait_load    = !record && fw_write_i && register == PORT_HOST;
  assign wait_marker  = !record && fw_write_i && register == PORT_MARKER;
  assign wait_count   = counts || (wait_marker && state_q == S_COUNT);

  assign access_valid_o  = state_q == S_WAIT && wait_access;
  assign command_valid_o = state_q == S_WAIT && wait_command;
  assign load_valid_o    = state_q == S_WAIT && wait_load;
  assign marker_valid_o  = state_q == S_WAIT && wait_marker;
  assign count_valid_o   = (state_q == S_WAIT || state_q == S_COUNT) && wait_count;
  assign ring_valid_o    = state_q == S_WAIT && !record && fw_write_i && 7'(register >> 2) == 7'(PORT_RINGS) >> 2;
  assign note_take       = state_q == S_WAIT && !record && !fw_write_i && register == PORT_NOTE;

  assign ready = wait_access ? access_ready_i : wait_command ? command_ready_i : wait_load ? load_ready_i :
                 wait_marker ? marker_ready_i : counts ? count_ready_i : 1'b1;

  always_ff @(posedge clk) begin
    fw_ready_o <= 1'b0;
    unique case (state_q)
      S_IDLE:  if (fw_valid_i && !fw_ready_o) state_q <= S_BEGIN;
      S_BEGIN: state_q <= wait_marker ? S_COUNT : S_WAIT;
      S_COUNT:
        if (count_ready_i) begin
          marker_number_o <= count_number_i;
          state_q         <= S_WAIT;
        end
      S_DONE:
        if (done_valid_i) begin
          fw_ready_o <= 1'b1;
          state_q    <= S_IDLE;
          fw_rdata_o <= done_data_i;
          ok_q       <= done_ok_i;
        end
      default:
        if (ready && (wait_access || wait_command)) begin
          state_q    <= S_DONE;
        end else if (ready) begin
          fw_ready_o <= 1'b1;
          state_q    <= S_IDLE;
          fw_rdata_o <= '0;
          if (!record && register == PORT_COMMAND) fw_rdata_o <= 32'(ok_q);
          else if (counts && register == PORT_DIVERTED) fw_rdata_o <= count_number_i;
          else if (counts) fw_rdata_o <= {count_gap_i, 25'b0, count_on_way_i};
          else if (note_take) fw_rdata_o <= note_valid ? {1'b1, 12'b0, note.note, note.index} : '0;
        end
    endcase
    if (rst) begin
      state_q    <= S_IDLE;
      fw_ready_o <= 1'b0;
      ok_q       <= 1'b0;
    end
  end

endmodule

// The tables of the control plane: rows, the two indices over them, and the lookup of received segments.
//
// Contract: docs/control-plane.md section 4, for the asker docs/lookup.md.
//   Wire lookup: lk_valid_i until lk_ready_o; the answer comes in the cycle after it, lk_valid_o for one
//   cycle.  Path, then connection; a tagged segment tries its VLAN id, then 0.  Without a CLEAR since
//   reset every lookup misses.
//   Word port: tp_valid_i until tp_ready_o.
//   Command: cmd_valid_i until cmd_ready_o, which comes when it is done; cmd_done_o and the result in the cycle
//   after.  A row beyond its table is BAD_INDEX.
//   Errors: one word for each failed read, see flue_table_rows.
// Latency: a new lookup every 40 to 42 cycles (IPv4, found), 52 to 54 (IPv6), 16 without a candidate; a tag whose VLAN has no path adds
//   15 (IPv4) or 21 (IPv6).  At 62.5 MHz that keeps up with minimum-size frames of 1 Gb/s without tag (42 cycles); a
//   stream of minimum-size tagged frames of offloaded connections is 13 cycles too slow.  A command between adds at most 60.
// Cost: 2,229 COMB at CONNECTIONS=64, 4 multipliers.
// Block RAM: 12 at CONNECTIONS=64, 4 at CONNECTIONS=8.
module flue_tables
  import flue_pkg::*;
  import flue_control_pkg::*;
#(
  parameter int CONNECTIONS = 64,           // 2 to 1024
  parameter int PATHS       = CONNECTIONS,  // 2 to 1024
  parameter int NEIGHBORS   = 16,           // 2 to 256
  parameter bit FAULTS      = 1'b0,
  parameter int BUCKET_W    = 0             // log2 of the buckets of a way; 0 = enough that FULL practically never happens
) (
  input  logic             clk,
  input  logic             rst,

  input  logic             lk_valid_i,
  output logic             lk_ready_o,
  input  lookup_key_t      lk_i,
  output logic             lk_valid_o,
  output lookup_rsp_t      lk_o,

  input  logic             tp_valid_i,
  output logic             tp_ready_o,
  input  logic             tp_write_i,
  input  logic [1:0]       tp_table_i,
  input  logic [15:0]      tp_row_i,
  input  logic [5:0]       tp_word_i,
  input  logic [31:0]      tp_wdata_i,
  output logic [31:0]      tp_rdata_o,
  output logic             tp_bad_o,

  input  logic             cmd_valid_i,
  output logic             cmd_ready_o,
  input  table_op_e        cmd_op_i,
  input  logic [15:0]      cmd_index_i,
  input  logic [8:0][31:0] cmd_key_i,
  input  logic [3:0][31:0] cmd_seed_i,
  output logic             cmd_done_o,
  output table_result_e    cmd_result_o,
  output logic [15:0]      cmd_found_o,

  output logic             err_valid_o,
  input  logic             err_ready_i,
  output logic [31:0]      err_o,

  input  logic             flip_i,
  input  logic [1:0]       flip_table_i,
  input  logic [15:0]      flip_row_i,
  input  logic [5:0]       flip_word_i,
  input  logic [5:0]       flip_bit_i,

  output logic             idle_o
);

  localparam int MOST     = CONNECTIONS > PATHS ? CONNECTIONS : PATHS;
  localparam int ROW_W    = $clog2(MOST);
  // Two ways of buckets of two slots: 4 slots for each row, and a block RAM at least.
  localparam int ENOUGH   = $clog2(CONNECTIONS + PATHS) > 7 ? $clog2(CONNECTIONS + PATHS) : 7;

  // ---- wire lookup: path, connection, and the same without VLAN ----
  typedef enum logic [1:0] { L_PATH, L_CONN, L_ANSWER } look_e;

  look_e            look_q;
  logic             untagged_q;             // second try
  logic             path_hit_q, bad_q;
  logic             f_valid, f_done, f_found, f_bad;
  logic [ROW_W-1:0] f_row, path_q;
  logic [31:0]      f_head;
  logic [11:0]      vlan;

  assign vlan       = lk_i.vlan_valid && !untagged_q ? lk_i.vlan : '0;
  assign f_valid    = lk_valid_i && look_q != L_ANSWER;
  assign lk_ready_o = look_q == L_ANSWER;

  always_ff @(posedge clk) begin
    lk_valid_o <= 1'b0;
    if (f_done) begin
      bad_q      <= bad_q || f_bad;
      path_hit_q <= path_hit_q || (look_q == L_PATH && f_found);
      if (look_q == L_PATH && f_found) begin
        path_q <= f_row;
        look_q <= L_CONN;
      end else if (!f_found && vlan != '0) begin
        untagged_q <= 1'b1;
        look_q     <= L_PATH;
      end else begin
        look_q <= L_ANSWER;
      end
    end
    if (look_q == L_ANSWER) begin
      lk_valid_o    <= 1'b1;
      lk_o.hit        <= f_found;
      lk_o.path_hit   <= path_hit_q;
      lk_o.bad        <= bad_q && !f_found;
      lk_o.invalid    <= f_head[ROW_HEAD_INVALID_LSB];
      lk_o.row_state  <= f_head[ROW_HEAD_STATE_LSB +: 4];
      lk_o.generation <= f_head[ROW_HEAD_GENERATION_LSB +: 14];
      lk_o.index      <= 16'(f_row);
      lk_o.path       <= 16'(path_q);
      look_q          <= L_PATH;
      untagged_q      <= 1'b0;
      path_hit_q      <= 1'b0;
      bad_q           <= 1'b0;
    end
    if (rst) begin
      lk_valid_o <= 1'b0;
      look_q     <= L_PATH;
      untagged_q <= 1'b0;
      path_hit_q <= 1'b0;
      bad_q      <= 1'b0;
    end
  end

  // ---- words of a key ----
  logic        key_wire;
  logic [3:0]  key_pos;
  logic [31:0] key_word;

  logic [15:0][31:0] wire_words, cmd_words;

  always_comb begin
    wire_words      = '0;
    wire_words[0]   = look_q == L_CONN ? 32'(path_q) : {4'b0, vlan, 15'b0, lk_i.ipv6};
    wire_words[4:1] = lk_i.local_addr;
    wire_words[8:5] = lk_i.remote_addr;
    if (look_q == L_CONN) wire_words[1] = {lk_i.local_port, lk_i.remote_port};
    cmd_words       = '0;
    cmd_words[8:0]  = cmd_key_i;
  end
  logic [15:0][31:0] words;
  always_comb begin
    words    = key_wire ? wire_words : cmd_words;
    key_word = words[key_pos];
  end

  // ---- commands ----
  typedef enum logic [1:0] { C_IDLE, C_INDEX, C_ROWS, C_BAD } command_e;

  command_e         cmd_q;
  logic             to_conn, with_row, beyond, index_done, rows_clear, rows_clearing;
  table_result_e    index_result;
  logic [ROW_W-1:0] index_found;

  assign to_conn     = cmd_op_i inside {TOP_INSERT_CONN, TOP_DELETE_CONN};
  assign with_row    = to_conn || cmd_op_i inside {TOP_INSERT_PATH, TOP_DELETE_PATH};
  assign beyond      = with_row && cmd_index_i >= (to_conn ? 16'(CONNECTIONS) : 16'(PATHS));
  // CLEAR empties the index first, so that no lookup reads the rows that are being cleared.
  assign rows_clear  = index_done && cmd_op_i == TOP_CLEAR;
  assign cmd_ready_o = (index_done && !rows_clear) || cmd_q == C_BAD || (cmd_q == C_ROWS && !rows_clearing);

  always_ff @(posedge clk) begin
    cmd_done_o   <= cmd_ready_o;
    cmd_result_o <= cmd_q == C_BAD ? TR_BAD_INDEX : index_result;
    cmd_found_o  <= 16'(index_found);
    unique case (cmd_q)
      C_IDLE:  if (cmd_valid_i) cmd_q <= beyond ? C_BAD : C_INDEX;
      C_INDEX: if (index_done) cmd_q <= rows_clear ? C_ROWS : C_IDLE;
      C_ROWS:  if (!rows_clearing) cmd_q <= C_IDLE;
      default: cmd_q <= C_IDLE;
    endcase
    if (rst) begin
      cmd_q      <= C_IDLE;
      cmd_done_o <= 1'b0;
    end
  end

  // ---- index and rows ----
  logic             row_valid, row_conn, row_bad, index_idle, rows_idle;
  logic [ROW_W-1:0] row;
  logic [5:0]       row_word;
  logic [31:0]      row_data;

  flue_table_index #(.ROW_W(ROW_W), .BUCKET_W(BUCKET_W > 0 ? BUCKET_W : ENOUGH)) u_index (
    .clk, .rst, .f_valid_i(f_valid), .f_conn_i(look_q == L_CONN), .f_ipv6_i(lk_i.ipv6), .f_done_o(f_done),
    .f_found_o(f_found), .f_bad_o(f_bad), .f_row_o(f_row), .f_head_o(f_head),
    .key_wire_o(key_wire), .key_pos_o(key_pos), .key_word_i(key_word),
    .cmd_valid_i(cmd_q == C_INDEX), .cmd_op_i, .cmd_row_i(ROW_W'(cmd_index_i)),
    .seed_k_i(cmd_seed_i[0][30:0]), .seed_a_i(cmd_seed_i[1][30:0]),
    .cmd_done_o(index_done), .cmd_result_o(index_result), .cmd_found_o(index_found),
    .row_valid_o(row_valid), .row_conn_o(row_conn), .row_o(row), .row_word_o(row_word),
    .row_data_i(row_data), .row_bad_i(row_bad), .idle_o(index_idle)
  );

  flue_table_rows #(.CONNECTIONS(CONNECTIONS), .PATHS(PATHS), .NEIGHBORS(NEIGHBORS), .FAULTS(FAULTS)) u_rows (
    .clk, .rst, .rd_valid_i(row_valid), .rd_conn_i(row_conn), .rd_row_i(16'(row)), .rd_word_i(row_word),
    .rd_data_o(row_data), .rd_bad_o(row_bad), .tp_valid_i, .tp_ready_o, .tp_write_i, .tp_table_i, .tp_row_i,
    .tp_word_i, .tp_wdata_i, .tp_rdata_o, .tp_bad_o, .clear_i(rows_clear), .clearing_o(rows_clearing),
    .err_valid_o, .err_ready_i, .err_o, .flip_i, .flip_table_i, .flip_row_i, .flip_word_i, .flip_bit_i,
    .flip_busy_o(), .idle_o(rows_idle)
  );

  assign idle_o = index_idle && rows_idle && cmd_q == C_IDLE && !cmd_valid_i && !cmd_done_o && !lk_valid_i && !lk_valid_o;

  logic unused;
  assign unused = &{1'b0, cmd_seed_i, f_head};

endmodule

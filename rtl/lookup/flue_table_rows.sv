// Rows of the tables: 32-bit words with a parity bit for each byte, in block RAM.
//
// One access a cycle, for the first of: the engine's read, clearing, a fault, the processor's word.
//
// Contract: rd_valid_i reads {table, row, word} of the path or connection table; data and check follow 2 cycles later,
// always.  Processor: tp_valid_i until tp_ready_o, which comes with data and check.  A word that does not exist
// is not written and answers bad.  A word that is read and fails its check is reported once in the error
// queue (16 places; when it is full the report is dropped).  clear_i makes every word 0 with good parity, clearing_o
// until done: as many cycles as the largest table has words.
// flip_i (FAULTS) inverts one bit of a word, 32-35 are the parity bits; the next flip waits until flip_busy_o falls.
// Cost: SYSTEM and NEIGHBOR share a memory.
// Block RAM: 11 at CONNECTIONS=64.
module flue_table_rows
  import flue_control_pkg::*;
#(
  parameter int CONNECTIONS = 64,
  parameter int PATHS       = CONNECTIONS,
  parameter int NEIGHBORS   = 16,
  parameter bit FAULTS      = 1'b0
) (
  input  logic        clk,
  input  logic        rst,

  input  logic        rd_valid_i,
  input  logic        rd_conn_i,           // connection table, else path
  input  logic [15:0] rd_row_i,
  input  logic [5:0]  rd_word_i,
  output logic [31:0] rd_data_o,
  output logic        rd_bad_o,

  input  logic        tp_valid_i,
  output logic        tp_ready_o,
  input  logic        tp_write_i,
  input  logic [1:0]  tp_table_i,
  input  logic [15:0] tp_row_i,
  input  logic [5:0]  tp_word_i,
  input  logic [31:0] tp_wdata_i,
  output logic [31:0] tp_rdata_o,
  output logic        tp_bad_o,

  input  logic        clear_i,
  output logic        clearing_o,

  output logic        err_valid_o,
  input  logic        err_ready_i,
  output logic [31:0] err_o,

  input  logic        flip_i,
  input  logic [1:0]  flip_table_i,
  input  logic [15:0] flip_row_i,
  input  logic [5:0]  flip_word_i,
  input  logic [5:0]  flip_bit_i,
  output logic        flip_busy_o,

  output logic        idle_o
);

  localparam int SYSTEM_WORDS = 256;
  localparam int LOW_DEPTH    = SYSTEM_WORDS + 16 * NEIGHBORS;
  localparam int PATH_DEPTH   = 16 * PATHS;
  localparam int CONN_DEPTH   = 64 * CONNECTIONS;
  localparam int LOW_AW       = $clog2(LOW_DEPTH);
  localparam int PATH_AW      = $clog2(PATH_DEPTH);
  localparam int CONN_AW      = $clog2(CONN_DEPTH);
  localparam int MOST         = CONN_DEPTH > LOW_DEPTH ? CONN_DEPTH : LOW_DEPTH;
  localparam int MOST_ALL     = PATH_DEPTH > MOST ? PATH_DEPTH : MOST;
  localparam int CLEAR_W      = $clog2(MOST_ALL);

  if (CONNECTIONS < 2 || CONNECTIONS > 1024 || PATHS < 2 || PATHS > 1024 || NEIGHBORS < 2 || NEIGHBORS > 256)
  begin : g_check
    $error("CONNECTIONS and PATHS are 2 to 1024, NEIGHBORS 2 to 256");
  end

  function automatic logic [3:0] parity(input logic [31:0] word);
    return {^word[31:24], ^word[23:16], ^word[15:8], ^word[7:0]};
  endfunction

  typedef struct packed {
    logic [1:0]  table_id;
    logic [15:0] row;
    logic [5:0]  word;
  } place_t;

  // ---- who has this cycle ----
  logic               clear_q;
  logic [CLEAR_W-1:0] clear_at_q;
  logic               tp_take, tp_exists;
  logic               flip_read, flip_write;    // a fault reads its word, then writes it back
  place_t             flip_at;
  logic [35:0]        flip_mask, flip_word;
  place_t             at;
  logic               read, write;
  logic [35:0]        wdata;

  always_comb begin
    unique case (tp_table_i)
      TBL_SYSTEM:   tp_exists = tp_row_i < 16'(SYSTEM_WORDS / 64);
      TBL_NEIGHBOR: tp_exists = tp_row_i < 16'(NEIGHBORS)   && tp_word_i[5:4] == '0;
      TBL_PATH:     tp_exists = tp_row_i < 16'(PATHS)       && tp_word_i[5:4] == '0;
      default:      tp_exists = tp_row_i < 16'(CONNECTIONS);
    endcase
  end

  logic [2:1] tp_q, tp_exists_q;               // the processor's access goes through
  assign tp_take = tp_valid_i && tp_q == '0 && !rd_valid_i && !clear_q && !flip_busy_o;

  always_comb begin
    at    = '{table_id: rd_conn_i ? TBL_CONNECTION : TBL_PATH, row: rd_row_i, word: rd_word_i};
    read  = rd_valid_i;
    write = clear_q;
    wdata = clear_q ? '0 : {parity(tp_wdata_i), tp_wdata_i};
    if (flip_read || flip_write) begin  // never with the engine's read
      at    = flip_at;
      write = flip_write;
      wdata = flip_word ^ flip_mask;
    end
    if (tp_take) begin
      at    = '{table_id: tp_table_i, row: tp_row_i, word: tp_word_i};
      read  = tp_exists && !tp_write_i;
      write = tp_exists && tp_write_i;
    end
  end

  // ---- memories ----
  logic [35:0] low, path, conn, data_q;
  logic        to_low, to_path, to_conn;
  logic [16:0] low_at;                         // SYSTEM below, NEIGHBOR above

  assign to_low  = write && (clear_q || at.table_id == TBL_SYSTEM || at.table_id == TBL_NEIGHBOR);
  assign to_path = write && (clear_q || at.table_id == TBL_PATH);
  assign to_conn = write && (clear_q || at.table_id == TBL_CONNECTION);
  assign low_at  = at.table_id == TBL_SYSTEM ? {9'b0, at.row[1:0], at.word}
                                             : 17'(SYSTEM_WORDS) + {1'b0, at.row[11:0], at.word[3:0]};

  flue_table_ram #(.DEPTH(LOW_DEPTH)) u_low (
    .clk, .write_i({2{to_low}}), .addr_i(clear_q ? LOW_AW'(clear_at_q) : LOW_AW'(low_at)), .data_i(wdata), .q_o(low)
  );
  flue_table_ram #(.DEPTH(PATH_DEPTH)) u_path (
    .clk, .write_i({2{to_path}}), .addr_i(clear_q ? PATH_AW'(clear_at_q) : PATH_AW'({at.row, at.word[3:0]})),
    .data_i(wdata), .q_o(path)
  );
  flue_table_ram #(.DEPTH(CONN_DEPTH)) u_conn (
    .clk, .write_i({2{to_conn}}), .addr_i(clear_q ? CONN_AW'(clear_at_q) : CONN_AW'({at.row, at.word})),
    .data_i(wdata), .q_o(conn)
  );

  // ---- the word comes: memory, register, check ----
  place_t     at_q [2];
  logic [2:1] read_q;
  logic       bad;

  always_ff @(posedge clk) begin
    at_q[0] <= at;
    at_q[1] <= at_q[0];
    unique case (at_q[0].table_id)
      TBL_PATH:       data_q <= path;
      TBL_CONNECTION: data_q <= conn;
      default:        data_q <= low;
    endcase
  end

  assign bad        = parity(data_q[31:0]) != data_q[35:32];
  assign rd_data_o  = data_q[31:0];
  assign rd_bad_o   = bad;
  assign tp_ready_o = tp_q[2];
  assign tp_rdata_o = data_q[31:0];
  assign tp_bad_o   = !tp_exists_q[2] || (read_q[2] && bad);
  assign clearing_o = clear_q;

  always_ff @(posedge clk) begin
    read_q      <= {read_q[1], read};
    tp_q        <= {tp_q[1], tp_take};
    tp_exists_q <= {tp_exists_q[1], tp_exists};
    if (clear_q) begin
      clear_at_q <= clear_at_q + 1'b1;
      if (clear_at_q == CLEAR_W'(MOST_ALL - 1)) clear_q <= 1'b0;
    end else begin
      clear_at_q <= '0;
      if (clear_i) clear_q <= 1'b1;
    end
    if (rst) begin
      read_q  <= '0;
      tp_q    <= '0;
      clear_q <= 1'b0;
    end
  end

  // ---- words that failed ----
  logic   room, failed_q, empty;
  place_t failed_at_q, err;

  always_ff @(posedge clk) begin
    failed_q    <= read_q[2] && bad;
    failed_at_q <= at_q[1];
    if (rst) failed_q <= 1'b0;
  end

  flue_dma_queue #(.W($bits(place_t))) u_errors (
    .clk, .rst, .push_i(failed_q && room), .room_o(room), .in_i(failed_at_q),
    .out_valid_o(err_valid_o), .out_ready_i(err_ready_i), .out_o(err), .load_o(), .next_o(), .empty_o(empty)
  );

  always_comb begin
    err_o = '0;
    err_o[TABLE_ERROR_VALID_LSB]        = 1'b1;
    err_o[TABLE_ERROR_TABLE_LSB +: 2]   = err.table_id;
    err_o[TABLE_ERROR_WORD_LSB  +: 6]   = err.word;
    err_o[TABLE_ERROR_ROW_LSB   +: 16]  = err.row;
  end

  assign idle_o = !clear_q && tp_q == '0 && !tp_valid_i && !failed_q && empty && !flip_busy_o;

  // ---- faults ----
  if (FAULTS) begin : g_faults
    typedef enum logic [2:0] { F_NONE, F_READ, F_WAIT, F_DATA, F_WRITE } fault_e;
    fault_e     fault_q;
    place_t     fault_at_q;
    logic [5:0] bit_q;

    // The read takes a cycle the engine leaves; nobody else writes until the word is written back, and the
    // engine's reads go first.
    logic hold;
    assign hold        = rd_valid_i || clear_q;
    assign flip_busy_o = fault_q != F_NONE;
    assign flip_read   = fault_q == F_READ && !hold;
    assign flip_write  = fault_q == F_WRITE && !hold;
    assign flip_at     = fault_at_q;
    assign flip_mask   = 36'b1 << bit_q;

    logic [35:0] word_q;
    assign flip_word = word_q;

    always_ff @(posedge clk) begin
      unique case (fault_q)
        F_NONE: if (flip_i) begin
          fault_at_q <= '{table_id: flip_table_i, row: flip_row_i, word: flip_word_i};
          bit_q      <= flip_bit_i;
          fault_q    <= F_READ;
        end
        F_READ: if (!hold) fault_q <= F_WAIT;
        F_WAIT: fault_q <= F_DATA;
        F_DATA: begin
          word_q  <= data_q;
          fault_q <= F_WRITE;
        end
        default: if (!hold) fault_q <= F_NONE;
      endcase
      if (rst) fault_q <= F_NONE;
    end
  end else begin : g_no_faults
    logic unused;
    assign unused      = ^{flip_i, flip_table_i, flip_row_i, flip_word_i, flip_bit_i};
    assign flip_busy_o = 1'b0;
    assign flip_read   = 1'b0;
    assign flip_write  = 1'b0;
    assign flip_at     = '{table_id: TBL_SYSTEM, row: '0, word: '0};
    assign flip_mask   = '0;
    assign flip_word   = '0;
  end

endmodule

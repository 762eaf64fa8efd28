// State store of the engine: a record for each connection in block RAM, read and written in four words with a parity bit for
// each byte, and one more row for the newest snapshot.
//
// Contract: an event that enters (start_i, ready_o) comes out with its record; a new one every 4 cycles.  A row that fails its
//   check, or does not exist, comes out bad: out_bad_o says so in the cycle after it was taken.  A written word may be read from the next cycle on.  After reset every row is
//   made zero, clearing_o until then: nothing enters.
// A store that keeps its records elsewhere takes this place; it may take longer.
// Latency: 4 cycles.
// Block RAM: 13 at CONNECTIONS=64.
module flue_tcp_store
  import flue_tcp_pkg::*;
  import flue_tcp_step_pkg::*;
#(
  parameter int CONNECTIONS = 64            // 2 to 1,024; 127 fill the block RAMs that 2 need
) (
  input  logic                 clk,
  input  logic                 rst,

  input  logic                 start_i,
  output logic                 ready_o,
  input  tcp_work_t            work_i,

  output logic                 out_valid_o,
  input  logic                 out_ready_i,
  output tcp_rec_t             out_rec_o,
  output tcp_work_t            out_work_o,
  output logic                 out_bad_o,

  output logic                 busy_o,
  output logic [INDEX_W-1:0]   index_o,
  output logic                 clearing_o,

  input  logic                 wr_valid_i,
  input  logic [INDEX_W-1:0]   wr_index_i,
  input  logic                 wr_snapshot_i, // into the row of the snapshot
  input  logic                 wr_access_i,   // only the word at wr_here_i of it
  input  logic [SLICES-1:0]    wr_here_i,
  input  logic [1:0]           wr_word_i,
  input  logic [SLICES*32-1:0] wr_i           // 0 while the store is cleared
);

  localparam int DEPTH = STORE_WORDS * (CONNECTIONS + 1);
  localparam int AW    = $clog2(DEPTH);
  localparam int ROW_W = AW - 2;

  if (CONNECTIONS < 2 || CONNECTIONS > 1024) begin : g_check
    $error("CONNECTIONS is 2 to 1024");
  end

  function automatic logic [3:0] parity(input logic [31:0] w);
    return {^w[31:24], ^w[23:16], ^w[15:8], ^w[7:0]};
  endfunction

  function automatic logic [ROW_W-1:0] row_of(input logic [INDEX_W-1:0] index);
    return index == INDEX_SNAPSHOT ? ROW_W'(CONNECTIONS) : ROW_W'(index);
  endfunction

  // ---- the event that is being read ----
  tcp_work_t  work_q;
  logic [ROW_W-1:0] row_q;
  logic       active_q;
  logic [2:0] step_q;                       // word under way, 4: all are there
  logic       take;
  logic [AW-1:0] read_addr;

  assign take      = start_i && ready_o;
  assign ready_o   = !clearing_o && (!active_q || (out_valid_o && out_ready_i));
  // The last word stays at the output while it waits: a read enable would cost a LUT and a register for each bit.
  assign read_addr = take ? {row_of(work_i.index), 2'd0} : {row_q, step_q[2] ? 2'd3 : step_q[1:0]};

  always_ff @(posedge clk) begin
    if (take) begin
      work_q   <= work_i;
      row_q    <= row_of(work_i.index);
      active_q <= 1'b1;
      step_q   <= 3'd1;
    end else if (out_valid_o) begin
      if (out_ready_i) active_q <= 1'b0;
    end else if (active_q) begin
      step_q <= step_q + 3'd1;
    end
    if (rst) active_q <= 1'b0;
  end

  // ---- words as they come ----
  logic [SLICES-1:0][35:0] q;
  logic [SLICES-1:0][31:0] data;
  logic [SLICES*32-1:0]    word0_q, word1_q, word2_q;
  logic [SLICES-1:0]       fails_q;         // of the word before
  logic                    failed_q, exists, absent_q;

  always_comb for (int i = 0; i < SLICES; i++) data[i] = q[i][31:0];

  assign exists = work_q.index < INDEX_W'(CONNECTIONS) || (work_q.word && work_q.index == INDEX_SNAPSHOT);

  tcp_access_t access;
  assign access = tcp_access_t'(work_q.data[$bits(tcp_access_t)-1:0]);

  always_ff @(posedge clk) begin
    if (active_q && !out_valid_o) begin
      if (step_q == 3'd1) word0_q <= data;
      if (step_q == 3'd2) word1_q <= data;
      if (step_q == 3'd3) word2_q <= data;
    end
    for (int i = 0; i < SLICES; i++) fails_q[i] <= parity(q[i][31:0]) != q[i][35:32];
    failed_q <= step_q != 3'd1 && (fails_q != '0 || (step_q != 3'd2 && failed_q));
    absent_q <= !exists || (work_q.word && access.word >= 7'(RECORD_WORDS));
  end

  assign out_valid_o = active_q && step_q[2];
  assign out_rec_o   = tcp_rec_t'({word0_q, word1_q, word2_q, data});
  assign out_work_o  = work_q;
  assign out_bad_o   = fails_q != '0 || failed_q || absent_q;
  assign busy_o      = active_q;
  assign index_o     = work_q.index;

  // ---- writing ----
  logic          clear_q;
  logic [AW-1:0] clear_at_q, write_addr;
  assign clearing_o = clear_q;
  assign write_addr = clear_q ? clear_at_q
                    : {wr_snapshot_i ? ROW_W'(CONNECTIONS) : ROW_W'(wr_index_i), wr_word_i};

  always_ff @(posedge clk) begin
    clear_at_q <= clear_at_q + 1'b1;
    if (clear_at_q == AW'(DEPTH - 1)) clear_q <= 1'b0;
    if (rst) begin
      clear_q    <= 1'b1;
      clear_at_q <= '0;
    end
  end

  for (genvar i = 0; i < SLICES; i++) begin : g_slice
    logic        write;
    logic [31:0] d;
    assign write = clear_q || (wr_valid_i && (!wr_access_i || wr_here_i[i]));
    assign d     = wr_i[32*i +: 32];
    flue_tcp_ram #(.DEPTH(DEPTH)) u_ram (
      .clk, .write_i(write), .write_addr_i(write_addr), .data_i({parity(d), d}),
      .read_addr_i(read_addr), .q_o(q[i])
    );
  end

endmodule

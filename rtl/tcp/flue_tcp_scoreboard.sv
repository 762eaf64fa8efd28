// The scoreboard: up to 8 ranges that the peer reported, of every connection, in block RAM at {row, slot}: disjoint, not adjacent,
// ascending.  A pass walks over those of one connection where they lie, one a cycle.
//
//   BOARD_TRIM    what lies below floor_i goes
//   BOARD_MERGE   range_i is united with every range it touches and takes its place; of nine ranges the highest is forgotten
//   BOARD_DOWN    shows the ranges, the highest first          BOARD_UP   shows them, the lowest first
//   BOARD_READ    word slot_i of the row onto word_o           BOARD_WRITE   range_i.right into word slot_i
//   BOARD_WIPE    the row becomes zero                         BOARD_COPY   the row is copied into the row of the snapshot
//
//   cycle   0 start, address   1 memory   2 first range at work   ... one a cycle   (MERGE: one more at the end)
//
// Contract: load_i brings count_i; index_i stays from the cycle after it to the end of the last pass; start_i, clear_i and load_i
//   only when !busy_o.  A count_i above 8 spoils the ranges of that row, no more.  The record keeps the count (count_o), so an event
//   without ranges starts no pass.
//   Each end of a range has a parity bit a byte: fault_o is a pulse in the cycle that meets a wrong one among those in use (or
//   read); nothing is written by then or later in this pass, which ends, and the event must have no effect.  Rows that do not
//   exist are not written.  After reset every row is made zero, clearing_o until then.
// Latency: 2 cycles and one a range, of an empty list none; MERGE 1 more (at most 11); WIPE and COPY 10.
// Timing: a 32-bit comparison and five LUTs behind the register of the range.
// Block RAM: 4 at CONNECTIONS=64.
module flue_tcp_scoreboard
  import flue_tcp_pkg::*;
#(
  parameter int CONNECTIONS = 64            // 2 to 1,024; 127 fill the block RAMs that 64 need
) (
  input  logic               clk,
  input  logic               rst,
  output logic               clearing_o,

  input  logic               load_i,
  input  logic [3:0]         count_i,
  input  logic [INDEX_W-1:0] index_i,
  input  logic               clear_i,       // the list becomes empty

  input  logic               start_i,
  input  tcp_board_e         op_i,
  input  tcp_range_t         range_i,
  input  logic [31:0]        floor_i,
  input  logic [3:0]         slot_i,        // slot, and 1: its right end

  output logic               busy_o,
  output logic               item_valid_o,  // a range is shown
  output tcp_range_t         item_o,
  output logic               known_o,       // MERGE: range_i lay in one
  output logic               forgot_o,      // pulse: a range was lost
  output logic               fault_o,
  output logic [31:0]        word_o,        // when READ is over, as long as op_i and slot_i stay
  output logic [3:0]         count_o
);

  localparam int DEPTH = SACKED * (CONNECTIONS + 1);
  localparam int AW    = $clog2(DEPTH);
  localparam int ROW_W = AW - 3;

  function automatic logic [3:0] parity(input logic [31:0] w);
    return {^w[31:24], ^w[23:16], ^w[15:8], ^w[7:0]};
  endfunction

  tcp_board_e op_q;
  logic       busy_q, arrives_q, work_q, ending_q;   // a pass; a range leaves the memory; is at work; MERGE's last cycle
  logic       passed_q, touched_q;
  logic [3:0] n_q, todo_q, at_q;                     // ranges; still to be read; written, so the next slot to write
  logic [2:0] next_q;                                // slot to read next
  tcp_range_t carry_q;                               // the union; once it has passed, the range that follows
  tcp_range_t item_q;
  logic       left_good_q, right_good_q;             // its parity was right
  logic [3:0] left_check_q, right_check_q;

  // ---- reading ----
  logic [ROW_W-1:0] row;
  logic [2:0]       first, slot;
  logic [3:0]       last_slot, many;
  logic [35:0]      left_r, right_r;
  logic             whole;

  assign row       = index_i == INDEX_SNAPSHOT ? ROW_W'(CONNECTIONS) : ROW_W'(index_i);
  assign last_slot = n_q - 4'd1;
  assign whole     = op_i == BOARD_WIPE || op_i == BOARD_COPY;
  assign many      = op_i == BOARD_READ || op_i == BOARD_WRITE ? 4'd1 : whole ? 4'(SACKED) : n_q;

  always_comb begin
    unique case (op_i)
      BOARD_DOWN:              first = last_slot[2:0];
      BOARD_READ, BOARD_WRITE: first = slot_i[3:1];
      default:                 first = '0;
    endcase
  end
  assign slot = busy_q && op_i != BOARD_READ ? next_q : first;   // what READ shows stays

  // ---- the range at work against the one that is carried ----
  logic trims, merges;
  logic reaches, behind, lower, upper;
  assign trims  = op_q == BOARD_TRIM;
  assign merges = op_q == BOARD_MERGE;

  logic [32:0] reach;                                // a comparison whose equal side depends on the pass
  assign reach   = {item_q.right, 1'b1} + {~carry_q.left, !trims};
  assign reaches = seq_le(item_q.left, carry_q.right);
  assign behind  = !reach[32];                       // the range ends at or above carry's left, above it when trimming
  assign lower  = seq_le(item_q.left, carry_q.left);
  assign upper  = seq_le(carry_q.right, item_q.right);

  logic meets, pass, keep, carried;
  assign meets = work_q && merges && !passed_q && reaches && behind;
  assign pass  = work_q && merges && !passed_q && !reaches;   // the union takes its place before this range
  assign keep  = trims ? behind : !meets;

  // ---- writing ----
  logic             good, used, write, mine;
  logic [ROW_W-1:0] write_row;
  logic [AW-1:0]    write_addr, clear_at_q;
  logic             clear_q;
  tcp_range_t       out;

  assign used    = op_q != BOARD_WRITE && op_q != BOARD_WIPE && (op_q != BOARD_COPY || at_q < n_q);
  assign good    = left_good_q && right_good_q;
  assign fault_o = work_q && used && !good;

  assign carried   = clear_q || ending_q || passed_q || pass || op_q == BOARD_WRITE || op_q == BOARD_WIPE ||
                     (op_q == BOARD_COPY && at_q >= n_q);
  // A range that moves takes its parity along.
  logic       take_left, take_right;
  logic [3:0] left_check, right_check;
  assign take_left   = trims ? lower : carried;
  assign take_right  = !trims && carried;
  assign out.left    = take_left  ? carry_q.left : item_q.left;
  assign out.right   = take_right ? carry_q.right : item_q.right;
  assign left_check  = take_left  ? parity(carry_q.left) : left_check_q;
  assign right_check = take_right ? parity(carry_q.right) : right_check_q;

  assign mine  = index_i < INDEX_W'(CONNECTIONS);
  assign write = mine && !fault_o && (ending_q ? !at_q[3]
               : work_q && keep && op_q != BOARD_READ && op_q != BOARD_DOWN && op_q != BOARD_UP);
  assign forgot_o   = ending_q && at_q[3];
  assign write_row  = op_q == BOARD_COPY ? ROW_W'(CONNECTIONS) : row;
  assign write_addr = clear_q ? clear_at_q : {write_row, op_q == BOARD_WRITE ? slot_i[3:1] : at_q[2:0]};

  flue_tcp_ram #(.DEPTH(DEPTH)) u_left (
    .clk, .write_i(clear_q || (write && !(op_q == BOARD_WRITE && slot_i[0]))), .write_addr_i(write_addr),
    .data_i({left_check, out.left}), .read_addr_i({row, slot}), .q_o(left_r)
  );
  flue_tcp_ram #(.DEPTH(DEPTH)) u_right (
    .clk, .write_i(clear_q || (write && !(op_q == BOARD_WRITE && !slot_i[0]))), .write_addr_i(write_addr),
    .data_i({right_check, out.right}), .read_addr_i({row, slot}), .q_o(right_r)
  );

  // ---- the pass ----
  logic last;                                        // no range comes behind the one at work
  assign last = work_q && !arrives_q;

  always_ff @(posedge clk) begin
    item_q       <= '{left: left_r[31:0], right: right_r[31:0]};
    left_check_q  <= left_r[35:32];
    right_check_q <= right_r[35:32];
    left_good_q  <= parity(left_r[31:0]) == left_r[35:32];
    right_good_q <= parity(right_r[31:0]) == right_r[35:32];
    if (!busy_q) begin
      op_q      <= op_i;
      todo_q    <= many == '0 ? '0 : many - 4'd1;
      next_q    <= op_i == BOARD_DOWN ? first - 3'd1 : first + 3'd1;
      at_q      <= '0;
      passed_q  <= 1'b0;
      touched_q <= 1'b0;
      arrives_q <= start_i && many != '0;
      ending_q  <= start_i && many == '0 && op_i == BOARD_MERGE;
      busy_q    <= start_i && (many != '0 || op_i == BOARD_MERGE);
      if (start_i) known_o <= 1'b0;
    end else begin
      arrives_q <= todo_q != '0;
      if (todo_q != '0) todo_q <= todo_q - 4'd1;
      next_q <= op_q == BOARD_DOWN ? next_q - 3'd1 : next_q + 3'd1;
      if (work_q) begin
        if (keep) at_q <= at_q + 4'd1;
        if (meets) touched_q <= 1'b1;
        if (meets && lower && upper && !touched_q) known_o <= 1'b1;
        if (pass) passed_q <= 1'b1;
      end
      if (last && merges) ending_q <= 1'b1;
      if (ending_q) ending_q <= 1'b0;
      if (ending_q || (last && !merges)) busy_q <= 1'b0;
    end
    work_q <= arrives_q;
    if (fault_o) begin
      busy_q    <= 1'b0;
      arrives_q <= 1'b0;
      work_q    <= 1'b0;
      ending_q  <= 1'b0;
    end
    if (rst) begin
      busy_q    <= 1'b0;
      arrives_q <= 1'b0;
      work_q    <= 1'b0;
      ending_q  <= 1'b0;
    end
  end

  // What is carried: range_i (or the floor, or zero), then the union, then the range that the one before displaced.
  always_ff @(posedge clk) begin
    if (!busy_q || pass || passed_q || (meets && lower))
      carry_q.left  <= busy_q ? item_q.left  : op_i == BOARD_TRIM ? floor_i : op_i == BOARD_WRITE ? range_i.right : range_i.left;
    if (!busy_q || pass || passed_q || (meets && upper))
      carry_q.right <= busy_q ? item_q.right : op_i == BOARD_TRIM ? floor_i : range_i.right;
    if (rst || clear_q || (!busy_q && whole)) carry_q <= '0;
  end

  always_ff @(posedge clk) begin
    if (load_i)        n_q <= count_i;
    else if (clear_i)  n_q <= '0;
    else if (ending_q) n_q <= at_q[3] ? at_q : at_q + 4'd1;
    else if (last && trims && !fault_o) n_q <= at_q + 4'(keep);
  end

  // ---- after reset ----
  always_ff @(posedge clk) begin
    clear_at_q <= clear_at_q + 1'b1;
    if (clear_at_q == AW'(DEPTH - 1)) clear_q <= 1'b0;
    if (rst) begin
      clear_q    <= 1'b1;
      clear_at_q <= '0;
    end
  end

  assign clearing_o   = clear_q;
  assign busy_o       = busy_q;
  assign item_valid_o = work_q && (op_q == BOARD_DOWN || op_q == BOARD_UP);
  assign item_o       = item_q;
  assign word_o       = slot_i[0] ? item_q.right : item_q.left;
  assign count_o      = n_q;

endmodule

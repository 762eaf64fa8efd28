// Deadlines of the connections: one each, as an event when it is over.
//
// Contract: set_* writes a connection's deadline, or switches it off, at any time (but not in the first
//   CONNECTIONS cycles after reset).  When a deadline is over it is switched off and becomes one event, at most
//   1,024 us of protocol time and one sweep late (TCP-132); the event that the engine makes of it sets the next
//   one. A deadline set while its event is on its way is kept.
//   All deadlines are swept when the earliest is over, at most once in each 1,024 us.  Time may jump: by any amount
//   up to deadline_us_o, and 8 minutes (2^29 us) beyond it; no deadline lies more than 26 minutes ahead.
//   deadline_us_o, while idle_o: before it, nothing happens here.  It may be earlier than any deadline (after one
//   was moved).
// Rate: a sweep takes 3 cycles a connection, and 2 more and the wait for the engine for each event.
// Cost: 480 COMB at CONNECTIONS=64.
// Block RAM: 1.
module flue_tcp_timer
  import flue_tcp_pkg::*;
#(
  parameter int CONNECTIONS = 64          // 2 to 1,024; up to 512 fit into one block RAM
) (
  input  logic               clk,
  input  logic               rst,
  input  logic [63:0]        time_us_i,

  input  logic               set_valid_i,
  input  logic [INDEX_W-1:0] set_index_i,
  input  logic               set_on_i,
  input  logic [31:0]        set_at_i,    // microseconds modulo 2^32

  output logic               timer_valid_o,
  input  logic               timer_ready_i,
  output logic [INDEX_W-1:0] timer_index_o,

  output logic               deadline_valid_o,
  output logic [63:0]        deadline_us_o,
  output logic               idle_o
);

  localparam int ROW_W = $clog2(CONNECTIONS);

  typedef enum logic [2:0] {
    S_CLEAR,                              // after reset
    S_IDLE,
    S_READ,                               // the row's deadline is read,
    S_DATA,                               // has come out of the memory
    S_LOOK,
    S_OFF,                                // it is over: switched off
    S_FIRE
  } state_e;

  typedef struct packed {
    logic        on;
    logic [31:0] at;
  } deadline_t;

  // a before b, times modulo 2^32.
  function automatic logic less(input logic [31:0] a, input logic [31:0] b);
    return $signed(a - b) < 0;
  endfunction

  state_e           state_q;
  logic [ROW_W-1:0] row_q;
  logic [21:0]      tick_q;               // in which the last sweep began, in 1,024 us
  logic [31:0]      now;

  assign now = time_us_i[31:0];

  // ---- deadlines; a set goes before the sweep's own write ----
  // no_rw_check: what is read while it is written is read again.
  (* no_rw_check *)
  deadline_t        mem [1 << ROW_W];
  deadline_t        read_q, row_at_q;
  logic             set_this;             // the sweep's row is being written
  logic             set_this_q;           // it was, since it was read
  logic             off;                  // the sweep writes

  assign set_this = set_valid_i && set_index_i[ROW_W-1:0] == row_q;
  assign off      = !set_valid_i && (state_q == S_OFF || state_q == S_CLEAR);

  always_ff @(posedge clk) begin
    if (set_valid_i || off)
      mem[set_valid_i ? set_index_i[ROW_W-1:0] : row_q] <= set_valid_i ? {set_on_i, set_at_i} : '0;
    read_q     <= mem[row_q];
    row_at_q   <= read_q;
    set_this_q <= set_this || (set_this_q && state_q == S_DATA);
  end

  // ---- the earliest, or an earlier time ----
  logic        some_q;
  logic [31:0] earliest_q;
  logic        over;                      // there is one and it is over
  logic        starts;
  logic        kept;                      // the sweep has seen one that is not over
  logic [31:0] merged;

  assign over   = some_q && !less(now, earliest_q);
  assign starts = state_q == S_IDLE && over && time_us_i[31:10] != tick_q;
  assign kept   = state_q == S_LOOK && !set_valid_i && !set_this_q && row_at_q.on && less(now, row_at_q.at);
  assign merged = set_valid_i ? set_at_i : row_at_q.at;

  always_ff @(posedge clk) begin
    if (starts) some_q <= 1'b0;           // to be found again
    if ((set_valid_i && set_on_i) || kept) begin
      some_q <= 1'b1;
      if (!some_q || starts || less(merged, earliest_q)) earliest_q <= merged;
    end
    if (rst) some_q <= 1'b0;
  end

  // ---- the sweep ----
  logic last_row;
  assign last_row = row_q == ROW_W'(CONNECTIONS - 1);

  always_ff @(posedge clk) begin
    unique case (state_q)
      S_CLEAR: if (off) begin
        row_q <= row_q + 1'b1;
        if (row_q == '1) state_q <= S_IDLE;
      end
      S_IDLE: begin
        row_q <= '0;
        if (starts) begin
          tick_q  <= time_us_i[31:10];
          state_q <= S_READ;
        end
      end
      S_READ: state_q <= S_DATA;
      S_DATA: state_q <= S_LOOK;
      S_LOOK:
        if (set_valid_i || set_this_q) begin
          state_q <= S_READ;              // the write port or the earliest is taken, or it was changed
        end else if (row_at_q.on && !less(now, row_at_q.at)) begin
          state_q <= S_OFF;
        end else begin
          row_q   <= row_q + 1'b1;
          state_q <= last_row ? S_IDLE : S_READ;
        end
      S_OFF:
        if (set_this)          state_q <= S_READ;
        else if (!set_valid_i) state_q <= S_FIRE;
      S_FIRE: if (timer_ready_i) begin
        row_q   <= row_q + 1'b1;
        state_q <= last_row ? S_IDLE : S_READ;
      end
      default: state_q <= S_IDLE;
    endcase
    if (rst) begin
      state_q <= S_CLEAR;
      row_q   <= '0;
      tick_q  <= '1;
    end
  end

  assign timer_valid_o = state_q == S_FIRE;
  assign timer_index_o = INDEX_W'(row_q);

  // ---- idle, and until when ----
  logic [31:0] ahead;

  assign ahead            = earliest_q - now;
  assign deadline_valid_o = some_q;
  assign deadline_us_o    = over ? {time_us_i[63:10] + 54'd1, 10'd0} : time_us_i + 64'(ahead);
  assign idle_o           = state_q == S_IDLE && !starts && !set_valid_i;

  logic unused;
  assign unused = &{1'b0, set_index_i};

`ifdef FORMAL
  // One row, any (it begins anywhere and stays): what the contract says of its deadline.
  logic [ROW_W-1:0] f_row;
  logic        f_past, f_on_q;
  logic [31:0] f_at_q;
  logic        f_set, f_over, f_to_come, f_written;
  initial f_past = 1'b0;

  // A window of half the range of time, so that comparisons are transitive: 2^29 us of the past, the rest to come.
  function automatic logic f_near(input logic [31:0] a, input logic [31:0] b);
    return a - b + 32'h2000_0000 < 32'h8000_0000;
  endfunction

  assign f_set     = set_valid_i && set_index_i[ROW_W-1:0] == f_row;
  assign f_over    = f_on_q && !less(now, f_at_q);
  // A row cannot be read while it is written.
  assign f_written = (set_valid_i || off) && (set_valid_i ? set_index_i[ROW_W-1:0] : row_q) == f_row;
  // The sweep has still to look at the row.
  assign f_to_come = (state_q inside {S_READ, S_DATA, S_LOOK, S_OFF} && row_q <= f_row) || (state_q == S_FIRE && row_q < f_row);

  always_ff @(posedge clk) begin
    f_past <= 1'b1;
    f_row  <= f_row;
    if (f_set) begin
      f_on_q <= set_on_i;
      f_at_q <= set_at_i;
    end else if (state_q == S_OFF && off && row_q == f_row) begin
      f_on_q <= 1'b0;
    end
    if (rst) f_on_q <= 1'b0;

    if (!f_past) assume (rst);
    // Environment: the contract's limits of time, for every deadline that is met.
    if (!rst) begin
      if (state_q == S_CLEAR) assume (!set_valid_i);
      if (set_valid_i) assume (f_near(set_at_i, now) || !set_on_i);
      if (f_on_q) assume (f_near(f_at_q, now));
      if (some_q) assume (f_near(earliest_q, now));
      if (state_q == S_LOOK && !set_this_q && row_at_q.on) assume (f_near(row_at_q.at, now));
      if (f_past && !$past(rst)) begin
        assume ($past(time_us_i) <= time_us_i);
        if (f_on_q || some_q) assume (time_us_i - $past(time_us_i) < 64'h8000_0000);
      end
    end
    if (f_past && !rst && !$past(rst)) begin
      assume (!($past(set_valid_i) && set_valid_i));
      // An event on offer stays.
      if ($past(timer_valid_o && !timer_ready_i)) assert (timer_valid_o && $stable(timer_index_o));
      // An event is of a deadline that was over and is no longer there.
      if (timer_valid_o && !$past(timer_valid_o) && timer_index_o == INDEX_W'(f_row))
        assert ($past(f_over) && (!f_on_q || $past(f_set)));
    end
    if (f_past && !rst && state_q != S_CLEAR) begin
      if (!f_written) assert (mem[f_row].on == f_on_q);
      if (!f_written && f_on_q) assert (mem[f_row].at == f_at_q);
      // None is forgotten: the earliest known is not later, or the sweep comes to it.
      if (f_on_q) assert ((some_q && !less(f_at_q, earliest_q)) || f_to_come);
      // So before deadline_us_o none is over.
      if (f_on_q && idle_o) assert (deadline_valid_o && (!f_over || over));
      if (idle_o && over) assert (tick_q == time_us_i[31:10]);
      if (state_q inside {S_OFF} && row_q == f_row) assert (f_over);
      if (state_q == S_DATA && row_q == f_row && !set_this_q) begin
        assert (read_q.on == f_on_q);
        if (f_on_q) assert (read_q.at == f_at_q);
      end
      if (state_q == S_LOOK && row_q == f_row && !set_this_q) begin
        assert (row_at_q.on == f_on_q);
        if (f_on_q) assert (row_at_q.at == f_at_q);
      end
    end
    if (f_past && !rst && state_q == S_CLEAR && row_q > f_row) assert (!mem[f_row].on);
    if (f_past && !rst && state_q == S_CLEAR) assert (!f_on_q && !some_q);
    if (f_past && !rst) assert (state_q <= S_FIRE);
    if (f_past && !rst) cover (timer_valid_o && timer_ready_i && timer_index_o == INDEX_W'(f_row) && f_on_q);
  end
`endif

endmodule

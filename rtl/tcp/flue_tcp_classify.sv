// Decides what becomes of each received frame that the park keeps: asks the tables, then, of a running connection, the engine.
//
// Contract: key_*, seg_* from flue_tcp_extract.  For each key, in order, one verdict: HOST when it is not looked up or no connection was
//   found; of a connection that is not RUNNING (row_state_e) DIVERT; of a RUNNING one the segment goes to the engine as an event,
//   and what the engine answers is the verdict, with index, generation and payload offset put in; DROP when a row failed its
//   check on the way (bad_o pulses).  verdict_hit_o: the frame was counted at hit_*, the dispatcher counts it off.
// A frame that the driver forwarded (forward_i with its key) never goes to the host again: when the lookup finds the connection of
//   forward_handle_i, LOADED or RUNNING, its segment goes to the engine, and DIVERT becomes DROP; everything else is DROP.
//   forward_done_o pulses with its verdict, forward_status_o says what became of it: OK, NOT_TAKEN, NO_SEGMENT or WRONG_CONN.
// Engine: one answer, a pulse, for each segment, in order, whenever it likes; at most DEPTH are awaited.
// marker_*: an entry of its own in the same order, behind every frame whose lookup began before it was taken and before all others (verdict_marker_o with
//   index, generation and number; kind is DIVERT).  When it is taken, all hits before it have been offered at hit_*.
// A lookup begins while the one before waits for its verdict: their answers are the only place where frames queue.
// Rate: a lookup's time + 1 cycle.
// Cost: DEPTH decisions of 66 bits and DEPTH answers of 98 in LUT memory; 561 COMB.
module flue_tcp_classify
  import flue_pkg::*;
  import flue_control_pkg::*;
  import flue_tcp_pkg::*;
#(
  parameter int DEPTH = 16                // decisions that wait for the dispatcher, a power of two
) (
  input  logic               clk,
  input  logic               rst,

  input  logic               key_valid_i,
  output logic               key_ready_o,
  input  logic               lookup_i,
  input  logic               forward_i,
  input  lookup_key_t        key_i,
  input  logic               seg_valid_i,
  output logic               seg_ready_o,
  input  tcp_seg_t           seg_i,
  input  logic [9:0]         pay_off_i,         // 2 modulo 4, below 128

  output logic               lk_valid_o,        // the tables' wire lookup
  input  logic               lk_ready_i,
  output lookup_key_t        lk_o,
  input  logic               lk_valid_i,
  input  lookup_rsp_t        lk_i,

  input  logic               marker_valid_i,
  output logic               marker_ready_o,
  input  logic [INDEX_W-1:0] marker_index_i,
  input  logic [13:0]        marker_generation_i,
  input  logic [31:0]        marker_number_i,

  output logic               hit_valid_o,       // flue_tcp_numbers
  input  logic               hit_ready_i,
  output logic [INDEX_W-1:0] hit_index_o,

  output logic               event_valid_o,     // the engine
  input  logic               event_ready_i,
  output logic [INDEX_W-1:0] event_index_o,
  output tcp_seg_t           event_seg_o,
  input  logic               answer_valid_i,
  input  tcp_verdict_t       answer_i,          // kind, skip, len, seq, after are read

  output logic               verdict_valid_o,
  input  logic               verdict_ready_i,
  output tcp_verdict_t       verdict_o,
  output logic               verdict_hit_o,
  output logic               verdict_marker_o,

  input  logic [31:0]        forward_handle_i,  // of the forwarded frame that is on its way
  output logic               forward_done_o,
  output status_e            forward_status_o,

  output logic               bad_o,
  output logic               idle_o             // nothing happens without input or verdict_ready_i
);

  typedef enum logic [2:0] {
    D_HOST,
    D_DIVERT,
    D_DROP,
    D_ENGINE,                             // the engine's answer is the verdict
    D_MARKER
  } decision_e;

  typedef struct packed {
    decision_e          decision;
    logic               forward;
    logic [INDEX_W-1:0] index;
    logic [13:0]        generation;
    logic [31:0]        number;           // of a marker; of a forwarded frame its status
  } entry_t;

  // ---- lookups, frames without one and markers, in order ----
  logic       held_q;                     // a lookup was offered and is not taken
  logic       asking_q;                   // it was taken, its answer is not here
  logic [1:0] credit_q;                   // entries that are asked for or wait to be acted upon, at most 2
  logic       room, starts, plain, marks, come, act;
  entry_t     new_entry, entry;
  logic       entry_valid, entry_looked;  // it was looked up: a segment belongs to it
  logic       looked, forward_q, forward;

  assign room           = credit_q != 2'd2;
  assign lk_o           = key_i;
  assign marks          = marker_valid_i && !held_q && !asking_q && credit_q == '0;   // all hits before it are counted
  assign starts         = key_valid_i && lookup_i && !marker_valid_i && !held_q && (!asking_q || lk_valid_i) && room;
  assign plain          = key_valid_i && !lookup_i && !marker_valid_i && !asking_q && room;
  assign lk_valid_o     = starts || held_q;
  assign key_ready_o    = plain || (lk_valid_o && lk_ready_i);
  assign marker_ready_o = marks;

  // What a forwarded frame can expect: the engine has the last word.
  status_e forward_status;

  always_comb begin
    forward_status = ST_NOT_TAKEN;
    if (!lk_valid_i)                                                  forward_status = ST_NO_SEGMENT;
    else if (lk_i.bad || !lk_i.hit ||
             forward_handle_i != {TBL_CONNECTION, lk_i.generation, lk_i.index}) forward_status = ST_WRONG_CONN;
    else if (lk_i.row_state inside {ROW_LOADED, ROW_RUNNING})         forward_status = ST_OK;
  end

  always_comb begin
    looked    = lk_valid_i;
    come      = lk_valid_i || plain || marks;
    forward   = lk_valid_i ? forward_q : plain && forward_i;
    new_entry = '{decision: forward ? D_DROP : D_HOST, forward: forward, index: lk_i.index, generation: lk_i.generation,
                  number: forward ? 32'(forward_status) : marker_number_i};
    if (lk_valid_i) begin
      if (forward)       new_entry.decision = forward_status == ST_OK ? D_ENGINE : D_DROP;
      else if (lk_i.bad) new_entry.decision = D_DROP;
      else if (lk_i.hit) new_entry.decision = lk_i.row_state == ROW_RUNNING ? D_ENGINE : D_DIVERT;
    end else if (marks) begin
      new_entry.decision   = D_MARKER;
      new_entry.index      = marker_index_i;
      new_entry.generation = marker_generation_i;
    end
  end

  always_ff @(posedge clk) begin
    held_q <= (held_q || starts) && !(lk_valid_o && lk_ready_i);
    if (lk_valid_o && lk_ready_i) forward_q <= forward_i;
    if (lk_valid_o && lk_ready_i) asking_q <= 1'b1;
    else if (lk_valid_i)          asking_q <= 1'b0;
    credit_q <= credit_q + 2'(starts || plain || marks) - 2'(act);
    if (rst) begin
      held_q   <= 1'b0;
      asking_q <= 1'b0;
      credit_q <= '0;
    end
  end

  logic entry_room;

  flue_stream_reg #(.W($bits(entry_t) + 1)) u_entries (
    .clk, .rst, .in_valid_i(come), .in_ready_o(entry_room), .in_i({looked, new_entry}),
    .out_valid_o(entry_valid), .out_ready_i(act), .out_o({entry_looked, entry})
  );

  // ---- an entry is acted upon: counted, decided, its segment sent on or forgotten ----
  logic seg_wait_q, send_q, decided_ready, hit;

  assign hit   = entry.decision inside {D_DIVERT, D_ENGINE};
  assign act   = entry_valid && decided_ready && !(entry_looked && seg_wait_q) && !(hit && hit_valid_o);
  assign bad_o = act && entry.decision == D_DROP && !entry.forward;

  assign event_valid_o = seg_wait_q && send_q && seg_valid_i;
  assign event_seg_o   = seg_i;
  assign seg_ready_o   = seg_wait_q && (!send_q || event_ready_i);

  always_ff @(posedge clk) begin
    if (hit_ready_i) hit_valid_o <= 1'b0;
    if (seg_valid_i && seg_ready_o) seg_wait_q <= 1'b0;
    if (act && hit) begin
      hit_valid_o <= 1'b1;
      hit_index_o <= entry.index;
    end
    if (act && entry_looked) begin
      seg_wait_q    <= 1'b1;
      send_q        <= entry.decision == D_ENGINE;
      event_index_o <= entry.index;
    end
    if (rst) begin
      hit_valid_o <= 1'b0;
      seg_wait_q  <= 1'b0;
    end
  end

  // ---- decisions and the engine's answers ----
  typedef struct packed {
    tcp_verdict_e kind;
    logic [15:0]  skip;
    logic [15:0]  len;
    logic [31:0]  seq;
    logic [31:0]  after;
  } answer_t;

  entry_t  decided;
  answer_t answer_in, answer;
  logic    decided_valid, answer_valid, off_valid, from_engine, next, answer_room, off_room;
  logic [4:0] off;
  logic [$clog2(DEPTH+1)-1:0] decisions, unused_answers, unused_offs;

  assign answer_in = '{kind: answer_i.kind, skip: answer_i.skip, len: answer_i.len, seq: answer_i.seq,
                       after: answer_i.after};

  flue_fifo #(.W($bits(entry_t)), .DEPTH(DEPTH)) u_decisions (
    .clk, .rst, .in_valid_i(act), .in_ready_o(decided_ready), .in_i(entry),
    .out_valid_o(decided_valid), .out_ready_i(next), .out_o(decided), .count_o(decisions)
  );
  flue_fifo #(.W($bits(answer_t)), .DEPTH(DEPTH)) u_answers (
    .clk, .rst, .in_valid_i(answer_valid_i), .in_ready_o(answer_room), .in_i(answer_in),
    .out_valid_o(answer_valid), .out_ready_i(next && from_engine), .out_o(answer), .count_o(unused_answers)
  );
  flue_fifo #(.W(5), .DEPTH(DEPTH)) u_offsets (
    .clk, .rst, .in_valid_i(event_valid_o && event_ready_i), .in_ready_o(off_room), .in_i(pay_off_i[6:2]),
    .out_valid_o(off_valid), .out_ready_i(next && from_engine), .out_o(off), .count_o(unused_offs)
  );

  assign from_engine      = decided.decision == D_ENGINE;
  assign verdict_valid_o  = decided_valid && (!from_engine || (answer_valid && off_valid));
  assign next             = verdict_valid_o && verdict_ready_i;
  assign verdict_marker_o = decided.decision == D_MARKER;
  assign verdict_hit_o    = decided.decision inside {D_DIVERT, D_ENGINE};
  assign forward_done_o   = next && decided.forward;
  assign forward_status_o = from_engine && answer.kind == VERDICT_DIVERT ? ST_NOT_TAKEN : status_e'(decided.number[4:0]);

  always_comb begin
    verdict_o = '{kind: VERDICT_DIVERT, index: decided.index, generation: decided.generation, number: decided.number,
                  skip: answer.skip, len: answer.len, seq: answer.seq, after: answer.after,
                  pay_off: {3'b000, off, 2'b10}};
    unique case (decided.decision)
      D_HOST:   verdict_o.kind = VERDICT_HOST;
      D_DROP:   verdict_o.kind = VERDICT_DROP;
      D_ENGINE: verdict_o.kind = decided.forward && answer.kind == VERDICT_DIVERT ? VERDICT_DROP : answer.kind;
      default: ;
    endcase
  end

  assign idle_o = !starts && !plain && !marks && !held_q && !asking_q && !seg_wait_q && !hit_valid_o &&
                  !(entry_valid && decided_ready) && (decided_valid ? verdict_valid_o && !verdict_ready_i : decisions == '0);

  logic unused;
  assign unused = &{1'b0, answer_i, pay_off_i, lk_i, entry_room, answer_room, off_room, unused_answers, unused_offs};

`ifdef FORMAL
  always_ff @(posedge clk) if (!rst) begin
    // No decision, answer or offset is lost.
    if (come)           assert (entry_room);
    if (answer_valid_i) assert (answer_room);
    if (event_valid_o && event_ready_i) assert (off_room);
    assert (credit_q != 2'd3);
  end
`endif

endmodule

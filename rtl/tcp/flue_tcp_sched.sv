// Says which connection may send: turns for those that want, fair by bytes.
//
// Contract: wants_valid_i sets or clears a connection's bit (not in every cycle, and not in the first CONNECTIONS
//   cycles after reset, 32 at least).  A turn is offered to a connection whose bit is set, and clears it; the
//   event that it becomes answers once with result_*: what was sent of the budget, or that nothing was.  sent_i: a
//   turn that sent has left the wire port.  Never more than TURNS turns are out: offered, without result, or
//   without sent_i.  A new one is begun only while room_i is high.
//   Fairness: connections come round robin.  In each round one may have turns until it has sent BUDGET bytes; a
//   turn that goes beyond is charged to its next round.  A round ends when all that want have had theirs.  So two
//   that want all the time never differ by three budgets, whatever their turns carry; at least 64 bytes are
//   charged.
// Latency: CONNECTIONS / 16 + 4 cycles, and 3 for each that wants but had its share; twice that where a round
//   ends.
// Cost: LUT memory of 20 bits a connection; 545 COMB at CONNECTIONS=64.
module flue_tcp_sched
  import flue_pkg::*;
  import flue_tcp_pkg::*;
#(
  parameter int CONNECTIONS = 64,         // 2 to 1,024
  parameter int TURNS       = 4,
  parameter int BUDGET      = 16384,      // bytes of a turn, a power of two up to 16,384
  parameter int WORD        = 16          // connections looked at in a cycle, a power of two
) (
  input  logic               clk,
  input  logic               rst,

  input  logic               wants_valid_i,
  input  logic [INDEX_W-1:0] wants_index_i,
  input  logic               wants_i,

  output logic               turn_valid_o,
  input  logic               turn_ready_i,
  output logic [INDEX_W-1:0] turn_index_o,
  output logic [LEN_W-1:0]   turn_budget_o,

  input  logic               result_valid_i, // after turn_ready_i
  input  logic               result_sent_i,  // else the turn is over
  input  logic [LEN_W-1:0]   result_bytes_i,
  input  logic               sent_i,
  input  logic               room_i,

  output logic               idle_o         // nobody wants, and no turn is on its way to its result
);

  localparam int ROW_W = (CONNECTIONS > 2 * WORD) ? $clog2(CONNECTIONS) : $clog2(2 * WORD);
  localparam int BW    = $clog2(WORD);
  localparam int A     = ROW_W - BW;
  localparam int WORDS = 1 << A;
  localparam int CW    = $clog2(TURNS + 1);
  localparam int V     = $clog2(BUDGET) + 2; // what is left of a round: -BUDGET to BUDGET
  localparam int LEAST = BUDGET < 64 ? BUDGET : 64;   // bytes charged for a turn

  typedef enum logic [2:0] {
    S_CLEAR,                              // after reset
    S_SCAN,
    S_LOOK,                               // what is left to the connection
    S_TAKE,                               // its bit is cleared
    S_OFFER,
    S_RESULT
  } state_e;

  typedef struct packed {
    logic [1:0]          round;
    logic signed [V-1:0] left;
  } share_t;

  state_e           state_q;
  logic [A-1:0]     word_q;
  logic [WORD-1:0]  mask_q;               // bits of the word that are not yet visited
  logic [BW-1:0]    bit_q;
  logic [ROW_W-1:0] row;
  logic [CW-1:0]    out_q;
  logic [ROW_W:0]   wanting_q;            // bits that are set

  // ---- what is left of the round ----
  logic [1:0]          round_q;
  share_t              shares [1 << ROW_W];
  share_t              share_q;
  logic signed [V+1:0] topped;            // with the budgets of the rounds since
  logic signed [V-1:0] left, left_q;
  logic [LEN_W-1:0]    used;

  assign row    = {word_q, bit_q};
  assign topped = (V+2)'(share_q.left) + (V+2)'({2'(round_q - share_q.round)}) * (V+2)'(BUDGET);
  assign left   = (topped > (V+2)'(BUDGET)) ? V'(BUDGET) : topped[V-1:0];

  // A turn without bytes is not for nothing either, or a round might have no end.
  always_comb begin
    used = result_bytes_i;
    if (result_bytes_i > LEN_W'(BUDGET)) used = LEN_W'(BUDGET);
    if (result_bytes_i < LEN_W'(LEAST))  used = LEN_W'(LEAST);
  end

  always_ff @(posedge clk) begin
    share_q <= shares[row];
    if (state_q == S_CLEAR) shares[{word_q, bit_q}] <= '0;
    else if (state_q == S_RESULT && result_valid_i)
      shares[row] <= '{round: round_q, left: left_q - signed'(used[V-1:0])};
  end

  // ---- bits ----
  (* ram_style = "distributed" *)
  logic [WORD-1:0]  bits [WORDS];
  logic [WORD-1:0]  scanned, changed, written, candidates;
  logic [A-1:0]     changed_at;
  logic             writes, takes;
  logic             was, now_set;

  assign scanned    = bits[word_q];
  assign candidates = scanned & mask_q;
  assign takes      = state_q == S_TAKE && !wants_valid_i && left > 0;
  assign changed_at = wants_valid_i ? wants_index_i[ROW_W-1:BW] : word_q;
  assign changed    = bits[changed_at];
  assign writes     = wants_valid_i || takes || state_q == S_CLEAR;
  assign was        = changed[wants_valid_i ? wants_index_i[BW-1:0] : bit_q];
  assign now_set    = wants_valid_i && wants_i;

  always_comb begin
    written = changed;
    for (int i = 0; i < WORD; i++)
      if (BW'(i) == (wants_valid_i ? wants_index_i[BW-1:0] : bit_q)) written[i] = now_set;
    if (state_q == S_CLEAR) written = '0;
  end

  always_ff @(posedge clk) if (writes) bits[changed_at] <= written;

  // ---- the round ----
  logic seen_q;                           // one that wants but had its share, since the pass began
  logic given_q;                          // a turn in this pass
  logic ends;                             // of the pass

  assign ends = word_q == '1;

  always_ff @(posedge clk) begin
    unique case (state_q)
      S_CLEAR: begin
        {word_q, bit_q} <= row + 1'b1;
        if (row == '1) state_q <= S_SCAN;
      end
      S_SCAN:
        if (candidates == '0) begin
          word_q <= word_q + 1'b1;
          mask_q <= '1;
          if (ends) begin
            if (seen_q && !given_q) round_q <= round_q + 2'd1;
            seen_q  <= 1'b0;
            given_q <= 1'b0;
          end
        end else if (out_q != CW'(TURNS) && room_i) begin
          for (int i = WORD - 1; i >= 0; i--)
            if (candidates[i]) bit_q <= BW'(i);
          state_q <= S_LOOK;
        end
      S_LOOK: begin
        // share_q is read in this cycle.
        state_q <= S_TAKE;
        mask_q  <= mask_q & ~((WORD'(2) << bit_q) - 1'b1);
      end
      S_TAKE: begin
        left_q <= left;
        if (left <= 0) begin
          seen_q  <= 1'b1;
          state_q <= S_SCAN;
        end else if (takes) begin
          state_q <= was ? S_OFFER : S_SCAN;
        end
      end
      S_OFFER: if (turn_ready_i) begin
        given_q <= 1'b1;
        state_q <= S_RESULT;
      end
      S_RESULT: if (result_valid_i) state_q <= S_SCAN;
      default:  state_q <= S_SCAN;
    endcase
    if (rst) begin
      state_q <= S_CLEAR;
      word_q  <= '0;
      bit_q   <= '0;
      mask_q  <= '1;
      round_q <= '0;
      seen_q  <= 1'b0;
      given_q <= 1'b0;
    end
  end

  // ---- counts ----
  always_ff @(posedge clk) begin
    if (writes && state_q != S_CLEAR)
      wanting_q <= wanting_q + (ROW_W+1)'(now_set && !was) - (ROW_W+1)'(!now_set && was);
    out_q <= out_q + CW'(turn_valid_o && turn_ready_i) - CW'(sent_i)
             - CW'(state_q == S_RESULT && result_valid_i && !result_sent_i);
    if (rst) begin
      wanting_q <= '0;
      out_q     <= '0;
    end
  end

  assign turn_valid_o  = state_q == S_OFFER;
  assign turn_index_o  = INDEX_W'(row);
  assign turn_budget_o = LEN_W'(BUDGET);
  assign idle_o        = wanting_q == '0 && !wants_valid_i &&
                         !(state_q inside {S_CLEAR, S_OFFER, S_RESULT});

  logic unused;
  assign unused = &{1'b0, wants_index_i, used[LEN_W-1:V]};

`ifdef FORMAL
  // One connection, any (it begins anywhere and stays).
  logic [ROW_W-1:0] f_row;
  logic             f_past, f_wants_q;
  logic [CW:0]      f_flying_q;           // turns that sent and have not come back
  logic             f_turn;               // it has its turn
  initial f_past = 1'b0;

  assign f_turn = turn_valid_o && turn_ready_i && row == f_row;

  always_ff @(posedge clk) begin
    f_past <= 1'b1;
    f_row  <= f_row;
    if (wants_valid_i && wants_index_i[ROW_W-1:0] == f_row) f_wants_q <= wants_i;
    else if (takes && row == f_row) f_wants_q <= 1'b0;
    f_flying_q <= f_flying_q + (CW+1)'(state_q == S_RESULT && result_valid_i && result_sent_i) - (CW+1)'(sent_i);
    if (rst) begin
      f_wants_q  <= 1'b0;
      f_flying_q <= '0;
    end

    // Environment: results of turns, sent of turns that sent; wishes between, of connections that are there.
    if (!rst) begin
      if (result_valid_i) assume (state_q == S_RESULT);
      if (sent_i) assume (f_flying_q != '0);
      if (wants_valid_i) assume (state_q != S_CLEAR && wants_index_i < INDEX_W'(CONNECTIONS));
      if (f_past && $past(wants_valid_i)) assume (!wants_valid_i);
    end
    if (!f_past) assume (rst);
    if (f_past && !rst) begin
      // Never more than TURNS are out, the offered one included.
      assert (out_q <= CW'(TURNS) && f_flying_q <= (CW+1)'(TURNS));
      if (state_q inside {S_LOOK, S_TAKE, S_OFFER}) assert (out_q < CW'(TURNS));
      assert ((CW+1)'(out_q) == f_flying_q + (CW+1)'(state_q == S_RESULT));
      assert (state_q <= S_RESULT);
      // Its bit is its wish.
      if (state_q != S_CLEAR) assert (bits[f_row[ROW_W-1:BW]][f_row[BW-1:0]] == f_wants_q);
      if (state_q == S_CLEAR) assert (out_q == '0 && wanting_q == '0 && !f_wants_q);
      if (state_q == S_CLEAR && word_q > f_row[ROW_W-1:BW]) assert (bits[f_row[ROW_W-1:BW]] == '0);
      if (f_wants_q) assert (INDEX_W'(f_row) < INDEX_W'(CONNECTIONS));
      // What is left of a round is never more than a budget, what is owed less.
      if (state_q inside {S_OFFER, S_RESULT}) assert (left_q > 0 && left_q <= V'(BUDGET));
    end
    if (f_past && !rst && !$past(rst)) begin
      // A turn on offer stays; it begins with room, and for a wish.
      if ($past(turn_valid_o && !turn_ready_i)) assert (turn_valid_o && $stable(turn_index_o));
      if (turn_valid_o && !$past(turn_valid_o) && row == f_row) assert ($past(f_wants_q));
    end
    if (f_past && !rst) cover (f_turn && out_q == CW'(TURNS - 1));
  end
`endif

endmodule

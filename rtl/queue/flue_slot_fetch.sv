// Reads the slots of a ring, or of an array a LINK points to, and hands them
// out one at a time.
//
// Contract: the ring is read from `ring_start_i` (taken while `restart_i`) to `tail_i`; an array from `array_offset_i` for `array_count_i` slots (taken
//   with `restart_i && restart_array_i`).  `restart_i` forgets every slot not
//   taken.  `slot_valid_o` offers `slot_o` until `slot_take_i`; slot_error_o
//   offers a failed fetch instead, which only a restart ends.  `starved_o`:
//   nothing is offered, under way, or left to fetch.
// A fetch is up to four slots inside one 64-byte line; the next one is
//   requested while the last slot of the one before is used, so that its answer
//   never waits.  A slot is offered only after its whole fetch came without error.
// `run_i` low: no new fetch begins.  `busy_o`: a fetch is under way.
// Rate: a slot every 5 cycles.  State: 4 slots in LUT memory, one in registers.
module flue_slot_fetch
  import flue_pkg::*;
#(
  parameter int W = 32                    // DMA stream, bits
) (
  input  logic              clk,
  input  logic              rst,

  input  logic              run_i,
  input  logic [7:0]        ring_region_i,
  input  logic [31:6]       ring_base_i,
  input  logic [SLOT_W-1:0] ring_mask_i,  // slots - 1
  input  logic [SLOT_W-1:0] ring_start_i,
  input  logic [SLOT_W-1:0] tail_i,
  input  logic              restart_i,
  input  logic              restart_array_i,
  input  logic [7:0]        array_region_i,
  input  logic [31:4]       array_offset_i,
  input  logic [15:0]       array_count_i,

  output logic              req_valid_o,
  input  logic              req_ready_i,
  output dma_req_t          req_o,
  input  logic              in_valid_i,
  output logic              in_ready_o,
  input  logic [W-1:0]      in_data_i,
  input  logic [W/8-1:0]    in_keep_i,
  input  logic              in_last_i,
  input  logic              in_bad_i,
  input  status_e           in_status_i,  // with last

  output logic              slot_valid_o,
  output logic [127:0]      slot_o,
  input  logic              slot_take_i,
  output logic              slot_error_o,
  output status_e           slot_status_o,
  output logic              starved_o,
  output logic              busy_o
);

  // ---- what to fetch next ----
  // A position is an index from the start of a 64-byte line: of the ring, or of
  // the line an array begins in.  No packet has more than 1,024 slots, so the
  // length of an array may be cut to what 11 bits hold.
  logic              ran_q;               // run_i was high: base and region of the ring are taken
  logic              array_q;             // the position is in an array
  logic [7:0]        region_q;
  logic [31:6]       base_q;
  logic [SLOT_W-1:0] next_q;
  logic [11:0]       array_end_q;
  logic [SLOT_W-1:0] stop;           // the end
  logic              short_of;            // the end comes before the line's end
  logic              left;                // slots are left
  logic [2:0]        count;               // slots of the next fetch
  logic [SLOT_W-1:0] place;

  assign stop = array_q ? SLOT_W'(array_end_q) : tail_i;
  assign left      = next_q != stop;
  // A tail that was moved back must not make a fetch that leaves its line.
  assign short_of  = next_q[SLOT_W-1:2] == stop[SLOT_W-1:2] && next_q[1:0] < stop[1:0];
  assign count     = short_of ? {1'b0, stop[1:0] - next_q[1:0]} : 3'd4 - {1'b0, next_q[1:0]};
  assign place     = next_q & (ring_mask_i | {SLOT_W{array_q}});

  // ---- one request at a time ----
  logic       asked_q;                    // accepted by the DMA or offered to it
  logic       stale_q;                    // its answer is no longer wanted
  logic [2:0] asked_count_q;
  logic [2:0] have_q;                     // slots in the store not yet loaded into slot_o
  logic       answer;                     // the answer's last word moves

  always_ff @(posedge clk) begin
    ran_q <= run_i;
    if (restart_i ? restart_array_i : array_q) begin
      if (restart_i) {region_q, base_q} <= {array_region_i, array_offset_i[31:6]};
    end else begin
      {region_q, base_q} <= {ring_region_i, ring_base_i};
    end
    if (req_valid_o && req_ready_i) req_valid_o <= 1'b0;
    if (answer) asked_q <= 1'b0;
    if (restart_i) begin
      array_q     <= restart_array_i;
      stale_q     <= asked_q && !answer;
      next_q      <= restart_array_i ? SLOT_W'(array_offset_i[5:4]) : ring_start_i;
      array_end_q <= 12'(array_offset_i[5:4]) +
                     ((|array_count_i[15:11]) ? 12'h7FF : array_count_i[11:0]);
    end else if (ran_q && run_i && !asked_q && left && !slot_error_o && have_q == '0) begin
      req_valid_o   <= 1'b1;
      asked_q       <= 1'b1;
      stale_q       <= 1'b0;
      asked_count_q <= count;
      req_o         <= '{region: region_q, offset: {{base_q, 2'b0} + 28'(place), 4'b0},
                         length: LEN_W'({count, 4'b0})};
      next_q        <= next_q + 16'(count);
    end
    if (rst) begin
      req_valid_o <= 1'b0;
      asked_q     <= 1'b0;
      stale_q     <= 1'b0;
      array_q     <= 1'b0;
      next_q      <= '0;
    end
  end

  // ---- the answer, a word a beat, into the store ----
  logic        word_valid, word_ready, word_last, word_bad;
  logic [31:0] word;

  if (W == 32) begin : g_word
    assign word_valid = in_valid_i;
    assign in_ready_o = word_ready;
    assign word       = in_data_i;
    assign word_last  = in_last_i;
    assign word_bad   = in_bad_i;
    logic unused;
    assign unused = &{1'b0, in_keep_i};
  end else begin : g_narrow
    logic [3:0] unused;
    flue_stream_width #(.WI(W), .WO(32)) u_width (
      .clk, .rst,
      .in_valid_i, .in_ready_o, .in_data_i, .in_keep_i, .in_last_i, .in_bad_i,
      .out_valid_o(word_valid), .out_ready_i(word_ready), .out_data_o(word), .out_keep_o(unused),
      .out_last_o(word_last), .out_bad_o(word_bad), .in_user_i(1'b0), .out_user_o()
    );
  end

  // The narrowing may end after the beat that carried the status: keep it.
  status_e status_q;
  always_ff @(posedge clk) if (in_valid_i && in_last_i) status_q <= in_status_i;

  logic [31:0] store [16];
  logic [3:0]  put_q;                     // word to be written

  assign word_ready = stale_q || (have_q == '0 && !slot_error_o);
  assign answer     = word_valid && word_ready && word_last;

  always_ff @(posedge clk) if (word_valid && word_ready) store[put_q] <= word;

  // ---- the store, a word a cycle, into the slot offered ----
  logic [1:0] slot_idx_q, part_q;         // next word to load
  logic       load;
  logic [31:0] load_word;

  assign load_word = store[{slot_idx_q, part_q}];
  assign load      = have_q != '0 && (!slot_valid_o || part_q != '0);

  always_ff @(posedge clk) begin
    if (word_valid && word_ready) put_q <= word_last ? '0 : put_q + 1'b1;
    if (slot_take_i) slot_valid_o <= 1'b0;
    if (load) begin
      slot_o[32*part_q +: 32] <= load_word;
      part_q <= part_q + 1'b1;
      if (part_q == 2'd3) begin
        slot_valid_o <= 1'b1;
        slot_idx_q   <= slot_idx_q + 1'b1;
        have_q       <= have_q - 1'b1;
      end
    end
    if (answer && !stale_q) begin
      if (word_bad) begin
        slot_error_o  <= 1'b1;
        slot_status_o <= W == 32 ? in_status_i : status_q;
      end else begin
        have_q <= asked_count_q;
      end
      slot_idx_q <= '0;
      part_q     <= '0;
    end
    if (rst || restart_i) begin
      slot_valid_o <= 1'b0;
      slot_error_o <= 1'b0;
      have_q       <= '0;
      part_q       <= '0;
      slot_idx_q   <= '0;
    end
    if (rst) put_q <= '0;
  end

  assign busy_o    = asked_q;
  assign starved_o = !slot_valid_o && !slot_error_o && have_q == '0 && !asked_q && !left;

`ifdef FORMAL
  logic              f_past_valid = 1'b0;
  logic [SLOT_W-1:0] f_left, f_size;      // slots to the end; slots of the ring
  logic              f_ring;              // the ring's size is a power of two, its tail not beyond it

  assign f_left = stop - next_q;
  assign f_size = ring_mask_i + 1'b1;
  assign f_ring = ring_mask_i >= SLOT_W'(7) && (ring_mask_i & f_size) == '0 && f_left <= f_size;

  logic f_line_q;                         // the ring had whole lines when the request was made
  always_ff @(posedge clk) if (!asked_q) f_line_q <= array_q || ring_mask_i[1:0] == 2'b11;

  always_ff @(posedge clk) begin
    f_past_valid <= 1'b1;
    if (!f_past_valid) assume (rst);
    if (!rst && slot_take_i) assume (slot_valid_o);
    if (!rst && word_valid) assume (asked_q && !req_valid_o);     // only answers come
    if (f_past_valid && !rst && !$past(rst)) begin
      // A slot offered stays until taken or forgotten.
      assert (!slot_valid_o || part_q == '0);
      if ($past(slot_valid_o && !slot_take_i && !restart_i)) begin
        assert (slot_valid_o);
        assert (slot_o == $past(slot_o));
      end
      // A fetch takes at least one slot, none beyond the end, none across the ring's wrap.
      if (left && (array_q || f_ring)) begin
        assert (count != '0 && count <= 3'd4);
        assert (3'(next_q[1:0]) + count <= 3'd4);
        if (!array_q) assert (SLOT_W'(count) <= f_left);
        if (!array_q) assert ((SLOT_W+1)'(place) + (SLOT_W+1)'(count) <= (SLOT_W+1)'(f_size));
      end
      // Every request stays inside its 64-byte line, and there is one at a time.
      assert (asked_q || !req_valid_o);
      if (asked_q) assert (asked_count_q <= 3'd4);
      if (req_valid_o && f_line_q) assert (LEN_W'(req_o.offset[5:0]) + req_o.length <= 17'd64);
      assert (have_q <= 3'd4);
      cover (slot_valid_o && have_q == 3'd1 && array_q);
      cover (stale_q && answer);
      cover (slot_error_o);
    end
  end
`endif

endmodule

// Frame FIFO in block RAM: a frame comes out only when all of it is in, and a
// frame that is bad leaves no trace.
//
// Contract: holds DEPTH - 2 beats beside two at its output; a frame must not be
// longer than DEPTH - 2.  A frame that ends with in_bad_i vanishes and pulses drop_bad_o.  When
// there is no room in_ready_o falls; with DROP_FULL it never does, and the frame
// that found no room vanishes whole and pulses drop_full_o.  in_meta_i is read with
// the last beat and stands beside every beat of the frame on the way out; at most
// FRAMES - 1 frames are inside (META_W = 0: no meta data, no such limit).
// out_bad_o is always 0.
// Latency: 3 cycles after the last beat.  Rate: a beat a cycle on both sides.
// Cost: DEPTH words of 9/8 W bits in block RAM (below), the meta data in LUT memory.
// Block RAM: 2 at W=64 DEPTH=512, 2 at W=32 DEPTH=1024, 16 at W=512 DEPTH=64.
module flue_frame_fifo
  import flue_pkg::*;
#(
  parameter int W         = 64,   // data, bits: 16 to 512
  parameter int DEPTH     = 512,  // beats, a power of two
  parameter int META_W    = 0,    // meta data, bits
  parameter int FRAMES    = 16,   // a power of two
  parameter bit DROP_FULL = 1'b1,
  localparam int MW = META_W > 0 ? META_W : 1
) (
  input  logic           clk,
  input  logic           rst,

  input  logic           in_valid_i,
  output logic           in_ready_o,
  input  logic [W-1:0]   in_data_i,
  input  logic [W/8-1:0] in_keep_i,
  input  logic           in_last_i,
  input  logic           in_bad_i,
  input  logic [MW-1:0]  in_meta_i,

  output logic           out_valid_o,
  input  logic           out_ready_i,
  output logic [W-1:0]   out_data_o,
  output logic [W/8-1:0] out_keep_o,
  output logic           out_last_o,
  output logic           out_bad_o,
  output logic [MW-1:0]  out_meta_o,

  output logic           drop_bad_o,
  output logic           drop_full_o
);

  localparam int B  = W / 8;
  localparam int AW = $clog2(DEPTH);

  if (DEPTH < 4 || 2**AW != DEPTH || 2**$clog2(FRAMES) != FRAMES) begin : g_check
    $error("DEPTH (at least 4) and FRAMES must be powers of two");
  end

  // keep[0] is always 1, so its bit holds last: 9 bits a byte, as block RAM has them.
  typedef struct packed {
    logic [B-1:1] keep;
    logic         last;
    logic [W-1:0] data;
  } word_t;

  // no_rw_check: what is being written is never read in the same cycle, so the read
  // port needs no logic for that case.
  (* no_rw_check *)
  word_t         mem [DEPTH];

  // The pointers step through the sequence of flue_pkg::lfsr_next.
  logic [AW-1:0] wr_q;            // next beat of the frame that is coming in
  logic [AW-1:0] commit_q;        // where that frame began: all before it is whole
  logic [AW-1:0] rd_q;            // next beat to read
  logic [AW-1:0] limit_q;         // the one before it: not to be written

  // The two comparisons of pointers are made a cycle ahead, so that only flip-flops
  // wait for them: after a beat went in or out, the flags are what the neighbours of the
  // pointers say; else they stay.
  logic full_q;                   // wr_q == limit_q
  logic commit_full_q;            // commit_q == limit_q
  logic empty_q;                  // rd_q == commit_q
  logic meta_full_q, read;
  logic [AW-1:0] wr_next, rd_next;

  assign wr_next = AW'(lfsr_next(16'(wr_q), AW));
  assign rd_next = AW'(lfsr_next(16'(rd_q), AW));

  // Input.  A bad frame is taken back with its last beat, a lost one (no room) from
  // the cycle after the beat that did not fit until it ends.  When that beat was the
  // last one, the cycle in which it is taken back has no room either.
  logic full, moves, ends, rewind, commit;
  logic lost_q;                   // inside a lost frame
  logic rewind_q;                 // take back a lost frame

  assign full       = full_q || meta_full_q;
  assign in_ready_o = DROP_FULL || !full;
  assign moves      = in_valid_i && !full && !rewind_q;
  assign ends       = in_valid_i && in_ready_o && in_last_i;
  assign rewind     = rewind_q || (in_valid_i && in_last_i && in_bad_i);
  assign commit     = moves && in_last_i && !in_bad_i;

  always_ff @(posedge clk)
    if (moves) mem[wr_q] <= '{keep: in_keep_i[B-1:1], last: in_last_i, data: in_data_i};

  always_ff @(posedge clk) begin
    if (moves || rewind) wr_q <= rewind ? commit_q : wr_next;
    if (commit) commit_q <= wr_next;
    full_q        <= !read && (rewind ? commit_full_q : moves ? wr_next == limit_q : full_q);
    commit_full_q <= !read && (commit ? wr_next == limit_q : commit_full_q);
    if (!DROP_FULL) begin
      lost_q   <= 1'b0;
      rewind_q <= 1'b0;
    end else if (in_valid_i) begin
      lost_q   <= !in_last_i && (full || rewind_q);
      rewind_q <= in_last_i ? full && !rewind_q : full || rewind_q;
    end else begin
      rewind_q <= lost_q;
    end
    drop_bad_o  <= ends && in_bad_i;
    drop_full_o <= ends && !in_bad_i && (full || rewind_q);
    if (rst) begin
      wr_q          <= '0;
      commit_q      <= '0;
      full_q        <= 1'b0;
      commit_full_q <= 1'b0;
      lost_q        <= 1'b0;
      rewind_q      <= 1'b0;
      drop_bad_o    <= 1'b0;
      drop_full_o   <= 1'b0;
    end
  end

  // Output: the memory's read register, then the output register.
  logic  read_valid_q, step, next;
  word_t read_q;

  assign next = !out_valid_o || out_ready_i;
  assign step = !read_valid_q || next;
  assign read = step && !empty_q;

  always_ff @(posedge clk) if (step) read_q <= mem[rd_q];

  always_ff @(posedge clk) begin
    empty_q <= !commit && (read ? rd_next == commit_q : empty_q);
    if (step) read_valid_q <= !empty_q;
    if (read) begin
      rd_q    <= rd_next;
      limit_q <= rd_q;
    end
    if (next) begin
      out_valid_o <= read_valid_q;
      out_data_o  <= read_q.data;
      out_keep_o  <= {read_q.keep, 1'b1};
      out_last_o  <= read_q.last;
    end
    if (rst) begin
      rd_q         <= '0;
      limit_q      <= AW'(1) << (AW - 1);
      empty_q      <= 1'b1;
      read_valid_q <= 1'b0;
      out_valid_o  <= 1'b0;
    end
  end

  assign out_bad_o = 1'b0;

  // Meta data: one word a frame, at the output while the frame is.
  if (META_W > 0) begin : g_meta
    localparam int FW = $clog2(FRAMES);
    (* ram_style = "distributed" *)
    logic [MW-1:0] meta [FRAMES];
    logic [FW-1:0] meta_wr_q, meta_rd_q;

    logic          meta_pop;

    assign meta_pop   = out_valid_o && out_ready_i && out_last_o;
    assign out_meta_o = meta[meta_rd_q];

    always_ff @(posedge clk) if (commit) meta[meta_wr_q] <= in_meta_i;

    always_ff @(posedge clk) begin
      if (commit) meta_wr_q <= meta_wr_q + 1'b1;
      if (meta_pop) meta_rd_q <= meta_rd_q + 1'b1;
      if (meta_pop) meta_full_q <= 1'b0;
      else if (commit) meta_full_q <= meta_wr_q == FW'(meta_rd_q - FW'(2));
      if (rst) begin
        meta_wr_q   <= '0;
        meta_rd_q   <= '0;
        meta_full_q <= 1'b0;
      end
    end
  end else begin : g_no_meta
    assign meta_full_q = 1'b0;
    assign out_meta_o  = '0;
    logic unused_meta;
    assign unused_meta = ^in_meta_i;
  end

`ifdef FORMAL
  logic f_past;
  initial f_past = 1'b0;
  always_ff @(posedge clk) f_past <= 1'b1;

  always_ff @(posedge clk) begin
    if (!f_past) assume (rst);
    if (f_past && !rst && !$past(rst)) begin
      // Environment: the source keeps the stream rules.
      if ($past(in_valid_i && !in_ready_o)) begin
        assume (in_valid_i);
        assume (in_last_i == $past(in_last_i));
        assume (!in_last_i || in_bad_i == $past(in_bad_i));
      end
      // An offered beat stays and never changes.
      if ($past(out_valid_o && !out_ready_i)) begin
        assert (out_valid_o);
        assert ($stable(out_data_o) && $stable(out_keep_o) && $stable(out_last_o));
        assert ($stable(out_meta_o));
      end
      if (DROP_FULL) assert (in_ready_o);
    end
    // The memory is not read where it is being written: the reason for no_rw_check.
    if (f_past && !rst) assert (!(moves && read && rd_q == wr_q));
  end

  // A kept frame is whole: nothing of an earlier one is before it, and no beat of it
  // found no room.
  logic f_inside_q;               // a frame has begun at the input and not ended
  logic f_missing_q;              // a beat of it was not stored
  always_ff @(posedge clk) begin
    if (in_valid_i && in_ready_o) begin
      f_inside_q  <= !in_last_i;
      f_missing_q <= !in_last_i && (f_missing_q || !moves);
    end
    if (rst) begin
      f_inside_q  <= 1'b0;
      f_missing_q <= 1'b0;
    end
    if (f_past && !rst) begin
      assert (f_inside_q || rewind_q || wr_q == commit_q);
      assert (f_missing_q == lost_q);
      assert (!(commit && f_missing_q));
    end
  end

  // Order and content, for depths small enough to be proved.
  if (AW <= 3 && META_W > 0) begin : g_proof
    localparam int N  = 2**AW - 1;                  // values of a pointer
    localparam int FW = $clog2(FRAMES);

    // Steps from pointer `a` to pointer `b`.
    function automatic logic [AW:0] f_dist(input logic [AW-1:0] a, input logic [AW-1:0] b);
      logic [AW-1:0] p;
      f_dist = (AW+1)'(N);
      p      = a;
      for (int k = 0; k < N; k++) begin
        if (p == b) f_dist = (AW+1)'(k);
        p = AW'(lfsr_next(16'(p), AW));
      end
    endfunction

    logic [AW:0] f_stored, f_committed;             // beats in the memory
    assign f_stored    = f_dist(rd_q, wr_q);
    assign f_committed = f_dist(rd_q, commit_q);

    // A marked beat leaves after exactly the beats that were ahead of it, if its frame
    // is kept, with the meta data of its frame.  f_turn_q begins anywhere, so any beat
    // may be the marked one.
    logic [2:0]    f_turn_q;
    logic          f_live_q, f_kept_q;
    word_t         f_word_q;
    logic [AW-1:0] f_at_q;
    logic [AW+1:0] f_ahead_q, f_out;
    logic [AW:0]   f_at_dist;
    logic [FW-1:0] f_frame_q;                       // its frame's place in the meta data
    logic [MW-1:0] f_meta_q;
    logic          pop;

    assign pop       = out_valid_o && out_ready_i;
    assign f_out     = (AW+2)'(read_valid_q) + (AW+2)'(out_valid_o);
    assign f_at_dist = f_dist(rd_q, f_at_q);

    // Frame ends among the beats inside: all of them, and those ahead of the marked beat.
    logic [AW+1:0] f_ends, f_ends_ahead;
    logic          f_open_ends, f_tail_last;
    always_comb begin
      logic [AW-1:0] p;
      f_ends       = (AW+2)'(out_valid_o && out_last_o) + (AW+2)'(read_valid_q && read_q.last);
      f_ends_ahead = (AW+2)'(out_valid_o && out_last_o && f_ahead_q > 0) +
                     (AW+2)'(read_valid_q && read_q.last && f_ahead_q > (AW+2)'(out_valid_o));
      f_open_ends  = 1'b0;
      f_tail_last  = read_valid_q ? read_q.last : !out_valid_o || out_last_o;
      p            = rd_q;
      for (int k = 0; k < N; k++) begin
        if (k < f_committed) begin
          f_ends      = f_ends + (AW+2)'(mem[p].last);
          f_tail_last = mem[p].last;
          if (f_live_q && f_ahead_q >= f_out && k < f_at_dist)
            f_ends_ahead = f_ends_ahead + (AW+2)'(mem[p].last);
        end else if (k < f_stored) begin
          f_open_ends = f_open_ends || mem[p].last;
        end
        p = AW'(lfsr_next(16'(p), AW));
      end
    end

    always_ff @(posedge clk) begin
      f_turn_q <= f_turn_q + 3'(moves);
      if (f_live_q) begin
        if (pop) f_ahead_q <= f_ahead_q - 1'b1;
        if ((pop && f_ahead_q == '0) || (!f_kept_q && rewind)) f_live_q <= 1'b0;
        if (!f_kept_q && commit) begin
          f_kept_q <= 1'b1;
          f_meta_q <= in_meta_i;
        end
      end else if (moves && !rewind && f_turn_q == '0) begin
        f_live_q  <= 1'b1;
        f_kept_q  <= commit;
        f_meta_q  <= in_meta_i;
        f_word_q  <= '{keep: in_keep_i[B-1:1], last: in_last_i, data: in_data_i};
        f_at_q    <= wr_q;
        f_ahead_q <= (AW+2)'(f_stored) + f_out - (AW+2)'(pop);
        f_frame_q <= g_meta.meta_wr_q;
      end
      if (rst) f_live_q <= 1'b0;

      if (f_past && !rst) begin
        // Pointers are in the sequence and in order.
        assert (rd_q != '1 && wr_q != '1 && commit_q != '1);
        assert (AW'(lfsr_next(16'(limit_q), AW)) == rd_q && limit_q != '1);
        assert (f_committed <= f_stored);
        assert (full_q == (wr_q == limit_q) && commit_full_q == (commit_q == limit_q));
        assert (empty_q == (rd_q == commit_q));
        assert (meta_full_q == (FW'(g_meta.meta_wr_q + 1'b1) == g_meta.meta_rd_q));
        assert (DROP_FULL ? !lost_q || rewind_q : !lost_q && !rewind_q);
        // What is committed ends with the end of a frame; what is not has none.
        assert (f_tail_last);
        assert (!f_open_ends);
        assert (f_ends == (AW+2)'(FW'(g_meta.meta_wr_q - g_meta.meta_rd_q)));
        if (f_live_q) begin
          assert (f_kept_q || f_frame_q == g_meta.meta_wr_q);
          assert (f_ends_ahead == (AW+2)'(FW'(f_frame_q - g_meta.meta_rd_q)));
          if (f_kept_q) begin
            assert (g_meta.meta[f_frame_q] == f_meta_q);
            assert (FW'(f_frame_q - g_meta.meta_rd_q) < FW'(g_meta.meta_wr_q - g_meta.meta_rd_q));
          end
          if (f_ahead_q >= f_out) begin
            assert (f_ahead_q == (AW+2)'(f_at_dist) + f_out);
            assert (f_at_dist < f_stored);
            assert (f_kept_q == (f_at_dist < f_committed));
            assert (mem[f_at_q] == f_word_q);
          end else begin
            assert (f_kept_q);
            if (out_valid_o && f_ahead_q == '0) begin
              assert ({out_keep_o, out_last_o, out_data_o} == {f_word_q.keep, 1'b1, f_word_q.last, f_word_q.data});
              assert (out_meta_o == f_meta_q);
            end else begin
              assert (read_q == f_word_q);
            end
          end
          cover (pop && f_ahead_q == '0 && f_frame_q != '0);
        end
        cover (drop_full_o);
        cover (full);
      end
    end
  end
`endif

endmodule

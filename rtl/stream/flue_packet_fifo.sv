// Packet stream FIFO in block RAM.
//
// Contract: holds DEPTH - 2 beats beside two at its output; beats leave as soon as
// they can, a packet need not be in it whole.  in_ready_o is low only when it is full.
// Latency: 3 cycles.  Rate: a beat a cycle on both sides.
// Cost: DEPTH words of W + log2(W / 8) + 2 bits in block RAM.
// Block RAM: 2 at W=64 DEPTH=512, 1 at W=32 DEPTH=512.
module flue_packet_fifo
  import flue_pkg::*;
#(
  parameter int W     = 64,       // data, bits: 16 to 512
  parameter int DEPTH = 512       // beats, a power of two
) (
  input  logic           clk,
  input  logic           rst,

  input  logic           in_valid_i,
  output logic           in_ready_o,
  input  logic [W-1:0]   in_data_i,
  input  logic [W/8-1:0] in_keep_i,
  input  logic           in_last_i,
  input  logic           in_bad_i,

  output logic           out_valid_o,
  input  logic           out_ready_i,
  output logic [W-1:0]   out_data_o,
  output logic [W/8-1:0] out_keep_o,
  output logic           out_last_o,
  output logic           out_bad_o
);

  localparam int B  = W / 8;
  localparam int L  = $clog2(B);
  localparam int AW = $clog2(DEPTH);

  if (DEPTH < 4 || 2**AW != DEPTH) begin : g_check
    $error("DEPTH (at least 4) must be a power of two");
  end

  // keep is stored as the index of its highest lane, so that a word of 64 bits of
  // data needs no third block RAM.
  typedef struct packed {
    logic [L-1:0] top;
    logic         last;
    logic         bad;
    logic [W-1:0] data;
  } word_t;

  // Bit k of the index is set if the highest lane is one with that bit set; of
  // the lanes at the ends of such runs at most one is set and its successor not.
  function automatic logic [L-1:0] top_lane(input logic [B-1:0] keep);
    for (int k = 0; k < L; k++) begin
      top_lane[k] = 1'b0;
      for (int j = 1 << k; j < B; j += 2 << k)
        if (keep[j] && (j + (1 << k) >= B || !keep[(j + (1 << k)) % B])) top_lane[k] = 1'b1;
    end
  endfunction

  // no_rw_check: a word is read after the cycle in which it is written, never in it.
  (* no_rw_check *)
  word_t         mem [DEPTH];

  // The pointers step through the sequence of flue_pkg::lfsr_next.  Their comparisons
  // are made a cycle ahead, so that only flip-flops wait for them.
  logic [AW-1:0] wr_q, rd_q, wr_next, rd_next;
  logic [AW-1:0] limit_q;         // the one before rd_q: not to be written
  logic          full_q;          // wr_q == limit_q
  logic          empty_q;         // wr_q == rd_q
  logic          push, read;

  assign wr_next    = AW'(lfsr_next(16'(wr_q), AW));
  assign rd_next    = AW'(lfsr_next(16'(rd_q), AW));
  assign in_ready_o = !full_q;
  assign push       = in_valid_i && !full_q;

  always_ff @(posedge clk)
    if (push)
      mem[wr_q] <= '{top: top_lane(in_keep_i), last: in_last_i, bad: in_bad_i, data: in_data_i};

  // Output: the memory's read register, then the output register.
  logic  read_valid_q, step, next;
  word_t read_q;

  assign next = !out_valid_o || out_ready_i;
  assign step = !read_valid_q || next;
  assign read = step && !empty_q;

  always_ff @(posedge clk) if (step) read_q <= mem[rd_q];

  logic [L-1:0] top_q;

  always_ff @(posedge clk) begin
    if (push) wr_q <= wr_next;
    full_q  <= !read && (push ? wr_next == limit_q : full_q);
    empty_q <= !push && (read ? rd_next == wr_q : empty_q);
    if (step) read_valid_q <= !empty_q;
    if (read) begin
      rd_q    <= rd_next;
      limit_q <= rd_q;
    end
    if (next) begin
      out_valid_o <= read_valid_q;
      out_data_o  <= read_q.data;
      out_last_o  <= read_q.last;
      out_bad_o   <= read_q.bad;
      top_q       <= read_q.top;
    end
    if (rst) begin
      wr_q         <= '0;
      rd_q         <= '0;
      limit_q      <= AW'(1) << (AW - 1);
      full_q       <= 1'b0;
      empty_q      <= 1'b1;
      read_valid_q <= 1'b0;
      out_valid_o  <= 1'b0;
    end
  end

  always_comb
    for (int j = 0; j < B; j++) out_keep_o[j] = L'(j) <= top_q;

`ifdef FORMAL
  logic f_past;
  initial f_past = 1'b0;
  always_ff @(posedge clk) f_past <= 1'b1;

  always_ff @(posedge clk) begin
    if (!f_past) assume (rst);
    // Environment: keep is contiguous from lane 0.
    if (!rst && in_valid_i) assume (in_keep_i[0] && (in_keep_i & (in_keep_i + 1'b1)) == '0);
    // An offered beat stays and never changes.
    if (f_past && !rst && !$past(rst) && $past(out_valid_o && !out_ready_i)) begin
      assert (out_valid_o);
      assert ($stable(out_data_o) && $stable(out_keep_o) && $stable(out_last_o) && $stable(out_bad_o));
    end
    // The memory is not read where it is being written: the reason for no_rw_check.
    if (f_past && !rst) assert (!(push && read && rd_q == wr_q));
  end

  // Order and content, for depths small enough to be proved.
  if (AW <= 3) begin : g_proof
    localparam int N = 2**AW - 1;                   // values of a pointer

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

    // A marked beat leaves after exactly the beats that were ahead of it.  f_turn_q
    // begins anywhere, so any beat may be the marked one.
    logic [2:0]    f_turn_q;
    logic          f_live_q;
    logic [W-1:0]  f_data_q;
    logic [B-1:0]  f_keep_q;
    logic          f_last_q, f_bad_q;
    logic [AW-1:0] f_at_q;
    logic [AW+1:0] f_ahead_q, f_out;
    logic [AW:0]   f_stored, f_at_dist;
    word_t         f_word;
    logic          pop;

    assign pop       = out_valid_o && out_ready_i;
    assign f_out     = (AW+2)'(read_valid_q) + (AW+2)'(out_valid_o);
    assign f_stored  = f_dist(rd_q, wr_q);
    assign f_at_dist = f_dist(rd_q, f_at_q);
    assign f_word    = '{top: top_lane(f_keep_q), last: f_last_q, bad: f_bad_q, data: f_data_q};

    always_ff @(posedge clk) begin
      f_turn_q <= f_turn_q + 3'(push);
      if (f_live_q) begin
        if (pop) f_ahead_q <= f_ahead_q - 1'b1;
        if (pop && f_ahead_q == '0) f_live_q <= 1'b0;
      end else if (push && f_turn_q == '0) begin
        f_live_q  <= 1'b1;
        f_data_q  <= in_data_i;
        f_keep_q  <= in_keep_i;
        f_last_q  <= in_last_i;
        f_bad_q   <= in_bad_i;
        f_at_q    <= wr_q;
        f_ahead_q <= (AW+2)'(f_stored) + f_out - (AW+2)'(pop);
      end
      if (rst) f_live_q <= 1'b0;

      if (f_past && !rst) begin
        assert (rd_q != '1 && wr_q != '1);
        assert (full_q == (wr_q == limit_q) && empty_q == (wr_q == rd_q));
        assert (AW'(lfsr_next(16'(limit_q), AW)) == rd_q && limit_q != '1);
        if (f_live_q) begin
          assert (f_keep_q[0] && (f_keep_q & (f_keep_q + 1'b1)) == '0);
          if (f_ahead_q >= f_out) begin
            assert (f_ahead_q == (AW+2)'(f_at_dist) + f_out);
            assert (f_at_dist < f_stored);
            assert (mem[f_at_q] == f_word);
          end else if (out_valid_o && f_ahead_q == '0) begin
            assert (out_data_o == f_data_q && out_keep_o == f_keep_q);
            assert (out_last_o == f_last_q && out_bad_o == f_bad_q);
          end else begin
            assert (read_q == f_word);
          end
          cover (pop && f_ahead_q == '0 && f_keep_q == '1);
        end
        cover (!in_ready_o);
      end
    end
  end
`endif

endmodule

// Brings each received frame where its verdict says: to the receive queue, into the connection's receive ring, or nowhere.
//
// Contract: one verdict a frame, in the order of the frames; a marker is a verdict without frame.
//   HOST: to out_*, unchanged.  DIVERT: the same with out_divert_o and out_note_o (handle, number, whether frames were lost before);
//   it takes the number when the receive queue takes the frame (taken_i), lost_i instead leaves a mark for the
//   next number.  DROP: freed.  PLACE: bytes [pay_off + skip, + len) of the frame go to the receive ring: byte s of the stream at base + (s mod
//   size), in two writes where that wraps; placed_* (in this order) follows the answers of all its writes.  Marker: offered at marker_valid_o
//   in the same order.
//   The frame has the bytes the verdict names (the classifier's pay_off counts a tag that in_meta_i says was removed).
// done_*: a frame that was counted on its way (verdict_hit_i) is through.
// fault_place_i: every 16th placement, the first one among them, lies one byte off.
// Up to 16 placements wait for their answers.  Rate: HOST, DROP a beat a cycle and 1 cycle; DIVERT 10 more; PLACE 10 more, one for a wrap.
// Cost: one flue_pack; 974 COMB at W=32.
module flue_tcp_dispatch
  import flue_pkg::*;
  import flue_tcp_pkg::*;
#(
  parameter int W = 32,           // stream, bits: 32 to 512
  localparam int B = W / 8,
  localparam int L = $clog2(B)
) (
  input  logic               clk,
  input  logic               rst,

  input  logic               in_valid_i,        // frames, from flue_vlan_strip
  output logic               in_ready_o,
  input  logic [W-1:0]       in_data_i,
  input  logic [B-1:0]       in_keep_i,
  input  logic               in_last_i,
  input  rx_meta_t           in_meta_i,

  input  logic               verdict_valid_i,   // flue_tcp_classify
  output logic               verdict_ready_o,
  input  tcp_verdict_t       verdict_i,
  input  logic               verdict_hit_i,
  input  logic               verdict_marker_i,

  output logic               out_valid_o,       // flue_rx_queue
  input  logic               out_ready_i,
  output logic [W-1:0]       out_data_o,
  output logic [B-1:0]       out_keep_o,
  output logic               out_last_o,
  output rx_meta_t           out_meta_o,
  output logic               out_divert_o,
  output rx_note_t           out_note_o,
  input  logic               taken_i,
  input  logic               lost_i,
  output logic               marker_valid_o,
  input  logic               marker_ready_i,

  output logic               ask_valid_o,       // flue_tcp_numbers
  input  logic               ask_ready_i,
  input  logic [31:0]        ask_number_i,
  input  logic               ask_gap_i,
  output logic               done_valid_o,
  input  logic               done_ready_i,
  output logic               done_commit_o,
  output logic               done_lost_o,
  output logic [INDEX_W-1:0] index_o,           // of ask, done and ring

  output logic               ring_valid_o,      // flue_tcp_rings
  input  logic               ring_ready_i,
  input  tcp_ring_t          ring_i,

  output logic               wr_req_valid_o,    // DMA write client
  input  logic               wr_req_ready_i,
  output dma_req_t           wr_req_o,
  output logic               wr_valid_o,
  input  logic               wr_ready_i,
  output logic [W-1:0]       wr_data_o,
  output logic [B-1:0]       wr_keep_o,
  output logic               wr_last_o,
  input  logic               wr_done_i,
  input  status_e            wr_status_i,

  output logic               placed_valid_o,    // the engine
  input  logic               placed_ready_i,
  output logic [INDEX_W-1:0] placed_index_o,
  output tcp_placed_t        placed_o,

  input  logic               fault_place_i,
  output logic               wait_o,            // a frame or marker can only wait for the receive queue
  output logic               idle_o             // nothing happens without input or the receive queue
);

  localparam int PLACEMENTS = 16;               // that wait for their answers

  typedef enum logic [3:0] {
    S_VERDICT,                            // a verdict, and the frame, are awaited
    S_MARKER,
    S_NUMBER,                             // the number it would have is asked for
    S_PASS,                               // the frame moves to the receive queue
    S_EAT,                                // the rest of the frame is swallowed
    S_RING,                               // the ring is asked for
    S_PLACE,                              // where in it: position, and bytes to its end
    S_CUT,                                // one write or two
    S_COPY,                               // the payload moves
    S_DONE                                // it is counted off
  } state_e;

  state_e             state_q, state_d;
  tcp_verdict_t       v_q;
  logic               hit_q, commit_q, lost_q, last_moves;
  logic               placements_ready, requests_free;
  logic               copied;             // all of the payload has moved

  assign last_moves = in_valid_i && in_ready_o && in_last_i;

  always_comb begin
    state_d         = state_q;
    verdict_ready_o = 1'b0;
    unique case (state_q)
      S_VERDICT:
        if (verdict_valid_i && (in_valid_i || verdict_marker_i)) begin
          verdict_ready_o = 1'b1;
          unique case (verdict_i.kind)
            VERDICT_HOST:   state_d = S_PASS;
            VERDICT_DIVERT: state_d = verdict_marker_i ? S_MARKER : S_NUMBER;
            VERDICT_DROP:   state_d = S_EAT;
            default:        state_d = S_RING;
          endcase
        end
      S_MARKER: if (marker_ready_i) state_d = S_VERDICT;
      S_NUMBER: if (ask_ready_i) state_d = S_PASS;
      S_PASS,
      S_EAT:    if (last_moves) state_d = hit_q ? S_DONE : S_VERDICT;
      S_RING:   if (ring_ready_i) state_d = S_PLACE;
      S_PLACE:  state_d = S_CUT;
      S_CUT:    if (placements_ready && requests_free) state_d = S_COPY;
      S_COPY:   if (last_moves) state_d = S_DONE;
                else if (copied) state_d = S_EAT;
      S_DONE:   if (done_ready_i) state_d = S_VERDICT;
      default:  state_d = S_VERDICT;
    endcase
  end

  always_ff @(posedge clk) begin
    state_q <= state_d;
    if (verdict_ready_o) begin
      v_q         <= verdict_i;
      v_q.pay_off <= verdict_i.pay_off - (in_meta_i.vlan ? 10'd4 : 10'd0);
      hit_q       <= verdict_hit_i || verdict_i.kind == VERDICT_PLACE;
      commit_q    <= 1'b0;
      lost_q      <= 1'b0;
    end
    if (taken_i) commit_q <= 1'b1;
    if (lost_i)  lost_q   <= 1'b1;
    if (rst) state_q <= S_VERDICT;
  end

  // ---- to the receive queue ----
  assign out_valid_o  = state_q == S_PASS && in_valid_i;
  assign out_data_o   = in_data_i;
  assign out_keep_o   = in_keep_i;
  assign out_last_o   = in_last_i;
  assign out_meta_o   = in_meta_i;
  assign out_divert_o = v_q.kind == VERDICT_DIVERT;
  assign out_note_o   = '{gap: ask_gap_i, index: v_q.index, generation: v_q.generation,
                          number: state_q == S_MARKER ? v_q.number : ask_number_i};

  assign marker_valid_o = state_q == S_MARKER;
  assign ask_valid_o    = state_q == S_NUMBER;
  assign done_valid_o   = state_q == S_DONE;
  assign done_commit_o  = commit_q;
  assign done_lost_o    = lost_q;
  assign index_o        = v_q.index;
  assign ring_valid_o   = state_q == S_RING;

  // ---- where it goes ----
  logic [7:0]  region_q;
  logic [4:0]  log2_q;
  logic [31:0] base_q, mask, seq, at_q;
  logic [31:0] after_at_q;                // bytes from there to the ring's end, less 1
  logic [3:0]  fault_count_q;
  logic [16:0] beyond;                    // bytes that lie beyond the end; negative when the end is not reached
  logic        wraps, long_way;

  always_comb
    for (int i = 0; i < 32; i++) mask[i] = 5'(i) < log2_q;

  assign seq      = {v_q.seq[31:1], v_q.seq[0] ^ (fault_place_i && fault_count_q == '0)};
  assign long_way = |after_at_q[31:16];
  assign beyond   = {1'b0, v_q.len - 16'd1} - {1'b0, after_at_q[15:0]};
  assign wraps    = !long_way && !beyond[16] && beyond != '0;

  // The second write waits behind the first.
  logic        second_q;
  dma_req_t    second_req_q;
  logic [15:0] rest_q;                    // bytes of this write that have not moved
  logic [15:0] next_rest_q;               // bytes of the second one, 0 without

  assign requests_free = !wr_req_valid_o && !second_q;

  always_ff @(posedge clk) begin
    if (ring_valid_o) begin
      region_q <= ring_i.region;
      log2_q   <= ring_i.log2;
      base_q   <= ring_i.base;
    end
    if (state_q == S_PLACE) begin
      at_q          <= base_q + (seq & mask);
      after_at_q    <= ~seq & mask;
      fault_count_q <= fault_count_q + 4'(fault_place_i);
    end
    if (wr_req_ready_i && wr_req_valid_o) begin
      wr_req_valid_o <= second_q;
      wr_req_o       <= second_req_q;
      second_q       <= 1'b0;
    end
    if (state_q == S_CUT && state_d == S_COPY) begin
      wr_req_valid_o <= 1'b1;
      wr_req_o       <= '{region: region_q, offset: at_q,
                          length: wraps ? LEN_W'(after_at_q[15:0]) + 17'd1 : LEN_W'(v_q.len)};
      second_q       <= wraps;
      second_req_q   <= '{region: region_q, offset: base_q, length: LEN_W'(beyond[15:0])};
    end
    if (rst) begin
      wr_req_valid_o <= 1'b0;
      second_q       <= 1'b0;
      fault_count_q  <= '0;
    end
  end

  // ---- the payload: lanes of each beat, a beat in two when a write ends inside it ----
  logic [15:0]  skip_q;                   // bytes still before the payload; at most B - 1: the lane it begins in
  logic [L:0]   here, take;               // bytes of the beat from that lane on, and what of them is taken
  logic         ahead, ends, splits, chunk, feed_ready, chunk_ready;
  logic         chunk_valid_q, chunk_last_q;
  logic [W-1:0] chunk_data_q;
  logic [L-1:0] chunk_off_q;
  logic [L:0]   chunk_len_q;

  assign ahead      = |skip_q[15:L];
  assign here       = (L+1)'(B) - {1'b0, skip_q[L-1:0]};
  assign ends       = rest_q <= 16'(here);
  assign splits     = ends && next_rest_q != '0 && rest_q[L:0] != here;
  assign take       = ends ? rest_q[L:0] : here;
  assign feed_ready = !chunk_valid_q || chunk_ready;
  assign chunk      = state_q == S_COPY && in_valid_i && !ahead && feed_ready;
  assign copied     = chunk && ends && next_rest_q == '0;

  always_comb begin
    unique case (state_q)
      S_PASS:  in_ready_o = out_ready_i;
      S_EAT:   in_ready_o = 1'b1;
      S_COPY:  in_ready_o = ahead || (feed_ready && !splits);
      default: in_ready_o = 1'b0;
    endcase
  end

  always_ff @(posedge clk) begin
    if (state_q == S_CUT) begin
      skip_q      <= v_q.skip + 16'(v_q.pay_off);
      rest_q      <= wraps ? after_at_q[15:0] + 16'd1 : v_q.len;
      next_rest_q <= wraps ? beyond[15:0] : '0;
    end else if (state_q == S_COPY && in_valid_i && ahead) begin
      skip_q <= skip_q - 16'(B);
    end else if (chunk) begin
      skip_q      <= splits ? skip_q + 16'(take) : '0;
      rest_q      <= ends ? next_rest_q : rest_q - 16'(take);
      next_rest_q <= ends ? '0 : next_rest_q;
    end
    if (feed_ready) begin
      chunk_valid_q <= chunk;
      chunk_last_q  <= ends;
      chunk_data_q  <= in_data_i;
      chunk_off_q   <= skip_q[L-1:0];
      chunk_len_q   <= take;
    end
    if (rst) chunk_valid_q <= 1'b0;
  end

  flue_pack #(.W(W), .U(1)) u_pack (
    .clk, .rst,
    .in_valid_i(chunk_valid_q), .in_ready_o(chunk_ready), .in_data_i(chunk_data_q), .in_off_i(chunk_off_q),
    .in_len_i(chunk_len_q), .in_last_i(chunk_last_q), .in_bad_i(1'b0), .in_skip_i('0), .in_user_i(1'b0),
    .out_valid_o(wr_valid_o), .out_ready_i(wr_ready_i), .out_data_o(wr_data_o), .out_keep_o(wr_keep_o),
    .out_last_o(wr_last_o), .out_bad_o(), .out_user_o()
  );

  // ---- placements that wait for their answers ----
  typedef struct packed {
    logic [INDEX_W-1:0] index;
    logic [31:0]        after;
    logic               two;
  } placement_t;

  placement_t placement_in, placement;
  logic       placement_valid, placement_done, result_valid, result_ok, result_take, results_ready;
  logic       half_q, half_ok_q;          // the first of two is answered
  logic [4:0] placements, unused_count;
  logic       unused_top;

  assign placement_in = '{index: v_q.index, after: v_q.after, two: wraps};

  flue_fifo #(.W($bits(placement_t)), .DEPTH(PLACEMENTS)) u_placements (
    .clk, .rst, .in_valid_i(state_q == S_CUT && requests_free), .in_ready_o(placements_ready), .in_i(placement_in),
    .out_valid_o(placement_valid), .out_ready_i(placement_done), .out_o(placement), .count_o(placements)
  );
  flue_fifo #(.W(1), .DEPTH(2 * PLACEMENTS)) u_results (
    .clk, .rst, .in_valid_i(wr_done_i), .in_ready_o(results_ready), .in_i(wr_status_i == ST_OK),
    .out_valid_o(result_valid), .out_ready_i(result_take), .out_o(result_ok), .count_o({unused_count, unused_top})
  );



  assign result_take    = placement_valid && result_valid && (!placed_valid_o || placed_ready_i);
  assign placement_done = result_take && (!placement.two || half_q);

  always_ff @(posedge clk) begin
    if (placed_ready_i) placed_valid_o <= 1'b0;
    if (result_take) begin
      half_q    <= placement.two && !half_q;
      half_ok_q <= result_ok;
    end
    if (placement_done) begin
      placed_valid_o <= 1'b1;
      placed_index_o <= placement.index;
      placed_o       <= '{after: placement.after, ok: result_ok && (half_ok_q || !half_q)};
    end
    if (rst) begin
      placed_valid_o <= 1'b0;
      half_q         <= 1'b0;
    end
  end

  assign wait_o = (state_q == S_PASS && in_valid_i) || state_q == S_MARKER;
  assign idle_o = placements == '0 && !placed_valid_o &&
                  ((state_q == S_PASS && !out_ready_i) || (state_q == S_MARKER && !marker_ready_i) ||
                   (state_q == S_VERDICT && !verdict_valid_i));

  logic unused;
  assign unused = &{1'b0, results_ready, unused_count, unused_top, in_keep_i};

`ifdef FORMAL
  always_ff @(posedge clk) if (!rst) begin
    if (wr_done_i) assert (results_ready);
    // The frame has what the verdict says.
    if (state_q == S_COPY && in_valid_i && in_ready_o && in_last_i) assert (!ahead && ends && next_rest_q == '0);
    // A diverted frame is taken or lost, once.
    if (done_valid_o && v_q.kind == VERDICT_DIVERT) assert (commit_q != lost_q);
    if (verdict_valid_i && verdict_i.kind == VERDICT_PLACE && !verdict_marker_i) assert (verdict_i.len != '0);
  end
`endif

endmodule

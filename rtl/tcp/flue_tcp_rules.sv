// The rules of one event: the record in registers, changed step by step (docs/tcp.md section 3).
//
//   S_EVENT   is it acceptable, what is due          S_CHOOSE  what a turn now would send; hand over
//   S_HOLD    payload against held ranges            S_DIVIDE  whole segments
//   S_ACK     acknowledgement, payload               S_APPLY   a turn leaves; then S_CHOOSE again
//   S_PASS    the scoreboard goes round
//   S_LOSS    duplicates, congestion window, RCV.NXT S_ENTER   a recovery begins
//
// Contract: an event enters when ready_o, and leaves when out_ready_i.
// Latency: segment without ranges 4 cycles, most other events 3.  A held range costs a cycle, each range of the peer's 3 for an
//   event and 1 for each SACK block of a segment, a turn about 20.
module flue_tcp_rules
  import flue_tcp_pkg::*;
  import flue_tcp_step_pkg::*;
(
  input  logic               clk,
  input  logic               rst,
  input  tcp_cfg_t           cfg_i,

  input  logic               start_i,
  output logic               ready_o,
  input  tcp_rec_t           rec_i,
  input  tcp_work_t          work_i,
  input  logic               bad_i,

  output logic               busy_o,
  output logic [INDEX_W-1:0] index_o,
  output logic               forgot_o,      // pulse: a range of the peer's did not fit

  output logic               out_start_o,
  input  logic               out_ready_i,
  output tcp_rec_t           out_rec_o,
  output tcp_work_t          out_work_o,
  output tcp_way_t           out_way_o,
  output logic               out_bad_o,
  output logic [31:0]        out_rto_o,
  output logic               out_would_o,
  output logic [31:0]        out_free_o,
  output logic [31:0]        out_rcv_nxt_o,
  output tcp_state_e         out_state_o,
  output logic [31:0]        out_left_o,
  output logic [16:0]        out_len_o,
  output logic [15:0]        out_mss_now_o,
  output logic [2:0]         out_blocks_o,
  output logic               out_dsack_o,
  output logic               out_psh_o,
  output logic               out_fin_o,
  output logic               out_resend_o
);

  typedef enum logic [3:0] {
    S_IDLE, S_EVENT, S_HOLD, S_ACK, S_PASS, S_LOSS, S_ENTER, S_CHOOSE, S_DIVIDE, S_APPLY
  } state_e;
  typedef enum logic [2:0] { P_TRIM, P_BLOCK, P_TOTAL, P_EDGE, P_PIPE } pass_e;

  state_e      state_q;
  pass_e       pass_q;
  logic        begun_q;                     // the pass of this state was started
  tcp_rec_t    rec_q;
  tcp_work_t   work_q;
  tcp_way_t    way_q;
  logic        bad_q;
  logic [31:0] left_q, free_q, nxt_q, base_q;
  tcp_state_e  was_q;
  logic [1:0]  block_q;
  logic        sack_new_q;
  tcp_choice_t choice_q;
  logic        psh_q, fin_q, resend_q;
  logic [15:0] mss_now_q, sent_mss_q;
  logic [2:0]  blocks_q, sent_blocks_q;

  tcp_seg_t    seg;
  assign seg = tcp_seg_t'(work_q.data);

  logic load;
  assign load = start_i && ready_o;

  // ---- S_EVENT ----
  tcp_rec_t accept_rec, event_rec, first_rec;
  tcp_way_t accept_way, event_way, first_way;
  logic     segment;
  assign segment = work_q.kind == EV_SEGMENT || work_q.kind == EV_FORWARD;

  flue_tcp_accept u_accept (
    .rec_i(rec_q), .seg_i(seg), .now_i(work_q.now), .age_i(work_q.age), .rec_o(accept_rec), .way_o(accept_way)
  );
  flue_tcp_event u_event (.rec_i(rec_q), .work_i(work_q), .rec_o(event_rec), .way_o(event_way));

  logic [31:0] since;
  assign since = work_q.now - rec_q.timed_at;

  always_comb begin
    first_rec = event_rec;
    first_way = event_way;
    if (segment) begin
      first_rec = accept_rec;
      first_way = accept_way;
      if (rec_q.mode != MODE_LIVE) begin
        first_rec        = rec_q;
        first_way        = way_none();
        first_way.divert = 1'b1;
        first_way.quiet  = rec_q.mode != MODE_FREEZING;
        first_way.reason = rec_q.mode == MODE_FREEZING ? R_FROZEN : R_CLOSED;
      end
    end
    first_way.round_trip = since[31:26] != '0 ? '1 : since[25:0];
    if (work_q.word) begin
      first_rec        = rec_q;
      first_way        = way_none();
      first_way.quiet  = 1'b1;
      first_way.reason = work_q.data[$bits(tcp_access_t)-1] && rec_q.mode != MODE_EMPTY && rec_q.mode != MODE_FROZEN
                         ? R_REFUSED : R_COMMAND;
    end
    if (bad_q && !first_way.clear) first_way.quiet = 1'b1;
  end

  // ---- held ranges ----
  logic       hold_busy, hold_last, touched, contained, overlap, above, push, met_q;
  tcp_range_t joined, overlapped;
  tcp_range_t [HELD-1:0] held;
  logic [2:0] held_count;

  flue_tcp_hold u_hold (
    .clk, .rst, .load_i(load), .list_i(rec_i.held), .count_i(rec_i.held_count),
    .start_i(state_q == S_HOLD && !begun_q), .bytes_i(way_q.bytes),
    .payload_i('{left: way_q.left, right: way_q.right}), .fin_at_i(way_q.fin_at),
    .push_i(push && state_q == S_ACK),
    .busy_o(hold_busy), .last_o(hold_last), .touched_o(touched), .contained_o(contained), .union_o(joined),
    .overlap_o(overlap), .first_o(overlapped), .above_o(above), .list_o(held), .count_o(held_count)
  );

  // ---- S_ACK ----
  tcp_rec_t ack_rec, second_rec;
  tcp_way_t ack_way, second_way;

  flue_tcp_ack u_ack (.rec_i(rec_q), .way_i(way_q), .seg_i(seg), .rec_o(ack_rec), .way_o(ack_way));
  flue_tcp_receive u_receive (
    .rec_i(ack_rec), .way_i(ack_way), .met_i(met_q), .count_i(held_count), .touched_i(touched), .contained_i(contained),
    .union_i(joined), .overlap_i(overlap), .overlap_range_i(overlapped), .above_i(above),
    .rec_o(second_rec), .way_o(second_way), .push_o(push)
  );

  // ---- the scoreboard ----
  logic       list_busy, list_start, item_valid, known, some;
  logic       block_good, block_over;
  tcp_range_t item, front, block;
  tcp_range_t [SACKED-1:0] sacked;
  logic [3:0] rest, sacked_count;

  assign block      = seg.block[block_q];
  assign some       = sacked_count != '0;
  assign block_over = 3'(block_q) >= seg.blocks;
  assign block_good = !block_over && seq_lt(rec_q.snd_una, block.left) && seq_le(block.right, rec_q.snd_max) &&
                      seq_lt(block.left, block.right) &&
                      !(block_q == '0 && seg.blocks > 3'd1 && seq_le(seg.block[1].left, block.left) &&
                        seq_le(block.right, seg.block[1].right));
  assign list_start = state_q == S_PASS && !begun_q && (pass_q != P_BLOCK || block_good);

  flue_tcp_ranges #(.N(SACKED), .SORTED(1'b1)) u_scoreboard (
    .clk, .rst, .load_i(load), .list_i(rec_i.sacked), .count_i(rec_i.sacked_count),
    .clear_i(state_q == S_EVENT && first_way.rto), .push_i(1'b0),
    .start_i(list_start), .merge_i(pass_q == P_BLOCK), .trim_i(pass_q == P_TRIM), .range_i(block), .floor_i(rec_q.snd_una),
    .busy_o(list_busy), .last_o(), .item_valid_o(item_valid), .item_o(item), .front_o(front), .rest_o(rest),
    .union_o(), .touched_o(), .contained_o(known), .forgot_o, .list_o(sacked), .count_o(sacked_count)
  );

  // ---- sums over it ----
  logic [31:0] total, range_edge, lost_edge, lost, at, scan_above, cursor, edge_d;
  logic        hole;
  tcp_range_t  hole_first, hole_last;
  logic        pipe_start;
  tcp_rec_t    flight_rec;

  flue_tcp_scan u_scan (
    .clk, .total_i(list_start && pass_q == P_TOTAL), .edge_i(list_start && pass_q == P_EDGE), .pipe_i(pipe_start),
    .una_i(rec_q.snd_una), .recover_i(rec_q.recover), .mss_i(rec_q.mss), .cursor_i(cursor), .lost_edge_i(edge_d),
    .valid_i(item_valid), .item_i(item), .rest_i(rest),
    .total_o(total), .edge_o(range_edge), .lost_edge_o(lost_edge), .lost_o(lost), .at_o(at), .hole_o(hole),
    .first_o(hole_first), .last_o(hole_last), .above_o(scan_above)
  );

  // ---- S_LOSS, S_ENTER ----
  tcp_rec_t     recover_rec, third_rec, enter_rec;
  tcp_way_t     recover_way, third_way;
  logic         cc_ack, enter;
  logic [31:0]  cc_cwnd, cc_ssthresh, flying;
  logic [127:0] cc_private;

  flue_tcp_recover u_recover (
    .rec_i(rec_q), .way_i(way_q), .sack_new_i(sack_new_q), .lost_i(some && seq_lt(rec_q.snd_una, range_edge)),
    .cc_ack_o(cc_ack), .cc_cwnd_i(cc_cwnd), .cc_private_i(cc_private),
    .rec_o(recover_rec), .way_o(recover_way), .enter_o(enter)
  );
  flue_tcp_progress u_progress (
    .rec_i(recover_rec), .way_i(recover_way),
    .rec_o(third_rec), .way_o(third_way)
  );

  assign flying = rec_q.snd_max - rec_q.snd_una;

  flue_cc_newreno u_cc (
    .ack_i(cc_ack && state_q == S_LOSS), .acked_i(way_q.acked), .before_i(way_q.flight),
    .loss_i(state_q == S_ENTER && !way_q.rto), .timeout_i(state_q == S_ENTER && way_q.rto),
    .flight_i(!way_q.rto && rec_q.cwnd < flying ? rec_q.cwnd : flying), .mss_i(rec_q.mss),
    .cwnd_i(rec_q.cwnd), .ssthresh_i(rec_q.ssthresh), .private_i(rec_q.cc),
    .cwnd_o(cc_cwnd), .ssthresh_o(cc_ssthresh), .private_o(cc_private)
  );
  flue_tcp_enter u_enter (.rec_i(rec_q), .way_i(way_q), .ssthresh_i(cc_ssthresh), .rec_o(enter_rec));

  // ---- what is in flight, after S_LOSS, S_ENTER or S_APPLY ----
  tcp_rec_t    apply_rec;
  tcp_way_t    apply_way;
  logic [15:0] mss_now;
  logic [2:0]  blocks;

  // The ACK that this event will send takes the duplicate along; what a turn would send is without it then.
  logic leaving, ripe, dsack, dsack_q, sent_dsack_q;
  assign ripe    = third_rec.placing == '0 ||
                   third_rec.rcv_nxt - third_rec.last_ack_sent >= {15'b0, third_rec.mss_rcv, 1'b0};
  assign leaving = state_q == S_APPLY || (third_rec.ack_now && third_rec.acks != '1 && ripe && !way_q.turn &&
                                          !way_q.probe && !way_q.rst && third_rec.state != TCP_CLOSED);

  assign pipe_start = state_q == S_LOSS || state_q == S_ENTER || state_q == S_APPLY;
  assign flight_rec = state_q == S_LOSS ? third_rec : state_q == S_ENTER ? enter_rec : apply_rec;

  logic [31:0] clear, clear_q, offered, offered_q, queued, queued_q;
  logic        fin_alone, fin_alone_q;

  flue_tcp_flight u_flight (
    .rec_i(flight_rec), .some_i(some), .first_i(front.left), .edge_i(range_edge), .held_i(held_count),
    .newest_i(held[0]), .leaving_i(leaving), .sacked_i(some ? total : '0), .clear_o(clear), .offered_o(offered), .queued_o(queued),
    .fin_o(fin_alone), .edge_o(edge_d), .cursor_o(cursor), .mss_now_o(mss_now), .blocks_o(blocks), .dsack_o(dsack)
  );

  always_ff @(posedge clk) if (pipe_start) begin
    clear_q     <= clear;
    offered_q   <= offered;
    queued_q    <= queued;
    fin_alone_q <= fin_alone;
  end

  // ---- S_CHOOSE, S_APPLY ----
  tcp_choice_t choice;
  logic        sends, turn_now, fin, psh, resend;

  flue_tcp_choose u_choose (
    .rec_i(rec_q), .budget_i(way_q.turn ? work_q.data[16:0] : '0), .mss_now_i(mss_now_q),
    .clear_i(clear_q), .offered_i(offered_q), .queued_i(queued_q), .fin_i(fin_alone_q),
    .lost_edge_i(lost_edge), .lost_i(lost), .at_i(at), .hole_i(hole), .first_i(hole_first), .last_i(hole_last),
    .above_i(scan_above), .choice_o(choice)
  );
  assign sends    = choice.reason != R_IDLE_TURN;
  assign turn_now = way_q.turn && sends;

  logic        divide_busy;
  logic [16:0] whole, payload, payload_q;

  flue_tcp_apply u_apply (
    .rec_i(rec_q), .way_i(way_q), .choice_i(choice_q), .now_i(work_q.now),
    .rec_o(apply_rec), .way_o(apply_way), .len_o(payload), .fin_o(fin), .psh_o(psh), .resend_o(resend)
  );

  flue_tcp_whole u_whole (
    .clk, .rst, .start_i(state_q == S_CHOOSE && turn_now && choice.round), .len_i(choice.len), .mss_i(mss_now_q), .busy_o(divide_busy),
    .whole_o(whole)
  );

  // ---- timeout ----
  logic [31:0] base, rto;
  logic [4:0]  doublings;
  assign doublings = 5'(rec_q.backoff) +
                     (rec_q.persisting && !seq_lt(rec_q.snd_una, rec_q.snd_max) ? 5'(rec_q.expiries) : 5'd0);
  flue_tcp_rto u_rto (
    .rec_i(rec_q), .cfg_i, .base_o(base), .base_i(base_q), .doublings_i(doublings), .rto_o(rto)
  );

  flue_tcp_record u_record (
    .clk, .load_i(load), .rec_i, .event_i(state_q == S_EVENT), .event_rec_i(first_rec),
    .ack_i(state_q == S_ACK), .ack_rec_i(second_rec), .loss_i(state_q == S_LOSS), .loss_rec_i(third_rec),
    .enter_i(state_q == S_ENTER), .enter_rec_i(enter_rec), .apply_i(state_q == S_APPLY), .apply_rec_i(apply_rec),
    .rec_o(rec_q)
  );

  // ---- the order of steps ----
  always_ff @(posedge clk) begin
    begun_q <= state_q == S_HOLD || state_q == S_PASS;
    unique case (state_q)
      S_IDLE: ;

      S_EVENT: begin
        way_q      <= first_way;
        free_q     <= free_below(rec_q.snd_una, rec_q.turns, rec_q.turn0, rec_q.turn1);
        nxt_q      <= rec_q.rcv_nxt;
        was_q      <= rec_q.state;
        met_q      <= 1'b0;
        block_q    <= '0;
        sack_new_q <= 1'b0;
        if (first_way.quiet)                            state_q <= S_CHOOSE;
        else if (first_way.accepted)
          state_q <= first_way.merge || (first_way.bytes && !first_way.order) ? S_HOLD : S_ACK;
        else if (some && !first_way.rto) begin
          state_q <= S_PASS;
          pass_q  <= P_TOTAL;
        end else                                        state_q <= S_LOSS;
      end

      S_HOLD: begin
        if (!begun_q) met_q <= held_count != '0;
        if (begun_q && (!hold_busy || hold_last)) state_q <= S_ACK;
      end

      S_ACK: begin
        way_q.reason      <= second_way.reason;
        way_q.place       <= second_way.place;
        way_q.advanced    <= second_way.advanced;
        way_q.acked       <= second_way.acked;
        way_q.flight      <= second_way.flight;
        way_q.wnd_changed <= second_way.wnd_changed;
        way_q.dup         <= second_way.dup;
        way_q.restart     <= second_way.restart;
        way_q.ended       <= second_way.ended;
        if (some || (seg.blocks != '0 && rec_q.sack)) begin
          state_q <= S_PASS;
          pass_q  <= second_way.advanced && some ? P_TRIM : rec_q.sack && seg.blocks != '0 ? P_BLOCK : P_TOTAL;
        end else begin
          state_q <= S_LOSS;
        end
      end

      S_PASS: if (begun_q && !list_busy) begin
        begun_q <= 1'b0;
        unique case (pass_q)
          P_TRIM:  pass_q <= rec_q.sack && seg.blocks != '0 ? P_BLOCK : P_TOTAL;
          P_BLOCK: begin
            if (block_good && !known) sack_new_q <= 1'b1;
            block_q <= block_q + 2'd1;
            if (block_q == '1 || 3'(block_q) + 3'd1 >= seg.blocks) pass_q <= P_TOTAL;
          end
          P_TOTAL: pass_q <= P_EDGE;
          P_EDGE:  state_q <= S_LOSS;
          default: state_q <= S_CHOOSE;
        endcase
      end

      S_LOSS: begin
        way_q.restart <= third_way.restart;
        way_q.ended   <= third_way.ended;
        base_q    <= base;
        mss_now_q <= mss_now;
        blocks_q  <= blocks;
        dsack_q   <= dsack;
        pass_q    <= P_PIPE;
        state_q   <= enter || way_q.rto ? S_ENTER : some ? S_PASS : S_CHOOSE;
      end

      S_ENTER: begin
        state_q <= some ? S_PASS : S_CHOOSE;
      end

      S_CHOOSE: begin
        choice_q <= choice;
        way_q.turn <= 1'b0;
        if (turn_now)                        state_q <= choice.round ? S_DIVIDE : S_APPLY;
        else if (out_ready_i && !way_q.turn) state_q <= S_IDLE;
      end

      S_DIVIDE: if (!divide_busy) begin
        choice_q.len <= whole;
        state_q      <= S_APPLY;
      end

      default: begin                        // S_APPLY
        way_q.reason  <= apply_way.reason;
        way_q.data    <= apply_way.data;
        way_q.turn    <= apply_way.turn;
        payload_q     <= payload;
        left_q        <= choice_q.left;
        psh_q         <= psh;
        fin_q         <= fin;
        resend_q      <= resend;
        sent_mss_q    <= mss_now_q;
        sent_blocks_q <= blocks_q;
        sent_dsack_q  <= dsack_q;
        mss_now_q     <= mss_now;
        state_q       <= some ? S_PASS : S_CHOOSE;
      end
    endcase
    if (load) begin
      work_q  <= work_i;
      bad_q   <= bad_i;
      state_q <= S_EVENT;
    end
    if (rst) state_q <= S_IDLE;
  end

  // A turn that sends nothing chooses once more: who loads next must not wait for the choice.
  assign out_start_o = state_q == S_CHOOSE && !way_q.turn;
  assign ready_o     = state_q == S_IDLE || (out_start_o && out_ready_i);
  assign busy_o      = state_q != S_IDLE;
  assign index_o     = work_q.index;

  always_comb begin
    out_rec_o              = rec_q;
    out_rec_o.held         = held;
    out_rec_o.held_count   = held_count;
    out_rec_o.sacked       = sacked;
    out_rec_o.sacked_count = sacked_count;
    if (ended_state(rec_q.state) && !way_q.quiet) out_rec_o.timing = 1'b0;
  end

  assign out_work_o    = work_q;
  assign out_way_o     = way_q;
  assign out_bad_o     = bad_q;
  assign out_rto_o     = rto;
  assign out_would_o   = sends;
  assign out_free_o    = free_q;
  assign out_rcv_nxt_o = nxt_q;
  assign out_state_o   = was_q;
  assign out_left_o    = left_q;
  assign out_len_o     = payload_q;
  assign out_mss_now_o = way_q.data ? sent_mss_q : mss_now_q;
  assign out_blocks_o  = way_q.data ? sent_blocks_q : blocks_q;
  assign out_dsack_o   = way_q.data ? sent_dsack_q : dsack_q;
  assign out_psh_o     = psh_q;
  assign out_fin_o     = fin_q;
  assign out_resend_o  = resend_q;

endmodule

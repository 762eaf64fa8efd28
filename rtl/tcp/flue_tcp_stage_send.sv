// Third stage of the rules: losses, congestion window, RCV.NXT; then what a turn sends now (docs/tcp.md 3.2 to 3.4, 3.9).
//
//   S_PASS    the scoreboard goes round        S_CHOOSE          what a turn now would send; hand over
//   S_LOSS    duplicates, window, RCV.NXT      S_TURN, S_DIVIDE  whole segments
//   S_ENTER   a recovery begins                S_APPLY           a turn leaves; then S_FLIGHT again
//   S_FLIGHT  what is in flight                S_OVER            hand over what did not choose
//
// Contract: in_valid_i and in_ready_o take an event, out_valid_o and out_ready_i hand it on.
// Latency: 9 cycles, 1 for an event without effect.  A pass over the peer's ranges costs 3 and one a range (trim, one for each SACK
//   block, loss edge, pipe), the beginning of a recovery 3, a turn about 20.
module flue_tcp_stage_send
  import flue_tcp_pkg::*;
  import flue_tcp_step_pkg::*;
#(
  parameter int CONNECTIONS = 64
) (
  input  logic               clk,
  input  logic               rst,
  input  tcp_cfg_t           cfg_i,
  output logic               clearing_o,    // after reset: nothing may enter

  input  logic               in_valid_i,
  output logic               in_ready_o,
  input  tcp_pass_t          in_i,

  output logic               busy_o,
  output logic [INDEX_W-1:0] index_o,
  output logic               forgot_o,      // pulse: a range of the peer's did not fit

  output logic               out_valid_o,
  input  logic               out_ready_i,
  output tcp_leave_t         out_o
);

  typedef enum logic [3:0] { S_IDLE, S_PASS, S_LOSS, S_ENTER, S_FLIGHT, S_CHOOSE, S_TURN, S_DIVIDE, S_APPLY, S_OVER } state_e;
  typedef enum logic [2:0] { P_TRIM, P_BLOCK, P_EDGE, P_PIPE, P_WORD, P_WIPE, P_COPY } pass_e;

  state_e      state_q;
  pass_e       pass_q;
  logic [1:0]  step_q;                      // cycle of the state
  logic        active_q, over_q;            // an event is here; its last cycle
  logic        past_q, enter_q;             // the scoreboard went round; a recovery begins
  logic        begun;                       // the pass of this state was started
  tcp_pass_t   in_q;
  tcp_rec_t    rec_q;
  tcp_way_t    way_q;
  tcp_work_t   work_q;
  logic [1:0]  block_q;
  logic        sack_new_q, load, sacks;
  tcp_seg_t    seg;

  assign begun       = step_q != '0;
  assign work_q      = in_q.work;
  assign seg         = tcp_seg_t'(work_q.data);
  assign sacks       = way_q.accepted && rec_q.sack && seg.blocks != '0;
  assign in_ready_o  = !active_q || (over_q && out_ready_i);
  assign load        = in_valid_i && in_ready_o;
  assign busy_o      = active_q;
  assign index_o     = work_q.index;

  // ---- the scoreboard ----
  logic        list_busy, list_start, item_valid, known, some, fault;
  logic        block_good, block_over;
  tcp_range_t  item, block;
  logic [3:0]  sacked_count;
  logic [31:0] slot_word;
  tcp_access_t access;
  tcp_board_e  board;

  assign block      = seg.block[block_q];
  assign some       = sacked_count != '0;
  assign block_over = 3'(block_q) >= seg.blocks;
  assign block_good = !block_over && seq_lt(rec_q.snd_una, block.left) && seq_le(block.right, rec_q.snd_max) &&
                      seq_lt(block.left, block.right) &&
                      !(block_q == '0 && seg.blocks > 3'd1 && seq_le(seg.block[1].left, block.left) &&
                        seq_le(block.right, seg.block[1].right));
  assign list_start = state_q == S_PASS && !begun && (pass_q != P_BLOCK || block_good);

  assign access = tcp_access_t'(work_q.data[$bits(tcp_access_t)-1:0]);

  always_comb begin
    unique case (pass_q)
      P_TRIM:  board = BOARD_TRIM;
      P_BLOCK: board = BOARD_MERGE;
      P_EDGE:  board = BOARD_DOWN;
      P_PIPE:  board = BOARD_UP;
      P_WORD:  board = access.write ? BOARD_WRITE : BOARD_READ;
      P_WIPE:  board = BOARD_WIPE;
      default: board = BOARD_COPY;
    endcase
  end

  // The data of an access lie where block[0].right of a segment does.
  flue_tcp_scoreboard #(.CONNECTIONS(CONNECTIONS)) u_scoreboard (
    .clk, .rst, .clearing_o, .load_i(load), .count_i(in_i.way.rto ? '0 : in_i.rec.sacked_count), .index_i(work_q.index),
    .clear_i(1'b0), .start_i(list_start), .op_i(board), .range_i(block), .floor_i(rec_q.snd_una),
    .slot_i(word_slot(access.word)), .busy_o(list_busy), .item_valid_o(item_valid), .item_o(item), .known_o(known), .forgot_o,
    .fault_o(fault), .word_o(slot_word), .count_o(sacked_count)
  );

  // ---- sums over it ----
  logic [31:0] total, range_edge, front, lost_edge, lost, at, scan_above, cursor, edge_d;
  logic        hole, flight_over;
  tcp_range_t  hole_first, hole_last;

  assign flight_over = state_q == S_FLIGHT && step_q == 2'd1;

  flue_tcp_scan u_scan (
    .clk, .edge_i(list_start && pass_q == P_EDGE), .pipe_i(flight_over),
    .una_i(rec_q.snd_una), .recover_i(rec_q.recover), .mss_i(rec_q.mss), .cursor_i(cursor), .lost_edge_i(edge_d),
    .valid_i(item_valid), .item_i(item),
    .total_o(total), .edge_o(range_edge), .first_left_o(front), .lost_edge_o(lost_edge), .lost_o(lost), .at_o(at),
    .hole_o(hole), .first_o(hole_first), .last_o(hole_last), .above_o(scan_above)
  );

  // ---- S_LOSS, S_ENTER ----
  tcp_rec_t     recover_rec, loss_rec, enter_rec;
  tcp_way_t     recover_way, loss_way;
  logic         cc_ack, enter;
  logic [31:0]  cc_cwnd, cc_ssthresh, flying_q, pick_q;
  logic [127:0] cc_private;

  flue_tcp_recover u_recover (
    .clk, .rec_i(rec_q), .way_i(way_q), .sack_new_i(sack_new_q), .lost_i(some && seq_lt(rec_q.snd_una, range_edge)),
    .cc_ack_o(cc_ack), .cc_cwnd_i(cc_cwnd), .cc_private_i(cc_private),
    .rec_o(recover_rec), .way_o(recover_way), .enter_o(enter)
  );
  flue_tcp_progress u_progress (.clk, .rec_i(recover_rec), .way_i(recover_way), .rec_o(loss_rec), .way_o(loss_way));

  always_ff @(posedge clk) begin
    flying_q <= rec_q.snd_max - rec_q.snd_una;
    pick_q   <= !way_q.rto && rec_q.cwnd < flying_q ? rec_q.cwnd : flying_q;
  end

  flue_cc_newreno u_cc (
    .clk, .ack_i(cc_ack && state_q == S_LOSS), .acked_i(way_q.acked), .before_i(way_q.flight),
    .loss_i(state_q == S_ENTER && !way_q.rto), .timeout_i(state_q == S_ENTER && way_q.rto),
    .flight_i(pick_q), .mss_i(rec_q.mss), .cwnd_i(rec_q.cwnd), .ssthresh_i(rec_q.ssthresh), .private_i(rec_q.cc),
    .cwnd_o(cc_cwnd), .ssthresh_o(cc_ssthresh), .private_o(cc_private)
  );
  flue_tcp_enter u_enter (.rec_i(rec_q), .way_i(way_q), .ssthresh_i(cc_ssthresh), .rec_o(enter_rec));

  // ---- S_FLIGHT ----
  logic [31:0] clear, clear_q, offered, offered_q, queued, queued_q;
  logic [15:0] mss_now, mss_now_q;
  logic [2:0]  blocks, blocks_q;
  logic        dsack, dsack_q, fin_alone, fin_alone_q, leaving, ripe;

  // The ACK that this event will send takes the duplicate along; what a turn would send is without it then.
  assign ripe    = rec_q.placing == '0 ||
                   rec_q.rcv_nxt - rec_q.last_ack_sent >= {15'b0, rec_q.mss_rcv, 1'b0};
  assign leaving = way_q.data || (rec_q.ack_now && rec_q.acks != '1 && ripe && !way_q.turn && !way_q.probe && !way_q.rst &&
                                  rec_q.state != TCP_CLOSED);

  flue_tcp_flight u_flight (
    .clk, .rec_i(rec_q), .some_i(some), .first_i(front), .edge_i(range_edge), .held_i(rec_q.held_count),
    .newest_i(rec_q.held[0]), .leaving_i(leaving), .sacked_i(some ? total : '0), .clear_o(clear), .offered_o(offered),
    .queued_o(queued), .fin_o(fin_alone), .edge_o(edge_d), .cursor_o(cursor), .mss_now_o(mss_now), .blocks_o(blocks),
    .dsack_o(dsack)
  );

  // ---- S_CHOOSE, S_DIVIDE, S_APPLY ----
  tcp_choice_t choice, choice_q;
  logic        fin, psh, resend, choose_over, divide_busy;
  logic [16:0] whole, payload;
  tcp_rec_t    apply_rec;
  tcp_way_t    apply_way;

  flue_tcp_choose u_choose (
    .clk, .rec_i(rec_q), .budget_i(way_q.turn ? work_q.data[16:0] : '0), .mss_now_i(mss_now_q),
    .clear_i(clear_q), .offered_i(offered_q), .queued_i(queued_q), .fin_i(fin_alone_q),
    .lost_edge_i(lost_edge), .lost_i(lost), .at_i(at), .hole_i(hole), .first_i(hole_first), .last_i(hole_last),
    .above_i(scan_above), .choice_o(choice)
  );
  assign choose_over = state_q == S_CHOOSE && step_q == 2'd3;

  flue_tcp_whole u_whole (
    .clk, .rst, .start_i(state_q == S_TURN && choice_q.round), .len_i(choice_q.len), .mss_i(mss_now_q),
    .busy_o(divide_busy), .whole_o(whole)
  );
  flue_tcp_apply u_apply (
    .clk, .rec_i(rec_q), .way_i(way_q), .choice_i(choice_q), .now_i(work_q.now),
    .rec_o(apply_rec), .way_o(apply_way), .len_o(payload), .fin_o(fin), .psh_o(psh), .resend_o(resend)
  );

  // ---- timeout and window: behind the record as it comes to stand ----
  logic [31:0] rto;
  logic [4:0]  doublings;
  logic        over;
  tcp_window_t window;

  assign doublings = 5'(rec_q.backoff) +
                     (rec_q.persisting && !seq_lt(rec_q.snd_una, rec_q.snd_max) ? 5'(rec_q.expiries) : 5'd0);
  // The RST of an abort leaves as from the state before.
  assign over = (way_q.rst ? in_q.state : rec_q.state) inside {TCP_CLOSE_WAIT, TCP_CLOSING, TCP_LAST_ACK, TCP_TIME_WAIT};

  flue_tcp_rto u_rto (.clk, .rec_i(rec_q), .cfg_i, .doublings_i(doublings), .rto_o(rto));
  flue_tcp_window u_window (.clk, .rec_i(rec_q), .over_i(over), .window_o(window));

  // ---- the record: each field is written in the states that may change it, and in no other ----
  logic loss_over, enter_over, apply_over;
  assign loss_over  = state_q == S_LOSS  && step_q == 2'd2;
  assign enter_over = state_q == S_ENTER && step_q == 2'd2;
  assign apply_over = state_q == S_APPLY && step_q == 2'd3;

  always_ff @(posedge clk) begin
    if (load) rec_q <= in_i.rec;
    if (loss_over) begin
      rec_q.state     <= loss_rec.state;
      rec_q.rcv_nxt   <= loss_rec.rcv_nxt;
      rec_q.dup_acks  <= loss_rec.dup_acks;
      rec_q.cc        <= loss_rec.cc;
    end
    if (loss_over || enter_over) begin
      rec_q.recovery      <= loss_over ? loss_rec.recovery      : enter_rec.recovery;
      rec_q.partial       <= loss_over ? loss_rec.partial       : enter_rec.partial;
      rec_q.recover_valid <= loss_over ? loss_rec.recover_valid : enter_rec.recover_valid;
      rec_q.cwnd          <= loss_over ? loss_rec.cwnd          : enter_rec.cwnd;
      rec_q.force_rxt     <= loss_over ? loss_rec.force_rxt     : enter_rec.force_rxt;
      rec_q.high_rxt      <= loss_over ? loss_rec.high_rxt      : enter_rec.high_rxt;
    end
    if (enter_over) begin
      rec_q.recover  <= enter_rec.recover;
      rec_q.ssthresh <= enter_rec.ssthresh;
      rec_q.rescued  <= enter_rec.rescued;
    end
    if (apply_over) begin
      rec_q.state        <= apply_rec.state;
      rec_q.turns        <= apply_rec.turns;
      rec_q.turn0        <= apply_rec.turn0;
      rec_q.turn1        <= apply_rec.turn1;
      rec_q.snd_max      <= apply_rec.snd_max;
      rec_q.sws_override <= apply_rec.sws_override;
      rec_q.timing       <= apply_rec.timing;
      rec_q.timed_seq    <= apply_rec.timed_seq;
      rec_q.timed_at     <= apply_rec.timed_at;
      rec_q.fin_sent     <= apply_rec.fin_sent;
      rec_q.rescued      <= apply_rec.rescued;
      rec_q.high_rxt     <= apply_rec.high_rxt;
      rec_q.force_rxt    <= apply_rec.force_rxt;
    end
  end

  // ---- what leaves ----
  tcp_turn_t turn_q;

  assign out_valid_o = over_q;

  always_comb begin
    out_o.pass                  = in_q;
    out_o.pass.rec              = rec_q;
    out_o.pass.rec.sacked_count = sacked_count;
    out_o.pass.way              = way_q;
    out_o.rto                   = rto;
    out_o.would                 = choice.reason != R_IDLE_TURN && state_q == S_CHOOSE;
    out_o.window                = window;
    out_o.turn                  = turn_q;
    if (ended_state(rec_q.state) && !way_q.quiet) out_o.pass.rec.timing = 1'b0;
    if (!way_q.data) begin
      out_o.turn.mss_now = mss_now_q;
      out_o.turn.blocks  = blocks_q;
      out_o.turn.dsack   = dsack_q;
    end
  end

  // ---- the order of states ----
  logic walks;                              // an event without effect that goes through the row nevertheless
  assign walks = way_q.quiet && work_q.kind == EV_COMMAND &&
                 (work_q.word ? !in_q.bad && word_sacked(access.word) && way_q.reason != R_REFUSED
                  : way_q.clear || (!in_q.bad && tcp_command_e'(work_q.data[2:0]) == CMD_SNAPSHOT));

  always_ff @(posedge clk) begin
    step_q <= step_q + 2'd1;
    unique case (state_q)
      S_IDLE: ;

      S_PASS: begin
        if (begun) step_q <= 2'd1;
        if (begun && !list_busy) begin
          step_q <= '0;
          unique case (pass_q)
            P_TRIM:  pass_q <= sacks ? P_BLOCK : P_EDGE;
            P_BLOCK: begin
              if (block_good && !known) sack_new_q <= 1'b1;
              block_q <= block_q + 2'd1;
              if (block_q == '1 || 3'(block_q) + 3'd1 >= seg.blocks) pass_q <= P_EDGE;
            end
            P_EDGE:  state_q <= S_LOSS;
            P_PIPE:  state_q <= S_CHOOSE;
            default: begin
              over_q  <= 1'b1;
              state_q <= S_OVER;
            end
          endcase
          if (pass_q == P_WORD) turn_q.left <= slot_word;
        end
      end

      S_LOSS: if (loss_over) begin
        step_q        <= '0;
        way_q.restart <= loss_way.restart;
        way_q.ended   <= loss_way.ended;
        enter_q       <= enter || way_q.rto;
        state_q       <= S_FLIGHT;
      end else if (step_q == '0) begin
        if (walks || (!way_q.quiet && (some || sacks))) begin
          if (!past_q) begin
            step_q  <= '0;
            state_q <= S_PASS;
          end
        end else if (way_q.quiet) begin
          over_q  <= 1'b1;
          state_q <= S_OVER;
        end
        pass_q <= !way_q.quiet ? (way_q.advanced && some ? P_TRIM : sacks ? P_BLOCK : P_EDGE)
                  : work_q.word ? P_WORD : way_q.clear ? P_WIPE : P_COPY;
        past_q <= 1'b1;
      end

      S_ENTER: if (enter_over) begin
        step_q  <= '0;
        state_q <= S_FLIGHT;
      end

      S_FLIGHT: if (enter_q) begin
        step_q  <= '0;
        enter_q <= 1'b0;
        state_q <= S_ENTER;
      end else if (flight_over) begin
        step_q      <= '0;
        clear_q     <= clear;
        offered_q   <= offered;
        queued_q    <= queued;
        fin_alone_q <= fin_alone;
        mss_now_q   <= mss_now;
        if (!way_q.data) begin
          blocks_q <= blocks;
          dsack_q  <= dsack;
        end
        pass_q  <= P_PIPE;
        state_q <= some ? S_PASS : S_CHOOSE;
      end

      S_CHOOSE: if (!choose_over) begin
        over_q <= step_q == 2'd2 && !way_q.turn;
      end else begin
        step_q   <= 2'd3;
        choice_q <= choice;
        if (way_q.turn) state_q <= S_TURN;
      end

      S_TURN: begin
        step_q <= '0;
        if (choice_q.reason == R_IDLE_TURN) begin
          over_q  <= 1'b1;
          state_q <= S_OVER;
        end else begin
          state_q <= choice_q.round ? S_DIVIDE : S_APPLY;
        end
      end

      S_DIVIDE: if (!divide_busy) begin
        step_q       <= '0;
        choice_q.len <= whole;
        state_q      <= S_APPLY;
      end

      S_APPLY: if (apply_over) begin
        step_q         <= '0;
        way_q.reason   <= apply_way.reason;
        way_q.data     <= apply_way.data;
        way_q.turn     <= apply_way.turn;
        turn_q.left    <= choice_q.left;
        turn_q.len     <= payload;
        turn_q.psh     <= psh;
        turn_q.fin     <= fin;
        turn_q.resend  <= resend;
        turn_q.mss_now <= mss_now_q;
        turn_q.blocks  <= blocks_q;
        turn_q.dsack   <= dsack_q;
        state_q        <= S_FLIGHT;
      end

      default: ;                            // S_OVER: a quiet event, a turn that sends nothing
    endcase
    if (over_q && out_ready_i) begin
      active_q <= 1'b0;
      over_q   <= 1'b0;
      state_q  <= S_IDLE;
    end

    if (fault) begin                        // the row is bad after all: nothing of this event has left
      in_q.bad    <= 1'b1;
      way_q.quiet <= 1'b1;
      way_q.turn  <= 1'b0;
      over_q      <= 1'b1;
      state_q     <= S_OVER;
    end
    if (load) begin
      in_q       <= in_i;
      active_q   <= 1'b1;
      way_q      <= in_i.way;
      step_q     <= '0;
      block_q    <= '0;
      sack_new_q <= 1'b0;
      past_q     <= 1'b0;
      enter_q    <= 1'b0;
      over_q     <= in_i.way.quiet && in_i.work.kind != EV_COMMAND;
      state_q    <= in_i.way.quiet && in_i.work.kind != EV_COMMAND ? S_OVER : S_LOSS;
    end
    if (rst) begin
      active_q <= 1'b0;
      over_q   <= 1'b0;
      state_q  <= S_IDLE;
    end
  end

  // rec and way of in_q live in registers of their own.
  logic unused;
  assign unused = &{1'b0, in_q.rec, in_q.way};

endmodule

// What an event tells the others: verdict of its frame, host's view, firmware, scheduler, timers (docs/tcp.md 3.7).
//
// Contract: over_i for one cycle at the end of the event, with its record as it stays, which stood in the two cycles before but for
// its timers and window; not before waiting_o is low.  Verdict, tell
// and notes are offered until they are taken, the rest are pulses.  An event has up to two notes, its cause first.
module flue_tcp_report
  import flue_tcp_pkg::*;
  import flue_tcp_step_pkg::*;
(
  input  logic               clk,
  input  logic               rst,

  input  logic               over_i,
  input  tcp_rec_t           rec_i,
  input  tcp_work_t          work_i,
  input  tcp_way_t           way_i,
  input  logic               bad_i,
  input  logic               still_i,       // the record stays as it is
  input  logic               snapshot_i,
  input  logic               would_i,
  input  logic [31:0]        free_i,        // as the host knew it
  input  logic [31:0]        rcv_nxt_i,
  input  tcp_state_e         state_i,
  output logic               waiting_o,

  output logic               verdict_valid_o,
  input  logic               verdict_ready_i,
  output logic               verdict_forward_o,
  output tcp_verdict_t       verdict_o,

  output logic               tell_valid_o,
  input  logic               tell_ready_i,
  output tcp_tell_t          tell_o,

  output logic               notify_valid_o,
  input  logic               notify_ready_i,
  output tcp_notify_t        notify_o,

  output logic               done_valid_o,
  output logic               done_ok_o,

  output logic               sched_valid_o,
  output logic [INDEX_W-1:0] sched_index_o,
  output logic               sched_wants_o,

  output logic               deadline_valid_o,
  output logic [INDEX_W-1:0] deadline_index_o,
  output logic               deadline_on_o,
  output logic [31:0]        deadline_us_o
);

  logic note_q, frozen_q;
  assign waiting_o = verdict_valid_o || tell_valid_o || note_q || frozen_q;

  logic [31:0] sent_q, free_q;
  logic        moved_q;                     // what the host knows of it
  logic        segment, live, placed;
  assign segment  = work_i.kind == EV_SEGMENT || work_i.kind == EV_FORWARD;
  assign live     = rec_i.mode == MODE_LIVE && !bad_i;
  assign placed   = way_i.place && !still_i;

  logic tells;
  assign tells = !still_i && (free_q != free_i || moved_q || rec_i.state != state_i || way_i.ended != END_NONE ||
                            way_i.doubt || way_i.refused || way_i.loaded);

  logic      note_d, frozen_d;
  tcp_note_e note;
  always_comb begin
    note_d   = (bad_i && !way_i.clear && !work_i.word) ||
               (!still_i && (way_i.note_valid || (ended_state(rec_i.state) && rec_i.state != state_i)));
    note     = bad_i ? NOTE_UPLOAD_HARDWARE : way_i.note_valid ? way_i.note : NOTE_UPLOAD_CLOSED;
    frozen_d = !still_i && rec_i.mode == MODE_FROZEN;
  end

  always_ff @(posedge clk) begin
    sent_q  <= turn_below(rec_i.snd_una, rec_i.turns != '0, rec_i.turn0);
    free_q  <= turn_below(sent_q, rec_i.turns == 2'd2, rec_i.turn1);
    moved_q <= rec_i.rcv_nxt != rcv_nxt_i;
    if (over_i) begin
      verdict_forward_o <= work_i.kind == EV_FORWARD;
      verdict_o <= '{kind: placed ? VERDICT_PLACE : way_i.divert || bad_i ? VERDICT_DIVERT : VERDICT_DROP,
                     index: work_i.index, generation: rec_i.generation, number: '0, skip: way_i.skip,
                     len: 16'(way_i.right - way_i.left), seq: way_i.left, after: rec_i.rcv_edge, pay_off: '0};
      tell_o <= '{index: work_i.index, snd_free: free_q, snd_una: rec_i.snd_una, rcv_nxt: rec_i.rcv_nxt, state: rec_i.state,
                  ended: way_i.ended, doubt: way_i.doubt, refused: way_i.refused,
                  fin: rec_i.fin_valid && seq_lt(rec_i.fin_seq, rec_i.rcv_nxt)};
      notify_o.index <= work_i.index;
      notify_o.note  <= note_d ? note : NOTE_FROZEN;
    end else if (notify_ready_i && notify_valid_o) begin
      notify_o.note <= NOTE_FROZEN;
    end
    if (over_i && segment)  verdict_valid_o <= 1'b1;
    else if (verdict_ready_i) verdict_valid_o <= 1'b0;
    if (over_i && tells)    tell_valid_o <= 1'b1;
    else if (tell_ready_i)    tell_valid_o <= 1'b0;
    if (over_i) begin
      note_q   <= note_d;
      frozen_q <= frozen_d;
    end else if (notify_ready_i) begin
      note_q <= 1'b0;
      if (!note_q) frozen_q <= 1'b0;
    end
    if (rst) begin
      verdict_valid_o <= 1'b0;
      tell_valid_o    <= 1'b0;
      note_q          <= 1'b0;
      frozen_q        <= 1'b0;
    end
  end

  assign notify_valid_o = note_q || frozen_q;

  always_ff @(posedge clk) begin
    sched_index_o    <= work_i.index;
    sched_wants_o    <= live && would_i && !rec_i.turns[1];
    deadline_index_o <= work_i.index;
    deadline_on_o    <= live && (rec_i.rto_on || rec_i.delack_on);
    deadline_us_o    <= !rec_i.delack_on || (rec_i.rto_on && seq_lt(rec_i.rto_at, rec_i.delack_at)) ? rec_i.rto_at
                                                                                                   : rec_i.delack_at;
    done_ok_o        <= way_i.reason != R_REFUSED && !(bad_i && !way_i.clear);

    sched_valid_o    <= over_i && !work_i.word && !snapshot_i;
    deadline_valid_o <= over_i && !work_i.word && !snapshot_i;
    done_valid_o     <= over_i && work_i.kind == EV_COMMAND;
    if (rst) begin
      sched_valid_o    <= 1'b0;
      deadline_valid_o <= 1'b0;
      done_valid_o     <= 1'b0;
    end
  end

endmodule

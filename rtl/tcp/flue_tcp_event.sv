// First step of every event but segments (docs/tcp.md 3.1 placed, 3.4 sent, 3.5 doorbell, 3.6, 3.7 commands).
//
// Contract: the inputs stand for two cycles, in the second the answer is there.  What the later steps do (send, arm, count) is asked for in way_o.
module flue_tcp_event
  import flue_tcp_pkg::*;
  import flue_tcp_step_pkg::*;
(
  input  logic        clk,
  input  tcp_rec_t    rec_i,
  input  tcp_work_t   work_i,

  output tcp_rec_t    rec_o,
  output tcp_way_t    way_o
);

  tcp_doorbell_t bell;
  tcp_sent_t     sent;
  tcp_placed_t   placed;
  tcp_command_e  command;

  assign bell    = tcp_doorbell_t'(work_i.data[$bits(tcp_doorbell_t)-1:0]);
  assign sent    = tcp_sent_t'(work_i.data[$bits(tcp_sent_t)-1:0]);
  assign placed  = tcp_placed_t'(work_i.data[$bits(tcp_placed_t)-1:0]);
  assign command = tcp_command_e'(work_i.data[2:0]);

  logic live, over;                        // over: nothing more is sent
  assign live = rec_i.mode == MODE_LIVE;
  assign over = ended_state(rec_i.state);

  // ---- first cycle: what is compared ----
  logic rto_due, flying, bell_good_q, rto_hit_q, probe_hit_q, delack_due_q, further_q;
  logic [4:0] expiry;
  assign rto_due = rec_i.rto_on && seq_le(rec_i.rto_at, work_i.now);
  assign flying  = seq_lt(rec_i.snd_una, rec_i.snd_max);
  assign expiry  = 5'(rec_i.expiries) + 5'd1;

  always_ff @(posedge clk) begin
    // A doorbell is never trusted.
    bell_good_q  <= seq_le(rec_i.consumed, bell.consumed) && seq_le(bell.consumed, rec_i.rcv_nxt) &&
                    (rec_i.fin_marked ? bell.send_limit == rec_i.send_limit
                                      : seq_le(rec_i.send_limit, bell.send_limit) &&
                                        seq_le(bell.send_limit, rec_i.snd_una + 32'(rec_i.snd_buf)));
    rto_hit_q    <= rto_due && flying;
    probe_hit_q  <= rto_due && !flying && rec_i.persisting;
    delack_due_q <= rec_i.delack_on && seq_le(rec_i.delack_at, work_i.now);
    further_q    <= seq_lt(rec_i.rcv_nxt, placed.after);
  end

  // An error of the memory ends the connection here: the host continues it.
  function automatic tcp_rec_t failed(input tcp_rec_t r);
    tcp_rec_t f;
    f = r;
    if (r.mode == MODE_LIVE) f.mode = MODE_FREEZING;
    f.ack_now   = 1'b0;
    f.ack_owed  = '0;
    f.delack_on = 1'b0;
    return f;
  endfunction

  always_comb begin
    rec_o = rec_i;
    way_o = way_none();

    unique case (work_i.kind)
      EV_DOORBELL: begin
        way_o.refused = !bell_good_q;
        way_o.reason  = bell_good_q ? R_NONE : R_REFUSED;
        if (bell_good_q) begin
          rec_o.send_limit = bell.send_limit;
          rec_o.consumed   = bell.consumed;
          rec_o.fin_marked = rec_i.fin_marked || bell.fin;
          way_o.reopen     = live;
        end
      end

      EV_TURN: begin
        way_o.turn   = live && !over && !rec_i.turns[1];
        way_o.reason = R_IDLE_TURN;
      end

      EV_SENT: begin
        if (!sent.turn) begin
          if (rec_i.acks != '0) rec_o.acks = rec_i.acks - 3'd1;
        end else if (rec_i.turns != '0) begin
          rec_o.turns = rec_i.turns - 2'd1;
          rec_o.turn0 = rec_i.turn1;
        end
        if (sent.failed) begin
          rec_o            = failed(rec_o);
          way_o.reason     = R_READ_FAILED;
          way_o.note_valid = 1'b1;
          way_o.note       = NOTE_UPLOAD_HARDWARE;
        end
      end

      EV_PLACED: begin
        if (!placed.ok) begin
          rec_o            = failed(rec_i);
          rec_o.broken     = 1'b1;
          way_o.reason     = R_WRITE_FAILED;
          way_o.note_valid = 1'b1;
          way_o.note       = NOTE_UPLOAD_HARDWARE;
        end else if (!rec_i.broken) begin
          if (further_q) rec_o.rcv_nxt = placed.after;
        end
        if (rec_i.placing != '0) rec_o.placing = rec_i.placing - 6'd1;
      end

      EV_TIMER: begin
        if (!live) begin
          way_o.reason = R_FROZEN;
        end else if (over) begin
          way_o.reason = R_EARLY;
        end else if (rto_hit_q) begin
          way_o.reason        = R_RTO;
          way_o.rto           = 1'b1;
          way_o.first         = rec_i.expiries == '0;
          way_o.restart       = 1'b1;
          way_o.doubt         = expiry == 5'd3;
          rec_o.expiries      = expiry[4] ? '1 : expiry[3:0];
          rec_o.dup_acks      = '0;
          rec_o.timing        = 1'b0;
          rec_o.backoff       = rec_i.backoff < 4'd12 ? rec_i.backoff + 4'd1 : rec_i.backoff;
          if (rec_i.limit != '0 && expiry > 5'(rec_i.limit)) begin
            way_o.reason = R_LIMIT;
            way_o.ended  = END_TIMEOUT;
            rec_o.state  = TCP_CLOSED;
          end
        end else if (probe_hit_q) begin
          way_o.reason   = R_PERSIST;
          way_o.probed   = 1'b1;
          rec_o.expiries = expiry[4] ? '1 : expiry[3:0];
          if (rec_i.snd_wnd == '0) way_o.probe = rec_i.acks != '1;
          else                     rec_o.sws_override = 1'b1;
        end else if (delack_due_q) begin
          way_o.reason    = R_DELACK;
          rec_o.delack_on = 1'b0;
          rec_o.ack_now   = 1'b1;
        end else begin
          way_o.reason = R_EARLY;
        end
      end

      EV_COMMAND: begin
        way_o.reason = R_REFUSED;
        unique case (command)
          CMD_LOAD: if (rec_i.mode == MODE_EMPTY) begin
            rec_o.mode   = MODE_LIVE;
            way_o.loaded = 1'b1;
            way_o.reason = R_COMMAND;
          end
          CMD_START: if (live) begin
            rec_o.ack_now = 1'b1;
            way_o.reason  = R_COMMAND;
          end
          CMD_FREEZE: if (live) begin
            rec_o.mode    = MODE_FREEZING;
            rec_o.ack_now = rec_i.ack_now || rec_i.ack_owed != '0;
            way_o.reason  = R_COMMAND;
          end
          CMD_CLEAR: begin
            way_o.clear  = 1'b1;
            way_o.quiet  = 1'b1;
            way_o.reason = R_COMMAND;
          end
          CMD_ABORT: if (live && !over && rec_i.acks != '1) begin
            rec_o.state  = TCP_CLOSED;
            way_o.rst    = 1'b1;
            way_o.ended  = END_ABORTED;
            way_o.reason = R_COMMAND;
          end
          CMD_SNAPSHOT: begin
            way_o.quiet  = 1'b1;
            way_o.reason = R_COMMAND;
          end
          default: ;
        endcase
        if (way_o.reason == R_REFUSED && (rec_i.mode == MODE_EMPTY || rec_i.mode == MODE_FROZEN)) way_o.quiet = 1'b1;
      end

      default: way_o.quiet = 1'b1;
    endcase

    // Nothing has an effect on a connection that is not there (LOAD found EMPTY above).
    if ((rec_i.mode == MODE_EMPTY || rec_i.mode == MODE_FROZEN) && work_i.kind != EV_COMMAND) begin
      rec_o        = rec_i;
      way_o        = way_none();
      way_o.quiet  = 1'b1;
      way_o.reason = R_CLOSED;
    end
  end

endmodule

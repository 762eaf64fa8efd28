// Last part of an event: what leaves, timers, the host's view; the record goes back to the store in four words.
//
//   cycle   0 word 0, timers        1 word 1, persist, does it leave       2 word 2, what leaves        3 word 3, tell, trace
//
// Contract: start_i only when ready_o.  An output is offered until it is taken; an event waits in cycle 2 until those of the
//   one before it are gone.  sched_* and deadline_* are pulses, taken at once.  busy_o is high until the record may be read
//   again: the store may read word 0 in cycle 3.
// Latency: 4 cycles.
module flue_tcp_output
  import flue_tcp_pkg::*;
  import flue_tcp_step_pkg::*;
(
  input  logic               clk,
  input  logic               rst,

  input  logic               start_i,
  output logic               ready_o,
  input  tcp_leave_t         in_i,

  output logic               busy_o,
  output logic [INDEX_W-1:0] index_o,

  output logic               wr_valid_o,
  output logic               wr_snapshot_o,
  output logic               wr_access_o,   // only the word at wr_here_o
  output logic [SLICES-1:0]  wr_here_o,
  output logic [1:0]         wr_word_o,
  output logic [SLICES*32-1:0] wr_o,      // 0 before any event

  output logic               verdict_valid_o,
  input  logic               verdict_ready_i,
  output logic               verdict_forward_o,
  output tcp_verdict_t       verdict_o,

  output logic               tx_valid_o,
  input  logic               tx_ready_i,
  output tcp_tx_t            tx_o,

  output logic               tell_valid_o,
  input  logic               tell_ready_i,
  output tcp_tell_t          tell_o,

  output logic               notify_valid_o,
  input  logic               notify_ready_i,
  output tcp_notify_t        notify_o,

  output logic               done_valid_o,  // a command or an access is over
  output logic               done_ok_o,
  output logic [31:0]        done_data_o,

  output logic               sched_valid_o,
  output logic [INDEX_W-1:0] sched_index_o,
  output logic               sched_wants_o,

  output logic               deadline_valid_o,
  output logic [INDEX_W-1:0] deadline_index_o,
  output logic               deadline_on_o,
  output logic [31:0]        deadline_us_o,

  output logic               trace_valid_o,
  output tcp_event_e         trace_event_o,
  output logic [INDEX_W-1:0] trace_index_o,
  output tcp_reason_e        trace_reason_o,
  output tcp_rec_t           trace_rec_o,

  output logic               idle_o
);

  localparam logic [31:0] DELACK_US  = 32'd40000;     // TCP-060
  localparam logic [31:0] PERSIST_US = 32'd1000000;   // with an open window (TCP-048)

  // What this part changes lies in the last 7 words of the record; the rest only waits to be written.
  typedef struct packed {                   // words 61 to 67
    logic        asked;
    logic        broken;
    logic [3:0]  expiries;
    logic        persisting;
    logic        rto_on;
    logic        delack_on;
    logic [2:0]  acks;
    logic [16:0] ack_owed;
    logic        ack_now;
    tcp_mode_e   mode;
    logic [31:0] rcv_adv;
    logic [31:0] last_ack_sent;
    tcp_range_t  dsack;
    logic [31:0] delack_at;
    logic [31:0] rto_at;
  } tail_t;
  localparam int TAIL = $bits(tail_t);
  logic [$bits(tcp_rec_t)-1:TAIL] rest_q;
  tail_t       tail_q;
  tcp_rec_t    rec_q;
  assign rec_q = tcp_rec_t'({rest_q, tail_q});

  tcp_leave_t  in_q;                        // but for the record, which is above
  tcp_work_t   work_q;
  tcp_way_t    way_q;
  logic        active_q, ready_q, bad_q;
  logic [1:0]  step_q;
  assign work_q = in_q.pass.work;
  assign way_q  = in_q.pass.way;
  assign bad_q  = in_q.pass.bad;

  // ---- the word of an access ----
  tcp_access_t       access, next_access;
  logic [1:0]        quarter, quarter_q;
  logic [SLICES-1:0] here, here_q;
  logic [31:0]       word;
  assign access      = tcp_access_t'(work_q.data[$bits(tcp_access_t)-1:0]);
  assign next_access = tcp_access_t'(in_i.pass.work.data[$bits(tcp_access_t)-1:0]);

  flue_tcp_words u_words (
    .word_i(next_access.word), .quarter_o(quarter), .here_o(here), .quarter_i(wr_o), .here_i(here_q), .word_o(word)
  );

  logic        still, snapshot;             // the record stays as it is; and is copied
  assign snapshot = work_q.kind == EV_COMMAND && !work_q.word &&
                    tcp_command_e'(work_q.data[2:0]) == CMD_SNAPSHOT;
  assign still = way_q.quiet || bad_q || work_q.word;

  // ---- cycle 0: timers; is the window worth a segment of its own: it opens by enough, or a lowered ACK number can be made good ----
  tcp_rec_t    armed;
  logic [31:0] most_mss, quarter_buf, owed;
  logic        opens_q, good_q, may_ack_q;
  logic [16:0] owed_q;
  logic        settled_q, idle_q;           // after this segment nothing is owed; nothing was before

  flue_tcp_arm u_arm (
    .rec_i(rec_q), .way_i(way_q), .now_i(work_q.now), .rto_i(in_q.rto), .would_i(in_q.would), .rec_o(armed)
  );
  assign most_mss    = {15'b0, rec_q.mss_rcv, 1'b0};
  assign quarter_buf = {8'b0, rec_q.rcv_buf[25:2]};
  assign owed        = rec_q.rcv_edge - rec_q.rcv_nxt;

  always_ff @(posedge clk) begin
    opens_q   <= receiving(rec_q.state) && in_q.window.more != '0 &&
                 (in_q.window.narrow || in_q.window.more >= (most_mss > quarter_buf ? most_mss : quarter_buf));
    good_q    <= rec_q.placing == '0 && rec_q.ack_owed == '0 && seq_lt(rec_q.last_ack_sent, in_q.window.number);
    may_ack_q <= rec_q.placing == '0 || rec_q.rcv_nxt - rec_q.last_ack_sent >= most_mss;
    owed_q    <= owed > 32'h1FFFF ? '1 : owed[16:0];
    settled_q <= owed == '0;
    idle_q   <= rec_q.ack_owed == '0;
  end

  // ---- cycle 1: an open window does not wait long ----
  tcp_rec_t persist;
  always_comb begin
    persist = rec_q;
    if (rec_q.mode == MODE_LIVE && rec_q.persisting && rec_q.snd_wnd != '0 &&
        seq_lt(PERSIST_US, rec_q.rto_at - work_q.now))
      persist.rto_at = work_q.now + PERSIST_US;
  end

  // ---- cycle 1: does anything leave; cycle 2: what ----
  tcp_rec_t    last;
  logic        updates, updates_q;
  assign updates = way_q.reopen && (opens_q || good_q) && !still;
  logic        ack, ack_q, leaves_q;        // a pure ACK; anything
  logic        closed;

  assign closed = rec_q.state == TCP_CLOSED;
  assign ack    = (rec_q.ack_now || updates) && rec_q.acks != '1 && may_ack_q && !closed && !way_q.data &&
                  !way_q.probe && !still;

  always_ff @(posedge clk) begin
    updates_q <= updates;
    ack_q     <= ack;
    leaves_q  <= !still && (ack || way_q.data || way_q.probe || way_q.rst);
  end

  always_comb begin
    last = rec_q;
    if (updates_q) last.ack_now = 1'b1;
    if (leaves_q) begin
      last.rcv_adv       = in_q.window.told;
      last.last_ack_sent = in_q.window.number;
      if (!way_q.data) last.acks = rec_q.acks + 3'd1;
    end
    if (ack_q || way_q.data) begin
      last.dsack    = '0;
      last.ack_owed = owed_q;
      if (settled_q) begin
        last.ack_now   = 1'b0;
        last.delack_on = 1'b0;
      end
    end
    if (closed) begin
      last.ack_now   = 1'b0;
      last.ack_owed  = '0;
      last.delack_on = 1'b0;
    end else if (!(ack_q || way_q.data ? settled_q : idle_q) && !last.ack_now && !rec_q.delack_on && rec_q.mode == MODE_LIVE) begin
      last.delack_on = 1'b1;
      last.delack_at = work_q.now + DELACK_US;
    end
    if (rec_q.mode == MODE_FREEZING && rec_q.turns == '0 && last.acks == '0 && rec_q.placing == '0 && !last.ack_now)
      last.mode = MODE_FROZEN;
  end

  // ---- the four cycles ----
  logic end_step, waiting;                  // the last one; something told is not yet taken
  logic taken;                              // nothing of the event before is left
  assign taken   = !(tx_valid_o || waiting);
  assign ready_o = ready_q;                 // !active_q || step_q == 3
  assign busy_o  = active_q && step_q != 2'd3;
  assign index_o = work_q.index;

  // Each field of the tail has the sources of the steps that change it, and an enable; it becomes zero with the rest.
  logic timers, late, leave, load;
  tcp_rec_t next;
  logic [$bits(tcp_rec_t)-1:0] flat_next;
  assign flat_next = next;
  assign next      = in_i.pass.way.clear ? tcp_rec_t'('0) : in_i.pass.rec;
  assign load   = ready_o;
  assign timers = !ready_o && !still && step_q == 2'd0;
  assign late   = !ready_o && !still && step_q == 2'd1;
  assign leave  = !ready_o && !still && step_q == 2'd2 && taken;

  always_ff @(posedge clk) begin
    if (load) begin
      tail_q.asked  <= next.asked;
      tail_q.broken <= next.broken;
    end
    if (load || timers) begin
      tail_q.expiries   <= load ? next.expiries   : armed.expiries;
      tail_q.persisting <= load ? next.persisting : armed.persisting;
      tail_q.rto_on     <= load ? next.rto_on     : armed.rto_on;
    end
    if (load || timers || late) tail_q.rto_at <= load ? next.rto_at : timers ? armed.rto_at : persist.rto_at;
    if (load || leave) begin
      tail_q.delack_on     <= load ? next.delack_on     : last.delack_on;
      tail_q.acks          <= load ? next.acks          : last.acks;
      tail_q.ack_owed      <= load ? next.ack_owed      : last.ack_owed;
      tail_q.ack_now       <= load ? next.ack_now       : last.ack_now;
      tail_q.mode          <= load ? next.mode          : last.mode;
      tail_q.rcv_adv       <= load ? next.rcv_adv       : last.rcv_adv;
      tail_q.last_ack_sent <= load ? next.last_ack_sent : last.last_ack_sent;
      tail_q.dsack         <= load ? next.dsack         : last.dsack;
      tail_q.delack_at     <= load ? next.delack_at     : last.delack_at;
    end
  end

  always_ff @(posedge clk) begin
    if (ready_o) begin
      active_q  <= start_i;
      ready_q   <= !start_i;
      step_q    <= '0;
      rest_q    <= flat_next[$bits(tcp_rec_t)-1:TAIL];
      in_q      <= in_i;
      quarter_q <= quarter;
      here_q    <= here;
    end else begin
      if (!step_q[1])           step_q <= step_q + 2'd1;
      else if (taken)           step_q <= 2'd3;
      ready_q <= step_q == 2'd2 && taken;
    end
    if (rst) begin
      active_q <= 1'b0;
      ready_q  <= 1'b1;
    end
  end

  // ---- what leaves, offered from cycle 3 on ----
  logic [31:0] wnd;
  assign wnd = in_q.window.reach >> rec_q.rcv_scale;

  always_ff @(posedge clk) begin
    if (step_q == 2'd2 && taken) begin
      tx_o.kind      <= way_q.data ? TX_DATA : way_q.rst ? TX_RST : TX_ACK;
      tx_o.index     <= work_q.index;
      tx_o.seq       <= way_q.data ? in_q.turn.left : way_q.probe ? rec_q.snd_una - 32'd1 : rec_q.snd_max;
      tx_o.len       <= way_q.data ? in_q.turn.len : '0;
      tx_o.mss       <= in_q.turn.mss_now;
      tx_o.psh       <= way_q.data && in_q.turn.psh;
      tx_o.fin       <= way_q.data && in_q.turn.fin;
      tx_o.resend    <= way_q.data && in_q.turn.resend;
      tx_o.ack       <= in_q.window.number;
      tx_o.wnd       <= wnd[15:0];
      tx_o.ts        <= rec_q.ts;
      tx_o.ts_us     <= rec_q.ts_us;
      tx_o.ts_offset <= rec_q.ts_offset;
      tx_o.ts_ecr    <= rec_q.ts_recent;
      tx_o.blocks    <= way_q.probe || way_q.rst ? '0 : in_q.turn.blocks;
      for (int i = 0; i < BLOCKS; i++)
        tx_o.block[i] <= !in_q.turn.dsack ? rec_q.held[i] : i == 0 ? rec_q.dsack : rec_q.held[(i + BLOCKS - 1) % BLOCKS];
    end
    if (step_q == 2'd2 && taken && active_q && leaves_q) tx_valid_o <= 1'b1;
    else if (tx_ready_i)                               tx_valid_o <= 1'b0;
    if (rst) tx_valid_o <= 1'b0;
  end

  // ---- what is told, from cycle 3 on ----
  assign end_step = active_q && step_q == 2'd3;

  flue_tcp_report u_report (
    .clk, .rst, .over_i(end_step), .rec_i(rec_q), .work_i(work_q), .way_i(way_q), .bad_i(bad_q), .still_i(still),
    .snapshot_i(snapshot), .would_i(in_q.would), .free_i(in_q.pass.free), .rcv_nxt_i(in_q.pass.rcv_nxt),
    .state_i(in_q.pass.state), .waiting_o(waiting),
    .verdict_valid_o, .verdict_ready_i, .verdict_forward_o, .verdict_o, .tell_valid_o, .tell_ready_i, .tell_o,
    .notify_valid_o, .notify_ready_i, .notify_o, .done_valid_o, .done_ok_o,
    .sched_valid_o, .sched_index_o, .sched_wants_o,
    .deadline_valid_o, .deadline_index_o, .deadline_on_o, .deadline_us_o
  );

  always_ff @(posedge clk)
    if (word_sacked(access.word)) done_data_o <= in_q.turn.left;   // from the scoreboard
    else if (step_q == quarter_q) done_data_o <= word;

  assign trace_valid_o  = end_step && !work_q.word;
  assign trace_event_o  = work_q.kind;
  assign trace_index_o  = work_q.index;
  assign trace_reason_o = bad_q && !way_q.clear ? R_BAD_ROW : way_q.reason;
  assign trace_rec_o    = rec_q;

  // ---- back to the store ----
  logic        refused;
  logic [31:0] written;
  logic [STORE_WORDS-1:0] turn_q;           // of a quarter, one at a time
  logic [$bits(tcp_rec_t)-1:0] flat;

  assign refused       = way_q.reason == R_REFUSED;
  assign flat          = rec_q;
  assign wr_word_o     = step_q;
  assign wr_snapshot_o = snapshot;
  assign wr_access_o   = work_q.word;
  assign wr_here_o     = here_q;
  // The quarter is chosen by a bit each: two LUTs where a multiplexer takes four.  With an access that writes none is.
  assign written = active_q && work_q.word && access.write ? access.data : '0;
  always_comb begin
    wr_o = {SLICES{written}};
    for (int i = 0; i < STORE_WORDS; i++)
      wr_o |= flat[(STORE_WORDS-1-i)*SLICES*32 +: SLICES*32] & {SLICES*32{turn_q[i]}};
  end

  always_ff @(posedge clk) begin
    if (ready_o)                      turn_q <= STORE_WORDS'(start_i && !(in_i.pass.work.word && next_access.write));
    else if (step_q != 2'd2 || taken) turn_q <= turn_q << 1;
    if (rst) turn_q <= '0;
  end

  always_comb begin
    wr_valid_o = active_q && !(bad_q && !way_q.clear);
    if (work_q.word)
      wr_valid_o = active_q && !bad_q && access.write && !refused && step_q == quarter_q && !word_sacked(access.word);
    else if (way_q.quiet && !way_q.clear && !snapshot)
      wr_valid_o = 1'b0;
  end

  // The record of in_q is kept above.
  logic unused;
  assign unused = &{1'b0, in_q.pass.rec};

  assign idle_o = !active_q && !tx_valid_o && !waiting;

endmodule

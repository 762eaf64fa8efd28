// Host side of the connections: doorbell records in, status lines and events out (docs/tcp.md section 7).
//
// Contract: a record's words are staged until its control word (word 5) is written; then they are taken over together and
//   become one EV_DOORBELL of the engine, coalesced with what still waits: newest positions, FIN kept.  A record whose
//   generation is not the row's, or whose row is not loaded, is dropped and pulses refused_o.  db_ready_o comes when the word
//   is done.  load_* makes a row known and forgets what waited; load_live_i low makes it unknown.
//   A tell goes into the row's status line, written to host memory at {region, base + 32 x row}, the newest once; what it
//   armed or changed is then posted as one event.  Without status_enable_i lines count as written, without a write.
//   The event port may stall for ever: tells go on.
// Every row is at most once in each of the three lists, so none of them can be full.
// Rate: a tell in 7 cycles, a status line in 10 cycles + 256/W beats + its response, a doorbell word in 2 (control: 16).
// Cost: 995 COMB, 80 MHz at W=32 and 64 connections.
// Block RAM: 2 at W=32.
module flue_tcp_host
  import flue_pkg::*;
  import flue_layout_pkg::*;
  import flue_tcp_pkg::*;
#(
  parameter int W           = 32,
  parameter int CONNECTIONS = 64          // 2 to 1,024
) (
  input  logic               clk,
  input  logic               rst,

  input  logic               load_valid_i,
  output logic               load_ready_o,
  input  logic [INDEX_W-1:0] load_index_i,
  input  logic [13:0]        load_generation_i,
  input  logic               load_live_i,

  input  logic               db_valid_i,        // a word of a doorbell record is written
  output logic               db_ready_o,
  input  logic [INDEX_W-1:0] db_index_i,
  input  logic [2:0]         db_word_i,
  input  logic [31:0]        db_data_i,
  output logic               refused_o,         // pulse: a record with a wrong generation

  output logic               doorbell_valid_o,
  input  logic               doorbell_ready_i,
  output logic [INDEX_W-1:0] doorbell_index_o,
  output tcp_doorbell_t      doorbell_o,

  input  logic               tell_valid_i,
  output logic               tell_ready_o,
  input  tcp_tell_t          tell_i,

  input  logic               status_enable_i,
  input  logic [7:0]         status_region_i,
  input  logic [31:5]        status_base_i,
  output logic               wr_req_valid_o,
  input  logic               wr_req_ready_i,
  output dma_req_t           wr_req_o,
  output logic               wr_valid_o,
  input  logic               wr_ready_i,
  output logic [W-1:0]       wr_data_o,
  output logic [W/8-1:0]     wr_keep_o,
  output logic               wr_last_o,
  input  logic               wr_done_i,
  input  status_e            wr_status_i,
  output logic               write_error_o,     // pulse: a status line could not be written

  output logic               event_valid_o,     // words 0 to 2 of an event
  input  logic               event_ready_i,
  output logic [95:0]        event_o,

  output logic               idle_o             // nothing to do here; an event on offer is no work
);

  localparam int ROW_W = CONNECTIONS > 1 ? $clog2(CONNECTIONS) : 1;
  localparam int DEPTH = CONNECTIONS < 4 ? 4 : 1 << ROW_W;

  // ---- words of a row ----
  localparam logic [3:0] A_LIMIT = 4'd0, A_CONSUMED = 4'd1, A_FREE_SEEN = 4'd2, A_NXT_SEEN = 4'd3;   // staged
  localparam logic [3:0] A_TAKEN_LIMIT = 4'd4, A_TAKEN_CONSUMED = 4'd5, A_TAKEN = 4'd6;              // waits for the engine
  localparam logic [3:0] A_FREE_ARMED = 4'd7, A_NXT_ARMED = 4'd8, A_FLAGS = 4'd9;
  localparam logic [3:0] A_FREE = 4'd10, A_UNA = 4'd11, A_NXT = 4'd12, A_STATE = 4'd13;              // the status line

  typedef struct packed {
    logic        live;
    logic [13:0] generation;
    logic        arm_sent;
    logic        arm_received;
    logic        dirty;                   // in the list of lines to write
    logic        listed;                  // in the list of events to post
    logic        sent;                    // bits of the event
    logic        received;
    logic        changed;
    logic        news;                    // the line's word 3 changed since it was written
  } flags_t;

  typedef struct packed {
    logic listed;                         // in the list of doorbells
    logic waits;                          // there is one
    logic fin;
  } taken_t;

  typedef enum logic [4:0] {
    S_CLEAR, S_IDLE,
    S_LOAD, S_LOAD_TAKEN, S_LOAD_STATE,
    S_RING, S_RING_CHECK, S_RING_FLAGS, S_RING_LIMIT, S_RING_CONSUMED, S_RING_TAKEN, S_RING_FREE, S_RING_NXT, S_RING_DONE,
    S_TELL_FLAGS, S_TELL_STATE, S_TELL_FREE, S_TELL_UNA, S_TELL_NXT,
    S_GO, S_GO_LIMIT, S_GO_CONSUMED, S_GO_OFFER,
    S_LINE_FLAGS, S_LINE_READ, S_LINE_WRITE, S_LINE_WAIT,
    S_LOOK, S_LOOK_COMPARE,
    S_POST
  } state_e;

  state_e             state_q;
  logic [2:0]         step_q;
  logic [ROW_W-1:0]   row_q;
  flags_t             flags_q;
  taken_t             taken_q;
  logic [2:0]         word5_q;            // of a doorbell: arm-received, arm-sent, FIN
  tcp_tell_t          tell_q;
  logic [8:0]         told_q, had_q;      // what of the line's word 3 may change: now, before
  logic [3:0][31:0]   line_q;

  // ---- row memory ----
  logic [31:0]        mem [CONNECTIONS * 16];
  logic               we;
  logic [ROW_W-1:0]   row;
  logic [3:0]         addr;
  logic [31:0]        wdata, rdata_q;

  always_ff @(posedge clk) begin
    if (we) mem[{row, addr}] <= wdata;
    rdata_q <= mem[{row, addr}];
  end

  // ---- lists of rows ----
  logic             go_push, go_valid, go_pop, line_push, line_valid, line_pop, post_push, post_valid, post_pop;
  logic             pushed_q;             // a row is on its way to the head of its list
  logic [ROW_W-1:0] go_row, line_row, post_row;

  flue_fifo #(.W(ROW_W), .DEPTH(DEPTH)) u_go (
    .clk, .rst, .in_valid_i(go_push), .in_ready_o(), .in_i(row_q), .out_valid_o(go_valid),
    .out_ready_i(go_pop), .out_o(go_row), .count_o()
  );
  flue_fifo #(.W(ROW_W), .DEPTH(DEPTH)) u_line (
    .clk, .rst, .in_valid_i(line_push), .in_ready_o(), .in_i(row_q), .out_valid_o(line_valid),
    .out_ready_i(line_pop), .out_o(line_row), .count_o()
  );
  flue_fifo #(.W(ROW_W), .DEPTH(DEPTH)) u_post (
    .clk, .rst, .in_valid_i(post_push), .in_ready_o(), .in_i(row_q), .out_valid_o(post_valid),
    .out_ready_i(post_pop), .out_o(post_row), .count_o()
  );

  always_ff @(posedge clk) pushed_q <= (go_push || line_push || post_push) && !rst;

  // ---- what to do ----
  logic start_load, start_ring, start_tell, start_line, start_go, start_post, known;

  assign known        = db_index_i < INDEX_W'(CONNECTIONS);
  assign start_load   = state_q == S_IDLE && load_valid_i;
  assign start_ring   = state_q == S_IDLE && !load_valid_i && db_valid_i;
  assign start_tell   = state_q == S_IDLE && !load_valid_i && !db_valid_i && tell_valid_i;
  assign start_go     = state_q == S_IDLE && !load_valid_i && !db_valid_i && !tell_valid_i && go_valid && !doorbell_valid_o;
  assign start_line   = state_q == S_IDLE && !load_valid_i && !db_valid_i && !tell_valid_i && !start_go && line_valid;
  assign start_post   = state_q == S_IDLE && !load_valid_i && !db_valid_i && !tell_valid_i && !start_go && !line_valid &&
                        post_valid && !event_valid_o;
  assign go_pop       = start_go;
  assign line_pop     = start_line;
  assign post_pop     = start_post;
  assign load_ready_o = state_q == S_LOAD;
  assign tell_ready_o = start_tell;

  // ---- the sequences: one memory access a cycle, what was read is there a cycle later ----
  flags_t flags;
  taken_t taken;
  logic   good, passed_sent, passed_received;

  assign flags = flags_t'(rdata_q[$bits(flags_t)-1:0]);
  assign taken = taken_t'(rdata_q[$bits(taken_t)-1:0]);
  assign good  = known && flags_q.live && flags_q.generation == db_data_i[13:0];   // in S_RING_CHECK

  always_comb begin
    we    = 1'b0;
    row   = row_q;
    addr  = A_FLAGS;
    wdata = 32'(flags_q);
    unique case (state_q)
      S_CLEAR: begin
        we    = 1'b1;
        addr  = step_q[0] ? A_TAKEN : A_FLAGS;
        wdata = '0;
      end
      S_IDLE: begin
        row = load_valid_i ? load_index_i[ROW_W-1:0] : db_valid_i ? db_index_i[ROW_W-1:0] :
              tell_valid_i ? tell_i.index[ROW_W-1:0] : start_go ? go_row : start_line ? line_row : post_row;
        addr = start_go ? A_TAKEN : A_FLAGS;
      end
      // The lists keep a row of another life: its marks stay.
      S_LOAD: begin
        we    = 1'b1;
        wdata = 32'(flags_t'{live: load_live_i, generation: load_generation_i, dirty: flags.dirty, listed: flags.listed,
                             default: '0});
      end
      S_LOAD_TAKEN: begin
        we    = step_q[0];
        addr  = A_TAKEN;
        wdata = 32'(taken_t'{listed: taken.listed, default: '0});
      end
      S_LOAD_STATE: begin
        we    = 1'b1;
        addr  = A_STATE;
        wdata = '0;
      end
      S_RING: begin
        we    = known && db_word_i != 3'd5;
        addr  = db_word_i == 3'd0 ? A_LIMIT : db_word_i == 3'd1 ? A_CONSUMED : db_word_i == 3'd3 ? A_FREE_SEEN : A_NXT_SEEN;
        wdata = db_data_i;
        if (db_word_i == 3'd2 || db_word_i > 3'd4) we = 1'b0;
      end
      S_RING_CHECK: addr = A_LIMIT;
      S_RING_FLAGS: begin                 // rdata: staged limit
        we    = 1'b1;
        addr  = A_TAKEN_LIMIT;
        wdata = rdata_q;
      end
      S_RING_LIMIT: addr = A_CONSUMED;
      S_RING_CONSUMED: begin
        we    = 1'b1;
        addr  = A_TAKEN_CONSUMED;
        wdata = rdata_q;
      end
      S_RING_TAKEN: begin
        addr = A_TAKEN;
        if (step_q[0]) begin
          we    = 1'b1;
          wdata = 32'(taken_t'{listed: 1'b1, waits: 1'b1, fin: (taken.waits && taken.fin) || word5_q[0]});
        end
      end
      S_RING_FREE: begin
        addr  = step_q[0] ? A_FREE_ARMED : A_FREE_SEEN;
        we    = step_q[0] && word5_q[1];
        wdata = rdata_q;
      end
      S_RING_NXT: begin
        addr  = step_q[0] ? A_NXT_ARMED : A_NXT_SEEN;
        we    = step_q[0] && word5_q[2];
        wdata = rdata_q;
      end
      S_RING_DONE: begin
        we    = 1'b1;
        wdata = 32'(flags_t'{live: flags_q.live, generation: flags_q.generation,
                             arm_sent: flags_q.arm_sent || word5_q[1], arm_received: flags_q.arm_received || word5_q[2],
                             dirty: flags_q.dirty, listed: flags_q.listed, sent: flags_q.sent, received: flags_q.received,
                             changed: flags_q.changed, news: flags_q.news});
      end
      S_TELL_FLAGS: addr = A_STATE;
      S_TELL_STATE: begin                 // rdata: word 3 of the line
        we    = 1'b1;
        addr  = A_STATE;
        wdata = {2'b0, flags_q.generation, 7'b0, tell_q.refused || (rdata_q[8] && flags_q.dirty), tell_q.doubt || rdata_q[7],
                 tell_q.ended != END_NONE ? tell_q.ended : tcp_end_e'(rdata_q[6:4]),
                 tell_q.state};
      end
      S_TELL_FREE: begin
        we    = 1'b1;
        addr  = A_FREE;
        wdata = tell_q.snd_free;
      end
      S_TELL_UNA: begin
        we    = 1'b1;
        addr  = A_UNA;
        wdata = tell_q.snd_una;
      end
      S_TELL_NXT: begin
        we    = 1'b1;
        addr  = step_q[0] ? A_FLAGS : A_NXT;
        wdata = step_q[0] ? 32'(flags_q) : tell_q.rcv_nxt - 32'(tell_q.fin);
      end
      S_GO: begin                         // rdata: taken; it no longer waits
        we    = 1'b1;
        addr  = A_TAKEN;
        wdata = '0;
      end
      S_GO_LIMIT:    addr = A_TAKEN_LIMIT;
      S_GO_CONSUMED: addr = A_TAKEN_CONSUMED;
      S_LINE_FLAGS: begin
        we    = 1'b1;                     // what is told from here on is another line
        wdata = 32'(flags_t'{live: flags.live, generation: flags.generation, arm_sent: flags.arm_sent,
                             arm_received: flags.arm_received, dirty: 1'b0, listed: flags.listed, sent: flags.sent,
                             received: flags.received, changed: flags.changed || flags.news, news: 1'b0});
      end
      S_LINE_READ: addr = step_q == 3'd0 ? A_FREE : step_q == 3'd1 ? A_UNA : step_q == 3'd2 ? A_NXT : A_STATE;
      S_LOOK: addr = step_q == 3'd0 ? A_FREE_ARMED : step_q == 3'd1 ? A_NXT_ARMED : step_q == 3'd2 ? A_FREE : A_NXT;
      S_LOOK_COMPARE: begin
        we    = 1'b1;
        wdata = 32'(flags_t'{live: flags_q.live, generation: flags_q.generation,
                             arm_sent: flags_q.arm_sent && !passed_sent, arm_received: flags_q.arm_received && !passed_received,
                             dirty: flags_q.dirty, listed: flags_q.listed || post_push, sent: flags_q.sent || passed_sent,
                             received: flags_q.received || passed_received, changed: flags_q.changed, news: flags_q.news});
      end
      S_POST: begin
        we    = 1'b1;
        wdata = 32'(flags_t'{live: flags.live, generation: flags.generation, arm_sent: flags.arm_sent,
                             arm_received: flags.arm_received, dirty: flags.dirty, news: flags.news, default: '0});
      end
      default: ;
    endcase
  end

  // line_q in S_LOOK_COMPARE: armed positions, then those of the line.
  assign passed_sent     = flags_q.arm_sent && $signed(line_q[2] - line_q[0]) > 0;
  assign passed_received = flags_q.arm_received && $signed(line_q[3] - line_q[1]) > 0;

  assign go_push   = state_q == S_RING_TAKEN && step_q[0] && !taken.listed;
  assign line_push = state_q == S_TELL_NXT && step_q[0] && !step_q[1];
  assign post_push = state_q == S_LOOK_COMPARE && !flags_q.listed && flags_q.live &&
                     (flags_q.changed || flags_q.sent || flags_q.received || passed_sent || passed_received);

  localparam int LINE_BEATS = W < 256 ? 256 / W : 1;
  logic [$clog2(LINE_BEATS+1)-1:0] beat_q;

  always_ff @(posedge clk) begin
    refused_o  <= 1'b0;
    db_ready_o <= 1'b0;
    if (doorbell_ready_i) doorbell_valid_o <= 1'b0;
    if (event_ready_i)    event_valid_o    <= 1'b0;
    if (wr_req_ready_i)   wr_req_valid_o   <= 1'b0;

    step_q <= step_q + 1'b1;
    unique case (state_q)
      S_CLEAR:
        if (step_q[0]) begin
          row_q <= row_q + 1'b1;
          if (row_q == ROW_W'(CONNECTIONS - 1)) state_q <= S_IDLE;
        end
      S_IDLE: begin
        row_q  <= row;
        tell_q <= tell_i;
        step_q <= '0;
        if (start_load)                         state_q <= S_LOAD;
        else if (start_ring && !db_ready_o)     state_q <= S_RING;
        else if (start_tell)                    state_q <= S_TELL_FLAGS;
        else if (start_go)                      state_q <= S_GO;
        else if (start_line)                    state_q <= S_LINE_FLAGS;
        else if (start_post)                    state_q <= S_POST;
      end

      S_LOAD: begin
        step_q  <= '0;
        state_q <= S_LOAD_TAKEN;
      end
      S_LOAD_TAKEN:
        if (step_q[0]) state_q <= S_LOAD_STATE;
      S_LOAD_STATE: state_q <= S_IDLE;

      S_RING: begin                       // rdata: flags
        flags_q <= flags;
        word5_q <= db_data_i[18:16];
        db_ready_o <= db_word_i != 3'd5;
        state_q    <= db_word_i == 3'd5 ? S_RING_CHECK : S_IDLE;
      end
      S_RING_CHECK: begin
        refused_o  <= !good;
        db_ready_o <= !good;
        state_q    <= good ? S_RING_FLAGS : S_IDLE;
      end
      S_RING_FLAGS:    state_q <= S_RING_LIMIT;
      S_RING_LIMIT:    state_q <= S_RING_CONSUMED;
      S_RING_CONSUMED: begin
        state_q <= S_RING_TAKEN;
        step_q  <= '0;
      end
      S_RING_TAKEN:
        if (step_q[0]) begin
          state_q <= S_RING_FREE;
          step_q  <= '0;
        end
      S_RING_FREE:
        if (step_q[0]) begin
          state_q <= S_RING_NXT;
          step_q  <= '0;
        end
      S_RING_NXT:
        if (step_q[0]) state_q <= S_RING_DONE;
      S_RING_DONE: begin
        flags_q    <= flags_t'(wdata[$bits(flags_t)-1:0]);
        db_ready_o <= 1'b1;
        step_q     <= '0;
        state_q    <= S_LOOK;
      end

      S_TELL_FLAGS: begin                 // rdata: flags
        flags_q <= flags;
        state_q <= flags.live ? S_TELL_STATE : S_IDLE;
      end
      S_TELL_STATE: begin
        told_q  <= wdata[8:0];
        had_q   <= rdata_q[8:0];
        state_q <= S_TELL_FREE;
      end
      S_TELL_FREE: begin
        if (told_q != had_q || tell_q.refused) flags_q.news <= 1'b1;
        state_q <= S_TELL_UNA;
      end
      S_TELL_UNA: begin
        state_q <= S_TELL_NXT;
        step_q  <= {1'b0, flags_q.dirty, 1'b0};
        flags_q.dirty <= 1'b1;
      end
      S_TELL_NXT:
        if (step_q[0]) state_q <= S_IDLE;

      S_GO: begin
        taken_q <= taken;
        state_q <= taken.waits ? S_GO_LIMIT : S_IDLE;
      end
      S_GO_LIMIT: state_q <= S_GO_CONSUMED;
      S_GO_CONSUMED: begin                // rdata: limit
        doorbell_o.send_limit <= rdata_q;
        state_q               <= S_GO_OFFER;
      end
      S_GO_OFFER: begin
        doorbell_o.consumed <= rdata_q;
        doorbell_o.fin      <= taken_q.fin;
        doorbell_index_o    <= INDEX_W'(row_q);
        doorbell_valid_o    <= 1'b1;
        state_q             <= S_IDLE;
      end

      S_LINE_FLAGS: begin
        flags_q  <= flags_t'(wdata[$bits(flags_t)-1:0]);
        wr_req_o <= '{region: status_region_i, offset: {status_base_i + 27'(row_q), 5'b0}, length: LEN_W'(32)};
        step_q   <= '0;
        state_q  <= S_LINE_READ;
      end
      S_LINE_READ: begin
        if (step_q != 3'd0) line_q <= {rdata_q, line_q[3:1]};
        if (step_q == 3'd4) begin
          beat_q         <= '0;
          wr_req_valid_o <= status_enable_i;
          step_q         <= '0;
          state_q        <= status_enable_i ? S_LINE_WRITE : S_LOOK;
        end
      end
      S_LINE_WRITE:
        if (wr_ready_i) begin
          line_q <= W < 128 ? {(W < 128 ? W : 32)'(0), line_q[3:(W < 128 ? W / 32 : 1)]} : '0;
          beat_q <= beat_q + 1'b1;
          if (wr_last_o) state_q <= S_LINE_WAIT;
        end
      S_LINE_WAIT:
        if (wr_done_i) begin
          step_q  <= '0;
          state_q <= S_LOOK;
        end

      S_LOOK: begin
        if (step_q != 3'd0) line_q <= {rdata_q, line_q[3:1]};
        if (step_q == 3'd4) state_q <= S_LOOK_COMPARE;
      end
      S_LOOK_COMPARE: state_q <= S_IDLE;

      S_POST: begin                       // rdata: flags
        event_valid_o <= flags.live && (flags.sent || flags.received || flags.changed);
        event_o       <= {32'd0, 2'b0, flags.generation, 13'b0, flags.changed, flags.received, flags.sent,
                          16'(row_q), 12'd0, EV_CONNECTION};
        state_q       <= S_IDLE;
      end
      default: state_q <= S_IDLE;
    endcase

    if (rst) begin
      state_q          <= S_CLEAR;
      step_q           <= '0;
      row_q            <= '0;
      doorbell_valid_o <= 1'b0;
      event_valid_o    <= 1'b0;
      wr_req_valid_o   <= 1'b0;
      db_ready_o       <= 1'b0;
      refused_o        <= 1'b0;
    end
  end

  assign wr_valid_o    = state_q == S_LINE_WRITE;
  assign wr_data_o     = W'(line_q);
  assign wr_keep_o     = W > 256 ? (W / 8)'(32'hFFFFFFFF) : '1;
  assign wr_last_o     = beat_q == ($bits(beat_q))'(LINE_BEATS - 1);
  assign write_error_o = state_q == S_LINE_WAIT && wr_done_i && wr_status_i != ST_OK;
  assign idle_o        = state_q == S_IDLE && !pushed_q && !load_valid_i && !db_valid_i && !tell_valid_i && !line_valid &&
                         !(go_valid && !doorbell_valid_o) && !(post_valid && !event_valid_o) && !doorbell_valid_o;

endmodule

// Event queue: completions and queue events into the event ring.
//
// Contract: one source at a time is served, receive and transmit in turn, the
//   queue events after both.  An event is 16 bytes, written in one piece with
//   the phase bit in its last word; posted_o pulses once its write is answered.
// The ring is never overwritten: without room an event waits (`flush_i` drops it
//   instead).  A failed write, a HEAD that is not between tail - size and tail, or
//   a ring of less than 8 slots stops the queue until it is disabled; while it is
//   stopped or disabled events are taken and dropped, so that drain ends.
// Queue events: QUEUE_ERROR once per stop of a queue, when it is quiet; on
//   drain_i DRAINED once per enabled queue, when it is quiet.  drained_o: drain_i, and no
//   event of it is left to write.
// Rate: an event in 4 cycles + 128/W beats, and its write's answer.
module flue_event_queue
  import flue_pkg::*;
  import flue_layout_pkg::*;
#(
  parameter int W = 32
) (
  input  logic              clk,
  input  logic              rst,
  input  logic [30:0]       time_us_i,

  input  logic              enable_i,     // low and idle: tail returns to 0
  input  logic              flush_i,
  input  logic [7:0]        region_i,
  input  logic [31:6]       base_i,
  input  logic [3:0]        log2_slots_i,
  input  logic [SLOT_W-1:0] head_i,
  output logic [SLOT_W-1:0] tail_o,
  output logic              stopped_o,
  output logic              idle_o,       // no event is here, no write unanswered
  output logic              posted_o,     // pulse: an event is in host memory
  output logic              wait_o,       // pulse: an event has to wait for room
  output logic              write_error_o,// pulse

  input  logic              tx_valid_i,   // completions: words 0 to 2
  output logic              tx_ready_o,
  input  logic [95:0]       tx_event_i,
  input  logic              rx_valid_i,
  output logic              rx_ready_o,
  input  logic [95:0]       rx_event_i,

  input  logic              drain_i,
  output logic              drained_o,
  input  logic              tx_enable_i,
  input  logic              tx_quiet_i,
  input  logic              tx_stopped_i,
  input  queue_error_e      tx_error_i,
  input  logic [SLOT_W-1:0] tx_head_i,
  input  logic              rx_enable_i,
  input  logic              rx_quiet_i,
  input  logic              rx_stopped_i,
  input  queue_error_e      rx_error_i,
  input  logic [SLOT_W-1:0] rx_head_i,

  output logic              wr_req_valid_o,     // write client 1
  input  logic              wr_req_ready_i,
  output dma_req_t          wr_req_o,
  output logic              wr_valid_o,
  input  logic              wr_ready_i,
  output logic [W-1:0]      wr_data_o,
  output logic [W/8-1:0]    wr_keep_o,
  output logic              wr_last_o,
  input  logic              wr_done_i,
  input  status_e           wr_status_i
);

  // ---- queue events ----
  logic         tx_told_q, rx_told_q;     // this stop is reported
  logic         tx_drained_q, rx_drained_q;
  logic         tx_drain, rx_drain, tx_err, rx_err;
  logic         queue_valid, queue_take;
  event_queue_t queue_event;

  assign tx_err   = tx_stopped_i && tx_quiet_i && !tx_told_q;
  assign rx_err   = rx_stopped_i && rx_quiet_i && !rx_told_q;
  assign tx_drain = drain_i && tx_enable_i && tx_quiet_i && !tx_drained_q;
  assign rx_drain = drain_i && rx_enable_i && rx_quiet_i && !rx_drained_q;

  assign queue_valid = tx_err || rx_err || tx_drain || rx_drain;

  always_comb begin
    logic of_rx;
    of_rx = !tx_err && (rx_err || !tx_drain);
    queue_event = '{kind: tx_err || rx_err ? EV_QUEUE_ERROR : EV_DRAINED, queue_id: of_rx ? Q_RX : Q_TX,
                    index: of_rx ? rx_head_i : tx_head_i,
                    code: tx_err ? tx_error_i : rx_err ? rx_error_i : 8'd0,
                    zero: '0, gap0: '0, gap1: '0, time_us: '0, phase: 1'b0};
  end

  always_ff @(posedge clk) begin
    if (queue_take) begin
      if (tx_err)        tx_told_q    <= 1'b1;
      else if (rx_err)   rx_told_q    <= 1'b1;
      else if (tx_drain) tx_drained_q <= 1'b1;
      else               rx_drained_q <= 1'b1;
    end
    if (rst || !tx_stopped_i) tx_told_q <= 1'b0;
    if (rst || !rx_stopped_i) rx_told_q <= 1'b0;
    if (rst || !drain_i) begin
      tx_drained_q <= 1'b0;
      rx_drained_q <= 1'b0;
    end
  end

  // ---- whose turn ----
  typedef enum logic [1:0] {
    S_FREE,                               // an event is awaited
    S_ROOM,                               // room for it is awaited
    S_DATA,                               // request and data are offered
    S_DONE                                // the answer is awaited
  } state_e;
  state_e      state_q;
  logic        turn_q;                    // receive was served last

  assign rx_ready_o = state_q == S_FREE && rx_valid_i && !(tx_valid_i && turn_q);
  assign tx_ready_o = state_q == S_FREE && tx_valid_i && !rx_ready_o;
  assign queue_take = state_q == S_FREE && queue_valid && !tx_valid_i && !rx_valid_i;

  // ---- room ----
  logic [SLOT_W-1:0] tail_q, mask, level;
  logic              room, bad_head, dead;
  logic              waited_q;            // this event's wait is counted

  assign mask     = (SLOT_W'(1) << log2_slots_i) - 1'b1;
  assign level    = tail_q - head_i;
  assign room     = (level & ~mask) == '0;
  assign bad_head = !room && level != mask + 1'b1;
  assign dead     = !enable_i || stopped_o;
  assign wait_o   = state_q == S_ROOM && !dead && !room && !waited_q;

  // ---- the write: three words of the event, then the one with time and phase ----
  localparam int BEATS = W < 128 ? 128 / W : 1;
  logic [95:0] event_q;
  logic [31:0] stamp_q;
  logic [1:0]  beat_q;

  always_ff @(posedge clk) begin
    if (wr_req_ready_i) wr_req_valid_o <= 1'b0;
    unique case (state_q)
      S_FREE: begin
        event_q  <= rx_ready_o ? rx_event_i : tx_ready_o ? tx_event_i : queue_event[95:0];
        waited_q <= 1'b0;
        beat_q   <= '0;
        if (rx_ready_o || tx_ready_o) turn_q <= rx_ready_o;
        if (rx_ready_o || tx_ready_o || queue_take) state_q <= S_ROOM;
      end
      S_ROOM: begin
        wr_req_o <= '{region: region_i, length: LEN_W'(16),
                      offset: {{base_i, 2'b0} + 28'(tail_q & mask), 4'b0}};
        stamp_q  <= {~|(tail_q & (mask + 1'b1)), time_us_i};
        waited_q <= 1'b1;
        if (dead || (!room && flush_i)) begin
          state_q        <= S_FREE;
        end else if (room) begin
          state_q        <= S_DATA;
          wr_req_valid_o <= 1'b1;
          tail_q         <= tail_q + 1'b1;
        end
      end
      S_DATA:
        if (wr_ready_i) begin
          event_q <= event_q >> (W < 96 ? W : 0);
          beat_q  <= beat_q + 1'b1;
          if (wr_last_o) state_q <= S_DONE;
        end
      S_DONE:
        if (wr_done_i) state_q <= S_FREE;
      default: ;
    endcase
    if (rst || (!enable_i && idle_o)) tail_q <= '0;
    if (rst) begin
      turn_q         <= 1'b0;
      state_q        <= S_FREE;
      wr_req_valid_o <= 1'b0;
    end
  end

  assign wr_valid_o = state_q == S_DATA;
  assign wr_last_o  = beat_q == 2'(BEATS - 1);
  if (W == 32) begin : g_32
    assign wr_data_o = wr_last_o ? stamp_q : event_q[31:0];
    assign wr_keep_o = '1;
  end else if (W == 64) begin : g_64
    assign wr_data_o = {wr_last_o ? stamp_q : event_q[63:32], event_q[31:0]};
    assign wr_keep_o = '1;
  end else begin : g_wide
    assign wr_data_o = W'({stamp_q, event_q});
    assign wr_keep_o = (W/8)'(16'hFFFF);
  end

  assign tail_o        = tail_q;
  assign posted_o      = state_q == S_DONE && wr_done_i && wr_status_i == ST_OK;
  assign write_error_o = state_q == S_DONE && wr_done_i && wr_status_i != ST_OK;

  always_ff @(posedge clk) begin
    if (enable_i && (write_error_o || bad_head || log2_slots_i < 4'd3)) stopped_o <= 1'b1;
    if (rst || !enable_i) stopped_o <= 1'b0;
  end

  assign idle_o    = state_q == S_FREE && !tx_valid_i && !rx_valid_i && !queue_valid;
  assign drained_o = drain_i && tx_quiet_i && rx_quiet_i && idle_o;

  logic unused;
  assign unused = &{1'b0, queue_event[127:96]};

endmodule

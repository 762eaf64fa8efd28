// Receive queue: frames into the buffers of the ring, completions back.
//
// Contract: every buffer taken from the ring gives exactly one RX_DONE event,
//   in ring order.  A frame longer than its buffer is dropped and the buffer
//   returned with ST_TOO_LONG; a bad buffer slot is returned with its status
//   and the frame waits for the next one.  A failed write gives the DMA's status.
// Without a buffer the frame waits and the FIFO before it fills.  While the
//   queue is disabled, stopped or told to stop, frames are dropped
//   (drop_o); a frame whose write has begun is finished.
// A diverted frame (in_divert_i) takes its number with its buffer: taken_o then, and a DIVERT event
//   with in_note_i right before its RX_DONE; without a buffer it is dropped instead of waiting (drop_o), and lost_o tells of
//   every one that is dropped or too long.  A marker takes no buffer: its MARKER event comes
//   in the order in which frames and markers were offered, also while the queue is stopped; only while it is disabled
//   markers are given up.
// `quiet_o`: no buffer is without its event, no fetch is under way.
// At most 16 buffers are under way.
module flue_rx_queue
  import flue_pkg::*;
  import flue_layout_pkg::*;
#(
  parameter int W = 32
) (
  input  logic              clk,
  input  logic              rst,

  input  logic              enable_i,     // low and quiet: head returns to 0
  input  logic              stop_i,       // begin no new frame
  input  logic [7:0]        region_i,
  input  logic [31:6]       base_i,
  input  logic [3:0]        log2_slots_i,
  input  logic [SLOT_W-1:0] tail_i,
  output logic [SLOT_W-1:0] head_o,
  output logic              quiet_o,
  output logic              idle_o,       // quiet, and nothing to do without input or a frame
  output logic              wait_o,       // a frame can only wait for a buffer
  output logic              stopped_o,    // by an error, until disabled
  output queue_error_e      error_o,

  output logic              slot_req_valid_o,   // read client 2
  input  logic              slot_req_ready_i,
  output dma_req_t          slot_req_o,
  input  logic              slot_valid_i,
  output logic              slot_ready_o,
  input  logic [W-1:0]      slot_data_i,
  input  logic [W/8-1:0]    slot_keep_i,
  input  logic              slot_last_i,
  input  logic              slot_bad_i,
  input  status_e           slot_status_i,

  input  logic              in_valid_i,         // frames
  output logic              in_ready_o,
  input  logic [W-1:0]      in_data_i,
  input  logic [W/8-1:0]    in_keep_i,
  input  logic              in_last_i,
  input  rx_meta_t          in_meta_i,
  input  logic              in_divert_i,
  input  rx_note_t          in_note_i,          // with in_divert_i or a marker
  output logic              taken_o,            // pulse: the diverted frame has a buffer
  output logic              lost_o,             // pulse: it is dropped
  input  logic              marker_valid_i,     // never beside a frame
  output logic              marker_ready_o,

  output logic              wr_req_valid_o,     // write client 0
  input  logic              wr_req_ready_i,
  output dma_req_t          wr_req_o,
  output logic              wr_valid_o,
  input  logic              wr_ready_i,
  output logic [W-1:0]      wr_data_o,
  output logic [W/8-1:0]    wr_keep_o,
  output logic              wr_last_o,
  input  logic              wr_done_i,
  input  status_e           wr_status_i,

  output logic              event_valid_o,
  input  logic              event_ready_i,
  output logic [95:0]       event_o,            // words 0 to 2
  output status_e           event_status_o,
  output logic              event_note_o,       // DIVERT or MARKER, no buffer's completion
  output logic              drop_o              // pulse: a frame was dropped unseen
);

  localparam int DEPTH = 16;                    // buffers under way
  localparam int P     = $clog2(DEPTH);

  localparam logic [1:0] CONNECTION = 2'd3;     // table_e of flue_control.rdl: the kind of a handle

  // ---- buffers ----
  logic [SLOT_W-1:0] head_q, mask, level_m1;
  logic              slot_valid, slot_take, slot_error, starved, fetching, halted;
  logic [127:0]      slot;
  status_e           unused_status, verdict;
  slot_frag_t        frag;

  assign frag   = slot;
  assign halted = !enable_i || stopped_o || stop_i;

  assign mask = (SLOT_W'(1) << log2_slots_i) - 1'b1;

  flue_slot_fetch #(.W(W)) u_fetch (
    .clk, .rst,
    .run_i           (!halted),
    .ring_region_i   (region_i),
    .ring_base_i     (base_i),
    .ring_mask_i     (mask),
    .ring_start_i    (head_q),
    .tail_i,
    .restart_i       (halted),
    .restart_array_i (1'b0),
    .array_region_i  ('0),
    .array_offset_i  ('0),
    .array_count_i   ('0),
    .req_valid_o     (slot_req_valid_o),
    .req_ready_i     (slot_req_ready_i),
    .req_o           (slot_req_o),
    .in_valid_i      (slot_valid_i),
    .in_ready_o      (slot_ready_o),
    .in_data_i       (slot_data_i),
    .in_keep_i       (slot_keep_i),
    .in_last_i       (slot_last_i),
    .in_bad_i        (slot_bad_i),
    .in_status_i     (slot_status_i),
    .slot_valid_o    (slot_valid),
    .slot_o          (slot),
    .slot_take_i     (slot_take),
    .slot_error_o    (slot_error),
    .slot_status_o   (unused_status),
    .starved_o       (starved),
    .busy_o          (fetching)
  );

  // ---- a frame and a buffer meet ----
  typedef enum logic [1:0] {
    S_IDLE,                               // a frame and a buffer are awaited
    S_WRITE,                              // its write is offered, its data move
    S_DROP                                // its data are thrown away
  } state_e;

  state_e state_q, state_d;
  logic   room;                           // one more buffer may be under way
  logic   sent_q;                         // the frame's data are gone
  logic   record;
  logic   mark;                           // a marker enters

  always_comb begin
    verdict = ST_OK;
    if (frag.kind != SK_FRAG || !frag.last || |{frag.gap0, frag.gap1, frag.gap2, frag.zero})
      verdict = ST_BAD_SLOT;
    else if (frag.length == '0)
      verdict = ST_BAD_LENGTH;
    else if (LEN_W'(in_meta_i.length) > frag.length)
      verdict = ST_TOO_LONG;              // of a frame: counts only when there is one
  end

  always_comb begin
    state_d   = state_q;
    record    = 1'b0;
    slot_take = 1'b0;
    mark      = 1'b0;
    drop_o    = 1'b0;
    taken_o   = 1'b0;
    lost_o    = 1'b0;
    unique case (state_q)
      S_IDLE:
        if (marker_valid_i) begin
          mark = room && enable_i;
        end else if (halted) begin
          drop_o = in_valid_i;
          lost_o = in_valid_i && in_divert_i;
          if (in_valid_i) state_d = S_DROP;
        end else if (slot_valid && room) begin
          if (in_valid_i || verdict inside {ST_BAD_SLOT, ST_BAD_LENGTH}) begin
            record    = 1'b1;
            slot_take = 1'b1;
            taken_o   = in_valid_i && in_divert_i && verdict == ST_OK;
            lost_o    = in_valid_i && in_divert_i && verdict == ST_TOO_LONG;
            if (verdict == ST_OK)            state_d = S_WRITE;
            else if (verdict == ST_TOO_LONG) state_d = S_DROP;
          end
        end else if (in_valid_i && in_divert_i && starved) begin
          drop_o  = 1'b1;
          lost_o  = 1'b1;
          state_d = S_DROP;
        end
      S_WRITE:
        if ((wr_req_ready_i || !wr_req_valid_o) && (sent_q || (in_valid_i && wr_ready_i && in_last_i)))
          state_d = S_IDLE;
      S_DROP:
        if (in_valid_i && in_last_i) state_d = S_IDLE;
      default: ;
    endcase
  end

  assign marker_ready_o = mark || (state_q == S_IDLE && !enable_i);

  assign wr_valid_o = in_valid_i && state_q == S_WRITE && !sent_q;
  assign wr_data_o  = in_data_i;
  assign wr_keep_o  = in_keep_i;
  assign wr_last_o  = in_last_i;
  assign in_ready_o = state_q == S_DROP || (state_q == S_WRITE && !sent_q && wr_ready_i);

  always_ff @(posedge clk) begin
    state_q <= state_d;
    if (slot_take) head_q <= head_q + 1'b1;
    if (wr_req_ready_i) wr_req_valid_o <= 1'b0;
    sent_q <= state_q == S_WRITE && (sent_q || (in_valid_i && wr_ready_i && in_last_i));
    if (state_q == S_IDLE) begin
      sent_q         <= 1'b0;
      wr_req_valid_o <= state_d == S_WRITE;
      wr_req_o       <= '{region: frag.region, offset: frag.offset, length: LEN_W'(in_meta_i.length)};
    end
    if (rst || (!enable_i && quiet_o)) head_q <= '0;
    if (rst) begin
      state_q        <= S_IDLE;
      wr_req_valid_o <= 1'b0;
    end
  end

  assign head_o = head_q;

  // ---- buffers under way ----
  typedef struct packed {
    status_e  status;
    rx_meta_t meta;
    logic     marker;                     // takes no buffer
    logic     divert;
    rx_note_t note;
  } begun_t;

  logic [P:0]        begun_q;             // buffers taken, and markers
  logic [P:0]        posted_q;            // events taken
  logic [P:0]        written_q;           // writes answered
  logic [P:0]        answered_q;          // of these, events taken
  logic [SLOT_W-1:0] index_q;             // slot of the next event
  begun_t            begun_mem [DEPTH];
  status_e           written_mem [DEPTH];
  begun_t            old;
  logic              needs_write;
  event_rx_t         ev;
  event_divert_t     note;
  logic              noted_q;             // the DIVERT event of the oldest is taken
  logic              final_event;         // the last one of its entry

  assign room = {~posted_q[P], posted_q[P-1:0]} != begun_q;

  always_ff @(posedge clk) begin
    if (record || mark)
      begun_mem[begun_q[P-1:0]] <= '{status: verdict, meta: in_meta_i, marker: mark,
                                     divert: in_valid_i && in_divert_i && verdict == ST_OK, note: in_note_i};
    if (wr_done_i) written_mem[written_q[P-1:0]] <= wr_status_i;
    begun_q   <= begun_q + (P+1)'(record || mark);
    written_q <= written_q + (P+1)'(wr_done_i);
    if (event_valid_o && event_ready_i) begin
      noted_q <= !final_event;
      if (final_event) posted_q <= posted_q + 1'b1;
      if (!event_note_o) begin
        answered_q <= answered_q + (P+1)'(needs_write);
        index_q    <= index_q + 1'b1;
      end
    end
    if (rst || (!enable_i && quiet_o)) index_q <= '0;
    if (rst) begin
      begun_q    <= '0;
      posted_q   <= '0;
      written_q  <= '0;
      answered_q <= '0;
      noted_q    <= 1'b0;
    end
  end

  assign old          = begun_mem[posted_q[P-1:0]];
  assign needs_write  = old.status == ST_OK && !old.marker;
  assign event_note_o = old.marker || (old.divert && !noted_q);
  assign final_event  = old.marker || !event_note_o;

  always_comb begin
    logic none;                           // a buffer returned without a frame
    none           = old.status inside {ST_BAD_SLOT, ST_BAD_LENGTH};
    event_status_o = needs_write ? written_mem[answered_q[P-1:0]] : old.status;
    ev             = '{kind: EV_RX_DONE, queue_id: Q_RX, status: 8'(event_status_o), index: index_q + 1'b1,
                       length: none ? '0 : LEN_W'(old.meta.length), l4_off: old.meta.l4_off,
                       tcp_bad: old.meta.csum.tcp_bad, udp_bad: old.meta.csum.udp_bad,
                       ip_bad: old.meta.csum.ip_bad, tcp_ok: old.meta.csum.tcp_ok,
                       udp_ok: old.meta.csum.udp_ok, ip_ok: old.meta.csum.ip_ok,
                       loopback: 1'b0, tcp_value_invalid: 1'b0, ip_value_invalid: 1'b0,
                       vlan: old.meta.vlan, ipv6: old.meta.is_ipv6, vlan_tci: old.meta.vlan_tci,
                       gap0: '0, gap1: '0, time_us: '0, phase: 1'b0};
  end

  assign note = '{kind: old.marker ? EV_MARKER : EV_DIVERT, queue_id: Q_RX, lost: old.note.gap && !old.marker,
                  handle_index: old.note.index, handle_generation: old.note.generation, handle_kind: CONNECTION,
                  serial: old.note.number, gap0: '0, time_us: '0, phase: 1'b0};

  assign event_valid_o = posted_q != begun_q && (!needs_write || answered_q != written_q);
  assign event_o       = event_note_o ? note[95:0] : ev[95:0];

  logic unused;
  assign unused = &{1'b0, ev[127:96], note[127:96], unused_status};

  // ---- errors that stop the queue ----
  logic bad_config, bad_tail;

  assign level_m1   = tail_i + ~head_q;   // tail - head - 1
  assign bad_config = log2_slots_i < 4'd3;
  assign bad_tail   = level_m1 != '1 && |(level_m1 & ~mask);

  always_ff @(posedge clk) begin
    if (enable_i && !stopped_o && (bad_config || bad_tail || slot_error)) begin
      stopped_o <= 1'b1;
      error_o   <= bad_config ? QE_CONFIG : bad_tail ? QE_DOORBELL : QE_FETCH;
    end
    if (rst || !enable_i) stopped_o <= 1'b0;
  end

  assign quiet_o = state_q != S_WRITE && begun_q == posted_q && !fetching;
  assign wait_o  = state_q == S_IDLE && starved && !halted && !marker_valid_i && !(in_valid_i && in_divert_i);
  assign idle_o  = state_q == S_IDLE && quiet_o && (halted || starved || slot_valid);

endmodule

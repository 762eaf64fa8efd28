// Transmit queue: slots in, payload reads and requests out, completions back.
//
// Contract: every request the queue takes from its ring gives exactly one
//   tx_req_t, one payload packet of read client 1, and one TX_DONE event, each
//   in ring order.  A packet with a bad slot still gives its payload packet: it
//   is ended by a read of region 255, which no table has, so that it comes as
//   `bad` and the blocks behind it return a tag without frame.  The event's
//   status is that of the first bad slot, else the DMA's, else the tag's.
// Rules of slots: docs/architecture.md section 5.
// stop_i takes effect between packets; an error of its own or enable_i low ends
//   a packet begun with ST_ABORTED.  `quiet_o`: no packet is begun, no request
//   is without its event, no fetch is under way.
// A request with `forward` (a frame for the TCP engine, without any offload; FORWARD = 0: a bad slot) has its event when
//   fwd_done_i told its result; fwd_status_i is the event's status when nothing else went wrong.  One of them is under way
//   at a time, for the connection fwd_handle_o: what stands behind the next one in the ring waits.
// At most 16 requests are under way.
module flue_tx_queue
  import flue_pkg::*;
  import flue_layout_pkg::*;
#(
  parameter int W       = 32,
  parameter bit FORWARD = 1'b1            // frames may be forwarded
) (
  input  logic              clk,
  input  logic              rst,

  input  logic              enable_i,     // low and quiet: head returns to 0
  input  logic              stop_i,       // begin no new packet
  input  logic [7:0]        region_i,
  input  logic [31:6]       base_i,
  input  logic [3:0]        log2_slots_i,
  input  logic [SLOT_W-1:0] tail_i,
  output logic [SLOT_W-1:0] head_o,
  output logic              quiet_o,
  output logic              idle_o,       // quiet, and nothing to do without input
  output logic              stopped_o,    // by an error, until disabled
  output queue_error_e      error_o,

  output logic              slot_req_valid_o,   // read client 0
  input  logic              slot_req_ready_i,
  output dma_req_t          slot_req_o,
  input  logic              slot_valid_i,
  output logic              slot_ready_o,
  input  logic [W-1:0]      slot_data_i,
  input  logic [W/8-1:0]    slot_keep_i,
  input  logic              slot_last_i,
  input  logic              slot_bad_i,
  input  status_e           slot_status_i,

  output logic              pay_req_valid_o,    // read client 1
  input  logic              pay_req_ready_i,
  output dma_req_t          pay_req_o,
  output logic              pay_req_last_o,
  input  logic              pay_end_i,          // a payload packet's last beat moves
  input  status_e           pay_status_i,       // with it

  output logic              req_valid_o,
  input  logic              req_ready_i,
  output tx_req_t           req_o,
  output logic              req_forward_o,      // with req_o

  input  logic              done_valid_i,       // a tag reached the wire port; the engine's are ignored
  input  tx_tag_t           done_tag_i,
  output logic [31:0]       fwd_handle_o,
  input  logic              fwd_done_i,         // pulse: what became of the forwarded frame is known
  input  status_e           fwd_status_i,

  output logic              event_valid_o,
  input  logic              event_ready_i,
  output logic [95:0]       event_o,            // words 0 to 2
  output status_e           event_status_o,
  output logic              event_lso_o
);

  localparam int       DEPTH      = 16;         // requests under way
  localparam int       P          = $clog2(DEPTH);
  localparam int       CHAIN_MAX  = 1024;       // slots of one packet
  localparam dma_req_t BAD_READ   = '{region: 8'hFF, offset: '0, length: LEN_W'(1)};

  typedef enum logic [2:0] {
    S_IDLE,                               // between packets
    S_CHAIN,                              // fragments of a packet are awaited
    S_PIECE,                              // one of its reads is offered
    S_BREAK,                              // the read that ends a bad packet is offered
    S_SKIP                                // the next PACKET in the ring is awaited
  } state_e;

  state_e            state_q, state_d;
  logic              halted;              // disabled or stopped: what is begun is cut short

  assign halted = !enable_i || stopped_o;

  // ---- slots ----
  logic [SLOT_W-1:0] head_q, mask, level_m1;
  logic              slot_valid, slot_take, slot_error, starved, fetching;
  logic [127:0]      slot;
  status_e           slot_status;
  logic              restart, restart_array;
  slot_packet_t      packet;
  slot_frag_t        frag;
  slot_link_t        link;

  assign packet = slot;
  assign frag   = slot;
  assign link   = slot;

  assign mask = (SLOT_W'(1) << log2_slots_i) - 1'b1;

  flue_slot_fetch #(.W(W)) u_fetch (
    .clk, .rst,
    .run_i           (!halted && !(stop_i && state_q == S_IDLE)),
    .ring_region_i   (region_i),
    .ring_base_i     (base_i),
    .ring_mask_i     (mask),
    .ring_start_i    (head_q),
    .tail_i,
    .restart_i       (restart),
    .restart_array_i (restart_array),
    .array_region_i  (link.region),
    .array_offset_i  (link.offset[31:4]),
    .array_count_i   (link.count),
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
    .slot_status_o   (slot_status),
    .starved_o       (starved),
    .busy_o          (fetching)
  );

  // ---- what a slot means ----
  status_e           verdict;             // of the slot offered
  status_e           status_q;            // of the packet
  logic              in_array_q;
  logic [LEN_W-1:0]  left_q;              // bytes still to come
  logic [10:0]       slots_q;             // slots read for the packet
  logic              room;                // one more request may be under way
  logic              piece_last_q;
  logic              begin_packet, end_packet, step, fail;
  logic              forward_q;           // one is under way
  always_comb begin
    verdict = ST_OK;
    if (state_q == S_IDLE) begin
      if (packet.kind != SK_PACKET || |{packet.gap0, packet.gap1} ||
          (packet.forward && (!FORWARD || packet.generic || packet.vlan || |slot[95:32])))
        verdict = ST_BAD_SLOT;
      else if (packet.length == '0)                                verdict = ST_BAD_LENGTH;
    end else if (slots_q[$clog2(CHAIN_MAX)] || packet.kind == SK_PACKET) begin
      verdict = ST_CHAIN;
    end else if (frag.kind == SK_FRAG) begin
      if (|{frag.gap0, frag.gap1, frag.gap2, frag.zero}) verdict = ST_BAD_SLOT;
      else if (frag.length == '0 || frag.length > left_q ||
               (frag.last && frag.length != left_q))     verdict = ST_BAD_LENGTH;
    end else if (link.kind == SK_LINK) begin
      if (|{link.gap0, link.gap1, link.gap2, link.zero, link.offset[3:0]}) verdict = ST_BAD_SLOT;
      else if (link.count == '0)                                           verdict = ST_BAD_LENGTH;
    end else begin
      verdict = ST_BAD_SLOT;
    end
  end

  always_comb begin
    state_d       = state_q;
    begin_packet  = 1'b0;
    end_packet    = 1'b0;
    step          = 1'b0;                 // the slot offered is used up
    fail          = 1'b0;
    restart       = halted;
    restart_array = 1'b0;
    unique case (state_q)
      S_IDLE:
        if (stop_i || halted) begin
          restart = 1'b1;                 // slots read ahead are not touched
        end else if (slot_valid && room && !(forward_q && packet.forward)) begin
          begin_packet = 1'b1;
          step         = verdict == ST_OK;
          fail         = verdict != ST_OK;
          state_d      = verdict == ST_OK ? S_CHAIN : S_BREAK;
        end
      S_CHAIN:
        if (slot_valid) begin
          step = verdict == ST_OK;
          fail = verdict != ST_OK;
          if (verdict != ST_OK)           state_d = S_BREAK;
          else if (frag.kind == SK_FRAG)  state_d = S_PIECE;
          else begin
            restart       = 1'b1;
            restart_array = 1'b1;
          end
        end else if (slot_error || starved || halted) begin
          fail    = 1'b1;
          state_d = S_BREAK;
        end
      S_PIECE:
        if (pay_req_ready_i) begin
          state_d    = piece_last_q ? S_IDLE : S_CHAIN;
          end_packet = piece_last_q;
          restart    = piece_last_q && in_array_q;
        end
      S_BREAK:
        if (pay_req_ready_i) begin
          state_d = S_SKIP;
          restart = in_array_q;
        end
      S_SKIP:
        if (slot_valid && packet.kind != SK_PACKET) begin
          step = 1'b1;
        end else if (slot_valid || slot_error || starved || halted) begin
          end_packet = 1'b1;
          state_d    = S_IDLE;
        end
      default: ;
    endcase
  end

  // The first slot of a bad packet is consumed even where it is not a PACKET,
  // else S_SKIP would take the same slot for the next one.
  assign slot_take = step || (fail && slot_valid && (state_q == S_IDLE || packet.kind != SK_PACKET));

  always_ff @(posedge clk) begin
    state_q <= state_d;
    if (slot_take && !in_array_q) head_q <= head_q + 1'b1;
    if (begin_packet) begin
      left_q   <= packet.length;
      slots_q  <= 11'd1;
      status_q <= verdict;
    end else if (state_q == S_CHAIN) begin
      if (step) begin
        slots_q <= slots_q + 1'b1;
        if (frag.kind == SK_FRAG) left_q <= left_q - frag.length;
      end
      if (fail) status_q <= slot_valid ? verdict : slot_error ? slot_status :
                               halted ? ST_ABORTED : ST_CHAIN;
    end
    if (restart) in_array_q <= restart_array;

    if (state_q == S_CHAIN && step && frag.kind == SK_FRAG) begin
      pay_req_o    <= '{region: frag.region, offset: frag.offset, length: frag.length};
      piece_last_q <= frag.last;
    end
    if (fail) begin
      pay_req_o    <= BAD_READ;
      piece_last_q <= 1'b1;
    end
    if (rst || (!enable_i && quiet_o)) head_q <= '0;
    if (rst) begin
      state_q    <= S_IDLE;
      in_array_q <= 1'b0;
    end
  end

  assign pay_req_valid_o = state_q == S_PIECE || state_q == S_BREAK;
  assign pay_req_last_o  = piece_last_q;
  assign head_o          = head_q;

  // ---- requests under way: each index is the next entry of its kind ----
  logic [P:0] begun_q;                    // requests handed on
  logic [P:0] slots_end_q;                // slot and slot status known
  logic [P:0] pay_end_q;                  // payload status known
  logic [P:0] done_q;                     // last tag came
  logic [P:0] posted_q;                   // event taken

  typedef struct packed {
    logic [SLOT_W-1:0] slot;
    status_e           status;
  } slots_t;
  typedef struct packed {
    logic [15:0]       frames;
    logic [LEN_W-1:0]  payload;
    logic              lso;
    logic              lso_v2;
    logic              forward;
    status_e           status;
  } done_t;

  slots_t      slots_mem [DEPTH];
  status_e     pay_mem   [DEPTH];
  done_t       done_mem  [DEPTH];
  slots_t      ev_slots;
  status_e     ev_pay, ev_status;
  done_t       ev_done;
  logic [15:0] frames_q, frames;
  logic        complete, done, taken;
  event_tx_t   ev;                        // time and phase are the event queue's

  assign room     = {~posted_q[P], posted_q[P-1:0]} != begun_q;
  assign done     = done_valid_i && !done_tag_i.engine;
  assign frames   = frames_q + 16'(done && !done_tag_i.empty && !done_tag_i.turn);

  always_ff @(posedge clk) begin
    if (end_packet)
      slots_mem[slots_end_q[P-1:0]] <= '{slot: head_q, status: status_q};
    if (pay_end_i)
      pay_mem[pay_end_q[P-1:0]] <= pay_status_i;
    if (done && done_tag_i.eor)
      done_mem[done_q[P-1:0]] <= '{frames: frames, payload: done_tag_i.payload, lso: done_tag_i.lso,
                                   lso_v2: done_tag_i.lso_v2, forward: done_tag_i.turn,
                                   status: done_tag_i.status};
    begun_q     <= begun_q + (P+1)'(begin_packet);
    slots_end_q <= slots_end_q + (P+1)'(end_packet);
    pay_end_q   <= pay_end_q + (P+1)'(pay_end_i);
    done_q      <= done_q + (P+1)'(done && done_tag_i.eor);
    posted_q    <= posted_q + (P+1)'(taken);
    if (done) frames_q <= done_tag_i.eor ? '0 : frames;
    if (rst) begin
      begun_q     <= '0;
      slots_end_q <= '0;
      pay_end_q   <= '0;
      done_q      <= '0;
      posted_q    <= '0;
      frames_q    <= '0;
    end
  end

  // ---- the frame that is forwarded: its result comes apart from its tag, and none when no frame was made ----
  logic    begin_forward, result_q;
  status_e result_status_q;

  assign begin_forward = begin_packet && verdict == ST_OK && packet.forward;

  always_ff @(posedge clk) begin
    if (taken && ev_done.forward) forward_q <= 1'b0;
    if (fwd_done_i || (done && done_tag_i.turn && done_tag_i.empty)) result_q <= 1'b1;
    if (fwd_done_i) result_status_q <= fwd_status_i;
    if (begin_forward) begin
      forward_q       <= 1'b1;
      fwd_handle_o    <= slot[127:96];
      result_q        <= 1'b0;
      result_status_q <= ST_OK;
    end
    if (rst) forward_q <= 1'b0;
  end

  // ---- requests to the blocks behind; never more than DEPTH ----
  tx_req_t    req_mem [DEPTH];
  logic       req_forward_mem [DEPTH];
  logic [P:0] handed_q;

  always_ff @(posedge clk) begin
    if (begin_packet) req_forward_mem[begun_q[P-1:0]] <= begin_forward;
    if (begin_packet)
      req_mem[begun_q[P-1:0]] <= '{
        status: verdict == ST_OK ? ST_OK : ST_BAD_SLOT, slot: '0, length: packet.length,
        lso: {packet.lso_ipv6, packet.lso_type, packet.lso_tcp_off, packet.lso_mss},
        ipv4: packet.ipv4, ipv6: packet.ipv6, tcp_csum: packet.tcp_csum, udp_csum: packet.udp_csum,
        ip_csum: packet.ip_csum, tcp_off: packet.tcp_off, generic: packet.generic,
        csum_start: packet.csum_start, csum_offset: packet.csum_offset,
        vlan: packet.vlan, vlan_tci: packet.vlan_tci};
    if (req_valid_o && req_ready_i) handed_q <= handed_q + 1'b1;
    if (rst) handed_q <= '0;
  end

  assign req_valid_o   = handed_q != begun_q;
  assign req_o         = req_mem[handed_q[P-1:0]];
  assign req_forward_o = req_forward_mem[handed_q[P-1:0]];

  // ---- completions ----
  assign complete = posted_q != done_q && posted_q != slots_end_q && posted_q != pay_end_q &&
                    !(ev_done.forward && !result_q);
  assign taken    = event_valid_o && event_ready_i;
  assign ev_slots = slots_mem[posted_q[P-1:0]];
  assign ev_pay   = pay_mem[posted_q[P-1:0]];
  assign ev_done  = done_mem[posted_q[P-1:0]];

  always_comb begin
    ev_status = ev_slots.status != ST_OK ? ev_slots.status : ev_pay != ST_OK ? ev_pay :
                ev_done.status != ST_OK || !ev_done.forward ? ev_done.status : result_status_q;
    ev        = '{kind: EV_TX_DONE, queue_id: Q_TX, status: 8'(ev_status), index: ev_slots.slot,
                  lso_payload: ev_done.lso && !ev_done.lso_v2 ? 30'(ev_done.payload) : '0,
                  lso_type: ev_done.lso_v2, frames: ev_done.frames,
                  gap0: '0, gap1: '0, time_us: '0, phase: 1'b0};
  end

  assign event_valid_o  = complete;
  assign event_o        = ev[95:0];
  assign event_status_o = ev_status;
  assign event_lso_o    = ev_done.lso;

  logic unused;
  assign unused = &{1'b0, ev[127:96], done_tag_i.slot, done_tag_i.vlan, done_tag_i.vlan_tci};

  // ---- errors that stop the queue ----
  logic bad_config, bad_tail, bad_fetch;

  assign level_m1   = tail_i + ~head_q;   // tail - head - 1
  assign bad_config = log2_slots_i < 4'd3;
  assign bad_tail   = level_m1 != '1 && |(level_m1 & ~mask);
  assign bad_fetch  = slot_error && state_q == S_IDLE;

  always_ff @(posedge clk) begin
    if (enable_i && !stopped_o && (bad_config || bad_tail || bad_fetch)) begin
      stopped_o <= 1'b1;
      error_o   <= bad_config ? QE_CONFIG : bad_tail ? QE_DOORBELL : QE_FETCH;
    end
    if (rst || !enable_i) stopped_o <= 1'b0;
  end

  assign quiet_o = state_q == S_IDLE && begun_q == posted_q && !fetching;
  assign idle_o  = quiet_o && (!enable_i || stop_i || stopped_o || starved);

endmodule

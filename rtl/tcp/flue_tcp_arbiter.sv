// Which event enters the engine next.
//
// What ends something (placed, sent) goes first, so that nothing waits for its own end; the others take turns.  An event whose
// connection is still under way waits and lets others pass.  Without tx_room_i only sent enters.
// Contract: at most one *_ready_o a cycle, only with its *_valid_i.  Who asks keeps asking for the same until it is taken.
// Latency: 2 cycles; the next one 3 cycles later.
module flue_tcp_arbiter
  import flue_tcp_pkg::*;
  import flue_tcp_step_pkg::*;
#(
  parameter int CONNECTIONS = 64,
  parameter int WAYS        = 5             // events in the pipeline at a time
) (
  input  logic               clk,
  input  logic               rst,
  input  logic [63:0]        time_us_i,
  input  logic               tx_room_i,
  input  logic               hold_i,        // nothing enters

  input  logic               segment_valid_i,
  output logic               segment_ready_o,
  input  logic [INDEX_W-1:0] segment_index_i,
  input  tcp_seg_t           segment_i,

  input  logic               forward_valid_i,
  output logic               forward_ready_o,
  input  logic [INDEX_W-1:0] forward_index_i,
  input  tcp_seg_t           forward_i,

  input  logic               doorbell_valid_i,
  output logic               doorbell_ready_o,
  input  logic [INDEX_W-1:0] doorbell_index_i,
  input  tcp_doorbell_t      doorbell_i,

  input  logic               turn_valid_i,
  output logic               turn_ready_o,
  input  logic [INDEX_W-1:0] turn_index_i,
  input  logic [16:0]        turn_budget_i,

  input  logic               sent_valid_i,
  output logic               sent_ready_o,
  input  logic [INDEX_W-1:0] sent_index_i,
  input  tcp_sent_t          sent_i,

  input  logic               placed_valid_i,
  output logic               placed_ready_o,
  input  logic [INDEX_W-1:0] placed_index_i,
  input  tcp_placed_t        placed_i,

  input  logic               timer_valid_i,
  output logic               timer_ready_o,
  input  logic [INDEX_W-1:0] timer_index_i,

  input  logic               command_valid_i,
  output logic               command_ready_o,
  input  logic [INDEX_W-1:0] command_index_i,
  input  tcp_command_e       command_i,

  input  logic               word_valid_i,
  output logic               word_ready_o,
  input  logic [INDEX_W-1:0] word_index_i,
  input  tcp_access_t        word_i,

  input  logic [WAYS-1:0]              under_way_i,   // connections in the pipeline
  input  logic [WAYS-1:0][INDEX_W-1:0] under_way_index_i,

  output logic               waiting_o,     // somebody may enter
  output logic               out_valid_o,
  input  logic               out_ready_i,
  output tcp_work_t          out_o
);

  localparam int SOURCES = 9;               // from 2 on they take turns
  localparam int SHARED  = SOURCES - 2;
  localparam int ROW_W   = $clog2(CONNECTIONS);    // the snapshot looks like a row: it waits for it

  logic [SOURCES-1:0]              valid, free, asks_q, grant, grant_q;
  logic [SOURCES-1:0][INDEX_W-1:0] index;

  assign valid = {segment_valid_i, forward_valid_i, doorbell_valid_i, turn_valid_i, word_valid_i, command_valid_i,
                  timer_valid_i, placed_valid_i, sent_valid_i};
  assign index = {segment_index_i, forward_index_i, doorbell_index_i, turn_index_i, word_index_i, command_index_i,
                  timer_index_i, placed_index_i, sent_index_i};

  always_comb begin
    for (int i = 0; i < SOURCES; i++) begin
      free[i] = tx_room_i || i == 0;
      for (int j = 0; j < WAYS; j++) if (under_way_i[j] && ROW_W'(under_way_index_i[j]) == ROW_W'(index[i])) free[i] = 1'b0;
    end
  end

  // Compared in the first cycle, granted in the second; after a grant anew, for then one more is under way.
  assign waiting_o = (valid & free) != '0;
  always_ff @(posedge clk) begin
    if (grant_q == '0) begin
      asks_q  <= valid & free;
      grant_q <= grant;
    end
    if (rst || hold_i || (out_ready_i && grant_q != '0)) begin
      asks_q  <= '0;
      grant_q <= '0;
    end
  end

  // ---- the others in turn: those after the last one served come first ----
  logic [SHARED-1:0] after_q, first, later, shared, behind;
  assign later  = asks_q[SOURCES-1:2] & after_q;
  assign first  = later != '0 ? later : asks_q[SOURCES-1:2];

  always_comb begin
    behind = '0;
    shared = first;
    for (int i = 1; i < SHARED; i++) begin
      behind[i] = behind[i-1] || first[i-1];
      shared[i] = first[i] && !behind[i];
    end
  end

  always_comb begin
    grant = '0;
    if      (asks_q[0]) grant[0] = 1'b1;
    else if (asks_q[1]) grant[1] = 1'b1;
    else              grant[SOURCES-1:2] = shared;
  end

  always_ff @(posedge clk) begin
    if (grant_q == '0 && asks_q[1:0] == '0 && asks_q[SOURCES-1:2] != '0) after_q <= behind;
    if (rst) after_q <= '1;
  end

  localparam int SHORT_W = $bits(tcp_doorbell_t);
  logic [EVENT_W-1:0] segment_flat, forward_flat;
  assign segment_flat = segment_i;
  assign forward_flat = forward_i;

  assign out_valid_o = grant_q != '0;
  assign {segment_ready_o, forward_ready_o, doorbell_ready_o, turn_ready_o, word_ready_o, command_ready_o,
          timer_ready_o, placed_ready_o, sent_ready_o} = out_ready_i ? grant_q : '0;

  always_comb begin
    out_o      = tcp_work_t'('0);
    out_o.now  = time_us_i[31:0];
    out_o.age  = time_us_i[51:20];
    out_o.word = grant_q[4];
    for (int i = 0; i < SOURCES; i++) if (grant_q[i]) out_o.index |= index[i];
    case (1'b1)                             // at most one, once reset
      grant_q[0]: out_o.kind = EV_SENT;
      grant_q[1]: out_o.kind = EV_PLACED;
      grant_q[2]: out_o.kind = EV_TIMER;
      grant_q[3]: out_o.kind = EV_COMMAND;
      grant_q[4]: out_o.kind = EV_COMMAND;
      grant_q[5]: out_o.kind = EV_TURN;
      grant_q[6]: out_o.kind = EV_DOORBELL;
      grant_q[7]: out_o.kind = EV_FORWARD;
      default:  out_o.kind = EV_SEGMENT;
    endcase
    // Only segments are long: the short ones go beside each other into the low bits, gated.
    out_o.data[EVENT_W-1:SHORT_W] = grant_q[7] ? forward_flat[EVENT_W-1:SHORT_W] : segment_flat[EVENT_W-1:SHORT_W];
    out_o.data[SHORT_W-1:0] = (grant_q[0] ? SHORT_W'(sent_i)        : '0) | (grant_q[1] ? SHORT_W'(placed_i)   : '0) |
                              (grant_q[3] ? SHORT_W'(command_i)     : '0) | (grant_q[4] ? SHORT_W'(word_i)     : '0) |
                              (grant_q[5] ? SHORT_W'(turn_budget_i) : '0) | (grant_q[6] ? SHORT_W'(doorbell_i) : '0) |
                              (grant_q[7] ? forward_flat[SHORT_W-1:0] : '0) |
                              (grant_q[8] ? segment_flat[SHORT_W-1:0] : '0);
  end

  logic unused;
  assign unused = ^{time_us_i[63:52]};

endmodule

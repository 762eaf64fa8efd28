// Counts of the frames that hit a connection: how many are on their way through the adapter, and the number of the last one
// that was diverted.
//
// Contract: hit_*: the lookup found the connection, one more is on its way.  done_*: one less; done_commit_i: it took
//   a place in the receive queue with the number asked for last, done_lost_i: it was to be diverted and found none, which the
//   next number tells (gap).  ask_*: the number that the next diverted frame will have, 1 after a reset of the row, and whether a
//   frame was lost since the one before; both stay until the next ask.  fw_*: the last number given (0: none), whether one was lost
//   since, and how many are on their way; with fw_reset_i number and gap are 0 afterwards.
//   Every request stays until its ready.  A hit is counted before a done that comes with it.
//   At most 63 frames of a connection are on their way.  Only the low bits of an index are looked at.
// Latency: 4 cycles, 5 from request to request; after reset 2 * CONNECTIONS cycles until the rows are clear.
// Cost: 263 COMB at CONNECTIONS=64.
// Block RAM: 1.
module flue_tcp_numbers
  import flue_tcp_pkg::*;
#(
  parameter int CONNECTIONS = 64          // 2 to 1,024; up to 256 fit into one block RAM
) (
  input  logic               clk,
  input  logic               rst,

  input  logic               hit_valid_i,
  output logic               hit_ready_o,
  input  logic [INDEX_W-1:0] hit_index_i,

  input  logic               done_valid_i,
  output logic               done_ready_o,
  input  logic [INDEX_W-1:0] done_index_i,
  input  logic               done_commit_i,
  input  logic               done_lost_i,

  input  logic               ask_valid_i,
  output logic               ask_ready_o,
  input  logic [INDEX_W-1:0] ask_index_i,
  output logic [31:0]        ask_number_o,  // from the cycle after ask_ready_o to the next one's
  output logic               ask_gap_o,

  input  logic               fw_valid_i,
  output logic               fw_ready_o,
  input  logic [INDEX_W-1:0] fw_index_i,
  input  logic               fw_reset_i,
  output logic [31:0]        fw_number_o,   // with fw_ready_o
  output logic               fw_gap_o,
  output logic [5:0]         fw_on_way_o,

  output logic               idle_o
);

  localparam int ROW_W = $clog2(CONNECTIONS);

  typedef struct packed {
    logic       gap;
    logic [5:0] on_way;
  } way_t;

  typedef enum logic [2:0] {
    S_CLEAR,                              // after reset: row after row
    S_IDLE,
    S_NUMBER,                             // is being read
    S_WAY,                                // the same of gap and on_way
    S_ANSWER,                             // the request is done, gap and on_way are written
    S_STORE                               // the number is written
  } state_e;

  typedef enum logic [1:0] { HIT, DONE, ASK, FW } who_e;

  // A row is two words: the number, then way_t.
  logic [31:0]      mem [2 << ROW_W];
  logic [31:0]      read_q, number_q, wr_data;
  logic             wr_en, wr_word, store;
  logic [ROW_W-1:0] row_q, wr_row;
  logic [ROW_W:0]   clear_q;
  state_e           state_q;
  who_e             who_q;
  way_t             was, way;

  always_ff @(posedge clk) begin
    if (wr_en) mem[{wr_row, wr_word}] <= wr_data;
    read_q <= mem[{row_q, state_q == S_WAY}];
  end

  assign was   = read_q[6:0];
  assign store = (who_q == DONE && done_commit_i) || (who_q == FW && fw_reset_i);

  always_comb begin
    way = was;
    unique case (who_q)
      HIT:  way.on_way = was.on_way + 1'b1;
      DONE: way        = '{gap: (was.gap && !done_commit_i) || done_lost_i, on_way: was.on_way - 1'b1};
      FW:   way.gap    = was.gap && !fw_reset_i;
      default: ;
    endcase
  end

  always_comb begin
    wr_en   = state_q inside {S_CLEAR, S_ANSWER, S_STORE};
    wr_row  = state_q == S_CLEAR ? clear_q[ROW_W:1] : row_q;
    wr_word = state_q == S_CLEAR ? clear_q[0] : state_q == S_ANSWER;
    unique case (state_q)
      S_ANSWER: wr_data = 32'(way);
      S_STORE:  wr_data = number_q;
      default:  wr_data = '0;
    endcase
  end

  always_ff @(posedge clk) begin
    unique case (state_q)
      S_CLEAR: begin
        clear_q <= clear_q + 1'b1;
        if (&clear_q) state_q <= S_IDLE;
      end
      S_IDLE: begin
        who_q <= hit_valid_i ? HIT : done_valid_i ? DONE : ask_valid_i ? ASK : FW;
        row_q <= hit_valid_i  ? hit_index_i[ROW_W-1:0]  : done_valid_i ? done_index_i[ROW_W-1:0] :
                 ask_valid_i  ? ask_index_i[ROW_W-1:0]  : fw_index_i[ROW_W-1:0];
        if (hit_valid_i || done_valid_i || ask_valid_i || fw_valid_i) state_q <= S_NUMBER;
      end
      S_NUMBER: state_q <= S_WAY;
      S_WAY: begin
        number_q <= read_q;
        state_q  <= S_ANSWER;
      end
      S_ANSWER: begin
        number_q <= who_q == FW ? '0 : ask_number_o;
        if (who_q == ASK) begin
          ask_number_o <= number_q + 32'd1;
          ask_gap_o    <= was.gap;
        end
        state_q <= store ? S_STORE : S_IDLE;
      end
      default: state_q <= S_IDLE;
    endcase
    if (rst) begin
      state_q <= S_CLEAR;
      clear_q <= '0;
    end
  end

  assign hit_ready_o  = state_q == S_ANSWER && who_q == HIT;
  assign done_ready_o = state_q == S_ANSWER && who_q == DONE;
  assign ask_ready_o  = state_q == S_ANSWER && who_q == ASK;
  assign fw_ready_o   = state_q == S_ANSWER && who_q == FW;
  assign fw_number_o  = number_q;
  assign fw_gap_o     = was.gap;
  assign fw_on_way_o  = was.on_way;
  assign idle_o       = state_q == S_IDLE && !hit_valid_i && !done_valid_i && !ask_valid_i && !fw_valid_i;

  logic unused;
  assign unused = &{1'b0, hit_index_i, done_index_i, ask_index_i, fw_index_i};

`ifdef FORMAL
  always_ff @(posedge clk) if (!rst) begin
    // What ends has begun; the count does not run over.
    if (state_q == S_ANSWER && who_q == DONE) assert (was.on_way != '0);
    if (state_q == S_ANSWER && who_q == HIT)  assert (was.on_way != '1);
  end
`endif

endmodule

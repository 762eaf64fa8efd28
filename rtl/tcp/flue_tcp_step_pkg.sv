// What passes between the steps of the engine (flue_tcp_engine).
package flue_tcp_step_pkg;

  import flue_tcp_pkg::*;

  localparam int EVENT_W = $bits(tcp_seg_t);   // the largest event

  // An event on its way.
  typedef struct packed {
    tcp_event_e         kind;
    logic               word;             // an access of the firmware to a word, kind EV_COMMAND
    logic [INDEX_W-1:0] index;
    logic [31:0]        now;              // us
    logic [31:0]        age;              // 2^20 us
    logic [EVENT_W-1:0] data;
  } tcp_work_t;

  // What was decided about an event so far.
  typedef struct packed {
    tcp_reason_e  reason;
    logic         quiet;                  // the record stays as it is, nothing follows
    logic         clear;                  // the record becomes zero
    logic         divert;                 // verdict, unless placed
    // segment
    logic         accepted;               // its ACK counts, its payload is looked at
    logic         merge;                  // its payload meets held ranges
    logic         bytes;                  // there is payload to take: [left, right)
    logic         order;                  // it begins at rcv_edge
    logic [31:0]  left;
    logic [31:0]  right;
    logic [15:0]  skip;                   // left - seq
    logic         left_cut;               // bytes already had lie before them
    logic         no_room;                // payload and FIN are dropped: placing is full
    logic         fin;                    // a FIN inside the window
    logic [31:0]  fin_at;
    logic [25:0]  round_trip;             // now - timed_at, should the segment end a measurement
    // placing
    logic         place;
    // acknowledgement
    logic         advanced;               // snd_una moved
    logic [31:0]  acked;                  // by so much
    logic [31:0]  flight;                 // bytes in flight before
    logic         wnd_changed;
    logic         dup;                    // may be a duplicate ACK
    // timer, turn, commands
    logic         turn;                   // may send
    logic         rto;                    // retransmission timer
    logic         first;                  // the first of its row: ssthresh falls
    logic         probed;                 // persist timer
    logic         restart;                // the retransmission timer starts anew, or stops
    logic         loaded;
    logic         reopen;                 // a doorbell may open the window
    // what leaves
    logic         data;                   // a turn
    logic         probe;
    logic         rst;
    tcp_end_e     ended;
    logic         doubt;
    logic         refused;
    logic         note_valid;
    tcp_note_e    note;
  } tcp_way_t;

  // A way on which nothing was decided.
  function automatic tcp_way_t way_none();
    tcp_way_t w;
    w = tcp_way_t'('0);
    return w;
  endfunction

  // What a turn sends.
  typedef struct packed {
    tcp_reason_e  reason;                 // R_IDLE_TURN: nothing
    logic [31:0]  left;
    logic [16:0]  len;                    // payload, sent again with the FIN; before it is rounded
    logic         round;                  // to whole segments
    logic         lost;                   // what force_rxt waits for
  } tcp_choice_t;

  // An event on its way from stage to stage, and what its connection was when it came.
  typedef struct packed {
    tcp_rec_t     rec;
    tcp_work_t    work;
    tcp_way_t     way;
    logic         bad;                    // the record failed its check
    logic [31:0]  free;                   // the send ring may be reused below
    logic [31:0]  rcv_nxt;
    tcp_state_e   state;
  } tcp_pass_t;

  // The window that a segment of this event announces.
  typedef struct packed {
    logic [31:0]  reach;                  // from rcv_nxt on, whole units of its field
    logic [31:0]  number;                 // ACK number
    logic [31:0]  told;                   // right edge that the peer then knows
    logic [31:0]  more;                   // than it knew
    logic         narrow;                 // it knew of less than a segment
  } tcp_window_t;

  // What leaves: a turn, or a segment without payload.
  typedef struct packed {
    logic [31:0]  left;
    logic [16:0]  len;
    logic [15:0]  mss_now;
    logic [2:0]   blocks;                 // SACK blocks
    logic         dsack;                  // the first of them is the duplicate
    logic         psh;
    logic         fin;
    logic         resend;
  } tcp_turn_t;

  // An event behind its last stage.
  typedef struct packed {
    tcp_pass_t    pass;
    logic [31:0]  rto;                    // timeout, or the persist interval when nothing is in flight
    logic         would;                  // a turn now would send
    tcp_window_t  window;
    tcp_turn_t    turn;
  } tcp_leave_t;

  function automatic logic ended_state(input tcp_state_e s);
    return s == TCP_CLOSED || s == TCP_TIME_WAIT;
  endfunction

  function automatic logic receiving(input tcp_state_e s);
    return s == TCP_ESTABLISHED || s == TCP_FIN_WAIT1 || s == TCP_FIN_WAIT2;
  endfunction

  // The send ring may be reused below SND.UNA and below each turn that is being sent (TCP-101): one of them at a time.
  function automatic logic [31:0] turn_below(input logic [31:0] below, input logic turn, input logic [31:0] left);
    return turn ? seq_min(below, left) : below;
  endfunction

endpackage

// Types of the TCP engine (docs/tcp.md).  Sequence numbers, times and positions are in host order; times in
// microseconds of protocol time modulo 2^32.
package flue_tcp_pkg;

  import flue_pkg::*;

  localparam int HELD    = 4;             // out-of-order ranges kept (TCP-042)
  localparam int SACKED  = 8;             // ranges of the peer's remembered (TCP-083)
  localparam int BLOCKS  = 4;             // SACK blocks of one segment
  localparam int INDEX_W = 16;            // connection row
  localparam int EVENTS  = 8;             // in the engine at a time, at most; each may send one segment

  typedef struct packed {
    logic [31:0] left;
    logic [31:0] right;                   // one past the last byte
  } tcp_range_t;

  typedef struct packed {
    logic urg;
    logic ack;
    logic psh;
    logic rst;
    logic syn;
    logic fin;
  } tcp_flags_t;

  // RFC 9293 states, values of TCP_OFFLOAD_CONNECTION_STATE (docs/spec/chimney.md 1.8).
  typedef enum logic [3:0] {
    TCP_CLOSED      = 4'd0,
    TCP_ESTABLISHED = 4'd4,
    TCP_FIN_WAIT1   = 4'd5,
    TCP_FIN_WAIT2   = 4'd6,
    TCP_CLOSE_WAIT  = 4'd7,
    TCP_CLOSING     = 4'd8,
    TCP_LAST_ACK    = 4'd9,
    TCP_TIME_WAIT   = 4'd10
  } tcp_state_e;

  typedef enum logic [1:0] {
    MODE_EMPTY    = 2'd0,                 // no event has an effect
    MODE_LIVE     = 2'd1,
    MODE_FREEZING = 2'd2,                 // waits for what is in flight inside the adapter
    MODE_FROZEN   = 2'd3                  // the record is the snapshot
  } tcp_mode_e;

  typedef enum logic [1:0] {
    REC_OPEN = 2'd0,
    REC_FAST = 2'd1,
    REC_LOSS = 2'd2
  } tcp_recovery_e;

  // A received segment as the rules see it.
  typedef struct packed {
    logic [31:0]             seq;
    logic [31:0]             ack;
    logic [15:0]             wnd;         // as on the wire
    tcp_flags_t              flags;
    logic [15:0]             len;         // payload bytes
    logic                    has_ts;
    logic [31:0]             ts_val;
    logic [31:0]             ts_ecr;
    logic [2:0]              blocks;      // SACK blocks, 0 to 4
    tcp_range_t [BLOCKS-1:0] block;       // [0] is the first on the wire
  } tcp_seg_t;

  // ---- events ----------------------------------------------------------------

  typedef enum logic [3:0] {
    EV_SEGMENT  = 4'd0,
    EV_FORWARD  = 4'd1,                   // a segment forwarded by the driver
    EV_DOORBELL = 4'd2,
    EV_TURN     = 4'd3,
    EV_SENT     = 4'd4,
    EV_PLACED   = 4'd5,
    EV_TIMER    = 4'd6,
    EV_COMMAND  = 4'd7,
    EV_CC       = 4'd8                    // result of a congestion control that takes longer than its step
  } tcp_event_e;

  typedef struct packed {
    logic [31:0] send_limit;
    logic [31:0] consumed;
    logic        fin;
  } tcp_doorbell_t;

  typedef struct packed {
    logic        turn;                    // a turn is over; else a pure ACK or RST
    logic        failed;                  // its payload could not be read
  } tcp_sent_t;

  typedef struct packed {
    logic [31:0] after;                   // RCV.NXT when this and everything before it is placed
    logic        ok;
  } tcp_placed_t;

  typedef enum logic [2:0] {
    CMD_LOAD     = 3'd0,
    CMD_START    = 3'd1,
    CMD_FREEZE   = 3'd2,
    CMD_CLEAR    = 3'd3,
    CMD_ABORT    = 3'd4,
    CMD_SNAPSHOT = 3'd5
  } tcp_command_e;

  // ---- actions ---------------------------------------------------------------

  typedef enum logic [1:0] {
    VERDICT_HOST   = 2'd0,                // to the receive queue, an ordinary frame
    VERDICT_DIVERT = 2'd1,                // to the receive queue with handle and number
    VERDICT_DROP   = 2'd2,
    VERDICT_PLACE  = 2'd3
  } tcp_verdict_e;

  // What becomes of a parked frame.
  typedef struct packed {
    tcp_verdict_e       kind;
    logic [INDEX_W-1:0] index;            // connection; DIVERT and PLACE
    logic [13:0]        generation;
    logic [31:0]        number;           // DIVERT: number of the frame
    logic [15:0]        skip;             // PLACE: payload bytes trimmed at the left
    logic [15:0]        len;              // PLACE: bytes to write
    logic [31:0]        seq;              // PLACE: sequence number of the first of them
    logic [31:0]        after;            // PLACE: given back with the placed event
    logic [9:0]         pay_off;          // PLACE: payload offset in the frame
  } tcp_verdict_t;

  typedef enum logic [1:0] {
    TX_DATA  = 2'd0,                      // a turn: [seq, seq + len), cut into segments of mss
    TX_ACK   = 2'd1,                      // a pure ACK (or window probe) with this seq
    TX_RST   = 2'd2
  } tcp_tx_e;

  // A segment, or a turn of several, that leaves.
  typedef struct packed {
    tcp_tx_e                 kind;
    logic [INDEX_W-1:0]      index;
    logic [31:0]             seq;
    logic [16:0]             len;         // payload bytes, 0 for a FIN alone
    logic [15:0]             mss;         // payload bytes a segment
    logic                    psh;         // on the last segment
    logic                    fin;         // on the last segment
    logic                    resend;      // bytes sent before
    logic [31:0]             ack;
    logic [15:0]             wnd;         // as on the wire
    logic                    ts;
    logic                    ts_us;       // TSval counts microseconds, else milliseconds
    logic [31:0]             ts_offset;   // TSval = clock + this, clock read when the header is built
    logic [31:0]             ts_ecr;
    logic [2:0]              blocks;
    tcp_range_t [BLOCKS-1:0] block;
  } tcp_tx_t;

  // First word of a record on its way from the engine to the header builder (rtl/tcp/flue_tcp_send.sv).
  typedef struct packed {
    logic [6:0]         spare;
    tcp_tx_e            kind;
    logic               psh;
    logic               fin;
    logic               ts;
    logic               ts_us;
    logic [2:0]         blocks;           // at most 4, with timestamps 3
    logic [INDEX_W-1:0] index;
  } tcp_tx_head_t;

  // A ring of a connection in host memory (rtl/tcp/flue_tcp_rings.sv).
  typedef struct packed {
    logic [7:0]  region;
    logic [4:0]  log2;                    // of its bytes
    logic [31:0] base;                    // offset in the region
  } tcp_ring_t;

  // What large send does with a header that was built, and whether payload follows it.
  typedef struct packed {
    lso_cmd_t cmd;
    tx_tag_t  tag;
    logic     payload;
  } tcp_frame_t;

  typedef enum logic [2:0] {
    END_NONE    = 3'd0,
    END_FIN     = 3'd1,                   // the peer's FIN was reached
    END_RESET   = 3'd2,                   // the peer reset the connection
    END_CLOSED  = 3'd3,                   // LAST_ACK is over
    END_TIMEOUT = 3'd4,                   // retransmission limit
    END_ABORTED = 3'd5                    // our abort
  } tcp_end_e;

  // The host's view of a connection changed.
  typedef struct packed {
    logic [INDEX_W-1:0] index;
    logic [31:0]        snd_free;         // the send ring may be reused below
    logic [31:0]        snd_una;
    logic [31:0]        rcv_nxt;
    tcp_state_e         state;
    tcp_end_e           ended;            // happened with this event, once each
    logic               doubt;            // three expiries in a row (TCP-130)
    logic               refused;          // a doorbell contradicted the record
    logic               fin;              // the peer's FIN is below rcv_nxt
  } tcp_tell_t;

  typedef enum logic [2:0] {
    NOTE_FROZEN    = 3'd0,
    NOTE_UPLOAD_URGENT   = 3'd1,
    NOTE_UPLOAD_HARDWARE = 3'd2,
    NOTE_UPLOAD_CLOSED   = 3'd3           // TIME_WAIT or CLOSED reached
  } tcp_note_e;

  typedef struct packed {
    logic [INDEX_W-1:0] index;
    tcp_note_e          note;
  } tcp_notify_t;

  // Why (docs/tcp.md section 3); one an event, each a counter.
  typedef enum logic [4:0] {
    R_NONE = 5'd0, R_ACCEPTED = 5'd1, R_OUT_OF_ORDER = 5'd2, R_OLD = 5'd3, R_PROBE = 5'd4, R_OUTSIDE = 5'd5,
    R_PAWS = 5'd6, R_RST = 5'd7, R_RST_OUTSIDE = 5'd8, R_RST_CHALLENGE = 5'd9, R_SYN = 5'd10, R_NO_ACK = 5'd11,
    R_ACK_RANGE = 5'd12, R_URGENT = 5'd13, R_NO_INTERVAL = 5'd14, R_AFTER_FIN = 5'd15, R_CLOSED = 5'd16,
    R_FROZEN = 5'd17, R_RTO = 5'd18, R_PERSIST = 5'd19, R_DELACK = 5'd20, R_EARLY = 5'd21, R_LIMIT = 5'd22,
    R_NEW_DATA = 5'd23, R_RETRANSMIT = 5'd24, R_RESCUE = 5'd25, R_IDLE_TURN = 5'd26, R_WRITE_FAILED = 5'd27,
    R_READ_FAILED = 5'd28, R_COMMAND = 5'd29, R_REFUSED = 5'd30,
    R_BAD_ROW = 5'd31                     // the record failed its check: nothing done
  } tcp_reason_e;

  // ---- the record --------------------------------------------------------------
  // 68 words of 32 bits, the first on top: firmware's view of it is record `tcp_words` of rtl/regs/flue_control.rdl
  // (checked in flue_tcp_words.sv).  Words 38 to 53, the ranges that the peer reported, lie in the scoreboard
  // (flue_tcp_scoreboard.sv), all others in tcp_rec_t.  What changes at the end of every event lies in the last quarter,
  // which is written last.  Room: word 58 to 60, the private bits of the congestion control, and the bits named pad.

  localparam int STORE_WORDS  = 4;        // tcp_rec_t is read and written in so many accesses
  localparam int SLICES       = 13;       // 32-bit words in each
  localparam int RECORD_WORDS = 68;       // as firmware sees it
  localparam int SACKED_WORD  = 38;       // left and right of the highest range, and so on down
  localparam int SACKED_WORDS = 2 * SACKED;

  typedef struct packed {
    // 0
    logic                     pad0;
    logic [1:0]               turns;
    tcp_recovery_e            recovery;
    logic                     partial;    // the timer was restarted by a partial ACK of this recovery
    logic                     rescued;
    logic                     force_rxt;
    logic                     recover_valid;
    logic                     sws_override;
    logic                     oow_on;
    logic                     rtt_valid;
    logic                     timing;
    logic                     ts_valid;
    logic                     fin_sent;
    logic                     fin_marked;
    logic                     fin_valid;
    logic [3:0]               rcv_scale;
    logic [3:0]               snd_scale;
    logic                     ts_us;
    logic                     sack;
    logic                     ts;         // timestamps agreed
    tcp_state_e               state;
    // 1
    logic [15:0]              mss_rcv;
    logic [15:0]              mss;        // payload of a full segment without SACK blocks
    // 2
    logic [5:0]               placing;
    logic [25:0]              rcv_buf;    // bytes of the receive ring that may be announced
    // 3
    logic [1:0]               pad3;
    logic [3:0]               limit;      // expiries before the end; 0 = none
    logic [25:0]              snd_buf;    // bytes of the send ring
    // 4
    logic [2:0]               pad4;
    logic [3:0]               backoff;
    logic [3:0]               sacked_count;
    logic [3:0]               dup_acks;
    logic [2:0]               held_count;
    logic [13:0]              generation;
    // 5 to 16
    logic [31:0]              rcv_nxt;
    logic [31:0]              rcv_edge;
    logic [31:0]              consumed;
    logic [31:0]              ts_recent;
    logic [31:0]              ts_age;     // 2^20 us when ts_recent was set
    logic [31:0]              fin_seq;
    logic [31:0]              oow_at;
    logic [31:0]              snd_una;
    logic [31:0]              snd_max;
    logic [31:0]              max_snd_wnd;
    logic [31:0]              snd_wl1;
    logic [31:0]              snd_wl2;
    // 17 to 29
    logic [31:0]              snd_wnd;
    logic [31:0]              send_limit;
    logic [31:0]              recover;
    logic [31:0]              high_rxt;
    logic [31:0]              cwnd;
    logic [31:0]              ssthresh;
    logic [2:0]               pad23;
    logic [28:0]              srtt8;
    logic [3:0]               pad24;
    logic [27:0]              rttvar4;
    logic [31:0]              timed_seq;
    logic [31:0]              timed_at;
    logic [31:0]              turn0;
    logic [31:0]              turn1;
    logic [31:0]              ts_offset;
    // 30 to 37, 54 to 57
    tcp_range_t [HELD-1:0]    held;       // [0] newest
    logic [127:0]             cc;
    // 58 to 60: RACK and tail probe, rate reduction, ECN, keepalive, user timeout
    logic [95:0]              room;
    // 61
    logic                     asked;      // an upload was requested, once
    logic                     broken;     // a placement failed: rcv_nxt stays
    logic [3:0]               expiries;
    logic                     persisting;
    logic                     rto_on;
    logic                     delack_on;
    logic [2:0]               acks;
    logic [16:0]              ack_owed;   // saturates
    logic                     ack_now;
    tcp_mode_e                mode;
    // 62 to 67
    logic [31:0]              rcv_adv;
    logic [31:0]              last_ack_sent;
    tcp_range_t               dsack;
    logic [31:0]              delack_at;
    logic [31:0]              rto_at;
  } tcp_rec_t;

  // A word of the record, read or written by the firmware.
  typedef struct packed {
    logic        write;
    logic [6:0]  word;
    logic [31:0] data;
  } tcp_access_t;

  // Is it a word of the scoreboard, and which: slot (0 lowest) and end (0 left).
  function automatic logic word_sacked(input logic [6:0] word);
    return word >= 7'(SACKED_WORD) && word < 7'(SACKED_WORD + SACKED_WORDS);
  endfunction

  function automatic logic [$clog2(SACKED_WORDS)-1:0] word_slot(input logic [6:0] word);
    return $clog2(SACKED_WORDS)'(7'(SACKED_WORD + SACKED_WORDS - 1) - word) ^ $clog2(SACKED_WORDS)'(1);
  endfunction

  localparam logic [15:0] INDEX_SNAPSHOT = 16'hFFFF;   // the row of the newest SNAPSHOT, for reads

  // A pass over the ranges of the scoreboard (flue_tcp_scoreboard.sv).
  typedef enum logic [2:0] {
    BOARD_TRIM, BOARD_MERGE, BOARD_DOWN, BOARD_UP, BOARD_READ, BOARD_WRITE, BOARD_WIPE, BOARD_COPY
  } tcp_board_e;

  // Bounds of the retransmission timer (TCP-122).
  typedef struct packed {
    logic [31:0] rto_min_us;
    logic [31:0] rto_max_us;
  } tcp_cfg_t;

  // ---- sequence numbers ----------------------------------------------------------

  function automatic logic seq_lt(input logic [31:0] a, input logic [31:0] b);
    return $signed(a - b) < 32'sd0;
  endfunction

  function automatic logic seq_le(input logic [31:0] a, input logic [31:0] b);
    return !seq_lt(b, a);
  endfunction

  function automatic logic [31:0] seq_min(input logic [31:0] a, input logic [31:0] b);
    return seq_lt(a, b) ? a : b;
  endfunction

  function automatic logic [31:0] seq_max(input logic [31:0] a, input logic [31:0] b);
    return seq_lt(a, b) ? b : a;
  endfunction

endpackage

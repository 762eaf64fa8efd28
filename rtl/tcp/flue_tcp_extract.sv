// Reads the TCP segments out of the received frames: what they are looked up by, and what the rules of
// the engine see of them.
//
// Contract: a tap beside the stream between flue_csum_verify and the park FIFO; it never stalls it.  For
//   every frame that the park keeps (no in_drop_i or full_o with its last beat, no drop_full_i in the cycle
//   after) there is, in order, one answer at key_*: lookup_o with the key of a whole, verified, unicast
//   segment with at most one customer tag; else lookup_o low, the frame belongs to the host.  Each key with lookup_o is
//   followed by its segment at seg_*, which may come later, and be taken later than following keys.  forward_o: in_forward_i of
//   the frame.
// full_o: the headers of FRAMES - 1 frames wait; this one must be dropped (TCP-014: it leaves no trace).
// Options (TCP-005, TCP-007, TCP-008): timestamps (length 10) and SACK (10, 18, 26, 34) anywhere; the first of a
//   kind counts; every other option, and one of these with another length, is stepped over.  A length of 0, 1 or past the header ends
//   them; what was read before stays.  Payload length is that of the IP header (TCP-004).  blocks tells how many of block[]
//   mean something, has_ts whether ts_* do.
// Latency, from the last beat: a frame for the host 4 cycles; key 14 (IPv4) or 20 (IPv6); segment 5 more, and a cycle for each
//   byte of options: a bounded number, at most 64 in all.  That keeps up with 1 Gb/s at 62.5 MHz whatever the
//   frames are; what comes faster waits here, as many frames as the park holds.
// Cost: the first 128 bytes of FRAMES frames in block RAM; 607 COMB at W=32.
// Block RAM: 2 at W=32, 2 at W=64.
module flue_tcp_extract
  import flue_pkg::*;
  import flue_tcp_pkg::*;
#(
  parameter int W      = 32,      // stream, bits: 32 to 512
  parameter int FRAMES = 32       // frames whose headers fit, a power of two, at least 4
) (
  input  logic         clk,
  input  logic         rst,

  input  logic         in_move_i,         // a beat moves
  input  logic [W-1:0] in_data_i,
  input  logic         in_last_i,
  input  hdr_t         in_hdr_i,
  input  logic         in_segment_i,      // with last: out_segment_o of flue_csum_verify
  input  logic         in_drop_i,         // with last: the frame is not wanted
  input  logic         in_forward_i,      // with last: the driver forwarded it
  input  logic         drop_full_i,       // in the cycle after last: the park had no room
  output logic         full_o,            // with last: no room here, to be dropped too

  output logic         key_valid_o,
  input  logic         key_ready_i,
  output logic         lookup_o,
  output logic         forward_o,
  output lookup_key_t  key_o,             // with lookup_o

  output logic         seg_valid_o,
  input  logic         seg_ready_i,
  output tcp_seg_t     seg_o,
  output logic [9:0]   pay_off_o,         // payload offset in the frame

  output logic         idle_o             // nothing happens without input, key_ready_i or seg_ready_i
);

  localparam int N     = W / 32;          // words in a beat
  localparam int LN    = $clog2(N);
  localparam int BEATS = 32 / N;          // of a frame that are kept
  localparam int LB    = BEATS > 1 ? $clog2(BEATS) : 1;
  localparam int LF    = $clog2(FRAMES);

  // ---- the tap, a cycle later ----
  logic         move_q, last_q, begins_q, no_room_q, no_room, room_q, drop_q, group_q, segment_q, ipv6_q, tagged_q,
                forward_in_q;
  logic [W-1:0] data_q;
  logic [LF:0]  waiting;                  // frames
  logic         keep_frame;

  // One frame may be between its last beat and the count.
  assign no_room = begins_q ? waiting >= (LF+1)'(FRAMES - 1) : no_room_q;
  assign full_o  = no_room;

  always_ff @(posedge clk) begin
    move_q <= in_move_i;
    if (in_move_i) begin
      data_q    <= in_data_i;
      last_q    <= in_last_i;
      room_q    <= !no_room;
      drop_q    <= in_drop_i || no_room;
      segment_q <= in_segment_i && (in_hdr_i.vlan_count == 2'd0 || (in_hdr_i.vlan_count == 2'd1 && !in_hdr_i.vlan_stag));
      ipv6_q    <= in_hdr_i.is_ipv6;
      forward_in_q <= in_forward_i;
      tagged_q  <= in_hdr_i.vlan_count != 2'd0;
      begins_q  <= in_last_i;
      no_room_q <= no_room;
      if (begins_q) group_q <= in_data_i[0];          // TCP-011
    end
    if (rst) begin
      move_q   <= 1'b0;
      begins_q <= 1'b1;
    end
  end

  assign keep_frame = move_q && last_q && !drop_q && !drop_full_i;

  // ---- the headers, until they are read ----
  typedef struct packed {
    logic lookup;
    logic ipv6;
    logic vlan;
    logic forward;
  } kind_t;

  logic [W-1:0]  mem [FRAMES * BEATS];
  logic [LF-1:0] slot_q, read_slot_q;
  logic [LB:0]   beat_q;                  // stops at BEATS
  logic          frame_valid, frame_done;
  kind_t         frame_in, frame;

  if (BEATS > 1) begin : g_write
    always_ff @(posedge clk)
      if (move_q && room_q && !beat_q[LB]) mem[{slot_q, beat_q[LB-1:0]}] <= data_q;
  end else begin : g_write_one
    always_ff @(posedge clk)
      if (move_q && room_q && beat_q == '0) mem[slot_q] <= data_q;
  end

  always_ff @(posedge clk) begin
    if (move_q) beat_q <= last_q ? '0 : beat_q + (LB+1)'(!beat_q[LB]);
    if (keep_frame) slot_q <= slot_q + 1'b1;
    if (frame_done) read_slot_q <= read_slot_q + 1'b1;
    if (rst) begin
      beat_q      <= '0;
      slot_q      <= '0;
      read_slot_q <= '0;
    end
  end

  assign frame_in = '{lookup: segment_q && !group_q, ipv6: ipv6_q, vlan: tagged_q, forward: forward_in_q};

  flue_fifo #(.W($bits(kind_t)), .DEPTH(FRAMES)) u_frames (
    .clk, .rst, .in_valid_i(keep_frame), .in_ready_o(), .in_i(frame_in),
    .out_valid_o(frame_valid), .out_ready_i(frame_done), .out_o(frame), .count_o(waiting)
  );

  // ---- a word a cycle ----
  // Headers stand on 32-bit boundaries when two bytes are put before the frame: `word_q` is the upper half of
  // one stored word and the lower half of the next, first byte on top.  Options shift it out by bytes.
  typedef enum logic [3:0] {
    S_FRAME,                              // a frame is awaited
    S_READ,                               // the words before the IP header are read
    S_IP,                                 // IP header before the addresses
    S_REMOTE,
    S_LOCAL,
    S_PORTS,
    S_SEQ,
    S_ACK,
    S_OFFSET,                             // data offset, flags, window
    S_URGENT,                             // checksum, urgent pointer
    S_OPTIONS,                            // a byte a cycle
    S_GIVE                                // the segment is complete
  } state_e;

  state_e       state_q, state_d;
  logic         advance, last_of;
  logic [4:0]   at_q;                     // next word to read
  logic [1:0]   count_q;                  // words, or (options) bytes, of this state
  logic [W-1:0] read_q;
  logic [15:0]  half_q;
  logic [31:0]  stored, word_q;

  if (N > 1) begin : g_select
    logic [LN-1:0] lane_q;
    always_ff @(posedge clk) begin
      if (advance) lane_q <= at_q[LN-1:0];
    end
    assign stored = read_q[32*lane_q +: 32];
  end else begin : g_whole
    assign stored = read_q;
  end

  if (BEATS > 1) begin : g_read
    always_ff @(posedge clk) if (advance) read_q <= mem[{read_slot_q, at_q[4:LN]}];
  end else begin : g_read_one
    always_ff @(posedge clk) if (advance) read_q <= mem[read_slot_q];
  end

  always_ff @(posedge clk) begin
    if (advance) half_q <= stored[31:16];
    word_q <= advance ? {half_q[7:0], half_q[15:8], stored[7:0], stored[15:8]} : {word_q[23:0], 8'd0};
  end

  logic start, key_free, seg_free, foreign, key_wait_q, foreign_q;
  logic options_end;

  assign start    = state_q == S_FRAME && frame_valid && frame.lookup && !key_wait_q;
  assign key_free = !key_valid_o || key_ready_i;
  assign seg_free = !seg_valid_o || seg_ready_i;
  // Group addresses, 240/4 and limited broadcast among them (TCP-011).
  assign foreign  = frame.ipv6 ? word_q[31:24] == 8'hFF : word_q[31:29] == 3'b111;

  always_comb begin
    unique case (state_q)
      S_READ:            last_of = count_q == (frame.vlan ? 2'd3 : 2'd2);
      S_IP:              last_of = count_q == (frame.ipv6 ? 2'd1 : 2'd2);
      S_REMOTE, S_LOCAL: last_of = !frame.ipv6 || count_q == 2'd3;
      default:           last_of = 1'b1;
    endcase
  end

  logic [5:0] left_q;                     // option bytes of the header that are not read

  always_comb begin
    state_d    = state_q;
    frame_done = 1'b0;
    advance    = !(state_q inside {S_FRAME, S_OPTIONS, S_GIVE});
    unique case (state_q)
      S_FRAME: begin
        if (start) state_d = S_READ;
        frame_done = frame_valid && !frame.lookup && !key_wait_q && key_free;
      end
      S_READ:   if (last_of) state_d = S_IP;
      S_IP:     if (last_of) state_d = S_REMOTE;
      S_REMOTE: if (last_of) state_d = S_LOCAL;
      S_LOCAL:  if (last_of) state_d = S_PORTS;
      S_PORTS:  state_d = foreign_q ? S_FRAME : S_SEQ;
      S_SEQ:    state_d = S_ACK;
      S_ACK:    state_d = S_OFFSET;
      S_OFFSET: state_d = S_URGENT;
      S_URGENT: state_d = left_q == '0 ? S_GIVE : S_OPTIONS;
      S_OPTIONS: begin
        advance = count_q == 2'd3;
        if (options_end) state_d = S_GIVE;
      end
      S_GIVE:   if (seg_free) state_d = S_FRAME;
      default:  state_d = S_FRAME;
    endcase
    if (state_q != S_FRAME && state_d == S_FRAME) frame_done = 1'b1;
  end

  always_ff @(posedge clk) begin
    state_q <= state_d;
    count_q <= state_q == S_FRAME || (state_q != S_OPTIONS && last_of) ? '0 : count_q + 1'b1;
    if (state_q == S_FRAME) at_q <= 5'd3;
    else if (advance)       at_q <= at_q + 1'b1;
    if (rst) state_q <= S_FRAME;
  end

  // ---- the key ----
  lookup_key_t key_q;
  logic [15:0] tci;
  logic        key_give, forward_q;

  // The first stored word that is read has bytes 12 to 15: of a tagged frame 0x8100 and the TCI.
  assign tci      = {stored[23:16], stored[31:24]};
  assign key_give = key_wait_q && key_free;

  always_ff @(posedge clk) begin
    if (state_q == S_READ && count_q == 2'd1) key_q.vlan <= frame.vlan ? tci[11:0] : '0;
    if (state_q == S_REMOTE) begin
      key_q.remote_addr[32*count_q +: 32] <= {<<8{word_q}};
      if (count_q == '0) foreign_q <= foreign;
    end
    if (state_q == S_LOCAL) begin
      key_q.local_addr[32*count_q +: 32] <= {<<8{word_q}};
      if (count_q == '0) foreign_q <= foreign_q || foreign;
    end
    if (state_q == S_PORTS) {key_q.remote_port, key_q.local_port} <= word_q;
    if (start) begin
      forward_q         <= frame.forward;
      key_q.ipv6        <= frame.ipv6;
      key_q.vlan_valid  <= frame.vlan;
      key_q.local_addr  <= '0;
      key_q.remote_addr <= '0;
    end

    if (key_give) key_wait_q <= 1'b0;
    if (state_q == S_PORTS) key_wait_q <= 1'b1;
    if (key_free) begin
      key_valid_o <= key_give || (state_q == S_FRAME && frame_done);
      lookup_o    <= key_give && !foreign_q;
      forward_o   <= key_give ? forward_q : frame.forward;
      key_o       <= key_q;
    end
    if (rst) begin
      key_wait_q  <= 1'b0;
      key_valid_o <= 1'b0;
    end
  end

  // ---- options, a byte a cycle ----
  tcp_seg_t seg_q;                        // the segment, as far as it is read

  localparam logic [7:0] OPT_END = 8'd0, OPT_NOP = 8'd1, OPT_SACK = 8'd5, OPT_TS = 8'd8;

  typedef enum logic [1:0] {
    O_KIND,
    O_LENGTH,
    O_BODY
  } option_e;

  option_e    part_q;
  logic       is_ts_q, is_sack_q;         // it is one that counts
  logic [5:0] body_q;                     // bytes of the body that are not read
  logic [4:0] at_byte_q;                  // bytes of the body that are read
  logic [7:0] octet, body;
  logic       bad_length, ts_begins, sack_begins, ts_byte, sack_byte;

  assign octet = word_q[31:24];

  // left_q counts the length byte itself, the option's length its kind as well.
  assign body        = octet - 8'd2;
  assign bad_length  = octet < 8'd2 || body >= 8'(left_q);
  assign options_end = left_q == 6'd1 || (part_q == O_KIND && octet == OPT_END) ||
                       (part_q == O_LENGTH && bad_length);
  assign ts_begins   = state_q == S_OPTIONS && part_q == O_LENGTH && is_ts_q && octet == 8'd10 && !bad_length;
  assign sack_begins = state_q == S_OPTIONS && part_q == O_LENGTH && is_sack_q && body[2:0] == 3'd0 && body != '0 &&
                       !bad_length;
  assign ts_byte     = state_q == S_OPTIONS && part_q == O_BODY && is_ts_q;
  assign sack_byte   = state_q == S_OPTIONS && part_q == O_BODY && is_sack_q;

  always_ff @(posedge clk) begin
    if (state_q == S_OFFSET) begin
      left_q <= {word_q[31:28] - 4'd5, 2'b00};
      part_q <= O_KIND;
    end
    if (state_q == S_OPTIONS) begin
      left_q <= left_q - 1'b1;
      unique case (part_q)
        O_KIND: begin
          is_ts_q   <= octet == OPT_TS && !seg_q.has_ts;
          is_sack_q <= octet == OPT_SACK && seg_q.blocks == '0;
          if (octet != OPT_NOP) part_q <= O_LENGTH;
        end
        O_LENGTH: begin
          is_ts_q   <= ts_begins;
          is_sack_q <= sack_begins;
          body_q    <= body[5:0];
          at_byte_q <= '0;
          part_q    <= body == '0 ? O_KIND : O_BODY;
        end
        default: begin
          body_q    <= body_q - 1'b1;
          at_byte_q <= at_byte_q + 1'b1;
          if (body_q == 6'd1) part_q <= O_KIND;
        end
      endcase
    end
  end

  // ---- the segment ----
  logic [4:0] pay_word_q;                 // payload offset / 4

  always_ff @(posedge clk) begin
    unique case (state_q)
      S_IP: begin
        if (!frame.ipv6 && count_q == 2'd0) seg_q.len <= word_q[15:0] - 16'd20;
        if (frame.ipv6  && count_q == 2'd1) seg_q.len <= word_q[31:16];
        pay_word_q <= 5'd8 + (frame.ipv6 ? 5'd5 : 5'd0) + 5'(frame.vlan);
      end
      S_SEQ: seg_q.seq <= word_q;
      S_ACK: seg_q.ack <= word_q;
      S_OFFSET: begin
        {seg_q.flags, seg_q.wnd} <= word_q[21:0];
        seg_q.len  <= seg_q.len - {10'd0, word_q[31:28], 2'b00};
        pay_word_q <= pay_word_q + 5'(word_q[31:28]);
      end
      default: ;
    endcase
    if (seg_free) begin
      seg_valid_o <= state_q == S_GIVE;
      seg_o       <= seg_q;
      pay_off_o   <= {3'b000, pay_word_q, 2'b10};
    end
    if (rst) seg_valid_o <= 1'b0;

    // What the options say.
    if (start) begin
      seg_q.has_ts <= 1'b0;
      seg_q.blocks <= '0;
    end
    if (ts_begins) seg_q.has_ts <= 1'b1;
    if (sack_begins) seg_q.blocks <= 3'(body[5:3]);
    if (ts_byte) {seg_q.ts_val, seg_q.ts_ecr} <= {seg_q.ts_val[23:0], seg_q.ts_ecr, octet};
    for (int i = 0; i < BLOCKS; i++)
      if (sack_byte && at_byte_q[4:3] == 2'(i)) seg_q.block[i] <= {seg_q.block[i][55:0], octet};
  end

  logic at_rest;

  always_comb begin
    unique case (state_q)
      S_FRAME: at_rest = frame_valid ? !key_free : waiting == '0;
      S_GIVE:  at_rest = !seg_free;
      default: at_rest = 1'b0;
    endcase
  end

  assign idle_o = !move_q && at_rest && !start && !key_give && !(key_valid_o && key_ready_i) && !(seg_valid_o && seg_ready_i);

  logic unused;
  assign unused = &{1'b0, in_hdr_i, tci[15:12]};

`ifdef FORMAL
  always_ff @(posedge clk) if (!rst) begin
    // The store never overflows.
    if (keep_frame) assert (waiting < (LF+1)'(FRAMES));
    // The options end with the header.
    if (state_q == S_OPTIONS) assert (left_q != '0);
  end
`endif

endmodule

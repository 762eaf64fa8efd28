// Transmit side of the TCP engine: each record one packet for large send, its last tag back as `sent`.
//
// Contract: a record is taken whenever room_o is not 0 and the one before it is stored (up to 15 cycles), and
//   gives one packet out_* and one sent event, in order: out_cmd_o and out_tag_o belong to the packet as flue_lso
//   wants it.  Payload is read ahead of the frames before it; a packet with payload begins when its first beat is
//   here, then it waits for nothing but memory.
//   room_o is DEPTH less the records without their sent event: an engine that begins no event unless room_o covers
//   what is already on its way never has to hold a record back.
//   done_*: every tag that reached the wire port.  sent: the frames have left, or `failed`: payload could not be
//   read, a row failed its check, or the record asks for what cannot be; then part of the turn, or nothing, has
//   left.
//   What the rows say counts from the next header on.
// Latency: record to packet 90 cycles (IPv4), and the payload's read.  Rate: a header while the payload before it
//   is being sent.
// Cost: 2,456 COMB at W=32 (header 898, payload requests 365, clock 290).
// Block RAM: 1.
module flue_tcp_send
  import flue_pkg::*;
  import flue_tcp_pkg::*;
#(
  parameter int W         = 32,
  parameter int DEPTH     = 32,           // records under way, a power of two
  parameter int MAX_FRAME = 1518,         // largest frame on the wire with tags, without FCS
  localparam int B  = W / 8,
  localparam int CW = $clog2(DEPTH + 1)
) (
  input  logic               clk,
  input  logic               rst,
  input  logic [63:0]        time_us_i,

  input  logic               in_valid_i,
  output logic               in_ready_o,
  input  tcp_tx_t            in_i,
  output logic [CW-1:0]      room_o,

  output logic               tp_valid_o,  // flue_table_port_arb
  input  logic               tp_ready_i,
  output logic [1:0]         tp_table_o,
  output logic [15:0]        tp_row_o,
  output logic [5:0]         tp_word_o,
  input  logic [31:0]        tp_rdata_i,
  input  logic               tp_bad_i,

  output logic               ring_valid_o, // flue_tcp_rings
  input  logic               ring_ready_i,
  output logic [INDEX_W-1:0] ring_index_o,
  input  tcp_ring_t          ring_i,

  output logic               req_valid_o, // flue_tcp_payload
  input  logic               req_ready_i,
  output dma_req_t           req_o,
  output logic               req_last_o,
  input  logic               pay_valid_i,
  output logic               pay_ready_o,
  input  logic [W-1:0]       pay_data_i,
  input  logic [B-1:0]       pay_keep_i,
  input  logic               pay_last_i,
  input  logic               pay_bad_i,

  output logic               out_valid_o, // arbiter before flue_lso
  input  logic               out_ready_i,
  output logic [W-1:0]       out_data_o,
  output logic [B-1:0]       out_keep_o,
  output logic               out_last_o,
  output logic               out_bad_o,
  output lso_cmd_t           out_cmd_o,
  output tx_tag_t            out_tag_o,

  input  logic               done_valid_i, // at the wire port
  input  tx_tag_t            done_tag_i,
  output logic               sent_valid_o,
  input  logic               sent_ready_i,
  output logic [INDEX_W-1:0] sent_index_o,
  output tcp_sent_t          sent_o,

  output logic               idle_o       // no record is under way
);

  localparam int L = $clog2(B);

  // ---- records: stored word by word ----
  logic          hold_q;                  // hold_tx_q is being stored
  // verilator lint_off UNUSEDSIGNAL
  tcp_tx_t       hold_tx_q;               // `resend` is for the trace
  // verilator lint_on UNUSEDSIGNAL
  tcp_tx_head_t  head;
  logic [3:0]    at_q, at_d;              // its next word
  logic [31:0]   word;
  logic          last_word, taken;
  logic [2:0]    blocks;
  logic [CW-1:0] room_q;
  logic          sent_taken;

  assign in_ready_o = (!hold_q || last_word) && room_q != '0;
  assign taken      = in_valid_i && in_ready_o;
  assign sent_taken = sent_valid_o && sent_ready_i;
  assign room_o     = room_q;

  always_comb begin
    blocks = (hold_tx_q.blocks > 3'd4) ? 3'd4 : hold_tx_q.blocks;
    if (hold_tx_q.ts && blocks == 3'd4) blocks = 3'd3;           // the option space is full
    head = '{spare: '0, kind: hold_tx_q.kind, psh: hold_tx_q.psh, fin: hold_tx_q.fin, ts: hold_tx_q.ts,
             ts_us: hold_tx_q.ts_us, blocks: blocks, index: hold_tx_q.index};
    at_d = at_q + 4'd1;
    unique case (at_q)
      4'd0:    word = head;
      4'd1:    word = 32'(hold_tx_q.len);
      4'd2:    word = {hold_tx_q.mss, hold_tx_q.wnd};
      4'd3:    word = hold_tx_q.seq;
      4'd4:    word = hold_tx_q.ack;
      4'd5:    word = hold_tx_q.ts_offset;
      4'd6:    word = hold_tx_q.ts_ecr;
      default: word = at_q[0] ? hold_tx_q.block[2'((at_q - 4'd7) >> 1)].left
                              : hold_tx_q.block[2'((at_q - 4'd7) >> 1)].right;
    endcase
    if (at_q == 4'd4 && !hold_tx_q.ts) at_d = 4'd7;
    last_word = at_d == 4'd7 + {blocks, 1'b0};
  end

  always_ff @(posedge clk) begin
    if (hold_q) begin
      at_q   <= last_word ? 4'd0 : at_d;
      hold_q <= !last_word;
    end
    if (taken) begin
      hold_q    <= 1'b1;
      hold_tx_q <= in_i;
    end
    room_q <= room_q + CW'(sent_taken) - CW'(taken);
    if (rst) begin
      hold_q <= 1'b0;
      at_q   <= 4'd0;
      room_q <= CW'(DEPTH);
    end
  end

  logic        rec_valid, rec_ready;
  logic [31:0] rec;

  // A record is 15 words at most, so it always has room.
  flue_dma_fifo #(.WIDTH(32), .DEPTH(16 * DEPTH)) u_records (
    .clk, .rst, .push_i(hold_q), .in_i(word), .out_valid_o(rec_valid), .out_ready_i(rec_ready), .out_o(rec),
    .rd_ptr_o()
  );

  // ---- headers ----
  logic               ms_valid;
  logic [31:0]        ms;
  logic               fetch_start, fetch_known, fetch_bad, fetch_go, fetch_cancel, fetch_idle;
  logic [INDEX_W-1:0] fetch_index;
  logic [31:0]        fetch_seq;
  logic [LEN_W-1:0]   fetch_len;
  logic               made_valid, made_ready, made_last, frame_valid, frame_ready;
  logic [31:0]        made;
  tcp_frame_t         frame;

  flue_tcp_clock u_clock (.clk, .rst, .time_us_i, .ms_o(ms), .valid_o(ms_valid));

  flue_tcp_header #(.MAX_FRAME(MAX_FRAME)) u_header (
    .clk, .rst, .time_us_i(time_us_i[31:0]), .ms_valid_i(ms_valid), .ms_i(ms),
    .in_valid_i(rec_valid), .in_ready_o(rec_ready), .in_i(rec),
    .tp_valid_o, .tp_ready_i, .tp_table_o, .tp_row_o, .tp_word_o, .tp_rdata_i, .tp_bad_i,
    .fetch_start_o(fetch_start), .fetch_index_o(fetch_index), .fetch_seq_o(fetch_seq), .fetch_len_o(fetch_len),
    .fetch_known_i(fetch_known), .fetch_bad_i(fetch_bad), .fetch_go_o(fetch_go), .fetch_cancel_o(fetch_cancel),
    .fetch_idle_i(fetch_idle),
    .word_valid_o(made_valid), .word_ready_i(made_ready), .word_o(made), .word_last_o(made_last),
    .frame_valid_o(frame_valid), .frame_ready_i(frame_ready), .frame_o(frame)
  );

  flue_tcp_fetch u_fetch (
    .clk, .rst, .start_i(fetch_start), .index_i(fetch_index), .seq_i(fetch_seq), .len_i(fetch_len),
    .known_o(fetch_known), .bad_o(fetch_bad), .go_i(fetch_go), .cancel_i(fetch_cancel), .idle_o(fetch_idle),
    .ring_valid_o, .ring_ready_i, .ring_index_o, .ring_i, .req_valid_o, .req_ready_i, .req_o, .req_last_o
  );

  logic        word_valid, word_ready, word_last;
  logic [31:0] word_out;
  logic [5:0]  unused_words;

  // The longest header is 29 words.
  flue_fifo #(.W(33), .DEPTH(32)) u_words (
    .clk, .rst, .in_valid_i(made_valid), .in_ready_o(made_ready), .in_i({made_last, made}),
    .out_valid_o(word_valid), .out_ready_i(word_ready), .out_o({word_last, word_out}), .count_o(unused_words)
  );

  // ---- packets ----
  typedef enum logic [2:0] {
    S_FRAME,                              // a header that is complete
    S_WAIT,                               // the first beat of its payload
    S_HEADER,
    S_PAYLOAD,
    S_LEAVE                               // its last beat goes
  } state_e;

  // Number of lanes in a contiguous keep.
  function automatic logic [L:0] lanes(input logic [B-1:0] keep);
    lanes = '0;
    for (int j = 0; j < B; j++)
      if (keep[j] && (j == B - 1 || !keep[(j + 1) % B])) lanes |= (L+1)'(j + 1);
  endfunction

  state_e       state_q;
  tcp_frame_t   frame_q;
  logic         first_q;                  // the header's first word: two bytes
  logic         chunk_valid, chunk_ready, chunk_last;
  logic [W-1:0] chunk;
  logic [L-1:0] chunk_off;
  logic [L:0]   chunk_len;

  assign frame_ready = state_q == S_FRAME;
  assign word_ready  = state_q == S_HEADER && chunk_ready;
  assign pay_ready_o = state_q == S_PAYLOAD && chunk_ready;

  always_comb begin
    if (state_q == S_PAYLOAD) begin
      chunk_valid = pay_valid_i;
      chunk       = pay_data_i;
      chunk_off   = '0;
      chunk_len   = lanes(pay_keep_i);
      chunk_last  = pay_last_i;
    end else begin
      chunk_valid = state_q == S_HEADER && word_valid;
      chunk       = W'(word_out);
      chunk_off   = first_q ? L'(2) : '0;
      chunk_len   = first_q ? (L+1)'(2) : (L+1)'(4);
      chunk_last  = word_last && !frame_q.payload;
    end
  end

  always_ff @(posedge clk) begin
    unique case (state_q)
      S_FRAME: if (frame_valid) begin
        frame_q <= frame;
        first_q <= 1'b1;
        state_q <= S_WAIT;
      end
      S_WAIT: if (!frame_q.payload || pay_valid_i) state_q <= S_HEADER;
      S_HEADER: if (word_valid && chunk_ready) begin
        first_q <= 1'b0;
        if (word_last) state_q <= frame_q.payload ? S_PAYLOAD : S_LEAVE;
      end
      S_PAYLOAD: if (pay_valid_i && chunk_ready && pay_last_i) state_q <= S_LEAVE;
      S_LEAVE: if (out_valid_o && out_ready_i && out_last_o) state_q <= S_FRAME;
      default: state_q <= S_FRAME;
    endcase
    if (rst) state_q <= S_FRAME;
  end

  logic unused_user;

  flue_pack #(.W(W), .U(1)) u_pack (
    .clk, .rst,
    .in_valid_i(chunk_valid), .in_ready_o(chunk_ready), .in_data_i(chunk), .in_off_i(chunk_off),
    .in_len_i(chunk_len), .in_last_i(chunk_last), .in_bad_i(state_q == S_PAYLOAD && pay_bad_i),
    .in_skip_i('0), .in_user_i(1'b0),
    .out_valid_o, .out_ready_i, .out_data_o, .out_keep_o, .out_last_o, .out_bad_o, .out_user_o(unused_user)
  );

  assign out_cmd_o = frame_q.cmd;
  assign out_tag_o = frame_q.tag;

  // ---- sent ----
  logic          sent, sent_room;
  logic [CW-1:0] unused_sent;

  assign sent = done_valid_i && done_tag_i.engine && done_tag_i.eor;

  // As deep as there are records, so never full.
  flue_fifo #(.W(INDEX_W + $bits(tcp_sent_t)), .DEPTH(DEPTH)) u_sent (
    .clk, .rst, .in_valid_i(sent), .in_ready_o(sent_room),
    .in_i({done_tag_i.slot, done_tag_i.turn, done_tag_i.status != ST_OK}),
    .out_valid_o(sent_valid_o), .out_ready_i(sent_ready_i), .out_o({sent_index_o, sent_o}), .count_o(unused_sent)
  );

  assign idle_o = room_q == CW'(DEPTH) && !in_valid_i;

  logic unused;
  assign unused = &{1'b0, sent_room, done_tag_i.empty, done_tag_i.lso, done_tag_i.lso_v2, done_tag_i.payload,
                    done_tag_i.vlan, done_tag_i.vlan_tci};

`ifdef FORMAL
  always_ff @(posedge clk)
    if (!rst && sent) assert (sent_room && room_q != CW'(DEPTH));
`endif

endmodule

// Large send: one template and payload become segments (sections 2.3 and 3.2).
//
// Contract: a packet with in_cmd_i.lso leaves as ceil(pay_len / mss) frames of the
// patched template and the next mss payload bytes (TO-048), back to back and in order,
// then as one beat with an `empty` tag that ends the request and says how many payload
// bytes were sent.  A packet without lso passes through as one frame; one with drop is
// consumed and leaves as one empty tag.  So every request has exactly one tag with eor,
// its last.  Checksums are not computed here: out_cmd_o says what flue_csum_insert does.
// A plain frame's l4_seed is 0.
// hdr_len is 2 modulo 4 (Ethernet with at most two tags, IP, TCP), mss and pay_len at
// least 1, a segment below 16 KB.  Input behind the promised payload is ignored (LSOv1, TO-053).
// Read errors: when the packet ends with bad, or early, the segment then being cut
// leaves with bad, and the empty tag says ST_DMA_READ.  A frame that is passed through
// keeps its bad.
// Rate: a beat a cycle; an LSO request begins with hdr_len bytes and 14 cycles of pause,
// later headers are patched while the segment before them is being sent, without a pause
// if that has 16 beats of payload.
// Latency: 4 cycles.
module flue_lso import flue_pkg::*; #(
  parameter int W = 64,
  localparam int B = W / 8,
  localparam int L = $clog2(B)
) (
  input  logic         clk,
  input  logic         rst,
  input  logic         fault_seq_i,     // fault injection: flip bit 0 of every second segment's sequence number

  input  logic         in_valid_i,
  output logic         in_ready_o,
  input  logic [W-1:0] in_data_i,
  input  logic [B-1:0] in_keep_i,
  input  logic         in_last_i,
  input  logic         in_bad_i,
  input  lso_cmd_t     in_cmd_i,
  input  tx_tag_t      in_tag_i,

  output logic         out_valid_o,
  input  logic         out_ready_i,
  output logic [W-1:0] out_data_o,
  output logic [B-1:0] out_keep_o,
  output logic         out_last_o,
  output logic         out_bad_o,
  output csum_cmd_t    out_cmd_o,
  output tx_tag_t      out_tag_o
);

  localparam int R = $clog2(HDR_MAX / B);

  typedef enum logic [2:0] {
    S_PACKET,                           // template, or a packet that is passed through or dropped
    S_PATCH,                            // the header of the next segment is not ready yet
    S_HEADER,
    S_PAYLOAD,
    S_REST,                             // input behind the promised payload
    S_TAG
  } state_e;

  // Preparation of the next segment, beside the payload of this one.
  typedef enum logic [2:0] {
    P_IDLE, P_LEFT, P_LAST, P_LENGTH, P_PATCH, P_READY
  } prep_e;

  // Number of lanes in a contiguous keep.
  function automatic logic [L:0] lanes(input logic [B-1:0] keep);
    lanes = '0;
    for (int j = 0; j < B; j++)
      if (keep[j] && (j == B - 1 || !keep[(j + 1) % B])) lanes |= (L+1)'(j + 1);
  endfunction

  state_e state_q, state_d;
  prep_e  prep_q;

  // The request; loaded with its first beat.
  // verilator lint_off UNUSEDSIGNAL
  lso_cmd_t   cmd_q;                    // lso and drop are read at the port only, l4_seed is not
  // verilator lint_on UNUSEDSIGNAL
  logic [15:0] seed_q;                  // TCP length of the segment
  csum_cmd_t  csum;
  tx_tag_t    tag_q;
  logic       first_beat_q;             // the next beat is the first of its packet
  logic       error_q;

  // The chunk on its way to the packer.
  logic         chunk_valid_q, chunk_last_q, chunk_bad_q;
  logic [W-1:0] chunk_data_q;
  logic [L-1:0] chunk_off_q;
  logic [L:0]   chunk_len_q;
  logic         pack_ready, go;

  assign go = !chunk_valid_q || pack_ready;

  // Segment in progress.
  logic [R-1:0]  row_q;
  logic          at_hdr_end;            // row_q holds the end of the header
  logic          seg_last_q;
  logic [14-L:0] beats_q;               // input beats that end before the segment does
  logic [L-1:0]  low_q;                 // lane in the last of them after its last byte, 0 if it fills the beat
  logic          fin_q;                 // this beat ends the segment
  logic [L-1:0]  off_q;                 // first lane not yet sent
  logic [L:0]    stop;

  // Segment being prepared.
  logic             first_q, last_q;
  logic [LEN_W-1:0] left_q;             // payload that it and those after it carry
  logic [LEN_W:0]   rest_q;             // left_q - mss
  logic [13:0]      seg_len_q;
  logic [L-1:0]     next_off;
  logic             patched;
  logic [15:0]      next_seed;
  logic [14:0]      next_end;
  logic [LEN_W-1:0] sent_q;

  // What happens in this cycle.
  logic take;                           // the input beat is consumed
  logic emit;                           // a chunk goes to the packer
  logic begin_prep, load_segment, cut_short, seg_done;

  assign at_hdr_end = row_q == ((state_q == S_PACKET) ? in_cmd_i.hdr_len[6:L] : cmd_q.hdr_len[6:L]);
  assign stop       = (fin_q && low_q != '0) ? {1'b0, low_q} : (L+1)'(B);
  assign next_off   = first_q ? cmd_q.hdr_len[L-1:0] : low_q;

  // All of it moves with go; the preparation does not wait.
  always_comb begin
    state_d      = state_q;
    take         = 1'b0;
    emit         = 1'b0;
    begin_prep   = 1'b0;
    load_segment = 1'b0;
    cut_short    = 1'b0;
    seg_done     = 1'b0;
    unique case (state_q)
      S_PACKET: if (in_valid_i) begin
        take = 1'b1;
        if (in_cmd_i.drop) begin
          if (in_last_i) state_d = S_TAG;
        end else if (!in_cmd_i.lso) begin
          emit = 1'b1;
        end else if (at_hdr_end) begin
          take       = 1'b0;            // payload follows in the same beat
          begin_prep = 1'b1;
          state_d    = S_PATCH;
        end else if (in_last_i) begin
          cut_short  = 1'b1;
          state_d    = S_TAG;
        end
      end
      S_PATCH: if (prep_q == P_READY) state_d = S_HEADER;
      S_HEADER: begin
        emit         = 1'b1;
        load_segment = row_q == '0;
        if (at_hdr_end) begin
          begin_prep = load_segment ? !last_q : !seg_last_q;
          state_d    = S_PAYLOAD;
        end
      end
      S_PAYLOAD: if (in_valid_i) begin
        emit      = 1'b1;
        cut_short = in_last_i && (in_bad_i || !fin_q || (!seg_last_q && low_q == '0));
        take      = !fin_q || low_q == '0 || seg_last_q || cut_short;
        seg_done  = fin_q && !cut_short;
        if (cut_short || (fin_q && seg_last_q && in_last_i)) state_d = S_TAG;
        else if (fin_q && seg_last_q)                        state_d = S_REST;
        else if (fin_q) state_d = (prep_q == P_READY) ? S_HEADER : S_PATCH;
      end
      S_REST: if (in_valid_i) begin
        take      = 1'b1;
        cut_short = in_last_i && in_bad_i;
        if (in_last_i) state_d = S_TAG;
      end
      S_TAG: begin
        emit    = 1'b1;
        state_d = S_PACKET;
      end
      default: state_d = S_PACKET;
    endcase
  end

  assign in_ready_o = go && take;

  // Request, and what goes with its frames.
  logic begins;                         // the first beat of a packet is here

  assign begins = state_q == S_PACKET && in_valid_i && first_beat_q;

  always_ff @(posedge clk) begin
    if (go) begin
      if (begins) begin
        cmd_q       <= in_cmd_i;
        tag_q       <= in_tag_i;
        tag_q.eor   <= !in_cmd_i.lso;
        tag_q.empty <= 1'b0;
        error_q     <= 1'b0;
      end
      if (state_q == S_PACKET && in_valid_i) first_beat_q <= take && in_last_i;
      if (cut_short)    error_q <= 1'b1;
      if (seg_done)     sent_q  <= cmd_q.pay_len - left_q;
      if (load_segment) seed_q  <= next_seed;
      if (begins || state_q == S_TAG) tag_q.payload <= sent_q;   // 0 when it begins
      if (state_q == S_TAG) begin
        tag_q.eor    <= 1'b1;
        tag_q.empty  <= 1'b1;
        first_beat_q <= 1'b1;
        if (error_q) tag_q.status <= ST_DMA_READ;
      end
    end
    if (go && begins) seed_q <= '0;
    if (rst || (go && state_q == S_TAG)) sent_q <= '0;
    if (rst) first_beat_q <= 1'b1;
  end

  always_comb begin
    csum         = cmd_q.csum;
    csum.l4_seed = seed_q;
  end

  // Preparation: what is left, is it the last, its length, its header.
  always_ff @(posedge clk) begin
    unique case (prep_q)
      P_LEFT: begin
        rest_q <= {1'b0, left_q} - (LEN_W+1)'(cmd_q.mss);
        prep_q <= P_LAST;
      end
      P_LAST: begin
        last_q <= rest_q[LEN_W] || rest_q == '0;
        prep_q <= P_LENGTH;
      end
      P_LENGTH: begin
        seg_len_q <= last_q ? left_q[13:0] : cmd_q.mss[13:0];
        prep_q    <= P_PATCH;
      end
      P_PATCH: if (patched) prep_q <= P_READY;
      default: ;
    endcase
    if (go) begin
      if (state_q == S_PACKET) left_q <= in_cmd_i.pay_len;
      if (load_segment) begin
        left_q <= last_q ? '0 : rest_q[LEN_W-1:0];
        prep_q <= P_IDLE;
      end
      if (begin_prep) begin
        prep_q  <= P_LEFT;
        first_q <= state_q == S_PACKET;
      end
    end
    if (rst || state_q == S_TAG) prep_q <= P_IDLE;
  end

  // Segment in progress.  fin_q: no beat ends before the segment does, and where it ends
  // with a beat, none but that.
  always_ff @(posedge clk) begin
    if (go) begin
      state_q <= state_d;
      if (state_q == S_HEADER || (state_q == S_PACKET && in_valid_i && in_cmd_i.lso)) row_q <= row_q + R'(1);
      else if (state_q != S_PACKET) row_q <= '0;
      if (load_segment) begin
        seg_last_q <= last_q;
        off_q      <= next_off;
        low_q      <= next_end[L-1:0];
        beats_q    <= next_end[14:L];
        fin_q      <= next_end[14:L] == (15-L)'(next_end[L-1:0] == '0);
      end else if (state_q == S_PAYLOAD && in_valid_i) begin
        off_q      <= '0;
        beats_q    <= beats_q - (15-L)'(1);
        fin_q      <= beats_q == ((low_q == '0) ? (15-L)'(2) : (15-L)'(1));
      end
    end
    if (rst) begin
      state_q <= S_PACKET;
      row_q   <= '0;
    end
  end

  // Chunks.
  logic [W-1:0] hdr_data;

  always_ff @(posedge clk) begin
    if (go) begin
      chunk_valid_q <= emit;
      chunk_data_q  <= (state_q == S_HEADER) ? hdr_data : in_data_i;
      chunk_off_q   <= '0;
      chunk_last_q  <= in_last_i;
      chunk_bad_q   <= in_bad_i;
      unique case (state_q)
        S_PACKET: chunk_len_q <= lanes(in_keep_i);
        S_HEADER: begin
          chunk_len_q  <= at_hdr_end ? {1'b0, cmd_q.hdr_len[L-1:0]} : (L+1)'(B);
          chunk_last_q <= 1'b0;
        end
        S_PAYLOAD: begin
          chunk_off_q  <= off_q;
          chunk_len_q  <= stop - {1'b0, off_q};
          chunk_last_q <= fin_q || in_last_i;
          chunk_bad_q  <= cut_short;
        end
        default: begin
          chunk_len_q  <= (L+1)'(1);
          chunk_last_q <= 1'b1;
          chunk_bad_q  <= 1'b0;
        end
      endcase
    end
    if (rst) chunk_valid_q <= 1'b0;
  end

  flue_lso_header #(.W(W)) u_header (
    .clk, .rst(rst || state_q == S_TAG),
    .wr_en_i(state_q == S_PACKET), .wr_row_i(row_q), .wr_data_i(in_data_i),
    .rd_row_i(row_q), .rd_data_o(hdr_data),
    .start_i(prep_q == P_LENGTH), .first_i(first_q), .last_i(last_q),
    .seg_len_i(seg_len_q), .off_i(next_off),
    .v6_i(cmd_q.v6), .id_15bit_i(cmd_q.id_15bit), .mss_i(cmd_q.mss[13:0]),
    .hdr_len_i(cmd_q.hdr_len[6:0]), .l3_off_i(cmd_q.l3_off[6:0]), .l4_off_i(cmd_q.l4_off[6:0]),
    .fault_seq_i, .done_o(patched), .seed_o(next_seed), .end_o(next_end)
  );

  flue_pack #(.W(W), .U($bits(csum_cmd_t) + $bits(tx_tag_t))) u_pack (
    .clk, .rst,
    .in_valid_i(chunk_valid_q), .in_ready_o(pack_ready), .in_data_i(chunk_data_q),
    .in_off_i(chunk_off_q), .in_len_i(chunk_len_q), .in_last_i(chunk_last_q), .in_bad_i(chunk_bad_q),
    .in_skip_i('0), .in_user_i({csum, tag_q}),
    .out_valid_o, .out_ready_i, .out_data_o, .out_keep_o, .out_last_o, .out_bad_o,
    .out_user_o({out_cmd_o, out_tag_o})
  );

`ifdef FORMAL
  // What flue_tx_check promises of a request that is cut.
  always_ff @(posedge clk)
    if (!rst && in_valid_i && in_cmd_i.lso && !in_cmd_i.drop) begin
      assume (in_cmd_i.hdr_len[1:0] == 2'd2 && in_cmd_i.hdr_len < 8'(HDR_MAX));
      assume (in_cmd_i.mss != '0 && in_cmd_i.pay_len != '0);
      assume (in_cmd_i.mss[15:14] == '0 || in_cmd_i.pay_len[LEN_W-1:14] == '0);
    end

  always_ff @(posedge clk)
    if (!rst) begin
      assert (!in_ready_o || in_valid_i);                 // nothing is taken that is not there
      if (state_q == S_HEADER) assert (prep_q == P_READY || row_q != '0);
      if (state_q == S_PAYLOAD) assert ({1'b0, off_q} < stop);   // no empty chunk
    end
`endif

endmodule

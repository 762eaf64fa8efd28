// Builds the headers of what the TCP engine sends, from its record and the rows of the tables.
//
// Contract: takes the words of one flue_tcp_send record (in_*), reads the rows of connection, path and neighbor as
//   they are now, and gives the words of the header in wire order (word_*: byte 0 in bits 7:0; the first word has
//   its bytes in 31:16 only, the last is marked), then the frame's command and tag (frame_*).  Payload of the
//   frame is asked for through flue_tcp_fetch: once for each header with payload, when the header is good.
//   Header: Ethernet; IPv4 with DF, identification from 0x8000 up, or IPv6; TCP with timestamps and SACK blocks as
//   the record says.
//   The tag 802.1Q is inserted out of band (VlanId or UserPriority not 0; VID 0 for a priority alone).
//   Lengths are right for a frame without payload, else large send's.  The IPv4 checksum is left out, the TCP one
//   is the sum of the pseudo header, for payload without the length.  TSval is the clock when its word is made.
//   A table word that fails its check, payload beyond the ring, an MSS of 0 or segments over MAX_FRAME give a frame
//   with `drop` and a status.
//   Payload is at most 256 segments, 2,048 below an MSS of 64, or identifications repeat within it.
// Latency: 60 cycles (IPv4), 81 (IPv6), and two for each SACK block, if the tables' port is free.
// Cost: 898 COMB: one 32-bit addition for the sum, one for the timestamp, the choice of the word.
module flue_tcp_header
  import flue_pkg::*;
  import flue_tcp_pkg::*;
  import flue_control_pkg::*;
#(
  parameter int MAX_FRAME = 1518          // on the wire with a tag, without FCS
) (
  input  logic               clk,
  input  logic               rst,

  input  logic [31:0]        time_us_i,
  input  logic               ms_valid_i,  // flue_tcp_clock
  input  logic [31:0]        ms_i,

  input  logic               in_valid_i,
  output logic               in_ready_o,
  input  logic [31:0]        in_i,

  output logic               tp_valid_o,
  input  logic               tp_ready_i,
  output logic [1:0]         tp_table_o,
  output logic [15:0]        tp_row_o,
  output logic [5:0]         tp_word_o,
  input  logic [31:0]        tp_rdata_i,
  input  logic               tp_bad_i,

  output logic               fetch_start_o,
  output logic [INDEX_W-1:0] fetch_index_o,
  output logic [31:0]        fetch_seq_o,
  output logic [LEN_W-1:0]   fetch_len_o,
  input  logic               fetch_known_i,
  input  logic               fetch_bad_i,
  output logic               fetch_go_o,
  output logic               fetch_cancel_o,
  input  logic               fetch_idle_i,

  output logic               word_valid_o,
  input  logic               word_ready_i,
  output logic [31:0]        word_o,
  output logic               word_last_o,

  output logic               frame_valid_o,
  input  logic               frame_ready_i,
  output tcp_frame_t         frame_o
);

  // In the order of what they make; those up to S_CACHED and S_VLAN make nothing.
  typedef enum logic [4:0] {
    S_FIRST, S_LEN, S_MSS, S_SEQ,         // the record's first words
    S_PATH, S_NEIGHBOR, S_KEY, S_CACHED,  // rows, what is not copied
    S_DST0, S_DST1, S_SRC0, S_SRC1,       // Ethernet
    S_IP0, S_IP1, S_IP2,                  // IPv4: all three, IPv6: the first two
    S_ADDR,
    S_PORTS, S_TCP_SEQ, S_ACK, S_WND, S_SUM,
    S_TS0, S_TS1, S_TS2,
    S_SACK, S_EDGE,
    S_PAYLOAD,                            // the ring is known
    S_FRAME
  } step_e;

  function automatic logic [31:0] swap(input logic [31:0] x);
    return {x[7:0], x[15:8], x[23:16], x[31:24]};
  endfunction

  step_e step_q, step_d;

  // ---- the record ----
  tcp_tx_head_t     head_q;
  logic [LEN_W-1:0] len_q;
  logic [15:0]      mss_q, wnd_q;
  logic [31:0]      seq_q;
  logic             payload;
  logic [2:0]       edges_q;              // 32-bit words of SACK blocks still to come, less 1

  assign payload = head_q.kind == TX_DATA && len_q != '0;

  // ---- rows ----
  logic [15:0] path_q, neighbor_q;
  logic        v6_q, bad_q;
  logic [7:0]  ttl_q, tos_q;
  logic [2:0]  priority_q;
  logic [11:0] vlan_q;
  logic [15:0] carry_q;                   // two bytes of an address that the next word begins with
  logic [2:0]  addr_q;                    // word of the addresses

  // ---- what a step does ----
  logic        reads;                     // a table word
  logic        takes;                     // a word of the record
  logic        makes;                     // a word of the header
  logic        moves;                     // the step is done
  logic        waits;                     // for something of its own
  logic [31:0] word;
  logic [4:0]  words;                     // TCP header, 32-bit words
  logic [15:0] tcp_len;
  logic [14:0] id_q, id;
  logic        many;                      // segments, maybe: small ones
  logic [31:0] clock;
  logic [15:0] flags;                     // TCP bytes 12 and 13
  logic [31:0] sum_q;
  logic        sum_carry_q;
  logic [16:0] fold_q;
  logic [15:0] folded;

  logic [3:0]  sack_words;                // words of the option, its two NOPs included
  assign sack_words = (head_q.blocks == '0) ? 4'd0 : {head_q.blocks, 1'b1};
  assign words      = 5'd5 + (head_q.ts ? 5'd3 : 5'd0) + 5'(sack_words);
  assign tcp_len    = {9'd0, words, 2'b00};
  assign clock      = head_q.ts_us ? time_us_i : ms_i;
  assign folded     = fold_q[15:0] + 16'(fold_q[16]);

  // Identifications of a request stay in a row above 0x8000.
  assign many = mss_q[15:6] == '0;
  assign id   = (payload && &(many ? {id_q[14:11], 3'b111} : id_q[14:8])) ? '0 : id_q;

  always_comb begin
    flags     = '0;
    flags[15:12] = words[3:0];
    flags[4]  = 1'b1;                                            // ACK
    flags[3]  = head_q.kind == TX_DATA && head_q.psh;
    flags[2]  = head_q.kind == TX_RST;
    flags[0]  = head_q.kind == TX_DATA && head_q.fin;
  end

  always_comb begin
    reads      = 1'b1;
    takes      = 1'b0;
    makes      = 1'b1;
    waits      = 1'b0;
    step_d     = step_e'(step_q + 5'd1);
    word       = tp_rdata_i;
    tp_table_o = TBL_CONNECTION;
    tp_word_o  = 6'd0;
    unique case (step_q)
      S_FIRST, S_LEN, S_MSS, S_SEQ: begin
        reads = 1'b0;
        takes = 1'b1;
        makes = 1'b0;
        waits = step_q == S_SEQ && !fetch_idle_i;                // of the header before
      end
      S_PATH: begin
        tp_word_o = 6'(ROW_CONNECTION_KEY);
        makes     = 1'b0;
      end
      S_NEIGHBOR: begin
        tp_table_o = TBL_PATH;
        tp_word_o  = 6'(ROW_HEAD_WORD1);
        makes      = 1'b0;
      end
      S_KEY: begin
        tp_table_o = TBL_PATH;
        tp_word_o  = 6'(ROW_PATH_KEY);
        makes      = 1'b0;
      end
      S_CACHED: begin
        tp_word_o = 6'(ROW_CONNECTION_CACHED + WIRE_TCP_CACHED_WORD8);
        makes     = 1'b0;
      end
      S_DST0: begin
        tp_table_o = TBL_NEIGHBOR;
        tp_word_o  = 6'(ROW_NEIGHBOR_DESTINATION);
        word       = {tp_rdata_i[15:0], 16'd0};
      end
      S_DST1: begin
        tp_table_o = TBL_NEIGHBOR;
        tp_word_o  = 6'(ROW_NEIGHBOR_DESTINATION + 1);
        word       = {tp_rdata_i[15:0], carry_q};
      end
      S_SRC0: begin
        tp_table_o = TBL_NEIGHBOR;
        tp_word_o  = 6'(ROW_NEIGHBOR_CONSTANT);
      end
      S_SRC1: begin
        tp_table_o = TBL_NEIGHBOR;
        tp_word_o  = 6'(ROW_NEIGHBOR_CONSTANT + 1);
        word       = {v6_q ? 16'hDD86 : 16'h0008, tp_rdata_i[15:0]};
      end
      S_IP0:
        if (v6_q) begin
          tp_word_o = 6'(ROW_CONNECTION_CACHED + WIRE_TCP_CACHED_WORD7);
          word      = swap({4'd6, tos_q, tp_rdata_i[19:0]});
        end else begin
          reads = 1'b0;
          word  = swap({8'h45, tos_q, 16'd20 + tcp_len});
        end
      S_IP1: begin
        reads = 1'b0;
        word  = v6_q ? swap({tcp_len, 8'd6, ttl_q}) : swap({1'b1, id, 16'h4000});
        if (v6_q) step_d = S_ADDR;
      end
      S_IP2: begin
        reads = 1'b0;
        word  = swap({ttl_q, 8'd6, 16'd0});
      end
      S_ADDR: begin
        tp_table_o = TBL_PATH;
        tp_word_o  = 6'(ROW_PATH_SOURCE) + 6'(addr_q);
        if (addr_q != (v6_q ? 3'd7 : 3'd4)) step_d = S_ADDR;
      end
      S_PORTS: begin
        tp_word_o = 6'(ROW_CONNECTION_KEY_PORTS);
        word      = swap(tp_rdata_i);
      end
      S_TCP_SEQ: begin
        reads = 1'b0;
        word  = swap(seq_q);
      end
      S_ACK: begin
        reads = 1'b0;
        takes = 1'b1;
        word  = swap(in_i);
      end
      S_WND: begin
        reads = 1'b0;
        word  = swap({flags, wnd_q});
      end
      S_SUM: begin
        reads  = 1'b0;
        word   = {16'd0, folded};
        step_d = head_q.ts ? S_TS0 : head_q.blocks != '0 ? S_SACK : S_PAYLOAD;
      end
      S_TS0: begin
        reads = 1'b0;
        word  = swap(32'h0101_080A);
      end
      S_TS1: begin                                               // its offset
        reads = 1'b0;
        takes = 1'b1;
        waits = !head_q.ts_us && !ms_valid_i;
        word  = swap(in_i + clock);
      end
      S_TS2: begin
        reads  = 1'b0;
        takes  = 1'b1;
        word   = swap(in_i);
        step_d = (head_q.blocks != '0) ? S_SACK : S_PAYLOAD;
      end
      S_SACK: begin
        reads = 1'b0;
        word  = swap({24'h010105, 2'b00, sack_words[3:1], 3'd2});
      end
      S_EDGE: begin
        reads = 1'b0;
        takes = 1'b1;
        word  = swap(in_i);
        if (edges_q != '0) step_d = S_EDGE;
      end
      S_PAYLOAD: begin
        reads = 1'b0;
        makes = 1'b0;
        waits = payload && !fetch_known_i;
      end
      default: begin
        reads  = 1'b0;
        makes  = 1'b0;
        waits  = !frame_ready_i;
        step_d = S_FIRST;
      end
    endcase
  end

  // A word of the table or of the record and room for the header's must meet.
  assign tp_valid_o   = reads && word_ready_i;
  assign moves        = (!reads || tp_ready_i) && (!takes || in_valid_i) && (!makes || word_ready_i) && !waits;
  assign in_ready_o   = takes && moves;
  assign word_valid_o = makes && moves;
  assign word_o       = word;
  assign word_last_o  = step_d == S_PAYLOAD;
  assign tp_row_o     = (tp_table_o == TBL_NEIGHBOR) ? neighbor_q : (tp_table_o == TBL_PATH) ? path_q : head_q.index;

  logic [7:0] l4_off;

  assign l4_off = v6_q ? 8'd54 : 8'd34;

  // ---- payload ----
  logic        asks, failed;
  logic [16:0] longest_q;                 // a full segment, without tag

  assign asks   = step_q == S_PAYLOAD && payload && fetch_known_i;
  assign failed = bad_q || (payload && (fetch_bad_i || mss_q == '0 || longest_q > 17'(MAX_FRAME - 4)));

  assign fetch_start_o  = moves && step_q == S_SEQ && payload;
  assign fetch_index_o  = head_q.index;
  assign fetch_seq_o    = seq_q;
  assign fetch_len_o    = len_q;
  assign fetch_go_o     = asks && !failed;
  assign fetch_cancel_o = asks && failed;

  always_ff @(posedge clk) begin
    longest_q <= 17'(mss_q) + 17'(l4_off) + 17'(tcp_len);
    fold_q <= 17'(sum_q[31:16]) + 17'(sum_q[15:0]) + 17'(sum_carry_q);
    if (moves) begin
      step_q <= step_d;
      if (step_q == S_FIRST)         bad_q <= 1'b0;
      else if (reads && tp_bad_i)    bad_q <= 1'b1;
      unique case (step_q)
        S_FIRST:        head_q <= in_i;
        S_LEN:          len_q <= in_i[LEN_W-1:0];
        S_MSS:          {mss_q, wnd_q} <= in_i;
        S_SEQ:          seq_q <= in_i;
        S_PATH:         path_q <= tp_rdata_i[ROW_CONNECTION_KEY_PATH_LSB +: 16];
        S_NEIGHBOR:     neighbor_q <= tp_rdata_i[ROW_HEAD_PARENT_LSB +: 16];
        S_KEY:          v6_q <= tp_rdata_i[ROW_PATH_KEY_IPV6_LSB];
        S_CACHED: begin
          ttl_q      <= tp_rdata_i[WIRE_TCP_CACHED_TTL_LSB +: 8];
          tos_q      <= tp_rdata_i[WIRE_TCP_CACHED_TOS_LSB +: 8];
          priority_q <= tp_rdata_i[WIRE_TCP_CACHED_USER_PRIORITY_LSB +: 3];
          addr_q     <= 3'd0;
          // Protocol 6 and the length, in memory order as the addresses.
          {sum_carry_q, sum_q} <= {17'd0, 8'd6 + (payload ? 8'd0 : tcp_len[7:0]), 8'd0};
        end
        S_DST0:         carry_q <= tp_rdata_i[31:16];
        S_SRC1:         vlan_q <= tp_rdata_i[WIRE_NEIGHBOR_CONST_VLAN_ID_LSB +: 12];
        S_IP1:          id_q <= id + (payload ? many ? 15'd2048 : 15'd256 : 15'd1);
        S_ADDR: begin
          addr_q <= addr_q + (v6_q ? 3'd1 : 3'd4);
          {sum_carry_q, sum_q} <= {1'b0, sum_q} + {1'b0, tp_rdata_i} + 33'(sum_carry_q);
        end
        S_SACK:         edges_q <= {head_q.blocks[1:0], 1'b0} - 3'd1;
        S_EDGE:         edges_q <= edges_q - 3'd1;
        default: ;
      endcase
    end
    if (moves && step_q == S_PAYLOAD && failed) bad_q <= 1'b1;
    if (rst) begin
      step_q <= S_FIRST;
      id_q   <= '0;
    end
  end

  // ---- the frame ----
  always_comb begin
    frame_o.payload = payload && !bad_q;
    frame_o.cmd = '{
      drop:     bad_q,
      lso:      payload,
      v6:       v6_q,
      id_15bit: 1'b0,
      mss:      mss_q,
      hdr_len:  l4_off + tcp_len[7:0],
      l3_off:   8'd14,
      l4_off:   l4_off,
      pay_len:  len_q,
      csum: '{
        ip_en:    !v6_q,
        ip_start: 8'd14,
        ip_ihl:   v6_q ? 4'd0 : 4'd5,
        l4_en:    1'b1,
        l4_start: 16'(l4_off),
        l4_pos:   16'(l4_off) + 16'd16,
        l4_end:   17'h1FFFF,
        l4_seed:  16'd0,
        l4_udp:   1'b0
      }
    };
    frame_o.tag = '{
      engine:   1'b1,
      turn:     head_q.kind == TX_DATA,
      eor:      1'b0,
      empty:    1'b0,
      status:   bad_q ? ST_BAD_REQUEST : ST_OK,
      slot:     head_q.index,
      lso:      1'b0,
      lso_v2:   1'b0,
      payload:  '0,
      vlan:     vlan_q != '0 || priority_q != '0,
      vlan_tci: {priority_q, 1'b0, vlan_q}
    };
  end

  assign frame_valid_o = step_q == S_FRAME;

endmodule

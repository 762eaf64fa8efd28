// The write side: address channel, the clients' data shifted into place, and the responses.
//
// Contract: takes one burst whenever burst_i is high; can_o says that it may come.  The data of
// a burst follow on the bus in the order of the bursts.  Strobes cover exactly the request's
// bytes, whatever the client sends: a packet that ends early is padded with empty strobes, of
// one that is too long the rest is swallowed, and the request then ends with ST_BAD_LENGTH.
// The data of a refused request are swallowed.  done_o pulses with status_o, in the order of
// the requests, after the last response.
// Latency: data 3 cycles from client to bus.  Up to 16 bursts wait for data, 16 for their
// response.
module flue_dma_write
  import flue_pkg::*;
#(
  parameter int W       = 64,
  localparam int B      = W / 8,
  localparam int L      = $clog2(B),
  localparam int BURST  = 16 * B > 256 ? 16 * B : 256,
  localparam int LEN_B  = $clog2(BURST / B)
) (
  input  logic              clk,
  input  logic              rst,

  // bursts, from flue_dma_issue
  output logic              can_o,
  input  logic              burst_i,
  input  logic [1:0]        client_i,
  input  logic              refused_i,
  input  logic              first_i,
  input  logic              final_i,
  input  logic [LEN_B-1:0]  beats_i,       // less 1
  input  logic [L-1:0]      start_i,
  input  logic [L-1:0]      end_i,
  input  logic [63:L]       addr_i,

  // the clients' data
  input  logic [2:0]        in_valid_i,
  output logic [2:0]        in_ready_o,
  input  logic [2:0][W-1:0] in_data_i,
  input  logic [2:0][B-1:0] in_keep_i,
  input  logic [2:0]        in_last_i,
  output logic [2:0]        done_o,
  output status_e           status_o,      // valid with any

  // AXI4
  output logic [2:0]        m_axi_awid,
  output logic [63:0]       m_axi_awaddr,
  output logic [7:0]        m_axi_awlen,
  output logic [2:0]        m_axi_awsize,
  output logic [1:0]        m_axi_awburst,
  output logic              m_axi_awvalid,
  input  logic              m_axi_awready,
  output logic [W-1:0]      m_axi_wdata,
  output logic [B-1:0]      m_axi_wstrb,
  output logic              m_axi_wlast,
  output logic              m_axi_wvalid,
  input  logic              m_axi_wready,
  input  logic [2:0]        m_axi_bid,
  input  logic [1:0]        m_axi_bresp,
  input  logic              m_axi_bvalid,
  output logic              m_axi_bready,

  output logic              busy_o,
  output logic              err_o          // one pulse a response with an error
);

  typedef struct packed {
    logic [1:0]       client;
    logic             refused;
    logic             is_final;            // last burst of its request
    logic [LEN_B-1:0] beats;
    logic [L-1:0]     stop;
  } burst_t;

  // ---- address channel ----
  logic             aw_valid_q;
  logic [63:L]      aw_addr_q;
  logic [LEN_B-1:0] aw_len_q;
  logic             burst_room;

  assign m_axi_awid    = 3'd0;
  assign m_axi_awaddr  = {aw_addr_q, L'(0)};
  assign m_axi_awlen   = 8'(aw_len_q);
  assign m_axi_awsize  = 3'(L);
  assign m_axi_awburst = 2'b01;
  assign m_axi_awvalid = aw_valid_q;
  assign can_o         = burst_room && !aw_valid_q;

  always_ff @(posedge clk) begin
    if (m_axi_awready) aw_valid_q <= 1'b0;
    if (burst_i) begin
      aw_valid_q <= !refused_i;
      aw_addr_q  <= addr_i;
      aw_len_q   <= beats_i;
    end
    if (rst) aw_valid_q <= 1'b0;
  end

  burst_t new_burst, next_burst;
  burst_t burst;                           // the oldest whose data are not on the bus
  logic   burst_load, burst_done, no_burst;

  assign new_burst = '{client: client_i, refused: refused_i, is_final: final_i, beats: beats_i,
                       stop: end_i};

  flue_dma_queue #(.W($bits(burst_t))) u_bursts (
    .clk,
    .rst,
    .push_i      (burst_i),
    .room_o      (burst_room),
    .in_i        (new_burst),
    .out_valid_o (),
    .out_ready_i (burst_done),
    .out_o       (burst),
    .load_o      (burst_load),
    .next_o      (next_burst),
    .empty_o     (no_burst)
  );

  // ---- the client's packet, shifted to where it goes; runs ahead of the data channel ----
  typedef struct packed {
    logic [1:0]   client;
    logic [L-1:0] start;
  } request_t;

  request_t     new_request, request;      // request: the oldest whose packet is not in the packer
  logic         request_valid;
  logic         feed, feed_ready, in_last;
  logic [L:0]   in_len;
  logic [B-1:0] in_keep;
  logic         pack_valid, pack_ready, pack_last;
  logic [W-1:0] pack_data;
  logic [B-1:0] pack_keep;

  assign new_request = '{client: client_i, start: start_i};

  // At most one more than bursts in u_bursts: a request leaves here before its last burst does
  // there.
  flue_dma_queue #(.W($bits(request_t))) u_requests (
    .clk,
    .rst,
    .push_i      (burst_i && first_i),
    .room_o      (),
    .in_i        (new_request),
    .out_valid_o (request_valid),
    .out_ready_i (feed && feed_ready && in_last),
    .out_o       (request),
    .load_o      (),
    .next_o      (),
    .empty_o     ()
  );

  assign feed    = request_valid && in_valid_i[request.client];
  assign in_keep = in_keep_i[request.client];
  assign in_last = in_last_i[request.client];

  always_comb begin
    in_len = '0;
    for (int j = 0; j < B; j++) if (in_keep[j]) in_len = (L+1)'(j + 1);
    in_ready_o = '0;
    in_ready_o[request.client] = request_valid && feed_ready;
  end

  flue_pack #(.W(W), .U(1)) u_pack (
    .clk,
    .rst,
    .in_valid_i  (feed),
    .in_ready_o  (feed_ready),
    .in_data_i   (in_data_i[request.client]),
    .in_off_i    ('0),
    .in_len_i    (in_len),
    .in_last_i   (in_last),
    .in_bad_i    (1'b0),
    .in_skip_i   (request.start),
    .in_user_i   (1'b0),
    .out_valid_o (pack_valid),
    .out_ready_i (pack_ready),
    .out_data_o  (pack_data),
    .out_keep_o  (pack_keep),
    .out_last_o  (pack_last),
    .out_bad_o   (),
    .out_user_o  ()
  );

  // ---- data channel ---- What is done for the oldest burst; at most one is set.  Flags
  // instead of a state, and known a cycle before, because wready passes through here on its way
  // to the client.
  logic             take_q;                // words of the packet go out
  logic             pad_q;                 // the packet ended early: empty words go out
  logic             drain_q;               // refused, or all is written: words are swallowed
  logic             skip_q;                // refused, and the packet ended before
  logic             ended_q, ended_d;      // the packet's last word has gone, the request goes on
  logic             answer_room;           // for one more burst
  logic [LEN_B-1:0] beat_q;
  logic             final_beat, moves, word_ends;
  logic [B-1:0]     mask;                  // lanes up to the request's last byte
  logic             fits;                  // the packet's last byte is the request's last byte

  assign m_axi_wvalid = answer_room && ((take_q && pack_valid) || pad_q);
  assign m_axi_wlast  = beat_q == burst.beats;
  assign m_axi_wdata  = pack_data;
  assign m_axi_wstrb  = pad_q ? '0 : pack_keep & (final_beat ? mask : '1);
  assign final_beat   = burst.is_final && m_axi_wlast;
  assign moves        = m_axi_wvalid && m_axi_wready;
  assign pack_ready   = answer_room && (drain_q || (take_q && m_axi_wready));
  assign word_ends    = pack_valid && pack_last;

  always_comb
    for (int j = 0; j < B; j++) mask[j] = L'(j) <= burst.stop;

  assign fits       = (pack_keep & ~mask) == '0 && (pack_keep & mask & ~(mask >> 1)) != '0;
  assign burst_done = (moves && m_axi_wlast && (!burst.is_final || pad_q || pack_last)) ||
                      (answer_room && ((drain_q && word_ends) || skip_q));
  assign ended_d    = (ended_q || (pack_ready && word_ends)) && !(burst_done && burst.is_final);

  always_ff @(posedge clk) begin
    if (moves) beat_q <= m_axi_wlast ? '0 : beat_q + 1'b1;
    ended_q <= ended_d;

    if (burst_load) begin
      take_q  <= !next_burst.refused && !ended_d;
      pad_q   <= !next_burst.refused && ended_d;
      drain_q <= next_burst.refused && !ended_d;
      skip_q  <= next_burst.refused && ended_d;
    end else if (burst_done) begin
      take_q  <= 1'b0;
      pad_q   <= 1'b0;
      drain_q <= 1'b0;
      skip_q  <= 1'b0;
    end else if (moves && take_q && (final_beat || pack_last)) begin
      take_q  <= 1'b0;
      pad_q   <= !final_beat;
      drain_q <= final_beat;
    end

    if (rst) begin
      beat_q  <= '0;
      ended_q <= 1'b0;
      take_q  <= 1'b0;
      pad_q   <= 1'b0;
      drain_q <= 1'b0;
      skip_q  <= 1'b0;
    end
  end

  // ---- responses: all writes have one id, so they come in the order of the bursts ----
  typedef struct packed {
    logic [1:0] client;
    logic       is_final;
    logic       refused;                   // no response comes
    logic       bad_length;
  } answer_t;

  answer_t new_answer, answer;
  logic    answer_valid, answer_done, no_answer, bad_q, bad;

  assign new_answer = '{client: burst.client, is_final: burst.is_final, refused: burst.refused,
                        bad_length: !(take_q && fits)};

  flue_dma_queue #(.W($bits(answer_t))) u_answers (
    .clk,
    .rst,
    .push_i      (burst_done),
    .room_o      (answer_room),
    .in_i        (new_answer),
    .out_valid_o (answer_valid),
    .out_ready_i (answer_done),
    .out_o       (answer),
    .load_o      (),
    .next_o      (),
    .empty_o     (no_answer)
  );

  assign m_axi_bready = answer_valid && !answer.refused;
  assign answer_done  = answer_valid && (answer.refused || m_axi_bvalid);
  assign bad          = bad_q || (!answer.refused && m_axi_bresp[1]);

  always_ff @(posedge clk) begin
    if (answer_done) bad_q <= !answer.is_final && bad;
    done_o   <= '0;
    status_o <= answer.refused    ? ST_BAD_REGION :
                bad               ? ST_DMA_WRITE  :
                answer.bad_length ? ST_BAD_LENGTH : ST_OK;
    if (answer_done && answer.is_final) done_o[answer.client] <= 1'b1;
    err_o <= answer_done && !answer.refused && m_axi_bresp[1];

    if (rst) begin
      bad_q  <= 1'b0;
      done_o <= '0;
      err_o  <= 1'b0;
    end
  end

  assign busy_o = aw_valid_q || !no_burst || !no_answer || |done_o;

`ifdef FORMAL
  always_ff @(posedge clk)
    if (!rst && m_axi_bvalid) assume (m_axi_bid == 3'd0);
`endif

endmodule

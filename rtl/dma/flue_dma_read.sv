// The read side: address channel, answers sorted by client, and the payload's pieces joined.
//
// Contract: takes one burst whenever burst_i is high; can_o says for which clients it may come.
// rready is always 1 because every beat's place was reserved with its burst: slot clients have
// one request on the bus and room for it in LUT memory, the payload client up to 16 bursts and
// RD_FIFO beats of block RAM, the management processor one burst of block RAM. A beat with an
// error makes its packet bad; a refused burst ends its packet with `bad` in its turn.
// Cost: block RAM (RD_FIFO + one burst) * (W + 2) bits, LUT memory 2 * 16 * (W + 3) bits.
module flue_dma_read
  import flue_pkg::*;
#(
  parameter int W       = 64,
  parameter int RD_FIFO = 512,             // beats, a power of two, at least 4 bursts
  localparam int B      = W / 8,
  localparam int L      = $clog2(B),
  localparam int BURST  = 16 * B > 256 ? 16 * B : 256,
  localparam int BEATS  = BURST / B,
  localparam int LEN_B  = $clog2(BEATS)
) (
  input  logic                clk,
  input  logic                rst,

  // bursts, from flue_dma_issue
  output logic [3:0]          can_o,
  input  logic                burst_i,
  input  logic [3:0]          client_i,    // one-hot
  input  logic                refused_i,
  input  logic                final_i,       // last of its request
  input  logic                packet_last_i, // of client 1: and of its packet
  input  logic [LEN_B-1:0]    beats_i,     // less 1
  input  logic [L-1:0]        start_i,
  input  logic [L-1:0]        end_i,
  input  logic [63:L]         addr_i,

  // AXI4
  output logic [2:0]          m_axi_arid,
  output logic [63:0]         m_axi_araddr,
  output logic [7:0]          m_axi_arlen,
  output logic [2:0]          m_axi_arsize,
  output logic [1:0]          m_axi_arburst,
  output logic                m_axi_arvalid,
  input  logic                m_axi_arready,
  input  logic [2:0]          m_axi_rid,
  input  logic [W-1:0]        m_axi_rdata,
  input  logic [1:0]          m_axi_rresp,
  input  logic                m_axi_rlast,
  input  logic                m_axi_rvalid,
  output logic                m_axi_rready,

  // packets back
  output logic [3:0]          out_valid_o,
  input  logic [3:0]          out_ready_i,
  output logic [3:0][W-1:0]   out_data_o,
  output logic [3:0][B-1:0]   out_keep_o,
  output logic [3:0]          out_last_o,
  output logic [3:0]          out_bad_o,
  output status_e [3:0]       out_status_o,

  output logic                busy_o,
  output logic                err_o        // one pulse a burst with an error
);

  // ---- address channel ----
  logic         ar_valid_q;
  logic [1:0]   ar_id_q;
  logic [63:L]  ar_addr_q;
  logic [LEN_B-1:0] ar_len_q;

  assign m_axi_arid    = {1'b0, ar_id_q};
  assign m_axi_araddr  = {ar_addr_q, L'(0)};
  assign m_axi_arlen   = 8'(ar_len_q);
  assign m_axi_arsize  = 3'(L);
  assign m_axi_arburst = 2'b01;
  assign m_axi_arvalid = ar_valid_q;

  always_ff @(posedge clk) begin
    if (m_axi_arready) ar_valid_q <= 1'b0;
    if (burst_i) begin
      ar_valid_q <= !refused_i;
      ar_id_q    <= {client_i[3] || client_i[2], client_i[3] || client_i[1]};  // from one-hot
      ar_addr_q  <= addr_i;
      ar_len_q   <= beats_i;
    end
    if (rst) ar_valid_q <= 1'b0;
  end

  // ---- answers by client ----
  logic [3:0] beat;                        // a beat for that client
  logic [3:0] err_q;                       // its burst had an error before
  logic [3:0] err;

  assign m_axi_rready = 1'b1;

  always_comb
    for (int c = 0; c < 4; c++) begin
      beat[c] = m_axi_rvalid && m_axi_rid[1:0] == 2'(c);
      err[c]  = err_q[c] || m_axi_rresp[1];
    end

  always_ff @(posedge clk) begin
    for (int c = 0; c < 4; c++)
      if (beat[c]) err_q[c] <= err[c] && !m_axi_rlast;
    err_o <= |(beat & err) && m_axi_rlast;
    if (rst) err_q <= '0;
  end

  // ---- slot clients: whole bus words, one request at a time ----
  logic [3:0] waits;                       // for beats, or holds some

  for (genvar g = 0; g < 3; g += 2) begin : g_slot
    flue_dma_slots #(.W(W)) u_slots (
      .clk,
      .rst,
      .can_o        (can_o[g]),
      .burst_i      (burst_i && client_i[g]),
      .refused_i,
      .start_i,
      .end_i,
      .beat_i       (beat[g]),
      .beat_data_i  (m_axi_rdata),
      .beat_last_i  (m_axi_rlast),
      .beat_err_i   (err[g]),
      .ar_busy_i    (ar_valid_q),
      .out_valid_o  (out_valid_o[g]),
      .out_ready_i  (out_ready_i[g]),
      .out_data_o   (out_data_o[g]),
      .out_keep_o   (out_keep_o[g]),
      .out_last_o   (out_last_o[g]),
      .out_bad_o    (out_bad_o[g]),
      .out_status_o (out_status_o[g]),
      .busy_o       (waits[g])
    );
  end

  // ---- payload ----
  typedef struct packed {
    logic         refused;
    logic         last;                    // ends the packet
    logic [L-1:0] start;
    logic [L-1:0] stop;
  } burst_t;

  localparam int A = $clog2(RD_FIFO);

  burst_t       new_burst, burst;          // oldest burst not yet joined
  logic         burst_room, burst_valid, burst_done, no_burst;
  logic [A:0]   asked_q, rd_ptr, used;
  logic         room_q;                    // for one more burst of BEATS
  logic         word_valid, word_ready, word_last, word_err;
  logic [W-1:0] word_data;
  logic         first_q;                   // the word is the first of its burst
  logic         burst_end;                 // the chunk is its burst's last
  logic         join_valid, join_ready;

  assign new_burst = '{refused: refused_i, last: packet_last_i, start: start_i, stop: end_i};

  flue_dma_queue #(.W($bits(burst_t))) u_bursts (
    .clk,
    .rst,
    .push_i      (burst_i && client_i[1]),
    .room_o      (burst_room),
    .in_i        (new_burst),
    .out_valid_o (burst_valid),
    .out_ready_i (burst_done),
    .out_o       (burst),
    .load_o      (),
    .next_o      (),
    .empty_o     (no_burst)
  );

  // Right after a burst that asks for data room_q is out of date, but then the address channel
  // is taken.
  assign used     = asked_q - rd_ptr;
  assign can_o[1] = room_q && burst_room && !ar_valid_q;

  always_ff @(posedge clk) begin
    room_q <= used <= (A+1)'(RD_FIFO - BEATS);
    if (burst_i && client_i[1] && !refused_i)
      asked_q <= asked_q + (A+1)'(beats_i) + 1'b1;
    if (rst) asked_q <= '0;
  end

  flue_dma_fifo #(.WIDTH(W + 2), .DEPTH(RD_FIFO)) u_words (
    .clk,
    .rst,
    .push_i      (beat[1]),
    .in_i        ({m_axi_rlast, err[1], m_axi_rdata}),
    .out_valid_o (word_valid),
    .out_ready_i (word_ready),
    .out_o       ({word_last, word_err, word_data}),
    .rd_ptr_o    (rd_ptr)
  );

  assign join_valid = burst_valid && (burst.refused || word_valid);
  assign word_ready = burst_valid && !burst.refused && join_ready;
  assign burst_end  = burst.refused || word_last;
  assign burst_done = join_valid && join_ready && burst_end;

  always_ff @(posedge clk) begin
    if (join_valid && join_ready) first_q <= burst_end;
    if (rst) first_q <= 1'b1;
  end

  flue_dma_join #(.W(W)) u_join (
    .clk,
    .rst,
    .in_valid_i   (join_valid),
    .in_ready_o   (join_ready),
    .in_data_i    (word_data),
    .in_start_i   (first_q ? burst.start : '0),
    .in_end_i     (word_last ? burst.stop : '1),
    .in_last_i    (burst_end && burst.last),
    .in_bad_i     (word_err),
    .in_refused_i (burst.refused),
    .out_valid_o  (out_valid_o[1]),
    .out_ready_i  (out_ready_i[1]),
    .out_data_o   (out_data_o[1]),
    .out_keep_o   (out_keep_o[1]),
    .out_last_o   (out_last_o[1]),
    .out_bad_o    (out_bad_o[1]),
    .out_status_o (out_status_o[1])
  );

  // Chunks still in the packer: it holds a packet's end for at most 3 cycles.
  assign waits[1] = !no_burst || out_valid_o[1];

  // ---- management processor ----
  flue_dma_words #(.W(W)) u_mgmt (
    .clk,
    .rst,
    .can_o        (can_o[3]),
    .ar_busy_i    (ar_valid_q),
    .burst_i      (burst_i && client_i[3]),
    .refused_i,
    .final_i,
    .start_i,
    .end_i,
    .beat_i       (beat[3]),
    .beat_data_i  (m_axi_rdata),
    .beat_last_i  (m_axi_rlast),
    .beat_err_i   (err[3]),
    .out_valid_o  (out_valid_o[3]),
    .out_ready_i  (out_ready_i[3]),
    .out_data_o   (out_data_o[3]),
    .out_keep_o   (out_keep_o[3]),
    .out_last_o   (out_last_o[3]),
    .out_bad_o    (out_bad_o[3]),
    .out_status_o (out_status_o[3]),
    .busy_o       (waits[3])
  );

  assign busy_o = ar_valid_q || |waits;

endmodule

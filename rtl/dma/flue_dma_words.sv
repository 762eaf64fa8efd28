// Answers of the management processor: requests of whole 32-bit words, any number of bursts.
//
// Contract: one burst at a time (can_o), and only when the one before has left.  The beats of a
// request leave as one dense packet; at its first failure the packet ends with `bad`, what the
// bus still sends of the request is swallowed.  A client that stalls keeps the next burst from
// being asked for and nothing else.
// Cost: one burst of block RAM; above W = 32 a packer.
module flue_dma_words
  import flue_pkg::*;
#(
  parameter int W = 64,
  localparam int B     = W / 8,
  localparam int L     = $clog2(B),
  localparam int BURST = 16 * B > 256 ? 16 * B : 256
) (
  input  logic         clk,
  input  logic         rst,

  output logic         can_o,
  input  logic         ar_busy_i,          // the address channel is taken
  input  logic         burst_i,
  input  logic         refused_i,
  input  logic         final_i,            // the burst ends the request
  input  logic [L-1:0] start_i,
  input  logic [L-1:0] end_i,

  input  logic         beat_i,
  input  logic [W-1:0] beat_data_i,
  input  logic         beat_last_i,
  input  logic         beat_err_i,         // this beat, or one before it in its burst

  output logic         out_valid_o,
  input  logic         out_ready_i,
  output logic [W-1:0] out_data_o,
  output logic [B-1:0] out_keep_o,
  output logic         out_last_o,
  output logic         out_bad_o,
  output status_e      out_status_o,

  output logic         busy_o
);

  logic         wait_q;                    // a burst was asked for, its last word has not been joined
  logic         refused_q, final_q, first_q;
  logic [L-1:0] start_q, end_q;
  logic         word_valid, word_ready, word_last, word_err;
  logic [W-1:0] word_data;
  logic         join_valid, join_ready, burst_end;

  flue_dma_fifo #(.WIDTH(W + 2), .DEPTH(BURST / B)) u_fifo (
    .clk,
    .rst,
    .push_i      (beat_i),
    .in_i        ({beat_last_i, beat_err_i, beat_data_i}),
    .out_valid_o (word_valid),
    .out_ready_i (word_ready),
    .out_o       ({word_last, word_err, word_data}),
    .rd_ptr_o    ()
  );

  assign can_o      = !wait_q && !ar_busy_i;
  assign join_valid = wait_q && (refused_q || word_valid);
  assign word_ready = wait_q && !refused_q && join_ready;
  assign burst_end  = refused_q || word_last;

  always_ff @(posedge clk) begin
    if (burst_i) begin
      refused_q <= refused_i;
      final_q   <= final_i;
      start_q   <= start_i;
      end_q     <= end_i;
    end
    first_q <= burst_i || (first_q && !(join_valid && join_ready));

    if (join_valid && join_ready && burst_end) wait_q <= 1'b0;
    if (burst_i) wait_q <= 1'b1;
    if (rst) wait_q <= 1'b0;
  end

  if (W == 32) begin : g_direct            // words need no alignment
    logic ended_q;                         // the packet ended early

    assign out_valid_o  = join_valid && !ended_q;
    assign join_ready   = out_ready_i || ended_q;
    assign out_data_o   = word_data;
    assign out_keep_o   = '1;
    assign out_last_o   = (burst_end && final_q) || word_err;
    assign out_bad_o    = refused_q || word_err;
    assign out_status_o = refused_q ? ST_BAD_REGION : word_err ? ST_DMA_READ : ST_OK;

    always_ff @(posedge clk) begin
      if (join_valid && join_ready) ended_q <= !(burst_end && final_q) && (ended_q || out_bad_o);
      if (rst) ended_q <= 1'b0;
    end

    logic unused;
    assign unused = &{1'b0, first_q, start_q, end_q};
  end else begin : g_aligned
    flue_dma_join #(.W(W)) u_join (
      .clk,
      .rst,
      .in_valid_i   (join_valid),
      .in_ready_o   (join_ready),
      .in_data_i    (word_data),
      .in_start_i   (first_q ? start_q : '0),
      .in_end_i     (word_last ? end_q : '1),
      .in_last_i    (burst_end && final_q),
      .in_bad_i     (word_err),
      .in_refused_i (refused_q),
      .out_valid_o,
      .out_ready_i,
      .out_data_o,
      .out_keep_o,
      .out_last_o,
      .out_bad_o,
      .out_status_o
    );
  end

  // The joiner holds a packet's end for at most 3 cycles.
  assign busy_o = wait_q || out_valid_o;

`ifdef FORMAL
  always_ff @(posedge clk)
    if (!rst) begin
      if (burst_i) assert (!wait_q);
      if (beat_i)  assume (wait_q && !refused_q);
      // Whole words of the processor.
      if (burst_i && !refused_i) assume (start_i[1:0] == 2'b00 && end_i[1:0] == 2'b11);
    end
`endif

endmodule

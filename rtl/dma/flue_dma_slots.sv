// Answers of one slot client: requests of 16 to 64 bytes inside one 64-byte line.
//
// Contract: one burst at a time (can_o), and only when there is room for a line (two lines, one
// at W = 32).  Its beats leave as one packet; a refused burst leaves as one beat with `bad`.
// Up to W = 128 a line needs no alignment and leaves as it came, all lanes used; above, it goes
// through a packer.
// Cost: LUT memory 16 * (W + 3) bits.
module flue_dma_slots
  import flue_pkg::*;
#(
  parameter int W = 64,
  localparam int B = W / 8,
  localparam int L = $clog2(B)
) (
  input  logic         clk,
  input  logic         rst,

  output logic         can_o,
  input  logic         ar_busy_i,          // the address channel is taken
  input  logic         burst_i,
  input  logic         refused_i,
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

  localparam int LINE   = 64 / B;          // beats of a request: the queue holds 16
  localparam int LINES  = LINE == 16 ? 1 : 2;
  localparam int LINE_W = $clog2(LINES + 1);

  logic              wait_q;               // for the beats of the request on the bus
  logic [LINE_W-1:0] lines_q;              // requests on the bus or in the queue
  logic              push, refuse, last, bad, gone;

  assign refuse = burst_i && refused_i;    // no beat of this client can come now
  assign push   = beat_i || refuse;
  assign last   = beat_last_i || refuse;
  assign bad    = beat_err_i || refuse;

  assign can_o  = !wait_q && !ar_busy_i && lines_q != LINE_W'(LINES);
  assign busy_o = lines_q != '0;

  always_ff @(posedge clk) begin
    if (burst_i && !refused_i) wait_q <= 1'b1;
    if (beat_i && beat_last_i) wait_q <= 1'b0;
    if (burst_i != gone) lines_q <= burst_i ? lines_q + 1'b1 : lines_q - 1'b1;
    if (rst) begin
      wait_q  <= 1'b0;
      lines_q <= '0;
    end
  end

  if (W <= 128) begin : g_direct
    logic refused;

    flue_dma_queue #(.W(W + 3)) u_queue (
      .clk,
      .rst,
      .push_i      (push),
      .room_o      (),
      .in_i        ({refuse, bad, last, beat_data_i}),
      .out_valid_o,
      .out_ready_i,
      .out_o       ({refused, out_bad_o, out_last_o, out_data_o}),
      .load_o      (),
      .next_o      (),
      .empty_o     ()
    );

    // Requests are whole bus words (in multiples of 16 bytes).
`ifdef FORMAL
    always_ff @(posedge clk)
      if (!rst && burst_i && !refused_i) assume (start_i == '0 && end_i == '1);
`endif

    assign gone         = out_valid_o && out_ready_i && out_last_o;
    assign out_keep_o   = '1;
    assign out_status_o = !out_bad_o ? ST_OK : refused ? ST_BAD_REGION : ST_DMA_READ;
  end else begin : g_aligned
    logic         word_valid, word_ready, word_refused, word_bad, word_last;
    logic [W-1:0] word_data;
    logic [L-1:0] start_q, end_q, word_start, word_end;

    assign gone = out_valid_o && out_ready_i && out_last_o;

    // The first beat begins at start_q, the following ones (W = 256 only) at lane 0.
    always_ff @(posedge clk) begin
      if (burst_i) begin
        start_q <= start_i;
        end_q   <= end_i;
      end else if (beat_i) begin
        start_q <= '0;
      end
    end

    flue_dma_queue #(.W(W + 3 + 2 * L)) u_queue (
      .clk,
      .rst,
      .push_i      (push),
      .room_o      (),
      .in_i        ({refuse, bad, last, start_q, beat_last_i ? end_q : L'(B - 1), beat_data_i}),
      .out_valid_o (word_valid),
      .out_ready_i (word_ready),
      .out_o       ({word_refused, word_bad, word_last, word_start, word_end, word_data}),
      .load_o      (),
      .next_o      (),
      .empty_o     ()
    );

    flue_dma_join #(.W(W)) u_join (
      .clk,
      .rst,
      .in_valid_i   (word_valid),
      .in_ready_o   (word_ready),
      .in_data_i    (word_data),
      .in_start_i   (word_start),
      .in_end_i     (word_end),
      .in_last_i    (word_last),
      .in_bad_i     (word_bad),
      .in_refused_i (word_refused),
      .out_valid_o,
      .out_ready_i,
      .out_data_o,
      .out_keep_o,
      .out_last_o,
      .out_bad_o,
      .out_status_o
    );
  end

endmodule

// Transmit checksum insertion: a frame is stored whole while its sums are formed, and
// patched on the way out.
//
// Contract: sums as flue_csum_engine says.  Frames leave in order; a frame that ends with
// bad vanishes.  If the tag of a bad frame ends its request (eor), the tag leaves alone, as
// one `empty` beat, with ST_DMA_READ in place of ST_OK.  A packet whose tag is `empty`
// is one beat and leaves as it came.  A frame must be shorter than DEPTH beats.
// out_bad_o is always 0.
// Latency: 12 + log2(W / 32) cycles after the last beat.  Rate: a beat a cycle, also for
// frames of one beat.
// Cost: DEPTH words of 9/8 W bits in block RAM; tags and patches in LUT memory.
// Block RAM: 2 at W=64, 1 at W=32, 4 at W=128.
module flue_csum_insert import flue_pkg::*; #(
  parameter int W      = 64,            // data, bits: 32 to 512
  parameter int DEPTH  = 512,           // beats, a power of two
  parameter int FRAMES = 16,            // a power of two; one less is stored
  localparam int B = W / 8
) (
  input  logic         clk,
  input  logic         rst,
  input  logic         fault_csum_i,    // fault injection: flip a bit of every L4 checksum

  input  logic         in_valid_i,
  output logic         in_ready_o,
  input  logic [W-1:0] in_data_i,
  input  logic [B-1:0] in_keep_i,
  input  logic         in_last_i,
  input  logic         in_bad_i,
  input  csum_cmd_t    in_cmd_i,
  input  tx_tag_t      in_tag_i,

  output logic         out_valid_o,
  input  logic         out_ready_i,
  output logic [W-1:0] out_data_o,
  output logic [B-1:0] out_keep_o,
  output logic         out_last_o,
  output logic         out_bad_o,
  output tx_tag_t      out_tag_o
);

  localparam int PW = $clog2(DEPTH * B) - 1;

  // A bad frame that ends its request is offered to the store twice: as it is, which drops
  // it, and once more as a packet of one beat, the empty tag.
  logic    again_q, owes, put_ready;
  tx_tag_t put_tag;

  assign owes       = in_last_i && in_bad_i && in_tag_i.eor && !again_q;
  assign in_ready_o = put_ready && !owes;

  always_comb begin
    put_tag = in_tag_i;
    if (again_q) begin
      put_tag.empty = 1'b1;
      if (in_tag_i.status == ST_OK) put_tag.status = ST_DMA_READ;
    end
  end

  always_ff @(posedge clk) begin
    if (in_valid_i && put_ready) again_q <= owes;
    if (rst) again_q <= 1'b0;
  end

  logic         frame_valid, frame_ready, frame_last;
  logic [W-1:0] frame_data;
  logic [B-1:0] frame_keep;
  tx_tag_t      frame_tag;

  logic [1:0] unused_drop;

  flue_frame_fifo #(
    .W(W), .DEPTH(DEPTH), .META_W($bits(tx_tag_t)), .FRAMES(FRAMES), .DROP_FULL(1'b0)
  ) u_store (
    .clk, .rst,
    .in_valid_i, .in_ready_o(put_ready), .in_data_i, .in_keep_i, .in_last_i,
    .in_bad_i(in_bad_i && !again_q), .in_meta_i(put_tag),
    .out_valid_o(frame_valid), .out_ready_i(frame_ready), .out_data_o(frame_data),
    .out_keep_o(frame_keep), .out_last_o(frame_last), .out_bad_o, .out_meta_o(frame_tag),
    .drop_bad_o(unused_drop[0]), .drop_full_o(unused_drop[1])
  );

  typedef struct packed {
    logic          ip_en;
    logic [6:0]    ip_word;
    logic [15:0]   ip_sum;
    logic          l4_en;
    logic [PW-1:0] l4_word;
    logic [15:0]   l4_sum;
  } patch_t;

  logic        done, patch_valid, patch_ready;
  patch_t      made, patch;
  logic [15:0] l4_sum;

  // The data of an empty packet means nothing, patched or not.
  flue_csum_engine #(.W(W), .DEPTH(DEPTH)) u_engine (
    .clk, .rst,
    .beat_i(in_valid_i && put_ready), .data_i(in_data_i), .lanes_i(in_keep_i), .last_i(in_last_i),
    .keep_i(!in_bad_i || again_q), .cmd_i(in_cmd_i),
    .done_o(done), .ip_en_o(made.ip_en), .ip_word_o(made.ip_word), .ip_sum_o(made.ip_sum),
    .l4_en_o(made.l4_en), .l4_word_o(made.l4_word), .l4_sum_o(l4_sum)
  );

  assign made.l4_sum = {l4_sum[15:1], l4_sum[0] ^ fault_csum_i};

  logic                          patch_room;
  logic [$clog2(FRAMES + 1)-1:0] unused_count;

  // Holds as many results as the store holds frames, so it is never full.
  flue_fifo #(.W($bits(patch_t)), .DEPTH(FRAMES)) u_patches (
    .clk, .rst,
    .in_valid_i(done), .in_ready_o(patch_room), .in_i(made),
    .out_valid_o(patch_valid), .out_ready_i(patch_ready), .out_o(patch), .count_o(unused_count)
  );

  flue_csum_patch #(.W(W), .PW(PW), .U($bits(tx_tag_t))) u_patch (
    .clk, .rst,
    .patch_valid_i(patch_valid), .patch_ready_o(patch_ready),
    .ip_en_i(patch.ip_en), .ip_word_i(patch.ip_word), .ip_sum_i(patch.ip_sum),
    .l4_en_i(patch.l4_en), .l4_word_i(patch.l4_word), .l4_sum_i(patch.l4_sum),
    .in_valid_i(frame_valid), .in_ready_o(frame_ready), .in_data_i(frame_data),
    .in_keep_i(frame_keep), .in_last_i(frame_last), .in_user_i(frame_tag),
    .out_valid_o, .out_ready_i, .out_data_o, .out_keep_o, .out_last_o, .out_user_o(out_tag_o)
  );

`ifdef FORMAL
  always_ff @(posedge clk)
    if (!rst && done) assert (patch_room);
`else
  logic unused_room;
  assign unused_room = patch_room;
`endif

endmodule

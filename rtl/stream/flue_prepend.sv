// Puts bytes before each packet.
//
// Contract: in_head_len_i bytes of in_head_i (byte 0 first, 0 to HEAD of them) leave
// before the bytes of the packet; in_head_i, in_head_len_i and in_user_i belong to
// the packet.  Rate: a beat a cycle on the output while a packet lasts; a head takes
// a cycle for each word or part of one.  Latency: 4 cycles.
module flue_prepend #(
  parameter int W    = 64,        // data, bits
  parameter int HEAD = 16,        // longest head, bytes, at least 1
  parameter int U    = 1          // user, bits
) (
  input  logic                      clk,
  input  logic                      rst,

  input  logic                      in_valid_i,
  output logic                      in_ready_o,
  input  logic [W-1:0]              in_data_i,
  input  logic [W/8-1:0]            in_keep_i,
  input  logic                      in_last_i,
  input  logic                      in_bad_i,
  input  logic [8*HEAD-1:0]         in_head_i,
  input  logic [$clog2(HEAD+1)-1:0] in_head_len_i,
  input  logic [U-1:0]              in_user_i,

  output logic                      out_valid_o,
  input  logic                      out_ready_i,
  output logic [W-1:0]              out_data_o,
  output logic [W/8-1:0]            out_keep_o,
  output logic                      out_last_o,
  output logic                      out_bad_o,
  output logic [U-1:0]              out_user_o
);

  localparam int B     = W / 8;
  localparam int L     = $clog2(B);
  localparam int HW    = $clog2(HEAD + 1);
  localparam int WORDS = (HEAD + B - 1) / B;        // of the longest head
  localparam int NW    = WORDS > 1 ? $clog2(WORDS) : 1;

  logic               head_q;     // the head of the packet at the input has not all left
  logic [NW-1:0]      word_q;     // its next word
  logic [WORDS*W-1:0] words;
  logic [31:0]        left;       // bytes of the head from that word on
  logic               in_head;
  logic [L:0]         bytes;      // in the beat of the packet

  assign words   = (WORDS*W)'(in_head_i);
  assign left    = 32'(in_head_len_i) - 32'(word_q) * B;
  assign in_head = head_q && in_head_len_i != HW'(0);

  always_comb begin
    bytes = '0;
    for (int j = 0; j < B; j++) if (in_keep_i[j]) bytes = (L+1)'(j + 1);
  end

  // A word of the head, or the beat.
  logic         chunk_valid_q, chunk_ready, chunk_last_q, chunk_bad_q, go;
  logic [W-1:0] chunk_data_q;
  logic [L:0]   chunk_len_q;
  logic [U-1:0] chunk_user_q;

  assign go         = !chunk_valid_q || chunk_ready;
  assign in_ready_o = go && !in_head;

  always_ff @(posedge clk) begin
    if (go) begin
      chunk_valid_q <= in_valid_i;
      chunk_last_q  <= in_last_i && !in_head;
      chunk_bad_q   <= in_bad_i;
      chunk_data_q  <= in_head ? words[W*word_q +: W] : in_data_i;
      chunk_len_q   <= !in_head ? bytes : left > 32'(B) ? (L+1)'(B) : left[L:0];
      chunk_user_q  <= in_user_i;
      if (in_valid_i) begin
        head_q <= in_head ? left > 32'(B) : in_last_i;
        word_q <= in_head && left > 32'(B) ? word_q + 1'b1 : '0;
      end
    end
    if (rst) begin
      chunk_valid_q <= 1'b0;
      head_q        <= 1'b1;
      word_q        <= '0;
    end
  end

  flue_pack #(.W(W), .U(U)) u_pack (
    .clk, .rst,
    .in_valid_i(chunk_valid_q), .in_ready_o(chunk_ready), .in_data_i(chunk_data_q),
    .in_off_i('0), .in_len_i(chunk_len_q), .in_last_i(chunk_last_q), .in_bad_i(chunk_bad_q),
    .in_skip_i('0), .in_user_i(chunk_user_q),
    .out_valid_o, .out_ready_i, .out_data_o, .out_keep_o, .out_last_o, .out_bad_o, .out_user_o
  );

endmodule

// Words of 32 bits in a record that comes in quarters, and the check that it lies as firmware's view of it says.
//
// Word w of record `tcp_words` (rtl/regs/flue_control.rdl), less the 16 of the scoreboard when it lies behind them, is slice
// w mod 13 of quarter w / 13.  A word of the scoreboard itself is nowhere in the quarters.
// Contract: combinational, two halves: where a word is (register it), and the word out of its quarter.
module flue_tcp_words
  import flue_tcp_pkg::*;
  import flue_control_pkg::*;
(
  input  logic [6:0]              word_i,
  output logic [1:0]              quarter_o,
  output logic [SLICES-1:0]       here_o,     // bit SLICES - 1 is the first slice

  input  logic [SLICES-1:0][31:0] quarter_i,
  input  logic [SLICES-1:0]       here_i,
  output logic [31:0]             word_o
);

  logic [6:0] at, slice;                    // its place in tcp_rec_t, in its quarter

  always_comb begin
    quarter_o = 2'd0;
    at        = word_i >= 7'(SACKED_WORD) ? word_i - 7'(SACKED_WORDS) : word_i;
    slice     = at;
    for (int i = 1; i < STORE_WORDS; i++) if (at >= 7'(i * SLICES)) begin
      quarter_o = 2'(i);
      slice     = at - 7'(i * SLICES);
    end
    for (int i = 0; i < SLICES; i++) here_o[i] = slice == 7'(SLICES - 1 - i);
    word_o = '0;
    for (int i = 0; i < SLICES; i++) word_o |= quarter_i[i] & {32{here_i[i]}};
  end

  // The lowest one of a field is the bit that the contract gives it.
  function automatic logic lies(input logic [$bits(tcp_rec_t)-1:0] ones, input int word, input int lsb);
    int bit_at;
    bit_at = 32 * (TCP_WORDS_WORDS - 1 - word - (word < SACKED_WORD ? SACKED_WORDS : 0)) + lsb;
    return ones[bit_at] && (ones & (ones - 1'b1)) == (ones ^ ($bits(tcp_rec_t)'(1) << bit_at));
  endfunction

  // Ones in the fields that are compared, each of them alone.
  function automatic logic laid_out();
    tcp_rec_t r;
    logic     good;
    good = 1'b1;
    r = tcp_rec_t'('0); r.state = tcp_state_e'(4'hF); good &= lies(r, TCP_WORDS_WORD0, TCP_WORDS_STATE_LSB);
    r = tcp_rec_t'('0); r.sack = '1; good &= lies(r, TCP_WORDS_WORD0, TCP_WORDS_SACK_LSB);
    r = tcp_rec_t'('0); r.rcv_scale = '1; good &= lies(r, TCP_WORDS_WORD0, TCP_WORDS_RCV_SCALE_LSB);
    r = tcp_rec_t'('0); r.fin_sent = '1; good &= lies(r, TCP_WORDS_WORD0, TCP_WORDS_FIN_SENT_LSB);
    r = tcp_rec_t'('0); r.recover_valid = '1; good &= lies(r, TCP_WORDS_WORD0, TCP_WORDS_RECOVER_VALID_LSB);
    r = tcp_rec_t'('0); r.turns = '1; good &= lies(r, TCP_WORDS_WORD0, TCP_WORDS_TURNS_LSB);
    r = tcp_rec_t'('0); r.mss = '1; good &= lies(r, TCP_WORDS_WORD1, TCP_WORDS_MSS_LSB);
    r = tcp_rec_t'('0); r.placing = '1; good &= lies(r, TCP_WORDS_WORD2, TCP_WORDS_PLACING_LSB);
    r = tcp_rec_t'('0); r.limit = '1; good &= lies(r, TCP_WORDS_WORD3, TCP_WORDS_LIMIT_LSB);
    r = tcp_rec_t'('0); r.backoff = '1; good &= lies(r, TCP_WORDS_WORD4, TCP_WORDS_BACKOFF_LSB);
    r = tcp_rec_t'('0); r.rcv_nxt = '1; good &= lies(r, TCP_WORDS_RCV_NXT, 0);
    r = tcp_rec_t'('0); r.snd_wl2 = '1; good &= lies(r, TCP_WORDS_SND_WL2, 0);
    r = tcp_rec_t'('0); r.ssthresh = '1; good &= lies(r, TCP_WORDS_SSTHRESH, 0);
    r = tcp_rec_t'('0); r.srtt8 = '1; good &= lies(r, TCP_WORDS_WORD23, TCP_WORDS_SRTT8_LSB);
    r = tcp_rec_t'('0); r.rttvar4 = '1; good &= lies(r, TCP_WORDS_WORD24, TCP_WORDS_RTTVAR4_LSB);
    r = tcp_rec_t'('0); r.ts_offset = '1; good &= lies(r, TCP_WORDS_TS_OFFSET, 0);
    r = tcp_rec_t'('0); r.held[0].right = '1; good &= lies(r, TCP_WORDS_HELD + 7, 0);
    r = tcp_rec_t'('0); r.cc[31:0] = '1; good &= lies(r, TCP_WORDS_CC + 3, 0);
    r = tcp_rec_t'('0); r.mode = MODE_FROZEN; good &= lies(r, TCP_WORDS_WORD61, TCP_WORDS_MODE_LSB);
    r = tcp_rec_t'('0); r.asked = '1; good &= lies(r, TCP_WORDS_WORD61, TCP_WORDS_ASKED_LSB);
    r = tcp_rec_t'('0); r.rto_at = '1; good &= lies(r, TCP_WORDS_RTO_AT, 0);
    return good;
  endfunction

  localparam logic LAID_OUT = laid_out();
  if (!LAID_OUT || TCP_WORDS_WORDS != RECORD_WORDS || TCP_WORDS_SACKED != SACKED_WORD ||
      RECORD_WORDS != STORE_WORDS * SLICES + SACKED_WORDS || $bits(tcp_rec_t) != 32 * STORE_WORDS * SLICES) begin : g_check
    $error("tcp_rec_t and record tcp_words differ");
  end

endmodule

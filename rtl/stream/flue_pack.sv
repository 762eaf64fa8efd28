// Packs chunks of bytes that lie anywhere in a word into a dense packet stream.
// The one place of the adapter where bytes are shifted.
//
// Contract: a chunk is lanes in_off_i to in_off_i + in_len_i - 1 of in_data_i,
// in_len_i at least 1, the end inside the word; in_last_i ends the packet.  The
// bytes of a packet leave in order without holes.  in_skip_i, read with the first
// chunk of a packet, leaves that many lanes empty before its first byte (0: an
// ordinary packet stream).  in_user_i belongs to the packet, is the same on all its
// chunks, and is beside every beat of it on the way out.
// Rate: a chunk and a beat a cycle.  A packet whose last chunk fills one word and
// begins another needs two beats for that chunk; the second is emitted beside the
// next chunk when that one completes no word, else it takes a cycle of its own.
// Latency: 3 cycles.  Cost at W = 64: a byte rotation (3 LUT4 a bit) and a merge (1).
module flue_pack #(
  parameter int W = 64,           // data, bits: 32 to 512
  parameter int U = 1,            // user, bits
  localparam int B = W / 8,       // lanes
  localparam int L = $clog2(B)
) (
  input  logic         clk,
  input  logic         rst,

  input  logic         in_valid_i,
  output logic         in_ready_o,
  input  logic [W-1:0] in_data_i,
  input  logic [L-1:0] in_off_i,
  input  logic [L:0]   in_len_i,
  input  logic         in_last_i,
  input  logic         in_bad_i,
  input  logic [L-1:0] in_skip_i,
  input  logic [U-1:0] in_user_i,

  output logic         out_valid_o,
  input  logic         out_ready_i,
  output logic [W-1:0] out_data_o,
  output logic [B-1:0] out_keep_o,
  output logic         out_last_o,
  output logic         out_bad_o,
  output logic [U-1:0] out_user_o
);

  localparam int FINE = L / 2;    // levels of the rotation in its second stage

  // Rotation towards higher lanes by those bits of `by` that are in [lo, hi).
  function automatic logic [W-1:0] rotate(input logic [W-1:0] x, input logic [L-1:0] by,
                                          input int lo, input int hi);
    logic [W-1:0] r;
    r = x;
    for (int k = 0; k < L; k++)
      if (k >= lo && k < hi && by[k]) r = (r << (8 << k)) | (r >> (W - (8 << k)));
    return r;
  endfunction

  // The lanes below `n`.
  function automatic logic [B-1:0] below(input logic [L:0] n);
    for (int j = 0; j < B; j++) below[j] = (L+1)'(j) < n;
  endfunction

  logic go;                       // the two stages before the output move

  // Where the next byte goes, and the first used lane of the word it goes to.
  logic         first_q;
  logic [L-1:0] pos_q, low_q;
  logic [L-1:0] pos, low;
  logic [L:0]   sum;              // lane after the chunk; B and above are in the next word

  assign pos = first_q ? in_skip_i : pos_q;
  assign low = first_q ? in_skip_i : low_q;
  assign sum = {1'b0, pos} + in_len_i;

  always_ff @(posedge clk) begin
    if (go && in_valid_i) begin
      first_q <= in_last_i;
      pos_q   <= sum[L-1:0];
      low_q   <= sum[L] ? '0 : low;
    end
    if (rst) first_q <= 1'b1;
  end

  // Stage 1: the chunk and what is to be done with it.
  logic         valid1_q, last1_q, bad1_q;
  logic [W-1:0] data1_q;
  logic [L-1:0] rot1_q, pos1_q, low1_q;
  logic [L:0]   sum1_q;
  logic [U-1:0] user1_q;

  always_ff @(posedge clk) begin
    if (go) begin
      valid1_q <= in_valid_i;
      last1_q  <= in_last_i;
      bad1_q   <= in_bad_i;
      data1_q  <= in_data_i;
      rot1_q   <= pos - in_off_i;
      pos1_q   <= pos;
      low1_q   <= low;
      sum1_q   <= sum;
      user1_q  <= in_user_i;
    end
    if (rst) valid1_q <= 1'b0;
  end

  // Stage 2: rotated by the upper bits of the amount.
  logic            valid2_q, last2_q, bad2_q;
  logic [W-1:0]    data2_q;
  logic [FINE-1:0] rot2_q;
  logic [B-1:0]    old2_q;        // lanes that earlier chunks filled
  logic [B-1:0]    keep2_q;       // of the word that the chunk completes
  logic [B-1:0]    rest2_q;       // of the word that it begins
  logic            emit2_q;       // completes a word: it is full or the packet ends
  logic            wrap2_q;       // begins another word, or ends exactly here
  logic            flush2_q;      // begins another word, and the packet ends
  logic [U-1:0]    user2_q;

  always_ff @(posedge clk) begin
    if (go) begin
      valid2_q <= valid1_q;
      last2_q  <= last1_q;
      bad2_q   <= bad1_q;
      data2_q  <= rotate(data1_q, rot1_q, FINE, L);
      rot2_q   <= rot1_q[FINE-1:0];
      old2_q   <= below({1'b0, pos1_q});
      keep2_q  <= below(sum1_q) & ~below({1'b0, low1_q});
      rest2_q  <= below({1'b0, sum1_q[L-1:0]});
      emit2_q  <= valid1_q && (sum1_q[L] || last1_q);
      wrap2_q  <= sum1_q[L];
      flush2_q <= valid1_q && last1_q && sum1_q[L] && sum1_q[L-1:0] != '0;
      user2_q  <= user1_q;
    end
    if (rst) begin
      valid2_q <= 1'b0;
      emit2_q  <= 1'b0;
      flush2_q <= 1'b0;
    end
  end

  // Output: the word on offer, and behind it the lanes that were filled so far.
  logic [W-1:0] part_q, turned;
  logic         flush_q;          // part_q is the last word of a packet
  logic [B-1:0] flush_keep_q;
  logic         flush_bad_q;
  logic         free;

  assign free       = !out_valid_o || out_ready_i;
  assign go         = free && !(flush_q && emit2_q);
  assign in_ready_o = go;
  assign turned     = rotate(W'(data2_q), L'(rot2_q), 0, FINE);

  always_ff @(posedge clk) begin
    if (go && valid2_q)
      for (int j = 0; j < B; j++)
        if (wrap2_q || !old2_q[j]) part_q[8*j +: 8] <= turned[8*j +: 8];
    if (go) begin
      flush_keep_q <= rest2_q;
      flush_bad_q  <= bad2_q;
    end
    if (free) begin
      for (int j = 0; j < B; j++)
        out_data_o[8*j +: 8] <= flush_q || old2_q[j] ? part_q[8*j +: 8] : turned[8*j +: 8];
      out_keep_o  <= flush_q ? flush_keep_q : keep2_q;
      out_last_o  <= flush_q || (last2_q && !flush2_q);
      out_bad_o   <= flush_q ? flush_bad_q : bad2_q;
      out_valid_o <= flush_q || emit2_q;
      flush_q     <= !flush_q && flush2_q;
      if (!flush_q) out_user_o <= user2_q;
    end
    if (rst) begin
      out_valid_o <= 1'b0;
      flush_q     <= 1'b0;
    end
  end

`ifdef FORMAL
  logic f_past;
  initial f_past = 1'b0;
  always_ff @(posedge clk) f_past <= 1'b1;

  // Byte number f_number_q since reset, any one, is followed from its chunk to its beat:
  // it leaves as the byte of that number, ends its packet if it did, with its user bits.
  logic [9:0]   f_number_q, f_in_q, f_out_q;        // bytes that went in and that left
  logic         f_live_q, f_ends_q, f_bad_q;
  logic [7:0]   f_byte_q;
  logic [U-1:0] f_user_q, f_packet_q;               // its own, and of the packet that comes in
  logic [9:0]   f_in_at, f_out_at;                  // its place in the chunk and in the beat
  logic [L:0]   f_bytes;                            // in the beat
  logic [L-1:0] f_low, f_in_lane, f_out_lane;

  assign f_in_at    = f_number_q - f_in_q;
  assign f_out_at   = f_number_q - f_out_q;
  assign f_in_lane  = in_off_i + L'(f_in_at);
  assign f_out_lane = f_low + L'(f_out_at);
  always_comb begin
    f_bytes = '0;
    f_low   = '0;
    for (int j = 0; j < B; j++) f_bytes = f_bytes + (L+1)'(out_keep_o[j]);
    for (int j = B - 1; j >= 0; j--) if (out_keep_o[j]) f_low = L'(j);
  end

  always_ff @(posedge clk) begin
    f_number_q <= f_number_q;
    if (!f_past) assume (rst);
    if (!rst && in_valid_i) begin
      // A chunk is not empty and lies inside its word.
      assume (in_len_i != '0);
      assume ((L+2)'(in_off_i) + (L+2)'(in_len_i) <= (L+2)'(B));
      assume (first_q || in_user_i == f_packet_q);
    end
    if (in_valid_i && in_ready_o) begin
      f_in_q     <= f_in_q + 10'(in_len_i);
      f_packet_q <= in_user_i;
      if (f_in_at < 10'(in_len_i)) begin
        f_live_q <= 1'b1;
        f_byte_q <= in_data_i[8 * f_in_lane +: 8];
        f_ends_q <= in_last_i && f_in_at == 10'(in_len_i) - 10'd1;
        f_bad_q  <= in_bad_i;
        f_user_q <= in_user_i;
      end
    end
    if (out_valid_o && out_ready_i) begin
      f_out_q <= f_out_q + 10'(f_bytes);
      if (f_out_at < 10'(f_bytes)) f_live_q <= 1'b0;
    end
    if (rst) begin
      f_in_q   <= '0;
      f_out_q  <= '0;
      f_live_q <= 1'b0;
    end

    if (f_past && !rst && !$past(rst)) begin
      // An offered beat stays and never changes.
      if ($past(out_valid_o && !out_ready_i)) begin
        assert (out_valid_o);
        assert ($stable(out_data_o) && $stable(out_keep_o) && $stable(out_last_o) && $stable(out_bad_o));
      end
    end
    if (f_past && !rst && out_valid_o) begin
      // keep has no hole, and is full to the top where the packet goes on.
      assert (out_keep_o != '0);
      assert (((out_keep_o >> f_low) & ((out_keep_o >> f_low) + 1'b1)) == '0);
      assert (out_last_o || out_keep_o[B-1]);
      if (f_out_at < 10'(f_bytes)) begin
        assert (f_live_q);
        assert (out_data_o[8 * f_out_lane +: 8] == f_byte_q);
        assert (f_ends_q == (out_last_o && f_out_at == 10'(f_bytes) - 10'd1));
        assert (!f_ends_q || out_bad_o == f_bad_q);
        assert (out_user_o == f_user_q);
      end
      cover (flush_q && go && valid2_q);            // a flush beside the next packet's chunk
      cover (flush_q && emit2_q);                   // a flush that makes it wait
    end
  end
`endif

endmodule

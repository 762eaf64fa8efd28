// Header of the segments of one LSO request: a template in LUT memory that is
// patched in place from one segment to the next (section 3.2.2).
//
// Contract: the template is written row by row (wr_*), then start_i with first_i
// makes it the header of the first segment, and each later start_i that of the
// next one.  The inputs beside start_i stay until done_o pulses; rows may be read
// whenever no patch is in progress.  seed_o and end_o are valid from done_o to the
// next start_i: TCP length of the segment (TO-056), and off_i + seg_len_i.
//   IPv4 total length, IPv6 payload length      set (TO-051, TO-052)
//   IPv4 identification                         + 1, modulo 0x8000 or 0x10000 (TO-054)
//   TCP sequence number                         + mss_i (TO-050)
//   PSH, FIN                                    last segment only (TO-057)
//   CWR                                         first segment only (TO-058)
// Every field is 16-bit aligned in the frame, so each patch is one lane of one row.
// Latency: 8 cycles for the first segment, 11 for the others.
// Cost: 128 bytes of LUT memory, one 16-bit adder, one lane multiplexer.
module flue_lso_header #(
  parameter int W = 64,
  localparam int B    = W / 8,
  localparam int L    = $clog2(B),
  localparam int ROWS = flue_pkg::HDR_MAX / B,
  localparam int R    = $clog2(ROWS)
) (
  input  logic         clk,
  input  logic         rst,

  input  logic         wr_en_i,
  input  logic [R-1:0] wr_row_i,
  input  logic [W-1:0] wr_data_i,
  input  logic [R-1:0] rd_row_i,
  output logic [W-1:0] rd_data_o,

  input  logic         start_i,
  input  logic         first_i,
  input  logic         last_i,
  input  logic [13:0]  seg_len_i,       // payload of the segment
  input  logic [L-1:0] off_i,           // lane of its first payload byte in the input
  input  logic         v6_i,
  input  logic         id_15bit_i,
  input  logic [13:0]  mss_i,
  input  logic [6:0]   hdr_len_i,
  input  logic [6:0]   l3_off_i,
  input  logic [6:0]   l4_off_i,
  input  logic         fault_seq_i,     // flip the sequence number's bit 0 in every second segment
  output logic         done_o,
  output logic [15:0]  seed_o,
  output logic [14:0]  end_o
);

  localparam int LANES = W / 16;
  localparam int LANE_W = (LANES > 1) ? $clog2(LANES) : 1;

  // One step a cycle; the first segment needs the first four.
  typedef enum logic [2:0] {
    S_END, S_SEED, S_LEN, S_FLAGS, S_SEQ_LO, S_SEQ_HI, S_ID
  } step_e;

  // Four stages: A address, B read, C add, D write.
  logic              a_valid_q, b_valid_q, c_valid_q, d_valid_q;
  step_e             a_step_q, b_step_q, c_step_q;
  logic              d_write_q;
  logic [LANE_W-1:0] b_lane_q, c_lane_q, d_lane_q;
  logic [R-1:0]      b_row_q, c_row_q, d_row_q;

  // A: where the field is, and the header bytes that its length covers.
  logic [5:0] field;                    // in 16-bit words
  logic [6:0] behind;                   // bytes of the header that a length does not count
  logic [6:0] b_covered_q;

  logic       in_tcp;
  logic [2:0] word;                     // of the field in its header

  always_comb begin
    in_tcp = 1'b0;
    word   = v6_i ? 3'd2 : 3'd1;
    unique case (a_step_q)
      S_FLAGS:  {in_tcp, word} = {1'b1, 3'd6};
      S_SEQ_LO: {in_tcp, word} = {1'b1, 3'd3};
      S_SEQ_HI: {in_tcp, word} = {1'b1, 3'd2};
      S_ID:     word = 3'd2;
      default: ;
    endcase
    field  = (in_tcp ? l4_off_i[6:1] : l3_off_i[6:1]) + 6'(word);
    behind = (a_step_q == S_SEED) ? l4_off_i : l3_off_i + (v6_i ? 7'd40 : 7'd0);
  end

  // Header memory: LANES memories of one 16-bit lane, so that a patch touches nothing else.
  logic [W-1:0] b_word;
  logic [15:0]  d_value_q;
  logic [R-1:0] mem_row_w, mem_row_r;

  assign mem_row_w = d_valid_q ? d_row_q : wr_row_i;
  assign mem_row_r = b_valid_q ? b_row_q : rd_row_i;
  assign rd_data_o = b_word;

  for (genvar g = 0; g < LANES; g++) begin : g_lane
    logic [15:0] mem [ROWS];
    logic        we;
    logic [15:0] value;
    assign we    = d_valid_q ? d_write_q && d_lane_q == LANE_W'(g) : wr_en_i;
    assign value = d_valid_q ? d_value_q : wr_data_i[16*g +: 16];
    always_ff @(posedge clk) if (we) mem[mem_row_w] <= value;
    assign b_word[16*g +: 16] = mem[mem_row_r];
  end

  // B: operands in host order.
  logic [15:0] b_lane, x, y;
  logic        psh_q, fin_q;            // in the template
  logic        odd_q, faulty_q;         // segment number; the stored sequence number is wrong
  logic [15:0] c_x_q, c_y_q;

  assign b_lane = {b_word[16*b_lane_q +: 8], b_word[16*b_lane_q + 8 +: 8]};

  always_comb begin
    x = b_lane;
    y = '0;
    unique case (b_step_q)
      S_END: begin
        x = 16'(off_i);
        y = 16'(seg_len_i);
      end
      S_SEED, S_LEN: begin
        x = 16'(b_covered_q);
        y = 16'(seg_len_i);
      end
      S_FLAGS: begin
        x[7] = b_lane[7] && first_i;
        x[3] = (first_i ? b_lane[3] : psh_q) && last_i;
        x[0] = (first_i ? b_lane[0] : fin_q) && last_i;
      end
      S_SEQ_LO: begin
        x[0] = b_lane[0] ^ faulty_q;
        y    = 16'(mss_i);
      end
      default: ;
    endcase
  end

  // C: the one adder.
  logic [16:0] sum;
  logic        carry_q, carry;

  assign carry = (c_step_q == S_SEQ_HI) ? carry_q : c_step_q == S_ID;
  assign sum   = {1'b0, c_x_q} + {1'b0, c_y_q} + 17'(carry);

  always_ff @(posedge clk) begin
    // start to the last step of the pipeline
    if (a_valid_q) begin
      a_step_q <= step_e'(a_step_q + 3'd1);
      if (a_step_q == (first_i ? S_FLAGS : S_ID)) a_valid_q <= 1'b0;
    end
    if (start_i) begin
      a_step_q  <= S_END;
      a_valid_q <= 1'b1;
      odd_q     <= !first_i && !odd_q;
    end

    b_valid_q            <= a_valid_q;
    b_step_q             <= a_step_q;
    {b_row_q, b_lane_q}  <= field;
    b_covered_q          <= hdr_len_i - behind;

    c_valid_q <= b_valid_q;
    c_step_q  <= b_step_q;
    c_row_q   <= b_row_q;
    c_lane_q  <= b_lane_q;
    c_x_q     <= x;
    c_y_q     <= y;
    if (b_valid_q && b_step_q == S_FLAGS && first_i) begin
      psh_q    <= b_lane[3];
      fin_q    <= b_lane[0];
      faulty_q <= 1'b0;
    end

    d_valid_q <= c_valid_q;
    d_write_q <= c_step_q != S_END && c_step_q != S_SEED && !(c_step_q == S_ID && v6_i);
    d_row_q   <= c_row_q;
    d_lane_q  <= c_lane_q;
    carry_q   <= sum[16];
    d_value_q <= {sum[7:0], sum[15] && !(c_step_q == S_ID && id_15bit_i), sum[14:8]};
    if (c_valid_q) begin
      if (c_step_q == S_END)  end_o  <= sum[14:0];
      if (c_step_q == S_SEED) seed_o <= sum[15:0];
      if (c_step_q == S_SEQ_LO) begin
        d_value_q[8] <= sum[0] ^ (fault_seq_i && odd_q);
        faulty_q     <= fault_seq_i && odd_q;
      end
    end
    done_o <= d_valid_q && !c_valid_q;

    if (rst) begin
      a_valid_q <= 1'b0;
      b_valid_q <= 1'b0;
      c_valid_q <= 1'b0;
      d_valid_q <= 1'b0;
      done_o    <= 1'b0;
    end
  end

endmodule

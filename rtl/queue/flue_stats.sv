// Statistics: 32 counters of 64 bits in one block RAM.
//
// Contract: `inc_i[n]` adds 1 to counter n, `tx_bytes_i`/`rx_bytes_i` add to
//   TX_BYTES and RX_BYTES.  A small accumulator per counter takes the pulses; a
//   scanner adds them to the memory, one counter after the other.  Counts are
//   exact while no counter gets more than 2^PEND_W - 2 pulses in a scan, which takes
//   32 cycles and 3 more for each counter that moved.
// Reads: rd_req_i with an address gives rd_ack_o and the word within a few
//   cycles; the low word latches the high one.  `clear_i` zeroes everything.
// `idle_o`: no accumulator holds a count.
// Cost: 1 block RAM (64 x 32 bits).
// Block RAM: 1.
module flue_stats
  import flue_pkg::*;
  import flue_layout_pkg::*;
#(
  parameter int PEND_W  = 4,              // accumulator of a pulse, bits
  parameter int BYTES_W = 15              // accumulator of a byte count, bits
) (
  input  logic              clk,
  input  logic              rst,

  input  logic              clear_i,
  input  logic [STATS-1:0]  inc_i,
  input  logic [13:0]       tx_bytes_i,   // 0 = none
  input  logic [13:0]       rx_bytes_i,

  input  logic              rd_req_i,     // one cycle
  input  logic [5:0]        rd_addr_i,    // {counter, high word}, held until acknowledged
  output logic              rd_ack_o,
  output logic [31:0]       rd_data_o,
  output logic              idle_o
);

  // ---- accumulators ----
  // Pulses are counted in a shift register sequence: two LUTs a counter.
  typedef logic [PEND_W-1:0] pend_t;
  typedef pend_t decode_t [1 << PEND_W];

  function automatic decode_t decode_table();
    pend_t code;
    for (int i = 0; i < 1 << PEND_W; i++) decode_table[i] = '0;
    code = '0;
    for (int i = 0; i < (1 << PEND_W) - 1; i++) begin
      decode_table[code] = PEND_W'(i);
      code = PEND_W'(lfsr_next(16'(code), PEND_W));
    end
  endfunction

  localparam decode_t DECODE = decode_table();

  logic [STATS-1:0]   turn_q;             // whose turn it is
  logic [4:0]         next_q, index_q;    // its number, that of the one taken last
  logic               take;               // its accumulator moves into amount_q
  logic [STATS-1:0]   busy;
  pend_t              pend [STATS];       // masked by turn_q
  logic [BYTES_W-1:0] bytes [2];          // transmit, receive; masked too

  for (genvar n = 0; n < STATS; n++) begin : g_count
    logic mine;
    assign mine = take && turn_q[n];
    if (n == STAT_TX_BYTES || n == STAT_RX_BYTES) begin : g_bytes
      localparam int K = n == STAT_RX_BYTES ? 1 : 0;
      logic [13:0]        more;
      logic [BYTES_W-1:0] bytes_q;
      logic               unused;
      assign more = K == 1 ? rx_bytes_i : tx_bytes_i;
      always_ff @(posedge clk) begin
        bytes_q <= (mine ? '0 : bytes_q) + BYTES_W'(more);
        if (rst || clear_i) bytes_q <= '0;
      end
      assign bytes[K] = turn_q[n] ? bytes_q : '0;
      assign pend[n]  = '0;
      assign busy[n]  = bytes_q != '0;
      assign unused   = &{1'b0, inc_i[n]};
    end else begin : g_pulses
      pend_t pend_q;
      always_ff @(posedge clk) begin
        if (mine)          pend_q <= PEND_W'(inc_i[n]);   // 1 is the value after 0
        else if (inc_i[n]) pend_q <= PEND_W'(lfsr_next(16'(pend_q), PEND_W));
        if (rst || clear_i) pend_q <= '0;
      end
      assign pend[n] = turn_q[n] ? pend_q : '0;
      assign busy[n] = pend_q != '0;
    end
  end

  pend_t              code;
  logic [BYTES_W-1:0] amount_d, amount_q;

  always_comb begin
    code = '0;
    for (int n = 0; n < STATS; n++) code = code | pend[n];
    amount_d = BYTES_W'(DECODE[code]) | bytes[0] | bytes[1];
  end

  // ---- scanner: low word, then high word with the carry ----
  typedef enum logic [2:0] {
    S_CLEAR,                              // every word becomes 0
    S_SCAN,                               // a counter with something pending is looked for
    S_LOW,                                // its low word comes from the memory
    S_HIGH,                               // its high word comes
    S_READ,                               // a word for the host comes
    S_LATCH                               // and the high one beside it
  } state_e;

  state_e      state_q;
  logic        carry_q;
  logic [5:0]  clear_q;
  (* ram_style = "block" *)
  logic [31:0] ram [2 * STATS];
  logic [31:0] ram_q, sum;
  logic [5:0]  ram_addr, write_addr;
  logic        sum_carry, write, found;
  logic        rd_want_q;
  logic [31:0] high_q;                    // latched with the last low word read

  assign found = amount_q != '0;
  assign take  = state_q == S_SCAN && !found && !rd_want_q;

  always_comb begin
    ram_addr = {index_q, state_q == S_LOW};
    if (state_q == S_SCAN && rd_want_q) ram_addr = rd_addr_i;
    if (state_q == S_READ)              ram_addr = {rd_addr_i[5:1], 1'b1};
  end

  assign {sum_carry, sum} = {1'b0, ram_q} + 33'(state_q == S_LOW ? amount_q : BYTES_W'(carry_q));
  assign write      = state_q inside {S_LOW, S_HIGH, S_CLEAR};
  assign write_addr = state_q == S_CLEAR ? clear_q : {index_q, state_q == S_HIGH};

  always_ff @(posedge clk) begin
    ram_q <= ram[ram_addr];
    if (write) ram[write_addr] <= state_q == S_CLEAR ? '0 : sum;
  end

  always_ff @(posedge clk) begin
    rd_ack_o <= 1'b0;
    if (rd_req_i) rd_want_q <= 1'b1;
    if (take) begin
      amount_q <= amount_d;
      index_q  <= next_q;
      next_q   <= next_q + 1'b1;
      turn_q   <= {turn_q[STATS-2:0], turn_q[STATS-1]};
    end
    unique case (state_q)
      S_CLEAR: begin
        clear_q <= clear_q + 1'b1;
        if (clear_q == '1) state_q <= S_SCAN;
      end
      S_SCAN:
        if (rd_want_q)  state_q <= S_READ;
        else if (found) state_q <= S_LOW;
      S_LOW: begin
        carry_q <= sum_carry;
        state_q <= S_HIGH;
      end
      S_HIGH: begin
        amount_q <= '0;
        state_q  <= S_SCAN;
      end
      S_READ: begin
        rd_data_o <= rd_addr_i[0] ? high_q : ram_q;
        rd_ack_o  <= 1'b1;
        rd_want_q <= 1'b0;
        state_q   <= rd_addr_i[0] ? S_SCAN : S_LATCH;
      end
      S_LATCH: begin
        high_q  <= ram_q;
        state_q <= S_SCAN;
      end
      default: state_q <= S_SCAN;
    endcase
    if (rst || clear_i) begin
      state_q  <= S_CLEAR;
      clear_q  <= '0;
      amount_q <= '0;
    end
    if (rst) begin
      turn_q    <= STATS'(1);
      next_q    <= '0;
      rd_ack_o  <= 1'b0;
      rd_want_q <= 1'b0;
    end
  end

  assign idle_o = busy == '0 && !found && state_q == S_SCAN && !rd_want_q;

endmodule

// Statistics: 32 counters of 64 bits in one block RAM.
//
// Contract: `inc_i[n]` adds 1 to counter n, `tx_bytes_i`/`rx_bytes_i` add to
//   TX_BYTES and RX_BYTES.  A small accumulator per counter takes the pulses;
//   a scanner adds them to the memory, one counter after the other.  Counts
//   are exact while no counter gets more than 2^PEND_W - 1 pulses in a scan of
//   at most 32 * 4 cycles; beyond, an accumulator saturates.
// Reads: rd_req_i with an address gives rd_ack_o and the word within a few
//   cycles; the low word latches the high one.  `clear_i` zeroes everything.
// `idle_o`: no accumulator holds a count.
// State: 1 block RAM (64 x 32 bits).
module flue_stats
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
  logic [4:0]         scan_q;             // counter being served
  logic [PEND_W-1:0]  pend_q [STATS];
  logic [BYTES_W-1:0] bytes_q [2];        // transmit, receive
  logic               take;               // its accumulator moves into amount_q
  logic [STATS-1:0]   busy;

  for (genvar n = 0; n < STATS; n++) begin : g_pend
    if (n == STAT_TX_BYTES || n == STAT_RX_BYTES) begin : g_bytes
      localparam int K = n == STAT_RX_BYTES ? 1 : 0;
      logic [13:0] more;
      logic        mine;
      assign more = K == 1 ? rx_bytes_i : tx_bytes_i;
      assign mine = take && scan_q == 5'(n);
      always_ff @(posedge clk) begin
        bytes_q[K] <= (mine ? '0 : bytes_q[K]) + BYTES_W'(more);
        if (rst || clear_i) bytes_q[K] <= '0;
      end
      assign pend_q[n] = '0;
      logic unused;
      assign unused = &{1'b0, inc_i[n]};
      assign busy[n]   = bytes_q[K] != '0;
    end else begin : g_count
      logic mine;
      assign mine = take && scan_q == 5'(n);
      always_ff @(posedge clk) begin
        if (mine)                           pend_q[n] <= PEND_W'(inc_i[n]);
        else if (inc_i[n] && pend_q[n] != '1) pend_q[n] <= pend_q[n] + 1'b1;
        if (rst || clear_i) pend_q[n] <= '0;
      end
      assign busy[n] = pend_q[n] != '0;
    end
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

  state_e             state_q;
  logic [BYTES_W-1:0] amount_q;
  logic               carry_q;
  logic [5:0]         clear_q;
  logic [31:0]        ram [64];
  logic [31:0]        ram_q, sum;
  logic [5:0]         ram_addr, write_addr;
  logic               sum_carry, write;
  logic               rd_want_q;
  logic [31:0]        high_q;             // latched with the last low word read

  assign take = state_q == S_SCAN && !rd_want_q;

  always_comb begin
    ram_addr = {scan_q, 1'b0};
    unique case (state_q)
      S_SCAN:  if (rd_want_q) ram_addr = rd_addr_i;
      S_LOW:   ram_addr = {scan_q, 1'b1};
      S_READ:  ram_addr = {rd_addr_i[5:1], 1'b1};
      default: ;
    endcase
  end

  assign {sum_carry, sum} = {1'b0, ram_q} + 33'(state_q == S_LOW ? amount_q : '0)
                          + 33'(state_q == S_HIGH && carry_q);
  assign write      = state_q inside {S_LOW, S_HIGH, S_CLEAR};
  assign write_addr = state_q == S_CLEAR ? clear_q : {scan_q, state_q == S_HIGH};

  always_ff @(posedge clk) begin
    ram_q <= ram[ram_addr];
    if (write) ram[write_addr] <= state_q == S_CLEAR ? '0 : sum;
  end

  always_ff @(posedge clk) begin
    rd_ack_o <= 1'b0;
    if (rd_req_i) rd_want_q <= 1'b1;
    unique case (state_q)
      S_CLEAR: begin
        clear_q <= clear_q + 1'b1;
        if (clear_q == '1) state_q <= S_SCAN;
      end
      S_SCAN: begin
        amount_q <= scan_q == STAT_TX_BYTES ? bytes_q[0] :
                    scan_q == STAT_RX_BYTES ? bytes_q[1] : BYTES_W'(pend_q[scan_q]);
        if (rd_want_q) begin
          state_q <= S_READ;
        end else if (busy[scan_q]) begin
          state_q <= S_LOW;
        end else begin
          scan_q <= scan_q + 1'b1;
        end
      end
      S_LOW: begin
        carry_q <= sum_carry;
        state_q <= S_HIGH;
      end
      S_HIGH: begin
        scan_q  <= scan_q + 1'b1;
        state_q <= S_SCAN;
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
      state_q <= S_CLEAR;
      clear_q <= '0;
    end
    if (rst) begin
      scan_q    <= '0;
      rd_ack_o  <= 1'b0;
      rd_want_q <= 1'b0;
    end
  end

  assign idle_o = busy == '0 && state_q == S_SCAN && !rd_want_q;

endmodule

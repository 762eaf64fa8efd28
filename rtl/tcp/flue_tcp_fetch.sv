// Asks for a turn's payload: [seq, seq + len) of a connection's send ring, in two pieces where the ring wraps.
//
// Contract: start_i (while idle_o) takes index, seq and len (at least 1), which stay until go_i or cancel_i; the ring is
//   looked up, then known_o is high and bad_o says that len is more than the ring holds.  go_i then asks for the
//   bytes, or (cancel_i) nothing is asked; either ends it. The requests are one packet of the payload's read
//   client.
// Cost: 365 COMB: two additions.
module flue_tcp_fetch
  import flue_pkg::*;
  import flue_tcp_pkg::*;
(
  input  logic               clk,
  input  logic               rst,

  input  logic               start_i,
  input  logic [INDEX_W-1:0] index_i,
  input  logic [31:0]        seq_i,
  input  logic [LEN_W-1:0]   len_i,
  output logic               known_o,
  output logic               bad_o,
  input  logic               go_i,        // while known_o
  input  logic               cancel_i,
  output logic               idle_o,

  output logic               ring_valid_o,
  input  logic               ring_ready_i,
  output logic [INDEX_W-1:0] ring_index_o,
  input  tcp_ring_t          ring_i,

  output logic               req_valid_o,
  input  logic               req_ready_i,
  output dma_req_t           req_o,
  output logic               req_last_o
);

  typedef enum logic [2:0] {
    S_IDLE,
    S_RING,                               // the ring's place
    S_PLACE,                              // position in it, and bytes to its end
    S_CUT,                                // does it wrap
    S_KNOWN,
    S_FIRST,
    S_SECOND
  } state_e;

  state_e           state_q;
  tcp_ring_t        ring_q;
  logic [31:0]      mask, position, to_end_m1;
  logic [31:0]      offset_q;
  logic [LEN_W-1:0] to_end_q;             // saturated
  logic [LEN_W-1:0] first_q, rest_q;
  logic [LEN_W:0]   over;                 // len - to_end
  logic [LEN_W-1:0] len_m1;

  always_comb
    for (int i = 0; i < 32; i++) mask[i] = 5'(i) < ring_q.log2;

  assign position  = seq_i & mask;
  assign to_end_m1 = ~seq_i & mask;
  assign over      = {1'b0, len_i} - {1'b0, to_end_q};
  assign len_m1    = len_i - 1'b1;

  always_ff @(posedge clk) begin
    unique case (state_q)
      S_IDLE: if (start_i) state_q <= S_RING;
      S_RING: if (ring_ready_i) begin
        ring_q  <= ring_i;
        state_q <= S_PLACE;
      end
      S_PLACE: begin
        offset_q <= ring_q.base + position;
        to_end_q <= (to_end_m1[31:LEN_W-1] != '0) ? '1 : {1'b0, to_end_m1[LEN_W-2:0]} + 1'b1;
        bad_o    <= (len_m1 & ~mask[LEN_W-1:0]) != '0 || ring_q.log2 == 5'd0;
        state_q  <= S_CUT;
      end
      S_CUT: begin
        // Without a wrap the difference is negative or 0.
        first_q <= (over[LEN_W] || over == '0) ? len_i : to_end_q;
        rest_q  <= over[LEN_W] ? '0 : over[LEN_W-1:0];
        state_q <= S_KNOWN;
      end
      S_KNOWN: begin
        if (go_i)     state_q <= S_FIRST;
        if (cancel_i) state_q <= S_IDLE;
      end
      S_FIRST:  if (req_ready_i) state_q <= (rest_q == '0) ? S_IDLE : S_SECOND;
      S_SECOND: if (req_ready_i) state_q <= S_IDLE;
      default:  state_q <= S_IDLE;
    endcase
    if (rst) state_q <= S_IDLE;
  end

  assign idle_o       = state_q == S_IDLE;
  assign known_o      = state_q == S_KNOWN;
  assign ring_valid_o = state_q == S_RING;
  assign ring_index_o = index_i;
  assign req_valid_o  = state_q == S_FIRST || state_q == S_SECOND;
  assign req_last_o   = state_q == S_SECOND || rest_q == '0;

  always_comb begin
    req_o = '{region: ring_q.region, offset: offset_q, length: first_q};
    if (state_q == S_SECOND) begin
      req_o.offset = ring_q.base;
      req_o.length = rest_q;
    end
  end

endmodule

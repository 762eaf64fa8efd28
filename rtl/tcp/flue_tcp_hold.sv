// The out-of-order ranges of a connection, newest first, against the payload of one segment.
//
// A pass takes the ranges from the last place of the list, the oldest first, and puts each that stays in front: those to come are
// at the top of the list, those that stay at the bottom, and in the end they are in their old order without a gap.  Held
// ranges neither overlap nor adjoin, so each is compared with the payload alone, whatever the union already is.
//
// Contract: start_i with the payload [left, right) (and FIN at fin_at_i) begins the comparison; when busy_o is low again the ranges it
// touches have left the list and the answers stand; the caller puts their union in front.  payload_i, bytes_i and fin_at_i stay.
// Latency: 4 cycles, of an empty list none.
// Timing: a 32-bit comparison and three LUTs.
module flue_tcp_hold
  import flue_tcp_pkg::*;
(
  input  logic                   clk,
  input  logic                   rst,

  input  logic                   load_i,
  input  tcp_range_t [HELD-1:0]  list_i,
  input  logic [2:0]             count_i,
  input  logic                   start_i,
  input  logic                   bytes_i,     // there is payload
  input  tcp_range_t             payload_i,
  input  logic [31:0]            fin_at_i,

  output logic                   busy_o,
  output logic                   last_o,
  output logic                   touched_o,
  output logic                   contained_o,
  output tcp_range_t             union_o,
  output logic                   overlap_o,   // some of the payload is there already
  output tcp_range_t             first_o,     // the first such part in the order of the list: the last found
  output logic                   above_o,     // a range reaches beyond the FIN
  output tcp_range_t [HELD-1:0]  list_o,
  output logic [2:0]             count_o
);

  localparam int PW = $clog2(HELD);

  tcp_range_t [HELD-1:0] list_q;
  logic [2:0]            n_q;
  logic                  busy_q;
  logic [PW-1:0]         place_q;             // in the old list, of the range at work

  // ---- the range at work against the payload ----
  tcp_range_t item;
  logic       valid, lower, upper, meets, adjoins, keep;

  assign item    = list_q[HELD-1];
  assign valid   = 3'(place_q) < n_q;
  assign lower   = seq_le(item.left, payload_i.left);
  assign upper   = seq_le(payload_i.right, item.right);
  assign adjoins = item.left == payload_i.right || item.right == payload_i.left;
  assign meets   = bytes_i && seq_le(item.left, payload_i.right) && seq_le(payload_i.left, item.right);
  assign keep    = valid && !meets;

  always_ff @(posedge clk) begin
    for (int i = 1; i < HELD; i++)
      if (load_i || (busy_q && (keep || i > HELD - 1 - int'(place_q))))
        list_q[i] <= load_i ? list_i[i] : list_q[i-1];
    if (load_i || (busy_q && keep))
      list_q[0] <= load_i ? list_i[0] : list_q[HELD-1];

    if (load_i)                        n_q <= count_i;
    else if (busy_q && valid && meets) n_q <= n_q - 3'd1;
  end

  always_ff @(posedge clk) begin
    if (!busy_q) begin
      busy_q  <= start_i && n_q != '0;
      place_q <= '1;
    end else begin
      busy_q  <= place_q != '0;
      place_q <= place_q - 1'b1;
    end
    if (rst) busy_q <= 1'b0;
  end

  // ---- answers ----
  always_ff @(posedge clk) begin
    if (!busy_q) begin
      if (start_i) begin
        touched_o   <= 1'b0;
        contained_o <= 1'b0;
        overlap_o   <= 1'b0;
        above_o     <= 1'b0;
        union_o     <= payload_i;
      end
    end else if (valid) begin
      if (meets) begin
        touched_o <= 1'b1;
        if (lower && upper) contained_o <= 1'b1;
        if (lower) union_o.left  <= item.left;
        if (upper) union_o.right <= item.right;
        if (!adjoins) begin
          overlap_o <= 1'b1;
          first_o   <= '{left: lower ? payload_i.left : item.left, right: upper ? payload_i.right : item.right};
        end
      end
      if (seq_lt(fin_at_i, item.right)) above_o <= 1'b1;
    end
  end

  assign busy_o  = busy_q;
  assign last_o  = busy_q && place_q == '0;
  assign list_o  = list_q;
  assign count_o = n_q;

endmodule

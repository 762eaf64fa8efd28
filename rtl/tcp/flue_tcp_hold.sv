// The out-of-order ranges of a connection, newest first, against the payload of one segment.
//
// Contract: start_i with the payload [left, right) (and FIN at fin_at_i) begins the comparison; when busy_o is low again
// the ranges it touches have left the list and the answers stand; the caller puts their union in front.
// Latency: one cycle a range.
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
  output tcp_range_t             first_o,     // first such part, in the order of the list
  output logic                   above_o,     // a range reaches beyond the FIN
  output tcp_range_t [HELD-1:0]  list_o,
  output logic [2:0]             count_o
);

  tcp_range_t item, part;
  logic       valid;

  flue_tcp_ranges #(.N(HELD), .SORTED(1'b0)) u_list (
    .clk, .rst, .load_i, .list_i, .count_i, .clear_i(1'b0), .push_i(1'b0),
    .start_i, .merge_i(bytes_i), .trim_i(1'b0), .range_i(payload_i), .floor_i('0),
    .busy_o, .last_o, .item_valid_o(valid), .item_o(item), .front_o(), .rest_o(),
    .union_o, .touched_o, .contained_o, .forgot_o(), .list_o, .count_o
  );

  assign part.left  = seq_max(item.left, payload_i.left);
  assign part.right = seq_min(item.right, payload_i.right);

  always_ff @(posedge clk) begin
    if (start_i && !busy_o) begin
      overlap_o <= 1'b0;
      above_o   <= 1'b0;
    end else if (valid) begin
      if (bytes_i && !overlap_o && seq_lt(part.left, part.right)) begin
        overlap_o <= 1'b1;
        first_o   <= part;
      end
      if (seq_lt(fin_at_i, item.right)) above_o <= 1'b1;
    end
  end

endmodule

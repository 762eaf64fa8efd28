// A list of up to N ranges of sequence numbers, disjoint and not adjacent, worked through one range a cycle.
//
// A pass (start_i, when !busy_o) takes each range from the front, shows it on item_o, and appends what stays of it: after
// the pass the list is in its old order.
//   OP_LOOK   nothing changes
//   OP_TRIM   what lies below floor_i goes
//   OP_MERGE  range_i is united with every range it touches; they leave the list and union_o is the result.  SORTED: it
//             takes its place among ascending ranges; when N are there, the highest range is forgotten.  Else it
//             stays outside, until push_i puts it in front (room in the list is the caller's business).
// Contract: load_i, push_i and clear_i only when !busy_o; a pass over an empty list takes no cycle unless it merges.
// Latency: one cycle a range, one more for OP_MERGE in a sorted list.
// Cost: N * 64 flip-flops and about 3 LUT4 each.
module flue_tcp_ranges
  import flue_tcp_pkg::*;
#(
  parameter int N      = 8,
  parameter bit SORTED = 1'b1,
  localparam int CW    = $clog2(N + 1)
) (
  input  logic                clk,
  input  logic                rst,

  input  logic                load_i,
  input  tcp_range_t [N-1:0]  list_i,
  input  logic [CW-1:0]       count_i,
  input  logic                clear_i,      // the list becomes empty
  input  logic                push_i,       // union_o in front

  input  logic                start_i,
  input  logic                merge_i,
  input  logic                trim_i,
  input  tcp_range_t          range_i,
  input  logic [31:0]         floor_i,

  output logic                busy_o,
  output logic                last_o,       // the pass ends with this cycle
  output logic                item_valid_o, // a range is shown, as it stays after trimming
  output tcp_range_t          item_o,
  output tcp_range_t          front_o,      // first of the list
  output logic [CW-1:0]       rest_o,       // ranges not yet shown, this one included

  output tcp_range_t          union_o,
  output logic                touched_o,    // range_i met at least one
  output logic                contained_o,  // range_i lay in one
  output logic                forgot_o,     // a range was lost with this cycle

  output tcp_range_t [N-1:0]  list_o,
  output logic [CW-1:0]       count_o
);

  tcp_range_t [N-1:0] list_q;
  logic [CW-1:0]      n_q, left_q;
  logic               busy_q, merge_q, trim_q, ending_q, passed_q;
  tcp_range_t         carry_q;              // the union; once it has passed, the range that follows
  logic               touched_q, contained_q;

  // ---- the range in front ----
  tcp_range_t in;
  logic       gone, meets;                  // trimmed away; touches what is carried
  logic       work;

  assign work = busy_q && !ending_q;
  assign gone = trim_q && seq_le(list_q[0].right, floor_i);

  always_comb begin
    in = list_q[0];
    if (trim_q && seq_lt(in.left, floor_i)) in.left = floor_i;
  end

  assign meets = merge_q && !passed_q && seq_le(in.left, carry_q.right) && seq_le(carry_q.left, in.right);

  // ---- what is appended ----
  tcp_range_t out;
  logic       keep, pass;                   // pass: the union takes its place before this range

  assign pass = SORTED && merge_q && !passed_q && !meets && seq_lt(carry_q.right, in.left);
  assign keep = !gone && !meets;
  assign out  = SORTED && merge_q && (passed_q || pass || ending_q) ? carry_q : in;

  logic [CW-1:0] tail;                      // where it goes, after the shift
  assign tail = ending_q ? n_q : n_q - CW'(1);

  logic room;
  assign room     = n_q != CW'(N);
  assign forgot_o = ending_q && !room;

  always_ff @(posedge clk) begin
    if (load_i) begin
      list_q <= list_i;
      n_q    <= count_i;
    end else if (clear_i) begin
      n_q <= '0;
    end else if (push_i) begin
      for (int i = N - 1; i > 0; i--) list_q[i] <= list_q[i-1];
      list_q[0] <= carry_q;
      n_q       <= n_q + CW'(1);
    end else if (work) begin
      for (int i = 0; i < N; i++) begin
        if (keep && tail == CW'(i)) list_q[i] <= out;
        else if (i < N - 1)         list_q[i] <= list_q[(i + 1) % N];
      end
      if (!keep) n_q <= n_q - CW'(1);
    end else if (ending_q && room) begin
      for (int i = 0; i < N; i++) if (tail == CW'(i)) list_q[i] <= out;
      n_q <= n_q + CW'(1);
    end
  end

  always_ff @(posedge clk) begin
    if (work) begin
      left_q <= left_q - CW'(1);
      if (meets) begin
        carry_q.left  <= seq_min(carry_q.left, in.left);
        carry_q.right <= seq_max(carry_q.right, in.right);
        touched_q     <= 1'b1;
        if (seq_le(in.left, range_i.left) && seq_le(range_i.right, in.right)) contained_q <= 1'b1;
      end
      if (pass || (SORTED && merge_q && passed_q)) carry_q <= in;
      if (pass) passed_q <= 1'b1;
      if (left_q == CW'(1)) begin
        if (SORTED && merge_q) ending_q <= 1'b1;
        else                   busy_q   <= 1'b0;
      end
    end else if (ending_q) begin
      ending_q <= 1'b0;
      busy_q   <= 1'b0;
    end else if (start_i) begin
      merge_q     <= merge_i;
      trim_q      <= trim_i;
      carry_q     <= range_i;
      passed_q    <= 1'b0;
      touched_q   <= 1'b0;
      contained_q <= 1'b0;
      left_q      <= n_q;
      busy_q      <= n_q != '0 || (SORTED && merge_i);
      ending_q    <= n_q == '0 && SORTED && merge_i;
    end
    if (rst) begin
      busy_q   <= 1'b0;
      ending_q <= 1'b0;
    end
  end

  assign busy_o       = busy_q;
  assign last_o       = ending_q || (work && left_q == CW'(1) && !(SORTED && merge_q));
  assign item_valid_o = work && !gone;
  assign item_o       = in;
  assign front_o      = list_q[0];
  assign rest_o       = left_q;
  assign union_o      = carry_q;
  assign touched_o    = touched_q;
  assign contained_o  = contained_q;
  assign list_o       = list_q;
  assign count_o      = n_q;

endmodule

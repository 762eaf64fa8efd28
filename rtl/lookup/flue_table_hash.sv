// Universal hash of a key of 32-bit words under a secret seed.
//
// h(x) = sum of (x[2i] * c[2i] + x[2i+1] * 2^16 * c[2i+1]) modulo p = 2^31 - 1, x the 16-bit halves
// of the key (low half first) at their positions, c[n] = a * k^n, (k, a) the seed.
//
// Why an attacker who knows everything but the seed gains nothing: the sum is a times a polynomial
// in k of degree 17 whose coefficients are the halves of the key, times constants that are not 0.
// Two keys differ in a coefficient (halves are below p), so their polynomials agree for at most
// 17 of the 2^31 - 1 values of k; for every other k, with d the difference of the polynomials, the
// difference a * d of the hashes takes every value once as a runs.  Whatever
// bits of the result are used, two keys chosen in advance collide in them as seldom as under a
// random function, but for 17 / 2^31 and a factor of at most 2 for the residue; choosing many keys helps no more.  (out_o is the
// residue before its last carry: another number than the residue for 127 of the 2^31 sums, and just as much a function of key and seed.)  Results
// never leave the adapter, so nothing is learned from them.  (A CRC with a secret start value is no
// such family: keys that collide do so under every start value.)
//
// Contract: words enter one a cycle with first_i on the first and last_i on the last one of a key, each
// at a position 0 to 8; a position left out counts as a word of 0.  out_valid_o is high for one cycle, 6
// cycles after last_i; out_o stays until 4 cycles after the next last_i at least.
// seed_i makes the coefficients from a_i and k_i (not 0), which stay until seeding_o falls, about
// 200 cycles; no key may be inside.
// Cost: 4 multipliers 18 x 18, 62 x 16 bits of LUT memory, about 270 COMB.
module flue_table_hash (
  input  logic        clk,
  input  logic        rst,

  input  logic        seed_i,
  input  logic [30:0] seed_k_i,
  input  logic [30:0] seed_a_i,
  output logic        seeding_o,

  input  logic        valid_i,
  input  logic        first_i,
  input  logic        last_i,
  input  logic [3:0]  pos_i,
  input  logic [31:0] word_i,

  output logic        out_valid_o,
  output logic [30:0] out_o
);

  // 2^16 * x modulo p.
  function automatic logic [30:0] shift16(input logic [30:0] x);
    return {x[14:0], x[30:15]};
  endfunction

  localparam logic [3:0] SELF = 4'd15;   // place of the coefficient the next one is made from
  localparam logic [4:0] LAST = 5'd18;   // number of coefficients

  typedef enum logic [2:0] {
    S_READY,
    S_SELF,                              // the residue becomes the factor of the next product
    S_RUN,                               // seed word enters
    S_WAIT,                              // the product comes
    S_PUT                                // and is written to its place
  } state_e;

  state_e      state_q;
  logic [4:0]  n_q;                      // coefficient being made

  (* ram_style = "distributed" *) logic [30:0] even_mem [16];
  (* ram_style = "distributed" *) logic [30:0] odd_mem [16];
  logic        put_even, put_odd;
  logic [30:0] residue;
  logic [3:0]  put_at;

  assign seeding_o = state_q != S_READY;
  assign put_even  = state_q == S_SELF || (state_q == S_PUT && !n_q[0]);
  assign put_odd   = state_q == S_SELF || (state_q == S_PUT &&  n_q[0]);
  assign put_at    = state_q == S_SELF ? SELF : n_q[4:1];

  always_ff @(posedge clk) begin
    if (put_even) even_mem[put_at] <= residue;
    if (put_odd)  odd_mem[put_at]  <= shift16(residue);
  end

  // Operands, products, three sums, the accumulator, its residue: one stage each.
  logic [5:1]  valid_q, first_q, last_q;
  logic [3:0]  pos;
  logic [31:0] word_q;
  logic [30:0] even_q, odd_q;
  logic [31:0] even_lo_q, odd_lo_q;
  logic [30:0] even_hi_q, odd_hi_q;
  logic [32:0] even_sum_q, odd_sum_q;
  logic [33:0] sum_q;
  logic [37:0] acc_q;
  logic [31:0] fold_q;

  assign pos = seeding_o ? SELF : pos_i;

  always_ff @(posedge clk) begin
    word_q     <= !seeding_o ? word_i : {1'b0, n_q == '0 ? seed_a_i : seed_k_i};
    even_q     <= even_mem[pos];
    odd_q      <= odd_mem[pos];
    even_lo_q  <= word_q[15:0]  * even_q[15:0];
    even_hi_q  <= word_q[15:0]  * even_q[30:16];
    odd_lo_q   <= word_q[31:16] * odd_q[15:0];
    odd_hi_q   <= word_q[31:16] * odd_q[30:16];
    even_sum_q <= 33'(even_lo_q) + 33'(shift16(even_hi_q));
    odd_sum_q  <= 33'(odd_lo_q) + 33'(shift16(odd_hi_q));
    sum_q      <= 34'(even_sum_q) + 34'(odd_sum_q);
    if (valid_q[4]) acc_q  <= (first_q[4] ? '0 : acc_q) + 38'(sum_q);
    if (last_q[5])  fold_q <= 32'(acc_q[30:0]) + 32'(acc_q[37:31]);
    if (seed_i)     fold_q <= 32'd1;
  end

  // The coefficients need the residue itself, whose last carry is still to be added.
  assign residue = {fold_q[30:7], fold_q[6:0] + 7'(fold_q[31])};
  assign out_o   = fold_q[30:0];

  always_ff @(posedge clk) begin
    valid_q     <= {valid_q[4:1], seeding_o ? state_q == S_RUN : valid_i};
    first_q     <= {first_q[4:1], seeding_o || first_i};
    last_q      <= {last_q[4:1],  seeding_o ? state_q == S_RUN : valid_i && last_i};
    out_valid_o <= last_q[5];

    unique case (state_q)
      S_READY: n_q     <= '0;
      S_SELF:  state_q <= n_q == LAST ? S_READY : S_RUN;
      S_RUN:   state_q <= S_WAIT;
      S_WAIT:  if (out_valid_o) state_q <= S_PUT;
      S_PUT: begin
        n_q     <= n_q + 1'b1;
        state_q <= S_SELF;
      end
      default: state_q <= S_READY;
    endcase
    if (seed_i) state_q <= S_SELF;

    if (rst) begin
      state_q     <= S_READY;
      valid_q     <= '0;
      last_q      <= '0;
      out_valid_o <= 1'b0;
    end
  end

endmodule

// The registered regions of host memory: where each begins, how long it is, and whether the
// adapter may write there.
//
// Contract: rg_* is the register window, 4 words a region: base low, base high, size in bytes,
// flags (bit 0 valid, bit 1 writable).  Bits 11:0 of a base are not stored and read as 0.
// base_o ... writable_o show region look_i in the cycle after look_valid_i, which is never high
// in two cycles running.  rg_rdata_o follows rg_addr_i by at most 3 cycles. rst makes every
// region invalid and leaves the rest alone.
// Cost: 86 bits of LUT memory a region (one set, shared by both readers), 1 flag a region.
module flue_region_table #(
  parameter int REGIONS = 16,
  localparam int IDX_W = REGIONS > 1 ? $clog2(REGIONS) : 1
) (
  input  logic             clk,
  input  logic             rst,

  input  logic             rg_we_i,
  input  logic [IDX_W+1:0] rg_addr_i,      // {region, word}
  input  logic [31:0]      rg_wdata_i,
  output logic [31:0]      rg_rdata_o,

  input  logic             look_valid_i,
  input  logic [IDX_W-1:0] look_i,
  output logic [63:12]     base_o,
  output logic [31:0]      size_o,
  output logic             valid_o,
  output logic             writable_o
);

  logic [19:0]        base_lo_mem [REGIONS];
  logic [31:0]        base_hi_mem [REGIONS];
  logic [31:0]        size_mem    [REGIONS];
  logic               write_mem   [REGIONS];
  logic [REGIONS-1:0] valid_q;

  logic [IDX_W-1:0] rg_idx, idx_q;
  logic             looked_q;              // idx_q came from look_i
  logic [31:0]      word;

  assign rg_idx = rg_addr_i[IDX_W+1:2];

  assign base_o     = {base_hi_mem[idx_q], base_lo_mem[idx_q]};
  assign size_o     = size_mem[idx_q];
  assign writable_o = write_mem[idx_q];
  assign valid_o    = valid_q[idx_q];

  always_comb begin
    case (rg_addr_i[1:0])
      2'd0:    word = {base_o[31:12], 12'b0};
      2'd1:    word = base_o[63:32];
      2'd2:    word = size_o;
      default: word = {30'b0, writable_o, valid_o};
    endcase
  end

  always_ff @(posedge clk) begin
    if (rg_we_i && rg_addr_i[1:0] == 2'd0) base_lo_mem[rg_idx] <= rg_wdata_i[31:12];
    if (rg_we_i && rg_addr_i[1:0] == 2'd1) base_hi_mem[rg_idx] <= rg_wdata_i;
    if (rg_we_i && rg_addr_i[1:0] == 2'd2) size_mem[rg_idx]    <= rg_wdata_i;
    if (rg_we_i && rg_addr_i[1:0] == 2'd3) write_mem[rg_idx]   <= rg_wdata_i[1];
  end

  always_ff @(posedge clk) begin
    idx_q    <= look_valid_i ? look_i : rg_idx;
    looked_q <= look_valid_i;
    if (!looked_q) rg_rdata_o <= word;
    if (rg_we_i && rg_addr_i[1:0] == 2'd3) valid_q[rg_idx] <= rg_wdata_i[0];
    if (rst) valid_q <= '0;
  end

endmodule

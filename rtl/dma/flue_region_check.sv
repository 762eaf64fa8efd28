// Is an access inside its region?  One comparison decides.
//
// Contract: req_i and write_i are stable for two cycles.  In the second one, with the region's
// table entry on entry_*_i, ok_o says that the region exists, is valid (and writable, for a
// write), that the length is not 0, and that offset + length <= size; last_o is the offset of
// the last byte. The sum is kept to 33 bits, so it cannot wrap.  Proved below for every input.
module flue_region_check
  import flue_pkg::*;
#(
  parameter int REGIONS = 16
) (
  input  logic        clk,

  input  dma_req_t    req_i,
  input  logic        write_i,

  input  logic        entry_valid_i,
  input  logic        entry_writable_i,
  input  logic [31:0] entry_size_i,

  output logic        ok_o,
  output logic [31:0] last_o
);

  logic [LEN_W:0] dec;            // length - 1; the top bit says that length was 0
  logic [32:0]    last_q;
  logic           never_q;        // no region can hold it

  assign dec = {1'b0, req_i.length} - 1'b1;

  always_ff @(posedge clk) begin
    last_q  <= {1'b0, req_i.offset} + 33'(dec[LEN_W-1:0]);
    never_q <= dec[LEN_W] || 32'(req_i.region) >= 32'(REGIONS);
  end

  assign ok_o   = !never_q && entry_valid_i && (entry_writable_i || !write_i) &&
                  !last_q[32] && last_q[31:0] < entry_size_i;
  assign last_o = last_q[31:0];

`ifdef FORMAL
  logic     f_second = 1'b0;
  dma_req_t f_req;
  logic [LEN_W-1:0] f_byte;                // of the request; begins anywhere and stays

  always_ff @(posedge clk) begin
    f_second <= 1'b1;
    f_req    <= req_i;
    f_byte   <= f_byte;
  end

  // Whatever byte of the request is picked, an access that passes has it inside the region,
  always_comb begin
    if (f_second && ok_o) begin
      assert (32'(f_req.region) < 32'(REGIONS));
      assert (entry_valid_i);
      assert (entry_writable_i || !write_i);
      assert (f_req.length != 0);
      if (f_byte < f_req.length) begin
        assert ({2'b0, f_req.offset} + 34'(f_byte) < {2'b0, entry_size_i});
        assert ({2'b0, f_req.offset} + 34'(f_byte) <= {2'b0, last_o});
      end
    end
    // and nothing that fits is refused.
    if (f_second && entry_valid_i && entry_writable_i && f_req.length != 0 &&
        32'(f_req.region) < 32'(REGIONS))
      assert (ok_o == ({2'b0, f_req.offset} + 34'(f_req.length) <= {2'b0, entry_size_i}));
    cover (f_second && ok_o && write_i && last_o == 32'hFFFF_FFFE);
  end
`endif

endmodule

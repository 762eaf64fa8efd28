// AXI4-Lite subordinate in front of the register file: one access at a time.
//
// Contract: a write is taken when its address and its data are offered, a read
//   when no write is.  req_o pulses once; is_write_o, addr_o and wdata_o are
//   there from the cycle before until the access is answered; ack_i, with req_o
//   or at any later time, ends it.  Every answer is OKAY; write strobes are not used
//   (a register is written whole, as AXI4-Lite allows).
// `idle_o`: nothing is offered, begun or unanswered.
// Latency: 4 cycles from address to answer, without the register file's.
module flue_axil #(
  parameter int ADDR_W = 12
) (
  input  logic              clk,
  input  logic              rst,

  input  logic              awvalid_i,
  output logic              awready_o,
  input  logic [ADDR_W-1:0] awaddr_i,
  input  logic              wvalid_i,
  output logic              wready_o,
  input  logic [31:0]       wdata_i,
  output logic              bvalid_o,
  input  logic              bready_i,
  input  logic              arvalid_i,
  output logic              arready_o,
  input  logic [ADDR_W-1:0] araddr_i,
  output logic              rvalid_o,
  input  logic              rready_i,
  output logic [31:0]       rdata_o,

  output logic              req_o,
  output logic              is_write_o,
  output logic [ADDR_W-1:0] addr_o,
  output logic [31:0]       wdata_o,
  input  logic              ack_i,
  input  logic [31:0]       rdata_i,
  output logic              idle_o
);

  typedef enum logic [1:0] {
    S_ACCESS,                             // an access is awaited
    S_ACK,                                // its end is
    S_TAKEN                               // the answer is offered
  } state_e;

  state_e state_q;
  logic   write, read;
  logic   begun_q;                        // the access was taken in the cycle before

  assign write     = state_q == S_ACCESS && awvalid_i && wvalid_i;
  assign read      = state_q == S_ACCESS && arvalid_i && !write;
  assign awready_o = write;
  assign wready_o  = write;
  assign arready_o = read;

  always_ff @(posedge clk) begin
    begun_q <= write || read;
    req_o   <= begun_q;
    unique case (state_q)
      S_ACCESS: begin
        is_write_o <= write;
        addr_o     <= write ? awaddr_i : araddr_i;
        wdata_o    <= wdata_i;
        if (write || read) state_q <= S_ACK;
      end
      S_ACK: begin
        rdata_o <= rdata_i;
        if (ack_i) begin
          bvalid_o <= is_write_o;
          rvalid_o <= !is_write_o;
          state_q  <= S_TAKEN;
        end
      end
      S_TAKEN:
        if ((bvalid_o && bready_i) || (rvalid_o && rready_i)) begin
          bvalid_o <= 1'b0;
          rvalid_o <= 1'b0;
          state_q  <= S_ACCESS;
        end
      default: state_q <= S_ACCESS;
    endcase
    if (rst) begin
      state_q  <= S_ACCESS;
      begun_q  <= 1'b0;
      req_o    <= 1'b0;
      bvalid_o <= 1'b0;
      rvalid_o <= 1'b0;
    end
  end

  assign idle_o = state_q == S_ACCESS && !awvalid_i && !wvalid_i && !arvalid_i;

`ifdef FORMAL
  logic f_past_valid = 1'b0;
  always_ff @(posedge clk) f_past_valid <= 1'b1;

  always_ff @(posedge clk) begin
    if (!f_past_valid) assume (rst);
    if (ack_i && !rst) assume (state_q == S_ACK && !begun_q);    // not before its request
    if (f_past_valid && !$past(rst) && !rst) begin
      // An answer stays, unchanged, until it is taken; there is never one of each.
      if ($past(bvalid_o && !bready_i)) assert (bvalid_o);
      if ($past(rvalid_o && !rready_i)) assert (rvalid_o && rdata_o == $past(rdata_o));
      assert (!(bvalid_o && rvalid_o));
      assert ((bvalid_o || rvalid_o) == (state_q == S_TAKEN));
      // The register file sees one request an access, and what it is stays.
      if (req_o || begun_q) assert (state_q == S_ACK && !$past(req_o));
      if (state_q == S_ACK && $past(state_q) == S_ACK) begin
        assert ({is_write_o, addr_o, wdata_o} == $past({is_write_o, addr_o, wdata_o}));
      end
      cover (bvalid_o);
      cover (rvalid_o && $past(rvalid_o));
    end
  end
`endif

endmodule

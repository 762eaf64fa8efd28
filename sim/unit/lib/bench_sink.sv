// Packet sink of the unit benches: collects packets for ID, takes ready away
// as the test asks, and checks the stream rules of docs/architecture.md
// section 1 (an offered beat stays and never changes, keep contiguous and full
// except on last, user stable over the packet).
module bench_sink #(
  parameter int W    = 64,        // data, bits: 8 to 512
  parameter int U    = 1,         // user bits, stable over the packet, up to 512
  parameter int UL   = 1,         // user bits read on last only, up to 512
  parameter int ID   = 0,
  parameter bit SKIP = 1'b0       // the first beat may have empty low lanes
) (
  input  logic           clk,
  input  logic           rst,

  input  logic           in_valid_i,
  output logic           in_ready_o,
  input  logic [W-1:0]   in_data_i,
  input  logic [W/8-1:0] in_keep_i,
  input  logic           in_last_i,
  input  logic           in_bad_i,
  input  logic [U-1:0]   in_user_i,
  input  logic [UL-1:0]  in_user_last_i
);

  import "DPI-C" function bit bench_sink_ready(input int id);
  import "DPI-C" function void bench_sink_withdrawn(input int id);
  import "DPI-C" function void bench_sink_beat(input int id, input int lanes, input bit skip,
    input bit moves, input bit [511:0] data, input bit [63:0] keep, input bit last, input bit bad,
    input bit [511:0] user, input bit [511:0] user_last);

  logic stalled_q;                // an offered beat did not move

  always_ff @(posedge clk) begin
    if (rst) begin
      in_ready_o <= 1'b0;
      stalled_q  <= 1'b0;
    end else begin
      if (in_valid_i)
        bench_sink_beat(ID, W / 8, SKIP, in_ready_o, 512'(in_data_i), 64'(in_keep_i), in_last_i,
                        in_bad_i, 512'(in_user_i), 512'(in_user_last_i));
      else if (stalled_q)
        bench_sink_withdrawn(ID);
      stalled_q  <= in_valid_i && !in_ready_o;
      in_ready_o <= bench_sink_ready(ID);
    end
  end

endmodule

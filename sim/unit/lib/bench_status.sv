// Signals that a unit bench watches: sampled at every clock edge (bench_get),
// with the cycles counted in which each bit is high outside reset (bench_count).
module bench_status #(
  parameter int W  = 1,           // up to 512
  parameter int ID = 0
) (
  input  logic         clk,
  input  logic         rst,
  input  logic [W-1:0] value_i
);

  import "DPI-C" function void bench_status_value(input int id, input bit counts,
                                                  input bit [511:0] value);

  always_ff @(posedge clk) bench_status_value(ID, !rst, 512'(value_i));

endmodule

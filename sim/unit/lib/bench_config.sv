// Signals that a unit bench drives (bench_set): a new value is there after the
// next clock edge and stays through resets.
module bench_config #(
  parameter int W  = 1,           // up to 512
  parameter int ID = 0
) (
  input  logic         clk,
  output logic [W-1:0] value_o
);

  import "DPI-C" function void bench_config_value(input int id, output bit [511:0] value);

  always_ff @(posedge clk) begin : drive
    automatic bit [511:0] value;
    bench_config_value(ID, value);
    value_o <= value[W-1:0];
  end

endmodule

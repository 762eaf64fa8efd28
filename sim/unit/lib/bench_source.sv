// Packet source of the unit benches: offers what the test queued for ID.
//
// Contract: the stream rules of docs/architecture.md section 1.  out_user_o is
// stable over a packet; out_user_last_o, out_bad_o and the lanes that keep
// leaves out hold random bits where nobody may look at them.
module bench_source #(
  parameter int W  = 64,          // data, bits: 8 to 512
  parameter int U  = 1,           // user bits beside each beat, up to 512
  parameter int UL = 1,           // user bits beside the last beat, up to 512
  parameter int ID = 0
) (
  input  logic           clk,
  input  logic           rst,

  output logic           out_valid_o,
  input  logic           out_ready_i,
  output logic [W-1:0]   out_data_o,
  output logic [W/8-1:0] out_keep_o,
  output logic           out_last_o,
  output logic           out_bad_o,
  output logic [U-1:0]   out_user_o,
  output logic [UL-1:0]  out_user_last_o
);

  import "DPI-C" function bit bench_source_beat(input int id, input int lanes,
    output bit [511:0] data, output bit [63:0] keep, output bit last, output bit bad,
    output bit [511:0] user, output bit [511:0] user_last);

  always_ff @(posedge clk) begin : beat
    automatic bit [511:0] data;
    automatic bit [63:0]  keep;
    automatic bit         last;
    automatic bit         bad;
    automatic bit [511:0] user;
    automatic bit [511:0] user_last;
    if (rst) begin
      out_valid_o <= 1'b0;
    end else if (!out_valid_o || out_ready_i) begin
      out_valid_o     <= bench_source_beat(ID, W / 8, data, keep, last, bad, user, user_last);
      out_data_o      <= data[W-1:0];
      out_keep_o      <= keep[W/8-1:0];
      out_last_o      <= last;
      out_bad_o       <= bad;
      out_user_o      <= user[U-1:0];
      out_user_last_o <= user_last[UL-1:0];
    end
  end

endmodule

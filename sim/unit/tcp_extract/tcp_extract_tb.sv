// Unit bench of rtl/tcp/flue_tcp_extract.sv at every data width, beside a real park FIFO.
//
// IDs: width index (0 = 32 bits .. 4 = 512).  Source: frames; user hdr_t, user_last {segment, drop}.  Sinks: id frames that the
// park kept; 8 + id keys {lookup, key}; 16 + id segments {pay_off, seg}.  Status id: {full with last, park full, idle}.
module tcp_extract_tb (
  input logic clk,
  input logic rst
);

  for (genvar g = 0; g < 5; g++) begin : g_width
    tcp_extract_width_tb #(.W(32 << g), .ID(g)) u_width (.clk, .rst);
  end

endmodule

module tcp_extract_width_tb
  import flue_pkg::*;
  import flue_tcp_pkg::*;
#(
  parameter int W  = 64,
  parameter int ID = 0
) (
  input logic clk,
  input logic rst
);
  localparam int FRAMES = 8;

  logic           valid, last, bad, segment, drop, full, drop_full;
  logic [W-1:0]   data;
  logic [W/8-1:0] keep;
  hdr_t           hdr;
  logic           pk_valid, pk_ready, pk_last;
  logic [W-1:0]   pk_data;
  logic [W/8-1:0] pk_keep;
  logic           key_valid, key_ready, lookup, seg_valid, seg_ready, idle;
  lookup_key_t    key;
  tcp_seg_t       seg;
  logic [9:0]     pay_off;

  bench_source #(.W(W), .U($bits(hdr_t)), .UL(2), .ID(ID)) u_source (
    .clk, .rst, .out_valid_o(valid), .out_ready_i(1'b1), .out_data_o(data), .out_keep_o(keep),
    .out_last_o(last), .out_bad_o(bad), .out_user_o(hdr), .out_user_last_o({segment, drop})
  );
  flue_tcp_extract #(.W(W), .FRAMES(FRAMES)) dut (
    .clk, .rst, .in_move_i(valid), .in_data_i(data), .in_last_i(last), .in_hdr_i(hdr), .in_segment_i(segment),
    .in_drop_i(drop || bad), .in_forward_i(1'b0), .drop_full_i(drop_full), .full_o(full),
    .key_valid_o(key_valid), .key_ready_i(key_ready), .lookup_o(lookup), .forward_o(), .key_o(key),
    .seg_valid_o(seg_valid), .seg_ready_i(seg_ready), .seg_o(seg), .pay_off_o(pay_off), .idle_o(idle)
  );
  flue_frame_fifo #(.W(W), .DEPTH(512), .META_W(1), .FRAMES(FRAMES)) u_park (
    .clk, .rst, .in_valid_i(valid), .in_ready_o(), .in_data_i(data), .in_keep_i(keep), .in_last_i(last),
    .in_bad_i(drop || bad || full), .in_meta_i(1'b0),
    .out_valid_o(pk_valid), .out_ready_i(pk_ready), .out_data_o(pk_data), .out_keep_o(pk_keep), .out_last_o(pk_last),
    .out_bad_o(), .out_meta_o(), .drop_bad_o(), .drop_full_o(drop_full)
  );
  bench_sink #(.W(W), .ID(ID)) u_kept (
    .clk, .rst, .in_valid_i(pk_valid), .in_ready_o(pk_ready), .in_data_i(pk_data), .in_keep_i(pk_keep),
    .in_last_i(pk_last), .in_bad_i(1'b0), .in_user_i(1'b0), .in_user_last_i(1'b0)
  );
  bench_sink #(.W(8), .U($bits(lookup_key_t) + 1), .ID(8 + ID)) u_keys (
    .clk, .rst, .in_valid_i(key_valid), .in_ready_o(key_ready), .in_data_i('0), .in_keep_i(1'b1), .in_last_i(1'b1),
    .in_bad_i(1'b0), .in_user_i({lookup, key}), .in_user_last_i(1'b0)
  );
  bench_sink #(.W(8), .U($bits(tcp_seg_t) + 10), .ID(16 + ID)) u_segments (
    .clk, .rst, .in_valid_i(seg_valid), .in_ready_o(seg_ready), .in_data_i('0), .in_keep_i(1'b1), .in_last_i(1'b1),
    .in_bad_i(1'b0), .in_user_i({pay_off, seg}), .in_user_last_i(1'b0)
  );
  bench_status #(.W(3), .ID(ID)) u_status (.clk, .rst, .value_i({valid && last && !drop && !bad && full, drop_full, idle}));
endmodule

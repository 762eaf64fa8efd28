// Packet stream of one data width to another; both are powers of two, bits.
//
// Contract: the same packets, bytes and user; beats of the narrow side are joined
// from lane 0 up or taken apart in that order.  in_user_i belongs to the packet.
// Rate: a beat a cycle on the narrow side.  Latency: 1 cycle (and the beats joined).
// Cost: one word of the wide side.
module flue_stream_width #(
  parameter int WI = 32,          // data of the input, bits
  parameter int WO = 64,          // data of the output, bits
  parameter int U  = 1            // user, bits
) (
  input  logic            clk,
  input  logic            rst,

  input  logic            in_valid_i,
  output logic            in_ready_o,
  input  logic [WI-1:0]   in_data_i,
  input  logic [WI/8-1:0] in_keep_i,
  input  logic            in_last_i,
  input  logic            in_bad_i,
  input  logic [U-1:0]    in_user_i,

  output logic            out_valid_o,
  input  logic            out_ready_i,
  output logic [WO-1:0]   out_data_o,
  output logic [WO/8-1:0] out_keep_o,
  output logic            out_last_o,
  output logic            out_bad_o,
  output logic [U-1:0]    out_user_o
);

  if (WO > WI) begin : g_join
    localparam int R = WO / WI;

    // One-hot: the part of the output word that the next beat fills.
    logic [R-1:0] part_q;

    assign in_ready_o = !out_valid_o || out_ready_i;

    always_ff @(posedge clk) begin
      if (in_ready_o) begin
        out_valid_o <= in_valid_i && (in_last_i || part_q[R-1]);
        if (in_valid_i) begin
          for (int i = 0; i < R; i++) begin
            if (part_q[i]) begin
              out_data_o[WI*i +: WI]     <= in_data_i;
              out_keep_o[WI/8*i +: WI/8] <= in_keep_i;
            end else if (part_q[0]) begin
              out_keep_o[WI/8*i +: WI/8] <= '0;
            end
          end
          out_last_o <= in_last_i;
          out_bad_o  <= in_bad_i;
          out_user_o <= in_user_i;
          part_q     <= in_last_i ? R'(1) : {part_q[R-2:0], part_q[R-1]};
        end
      end
      if (rst) begin
        out_valid_o <= 1'b0;
        part_q      <= R'(1);
      end
    end
  end else begin : g_split
    // The word moves down by one output beat at a time; keep shows where it ends.
    logic [WI-1:0]   data_q;
    logic [WI/8-1:0] keep_q;
    logic            last_q, more;

    if (WO < WI) begin : g_more
      assign more = keep_q[WO/8];
    end else begin : g_no_more
      assign more = 1'b0;
    end

    assign in_ready_o = !out_valid_o || (out_ready_i && !more);
    assign out_data_o = data_q[WO-1:0];
    assign out_keep_o = keep_q[WO/8-1:0];
    assign out_last_o = last_q && !more;

    always_ff @(posedge clk) begin
      if (in_ready_o) begin
        out_valid_o <= in_valid_i;
        data_q      <= in_data_i;
        keep_q      <= in_keep_i;
        last_q      <= in_last_i;
        out_bad_o   <= in_bad_i;
        out_user_o  <= in_user_i;
      end else if (out_ready_i) begin
        data_q <= data_q >> WO;
        keep_q <= keep_q >> (WO / 8);
      end
      if (rst) out_valid_o <= 1'b0;
    end
  end

endmodule

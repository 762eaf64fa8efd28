// Stands for flue_dma's payload client: bytes that region and offset tell, as one dense packet for its pieces.
//
// Region 0xEE fails after 100 bytes of the packet (at once with `bad`), what is left of the packet is not given.
module pattern_memory import flue_pkg::*; #(
  parameter int W = 32
) (
  input  logic           clk,
  input  logic           rst,
  input  logic           slow_i,

  input  logic           req_valid_i,
  output logic           req_ready_o,
  input  dma_req_t       req_i,
  input  logic           req_last_i,

  output logic           out_valid_o,
  input  logic           out_ready_i,
  output logic [W-1:0]   out_data_o,
  output logic [W/8-1:0] out_keep_o,
  output logic           out_last_o,
  output logic           out_bad_o
);

  typedef struct packed {
    logic     last;
    dma_req_t req;
  } piece_t;

  piece_t      pieces [$];
  int          packets;                   // whole ones among them
  int          at, given;                 // bytes of the first piece, of the packet
  logic [31:0] lfsr_q;

  always_ff @(posedge clk) begin : step
    automatic bit     ended;
    automatic bit     bad;
    automatic piece_t p;
    lfsr_q <= rst ? 32'h1234_5678 : {lfsr_q[30:0], lfsr_q[31] ^ lfsr_q[21] ^ lfsr_q[1] ^ lfsr_q[0]};
    if (rst) begin
      pieces.delete();
      packets     = 0;
      at          = 0;
      given       = 0;
      out_valid_o <= 1'b0;
      req_ready_o <= 1'b0;
    end else begin
      if (req_valid_i && req_ready_o) begin
        pieces.push_back('{last: req_last_i, req: req_i});
        if (req_last_i) packets = packets + 1;
      end
      req_ready_o <= pieces.size() < 8 && (!slow_i || lfsr_q[3:0] == 4'd0);
      if (!out_valid_o || out_ready_i) begin
        out_valid_o <= 1'b0;
        if (packets > 0 && (!slow_i || lfsr_q[5:4] == 2'd0)) begin
          ended       = 1'b0;
          bad         = 1'b0;
          out_valid_o <= 1'b1;
          out_keep_o  <= '0;
          for (int j = 0; j < W / 8; j++)
            if (!ended) begin
              p = pieces[0];
              out_data_o[8*j +: 8] <= 8'(32'(p.req.region) + (p.req.offset + 32'(at)) + (p.req.offset + 32'(at)) / 251);
              out_keep_o[j] <= 1'b1;
              at    = at + 1;
              given = given + 1;
              bad   = p.req.region == 8'hEE && given == 100;
              if (at == int'(p.req.length) || bad) begin
                at = 0;
                while (bad && !pieces[0].last) void'(pieces.pop_front());
                ended = pieces[0].last;
                void'(pieces.pop_front());
                if (ended) begin
                  packets = packets - 1;
                  given   = 0;
                end
              end
            end
          out_last_o <= ended;
          out_bad_o  <= bad;
        end
      end
    end
  end

endmodule

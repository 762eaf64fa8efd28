// Several users of one write client of the DMA.
//
// Contract: users as write clients of flue_dma: a request is held until ready, its data are one packet that may come before,
//   with or after it, done_o pulses with status_i of flue_dma in the order of a user's requests.  One user's request and
//   packet go through before the next user's; users take turns.
// A user whose data are late holds the others up: offer a request when its data are at hand.
// An answer of flue_dma comes 3 cycles after its request at the earliest.
// Latency: none; one request at a time is passed on.
// Cost: a multiplexer of request and data.
module flue_dma_share
  import flue_pkg::*;
#(
  parameter int N = 3,
  parameter int W = 64,
  parameter int PENDING = 32,             // requests without answer, a power of two
  localparam int B = W / 8,
  localparam int NW = N > 1 ? $clog2(N) : 1
) (
  input  logic                clk,
  input  logic                rst,

  input  logic [N-1:0]        req_valid_i,
  output logic [N-1:0]        req_ready_o,
  input  dma_req_t [N-1:0]    req_i,
  input  logic [N-1:0]        valid_i,
  output logic [N-1:0]        ready_o,
  input  logic [N-1:0][W-1:0] data_i,
  input  logic [N-1:0][B-1:0] keep_i,
  input  logic [N-1:0]        last_i,
  output logic [N-1:0]        done_o,

  output logic                req_valid_o,      // flue_dma
  input  logic                req_ready_i,
  output dma_req_t            req_o,
  output logic                valid_o,
  input  logic                ready_i,
  output logic [W-1:0]        data_o,
  output logic [B-1:0]        keep_o,
  output logic                last_o,
  input  logic                done_i
);

  logic          busy_q;                  // user_q's write goes through
  logic          asked_q, sent_q;         // its request, its packet is through
  logic [NW-1:0] user_q, next;
  logic          any, room, owner_valid;
  logic [NW-1:0] owner;

  // The first user behind the last one that asks.
  always_comb begin
    any  = 1'b0;
    next = user_q;
    for (int i = N; i >= 1; i--) begin
      automatic int u = (int'(user_q) + i) % N;
      if (req_valid_i[u]) begin
        any  = 1'b1;
        next = NW'(u);
      end
    end
  end

  logic ask, send;
  assign ask  = req_valid_o && req_ready_i;
  assign send = valid_o && ready_i && last_o;

  always_ff @(posedge clk) begin
    if (!busy_q) begin
      busy_q  <= any && room;
      user_q  <= next;
      asked_q <= 1'b0;
      sent_q  <= 1'b0;
    end else begin
      if (ask)  asked_q <= 1'b1;
      if (send) sent_q  <= 1'b1;
      if ((asked_q || ask) && (sent_q || send)) busy_q <= 1'b0;
    end
    if (rst) begin
      busy_q <= 1'b0;
      user_q <= '0;
    end
  end

  assign req_valid_o = busy_q && !asked_q && req_valid_i[user_q];
  assign req_o       = req_i[user_q];
  assign valid_o     = busy_q && !sent_q && valid_i[user_q];
  assign data_o      = data_i[user_q];
  assign keep_o      = keep_i[user_q];
  assign last_o      = last_i[user_q];

  always_comb begin
    req_ready_o         = '0;
    ready_o             = '0;
    done_o              = '0;
    req_ready_o[user_q] = busy_q && !asked_q && req_ready_i;
    ready_o[user_q]     = busy_q && !sent_q && ready_i;
    done_o[owner]       = done_i;
  end

  // Whose answer comes next.
  flue_fifo #(.W(NW), .DEPTH(PENDING)) u_owner (
    .clk, .rst, .in_valid_i(ask), .in_ready_o(room), .in_i(user_q), .out_valid_o(owner_valid),
    .out_ready_i(done_i), .out_o(owner), .count_o()
  );

`ifdef FORMAL
  logic f_past_valid = 1'b0;
  always_ff @(posedge clk) begin
    f_past_valid <= 1'b1;
    if (!f_past_valid) assume (rst);
    if (f_past_valid && !rst && !$past(rst)) begin
      // What is offered stays, as long as the users keep to that.
      if ($past(req_valid_o && !req_ready_i) && $past(req_valid_i[user_q]) && req_valid_i[user_q]) assert (req_valid_o);
      assert ($onehot0(req_ready_o) && $onehot0(ready_o));
    end
    if (done_i && !rst) assume (owner_valid);   // flue_dma answers what it was asked
  end
`else
  logic unused;
  assign unused = owner_valid;
`endif

endmodule

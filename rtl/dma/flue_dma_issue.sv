// The one path that every DMA request takes: choose a client, check the access against the
// region table, and cut it into bursts.
//
// Contract: a client (0 to 3 read, 4 to 6 write) holds its request until req_ready_o.  Each
// round of five cycles takes one burst of one client whose can_i says that the burst's data or
// response has a place; a write that was begun is finished before the other write clients'.
// Every burst is checked as the whole request before it leaves, so none is issued in part. In
// the last cycle burst_o says so to the read (rd_burst_o) or write (wr_burst_o) side: `refused`
// if nothing may leave, else addr_o is its address (aligned to the bus word).  A burst ends at
// a multiple of BURST bytes of the offset or with the request, and regions start on pages, so
// none crosses 4 KB.  A refused piece of client 1 swallows the rest of its packet.
// Latency: 4 cycles from request to burst.  One 52-bit, one 33-bit and one 24-bit addition,
// each in a cycle of its own.
module flue_dma_issue
  import flue_pkg::*;
#(
  parameter int W       = 64,     // bus, bits
  parameter int REGIONS = 16,
  localparam int B      = W / 8,
  localparam int L      = $clog2(B),
  localparam int IDX_W  = REGIONS > 1 ? $clog2(REGIONS) : 1,
  localparam int BURST  = 16 * B > 256 ? 16 * B : 256,
  localparam int BB     = $clog2(BURST),
  localparam int N      = 7
) (
  input  logic             clk,
  input  logic             rst,

  input  logic [N-1:0]     req_valid_i,
  output logic [N-1:0]     req_ready_o,
  input  dma_req_t [N-1:0] req_i,
  input  logic             req_last_i,     // of client 1
  input  logic [N-1:0]     can_i,          // stays high until the client's next burst

  output logic             look_valid_o,   // region table: answers in the next cycle
  output logic [IDX_W-1:0] look_o,
  input  logic [63:12]     entry_base_i,
  input  logic [31:0]      entry_size_i,
  input  logic             entry_valid_i,
  input  logic             entry_writable_i,

  output logic             rd_burst_o,     // one cycle; what follows belongs to it
  output logic             wr_burst_o,
  output logic [N-1:0]     client_o,       // one-hot
  output logic             refused_o,
  output logic             first_o,        // first burst of the request
  output logic             final_o,        // last burst of the request, or a refusal
  output logic             packet_last_o,  // client 1: the burst ends the packet
  output logic [BB-L-1:0]  beats_o,        // less 1
  output logic [L-1:0]     start_o,        // lane of its first byte
  output logic [L-1:0]     end_o,          // lane of its last byte
  output logic [63:L]      addr_o,

  output logic             busy_o
);

  localparam int K_W = LEN_W - BB + 1;     // bursts of one request
  localparam int M_W = 14 - BB;            // of client 3

  typedef enum logic [2:0] {S_PICK, S_LOAD, S_ADD, S_CHECK, S_ISSUE} state_e;
  state_e state_q;

  // ---- whose turn ---- Reads and writes alternate; slots and the management processor go
  // before payload because they ask little and seldom, and so do events, because the bus takes
  // longer for a burst than this path.
  logic [N-1:0] want, pick;
  logic [N-1:0] sel_q;                     // one-hot
  logic         write_next_q;
  logic         pick_write;
  logic         drop_q;                    // the rest of client 1's packet is not read
  logic         held_q;                    // a write is between two bursts,
  logic         held_mgmt_q;               // that of client 6, else of client 4

  assign want       = req_valid_i & can_i &
                      ~{held_q && !held_mgmt_q, held_q, held_q && held_mgmt_q, 2'b0, drop_q, 1'b0};
  assign pick_write = |want[6:4] && (write_next_q || !(|want[3:0]));

  assign pick[0] = !pick_write && want[0];
  assign pick[2] = !pick_write && want[2] && !want[0];
  assign pick[3] = !pick_write && want[3] && !want[0] && !want[2];
  assign pick[1] = !pick_write && want[1] && !want[0] && !want[2] && !want[3];
  assign pick[5] = pick_write && want[5];
  assign pick[6] = pick_write && want[6] && !want[5];
  assign pick[4] = pick_write && !want[5] && !want[6];

  // ---- the request ----
  dma_req_t         req, req_q;
  logic [K_W-1:0]   rd_done_q, wr_done_q;  // bursts of the current request already issued:
  logic [M_W-1:0]   mg_done_q;             // client 1, any write, client 3
  logic [K_W-1:0]   done_q, done_inc;      // of the chosen client
  logic [31:BB]     block_q;               // offset of the burst, in units of BURST
  logic             write_q, check_ok;
  logic [31:0]      last;
  logic [BB-1:0]    stop_q;                // last byte of the request, within its block
  logic             is_final_q, refused_q, first_q;

  // Slot and event requests are aligned, the processor's are words and at most a page; masking
  // what is constant keeps the selection small.
  always_comb begin
    req = '0;
    for (int c = 0; c < N; c++)
      if (sel_q[c]) begin
        req.region = req.region | req_i[c].region;
        if (c == 1 || c == 4) begin
          req.offset = req.offset | req_i[c].offset;
          req.length = req.length | req_i[c].length;
        end else if (c == 3 || c == 6) begin
          req.offset[31:2] = req.offset[31:2] | req_i[c].offset[31:2];
          req.length[12:2] = req.length[12:2] | req_i[c].length[12:2];
        end else begin
          req.offset[31:4] = req.offset[31:4] | req_i[c].offset[31:4];
          if (c == 5) req.length[4]   = 1'b1;
          else        req.length[6:4] = req.length[6:4] | req_i[c].length[6:4];
        end
      end
  end

  assign write_q  = |sel_q[6:4];
  assign done_inc = done_q + 1'b1;

  assign look_o       = req_q.region[IDX_W-1:0];
  assign look_valid_o = state_q == S_ADD;

  flue_region_check #(.REGIONS(REGIONS)) u_check (
    .clk,
    .req_i           (req_q),
    .write_i         (write_q),
    .entry_valid_i,
    .entry_writable_i,
    .entry_size_i,
    .ok_o            (check_ok),
    .last_o          (last)
  );

  always_ff @(posedge clk) begin
    if (state_q == S_PICK) sel_q <= pick;

    req_q <= state_q == S_LOAD ? req : req_q;
    if (state_q == S_LOAD)
      done_q <= (sel_q[1] ? rd_done_q : '0) | (sel_q[3] ? K_W'(mg_done_q) : '0) |
                (sel_q[4] || sel_q[6] ? wr_done_q : '0);

    block_q <= req_q.offset[31:BB] + (32-BB)'(done_q);
    first_q <= done_q == '0;

    if (state_q == S_CHECK) begin
      addr_o[63:BB] <= {entry_base_i, (12-BB)'(0)} + (64-BB)'(block_q);
      is_final_q    <= block_q == last[31:BB];
      refused_q     <= !check_ok;
      stop_q        <= last[BB-1:0];
    end
  end

  // ---- the burst ----
  logic          issue;
  logic [BB-1:0] from, to;                 // within the block

  assign issue         = state_q == S_ISSUE;
  assign client_o      = sel_q;
  assign rd_burst_o    = issue && !write_q;
  assign wr_burst_o    = issue && write_q;
  assign refused_o     = refused_q;
  assign first_o       = first_q;
  assign final_o       = is_final_q || refused_q;
  assign packet_last_o = final_o && (req_last_i || refused_q);
  assign from          = first_q ? req_q.offset[BB-1:0] : '0;
  assign to            = is_final_q ? stop_q : '1;
  assign beats_o       = to[BB-1:L] - from[BB-1:L];
  assign start_o       = from[L-1:0];
  assign end_o         = to[L-1:0];
  assign addr_o[BB-1:L] = from[BB-1:L];

  always_comb begin
    req_ready_o = issue && final_o ? sel_q : '0;
    if (drop_q) req_ready_o[1] = 1'b1;
  end

  always_ff @(posedge clk) begin
    case (state_q)
      S_PICK:  if (|want) state_q <= S_LOAD;
      S_LOAD:  state_q <= S_ADD;
      S_ADD:   state_q <= S_CHECK;
      S_CHECK: state_q <= S_ISSUE;
      default: state_q <= S_PICK;
    endcase

    if (issue) begin
      write_next_q <= !write_q;
      if (sel_q[1]) rd_done_q <= final_o ? '0 : done_inc;
      if (sel_q[3]) mg_done_q <= final_o ? '0 : M_W'(done_inc);
      if (sel_q[4] || sel_q[6]) begin
        wr_done_q   <= final_o ? '0 : done_inc;
        held_q      <= !final_o;
        held_mgmt_q <= sel_q[6];
      end
      if (sel_q[1]) drop_q    <= refused_q && !req_last_i;
    end
    if (drop_q && req_valid_i[1] && req_last_i) drop_q <= 1'b0;

    if (rst) begin
      state_q      <= S_PICK;
      write_next_q <= 1'b0;
      rd_done_q    <= '0;
      wr_done_q    <= '0;
      mg_done_q    <= '0;
      held_q       <= 1'b0;
      drop_q       <= 1'b0;
    end
  end

  assign busy_o = state_q != S_PICK || held_q || rd_done_q != '0 || mg_done_q != '0;

`ifdef FORMAL
  logic         f_past_valid = 1'b0;
  logic [63:12] f_base;                    // of the region when the burst was checked
  logic [31:0]  f_size;
  logic         f_may;                     // valid, and writable for a write

  always_ff @(posedge clk) begin
    f_past_valid <= 1'b1;
    if (state_q == S_CHECK) begin
      f_base <= entry_base_i;
      f_size <= entry_size_i;
      f_may  <= entry_valid_i && (entry_writable_i || !write_q);
    end
  end

  // Of a request of which `done` bursts were issued, at least one is left.
  function automatic logic f_left(input logic [31:0] offset, input logic [LEN_W-1:0] length,
                                  input logic [K_W-1:0] done);
    logic [32:0] l;
    l = {1'b0, offset} + 33'(length) - 1'b1;
    return done == '0 || (length != '0 && !l[32] && 33'(done) <= (l >> BB) - 33'(offset >> BB));
  endfunction

  logic [63:0] f_from, f_to;               // first and last byte the burst may touch, as addresses
  logic [63:0] f_end;                      // last byte of its last word

  assign f_from = {f_base, 12'b0} + {32'b0, block_q, from};
  assign f_to   = {f_base, 12'b0} + {32'b0, block_q, to};
  assign f_end  = {addr_o, L'(0)} + 64'({beats_o, L'(0)}) + 64'(B - 1);

  always_ff @(posedge clk) begin
    if (!f_past_valid) assume (rst);
    if (f_past_valid && !rst && !$past(rst))
      for (int c = 0; c < N; c++)
        if ($past(req_valid_i[c] && !req_ready_o[c])) begin
          assume (req_valid_i[c]);
          assume (req_i[c] == $past(req_i[c]));
        end
    // The processor moves words, at most a page; a request without bytes is refused.
    if (!rst)
      for (int c = 3; c < N; c += 3)
        if (req_valid_i[c]) begin
          assume (req_i[c].offset[1:0] == '0 && req_i[c].length[1:0] == '0);
          assume (req_i[c].length <= LEN_W'(4096));
        end

    if (f_past_valid && !rst) begin
      assert (rd_done_q == '0 || (req_valid_i[1] && !drop_q));
      assert (wr_done_q == '0 || (held_q && req_valid_i[held_mgmt_q ? 6 : 4]));
      assert (mg_done_q == '0 || req_valid_i[3]);
      assert (f_left(req_i[1].offset, req_i[1].length, rd_done_q));
      assert (f_left(req_i[3].offset, req_i[3].length, K_W'(mg_done_q)));
      if (held_q)
        assert (f_left(held_mgmt_q ? req_i[6].offset : req_i[4].offset,
                       held_mgmt_q ? req_i[6].length : req_i[4].length, wr_done_q));
      else
        assert (wr_done_q == '0);
      assert (!(rd_burst_o && wr_burst_o));
      assert ((req_ready_o & ~req_valid_i & ~7'b0000010) == '0);
      if (issue && !refused_q) begin
        assert (f_may);
        assert (32'(req_q.region) < 32'(REGIONS));
        // not empty, inside the request and so inside the region
        assert (from <= to);
        assert ({block_q, from} >= req_q.offset);
        assert ({1'b0, block_q, to} < {1'b0, req_q.offset} + 33'(req_q.length));
        assert ({block_q, to} < f_size);
        // the words of the bus are those that hold these bytes
        assert ({addr_o, L'(0)} == {f_from[63:L], L'(0)});
        assert (f_end == {f_to[63:L], {L{1'b1}}});
        // and they are in one page
        assert (f_end[63:12] == addr_o[63:12]);
      end
      cover (issue && !refused_q && is_final_q && rd_done_q == K_W'(2));
      cover (issue && !refused_q && is_final_q && mg_done_q == M_W'(2));
      cover (issue && refused_q && write_q);
      cover (drop_q);
    end
  end
`endif

endmodule

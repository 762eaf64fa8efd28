// A turn that sends: what follows for the record (docs/tcp.md 3.4).
//
// Contract: the inputs stand for four cycles, in the fourth the answer is there.  choice_i.len is rounded.
// TCP-050, TCP-123, TCP-125, TCP-200, TCP-202.
module flue_tcp_apply
  import flue_tcp_pkg::*;
  import flue_tcp_step_pkg::*;
(
  input  logic        clk,
  input  tcp_rec_t    rec_i,
  input  tcp_way_t    way_i,
  input  tcp_choice_t choice_i,
  input  logic [31:0] now_i,

  output tcp_rec_t    rec_o,
  output tcp_way_t    way_o,
  output logic [16:0] len_o,                // payload
  output logic        fin_o,
  output logic        psh_o,
  output logic        resend_o
);

  logic        fresh;
  logic [31:0] reach_q, behind_q, stop_q;   // end of choice_i, and with a FIN; what it is
  logic        room_q, all_q, above_q, next_q, fin_q, psh_q, timed_q, covered_q;  // covered: the timed byte is sent again

  assign fresh = choice_i.reason == R_NEW_DATA;

  always_ff @(posedge clk) begin
    // first cycle
    reach_q   <= choice_i.left + 32'(choice_i.len);
    room_q    <= rec_i.fin_marked && seq_lt(rec_i.send_limit, rec_i.snd_una + rec_i.snd_wnd);
    timed_q   <= seq_le(choice_i.left, rec_i.timed_seq);
    // second cycle
    behind_q  <= reach_q + 32'd1;
    all_q     <= reach_q == rec_i.send_limit;
    above_q   <= rec_i.fin_sent && seq_lt(rec_i.send_limit, reach_q);
    next_q    <= rec_i.fin_sent && reach_q == rec_i.send_limit + 32'd1;
    covered_q <= timed_q && seq_lt(rec_i.timed_seq, reach_q);
    // third cycle
    fin_q     <= fresh ? all_q && room_q : above_q;
    stop_q    <= fresh && all_q && room_q ? behind_q : reach_q;
    psh_q     <= all_q || (!fresh && next_q);
  end

  assign fin_o    = fin_q;
  assign psh_o    = psh_q;
  assign resend_o = !fresh;
  assign len_o    = fresh ? choice_i.len : choice_i.len - 17'(fin_q);

  always_comb begin
    rec_o = rec_i;
    way_o = way_i;

    way_o.reason = choice_i.reason;
    way_o.data   = 1'b1;
    way_o.turn   = 1'b0;
    rec_o.turns  = rec_i.turns + 2'd1;
    if (rec_i.turns == '0) rec_o.turn0 = choice_i.left;
    else                   rec_o.turn1 = choice_i.left;

    if (fresh) begin
      rec_o.snd_max      = stop_q;
      rec_o.sws_override = 1'b0;
      if (!rec_i.timing) begin
        rec_o.timing    = 1'b1;
        rec_o.timed_seq = choice_i.left;
        rec_o.timed_at  = now_i;
      end
      if (fin_q) begin
        rec_o.fin_sent = 1'b1;
        unique case (rec_i.state)
          TCP_ESTABLISHED: rec_o.state = TCP_FIN_WAIT1;
          TCP_CLOSE_WAIT:  rec_o.state = TCP_LAST_ACK;
          default: ;
        endcase
      end
    end else begin
      if (covered_q) rec_o.timing = 1'b0;
      if (choice_i.reason == R_RESCUE) begin
        rec_o.rescued = 1'b1;
      end else begin
        rec_o.high_rxt = stop_q;
        if (choice_i.lost) rec_o.force_rxt = 1'b0;
      end
    end
  end

endmodule

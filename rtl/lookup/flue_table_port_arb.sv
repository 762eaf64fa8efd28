// Shares the tables' word port between the management processor and the TCP engine's header builder.
//
// Contract: each side keeps valid and what it asks until its ready, which comes with data and bad of that access
//   (flue_tables).  Where both ask, they take turns, so that neither waits for more than one access of the other.
//   The engine's side only reads.
// Latency: none.  Cost: 107 COMB.
module flue_table_port_arb (
  input  logic        clk,
  input  logic        rst,

  input  logic        cpu_valid_i,
  output logic        cpu_ready_o,
  input  logic        cpu_write_i,
  input  logic [1:0]  cpu_table_i,
  input  logic [15:0] cpu_row_i,
  input  logic [5:0]  cpu_word_i,
  input  logic [31:0] cpu_wdata_i,

  input  logic        tcp_valid_i,
  output logic        tcp_ready_o,
  input  logic [1:0]  tcp_table_i,
  input  logic [15:0] tcp_row_i,
  input  logic [5:0]  tcp_word_i,

  output logic        tp_valid_o,         // data and bad go straight from the tables to both sides
  input  logic        tp_ready_i,
  output logic        tp_write_o,
  output logic [1:0]  tp_table_o,
  output logic [15:0] tp_row_o,
  output logic [5:0]  tp_word_o,
  output logic [31:0] tp_wdata_o
);

  logic open_q;                           // an access has begun and waits for its answer
  logic turn_q;                           // whose: the engine's, else the processor's; closed: who is preferred
  logic tcp;

  assign tcp = open_q ? turn_q : tcp_valid_i && (turn_q || !cpu_valid_i);

  assign tp_valid_o  = tcp ? tcp_valid_i : cpu_valid_i;
  assign tp_write_o  = !tcp && cpu_write_i;
  assign tp_table_o  = tcp ? tcp_table_i : cpu_table_i;
  assign tp_row_o    = tcp ? tcp_row_i : cpu_row_i;
  assign tp_word_o   = tcp ? tcp_word_i : cpu_word_i;
  assign tp_wdata_o  = cpu_wdata_i;
  assign cpu_ready_o = tp_ready_i && !tcp;
  assign tcp_ready_o = tp_ready_i && tcp;

  always_ff @(posedge clk) begin
    if (tp_valid_o) begin
      open_q <= !tp_ready_i;
      turn_q <= tp_ready_i ? !tcp : tcp;
    end
    if (rst) begin
      open_q <= 1'b0;
      turn_q <= 1'b0;
    end
  end

`ifdef FORMAL
  logic f_past;
  initial f_past = 1'b0;
  always_ff @(posedge clk) f_past <= 1'b1;

  logic [1:0] f_others_q [2];             // accesses of the other side that ended while this one waits

  always_ff @(posedge clk) begin
    f_others_q[0] <= !cpu_valid_i || cpu_ready_o ? '0 : f_others_q[0] + 2'(tcp_ready_o);
    f_others_q[1] <= !tcp_valid_i || tcp_ready_o ? '0 : f_others_q[1] + 2'(cpu_ready_o);
    if (rst) begin
      f_others_q[0] <= '0;
      f_others_q[1] <= '0;
    end
    if (!f_past) assume (rst);
    if (f_past && !rst && !$past(rst)) begin
      // Environment: a side keeps what it asks; the tables answer what is asked only.
      if ($past(cpu_valid_i && !cpu_ready_o))
        assume (cpu_valid_i && $stable({cpu_write_i, cpu_table_i, cpu_row_i, cpu_word_i, cpu_wdata_i}));
      if ($past(tcp_valid_i && !tcp_ready_o)) assume (tcp_valid_i && $stable({tcp_table_i, tcp_row_i, tcp_word_i}));
      // An access that was begun is not exchanged for the other side's.
      if ($past(tp_valid_o && !tp_ready_i))
        assert (tp_valid_o && $stable({tp_write_o, tp_table_o, tp_row_o, tp_word_o}));
    end
    if (f_past && !rst) begin
      assume (!tp_ready_i || (open_q && tp_valid_o));
      assert (f_others_q[0] <= 2'd1 && f_others_q[1] <= 2'd1);
      assert (f_others_q[0] == '0 || (open_q ? !turn_q : 1'b1) || !cpu_valid_i);
      if (f_others_q[0] != '0 && cpu_valid_i) assert (!turn_q);
      if (f_others_q[1] != '0 && tcp_valid_i) assert (turn_q);
      assert (!(cpu_ready_o && tcp_ready_o));
      cover (f_others_q[0] == 2'd1 && cpu_ready_o);
      cover (f_others_q[1] == 2'd1 && tcp_ready_o);
    end
  end
`endif

endmodule

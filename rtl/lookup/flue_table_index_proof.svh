// Proof that the index neither loses, doubles nor keeps an entry: included in flue_table_index under `ifdef PROVE.
//
// One key is followed, any one: the ghost, of any kind and version.  Beside the index stands a list with a single line:
// whether the ghost is in (f_has) and in which row.  What is shown, whatever commands, wire finds, rows of other keys, hashes, seeds and
// failing reads come in whatever order:
//   not lost     a find of the ghost, from the wire or by command, in every step between the answer to its insertion and the
//                answer to its deletion, answers its row; or a row has failed its check during this find and it says so;
//   not doubled  an insertion of another row with the same key, or of the same row, answers EXISTS; one slot of the index in use
//                holds the ghost, two between the steps of a move only, with the same row;
//   not stale    a find of the ghost answers no row after the answer to its deletion or to CLEAR, and a find of another
//                key never answers the ghost's row;
//   answers      DELETE is OK just when the row is in, and RESEED keeps the ghost whether it ends OK or FULL (a row that
//                cannot be read is left out, and then the answer is CHECK).
// The invariants are inductive, so that two steps prove them for runs of any length.  Sizes: 4 rows of each kind, 8 slots in
// each half, so that buckets are full and entries are moved.
//
// It can fail.  Each of these was done to the index, made it fail, and was taken back: moving an entry whose row cannot be read; moving it
// within its way; RESEED that passes over slots, or does not change halves, or comes back with the wrong seed; a failing word that counts
// as equal; candidates that stay tried from the find before; DELETE of either kind; an insertion that does not look first; a wire find that
// changes the result of a command; a version word that is not checked (the last two were faults it found).
//
// Assumed, and where that is kept: the hash is a function of key and seed (flue_table_hash; here any function); rows answer what is
// in them (flue_table_rows); a request stays until its answer; and the key of a row stays while the row is in the index or its command runs
// (docs/control-plane.md).  For that last one the proof looks at the slots: that no slot is left when the list says so is what is
// proved for the key the row had.

localparam int F_ROWS  = 1 << ROW_W;
localparam int F_SLOTS = 4 << BUCKET_W;     // of a half: {way, bucket, slot}

typedef struct packed {
  logic             valid;
  logic             conn;
  logic [ROW_W-1:0] row;
  logic [5:0]       word;
} f_ask_t;

// ---- the ghost, and what is free ----
logic                        f_kind;        // a connection
logic [31:0]                 f_key [9];
logic [F_ROWS-1:0]           f_same, f_any_same;      // rows of its kind that hold its key
logic [3:0]                  f_other [F_ROWS], f_any_other [F_ROWS];   // where the key of another row differs
logic                        f_any_seek;
logic [3:0]                  f_any_differs;
logic [2*BUCKET_W+TAG_W-1:0] f_any_hash;
logic                        f_v6;
assign f_v6 = f_key[0][ROW_PATH_KEY_IPV6_LSB];

function automatic logic f_in_key(input logic [3:0] pos, input logic conn, input logic ipv6);
  return conn ? pos < 4'd2 : ipv6 ? pos < 4'd9 : pos inside {4'd0, 4'd1, 4'd5};
endfunction
function automatic logic [3:0] f_rank(input logic [3:0] pos);  // position 0 comes last
  return pos == '0 ? 4'd9 : pos;
endfunction
function automatic logic f_ghost(input slot_t s);
  return s.valid && s.conn == f_kind && f_same[s.row];
endfunction
function automatic slot_t f_read(input logic h, input int i);
  return i[0] ? f_mem[{h, (BUCKET_W+1)'(i >> 1)}].s1 : f_mem[{h, (BUCKET_W+1)'(i >> 1)}].s0;
endfunction
function automatic logic f_at_home(input slot_t s, input int i, input logic [2*BUCKET_W+TAG_W-1:0] x);
  return s.tag == x[2*BUCKET_W +: TAG_W] &&
         BUCKET_W'(i >> 1) == (i >= F_SLOTS / 2 ? x[BUCKET_W +: BUCKET_W] : x[0 +: BUCKET_W]);
endfunction

// ---- the list ----
logic             f_has_q, f_has, f_put, f_cut;
logic [ROW_W-1:0] f_row_q, f_row;
logic             f_skip;                   // RESEED could not read the ghost's row
logic             f_insert, f_delete, f_find, f_mine;

assign f_insert = cmd_op_i inside {TOP_INSERT_PATH, TOP_INSERT_CONN};
assign f_delete = cmd_op_i inside {TOP_DELETE_PATH, TOP_DELETE_CONN};
assign f_find   = cmd_op_i inside {TOP_FIND_PATH, TOP_FIND_CONN};
assign f_mine   = f_kind == (cmd_op_i inside {TOP_FIND_CONN, TOP_INSERT_CONN, TOP_DELETE_CONN});
assign f_put    = cmd_done_o && cmd_result_o == TR_OK && f_insert && f_mine && f_same[cmd_row_i];
assign f_cut    = cmd_done_o && ((cmd_result_o == TR_OK && f_delete && f_mine && f_row_q == cmd_row_i) ||
                                 cmd_op_i == TOP_CLEAR || (cmd_op_i == TOP_RESEED && cmd_result_o == TR_CHECK && f_skip));
assign f_has    = f_put || (f_has_q && !f_cut);
assign f_row    = f_put ? cmd_row_i : f_row_q;

// ---- the find or load under way ----
logic             f_seek;                   // its key is the ghost's
logic [3:0]       f_differs;                // else where it differs
logic             f_saw_bad;                // a row failed since it began
logic             f_pending;                // the whole key has entered the hash
f_ask_t           f_ask1, f_ask2;

// ---- hash of the ghost under the seed in the hash unit, and under that of the index in use ----
logic [2*BUCKET_W+TAG_W-1:0] f_hash, f_hash_use, f_hash_out;
logic [61:0]                 f_seed, f_seed_use, f_seed_in;
assign f_hash_out = hash[2*BUCKET_W+TAG_W-1:0];
assign f_seed_in  = {seed_k, seed_a};

// ---- what the slots hold ----
logic [F_SLOTS-1:0] f_used, f_fresh, f_home_use, f_home_new, f_row_use, f_row_new, f_passed, f_is_victim, f_used1, f_fresh1;
logic [F_ROWS-1:0]  f_in_use, f_in_new;
always_comb begin
  f_in_use = '0;
  f_in_new = '0;
  for (int i = 0; i < F_SLOTS; i++) begin
    f_used[i]       = f_ghost(f_read(half_q, i));
    f_fresh[i]       = f_ghost(f_read(!half_q, i));
    f_home_use[i]  = f_at_home(f_read(half_q, i), i, f_hash_use);
    f_home_new[i]  = f_at_home(f_read(!half_q, i), i, f_hash);
    f_row_use[i]   = f_read(half_q, i).row == f_row;
    f_row_new[i]   = f_read(!half_q, i).row == f_row;
    f_passed[i]    = state_q == S_REBUILT || i < 32'(scan_q);
    f_is_victim[i] = state_q == S_OVER && i == 32'({victim_q[1], victim_q[1] ? own1_q : own0_q, victim_q[0]});
    if (f_read(half_q, i).valid && f_read(half_q, i).conn == f_kind)   f_in_use[f_read(half_q, i).row]  = 1'b1;
    if (f_read(!half_q, i).valid && f_read(!half_q, i).conn == f_kind) f_in_new[f_read(!half_q, i).row] = 1'b1;
  end
  f_used1 = rebuild_q ? f_used : f_used & ~(f_ghost(mover_q) ? f_is_victim : '0);   // without what is being moved away
  f_fresh1 = f_fresh & ~(f_ghost(mover_q) ? f_is_victim : '0);
end

logic [3:0] f_own_taken;                    // the slots of the entry that is to be inserted
assign f_own_taken = {f_mem[{half, 1'b1, own1_q}].s1.valid, f_mem[{half, 1'b1, own1_q}].s0.valid,
                      f_mem[{half, 1'b0, own0_q}].s1.valid, f_mem[{half, 1'b0, own0_q}].s0.valid};

logic f_clearing, f_filling, f_own, f_own_scan, f_searching, f_loading;
slot_t f_scanned;
assign f_clearing  = !live_q || (!rebuild_q && state_q inside {S_WIPE, S_SEED});
assign f_filling   = rebuild_q && !undo_q && state_q != S_WIPE;
assign f_loading   = state_q inside {S_LOAD, S_HASH, S_WAY1, S_WAY2};
assign f_searching = state_q inside {S_PICK, S_ROW, S_ROW1, S_ROW2, S_VERDICT};
// own_q is what is to be inserted
assign f_own       = rebuild_q ? state_q inside {S_PLACE, S_VICTIM0, S_VICTIM1, S_VICTIM2, S_MOVE, S_OVER} ||
                                 (purpose_q == FOR_MOVE && (f_loading || state_q inside {S_VERSION, S_VERSION1, S_VERSION2}))
                               : moving_q || state_q == S_PLACE;
// RESEED: row_q still is the slot's
assign f_own_scan  = rebuild_q && purpose_q == FOR_INSERT && (f_loading || state_q inside {S_VERSION, S_VERSION1, S_VERSION2});
assign f_scanned   = scan_q[0] ? f_mem[{half_q, scan_q[BUCKET_W+1:1]}].s1 : f_mem[{half_q, scan_q[BUCKET_W+1:1]}].s0;

function automatic logic f_ahead(input logic [3:0] pos);   // still to be compared
  return (state_q == S_ROW && !head_q && f_rank(pos) >= f_rank(pos_q)) || (cmp_q[1] && !head1_q && pos1_q == pos) ||
         (cmp_q[2] && !head2_q && pos2_q == pos);
endfunction
function automatic logic f_coming(input logic [3:0] pos);  // still to be loaded
  return (state_q == S_LOAD && f_rank(pos) >= f_rank(pos_q)) ||
         (from_row && ((load_valid_q[1] && pos1_q == pos) || (load_valid_q[2] && pos2_q == pos)));
endfunction
function automatic logic [5:0] f_word(input logic [3:0] pos);
  return (conn_q ? 6'(ROW_CONNECTION_KEY) : 6'(ROW_PATH_KEY)) + 6'(pos);
endfunction

always_ff @(posedge clk) begin
  f_kind <= f_kind;
  for (int i = 0; i < 9; i++) f_key[i] <= f_key[i];
  f_ask1 <= '{valid: row_valid_o, conn: row_conn_o, row: row_o, word: row_word_o};
  f_ask2 <= f_ask1;

  // Keys of rows come and go while their rows are not in the index.
  for (int r = 0; r < F_ROWS; r++)
    if (!f_in_use[r] && !((cmd_valid_i || active_q) && cmd_row_i == ROW_W'(r))) begin
      f_same[r]  <= f_any_same[r];
      f_other[r] <= f_any_other[r];
    end

  f_has_q <= f_has && !rst;
  f_row_q <= f_row;
  if (rst || state_q == S_IDLE)                                          f_skip <= 1'b0;
  else if (state_q == S_WAY2 && f_own_scan && bad_q && f_seek) f_skip <= 1'b1;

  if (row_bad_i) f_saw_bad <= 1'b1;
  if (load_now && load_end) f_pending <= 1'b1;
  else if (hash_done)       f_pending <= 1'b0;
  if (rst) f_pending <= 1'b0;
  unique case (state_q)
    S_IDLE: begin
      f_saw_bad <= 1'b0;
      f_seek    <= take_wire || f_find ? f_any_seek : f_insert && f_mine && f_same[cmd_row_i];
      f_differs <= take_wire || f_find ? f_any_differs : f_other[cmd_row_i];
      if (take_wire ? f_conn_i != f_kind : !f_mine) f_seek <= 1'b0;
    end
    S_SCAN3: begin
      f_seek    <= f_ghost(scanned);
      f_differs <= f_other[scanned.row];
    end
    S_VICTIM2: begin
      f_seek    <= f_ghost(victim_q[0] ? b0_q.s1 : b0_q.s0);
      f_differs <= f_other[victim_q[0] ? b0_q.s1.row : b0_q.s0.row];
    end
    default: ;
  endcase

  if (seed_start) begin
    f_seed <= f_seed_in;
    f_hash <= live_q && f_seed_in == f_seed_use ? f_hash_use : f_any_hash;
  end
  if ((state_q == S_SEED && started_q && !seeding && !rebuild_q) || state_q == S_REBUILT) begin
    f_hash_use <= f_hash;
    f_seed_use <= f_seed;
  end

  // ---- what is around the index ----
  if (f_past) begin
    for (int r = 0; r < F_ROWS; r++) assume (f_in_key(f_other[r], f_kind, f_v6));
    if (!rst && !f_reset) begin
      if ($past(cmd_valid_i && !cmd_done_o))
        assume (cmd_valid_i && $stable(cmd_op_i) && $stable(cmd_row_i) && $stable(seed_k_i) && $stable(seed_a_i));
      assume (!hash_done || f_pending || state_q == S_SEED);
      assume (!seeding || state_q == S_SEED);
    end
    if (hash_done && f_seek && !(from_row && bad_q)) assume (f_hash_out == f_hash);
    // Rows answer what is in them.
    if (f_ask2.valid && f_ask2.conn == f_kind && !row_bad_i)
      for (int p = 0; p < 9; p++)
        if (f_ask2.word == (f_kind ? 6'(ROW_CONNECTION_KEY) : 6'(ROW_PATH_KEY)) + 6'(p) && f_in_key(4'(p), f_kind, 1'b1)) begin
          if (f_same[f_ask2.row])                              assume (row_data_i == f_key[p]);
          else if (f_other[f_ask2.row] == 4'(p))               assume (row_data_i != f_key[p]);
          else if (f_other[f_ask2.row] != '0 && p == 0)        assume (row_data_i == f_key[0]);
        end
    // So do the wire and the commands.
    if (take_wire && f_conn_i == f_kind && !f_kind && state_q == S_IDLE && (f_any_seek || f_any_differs != '0))
      assume (f_ipv6_i == f_v6);
    if (state_q == S_IDLE) assume (f_in_key(f_any_differs, f_kind, f_v6));
    if (!from_row && conn_q == f_kind && state_q inside {S_VERSION, S_LOAD}) begin
      if (f_seek)                                       assume (key_word_i == f_key[key_pos_o]);
      else if (key_pos_o == f_differs)                  assume (key_word_i != f_key[key_pos_o]);
      else if (key_pos_o == '0 && f_differs != '0)      assume (key_word_i == f_key[0]);
    end
  end

  // ---- what is promised ----
  if (f_past && !rst && !f_reset) begin
    if (f_done_o && live_q && conn_q == f_kind) begin
      if (f_seek) begin
        assert (!f_found_o || (f_has && f_row_o == f_row));
        if (f_has) assert (f_found_o || (f_bad_o && f_saw_bad));
      end else if (f_found_o) begin
        assert (!f_same[f_row_o]);
      end
    end
    if (f_done_o && !live_q) assert (!f_found_o);
    // FULL is answered only when no slot of its buckets is free.
    if (cmd_done_o && f_insert && live_q && cmd_result_o == TR_FULL) assert (&f_own_taken);
    if (cmd_done_o && f_mine && live_q) begin
      if (f_find && f_seek) begin
        if (cmd_result_o == TR_OK) assert (f_has && cmd_found_o == f_row);
        else                       assert (!f_has || (cmd_result_o == TR_CHECK && f_saw_bad));
      end
      if (f_find && !f_seek && cmd_result_o == TR_OK) assert (!f_same[cmd_found_o]);
      if (f_insert && f_same[cmd_row_i]) begin
        if (cmd_result_o == TR_EXISTS)  assert (f_has_q && cmd_found_o == f_row_q);
        else if (f_has_q)               assert (cmd_result_o == TR_CHECK);
      end
      if (f_delete && f_has_q && f_row_q == cmd_row_i) assert (cmd_result_o == TR_OK);
      if (f_insert && cmd_result_o == TR_CHECK) assert (f_saw_bad);
    end
  end

  // ---- why: the slots ----
  if (f_past && !rst) begin
    assert (!f_has || live_q);
    if (!f_clearing) begin
      assert (f_has == (f_used1 != '0));
      assert ((f_used1 & (f_used1 - 1'b1)) == '0);
      assert ((f_used & ~f_home_use) == '0);
      assert ((f_used & ~f_row_use) == '0);
      assert ({old_k_q, old_a_q} == f_seed_use);
      if (!rebuild_q) assert (f_seed == f_seed_use && f_hash == f_hash_use);
    end
    if (state_q == S_WIPE)
      for (int i = 0; i < F_SLOTS; i++) if (i < 32'(scan_q)) assert (!f_read(half, i).valid);
    if (state_q inside {S_WIPE, S_SEED} && !undo_q) assert (!scan_q[0]);
    if (state_q == S_SEED && !undo_q) begin
      assert (scan_q == '0);
      for (int i = 0; i < F_SLOTS; i++) assert (!f_read(half, i).valid);
    end
    if (undo_q) assert (rebuild_q && state_q == S_SEED);
    if (rebuild_q) assert (live_q);
    if (state_q == S_SEED && started_q) begin
      assert (f_seed == f_seed_in);
      if (undo_q) assert (f_seed == f_seed_use && f_hash == f_hash_use);
    end
    if (f_filling) begin
      if (state_q != S_SEED) assert (f_seed == f_seed_in);
      assert (f_skip == 1'b0 || (f_has && (f_used & f_passed) != '0));
      assert ((f_fresh1 != '0) == ((f_used & f_passed) != '0 && !f_skip));
      assert ((f_fresh1 & (f_fresh1 - 1'b1)) == '0);
      assert ((f_fresh & ~f_row_new) == '0);
      assert ((f_in_new & ~f_in_use) == '0);
      if (state_q != S_SEED) assert ((f_fresh & ~f_home_new) == '0);
    end
    if (f_skip)           assert (rebuild_q ? skipped_q : cmd_done_o);
    if (state_q == S_WIPE) assert (!f_skip);
    if (f_skip && !rebuild_q) assert (cmd_op_i == TOP_RESEED);

    // the command
    if (!active_q) assert (!moving_q && !rebuild_q);
    if (active_q) assert (cmd_valid_i && !cmd_done_o);
    if (active_q && f_delete) begin
      assert (!moving_q && cmd_result_o == TR_MISS && !scan_q[0]);
      assert (state_q inside {S_IDLE, S_SCAN0, S_SCAN1, S_SCAN2, S_SCAN3} || purpose_q == FOR_WIRE);
      for (int i = 0; i < F_SLOTS; i++)
        if (f_used[i] && f_mine && f_row == cmd_row_i) assert (i >= 32'(scan_q));
    end
    if (active_q && f_insert) assert (cmd_result_o != TR_OK);
  end

  // ---- why: the steps of the command and of the find ----
  if (f_past && !rst) begin
    assert (state_q <= S_REBUILT);
    if (!live_q) assert (state_q inside {S_WIPE, S_SEED} || (state_q == S_IDLE && !active_q));
    if (cmd_done_o || f_done_o) assert (state_q == S_IDLE);
    if (cmd_done_o)             assert (!active_q);
    if (f_reset)           assert (state_q == S_IDLE && !active_q && !live_q && !cmd_done_o && !f_done_o);
    if (state_q == S_SEED)    assert (active_q && (rebuild_q || cmd_op_i == TOP_CLEAR));
    if (state_q == S_REBUILT) assert (rebuild_q && scan_q == '0);
    if (state_q == S_IDLE && active_q) assert (f_delete || (f_insert && moving_q));
    if (moving_q) assert (rebuild_q || f_insert);
    if (state_q inside {S_SCAN0, S_SCAN1, S_SCAN2, S_SCAN3}) assert (active_q && (rebuild_q || f_delete));
    if (state_q inside {S_VICTIM0, S_VICTIM1, S_VICTIM2, S_MOVE, S_OVER}) assert (moving_q);
    if (state_q inside {S_VERSION, S_VERSION1, S_VERSION2} || f_loading || f_searching) begin
      if (purpose_q == FOR_WIRE) assert (!f_found_o && !f_bad_o && !rebuild_q && (!active_q || f_delete || (f_insert && moving_q)));
      else                       assert (active_q && live_q);
      if (purpose_q == FOR_FIND) assert (f_find && !rebuild_q && conn_q == (cmd_op_i == TOP_FIND_CONN) && cmd_result_o == TR_MISS);
      if (purpose_q == FOR_INSERT && !rebuild_q)
        assert (f_insert && !moving_q && conn_q == (cmd_op_i == TOP_INSERT_CONN) && f_seek == (f_mine && f_same[cmd_row_i]) &&
                f_differs == f_other[cmd_row_i]);
      if (purpose_q == FOR_MOVE) assert (moving_q);
      if (f_seek) assert (conn_q == f_kind);
      if (conn_q == f_kind) assert (f_in_key(f_differs, f_kind, f_v6));
      assert (live_q);
    end
    if (state_q inside {S_VERSION1, S_VERSION2}) assert (from_row);
    if (state_q == S_VERSION)                    assert (purpose_q != FOR_WIRE);
    if (f_searching)                             assert (purpose_q != FOR_MOVE);
    if (state_q == S_PLACE)                      assert (active_q && (rebuild_q || (f_insert && !moving_q)));
    if (bad_q && state_q != S_IDLE)              assert (f_saw_bad);

    // words on their way
    if (state_q inside {S_VERSION, S_VERSION1, S_VERSION2}) assert (pos_q == 4'd1);
    if (state_q inside {S_LOAD, S_ROW}) assert (f_in_key(pos_q, conn_q, ipv6_q));
    if (state_q == S_ROW && head_q)     assert (conn_q && pos_q == '0);
    if (state_q == S_VERSION1) assert (f_ask1 == {1'b1, conn_q, row_q, f_word('0)});
    if (state_q == S_VERSION2) assert (f_ask2 == {1'b1, conn_q, row_q, f_word('0)});
    if (cmp_q[1]) assert (state_q inside {S_ROW, S_ROW1} &&
                          f_ask1 == {1'b1, conn_q, row_q, head1_q ? 6'd0 : f_word(pos1_q)});
    if (cmp_q[2]) assert (state_q inside {S_ROW, S_ROW1, S_ROW2} &&
                          f_ask2 == {1'b1, conn_q, row_q, head2_q ? 6'd0 : f_word(pos2_q)});
    if (cmp_q[1] && !head1_q) assert (f_in_key(pos1_q, conn_q, ipv6_q));
    if (cmp_q[2] && !head2_q) assert (f_in_key(pos2_q, conn_q, ipv6_q));
    if (load_valid_q[1]) assert (state_q inside {S_LOAD, S_HASH} && load_last_q[1] == (pos1_q == '0));
    if (load_valid_q[2]) assert ((state_q inside {S_LOAD, S_HASH} || (!from_row && state_q == S_WAY1)) && load_last_q[2] == (pos2_q == '0));
    if (load_valid_q[1] && from_row) assert (f_ask1 == {1'b1, conn_q, row_q, f_word(pos1_q)});
    if (load_valid_q[2] && from_row) assert (f_ask2 == {1'b1, conn_q, row_q, f_word(pos2_q)});
    if (state_q == S_LOAD) assert ((load_valid_q & load_last_q) == '0);
    if (f_pending)         assert (state_q == S_HASH && (!from_row || load_valid_q == '0));
    if (from_row && load_valid_q[2] && load_last_q[2]) assert (!load_valid_q[1]);
    if (state_q == S_HASH && from_row && !f_pending) assert ((load_valid_q & load_last_q) != '0);

    // the key at hand
    if (conn_q == f_kind && ((f_loading && !(from_row && bad_q)) || f_searching)) begin
      if (f_seek) begin
        for (int p = 0; p < 9; p++)
          if (f_in_key(4'(p), f_kind, f_v6)) assert (key_mem[p] == f_key[p] || f_coming(4'(p)));
      end else begin
        assert (key_mem[f_differs] != f_key[f_differs] || f_coming(f_differs));
      end
      if (!f_kind && (f_seek || f_differs != '0)) assert (ipv6_q == f_v6);
      if (f_seek && (f_searching || state_q inside {S_WAY1, S_WAY2})) assert (f_hash_out == f_hash);
    end
    if (f_seek && state_q == S_MOVE && !bad_q) assert (f_hash_out == f_hash);

    // the candidates
    if (f_searching) begin
      assert (both_q || state_q == S_PICK);
      assert (fits_q[1:0] == fits[1:0] && (!both_q || fits_q[3:2] == fits[3:2]));
    end
    if (state_q == S_MOVE) assert (meets_q == (victim_q[1] ? h1 == own1_q : h0 == own0_q));
    if (f_loading && purpose_q != FOR_MOVE && !rebuild_q) assert (tried_q == '0);
    if (state_q inside {S_VERSION, S_VERSION1, S_VERSION2} && purpose_q != FOR_MOVE && !rebuild_q) assert (tried_q == '0);
    if (f_searching && f_seek)
      for (int i = 0; i < 4; i++)
        if (f_ghost(slots[i]) && tried_q[i]) assert (bad_q || (state_q != S_PICK && row_q == slots[i].row));
    if (f_searching && state_q != S_PICK && conn_q == f_kind) begin
      assert (f_in_use[row_q]);
      if (f_seek && f_same[row_q])  assert (!differs_q || bad_q);
      if (f_seek && !f_same[row_q]) assert (differs_q || f_ahead(f_other[row_q]));
      if (!f_seek && f_same[row_q]) assert (differs_q || f_ahead(f_differs));
    end
    if (f_searching && state_q inside {S_PICK, S_VERDICT}) assert (cmp_q == '0);
    if (state_q == S_ROW2) assert (!cmp_q[1]);

    // what is to be inserted, and what is moved for it
    if (f_own_scan)
      assert (f_scanned.valid && conn_q == f_scanned.conn && row_q == f_scanned.row && f_seek == f_ghost(f_scanned) &&
              (conn_q != f_kind || f_differs == f_other[row_q]));
    if (purpose_q == FOR_INSERT && !rebuild_q && (f_loading || state_q inside {S_VERSION, S_VERSION1, S_VERSION2}))
      assert (row_q == cmd_row_i);
    if (purpose_q == FOR_INSERT && f_searching)
      assert (own_q == {1'b1, conn_q, htag, cmd_row_i});
    if (f_own) begin
      assert (own_q.valid);
      if (rebuild_q) assert (f_scanned.valid && own_q.conn == f_scanned.conn && own_q.row == f_scanned.row);
      else           assert (active_q && f_insert && own_q.conn == (cmd_op_i == TOP_INSERT_CONN) && own_q.row == cmd_row_i);
      if (f_ghost(own_q)) begin
        assert ({own_q.tag, own1_q, own0_q} == f_hash);
        if (!rebuild_q) assert (!f_has);
      end
    end
    if (rebuild_q ? f_own && state_q != S_PLACE : moving_q) assert (&f_own_taken);
    if (purpose_q == FOR_MOVE && (f_loading || state_q inside {S_VERSION, S_VERSION1, S_VERSION2, S_MOVE}))
      assert (conn_q == mover_q.conn && row_q == mover_q.row && f_seek == f_ghost(mover_q) && (conn_q != f_kind || f_differs == f_other[row_q]));
  end
end

// Index of the path and the connection table: finds the row of a key, in two ways of buckets of two slots.
//
// A slot holds {valid, kind, some bits of the hash, row}; every candidate's key is compared with the key in
// its row.  Insertion takes a free slot of the two buckets of its key; when there is none, one of the
// four entries there is moved to its other bucket, written there before its old place is
// overwritten, so that it can be found at every moment; when none can be moved the answer is FULL.  With 4
// slots for each row this practically never happens.  Deletion looks through all slots for the row
// and needs no key.  RESEED builds the index anew in the other half of the memory from the slots of this one, and
// changes over when it is complete; on FULL the old one with its seed stays.
//
// Contract: one object at a time.  Wire finds go between the steps of a command (a step takes at most
// 60 cycles); during CLEAR and RESEED they wait: RESEED takes 20 * 2^BUCKET_W cycles and about 60 for each
// entry, 200 for an entry that is moved.  Before the first CLEAR after a reset nothing is found and inserts are FULL.
// A find's f_valid_i and its key, a command and its key stay until the done pulse, which ends the request.
// Key words are asked for with key_pos_o and are there in the same cycle; rows answer 2 cycles after row_valid_o.
// The key of a row must not be changed while it is in the index.  A row whose key fails its check when RESEED
// reads it is left out (result CHECK); its key could not be found any more.
// No entry is lost, doubled or stale, whatever comes between: proved in flue_table_index_proof.svh.
// Position 0 of a path key is word 6 of its row, that of a connection key word 5; IPv4 keys are positions 0, 1 and 5.
// Cost: 4 * 2^BUCKET_W words of 36 bits.  What is compared (tags, row numbers, the victim's bucket) is compared one step before it is
// used, so that no comparison and no decision share a cycle.
// Block RAM: 1 at BUCKET_W=7, 8 at BUCKET_W=10.
module flue_table_index
  import flue_control_pkg::*;
#(
  parameter int ROW_W    = 6,               // row numbers, bits
  parameter int BUCKET_W = 7,               // buckets of each way: 2^BUCKET_W
  parameter int TAG_W    = 16 - ROW_W       // hash bits in a slot
) (
  input  logic             clk,
  input  logic             rst,

  // wire
  input  logic             f_valid_i,
  input  logic             f_conn_i,
  input  logic             f_ipv6_i,
  output logic             f_done_o,
  output logic             f_found_o,
  output logic             f_bad_o,         // a row failed its check
  output logic [ROW_W-1:0] f_row_o,
  output logic [31:0]      f_head_o,        // word 0 of the connection's row

  // key words of the wire's or the command's find
  output logic             key_wire_o,
  output logic [3:0]       key_pos_o,
  input  logic [31:0]      key_word_i,

  // commands
  input  logic             cmd_valid_i,
  input  table_op_e        cmd_op_i,
  input  logic [ROW_W-1:0] cmd_row_i,
  input  logic [30:0]      seed_k_i,
  input  logic [30:0]      seed_a_i,
  output logic             cmd_done_o,
  output table_result_e    cmd_result_o,
  output logic [ROW_W-1:0] cmd_found_o,

  // rows
  output logic             row_valid_o,
  output logic             row_conn_o,
  output logic [ROW_W-1:0] row_o,
  output logic [5:0]       row_word_o,
  input  logic [31:0]      row_data_i,
  input  logic             row_bad_i,

  output logic             idle_o
);

  localparam int AW    = BUCKET_W + 2;      // {half, way, bucket}

  if (ROW_W < 1 || ROW_W > 10 || BUCKET_W < 1 || ROW_W + TAG_W > 16 || 2 * BUCKET_W + TAG_W > 31) begin : g_check
    $error("ROW_W must be 1 to 10, ROW_W + TAG_W at most 16, and 2 * BUCKET_W + TAG_W at most 31");
  end

  typedef struct packed {
    logic             valid;
    logic             conn;
    logic [TAG_W-1:0] tag;
    logic [ROW_W-1:0] row;
  } slot_t;

  typedef struct packed {
    slot_t s1;
    slot_t s0;
  } bucket_t;

  typedef enum logic [4:0] {
    S_IDLE,
    S_WIPE,                                 // slots of a half are emptied
    S_SEED,                                 // coefficients are made
    S_VERSION, S_VERSION1, S_VERSION2,      // IPv4 or IPv6, from the row's key
    S_LOAD,                                 // key words enter the hash
    S_HASH,                                 // the hash comes, the first bucket is read
    S_WAY1, S_WAY2,                         // buckets come
    S_PICK,                                 // candidates are tried one after the other
    S_ROW,                                  // words of the candidate's row are asked for
    S_ROW1, S_ROW2,                         // and come
    S_VERDICT,
    S_PLACE,                                // a slot for the new entry
    S_VICTIM0, S_VICTIM1, S_VICTIM2,        // the entry that might be moved
    S_MOVE,                                 // to its other bucket,
    S_OVER,                                 // then its old slot is taken
    S_SCAN0, S_SCAN1, S_SCAN2, S_SCAN3,     // slots one after the other
    S_REBUILT
  } state_e;

  typedef enum logic [1:0] { FOR_WIRE, FOR_FIND, FOR_INSERT, FOR_MOVE } purpose_e;

  state_e                state_q;
  purpose_e              purpose_q;
  logic                  conn_q, ipv6_q, bad_q;
  logic [ROW_W-1:0]      row_q;             // whose key is loaded, then the candidate
  logic                  turn_q;            // the command's turn
  logic                  active_q;          // a command is under way
  logic                  moving_q;          // the command is looking for an entry to move
  logic                  live_q;            // there is an index
  logic                  half_q;            // the one in use
  logic                  rebuild_q;         // the other one is being built
  logic                  undo_q;            // back to the old seed
  logic                  skipped_q;         // RESEED left out a row
  logic [BUCKET_W+1:0]   scan_q;            // {way, bucket, slot}
  logic [30:0]           old_k_q, old_a_q;

  // What is to be inserted.
  logic [BUCKET_W-1:0]   own0_q, own1_q;
  slot_t                 own_q;
  logic [1:0]            victim_q;          // {way, slot}
  logic                  meets_q;           // the victim's bucket is one of the two of the key that was hashed
  slot_t                 mover_q;

  // ---- slots ----
  logic [AW-1:0]         slot_at;
  logic                  slot_write;
  logic [1:0]            slot_put;          // slots of the bucket that are written
  slot_t                 entry;             // with this
  bucket_t               slot_rdata, b0_q, b1_q;
  logic [35:0]           slot_word;

  flue_table_ram #(.DEPTH(1 << AW)) u_slots (
    .clk, .write_i(slot_put), .addr_i(slot_at), .data_i({18'(entry), 18'(entry)}), .q_o(slot_word)
  );
  assign slot_rdata.s0 = slot_word[0 +: $bits(slot_t)];
  assign slot_rdata.s1 = slot_word[18 +: $bits(slot_t)];

  // ---- hash ----
  logic [3:0]            pos_q;
  logic                  pos_last, hash_done, seed_start, seeding;
  logic [30:0]           hash, seed_k, seed_a;
  logic [BUCKET_W-1:0]   h0, h1;
  logic [TAG_W-1:0]      htag;
  logic                  from_row;
  logic [2:0]            load_valid, load_first, load_last;   // now, and on the way through the rows
  logic [2:1]            load_valid_q, load_first_q, load_last_q;
  logic [3:0]            pos1_q, pos2_q, load_pos;
  logic [31:0]           load_word;
  logic                  load_now, load_begin, load_end;

  assign from_row = purpose_q inside {FOR_INSERT, FOR_MOVE};
  assign pos_last = pos_q == '0;
  assign load_now   = from_row ? load_valid_q[2] : load_valid[0];
  assign load_begin = from_row ? load_first_q[2] : load_first[0];
  assign load_end   = from_row ? load_last_q[2]  : load_last[0];
  assign load_pos   = from_row ? pos2_q : pos_q;
  assign load_word  = from_row ? row_data_i : key_word_i;
  assign key_pos_o  = state_q == S_VERSION ? '0 : pos_q;
  assign key_wire_o = purpose_q == FOR_WIRE;
  assign load_valid = {load_valid_q, state_q == S_LOAD};
  assign load_first = {load_first_q, pos_q == 4'd1};
  assign load_last  = {load_last_q, pos_last};

  assign seed_k = undo_q ? old_k_q : seed_k_i;
  assign seed_a = undo_q ? old_a_q : seed_a_i;

  flue_table_hash u_hash (
    .clk, .rst, .seed_i(seed_start), .seed_k_i(seed_k), .seed_a_i(seed_a), .seeding_o(seeding),
    .valid_i(load_now), .first_i(load_begin), .last_i(load_end), .pos_i(load_pos),
    // a connection's first word differs from every path's
    .word_i(load_word | {conn_q && load_pos == '0, 31'b0}), .out_valid_o(hash_done), .out_o(hash)
  );

  assign h0   = hash[0 +: BUCKET_W];
  assign h1   = hash[BUCKET_W +: BUCKET_W];
  assign htag = hash[2*BUCKET_W +: TAG_W];

  // The words of a key: 1 to 8 then 0, 1, 5, 0, or 1, 0.
  function automatic logic [3:0] pos_next(input logic [3:0] pos, input logic conn, input logic ipv6);
    if (conn || pos == 4'd8) return '0;
    if (!ipv6) return pos == 4'd1 ? 4'd5 : 4'd0;
    return pos + 1'b1;
  endfunction

  // The key, for comparing.
  (* ram_style = "distributed" *) logic [31:0] key_mem [16];
  always_ff @(posedge clk) if (load_now) key_mem[load_pos] <= load_word;

  // ---- candidates ----
  slot_t                 slots [4];
  logic [3:0]            fits, fits_q, free, tried_q, todo;
  logic                  both_q;            // fits_q is that of both buckets; the first one's comes a cycle earlier
  logic [1:0]            pick;
  slot_t                 picked;
  logic                  differs_q, head_q, head1_q, head2_q;
  logic [2:1]            cmp_q;

  always_comb begin
    slots[0] = b0_q.s0;
    slots[1] = b0_q.s1;
    slots[2] = b1_q.s0;
    slots[3] = b1_q.s1;
    for (int i = 0; i < 4; i++) begin
      fits[i] = slots[i].valid && slots[i].conn == conn_q && slots[i].tag == htag;
      free[i] = !slots[i].valid;
    end
    todo   = fits_q & ~tried_q & {both_q, both_q, 2'b11};
    pick   = todo[0] ? 2'd0 : todo[1] ? 2'd1 : todo[2] ? 2'd2 : 2'd3;
    picked = slots[pick];
  end

  assign row_valid_o = state_q inside {S_ROW, S_VERSION} || (state_q == S_LOAD && from_row);
  assign row_conn_o  = conn_q;
  assign row_o       = row_q;
  assign row_word_o  = (state_q == S_ROW && head_q) ? '0
                     : (conn_q ? 6'(ROW_CONNECTION_KEY) : 6'(ROW_PATH_KEY)) + 6'(state_q == S_VERSION ? 4'd0 : pos_q);

  // ---- the slot the scan is at: any entry for RESEED, the row's for deletion ----
  slot_t scanned;
  logic  scan_hit, scan_slot;

  logic [1:0] is_own, is_own_q;
  assign is_own[0] = b0_q.s0.valid && b0_q.s0.conn == (cmd_op_i == TOP_DELETE_CONN) && b0_q.s0.row == cmd_row_i;
  assign is_own[1] = b0_q.s1.valid && b0_q.s1.conn == (cmd_op_i == TOP_DELETE_CONN) && b0_q.s1.row == cmd_row_i;
  assign scan_slot = rebuild_q ? scan_q[0] : !is_own_q[0];
  assign scanned   = scan_slot ? b0_q.s1 : b0_q.s0;
  assign scan_hit  = rebuild_q ? scanned.valid : is_own_q != '0;

  // ---- where a bucket is read or written ----
  logic                  half;              // the half this step works in
  logic [1:0]            put;               // slot that is written: {way, slot}
  logic [1:0]            first_free;
  logic [1:0]            move_free;
  logic                  has_free, movable;

  assign half       = half_q ^ (rebuild_q && !(state_q inside {S_SCAN0, S_SCAN1, S_SCAN2, S_SCAN3}));
  assign first_free = free[0] ? 2'd0 : free[1] ? 2'd1 : free[2] ? 2'd2 : 2'd3;
  // The other way of a victim, its first free slot.
  assign move_free  = victim_q[1] ? {1'b0, !free[0]} : {1'b1, !free[2]};
  assign has_free   = free != '0;
  assign movable    = !bad_q && meets_q && (victim_q[1] ? free[1:0] != '0 : free[3:2] != '0);

  always_comb begin
    put        = first_free;
    entry      = own_q;
    slot_at    = {half, 1'b0, h0};
    slot_write = 1'b0;
    unique case (state_q)
      S_WIPE: begin
        entry      = '0;
        slot_at    = {half, scan_q[BUCKET_W+1:1]};
        slot_write = 1'b1;
      end
      S_WAY1:  slot_at = {half, 1'b1, h1};
      S_PLACE: begin
        slot_at    = {half, put[1], put[1] ? own1_q : own0_q};
        slot_write = has_free;
      end
      S_VICTIM0: slot_at = {half, victim_q[1], victim_q[1] ? own1_q : own0_q};
      S_MOVE: begin
        put        = move_free;
        entry      = mover_q;
        slot_at    = {half, put[1], put[1] ? h1 : h0};
        slot_write = movable;
      end
      S_OVER: begin
        put        = victim_q;
        slot_at    = {half, put[1], put[1] ? own1_q : own0_q};
        slot_write = 1'b1;
      end
      S_IDLE, S_SCAN0: slot_at = {half, scan_q[BUCKET_W+1:1]};
      S_SCAN3: begin                        // the row's slot is emptied
        put        = {1'b0, scan_slot};
        entry      = '0;
        slot_at    = {half, scan_q[BUCKET_W+1:1]};
        slot_write = !rebuild_q && scan_hit;
      end
      default: ;
    endcase
    slot_put = state_q == S_WIPE ? 2'b11 : {slot_write && put[0], slot_write && !put[0]};
  end

  logic take_wire, started_q;
  assign take_wire  = f_valid_i && !f_done_o && !(turn_q && active_q);
  assign idle_o     = state_q == S_IDLE && !active_q && !cmd_valid_i && !f_valid_i && !f_done_o && !cmd_done_o;
  assign seed_start = state_q == S_SEED && !started_q;

  always_ff @(posedge clk) begin : steps
    automatic logic done;                   // the command is
    automatic logic next;                   // the next slot
    done         = 1'b0;
    next         = 1'b0;
    load_valid_q <= load_valid[1:0];
    load_first_q <= load_first[1:0];
    load_last_q  <= load_last[1:0];
    pos1_q       <= pos_q;
    pos2_q       <= pos1_q;
    cmp_q        <= {cmp_q[1], state_q == S_ROW};
    head1_q      <= head_q;
    head2_q      <= head1_q;
    fits_q       <= fits;
    both_q       <= !(state_q inside {S_WAY1, S_WAY2});
    is_own_q     <= is_own;
    meets_q      <= victim_q[1] ? h1 == own1_q : h0 == own0_q;
    f_done_o     <= 1'b0;
    cmd_done_o   <= 1'b0;

    // Words of the candidate: compared with the key, and word 0 kept.
    if (cmp_q[2]) begin
      if (head2_q) f_head_o <= row_data_i;
      else if (row_data_i != key_mem[pos2_q]) differs_q <= 1'b1;
      if (row_bad_i) begin
        differs_q <= 1'b1;
        bad_q     <= 1'b1;
      end
    end
    if (((load_valid_q[2] && from_row) || state_q == S_VERSION2) && row_bad_i) bad_q <= 1'b1;

    unique case (state_q)
      S_IDLE: begin
        tried_q <= '0;
        bad_q   <= 1'b0;
        pos_q   <= 4'd1;
        turn_q  <= 1'b0;
        if (take_wire) begin
          purpose_q <= FOR_WIRE;
          conn_q    <= f_conn_i;
          turn_q    <= 1'b1;
          f_found_o <= 1'b0;
          f_bad_o   <= 1'b0;
          ipv6_q    <= f_ipv6_i;
          if (live_q) state_q  <= S_LOAD;
          else        f_done_o <= 1'b1;
        end else if (active_q) begin        // the next step of a command
          state_q <= moving_q ? S_VICTIM0 : S_SCAN1;   // the slots are being read
        end else if (cmd_valid_i && !cmd_done_o) begin
          active_q     <= 1'b1;
          skipped_q    <= 1'b0;
          scan_q       <= '0;
          victim_q     <= '0;
          conn_q       <= cmd_op_i inside {TOP_FIND_CONN, TOP_INSERT_CONN};
          row_q        <= cmd_row_i;
          cmd_result_o <= cmd_op_i inside {TOP_INSERT_PATH, TOP_INSERT_CONN} ? TR_FULL : TR_MISS;
          if (cmd_op_i == TOP_CLEAR) begin
            state_q <= S_WIPE;
          end else if (!live_q) begin
            done = 1'b1;
          end else begin
            unique case (cmd_op_i)
              TOP_FIND_PATH, TOP_FIND_CONN: begin
                purpose_q <= FOR_FIND;
                state_q   <= S_VERSION;
              end
              TOP_INSERT_PATH, TOP_INSERT_CONN: begin
                purpose_q <= FOR_INSERT;
                state_q   <= S_VERSION;
              end
              TOP_DELETE_PATH, TOP_DELETE_CONN: state_q <= S_SCAN0;
              TOP_RESEED: begin
                rebuild_q <= 1'b1;
                state_q   <= S_WIPE;
              end
              default: done = 1'b1;
            endcase
          end
        end
      end

      S_WIPE: begin
        scan_q    <= scan_q + (BUCKET_W+2)'(2);
        started_q <= 1'b0;
        if (&scan_q[BUCKET_W+1:1]) state_q <= S_SEED;
      end
      S_SEED: begin
        started_q <= 1'b1;
        if (started_q && !seeding) begin
          if (rebuild_q && !undo_q) begin
            state_q <= S_SCAN0;
          end else begin
            if (!undo_q) begin
              old_k_q <= seed_k_i;
              old_a_q <= seed_a_i;
            end
            cmd_result_o <= undo_q ? TR_FULL : TR_OK;
            undo_q       <= 1'b0;
            rebuild_q    <= 1'b0;
            live_q       <= 1'b1;
            done = 1'b1;
          end
        end
      end

      S_VERSION: begin
        ipv6_q  <= key_word_i[ROW_PATH_KEY_IPV6_LSB];
        state_q <= from_row ? S_VERSION1 : S_LOAD;
      end
      S_VERSION1: state_q <= S_VERSION2;
      S_VERSION2: begin
        ipv6_q  <= row_data_i[ROW_PATH_KEY_IPV6_LSB];
        state_q <= S_LOAD;
      end
      S_LOAD: begin
        pos_q <= pos_next(pos_q, conn_q, ipv6_q);
        if (pos_last) state_q <= S_HASH;
      end
      S_HASH: if (hash_done) state_q <= S_WAY1;
      S_WAY1: begin
        b0_q    <= slot_rdata;
        state_q <= S_WAY2;
      end
      S_WAY2: begin
        b1_q    <= slot_rdata;
        state_q <= purpose_q == FOR_MOVE ? S_MOVE : S_PICK;
        if (purpose_q == FOR_INSERT) begin
          own0_q <= h0;
          own1_q <= h1;
          own_q  <= '{valid: 1'b1, conn: conn_q, tag: htag, row: row_q};
          if (rebuild_q) state_q <= S_PLACE;
          if (bad_q) begin                  // its key cannot be read
            cmd_result_o <= TR_CHECK;
            skipped_q    <= 1'b1;
            if (rebuild_q) next = 1'b1;
            else           done = 1'b1;
          end
        end
      end

      S_PICK: begin
        pos_q     <= 4'd1;
        head_q    <= 1'b0;
        differs_q <= 1'b0;
        row_q     <= picked.row;
        if (todo != '0) tried_q <= tried_q | 4'(4'b1 << pick);
        state_q   <= S_ROW;
        if (todo == '0 && !both_q) begin
          state_q <= S_PICK;
        end else if (todo == '0) begin      // there is no such key
          f_bad_o <= bad_q;
          if (bad_q && purpose_q != FOR_WIRE) cmd_result_o <= TR_CHECK;
          unique case (purpose_q)
            FOR_WIRE: begin
              f_done_o <= 1'b1;
              state_q  <= S_IDLE;
            end
            FOR_INSERT: if (bad_q) done = 1'b1;
                        else       state_q <= S_PLACE;
            default: done = 1'b1;
          endcase
        end
      end
      S_ROW: begin
        pos_q  <= pos_next(pos_q, conn_q, ipv6_q);
        head_q <= pos_last;
        if (conn_q ? head_q : pos_last) state_q <= S_ROW1;
      end
      S_ROW1: state_q <= S_ROW2;
      S_ROW2: state_q <= S_VERDICT;
      S_VERDICT: begin
        state_q <= S_PICK;
        if (!differs_q) begin
          f_found_o   <= 1'b1;
          f_row_o     <= row_q;
          cmd_found_o <= row_q;
          if (purpose_q == FOR_WIRE) begin
            f_done_o <= 1'b1;
            state_q  <= S_IDLE;
          end else begin
            cmd_result_o <= purpose_q == FOR_INSERT ? TR_EXISTS : TR_OK;
            done = 1'b1;
          end
        end
      end

      S_PLACE: begin
        if (has_free) begin
          cmd_result_o <= TR_OK;
          if (rebuild_q) next = 1'b1;
          else           done = 1'b1;
        end else begin
          victim_q <= '0;
          moving_q <= 1'b1;
          state_q  <= rebuild_q ? S_VICTIM0 : S_IDLE;
        end
      end
      S_VICTIM0: state_q <= S_VICTIM1;
      S_VICTIM1: begin
        b0_q    <= slot_rdata;
        state_q <= S_VICTIM2;
      end
      S_VICTIM2: begin
        purpose_q <= FOR_MOVE;
        mover_q   <= victim_q[0] ? b0_q.s1 : b0_q.s0;
        conn_q    <= victim_q[0] ? b0_q.s1.conn : b0_q.s0.conn;
        row_q     <= victim_q[0] ? b0_q.s1.row : b0_q.s0.row;
        bad_q     <= 1'b0;
        pos_q     <= 4'd1;
        state_q   <= S_VERSION;
      end
      S_MOVE: begin
        victim_q <= victim_q + 1'b1;
        state_q  <= rebuild_q ? S_VICTIM0 : S_IDLE;
        if (movable) begin
          victim_q <= victim_q;
          state_q  <= S_OVER;
        end else if (victim_q == 2'd3) begin
          cmd_result_o <= TR_FULL;
          if (rebuild_q) begin
            undo_q    <= 1'b1;
            started_q <= 1'b0;
            state_q   <= S_SEED;
          end else begin
            done = 1'b1;
          end
        end
      end
      S_OVER: begin
        cmd_result_o <= TR_OK;
        if (rebuild_q) next = 1'b1;
        else           done = 1'b1;
      end

      S_SCAN0: state_q <= S_SCAN1;
      S_SCAN1: begin
        b0_q    <= slot_rdata;
        state_q <= S_SCAN2;
      end
      S_SCAN2: state_q <= S_SCAN3;
      S_SCAN3: begin
        if (!scan_hit) begin
          next = 1'b1;
        end else if (rebuild_q) begin
          purpose_q <= FOR_INSERT;
          conn_q    <= scanned.conn;
          row_q     <= scanned.row;
          bad_q     <= 1'b0;
          pos_q     <= 4'd1;
          state_q   <= S_VERSION;
        end else begin
          cmd_result_o <= TR_OK;
          done = 1'b1;
        end
      end
      default: begin                        // S_REBUILT
        half_q       <= !half_q;
        rebuild_q    <= 1'b0;
        old_k_q      <= seed_k_i;
        old_a_q      <= seed_a_i;
        cmd_result_o <= skipped_q ? TR_CHECK : TR_OK;
        done = 1'b1;
      end
    endcase

    if (next) begin
      scan_q  <= scan_q + (rebuild_q ? (BUCKET_W+2)'(1) : (BUCKET_W+2)'(2));
      state_q <= rebuild_q ? S_SCAN0 : S_IDLE;
      if (rebuild_q ? scan_q == '1 : &scan_q[BUCKET_W+1:1]) begin
        if (rebuild_q) state_q <= S_REBUILT;
        else           done = 1'b1;
      end
    end
    if (done) begin
      cmd_done_o <= 1'b1;
      active_q   <= 1'b0;
      moving_q   <= 1'b0;
      state_q    <= S_IDLE;
    end

    if (rst) begin
      state_q      <= S_IDLE;
      turn_q       <= 1'b0;
      active_q     <= 1'b0;
      moving_q     <= 1'b0;
      live_q       <= 1'b0;
      half_q       <= 1'b0;
      rebuild_q    <= 1'b0;
      undo_q       <= 1'b0;
      load_valid_q <= '0;
      cmp_q        <= '0;
      f_done_o     <= 1'b0;
      cmd_done_o   <= 1'b0;
    end
  end

`ifdef FORMAL
  // What the slot memory holds, followed beside it.
  bucket_t       f_mem [1 << AW];
  bucket_t       f_q, f_way0, f_way1, f_place, f_write;
  logic          f_past = 1'b0, f_reset;      // not the first cycle; the one after a reset
  logic          f_reads, f_buckets;        // a word is taken over; b0_q and b1_q are those of the hash
  logic [AW-1:0] f_at;                      // any slot: begins anywhere and stays
  logic          f_slot;
  slot_t         f_old, f_new;

  assign f_reads   = state_q inside {S_WAY1, S_WAY2, S_VICTIM1, S_SCAN1};
  assign f_buckets = state_q inside {S_PICK, S_ROW, S_ROW1, S_ROW2, S_VERDICT, S_PLACE, S_MOVE};
  assign f_way0    = f_mem[{half, 1'b0, h0}];
  assign f_way1    = f_mem[{half, 1'b1, h1}];
  assign f_place   = f_mem[{half, victim_q[1], victim_q[1] ? own1_q : own0_q}];
  assign f_write   = '{s1: slot_put[1] ? entry : f_mem[slot_at].s1, s0: slot_put[0] ? entry : f_mem[slot_at].s0};
  assign f_old     = f_slot ? f_mem[f_at].s1 : f_mem[f_at].s0;
  assign f_new     = f_slot ? f_write.s1 : f_write.s0;

  always_ff @(posedge clk) begin
    f_past  <= 1'b1;
    f_reset <= rst;
    f_at   <= f_at;
    f_slot <= f_slot;
    f_q    <= f_mem[slot_at];
    if (slot_write) f_mem[slot_at] <= f_write;

    if (!f_past) assume (rst);
    if (f_past && !rst && !f_reset) begin
      // The memory, the hash and the users of the commands keep their contracts.
      if (f_reads) assume (slot_rdata == f_q);
      if (!hash_done && state_q != S_SEED && $past(state_q) != S_SEED) assume ($stable(hash));
      assume (!hash_done || state_q inside {S_HASH, S_SEED});
      assume (!seeding || state_q == S_SEED);
      if (active_q) assume ($stable(cmd_op_i) && $stable(cmd_row_i));
    end

    if (f_past && !rst) begin
      if (state_q == S_WIPE) assert (active_q && (rebuild_q || cmd_op_i == TOP_CLEAR));
      if (rebuild_q) begin
        assert (active_q && cmd_op_i == TOP_RESEED);
        assert (!(state_q inside {S_IDLE, S_PICK, S_ROW, S_ROW1, S_ROW2, S_VERDICT}));
        if (!(state_q inside {S_WIPE, S_SEED, S_SCAN0, S_SCAN1, S_SCAN2, S_SCAN3, S_REBUILT})) assert (from_row);
      end
      // The buckets at hand are those in the memory.
      if (state_q == S_WAY1) assert (f_q == f_way0);
      if (state_q == S_WAY2) assert (b0_q == f_way0 && f_q == f_way1);
      if (f_buckets)         assert (b0_q == f_way0 && b1_q == f_way1);
      if (state_q == S_SCAN1) assert (f_q == f_mem[{half, scan_q[BUCKET_W+1:1]}]);
      if (state_q inside {S_SCAN2, S_SCAN3}) assert (b0_q == f_mem[{half, scan_q[BUCKET_W+1:1]}]);
      if (state_q == S_SCAN3) assert (is_own_q == is_own);
      if (state_q == S_VICTIM1) assert (f_q == f_place);
      if (state_q == S_VICTIM2) assert (b0_q == f_place);
      if (f_buckets && purpose_q == FOR_INSERT) assert (own0_q == h0 && own1_q == h1);
      if (state_q == S_PLACE) assert (purpose_q == FOR_INSERT);
      if (state_q == S_MOVE)  assert (purpose_q == FOR_MOVE);
      // The victim stays where it was found until it has been moved.
      if (purpose_q == FOR_MOVE && state_q inside {S_VERSION, S_VERSION1, S_VERSION2, S_LOAD, S_HASH, S_WAY1, S_WAY2, S_MOVE, S_OVER})
        assert ((victim_q[0] ? f_place.s1 : f_place.s0) == mover_q);
      // Its copy stands in its other bucket before its place is taken.
      if (state_q == S_OVER) begin
        assert (purpose_q == FOR_MOVE && (victim_q[1] ? h1 == own1_q : h0 == own0_q));
        assert (victim_q[1] ? b1_q == f_way1 : b0_q == f_way0);
        assert (victim_q[1] ? f_way0.s0 == mover_q || f_way0.s1 == mover_q : f_way1.s0 == mover_q || f_way1.s1 == mover_q);
      end
      // No entry leaves its slot but by CLEAR, in the half that is not in use, because its own row is
      // deleted, or when it has been moved; and nothing but the entry at hand is written.
      if (slot_write && slot_at == f_at && f_new != f_old) begin
        assert (f_new == '0 || f_new == own_q || (state_q == S_MOVE && f_new == mover_q));
        if (f_old.valid) begin
          assert (state_q inside {S_WIPE, S_SCAN3, S_OVER});
          if (state_q == S_SCAN3) assert (f_old.row == cmd_row_i && f_old.conn == (cmd_op_i == TOP_DELETE_CONN) && !rebuild_q);
          if (state_q == S_OVER)  assert (f_old == mover_q);
          if (state_q == S_WIPE)  assert (cmd_op_i == TOP_CLEAR || half != half_q);
        end
      end
    end
    cover (f_past && !rst && slot_write && slot_at == f_at && state_q == S_WIPE);
  end
`ifdef PROVE
`include "flue_table_index_proof.svh"
`endif
`endif

endmodule

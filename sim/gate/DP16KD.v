// Behaviour of the ECP5's block RAM as Yosys maps to it (Yosys has no simulation model of it): no output registers,
// no reset of the read data, no initial contents, chip select 0.  Anything else ends the simulation.
//
// What one port reads of bits that the other writes in the same cycle is undefined on the device: here it is the inverse
// of what was there, so that a design that relies on a value is found.  Contents are random at the beginning.
module DP16KD #(
  parameter DATA_WIDTH_A = 18, parameter DATA_WIDTH_B = 18,
  parameter REGMODE_A = "NOREG", parameter REGMODE_B = "NOREG",
  parameter RESETMODE = "SYNC", parameter ASYNC_RESET_RELEASE = "SYNC",
  parameter CSDECODE_A = "0b000", parameter CSDECODE_B = "0b000",
  parameter WRITEMODE_A = "NORMAL", parameter WRITEMODE_B = "NORMAL",
  parameter CLKAMUX = "CLKA", parameter CLKBMUX = "CLKB", parameter GSR = "AUTO",
  parameter [319:0]
    INITVAL_00 = 0, INITVAL_01 = 0, INITVAL_02 = 0, INITVAL_03 = 0, INITVAL_04 = 0, INITVAL_05 = 0, INITVAL_06 = 0,
    INITVAL_07 = 0, INITVAL_08 = 0, INITVAL_09 = 0, INITVAL_0A = 0, INITVAL_0B = 0, INITVAL_0C = 0, INITVAL_0D = 0,
    INITVAL_0E = 0, INITVAL_0F = 0, INITVAL_10 = 0, INITVAL_11 = 0, INITVAL_12 = 0, INITVAL_13 = 0, INITVAL_14 = 0,
    INITVAL_15 = 0, INITVAL_16 = 0, INITVAL_17 = 0, INITVAL_18 = 0, INITVAL_19 = 0, INITVAL_1A = 0, INITVAL_1B = 0,
    INITVAL_1C = 0, INITVAL_1D = 0, INITVAL_1E = 0, INITVAL_1F = 0, INITVAL_20 = 0, INITVAL_21 = 0, INITVAL_22 = 0,
    INITVAL_23 = 0, INITVAL_24 = 0, INITVAL_25 = 0, INITVAL_26 = 0, INITVAL_27 = 0, INITVAL_28 = 0, INITVAL_29 = 0,
    INITVAL_2A = 0, INITVAL_2B = 0, INITVAL_2C = 0, INITVAL_2D = 0, INITVAL_2E = 0, INITVAL_2F = 0, INITVAL_30 = 0,
    INITVAL_31 = 0, INITVAL_32 = 0, INITVAL_33 = 0, INITVAL_34 = 0, INITVAL_35 = 0, INITVAL_36 = 0, INITVAL_37 = 0,
    INITVAL_38 = 0, INITVAL_39 = 0, INITVAL_3A = 0, INITVAL_3B = 0, INITVAL_3C = 0, INITVAL_3D = 0, INITVAL_3E = 0,
    INITVAL_3F = 0
) (
  input
    DIA17, DIA16, DIA15, DIA14, DIA13, DIA12, DIA11, DIA10, DIA9, DIA8, DIA7, DIA6, DIA5, DIA4, DIA3, DIA2, DIA1, DIA0,
    ADA13, ADA12, ADA11, ADA10, ADA9, ADA8, ADA7, ADA6, ADA5, ADA4, ADA3, ADA2, ADA1, ADA0, CEA, OCEA, CLKA, WEA, RSTA,
    CSA2, CSA1, CSA0, DIB17, DIB16, DIB15, DIB14, DIB13, DIB12, DIB11, DIB10, DIB9, DIB8, DIB7, DIB6, DIB5, DIB4, DIB3,
    DIB2, DIB1, DIB0, ADB13, ADB12, ADB11, ADB10, ADB9, ADB8, ADB7, ADB6, ADB5, ADB4, ADB3, ADB2, ADB1, ADB0, CEB, OCEB,
    CLKB, WEB, RSTB, CSB2, CSB1, CSB0,
  output
    DOA17, DOA16, DOA15, DOA14, DOA13, DOA12, DOA11, DOA10, DOA9, DOA8, DOA7, DOA6, DOA5, DOA4, DOA3, DOA2, DOA1, DOA0,
    DOB17, DOB16, DOB15, DOB14, DOB13, DOB12, DOB11, DOB10, DOB9, DOB8, DOB7, DOB6, DOB5, DOB4, DOB3, DOB2, DOB1, DOB0
);

  wire [17:0] dia = {DIA17, DIA16, DIA15, DIA14, DIA13, DIA12, DIA11, DIA10, DIA9, DIA8, DIA7, DIA6, DIA5, DIA4, DIA3, DIA2, DIA1, DIA0};
  wire [17:0] dib = {DIB17, DIB16, DIB15, DIB14, DIB13, DIB12, DIB11, DIB10, DIB9, DIB8, DIB7, DIB6, DIB5, DIB4, DIB3, DIB2, DIB1, DIB0};
  wire [13:0] ada = {ADA13, ADA12, ADA11, ADA10, ADA9, ADA8, ADA7, ADA6, ADA5, ADA4, ADA3, ADA2, ADA1, ADA0};
  wire [13:0] adb = {ADB13, ADB12, ADB11, ADB10, ADB9, ADB8, ADB7, ADB6, ADB5, ADB4, ADB3, ADB2, ADB1, ADB0};
  reg  [17:0] doa, dob;

  assign {DOA17, DOA16, DOA15, DOA14, DOA13, DOA12, DOA11, DOA10, DOA9, DOA8, DOA7, DOA6, DOA5, DOA4, DOA3, DOA2, DOA1, DOA0} = doa;
  assign {DOB17, DOB16, DOB15, DOB14, DOB13, DOB12, DOB11, DOB10, DOB9, DOB8, DOB7, DOB6, DOB5, DOB4, DOB3, DOB2, DOB1, DOB0} = dob;

  wire [319:0] contents =
    INITVAL_00 | INITVAL_01 | INITVAL_02 | INITVAL_03 | INITVAL_04 | INITVAL_05 | INITVAL_06 | INITVAL_07 | INITVAL_08 | INITVAL_09 |
    INITVAL_0A | INITVAL_0B | INITVAL_0C | INITVAL_0D | INITVAL_0E | INITVAL_0F | INITVAL_10 | INITVAL_11 | INITVAL_12 | INITVAL_13 |
    INITVAL_14 | INITVAL_15 | INITVAL_16 | INITVAL_17 | INITVAL_18 | INITVAL_19 | INITVAL_1A | INITVAL_1B | INITVAL_1C | INITVAL_1D |
    INITVAL_1E | INITVAL_1F | INITVAL_20 | INITVAL_21 | INITVAL_22 | INITVAL_23 | INITVAL_24 | INITVAL_25 | INITVAL_26 | INITVAL_27 |
    INITVAL_28 | INITVAL_29 | INITVAL_2A | INITVAL_2B | INITVAL_2C | INITVAL_2D | INITVAL_2E | INITVAL_2F | INITVAL_30 | INITVAL_31 |
    INITVAL_32 | INITVAL_33 | INITVAL_34 | INITVAL_35 | INITVAL_36 | INITVAL_37 | INITVAL_38 | INITVAL_39 | INITVAL_3A | INITVAL_3B |
    INITVAL_3C | INITVAL_3D | INITVAL_3E | INITVAL_3F;

  localparam UNKNOWN = REGMODE_A != "NOREG" || REGMODE_B != "NOREG" || CSDECODE_A != "0b000" ||
                       CSDECODE_B != "0b000" || CLKAMUX != "CLKA" || CLKBMUX != "CLKB";

  initial if (UNKNOWN || contents != 0) begin
    $display("%m: a mode of DP16KD, or initial contents, that the model does not know");
    $stop;
  end

  // 1,024 rows of two bytes of nine bits; a width below nine uses eight of them.  A row of 36 bits is two of these: its low
  // half on A's data pins, its high half on B's; A writes it, B reads it.
  reg [17:0] mem [0:1023];

  localparam WIDE_A = DATA_WIDTH_A == 36;
  localparam WIDE_B = DATA_WIDTH_B == 36;

  // First bit in the row of what an address names.
  function [4:0] place(input integer width, input [3:0] a);
    case (width)
      1:       place = (a[3] ? 5'd9 : 5'd0) + {2'b0, a[2:0]};
      2:       place = (a[3] ? 5'd9 : 5'd0) + {2'b0, a[2:1], 1'b0};
      4:       place = (a[3] ? 5'd9 : 5'd0) + {2'b0, a[2], 2'b0};
      9:       place = a[3] ? 5'd9 : 5'd0;
      default: place = 5'd0;
    endcase
  endfunction

  // Bits of the row that a write changes; 18 and 36: an enable for each byte in the lowest address bits.
  function [17:0] mask(input integer width, input [3:0] a);
    case (width)
      1:       mask = 18'h1 << place(width, a);
      2:       mask = 18'h3 << place(width, a);
      4:       mask = 18'hF << place(width, a);
      9:       mask = 18'h1FF << place(width, a);
      default: mask = {{9{a[1]}}, {9{a[0]}}};
    endcase
  endfunction

  wire        wea    = CEA && WEA && {CSA2, CSA1, CSA0} == 0;
  wire        web    = CEB && WEB && {CSB2, CSB1, CSB0} == 0;
  wire [9:0]  row_a  = WIDE_A ? {ada[13:5], 1'b0} : ada[13:4];
  wire [9:0]  row_b  = WIDE_B ? {adb[13:5], 1'b0} : adb[13:4];
  wire [17:0] data_a = DATA_WIDTH_A >= 18 ? dia : dia << place(DATA_WIDTH_A, ada[3:0]);
  wire [17:0] data_b = DATA_WIDTH_B >= 18 ? dib : dib << place(DATA_WIDTH_B, adb[3:0]);
  wire [17:0] mask_a = wea ? mask(DATA_WIDTH_A, ada[3:0]) : 18'd0;
  wire [17:0] high_a = wea && WIDE_A ? {{9{ada[3]}}, {9{ada[2]}}} : 18'd0;    // in row_a + 1
  wire [17:0] mask_b = web ? mask(DATA_WIDTH_B, adb[3:0]) : 18'd0;

  // Bits that the other port writes, in the row that is read.
  wire [17:0] clash_a = row_a == row_b ? mask_b : 18'd0;
  wire [17:0] clash_b = row_b == row_a ? mask_a : row_b == (row_a | 10'd1) ? high_a : 18'd0;
  wire [17:0] clash_h = row_a == row_b ? high_a : row_a == (row_b | 10'd1) ? mask_a : 18'd0;   // in row_b + 1

  wire [17:0] seen_a = mem[row_a] ^ clash_a;
  wire [17:0] seen_b = mem[row_b] ^ clash_b;
  wire [17:0] next_a = (mem[row_a] & ~mask_a) | (data_a & mask_a);
  wire [17:0] next_b = (mem[row_b] & ~mask_b) | (data_b & mask_b);

  always @(posedge CLKA) begin
    if (wea && web && row_a == row_b) begin
      $display("%m: both ports write one row, which the model does not know");
      $stop;
    end
    if (RSTA || RSTB) begin
      $display("%m: a reset of the read data, which the model does not know");
      $stop;
    end
    if (wea) mem[row_a] <= next_a;
    if (wea && WIDE_A) mem[row_a | 10'd1] <= (mem[row_a | 10'd1] & ~high_a) | (dib & high_a);
    if (WIDE_B && CEB) doa <= seen_b;
    if (!WIDE_B && CEA && (!wea || WRITEMODE_A != "NORMAL"))
      doa <= (WRITEMODE_A == "WRITETHROUGH" ? next_a : seen_a) >> place(DATA_WIDTH_A, ada[3:0]);
  end

  always @(posedge CLKB) begin
    if (web) mem[row_b] <= next_b;
    if (CEB && WIDE_B) dob <= mem[row_b | 10'd1] ^ clash_h;
    else if (CEB && (!web || WRITEMODE_B != "NORMAL"))
      dob <= (WRITEMODE_B == "WRITETHROUGH" ? next_b : seen_b) >> place(DATA_WIDTH_B, adb[3:0]);
  end

endmodule

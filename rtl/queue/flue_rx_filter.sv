// Decides which received frames go on to the host, and makes the record that
// travels with them.
//
// Contract: combinational beside the stream between flue_csum_verify and the
//   park FIFO.  On a frame's last beat drop_o is high for a frame that ends
//   with bad, is shorter than an Ethernet header, is over the limit (the outer
//   tag not counted), or comes while reception is off; exactly one of the
//   reasons is high then.  meta_o is what is left of the frame after the tag
//   is removed.  Only a customer tag (0x8100) is: the completion carries the TCI
//   alone, so a service tag moved there would lose its type.
module flue_rx_filter
  import flue_pkg::*;
(
  input  logic        on_i,               // frames are wanted
  input  rx_cfg_t     cfg_i,
  input  logic        end_i,              // a frame's last beat moves
  input  logic        bad_i,
  input  hdr_t        hdr_i,
  input  rx_csum_t    csum_i,
  input  logic [13:0] len_i,              // of the frame

  output logic        drop_o,
  output logic        drop_bad_o,         // pulses, with end_i
  output logic        drop_runt_o,
  output logic        drop_long_o,
  output logic        drop_off_o,
  output rx_meta_t    meta_o
);

  localparam logic [13:0] ETH_BYTES = 14'd14;
  localparam logic [13:0] TAG_BYTES = 14'd4;

  logic has_tag, strip, runt, long;

  assign has_tag = hdr_i.vlan_count != '0;
  assign strip   = has_tag && !hdr_i.vlan_stag && cfg_i.vlan_strip;
  assign runt   = len_i < ETH_BYTES;
  assign long   = len_i > cfg_i.max_frame + (has_tag ? TAG_BYTES : '0);

  assign drop_bad_o  = end_i && bad_i;
  assign drop_runt_o = end_i && !bad_i && runt;
  assign drop_long_o = end_i && !bad_i && !runt && long;
  assign drop_off_o  = end_i && !bad_i && !runt && !long && !on_i;
  assign drop_o      = bad_i || runt || long || !on_i;

  assign meta_o = '{length:   len_i - (strip ? TAG_BYTES : '0),
                    csum:     csum_i,
                    vlan:     strip,
                    vlan_tci: strip ? hdr_i.vlan_tci : '0,
                    is_ipv6:  hdr_i.is_ipv6,
                    l4_off:   !(hdr_i.is_tcp || hdr_i.is_udp) ? '0 : hdr_i.l4_off - (strip ? 10'd4 : '0)};

endmodule

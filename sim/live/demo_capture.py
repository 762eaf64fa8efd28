"""What the capture says of who carried a connection's bytes: the engine, or the host's kernel.

The capture has the frames on the wire at the adapter (wire_tx, wire_rx) and those that the host's kernel gave to its interface
or got from it (host_tx, host_rx).  Payload that was on the wire and never passed the kernel's interface is the engine's.
"""

import struct

import live

WIRE, KERNEL = 1, 2
PORTS = {"wire_tx": (0, WIRE), "host_tx": (0, KERNEL), "wire_rx": (1, WIRE), "host_rx": (1, KERNEL)}   # way out 0, in 1
SYN, FIN = 0x02, 0x01


class Flow:
    """One connection, by the peer's port."""

    def __init__(self, length):
        self.first = [None, None]                   # sequence number of the first byte of each way
        self.carrier = bytearray(length), bytearray(length)
        self.frames = {port: 0 for port in PORTS}
        self.kernel_sent = []                       # times in us of what the kernel gave to its interface

    def take(self, port, time_ns, seq, flags, payload_bytes):
        way, who = PORTS[port]
        self.frames[port] += 1
        if port == "host_tx":
            self.kernel_sent.append(time_ns // 1000)
        if flags & SYN:
            self.first[way] = (seq + 1) & 0xFFFFFFFF
        elif payload_bytes and self.first[way] is not None:
            at = (seq - self.first[way]) & 0xFFFFFFFF
            marks, end = self.carrier[way], min(at + payload_bytes, len(self.carrier[way]))
            if at < end and (who == KERNEL or marks.find(KERNEL, at, end) < 0):
                marks[at:end] = bytes([who]) * (end - at)
            elif at < end:                          # the kernel's stay the kernel's
                marks[at:end] = bytes(KERNEL if m == KERNEL else WIRE for m in marks[at:end])

    def engine_bytes(self):
        """(sent, received): bytes on the wire that the kernel never had."""
        return tuple(marks.count(WIRE) for marks in self.carrier)

    def silent(self, spans):
        """Frames the kernel sent while the connection was in the adapter: [(from, to)] in us."""
        return sum(a <= t < b for a, b in spans for t in self.kernel_sent)


def segment(frame):
    """(port of sender, port of receiver, seq, flags, payload bytes) of a TCP segment over IPv4, else None."""
    if len(frame) < 54 or frame[12:14] != b"\x08\x00" or frame[23] != 6:
        return None
    total, tcp = struct.unpack_from(">H", frame, 16)[0], 14 + (frame[14] & 15) * 4
    source, destination, seq = struct.unpack_from(">HHI", frame, tcp)
    # The kernel's super-segments may say 0.
    end = 14 + total if total else len(frame)
    return source, destination, seq, frame[tcp + 13], end - tcp - (frame[tcp + 12] >> 4) * 4


def flows(path, lengths):
    """{peer's port: Flow}; lengths: {peer's port: bytes of each way}."""
    found = {port: Flow(length) for port, length in lengths.items()}
    for name, time_ns, frame in live.capture_packets(path):
        s = segment(frame) if name in PORTS else None
        if s:
            flow = found.get(s[1] if PORTS[name][0] == 0 else s[0])
            if flow:
                flow.take(name, time_ns, s[2], s[3], s[4])
    return found

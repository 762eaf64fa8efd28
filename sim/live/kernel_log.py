"""What the kernel logs while something runs."""

import os
import re

WARNING = 4                       # level of a syslog line; more serious ones are lower
OURS = re.compile(r"\b(flued?|flue0|duplex|peer0|TCP)\b")


class KernelLog:
    """Lines of /dev/kmsg from now on."""

    def __init__(self):
        self.fd, self.reason = None, None
        try:
            self.fd = os.open("/dev/kmsg", os.O_RDONLY | os.O_NONBLOCK)
            os.lseek(self.fd, 0, os.SEEK_END)
        except OSError as e:
            self.reason = f"/dev/kmsg: {e.strerror}"

    def lines(self):
        """[(level, text)] since the beginning; None: it cannot be read here, `reason` says why."""
        if self.fd is None:
            return None
        found = []
        while True:
            try:
                record = os.read(self.fd, 8192).decode(errors="replace")
            except BlockingIOError:
                break
            except BrokenPipeError:               # overwritten before it was read: go on with the oldest
                found.append((WARNING, "(lines were lost)"))
                continue
            head, _, text = record.partition(";")
            found.append((int(head.split(",")[0]) & 7, text.splitlines()[0]))
        os.close(self.fd)
        self.fd = None
        return found


def complaints(lines):
    """Those that are not clean: warnings and worse, and whatever names us."""
    return [text for level, text in lines if level <= WARNING or OURS.search(text)]

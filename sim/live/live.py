"""Two Linux hosts joined by a simulated adapter: what the demonstration and the live tests share.

Everything made here has a name of its own and is gone at any exit: namespaces, interfaces, processes, files.
"""

import argparse
import atexit
import json
import os
import random
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BUILD = ROOT / "build"
BIN = BUILD / "bin"
HOST4, PEER4 = "192.0.2.1", "192.0.2.2"
HOST6, PEER6 = "2001:db8::1", "2001:db8::2"


def missing():
    """Why nothing live can run here, or None."""
    if not os.path.exists("/dev/net/tun"):
        return "/dev/net/tun does not exist (load the tun module)"
    if not os.access("/dev/net/tun", os.R_OK | os.W_OK):
        return "/dev/net/tun may not be opened by this user (run as root, or chmod 666 /dev/net/tun)"
    if not shutil.which("ip"):
        return "the program ip is missing (Debian package iproute2)"
    if os.geteuid() != 0:
        return "not root, and an own user and network namespace could not be had"
    probe = f"flue-{os.getpid()}-probe"
    done = subprocess.run(["ip", "netns", "add", probe], capture_output=True, text=True)
    if done.returncode:
        return f"network namespaces cannot be made: {done.stderr.strip()}"
    subprocess.run(["ip", "netns", "del", probe], check=False)
    return None


def become_able():
    """As an ordinary user go on as root of an own user, network and mount namespace, where the system allows it."""
    if os.geteuid() == 0 or os.environ.get("FLUE_UNSHARED") or not os.access("/dev/net/tun", os.R_OK | os.W_OK):
        return
    inside = ["unshare", "-U", "-r", "-n", "-m"]
    if subprocess.run([*inside, "mount", "-t", "tmpfs", "none", "/run"], capture_output=True).returncode:
        return
    os.environ["FLUE_UNSHARED"] = "1"
    os.execvp("unshare", [*inside, "sh", "-c", 'mount -t tmpfs none /run && exec "$@"', "sh", sys.executable, *sys.argv])


def capture_packets(path):
    """Packets of a pcapng file in order: (port name, time in ns, bytes)."""
    with open(path, "rb") as f:
        data, ports, at = f.read(), [], 0
    while at + 12 <= len(data):
        kind, length = struct.unpack_from("<II", data, at)
        if length < 12 or at + length > len(data):
            break
        if kind == 1:                                   # interface: its name is option 2
            name, o, end = "", at + 16, at + length - 4
            while o + 4 <= end:
                code, size = struct.unpack_from("<HH", data, o)
                if code == 2:
                    name = data[o + 4:o + 4 + size].decode()
                o += 4 + (size + 3) // 4 * 4
            ports.append(name)
        elif kind == 6:                                 # enhanced packet
            port, high, low, size = struct.unpack_from("<IIII", data, at + 8)
            yield ports[port], high << 32 | low, data[at + 28:at + 28 + size]
        at += length


def read_capture(path):
    """Packets of a pcapng file in order: (port name, bytes)."""
    for port, _, frame in capture_packets(path):
        yield port, frame


class Hosts:
    """Two network namespaces: the host that uses the adapter, and its peer."""

    def __init__(self):
        self.host, self.peer = (f"flue-{os.getpid()}-{n}" for n in ("host", "peer"))
        self.folder = Path(tempfile.mkdtemp(prefix="flue-live-"))
        self.children = []
        self.daemon = None
        atexit.register(self.close)
        for sig in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
            signal.signal(sig, lambda number, frame: sys.exit(128 + number))
        for ns in (self.host, self.peer):
            subprocess.run(["ip", "netns", "add", ns], check=True)
            self.run(ns, "ip", "link", "set", "lo", "up")
            # No duplicate address detection: addresses work at once.  Names of interfaces come later, so the defaults.
            for key in ("net.ipv6.conf.default.accept_dad=0", "net.ipv6.conf.all.accept_dad=0"):
                self.run(ns, "sysctl", "-qw", key, check=False)

    def run(self, ns, *command, check=True, timeout=60, **more):
        more = {"capture_output": True, "text": True, **more}
        return subprocess.run(["ip", "netns", "exec", ns, *map(str, command)], check=check, timeout=timeout, **more)

    def start(self, ns, *command, **more):
        """A process inside; ended by close() if it has not ended by itself."""
        child = subprocess.Popen(["ip", "netns", "exec", ns, *map(str, command)], **more)
        self.children.append(child)
        return child

    def flued(self, *options, width=128):
        """Start the daemon and wait until it serves."""
        self.socket = self.folder / "flued.sock"
        self.log = self.folder / "flued.log"
        command = [BIN / "flued", "--netns", self.host, "--tap", "flue0", "--wire-tap", f"peer0@{self.peer}",
                   "--width", width, "--socket", self.socket, "--model-dir", BIN]
        for a, b in ((HOST4, PEER4), (HOST6, PEER6)):
            prefix = 64 if ":" in a else 24
            command += ["--address", f"{a}/{prefix}", "--wire-address", f"{b}/{prefix}"]
        with open(self.log, "w") as log:
            self.daemon = subprocess.Popen([*map(str, command), *map(str, options)], stdout=log, stderr=log)
        self.children.append(self.daemon)
        until = time.monotonic() + 30
        while time.monotonic() < until:
            if self.daemon.poll() is not None:
                break
            if self.flue("log").returncode == 0:
                return
            time.sleep(0.05)
        raise RuntimeError(f"flued did not start: {self.log.read_text().strip()}")

    def flue(self, *arguments, **more):
        more = {"capture_output": True, "text": True, "timeout": 30, **more}
        return subprocess.run([str(BIN / "flue"), "--socket", str(self.socket), *map(str, arguments)], **more)

    def ask(self, *arguments):
        """The daemon's answer; RuntimeError when it does not give one."""
        done = self.flue("--json", *arguments)
        try:
            return json.loads(done.stdout)
        except json.JSONDecodeError:
            raise RuntimeError(f"flue {' '.join(map(str, arguments))}: {done.stderr.strip()}") from None

    def stat(self):
        return self.ask("stat")

    def stop_flued(self):
        """End the daemon in an orderly way; its exit status."""
        if self.daemon is None:
            return None
        if self.daemon.poll() is None:
            self.flue("stop")
            try:
                self.daemon.wait(30)
            except subprocess.TimeoutExpired:
                self.daemon.kill()
                self.daemon.wait()
        status, self.daemon = self.daemon.returncode, None
        return status

    def snmp(self, ns):
        """Counters of /proc/net/snmp and netstat, "TcpOutRsts": 3."""
        values = {}
        text = self.run(ns, "cat", "/proc/net/snmp", "/proc/net/netstat").stdout.splitlines()
        for names, numbers in zip(text[::2], text[1::2]):
            group, *rest = names.split()
            for name, number in zip(rest, numbers.split()[1:]):
                values[group.rstrip(":") + name] = int(number)
        for line in self.run(ns, "cat", "/proc/net/snmp6", check=False).stdout.splitlines():
            name, number = line.split()
            values[name] = int(number)
        return values

    def close(self):
        atexit.unregister(self.close)
        for child in self.children:
            if child.poll() is None:
                child.terminate()
                try:
                    child.wait(10)
                except subprocess.TimeoutExpired:
                    child.kill()
                    child.wait()
        for ns in (self.host, self.peer):
            subprocess.run(["ip", "netns", "del", ns], capture_output=True, check=False)
        shutil.rmtree(self.folder, ignore_errors=True)


def run_tests(tests, daemon):
    """
    The main program of a suite: each test gets hosts of its own, with the options of its attribute `options`, and daemon(path of
    flued's socket).  Exit status.
    """
    p = argparse.ArgumentParser()
    p.add_argument("--only", action="append", help="name of a test; may be repeated")
    p.add_argument("--seed", type=int)
    a = p.parse_args()
    become_able()
    chosen = [t for t in tests if not a.only or t.__name__ in a.only]
    reason, failed = missing(), 0
    if reason:
        for t in chosen:
            print(f"SKIP {t.__name__}: {reason}")
        print(f"0 passed, 0 failed, {len(chosen)} skipped")
        return 0
    seed = a.seed or random.SystemRandom().randrange(1, 1 << 31)
    print(f"seed {seed}", flush=True)
    for test in chosen:
        random.seed(seed)
        hosts = Hosts()
        try:
            hosts.flued("--seed", seed, *getattr(test, "options", ()))
            test(hosts, daemon(hosts.socket))
            said = [l for l in hosts.log.read_text().splitlines() if "error: " in l or "monitor: " in l]
            status = hosts.stop_flued()
            if said or status:
                raise AssertionError(said[0] if said else f"flued ended with status {status}")
            print(f"ok   {test.__name__}", flush=True)
        except (AssertionError, subprocess.SubprocessError, RuntimeError, OSError, KeyError, ValueError) as e:
            failed += 1
            print(f"FAIL {test.__name__}: {e!r}", *hosts.log.read_text().splitlines()[-3:], sep="\n     ", flush=True)
        hosts.close()
    print(f"{len(chosen) - failed} passed, {failed} failed, 0 skipped")
    return 1 if failed else 0

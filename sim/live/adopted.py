"""Connections that flued adopted: its control socket, and a program at each end of a connection."""

import array
import ctypes
import json
import os
import select
import socket
import subprocess
import time

import live

CONNECT_S = 20
TICK_S = 0.1


class Daemon:
    """flued's control socket: one request at a time."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.socket.connect(str(path))
        self.lines = self.socket.makefile("r")

    def ask(self, **request):
        self.socket.sendall(json.dumps(request).encode() + b"\n")
        line = self.lines.readline()
        if not line:
            raise RuntimeError("flued is gone")
        return json.loads(line)

    def connections(self):
        """By id, without what the engine would have to be asked for: that takes the time of a command each."""
        return {c["id"]: c for c in self.ask(verb="connections", brief=True).get("connections", [])}

    def ended(self):
        """Those that have ended, by id, as they last were."""
        return {c["id"]: c for c in self.ask(verb="connections", brief=True).get("ended", [])}


class Stream:
    """One connection between two programs; the host's one has flued's local socket in exchange for its own."""

    def __init__(self, hosts, port, megabytes, address=live.PEER4, options=()):
        self.port, self.bytes = port, megabytes << 20
        program = live.BIN / "duplex"
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        self.peer = hosts.start(hosts.peer, program, "listen", address, port, megabytes, *options, **pipes)
        while self.peer.poll() is None and f":{port} " not in hosts.run(hosts.peer, "ss", "-ltnH").stdout:
            time.sleep(0.02)
        self.host = hosts.start(hosts.host, program, "connect", address, port, megabytes, "--adopt", hosts.socket, *options,
                                **pipes)
        until = time.monotonic() + CONNECT_S
        while not select.select([self.host.stdout], [], [], TICK_S)[0]:
            if hosts.daemon.poll() is not None or time.monotonic() > until:
                raise RuntimeError("no connection came about")
        answer = json.loads(self.host.stdout.readline() or '{"error": "no connection"}')
        if "id" not in answer:
            raise RuntimeError(answer.get("error"))
        self.id = answer["id"]

    def done(self):
        return self.host.poll() is not None and self.peer.poll() is not None

    def wait(self, seconds):
        """Both results, or RuntimeError with what a program said."""
        until = time.monotonic() + seconds
        while not self.done() and time.monotonic() < until:
            time.sleep(TICK_S)
        self.kill()
        host, peer = self.results()
        for r, child in ((host, self.host), (peer, self.peer)):
            if not r or r["status"]:
                raise RuntimeError(child.stderr.read().strip() or f"no result after {seconds} s")
        if (host["sent_hash"], peer["sent_hash"]) != (peer["received_hash"], host["received_hash"]):
            raise RuntimeError("the content of the two sides is not equal")
        return host, peer

    def kill(self):
        for child in (self.host, self.peer):
            if child.poll() is None:
                child.kill()
                child.wait()

    @staticmethod
    def _result(child):
        lines = child.stdout.read().strip().splitlines()
        return json.loads(lines[-1]) if lines else None

    def results(self):
        """(host, peer): what the programs printed at their end, None where they did not."""
        return self._result(self.host), self._result(self.peer)


def socket_in(namespace, family=socket.AF_INET, kind=socket.SOCK_STREAM):
    """A socket of another network namespace; this process stays in its own."""
    libc = ctypes.CDLL(None, use_errno=True)
    back, there = os.open("/proc/self/ns/net", os.O_RDONLY), os.open(f"/run/netns/{namespace}", os.O_RDONLY)
    try:
        if libc.setns(there, 0):
            raise OSError(ctypes.get_errno(), "setns")
        made = socket.socket(family, kind)
        if libc.setns(back, 0):
            raise OSError(ctypes.get_errno(), "setns")
    finally:
        os.close(back)
        os.close(there)
    made.settimeout(CONNECT_S)
    return made


class Pair:
    """One connection with both programs here: `host`, the local socket flued gave in exchange, and `peer`."""

    def __init__(self, hosts, port, address=live.PEER4):
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        listener, connects = socket_in(hosts.peer, family), socket_in(hosts.host, family)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((address, port))
        listener.listen(1)
        connects.connect((address, port))
        self.peer, self.address = listener.accept()[0], connects.getsockname()
        self.peer.settimeout(CONNECT_S)
        listener.close()
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as control:
            control.connect(str(hosts.socket))
            control.sendmsg([b'{"verb":"adopt"}\n'],
                            [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [connects.fileno()]))])
            text, ancillary, _, _ = control.recvmsg(4096, socket.CMSG_SPACE(4))
        connects.close()
        answer = json.loads(text)
        if not answer["ok"]:
            raise RuntimeError(answer["error"])
        self.id = answer["id"]
        self.host = socket.socket(fileno=array.array("i", ancillary[0][2])[0])
        self.host.settimeout(CONNECT_S)

    def close(self):
        self.host.close()
        self.peer.close()

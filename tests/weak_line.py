"""A bad line between a client and a server: a TCP proxy that cuts, resets, stalls, or answers in the server's place."""

import contextlib
import re
import select
import socket
import struct
import threading
from dataclasses import dataclass
from urllib.parse import urlsplit

PIECE = 4096


@dataclass(frozen=True)
class Fault:
    """What becomes of one connection: after `up` bytes to the server or `down` bytes to the client it is cut.

    kind: cut (closed) · reset (RST) · stall (nothing passes any more) · answer (`raw` instead of the server's answer)
    """

    kind: str = "cut"
    up: int | None = None
    down: int | None = None
    raw: bytes = b""


def answering(status, body=b"{}", *headers, content_type="application/json"):
    """A whole answer of ours."""
    lines = [
        f"HTTP/1.1 {status} X",
        f"Content-Type: {content_type}",
        f"Content-Length: {len(body)}",
        "Connection: close",
        *headers,
    ]
    return Fault("answer", raw="\r\n".join([*lines, "", ""]).encode() + body)


class WeakLine:
    """Each new connection meets the next fault; when there are no more, the line is good."""

    def __init__(self, url="http://127.0.0.1:9", faults=(), *, always=None):
        parts = urlsplit(url)
        self.target = (parts.hostname, parts.port)
        self.faults, self.always = list(faults), always
        self.connections = self.up = self.down = 0
        self.heard = b""
        self.open, self.closing = set(), False
        self.listening = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.url = f"http://127.0.0.1:{self.listening.getsockname()[1]}"
        self.thread = threading.Thread(target=self._accept, daemon=True)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_error):
        self.closing = True
        with contextlib.suppress(OSError):
            self.listening.shutdown(socket.SHUT_RDWR)
        self.listening.close()
        for one in list(self.open):
            self._close(one)
        self.thread.join(5)

    def requests(self):
        """Method and path of every request that was begun."""
        return [
            (method.decode(), path.decode())
            for method, path in re.findall(rb"(GET|POST|PATCH) (\S+) HTTP/1\.1\r\n", self.heard)
        ]

    def header(self, name):
        """Every value of a header, in the order in which they came."""
        return [
            one.decode() for one in re.findall(rb"(?im)^" + name.encode() + rb":[ ]*([^\r]*)\r$", self.heard)
        ]

    def _accept(self):
        while not self.closing:
            try:
                client, _ = self.listening.accept()
            except OSError:
                return
            fault = self.faults.pop(0) if self.faults else self.always
            self.connections += 1
            threading.Thread(target=self._carry, args=(client, fault), daemon=True).start()

    def _carry(self, client, fault):
        self.open.add(client)
        try:
            if fault is not None and fault.kind == "answer":
                self._answer(client, fault.raw)
                return
            with socket.create_connection(self.target, timeout=10) as server:
                self.open.add(server)
                self._pump(client, server, fault)
                self.open.discard(server)
        except OSError:
            pass
        finally:
            self.open.discard(client)
            self._close(client, reset=fault is not None and fault.kind == "reset")

    def _answer(self, client, raw):
        """Read one request whole, then answer."""
        client.settimeout(20)
        request = b""
        while b"\r\n\r\n" not in request:
            request += client.recv(PIECE) or b"\r\n\r\n"
        length = re.search(rb"(?i)content-length: *(\d+)", request)
        wanted = request.index(b"\r\n\r\n") + 4 + int(length[1] if length else 0)
        while len(request) < wanted:
            piece = client.recv(PIECE)
            if not piece:
                break
            request += piece
        self.heard += request
        client.sendall(raw)
        client.shutdown(socket.SHUT_WR)
        with contextlib.suppress(OSError):
            while client.recv(PIECE):
                pass

    def _pump(self, client, server, fault):
        up = down = 0
        while not self.closing:
            for ready in select.select([client, server], [], [], 0.2)[0]:
                if ready is client:
                    left = None if fault is None or fault.up is None else fault.up - up
                else:
                    left = None if fault is None or fault.down is None else fault.down - down
                piece = ready.recv(PIECE if left is None else max(1, min(PIECE, left)))
                if not piece:
                    return
                if left is not None and left <= 0:
                    if fault.kind == "stall":
                        self._hang(client)
                    return
                if ready is client:
                    up, self.up, self.heard = up + len(piece), self.up + len(piece), self.heard + piece
                    server.sendall(piece)
                else:
                    down, self.down = down + len(piece), self.down + len(piece)
                    client.sendall(piece)

    def _hang(self, client):
        """Nothing passes any more; until the client goes."""
        while not self.closing:
            if select.select([client], [], [], 0.2)[0] and not client.recv(PIECE):
                return

    @staticmethod
    def _close(one, *, reset=False):
        with contextlib.suppress(OSError):
            if reset:
                one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            one.close()

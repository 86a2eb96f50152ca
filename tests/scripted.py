"""A server that answers with the bytes it is told, and a resolver that says what it is told: both as values."""

import asyncio
import contextlib
import socket
from dataclasses import dataclass, field

from aiohttp import abc


@dataclass
class Scripted:
    """`answers`: what each connection meets, the last one for ever: bytes, or a coroutine function of the writer."""

    answers: list
    port: int = 0
    requests: list = field(default_factory=list)
    talking: dict = field(default_factory=dict)

    async def _serve(self, reader, writer):
        self.talking[asyncio.current_task()] = writer
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            head = await reader.readuntil(b"\r\n\r\n")
            length = next(
                (
                    int(line.split(b":")[1])
                    for line in head.split(b"\r\n")
                    if line.lower().startswith(b"content-length:")
                ),
                0,
            )
            self.requests.append((head, await reader.readexactly(length)))
            answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
            if isinstance(answer, bytes):
                writer.write(answer)
                await writer.drain()
            else:
                await answer(writer)
        with contextlib.suppress(ConnectionError):
            writer.close()
            await writer.wait_closed()


@contextlib.asynccontextmanager
async def scripted(*answers, host="127.0.0.1", ssl=None):
    """A server of those answers; connections still open at the end are ended."""
    told = Scripted(list(answers))
    server = await asyncio.start_server(told._serve, host, 0, ssl=ssl)
    told.port = server.sockets[0].getsockname()[1]
    try:
        yield told
    finally:
        server.close()
        for task, writer in told.talking.items():
            writer.transport.abort()
            task.cancel()
        await asyncio.gather(*told.talking, return_exceptions=True)
        await asyncio.sleep(0)


def answered(status=200, body=b"ok", *headers, length=None):
    """The bytes of one answer."""
    lines = [f"HTTP/1.1 {status} X", f"Content-Length: {len(body) if length is None else length}", *headers]
    return "\r\n".join([*lines, "", ""]).encode() + body


class Names(abc.AbstractResolver):
    """Answers from a table, name -> answers in turn, the last one for ever; each answer is addresses."""

    def __init__(self, **table):
        self.table = {name.replace("_", "."): list(turns) for name, turns in table.items()}
        self.asked = []

    async def resolve(self, host, port=0, _family=socket.AF_UNSPEC):
        self.asked.append(host)
        turns = self.table.get(host.lower().rstrip("."))
        if turns is None:
            raise OSError(f"no such name: {host}")
        addresses = turns.pop(0) if len(turns) > 1 else turns[0]
        return [
            {
                "hostname": host, "host": one, "port": port,
                "family": socket.AF_INET6 if ":" in one else socket.AF_INET, "proto": 0, "flags": 0,
            }
            for one in addresses
        ]  # fmt: skip

    async def close(self):
        pass

"""Services on loopback: an ntfy-like one or webhook, and a mail server. They keep what they were sent."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any


class WebService:
    """Answers every POST with `status`; a silent one reads it and never answers. `got`: the JSON bodies."""

    def __init__(self, status: int = 200, *, is_silent: bool = False) -> None:
        self.status, self.is_silent = status, is_silent
        self.got: list[dict[str, Any]] = []
        self.heads: list[str] = []
        self.port = 0

    @asynccontextmanager
    async def serving(self) -> AsyncIterator["WebService"]:
        """Listen on a free port of this machine until left."""
        server = await asyncio.start_server(self._answer, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            server.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        length = next(
            int(line[15:]) for line in head.lower().splitlines() if line.startswith("content-length:")
        )
        self.heads.append(head)
        self.got.append(json.loads(await reader.readexactly(length)))
        if self.is_silent:
            await reader.read()
        body = b'{"error": "unknown user CanaryToken99"}'
        line = f"HTTP/1.1 {self.status} said\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
        writer.write(line.encode() + body)
        await writer.drain()
        writer.close()


class MailService:
    """Takes every mail for everybody, without asking who is there. `mails`: as they were written."""

    def __init__(self) -> None:
        self.mails: list[str] = []
        self.port = 0

    @asynccontextmanager
    async def serving(self) -> AsyncIterator["MailService"]:
        """Listen on a free port of this machine until left."""
        server = await asyncio.start_server(self._talk, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            server.close()

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 here\r\n")
        while line := (await reader.readline()).decode().strip():
            verb = line.split()[0].upper()
            if verb == "DATA":
                writer.write(b"354 go on\r\n")
                self.mails.append((await reader.readuntil(b"\r\n.\r\n")).decode())
            writer.write(b"221 bye\r\n" if verb == "QUIT" else b"250 ok\r\n")
            await writer.drain()
            if verb == "QUIT":
                break
        writer.close()

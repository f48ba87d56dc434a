"""An examination of a real server, and what it takes to make one."""

from __future__ import annotations

import asyncio
import base64
import json
import socket
import ssl
import time
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cadenza_tui.credentials import sources
from cadenza_tui.doctor.examination import checks, examine
from cadenza_tui.doctor.subject import Subject, Target
from cadenza_tui.wire.channels import API_PAGE

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    import trustme

    from cadenza_tui.doctor.finding import Finding

BTC = "BINANCE:BTC/USDT"
BOOK = f"market:orderBook:{BTC}"
SECRET = "s3cr3t-signature"


def token(**claims: Any) -> str:
    """Return what looks like a token with these claims."""
    body = base64.urlsafe_b64encode(json.dumps({"sub": "desk", **claims}).encode()).decode().rstrip("=")
    return f"eyJhbGciOiJIUzI1NiJ9.{body}.{SECRET}"


def target(url: str, *, bearing: str | None = None, **changes: Any) -> Target:
    """Return a target with the token ``bearing``; one of an hour where nothing is said."""
    bearing = token(exp=time.time() + 3_600) if bearing is None else bearing
    named: dict[str, Any] = {
        "label": "profile test",
        "url": url,
        "config": Path("config.toml"),
        "config_exists": True,
        "templates": API_PAGE,
        "instruments": (BTC,),
        "token": lambda: sources.fixed(bearing),
        "how": "set CADENZA_TOKEN",
    }
    return Target(**(named | changes))


async def examined(
    found: Target | Callable[[], Target],
    *,
    quickly: float = 2.0,
    clock: Callable[[], float] = time.time,
) -> dict[str, Finding]:
    """Return the findings by their names; nothing is left open."""
    find = found if callable(found) else lambda: found
    subject = Subject(find, quickly=quickly, clock=clock)
    findings = [finding async for finding in examine(subject, checks({"TERM": "xterm"}))]
    left = asyncio.all_tasks() - {asyncio.current_task()}
    assert not [task for task in left if "cadenza_tui" in repr(task)]
    assert not [finding for finding in findings if SECRET in repr(finding)]
    return {finding.name: finding for finding in findings}


def unused_port() -> int:
    """Return a port at which nothing listens."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
    return port


@asynccontextmanager
async def saying(answer: bytes) -> AsyncIterator[int]:
    """Run a server that says ``answer`` to whatever it is told first; yields its port."""

    async def say(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(65_536)
        writer.write(answer)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(say, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        await server.wait_closed()


def serving(certificate: trustme.LeafCert) -> ssl.SSLContext:
    """Return a server's context with this certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(context)
    return context


def trusting(authority: trustme.CA) -> ssl.SSLContext:
    """Return a client's context that trusts this authority alone."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    authority.configure_trust(context)
    return context

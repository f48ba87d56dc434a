"""Servers and stores for the tests of logins."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import jwt
import msgspec

from cadenza_tui.credentials.keyrings import SystemKeyring
from cadenza_tui.credentials.secret import Secret
from cadenza_tui.credentials.session import with_grant
from cadenza_tui.credentials.store import Login, Store
from cadenza_tui.simulator.auth import EMAIL, PASSWORD, Auth
from cadenza_tui.simulator.http import Http

if TYPE_CHECKING:
    import ssl
    from collections.abc import AsyncIterator, Awaitable, Callable
    from pathlib import Path

    from cadenza_tui.credentials.rest import Rest

KEY = "0123456789abcdef0123456789abcdef"
PROFILE = "desk"


def make(exp: float | None = None, **more: object) -> str:
    """Return a signed token."""
    claims: dict[str, object] = {"sub": "trader"} | ({} if exp is None else {"exp": exp}) | more
    return jwt.encode(claims, KEY, algorithm="HS256")


class MemoryKeyring:
    """A keyring that works."""

    name = "memory"
    priority = 5

    def __init__(self) -> None:
        self.kept: dict[tuple[str, str], str] = {}

    def get_password(self, service: str, username: str) -> str | None:
        """Return what is kept."""
        return self.kept.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        """Keep it."""
        self.kept[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        """Forget it."""
        del self.kept[service, username]


def file_store(tmp_path: Path) -> Store:
    """Return a store on a system without a keyring."""
    return Store(tmp_path / "logins", SystemKeyring(find=lambda: None))


@asynccontextmanager
async def auth_server(auth: Auth) -> AsyncIterator[str]:
    """The simulator's REST; gives its address."""
    http = Http(auth.routes())
    await http.start()
    try:
        yield http.url
    finally:
        await http.stop()


async def log_in(rest: Rest, store: Store, *, access: bool = True) -> Login:
    """Log in as the command does; without ``access`` the access token is not kept."""
    grant = await rest.login(EMAIL, Secret(PASSWORD))
    login = with_grant(Login(PROFILE, rest.url, "d…@example.com", grant.refresh), grant)
    if not access:
        login = Login(PROFILE, rest.url, "d…@example.com", grant.refresh)
    with store.locked(PROFILE):
        store.save(login)
    return login


@asynccontextmanager
async def scripted(
    answer: Callable[[bytes, asyncio.StreamWriter], Awaitable[None]], tls: ssl.SSLContext | None = None
) -> AsyncIterator[str]:
    """A server that reads one request and hands it to ``answer``; gives its address."""

    serving: set[asyncio.Task[None] | None] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        serving.add(asyncio.current_task())
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            length = int(head.lower().partition(b"content-length:")[2].split(b"\r\n")[0] or b"0")
            await answer(head + await reader.readexactly(length), writer)
        except (OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=tls)
    port = server.sockets[0].getsockname()[1]
    try:
        yield f"http{'s' if tls else ''}://127.0.0.1:{port}"
    finally:
        server.close()
        for task in serving:
            if task is not None:
                task.cancel()


def response(status: int, body: object, **headers: str) -> bytes:
    """Return an HTTP answer; ``body`` is JSON unless it is bytes."""
    content = body if isinstance(body, bytes) else msgspec.json.encode(body)
    lines = [f"HTTP/1.1 {status} x", f"content-length: {len(content)}", "connection: close"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + content


def always(reply: bytes) -> Callable[[bytes, asyncio.StreamWriter], Awaitable[None]]:
    """Return an ``answer`` that always gives the same."""

    async def answer(_request: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(reply)
        await writer.drain()

    return answer

"""Where the real server asks for the answers to RPC: a loopback HTTP server in a thread of the tests'."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Answer: TypeAlias = Callable[[str, Any], Any]
    """``(user, data)`` to the result's data; may raise RpcRefused."""


class RpcRefused(Exception):
    """The answer is an error of the protocol's."""

    def __init__(self, code: int, message: str, *, temporary: bool = False) -> None:
        super().__init__(message)
        self.error: dict[str, Any] = {"code": code, "message": message, "temporary": temporary}


class RpcProxy(ThreadingHTTPServer):
    """Answers by method; one that nobody answers is `method not found`, as without a proxy."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.answers: dict[str, Answer] = {}

    @property
    def endpoint(self) -> str:
        """The address for the server's configuration."""
        return f"http://127.0.0.1:{self.server_port}/rpc"

    def answer(self, request: dict[str, Any]) -> dict[str, Any]:
        """Return what goes back to the server."""
        answer = self.answers.get(request.get("method", ""))
        if answer is None:
            return {"error": {"code": 104, "message": "method not found"}}
        try:
            return {"result": {"data": answer(request["user"], request.get("data"))}}
        except RpcRefused as refused:
            return {"error": refused.error}


class _Handler(BaseHTTPRequestHandler):
    server: RpcProxy

    def do_POST(self) -> None:
        request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        body = json.dumps(self.server.answer(request)).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Say nothing."""


def serving() -> Iterator[RpcProxy]:
    """Yield a proxy that serves, and end it."""
    with RpcProxy() as proxy:
        thread = threading.Thread(target=proxy.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        try:
            yield proxy
        finally:
            proxy.shutdown()
            thread.join()

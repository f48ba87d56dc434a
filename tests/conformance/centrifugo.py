"""The real server: its binary found, started on a free port, driven over its HTTP API, and surely ended."""

from __future__ import annotations

import http.client
import json
import os
import select
import shutil
import signal
import socket
import subprocess
import time
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

VERSION = "6.9.1"
ROOT = Path(__file__).parents[2]
SECRET = "a secret of the conformance tests, long enough for HS256"
API_KEY = "conformance"
START_WITHIN = 20.0
STOP_WITHIN = 10.0

# The shell holds the server and waits for the end of its stdin, which comes however its parent ends. Its
# stdout is the server's alone from the number on, so that its end tells the server's.
_HELD = '"$@" </dev/null & echo $!; exec >&-; read -r _; kill -KILL $!; wait'


class NoBinary(Exception):
    """Centrifugo is not on this machine."""

    def __init__(self, missing: str) -> None:
        super().__init__(
            f"{missing}: run `make centrifugo` (it needs Go), or name a binary in CADENZA_CENTRIFUGO"
        )


def find() -> Path:
    """Return the server's binary. Raises NoBinary."""
    named = os.environ.get("CADENZA_CENTRIFUGO")
    if named:
        if not Path(named).is_file():
            raise NoBinary(f"CADENZA_CENTRIFUGO names {named}, which is not there")
        return Path(named)
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    built = cache / "cadenza-tui" / f"centrifugo-{VERSION}" / "centrifugo"
    if built.is_file():
        return built
    on_path = shutil.which("centrifugo")
    if on_path is None:
        raise NoBinary(f"there is no Centrifugo {VERSION} here")
    return Path(on_path)


def free_port() -> int:
    """Return a port that nobody listens on."""
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def configuration(port: int, rpc_endpoint: str, log: str) -> dict[str, Any]:
    """Return the server's configuration: short intervals, and one namespace for each kind of channel.

    Position checks are left to publications, since a check also keeps a stream alive that `brief` is to lose.
    """
    kept = {"history_ttl": "300s", "force_recovery": True}
    free = {"allow_subscribe_for_client": True}
    namespaces: list[dict[str, Any]] = [
        {
            "name": "market",
            "history_size": 100,
            **kept,
            **free,
            "allow_history_for_subscriber": True,
            "allowed_delta_types": ["fossil"],
            "delta_publish": True,
        },
        {"name": "tradingAccount", "history_size": 100, **kept, **free},
        {"name": "small", "history_size": 2, **kept, **free},
        {"name": "private", "history_size": 100, **kept},
        {"name": "crowd", "presence": True, **free, "allow_presence_for_subscriber": True},
        {"name": "plain", **free},
        {
            "name": "brief",
            "history_size": 10,
            "history_ttl": "1s",
            "history_meta_ttl": "1s",
            "force_recovery": True,
            **free,
        },
    ]
    return {
        "http_server": {"address": "127.0.0.1", "port": port},
        "log": {"level": "error", "file": log},
        "health": {"enabled": True},
        "shutdown": {"timeout": "3s"},
        "client": {
            "token": {"hmac_secret_key": SECRET},
            "ping_interval": "2s",
            "pong_timeout": "1s",
            "stale_close_delay": "1s",
            "expired_close_delay": "1s",
            "expired_sub_close_delay": "1s",
            "presence_update_interval": "1s",
            "channel_position_check_delay": "3600s",
            "channel_limit": 128,
            "connect_include_server_time": True,
        },
        "http_api": {"key": API_KEY},
        "channel": {"namespaces": namespaces},
        "rpc": {
            "proxy": {"endpoint": rpc_endpoint},
            "without_namespace": {"proxy_enabled": True},
        },
    }


class ApiError(Exception):
    """The server's HTTP API refused a call."""


class Process:
    """One server process. Its port stays the same across restarts."""

    def __init__(self, binary: Path, folder: Path, rpc_endpoint: str) -> None:
        self.port = free_port()
        self._binary = binary
        self._config, self._log = folder / "centrifugo.json", folder / "log"
        self._config.write_text(json.dumps(configuration(self.port, rpc_endpoint, str(self._log))))
        self._holder: subprocess.Popen[bytes] | None = None
        self._pid = 0
        self._api: http.client.HTTPConnection | None = None
        self._check()

    @property
    def url(self) -> str:
        """Where clients connect."""
        return f"ws://127.0.0.1:{self.port}/connection/websocket"

    def start(self) -> None:
        """Start, and return when the server answers."""
        command = ["/bin/sh", "-c", _HELD, "sh", str(self._binary), "-c", str(self._config)]
        self._holder = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert self._holder.stdout is not None
        self._pid = int(self._holder.stdout.readline())
        deadline = time.monotonic() + START_WITHIN
        while not self._answers():
            if self._ended(0.01) or time.monotonic() > deadline:
                self.stop(signal.SIGKILL)
                raise RuntimeError(f"Centrifugo did not start: {self._log.read_text()[-2000:]}")

    def stop(self, number: signal.Signals = signal.SIGTERM) -> None:
        """End with a signal, and return when the process is gone."""
        if self._api is not None:
            self._api.close()
            self._api = None
        if self._holder is None:
            return
        if not self._ended(0):
            os.kill(self._pid, number)
            self._ended(STOP_WITHIN)
        holder, self._holder = self._holder, None
        holder.communicate()  # by the end of its stdin the holder ends what is left

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Call the HTTP API and return its result. Raises ApiError."""
        if self._api is None:
            self._api = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        body = json.dumps(parameters, ensure_ascii=False).encode()
        self._api.request("POST", f"/api/{method}", body, {"X-API-Key": API_KEY})
        with self._api.getresponse() as response:
            answer = json.loads(response.read())
        if "error" in answer:
            raise ApiError(f"{method}: {answer['error']}")
        result: dict[str, Any] = answer["result"]
        return result

    def _ended(self, within: float) -> bool:
        assert self._holder is not None
        assert self._holder.stdout is not None
        return bool(select.select([self._holder.stdout], [], [], within)[0])

    def _check(self) -> None:
        checked = subprocess.run(
            [self._binary, "checkconfig", "-c", self._config], capture_output=True, text=True, check=False
        )
        if checked.returncode:
            raise RuntimeError(f"Centrifugo refuses its configuration: {checked.stdout}{checked.stderr}")

    def _answers(self) -> bool:
        with closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=1)) as probe:
            try:
                probe.request("GET", "/health")
                return probe.getresponse().status == 200
            except OSError:
                return False


def running(binary: Path, folder: Path, rpc_endpoint: str) -> Iterator[Process]:
    """Yield a started server, and end it."""
    process = Process(binary, folder, rpc_endpoint)
    process.start()
    try:
        yield process
    finally:
        process.stop()

"""No password and no token but where it belongs: real programs, searched for what they must not show."""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support.terminal import Terminal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

pytestmark = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="reads /proc")

EMAIL = "demo@example.com"
PASSWORD = "hush-password-f3a9c1"
ACCESS_S = 2.5
BEGINNING = 60
"""What a traceback that cuts long texts would show of a token."""
BITCOIN = "BINANCE:BTC/USDT"

PLATFORM = f"""
import functools, sys
from cadenza_tui.simulator import auth, run
auth.PASSWORD = sys.stdin.readline().strip()
issued = open(sys.argv[1], "a", buffering=1)
grant = auth.Auth._grant
def noted(self, session, email):
    status, body = grant(self, session, email)
    issued.write(body.decode() + chr(10))
    return status, body
auth.Auth._grant = noted
run.Auth = functools.partial(auth.Auth, access_seconds={ACCESS_S})
run.simulate(instruments=2, rate=20.0, exit_with_stdin=True)
"""
"""The simulator with a password that can be searched for, tokens of seconds, and a list of those it gave."""

PROGRAM = """
import logging, os, sys
logging.basicConfig(filename=os.environ["TEST_LOG"], level=logging.DEBUG)
sys.argv[0] = "cadenza-tui"
{}
from cadenza_tui.__main__ import main
main()
"""
"""The program with every library's log at its most talkative."""

DEFECT = """
from cadenza_tui.centrifugo import session
def opened(self, token, *_):
    raise RuntimeError("a defect")
session.Session.opened = opened
"""


class Platform:
    """The servers, and all secrets that there are."""

    def __init__(self, url: str, rest: str, issued: Path) -> None:
        self.url, self.rest, self._issued = url, rest, issued

    def secrets(self) -> list[str]:
        """Return the password, and every token that was given; the signature of one counts too."""
        found = [PASSWORD]
        for line in self._issued.read_text().splitlines():
            session = json.loads(line)["data"]
            access = session["accessToken"]
            found += [session["refreshToken"], access, access.rpartition(".")[2]]
        return found


@pytest.fixture
def platform(tmp_path: Path) -> Iterator[Platform]:
    """The platform as a process."""
    issued = tmp_path / "issued"
    with subprocess.Popen(
        [sys.executable, "-c", PLATFORM, str(issued)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        bufsize=0,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(f"{PASSWORD}\n".encode())
        ready = json.loads(process.stdout.readline())
        try:
            yield Platform(ready["url"], ready["rest"], issued)
        finally:
            process.kill()


class Place:
    """A user's home, and everything that programs in it have written."""

    def __init__(self, folder: Path, platform: Platform) -> None:
        self.folder, self.platform = folder, platform
        self.output = bytearray()
        self.traces = 0
        (folder / "config.toml").write_text(
            f"[profiles.desk]\nurl = '{platform.url}'\nrest = '{platform.rest}'\n"
        )
        self.environment = {name: value for name, value in os.environ.items() if "CADENZA" not in name} | {
            "CADENZA_CONFIG": str(folder / "config.toml"),
            "XDG_STATE_HOME": str(folder / "state"),
            "PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring",
            "PYTHONASYNCIODEBUG": "1",
            "TEST_LOG": str(folder / "log"),
        }

    @contextmanager
    def terminal(self, *words: str, prelude: str = "") -> Iterator[Terminal]:
        """Run the program on a terminal."""
        argv = [sys.executable, "-c", PROGRAM.format(prelude), *words]
        with Terminal(argv, environment=self.environment) as terminal:
            terminal.on_chunk = self.output.extend
            yield terminal

    def run(self, *words: str, stop: Callable[[bytes], bool] | None = None) -> int:
        """Run the program without one, to its end or until it has printed enough."""
        with subprocess.Popen(
            [sys.executable, "-c", PROGRAM.format(""), *words],
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        ) as process:
            assert process.stdout is not None
            for line in process.stdout:
                self.output += line
                if stop is not None and stop(line):
                    process.send_signal(signal.SIGINT)
                    stop = None
            return process.wait(20)

    def everything(self) -> bytes:
        """Return all that was printed, logged and traced."""
        files = [self.folder / "log", *self.folder.glob("*.trace")]
        return bytes(self.output) + b"".join(file.read_bytes() for file in files)

    def check(self) -> None:
        """Find no secret in it, and there must have been something to search."""
        everything = self.everything()
        for secret in self.platform.secrets():
            assert secret[:BEGINNING].encode() not in everything


@pytest.fixture
def place(tmp_path: Path, platform: Platform) -> Place:
    """A home with the platform as its only profile."""
    return Place(tmp_path, platform)


def processes() -> Iterator[Path]:
    """Yield every process that can be looked at."""
    yield from Path("/proc").glob("[0-9]*")


def command_lines() -> bytes:
    """Return the command lines of all processes, as ``ps`` shows them."""
    found = b""
    for path in processes():
        try:
            found += (path / "cmdline").read_bytes()
        except OSError:
            continue
    return found


def log_in(place: Place) -> None:
    """Type the password into a terminal, looking at the command lines meanwhile."""
    with place.terminal("login", "--email", EMAIL) as terminal:
        terminal.wait_for(lambda text: "Password of" in text)
        terminal.send(f"{PASSWORD}\r")
        assert terminal.wait_for_end() == 0
        assert "Logged in" in terminal.text


def test_no_secret_is_shown_printed_logged_or_traced(place: Place) -> None:
    """Login, monitor, stream and balances, with every log at DEBUG, while tokens are renewed."""
    log_in(place)
    with place.terminal(BITCOIN, "--trace", str(place.folder / "monitor.trace")) as terminal:
        terminal.wait_for(lambda text: "● live" in text.partition("\n")[0])
        given = len(place.platform.secrets())
        terminal.wait_for(lambda _text: len(place.platform.secrets()) > given)
        lines = command_lines()
        assert b"monitor.trace" in lines
        assert not [secret for secret in place.platform.secrets() if secret.encode() in lines]
        terminal.send("g")
        terminal.wait_for(lambda text: "h health" in text)
        terminal.send("h")
        terminal.wait_for(lambda text: "Book ─" not in text and place.platform.url in text)
        terminal.send("q")
        assert terminal.wait_for_end() == 0
    trace = str(place.folder / "stream.trace")
    assert place.run("stream", BITCOIN, "--trace", trace, stop=lambda line: b'"book"' in line) == 130
    assert place.run("balances") == 0
    everything = place.everything()
    for heard in (b"httpx", b"asyncio", b"Logged in", b'"kind":"book"', b"locked", b'"messages"'):
        assert heard in everything
    place.check()


def test_no_secret_is_in_what_goes_wrong(place: Place) -> None:
    """A refused password, a login that is over, and a bug in the middle of the monitor."""
    wrong = shlex.join([sys.executable, "-c", "print('hush-' + 'wrong')"])
    assert place.run("login", "--email", EMAIL, "--password-command", wrong) == 3
    assert b"Invalid login credentials" in place.output
    assert b"hush-wrong" not in place.everything()
    log_in(place)
    with place.terminal("--profile", "desk", prelude=DEFECT) as terminal:
        assert terminal.wait_for_end() == 1
    assert b"a defect" in place.output
    assert b"opened" in place.output
    assert b"locals" not in place.output
    place.check()
    for path in (place.folder / "state" / "cadenza-tui" / "logins").glob("*.login"):
        record = json.loads(path.read_text())
        record["secrets"] |= {"refresh": "hush-refresh", "access": None}
        path.write_text(json.dumps(record))
    assert place.run("balances") == 3
    assert b"is over" in place.output
    assert b"run `cadenza-tui login --profile desk`" in place.output
    assert b"hush-refresh" not in place.everything()


def test_the_simulator_does_not_inherit_a_token(tmp_path: Path) -> None:
    """The demo needs none, and its child has none in its environment."""
    environment = {
        "CADENZA_TOKEN": "hush-token",
        "CADENZA_TOKEN_FILE": "/hush-file",
        "XDG_CONFIG_HOME": str(tmp_path),
    }
    with Terminal([sys.executable, "-m", "cadenza_tui", "demo"], environment=environment) as terminal:
        terminal.wait_for(lambda text: "● live" in text.partition("\n")[0])
        children = [path for path in processes() if _parent(path) == terminal.process.pid]
        assert children
        assert b"hush-token" in Path(f"/proc/{terminal.process.pid}/environ").read_bytes()
        for child in children:
            assert b"simulate" in (child / "cmdline").read_bytes()
            assert b"hush" not in (child / "environ").read_bytes()


def _parent(process: Path) -> int | None:
    try:
        return int((process / "stat").read_text().rpartition(")")[2].split()[1])
    except OSError:
        return None


def test_a_password_command_does_not_inherit_a_token(place: Place) -> None:
    """It gets the environment but for what would let it in."""
    place.environment |= {"CADENZA_TOKEN": "hush-token"}
    code = "import os, pathlib; pathlib.Path('seen').write_text(' '.join(os.environ)); print('x')"
    command = shlex.join([sys.executable, "-c", code.replace("'seen'", repr(str(place.folder / "seen")))])
    started = time.monotonic()
    assert place.run("login", "--email", EMAIL, "--password-command", command) == 3
    assert time.monotonic() - started < 20
    seen = (place.folder / "seen").read_text().split()
    assert "XDG_STATE_HOME" in seen
    assert "CADENZA_TOKEN" not in seen

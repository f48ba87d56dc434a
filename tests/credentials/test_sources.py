"""Where access tokens come from, and what is said about ones that cannot be used."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from typing import TYPE_CHECKING

import jwt
import pytest

from cadenza_tui.credentials import claims, sources
from cadenza_tui.errors import TokenError

if TYPE_CHECKING:
    from pathlib import Path

NOW = 1_700_000_000.0


def make(exp: float | None = None) -> str:
    """Return a signed token."""
    claims = {"sub": "trader"} | ({} if exp is None else {"exp": exp})
    return jwt.encode(claims, "0123456789abcdef0123456789abcdef", algorithm="HS256")


def script(tmp_path: Path, body: str) -> tuple[str, ...]:
    """Return the command of a small program."""
    program = tmp_path / "program.py"
    program.write_text(body)
    return (sys.executable, str(program))


def secret_file(tmp_path: Path, text: str) -> Path:
    """Return a file that only its owner can read."""
    path = tmp_path / "token"
    path.write_text(text)
    path.chmod(0o600)
    return path


async def test_the_environment_comes_before_the_profile(tmp_path: Path) -> None:
    """CADENZA_TOKEN is taken, whatever the profile says."""
    token = make()
    source = sources.find({"CADENZA_TOKEN": token}, secret_file(tmp_path, make()))
    assert source is not None
    assert await source() == token


async def test_the_environments_file_comes_before_the_profiles_command(tmp_path: Path) -> None:
    """CADENZA_TOKEN_FILE is read, and the profile's command is not run."""
    token = make()
    path = secret_file(tmp_path, token + "\n")
    source = sources.find({"CADENZA_TOKEN_FILE": str(path)}, None, ("/does/not/exist",))
    assert source is not None
    assert await source() == token


def test_no_source_is_none() -> None:
    """Nothing configured is no error here."""
    assert sources.find({}) is None


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "is empty"),
        ("  \n", "is empty"),
        ("a.b.c d.e", "spaces"),
        ("a.b.\x1b[2Jc", "control characters"),
        ("sbp_0123456789", "three parts"),
        ("a..c", "three parts"),
        ("a.b.c.d", "three parts"),
        ("x" * 20_000, "longer than any token"),
        ("tök.en.x", "spaces, line breaks or control"),
    ],
)
def test_nonsense_is_named(text: str, says: str) -> None:
    """What cannot be a token is refused with a sentence that says why, and a remedy."""
    with pytest.raises(claims.Rejected, match=says) as caught:
        claims.check(text, "CADENZA_TOKEN", NOW)
    assert caught.value.remedy
    assert not text.strip() or text.strip() not in str(caught.value)


def test_an_expired_token_says_since_when() -> None:
    """The sentence has the age and the time, and no part of the token."""
    token = make(exp=NOW - 7_300)
    with pytest.raises(claims.Rejected, match=r"expired 2 h ago \(2023-11-14 20:11 UTC\)") as caught:
        claims.check(token, "CADENZA_TOKEN", NOW)
    assert not any(part in str(caught.value) for part in token.split("."))


def test_a_token_that_expired_a_moment_ago_is_left_to_the_server() -> None:
    """Ours may be the clock that is wrong."""
    token = make(exp=NOW - 10)
    assert claims.check(token, "CADENZA_TOKEN", NOW) == token


@pytest.mark.parametrize("body", ["e30", "bm90IGpzb24", "!!!!", "eyJleHAiOiJzb29uIn0", "W10"])
def test_claims_that_cannot_be_read_are_left_to_the_server(body: str) -> None:
    """Three parts are enough; only the server can tell the rest."""
    assert claims.check(f"a.{body}.c", "CADENZA_TOKEN", NOW) == f"a.{body}.c"


@pytest.mark.parametrize("exp", [-1e300, -1, 0])
def test_an_impossible_expiry_is_still_a_sentence(exp: float) -> None:
    """No calendar holds the time, and yet it is said that it has passed."""
    with pytest.raises(claims.Rejected, match="expired"):
        claims.check(make(exp=exp), "CADENZA_TOKEN", NOW)


@pytest.mark.skipif(os.name != "posix", reason="file modes are POSIX's")
@pytest.mark.parametrize("mode", [0o644, 0o640, 0o606])
async def test_a_file_that_others_can_read_is_refused(tmp_path: Path, mode: int) -> None:
    """The remedy is the command that closes it."""
    path = secret_file(tmp_path, make())
    path.chmod(mode)
    with pytest.raises(claims.Rejected, match="can be read by others") as caught:
        await sources.from_file(path)()
    assert caught.value.remedy == f"chmod 600 {path}"


async def test_a_file_is_read_again_for_each_token(tmp_path: Path) -> None:
    """A token that another program renews is taken up."""
    first, second = make(), make(exp=time.time() + 60)
    path = secret_file(tmp_path, first)
    source = sources.from_file(path)
    assert await source() == first
    path.write_text(second)
    assert await source() == second


async def test_a_missing_file_is_named(tmp_path: Path) -> None:
    """The sentence has the path."""
    with pytest.raises(TokenError, match=r"absent does not exist"):
        await sources.from_file(tmp_path / "absent")()


async def test_a_binary_file_holds_no_token(tmp_path: Path) -> None:
    """Bytes that are no text are refused, not decoded somehow."""
    path = tmp_path / "token"
    path.write_bytes(b"\xff\xfe\x00")
    path.chmod(0o600)
    with pytest.raises(claims.Rejected, match="does not hold a token"):
        await sources.from_file(path)()


async def test_a_command_prints_the_token(tmp_path: Path) -> None:
    """What it prints is the token, the line break at the end aside."""
    token = make()
    assert await sources.from_command(script(tmp_path, f"print({token!r})"))() == token


async def test_a_command_that_fails_gives_its_status_and_not_its_output(tmp_path: Path) -> None:
    """Its output may hold a secret."""
    command = script(tmp_path, "import sys; print('hush'); sys.exit(3)")
    with pytest.raises(TokenError, match="exit status 3") as caught:
        await sources.from_command(command)()
    assert "hush" not in str(caught.value)


async def test_a_command_that_hangs_is_ended_with_all_its_children(tmp_path: Path) -> None:
    """Nothing of it outlives its time, and the remedy says how to look."""
    marker = tmp_path / "pid"
    command = script(
        tmp_path,
        "import subprocess, sys, time\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])\n"
        f"open({str(marker)!r}, 'w').write(str(child.pid)); time.sleep(600)\n",
    )
    running = asyncio.create_task(sources.from_command(command, timeout_s=1.5)())
    with pytest.raises(TokenError, match=r"within 1.5 s"):
        await running
    pid = int(marker.read_text())
    for _ in range(200):
        if not _alive(pid):
            break
        await asyncio.sleep(0.01)
    assert not _alive(pid)


def _alive(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


async def test_a_command_that_prints_without_end_is_stopped(tmp_path: Path) -> None:
    """Its output is bounded."""
    command = script(tmp_path, "while True: print('x' * 1000)")
    with pytest.raises(claims.Rejected, match="printed more than any token"):
        await sources.from_command(command)()


async def test_a_command_that_is_not_there_is_named() -> None:
    """The sentence has its name."""
    with pytest.raises(TokenError, match="/does/not/exist"):
        await sources.from_command(("/does/not/exist",))()


async def test_a_probe_is_used_for_the_first_connection(tmp_path: Path) -> None:
    """The command runs once for the probe and the connection together."""
    counter = tmp_path / "runs"
    command = script(tmp_path, f"open({str(counter)!r}, 'a').write('x'); print({make()!r})")
    source = sources.from_command(command)
    await source.probe()
    await source()
    assert counter.read_text() == "x"


def test_a_source_does_not_show_its_token() -> None:
    """A repr may end in a log."""
    token = make()
    assert token not in repr(sources.fixed(token))


def test_a_token_file_in_nobodys_home_is_named() -> None:
    """The sentence names the variable, and what to do."""
    with pytest.raises(TokenError, match=r"CADENZA_TOKEN_FILE: '~no-such-user/token' has no home") as caught:
        sources.find({"CADENZA_TOKEN_FILE": "~no-such-user/token"})
    assert caught.value.remedy == "write the path out"

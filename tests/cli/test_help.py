"""The command line's surface: routing, help, mistakes."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from cadenza_tui import __version__
from cadenza_tui.cli import cli

if TYPE_CHECKING:
    from pathlib import Path

    from click.testing import Result

ACCOUNTS = ("balances", "positions", "orders")
HEADLESS = ("simulate", "replay", "stream", *ACCOUNTS)


@pytest.fixture(autouse=True)
def _no_configuration(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Keep the machine's own settings out."""
    for name in list(os.environ):
        if name.startswith("CADENZA_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("CADENZA_CONFIG", str(tmp_path / "config.toml"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))


def run(*words: str) -> Result:
    """Run the command line in this process."""
    return CliRunner().invoke(cli, list(words), prog_name="cadenza-tui")


def test_with_nothing_configured_one_screen_of_help_offers_the_demo(tmp_path: Path) -> None:
    """Exit code 2, within 24 lines, with what to set and where."""
    result = run()
    assert result.exit_code == 2
    assert "cadenza-tui demo" in result.output
    assert "CADENZA_TOKEN_FILE" in result.output
    assert str(tmp_path / "config.toml") in result.output
    assert len(result.output.splitlines()) <= 24


def test_the_version_is_told() -> None:
    """Name and number."""
    assert run("--version").output == f"cadenza-tui {__version__}\n"


def test_the_help_names_both_forms_and_every_command() -> None:
    """The monitor's options stand without a command."""
    output = run("--help").output
    assert "Usage: cadenza-tui [INSTRUMENT…] [OPTIONS]" in output
    commands = ("demo", "login", "logout", "simulate", "replay", "stream", *ACCOUNTS, "doctor")
    for word in (*commands, "--profile", "--url", "--account"):
        assert word in output
    assert "monitor\n" not in output


@pytest.mark.parametrize("command", ["demo", *HEADLESS])
def test_every_command_has_help_and_a_trace(command: str) -> None:
    """--trace FILE is on any command."""
    result = run(command, "--help")
    assert result.exit_code == 0
    assert "--trace FILE" in result.output


@pytest.mark.parametrize("command", [*ACCOUNTS, "stream", "doctor", "login"])
def test_the_exit_codes_stand_in_the_help(command: str) -> None:
    """One a line, each with what it means."""
    lines = run(command, "--help").output.splitlines()
    assert [line.split()[0] for line in lines[lines.index("  Exit codes:") + 1 :]] == list("012345")


@pytest.mark.parametrize("command", ACCOUNTS)
def test_a_command_of_accounts_says_what_it_takes(command: str) -> None:
    """In a line for each, and its name in the list of commands is not cut."""
    output = run(command, "--help").output
    for option in ("--json", "--watch", "--all", "--account ID", "--timeout S"):
        assert option in output
    assert ("--currency C" in output) == (command == "balances")
    (told,) = (line for line in run("--help").output.splitlines() if line.startswith(f"  {command} "))
    assert told.endswith(".")
    assert not told.endswith("..")


@pytest.mark.parametrize("words", [("--profile", "prod"), ("BINANCE:BTC/USDT", "--profile", "prod")])
def test_what_is_no_command_goes_to_the_monitor(words: tuple[str, ...]) -> None:
    """Options and instruments alike; here it lacks a token."""
    result = run(*words)
    assert (result.exit_code, "no token for the profile 'prod'" in result.output) == (3, True)


def test_a_misspelt_command_is_told_from_an_instrument() -> None:
    """With the one that was meant."""
    result = run("dmeo")
    assert (result.exit_code, "did you mean the command 'demo'?" in result.output) == (2, True)


def test_a_word_that_is_no_instrument_says_what_one_is() -> None:
    """With an example."""
    result = run("stream", "BTCUSDT")
    assert result.exit_code == 2
    assert "VENUE:BASE/QUOTE, as in BINANCE:BTC/USDT" in result.output


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (("--url", "ws://example.com/x"), 2, "unencrypted"),
        (("--url", "http://127.0.0.1/"), 2, "begins with wss://"),
        (("--profile", "prdo"), 2, "did you mean 'prod'?"),
        (("--config", "/does/not/exist"), 2, "no such file"),
        (("stream",), 2, "nothing says which server"),
        (("balances",), 2, "nothing says which server"),
        (("positions", "--watch"), 2, "nothing says which server"),
        (("orders", "--json"), 2, "nothing says which server"),
        (("balances", "--timeout", "0"), 2, "Invalid value for '--timeout'"),
        (("positions", "--currency", "EUR"), 2, "No such option"),
        (("replay", "/does/not/exist", "--headless"), 1, "no such file"),
        (("replay", "x", "--speed", "0"), 2, "'0' is no speed"),
        (("replay", "x", "--speed", "fast"), 2, "'fast' is no speed"),
        (("replay",), 2, "Missing argument"),
        (("simulate", "--port", "99999"), 2, "Invalid value for '--port'"),
    ],
)
def test_a_mistake_is_a_sentence_and_a_code(words: tuple[str, ...], code: int, says: str) -> None:
    """Never a traceback."""
    result = run(*words)
    assert (result.exit_code, says in result.output) == (code, True)
    assert "Traceback" not in result.output


def test_a_mistake_in_the_file_is_named(tmp_path: Path) -> None:
    """File, line, key and remedy."""
    (tmp_path / "config.toml").write_text("[profiles.prod]\nacounts = []\n")
    result = run("--profile", "prod")
    assert result.exit_code == 2
    assert result.output.splitlines() == [
        f"cadenza-tui: {tmp_path / 'config.toml'}:2: profiles.prod.acounts is not a key of a profile",
        "  did you mean 'accounts'?",
    ]


@pytest.mark.parametrize("words", [("demo",), ("replay", "x"), ("--url", "ws://127.0.0.1:1/")])
def test_a_screen_needs_a_terminal(words: tuple[str, ...]) -> None:
    """Without one it says so, and exits with 2."""
    result = run(*words)
    assert (result.exit_code, "needs a terminal" in result.output) == (2, True)


def test_a_url_alone_takes_no_profiles_token(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The token of a default profile is not sent to another server."""
    from cadenza_tui.cli.options import find_server

    (tmp_path / "config.toml").write_text(
        "default_profile = 'prod'\n[profiles.prod]\ntoken_file = 't'\naccounts = ['a']\n"
    )
    alone = find_server(None, "wss://other.example/", None)
    assert alone is not None
    assert (alone.tokens, alone.label, alone.settings().accounts) == (None, "other.example", ())
    both = find_server("prod", "wss://other.example/", None)
    assert both is not None
    assert both.tokens is not None
    assert (both.url, both.settings().accounts) == ("wss://other.example/", ("a",))
    default = find_server(None, None, None)
    assert default is not None
    assert default.label == "prod"
    monkeypatch.setenv("CADENZA_TOKEN", "a.b.c")
    (tmp_path / "config.toml").unlink()
    by_token = find_server(None, None, None)
    assert by_token is not None
    assert by_token.label == "prod"


def test_the_command_line_comes_before_the_profile(tmp_path: Path) -> None:
    """Instruments and accounts given are those watched."""
    from cadenza_tui.cli.options import need_server

    (tmp_path / "config.toml").write_text(
        "[profiles.uat]\ntoken_file = 't'\nchannels = 'openapi'\n"
        "accounts = ['a']\ninstruments = ['X:A/USD']\n"
    )
    server = need_server(None, None, None)
    settings = server.settings()
    assert (settings.accounts, settings.pinned, settings.label) == (("a",), ("X:A/USD",), "uat")
    assert settings.templates.book == "market:orderbook:{venue}:{symbol}"
    settings = server.settings(("X:B/USD",), ("b",))
    assert (settings.accounts, settings.pinned) == (("b",), ("X:B/USD",))


def complete(words: str, tmp_path: Path) -> list[str]:
    """Return what the shell would offer for the last word."""
    parts = words.split(" ")
    environment = os.environ | {
        "_CADENZA_TUI_COMPLETE": "bash_complete",
        "COMP_WORDS": words,
        "COMP_CWORD": str(len(parts) - 1),
    }
    done = subprocess.run(
        [sys.executable, "-m", "cadenza_tui"], env=environment, capture_output=True, text=True, check=False
    )
    assert not done.stderr
    return [line.partition(",")[2] for line in done.stdout.splitlines()]


def test_commands_profiles_and_instruments_are_completed(tmp_path: Path) -> None:
    """From the group, the monitor's options and the configuration."""
    (tmp_path / "config.toml").write_text(
        "[profiles.desk]\nurl = 'wss://x/'\ninstruments = ['BINANCE:BTC/USDT']\n"
    )
    offered = complete("cadenza-tui ", tmp_path)
    assert {"demo", "replay", "BINANCE:BTC/USDT"} <= set(offered)
    assert "monitor" not in offered
    assert "--url" in complete("cadenza-tui --", tmp_path)
    assert complete("cadenza-tui stream --profile d", tmp_path) == ["desk"]
    assert complete("cadenza-tui stream BIN", tmp_path) == ["BINANCE:BTC/USDT"]
    assert complete("cadenza-tui pos", tmp_path) == ["positions"]
    assert {"--json", "--watch", "--all", "--currency"} <= set(complete("cadenza-tui balances --", tmp_path))
    assert complete("cadenza-tui balances --currency us", tmp_path) == ["USDT", "USDC", "USD"]


IMPORTED = """
import sys
from click.testing import CliRunner
from cadenza_tui.cli import cli
CliRunner().invoke(cli, sys.argv[1:])
heavy = [name for name in ("textual", "rich") if name in sys.modules]
print(",".join(heavy))
"""


@pytest.mark.parametrize(
    "words",
    [
        ("--help",),
        ("replay", "{recording}", "--headless"),
        ("stream", "--url", "ws://127.0.0.1:1/", "BINANCE:BTC/USDT"),
        *((part, "--url", "ws://127.0.0.1:1/") for part in ACCOUNTS),
        ("simulate", "--port", "1", "--host", "192.0.2.1"),
    ],
)
def test_commands_without_a_screen_load_no_screen(words: tuple[str, ...], tmp_path: Path) -> None:
    """Neither Textual nor Rich is imported by them."""
    recording = tmp_path / "r"
    recording.write_text(
        '{"t":1,"push":{"channel":"market:trade:X:A/B","pub":{"data":{"price":"1","quantity":"1"}}}}\n'
    )
    given = [word.format(recording=recording) for word in words]
    # An expired token ends the commands that would wait for a server.
    environment = os.environ | {"CADENZA_TOKEN": "e30.eyJleHAiOjEwMDB9.x"}
    done = subprocess.run(
        [sys.executable, "-c", IMPORTED, *given],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert done.stdout == "\n"

"""``login`` and ``logout``: what they ask, what they keep, what they say."""

from __future__ import annotations

import json
import os
import shlex
import stat
import sys
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from cadenza_tui.cli import cli
from cadenza_tui.cli.login import masked
from cadenza_tui.cli.options import find_server
from cadenza_tui.credentials.session import Session
from cadenza_tui.credentials.sources import Tokens
from cadenza_tui.credentials.store import Store
from cadenza_tui.errors import TokenError
from cadenza_tui.feed.child import SimulatorChild
from cadenza_tui.simulator.auth import EMAIL, PASSWORD
from tests.support.terminal import Terminal

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from click.testing import Result

    from cadenza_tui.feed.child import Ready

SAY_PASSWORD = f"{shlex.quote(sys.executable)} -c \"print('{PASSWORD}')\""


@pytest.fixture(scope="module")
def simulator() -> Iterator[Ready]:
    """A simulator for all tests of this module."""
    with SimulatorChild(("--rate", "20", "--instruments", "2")) as child:
        yield child.ready()


@pytest.fixture(autouse=True)
def _own_home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Be a user of this test's own, on a machine without a keyring."""
    for name in list(os.environ):
        if name.startswith("CADENZA_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("CADENZA_CONFIG", str(tmp_path / "config.toml"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.null.Keyring")


@pytest.fixture
def config(simulator: Ready, tmp_path: Path) -> Path:
    """A configuration with the simulator as its only profile."""
    path = tmp_path / "config.toml"
    path.write_text(f"[profiles.desk]\nurl = '{simulator.url}'\nrest = '{simulator.rest}'\n")
    return path


def run(*words: str) -> Result:
    """Run the command line in this process."""
    return CliRunner().invoke(cli, list(words), prog_name="cadenza-tui")


def log_in(*words: str) -> Result:
    """Log in at the simulator."""
    return run("login", "--email", EMAIL, "--password-command", SAY_PASSWORD, *words)


def test_a_login_says_who_until_when_and_where(config: Path) -> None:
    """The e-mail masked; the file is for its owner alone; and it is the source from then on."""
    result = log_in()
    lines = result.output.splitlines()
    assert (result.exit_code, len(lines)) == (0, 3)
    assert "as d…@example.com, for the profile 'desk'" in lines[0]
    assert "is valid until 20" in lines[1]
    assert "UTC and renewed by itself" in lines[1]
    path = Store().path("desk")
    assert lines[2] == f"The refresh token is kept in the file {path}, which only you can read."
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    server = find_server(None, None, None)
    assert server is not None
    assert isinstance(server.tokens, Session)


def test_a_login_makes_the_commands_work(config: Path) -> None:
    """Without any token in sight; and after a logout they say what to do."""
    log_in()
    result = run("balances")
    assert (result.exit_code, "asset" in result.output) == (0, True)
    assert run("logout").output == "The login of the profile 'desk' is forgotten.\n"
    assert run("logout").output == "There is no login for the profile 'desk'.\n"
    result = run("balances")
    assert result.exit_code == 3
    assert "there is no token for the profile 'desk'" in result.output
    assert "run `cadenza-tui login --profile desk`" in result.output


def test_a_keyring_is_preferred(config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As another process finds it too."""
    kept = tmp_path / "kept.json"
    (tmp_path / "some_keyring.py").write_text(
        "import json, pathlib\n"
        "from keyring.backend import KeyringBackend\n"
        "class Keyring(KeyringBackend):\n"
        "    priority = 9\n"
        f"    path = pathlib.Path({str(kept)!r})\n"
        "    def all(self): return json.loads(self.path.read_text()) if self.path.exists() else {}\n"
        "    def get_password(self, service, name): return self.all().get(service + name)\n"
        "    def set_password(self, service, name, text):\n"
        "        self.path.write_text(json.dumps(self.all() | {service + name: text}))\n"
        "    def delete_password(self, service, name):\n"
        "        self.path.write_text('{}')\n"
    )
    code = "import sys; sys.argv[0] = 'cadenza-tui'; from cadenza_tui.__main__ import main; main()"
    environment = {"PYTHON_KEYRING_BACKEND": "some_keyring.Keyring", "PYTHONPATH": str(tmp_path)}

    def program(*words: str) -> str:
        argv = [sys.executable, "-c", code, *words]
        with Terminal(argv, environment=environment, columns=200) as terminal:
            terminal.wait_for_end()
            return terminal.text

    words = ("login", "--email", EMAIL, "--password-command", SAY_PASSWORD)
    assert "kept in the system keyring (" in program(*words)
    (secrets,) = json.loads(kept.read_text()).values()
    refresh = json.loads(secrets)["refresh"]
    assert refresh not in Store().path("desk").read_text()
    assert "asset" in program("balances")
    assert "is forgotten" in program("logout")
    assert json.loads(kept.read_text()) == {}


def test_a_person_is_asked_and_the_password_is_not_shown(config: Path) -> None:
    """In a real terminal; a wrong one is a sentence with a remedy."""
    argv = [sys.executable, "-m", "cadenza_tui", "login"]
    for password, says in ((PASSWORD, "Logged in at"), ("hush-wrong", "Invalid login credentials")):
        with Terminal(argv, columns=160) as terminal:
            terminal.wait_for(lambda text: "E-mail for desk" in text)
            terminal.send(f"{EMAIL}\r")
            terminal.wait_for(lambda text: f"Password of {EMAIL}" in text)
            terminal.send(f"{password}\r")
            code = terminal.wait_for_end()
            assert says in terminal.text
            assert code == (0 if password == PASSWORD else 3)
            assert "hush" not in terminal.text
            assert f"{EMAIL}: {PASSWORD}" not in terminal.text
    assert "check the e-mail and the password" in terminal.text
    assert find_server(None, None, None) is not None


def test_without_a_terminal_nobody_is_asked(config: Path) -> None:
    """It says what to give instead, and reads no password from a pipe."""
    result = run("login")
    assert (result.exit_code, "no terminal to ask for the e-mail" in result.output) == (2, True)
    result = run("login", "--email", EMAIL)
    assert result.exit_code == 2
    assert "no terminal to ask for the password" in result.output
    assert "password_command" in result.output


def test_the_profiles_own_password_command_is_used(config: Path) -> None:
    """Its first line is the password, as password stores have it."""
    command = json.dumps([sys.executable, "-c", f"print('{PASSWORD}\\nuser: x')"])
    config.write_text(config.read_text() + f"password_command = {command}\n")
    result = run("login", "--email", EMAIL)
    assert (result.exit_code, "Logged in" in result.output) == (0, True)


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (("--email", "nobody"), 2, "no e-mail address"),
        (("--email", "a b@c.example"), 2, "no e-mail address"),
        (("--password-command", "'"), 2, "cannot be split"),
        (("--password-command", " "), 2, "names no command"),
        (("--password-command", "/does/not/exist"), 3, "cannot be run: No such file"),
        (("--password-command", "false"), 3, "failed with exit status 1"),
        (("--password-command", "true"), 2, "is empty"),
        (("--password-command", "echo hush"), 3, "Invalid login credentials (errno 40101)"),
        (("--profile", "dsk"), 2, "did you mean 'desk'?"),
    ],
)
def test_a_mistake_is_a_sentence(config: Path, words: tuple[str, ...], code: int, says: str) -> None:
    """And nothing is kept."""
    result = log_in(*words)
    assert (result.exit_code, says in result.output) == (code, True), result.output
    assert "hush" not in result.output
    assert not Store().exists("desk")


def test_a_profile_must_say_where_to_log_in(tmp_path: Path) -> None:
    """Only the servers that are built in are known; another url takes the built-in place away."""
    path = tmp_path / "config.toml"
    for text, profile in (
        ("[profiles.desk]\nurl='wss://x/'\n", "desk"),
        ("[profiles.uat]\nurl='wss://x/'\n", "uat"),
    ):
        path.write_text(text)
        result = log_in("--profile", profile)
        assert (result.exit_code, "does not say where to log in" in result.output) == (2, True)
        assert f'add rest = "https://…" to [profiles.{profile}]' in result.output


def test_what_comes_before_a_login_is_said(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else one wonders whose balances these are."""
    config.write_text(config.read_text() + "token_file = 't'\n")
    assert "Note that the profile's token_file comes before this login." in log_in().output
    server = find_server("desk", None, None)
    assert server is not None
    assert isinstance(server.tokens, Tokens)
    monkeypatch.setenv("CADENZA_TOKEN", "a.b.c")
    assert "Note that the token in CADENZA_TOKEN comes before this login." in log_in().output
    server = find_server("desk", None, None)
    assert server is not None
    assert server.tokens is not None
    assert server.tokens.source == "CADENZA_TOKEN"


def test_a_login_is_not_used_for_an_address_alone(config: Path, simulator: Ready) -> None:
    """A URL without a named profile stands alone."""
    log_in()
    alone = find_server(None, simulator.url, None)
    assert alone is not None
    assert alone.tokens is None


def test_the_only_login_says_which_server_is_meant(tmp_path: Path) -> None:
    """Nothing else is configured, and `cadenza-tui` opens where one has logged in."""
    from cadenza_tui.credentials.secret import Secret
    from cadenza_tui.credentials.store import Login

    store = Store()
    assert find_server(None, None, None) is None
    for profile in ("uat", "gone"):
        with store.locked(profile):
            store.save(Login(profile, "https://cadenza-api-uat.algo724.com", "t…@x", Secret("r")), anew=True)
    server = find_server(None, None, None)
    assert server is not None
    assert server.label == "uat"
    with pytest.raises(TokenError, match="no token for the profile 'prod'"):
        find_server("prod", None, None)


def test_a_login_of_a_profile_that_is_gone_can_be_forgotten(config: Path) -> None:
    """It need not be in the configuration any more."""
    log_in()
    config.write_text("")
    assert run("logout", "--profile", "desk").output == "The login of the profile 'desk' is forgotten.\n"


def test_an_authority_of_ones_own_is_for_both_ways(config: Path, tmp_path: Path) -> None:
    """The feed and the login trust the same; a mistake in it is told with file and line."""
    import trustme

    trustme.CA().cert_pem.write_to_path(tmp_path / "ca.pem")
    log_in()
    config.write_text(config.read_text() + "ca_file = 'ca.pem'\n")
    server = find_server(None, None, None)
    assert server is not None
    assert isinstance(server.tokens, Session)
    assert server.tokens.rest.trust is server.settings().options.ssl is not None
    (tmp_path / "ca.pem").write_text("nonsense")
    for result in (log_in(), run("balances")):
        assert result.exit_code == 2
        assert (
            f"{config}:4: profiles.desk.ca_file: {tmp_path / 'ca.pem'}: has no certificate" in result.output
        )


@pytest.mark.parametrize(
    ("email", "shown"), [("trader@desk.example", "t…@desk.example"), ("a@b", "a…@b"), ("x@y@z", "x…@z")]
)
def test_an_email_is_masked(email: str, shown: str) -> None:
    """Enough to tell one's own from another's."""
    assert masked(email) == shown

"""The configuration file, and what is said about a wrong one."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from cadenza_tui import config, paths
from cadenza_tui.errors import ConfigError
from cadenza_tui.wire.channels import API_PAGE, OPENAPI

if TYPE_CHECKING:
    from pathlib import Path

FULL = """\
default_profile = "desk"
theme = "light"
bandwidth = 2.5

[profiles.desk]
url = "wss://desk.example/connection/websocket"
token_file = "desk.token"
accounts = ["a1", "a2"]
instruments = ["BINANCE:BTC/USDT", "OKX:ETH/USDT"]
channels = "openapi"

[profiles.prod]
token_command = "pass show 'cadenza prod'"
"""


def write(tmp_path: Path, text: str) -> Path:
    """Write a configuration file."""
    path = tmp_path / "config.toml"
    path.write_text(text)
    return path


def test_every_key_is_read(tmp_path: Path) -> None:
    """A profile has what the file says; a token file stands beside the configuration."""
    loaded = config.load(write(tmp_path, FULL))
    desk = loaded.profile("desk")
    assert (loaded.exists, loaded.default_profile, loaded.theme) == (True, "desk", "light")
    assert loaded.bandwidth == 2.5
    assert desk.url == "wss://desk.example/connection/websocket"
    assert desk.token_file == tmp_path / "desk.token"
    assert desk.accounts == ("a1", "a2")
    assert desk.instruments == ("BINANCE:BTC/USDT", "OKX:ETH/USDT")
    assert desk.channels == OPENAPI


def test_an_automatic_bandwidth_is_none(tmp_path: Path) -> None:
    """It can be said, and is what holds where nothing is said."""
    assert config.load(write(tmp_path, "bandwidth = 'auto'\n")).bandwidth is None
    assert config.load(write(tmp_path, "")).bandwidth is None


def test_the_built_in_profiles_need_no_url(tmp_path: Path) -> None:
    """A table for prod adds to what is built in; uat is there untouched."""
    loaded = config.load(write(tmp_path, FULL))
    assert loaded.profile("prod").url == "wss://cadenza-ws.algo724.com/connection/websocket"
    assert loaded.profile("prod").token_command == ("pass", "show", "cadenza prod")
    assert loaded.profile("uat").url == "wss://cadenza-ws-uat.algo724.com/connection/websocket"


def test_where_and_how_to_log_in_is_read(tmp_path: Path) -> None:
    """The built-in servers know where; a file of authorities stands beside the configuration."""
    text = (
        "[profiles.desk]\nurl = 'wss://d/'\nrest = 'https://api.desk.example/'\n"
        "password_command = 'pass show desk'\nca_file = 'ca.pem'\n"
        "[profiles.uat]\nurl = 'wss://elsewhere/'\n[profiles.plain]\nurl = 'ws://10.0.0.1/'\n"
        "rest = 'http://10.0.0.1'\nallow_insecure = true\n"
    )
    path = write(tmp_path, text)
    loaded = config.load(path)
    desk = loaded.profile("desk")
    assert desk.rest == "https://api.desk.example"
    assert desk.password_command == ("pass", "show", "desk")
    assert desk.ca_file == tmp_path / "ca.pem"
    assert desk.ca_where == f"{path}:5: profiles.desk.ca_file"
    assert loaded.profile("prod").rest == "https://cadenza-api.algo724.com"
    assert loaded.profile("uat").rest is None
    assert config.load(tmp_path / "config.toml").profile("plain").rest == "http://10.0.0.1"


def test_no_file_is_no_error_where_none_was_named(tmp_path: Path) -> None:
    """The built-in profiles are there all the same."""
    loaded = config.load(environ={"CADENZA_CONFIG": str(tmp_path / "absent.toml")})
    assert (loaded.exists, sorted(loaded.profiles)) == (False, ["prod", "uat"])


def test_a_named_file_must_be_there(tmp_path: Path) -> None:
    """--config of a file that is not there is a mistake."""
    with pytest.raises(ConfigError, match="no such file"):
        config.load(tmp_path / "absent.toml")


def test_the_environment_names_the_file(tmp_path: Path) -> None:
    """CADENZA_CONFIG comes before the system's own place."""
    path = write(tmp_path, FULL)
    assert config.load(environ={"CADENZA_CONFIG": str(path)}).default_profile == "desk"
    assert paths.config_file({}).parts[-2:] == ("cadenza-tui", "config.toml")


def test_a_file_in_nobodys_home_is_named() -> None:
    """The sentence names the variable, and what to do."""
    with pytest.raises(ConfigError, match=r"CADENZA_CONFIG: '~no-such-user/c\.toml' has no home") as caught:
        config.load(environ={"CADENZA_CONFIG": "~no-such-user/c.toml"})
    assert caught.value.remedy == "write the path out"


def test_a_file_with_one_profile_says_which_is_meant(tmp_path: Path) -> None:
    """With two, only a default does."""
    one = config.load(write(tmp_path, '[profiles.uat]\naccounts = ["a"]\n'))
    assert one.only_profile == "uat"
    assert config.load(write(tmp_path, FULL)).only_profile is None


def test_channels_can_be_spelled_out(tmp_path: Path) -> None:
    """What is not spelled out is as the API page has it."""
    text = '[profiles.prod]\nchannels = { book = "books:{venue}:{symbol}" }\n'
    channels = config.load(write(tmp_path, text)).profile("prod").channels
    assert (channels.book, channels.trade) == ("books:{venue}:{symbol}", API_PAGE.trade)


WRONG = [
    ("defualt_profile = 'x'\n", 1, "defualt_profile is not a key", "did you mean 'default_profile'?"),
    (
        "[profiles.prod]\n\nacounts = []\n",
        3,
        "profiles.prod.acounts is not a key",
        "did you mean 'accounts'?",
    ),
    ("[profiles]\nprod.url = 7\n", 2, "profiles.prod.url must be a text, is a number", None),
    ("[profiles.prod]\naccounts = 'a'\n", 2, "accounts must be a list of texts, is a text", None),
    ("[profiles.prod]\naccounts = [1]\n", 2, "accounts must be a list of texts", None),
    ("[profiles.prod]\ninstruments = ['BTCUSDT']\n", 2, "'BTCUSDT' is not one", "BINANCE:BTC/USDT"),
    ("theme = 'x'\n[profiles.new]\naccounts=[]\n", 2, "profiles.new a profile needs a url", "wss://"),
    ("[profiles.prod]\nurl = 'http://x/'\n", 2, "begins with wss://", "wss://"),
    ("[profiles.prod]\nurl = 'ws://example.com/'\n", 2, "unencrypted", "allow_insecure = true"),
    ("[profiles.prod]\nallow_insecure = 'yes'\n", 2, "must be true or false, is a text", None),
    ("[profiles.prod]\nchannels = 'openpai'\n", 2, "'openpai' is not a spelling", "did you mean 'openapi'?"),
    ("[profiles.prod.channels]\nbok = 'x'\n", 2, "channels.bok is not a key", "did you mean 'book'?"),
    ("[profiles.prod.channels]\nbook = 'x:{nope}'\n", 1, "nope", None),
    ("[profiles.prod]\ntoken_command = []\n", 2, "names no command", None),
    ('[profiles.prod]\ntoken_command = "a \'b"\n', 2, "cannot be split", "list of words"),
    ("[profiles.prod]\ntoken_file = 'a'\ntoken_command = 'b'\n", 3, "exclude each other", None),
    (
        "[profiles.prod]\nrest = 'http://example.com'\n",
        2,
        "prod.rest: http:// to example.com",
        "allow_insecure",
    ),
    ("[profiles.prod]\nrest = 'wss://x'\n", 2, "begins with https://", "https://host"),
    ("[profiles.prod]\npassword_command = [1]\n", 2, "password_command must be a text or a list", None),
    ("[profiles.prod]\nca_file = 7\n", 2, "ca_file must be a text", None),
    ("default_profile = 'prd'\n", 1, "there is no profile 'prd'", "did you mean 'prod'?"),
    ("profiles = 3\n", 1, "must be a table", None),
    ("[profiles]\nprod = 3\n", 2, "profiles.prod must be a table", None),
    ("theme = ''\n", 1, "is empty", None),
    ("bandwidth = 'fast'\n", 1, "bandwidth must be 'auto' or a number of KiB a second, is a text", None),
    ("bandwidth = true\n", 1, "is true or false", None),
    ("bandwidth = 0\n", 1, "bandwidth must be 0.5 to 1,000,000 KiB a second", None),
    ("bandwidth = nan\n", 1, "bandwidth must be 0.5 to 1,000,000 KiB a second", None),
    ("theme = 'a\n", 1, "not TOML", None),
    ("a = 1\nb = = 2\n", 2, "not TOML", None),
    ("[profiles.prod\n", 1, "not TOML", None),
    ("theme = 1979-05-27\n", 1, "is a date or time", None),
]


@pytest.mark.parametrize(("text", "line", "says", "remedy"), WRONG)
def test_a_mistake_is_named_with_file_line_and_key(
    tmp_path: Path, text: str, line: int, says: str, remedy: str | None
) -> None:
    """Each has a sentence that an editor can jump by, and a remedy where there is one."""
    path = write(tmp_path, text)
    with pytest.raises(ConfigError) as caught:
        config.load(path)
    assert str(caught.value).startswith(f"{path}:{line}: ")
    assert says in str(caught.value)
    assert remedy is None or remedy in (caught.value.remedy or "")
    assert caught.value.exit_code == 2


def test_a_file_that_is_not_text_is_named(tmp_path: Path) -> None:
    """The line of the first byte that is wrong is given."""
    path = tmp_path / "config.toml"
    path.write_bytes(b"theme = 'a'\nx = '\xff'\n")
    with pytest.raises(ConfigError, match=r"config.toml:2: not UTF-8"):
        config.load(path)


def test_a_huge_file_is_refused(tmp_path: Path) -> None:
    """It is not read to its end."""
    path = tmp_path / "config.toml"
    path.write_bytes(b"#" * (config.MAX_FILE + 1))
    with pytest.raises(ConfigError, match="larger than"):
        config.load(path)


def test_deep_nesting_is_refused(tmp_path: Path) -> None:
    """No file can exhaust the stack."""
    with pytest.raises(ConfigError, match=r"nested too deeply|not TOML"):
        config.load(write(tmp_path, "a = " + "[" * 20_000))


@pytest.mark.skipif(os.geteuid() == 0, reason="root can read everything")
def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    """The system's reason is given."""
    path = write(tmp_path, "")
    path.chmod(0)
    with pytest.raises(ConfigError, match="cannot be read"):
        config.load(path)


def test_an_unknown_profile_has_the_nearest_name(tmp_path: Path) -> None:
    """The remedy is the name that was probably meant."""
    with pytest.raises(ConfigError) as caught:
        config.load(write(tmp_path, FULL)).profile("desc")
    assert caught.value.remedy == "did you mean 'desk'?"

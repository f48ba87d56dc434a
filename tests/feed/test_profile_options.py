"""What a profile says of channels and books, from the file to the feed's settings."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from cadenza_tui import config
from cadenza_tui.cli.options import find_server
from cadenza_tui.errors import ConfigError
from cadenza_tui.feed.subscriptions import ChannelOptions
from cadenza_tui.market.book import DeltaRule, DeltaRules

if TYPE_CHECKING:
    from pathlib import Path

FULL = """\
[profiles.desk]
url = "wss://desk.example/connection/websocket"
delta = true
request_streams = true
crossed_after = 2.5

[profiles.desk.delta_updates]
default = "add"
BINANCE = "replace-levels"
"""


def write(tmp_path: Path, text: str) -> Path:
    """Write a configuration file."""
    path = tmp_path / "config.toml"
    path.write_text(text)
    return path


def test_a_profiles_options_reach_the_feed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each of them, in the feed's own terms."""
    monkeypatch.setenv("CADENZA_TOKEN", "a.b.c")
    server = find_server("desk", None, write(tmp_path, FULL))
    assert server is not None
    settings = server.settings()
    assert settings.channels == ChannelOptions(delta=True, request_streams=True, crossed_after_s=2.5)
    assert settings.delta_updates == DeltaRules(DeltaRule.ADD, {"BINANCE": DeltaRule.REPLACE_LEVELS})


def test_without_a_word_nothing_is_asked_for_and_nothing_guessed(tmp_path: Path) -> None:
    """No commands, whole payloads, and a book is fetched after a DELTA."""
    profile = config.load(write(tmp_path, "[profiles.prod]\n")).profile("prod")
    assert profile.channel_options == ChannelOptions(False, False, 5.0)
    assert profile.delta_updates.of("BINANCE:BTC/USDT") is DeltaRule.RESYNC


@pytest.mark.parametrize(
    ("line", "says", "remedy"),
    [
        ("delta = 1", "delta must be true or false, is a number", None),
        ("request_streams = 'yes'", "request_streams must be true or false", None),
        ("crossed_after = true", "must be a number of seconds, is true or false", None),
        ("crossed_after = 0", "must be above 0 and at most 3,600 seconds", None),
        ("crossed_after = nan", "must be above 0", None),
        ("delta_updates = 'add'", "must be a table of venues, is a text", None),
        ("delta_updates = {OKX = 'ad'}", "delta_updates.OKX 'ad' is not a rule", "did you mean 'add'?"),
        ("delta_updates = {OKX = 1}", "delta_updates.OKX must be a text", None),
    ],
)
def test_a_wrong_option_is_named_with_its_line(
    tmp_path: Path, line: str, says: str, remedy: str | None
) -> None:
    """And the right one, where it can be told."""
    path = write(tmp_path, f"[profiles.prod]\n{line}\n")
    with pytest.raises(ConfigError) as caught:
        config.load(path)
    assert str(caught.value).startswith(f"{path}:2: ")
    assert says in str(caught.value)
    assert remedy is None or caught.value.remedy == remedy

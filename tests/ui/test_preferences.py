"""Preferences: what is kept over a restart, and a file that cannot be trusted."""

from __future__ import annotations

import json
import os
import re
import stat
from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cadenza_tui.paths import preferences_file
from cadenza_tui.ui.kept import MOST_INSTRUMENTS
from cadenza_tui.ui.preferences import LARGEST, Preferences
from cadenza_tui.view.arrangements import VIEWS

if TYPE_CHECKING:
    from pathlib import Path

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


def test_what_was_saved_is_found_again(tmp_path: Path) -> None:
    """All of it, in a folder that did not exist."""
    path = tmp_path / "state" / "preferences.json"
    first = Preferences(path, True, False, True, "BTC", {"balances": "asset-", "fills": "time"})
    first.view, first.sizes = "wide", {"wide": {"tape-wide": 310}}
    first.options = {"book": {"shape": "dom"}, "chart": {"interval": "1M"}}
    first.pinned = {"prod": ["OKX:BTC/USDT", "BINANCE:ETH/USDT"]}
    first.set_group("book", "OKX:BTC/USDT", Decimal("0.50"))
    first.set_filter("quote", "OKX:BTC/USDT", Decimal("10000"))
    first.save()
    assert Preferences.load(path) == first
    assert first.notice == ""


NAMES = ["masked", "clock", "hide_dust", "currency", "sorts", "view", "options", "groups", "filters"]
NAMES += ["sizes", "pinned", "x"]

HOSTILE: list[dict[str, object]] = [
    {"view": "nowhere"},
    {"options": {"book": {"shape": "\x1b[2J", "Shape": "dom"}, "BOOK": {"shape": "dom"}}},
    {"groups": {"book": {"X": "-1", "Y": "0", "Z": "NaN", "W": "1e9999", "V": 1, "\ud800": "1"}}},
    {"filters": {"base": {"X": "9" * 40, "": "1", "N" * 500: "1"}}},
    {"sizes": {"market": {"tape-wide": 0, "book-wide": 5000, "x": 3, "tape-high": True}, "x": {"a-wide": 1}}},
    {"pinned": {"prod": [1, None, "", "a\x1b[2J"], "\n": ["X"]}},
]


@pytest.mark.parametrize("content", HOSTILE, ids=lambda content: next(iter(content)))
def test_what_is_not_understood_is_left(tmp_path: Path, content: dict[str, object]) -> None:
    """No word, number, share or name that is not of its form is taken."""
    path = tmp_path / "preferences.json"
    path.write_text(json.dumps(content))
    loaded = Preferences.load(path)
    (kept,) = ([getattr(loaded, name)] for name in content)
    assert not re.search(r"[A-Z\x1b]|\d", json.dumps(kept, default=str)), kept


def test_what_is_kept_of_instruments_is_bounded(tmp_path: Path) -> None:
    """The oldest go."""
    kept = Preferences(tmp_path / "preferences.json")
    for number in range(MOST_INSTRUMENTS + 5):
        kept.set_group("book", f"X:{number}", Decimal(1))
    assert len(kept.groups["book"]) == MOST_INSTRUMENTS
    assert "X:4" not in kept.groups["book"]
    kept.set_group("book", "X:9", None)
    assert "X:9" not in kept.groups["book"]
    kept.save()
    assert Preferences.load(kept.path) == kept


def test_without_a_file_there_are_the_defaults(tmp_path: Path) -> None:
    """And nothing to be said about it."""
    loaded = Preferences.load(tmp_path / "none.json")
    assert loaded == Preferences(tmp_path / "none.json")
    assert not loaded.masked


def test_without_a_path_nothing_is_kept() -> None:
    """For tests and demonstrations."""
    kept = Preferences.load(None)
    kept.masked = True
    kept.save()
    assert not Preferences.load(None).masked


def test_the_file_is_for_the_user_alone(tmp_path: Path) -> None:
    """And nothing else is left in its folder."""
    path = tmp_path / "state" / "preferences.json"
    Preferences(path).save()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert [each.name for each in path.parent.iterdir()] == [path.name]


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[]", b"null", b"\xff\xfe", b"[" * 5_000, b" " * (LARGEST + 1), b'{"masked": "yes"}'],
    ids=["empty", "half", "list", "null", "no utf-8", "deep", "long", "no flag"],
)
def test_a_file_that_cannot_be_read_masks(tmp_path: Path, content: bytes) -> None:
    """The user may have chosen that: amounts are not shown for want of a file."""
    path = tmp_path / "preferences.json"
    path.write_bytes(content)
    assert Preferences.load(path).masked


def test_a_file_that_cannot_be_opened_masks_and_says_so(tmp_path: Path) -> None:
    """With the reason and what to press."""
    loaded = Preferences.load(tmp_path)  # a folder
    assert loaded.masked
    assert loaded.notice == "preferences not read (Is a directory) · b unmasks"


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.dictionaries(st.sampled_from(NAMES), json_values))
def test_whatever_the_file_says_is_checked(tmp_path: Path, content: dict[str, object]) -> None:
    """Every value has its type, and what is saved again can be loaded."""
    path = tmp_path / "preferences.json"
    path.write_text(json.dumps(content))
    loaded = Preferences.load(path)
    assert all(isinstance(flag, bool) for flag in (loaded.masked, loaded.clock, loaded.hide_dust))
    assert loaded.currency == "" or loaded.currency.isalnum()
    assert all(isinstance(text, str) and text.isprintable() for pair in loaded.sorts.items() for text in pair)
    assert loaded.view == "" or loaded.view in VIEWS
    for by_pane in (loaded.groups, loaded.filters):
        assert all(number.is_finite() and number > 0 for each in by_pane.values() for number in each.values())
    assert all(0 < share <= 1000 for shares in loaded.sizes.values() for share in shares.values())
    loaded.save()
    assert replace(Preferences.load(path), notice="") == loaded


def test_a_failure_to_write_is_a_notice(tmp_path: Path) -> None:
    """Never the end of the program; what was there before is still there."""
    blocked = tmp_path / "file"
    blocked.write_text("")
    kept = Preferences(blocked / "state" / "preferences.json")
    kept.save()
    assert kept.notice == "preferences not kept: Not a directory"


def test_a_write_that_fails_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whole or not at all."""
    path = tmp_path / "preferences.json"
    Preferences(path, masked=True).save()

    def broken(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", broken)
    other = Preferences(path)
    other.save()
    assert other.notice == "preferences not kept: No space left on device"
    assert Preferences.load(path).masked
    assert [each.name for each in tmp_path.iterdir()] == [path.name]


def test_the_file_is_in_the_state_folder() -> None:
    """Beside what else is kept there."""
    assert preferences_file().name == "preferences.json"
    assert preferences_file().parent.name == "cadenza-tui"

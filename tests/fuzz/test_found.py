"""The seeds and what fuzzing once found, replayed; and the fuzzing itself, on faults put there on purpose."""

from __future__ import annotations

import random
import tomllib
from typing import TYPE_CHECKING, Any

import pytest

from cadenza_tui.centrifugo import delta, frames
from cadenza_tui.centrifugo.session import Session
from cadenza_tui.feed import ingest, recording
from cadenza_tui.market import book, tape
from cadenza_tui.ui import presenter
from cadenza_tui.wire import channels, decode, rpc, text
from tests.fuzz import run, seeds, targets
from tests.fuzz.mutate import mutated
from tests.fuzz.shrink import fault_of, shrunk

if TYPE_CHECKING:
    from pathlib import Path

UNDER: dict[str, tuple[Any, str]] = {
    "book": (decode, "decode_book"),
    "trade": (decode, "decode_prints"),
    "ticker": (decode, "decode_ticker"),
    "venue_ticker": (decode, "decode_ticker"),
    "kline": (decode, "decode_kline"),
    "account": (decode, "decode_account_events"),
    "rpc": (rpc, "_data"),
    "channels": (channels.Templates, "parse"),
    "text": (text, "clean"),
    "frames": (frames, "_decoder"),
    "session": (Session, "_reply"),
    "delta": (delta, "checksum"),
    "market": (book.OrderBook, "apply"),
    "ingest": (ingest.Ingest, "_take"),
    "views": (presenter.Presenter, "pane"),
    "config": (tomllib, "loads"),
    "recording": (recording, "_decoder"),
}
"""For each target something under it that its seeds come by."""


class Stray(Exception):
    """What no code raises by itself."""


class Straying:
    """Stands in for a function, or a decoder, that raises what it must not."""

    def __call__(self, *_: object, **__: object) -> None:
        raise Stray

    def __getattr__(self, name: str) -> Straying:
        return self


def sign(data: bytes) -> None:
    """A target with a fault in it: it does not bear an escape."""
    if b"\x1b" in data:
        raise ValueError("an escape")


@pytest.mark.parametrize("target", targets.TARGETS)
def test_seeds_and_what_was_found_do_no_harm(target: str) -> None:
    """No input that fuzzing starts from, or once found, is a fault."""
    for data in seeds.corpus(target):
        targets.attempt(target, data)


@pytest.mark.parametrize("target", targets.TARGETS)
def test_a_stray_exception_is_a_fault(target: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each target fails where the code under it raises what it does not document."""
    place, name = UNDER[target]
    monkeypatch.setattr(place, name, Straying())
    with pytest.raises((Stray, AssertionError)):
        for data in seeds.SEEDS[target]:
            targets.attempt(target, data)


@pytest.mark.parametrize(
    ("target", "place", "name", "wrong"),
    [
        ("trade", "cadenza_tui.wire.read", "clean", lambda dirty, maximum=0: dirty + "\x1b"),
        ("text", "cadenza_tui.wire.text", "clean", lambda dirty, maximum=0: dirty),
        ("ticker", "cadenza_tui.wire.quotes", "needed_time", lambda value, name: 10**30),
        ("delta", "cadenza_tui.centrifugo.delta", "checksum", lambda content: 0),
        ("session", "cadenza_tui.centrifugo.codes", "sentence", lambda code, reason="": "\x07"),
    ],
    ids=lambda value: value if isinstance(value, str) and value.isalpha() else "",
)
def test_a_wrong_result_is_a_fault(
    target: str, place: str, name: str, wrong: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A target fails, too, where what comes out is not as it must be."""
    monkeypatch.setattr(f"{place}.{name}", wrong)
    inputs = [*seeds.SEEDS[target], b"x\x1e4\n4:abcd0;", b"x" * 1_000]
    with pytest.raises(AssertionError):
        for data in inputs:
            targets.attempt(target, data)


@pytest.mark.parametrize("place", [book.OrderBook, tape.Tape], ids=["book", "tape"])
@pytest.mark.parametrize("target", ["market", "ingest"])
def test_a_broken_invariant_is_a_fault(target: str, place: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a market's own checks say is asked for after each message."""
    monkeypatch.setattr(place, "check", Straying())
    with pytest.raises(Stray):
        for data in seeds.SEEDS[target]:
            targets.attempt(target, data)


def test_an_input_that_takes_too_long_is_a_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    """The time that an input takes is bounded."""
    monkeypatch.setattr(targets, "BOUND_S", -1.0)
    with pytest.raises(targets.TooSlow):
        targets.attempt("text", b"x")


def test_seeds_come_through() -> None:
    """Seeds are taken, not refused: fuzzing starts behind the first check."""
    for target, channel in targets.CHANNELS.items():
        for data in seeds.SEEDS[target]:
            assert decode.decode(channel.kind, data, channel)
    for data in seeds.SEEDS["delta"]:
        base, change = data.split(targets.SEPARATOR)
        assert delta.apply(base, change, targets.DELTA_LIMIT) is not None
    for data in seeds.SEEDS["frames"]:
        refused: list[frames.Malformed] = []
        assert frames.decode(data, refused.append)
        assert not refused


def test_a_search_finds_shrinks_and_keeps_a_fault(tmp_path: Path) -> None:
    """A fault that only a change of a seed brings out is found, made small and written to a file."""
    tried, path = run.search(sign, [b'{"symbol":"BTC/USDT"}', b'{"a":[1]}'], 60.0, tmp_path / "x")
    assert tried
    assert path is not None
    assert path.read_bytes() == b"\x1b"
    assert list((tmp_path / "x").iterdir()) == [path]


def test_a_search_ends_in_time_where_there_is_no_fault(tmp_path: Path) -> None:
    """Without a fault nothing is kept."""
    tried, path = run.search(lambda data: None, [b"{}"], 0.01, tmp_path / "x")
    assert tried > 0
    assert path is None
    assert not (tmp_path / "x").exists()


def test_shrinking_keeps_the_fault() -> None:
    """What is left of an input has the same fault and nothing that it does not need."""
    data = b"x" * 1_000 + b"\x1b[2J" + b"y" * 1_000
    assert shrunk(sign, data) == b"\x1b"
    assert fault_of(sign, b"\x1b").startswith("ValueError in sign:")
    assert fault_of(sign, b"") == ""


@pytest.mark.parametrize("target", targets.TARGETS)
def test_changes_are_bounded_and_repeatable(target: str) -> None:
    """The same chance changes an input in the same way, and never beyond the limit."""
    for data in seeds.SEEDS[target]:
        changed = [mutated(data, random.Random(seed), 8_192) for seed in range(30)]
        assert changed == [mutated(data, random.Random(seed), 8_192) for seed in range(30)]
        assert len(set(changed)) > 10
        assert max(len(mutated(data, random.Random(seed), 5)) for seed in range(30)) <= 5

"""The tape against a plain list."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from cadenza_tui.market.records import Print, Side
from cadenza_tui.market.tape import Tape


def trade(trade_id: str, quantity: int = 1) -> Print:
    return Print("BINANCE:BTC/USDT", Decimal(100), Decimal(quantity), Side.BUY, 1, trade_id)


def test_the_newest_print_comes_first() -> None:
    """Prints are read in the reverse order of their arrival."""
    tape = Tape()
    for trade_id in "abc":
        assert tape.add(trade(trade_id))
    assert [each.trade_id for each in tape.latest(2)] == ["c", "b"]
    assert [each.trade_id for each in tape.prints] == ["c", "b", "a"]
    assert tape.latest(0) == tape.latest(-1) == []


def test_a_trade_id_is_taken_once() -> None:
    """A print that came again, as after a recovery, is not counted twice."""
    tape = Tape()
    assert tape.add(trade("a"))
    version = tape.version
    assert not tape.add(trade("a", 2))
    assert (tape.count, tape.version, len(tape)) == (1, version, 1)


def test_prints_without_an_id_are_all_taken() -> None:
    """Nothing tells one print without an id from another."""
    tape = Tape()
    assert tape.add(trade(""))
    assert tape.add(trade(""))
    assert (tape.count, len(tape)) == (2, 2)


@given(st.lists(st.sampled_from(["", *"abcdefghij"]), max_size=60), st.integers(1, 6))
def test_the_tape_agrees_with_a_plain_list(trade_ids: list[str], maximum: int) -> None:
    """Whatever comes, the tape keeps the latest prints, each id once within them."""
    tape = Tape(maximum)
    kept: list[Print] = []
    count = 0
    for number, trade_id in enumerate(trade_ids):
        fresh = trade(trade_id, number + 1)
        new = not trade_id or all(each.trade_id != trade_id for each in kept)
        assert tape.add(fresh) == new
        if new:
            kept = [fresh, *kept][:maximum]
            count += 1
        tape.check()
        assert (list(tape.prints), tape.count) == (kept, count)
        assert tape.latest(3) == kept[:3]


def test_a_hole_is_known_by_its_place() -> None:
    """It stands after the print before it; what more is missing at one place adds up, or is unknown."""
    tape = Tape(maximum=2)
    tape.lose(2)
    assert tape.kept_holes() == []
    tape.add(trade("1"))
    tape.lose(2)
    tape.lose(3)
    tape.add(trade("2"))
    tape.lose(4)
    tape.lose()
    assert tape.kept_holes() == [(2, 0), (1, 5)]
    assert tape.holes == 3
    tape.check()
    tape.add(trade("3"))
    assert tape.kept_holes() == [(2, 0)]

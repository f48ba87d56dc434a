"""What prints sum up to, against sums taken afresh over a plain list of them."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

from hypothesis import given, settings
from hypothesis import strategies as st

from cadenza_tui.market.candles import INTERVALS, SECOND, opening
from cadenza_tui.market.records import Print, Side
from cadenza_tui.market.tally import ALL, KEPT, WINDOWS, Tally, Window

START = 1_723_161_254 * SECOND


def print_(price: str, quantity: str, side: Side | None, at: int) -> Print:
    """Return a print."""
    return Print("BINANCE:BTC/USDT", Decimal(price), Decimal(quantity), side, at)


decimals = st.one_of(
    st.integers(1, 10**12).map(lambda n: f"{n / 100:.2f}"),
    st.integers(1, 10**6).map(lambda n: f"0.{n:018}"),
    st.just("1000000000"),
)
steps = st.one_of(
    st.integers(0, 5_000_000),
    st.integers(0, 90 * SECOND),
    st.integers(-20 * SECOND, 0),
    st.just(700 * SECOND),
)
traded = st.lists(
    st.tuples(decimals, decimals, st.sampled_from([Side.BUY, Side.SELL, None]), steps), max_size=40
)


def prints_of(made: list[tuple[str, str, Side | None, int]]) -> list[Print]:
    """Return prints whose times go on by steps, some of them backwards."""
    at, prints = START, []
    for price, quantity, side, by in made:
        at += by
        prints.append(print_(price, quantity, side, at))
    return prints


def tally(prints: list[Print]) -> Tally:
    """Return the tally of prints."""
    made = Tally()
    for one in prints:
        made.add(one)
    made.check()
    return made


def total(prints: list[Print], side: Side | None = None) -> Fraction:
    """Return the exact volume of prints, of one aggressor or of all."""
    return sum((Fraction(p.quantity) for p in prints if side is None or p.aggressor is side), Fraction(0))


def same(window: Window, prints: list[Print]) -> None:
    """Check a window against the prints that are in it."""
    assert window.prints == len(prints)
    assert Fraction(window.bought) == total(prints, Side.BUY)
    assert Fraction(window.sold) == total(prints, Side.SELL)
    assert Fraction(window.delta) == total(prints, Side.BUY) - total(prints, Side.SELL)
    assert Fraction(window.volume) == total(prints)
    notional = sum((Fraction(p.quantity) * Fraction(p.price) for p in prints), Fraction(0))
    assert Fraction(window.notional) == notional
    vwap = window.vwap(4)
    if not total(prints):
        assert vwap is None
    else:
        assert vwap is not None
        assert abs(Fraction(vwap) - notional / total(prints)) <= Fraction(1, 20_000)


@settings(deadline=None)
@given(traded, st.sampled_from([*WINDOWS, ALL]), st.integers(0, 4_000 * SECOND))
def test_a_window_has_the_prints_of_its_time(
    made: list[tuple[str, str, Side | None, int]], name: str, later: int
) -> None:
    """Up to 15 minutes a window begins with a whole second, an hour with a whole minute; all is all."""
    prints = prints_of(made)
    now = max((p.timestamp for p in prints), default=START) + later
    window = tally(prints).window(name, now)
    if not prints:
        assert window is None
        return
    assert window is not None
    length = WINDOWS.get(name)
    unit = 60 if name == "1h" else 1
    first = 0 if length is None else (now // SECOND // unit - (length // unit - 1)) * unit * SECOND
    same(window, [p for p in prints if p.timestamp >= first])
    assert window.since == max(first, min(p.timestamp for p in prints))
    assert window.span_ns == now - window.since if now > window.since else window.span_ns == 0
    assert window.whole


@settings(max_examples=60, deadline=None)
@given(traded, st.sampled_from(list(INTERVALS)), st.integers(0, 40))
def test_candles_from_prints_are_those_of_the_whole_list(
    made: list[tuple[str, str, Side | None, int]], interval: str, asked_after: int
) -> None:
    """However late an interval is asked for, its candles are those that all prints give."""
    prints = prints_of(made)
    kept = tally(prints[:asked_after])
    kept.series(interval)
    for one in prints[asked_after:]:
        kept.add(one)
    kept.check()
    series = kept.series(interval)
    by_time: dict[int, list[Print]] = {}
    for one in prints:
        by_time.setdefault(opening(interval, one.timestamp)[0], []).append(one)
    assert series.times == sorted(by_time)
    for time, inside in by_time.items():
        bucket, ordered = series.buckets[time], sorted(inside, key=lambda p: p.timestamp)
        assert bucket.open == ordered[0].price
        assert bucket.close == ordered[-1].price
        assert (bucket.high, bucket.low) == (max(p.price for p in inside), min(p.price for p in inside))
        assert Fraction(bucket.volume) == total(inside)
        assert bucket.prints == len(inside)


def test_a_print_without_a_side_is_volume_alone() -> None:
    """Nobody knows who was the aggressor: it is neither bought nor sold."""
    window = tally([print_("2", "3", None, START)]).window("1m", START)
    assert window is not None
    assert not any((window.bought, window.sold, window.delta))
    assert window.volume == 3


def test_rates_are_over_what_was_watched() -> None:
    """Of a window that has only been watched for ten seconds, the rate is over those; none below a second."""
    kept = tally([print_("2", "4", Side.BUY, START), print_("2", "1", Side.SELL, START + 3 * SECOND)])
    window = kept.window("1m", START + 10 * SECOND)
    assert window is not None
    assert window.prints_per_second() == 0.2
    assert window.volume_per_second(2) == Decimal("0.50")
    first = kept.window("1m", START + SECOND // 2)
    assert first is not None
    assert first.prints_per_second() is None
    assert first.volume_per_second(2) is None


def test_a_window_over_missing_prints_is_not_whole() -> None:
    """Until the window has left the first print after the hole behind, and all never is again."""
    kept = tally([print_("2", "4", Side.BUY, START)])
    kept.lose()
    assert not (kept.window("10s", START + SECOND) or _none()).whole
    kept.add(print_("2", "4", Side.BUY, START + 5 * SECOND))
    assert not (kept.window("10s", START + 9 * SECOND) or _none()).whole
    assert (kept.window("10s", START + 14 * SECOND) or _none()).whole
    assert not (kept.window(ALL, START + 99 * SECOND) or _none()).whole


def _none() -> Window:
    raise AssertionError


def test_a_candle_is_whole_where_it_was_watched_from_its_opening() -> None:
    """Neither the one in which watching began is, nor one with a hole in it."""
    kept = tally([print_("2", "4", Side.BUY, START + n * 30 * SECOND) for n in range(4)])
    first = opening("1m", START)[0]
    minute = 60 * SECOND
    assert not kept.whole(first, first + minute)
    assert kept.whole(first + minute, first + 2 * minute)
    kept.lose()
    kept.add(print_("2", "4", Side.BUY, START + 100 * SECOND))
    assert kept.whole(first + minute, START + 90 * SECOND)
    assert not kept.whole(first + minute, START + 95 * SECOND)


def test_buckets_are_bounded_and_a_window_says_what_it_lacks() -> None:
    """The oldest seconds go first; where a window needs those it is not whole."""
    kept = tally([print_("2", "1", Side.BUY, START + n * SECOND) for n in range(2 * KEPT["1s"])])
    assert len(kept.series("1s").times) <= KEPT["1s"] * 5 // 4
    late = START + 2 * KEPT["1s"] * SECOND
    assert (kept.window("15m", late) or _none()).whole
    assert not (kept.window("15m", START + 1000 * SECOND) or _none()).whole
    assert (kept.window(ALL, late) or _none()).prints == 2 * KEPT["1s"]


def test_a_print_from_the_far_future_does_not_empty_the_windows() -> None:
    """A venue's clock that is wrong once costs that print's place in time alone."""
    kept = tally([print_("2", "1", Side.BUY, START), print_("2", "5", Side.BUY, START * 4)])
    kept.add(print_("2", "1", Side.SELL, START + SECOND))
    window = kept.window("10s", START + SECOND)
    assert window is not None
    assert (window.bought, window.sold) == (Decimal(6), Decimal(1))


@settings(deadline=None)
@given(traded, st.sampled_from([1, 5, 30, 60, 300]), st.integers(1, 30), st.integers(0, 40 * SECOND))
def test_stretches_are_sums_of_their_time(
    made: list[tuple[str, str, Side | None, int]], seconds: int, n: int, later: int
) -> None:
    """One after the other, the last up to now, each with what was traded in it."""
    prints = prints_of(made)
    newest = max((p.timestamp for p in prints), default=START)
    now = newest + later - 20 * SECOND
    stretches = tally(prints).stretches(seconds, n, now)
    starts = [stretch.start for stretch in stretches]
    if not prints:
        assert starts == []
        return
    length = seconds * SECOND
    oldest = min(p.timestamp for p in prints) // length * length
    last = now // length * length
    assert starts == list(range(max(last - (n - 1) * length, min(oldest, last)), last + 1, length))
    for stretch in stretches:
        inside = [p for p in prints if min(p.timestamp // length * length, last) == stretch.start]
        assert Fraction(stretch.volume) == total(inside)
        assert Fraction(stretch.delta) == total(inside, Side.BUY) - total(inside, Side.SELL)

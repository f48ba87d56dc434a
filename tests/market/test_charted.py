"""The candles of a chart and their VWAP, against ones made afresh."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction

from hypothesis import given, settings
from hypothesis import strategies as st

from cadenza_tui.market.candles import DAY, MINUTE, SECOND, merged
from cadenza_tui.market.charted import Charted, Point, means, missing
from cadenza_tui.market.records import Candle, Kline, Print, Side
from cadenza_tui.market.tally import Tally

MIDNIGHT = 19_944 * DAY


@dataclass
class Sources:
    """What a chart is made from."""

    kline: Kline | None = None
    tally: Tally = field(default_factory=Tally)


def candle(open_time: int, low: str, high: str, close: str, volume: str | None) -> Candle:
    """Return a candle that opened at its low."""
    made = None if volume is None else Decimal(volume)
    return Candle(open_time, Decimal(low), Decimal(high), Decimal(low), Decimal(close), made)


def kline(*candles: Candle, at: int = 1) -> Kline:
    """Return a message of candles of a minute."""
    return Kline("BINANCE:BTC/USDT", "1m", candles, False, at)


def print_(price: str, quantity: str, at: int) -> Print:
    """Return a print."""
    return Print("BINANCE:BTC/USDT", Decimal(price), Decimal(quantity), Side.BUY, at)


prices = st.integers(1, 10**9).map(lambda n: Decimal(n).scaleb(-4))
points = st.lists(
    st.tuples(st.integers(0, 900), prices, prices, prices, st.one_of(st.none(), prices), st.booleans()),
    max_size=12,
)


@given(points)
def test_the_vwap_is_that_of_the_day_so_far(
    made: list[tuple[int, Decimal, Decimal, Decimal, Decimal | None, bool]],
) -> None:
    """Typical prices weighted by volume, or what was paid; unknown from a volume on that nobody knows."""
    given_points: list[Point] = []
    at = MIDNIGHT + DAY - 30 * MINUTE
    for step, high, low, close, volume, exact in made:
        at += (step + 1) * MINUTE
        notional = volume * close if volume is not None and exact else None
        given_points.append(Point(at, close, high, low, close, volume, notional))
    for place, mean in enumerate(means(given_points, "1m")):
        day = [
            p for p in given_points[: place + 1] if p.open_time // DAY == given_points[place].open_time // DAY
        ]
        if any(p.volume is None for p in day):
            assert mean is None
            continue
        assert mean is not None
        paid = [
            Fraction(p.notional)
            if p.notional is not None
            else Fraction(p.high + p.low + p.close) / 3 * Fraction(p.volume or 0)
            for p in day
        ]
        expected = sum(paid, Fraction(0)) / sum((Fraction(p.volume or 0) for p in day), Fraction(0))
        shown = mean.price(6)
        assert shown is not None
        assert abs(Fraction(shown) - expected) <= Fraction(1, 2_000_000)
        if any(p.notional is None for p in day):
            assert mean.about


happenings = st.lists(
    st.one_of(
        st.tuples(st.just("print"), st.integers(-90, 90), st.integers(1, 9)),
        st.tuples(st.just("hole"), st.just(0), st.just(0)),
        st.tuples(st.just("kline"), st.integers(0, 3), st.integers(1, 9)),
    ),
    max_size=25,
)


@settings(deadline=None)
@given(happenings, st.booleans())
def test_a_chart_kept_up_is_one_made_afresh(made: list[tuple[str, int, int]], with_prints: bool) -> None:
    """Whatever comes, the points and means kept up are those that a fresh chart makes."""
    here, kept, at = Sources(), Charted(), MIDNIGHT + 7 * SECOND
    for number, (what, by, value) in enumerate(made):
        if what == "print":
            at += by * SECOND
            here.tally.add(print_(str(value), "2", at))
        elif what == "hole":
            here.tally.lose()
        else:
            opens = at // MINUTE * MINUTE - by * MINUTE
            fresh = kline(candle(opens, "1", "9", str(value), str(value)), at=number)
            here.kline = merged(here.kline, fresh) or here.kline
        tally = here.tally if with_prints or here.kline is None else None
        kept.follow("1m", here.kline, tally)
        afresh = Charted()
        afresh.follow("1m", here.kline, tally)
        assert kept.points == afresh.points
        assert kept.means == afresh.means
        assert kept.times == [point.open_time for point in kept.points]


def test_prints_go_on_where_klines_end() -> None:
    """A candle watched as a whole is ours; the one we joined late is the server's, its volume a least one."""
    tally, chart = Tally(), Charted()
    tally.add(print_("12", "1", MIDNIGHT + 30 * SECOND))
    tally.add(print_("14", "2", MIDNIGHT + 70 * SECOND))
    chart.follow("1m", kline(candle(MIDNIGHT, "10", "11", "11", "5")), tally)
    first, second = chart.points
    assert first.at_least
    assert (first.high, first.close, first.volume) == (Decimal(12), Decimal(12), Decimal(5))
    assert not second.at_least
    assert (second.open, second.volume) == (Decimal(14), Decimal(2))


def test_a_candle_of_which_the_server_knows_more_is_not_taken_for_whole() -> None:
    """Prints that were lost on the way without a word: there is at least what the server has counted."""
    tally, chart = Tally(), Charted()
    tally.add(print_("12", "1", MIDNIGHT - SECOND))
    tally.add(print_("12", "1", MIDNIGHT + 30 * SECOND))
    for volume, wanted in (
        ("5", (Decimal(5), True)),
        ("0.5", (Decimal(1), False)),
        (None, (Decimal(1), False)),
    ):
        chart.follow("1m", kline(candle(MIDNIGHT, "10", "11", "11", volume)), tally)
        assert (chart.points[-1].volume, chart.points[-1].at_least) == wanted


def test_a_candle_that_contradicts_itself_encloses_all_its_prices() -> None:
    """A high below the close is drawn as far as the close."""
    chart = Charted()
    one = Decimal(1)
    chart.follow("1m", kline(Candle(MIDNIGHT, 3 * one, 2 * one, 5 * one, 9 * one, None)), None)
    assert (chart.points[0].low, chart.points[0].high) == (Decimal(2), Decimal(9))


def test_missing_candles_are_counted() -> None:
    """A quiet stretch is no candle; February is no missing month."""
    assert missing(0, MINUTE, "1m") == 0
    assert missing(0, 4 * MINUTE, "1m") == 3
    assert missing(0, 31 * DAY, "1M") == 0
    assert missing(31 * DAY, 59 * DAY, "1M") == 0
    assert missing(0, 90 * DAY, "1M") == 2

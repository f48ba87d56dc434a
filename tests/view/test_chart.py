"""The candle chart."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cadenza_tui.market.candles import INTERVALS, MINUTE, opening
from cadenza_tui.market.interest import CandleOrigin, CandleSource
from cadenza_tui.market.records import Candle, Kline, Side
from cadenza_tui.market.tally import Tally
from cadenza_tui.market.trust import TrustState
from cadenza_tui.view.chart import CHOICES, INTERVAL, ChartMemory, chart
from cadenza_tui.view.chart_cells import Scale, candle_cells
from cadenza_tui.view.numbers import clock
from cadenza_tui.view.rows import Bars, Ground, Pane, Role
from tests.view.support import BTC, ID, LIVE, NOW, SECOND, bad_widths, plain, print_, screen, text, trust

if TYPE_CHECKING:
    from cadenza_tui.market.records import Instrument

SERVER = CandleSource(CandleOrigin.SERVER)
START = opening("1m", NOW)[0]


def candle(place: int, open_: str, high: str, low: str, close: str, volume: str | None = "1.5") -> Candle:
    """Return the candle of a minute."""
    made = None if volume is None else Decimal(volume)
    return Candle(START + place * MINUTE, Decimal(open_), Decimal(high), Decimal(low), Decimal(close), made)


def kline(*candles: Candle, interval: str = "1m") -> Kline:
    """Return candles as a server sends them."""
    return Kline(ID, interval, candles, is_closed=False, timestamp=NOW)


FEW = (
    candle(0, "100.00", "106.00", "98.00", "104.00", "2.5"),
    candle(1, "104.00", "105.00", "95.00", "96.00", "4"),
    candle(2, "96.00", "97.00", "95.50", "96.50", None),
)


def steady(n: int, interval: str = "1m") -> Kline:
    """Return candles that rise and fall by turns."""
    length = INTERVALS[interval]
    start = opening(interval, NOW)[0]
    made = []
    for place in range(n):
        low, high = Decimal(100 + place % 7), Decimal(104 + place % 5)
        first, last = (low, high) if place % 2 else (high, low)
        made.append(Candle(start + place * length, first, high + 1, low - 1, last, Decimal(1 + place % 9)))
    return kline(*made, interval=interval)


def shown(
    of: Kline | None = None,
    *,
    tally: Tally | None = None,
    width: int = 60,
    height: int = 20,
    memory: ChartMemory | None = None,
    instrument: Instrument | None = BTC,
    source: CandleSource | None = SERVER,
    last: Decimal | None = None,
    bars: Bars = Bars.TINT,
    state: TrustState = TrustState.LIVE,
    options: dict[str, str] | None = None,
    **chosen: str,
) -> Pane:
    """Return the pane of a chart."""
    return chart(
        of,
        tally,
        instrument,
        width=width,
        height=height,
        trust=LIVE if state is TrustState.LIVE else trust(state),
        memory=memory or ChartMemory(),
        options={**(options or {}), **chosen},
        source=source,
        bars=bars,
        now=NOW,
        last=last,
    )


decimals = st.one_of(
    st.integers(1, 10**6).map(lambda n: Decimal(n).scaleb(-2)),
    st.integers(0, 9).map(lambda n: Decimal(n).scaleb(-12)),
    st.integers(10**9, 10**9 + 9).map(Decimal),
)
wild = st.lists(
    st.tuples(st.integers(0, 40), decimals, decimals, decimals, decimals, st.none() | decimals), max_size=30
)
choices = st.fixed_dictionaries({choice.name: st.sampled_from(choice.values) for choice in CHOICES})


@settings(max_examples=60, deadline=None)
@given(wild, st.integers(8, 210), st.integers(1, 60), st.sampled_from(Bars), choices, st.booleans())
def test_every_row_is_exactly_as_wide_as_the_pane(
    made: list[tuple[int, Decimal, Decimal, Decimal, Decimal, Decimal | None]],
    width: int,
    height: int,
    bars: Bars,
    options: dict[str, str],
    known: bool,
) -> None:
    """Whatever the candles, even ones that contradict themselves, and whatever the size, each row fits."""
    candles, at = [], START
    for step, open_, high, low, close, volume in made:
        at += (step + 1) * INTERVALS[INTERVAL.of(options)]
        candles.append(Candle(at, open_, high, low, close, volume))
    memory = ChartMemory()
    for move in (0, -3, 2):
        memory.move(move)
        pane = shown(
            kline(*candles, interval=INTERVAL.of(options)),
            width=width,
            height=height,
            bars=bars,
            memory=memory,
            instrument=BTC if known else None,
            last=candles[-1].close if candles else None,
            options=options,
        )
        assert bad_widths(pane.body, width) == []
        assert len(pane.body) <= height


def test_a_candle_is_drawn_to_half_a_row() -> None:
    """Bodies and wicks begin and end in the half of the row that their price falls in."""
    memory = ChartMemory()
    shown(kline(*FEW), memory=memory)
    scale = Scale(Decimal(107), Decimal(95), 6)  # a half is 1.00
    rising, falling, _ = memory.charted.points
    assert candle_cells(rising, scale, Bars.TINT) == (0, "╷╽┃┃│")
    assert candle_cells(falling, scale, Bars.TINT) == (1, "▄████")
    assert candle_cells(rising, scale, Bars.ASCII) == (0, "|OOO|")
    assert candle_cells(falling, scale, Bars.ASCII) == (1, "#####")


def test_direction_never_rests_on_colour() -> None:
    """A candle that fell is solid and one that rose is a line, in ASCII as well."""
    for bars, solid, line in ((Bars.TINT, "█▀▄", "┃╽╿╹╻"), (Bars.ASCII, "#", "O")):
        body = shown(kline(*FEW[:2]), bars=bars, volume="off", vwap="off").body[1:-1]
        rows = [text(row) for row in body]
        assert {row[0] for row in rows} & set(line)
        assert not {row[0] for row in rows} & set(solid)
        assert {row[1] for row in rows} & set(solid)


def test_the_newest_candle_is_told_in_numbers() -> None:
    """Open, high, low, close, volume and VWAP, the last two unknown where the volume is."""
    first = plain(shown(kline(*FEW[:2]), width=100))[0]
    candle_words = ["23:55", "O", "104.00", "H", "105.00", "L", "95.00", "C", "▼", "96.00"]
    assert first.split() == [*candle_words, "V", "4.00000", "VWAP", "≈", "100.21"]
    assert "V —  VWAP —" in plain(shown(kline(*FEW), width=100))[0]


def test_a_null_volume_is_unknown() -> None:
    """Below the candle stands a dash, not nothing."""
    rows = plain(shown(kline(*FEW), spacing="1"))
    assert rows[-2][:3].endswith("—")
    assert rows[-2][1] == "█"


def test_the_numbers_of_a_candle_leave_the_axis_as_it_is() -> None:
    """Prices of the legend have more digits than those of the axis; the one marked there is whole."""
    of = kline(candle(0, "2.123456", "2.123456", "1.9", "2.0"))
    pane = shown(of, last=Decimal("2.0"), instrument=None, height=7)
    assert "O 2.123456" in plain(pane)[0]
    assert "◂2.000000" in screen(pane)
    assert "…" not in screen(pane)


def test_a_last_price_longer_than_those_of_the_candles_is_whole() -> None:
    """The axis has room for it, whatever the candles closed at."""
    pane = shown(kline(candle(0, "100.00", "106.00", "98.00", "104.00")), last=Decimal("12345678.99"))
    assert "◂12,345,678.99" in screen(pane)
    assert bad_widths(pane.body, 60) == []


def test_the_last_price_is_marked_on_the_axis() -> None:
    """Exactly, in the row of its price; round prices stand in theirs."""
    pane = shown(kline(*FEW), last=Decimal("96.51"))
    (marked,) = [row for row in pane.body if "◂" in text(row)]
    assert text(marked).rstrip().endswith("◂ 96.51")
    assert marked[-1].ground is Ground.CURSOR
    labels = [text(row).split()[-1] for row in pane.body[1:-4] if text(row)[-8:].strip()]
    assert labels == ["105.00", "100.00", "96.51", "95.00"]


def test_candles_made_from_prints_are_labelled_so() -> None:
    """With the reason and since when; what the server made, and later ones from prints, as well."""
    tally = Tally()
    for n in range(5):
        tally.add(print_(str(100 + n), "2", Side.BUY, NOW + n * 30 * SECOND))
    reason = CandleSource(CandleOrigin.PRINTS, "no kline channel")
    pane = shown(tally=tally, source=reason, width=80)
    assert text(pane.title) == "Chart · 1m · from prints"
    assert text(pane.trust) == "no kline channel · since 23:54"
    assert plain(pane)[0].split()[:5] == ["23:56", "O", "104", "H", "104"] or "104.00" in plain(pane)[0]
    narrow = [text(shown(tally=tally, source=reason, width=width).trust) for width in (48, 40)]
    assert narrow == ["since 23:54", ""]
    both = shown(kline(*FEW), tally=tally, source=CandleSource(CandleOrigin.HISTORY))
    assert text(both.title) == "Chart · 1m · newest from prints"
    server = shown(kline(*FEW), tally=tally)
    assert text(server.title) == "Chart · 1m"
    assert text(server.trust) == "in sync · 0.1 s"


def test_a_candle_of_which_the_beginning_was_not_seen_says_so() -> None:
    """Its volume is a least one."""
    tally = Tally()
    tally.add(print_("100", "2", Side.BUY, NOW))
    first = plain(shown(tally=tally, source=CandleSource(CandleOrigin.PRINTS), width=110))[0]
    assert "V ≥ 2" in first
    assert "not watched as a whole" in first


@pytest.mark.parametrize(
    ("state", "origin", "words"),
    [
        (TrustState.LIVE, CandleOrigin.ASKED, "the server is asked for candles"),
        (TrustState.CONNECTING, CandleOrigin.ASKED, "Connecting"),
        (TrustState.LIVE, CandleOrigin.PRINTS, "no prints yet"),
    ],
)
def test_without_candles_it_says_why(state: TrustState, origin: CandleOrigin, words: str) -> None:
    """There is the reason, not an empty pane."""
    assert words in screen(shown(tally=Tally(), source=CandleSource(origin), state=state))


def test_missing_candles_are_gaps() -> None:
    """One that is missing leaves its place free, many a marked gap of three."""
    few = [candle(place, "100.00", "101.00", "99.00", "100.50") for place in (0, 2, 3, 50)]
    rows = plain(shown(kline(*few), spacing="1", vwap="off", volume="off"))[1:-1]
    drawn = ["".join(sorted({row[x] for row in rows} - {" "})) for x in range(8)]
    assert [bool(one) for one in drawn] == [True, False, True, True, False, True, False, True]
    assert drawn[5] == "┊"


def test_going_back_stands_still_and_says_how_much_is_later() -> None:
    """The candle at the cursor is told in numbers; new candles move nothing; release follows again."""
    memory, before = ChartMemory(), steady(200)
    shown(before, memory=memory)
    memory.move(-100)
    pane = shown(before, memory=memory, width=40)
    assert memory.cursor == START + 99 * MINUTE
    assert "▴" in plain(pane)[-1]
    assert text(pane.trust) == "‖ 70 later"
    later = shown(steady(201), memory=memory, width=40)
    assert plain(later)[1:] == plain(pane)[1:]
    assert text(later.trust) == "‖ 71 later"
    assert memory.release()
    assert not memory.release()
    assert "later" not in text(shown(steady(201), memory=memory, width=40).trust)
    memory.move(1)
    assert memory.cursor is None


def test_a_page_is_almost_all_that_is_in_sight() -> None:
    """And there is nothing before the first candle."""
    memory = ChartMemory()
    shown(steady(200), memory=memory, spacing="1", width=41)
    memory.page(-1)
    assert memory.cursor == START + (199 - 30) * MINUTE
    memory.page(-99)
    assert memory.cursor == START


def test_a_new_candle_of_a_second_moves_nothing_else() -> None:
    """Room is made by a quarter of the width at once, so that a second draws one column."""
    memory = ChartMemory()
    before = shown(steady(100, "1s"), memory=memory, interval="1s", spacing="1", volume="off", vwap="off")
    moved = 0
    for n in range(101, 131):
        after = shown(steady(n, "1s"), memory=memory, interval="1s", spacing="1", volume="off", vwap="off")
        changed = {
            x
            for a, b in zip(plain(before)[1:-1], plain(after)[1:-1], strict=True)
            for x in range(48)
            if a[x] != b[x]
        }
        moved += len(changed) > 1
        before = after
    assert moved == 2


def test_nothing_that_is_drawn_differs_from_a_chart_drawn_afresh() -> None:
    """Columns and rows are kept from frame to frame; what they show is what a fresh chart shows."""
    memory = ChartMemory()
    for n in range(3, 90):
        of = steady(n)
        last = of.candles[-1].close
        kept = shown(of, memory=memory, last=last, width=70)
        fresh_memory = ChartMemory(first=memory.first, scale=memory.scale, full=memory.full)
        fresh_memory.price = memory.price
        fresh_memory._adopted = memory._adopted
        assert kept == shown(of, memory=fresh_memory, last=last, width=70)


def test_the_scale_stays_while_it_serves() -> None:
    """A new high within it moves nothing; one beyond it, or far less than it has room for, fits it anew."""
    memory = ChartMemory()
    shown(kline(*FEW), memory=memory)
    first = memory.scale
    shown(kline(*FEW, candle(3, "97.00", "106.20", "96.00", "97.00")), memory=memory)
    assert memory.scale is first
    shown(kline(*FEW, candle(3, "97.00", "120.00", "96.00", "97.00")), memory=memory)
    assert memory.scale is not None
    assert memory.scale.top > Decimal(120)
    shown(kline(*FEW), memory=memory)
    assert memory.scale == first


def test_a_vwap_line_can_be_left_out() -> None:
    """So can the volume."""
    assert {"▔", "▁"} & set(screen(shown(kline(*FEW[:2]), spacing="2", volume="off")))
    off = screen(shown(kline(*FEW[:2]), spacing="2", volume="off", vwap="off"))
    assert not {"▔", "▁"} & set(off)
    assert "VWAP" not in off


def test_a_small_pane_keeps_candles_and_prices() -> None:
    """At 38×10 there are both; in a narrower one the candles alone."""
    pane = shown(steady(100), width=38, height=10, last=Decimal(104))
    assert "◂104.00" in screen(pane)
    assert {"█", "┃"} & set(screen(pane))
    tiny = screen(shown(steady(100), width=14, height=5))
    assert {"█", "┃"} & set(tiny)
    assert "104.00" not in tiny.split("\n", 1)[1]


def test_a_chart_that_is_not_current_is_dimmed() -> None:
    """And its border says why."""
    pane = shown(kline(*FEW), state=TrustState.STALE)
    assert pane.dimmed
    assert "stale" in text(pane.trust)
    assert pane.title[0].role is Role.TITLE


@pytest.mark.parametrize("spacing", ["1", "2", "3"])
def test_times_stand_below_their_candles(spacing: str) -> None:
    """Each label begins where the candle that opened then is drawn; the cursor leaves no half of a word."""
    memory, of = ChartMemory(), steady(300)
    for back in range(12):
        if back:
            memory.move(-1)
        axis = plain(shown(of, memory=memory, width=80, spacing=spacing))[-1]
        places = memory.place(71 // int(spacing))
        words = [(found.start(), found.group()) for found in re.finditer(r"[^ ▴]+", axis)]
        assert len(words) >= 2
        for x, word in words:
            opened = of.candles[places[x // int(spacing)]].open_time
            assert word == clock(opened)[:5]
        if back:
            at = axis.index("▴")
            assert of.candles[places[at // int(spacing)]].open_time == memory.cursor


def test_a_candle_looked_at_is_told_with_its_day() -> None:
    """So is each of an hour and more; a month is called by its name."""
    memory = ChartMemory()
    assert plain(shown(steady(99), memory=memory, width=100))[0].split()[0] == "01:32"
    memory.move(-1)
    assert plain(shown(steady(99), memory=memory, width=100))[0].split()[:3] == ["9", "Aug", "01:31"]
    hourly = shown(steady(3, "1h"), width=100, interval="1h")
    assert plain(hourly)[0].split()[:3] == ["9", "Aug", "01:00"]
    one = Decimal(1)
    month = kline(Candle(opening("1M", NOW)[0], one, one, one, one, None), interval="1M")
    assert plain(shown(month, width=100, interval="1M"))[0].split()[:2] == ["Aug", "2024"]

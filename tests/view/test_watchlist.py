"""The watchlist."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cadenza_tui.market.quote import quote
from cadenza_tui.market.records import BookType, Candle, Instrument
from cadenza_tui.market.state import Market
from cadenza_tui.market.trails import HOUR, day_of
from cadenza_tui.market.trust import Trust, TrustState
from cadenza_tui.view.numbers import digits
from cadenza_tui.view.rows import Ground, Pane, Role
from cadenza_tui.view.watch_choices import CHOICES
from cadenza_tui.view.watch_memory import SORTED_FOR_NS, WatchMemory
from cadenza_tui.view.watchlist import watchlist
from tests.view.support import (
    ID,
    LIVE,
    NOW,
    SECOND,
    bad_widths,
    book,
    market,
    plain,
    print_,
    screen,
    text,
    ticker,
    trust,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

PINNED = [ID, "OKX:BTC/USDT", "DERIBIT:BTC/USDT", "B2C2:XRP/USD"]


def shown(
    width: int = 38,
    height: int = 14,
    selected: str | None = ID,
    *,
    held: Market | None = None,
    pinned: Sequence[str] = PINNED,
    memory: WatchMemory | None = None,
    trusts: Mapping[str, Trust] | None = None,
    now: int = NOW,
    options: Mapping[str, str] | None = None,
    **chosen: str,
) -> Pane:
    """Return the pane, of the shared market where no other is given."""
    known = trusts or {}
    return watchlist(
        held or market(),
        pinned,
        selected,
        width=width,
        height=height,
        memory=memory or WatchMemory(),
        options={**(options or {}), **chosen},
        trust_of=lambda one: known.get(one, LIVE),
        now=now,
    )


def many(count: int) -> tuple[Market, list[str]]:
    """Return a market of so many instruments: the higher the number, the higher all that it says."""
    held = Market()
    ids = [f"V:C{number}/USD" for number in range(count)]
    for at, name in enumerate(ids):
        held.apply_ticker(ticker(name, f"{100 + at}.0", f"{100 + at}.5", f"{100 + at}.2", f"{at}.5"))
    return held, ids


def hour(ago: int, price: int, volume: str | int) -> Candle:
    """Return the candle of an hour."""
    at = Decimal(price)
    return Candle(NOW - ago * HOUR, at, at, at, at, Decimal(volume))


def symbols(pane: Pane) -> list[str]:
    """Return the symbols of the rows, in order."""
    return [
        next(part for part in text(row).split() if "/" in part)
        for row in pane.body[1:]
        if "/" in text(row) and "over" not in text(row)
    ]


def under_cursor(pane: Pane) -> list[str]:
    """Return the symbols of the rows on the cursor's ground."""
    return [
        next(part for part in text(row).split() if "/" in part)
        for row in pane.body
        if any(span.ground is Ground.CURSOR for span in row)
    ]


@pytest.mark.parametrize("width", range(30, 301, 9))
def test_every_row_is_exactly_as_wide_as_the_pane(width: int) -> None:
    """At every width each row fits."""
    assert bad_widths(shown(width).body, width) == []


def test_a_row_has_number_symbol_venue_price_change_and_spread() -> None:
    """The columns of the design, at the width of the design."""
    rows = plain(shown())
    assert rows[0].split() == ["instrument", "last", "chg", "bps"]
    assert rows[1].split() == ["1", "BTC/USDT", "BIN", "61,837.64", "▲", "1.24", "0.0"]
    assert rows[2].split() == ["2", "BTC/USDT", "OKX", "61,838.1", "▼", "1.22", "0.1"]


def test_a_mid_that_stands_in_for_the_last_price_is_marked() -> None:
    """Without a last price the mid is shown, with a mark; without both, unknown."""
    rows = plain(shown())
    assert "61,837.0m" in rows[3]
    assert rows[4].split()[3:] == ["—", "—", "—"]


def test_the_selected_row_has_the_cursors_ground() -> None:
    """Selected means ground and number in accent, on one row alone."""
    body = shown(selected="OKX:BTC/USDT").body
    assert [any(span.ground is Ground.CURSOR for span in row) for row in body[:5]] == [
        False,
        False,
        True,
        False,
        False,
    ]
    assert body[2][0].role is Role.ACCENT


def test_a_stale_instrument_shows_its_age_as_a_warning() -> None:
    """Where the spread would stand there is the age, in the warning's role."""
    pane = shown(trusts={ID: trust(TrustState.STALE, "", 14), "OKX:BTC/USDT": LIVE})
    assert plain(pane)[1].split()[-1] == "14s"
    assert any(span.role is Role.WARN and "14s" in span.text for span in pane.body[1])
    assert plain(pane)[2].split()[-1] == "0.1"


@pytest.mark.parametrize("width", [30, 38, 60])
def test_a_stale_instrument_is_marked_and_without_colour_at_every_width(width: int) -> None:
    """Its row has neither the roles of what is current nor those of a side; the mark never goes."""
    pane = shown(width, selected="OKX:BTC/USDT", trusts={ID: trust(TrustState.STALE, "", 14)})
    roles = {span.role for span in pane.body[1] if span.text.strip()}
    assert roles <= {Role.MUTED, Role.FAINT, Role.WARN}
    assert any(span.text.strip() in {"◔", "14s"} and span.role is Role.WARN for span in pane.body[1])
    assert not any(span.role is Role.WARN for span in pane.body[2])


@pytest.mark.parametrize(
    ("width", "words"),
    [(38, "crossed 0.13 · 0.02 bps · DER→BIN"), (34, "crossed 0.13 · DER→BIN"), (20, "crossed 0.13")],
)
def test_a_cross_is_shortened_by_whole_parts(width: int, words: str) -> None:
    """What there is no room for goes; nothing is cut."""
    assert plain(shown(width))[-1].strip() == words


def test_venues_are_compared_and_a_cross_is_said() -> None:
    """The selected symbol's venues show their touch, who is best, and what is crossed between them."""
    rows = [row for row in plain(shown()) if row.strip()][5:]
    assert rows[0].strip() == "BTC/USDT over 3 venues"
    assert rows[1].split() == ["BIN", "61,837.63", "61,837.64", "◂", "best", "bid"]
    assert rows[2].split() == ["DER", "61,836.50", "61,837.50", "◂", "best", "ask"]
    assert rows[3].split() == ["OKX", "61,837.40", "61,838.10"]
    assert rows[4].strip() == "crossed 0.13 · 0.02 bps · DER→BIN"


def test_a_curve_is_never_best() -> None:
    """The prices of a VWAP book are averages, which nobody quotes."""
    held = market()
    held.books["DERIBIT:BTC/USDT"] = book([("61838.0", "1")], [("61836.0", "1")], BookType.VWAP)
    pane = shown(held=held)
    assert "DER 61,838.00 61,836.00" in screen(pane)
    assert "crossed" not in screen(pane)
    assert "BIN 61,837.63 61,837.64 ◂ best both" in screen(pane)


def test_the_best_venues_are_shown_however_many_there_are() -> None:
    """The last of nine venues by name has the best bid: it is among the rows."""
    held = market()
    venues = [f"V{number}:BTC/USDT" for number in range(9)]
    held.set_instruments(
        [*held.instruments.values(), *(Instrument(one, one[:2], "BTC/USDT") for one in venues)]
    )
    for one in venues[:-1]:
        held.apply_ticker(ticker(one, "61837.0", "61839.0", None, None))
    held.apply_ticker(ticker(venues[-1], "61837.635", "61839.0", None, None))
    rows = plain(shown(height=20, held=held))
    assert sum(row.strip().startswith("V") for row in rows) < len(venues)
    assert any(row.split()[:2] == ["V8", "61,837.635"] and "bid" in row for row in rows)


def test_a_venue_that_cannot_be_trusted_is_never_best() -> None:
    """A stale venue is not compared."""
    pane = shown(trusts={"DERIBIT:BTC/USDT": trust(TrustState.STALE, "", 14)})
    assert "crossed" not in screen(pane)
    assert "BIN 61,837.63 61,837.64 ◂ best both" in screen(pane)


def test_one_venue_alone_is_not_compared() -> None:
    """A symbol of one venue has no block."""
    assert "over" not in screen(shown(selected="B2C2:XRP/USD"))


def test_a_book_in_sync_is_better_than_a_ticker_and_one_out_of_sync_is_not_used() -> None:
    """The touch comes from the book while it can be trusted."""
    held = market()
    held.books[ID] = book([("100.00", "1")], [("100.02", "1")])
    assert quote(held, ID).bid == Decimal("100.00")
    held.books[ID].mark_out_of_sync("gap")
    assert quote(held, ID).bid == Decimal("61837.63")


def test_the_latest_print_stands_in_for_the_last_price() -> None:
    """A venue without a ticker still has a last price."""
    held = market()
    held.apply_ticker(ticker("B2C2:XRP/USD", "0.60410", "0.60412", None, None))
    held.tape("B2C2:XRP/USD").add(print_("0.60411", "1"))
    assert quote(held, "B2C2:XRP/USD").price == Decimal("0.60411")
    assert not quote(held, "B2C2:XRP/USD").is_mid


def test_the_last_price_is_the_later_one_of_ticker_and_tape() -> None:
    """A ticker that was asked for half a minute ago does not stand for the market that trades meanwhile."""
    held = market()
    held.apply_ticker(ticker(ID, "1", "3", "2", None))
    before = held.tickers[ID].timestamp
    held.tape(ID).add(print_("5", "1", at=before - 1))
    assert quote(held, ID).price == Decimal("2")
    held.tape(ID).add(print_("6", "1", at=before + 1))
    assert quote(held, ID).price == Decimal("6")


def test_an_unpinned_selected_instrument_is_shown_without_a_number() -> None:
    """The selected instrument is in the list even when it is not pinned."""
    pane = shown(height=9, pinned=PINNED[:1], selected=PINNED[3])
    assert plain(pane)[2].split()[:2] == ["›", "XRP/USD"]
    assert text(pane.trust) == "1 pinned"


def test_nothing_pinned_says_what_to_do() -> None:
    """An empty list offers the picker."""
    pane = shown(height=9, pinned=[], selected=None)
    assert "press / to find one" in " ".join(screen(pane).split())


# --- more than fits


def test_the_selected_row_is_brought_into_sight_when_it_changes_and_then_left_alone() -> None:
    """A wheel may leave it behind; turning to another brings that one."""
    held, ids = many(20)
    memory = WatchMemory()
    pane = shown(height=6, held=held, pinned=ids, selected=ids[15], memory=memory)
    assert symbols(pane) == [f"C{n}/USD" for n in range(11, 16)]
    assert text(pane.trust) == "12–16 of 20 pinned"
    memory.scroll(-9)
    assert symbols(shown(height=6, held=held, pinned=ids, selected=ids[15], memory=memory))[0] == "C2/USD"
    memory.centre()
    pane = shown(height=6, held=held, pinned=ids, selected=ids[15], memory=memory)
    assert symbols(pane) == [f"C{n}/USD" for n in range(13, 18)]
    pane = shown(height=6, held=held, pinned=ids, selected=ids[14], memory=memory)
    assert symbols(pane) == [f"C{n}/USD" for n in range(13, 18)]
    assert memory.visible == tuple(ids[13:18])
    assert [memory.instrument_at(row) for row in (0, 1, 5, 6)] == [None, ids[13], ids[17], None]


def test_the_cursor_goes_its_own_way_and_takes_the_rows_along() -> None:
    """It begins at the selected row, stops at the ends, and what is selected stays so."""
    held, ids = many(20)
    memory = WatchMemory()

    def frame() -> Pane:
        return shown(height=6, held=held, pinned=ids, selected=ids[0], memory=memory)

    assert (under_cursor(frame()), memory.selected()) == (["C0/USD"], None)
    memory.move(1)
    memory.move(1)
    assert (under_cursor(frame()), memory.selected()) == (["C2/USD"], ids[2])
    memory.page(1)
    assert under_cursor(frame()) == ["C5/USD"]
    assert memory.visible == tuple(ids[1:6])
    memory.move(100)
    assert under_cursor(frame()) == ["C19/USD"]
    assert memory.release()
    assert not memory.release()
    assert frame().body[1] == frame().body[1]
    assert memory.selected() is None


def test_pins_beyond_nine_have_no_number() -> None:
    """Only those with a key do, wherever they stand."""
    held, ids = many(12)
    pane = shown(held=held, pinned=ids, selected=None, sort="change")
    assert [plain(pane)[at].split()[0] for at in (1, 4, 12)] == ["C11/USD", "9", "1"]


# --- sorted


@pytest.mark.parametrize("choice", ["change", "last", "volume", "spread", "name"])
@given(
    st.lists(st.tuples(*[st.one_of(st.none(), st.integers(1, 9))] * 4), min_size=1, max_size=12),
)
def test_a_sort_is_that_of_a_naive_model(choice: str, facts: list[tuple[int | None, ...]]) -> None:
    """Largest first, the narrowest spread first, names by the alphabet; the unknown last, as pinned."""
    held = Market()
    ids = [f"V:{chr(70 - at)}/USD" for at in range(len(facts))]
    keys: dict[str, Decimal | None] = {}
    for name, (change, last, spread, volume) in zip(ids, facts, strict=True):
        bid = None if spread is None else "10"
        ask = None if spread is None else str(10 + spread)
        held.apply_ticker(ticker(name, bid, ask, _text(last), _text(change)))
        if volume is not None:
            hours = [hour(n, 1, volume) for n in range(24)]
            held.trails.set_day(name, day_of(hours, NOW))
        mid = None if spread is None else 10 + Decimal(spread) / 2
        price = mid if last is None else Decimal(last)
        keys[name] = {
            "change": None if change is None else Decimal(-change),
            "last": None if price is None else -price,
            "volume": None if volume is None or price is None else -volume * price,
            "spread": None if mid is None or spread is None else spread / mid,
            "name": Decimal(ord(name[2])),
        }[choice]
    naive = sorted(ids, key=lambda one: (keys[one] is None, keys[one] or 0))
    memory = WatchMemory()
    shown(height=20, held=held, pinned=ids, selected=None, memory=memory, sort=choice)
    assert list(memory.visible) == naive


def _text(value: int | None) -> str | None:
    return None if value is None else str(value)


def test_rows_do_not_move_under_a_cursor_nor_more_often_than_every_few_seconds() -> None:
    """The order is made anew when it has stood a while, and stands still while a cursor is in the list."""
    held, ids = many(5)
    memory = WatchMemory()

    def frame(now: int) -> Pane:
        return shown(held=held, pinned=ids, selected=ids[0], memory=memory, now=now, sort="change")

    assert symbols(frame(NOW))[0] == "C4/USD"
    held.apply_ticker(ticker(ids[2], "1", "2", "1.5", "99"))
    assert symbols(frame(NOW + SORTED_FOR_NS - 1))[0] == "C4/USD"
    memory.move(1)
    for later in (SORTED_FOR_NS, 100 * SORTED_FOR_NS):
        pane = frame(NOW + later)
        assert symbols(pane)[0] == "C4/USD"
        assert text(pane.trust) == "5 pinned · by change · held"
    memory.release()
    pane = frame(NOW + 100 * SORTED_FOR_NS + 1)
    assert symbols(pane)[0] == "C2/USD"
    assert text(pane.trust) == "5 pinned · by change"


def test_a_row_that_is_pinned_meanwhile_comes_last_and_one_let_go_leaves_the_rest_alone() -> None:
    """Nothing jumps because of it; the cursor of a row that is gone is gone."""
    held, ids = many(6)
    memory = WatchMemory()
    shown(held=held, pinned=ids[:4], selected=ids[0], memory=memory, sort="change")
    memory.move(-1)
    shown(held=held, pinned=ids[:4], selected=ids[0], memory=memory, sort="change")
    assert memory.selected() == ids[1]
    pane = shown(held=held, pinned=[*ids[:4], ids[5]], selected=ids[0], memory=memory, sort="change")
    assert symbols(pane) == ["C3/USD", "C2/USD", "C1/USD", "C0/USD", "C5/USD"]
    kept = [ids[0], ids[2], ids[3], ids[5]]
    pane = shown(held=held, pinned=kept, selected=ids[0], memory=memory, sort="pinned")
    assert symbols(pane) == ["C0/USD", "C2/USD", "C3/USD", "C5/USD"]
    assert memory.selected() is None


def test_only_a_sort_by_what_tickers_say_needs_rows_out_of_sight() -> None:
    """So the feed asks for them then, and for the last day where it is shown."""
    memory = WatchMemory()
    for choice, ranked in (("pinned", False), ("name", False), ("change", True), ("volume", True)):
        shown(38, memory=memory, sort=choice)
        assert memory.ranked is ranked
        assert memory.days is (choice == "volume")
    shown(118, memory=memory)
    assert memory.days
    shown(118, memory=memory, volume="off", trend="off")
    assert not memory.days


# --- what there is room for


def test_a_wide_list_has_every_column() -> None:
    """Names, touch, volume, the line of the last day and the age, under their words."""
    held = market()
    hours = [hour(n, 60_000 - n, "100.25") for n in range(24)]
    held.trails.set_day(ID, day_of(hours, NOW))
    rows = plain(shown(118, held=held))
    assert rows[0].split() == ["instrument", "last", "chg", "bps", "bid", "ask", "vol", "24h", "age"]
    parts = rows[1].split()
    assert parts[:10] == [
        "1", "BTC/USDT", "BINANCE", "61,837.64", "▲", "1.24", "0.0", "61,837.63", "61,837.64", "2,406",
    ]  # fmt: skip
    assert parts[10] == "▁" * 23 + "▇"
    assert parts[11] == "·"
    assert rows[2].split()[-3:] == ["—", "—", "·"]


def test_bid_and_ask_are_whole_however_long_they_are() -> None:
    """Longer than the last price, too: the columns of the touch have room or are left out."""
    held = Market()
    held.apply_ticker(ticker(ID, "999999999.75", "1000000001.25", "9.5", None))
    row = plain(shown(118, held=held, pinned=[ID]))[1]
    assert "999,999,999.75 1,000,000,001.25" in row
    assert "…" not in plain(shown(60, held=held, pinned=[ID]))[1]


def test_bid_and_ask_are_whole_in_the_first_frame_where_one_alone_has_a_fraction() -> None:
    """Nothing says how many decimals there are: those of the last price count for both, at once."""
    held = Market()
    held.apply_ticker(ticker("V:C/USD", "50000", "50001", "50000.5", "1"))
    memory = WatchMemory()
    first = plain(shown(198, held=held, pinned=["V:C/USD"], selected="V:C/USD", memory=memory))
    assert "50,000.0 50,001.0" in first[1]
    assert plain(shown(198, held=held, pinned=["V:C/USD"], selected="V:C/USD", memory=memory)) == first


def test_a_volume_is_the_sum_to_the_last_digit_where_there_is_room() -> None:
    """Twenty-four hours added up; where there is none it is not zero but unknown."""
    held = market()
    hours = [hour(n, 1, "0.001") for n in range(24)]
    held.trails.set_day(ID, day_of(hours, NOW))
    rows = plain(shown(118, held=held, trend="off"))
    assert digits(rows[1].split()[9]) == Decimal("0.024")
    assert rows[2].split()[9] == "—"


def test_without_days_the_line_is_of_what_was_seen() -> None:
    """And says over how long."""
    held = market()
    for at, price in enumerate(("1", "2", "3")):
        held.trails.note(ID, Decimal(price))
        held.trails.sample(NOW + 2 * at * SECOND)
    rows = plain(shown(118, held=held, touch="off"))
    assert rows[0].split()[-2:] == ["6s", "age"]
    assert rows[1].split()[-2:] == ["▁▄▇", "·"]


def test_a_stale_row_says_its_age_where_ages_stand() -> None:
    """The spread's column keeps the spread then, without colours."""
    row = plain(shown(118, trusts={ID: trust(TrustState.STALE, "", 14)}))[1].split()
    assert (row[6], row[-1]) == ("0.0", "14s")


@pytest.mark.parametrize("width", [38, 60, 80, 120, 200])
@pytest.mark.parametrize("off", [choice.name for choice in CHOICES if "off" in choice.values])
def test_each_column_can_be_left_out(width: int, off: str) -> None:
    """At every width the rows fit without it, and nothing else goes for it."""
    all_on, without = shown(width), shown(width, options={off: "off"})
    assert bad_widths(without.body, width) == []
    words, fewer = plain(all_on)[0].split(), plain(without)[0].split()
    column = {
        "change": {"chg"},
        "spread": {"bps"},
        "volume": {"vol"},
        "touch": {"bid", "ask"},
        "age": {"age"},
    }
    assert not column.get(off, set()) & set(fewer)
    assert set(words) - column.get(off, set()) <= {*fewer, "trend"}


def test_columns_stay_where_they_are_when_prices_get_shorter() -> None:
    """Widths only grow."""
    held, memory = market(), WatchMemory()
    before = plain(shown(80, held=held, memory=memory))
    held.apply_ticker(ticker(ID, "1.63", "1.64", "1.64", "1.24"))
    after = plain(shown(80, held=held, memory=memory))
    assert after[0] == before[0]
    assert after[1].index("1.64") == before[1].index("61,837.64") + len("61,837.64") - len("1.64")


# --- what it costs


def test_a_frame_looks_at_no_row_out_of_sight() -> None:
    """However many are listed: neither their quotes nor their trust are asked for."""
    held, ids = many(300)
    asked: list[str] = []

    def trust_of(one: str) -> Trust:
        asked.append(one)
        return LIVE

    memory = WatchMemory()
    for _ in range(3):
        watchlist(
            held,
            ids,
            ids[0],
            width=118,
            height=21,
            memory=memory,
            options={"venues": "off"},
            trust_of=trust_of,
            now=NOW,
        )
    assert asked == ids[:20] * 3
    assert len(memory.rows) == 20


def test_a_row_that_says_the_same_is_the_same() -> None:
    """So what is painted is compared by identity."""
    held, memory = market(), WatchMemory()
    before = shown(held=held, memory=memory)
    held.apply_ticker(ticker("OKX:BTC/USDT", "61837.4", "61838.1", "61837.9", "-1.22"))
    after = shown(held=held, memory=memory, now=NOW + SECOND)
    assert after.body[3] is before.body[3]
    assert after.body[2] != before.body[2]
    held.apply_ticker(ticker("OKX:BTC/USDT", "61837.4", "61838.1", "61837.9", "2.5"))
    assert shown(held=held, memory=memory).body[2] != after.body[2]


def test_the_list_knows_what_it_shows() -> None:
    """The rows in sight and the venues under them: what else changes is nothing to it."""
    held, ids = many(20)
    memory = WatchMemory()
    shown(height=6, held=held, pinned=ids, selected=ids[0], memory=memory)
    assert memory.shows(ids[4])
    assert not memory.shows(ids[5])
    shown(height=14, pinned=[ID], memory=memory)
    assert memory.shows("OKX:BTC/USDT")

"""The watchlist."""

from __future__ import annotations

from decimal import Decimal

import pytest

from cadenza_tui.market.trust import TrustState
from cadenza_tui.view.rows import Ground, Pane, Role
from cadenza_tui.view.watchlist import WatchWidths, listed, quote, watchlist
from tests.view.support import ID, LIVE, bad_widths, book, market, plain, print_, screen, text, ticker, trust

PINNED = [ID, "OKX:BTC/USDT", "DERIBIT:BTC/USDT", "B2C2:XRP/USD"]


def shown(width: int = 38, height: int = 14, selected: str | None = ID, **options: object) -> Pane:
    """Return the pane of the shared market."""
    held = options.pop("held", market())
    return watchlist(held, PINNED, selected, width=width, height=height, widths=WatchWidths(), **options)  # type: ignore[arg-type]


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


def test_what_is_listed_keeps_the_selected_one_in_sight() -> None:
    """The list scrolls so far that the selected instrument is among the rows."""
    pinned = [f"V:{n}" for n in range(20)]
    assert [at for at, _ in listed(pinned, "V:15", 6)] == [11, 12, 13, 14, 15]
    assert [at for at, _ in listed(pinned, "V:0", 6, scroll=3)] == [0, 1, 2, 3, 4]
    assert listed(["V:1"], "V:2", 6) == [(0, "V:1"), (1, "V:2")]
    assert listed([], None, 6) == []


def test_an_unpinned_selected_instrument_is_shown_without_a_number() -> None:
    """The selected instrument is in the list even when it is not pinned."""
    pane = watchlist(market(), PINNED[:1], PINNED[3], width=38, height=9, widths=WatchWidths())
    assert plain(pane)[2].split()[:2] == ["›", "XRP/USD"]
    assert text(pane.trust) == "1 pinned"


def test_nothing_pinned_says_what_to_do() -> None:
    """An empty list offers the picker."""
    pane = watchlist(market(), [], None, width=38, height=9, widths=WatchWidths())
    assert "press / to find one" in " ".join(screen(pane).split())

"""The Account view: what is valued, summed up, filtered, hidden and masked."""

from __future__ import annotations

from decimal import Decimal

from msgspec.structs import replace

from cadenza_tui.market.records import Portfolio, Summary, UpdateMode
from cadenza_tui.view.account_frame import AccountMemory, Options
from cadenza_tui.view.rows import Role
from tests.view.accounts import MINUTE, view
from tests.view.support import (
    NOW,
    SECOND,
    balance,
    funded,
    plain,
    screen,
    text,
    ticker,
)

DAY = 86_400 * SECOND


def test_totals_are_exact_over_all_accounts_and_side_by_side() -> None:
    """Each asset is summed over the accounts, with each account's part beside it."""
    row = next(row for row in plain(view(width=160)) if row.split()[:1] == ["USDT"])
    assert row.split()[1] == "813,004.6200"
    assert {"812,004.1200", "1,000.50"} <= set(row.split())


def test_the_total_is_without_loans_and_says_what_has_no_price() -> None:
    """What is borrowed belongs to somebody else."""
    held = funded()
    loan = replace(balance("USDT", "812004.1200"), borrowed=Decimal(2004), updated_at=NOW)
    held.apply_portfolio(Portfolio("a1", UpdateMode.DELTA, balances=(loan,)), NOW)
    assert "1,284,058.53 USDT net of loans · without BNB" in screen(view(held))


def test_a_total_counts_what_it_cannot_name() -> None:
    """Two assets without a price are named, the others counted."""
    held = funded()
    more = tuple(balance(name, "1") for name in ("PEPE", "WIF", "BONK"))
    held.apply_portfolio(Portfolio("a1", UpdateMode.DELTA, balances=more), NOW)
    assert "without BNB, PEPE, 2 more" in screen(view(held))


def test_everything_is_valued_in_the_chosen_currency() -> None:
    """Heading, values and total are in it, with its decimals."""
    words = screen(view(options=Options(currency="BTC")))
    assert "value BTC" in words
    assert "13.14740805" in words
    assert "20.79740805 BTC" in words


def test_an_account_without_a_currency_is_valued_in_usdt() -> None:
    """The summary's currency comes before that."""
    assert "value USDT" in screen(view(chosen="a2"))
    held = funded()
    held.accounts["a2"].summary = Summary("USD")
    assert "value USD " in screen(view(held, chosen="a2"))


def test_the_path_and_its_prices_can_be_seen() -> None:
    """On a wide screen in a column, and for the row that is pointed at with prices, age and trust."""
    held, memory = funded(), AccountMemory()
    pane = view(held, width=166, memory=memory, chosen="a2")
    assert "by price of" not in plain(pane)[0]
    held.apply_portfolio(Portfolio("a2", UpdateMode.DELTA, balances=(balance("BTC", "1"),)), NOW)
    assert "BTC/USDT" in next(row for row in plain(view(held, width=198, chosen="a2")) if " BTC " in row)
    memory.cursor = ("balances", ("a2", "BTC"))
    assert "BTC · OKX:BTC/USDT 61,837.75" in screen(view(held, width=166, memory=memory, chosen="a2"))
    late = screen(view(held, width=166, memory=memory, chosen="a2", now=NOW + 2 * MINUTE))
    assert "~ OKX:BTC/USDT 61,837.75 2 m old stale: " in late


def test_an_unpriced_row_says_why() -> None:
    """The row that is pointed at tells what the dash means."""
    memory = AccountMemory(cursor=("balances", ("a1", "BNB")))
    assert "BNB · no price of BNB in USDT" in screen(view(memory=memory, chosen="a1"))


def test_the_equity_bar_is_gone_when_masked() -> None:
    """Its length would betray the amount."""
    gauges = screen(view()).count("▰")
    assert screen(view(options=Options(masked=True))).count("▰") == gauges - 8


def test_the_filter_is_in_the_title_and_what_it_hides_is_counted() -> None:
    """In every table: by asset, instrument, account or venue."""
    pane = view(options=Options(filter="btc"))
    assert text(pane.title) == "Accounts · all 2 · filter btc · 1 hidden by the filter"
    assert "Totals by asset · 2 hidden by the filter" in screen(pane)
    assert "812,004" not in screen(pane)
    assert "7.65" in screen(pane)
    venue = screen(view(options=Options(filter="OKX")))
    assert "cold" in venue
    assert "desk-1" not in venue.replace("desk-1  ", "", 1) or "1 hidden by the filter" in venue
    assert "nothing matches" in screen(view(options=Options(filter="zzz")))


def test_dust_is_hidden_and_counted() -> None:
    """What is zero, and what is worth less than a unit of money; not what has no price, nor a loan."""
    held = funded()
    small = (
        balance("ADA", "0", "0", "0"),
        balance("XBT", None),
        balance("DOGE", "0.5"),
        replace(balance("SOL", "0"), borrowed=Decimal(3)),
        balance("EUR", "0.00001"),
    )
    held.apply_portfolio(Portfolio("a2", UpdateMode.DELTA, balances=small), NOW)
    held.apply_portfolio(Portfolio("a2", UpdateMode.DELTA, balances=(balance("USDT", "0.99"),)), NOW)
    words = screen(view(held, chosen="a2", options=Options(hide_dust=True)))
    assert "2 dust hidden" in words
    assert all(f" {asset} " in words for asset in ("XBT", "DOGE", "SOL", "EUR"))
    assert " ADA " not in words
    assert "0.99" in words  # in the total alone: what is hidden still counts
    assert " USDT " not in words.replace("0.99 USDT", "").replace("value USDT", "")


def test_the_total_is_of_what_the_filter_lets_through() -> None:
    """Dust counts, what is filtered away does not."""
    words = screen(view(options=Options(filter="btc", hide_dust=True)))
    assert "473,057.91 USDT" in words
    assert "1,286,062" not in words


def test_an_account_without_equity_is_valued_every_few_seconds() -> None:
    """And at once when a balance changes; it is marked as ours."""
    held, memory = funded(), AccountMemory()

    def shown(seconds: int) -> str:
        rows = plain(view(held, memory=memory, now=NOW + seconds * SECOND, options=Options(currency="BTC")))
        return next(word for row in rows if " cold " in row for word in row.split() if "0." in word)

    first = shown(0)
    held.apply_ticker(ticker("BINANCE:BTC/USDT", "30000.00", "30000.02", None, None))
    held.apply_ticker(ticker("OKX:BTC/USDT", "30000.00", "30000.02", None, None))
    assert shown(1) == first
    assert shown(6) != first
    held.apply_portfolio(Portfolio("a2", UpdateMode.DELTA, balances=(balance("USDT", "2000"),)), NOW)
    assert shown(7) == "0.06666664"


def test_the_change_of_the_day_is_since_midnight() -> None:
    """Unknown before the first one, and beside that of the session."""
    held, midnight = funded(), (NOW // DAY + 1) * DAY
    held.accounts["a2"].followed = True

    def row(now: int) -> list[str]:
        return next(
            row for row in plain(view(held, chosen="a2", now=now)) if row.startswith("  USDT")
        ).split()

    assert row(NOW)[-3:] == ["0", "—", "·"]
    for now, total in ((midnight - SECOND, "1001.00"), (midnight + SECOND, "1003.50")):
        held.roll_day(now)
        more = replace(balance("USDT", total), updated_at=now)
        held.apply_portfolio(Portfolio("a2", UpdateMode.DELTA, balances=(more,), updated_at=now), now)
    assert row(midnight + MINUTE)[-3:] == ["+3.00", "+2.50", "·"]


def test_small_change_on_borrowed_money_is_no_dust() -> None:
    """A loan is never hidden."""
    held = funded()
    lent = replace(balance("USDT", "0.50"), borrowed=Decimal("0.50"), updated_at=NOW)
    held.apply_portfolio(Portfolio("a2", UpdateMode.DELTA, balances=(lent,)), NOW)
    assert "dust" not in screen(view(held, chosen="a2", options=Options(hide_dust=True)))


def test_a_change_is_unknown_where_a_part_of_it_is() -> None:
    """The sum of what is known would be no change of the total."""
    held = funded()
    more = balance("USDT", "812005.1200")
    held.apply_portfolio(Portfolio("a1", UpdateMode.DELTA, balances=(more,)), NOW)
    row = next(row for row in plain(view(held)) if " USDT " in row and "813,005" in row)
    assert "+1.0000" in row
    held.apply_portfolio(Portfolio("a2", UpdateMode.DELTA, balances=(balance("USDT", None),)), NOW)
    row = next(row for row in plain(view(held)) if " USDT " in row and "812,005" in row)
    assert "+1.0000" not in row


def test_masked_nothing_that_is_made_of_amounts_is_left() -> None:
    """Totals, values, equities and the parts of the row that is pointed at."""
    options = Options(masked=True)
    for key in ("USDT", "BTC"):
        pane = view(options=options, memory=AccountMemory(cursor=("totals", ("", key))))
        words = screen(pane) + text(pane.trust)
        for amount in ("1,286,062", "813,004", "812,004", "473,057", "1,284,113", "1,000.50", "7.65"):
            assert amount not in words
    tight = view(options=options, width=38, height=8)
    assert text(tight.trust) == "•••••+ USDT"


def test_what_a_query_corrected_is_in_the_border() -> None:
    """Amber, with the time of the latest; a confirmation is told quietly."""
    held = funded()
    held.accounts["a1"].reconciled_at = NOW - 3 * MINUTE
    pane = view(held, chosen="a1")
    assert "reconciled 3 m ago" in text(pane.trust)
    assert all(span.role in (Role.MUTED, Role.TITLE) for span in pane.trust)


def test_the_total_moves_with_the_book_alone() -> None:
    """A new price gives a new value, and the balances' other cells stay."""
    held, memory = funded(), AccountMemory()
    before = view(held, memory=memory)
    held.apply_ticker(ticker("BINANCE:BTC/USDT", "61900.00", "61900.02", None, None))
    after = view(held, memory=memory, now=NOW + SECOND)
    differing = [(old, new) for old, new in zip(plain(before), plain(after), strict=True) if old != new]
    assert len(differing) <= 2
    assert "473,535.08" in screen(after)

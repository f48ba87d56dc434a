"""What the view tests share: books and markets made by hand, and panes as plain text."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from rich.cells import cell_len

from cadenza_tui.market.book import OrderBook
from cadenza_tui.market.records import (
    Balance,
    BookType,
    BookUpdate,
    Execution,
    Fee,
    Instrument,
    Order,
    Portfolio,
    Position,
    Print,
    Side,
    Summary,
    Ticker,
    TradingAccount,
    UpdateType,
)
from cadenza_tui.market.state import Market
from cadenza_tui.market.trust import Trust, TrustState
from cadenza_tui.view.text import painted

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from cadenza_tui.view.rows import Pane, Row

ID = "BINANCE:BTC/USDT"
SECOND = 1_000_000_000
NOW = 1_723_161_254 * SECOND
LIVE = Trust(TrustState.LIVE, "", SECOND // 10)
BTC = Instrument(
    ID, "BINANCE", "BTC/USDT", base="BTC", quote="USDT", tick=Decimal("0.01"), lot=Decimal("0.00001")
)


def text(row: Row) -> str:
    """Return a row as plain text."""
    return "".join(span.text for span in row)


def plain(pane: Pane) -> list[str]:
    """Return a pane's body as plain text."""
    return [text(row) for row in pane.body]


def screen(pane: Pane) -> str:
    """Return a pane's body as one text."""
    return "\n".join(plain(pane))


def bad_widths(rows: Iterable[Row], width: int) -> list[str]:
    """Return the rows that are not exactly ``width`` cells, counted and as a terminal shows them."""
    return [text(row) for row in rows if not len(text(row)) == width == cell_len(text(painted(row)))]


def trust(state: TrustState, reason: str = "", age_s: float | None = 0.1) -> Trust:
    """Return a trust that is dimmed unless its state is a current one."""
    current = state in (TrustState.LIVE, TrustState.QUIET, TrustState.REPLAYING, TrustState.LOCKED)
    return Trust(state, reason, None if age_s is None else int(age_s * SECOND), dimmed=not current)


def book(
    bids: Sequence[tuple[str, ...]],
    asks: Sequence[tuple[str, ...]],
    book_type: BookType = BookType.L2,
    columns: tuple[str, ...] = ("price", "quantity"),
) -> OrderBook:
    """Return a book with a snapshot of these rows."""
    made = OrderBook(ID)
    made.apply(BookUpdate(ID, UpdateType.SNAPSHOT, book_type, columns, list(bids), list(asks), NOW))
    return made


def order(side: Side, price: str, quantity: str, executed: str = "0", instrument_id: str = ID) -> Order:
    """Return a working limit order."""
    return Order(
        f"{side}{price}{quantity}",
        "a1",
        instrument_id,
        side,
        "ACCEPTED",
        order_type="LIMIT",
        time_in_force="GTC",
        limit_price=Decimal(price),
        quantity=Decimal(quantity),
        executed_quantity=Decimal(executed),
        created_at=NOW - 90 * SECOND,
    )


def print_(
    price: str, quantity: str, aggressor: Side | None = Side.BUY, at: int = NOW, key: str = ""
) -> Print:
    """Return a print."""
    return Print(ID, Decimal(price), Decimal(quantity), aggressor, at, key)


def ticker(
    instrument_id: str, bid: str | None, ask: str | None, last: str | None, change: str | None
) -> Ticker:
    """Return a ticker."""
    return Ticker(
        instrument_id,
        NOW,
        last_price=_decimal(last),
        bid_price=_decimal(bid),
        ask_price=_decimal(ask),
        price_change_percent=_decimal(change),
    )


def balance(asset: str, total: str | None, free: str | None = None, locked: str | None = None) -> Balance:
    """Return a balance of which only these amounts are known."""
    return Balance(
        asset,
        asset,
        status="ACTIVE",
        total=_decimal(total),
        free=_decimal(free),
        locked=_decimal(locked),
        updated_at=NOW,
    )


def market() -> Market:
    """Return a market of four instruments over three venues, tickers alone."""
    made = Market()
    made.set_instruments(
        [
            BTC,
            Instrument("OKX:BTC/USDT", "OKX", "BTC/USDT", base="BTC", quote="USDT", tick=Decimal("0.1")),
            Instrument(
                "DERIBIT:BTC/USDT", "DERIBIT", "BTC/USDT", base="BTC", quote="USDT", tick=Decimal("0.5")
            ),
            Instrument("B2C2:XRP/USD", "B2C2", "XRP/USD", base="XRP", quote="USD", tick=Decimal("0.00001")),
        ]
    )
    made.apply_ticker(ticker(ID, "61837.63", "61837.64", "61837.64", "1.24"))
    made.apply_ticker(ticker("OKX:BTC/USDT", "61837.4", "61838.1", "61838.1", "-1.22"))
    made.apply_ticker(ticker("DERIBIT:BTC/USDT", "61836.5", "61837.5", None, None))
    return made


def funded() -> Market:
    """Return a market with two accounts, one of them with everything that can be had."""
    made = market()
    made.apply_account(TradingAccount("a1", "desk-1", "BINANCE", "MARGIN", "ACTIVE"), NOW)
    made.apply_account(TradingAccount("a2", "cold", "OKX", "SPOT", "ACTIVE"), NOW)
    made.apply_portfolio(
        Portfolio(
            "a1",
            venue="BINANCE",
            balances=(
                balance("USDT", "812004.1200", "790004.1200", "22000.0000"),
                balance("BTC", "7.65000000", "7.15000000", "0.50000000"),
                balance("BNB", "12.04000000", "12.04000000", "0.00000000"),
            ),
            positions=(
                Position(
                    "p1",
                    "BTC",
                    ID,
                    position_side="LONG",
                    quantity=Decimal("1.5"),
                    entry_price=Decimal("60000.00"),
                    current_price=Decimal("61837.64"),
                    unrealized_pnl=Decimal("2756.46"),
                    realized_pnl=Decimal("-12.10"),
                    created_at=NOW - 3600 * SECOND,
                ),
            ),
            summary=Summary(
                "USDT",
                equity=Decimal("1284113.20"),
                margin=Decimal("308187.17"),
                margin_usage=Decimal("0.24"),
                margin_level=Decimal("4.16"),
            ),
        ),
        NOW,
    )
    made.apply_portfolio(Portfolio("a2", venue="OKX", balances=(balance("USDT", "1000.50", "1000.50"),)), NOW)
    made.apply_order(order(Side.BUY, "61800.00", "0.75", "0.25"), NOW)
    fill = Execution(
        "e1",
        ID,
        Side.BUY,
        Decimal("0.25"),
        Decimal("61800.00"),
        Decimal("15450.00"),
        (Fee("USDT", Decimal("15.45")),),
        NOW - 5 * SECOND,
    )
    filled = order(Side.BUY, "61800.00", "0.25", "0.25")
    made.apply_order(
        Order(
            "filled",
            "a1",
            ID,
            Side.BUY,
            "FILLED",
            limit_price=filled.limit_price,
            executions=(fill,),
            updated_at=NOW,
        ),
        NOW,
    )
    return made


def _decimal(number: str | None) -> Decimal | None:
    return None if number is None else Decimal(number)

"""Books kept in the plainest way, to compare the real ones with: dicts of Decimals, sorted when read."""

from __future__ import annotations

from decimal import Decimal, localcontext
from typing import Any

from cadenza_tui.market.records import BookType, BookUpdate

Row = tuple[str, ...]
Read = list[tuple[str, str, int | None, str | None]]


def exact_sum(texts: list[str]) -> str:
    with localcontext(prec=500):
        return format(sum((Decimal(text) for text in texts), Decimal(0)), "f")


class NaiveSide:
    """One side; rows in a dict by whatever makes them unique."""

    def __init__(self, book_type: BookType, columns: tuple[str, ...], *, bid: bool) -> None:
        self.book_type = book_type
        self.columns = columns
        self.bid = bid
        self.rows: dict[Any, Any] = {}

    def cell(self, row: Row, column: str) -> str:
        return row[self.columns.index(column)]

    def price(self, row: Row) -> Decimal:
        return Decimal(self.cell(row, "price"))

    def change(self, rows: list[Row]) -> None:
        if self.book_type is BookType.L3:
            self._change_anonymous(rows)
            return
        for row in rows:
            empty = Decimal(self.cell(row, "quantity")) == 0
            if self.book_type is BookType.L3_COUNTED:
                key: Any = self.cell(row, "orderId")
                moved = key in self.rows and self.price(self.rows[key]) != self.price(row)
                if empty or moved:
                    self.rows.pop(key, None)
            elif self.book_type is BookType.L2_EXCHANGE:
                key = (self.price(row), self.cell(row, "exchange"))
            else:
                key = self.price(row)
            if empty:
                self.rows.pop(key, None)
            else:
                self.rows[key] = row

    def _change_anonymous(self, rows: list[Row]) -> None:
        for price in {self.price(row) for row in rows}:
            kept: list[Row] = []
            for row in rows:
                if self.price(row) == price:
                    kept = [] if Decimal(self.cell(row, "quantity")) == 0 else [*kept, row]
            self.rows.pop(price, None)
            if kept:
                self.rows[price] = kept

    def read(self) -> Read:
        if self.book_type in {BookType.L3, BookType.L3_COUNTED}:
            by_price: dict[Decimal, list[Row]] = {}
            held = (
                [row for rows in self.rows.values() for row in rows]
                if self.book_type is BookType.L3
                else list(self.rows.values())
            )
            for row in held:
                by_price.setdefault(self.price(row), []).append(row)
            return [
                (
                    self.cell(rows[0], "price"),
                    exact_sum([self.cell(row, "quantity") for row in rows]),
                    len(rows),
                    None,
                )
                for _, rows in sorted(by_price.items(), reverse=self.bid)
            ]
        exchange = "exchange" if self.book_type is BookType.L2_EXCHANGE else None
        rows = sorted(self.rows.values(), key=lambda row: self.cell(row, exchange) if exchange else "")
        rows.sort(key=self.price, reverse=self.bid)
        return [
            (
                self.cell(row, "price"),
                self.cell(row, "quantity"),
                int(self.cell(row, "orderCount")) if "orderCount" in self.columns else None,
                self.cell(row, exchange) if exchange else None,
            )
            for row in rows
        ]


class NaiveBook:
    """Both sides; only snapshots and diffs that are to be applied are given to it."""

    def __init__(self) -> None:
        self.bids = self.asks = NaiveSide(BookType.L2, ("price", "quantity"), bid=True)

    def snapshot(self, update: BookUpdate) -> None:
        self.bids = NaiveSide(update.book_type, update.columns, bid=True)
        self.asks = NaiveSide(update.book_type, update.columns, bid=False)
        self.diff(update)

    def diff(self, update: BookUpdate) -> None:
        self.bids.change(update.bids)
        self.asks.change(update.asks)

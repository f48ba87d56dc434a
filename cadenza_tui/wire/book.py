"""``orderBook`` messages. Almost all are checked whole, without a loop in Python."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias

import msgspec

from cadenza_tui.market.layout import Layout, LayoutError, layout_of
from cadenza_tui.market.records import BookType, BookUpdate, UpdateType
from cadenza_tui.market.sides import MAXIMUM_TEXT
from cadenza_tui.wire.read import ABSENT, Bytes, instrument, name, needed_time, plain, present, read
from cadenza_tui.wire.rejected import Rejected, RejectReason
from cadenza_tui.wire.text import clean

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cadenza_tui.wire.channels import ChannelName

Rows: TypeAlias = list[tuple[str, ...]]

MAXIMUM_MESSAGE_ROWS = 50_000
"""Rows of one side of one message."""

DEFAULT_COLUMNS: dict[BookType, tuple[str, ...]] = {
    BookType.L2: ("price", "quantity"),
    BookType.L2_COUNTED: ("price", "quantity", "orderCount"),
    BookType.L3: ("price", "quantity"),
    BookType.L3_COUNTED: ("price", "quantity", "orderId"),
    BookType.L2_EXCHANGE: ("price", "quantity", "exchange"),
    BookType.VWAP: ("price", "quantity"),
}
"""The contract's own layouts, for a message that leaves ``columns`` out."""


class _Book(msgspec.Struct, rename="camel", gc=False):
    timestamp: int | str
    update_type: str | None = None
    order_book_type: str | None = None
    columns: msgspec.Raw = ABSENT
    bids: msgspec.Raw = ABSENT
    asks: msgspec.Raw = ABSENT
    venue: str | None = None
    symbol: str | None = None
    instrument_id: str | None = None


class _Level(msgspec.Struct):
    price: msgspec.Raw
    quantity: msgspec.Raw


_Cell: TypeAlias = Annotated[str, msgspec.Meta(min_length=1, max_length=MAXIMUM_TEXT)]

_book = msgspec.json.Decoder(_Book)
_names = msgspec.json.Decoder(tuple[str, ...])
_fast: dict[int, Any] = {
    2: msgspec.json.Decoder(list[tuple[_Cell, _Cell]]).decode,
    3: msgspec.json.Decoder(list[tuple[_Cell, _Cell, _Cell]]).decode,
    4: msgspec.json.Decoder(list[tuple[_Cell, _Cell, _Cell, _Cell]]).decode,
}
_texts = msgspec.json.Decoder(list[list[str]])
_raws = msgspec.json.Decoder(list[list[msgspec.Raw]])
_objects = msgspec.json.Decoder(list[_Level])

_UPDATE_TYPES = {each.value: each for each in UpdateType}
_BOOK_TYPES = {each.value: each for each in BookType}
_layouts: dict[tuple[str, bytes], Layout] = {}
_MAXIMUM_LAYOUTS = 256

_plain = re.compile(r"-?[0-9]+(?:\.[0-9]+)?").fullmatch

_ALIKE = bytes(
    ord("1") if byte in b"0123456789" else ord(".") if byte == ord('"') else byte for byte in range(256)
)
"""Maps every digit to 1 and the quote to a point."""


def decode_book(
    data: Bytes, channel: ChannelName | None, update_type: UpdateType | None = None
) -> BookUpdate:
    """Return a book message, or raise Rejected. ``update_type`` is what it is when it does not say."""
    message = read(_book, data)
    kind = update_type if message.update_type is None else _UPDATE_TYPES.get(message.update_type)
    if kind is None:
        if message.update_type is None:
            raise Rejected(RejectReason.MISSING, "updateType")
        raise Rejected(RejectReason.UPDATE_TYPE, message.update_type)
    key = (message.order_book_type or BookType.L2.value, bytes(message.columns))
    layout = _layouts.get(key) or _layout(*key)
    instrument_id = addressed(message.instrument_id, message.venue, message.symbol, channel)
    timestamp = needed_time(message.timestamp, "timestamp")
    bids, asks = _both(message.bids, message.asks, layout, changes=kind is UpdateType.DELTA)
    return BookUpdate(instrument_id, kind, layout.book_type, layout.columns, bids, asks, timestamp)


def addressed(
    instrument_id: str | None, venue: str | None, symbol: str | None, channel: ChannelName | None
) -> str:
    """Return the instrument a message is about, or raise Rejected: none said, or another than the channel's.

    A message that only has venue and symbol may spell the symbol in the venue's own way.
    """
    expected = None if channel is None else channel.instrument_id
    if expected is not None:
        if instrument_id == expected:
            return expected
        if instrument_id:
            raise Rejected(RejectReason.OTHER_INSTRUMENT, instrument_id)
        if venue and symbol and not _same(f"{venue}:{symbol}", expected):
            raise Rejected(RejectReason.OTHER_INSTRUMENT, f"{venue}:{symbol}")
        return expected
    found = instrument(instrument_id, venue, symbol)
    if not found:
        raise Rejected(RejectReason.MISSING, "instrumentId")
    if channel is not None and channel.venue and not found.startswith(channel.venue + ":"):
        raise Rejected(RejectReason.OTHER_INSTRUMENT, found)
    return found


def valid_rows(bids: Bytes, asks: Bytes, columns: int, bid_rows: int, ask_rows: int) -> bool:
    """Whether every cell of both sides, as they stand on the wire, is ``digits`` or ``digits.digits``.

    To be asked of lists that are known to hold so many rows of ``columns`` strings. Digits are made the same,
    quotes are made points: then two points in a row are an empty cell or a point without a digit beside it,
    and what is left without the digits is structure, with two points for a whole number and three for any
    other. White space or an escape answers False as well.
    """
    alike = b",".join((bids, asks)).translate(_ALIKE)
    if alike.find(b"..") >= 0:  # ``in`` would raise and drop an exception before it looks for bytes
        return False
    left = alike.translate(None, b"1")
    return left == _structure(columns, bid_rows, ask_rows, b"...") or (
        left.replace(b"...", b"..") == _structure(columns, bid_rows, ask_rows, b"..")
    )


@lru_cache(maxsize=1_024)
def _structure(columns: int, bid_rows: int, ask_rows: int, cell: bytes) -> bytes:
    """Return both sides' lists, every cell the same."""
    row = b"[%b]" % b",".join([cell] * columns)
    return b"[%b],[%b]" % (b",".join([row] * bid_rows), b",".join([row] * ask_rows))


def _both(bids: msgspec.Raw, asks: msgspec.Raw, layout: Layout, *, changes: bool) -> tuple[Rows, Rows]:
    """Return the rows of both sides. ``changes`` says that quantities may be negative."""
    columns = len(layout.columns)
    try:
        decoder = _fast[columns]
        bid_rows, ask_rows = decoder(bids), decoder(asks)
        most = max(len(bid_rows), len(ask_rows))
        if most <= MAXIMUM_MESSAGE_ROWS and valid_rows(bids, asks, columns, len(bid_rows), len(ask_rows)):
            return bid_rows, ask_rows
    except (KeyError, ValueError, RecursionError):
        pass  # whatever it is, the way below names it
    return _rows(bids, "bids", layout, changes=changes), _rows(asks, "asks", layout, changes=changes)


def _rows(raw: msgspec.Raw, side: str, layout: Layout, *, changes: bool) -> Rows:
    """Return the rows of one side, cell by cell; raise Rejected with the place of the first that is wrong."""
    if not present(raw):
        return []
    rows = _cells(raw, side)
    if len(rows) > MAXIMUM_MESSAGE_ROWS:
        raise Rejected(RejectReason.TOO_LARGE, f"{len(rows):,} rows of {side}")
    return [_row(row, f"{side}[{number}]", layout, changes=changes) for number, row in enumerate(rows)]


def _cells(raw: msgspec.Raw, side: str) -> Sequence[Sequence[str | msgspec.Raw]]:
    try:
        return _texts.decode(raw)
    except (ValueError, RecursionError):
        pass
    try:
        return _raws.decode(raw)
    except (ValueError, RecursionError):
        pass
    try:
        return [[level.price, level.quantity] for level in _objects.decode(raw)]
    except (ValueError, RecursionError):
        read(_raws, raw)
        raise Rejected(RejectReason.SHAPE, side) from None


def _row(row: Sequence[str | msgspec.Raw], place: str, layout: Layout, *, changes: bool) -> tuple[str, ...]:
    if len(row) != len(layout.columns):
        raise Rejected(RejectReason.ROW_LENGTH, f"{place} has {len(row)} of {len(layout.columns)} columns")
    cells = []
    for column, cell in enumerate(row):
        exact = column in {layout.price, layout.quantity}
        if isinstance(cell, str):
            text = cell
            if exact and not (len(cell) <= MAXIMUM_TEXT and _plain(cell)):
                shown = repr(cell[:MAXIMUM_TEXT])
                raise Rejected(RejectReason.DECIMAL, f"{place} {layout.columns[column]} {shown}")
        elif exact:
            text = plain(cell, f"{place} {layout.columns[column]}", MAXIMUM_TEXT)
        else:
            text = name(read(_id, cell))
        if not exact:
            text = clean(text)
        elif column == layout.quantity and text.startswith("-"):
            if not text.strip("-0."):
                text = text[1:]
            elif not changes:
                raise Rejected(RejectReason.NEGATIVE, f"{place} {text}")
        cells.append(text)
    return tuple(cells)


_id = msgspec.json.Decoder(str | int)


def _layout(book_type: str, columns: bytes) -> Layout:
    known = _BOOK_TYPES.get(book_type)
    if known is None:
        raise Rejected(RejectReason.BOOK_TYPE, book_type)
    names = DEFAULT_COLUMNS[known]
    if columns != b"null":
        names = tuple([clean(each) for each in read(_names, columns)])
    if len(names) > 16:
        raise Rejected(RejectReason.COLUMNS, f"{len(names)} columns")
    try:
        layout = layout_of(known, names)
    except LayoutError as error:
        raise Rejected(RejectReason.COLUMNS, str(error)) from None
    if len(_layouts) >= _MAXIMUM_LAYOUTS:
        _layouts.clear()
    _layouts[book_type, columns] = layout
    return layout


def _same(one: str, other: str) -> bool:
    venue, _, symbol = one.partition(":")
    other_venue, _, other_symbol = other.partition(":")
    return venue == other_venue and _letters(symbol) == _letters(other_symbol)


def _letters(symbol: str) -> str:
    return "".join(filter(str.isalnum, symbol)).upper()

"""``orderBook`` messages."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from cadenza_tui.market.records import BookType, BookUpdate, UpdateType
from cadenza_tui.wire import book as wire_book
from cadenza_tui.wire.book import decode_book, valid_rows
from cadenza_tui.wire.channels import ChannelName, Kind
from cadenza_tui.wire.decode import decode
from cadenza_tui.wire.rejected import Rejected, RejectReason
from tests.wire.messages import (
    BOOK,
    BOOK_CHANNEL,
    BTC,
    DIFF,
    TIME_NS,
    TIME_TEXT,
    Json,
    received,
    wire,
    without,
)


def rejected(message: Json, channel: ChannelName = BOOK_CHANNEL) -> Rejected:
    with pytest.raises(Rejected) as caught:
        received(channel, message)
    return caught.value


def test_a_snapshot_is_read_with_its_texts_as_they_stand() -> None:
    """Every part of the contract's example is read; rows are tuples of the feed's own text."""
    assert received(BOOK_CHANNEL, BOOK) == BookUpdate(
        BTC,
        UpdateType.SNAPSHOT,
        BookType.L2_COUNTED,
        ("price", "quantity", "orderCount"),
        [("50000.00", "1.5", "3"), ("49999.50", "0.25", "1")],
        [("50000.50", "2", "4")],
        TIME_NS,
    )


@pytest.mark.parametrize("update_type", list(UpdateType))
@pytest.mark.parametrize("book_type", list(BookType))
def test_every_type_of_book_and_update_is_read(book_type: BookType, update_type: UpdateType) -> None:
    """All six book types and all three update types are known."""
    third = {
        BookType.L2_COUNTED: ["orderCount"],
        BookType.L3_COUNTED: ["orderId"],
        BookType.L2_EXCHANGE: ["exchange"],
    }
    columns = ["price", "quantity", *third.get(book_type, [])]
    row = ["1.0", "2", "7"][: len(columns)]
    message = {
        **DIFF,
        "updateType": update_type.value,
        "orderBookType": book_type.value,
        "columns": columns,
        "bids": [row],
    }
    update = received(BOOK_CHANNEL, message)
    assert (update.update_type, update.book_type, update.columns) == (update_type, book_type, tuple(columns))
    assert update.bids == [tuple(row)]


def test_columns_may_come_in_any_order() -> None:
    """The row is kept as it came, beside the columns that say what is where."""
    message = {**DIFF, "columns": ["quantity", "price"], "bids": [["0.5", "100"]]}
    update = received(BOOK_CHANNEL, message)
    assert (update.columns, update.bids) == (("quantity", "price"), [("0.5", "100")])


def test_order_ids_and_exchanges_are_any_text_made_harmless() -> None:
    """A third column that is not a number is cleaned of control characters and kept."""
    message = {
        **DIFF,
        "orderBookType": "L3_COUNTED",
        "columns": ["price", "quantity", "orderId"],
        "bids": [["1.0", "2", "3f2504e0-4f89-11d3-9a0c-0305e82c3301"], ["1.0", "3", "\x1b[31mx"]],
    }
    assert received(BOOK_CHANNEL, message).bids == [
        ("1.0", "2", "3f2504e0-4f89-11d3-9a0c-0305e82c3301"),
        ("1.0", "3", "x"),
    ]


def test_what_is_left_out_is_what_the_contract_says() -> None:
    """Without a type a book is L2, without columns they are the type's own, without rows there are none."""
    message = without(DIFF, "orderBookType", "columns", "asks", "instrumentId")
    update = received(BOOK_CHANNEL, {**message, "bids": None})
    assert (update.book_type, update.columns) == (BookType.L2, ("price", "quantity"))
    assert (update.bids, update.asks) == ([], [])
    assert update.instrument_id == BTC


def test_both_shapes_of_time_are_read() -> None:
    """RFC 3339 text is the same instant as integer ms."""
    assert received(BOOK_CHANNEL, {**DIFF, "timestamp": TIME_TEXT}).timestamp == TIME_NS


def test_the_legacy_shape_is_read() -> None:
    """Levels as objects, with a sequence number nobody needs, are rows of price and quantity."""
    message = {
        **DIFF,
        "updateType": "SNAPSHOT",
        "bids": [{"price": "1.50", "quantity": "2.0"}],
        "asks": [{"price": 1.60, "quantity": 3, "orders": 4}],
        "sequenceNumber": 12,
    }
    update = received(BOOK_CHANNEL, message)
    assert (update.bids, update.asks) == ([("1.50", "2.0")], [("1.6", "3")])


def test_numbers_in_rows_keep_their_own_digits() -> None:
    """A JSON number is taken as it is written, never through a float."""
    raw = wire(DIFF).replace(b'"bids":[["50000.00","0.00000000"]', b'"bids":[[50000.10,1e-7],[0.30, "2"]')
    update = decode(Kind.BOOK, raw, BOOK_CHANNEL)
    assert isinstance(update, BookUpdate)
    assert update.bids == [("50000.10", "0.0000001"), ("0.30", "2"), ("49999.50", "0.25")]


def test_white_space_and_escapes_change_nothing() -> None:
    """JSON written at leisure is read like JSON written tight."""
    spaced = json.dumps(DIFF, indent=2).replace('"0.25"', '"0.2\\u0035"').encode()
    assert decode(Kind.BOOK, spaced, BOOK_CHANNEL) == received(BOOK_CHANNEL, DIFF)


def test_unknown_fields_are_ignored() -> None:
    """New fields may come at any time, with anything in them."""
    message = {**DIFF, "bidsDepth": [["x"]], "metadata": {"bids": "no"}, "nothing": None}
    assert received(BOOK_CHANNEL, message) == received(BOOK_CHANNEL, DIFF)


def test_negative_prices_are_prices() -> None:
    """A spread or a future may trade below zero."""
    assert received(BOOK_CHANNEL, {**DIFF, "bids": [["-37.63", "1"]]}).bids == [("-37.63", "1")]


def test_a_negative_zero_quantity_is_zero() -> None:
    """``-0.0`` is not negative: it removes."""
    assert received(BOOK_CHANNEL, {**DIFF, "bids": [["1", "-0.00"]]}).bids == [("1", "0.00")]


def test_the_quantity_of_a_delta_may_be_a_change() -> None:
    """Below zero it takes from its level; whether that is so, the venue's rule says."""
    delta = {**DIFF, "updateType": "DELTA", "bids": [["1", "-2.50"], ["2", "-0"]]}
    assert received(BOOK_CHANNEL, delta).bids == [("1", "-2.50"), ("2", "0")]


@pytest.mark.parametrize(
    ("change", "reason", "detail"),
    [
        ({"bids": [["1", "2"], ["1"]]}, RejectReason.ROW_LENGTH, "bids[1] has 1 of 2 columns"),
        ({"asks": [["1", "2", "3"]]}, RejectReason.ROW_LENGTH, "asks[0] has 3 of 2 columns"),
        ({"bids": [["1", "-2"]]}, RejectReason.NEGATIVE, "bids[0] -2"),
        ({"bids": [["1", "two"]]}, RejectReason.DECIMAL, "bids[0] quantity 'two'"),
        ({"bids": [["1", ""]]}, RejectReason.DECIMAL, "bids[0] quantity ''"),
        ({"bids": [["1", "."]]}, RejectReason.DECIMAL, "bids[0] quantity '.'"),
        ({"bids": [[".5", "1"]]}, RejectReason.DECIMAL, "bids[0] price '.5'"),
        ({"bids": [["1", "1e5"]]}, RejectReason.DECIMAL, "bids[0] quantity '1e5'"),
        ({"bids": [["1", "NaN"]]}, RejectReason.DECIMAL, "bids[0] quantity 'NaN'"),
        ({"bids": [["1", "1,5"]]}, RejectReason.DECIMAL, "bids[0] quantity '1,5'"),
        ({"bids": [["1", "[1]"]]}, RejectReason.DECIMAL, "bids[0] quantity '[1]'"),
        ({"bids": [["1", "9" * 41]]}, RejectReason.DECIMAL, "bids[0] quantity '" + "9" * 40 + "'"),
        ({"bids": [["1", "٣"]]}, RejectReason.DECIMAL, "bids[0] quantity '٣'"),
        ({"bids": [["1", None]]}, RejectReason.DECIMAL, "bids[0] quantity 'null'"),
        ({"bids": [["1", True]]}, RejectReason.DECIMAL, "bids[0] quantity 'true'"),
        ({"bids": [["1", ["2"]]]}, RejectReason.DECIMAL, "bids[0] quantity '[\"2\"]'"),
        ({"bids": "none"}, RejectReason.SHAPE, "Expected `array`, got `str`"),
        ({"bids": [{"price": "1"}]}, RejectReason.SHAPE, ""),
        ({"bids": {}}, RejectReason.SHAPE, "Expected `array`, got `object`"),
        ({"columns": ["price"]}, RejectReason.COLUMNS, "L2 needs the column quantity"),
        ({"columns": ["price", "price", "quantity"]}, RejectReason.COLUMNS, "a column is named twice"),
        ({"columns": ["price", "quantity", *map(str, range(20))]}, RejectReason.COLUMNS, "22 columns"),
        ({"columns": "price"}, RejectReason.SHAPE, ""),
        ({"orderBookType": "L3_COUNTED"}, RejectReason.COLUMNS, "L3_COUNTED needs the column orderId"),
        ({"orderBookType": "L4"}, RejectReason.BOOK_TYPE, "L4"),
        ({"orderBookType": 2}, RejectReason.SHAPE, ""),
        ({"updateType": "REPLACE"}, RejectReason.UPDATE_TYPE, "REPLACE"),
        ({"updateType": None}, RejectReason.MISSING, "updateType"),
        ({"timestamp": None}, RejectReason.SHAPE, ""),
        ({"timestamp": -1}, RejectReason.TIME, "timestamp -1"),
        ({"timestamp": "soon"}, RejectReason.TIME, "timestamp 'soon'"),
        ({"timestamp": 1.5}, RejectReason.SHAPE, ""),
        ({"instrumentId": "OKX:BTC/USDT"}, RejectReason.OTHER_INSTRUMENT, "OKX:BTC/USDT"),
    ],
)  # fmt: skip
def test_a_message_that_cannot_be_used_is_rejected_by_name(
    change: Json, reason: RejectReason, detail: str
) -> None:
    """Each fault has its own reason, and the detail says where it is."""
    fault = rejected({**DIFF, **change})
    assert fault.reason is reason
    assert detail in fault.detail


@pytest.mark.parametrize("field", ["updateType", "timestamp"])
def test_a_missing_field_is_named(field: str) -> None:
    """What cannot be guessed must be there."""
    fault = rejected(without(DIFF, field))
    assert fault.reason is RejectReason.MISSING
    assert field in fault.detail


def test_one_bad_row_rejects_the_whole_message() -> None:
    """Nothing of a message with a fault in its last row is handed on."""
    good = [[f"{price}.5", "1"] for price in range(100)]
    assert rejected({**DIFF, "bids": good, "asks": [*good, ["1", "x"]]}).detail.startswith("asks[100]")


def test_a_symbol_in_the_venues_spelling_is_the_channels_own() -> None:
    """Without an instrument id, venue and symbol must be those of the channel, but for punctuation."""
    message = {**without(DIFF, "instrumentId"), "symbol": "btc-usdt"}
    assert received(BOOK_CHANNEL, message).instrument_id == BTC
    assert rejected({**message, "symbol": "ETH/USDT"}).reason is RejectReason.OTHER_INSTRUMENT
    assert rejected({**message, "venue": "OKX"}).reason is RejectReason.OTHER_INSTRUMENT


def test_too_many_rows_are_rejected(monkeypatch: pytest.MonkeyPatch) -> None:
    """A side of a message is bounded, whichever way it is read."""
    monkeypatch.setattr(wire_book, "MAXIMUM_MESSAGE_ROWS", 2)
    assert rejected({**DIFF, "asks": [["1", "1"]] * 3}).reason is RejectReason.TOO_LARGE
    assert rejected({**DIFF, "bids": [["-1", "1"]] * 3}).reason is RejectReason.TOO_LARGE
    assert len(received(BOOK_CHANNEL, {**DIFF, "bids": [["1", "1"]] * 2}).bids) == 2


def test_remembered_layouts_are_bounded() -> None:
    """A feed that names ever new columns does not fill the memory."""
    for number in range(600):
        received(BOOK_CHANNEL, {**DIFF, "columns": ["price", "quantity", f"c{number}"], "bids": []})
    assert len(wire_book._layouts) <= 256


CELLS = st.one_of(
    st.from_regex(r"\A[0-9]{1,20}(\.[0-9]{1,19})?\Z"),
    st.from_regex(r"\A[0-9.]{0,42}\Z"),
    st.text('0123456789.,[]-+eE "\\x{}:\n', max_size=6),
    st.text(max_size=4),
)


def is_plain(text: str) -> bool:
    """The contract's rule without a sign, in the plainest words."""
    parts = text.split(".")
    return len(parts) <= 2 and all(part and all(c in "0123456789" for c in part) for part in parts)


@given(
    st.integers(2, 4).flatmap(
        lambda columns: st.tuples(
            st.just(columns),
            st.lists(st.lists(CELLS, min_size=columns, max_size=columns), max_size=4),
            st.lists(st.lists(CELLS, min_size=columns, max_size=columns), max_size=4),
        )
    )
)
@example((2, [["1,2", "3"]], []))
@example((2, [["[1]", "3"]], [["1", "2"]]))
@example((2, [["1", "2"], ["],[", "3"]], []))
@example((2, [['1","2', "3"]], []))
@example((2, [["1", "1] , [1"]], [["1", ""]]))
@example((2, [["1.,.2", "3"]], []))
@example((2, [["1.],[.2", "3"]], []))
@example((2, [["1", "2.5"], ["3.5", "4"]], [["5.25", "6.5"]]))
def test_the_fast_check_says_exactly_what_the_slow_one_does(
    case: tuple[int, list[list[str]], list[list[str]]],
) -> None:
    """The check on the bytes passes what the rule passes, and nothing else."""
    columns, bids, asks = case
    expected = all(is_plain(cell) for row in (*bids, *asks) for cell in row)
    assert valid_rows(wire(bids), wire(asks), columns, len(bids), len(asks)) is expected


@given(
    st.lists(st.tuples(CELLS, CELLS), max_size=5),
    st.lists(st.tuples(CELLS, CELLS), max_size=5),
)
def test_a_message_is_read_whole_or_rejected(bids: list[Any], asks: list[Any]) -> None:
    """With all cells right the rows come out as they went in; with one wrong none does."""
    wrong = any(
        len(cell) > 40 or not is_plain(cell.removeprefix("-")) for row in (*bids, *asks) for cell in row
    )
    negative = not wrong and any(Decimal(row[1]) < 0 for row in (*bids, *asks))
    message = wire({**DIFF, "bids": bids, "asks": asks})
    if wrong or negative:
        with pytest.raises(Rejected) as caught:
            decode_book(message, BOOK_CHANNEL)
        assert caught.value.reason in {RejectReason.DECIMAL, RejectReason.NEGATIVE}
        return
    update = decode_book(message, BOOK_CHANNEL)
    assert update.bids == [(price, quantity.removeprefix("-")) for price, quantity in bids]
    assert update.asks == [(price, quantity.removeprefix("-")) for price, quantity in asks]


def test_raw_bytes_of_a_publication_are_read_without_a_copy() -> None:
    """The transport hands payloads on as raw JSON."""
    assert decode(Kind.BOOK, msgspec.Raw(wire(DIFF)), BOOK_CHANNEL) == received(BOOK_CHANNEL, DIFF)

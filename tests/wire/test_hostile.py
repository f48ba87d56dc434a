"""Whatever the bytes, decoding gives a record or a rejection, and nothing a terminal would obey."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from cadenza_tui.wire import rpc
from cadenza_tui.wire.decode import decode
from cadenza_tui.wire.rejected import Rejected, RejectReason
from tests.wire.messages import (
    ACCOUNT,
    ACCOUNT_CHANNEL,
    BOOK,
    BOOK_CHANNEL,
    DIFF,
    KLINE,
    KLINE_CHANNEL,
    METADATA,
    ORDER,
    PORTFOLIO,
    TICKER,
    TICKER_CHANNEL,
    TRADE,
    TRADE_CHANNEL,
    wire,
)

if TYPE_CHECKING:
    from cadenza_tui.wire.channels import ChannelName

CHANNELS = [BOOK_CHANNEL, TRADE_CHANNEL, TICKER_CHANNEL, KLINE_CHANNEL, ACCOUNT_CHANNEL]
MESSAGES: list[tuple[ChannelName, Any]] = [
    (BOOK_CHANNEL, BOOK),
    (BOOK_CHANNEL, DIFF),
    (TRADE_CHANNEL, TRADE),
    (TRADE_CHANNEL, [TRADE, TRADE]),
    (TICKER_CHANNEL, TICKER),
    (KLINE_CHANNEL, KLINE),
    (ACCOUNT_CHANNEL, {"metadata": {**METADATA, "eventType": "event.portfolio.updated"}, "data": PORTFOLIO}),
    (ACCOUNT_CHANNEL, {"type": "orderUpdate", "order": ORDER}),
    (ACCOUNT_CHANNEL, {"data": ACCOUNT}),
]
ANSWERS = [
    rpc.decode_instruments,
    rpc.decode_venues,
    rpc.decode_book,
    rpc.decode_tickers,
    rpc.decode_klines,
    rpc.decode_accounts,
    rpc.decode_portfolio,
    rpc.decode_portfolios,
    rpc.decode_orders,
    rpc.decode_pagination,
    rpc.confirm,
]

CHECKS = settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])

STRANGE = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**30), 10**30),
    st.floats(),
    st.text(max_size=8),
    st.sampled_from(
        ["\x1b[2J", "\u202e", "-1", "NaN", "1e400", "9" * 5_000, "\ud7ff", "", "0001-01-01T00:00:00Z"]
    ),
    st.lists(st.integers() | st.text(max_size=3), max_size=3),
    st.dictionaries(st.text(max_size=3), st.integers(), max_size=2),
)


def texts(record: object) -> list[str]:
    """Every text that a record holds, at any depth."""
    if isinstance(record, str):
        return [record]
    if isinstance(record, msgspec.Struct):
        return [text for name in record.__struct_fields__ for text in texts(getattr(record, name))]
    if isinstance(record, (list, tuple)):
        return [text for each in record for text in texts(each)]
    return []


def used(channel: ChannelName, data: bytes) -> object:
    """What came of the bytes; any exception but Rejected fails the test."""
    rejection = None
    try:
        record = decode(channel.kind, data, channel)
    except Rejected as error:
        rejection = error
    if rejection is not None:
        assert isinstance(rejection.reason, RejectReason)
        assert str(rejection).isprintable()
        return None
    for text in texts(record):
        assert text.isprintable(), "nothing that a terminal would obey"
        assert len(text) <= 200, "every text is bounded"
    return record


def paths(message: Any, so_far: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    found = [so_far]
    if isinstance(message, dict):
        for key, value in message.items():
            found += paths(value, (*so_far, key))
    elif isinstance(message, list):
        for place, value in enumerate(message):
            found += paths(value, (*so_far, place))
    return found


def changed(message: Any, path: tuple[Any, ...], value: Any) -> Any:
    if not path:
        return value
    message = copy.deepcopy(message)
    place = message
    for step in path[:-1]:
        place = place[step]
    if value is DELETED:
        del place[path[-1]]
    else:
        place[path[-1]] = value
    return message


DELETED = object()


@CHECKS
@given(st.sampled_from(CHANNELS), st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_arbitrary_bytes_are_at_worst_rejected(channel: ChannelName, data: bytes) -> None:
    """No bytes make decoding fail in any other way."""
    used(channel, data)


@CHECKS
@given(st.sampled_from(MESSAGES), st.data())
def test_messages_with_something_strange_in_them_are_at_worst_rejected(
    message: tuple[ChannelName, Any], data: st.DataObject
) -> None:
    """Any field replaced by anything, or gone, is read or rejected."""
    channel, body = message
    for _ in range(data.draw(st.integers(1, 2))):
        path = data.draw(st.sampled_from(paths(body)[1:] or [()]))
        body = changed(body, path, data.draw(STRANGE | st.just(DELETED)))
        if not isinstance(body, (dict, list)):
            break
    used(channel, wire(None if body is DELETED else body))


@CHECKS
@given(
    st.sampled_from(MESSAGES),
    st.lists(st.tuples(st.integers(0, 2_000), st.integers(0, 3), st.binary(max_size=3)), max_size=4),
)
def test_messages_with_bytes_changed_are_at_worst_rejected(
    message: tuple[ChannelName, Any], edits: list[tuple[int, int, bytes]]
) -> None:
    """Bytes cut out, put in or exchanged anywhere are read or rejected."""
    channel, body = message
    data = wire(body)
    for anywhere, removed, inserted in edits:
        place = anywhere % (len(data) or 1)
        data = data[:place] + inserted + data[place + removed :]
    used(channel, data)


@CHECKS
@given(st.sampled_from(ANSWERS), st.sampled_from(MESSAGES), st.data())
@example(rpc.decode_orders, (ACCOUNT_CHANNEL, [ORDER]), None)
def test_answers_with_something_strange_in_them_are_at_worst_rejected(
    decoder: Any, message: tuple[ChannelName, Any], data: st.DataObject | None
) -> None:
    """An answer of any kind with anything in it is read, rejected, or the platform's own failure."""
    body: Any = {"data": [message[1]], "pagination": {"total": 1}, "error": None}
    if data is not None:
        path = data.draw(st.sampled_from(paths(body)))
        body = changed(body, path, data.draw(STRANGE))
    try:
        record = decoder(wire(body))
    except (Rejected, rpc.RpcFailed) as error:
        record = str(error)
    assert all(text.isprintable() for text in texts(record))


@pytest.mark.parametrize("channel", CHANNELS, ids=lambda channel: channel.kind.value)
@pytest.mark.parametrize(
    "data",
    [
        b"[" * 1_000_000,
        b'{"a":' * 300_000,
        b'{"data":' * 300_000,
        b'{"bids":' + b"[" * 1_000_000,
        b'{"timestamp":' + b"9" * 100_000 + b"}",
        b'{"timestamp":1' + b"0" * 4_400 + b"}",
        b'{"timestamp":1e999}',
        b'"' + b"x" * 10_000_000 + b'"',
        b'{"venue":"' + b"\\u001b[2J" * 100_000 + b'","symbol":"x","timestamp":1}',
        b"\x00" * 1_000,
        b"\xff\xfe" * 1_000,
        b'{"timestamp":1,"venue":"\xff","symbol":"\\ud800"}',
        b'{"timestamp":1,"timestamp":2,"venue":"BINANCE","symbol":"BTC/USDT"}',
        b"{}{}",
        b"",
        b"\xef\xbb\xbf{}",
    ],
    ids=range(16),
)
def test_hostile_bytes_are_at_worst_rejected(channel: ChannelName, data: bytes) -> None:
    """Deep nesting, huge numbers, megabytes of text, broken UTF-8 and duplicate keys do no harm."""
    used(channel, data)


def test_a_message_of_ten_megabytes_of_rows_is_rejected() -> None:
    """A book message with more rows than any book has is refused as too large."""
    rows = [["61837.63000000", "3.78826000"]] * 300_000
    with pytest.raises(Rejected) as caught:
        decode(BOOK_CHANNEL.kind, wire({**DIFF, "bids": rows}), BOOK_CHANNEL)
    assert caught.value.reason is RejectReason.TOO_LARGE


def test_deep_nesting_has_its_own_name() -> None:
    """What is nested too deeply is told from what is not JSON."""
    with pytest.raises(Rejected) as caught:
        decode(BOOK_CHANNEL.kind, b'{"timestamp":1,"x":' + b"[" * 100_000, BOOK_CHANNEL)
    assert caught.value.reason is RejectReason.TOO_DEEP

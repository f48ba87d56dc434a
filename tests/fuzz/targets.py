"""What is fuzzed: functions of bytes that return, or raise where the code under them does what it must not.

Only the refusals that the code documents are taken for an answer. Any other exception, a result that breaks
an invariant and an input that takes longer than ``BOUND_S`` of processor time are faults.
"""

from __future__ import annotations

import re
import tempfile
import time
from collections.abc import Callable, Iterable
from decimal import Decimal
from pathlib import Path
from typing import TypeAlias

import msgspec
from centrifuge.fossil import apply_delta

from cadenza_tui import config
from cadenza_tui.centrifugo import delta, frames
from cadenza_tui.centrifugo.frames import Malformed
from cadenza_tui.errors import ConfigError, RecordingError
from cadenza_tui.feed.recording import Recording
from cadenza_tui.market.records import BookUpdate, Candle, UpdateType
from cadenza_tui.wire import channels, decode, rpc, text
from cadenza_tui.wire.channels import ChannelName, Kind
from cadenza_tui.wire.rejected import Rejected, RejectReason
from tests.fuzz import market, session, views
from tests.support import fossil

Target: TypeAlias = Callable[[bytes], None]

BOUND_S = 5.0
"""Processor time that one input may take: far more than any needs, far less than one that runs away."""

SEPARATOR = b"\x1e"
DELTA_LIMIT = 1 << 16
LONGEST_TEXT = 256
"""An execution without an id is called by all that it says, which is the longest text there is."""
LONGEST_DECIMAL = 200
YEAR_10000_NS = 253_402_300_800 * 10**9
YEAR_1_NS = -62_135_596_800 * 10**9

BTC = "BINANCE:BTC/USDT"
CHANNELS = {
    "book": ChannelName(Kind.BOOK, BTC),
    "trade": ChannelName(Kind.TRADE, BTC),
    "ticker": ChannelName(Kind.TICKER, BTC),
    "venue_ticker": ChannelName(Kind.VENUE_TICKER, venue="BINANCE"),
    "kline": ChannelName(Kind.KLINE, BTC, interval="1m"),
    "account": ChannelName(Kind.ACCOUNT, account_id="desk-1"),
}

_PRICE = re.compile(r"-?[0-9]+(\.[0-9]+)?").fullmatch


def sound(record: object) -> None:
    """Raise AssertionError where a record holds what must not come past ``wire``, at any depth."""
    if isinstance(record, BookUpdate):
        _sound_book(record)
    elif isinstance(record, msgspec.Struct):
        for name in record.__struct_fields__:
            held = getattr(record, name)
            if isinstance(held, int) and (name.endswith(("_at", "_time")) or name == "timestamp"):
                assert YEAR_1_NS <= held < YEAR_10000_NS, "a time is of a year that a calendar has"
            sound(held)
        if isinstance(record, Candle):
            assert record.volume is None or record.volume >= 0, "no volume is negative"
    elif isinstance(record, (list, tuple)):
        for each in record:
            sound(each)
    elif isinstance(record, str):
        assert record.isprintable(), "nothing that a terminal would obey"
        assert len(record) <= LONGEST_TEXT, "every text is bounded"
    elif isinstance(record, Decimal):
        assert record.is_finite(), "no amount is infinite or not a number"
        assert len(format(record, "f")) <= LONGEST_DECIMAL, "every amount is bounded"
    elif isinstance(record, float):
        raise AssertionError("an amount went through a binary float")


def _sound_book(update: BookUpdate) -> None:
    sound((update.instrument_id, update.columns))
    assert YEAR_1_NS <= update.timestamp < YEAR_10000_NS, "a time is of a year that a calendar has"
    price, quantity = update.columns.index("price"), update.columns.index("quantity")
    for row in (*update.bids, *update.asks):
        assert len(row) == len(update.columns), "a row is as long as the columns"
        sound(row)
        assert _PRICE(row[price]), "a price is plain digits"
        assert _PRICE(row[quantity]), "a quantity is plain digits"
        # What a venue sends as a change may be one downwards.
        assert update.update_type is UpdateType.DELTA or not row[quantity].startswith("-")


def _named(rejection: Rejected) -> None:
    assert isinstance(rejection.reason, RejectReason)
    sound(rejection.detail)


def _says(error: Exception, words: str) -> None:
    assert words in str(error), "a refusal says what it is about"


def _decoded(channel: ChannelName, data: bytes) -> decode.Decoded | None:
    try:
        return decode.decode(channel.kind, data, channel)
    except Rejected as rejection:
        _named(rejection)
        return None


def _spaced(data: bytes) -> bytes | None:
    """Return the same JSON with white space in it, None where it is not JSON."""
    try:
        return msgspec.json.format(data, indent=1)
    except (ValueError, RecursionError):
        return None


def _decoding(channel: ChannelName) -> Target:
    def run(data: bytes) -> None:
        record = _decoded(channel, data)
        sound(record)
        spaced = _spaced(data)
        if spaced is not None:
            # Among other things, white space leads around the fast way for the rows of a book.
            assert _decoded(channel, spaced) == record, "white space changes nothing"

    return run


def answers(data: bytes) -> None:
    """One RPC answer, read by each of the decoders there are."""
    for read in (
        rpc.confirm,
        rpc.decode_pagination,
        rpc.decode_instruments,
        rpc.decode_venues,
        rpc.decode_book,
        lambda raw: rpc.decode_book(raw, BTC),
        rpc.decode_tickers,
        rpc.decode_klines,
        rpc.decode_accounts,
        rpc.decode_portfolio,
        lambda raw: rpc.decode_portfolio(raw, "desk-1"),
        rpc.decode_portfolios,
        rpc.decode_orders,
    ):
        try:
            record = read(data)
        except Rejected as rejection:
            _named(rejection)
        except rpc.RpcFailed as failed:
            sound(str(failed)[len("the platform answered ") :][:LONGEST_TEXT])
        else:
            sound(record)
    for read_list in (rpc.decode_instruments, rpc.decode_orders, rpc.decode_portfolios, rpc.decode_klines):
        rejected: list[Rejected] = []
        try:
            sound(read_list(data, rejected.append))
        except (Rejected, rpc.RpcFailed):
            continue
        for each in rejected:
            _named(each)


def channel_names(data: bytes) -> None:
    """A channel's name, or a template with which names are made and taken apart again."""
    name = data.decode("utf-8", "replace")
    for spelling in (channels.API_PAGE, channels.OPENAPI):
        found = spelling.parse(name)
        if found is not None:
            again = spelling.channel(found)
            assert again == name, "what was taken apart is put together to the same"
    assert channels.parse(name) == (channels.API_PAGE.parse(name) or channels.OPENAPI.parse(name))
    template, _, instrument_id = name.partition("\x1e")
    try:
        own = channels.Templates(book=template, trade="", ticker="", kline="", account="", venue_ticker="")
    except ValueError as error:
        _says(error, repr(template))
        return
    spelled = own.channel(ChannelName(Kind.BOOK, instrument_id))
    if spelled is not None:
        parsed = own.parse(spelled)
        assert parsed is None or parsed.kind is Kind.BOOK


def texts(data: bytes) -> None:
    """A text from outside, made harmless."""
    dirty = data.decode("utf-8", "surrogateescape")
    for maximum in (text.MAXIMUM_NAME, text.MAXIMUM_SENTENCE, 2):
        cleaned = text.clean(dirty, maximum)
        assert cleaned.isprintable(), "nothing that a terminal would obey"
        assert len(cleaned) <= maximum, "every text is bounded"
        assert text.clean(cleaned, maximum) == cleaned, "what is clean stays as it is"


def whole_frames(data: bytes) -> None:
    """A frame of the server, in one go and in portions."""
    rejected: list[Malformed] = []
    replies = frames.decode(data, rejected.append)
    assert all(isinstance(reason, Malformed) for reason in rejected)
    assert len(replies) + len(rejected) <= len(data) // 2 + 1, "what is told has come"
    portions = list(frames.portions(data, 64))
    assert b"\n".join(portions) == data, "portions lose nothing"
    if not all(_one(line) for line in data.split(b"\n")):
        return  # not the protocol: two objects in a line, or one in two, are read in a frame, refused alone
    assert len(replies) + len(rejected) <= data.count(b"\n") + 1, "a line is one reply or one refusal"
    again = [reply for portion in portions if portion for reply in frames.decode(portion, rejected.append)]
    assert msgspec.json.encode(again) == msgspec.json.encode(replies), "portions change nothing"


def _one(line: bytes) -> bool:
    """Whether a line holds one JSON value, or nothing."""
    try:
        return not line.strip() or bool(msgspec.json.decode(line, type=msgspec.Raw))
    except (ValueError, RecursionError):
        return False


def fossils(data: bytes) -> None:
    """A base and a delta, apart by the separator; what applies must apply in the official client too."""
    base, _, change = data.partition(SEPARATOR)
    try:
        made = delta.apply(base, change, DELTA_LIMIT)
    except delta.DeltaError as error:
        _says(error, "delta")
        return
    assert len(made) <= DELTA_LIMIT, "a result is bounded"
    assert change.endswith(fossil.number(fossil.checksum(made)).lstrip(b"0") + b";"), "the checksum is true"
    assert bytes(apply_delta(base, change)) == made, "the official client makes the same"


def _file(data: bytes, read: Callable[[Path], object]) -> None:
    with tempfile.NamedTemporaryFile(prefix="cadenza-fuzz-") as file:
        file.write(data)
        file.flush()
        read(Path(file.name))


def configurations(data: bytes) -> None:
    """A configuration file."""

    def read(path: Path) -> None:
        try:
            config.load(path)
        except ConfigError as error:
            _says(error, str(path))

    _file(data, read)


def recordings(data: bytes) -> None:
    """A recording, read to its end."""

    def read(path: Path) -> None:
        try:
            with Recording(path, max_line=4_096) as recording:
                for line in recording:
                    assert isinstance(line.publication.data, msgspec.Raw)
                    assert 0.0 <= recording.progress <= 1.0
        except RecordingError as error:
            _says(error, str(path))

    _file(data, read)


TARGETS: dict[str, Target] = {
    **{name: _decoding(channel) for name, channel in CHANNELS.items()},
    "rpc": answers,
    "channels": channel_names,
    "text": texts,
    "frames": whole_frames,
    "session": session.run,
    "delta": fossils,
    "market": market.run,
    "ingest": market.ingest,
    "views": views.run,
    "config": configurations,
    "recording": recordings,
}


class TooSlow(AssertionError):
    """An input took longer than any may."""


def attempt(target: str, data: bytes, targets: dict[str, Target] | None = None) -> None:
    """Give one input to a target; whatever this raises is a fault of the code under it."""
    started = time.process_time()
    (targets or TARGETS)[target](data)
    spent = time.process_time() - started
    if spent > BOUND_S:
        raise TooSlow(f"{len(data):,} bytes took {spent:.1f} s")


def names(chosen: Iterable[str] = ()) -> list[str]:
    """Return the targets of these names, all where none is named. Raises ValueError for an unknown one."""
    wanted = list(chosen) or list(TARGETS)
    for name in wanted:
        if name not in TARGETS:
            raise ValueError(f"there is no target {name!r}; known: {', '.join(TARGETS)}")
    return wanted

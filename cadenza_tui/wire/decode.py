"""Publications, by the kind of their channel, into the records of ``market``."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from cadenza_tui.market.records import BookUpdate, Kline, Print, Ticker
from cadenza_tui.wire.accounts import AccountEvent, decode_account_events
from cadenza_tui.wire.book import decode_book
from cadenza_tui.wire.channels import Kind
from cadenza_tui.wire.quotes import decode_kline, decode_prints, decode_ticker
from cadenza_tui.wire.read import bounded
from cadenza_tui.wire.rejected import Rejected, RejectReason

if TYPE_CHECKING:
    from cadenza_tui.wire.channels import ChannelName
    from cadenza_tui.wire.read import Bytes

__all__ = ["AccountEvent", "Decoded", "RejectReason", "Rejected", "decode"]

# Members of an enum are looked up anew each time, and this is on the path of every message.
_BOOK, _TRADE, _KLINE, _ACCOUNT = Kind.BOOK, Kind.TRADE, Kind.KLINE, Kind.ACCOUNT

Decoded: TypeAlias = BookUpdate | Ticker | Kline | tuple[Print, ...] | tuple[AccountEvent, ...]


def decode(kind: Kind, data: Bytes, channel: ChannelName) -> Decoded:
    """Return what a publication says, whole; or raise Rejected, and nothing else, whatever the bytes."""
    bounded(data)
    if kind is _BOOK:
        return decode_book(data, channel)
    if kind is _TRADE:
        return decode_prints(data, channel)
    if kind is _KLINE:
        return decode_kline(data, channel)
    if kind is _ACCOUNT:
        return decode_account_events(data, channel.account_id)
    return decode_ticker(data, channel)

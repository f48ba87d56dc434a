"""A session that a server says anything to.

An input is records apart by ``\x1e``. ``!1006`` means that the transport is gone with that code, and open
again; ``+30`` that so many seconds pass, ``-30`` the same while no token can be had; ``?`` that the program
gives a channel up and asks for it again; any other record is a frame of the server.
"""

from __future__ import annotations

import json
from collections import defaultdict
from typing import TYPE_CHECKING

import msgspec

from cadenza_tui.centrifugo.codes import Decision
from cadenza_tui.centrifugo.frames import RpcRequest
from cadenza_tui.centrifugo.listener import Listener
from cadenza_tui.centrifugo.options import Options
from cadenza_tui.centrifugo.session import Session

if TYPE_CHECKING:
    from cadenza_tui.centrifugo.errors import CentrifugoError
    from cadenza_tui.centrifugo.frames import Publication, Reply
    from cadenza_tui.centrifugo.listener import Connected, Subscribed

SEPARATOR = b"\x1e"
MAXIMUM_RECORDS = 64
PLAIN = "market:ticker:BINANCE:BTC/USDT"
BOOK = "market:orderBook:BINANCE:BTC/USDT"
PRIVATE = "tradingAccount:desk-1"


class Strict(Listener):
    """Raises where the order of events is not the promised one; the session counts that."""

    def __init__(self) -> None:
        self.live: set[str] = set()
        self.offsets: dict[str, int] = {}
        self.positioned: set[str] = set()
        self.connected = False
        self.told: defaultdict[str, int] = defaultdict(int)

    def _sentence(self, reason: str) -> None:
        assert reason.isprintable(), "nothing that a terminal would obey"
        assert len(reason) <= 500, "every sentence is bounded"

    def on_connecting(self, code: int, reason: str) -> None:
        """The connection is being made."""
        self._sentence(reason)
        self.connected = False

    def on_connected(self, connected: Connected) -> None:
        """The server accepted."""
        self._sentence(connected.version)
        self._sentence(connected.node)
        self.connected = True

    def on_disconnected(self, code: int, reason: str) -> None:
        """The end."""
        self._sentence(reason)

    def on_subscribing(self, channel: str, code: int, reason: str) -> None:
        """A channel is not live, or no more."""
        self._sentence(reason)
        self.live.discard(channel)

    def on_subscribed(self, channel: str, subscribed: Subscribed) -> None:
        """A channel is live."""
        self.live.add(channel)
        self.offsets.pop(channel, None)
        self.positioned.discard(channel)
        if subscribed.positioned:
            self.positioned.add(channel)

    def on_unsubscribed(self, channel: str, code: int, reason: str) -> None:
        """A channel is given up."""
        self._sentence(reason)
        self.live.discard(channel)

    def on_gap(self, channel: str, expected: int, received: int) -> None:
        """Publications are missing."""
        assert channel in self.live
        assert expected != received
        self.offsets.pop(channel, None)

    def on_publication(self, channel: str, publication: Publication) -> None:
        """One publication."""
        self.told[channel] += 1
        assert channel in self.live, "publications come to live channels alone"
        assert not publication.delta, "a listener sees whole payloads"
        if channel in self.positioned and publication.offset:
            last = self.offsets.get(channel)
            if last is not None and not publication.epoch:
                assert publication.offset == last + 1, "in order, each once, gaps told"
            self.offsets[channel] = publication.offset
        bytes(publication.data)

    def on_malformed(self, reason: str) -> None:
        """A line was of no use."""
        self._sentence(reason)


async def _no_token(channel: str) -> str:
    raise AssertionError("the machine asks for no token by itself")


class _Life:
    """One session, a connection at a time."""

    def __init__(self) -> None:
        self.now = 1_000.0
        self.listener = Strict()
        self.options = Options(random=lambda: 0.5, now=lambda: self.now)
        self.session = Session(self.listener, self.options)
        self.answered = 0
        session = self.session
        session.begin()
        session.subscribe(PLAIN, self.now)
        session.subscribe(BOOK, self.now, recoverable=True, delta=True)
        session.subscribe(PRIVATE, self.now, token=_no_token)
        session.call(RpcRequest("query.venue.list"), self.now + 10, self._done)
        session.opened("", self.now)

    def _done(self, outcome: Reply | CentrifugoError) -> None:
        self.answered += 1
        assert self.answered <= 1, "a call is answered once"

    def step(self, record: bytes) -> bool:
        """Do what a record says, and return whether the session goes on."""
        session = self.session
        if record.startswith(b"!"):
            return self._lose(_number(record, 10_000))
        if record.startswith((b"+", b"-")):
            self.now += _number(record, 3_600)
        elif record.startswith(b"?"):
            session.unsubscribe(BOOK, self.now)
            session.subscribe(BOOK, self.now, recoverable=True, delta=True)
        else:
            session.receive(record, self.now)
        session.poll(self.now)
        self._bring_tokens(none=record.startswith(b"-"))
        self.check()
        return session.ending is None or self._lose(1_000)

    def _bring_tokens(self, *, none: bool) -> None:
        session = self.session
        if session.token_wanted:
            if none:
                session.refresh_failed(self.now)
            else:
                session.refresh("token", self.now)
        for want in list(session.sub_tokens_wanted.values()):
            if none:
                session.sub_token_failed(want, "the source is gone", self.now)
            else:
                session.sub_token(want, "token", self.now)

    def _lose(self, code: int) -> bool:
        ending = self.session.lost(code, "gone")
        self.check()
        if ending.decision is Decision.TERMINAL:
            return False
        self.now += 1.0
        self.session.opened("", self.now)
        self.check()
        return True

    def check(self) -> None:
        """Raise AssertionError where the session is not as it must be."""
        session = self.session
        assert not session.listener_errors, f"the listener saw what it must not: {session.listener_errors}"
        for frame in session.take_outgoing():
            assert len(frame) <= self.options.max_command_bytes
            for line in frame.split(b"\n"):
                json.loads(line)
        due = session.next_deadline()
        assert due is None or isinstance(due, float)
        assert len(session.channels) <= self.options.channel_limit


def _number(record: bytes, most: int) -> int:
    digits = record[1:6]
    return min(int(digits), most) if digits.isdigit() else 1


def run(data: bytes) -> None:
    """Play an input to its end, then close."""
    life = _Life()
    for record in data.split(SEPARATOR)[:MAXIMUM_RECORDS]:
        if not life.step(record):
            break
    session = life.session
    session.close()
    if session.ending is not None:
        session.lost(1_000, "")
    session.end(0, "closed")
    life.check()
    assert life.answered == 1, "a call is answered in the end, too"
    msgspec.json.encode(dict(session.dropped))

"""Checks of the server itself, over one real connection: connect, clock, queries, a subscription."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from cadenza_tui import __version__
from cadenza_tui.centrifugo import codes
from cadenza_tui.centrifugo.client import Client
from cadenza_tui.centrifugo.errors import ReplyError
from cadenza_tui.centrifugo.listener import Listener
from cadenza_tui.centrifugo.options import Options
from cadenza_tui.doctor.finding import Finding, fail, ok, skipped, warn
from cadenza_tui.errors import CadenzaError
from cadenza_tui.feed.link import TOKEN_CODES
from cadenza_tui.view.numbers import age, count, milliseconds
from cadenza_tui.wire import rpc
from cadenza_tui.wire.channels import ChannelName, Kind
from cadenza_tui.wire.rejected import Rejected
from cadenza_tui.wire.text import clean

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from cadenza_tui.centrifugo.listener import Connected, Ended, Subscribed
    from cadenza_tui.credentials.secret import Secret
    from cadenza_tui.doctor.subject import Subject

CONNECT, CLOCK, QUERIES, SUBSCRIBE = "connect", "clock", "queries", "subscribe"
LISTED = 500
CLOCK_WARN_S = 1.0
"""Lag is corrected by the difference, but times on the screen are off by it."""
CLOCK_FAIL_S = 60.0
"""A token's end is judged by this machine's clock with a minute of leeway: beyond that good tokens are
refused, or dead ones sent, and none is renewed at the right time."""
_NO_SUCH_QUERY = frozenset({103, 104, 108})


class Probe(Listener):
    """One client and what it is told, each as a future."""

    def __init__(self, url: str, subject: Subject) -> None:
        loop = asyncio.get_running_loop()
        self.connected: asyncio.Future[Connected] = loop.create_future()
        self.failed: asyncio.Future[tuple[str, str]] = loop.create_future()
        """The sentence and the remedy of the first failure."""
        self.unauthorised = False
        """Whether the server refused for good what a new token may cure."""
        self.subscription: asyncio.Future[Subscribed | tuple[str, str]] = loop.create_future()
        self.between = (0.0, 0.0)
        """Just before the connect command could be sent, and when its reply was there; s since the epoch."""
        self._clock = subject.clock
        secret = subject.secret
        options = Options(version=__version__, open_timeout=subject.quickly, reply_timeout=subject.quickly)
        if subject.target.trust is not None:
            options = replace(options, ssl=subject.target.trust)
        token = None if secret is None else _source(secret)
        self.client = Client(url, self, token=token, options=options)
        self._running: asyncio.Task[Ended] | None = None
        self._dialled = subject.clock()

    def start(self) -> None:
        """Connect."""
        self._dialled = self._clock()
        self._running = asyncio.create_task(self.client.run())

    async def close(self) -> None:
        """Disconnect. Returns when nothing of it runs any more."""
        await self.client.close()
        if self._running is not None:
            await asyncio.wait([self._running])

    def on_connected(self, connected: Connected) -> None:
        """The server let us in."""
        if not self.connected.done():
            self.between = (self._dialled, self._clock())
            self.connected.set_result(connected)

    def on_attempt_failed(self, error: str, next_attempt_in_s: float) -> None:
        """One attempt came to nothing, which is enough."""
        self._fail(error, "")

    def on_connecting(self, code: int, reason: str) -> None:
        """The connection was lost."""
        if code != codes.Local.CALLED:
            self._fail(reason, codes.meaning(code).remedy)

    def on_disconnected(self, code: int, reason: str) -> None:
        """The server refused for good."""
        self.unauthorised = code in TOKEN_CODES
        self._fail(reason, codes.meaning(code, reason).remedy)

    def on_subscribed(self, channel: str, subscribed: Subscribed) -> None:
        """The channel is live."""
        if not self.subscription.done():
            self.subscription.set_result(subscribed)

    def on_unsubscribed(self, channel: str, code: int, reason: str) -> None:
        """The channel was refused."""
        if not self.subscription.done():
            self.subscription.set_result((reason, codes.meaning(code, reason).remedy))

    def _fail(self, sentence: str, remedy: str) -> None:
        if not self.failed.done():
            self.failed.set_result((sentence, remedy))


def _source(secret: Secret) -> Callable[[], Awaitable[str]]:
    async def give() -> str:
        return secret.reveal()

    return give


async def _first(*futures: asyncio.Future[Any], timeout: float | None = None) -> None:  # noqa: ASYNC109
    """Return when one of the futures is done, or the time is over."""
    await asyncio.wait(futures, timeout=timeout, return_when=asyncio.FIRST_COMPLETED)


async def connect(subject: Subject) -> Finding:
    """The server lets us in."""
    try:
        probe = subject.probe = Probe(subject.target.url, subject)
    except CadenzaError as error:  # its sentence has the whole URL, which may hold a secret
        return fail(CONNECT, "the URL cannot be used as it is", error.remedy or "check its spelling")
    probe.start()
    await _first(probe.connected, probe.failed)
    if not probe.connected.done():
        sentence, remedy = probe.failed.result()
        if subject.secret is None and subject.target.how:
            remedy = f"if it wants a token: {subject.target.how}"
        return fail(CONNECT, sentence, remedy or "check the URL, and whether the server is up")
    told = probe.connected.result()
    server = f"server {clean(told.version)}" if told.version else "connected"
    pings = f"pings every {told.ping} s" if told.ping else "sends no pings"
    if not told.ping:
        return warn(CONNECT, f"{server}; {pings}", "a dead link is found late; ask who runs the server")
    return ok(CONNECT, f"{server}; {pings}")


async def clock(subject: Subject) -> Finding:
    """The server's clock and this machine's agree."""
    probe = subject.connection
    told = probe.connected.result()
    if not told.time_ms:
        return skipped(CLOCK, "the server does not tell its time")
    server, (before, after) = told.time_ms / 1_000, probe.between
    offset = 0.0 if before - 0.001 <= server <= after + 0.001 else server - (after - (after - before) / 8)
    if not offset:
        return ok(CLOCK, f"agrees with the server's within {milliseconds((after - before) * 1_000)}")
    far = abs(offset)
    shown = age(int(far * 1e9)) if far >= CLOCK_FAIL_S else milliseconds(far * 1_000)
    sentence = f"the server's is {shown} {'ahead of' if offset > 0 else 'behind'} this machine's"
    remedy = "set this machine's clock, or let it be kept by NTP"
    if far > CLOCK_FAIL_S:
        return fail(CLOCK, sentence + ": tokens are taken as expired, or as valid, at the wrong time", remedy)
    return warn(CLOCK, sentence, remedy) if far > CLOCK_WARN_S else ok(CLOCK, sentence)


async def queries(subject: Subject) -> Finding:
    """The server answers queries: the list of instruments."""
    probe = subject.connection
    started = time.perf_counter()
    unusable: list[Rejected] = []
    try:
        raw = await probe.client.rpc(*rpc.instrument_list(limit=LISTED), timeout=subject.quickly)
        listed = rpc.decode_instruments(raw, unusable.append)
    except ReplyError as error:
        if error.code in _NO_SUCH_QUERY and subject.target.instruments:
            return warn(
                QUERIES, f"the server lists no instruments: {error}", "those of the profile are used alone"
            )
        return fail(QUERIES, f"the list of instruments: {error}", error.remedy or "name instruments yourself")
    except CadenzaError as error:
        return fail(QUERIES, f"the list of instruments: {error}", error.remedy or "try again in a moment")
    except Rejected as error:
        return fail(
            QUERIES, f"the list of instruments cannot be used: {error}", "is it the right server at this URL?"
        )
    subject.listed = [instrument.instrument_id for instrument in listed]
    took = milliseconds((time.perf_counter() - started) * 1_000)
    more = " or more" if len(listed) == LISTED else ""
    sentence = f"{count(len(listed))}{more} instrument{'s' if len(listed) != 1 else ''} in {took}"
    if unusable:
        return warn(QUERIES, f"{sentence}; {count(len(unusable))} cannot be used", "they are left out")
    if not listed:
        return warn(QUERIES, sentence, "this token may see none; name instruments in the profile")
    return ok(QUERIES, sentence)


async def subscribe(subject: Subject) -> Finding:
    """The book of the first instrument can be subscribed to, and says how well it can be followed."""
    probe, target = subject.connection, subject.target
    wanted = next(iter((*target.instruments, *subject.listed)), None)
    channel = None if wanted is None else target.templates.channel(ChannelName(Kind.BOOK, wanted))
    if channel is None:
        return skipped(SUBSCRIBE, "needs an instrument: none is configured and none is listed")
    try:
        probe.client.subscribe(channel, recoverable=True, delta=True)
    except (CadenzaError, ValueError) as error:
        return fail(SUBSCRIBE, f"{clean(channel, 120)}: {error}", "check the spelling of channels")
    await _first(probe.subscription, probe.failed, timeout=subject.quickly)
    shown = clean(channel, 120)
    if not probe.subscription.done():
        why = probe.failed.result()[0] if probe.failed.done() else f"no answer within {subject.quickly:g} s"
        return fail(SUBSCRIBE, f"{shown}: {why}", "ask who runs the server")
    came = probe.subscription.result()
    if isinstance(came, tuple):
        spelling = "check the instrument, and the spelling of channels (channels in the profile)"
        return fail(SUBSCRIBE, f"{shown}: {came[0]}", came[1] or spelling)
    able = ["recoverable"] if came.recoverable else ["positioned"] if came.positioned else []
    able += ["delta"] if came.delta else []
    if not came.positioned:
        return warn(
            SUBSCRIBE,
            f"{shown}: {', '.join(['not numbered', *able])}",
            "a lost message cannot be seen; ask who runs the server for positioned channels",
        )
    return ok(SUBSCRIBE, f"{shown}: {', '.join(able)}")

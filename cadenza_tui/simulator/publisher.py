"""The simulated market into a real Centrifugo, over its HTTP API.

What a server has taken cannot be told when a request to it fails. So nothing is sent twice: whatever waits
is dropped, and when the server answers again every channel begins with its present state. A book's diffs
therefore never follow a gap, and a print is never shown twice; those of an outage are missing.
"""

from __future__ import annotations

import asyncio
from collections import deque
from random import random
from typing import TYPE_CHECKING, Final

import httpx
import msgspec

from cadenza_tui.errors import CadenzaError

from .channels import Kind, Target, opening

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from .exchange import Exchange, Publication

BATCH = 500  # publications in one request
BATCH_BYTES = 1 << 20
WAITING = 20_000  # publications that may wait; more is an outage
BACKOFF_S = (0.25, 10.0)
TIMEOUT_S = 10.0
INTERVALS = ("1m", "5m", "1h", "1d")
_BOOK: Final = "market:orderBook:"
_SECOND_BOOK: Final = "market:orderbook:"
_UNKNOWN_CHANNEL = 102


class _Failure(msgspec.Struct):
    code: int = 0
    message: str = ""


class _Reply(msgspec.Struct):
    """One of a batch's or a broadcast's."""

    error: _Failure | None = None
    broadcast: _Result | None = None
    publish: object = None


class _Result(msgspec.Struct):
    responses: list[_Reply] = []


class _Batch(msgspec.Struct):
    replies: list[_Reply] = []


_decode = msgspec.json.Decoder(_Batch).decode


class Outage(Exception):
    """The server does not take publications now."""


class Publisher:
    """An outlet of an exchange that a Centrifugo stands behind.

    ``told`` gets a sentence when the server stops taking publications and when it takes them again. ``taken``
    counts those that it has, ``lost`` those that were made and dropped; during an outage none are made.
    """

    busy = True

    def __init__(
        self,
        exchange: Exchange,
        url: str,
        api_key: str,
        *,
        told: Callable[[str], None] = lambda _sentence: None,
        backoff: tuple[float, float] = BACKOFF_S,
        waiting: int = WAITING,
    ) -> None:
        self.exchange = exchange
        self.catch_up: Callable[[], None] = lambda: None
        self.taken = self.lost = 0
        self.begun = asyncio.Event()
        """Set when the server has every channel's present state for the first time."""
        self._url, self._api_key, self._told = url.rstrip("/"), api_key, told
        self._backoff, self._most = backoff, waiting
        self._waiting: deque[tuple[str, bytes]] = deque()
        self._arrived = asyncio.Event()
        self._out = True  # nothing is taken: the server is away, or knows nothing yet
        self._failing = False
        for market in exchange.markets.values():
            market.intervals.update(INTERVALS)

    def __repr__(self) -> str:
        return f"Publisher({self._url!r})"

    def wanted(self, _channel: str) -> bool:
        """All, except during an outage."""
        return not self._out

    def tidy(self, now: float) -> None:
        """Nothing is kept that ages."""

    def publish(self, publications: Iterable[Publication]) -> None:
        """Let publications wait for their turn."""
        if self._out:
            return
        self._waiting.extend(publications)
        if len(self._waiting) > self._most:
            self._lose("the server takes publications too slowly")
        elif self._waiting:
            self._arrived.set()

    async def run(self) -> None:
        """Publish until cancelled. Raises ``CadenzaError`` where trying again is of no use: the API key is
        refused, there is no such API, or the namespaces are not defined."""
        headers = {"X-API-Key": self._api_key, "Content-Type": "application/json"}
        least, most = self._backoff
        pause = least
        async with httpx.AsyncClient(headers=headers, timeout=TIMEOUT_S, trust_env=False) as client:
            while True:
                if self._out:
                    self._begin()
                try:
                    while not self._out:
                        await self._send(client)
                        if self._out:  # too much came meanwhile
                            break
                        pause = least
                        if not self._waiting:
                            self._all_taken()
                            await self._arrived.wait()
                except Outage as outage:
                    self._lose(str(outage))
                await asyncio.sleep(pause * (0.5 + random() / 2))
                pause = min(most, pause * 2)

    def _begin(self) -> None:
        """Take publications again, from each channel's present state on."""
        self.catch_up()
        self._out = False
        exchange = self.exchange
        targets = [
            *(Target(Kind.BOOK, market.book_channel, key) for key, market in exchange.markets.items()),
            *(Target(Kind.TICKER, market.ticker_channel, key) for key, market in exchange.markets.items()),
            *(
                Target(Kind.VENUE_TICKER, f"market:ticker:{venue}", venue)
                for venue in dict.fromkeys(one.venue for one in exchange.instruments)
            ),
            *(
                Target(Kind.KLINE, market.kline_channel(interval), key, interval)
                for key, market in exchange.markets.items()
                for interval in INTERVALS
            ),
            *(Target(Kind.ACCOUNT, account.channel, key) for key, account in exchange.accounts.items()),
        ]
        for target in targets:
            self._waiting.extend(opening(target, exchange))

    def _all_taken(self) -> None:
        self._arrived.clear()
        self.begun.set()
        if self._failing:
            self._failing = False
            self._told("the server takes publications again; each channel began with its present state")

    def _lose(self, sentence: str) -> None:
        if not self._failing:
            self._failing = True
            self._told(f"{sentence}; trying again")
        self.lost += len(self._waiting)
        self._waiting.clear()
        self._out = True
        self._arrived.set()

    async def _send(self, client: httpx.AsyncClient) -> None:
        """Send what waits, up to a batch. Raises ``Outage`` where it is not known to have been taken."""
        commands: list[bytes] = []
        size = 0
        while self._waiting and len(commands) < BATCH and size < BATCH_BYTES:
            command = _command(*self._waiting.popleft())
            commands.append(command)
            size += len(command)
        if not commands:
            return
        try:
            response = await client.post(
                f"{self._url}/api/batch", content=b'{"commands":[%b]}' % b",".join(commands)
            )
            answered = self._answer(response)
        except httpx.RequestError as error:
            self.lost += len(commands)
            sentence = "does not answer" if isinstance(error, httpx.TimeoutException) else "is not reached"
            raise Outage(f"the server at {self._url} {sentence}") from error
        except Outage:
            self.lost += len(commands)
            raise
        if len(answered.replies) != len(commands):
            raise Outage(f"the server at {self._url} answered another number of commands")
        self.taken += len(commands)

    def _answer(self, response: httpx.Response) -> _Batch:
        status = response.status_code
        if status in {401, 403}:
            raise CadenzaError(
                f"the server at {self._url} refuses the API key",
                remedy="it is the server's http_api.key",
            )
        if status in {404, 405}:
            raise CadenzaError(
                f"there is no Centrifugo API at {self._url}/api/batch",
                remedy="--publish-to is the server's own address, as in http://127.0.0.1:8000",
            )
        if status != 200:
            raise Outage(f"the server at {self._url} answered {status}")
        try:
            answered = _decode(response.content)
        except msgspec.MsgspecError as error:
            raise Outage(f"the server at {self._url} answered what is no batch") from error
        for reply in answered.replies:
            _check(reply)
            for one in reply.broadcast.responses if reply.broadcast is not None else ():
                _check(one)
        return answered


def _command(channel: str, data: bytes) -> bytes:
    """Return the API command of one publication; a book goes out under both of its names."""
    if channel.startswith(_BOOK):
        names = msgspec.json.encode([channel, _SECOND_BOOK + channel[len(_BOOK) :]])
        return b'{"broadcast":{"channels":%b,"data":%b}}' % (names, data)
    return b'{"publish":{"channel":%b,"data":%b}}' % (msgspec.json.encode(channel), data)


def _check(reply: _Reply) -> None:
    if reply.error is None:
        return
    if reply.error.code == _UNKNOWN_CHANNEL:
        raise CadenzaError(
            "the server does not know the namespaces market and tradingAccount",
            remedy="define both in its channel.namespaces",
        )
    raise Outage(f"the server refused a publication with error {reply.error.code}")

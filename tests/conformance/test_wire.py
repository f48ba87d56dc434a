"""What the two servers say, word by word: the simulator's lines are the real server's, but for values."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable
    from typing import TypeAlias

    from .broker import Broker

    Dial: TypeAlias = Callable[..., Awaitable["Raw"]]


class Raw:
    """A client that speaks plain lines and interprets nothing."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket
        self._lines: list[dict[str, Any]] = []
        self._last_id = 0

    async def line(self) -> dict[str, Any]:
        """Return the next line that is not a ping."""
        while True:
            while not self._lines:
                self._lines = [json.loads(line) for line in str(await self.socket.recv()).split("\n")]
            line = self._lines.pop(0)
            if line:
                return line
            await self.socket.send("{}")

    async def call(self, **command: Any) -> dict[str, Any]:
        """Send a command and return the line of its reply, without the id."""
        self._last_id += 1
        await self.socket.send(json.dumps({"id": self._last_id, **command}))
        line = await self.line()
        assert line.pop("id") == self._last_id
        return line

    async def closed(self) -> tuple[int | None, str | None]:
        """Read to the end, and return the close code and reason."""
        try:
            while True:
                await self.socket.recv()
        except ConnectionClosed:
            return self.socket.close_code, self.socket.close_reason


@pytest.fixture
async def dial() -> AsyncIterator[Dial]:
    """Return a function that opens a socket and, for a user, connects."""
    opened: list[ClientConnection] = []

    async def start(broker: Broker, user: str = "") -> Raw:
        socket = await connect(broker.url, ping_interval=None, compression=None, max_size=None)
        opened.append(socket)
        raw = Raw(socket)
        if user:
            assert "connect" in await raw.call(connect={"token": broker.token(user)})
        return raw

    yield start
    for socket in opened:
        await socket.close()


async def test_a_connect_result(broker: Broker, dial: Dial, unique: str) -> None:
    """Client, version, expiry, pings and time; the ttl in whole seconds."""
    raw = await dial(broker)
    result = (await raw.call(connect={"token": broker.token(f"user-{unique}", 100)}))["connect"]
    assert result.keys() >= {"client", "version", "expires", "ttl", "ping", "pong", "time"}
    assert (result["expires"], result["ping"], result["pong"]) == (True, 2, True)
    assert 99 <= result["ttl"] <= 101
    forever = (await (await dial(broker)).call(connect={"token": broker.token(unique)}))["connect"]
    assert forever.keys().isdisjoint({"expires", "ttl", "subs", "data"})


async def test_subscribing_publishing_history_and_leaving(broker: Broker, dial: Dial, unique: str) -> None:
    """Zero values are left out; a stream's first publication tells the epoch; leaving is answered twice."""
    raw, channel = await dial(broker, f"user-{unique}"), f"market:{unique}"
    answer = await raw.call(subscribe={"channel": channel})
    epoch = answer["subscribe"]["epoch"]
    assert answer == {"subscribe": {"recoverable": True, "epoch": epoch, "positioned": True}}
    refused = await raw.call(subscribe={"channel": channel})
    assert refused == {"error": {"code": 105, "message": "already subscribed"}}
    await broker.publish(channel, {"a": 1}, None)
    first, second = {"data": {"a": 1}, "offset": 1, "epoch": epoch}, {"data": None, "offset": 2}
    assert await raw.line() == {"push": {"channel": channel, "pub": first}}
    assert await raw.line() == {"push": {"channel": channel, "pub": second}}
    position = {"epoch": epoch, "offset": 2}
    answer = await raw.call(history={"channel": channel})
    assert answer == {"history": {"publications": [], **position}}
    answer = await raw.call(history={"channel": channel, "limit": -1})
    assert answer == {"history": {"publications": [first, second], **position}}
    for _ in range(2):
        assert await raw.call(unsubscribe={"channel": channel}) == {"unsubscribe": {}}


async def test_recoveries(broker: Broker, dial: Dial, unique: str) -> None:
    """A success echoes the offset asked for; a failure tells the top; no epoch stands for any."""
    raw, channel = await dial(broker, f"user-{unique}"), f"market:{unique}"
    epoch = (await raw.call(subscribe={"channel": channel}))["subscribe"]["epoch"]
    await broker.publish(channel, 1, 2)
    await raw.line(), await raw.line()
    first, second = {"data": 1, "offset": 1, "epoch": epoch}, {"data": 2, "offset": 2}
    always = {"recoverable": True, "epoch": epoch, "positioned": True, "was_recovering": True}
    recovered = {**always, "recovered": True}
    for since, result in [
        ({"offset": 1, "epoch": epoch}, {**recovered, "publications": [second], "offset": 1}),
        ({"offset": 2, "epoch": epoch}, {**recovered, "offset": 2}),
        ({}, {**recovered, "publications": [first, second]}),
        ({"offset": 1, "epoch": "another"}, {**always, "offset": 2}),
        ({"offset": 3, "epoch": epoch}, {**always, "offset": 2}),
        ({"epoch": "_"}, {**always, "offset": 2}),
    ]:
        await raw.call(unsubscribe={"channel": channel})
        answer = await raw.call(subscribe={"channel": channel, "recover": True, **since})
        assert answer == {"subscribe": result}


async def test_a_channel_without_history(broker: Broker, dial: Dial, unique: str) -> None:
    """No positions, whatever was asked; a recovery that cannot be is told to have been tried."""
    raw, channel = await dial(broker, f"user-{unique}"), f"plain:{unique}"
    asked = {"channel": channel, "recoverable": True, "positioned": True}
    assert await raw.call(subscribe=asked) == {"subscribe": {}}
    await broker.publish(channel, 1, 2)
    assert await raw.line() == {"push": {"channel": channel, "pub": {"data": 1}}}
    assert await raw.line() == {"push": {"channel": channel, "pub": {"data": 2}}}
    recovery = {"channel": f"{channel}-2", "recover": True, "offset": 3, "epoch": "e"}
    assert await raw.call(subscribe=recovery) == {"subscribe": {"was_recovering": True}}


async def test_what_the_server_does_unasked(broker: Broker, dial: Dial, unique: str) -> None:
    """Pushes of a subscription, of its end, and of a refreshed connection; a close with its reason."""
    user, channel = f"user-{unique}", f"market:{unique}"
    raw = await dial(broker, user)
    await broker.publish(channel, 1)
    await broker.subscribe(user, channel)
    push = (await raw.line())["push"]
    subscribed = push["subscribe"]
    assert push == {"channel": channel, "subscribe": subscribed}
    assert subscribed == {
        "recoverable": True,
        "epoch": subscribed["epoch"],
        "offset": 1,
        "positioned": True,
    }
    await broker.unsubscribe(user, channel)
    ended = {"code": 2000, "reason": "server unsubscribe"}
    assert await raw.line() == {"push": {"channel": channel, "unsubscribe": ended}}
    await broker.refresh(user, expires_in=50)
    refreshed = (await raw.line())["push"]["refresh"]
    assert refreshed["expires"]
    assert 49 <= refreshed["ttl"] <= 51
    await broker.refresh(user)
    assert await raw.line() == {"push": {"refresh": {}}}
    await broker.disconnect(user, 4004, "of the test")
    assert await raw.closed() == (4004, "of the test")


ERRORS: dict[str, tuple[dict[str, Any], int, str]] = {
    "no such namespace": ({"subscribe": {"channel": "nowhere:x"}}, 102, "unknown channel"),
    "no token": ({"subscribe": {"channel": "private:x"}}, 103, "permission denied"),
    "bad token": ({"subscribe": {"channel": "private:x", "token": "x"}}, 103, "permission denied"),
    "a name too long": ({"subscribe": {"channel": "market:" + 249 * "x"}}, 107, "bad request"),
    "history of others": ({"history": {"channel": "market:x"}}, 103, "permission denied"),
    "history that is not kept": ({"history": {"channel": "plain:x"}}, 108, "not available"),
    "presence of others": ({"presence": {"channel": "crowd:x"}}, 103, "permission denied"),
    "presence that is not kept": ({"presence_stats": {"channel": "market:x"}}, 108, "not available"),
    "a method of nobody's": ({"rpc": {"method": "nobody.answers"}}, 104, "method not found"),
    "a publication": ({"publish": {"channel": "market:x", "data": 1}}, 103, "permission denied"),
    "a refresh of another channel's": (
        {"sub_refresh": {"channel": "private:x", "token": "x"}},
        103,
        "permission denied",
    ),
}


@pytest.mark.parametrize("kind", ERRORS)
async def test_errors(broker: Broker, dial: Dial, unique: str, kind: str) -> None:
    """What is refused is refused with the same code and words, and the connection stays."""
    command, code, message = ERRORS[kind]
    raw = await dial(broker, f"user-{unique}")
    assert await raw.call(**command) == {"error": {"code": code, "message": message}}
    assert await raw.call(unsubscribe={"channel": "market:x"}) == {"unsubscribe": {}}


CLOSES: dict[str, tuple[dict[str, Any], int, str]] = {
    "nothing": ({}, 3501, "bad request"),
    "a second connect": ({"connect": {}}, 3501, "bad request"),
    "subscribe to nothing": ({"subscribe": {}}, 3501, "bad request"),
    "a delta unknown": ({"subscribe": {"channel": "market:x", "delta": "zip"}}, 3501, "bad request"),
    "an offset below zero": ({"subscribe": {"channel": "market:x", "offset": -1}}, 3501, "bad request"),
    "history of nothing": ({"history": {}}, 3501, "bad request"),
    "presence of nothing": ({"presence": {}}, 3501, "bad request"),
    "unsubscribe of nothing": ({"unsubscribe": {}}, 3501, "bad request"),
    "refresh with nothing": ({"refresh": {}}, 3501, "bad request"),
    "refresh of nothing": ({"sub_refresh": {}}, 3501, "bad request"),
    "a bad refresh": ({"refresh": {"token": "x"}}, 3500, "invalid token"),
    "a message": ({"send": {"data": 1}}, 3508, "not available"),
}


@pytest.mark.parametrize("kind", CLOSES)
async def test_closes(broker: Broker, dial: Dial, unique: str, kind: str) -> None:
    """What no client should send ends the connection, with the same code and words."""
    command, code, reason = CLOSES[kind]
    raw = await dial(broker, f"user-{unique}")
    await raw.socket.send(json.dumps({"id": 99, **command}))
    assert await raw.closed() == (code, reason)


@pytest.mark.parametrize(
    ("frame", "code", "reason"),
    [
        ("", 3501, "bad request"),
        ("{}", 3501, "bad request"),
        ("x", 3501, "bad request"),
        ('{"id":1,"subscribe":{"channel":"market:x"}}', 3501, "bad request"),
        ('{"connect":{}}', 3501, "bad request"),
        ('{"id":1,"connect":{}}', 3501, "bad request"),
        ('{"id":1,"connect":{"token":"x"}}', 3500, "invalid token"),
    ],
)
async def test_first_frames_that_end_the_connection(
    broker: Broker, dial: Dial, frame: str, code: int, reason: str
) -> None:
    """Connect comes first, with a token, and as JSON."""
    raw = await dial(broker)
    await raw.socket.send(frame)
    assert await raw.closed() == (code, reason)


async def test_a_connection_that_never_connects_is_stale(broker: Broker, dial: Dial) -> None:
    """3502 after the server's patience, which is one second here."""
    raw = await dial(broker)
    assert await raw.closed() == (3502, "stale")


async def test_an_expired_connect_is_answered_and_then_closed(
    broker: Broker, dial: Dial, unique: str
) -> None:
    """109 in a reply; the client is expected to go."""
    raw = await dial(broker)
    answer = await raw.call(connect={"token": broker.token(unique, -5)})
    assert answer == {"error": {"code": 109, "message": "token expired"}}

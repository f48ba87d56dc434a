"""What the owner of a server can do with it, and what namespaces allow; over real sockets."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any

import jwt
import pytest

from cadenza_tui.simulator.commands import Close, Closed, Failure, Refused
from cadenza_tui.simulator.tokens import mint

from .conftest import BOOK, SECRET, eventually
from .opened import NAMESPACES, publish

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from .conftest import Rig

    Make = Callable[..., Awaitable[Rig]]


async def test_history_begins_before_anybody_listens(rig: Rig) -> None:
    """What the owner publishes is kept; the stream's first publication tells its epoch."""
    publish(rig, "small:x", 1, None)
    client = await rig.client()
    position = {"recover": True, "offset": 0, "epoch": ""}
    result = await client.subscribe("small:x", **position)
    first, second = result["publications"]
    assert first == {"data": 1, "offset": 1, "epoch": result["epoch"]}
    assert second == {"data": None, "offset": 2}
    publish(rig, "small:x", 3)
    assert (await client.push())["pub"] == {"data": 3, "offset": 3}
    other = await rig.client()
    lost = await other.subscribe("small:x", **position)
    assert (lost["was_recovering"], lost.get("recovered"), lost["offset"]) == (True, None, 3)


async def test_a_channel_without_history_has_no_positions(rig: Rig) -> None:
    """Neither in the reply nor in publications, and its history is not available."""
    client = await rig.client()
    assert await client.subscribe("crowd:x") == {}
    publish(rig, "crowd:x", {"v": 1}, 2)
    assert (await client.push())["pub"] == {"data": {"v": 1}}
    assert (await client.push())["pub"] == {"data": 2}
    assert (await client.call(history={"channel": "crowd:x"}))["error"]["code"] == 108


async def test_what_the_exchange_knows_stays_its_own(rig: Rig) -> None:
    """In an open namespace a known channel begins with its state, and the owner publishes behind it."""
    client = await rig.client()
    await client.subscribe("market:orderbook:BINANCE:BTC/USDT")
    publish(rig, BOOK, {"mine": True})
    assert (await client.push())["pub"]["data"]["updateType"] == "SNAPSHOT"
    assert (await client.push())["pub"] == {"data": {"mine": True}, "offset": 2}


async def test_publishing_to_no_channel_is_refused(rig: Rig) -> None:
    """102, as the API answers."""
    with pytest.raises(Refused, match="unknown channel"):
        publish(rig, "nowhere:x", 1)


@pytest.mark.parametrize("code", [1000, 3000, 3499, 3500, 4999, 2999, 5000, 0])
async def test_a_user_is_disconnected_with_any_code(rig: Rig, code: int) -> None:
    """Each of the user's connections, and nobody else's. 3000 cuts the link; what RFC 6455 forbids is sent
    all the same."""
    client, other = await rig.client("ada"), await rig.client("eve")
    rig.server.disconnect_user("ada", code, "said")
    allowed = code == 1000 or 3001 <= code <= 4999
    assert await client.closed() == ((code, "said") if allowed else (1006, ""))
    assert "rpc" in await other.call(rpc={"method": "query.venue.list"})


async def test_a_disconnect_tells_its_usual_reason(rig: Rig) -> None:
    """Where none is given; without a code it is 3503."""
    client = await rig.client()
    rig.server.disconnect_user("demo")
    assert await client.closed() == (3503, "force disconnect")
    client = await rig.client()
    rig.server.disconnect_user("demo", 3014)
    assert await client.closed() == (3014, "state invalidated")


async def test_a_user_is_taken_out_of_a_channel_and_put_in_again(rig: Rig) -> None:
    """By an unsubscribe push with any code, and by a subscribe push with the position."""
    client = await rig.client()
    result = await client.subscribe("small:x")
    rig.server.unsubscribe_user("demo", "small:x")
    assert (await client.push())["unsubscribe"] == {"code": 2000, "reason": "server unsubscribe"}
    publish(rig, "small:x", 1)
    rig.server.subscribe_user("demo", "small:x")
    told = (await client.push())["subscribe"]
    assert told == {"recoverable": True, "epoch": result["epoch"], "offset": 1, "positioned": True}
    publish(rig, "small:x", 2)
    assert (await client.push())["pub"]["data"] == 2
    assert (await client.call(subscribe={"channel": "small:x"}))["error"]["code"] == 105
    rig.server.unsubscribe_user("demo", "small:x", 2502)
    assert (await client.push())["unsubscribe"] == {"code": 2502, "reason": "state invalidated"}


async def test_a_book_that_the_server_subscribes_to_begins_whole(rig: Rig) -> None:
    """Behind the subscribe push, as behind a subscribe's reply."""
    client = await rig.client()
    rig.server.subscribe_user("demo", BOOK)
    assert "subscribe" in await client.push()
    assert (await client.push())["pub"]["data"]["updateType"] == "SNAPSHOT"


async def test_a_tokens_channels_are_subscribed_at_connect(rig: Rig) -> None:
    """With what was missed where connect says a position; their state follows the reply."""
    publish(rig, "small:x", 1, 2)
    client = await rig.open()
    token = mint(SECRET, now=time.time(), channels=["small:x", BOOK])
    subs = {"small:x": {"recover": True, "offset": 1, "epoch": ""}, "private:x": {}}
    answered = (await client.call(connect={"token": token, "subs": subs}))["connect"]
    assert answered["subs"].keys() == {"small:x", BOOK}
    assert answered["subs"]["small:x"]["publications"] == [{"data": 2, "offset": 2}]
    assert answered["subs"]["small:x"]["offset"] == 1
    assert (await client.push())["pub"]["data"]["updateType"] == "SNAPSHOT"
    publish(rig, "small:x", 3)
    assert (await client.push())["pub"] == {"data": 3, "offset": 3}


async def test_a_server_side_subscription_that_is_lost_ends_the_connection(rig: Rig) -> None:
    """3010, and of the user's own subscriptions 2500: so both come back."""
    mine, servers = await rig.client("ada"), await rig.client("eve")
    await mine.subscribe("small:x")
    rig.server.subscribe_user("eve", "small:x")
    await servers.push()
    rig.server.evict("small:x")
    assert (await mine.push())["unsubscribe"]["code"] == 2500
    assert await servers.closed() == (3010, "insufficient state")


async def test_more_channels_than_there_is_room_for_close(make: Make) -> None:
    """3505: by the token, and by the owner."""
    rig = await make(namespaces=NAMESPACES, channel_limit=2)
    client = await rig.open()
    await client.send(
        connect={"token": mint(SECRET, now=time.time(), channels=["small:a", "small:b", "small:c"])}
    )
    assert await client.closed() == (3505, "channel limit")
    client = await rig.client()
    await client.subscribe("small:a")
    await client.subscribe("small:b")
    rig.server.subscribe_user("demo", "small:c")
    assert await client.closed() == (3505, "channel limit")


async def test_a_user_is_refreshed(rig: Rig) -> None:
    """Put off, for ever, and ended; each said."""
    client = await rig.client()
    rig.server.refresh_user("demo", expire_at=int(time.time()) + 100)
    told = (await client.push())["refresh"]
    assert told["expires"]
    assert 98 <= told["ttl"] <= 100
    rig.server.refresh_user("demo")
    assert (await client.push()) == {"refresh": {}}
    rig.server.refresh_user("demo", expired=True)
    assert await client.closed() == (3005, "connection expired")
    client = await rig.client()
    rig.server.refresh_user("demo", expire_at=1)
    assert await client.closed() == (3005, "connection expired")


async def test_removed_history_recovers_only_who_missed_nothing(rig: Rig) -> None:
    """Epoch and offset stay."""
    publish(rig, "small:x", 1, 2)
    rig.server.remove_history("small:x")
    for offset, recovered in ((2, True), (1, None)):
        client = await rig.client()
        result = await client.subscribe("small:x", recover=True, offset=offset, epoch="")
        assert (result.get("recovered"), result["offset"]) == (recovered, 2)


async def test_a_kill_and_a_restart_cut_links_and_change_epochs(rig: Rig) -> None:
    """No close frame, and no position is honoured any more; the next stop cuts as well."""
    client = await rig.client()
    result = await client.subscribe("small:x")
    rig.server.restart(kill=True)
    assert (await client.closed())[0] == 1006
    client = await rig.client()
    again = await client.subscribe("small:x", recover=True, offset=0, epoch=result["epoch"])
    assert (again["was_recovering"], again.get("recovered")) == (True, None)
    assert again["epoch"] != result["epoch"]
    _, ended = await asyncio.gather(rig.server.stop(kill=True), client.closed())
    assert ended[0] == 1006


async def test_the_owner_answers_rpc_first(rig: Rig) -> None:
    """With a result, an error of its own or a close; what it leaves is the exchange's. Commands wait."""
    go_on = asyncio.Event()

    async def answer(user: str, method: str, data: bytes) -> bytes | None:
        await go_on.wait()
        if method == "echo":
            return b'{"user":"%b","data":%b}' % (user.encode(), data)
        if method == "fail":
            raise Refused(Failure(1234, "said", temporary=True))
        if method == "close":
            raise Closed(Close.PERMISSION_DENIED)
        return None

    rig.server.rpc = answer
    client = await rig.client()
    first = await client.send(rpc={"method": "echo", "data": [1]})
    second = await client.send(subscribe={"channel": "small:x"})
    go_on.set()
    assert (await client.line()) == {"id": first, "rpc": {"data": {"user": "demo", "data": [1]}}}
    assert (await client.line())["id"] == second
    failed = (await client.call(rpc={"method": "fail"}))["error"]
    assert failed == {"code": 1234, "message": "said", "temporary": True}
    assert (await client.call(rpc={"method": "nothing"}))["error"]["code"] == 104
    assert "data" in (await client.call(rpc={"method": "query.venue.list"}))["rpc"]["data"]
    await client.send(rpc={"method": "close"})
    assert await client.closed() == (3507, "permission denied")


async def test_an_rpc_that_is_never_answered_ends_with_its_connection(rig: Rig) -> None:
    """Whoever closes it: nothing is left waiting."""
    asked: list[str] = []

    async def never(_user: str, method: str, _data: bytes) -> bytes | None:
        asked.append(method)
        await asyncio.Event().wait()
        return None

    rig.server.rpc = never
    before = asyncio.all_tasks()
    mine, servers = await rig.client("ada"), await rig.client("eve")
    for client in (mine, servers):
        await client.send(rpc={"method": "echo"})
    async with asyncio.timeout(10):
        await eventually(lambda: len(asked) == 2)
        await mine.socket.close()
        rig.server.disconnect_user("eve", 4000)
        assert (await servers.closed())[0] == 4000
        await eventually(lambda: not rig.server.sessions and not asyncio.all_tasks() - before)


@pytest.mark.parametrize(
    ("claims", "outcome"),
    [
        ({}, "answered"),
        ({"channels": ["small:x"]}, "answered"),
        ({"channels": ["small:y"]}, (3010, "insufficient state")),
    ],
    ids=["none", "same", "other"],
)
async def test_a_refresh_with_other_channels_starts_over(
    rig: Rig, claims: dict[str, Any], outcome: object
) -> None:
    """3010: the client comes back with its new channels."""
    client = await rig.open()
    before = {"channels": ["small:x"]} if claims else {}
    await client.call(connect={"token": jwt.encode({"sub": "demo", **before}, SECRET, algorithm="HS256")})
    command = await client.send(
        refresh={"token": jwt.encode({"sub": "demo", **claims}, SECRET, algorithm="HS256")}
    )
    if outcome == "answered":
        assert (await client.reply(command))["refresh"] == {}
    else:
        assert await client.closed() == outcome

"""What namespaces make of their channels: subscription tokens, presence, deltas; over real sockets."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import pytest

from .opened import publish, sub_token
from .test_delta import apply

if TYPE_CHECKING:
    from .conftest import Client, Rig

CHANNEL = "market:x"


async def test_a_private_channel_needs_its_token(rig: Rig) -> None:
    """103 without and with a wrong one, 109 with a spent one; another's closes the connection."""
    client = await rig.client()
    for token, code in (("", 103), ("bad", 103), (sub_token("private:x", ttl=-5), 109)):
        answered = await client.call(subscribe={"channel": "private:x", "token": token})
        assert answered["error"]["code"] == code
    result = await client.subscribe("private:x", token=sub_token("private:x", ttl=60))
    assert result["expires"]
    assert 58 <= result["ttl"] <= 60
    for token in (sub_token("private:y"), sub_token("private:x", "eve"), sub_token("small:x")):
        client = await rig.client()
        await client.send(subscribe={"channel": "private:x", "token": token})
        assert await client.closed() == (3500, "invalid token")


async def test_a_subscription_ends_with_its_token_unless_refreshed(rig: Rig) -> None:
    """By an unsubscribe push with 2501; a refresh puts it off."""
    client = await rig.client()
    for channel in ("private:x", "private:y"):
        await client.subscribe(channel, token=sub_token(channel, ttl=1))
    answered = await client.call(
        sub_refresh={"channel": "private:y", "token": sub_token("private:y", ttl=60)}
    )
    assert 58 <= answered["sub_refresh"]["ttl"] <= 60
    async with asyncio.timeout(10):
        push = await client.push()
    expired = {"code": 2501, "reason": "subscription expired"}
    assert push == {"channel": "private:x", "unsubscribe": expired}
    publish(rig, "private:x", 1)
    publish(rig, "private:y", 2)
    assert (await client.push())["pub"]["data"] == 2


@pytest.mark.parametrize(
    ("command", "code"),
    [
        ({"channel": "private:x", "token": ""}, 107),
        ({"channel": "private:y", "token": "x"}, 103),
    ],
)
async def test_a_sub_refresh_that_cannot_be_is_refused(rig: Rig, command: dict[str, str], code: int) -> None:
    """Without a token, or of a channel that is not subscribed."""
    client = await rig.client()
    await client.subscribe("private:x", token=sub_token("private:x"))
    assert (await client.call(sub_refresh=command))["error"]["code"] == code


async def test_presence_tells_who_is_there(rig: Rig) -> None:
    """To those who are there themselves; elsewhere it is not available."""
    ada, eve = await rig.client("ada"), await rig.client("eve")
    await ada.subscribe("crowd:x")
    assert (await eve.call(presence={"channel": "crowd:x"}))["error"]["code"] == 103
    await eve.subscribe("crowd:x")
    told = (await ada.call(presence={"channel": "crowd:x"}))["presence"]["presence"]
    assert sorted(one["user"] for one in told.values()) == ["ada", "eve"]
    assert all(one["client"] == client for client, one in told.items())
    stats = await ada.call(presence_stats={"channel": "crowd:x"})
    assert stats["presence_stats"] == {"num_clients": 2, "num_users": 2}
    assert (await ada.call(presence={"channel": "small:x"}))["error"]["code"] == 108


async def read_delta(client: Client, base: bytes, publication: dict[str, Any]) -> bytes:
    """Return a publication's payload."""
    data = publication["data"].encode()
    return apply(base, data) if publication.get("delta") else data


async def test_deltas_are_sent_where_they_were_asked_for_and_allowed(rig: Rig) -> None:
    """Whole at first, then what changed, as JSON strings; in a recovery and behind it, too."""
    payloads = [{"k": "x" * 200, "n": n, "ж": "é"} for n in range(6)]
    texts = [json.dumps(one, ensure_ascii=False).encode() for one in payloads]
    client, plain = await rig.client(), await rig.client()
    result = await client.subscribe(CHANNEL, delta="fossil")
    assert result["delta"]
    assert "delta" not in await plain.subscribe(CHANNEL)
    assert "delta" not in await client.subscribe("small:x", delta="fossil")
    publish(rig, CHANNEL, *payloads[:4])
    base, flags = b"", []
    for text in texts[:4]:
        publication = (await client.push())["pub"]
        base = await read_delta(client, base, publication)
        flags.append(publication.get("delta", False))
        assert base == text
        assert (await plain.push())["pub"]["data"] == json.loads(text)
    assert flags == [False, True, True, True]
    late = await rig.client()
    position = {"recover": True, "offset": 1, "epoch": result["epoch"]}
    again = await late.subscribe(CHANNEL, delta="fossil", **position)
    assert [one.get("delta", False) for one in again["publications"]] == [False, True, True]
    for text, publication in zip(texts[1:], again["publications"], strict=False):
        base = await read_delta(late, base, publication)
        assert base == text
    publish(rig, CHANNEL, payloads[4])
    publication = (await late.push())["pub"]
    assert publication["delta"]
    assert await read_delta(late, base, publication) == texts[4]
    fresh = await rig.client()
    await fresh.subscribe(CHANNEL, delta="fossil")
    publish(rig, CHANNEL, payloads[5])
    assert (await fresh.push())["pub"] == {"data": texts[5].decode(), "offset": 6}


async def test_a_delta_that_is_no_shorter_is_not_sent(rig: Rig) -> None:
    """The payload itself is, without a flag; so it is after history was removed."""
    client = await rig.client()
    await client.subscribe(CHANNEL, delta="fossil")
    publish(rig, CHANNEL, {"k": "x" * 100}, 7, {"k": "x" * 100}, {"k": "x" * 101})
    rig.server.remove_history(CHANNEL)
    publish(rig, CHANNEL, {"k": "x" * 102})
    flags = [(await client.push())["pub"].get("delta", False) for _ in range(5)]
    assert flags == [False, False, False, True, False]


async def test_a_delta_is_made_once_for_all(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many take it."""
    from cadenza_tui.simulator import delta, hub

    made: list[int] = []

    class Counting:
        @staticmethod
        def create(origin: bytes, target: bytes) -> bytes:
            made.append(1)
            return delta.create(origin, target)

    monkeypatch.setattr(hub, "fossil", Counting)
    clients = [await rig.client() for _ in range(3)]
    for client in clients:
        await client.subscribe(CHANNEL, delta="fossil")
    publish(rig, CHANNEL, {"k": "x" * 100}, {"k": "x" * 101})
    for client in clients:
        assert [(await client.push())["pub"].get("delta", False) for _ in range(2)] == [False, True]
    assert len(made) == 1

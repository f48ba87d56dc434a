"""Publishing over an HTTP API that misbehaves, and the RPC proxy; without a Centrifugo."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from click.testing import CliRunner

from cadenza_tui.cli import cli
from cadenza_tui.errors import CadenzaError
from cadenza_tui.simulator import proxied
from cadenza_tui.simulator.exchange import Exchange
from cadenza_tui.simulator.http import Http
from cadenza_tui.simulator.publisher import Publisher

from .conftest import SECOND, START, eventually
from .invariants import NaiveBook, whole

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping
    from pathlib import Path

BOOK = "BINANCE:BTC/USDT"
KEY = "the key of the tests"


class Far:
    """An HTTP API that takes batches, or does not."""

    def __init__(self) -> None:
        self.status = 200
        self.answer: dict[str, Any] | None = None
        self.open = asyncio.Event()
        self.open.set()
        self.taken: list[tuple[str, Any]] = []
        self.requests = 0
        self.keys: set[str] = set()
        self.http = Http({("POST", "/api/batch"): self._batch}, max_body=1 << 24)

    async def _batch(self, headers: Mapping[str, str], body: bytes) -> tuple[int, bytes]:
        self.requests += 1
        self.keys.add(headers["x-api-key"])
        await self.open.wait()
        if self.status != 200:
            return self.status, b"{}"
        commands = json.loads(body)["commands"]
        for command in commands:
            if "publish" in command:
                self.taken.append((command["publish"]["channel"], command["publish"]["data"]))
            else:
                assert len(command["broadcast"]["channels"]) == 2
                self.taken.append((command["broadcast"]["channels"][0], command["broadcast"]["data"]))
        if self.answer is not None:
            return 200, json.dumps(self.answer).encode()
        return 200, json.dumps({"replies": [{"publish": {}} for _ in commands]}).encode()

    def book(self) -> list[dict[str, Any]]:
        """The book's messages that were taken."""
        return [data for channel, data in self.taken if channel == f"market:orderBook:{BOOK}"]


@pytest.fixture
async def far() -> AsyncIterator[Far]:
    """The API, started."""
    one = Far()
    await one.http.start()
    yield one
    one.open.set()
    await one.http.stop()


def publisher(far: Far, told: list[str], **options: Any) -> Publisher:
    """Return a publisher of a small market."""
    exchange = Exchange(7, instruments=1, rate=200.0, start_ns=START)
    return Publisher(exchange, far.http.url, KEY, told=told.append, backoff=(0.01, 0.02), **options)


def advance(one: Publisher, seconds: float) -> None:
    """Let time pass."""
    until = one.exchange.now_ns + int(seconds * SECOND)
    one.publish(one.exchange.advance(until, one.wanted))


def followed(one: Publisher, messages: list[dict[str, Any]]) -> NaiveBook:
    """Return the book that the messages make."""
    book = NaiveBook(one.exchange.markets[BOOK].instrument)
    for message in messages:
        book.apply(message)
    return book


async def test_every_channel_begins_with_its_present_state(far: Far) -> None:
    """Book, ticker, venue, candles and accounts, by the key; then what happens, in its order."""
    told: list[str] = []
    one = publisher(far, told)
    running = asyncio.create_task(one.run())
    async with asyncio.timeout(10):
        await one.begun.wait()
        channels = {channel for channel, _ in far.taken}
        assert {f"market:orderBook:{BOOK}", f"market:ticker:{BOOK}", "market:ticker:BINANCE"} <= channels
        assert {"tradingAccount:desk-1", f"market:kline:{BOOK}:1m"} <= channels
        for _ in range(5):
            advance(one, 0.2)
            await eventually(lambda: not one._waiting and not one._arrived.is_set())
    running.cancel()
    messages = far.book()
    assert [message["updateType"] for message in messages[:2]] == ["SNAPSHOT", "DIFF"]
    assert followed(one, [*messages]).rows() == whole(one.exchange.markets[BOOK])
    assert (far.keys, told, one.lost) == ({KEY}, [], 0)
    assert one.taken == len(far.taken)


@pytest.mark.parametrize("fault", ["status", "refused", "cut", "nonsense", "another number"])
async def test_after_a_failure_a_book_begins_anew(far: Far, fault: str) -> None:
    """Whatever failed, no diff follows what may have been lost: the next message is a SNAPSHOT."""
    told: list[str] = []
    one = publisher(far, told)
    running = asyncio.create_task(one.run())
    async with asyncio.timeout(10):
        await one.begun.wait()
        port = int(far.http.url.rpartition(":")[2])
        if fault == "status":
            far.status = 503
        elif fault == "refused":
            far.answer = {"replies": [{"error": {"code": 100, "message": "internal server error"}}]}
        elif fault == "nonsense":
            far.answer = {"replies": 7}
        elif fault == "another number":
            far.answer = {"replies": []}
        else:
            await far.http.stop()
        advance(one, 0.3)
        await eventually(lambda: len(told) == 1)
        advance(one, 0.3)
        far.taken.clear()
        far.status, far.answer = 200, None
        if fault == "cut":
            await far.http.start("127.0.0.1", port)
        await eventually(lambda: len(told) == 2)
        advance(one, 0.3)
        await eventually(lambda: not one._waiting and not one._arrived.is_set())
    running.cancel()
    messages = far.book()
    assert {message["updateType"] for message in messages[1:]} == {"DIFF"}
    assert messages[0]["updateType"] == "SNAPSHOT"
    assert followed(one, messages).rows() == whole(one.exchange.markets[BOOK])
    assert KEY not in "".join(told)


async def test_a_server_that_is_too_slow_has_no_backlog(far: Far) -> None:
    """Past the bound what waits is dropped, said and counted; memory does not grow."""
    told: list[str] = []
    one = publisher(far, told, waiting=50)
    running = asyncio.create_task(one.run())
    async with asyncio.timeout(10):
        await one.begun.wait()
        far.open.clear()
        advance(one, 0.05)
        await eventually(lambda: far.requests == 2)
        for _ in range(20):
            advance(one, 0.1)
            assert len(one._waiting) <= 50
        assert one.lost > 50
        assert "too slowly" in told[0]
        far.taken.clear()
        far.open.set()
        await eventually(lambda: len(told) == 2)
    running.cancel()
    kinds = [message["updateType"] for message in far.book()]
    assert kinds[-1] == "SNAPSHOT"  # before it come the diffs of the request that was under way


@pytest.mark.parametrize(
    ("status", "answer", "sentence"),
    [
        (401, None, "refuses the API key"),
        (404, None, "no Centrifugo API"),
        (200, {"replies": [{"error": {"code": 102, "message": "unknown channel"}}]}, "namespaces"),
        (
            200,
            {"replies": [{"broadcast": {"responses": [{"error": {"code": 102, "message": "u"}}]}}]},
            "namespaces",
        ),
    ],
    ids=["key", "path", "namespace", "broadcast"],
)
async def test_what_no_retry_cures_ends_it(
    far: Far, status: int, answer: dict[str, Any] | None, sentence: str
) -> None:
    """With a sentence and a remedy, neither of which holds the key."""
    far.status, far.answer = status, answer
    one = publisher(far, [])
    async with asyncio.timeout(10):
        with pytest.raises(CadenzaError, match=sentence) as caught:
            await one.run()
    assert caught.value.remedy
    assert KEY not in f"{caught.value}{caught.value.remedy}{one!r}"


async def test_queries_are_answered_as_a_proxy_answers(far: Far) -> None:
    """Results under result.data, errors under error; what is no request is 400."""
    exchange = Exchange(7, instruments=1, start_ns=START)
    asked: list[int] = []
    http = Http(proxied.rpc_routes(exchange, lambda: asked.append(1)))
    await http.start()
    async with httpx.AsyncClient(base_url=http.url) as client:

        async def ask(body: object) -> httpx.Response:
            return await client.post(proxied.PATH, content=json.dumps(body))

        whole_ = {"client": "c", "user": "demo", "method": "query.trading_account.list", "data": {}}
        answered = (await ask(whole_)).json()
        assert {one["tradingAccountId"] for one in answered["result"]["data"]["data"]} == {
            "desk-1",
            "desk-2",
            "desk-3",
        }
        stranger = (await ask({"user": "eve", "method": "query.trading_account.list"})).json()
        assert stranger["result"]["data"]["data"] == []
        assert (await ask({"method": "query.nothing"})).json()["error"]["code"] == 104
        wrong = {"method": "query.ticker.list", "data": {"venue": 3}}
        assert (await ask(wrong)).json()["error"]["code"] == 107
        assert (await ask([1])).status_code == 400
    assert len(asked) == 4
    await http.stop()


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ((), "needs the key"),
        (("--api-key", "two words"), "the API key is none"),
        (("--api-key-file", "missing"), "there is no missing"),
        (("--api-key-file", "open"), "can be read by others"),
        (("--publish-to", "http://example.com", "--api-key", "k"), "would send the API key unencrypted"),
        (("--publish-to", "ws://127.0.0.1:1", "--api-key", "k"), "begins with https://"),
    ],
    ids=["none", "words", "missing", "readable", "insecure", "scheme"],
)
def test_a_key_or_an_address_that_will_not_do_is_a_sentence(
    words: tuple[str, ...], sentence: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before anything is started."""
    monkeypatch.delenv("CENTRIFUGO_API_KEY", raising=False)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "open").write_text("k")
    (tmp_path / "open").chmod(0o644)
    result = CliRunner().invoke(cli, ["simulate", "--publish-to", "http://127.0.0.1:9", *words])
    assert result.exit_code != 0
    assert sentence in result.output

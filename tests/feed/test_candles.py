"""The chart's candles: by query, then by push; and what is said where the server has none."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from cadenza_tui.feed import candles, worker
from cadenza_tui.market.health import ChannelState
from cadenza_tui.market.interest import CandleOrigin, Interest
from cadenza_tui.wire.channels import API_PAGE, Templates

from .feeding import BTC, feeding, live
from .scripted import Refused, ScriptedServer
from .waiting import eventually

if TYPE_CHECKING:
    from cadenza_tui.feed.worker import Feed

pytestmark = pytest.mark.usefixtures("impatient")

MINUTE = 60_000
OPENS = 1_723_161_240_000
CHART = (BTC, "1m")
KLINE = f"market:kline:{BTC}:1m"


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """See more often than once a second whether what was hoped for has come."""
    monkeypatch.setattr(worker, "TICK_S", 0.05)


def kline(*closes: str, at: int = OPENS, interval: str = "1m") -> dict[str, Any]:
    """Return a kline message: a minute's candle for each close, the first at ``at``."""
    return {
        "instrumentId": BTC,
        "venue": "BINANCE",
        "symbol": "BTC/USDT",
        "interval": interval,
        "candles": [[at + n * MINUTE, "1", "9", "1", close, "2.5"] for n, close in enumerate(closes)],
        "isClosed": False,
        "timestamp": at + len(closes) * MINUTE,
    }


def trade(at: int, price: str = "5") -> dict[str, Any]:
    """Return a trade of the instrument."""
    return {
        "instrumentId": BTC,
        "price": price,
        "quantity": "1",
        "side": "BUY",
        "timestamp": at,
        "tradeId": str(at),
    }


def closes(feed: Feed) -> list[str]:
    """Return the closes of the candles that are held."""
    held = feed.market.klines.get(CHART)
    return [] if held is None else [str(candle.close) for candle in held.candles]


def origin(feed: Feed) -> CandleOrigin | None:
    """Return where the market says that its candles come from."""
    source = feed.market.candle_sources.get(CHART)
    return None if source is None else source.origin


async def test_candles_come_by_query_and_then_by_push(server: ScriptedServer) -> None:
    """The query is asked once the channel is live, so that nothing lies in between."""
    live_when_asked: list[bool] = []
    async with feeding(server) as feed:

        def answer(_params: dict[str, Any]) -> list[dict[str, Any]]:
            live_when_asked.append(feed.market.health.channels[KLINE].state is ChannelState.LIVE)
            return [kline("3", "4")]

        server.rpc["query.kline.list"] = answer
        await live(server, feed)
        feed.want(Interest(candles=CHART))
        await eventually(lambda: closes(feed) == ["3", "4"])
        assert ("query.kline.list", {"instrumentIds": [BTC], "interval": "1m"}) in server.calls
        assert live_when_asked == [True]
        await server.publish(KLINE, kline("7", "8", at=OPENS + MINUTE))
        await eventually(lambda: closes(feed) == ["3", "7", "8"])
        assert origin(feed) is CandleOrigin.SERVER


async def test_another_interval_is_asked_for_and_the_one_before_kept_for_a_while(
    server: ScriptedServer,
) -> None:
    """The way back finds its candles; only the chart of now says where they come from."""
    server.rpc["query.kline.list"] = lambda params: [kline("3", interval=params["interval"])]
    async with feeding(server) as feed:
        await live(server, feed)
        feed.want(Interest(candles=CHART))
        await eventually(lambda: CHART in feed.market.klines)
        feed.want(Interest(candles=(BTC, "5m")))
        await eventually(lambda: (BTC, "5m") in feed.market.klines)
        assert set(feed.market.candle_sources) == {(BTC, "5m")}
        assert KLINE in server.channels()
        assert CHART in feed.market.klines


async def test_a_server_without_candles_leads_to_prints(server: ScriptedServer) -> None:
    """Refused the channel and the query, the market says so, with the server's reason."""
    server.refuse[KLINE] = 102
    async with feeding(server) as feed:
        await live(server, feed)
        feed.want(Interest(candles=CHART))
        assert origin(feed) is CandleOrigin.ASKED
        await eventually(lambda: origin(feed) is CandleOrigin.PRINTS)
        assert "does not know the channel" in feed.market.candle_sources[CHART].reason
        assert len([call for call in server.calls if call[0] == "query.kline.list"]) == 1


async def test_without_a_template_there_is_no_channel_to_ask_for(server: ScriptedServer) -> None:
    """The query is still asked; candles that only it brings end where it was answered."""
    templates = Templates(
        book=API_PAGE.book, trade=API_PAGE.trade, ticker=API_PAGE.ticker, kline="", account=API_PAGE.account
    )
    server.rpc["query.kline.list"] = lambda _params: [kline("3")]
    async with feeding(server, templates=templates) as feed:
        await live(server, feed)
        feed.want(Interest(candles=CHART))
        await eventually(lambda: origin(feed) is CandleOrigin.HISTORY)
        assert closes(feed) == ["3"]
        assert not [channel for channel in server.channels() if "kline" in channel]


async def test_a_channel_that_stays_silent_leads_to_prints_and_back(
    server: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server may let anyone subscribe to anything. The first push shows that it has candles after all."""
    monkeypatch.setattr(candles, "PATIENCE_NS", 0)
    async with feeding(server) as feed:
        await live(server, feed)
        feed.want(Interest(candles=CHART))
        await eventually(lambda: origin(feed) is CandleOrigin.PRINTS)
        await server.publish(KLINE, kline("3"))
        await eventually(lambda: origin(feed) is CandleOrigin.SERVER)


async def test_candles_that_fall_behind_the_prints_are_history(server: ScriptedServer) -> None:
    """Where prints go on and no candle comes, what follows is not the server's."""
    server.rpc["query.kline.list"] = lambda _params: [kline("3", "4")]
    async with feeding(server) as feed:
        await live(server, feed)
        feed.want(Interest(candles=CHART))
        await eventually(lambda: origin(feed) is CandleOrigin.SERVER)
        ends = OPENS + 2 * MINUTE
        await server.publish(f"market:trade:{BTC}", trade(ends + MINUTE))
        await eventually(lambda: feed.market.tape(BTC).count == 1)
        assert origin(feed) is CandleOrigin.SERVER
        await server.publish(f"market:trade:{BTC}", trade(ends + 2 * MINUTE))
        await eventually(lambda: origin(feed) is CandleOrigin.HISTORY)


async def test_a_query_that_fails_is_asked_again(
    server: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a moment's trouble kept away comes later."""
    monkeypatch.setattr(candles, "AGAIN_NS", 0)

    def busy(_params: dict[str, Any]) -> Any:
        raise Refused(100, "internal")

    server.rpc["query.kline.list"] = busy
    async with feeding(server) as feed:
        await live(server, feed)
        feed.want(Interest(candles=CHART))
        await server.until(lambda: bool([call for call in server.calls if call[0] == "query.kline.list"]))
        server.rpc["query.kline.list"] = lambda _params: [kline("3")]
        await eventually(lambda: closes(feed) == ["3"])


async def test_a_new_connection_asks_anew(server: ScriptedServer) -> None:
    """What was missed meanwhile is in the answer."""
    server.rpc["query.kline.list"] = lambda _params: [kline("3")]
    async with feeding(server) as feed:
        await live(server, feed)
        feed.want(Interest(candles=CHART))
        await eventually(lambda: closes(feed) == ["3"])
        server.rpc["query.kline.list"] = lambda _params: [kline("3", "4")]
        await server.drop()
        await eventually(lambda: closes(feed) == ["3", "4"])

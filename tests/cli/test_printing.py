"""``balances``, ``positions`` and ``orders`` as processes, on a server that does what a test says."""

from __future__ import annotations

import asyncio
import signal
import sys

import pytest

from cadenza_tui.feed.prices import MOST_TICKERS
from cadenza_tui.market.accounts import MAXIMUM_ENTRIES

from .desk import Desk, balance, environment, line, order, run, said, told, watching

# --- once


async def test_balances_are_printed_once_and_aligned(desk: Desk) -> None:
    """By account, then asset; what is zero is not shown."""
    code, out, err = await run(desk.url, "balances")
    assert (code, err) == (0, "")
    assert out == (
        "A · a · BINANCE · SPOT\n"
        "asset           total            free  locked  borrowed\n"
        "BTC        0.50000000      0.50000000       0         0\n"
        "USDT   1,000.50        1,000.50             0         0\n"
        "\n"
        "B · b · OKX · SPOT\n"
        "asset  total  free  locked  borrowed\n"
        "EUR       20    20       0         0\n"
    )


async def test_json_is_one_object_of_a_stable_shape(desk: Desk) -> None:
    """Exact decimals as strings, the state, and that nothing is missing."""
    code, out, err = await run(desk.url, "balances", "--json", "--all", "--account", "a")
    assert (code, err) == (0, "")
    found = told(out)
    assert (found.state, found.complete, found.missing, found.total) == ("live", True, [], None)
    (account,) = found.accounts
    assert (account.account, account.nickname, account.venue, account.state) == ("a", "A", "BINANCE", "live")
    assert account.balances is not None
    assert [(row.asset, row.total) for row in account.balances] == [
        ("BTC", "0.50000000"),
        ("DUST", "0.00"),
        ("USDT", "1000.50"),
    ]


async def test_a_currency_adds_values_their_paths_and_a_total(desk: Desk) -> None:
    """Directly, the other way round, or through an asset in between; what has no price is named."""
    desk.balances["b"].append(balance("NONE", "1"))
    code, out, _ = await run(desk.url, "balances", "--json", "--currency", "EUR")
    assert code == 0
    found = told(out)
    rows = {row.asset: row for account in found.accounts for row in account.balances or ()}
    assert rows["EUR"].value == "20"
    assert (rows["USDT"].value, rows["USDT"].value_path) == ("909.545454545455", "1/(EUR/USDT)")
    assert rows["BTC"].value == "27272.772727272727"
    assert rows["BTC"].value_path == "BINANCE:BTC/USDT × 1/(OKX:EUR/USDT)"
    assert [leg.instrument for leg in rows["BTC"].value_legs] == ["BINANCE:BTC/USDT", "OKX:EUR/USDT"]
    assert (rows["NONE"].value, rows["NONE"].value_reason) == (None, "no price of NONE in EUR")
    assert found.total is not None
    assert (found.total.value, found.total.missing) == ("28202.318181818182", ["NONE"])


async def test_a_currency_adds_columns_to_the_table(desk: Desk) -> None:
    """And a last line with the total."""
    code, out, _ = await run(desk.url, "balances", "--currency", "USDT", "--account", "a")
    assert code == 0
    assert out.splitlines()[1].split() == [
        "asset",
        "total",
        "free",
        "locked",
        "borrowed",
        "value",
        "USDT",
        "by",
    ]
    assert out.splitlines()[2].split()[-2:] == ["30,000.05", "BTC/USDT"]
    assert out.splitlines()[-1] == "total 31,000.55 USDT"


async def test_a_currency_that_nothing_is_quoted_in_is_incomplete(desk: Desk) -> None:
    """With some that can be had."""
    code, out, err = await run(desk.url, "balances", "--currency", "XAU")
    assert (code, "BTC" in out) == (5, True)
    assert "values in XAU: no listed market has it" in err
    assert "choose another, as USDT" in err


async def test_prices_that_cannot_be_had_leave_the_balances(desk: Desk) -> None:
    """Exit code 5."""
    del desk.rpc["query.ticker.list"]
    code, out, err = await run(desk.url, "balances", "--currency", "USDT")
    assert (code, "0.50000000" in out) == (5, True)
    assert "values in USDT" in err


async def test_positions_have_profits_margin_and_roe(desk: Desk) -> None:
    """ROE where the margin is known; a closed one only when asked for."""
    desk.positions["a"] = [
        {"positionId": "p1", "securitySymbol": "BTC", "instrumentId": "BINANCE:BTC/USDT", "status": "OPEN",
         "positionSide": "LONG", "quantity": "2", "entryPrice": "100", "currentPrice": "110",
         "unrealizedPnl": "20", "realizedPnl": "-1.5", "margin": "40", "leverage": "5"},
        {"positionId": "p2", "securitySymbol": "ETH", "instrumentId": "BINANCE:ETH/USDT", "status": "CLOSED",
         "positionSide": "SHORT", "quantity": "0"},
    ]  # fmt: skip
    code, out, _ = await run(desk.url, "positions", "--account", "a")
    assert code == 0
    assert out.splitlines()[2].split() == [
        "BINANCE:BTC/USDT", "long", "2", "100", "110", "+20", "−1.5", "40", "+50.00", "5", "—",
    ]  # fmt: skip
    code, out, _ = await run(desk.url, "positions", "--json", "--all", "--account", "a")
    (account,) = told(out).accounts
    assert account.positions is not None
    assert [(row.position_id, row.status) for row in account.positions] == [("p1", "OPEN"), ("p2", "CLOSED")]
    assert account.positions[0].roe_percent is not None
    assert float(account.positions[0].roe_percent) == 50.0


@pytest.mark.parametrize("part", ["balances", "positions"])
async def test_the_summary_stands_beside_what_it_sums_up(desk: Desk, part: str) -> None:
    """Equity in the heading; all of it in JSON."""
    desk.summary = {"currency": "USDT", "equity": "1500.10", "marginLevel": "3.2"}
    code, out, _ = await run(desk.url, part, "--account", "a")
    assert (code, out.splitlines()[0]) == (0, "A · a · BINANCE · SPOT · equity 1,500.10 USDT")
    _, out, _ = await run(desk.url, part, "--json", "--account", "a")
    summary = told(out).accounts[0].summary
    assert summary is not None
    assert (summary.equity, summary.margin_level, summary.margin) == ("1500.10", "3.2", None)


async def test_orders_stand_below_their_parents(desk: Desk) -> None:
    """With what is filled of what; in JSON by their ids."""
    desk.orders["a"] = [
        order("a", "child", parentOrderId="parent", createdAt=1),
        order("a", "parent", createdAt=2),
        order("a", "done", status="FILLED", createdAt=3),
    ]
    code, out, _ = await run(desk.url, "orders", "--account", "a")
    assert code == 0
    rows = out.splitlines()[2:]
    assert [row.split("BINANCE")[0].strip() for row in rows] == ["parent", "└ child"]
    assert {"59,000.10", "0.25", "2.50", "accepted"} <= set(rows[0].split())
    _, out, _ = await run(desk.url, "orders", "--json", "--all", "--account", "a")
    (account,) = told(out).accounts
    assert account.orders is not None
    assert [(row.order_id, row.parent_id, row.children) for row in account.orders] == [
        ("child", "parent", []),
        ("parent", "", ["child"]),
        ("done", "", []),
    ]


async def test_a_value_by_an_old_price_is_marked(desk: Desk) -> None:
    """The path says which price it is, and the total that there is one."""
    desk.age_s = 3_600
    code, out, _ = await run(desk.url, "balances", "--currency", "USDT", "--account", "a")
    assert code == 0
    assert out.splitlines()[2].split()[-2:] == ["30,000.05~", "BTC/USDT"]
    assert out.splitlines()[-1] == "total 31,000.55~ USDT   ~ stale prices"
    _, out, _ = await run(desk.url, "balances", "--json", "--currency", "USDT", "--account", "a")
    (account,) = told(out).accounts
    assert account.balances is not None
    btc = account.balances[0]
    assert (btc.value_stale, btc.value_legs[0].stale) == (True, True)
    assert btc.value_reason == "the ticker of BINANCE:BTC/USDT is old"


async def test_only_the_prices_that_are_needed_are_asked_for(desk: Desk) -> None:
    """In portions, and those that lead through another asset only where none leads there."""
    desk.prices = {f"V{number}:BTC/USDT": "3" for number in range(250)} | {
        "V1:USDT/EUR": "0.9",
        "V1:X/Y": "1",
    }
    code, _, _ = await run(desk.url, "balances", "--currency", "EUR", "--account", "a")
    assert code == 0
    asked = [params["instrumentIds"] for method, params in desk.calls if method == "query.ticker.list"]
    assert [len(names) for names in asked] == [1, 200, 51]
    assert asked[0] == ["V1:USDT/EUR"]
    assert not any("V1:X/Y" in names for names in asked)


async def test_once_needs_no_changes(desk: Desk) -> None:
    """What the queries brought is all that is asked for, however the channels are."""
    desk.refuse = {"tradingAccount:a": 103, "tradingAccount:b": 103}
    code, out, err = await run(desk.url, "balances", "--json")
    assert (code, err) == (0, "")
    assert [account.state for account in told(out).accounts] == ["live", "live"]


async def test_more_prices_than_are_fetched_are_incomplete(desk: Desk) -> None:
    """The bound is named."""
    desk.prices = {f"V{number}:BTC/USDT": "3" for number in range(MOST_TICKERS + 1)}
    code, out, err = await run(desk.url, "balances", "--currency", "USDT", "--account", "a")
    assert (code, "BTC" in out) == (5, True)
    assert "more than 1,000 prices" in err


# --- watching


async def test_watching_prints_again_on_a_change(desk: Desk) -> None:
    """One object a line, at most once a second."""
    async with watching(desk.url, "balances", "--json") as process:
        first = told(await line(process))
        await desk.until(lambda: "tradingAccount:a" in desk.channels())
        await desk.push_balance("a", balance("BTC", "0.75"))
        second = told(await line(process))
    rows = {row.asset: row.total for account in second.accounts for row in account.balances or ()}
    assert rows["BTC"] == "0.75"
    assert second.time >= first.time + 900


async def test_a_lost_connection_is_said_and_recovers(desk: Desk) -> None:
    """As the state of each account, in JSON."""
    async with watching(desk.url, "balances", "--json") as process:
        assert told(await line(process)).state == "live"
        desk.mute = True
        await desk.drop()
        lost = told(await line(process))
        assert (lost.state, lost.complete) == ("stale", True)
        assert {account.state for account in lost.accounts} == {"stale"}
        assert lost.accounts[0].reason
        desk.mute = False
        await desk.drop()
        assert told(await line(process)).state == "live"


async def test_a_lost_connection_is_said_on_stderr_beside_a_table(desk: Desk) -> None:
    """With the time, and again when it is back."""
    async with watching(desk.url, "orders", "--account", "a") as process:
        assert "BINANCE" in await line(process)
        desk.mute = True
        await desk.drop()
        assert "stale since " in await said(process)
        desk.mute = False
        await desk.drop()
        assert "live again" in await said(process)


async def test_what_is_missing_is_said_once_while_watching(desk: Desk) -> None:
    """And the rest goes on."""
    desk.denied = {"b"}
    async with watching(desk.url, "balances", "--json") as process:
        assert told(await line(process)).complete is False
        assert "balances of b" in await said(process)
        await desk.push_balance("a", balance("BTC", "0.75"))
        assert told(await line(process)).complete is False


async def test_more_balances_than_are_kept_are_missing(desk: Desk) -> None:
    """The bound is named, on stderr and in JSON; what is kept is printed."""
    desk.balances["a"] = [balance(f"A{number}", "1") for number in range(MAXIMUM_ENTRIES)]
    async with watching(desk.url, "balances", "--json", "--account", "a") as process:
        assert told(await line(process)).complete
        await desk.push_balance("a", balance("B1", "1"), balance("B2", "1"))
        found = told(await line(process))
        assert "2 entries of a: more than are kept" in await said(process)
    assert [lack.what for lack in found.missing] == ["2 entries of a"]
    assert len(found.accounts[0].balances or ()) == MAXIMUM_ENTRIES


async def test_an_account_whose_changes_are_refused_is_stale_while_watched(desk: Desk) -> None:
    """It has what the query brought, and says why that is all."""
    desk.refuse["tradingAccount:b"] = 103
    async with watching(desk.url, "balances", "--json") as process:
        accounts = told(await line(process)).accounts
    assert [account.state for account in accounts] == ["live", "stale"]
    assert "permission denied" in accounts[1].reason
    assert accounts[1].balances


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130), (signal.SIGHUP, 129)]
)
async def test_a_signal_ends_watching_quietly(desk: Desk, number: signal.Signals, code: int) -> None:
    """With the code that a shell knows, and not a word."""
    async with watching(desk.url, "balances", "--json") as process:
        await line(process)
        process.send_signal(number)
        out, err = await process.communicate()
        assert (process.returncode, out, err) == (code, b"", b"")


async def test_watching_ends_quietly_when_nobody_reads(desk: Desk) -> None:
    """As in `balances --watch | head -1`."""
    process = await asyncio.create_subprocess_shell(
        f"{sys.executable} -m cadenza_tui balances --json --watch --url {desk.url} | head -1",
        stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        env=environment(),
    )  # fmt: skip
    async with asyncio.timeout(20):
        out, err = await process.communicate()
    assert (told(out.decode()).state, err) == ("live", b"")


# --- any stdout


@pytest.mark.parametrize("locale", [{"PYTHONIOENCODING": "ascii"}, {"PYTHONIOENCODING": "", "LC_ALL": "C"}])
async def test_where_there_is_no_utf_8_a_table_is_ascii(desk: Desk, locale: dict[str, str]) -> None:
    """Whatever is in it, and aligned all the same."""
    desk.rpc["query.trading_account.list"] = lambda _: [
        {"tradingAccountId": "a", "nickname": "口座 ä", "venue": "BINANCE", "accountType": "SPOT"}
    ]
    desk.balances["a"].append({"securitySymbol": "ÄÖ", "total": "-1"})
    code, out, err = await run(desk.url, "balances", **locale)
    assert (code, err, out.isascii()) == (0, "", True)
    assert out.splitlines()[0].endswith(". BINANCE . SPOT")
    assert any(row.split() == ["??", "-1", "-", "-", "-"] for row in out.splitlines())


async def test_json_is_utf_8_whatever_the_locale(desk: Desk) -> None:
    """As programs expect it."""
    desk.balances["a"].append(balance("ÄÖ", "1"))
    code, out, _ = await run(desk.url, "balances", "--json", LC_ALL="C", PYTHONIOENCODING="ascii")
    (account, _) = told(out).accounts
    assert account.balances is not None
    assert (code, account.balances[-1].asset) == (0, "ÄÖ")

"""What a script can tell from the end of ``balances``, ``positions`` and ``orders``: each code, provoked."""

from __future__ import annotations

import pytest

from ..feed.scripted import Refused
from .desk import Desk, listed, order, run, told


async def test_a_missing_configuration_is_2() -> None:
    """Nothing says which server."""
    code, out, err = await run(None, "positions", CADENZA_TOKEN="", CADENZA_PROFILE="nowhere")
    assert (code, out) == (2, "")
    assert "nowhere" in err


@pytest.mark.parametrize("part", ["balances", "positions", "orders"])
async def test_a_refused_token_is_3(desk: Desk, part: str) -> None:
    """With a remedy."""
    desk.close_with = (3500, "invalid token")
    code, out, err = await run(desk.url, part, "--json")
    assert (code, out) == (3, "")
    assert "CADENZA_TOKEN" in err


async def test_an_expired_token_is_3(desk: Desk) -> None:
    """Before anything is sent."""
    code, out, err = await run(desk.url, "orders", CADENZA_TOKEN="e30.eyJleHAiOjEwMDB9.x")
    assert (code, out, desk.commands) == (3, "", [])
    assert "the token expired" in err


async def test_no_permission_for_any_account_is_3(desk: Desk) -> None:
    """As if there were no token."""
    desk.denied = {"a", "b"}
    code, _, err = await run(desk.url, "balances")
    assert code == 3
    assert "permission denied" in err
    assert "ask the operator" in err


async def test_a_platform_that_forbids_is_3(desk: Desk) -> None:
    """It speaks HTTP's numbers."""
    desk.envelope["query.portfolio.get"] = {"error": {"code": 403, "message": "forbidden"}}
    code, _, err = await run(desk.url, "positions")
    assert (code, "forbidden" in err) == (3, True)


async def test_no_token_is_3() -> None:
    """With how to come by one."""
    code, out, err = await run(None, "orders", "--profile", "prod", CADENZA_TOKEN="")
    assert (code, out) == (3, "")
    assert "CADENZA_TOKEN" in err


async def test_a_list_of_accounts_that_is_denied_is_3(desk: Desk) -> None:
    """There is no account to print."""

    def deny(_: object) -> object:
        raise Refused(103, "permission denied")

    desk.rpc["query.trading_account.list"] = deny
    code, _, err = await run(desk.url, "balances")
    assert (code, "permission denied" in err) == (3, True)


async def test_a_server_that_is_not_there_is_4(desk: Desk) -> None:
    """Within the time that was given, and it says why."""
    url = desk.url
    await desk.__aexit__()
    code, out, err = await run(url, "balances", "--timeout", "0.5")
    assert (code, out) == (4, "")
    assert "within 0.5 s" in err
    assert "cadenza-tui doctor" in err


async def test_a_server_that_does_not_answer_is_4(desk: Desk) -> None:
    """It takes the connection, and nothing comes."""
    desk.mute = True
    code, out, _ = await run(desk.url, "positions", "--timeout", "0.5")
    assert (code, out) == (4, "")


async def test_queries_that_nobody_answers_are_4(desk: Desk) -> None:
    """However well the connection is."""
    desk.silent = {"query.trading_account.list"}
    code, out, err = await run(desk.url, "balances", "--timeout", "0.5")
    assert (code, out) == (4, "")
    assert "no answer" in err


async def test_what_came_in_time_is_printed(desk: Desk) -> None:
    """The rest is missing."""
    desk.silent = {"query.trade_order.list"}
    code, out, err = await run(desk.url, "balances", "--json", "--timeout", "1")
    assert code == 5
    assert [account.state for account in told(out).accounts] == ["live", "missing"]
    assert "balances of b: no answer in time" in err


async def test_a_server_without_tls_is_4(desk: Desk) -> None:
    """Where TLS is expected."""
    code, _, err = await run(desk.url.replace("ws:", "wss:"), "orders", "--timeout", "0.5")
    assert (code, "wss://" in err) == (4, True)


@pytest.mark.parametrize("part", ["balances", "positions", "orders"])
async def test_one_account_that_is_denied_is_5(desk: Desk, part: str) -> None:
    """The others are printed; what is missing is named."""
    desk.denied = {"b"}
    code, out, err = await run(desk.url, part, "--json")
    assert code == 5
    found = told(out)
    assert (found.complete, [lack.account for lack in found.missing]) == (False, ["b"])
    assert [account.state for account in found.accounts] == ["live", "missing"]
    assert getattr(found.accounts[1], part) is None
    assert getattr(found.accounts[0], part) is not None
    assert f"{part} of b: permission denied" in err


async def test_an_account_that_does_not_exist_is_5(desk: Desk) -> None:
    """Printed is the one that does."""
    code, out, err = await run(desk.url, "balances", "--account", "a", "--account", "nobody")
    assert (code, "USDT" in out) == (5, True)
    assert "balances of nobody" in err
    assert "check the id" in err


async def test_no_account_at_all_is_5(desk: Desk) -> None:
    """The server lists none."""
    desk.accounts = {}
    code, _, err = await run(desk.url, "balances")
    assert code == 5
    assert "the server lists none" in err
    assert "--account" in err


async def test_more_accounts_than_are_taken_are_5(desk: Desk) -> None:
    """Those left out are named, and those taken are printed."""
    for number in range(8):
        name = f"more-{number}"
        desk.accounts[name], desk.balances[name], desk.positions[name], desk.orders[name] = "OKX", [], [], []
    code, out, err = await run(desk.url, "balances")
    assert (code, "BTC" in out) == (5, True)
    assert "more-6, more-7" in err


async def test_entries_that_cannot_be_read_are_5(desk: Desk) -> None:
    """They are counted by their reason."""
    desk.orders["a"] = [order("a", "good"), order("a", "bad", quantity="a lot")]
    code, out, err = await run(desk.url, "orders")
    assert (code, "good" in out) == (5, True)
    assert "what could not be read: 1 ×" in err


async def test_instruments_that_cannot_be_read_leave_balances_complete(desk: Desk) -> None:
    """They are none of the accounts'."""
    desk.rpc["query.instrument.list"] = lambda _: [{"instrumentId": 7}, *map(listed, desk.prices)]
    code, _, err = await run(desk.url, "balances", "--currency", "USDT")
    assert (code, err) == (0, "")

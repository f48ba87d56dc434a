"""The two REST calls: what is sent, what is taken, and what is said of everything else."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from cadenza_tui.credentials.rest import MAX_ANSWER, Refused, Rest, Unreachable
from cadenza_tui.credentials.secret import Secret
from cadenza_tui.errors import TokenError
from cadenza_tui.simulator.auth import EMAIL, PASSWORD, Auth

from .support import KEY, always, auth_server, make, response, scripted

if TYPE_CHECKING:
    from collections.abc import Callable

NOW = 1_700_000_000.0
HUSH = Secret("hush-hush")


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


def granted(**changes: Any) -> dict[str, Any]:
    """Return a good answer with some fields changed; None leaves one out."""
    data = {"accessToken": make(), "refreshToken": "r-1", "tokenType": "bearer", "expiresIn": 3600} | changes
    return {
        "success": True,
        "errno": 0,
        "data": {name: value for name, value in data.items() if value is not None},
    }


async def test_a_login_and_its_renewals_on_the_simulator() -> None:
    """Each renewal brings another access token and another refresh token."""
    auth = Auth(KEY, access_seconds=3600)
    async with auth_server(auth) as url:
        rest = Rest(url, clock=lambda: NOW)
        first = await rest.login(EMAIL, Secret(PASSWORD))
        assert (first.ends, first.lifetime_s) == (NOW + 3600, 3600)
        second = await rest.refresh(first.refresh)
        assert second.refresh != first.refresh
        with pytest.raises(Refused, match="Already Used"):
            await rest.refresh(first.refresh)


async def test_what_is_sent_is_json_to_the_documented_path() -> None:
    """And nothing that was not asked for."""
    seen: list[bytes] = []

    async def answer(request: bytes, writer: asyncio.StreamWriter) -> None:
        seen.append(request)
        writer.write(response(200, granted()))

    async with scripted(answer) as url:
        await Rest(f"{url}/base").login("t@x.example", Secret('p"ä'))
        await Rest(url).refresh(Secret("r-0"))
    head, _, body = seen[0].partition(b"\r\n\r\n")
    assert head.startswith(b"POST /base/api/v3/auth/login HTTP/1.1\r\n")
    assert b"content-type: application/json" in head.lower()
    assert b"accept-encoding: identity" in head.lower()
    assert msgspec.json.decode(body) == {"email": "t@x.example", "password": 'p"ä'}
    assert seen[1].startswith(b"POST /api/v3/auth/token/refresh HTTP/1.1\r\n")
    assert msgspec.json.decode(seen[1].partition(b"\r\n\r\n")[2]) == {"refreshToken": "r-0"}


async def test_a_wrong_password_is_told_in_the_servers_words() -> None:
    """With the errno, and no part of what was sent."""
    async with auth_server(Auth(KEY)) as url:
        with pytest.raises(Refused, match=r"Invalid login credentials \(errno 40101\)") as caught:
            await Rest(url).login(EMAIL, HUSH)
    assert "hush" not in str(caught.value)


REFUSED = {"success": False, "errno": 40101, "error": "no"}
ANSWERS: list[tuple[int, object, type[TokenError], str]] = [
    (401, REFUSED, Refused, "refuses it: no (errno 40101)"),
    (400, {"success": False}, Refused, "refuses it: no reason given"),
    (200, REFUSED, Refused, "refuses it: no"),
    (200, {"success": False, "error": "a\x1b[2J\nb\u202ec", "data": 7}, Refused, "refuses it: a [2J b c"),
    (401, {"success": False, "error": "x" * 9_000}, Refused, "xxx…"),
    (401, b"<html>", TokenError, "HTTP 401 and not as a login does"),
    (404, b"", TokenError, "HTTP 404 and not as a login does"),
    (429, {"success": False, "error": "slow down"}, Unreachable, "cannot do it now: slow down"),
    (503, {"success": False, "error": "later"}, Unreachable, "cannot do it now: later"),
    (502, b"<html>", Unreachable, "HTTP 502"),
    (302, b"", TokenError, "sends on to another address"),
    (200, b"", TokenError, "no login"),
    (200, b"\xff\xfe", TokenError, "no login"),
    (200, b"[" * 200_000, TokenError, "no login"),
    (200, {"success": True}, TokenError, "no login"),
    (200, granted(accessToken=7), TokenError, "no login"),
    (200, granted(accessToken=None), TokenError, "no login"),
    (200, granted(accessToken="no token"), TokenError, "not a token"),
    (200, granted(accessToken="x" * 20_000), TokenError, "no login"),
    (200, granted(refreshToken=""), TokenError, "refresh token of 127.0.0.1 cannot be used"),
    (200, granted(refreshToken="a\nb"), TokenError, "refresh token of 127.0.0.1 cannot be used"),
    (200, granted(refreshToken="r" * 9_000), TokenError, "refresh token of 127.0.0.1 cannot be used"),
    (200, granted(expiresIn=0), TokenError, "time is over already"),
    (200, granted(expiresIn=-5), TokenError, "time is over already"),
    (200, b"x" * (MAX_ANSWER + 1), TokenError, "more than"),
]


@pytest.mark.parametrize(("status", "body", "kind", "says"), ANSWERS, ids=range(len(ANSWERS)))
async def test_an_answer_that_is_no_session_is_named(
    status: int, body: object, kind: type[TokenError], says: str
) -> None:
    """In one clean and bounded line, as refused, as out of reach, or as neither."""
    async with scripted(always(response(status, body, location="https://elsewhere.example/"))) as url:
        with pytest.raises(TokenError) as caught:
            await Rest(url).login("t@x.example", HUSH)
    text = str(caught.value)
    assert says in text
    assert isinstance(caught.value, kind)
    assert isinstance(caught.value, (Refused, Unreachable)) is (kind is not TokenError)
    assert text.isprintable()
    assert len(text) < 300
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


async def test_a_redirect_is_not_followed() -> None:
    """The password goes to the one address that was named."""
    asked = 0

    async def elsewhere(_request: bytes, writer: asyncio.StreamWriter) -> None:
        nonlocal asked
        asked += 1
        writer.write(response(200, granted()))

    async with scripted(elsewhere) as other:
        for status in (301, 302, 307, 308):
            async with scripted(always(response(status, b"", location=other))) as url:
                with pytest.raises(TokenError, match="no password is sent"):
                    await Rest(url).login("t@x.example", HUSH)
    assert asked == 0


async def test_an_answer_without_end_is_cut_off() -> None:
    """A body that goes on for ever is not read for ever."""

    async def answer(_request: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            writer.write(b"x" * 65_536)
            await writer.drain()

    async with scripted(answer) as url:
        with pytest.raises(TokenError, match="more than"):
            await Rest(url).login("t@x.example", HUSH)


@pytest.mark.parametrize(
    "begun", [b"", b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 200 OK\r\ncontent-length: 9000\r\n\r\n"], ids=range(3)
)
async def test_an_answer_that_trickles_is_given_up(begun: bytes) -> None:
    """The time limit is for the whole exchange, not for each byte of it."""

    async def answer(_request: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(begun)
        while True:
            writer.write(b"a")
            await writer.drain()
            await asyncio.sleep(0.02)

    async with scripted(answer) as url:
        with pytest.raises(Unreachable, match=r"did not answer within 0.3 s"):
            await Rest(url, timeout_s=0.3).login("t@x.example", HUSH)


@pytest.mark.parametrize(
    ("reply", "says"), [(b"", "broke off"), (b"SSH-2.0-x\r\n", "does not speak HTTP")], ids=["nothing", "ssh"]
)
async def test_what_is_no_http_is_named(reply: bytes, says: str) -> None:
    """Another service at the address, or one that breaks off."""
    async with scripted(always(reply)) as url:
        with pytest.raises(Unreachable, match=says):
            await Rest(url).login("t@x.example", HUSH)


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("http://127.0.0.1:9", "127.0.0.1 refuses the connection"),
        ("http://nowhere.invalid", "the name nowhere.invalid cannot be resolved"),
    ],
)
async def test_a_server_that_is_not_there_is_named(url: str, says: str) -> None:
    """By its host, with what is wrong."""
    with pytest.raises(Unreachable, match=says):
        await Rest(url).login("t@x.example", HUSH)


@pytest.mark.parametrize("skew", [-3_600.0, 0.0, 3_600.0])
async def test_the_end_is_by_our_own_clock_however_wrong_it_is(skew: float) -> None:
    """expiresIn counts from the answer; without it, expiresAt is put right by the answer's date."""
    server_now = 1_700_000_000.0
    date = "Tue, 14 Nov 2023 22:13:20 GMT"
    for session in (granted(), granted(expiresIn=None, expiresAt=server_now + 3_600)):
        async with scripted(always(response(200, session, date=date))) as url:
            grant = await Rest(url, clock=lambda: server_now + skew).login("t@x.example", HUSH)
        assert (grant.lifetime_s, grant.ends) == (3_600, server_now + skew + 3_600)


async def test_without_any_expiry_the_tokens_own_claim_counts() -> None:
    """And without that, it is taken for long-lived."""
    for token, lifetime in ((make(exp=NOW + 90), 90), (make(), 366 * 86_400)):
        session = granted(accessToken=token, expiresIn=None)
        async with scripted(always(response(200, session))) as url:
            assert (await Rest(url, clock=lambda: NOW).login("t@x.example", HUSH)).lifetime_s == lifetime


async def test_a_proxy_of_the_environment_is_asked_for_hosts_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    """As httpx does; and never for this machine, whose password would go through it in the clear."""
    seen: list[bytes] = []

    async def proxy(request: bytes, writer: asyncio.StreamWriter) -> None:
        seen.append(request.split(b"\r\n")[0])
        writer.write(response(502, b""))

    async with scripted(proxy) as url, scripted(always(response(200, granted()))) as here:
        monkeypatch.setenv("HTTPS_PROXY", url)
        monkeypatch.setenv("HTTP_PROXY", url)
        await Rest(here).login("t@x.example", HUSH)
        await Rest(here.replace("127.0.0.1", "localhost")).login("t@x.example", HUSH)
        assert not seen
        with pytest.raises(Unreachable, match=r"proxy of the environment does not lead to rest\.example"):
            await Rest("https://rest.example").login("t@x.example", HUSH)
        assert seen == [b"CONNECT rest.example:443 HTTP/1.1"]


@pytest.mark.parametrize(
    ("proxy", "says"), [("socks5://127.0.0.1:9", "SOCKS"), ("nonsense://x", "address that cannot be used")]
)
async def test_a_proxy_that_cannot_be_used_is_named(
    monkeypatch: pytest.MonkeyPatch, proxy: str, says: str
) -> None:
    """Instead of a traceback."""
    monkeypatch.setenv("HTTPS_PROXY", proxy)
    with pytest.raises(Unreachable, match=says):
        await Rest("https://rest.example").login("t@x.example", HUSH)


async def test_no_log_holds_a_secret(caplog: pytest.LogCaptureFixture) -> None:
    """At DEBUG neither what was sent nor what came, cookies included."""
    caplog.set_level(logging.DEBUG)
    token = make()
    reply = response(
        200, granted(accessToken=token, refreshToken="r-hush"), set_cookie="sb=cookie-hush; HttpOnly"
    )
    async with scripted(always(reply)) as url:
        await Rest(url).login("t@x.example", HUSH)
        await Rest(url).refresh(Secret("refresh-hush"))
    assert "hush" not in caplog.text
    assert token not in caplog.text


@pytest.mark.parametrize(
    "call", [lambda rest: rest.login("t@x", HUSH), lambda rest: rest.refresh(HUSH)], ids=range(2)
)
async def test_nothing_is_left_open(call: Callable[[Rest], Any]) -> None:
    """No task outlives the exchange, whether it went well or not."""
    async with scripted(always(response(200, granted()))) as url:
        await call(Rest(url))
        with pytest.raises(TokenError):
            await call(Rest("http://127.0.0.1:9"))
    assert {
        task
        for task in asyncio.all_tasks()
        if task is not asyncio.current_task() and "serve" not in repr(task)
    } == set()

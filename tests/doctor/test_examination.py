"""Each check against a real server that is well, and against those that are broken in its own way."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
import trustme

from cadenza_tui.doctor.examination import Check, examine
from cadenza_tui.doctor.finding import Finding, Outcome, ok
from cadenza_tui.doctor.subject import Subject
from cadenza_tui.errors import ConfigError
from tests.doctor.rig import BOOK, BTC, examined, saying, serving, target, token, trusting, unused_port
from tests.feed.scripted import Refused, ScriptedServer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

OK, WARN, FAIL, SKIPPED = Outcome.OK, Outcome.WARN, Outcome.FAIL, Outcome.SKIPPED
INSTRUMENT = {"instrumentId": BTC, "venue": "BINANCE", "symbol": "BTC/USDT"}


@pytest.fixture
async def server() -> AsyncIterator[ScriptedServer]:
    """A server that is well."""
    async with ScriptedServer() as running:
        running.rpc["query.instrument.list"] = lambda _: [INSTRUMENT]
        running.on_connect = lambda _: {"version": "6.9.1", "time": int(time.time() * 1_000)}
        yield running


def outcomes(findings: dict[str, Finding]) -> dict[str, Outcome]:
    """Return the outcomes alone, without the terminal's, which is that of the tests."""
    return {name: finding.outcome for name, finding in findings.items() if name != "terminal"}


async def test_where_all_is_well_each_check_says_so(server: ScriptedServer) -> None:
    """With what it found, in the order of the way to the server, and what it took."""
    server.on_subscribe[BOOK] = lambda _: {"delta": True}
    findings = await examined(target(server.url))
    assert list(findings) == [
        "configuration", "token", "name", "TCP", "TLS", "connect", "clock", "queries", "subscribe", "terminal"
    ]  # fmt: skip
    assert set(outcomes(findings).values()) == {OK}
    assert "subject desk" in findings["token"].sentence
    assert "expires in 59 min" in findings["token"].sentence
    assert findings["connect"].sentence == "server 6.9.1; pings every 25 s"
    assert findings["clock"].sentence.startswith("agrees with the server's within ")
    assert findings["queries"].sentence.startswith("1 instrument in ")
    assert findings["subscribe"].sentence == f"{BOOK}: recoverable, delta"
    assert findings["connect"].ms > 0
    assert not any(finding.remedy for name, finding in findings.items() if name != "terminal")


async def test_a_configuration_that_cannot_be_used_skips_all_that_needs_it() -> None:
    """They are not failures: nothing is known of them."""

    def find() -> Any:
        raise ConfigError("config.toml:3: nonsense is not a key", remedy="did you mean it?")

    findings = await examined(find)
    assert findings["configuration"].outcome is FAIL
    assert findings["configuration"].remedy == "did you mean it?"
    assert findings["token"] == Finding("token", SKIPPED, "needs configuration")
    assert findings["subscribe"].sentence == "needs connect"
    assert set(list(outcomes(findings).values())[1:]) == {SKIPPED}


@pytest.mark.parametrize(
    ("bearing", "outcome", "says"),
    [
        (lambda: token(exp=1_000_000), FAIL, "the token expired"),
        (lambda: "not-a-token", FAIL, "is not an access token"),
        (lambda: "", FAIL, "is empty"),
        (lambda: "a.!!!!.c", WARN, "its claims cannot be read"),
        (lambda: token(exp=time.time() + 200), WARN, "expires in 3 min"),
        (lambda: token(exp=time.time() - 1), FAIL, "log in again"),
        (token, OK, "does not say when it expires"),
        (lambda: token(exp=1e300, iss="https://a\x1b[2J", iat=1_700_000_000), OK, "2023-11-14 22:13 UTC"),
    ],
    ids=["expired", "no token", "empty", "no claims", "soon", "just now", "no end", "odd claims"],
)
async def test_a_token_is_judged_by_its_claims(
    server: ScriptedServer, bearing: Callable[[], str], outcome: Outcome, says: str
) -> None:
    """Never shown, and nothing of it moves the cursor; a connection without a good one is not tried."""
    findings = await examined(target(server.url, bearing=bearing()))
    found = findings["token"]
    assert found.outcome is outcome
    assert says in f"{found.sentence} {found.remedy}"
    assert found.sentence.isprintable()
    assert bool(found.remedy) is (outcome is not OK)
    assert findings["connect"].outcome is (SKIPPED if outcome is FAIL else OK)


async def test_without_a_token_a_profile_fails_and_a_url_alone_does_not(server: ScriptedServer) -> None:
    """Some servers let anybody in, but a profile's does not."""
    findings = await examined(target(server.url, token=lambda: None))
    assert (findings["token"].outcome, findings["token"].remedy) == (FAIL, "set CADENZA_TOKEN")
    findings = await examined(target(server.url, token=lambda: None, token_needed=False))
    assert (findings["token"].outcome, findings["connect"].outcome) == (OK, OK)


async def test_a_name_that_nobody_knows_fails() -> None:
    """What needs an address is skipped."""
    findings = await examined(target("ws://nowhere.invalid/connection/websocket"))
    assert findings["name"].sentence == "nowhere.invalid cannot be resolved"
    assert (findings["TCP"].outcome, findings["TCP"].sentence) == (SKIPPED, "needs name")


async def test_a_port_at_which_nothing_listens_fails() -> None:
    """The name is well all the same."""
    port = unused_port()
    findings = await examined(target(f"ws://127.0.0.1:{port}/x"))
    assert findings["name"].outcome is OK
    assert findings["TCP"].sentence == f"127.0.0.1 port {port} refuses: nothing listens there"
    assert findings["connect"].sentence == "needs TLS"


async def test_a_web_server_is_not_a_websocket() -> None:
    """Connect says what came instead."""
    page = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"
    async with saying(page) as port:
        findings = await examined(target(f"ws://127.0.0.1:{port}/x"))
    assert (findings["TCP"].outcome, findings["TLS"].outcome) == (OK, OK)
    assert findings["connect"].outcome is FAIL
    assert "answered HTTP 200 instead of opening a WebSocket" in findings["connect"].sentence
    assert findings["clock"].sentence == "needs connect"


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    """An authority of the tests' own."""
    return trustme.CA(organization_name="Test Authority")


async def test_a_trusted_certificate_is_told(authority: trustme.CA) -> None:
    """Its issuer, its last day, and the protocol; the rest goes on over TLS."""
    async with ScriptedServer(serving(authority.issue_cert("localhost"))) as server:
        findings = await examined(target(server.url, trust=trusting(authority)))
    assert findings["TLS"].outcome is OK
    assert findings["TLS"].sentence.startswith("TLSv1.")
    assert "certificate by Test Authority, valid until 3000-01-01 (" in findings["TLS"].sentence
    assert (findings["connect"].outcome, findings["subscribe"].outcome) == (OK, OK)


async def test_a_certificate_of_a_foreign_authority_fails(authority: trustme.CA) -> None:
    """The remedy is the profile's ca_file."""
    async with ScriptedServer(serving(authority.issue_cert("localhost"))) as server:
        findings = await examined(target(server.url, trust=trusting(trustme.CA())))
    assert findings["TLS"].outcome is FAIL
    assert "the certificate of localhost is not trusted" in findings["TLS"].sentence
    assert "ca_file" in findings["TLS"].remedy
    assert findings["connect"].outcome is SKIPPED


@pytest.mark.parametrize(
    ("name", "days", "outcome", "says"),
    [
        ("localhost", 5, WARN, "(4 d)"),
        ("localhost", -1, FAIL, "certificate has expired"),
        ("other.example", 90, FAIL, "Hostname mismatch"),
    ],
    ids=["soon", "expired", "another name"],
)
async def test_a_certificate_has_to_last_and_to_be_for_the_host(
    authority: trustme.CA, name: str, days: int, outcome: Outcome, says: str
) -> None:
    """One that ends within two weeks is a warning."""
    until = datetime.now(UTC) + timedelta(days=days)
    certificate = authority.issue_cert(name, not_before=until - timedelta(days=30), not_after=until)
    async with ScriptedServer(serving(certificate)) as server:
        findings = await examined(target(server.url, trust=trusting(authority)))
    assert findings["TLS"].outcome is outcome
    assert says in findings["TLS"].sentence
    assert findings["TLS"].remedy


async def test_a_server_without_tls_at_a_wss_address_fails(
    server: ScriptedServer, authority: trustme.CA
) -> None:
    """It is asked whether it is ws://."""
    findings = await examined(target(server.url.replace("ws://", "wss://"), trust=trusting(authority)))
    assert findings["TLS"].outcome is FAIL
    assert findings["TLS"].remedy


async def test_a_url_that_cannot_be_used_is_told_without_what_it_carries(server: ScriptedServer) -> None:
    """Its query may be a secret."""
    findings = await examined(target(server.url + "?key=hidden#part"))
    assert findings["connect"].outcome is FAIL
    assert findings["connect"].remedy
    assert "hidden" not in repr(findings)


async def test_a_token_that_the_server_refuses_fails_at_connect(server: ScriptedServer) -> None:
    """With the remedy that belongs to the code."""
    server.close_with = (3500, "invalid token")
    findings = await examined(target(server.url))
    assert findings["connect"].outcome is FAIL
    assert "token" in findings["connect"].sentence
    assert "CADENZA_TOKEN" in findings["connect"].remedy


async def test_a_channel_that_the_server_does_not_know_fails(server: ScriptedServer) -> None:
    """102: the spelling of channels is the first suspect."""
    server.refuse[BOOK] = 102
    findings = await examined(target(server.url))
    found = findings["subscribe"]
    assert found.outcome is FAIL
    assert found.sentence.startswith(f"{BOOK}: ")
    assert "channel" in found.remedy


async def test_a_channel_without_numbers_is_a_warning(server: ScriptedServer) -> None:
    """Nobody could see that a message is missing."""
    server.on_subscribe[BOOK] = lambda _: {"recoverable": False, "positioned": False}
    findings = await examined(target(server.url))
    assert findings["subscribe"].outcome is WARN
    assert "not numbered" in findings["subscribe"].sentence


async def test_a_subscribe_that_is_never_answered_fails(server: ScriptedServer) -> None:
    """Within its time, and without a reconnect in the way."""
    server.ignore.add(BOOK)
    findings = await examined(target(server.url), quickly=0.2)
    assert findings["subscribe"].outcome is FAIL
    assert "answer" in findings["subscribe"].sentence


async def test_without_an_instrument_nothing_is_subscribed_to(server: ScriptedServer) -> None:
    """The first that is listed serves where none is configured."""
    findings = await examined(target(server.url, instruments=()))
    assert findings["subscribe"].sentence.startswith(BOOK)
    server.rpc["query.instrument.list"] = lambda _: []
    findings = await examined(target(server.url, instruments=()))
    assert findings["queries"].outcome is WARN
    assert findings["subscribe"].outcome is SKIPPED


@pytest.mark.parametrize(
    ("skew_s", "outcome", "says"),
    [
        (30, WARN, "30.0 s ahead of this machine's"),
        (-3_600, FAIL, "behind this machine's: tokens are taken"),
        (3_600, FAIL, "ahead of this machine's: tokens are taken"),
    ],
)
async def test_clocks_that_differ_are_told(
    server: ScriptedServer, skew_s: int, outcome: Outcome, says: str
) -> None:
    """A second is a warning; a minute is a failure, since tokens are judged by the clock."""
    server.on_connect = lambda _: {"time": int((time.time() + skew_s) * 1_000)}
    findings = await examined(target(server.url))
    assert findings["clock"].outcome is outcome
    assert says in findings["clock"].sentence.replace("29.9 s", "30.0 s")


async def test_a_server_that_does_not_tell_its_time_is_not_judged_by_it(server: ScriptedServer) -> None:
    """Skipped, not failed."""
    server.on_connect = lambda _: {}
    findings = await examined(target(server.url))
    assert findings["clock"].outcome is SKIPPED


@pytest.mark.parametrize("configured", [True, False])
async def test_a_server_without_queries_needs_configured_instruments(
    server: ScriptedServer, configured: bool
) -> None:
    """With them it is a warning."""
    del server.rpc["query.instrument.list"]
    findings = await examined(target(server.url, instruments=(BTC,) if configured else ()))
    assert findings["queries"].outcome is (WARN if configured else FAIL)
    assert findings["subscribe"].outcome is (OK if configured else SKIPPED)


async def test_a_query_that_fails_or_is_never_answered_says_so(server: ScriptedServer) -> None:
    """In the server's words, or that there was no answer."""

    def refuse(_: object) -> object:
        raise Refused(100, "busy")

    server.rpc["query.instrument.list"] = refuse
    findings = await examined(target(server.url))
    assert findings["queries"].outcome is FAIL
    assert "busy" in findings["queries"].sentence
    server.silent.add("query.instrument.list")
    findings = await examined(target(server.url), quickly=0.2)
    assert "did not answer in time" in findings["queries"].sentence


async def test_a_server_that_never_answers_connect_fails_in_time(server: ScriptedServer) -> None:
    """And the connection is closed."""
    server.mute = True
    findings = await examined(target(server.url), quickly=0.2)
    assert findings["connect"].outcome is FAIL
    assert findings["connect"].remedy


async def test_a_check_has_its_time_and_a_defect_ends_itself_alone() -> None:
    """The others are made all the same."""
    import asyncio

    async def slow(_: Subject) -> Finding:
        await asyncio.Event().wait()
        raise AssertionError

    async def broken(_: Subject) -> Finding:
        raise ZeroDivisionError

    async def well(_: Subject) -> Finding:
        return ok("c", "well")

    to_do = [Check("a", slow, limit_s=0.01), Check("b", broken), Check("c", well), Check("d", well, ("a",))]
    findings = [each async for each in examine(Subject(lambda: target("ws://localhost/")), to_do)]
    assert [each.outcome for each in findings] == [FAIL, FAIL, OK, SKIPPED]
    assert findings[0].sentence == "no result within 0.01 s"
    assert "ZeroDivisionError" in findings[1].sentence


async def test_where_a_proxy_is_in_between_the_way_is_left_to_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither the name nor the port is this machine's to look up; no password of it is shown."""
    proxy = f"http://user:{'hidden'}@127.0.0.1:{unused_port()}"
    monkeypatch.setenv("https_proxy", proxy)
    monkeypatch.setenv("HTTPS_PROXY", proxy)
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    findings = await examined(target("wss://far.example/connection/websocket"))
    assert findings["name"].sentence == "left to the proxy 127.0.0.1, which the environment names"
    assert (findings["TCP"].outcome, findings["TLS"].outcome) == (OK, OK)
    assert findings["connect"].outcome is FAIL
    assert not [finding for finding in findings.values() if "hidden" in repr(finding)]

"""A stored login as a source of tokens: renewed in time, once, and never lost."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING

import pytest

from cadenza_tui.credentials.claims import Rejected
from cadenza_tui.credentials.rest import Rest, Unreachable
from cadenza_tui.credentials.secret import Secret
from cadenza_tui.credentials.session import Session, margin
from cadenza_tui.errors import TokenError
from cadenza_tui.simulator.auth import REFRESH, Auth
from cadenza_tui.simulator.http import Http

from .support import KEY, PROFILE, auth_server, file_store, log_in, response, scripted

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from cadenza_tui.credentials.store import Login, Store


async def eventually(condition: object, within: float = 10.0) -> None:
    """Let the event loop run until ``condition`` holds."""
    assert callable(condition)
    async with asyncio.timeout(within):
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0.005)


def stored(store: Store) -> Login:
    """Return the login that is stored."""
    login = store.load(PROFILE)
    assert login is not None
    return login


async def test_a_stored_access_token_that_lasts_is_given_without_asking(tmp_path: Path) -> None:
    """A program that starts every minute does not renew every minute."""
    auth, store = Auth(KEY), file_store(tmp_path)
    async with auth_server(auth) as url:
        login = await log_in(Rest(url), store)
    assert login.access is not None
    session = Session(PROFILE, Rest(url), store)
    await session.probe()
    assert await session() == login.access.reveal()
    assert auth.renewals == 0


async def test_who_asks_again_gets_another_token(tmp_path: Path) -> None:
    """The one before has ended or was refused; the refresh token that came with it is stored."""
    auth, store = Auth(KEY), file_store(tmp_path)
    async with auth_server(auth) as url:
        first = await log_in(Rest(url), store)
        session = Session(PROFILE, Rest(url), store)
        tokens = [await session()]
        for renewals in (1, 2):
            tokens.append(await session())
            assert auth.renewals == renewals
            assert stored(store).access == Secret(tokens[-1])
    assert len(auth._live) == 1
    assert stored(store).refresh == Secret(next(iter(auth._live)))
    assert stored(store).refresh != first.refresh
    assert stored(store).who == first.who


@pytest.mark.parametrize(("left", "renewals"), [(121.0, 0), (119.0, 1)])
async def test_a_stored_token_that_is_about_to_end_is_renewed(
    tmp_path: Path, left: float, renewals: int
) -> None:
    """Two minutes before its end it counts as ending."""
    auth, store = Auth(KEY), file_store(tmp_path)
    async with auth_server(auth) as url:
        login = await log_in(Rest(url), store)
        await Session(PROFILE, Rest(url), store, clock=lambda: login.ends - left)()
    assert auth.renewals == renewals


async def test_a_clock_that_was_set_back_does_not_make_a_token_last(tmp_path: Path) -> None:
    """The other clock, which is never set, tells that its life is over."""
    auth, store = Auth(KEY), file_store(tmp_path)
    moved = [0.0]
    async with auth_server(auth) as url:
        await log_in(Rest(url), store)
        session = Session(
            PROFILE,
            Rest(url),
            store,
            clock=lambda: time.time() - 10 * moved[0],
            monotonic=lambda: time.monotonic() + moved[0],
        )
        await session.probe()
        assert auth.renewals == 0
        moved[0] = 3_600.0
        await session.probe()
    assert auth.renewals == 1


async def test_many_who_ask_at_once_are_served_by_one_renewal(tmp_path: Path) -> None:
    """Each renewal spends a refresh token."""
    auth, store = Auth(KEY), file_store(tmp_path)
    async with auth_server(auth) as url:
        await log_in(Rest(url), store, access=False)
        session = Session(PROFILE, Rest(url), store)
        tokens = await asyncio.gather(*(session() for _ in range(8)))
    assert len(set(tokens)) == 1
    assert auth.renewals == 1


async def test_two_programs_share_one_renewal(tmp_path: Path) -> None:
    """The second takes what the first has stored, and both go on with it."""
    auth = Auth(KEY)
    async with auth_server(auth) as url:
        await log_in(Rest(url), file_store(tmp_path))
        monitor = Session(PROFILE, Rest(url), file_store(tmp_path))
        balances = Session(PROFILE, Rest(url), file_store(tmp_path))
        assert await monitor() == await balances()
        renewed = await asyncio.gather(monitor(), balances())
        assert (len(set(renewed)), auth.renewals) == (1, 1)
        assert await balances() != renewed[0]
        assert await monitor() == stored(file_store(tmp_path)).access.reveal()  # type: ignore[union-attr]
    assert auth.renewals == 2


async def test_many_processes_do_not_destroy_each_others_session(tmp_path: Path) -> None:
    """Four at once, each renewing twice, on a server that ends a session when a token is used twice."""
    auth, store = Auth(KEY), file_store(tmp_path)
    code = (
        "import asyncio, pathlib, sys\n"
        "from cadenza_tui.credentials.rest import Rest\n"
        "from cadenza_tui.credentials.session import Session\n"
        "from tests.credentials.support import PROFILE, file_store\n"
        "async def main():\n"
        "    session = Session(PROFILE, Rest(sys.argv[2]), file_store(pathlib.Path(sys.argv[1])))\n"
        "    for _ in range(3): print(len(await session()) > 20, flush=True)\n"
        "asyncio.run(main())\n"
    )
    async with auth_server(auth) as url:
        await log_in(Rest(url), store)
        children = [
            await asyncio.create_subprocess_exec(
                *(sys.executable, "-c", code, str(tmp_path), url), stdout=subprocess.PIPE
            )
            for _ in range(4)
        ]
        outputs = [(await child.communicate())[0] for child in children]
        assert outputs == [b"True\n" * 3] * 4
        assert auth.renewals >= 2
        await Session(PROFILE, Rest(url), store)()
    assert len(auth._live) == 1


async def test_a_refused_login_is_over_and_says_what_to_do(tmp_path: Path) -> None:
    """It is not asked for again and again; a new login is taken up."""
    auth, store = Auth(KEY), file_store(tmp_path)
    async with auth_server(auth) as url:
        await log_in(Rest(url), store, access=False)
        auth.revoke()
        session = Session(PROFILE, Rest(url), store)
        with pytest.raises(Rejected, match=r"login of the profile 'desk' is over: .*Not Found") as caught:
            await session.probe()
        assert caught.value.remedy == "run `cadenza-tui login --profile desk`"
        assert session.fixed
    with pytest.raises(Rejected, match="the server refuses it"):  # the server is not there to be asked
        await session()
    assert store.exists(PROFILE)
    async with auth_server(auth) as url:
        session.rest = Rest(url)
        await log_in(Rest(url), store)
        assert await session()


async def test_a_refusal_is_checked_against_the_store_once_more(tmp_path: Path) -> None:
    """Another program may have renewed it without the lock, as over a network file system."""
    auth, store = Auth(KEY), file_store(tmp_path)
    async with auth_server(auth) as url:
        old = await log_in(Rest(url), store, access=False)
        loads: list[Login] = []

        class Late(type(store)):  # type: ignore[misc]
            def load(self, profile: str) -> Login | None:
                login: Login | None = super().load(profile) if loads else old
                assert login is not None
                loads.append(login)
                return login

        await Session(PROFILE, Rest(url), store)()  # spends the old refresh token
        auth._spent.clear()  # it is merely unknown now, which ends nothing
        renewals = auth.renewals
        assert await Session(PROFILE, Rest(url), Late(store.folder, store.keyring))()
        assert (len(loads), auth.renewals) == (2, renewals)


async def test_a_server_out_of_reach_costs_nothing(tmp_path: Path) -> None:
    """It is an error that can be tried again, no word about the login, and a probe lets it pass."""
    auth, store = Auth(KEY), file_store(tmp_path)
    async with auth_server(auth) as url:
        await log_in(Rest(url), store, access=False)
    session = Session(PROFILE, Rest(url), store)
    await session.probe()
    with pytest.raises(Unreachable):
        await session()
    http = Http(auth.routes())
    await http.start(port=int(url.rpartition(":")[2]))
    try:
        assert await session()
    finally:
        await http.stop()


async def test_a_login_that_cannot_be_stored_goes_on_and_is_stored_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The spent refresh token in the store is not used again, and the new one is not lost."""
    from cadenza_tui.credentials import files

    auth, store = Auth(KEY), file_store(tmp_path)
    replace = files.replace_private

    def full(_path: Path, _content: bytes) -> None:
        raise OSError(28, "No space left on device")

    async with auth_server(auth) as url:
        await log_in(Rest(url), store, access=False)
        before = stored(store)
        session = Session(PROFILE, Rest(url), store)
        monkeypatch.setattr(files, "replace_private", full)
        tokens = [await session(), await session()]
        assert stored(store) == before
        monkeypatch.setattr(files, "replace_private", replace)
        tokens.append(await session())
        assert len(set(tokens)) == 3
        assert stored(store).refresh == Secret(next(iter(auth._live)))


async def test_a_renewal_that_nobody_waits_for_any_more_is_still_stored(tmp_path: Path) -> None:
    """Leaving while the server has rotated already does not lose the new refresh token."""
    auth, store = Auth(KEY), file_store(tmp_path)
    asked, go_on = asyncio.Event(), asyncio.Event()

    async def slow(headers: Mapping[str, str], body: bytes) -> tuple[int, bytes]:
        answer = await auth.refresh(headers, body)
        asked.set()
        await go_on.wait()
        return answer

    http = Http({**auth.routes(), ("POST", REFRESH): slow})
    await http.start()
    try:
        old = await log_in(Rest(http.url), store, access=False)
        session = Session(PROFILE, Rest(http.url), store)
        waiting = asyncio.create_task(session())
        await asked.wait()
        waiting.cancel()
        await asyncio.wait([waiting])
        assert waiting.cancelled()
        go_on.set()
        await eventually(lambda: stored(store).refresh != old.refresh)
        assert stored(store).refresh == Secret(next(iter(auth._live)))
    finally:
        await http.stop()


async def test_a_login_of_another_server_is_not_sent_to_this_one(tmp_path: Path) -> None:
    """A profile whose address was changed asks for a login of its own."""
    auth, store = Auth(KEY), file_store(tmp_path)
    async with auth_server(auth) as url:
        await log_in(Rest(url), store)
    async with scripted(_never) as other:
        with pytest.raises(Rejected, match="the profile names") as caught:
            await Session(PROFILE, Rest(other), store)()
    assert caught.value.remedy == "run `cadenza-tui login --profile desk`"


async def _never(_request: bytes, _writer: asyncio.StreamWriter) -> None:
    raise AssertionError


async def test_a_logout_ends_what_runs_at_its_next_renewal(tmp_path: Path) -> None:
    """It does not come back from the memory of another program."""
    auth, store = Auth(KEY), file_store(tmp_path)
    async with auth_server(auth) as url:
        await log_in(Rest(url), store)
        session = Session(PROFILE, Rest(url), store)
        await session()
        with store.locked(PROFILE):
            store.forget(PROFILE)
        with pytest.raises(Rejected, match="it is stored no more"):
            await session()
    assert (auth.renewals, store.exists(PROFILE)) == (0, False)


async def test_it_is_renewed_ahead_of_its_end(tmp_path: Path) -> None:
    """When the feed asks, the next token is there already; and nothing goes on renewing by itself."""
    auth, store = Auth(KEY, access_seconds=1.0), file_store(tmp_path)
    async with auth_server(auth) as url:
        await log_in(Rest(url), store)
        session = Session(PROFILE, Rest(url), store)
        first = await session()
        given = time.monotonic()
        await eventually(lambda: auth.renewals == 1)
        assert time.monotonic() - given < 1.0
        await eventually(lambda: session._ahead is not None)
        auth.access_seconds = 3600.0
        second = await session()
        assert (second != first, auth.renewals) == (True, 1)


async def test_a_failed_renewal_ahead_is_tried_again(tmp_path: Path) -> None:
    """A server that is out of reach for a moment is not noticed by the feed."""
    store, auth, failures = file_store(tmp_path), Auth(KEY, access_seconds=3.0), [2]

    async def flaky(headers: Mapping[str, str], body: bytes) -> tuple[int, bytes]:
        if failures[0]:
            failures[0] -= 1
            return 503, b"{}"
        return await auth.refresh(headers, body)

    http = Http({**auth.routes(), ("POST", REFRESH): flaky})
    await http.start()
    try:
        await log_in(Rest(http.url), store)
        ended = [0.0]  # bring the planned moment near, instead of waiting for it
        session = Session(
            PROFILE, Rest(http.url), store, monotonic=lambda: time.monotonic() + ended[0], retry_s=0.02
        )
        await session.probe()
        ended[0] = 2.2
        await session()
        await eventually(lambda: session._ahead is not None)
        assert (failures[0], auth.renewals) == (0, 1)
    finally:
        await http.stop()


async def test_an_open_login_file_says_how_to_close_it(tmp_path: Path) -> None:
    """The store's own remedy comes before logging in again."""
    auth, store = Auth(KEY), file_store(tmp_path)
    async with auth_server(auth) as url:
        await log_in(Rest(url), store)
    store.path(PROFILE).chmod(0o644)
    with pytest.raises(Rejected) as caught:
        await Session(PROFILE, Rest(url), store).probe()
    assert caught.value.remedy == f"chmod 600 {store.path(PROFILE)}"
    store.path(PROFILE).chmod(0o600)
    store.path(PROFILE).write_bytes(b"{}")
    with pytest.raises(Rejected, match="damaged") as caught:
        await Session(PROFILE, Rest(url), store).probe()
    assert caught.value.remedy == "run `cadenza-tui login --profile desk`"


async def test_a_session_shows_no_secret(tmp_path: Path) -> None:
    """Neither in its repr nor in its parts, whatever it holds."""
    auth, store = Auth(KEY), file_store(tmp_path)
    async with auth_server(auth) as url:
        login = await log_in(Rest(url), store)
        session = Session(PROFILE, Rest(url), store)
        token = await session()
        await session.probe()
        shown = repr(session) + repr(vars(session))
    for secret in (token, login.refresh.reveal(), next(iter(auth._live))):
        assert secret not in shown


async def test_no_thread_outlives_its_renewal(tmp_path: Path) -> None:
    """Whether it went well or not."""
    async with scripted(_refuse) as url:
        store = file_store(tmp_path)
        auth = Auth(KEY)
        async with auth_server(auth) as real:
            await log_in(Rest(real), store)
            session = Session(PROFILE, Rest(real), store)
            await session()
            await session()
        with pytest.raises(TokenError):
            await Session(PROFILE, Rest(url), store)()
    await eventually(
        lambda: not [each for each in threading.enumerate() if each.name in {"renewal", "keyring"}]
    )


async def _refuse(_request: bytes, writer: asyncio.StreamWriter) -> None:
    writer.write(response(401, json.loads('{"success": false}')))


def test_the_margin_is_bounded_by_the_life_of_a_token() -> None:
    """Two minutes, and a fifth of a short life."""
    assert [margin(seconds) for seconds in (5.0, 600.0, 3_600.0)] == [1.0, 120.0, 120.0]

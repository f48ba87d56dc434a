"""A login as a source of access tokens: renewed over REST before they end, one renewal at a time.

A renewal runs in a thread of its own, from the lock to the saved refresh token: closing a feed or leaving the
program does not cut it in two, which could lose a token that the server has already put in the place of the
old one.
"""

from __future__ import annotations

import asyncio
import atexit
import threading
import time
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from cadenza_tui.credentials.claims import Rejected
from cadenza_tui.credentials.rest import Refused, Unreachable
from cadenza_tui.errors import TokenError

if TYPE_CHECKING:
    from collections.abc import Callable

    from cadenza_tui.credentials.rest import Grant, Rest
    from cadenza_tui.credentials.secret import Secret
    from cadenza_tui.credentials.store import Login, Store

LONGEST_MARGIN_S = 120.0
"""How long before its end a token is renewed at the latest; short-lived ones a fifth of their life before."""
MARGIN_SHARE = 0.2
RETRY_S = 10.0
"""Between attempts to renew ahead of the end."""
CLOCK_SLACK_S = 1.0
LEAVE_S = 3.0
"""How long a renewal under way holds up the end of the program."""


def margin(lifetime_s: float) -> float:
    """Return how long before its end a token counts as ending, in s."""
    return min(LONGEST_MARGIN_S, MARGIN_SHARE * lifetime_s)


@dataclass(frozen=True, slots=True)
class _Held:
    """An access token and its end by two clocks: one that may be set, one that may sleep."""

    access: Secret
    refresh: Secret
    """What came with it, by which it is told from others."""
    ends: float
    ends_monotonic: float
    lifetime_s: float


@dataclass(eq=False)
class Session:
    """The stored login of a profile, as a source of tokens. Call it; it raises TokenError.

    A token is given out once: who asks again does so because the last one has ended or was refused.
    ``Rejected`` means that the login is over: a person must log in again.
    """

    profile: str
    rest: Rest
    store: Store
    clock: Callable[[], float] = field(default=time.time, repr=False)
    monotonic: Callable[[], float] = field(default=time.monotonic, repr=False)
    retry_s: float = RETRY_S
    fixed: bool = field(default=True, init=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, init=False, repr=False)
    _ahead: _Held | None = field(default=None, init=False, repr=False)
    """Brought, and not given out yet."""
    _given: Secret | None = field(default=None, init=False, repr=False)
    """The refresh token that came with the access token that was given out last."""
    _unsaved: tuple[Secret, Login] | None = field(default=None, init=False, repr=False)
    """A login that could not be stored, and the refresh token that the store has instead."""
    _refused: Secret | None = field(default=None, init=False, repr=False)
    """A refresh token that the server does not take any more."""
    _renewal: Future[_Held] | None = field(default=None, init=False, repr=False)
    _timer: asyncio.TimerHandle | None = field(default=None, init=False, repr=False)

    @property
    def source(self) -> str:
        """Where the tokens come from, for people."""
        return f"the login of the profile {self.profile!r}"

    @property
    def remedy(self) -> str:
        """What a person does when the login is over."""
        return login_command(self.profile)

    async def __call__(self) -> str:
        """Return an access token that was not given out before and is valid for a while."""
        held = self._ahead
        if held is None or not self._lasts(held):
            held = await self._renewed()
        self._ahead, self._given = None, held.refresh
        self._plan(held)
        return held.access.reveal()

    async def probe(self) -> None:
        """Have the first token now, so that what is wrong with the login is said before a screen is opened.

        A server that cannot be reached is nothing wrong with it: that is tried again when there is a screen.
        """
        if self._ahead is None or not self._lasts(self._ahead):
            with suppress(Unreachable):
                await self._renewed()

    # --- ahead of the end

    def _plan(self, held: _Held) -> None:
        """Renew once, some time before the token that was just given out ends."""
        if self._timer is not None:
            self._timer.cancel()
        loop = asyncio.get_running_loop()
        wait = self._left(held) - margin(held.lifetime_s)
        self._timer = loop.call_later(max(wait, 0.0), self._renew_ahead, loop, held)

    def _renew_ahead(self, loop: asyncio.AbstractEventLoop, held: _Held) -> None:
        if self._ahead is None:
            self._start().add_done_callback(lambda done: self._came(loop, held, done))

    def _came(self, loop: asyncio.AbstractEventLoop, held: _Held, done: Future[_Held]) -> None:
        """Keep what was brought ahead, or plan another attempt; called in the renewal's thread."""
        error = done.exception()
        if error is None:
            return
        if isinstance(error, Rejected) or self._left(held) < self.retry_s:
            return  # it is said when the token is asked for
        try:
            loop.call_soon_threadsafe(self._again, loop, held)
        except RuntimeError:  # the loop is closed
            return

    def _again(self, loop: asyncio.AbstractEventLoop, held: _Held) -> None:
        if self._given == held.refresh:
            self._timer = loop.call_later(self.retry_s, self._renew_ahead, loop, held)

    # --- renewing

    async def _renewed(self) -> _Held:
        return await asyncio.wrap_future(self._start())

    def _start(self) -> Future[_Held]:
        """Return the renewal under way, or start one."""
        with self._lock:
            if self._renewal is not None and not self._renewal.done():
                return self._renewal
            outcome: Future[_Held] = Future()
            outcome.set_running_or_notify_cancel()  # from here on nobody can cancel it
            self._renewal = outcome
        thread = threading.Thread(target=self._run, args=(outcome,), name="renewal", daemon=True)
        thread.start()
        return outcome

    def _run(self, outcome: Future[_Held]) -> None:
        thread = threading.current_thread()

        def leave() -> None:
            thread.join(LEAVE_S)

        atexit.register(leave)
        try:
            held = self._renew()
        except BaseException as error:
            outcome.set_exception(error)
        else:
            self._ahead = held
            outcome.set_result(held)
        finally:
            atexit.unregister(leave)

    def _renew(self) -> _Held:
        """Take the access token that another program has stored meanwhile, else ask the server for one."""
        with self.store.locked(self.profile):
            login = self._load()
            if (held := self._usable(login)) is not None:
                return held
            for _ in range(2):
                try:
                    return self._exchange(login)
                except Refused as error:
                    again = self._load()  # someone may have renewed it without knowing of the lock
                    if again.refresh == login.refresh:
                        self._refused = login.refresh
                        raise self._over(str(error)) from None
                    if (held := self._usable(again)) is not None:
                        return held
                    login = again
            self._refused = login.refresh
            raise self._over("the server refuses it")

    def _load(self) -> Login:
        """Return the login as it is stored, or the one after it that could not be stored."""
        try:
            login = self.store.load(self.profile)
        except Rejected as error:
            raise Rejected(str(error), remedy=error.remedy or self.remedy) from None
        if login is None:
            raise self._over("it is stored no more")
        if self._unsaved is not None:
            spent, unsaved = self._unsaved
            if login.refresh == spent:
                self._keep(spent, unsaved)
                login = unsaved
            else:
                self._unsaved = None
        if login.rest != self.rest.url:
            raise self._over(f"it is one of {login.rest}, and the profile names {self.rest.url}")
        if login.refresh == self._refused:
            raise self._over("the server refuses it")
        return login

    def _usable(self, login: Login) -> _Held | None:
        """Return the stored access token where it is another than the last one, and lasts."""
        if login.access is None or login.refresh == self._given:
            return None
        left = login.ends - self.clock()
        if left > login.lifetime_s + CLOCK_SLACK_S:  # the clock was set back since
            return None
        held = _Held(login.access, login.refresh, login.ends, self.monotonic() + left, login.lifetime_s)
        return held if self._lasts(held) else None

    def _exchange(self, login: Login) -> _Held:
        grant = asyncio.run(self.rest.refresh(login.refresh))
        self._keep(login.refresh, with_grant(login, grant))
        ends = self.monotonic() + grant.lifetime_s
        return _Held(grant.access, grant.refresh, grant.ends, ends, grant.lifetime_s)

    def _keep(self, spent: Secret, login: Login) -> None:
        """Store a login; where that fails go on with it all the same, and try again at the next renewal."""
        self._unsaved = (spent if self._unsaved is None else self._unsaved[0], login)
        try:
            self.store.save(login)
        except TokenError:
            return
        self._unsaved = None

    def _over(self, why: str) -> Rejected:
        return Rejected(f"{self.source} is over: {why}", remedy=self.remedy)

    def _left(self, held: _Held) -> float:
        return min(held.ends - self.clock(), held.ends_monotonic - self.monotonic())

    def _lasts(self, held: _Held) -> bool:
        return self._left(held) > margin(held.lifetime_s)


def with_grant(login: Login, grant: Grant) -> Login:
    """Return the login with new tokens."""
    return replace(
        login, refresh=grant.refresh, access=grant.access, ends=grant.ends, lifetime_s=grant.lifetime_s
    )


def login_command(profile: str) -> str:
    """Return the remedy for a login that is missing or over."""
    return f"run `cadenza-tui login --profile {profile}`"

"""Asking token sources on behalf of one connection."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from cadenza_tui.centrifugo.errors import CentrifugoError, Unauthorized
from cadenza_tui.errors import CadenzaError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection, Coroutine

    from cadenza_tui.centrifugo.options import Options
    from cadenza_tui.centrifugo.session import Session
    from cadenza_tui.centrifugo.tokens import TokenSource, TokenWant


class Fetches:
    """The fetches of tokens under way. ``wake`` is called when one has ended; none outlives ``close``."""

    def __init__(
        self, session: Session, source: TokenSource, options: Options, wake: Callable[[], None]
    ) -> None:
        self._session = session
        self._source = source
        self._options = options
        self._wake = wake
        self._renewing: asyncio.Task[None] | None = None
        self._wanted: dict[TokenWant, asyncio.Task[None]] = {}
        self._cancelled: set[asyncio.Task[None]] = set()

    def follow(self) -> None:
        """Fetch what the session wants, and stop fetching what it wants no more."""
        if self._renewing is not None and self._renewing.done():
            _let_defects_surface(self._renewing)
            self._renewing = None
        if self._session.token_wanted and self._renewing is None:
            self._renewing = self._start(self._renew())
        wanted = self._session.sub_tokens_wanted
        for want, task in list(self._wanted.items()):
            if task.done():
                del self._wanted[want]
                _let_defects_surface(task)
            elif wanted.get(want.channel) is not want:
                del self._wanted[want]
                task.cancel()
                self._cancelled.add(task)
                task.add_done_callback(self._cancelled.discard)
        for want in wanted.values():
            if len(self._wanted) >= self._options.token_fetches:
                break
            if want not in self._wanted:
                self._wanted[want] = self._start(self._fetch(want))

    async def close(self) -> None:
        """End all. Returns when no task is left."""
        tasks = [*self._wanted.values(), *self._cancelled]
        if self._renewing is not None:
            tasks.append(self._renewing)
        await put_down(tasks)

    def _start(self, work: Coroutine[None, None, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        task.add_done_callback(lambda _: self._wake())
        return task

    async def _renew(self) -> None:
        session, now = self._session, self._options.now
        try:
            token = await within(self._options.token_timeout, self._source())
        except Unauthorized as error:
            session.unauthorized(str(error), error.remedy or "")
        except Exception:
            session.refresh_failed(now())
        else:
            session.refresh(token, now())

    async def _fetch(self, want: TokenWant) -> None:
        session, now = self._session, self._options.now
        try:
            token = await within(self._options.token_timeout, want.source(want.channel))
        except Unauthorized as error:
            session.sub_token_refused(want, str(error), now())
        except Exception as error:
            session.sub_token_failed(want, token_sentence(error), now())
        else:
            session.sub_token(want, token, now())


def _let_defects_surface(task: asyncio.Task[None]) -> None:
    if not task.cancelled():
        task.result()


async def within(seconds: float, answer: Awaitable[str]) -> str:
    """Return what a token source brings. Raises what it raises, or TimeoutError."""
    try:
        async with asyncio.timeout(seconds):
            return await answer
    except asyncio.CancelledError:
        current = asyncio.current_task()
        if current is None or current.cancelling():
            raise
        raise CentrifugoError("the token source gave up") from None  # by itself: nobody cancelled us


async def put_down(tasks: Collection[asyncio.Task[None]]) -> None:
    """Cancel tasks, and return when none is left; who is cancelled meanwhile waits for them all the same."""
    cancelled: asyncio.CancelledError | None = None
    for task in tasks:
        task.cancel()
    while pending := [task for task in tasks if not task.done()]:
        try:
            await asyncio.wait(pending)
        except asyncio.CancelledError as error:
            cancelled = error
    if cancelled is not None:
        raise cancelled


def token_sentence(error: Exception) -> str:
    """Say why there is no token; a foreign exception's text might hold a part of one, so it is left out."""
    if isinstance(error, CadenzaError):
        return str(error)
    return f"no token could be had ({type(error).__name__})"

"""The checks in their order, what each needs, and how long it may take."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from cadenza_tui.doctor import local, network, server
from cadenza_tui.doctor.finding import Finding, fail, skipped
from cadenza_tui.doctor.terminal import TERMINAL, terminal

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence

    from cadenza_tui.doctor.subject import Subject

LIMIT_S = 10.0
TOKEN_LIMIT_S = 20.0
"""A token command may have to ask a person, or a login to go to the server."""


@dataclass(frozen=True, slots=True)
class Check:
    """One check: its name, what does it, the checks that have to succeed before, and its time limit in s."""

    name: str
    run: Callable[[Subject], Awaitable[Finding]]
    needs: tuple[str, ...] = ()
    limit_s: float = LIMIT_S


def checks(environ: Mapping[str, str]) -> list[Check]:
    """Return all checks in the order in which they are made."""
    return [
        Check(local.CONFIGURATION, local.configuration),
        Check(local.TOKEN, local.token, (local.CONFIGURATION,), TOKEN_LIMIT_S),
        Check(network.NAME, network.name, (local.CONFIGURATION,)),
        Check(network.TCP, network.tcp, (network.NAME,)),
        Check(network.TLS, network.tls, (network.TCP,)),
        Check(server.CONNECT, server.connect, (local.TOKEN, network.TLS)),
        Check(server.CLOCK, server.clock, (server.CONNECT,)),
        Check(server.QUERIES, server.queries, (server.CONNECT,)),
        Check(server.SUBSCRIBE, server.subscribe, (server.CONNECT,)),
        Check(TERMINAL, lambda _subject: terminal(environ)),
    ]


async def examine(subject: Subject, to_do: Sequence[Check]) -> AsyncIterator[Finding]:
    """Make the checks one after another and yield what each found; leaves nothing open.

    One that needs a check that has not succeeded is skipped, not failed.
    """
    done: dict[str, Finding] = {}
    try:
        for check in to_do:
            lacking = [name for name in check.needs if not done[name].bears]
            if lacking:
                finding = skipped(check.name, f"needs {lacking[0]}")
            else:
                finding = await _made(check, subject)
            done[check.name] = finding
            yield finding
    finally:
        if subject.probe is not None:
            await subject.probe.close()


async def _made(check: Check, subject: Subject) -> Finding:
    started = time.perf_counter()
    try:
        async with asyncio.timeout(check.limit_s):
            finding = await check.run(subject)
    except TimeoutError:
        finding = fail(
            check.name, f"no result within {check.limit_s:g} s", "try again; the network may be slow"
        )
    except Exception as error:  # a defect of one check is no reason to keep the others from a person
        finding = fail(check.name, f"the check itself failed ({type(error).__name__})", "please report it")
    return replace(finding, ms=(time.perf_counter() - started) * 1_000)

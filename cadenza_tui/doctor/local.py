"""Checks of what is on this machine: the configuration and the token."""

from __future__ import annotations

import base64
import binascii
import math
from typing import TYPE_CHECKING

import msgspec

from cadenza_tui.credentials.claims import moment
from cadenza_tui.credentials.secret import Secret
from cadenza_tui.doctor.finding import Finding, fail, ok, warn
from cadenza_tui.errors import CadenzaError
from cadenza_tui.view.numbers import age
from cadenza_tui.wire.text import clean

if TYPE_CHECKING:
    from cadenza_tui.doctor.subject import Subject

CONFIGURATION = "configuration"
TOKEN = "token"  # noqa: S105  # the name of a check
SOON_S = 5 * 60
"""A fixed token that ends within this time ends the session before it has begun."""


async def configuration(subject: Subject) -> Finding:
    """The file can be read, has no unknown keys, and says with the command line which server is meant."""
    try:
        target = subject.found = subject.find()
    except CadenzaError as error:
        return fail(CONFIGURATION, str(error), error.remedy or "")
    if not target.config_exists:
        return ok(CONFIGURATION, f"no file at {target.config}, none is needed; {target.label}")
    return ok(CONFIGURATION, f"{target.config}; {target.label}")


class _Claims(msgspec.Struct):
    sub: str = ""
    iss: str = ""
    iat: float | None = None
    exp: float | None = None


def claims_of(token: str) -> _Claims | None:
    """Return what a token says of itself, None where that cannot be read."""
    body = token.split(".")[1]
    try:
        found = msgspec.json.decode(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)), type=_Claims)
    except (binascii.Error, ValueError, RecursionError):
        return None
    for moment_s in (found.iat, found.exp):
        if moment_s is not None and not math.isfinite(moment_s):
            return None
    return found


async def token(subject: Subject) -> Finding:
    """There is a token, it is one, and it has not expired. Its claims are told, never the token."""
    target = subject.target
    try:
        source = target.token()
        if source is None:
            if target.token_needed:
                return fail(TOKEN, f"there is none for {target.label}", target.how)
            return ok(TOKEN, "none was given: the connection is anonymous")
        text = await source()
    except CadenzaError as error:
        return fail(TOKEN, str(error), error.remedy or target.how)
    subject.secret = Secret(text)
    claims = claims_of(text)
    if claims is None:
        return warn(TOKEN, f"from {source.source}; its claims cannot be read", target.how)
    facts = [f"from {source.source}"]
    if claims.sub:
        facts.append(f"subject {clean(claims.sub)}")
    if claims.iss:
        facts.append(f"by {clean(claims.iss)}")
    if claims.iat is not None:
        facts.append(f"issued {moment(claims.iat)}")
    if claims.exp is None:
        return ok(TOKEN, "; ".join([*facts, "does not say when it expires"]))
    left = claims.exp - subject.clock()
    facts.append(f"expires {_when(left)} ({moment(claims.exp)})")
    sentence = "; ".join(facts)
    if left <= 0:
        return fail(TOKEN, sentence, "log in again for a new one; if it is new, look at this machine's clock")
    if left < SOON_S and source.fixed:
        return warn(TOKEN, sentence, f"bring a new one: {target.how}")
    return ok(TOKEN, sentence)


def _when(left_s: float) -> str:
    """Return ``in 23 min`` or ``2 h ago``."""
    shown = age(int(min(abs(left_s), 1e9) * 1e9)).replace(" m", " min")
    return f"in {shown}" if left_s > 0 else f"{shown} ago"

"""Payloads out of publications of a channel whose messages are sent as changes to the ones before."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

import msgspec

from cadenza_tui.centrifugo import delta
from cadenza_tui.errors import CadenzaError

if TYPE_CHECKING:
    from cadenza_tui.centrifugo.frames import Publication

FOSSIL = "fossil"
"""The only kind of delta that the server offers."""
GIVE_UP_AFTER = 3
"""Losses, each within a minute of the one before, after which a channel is asked for without deltas."""
_MINUTE = 60.0

_text = msgspec.json.Decoder(str)


class Loss(StrEnum):
    """Why a payload could not be had from a publication."""

    NO_BASE = "delta without the message that it changes"
    NOT_AGREED = "delta on a channel that agreed to none"
    UNFIT = "delta that does not fit the message before it"
    NOT_TEXT = "message of a delta channel that is not a JSON string"


class PayloadLost(CadenzaError):
    """A publication came whose payload cannot be known."""

    def __init__(self, loss: Loss) -> None:
        super().__init__(loss.value)
        self.loss = loss


class Payloads:
    """The last payload of one channel, exactly as its bytes were, for the next delta to stand on.

    It outlives the connection, as the position does: what is recovered goes on from it.
    """

    __slots__ = ("_base", "_limit", "_losses", "_lost_at")

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._base: bytes | None = None
        self._losses = 0
        self._lost_at = float("-inf")

    def take(self, publication: Publication) -> bytes:
        """Return the full payload. Raises PayloadLost; the base is gone then."""
        base, self._base = self._base, None
        try:
            text = _text.decode(publication.data).encode()
        except ValueError:  # msgspec's errors are ValueErrors, and so is the one of bad UTF-8
            raise PayloadLost(Loss.NOT_TEXT) from None
        if publication.delta:
            if base is None:
                raise PayloadLost(Loss.NO_BASE)
            try:
                text = delta.apply(base, text, self._limit)
            except delta.DeltaError:
                raise PayloadLost(Loss.UNFIT) from None
        self._base = text
        return text

    def forget(self) -> None:
        """Lose the base: only a full payload can follow."""
        self._base = None

    def lost(self, now: float) -> bool:
        """Count a loss at ``now`` (s), and return whether deltas are worth no further try.

        A server whose deltas never fit (it may cut characters in two) would else be asked again for ever.
        """
        self._losses = self._losses + 1 if now - self._lost_at <= _MINUTE else 1
        self._lost_at = now
        return self._losses >= GIVE_UP_AFTER

"""Messages that cannot be used, each with a reason that is counted by its name."""

from __future__ import annotations

from enum import StrEnum

from cadenza_tui.wire.text import MAXIMUM_SENTENCE, clean


class RejectReason(StrEnum):
    """Why a message was not used; the values are what the Health view shows."""

    MALFORMED = "malformed JSON"
    TOO_LARGE = "too large"
    TOO_DEEP = "nested too deeply"
    SHAPE = "field of a wrong type"
    MISSING = "missing field"
    ROW_LENGTH = "row of a wrong length"
    COLUMNS = "columns do not fit the book type"
    DECIMAL = "not a decimal"
    NEGATIVE = "negative quantity"
    TIME = "not a time"
    UPDATE_TYPE = "unknown update type"
    BOOK_TYPE = "unknown book type"
    OTHER_INSTRUMENT = "instrument of another channel"
    EVENT = "unknown account event"


class Rejected(Exception):
    """A message that cannot be used. ``detail`` is short, clean text that says where and what."""

    def __init__(self, reason: RejectReason, detail: str = "") -> None:
        self.reason = reason
        self.detail = clean(detail, MAXIMUM_SENTENCE)
        super().__init__(f"{reason.value}: {self.detail}" if self.detail else reason.value)

"""What the user has settled on and finds again after a restart: a small JSON file in the state folder.

The file is taken for hostile: bounded, every value checked by itself, what is not understood left alone. One
that is there and cannot be read means masked amounts: the user may have chosen that.
"""

from __future__ import annotations

import json
import os
import tempfile
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from cadenza_tui.ui import kept

if TYPE_CHECKING:
    from decimal import Decimal
    from pathlib import Path

    from cadenza_tui.market.records import InstrumentId

LARGEST = 1_048_576
"""Bytes of a file that can be one of ours."""


@dataclass
class Preferences:
    """``currency`` is what everything is valued in, empty for each account's own.

    ``sorts`` has, by table, the name of a sort order, with ``-`` at its end where it is reversed. ``view`` is
    the last one, empty where there was none; ``options`` are the choices of each pane; ``groups`` the price
    increments by pane and instrument; ``filters`` the least size on the tape by unit and instrument;
    ``sizes`` the shares of panes in per mille by view; ``pinned`` the instruments by the server's
    label. ``notice`` is what is to be said to the user about the file, empty where all is well.
    """

    path: Path | None = None
    masked: bool = False
    clock: bool = True
    hide_dust: bool = False
    currency: str = ""
    sorts: dict[str, str] = field(default_factory=dict)
    view: str = ""
    options: dict[str, dict[str, str]] = field(default_factory=dict)
    groups: dict[str, dict[InstrumentId, Decimal]] = field(default_factory=dict)
    filters: dict[str, dict[InstrumentId, Decimal]] = field(default_factory=dict)
    sizes: dict[str, dict[str, int]] = field(default_factory=dict)
    pinned: dict[str, list[InstrumentId]] = field(default_factory=dict)
    notice: str = ""
    keeps_pinned: bool = True
    """Whether what is pinned is found again and kept: not where it was said on the command line."""

    @classmethod
    def load(cls, path: Path | None) -> Preferences:
        """Return what the file says; the defaults where there is none. ``None`` keeps nothing."""
        loaded = cls(path)
        if path is None:
            return loaded
        try:
            with path.open("rb") as file:
                content = file.read(LARGEST + 1)
            if len(content) > LARGEST:
                raise ValueError(f"it is longer than {LARGEST} bytes")
            found = json.loads(content.decode("utf-8"))
            if not isinstance(found, dict):
                raise ValueError("it is no table of preferences")  # told like the others
        except FileNotFoundError:
            return loaded
        except (OSError, ValueError, RecursionError) as error:
            why = error.strerror if isinstance(error, OSError) else "damaged"
            loaded.masked = True
            loaded.notice = f"preferences not read ({why}) · b unmasks"
            return loaded
        loaded._take(found)
        return loaded

    def _take(self, found: dict[str, object]) -> None:
        for name in ("masked", "clock", "hide_dust"):
            value = found.get(name)
            if isinstance(value, bool):
                setattr(self, name, value)
        if not isinstance(found.get("masked", False), bool):
            self.masked = True
        self.currency = kept.currency(found.get("currency"))
        self.sorts = kept.sorts(found.get("sorts"))
        self.view = kept.view(found.get("view"))
        self.options = kept.options(found.get("options"))
        self.groups = kept.groups(found.get("groups"))
        self.filters = kept.groups(found.get("filters"))
        self.sizes = kept.sizes(found.get("sizes"))
        self.pinned = kept.pinned(found.get("pinned"))

    def group(self, pane: str, instrument_id: InstrumentId) -> Decimal | None:
        """Return a pane's price increment for an instrument; None is the finest, or the pane's own."""
        return self.groups.get(pane, {}).get(instrument_id)

    def set_group(self, pane: str, instrument_id: InstrumentId, increment: Decimal | None) -> None:
        """Take another increment; None takes the chosen one back."""
        _set(self.groups.setdefault(pane, {}), instrument_id, increment)

    def set_filter(self, unit: str, instrument_id: InstrumentId, least: Decimal | None) -> None:
        """Take another least size for an instrument's tape, in the base or the quote; None shows all."""
        _set(self.filters.setdefault(unit, {}), instrument_id, least)

    def save(self) -> None:
        """Write the file, whole or not at all, for the user's eyes alone; a failure is a ``notice``."""
        if self.path is None:
            return
        saved = {
            "masked": self.masked,
            "clock": self.clock,
            "hide_dust": self.hide_dust,
            "currency": self.currency,
            "sorts": self.sorts,
            "view": self.view,
            "options": self.options,
            "groups": {pane: _spelled(each) for pane, each in self.groups.items()},
            "filters": {unit: _spelled(each) for unit, each in self.filters.items()},
            "sizes": self.sizes,
            "pinned": self.pinned,
        }
        text = json.dumps(saved, indent=1, ensure_ascii=False) + "\n"
        try:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            handle, written = tempfile.mkstemp(dir=self.path.parent, prefix=f".{self.path.name}.")
            try:
                with os.fdopen(handle, "w", encoding="utf-8") as file:
                    file.write(text)
                os.replace(written, self.path)
            except BaseException:
                with suppress(OSError):
                    os.unlink(written)
                raise
        except OSError as error:
            self.notice = f"preferences not kept: {error.strerror or error}"
        else:
            self.notice = ""


def _set(numbers: dict[InstrumentId, Decimal], instrument_id: InstrumentId, number: Decimal | None) -> None:
    """Keep a number, the latest last; the oldest go where there are too many."""
    numbers.pop(instrument_id, None)
    if number is not None:
        numbers[instrument_id] = number
    while len(numbers) > kept.MOST_INSTRUMENTS:
        del numbers[next(iter(numbers))]


def _spelled(numbers: dict[InstrumentId, Decimal]) -> dict[str, str]:
    return {instrument_id: f"{number:f}" for instrument_id, number in numbers.items()}

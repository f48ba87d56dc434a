"""What the user has settled on and finds again after a restart: a small JSON file in the state folder.

The file is taken for hostile: bounded, every value checked by itself, what is not understood left alone. One
that is there and cannot be read means masked amounts: the user may have chosen that.
"""

from __future__ import annotations

import json
import os
import re
import tempfile
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

LARGEST = 16_384
"""Bytes of a file that can be one of ours."""
MOST_SORTS = 16
_SORT = re.compile(r"[a-z]{1,16}(?: [a-z]{1,16})?-?")
_TABLE = re.compile(r"[a-z]{1,16}")
_CURRENCY = re.compile(r"[A-Z0-9]{1,16}")


@dataclass
class Preferences:
    """``currency`` is what everything is valued in, empty for each account's own.

    ``sorts`` has, by table, the name of a sort order, with ``-`` at its end where it is reversed. ``notice``
    is what is to be said to the user about the file, empty where all is well.
    """

    path: Path | None = None
    masked: bool = False
    clock: bool = True
    hide_dust: bool = False
    currency: str = ""
    sorts: dict[str, str] = field(default_factory=dict)
    notice: str = ""

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
        currency = found.get("currency")
        if isinstance(currency, str) and _CURRENCY.fullmatch(currency):
            self.currency = currency
        sorts = found.get("sorts")
        if isinstance(sorts, dict):
            self.sorts = {
                table: sort
                for table, sort in list(sorts.items())[:MOST_SORTS]
                if isinstance(sort, str) and _TABLE.fullmatch(table) and _SORT.fullmatch(sort)
            }

    def save(self) -> None:
        """Write the file, whole or not at all, for the user's eyes alone; a failure is a ``notice``."""
        if self.path is None:
            return
        kept = {
            "masked": self.masked,
            "clock": self.clock,
            "hide_dust": self.hide_dust,
            "currency": self.currency,
            "sorts": self.sorts,
        }
        text = json.dumps(kept, indent=1, ensure_ascii=False) + "\n"
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

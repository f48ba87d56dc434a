"""What a stream can show: how wide it is, whether it has colours, and which characters."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cadenza_tui.view.glyphs import Glyphs, glyphs_of, substituted
from cadenza_tui.view.text import unfilled

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import TextIO


@dataclass(frozen=True, slots=True)
class Paper:
    """What can be written on: ``width`` in cells, None where nothing has to fit."""

    width: int | None = None
    colour: bool = False
    glyphs: Glyphs = Glyphs.UNICODE

    def plain(self, text: str) -> str:
        """Return safe text as it is written: without fillers, in the characters that can be shown."""
        return substituted(unfilled(text), self.glyphs)

    def bold(self, text: str) -> str:
        """Return text that stands out."""
        return f"\x1b[1m{text}\x1b[0m" if self.colour and text else text

    def dim(self, text: str) -> str:
        """Return text that stands back."""
        return f"\x1b[2m{text}\x1b[0m" if self.colour and text else text


def paper_of(stream: TextIO, environ: Mapping[str, str]) -> Paper:
    """Return what a stream can show."""
    on_terminal = stream.isatty()
    glyphs = glyphs_of(environ, stream.encoding)
    return Paper(
        width=shutil.get_terminal_size().columns if on_terminal else None,
        colour=on_terminal and "NO_COLOR" not in environ and environ.get("TERM") != "dumb",
        glyphs=glyphs if on_terminal or glyphs is Glyphs.ASCII else Glyphs.UNICODE,
    )

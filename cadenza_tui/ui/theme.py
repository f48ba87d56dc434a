"""Themes: a TOML file of roles becomes Textual's theme and the styles that rows are painted with."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from rich.color import Color
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip
from textual.theme import Theme

from cadenza_tui.errors import ThemeError
from cadenza_tui.view.bars import EIGHTHS
from cadenza_tui.view.rows import Ground, Role
from cadenza_tui.view.text import row_cells

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cadenza_tui.view.rows import Row

COLOUR = re.compile(r"#[0-9a-fA-F]{6}")
STRONG = frozenset({Role.STRONG, Role.BID_STRONG, Role.ASK_STRONG})
COLOUR_OF = {Role.BID_STRONG: "bid", Role.ASK_STRONG: "ask"}
"""Roles that share another's colour and differ in weight."""

ROLES = tuple(
    dict.fromkeys([COLOUR_OF.get(role, role.value) for role in Role] + [ground.value for ground in Ground])
)
"""Every name that a theme file must define."""

DIMMED = {
    Role.STRONG: Role.MUTED,
    Role.TEXT: Role.MUTED,
    Role.BID: Role.MUTED,
    Role.ASK: Role.MUTED,
    Role.BID_STRONG: Role.MUTED,
    Role.ASK_STRONG: Role.MUTED,
    Role.MUTED: Role.FAINT,
    Role.OWN: Role.MUTED,
}
"""What a role becomes in a pane that cannot be trusted as current. Warnings, titles and lines stay."""
DIMMED_GROUNDS = {Ground.BID_LARGE: Ground.BID_BAR, Ground.ASK_LARGE: Ground.ASK_BAR}
"""What a ground becomes there: nothing stands out."""

BLOCKS = frozenset("█▐" + "".join(EIGHTHS))
"""Bars of glyphs: in such a pane they are as faint as tints, not as loud as the numbers."""

MAX_STRIPS = 8192


@dataclass(frozen=True)
class Palette:
    """The colours of one theme, by role name, each ``#rrggbb``."""

    name: str
    dark: bool
    colours: Mapping[str, str]

    def textual_theme(self) -> Theme:
        """Return the theme for Textual's own widgets: the command palette, inputs, notices."""
        colours = self.colours
        return Theme(
            name=f"cadenza-{self.name}",
            primary=colours["accent"],
            secondary=colours["title"],
            accent=colours["accent"],
            warning=colours["warn"],
            error=colours["ask"],
            success=colours["bid"],
            foreground=colours["text"],
            background=colours["ground"],
            surface=colours["panel"],
            panel=colours["cursor"],
            dark=self.dark,
            variables={
                "border": colours["line"],
                "border-blurred": colours["line"],
                "input-cursor-background": colours["accent"],
                "block-cursor-background": colours["cursor"],
                "block-cursor-foreground": colours["strong"],
                "block-cursor-text-style": "none",
                "scrollbar": colours["line"],
                "scrollbar-hover": colours["muted"],
                "scrollbar-active": colours["accent"],
                "scrollbar-background": colours["panel"],
                **{f"role-{name}": colour for name, colour in colours.items()},
            },
        )


def load_theme(path: Path) -> Palette:
    """Read one theme file.

    Raises:
        ThemeError: the file cannot be read, is not TOML, lacks a role or has something that is no colour.
    """
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise ThemeError(f"{path.name}: cannot be read as a theme: {error}") from error
    roles = table.get("roles")
    if not isinstance(roles, dict):
        raise ThemeError(f"{path.name}: has no [roles] table", remedy=f"name these: {', '.join(ROLES)}")
    for name in ROLES:
        if name not in roles:
            raise ThemeError(f"{path.name}: [roles] lacks '{name}'", remedy=f'add {name} = "#rrggbb"')
    for name, value in roles.items():
        if name not in ROLES:
            raise ThemeError(
                f"{path.name}: '{name}' is not a role", remedy=f"the roles are {', '.join(ROLES)}"
            )
        if not isinstance(value, str) or not COLOUR.fullmatch(value):
            raise ThemeError(
                f"{path.name}: '{name}' is not a colour, was {value!r}", remedy="write it as #rrggbb"
            )
    return Palette(
        name=str(table.get("name", path.stem)), dark=bool(table.get("dark", True)), colours=dict(roles)
    )


def themes_folder() -> Path:
    """Return the folder of the shipped themes: inside the wheel, or beside the package in a checkout."""
    package = Path(__file__).resolve().parent.parent
    inside = package / "themes"
    return inside if inside.is_dir() else package.parent / "themes"


def load_themes(folder: Path | None = None) -> dict[str, Palette]:
    """Return the themes of a folder by name, the shipped ones when none is given.

    Raises:
        ThemeError: a file is not a theme, or the folder has none.
    """
    folder = folder or themes_folder()
    themes = {theme.name: theme for theme in map(load_theme, sorted(folder.glob("*.toml")))}
    if not themes:
        raise ThemeError(f"{folder}: no themes found", remedy="reinstall cadenza-tui")
    return themes


class Brush:
    """Rows to strips in one palette, kept by content. A new palette is a new brush."""

    def __init__(self, palette: Palette, *, colour: bool = True, ascii_only: bool = False) -> None:
        self.palette = palette
        self.colour = colour
        self.ascii = ascii_only
        self._styles: dict[tuple[Role, Ground, bool], Style] = {}
        self._strips: dict[tuple[Row, bool], Strip] = {}

    def style(self, role: Role, ground: Ground, *, dimmed: bool = False) -> Style:
        """Return how a role looks on a ground; without colour only weight, dimness and reverse are left."""
        key = (role, ground, dimmed)
        style = self._styles.get(key)
        if style is None:
            if dimmed:
                role, ground = DIMMED.get(role, role), DIMMED_GROUNDS.get(ground, ground)
            style = self._styles[key] = self._resolve(role, ground)
        return style

    def _resolve(self, role: Role, ground: Ground) -> Style:
        if not self.colour:
            return Style(
                bold=role in STRONG or role is Role.ACCENT or None,
                dim=role in (Role.FAINT, Role.LINE, Role.MUTED) or None,
                reverse=ground is Ground.CURSOR or None,
            )
        colours = self.palette.colours
        return Style(
            color=Color.parse(colours[COLOUR_OF.get(role, role.value)]),
            bgcolor=Color.parse(colours[ground.value]),
            bold=role in STRONG or None,
        )

    def strip(self, row: Row, *, dimmed: bool = False) -> Strip:
        """Return the strip of a row; the same row gives the same object, which the painter counts on."""
        key = (row, dimmed)
        strip = self._strips.get(key)
        if strip is None:
            if len(self._strips) >= MAX_STRIPS:
                self._strips.clear()
            strip = self._strips[key] = Strip(
                [
                    Segment(
                        text,
                        self.style(
                            Role.FAINT if dimmed and text[0] in BLOCKS else role, ground, dimmed=dimmed
                        ),
                    )
                    for text, role, ground in row
                    if text
                ],
                row_cells(row),
            )
        return strip

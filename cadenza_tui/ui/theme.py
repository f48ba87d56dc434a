"""Themes: a TOML file of roles becomes Textual's theme and the styles that rows are painted with."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from rich.color import Color
from rich.segment import Segment
from rich.style import Style
from textual.theme import Theme

from cadenza_tui.errors import ThemeError
from cadenza_tui.ui.cells import RowStrip
from cadenza_tui.ui.theme_defaults import ANSI, LIKE, STEPS, completed
from cadenza_tui.view.bars import EIGHTHS
from cadenza_tui.view.rows import HEAT, HEAT_GROUNDS, Ground, Role
from cadenza_tui.view.text import painted, row_cells

if TYPE_CHECKING:
    from collections.abc import Mapping

    from textual.strip import Strip

    from cadenza_tui.view.rows import Row

COLOUR = re.compile(r"#[0-9a-fA-F]{6}")
HUES = ("black", "red", "green", "yellow", "blue", "magenta", "cyan", "white")
OWN = frozenset(["default", *HUES, *(f"bright_{hue}" for hue in HUES)])
"""The terminal's own colours by name; a file may write ``ansi_`` before them, as Textual does."""
ATTRIBUTES = ("bold", "dim", "underline", "reverse")
"""What may stand before a colour."""
TINTS = ("bid-bar", "bid-large", "ask-bar", "ask-large")
AUTO = "auto"
"""The theme that is chosen by the terminal's background."""
FEW_COLOURS = frozenset({"standard", "windows"})
"""Colour systems of 16 colours, which are the terminal's own."""
LIGHT_GROUNDS = frozenset({7, 9, 10, 11, 12, 13, 14, 15})
"""Backgrounds in ``COLORFGBG`` that are light, as vim has it."""
STRONG = frozenset({Role.STRONG, Role.BID_STRONG, Role.ASK_STRONG})
FAINT = frozenset({Role.FAINT, Role.LINE, Role.MUTED, *HEAT[:5]})
"""What is dim where there is no colour."""
COLOUR_OF = {Role.BID_STRONG: "bid", Role.ASK_STRONG: "ask"}
"""Roles that share another's colour and differ in weight."""

ROLES = tuple(
    dict.fromkeys([COLOUR_OF.get(role, role.value) for role in Role] + [ground.value for ground in Ground])
)
"""Every name that a theme file may define."""
REQUIRED = tuple(name for name in ROLES if name not in LIKE and name not in STEPS)
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
    **dict.fromkeys((Role.BID_LINE, Role.ASK_LINE, Role.TOUCH_LINE), HEAT[5]),
    **{role: HEAT[n // 2] for n, role in enumerate(HEAT)},
}
"""What a role becomes in a pane that cannot be trusted as current. Warnings, titles and lines stay."""
DIMMED_GROUNDS = {
    Ground.BID_LARGE: Ground.BID_BAR,
    Ground.ASK_LARGE: Ground.ASK_BAR,
    **dict.fromkeys((Ground.BID_LINE, Ground.ASK_LINE, Ground.TOUCH_LINE), Ground.HEAT_6),
    **{ground: Ground(HEAT[n // 2].value) for n, ground in enumerate(HEAT_GROUNDS[1:])},
}
"""What a ground becomes there: nothing stands out."""

BLOCKS = frozenset("█▐" + "".join(EIGHTHS))
"""Bars of glyphs: in such a pane they are as faint as tints, not as loud as the numbers."""

MAX_SPANS = 65_536
"""Spans of the strips that are kept: a row of a heatmap has ten times as many as one of a ladder."""


@dataclass(frozen=True)
class Palette:
    """The colours of one theme, by role name: ``#rrggbb``, or ``ansi_…`` for one of the terminal's own."""

    name: str
    dark: bool
    colours: Mapping[str, str]
    attributes: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """Attributes of a role or a ground beside its colour, of ``ATTRIBUTES``."""
    of_256: Mapping[str, int] = field(default_factory=dict)
    """Numbers of the colours that replace these where there are 256: the nearest are not the next best."""
    numbers: Mapping[str, int] = field(default_factory=dict)
    """Those of them that are in force."""

    @property
    def ansi(self) -> bool:
        """Whether it has colours of the terminal's own, so that nothing can be blended with them."""
        return any(colour.startswith(ANSI) for colour in self.colours.values())

    @property
    def tints(self) -> bool:
        """Whether a bar can be a tint of the ground."""
        colours = self.colours
        return not any(colours[name].startswith(ANSI) or colours[name] == colours["panel"] for name in TINTS)

    def reduced(self) -> Palette:
        """Return the same in the 256 colours of a terminal that has no more."""
        colours = {name: Color.from_ansi(number).get_truecolor().hex for name, number in self.of_256.items()}
        return replace(self, colours={**self.colours, **colours}, numbers=self.of_256)

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
            ansi=self.ansi,
            variables={
                **(self._own_colours() if self.ansi else self._blended()),
                **{f"role-{name}": colour for name, colour in colours.items()},
            },
        )

    def _blended(self) -> dict[str, str]:
        colours = self.colours
        blurred = {"block-cursor-blurred-background": colours["cursor"]} if self.numbers else {}
        return {
            **blurred,
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
        }

    def _own_colours(self) -> dict[str, str]:
        """Return what replaces shades where there are none: underlines, and one hue for what must be seen."""
        colours, default = self.colours, f"{ANSI}default"
        hue = colours["accent"] if colours["accent"] != default else colours["own"]
        return {
            "ansi-background": f"{ANSI}black" if self.dark else f"{ANSI}white",
            "ansi-foreground": f"{ANSI}white" if self.dark else f"{ANSI}black",
            "border": hue,
            "border-blurred": default,
            "block-cursor-background": default,
            "block-cursor-foreground": default,
            "block-cursor-text-style": "underline",
            "scrollbar": hue,
            "scrollbar-hover": hue,
            "scrollbar-active": hue,
            "scrollbar-background": default,
            "scrollbar-background-hover": default,
            "scrollbar-background-active": default,
        }


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
        raise ThemeError(f"{path.name}: has no [roles] table", remedy=f"name these: {', '.join(REQUIRED)}")
    for name in REQUIRED:
        if name not in roles:
            raise ThemeError(f"{path.name}: [roles] lacks '{name}'", remedy=f'add {name} = "#rrggbb"')
    parsed = completed(_roles(path, roles))
    return Palette(
        name=str(table.get("name", path.stem)),
        dark=bool(table.get("dark", True)),
        colours={name: colour for name, (colour, _) in parsed.items()},
        attributes={name: attributes for name, (_, attributes) in parsed.items() if attributes},
        of_256=_numbers(path, table.get("roles-256", {})),
    )


def _check_name(path: Path, name: str) -> None:
    if name not in ROLES:
        raise ThemeError(f"{path.name}: '{name}' is not a role", remedy=f"the roles are {', '.join(ROLES)}")


def _numbers(path: Path, roles: object) -> dict[str, int]:
    """Return the number of the colour of each role that a table names; raises ThemeError.

    The first sixteen are the terminal's own, whatever these are there.
    """
    if not isinstance(roles, dict):
        raise ThemeError(
            f"{path.name}: 'roles-256' is no table", remedy="write [roles-256] above the numbers"
        )
    for name, value in roles.items():
        _check_name(path, name)
        if type(value) is not int or not 16 <= value <= 255:
            raise ThemeError(
                f"{path.name}: '{name}' of [roles-256] is none of the 256 colours, was {value!r}",
                remedy="write its number, 16 to 255",
            )
    return dict(roles)


def _roles(path: Path, roles: Mapping[str, object]) -> dict[str, tuple[str, frozenset[str]]]:
    """Return colour and attributes of each role that a table names; raises ThemeError."""
    made: dict[str, tuple[str, frozenset[str]]] = {}
    for name, value in roles.items():
        _check_name(path, name)
        parsed = _parsed(value) if isinstance(value, str) else None
        if parsed is None:
            raise ThemeError(
                f"{path.name}: '{name}' is not a colour, was {value!r}",
                remedy="write it as #rrggbb, or as default, red, bright_red …, with bold, dim, underline or "
                "reverse before it where wanted",
            )
        made[name] = parsed
    return made


def _parsed(value: str) -> tuple[str, frozenset[str]] | None:
    """Return a colour as Textual names it, and the attributes before it; None where it is none."""
    *attributes, colour = value.split() or [""]
    if not set(attributes) <= set(ATTRIBUTES):
        return None
    if not COLOUR.fullmatch(colour):
        colour = colour.removeprefix(ANSI)
        if colour not in OWN:
            return None
        colour = ANSI + colour
    return colour, frozenset(attributes)


def light_background(environ: Mapping[str, str]) -> bool:
    """Return whether the terminal says in ``COLORFGBG`` that its background is light."""
    ground = environ.get("COLORFGBG", "").rpartition(";")[2]
    return ground.isascii() and ground.isdigit() and int(ground) in LIGHT_GROUNDS


def usable(themes: Mapping[str, Palette], colour_system: str | None) -> dict[str, Palette]:
    """Return the themes as they can be shown: where there are 16 colours, those that are made of these."""
    if colour_system == "256":
        return {name: theme.reduced() for name, theme in themes.items()}
    if colour_system not in FEW_COLOURS:
        return dict(themes)
    return {name: theme for name, theme in themes.items() if theme.ansi} or dict(themes)


def chosen(name: str, themes: Mapping[str, Palette], shown: Mapping[str, Palette], *, light: bool) -> Palette:
    """Return the theme called ``name`` of ``themes``, or the one of ``shown`` that stands for it.

    ``light`` decides what ``auto`` is.

    Raises:
        ThemeError: there is no such theme.
    """
    if name not in themes and name != AUTO:
        raise ThemeError(
            f"there is no theme {name!r}", remedy=f"choose one of: {', '.join([AUTO, *sorted(themes)])}"
        )
    if name in shown:
        return shown[name]
    dark = not light if name == AUTO else themes[name].dark
    alike = [theme for theme in shown.values() if theme.dark is dark] or list(shown.values())
    return next((theme for theme in alike if not theme.ansi), alike[0])


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

    def __init__(self, palette: Palette, *, colour: bool = True) -> None:
        self.palette = palette
        self.colour = colour
        self._styles: dict[tuple[Role, Ground, bool], Style] = {}
        self._strips: dict[tuple[Row, bool], Strip] = {}
        self._spans = 0
        """Spans of the rows in ``_strips``."""

    def style(self, role: Role, ground: Ground, *, dimmed: bool = False) -> Style:
        """Return how a role looks on a ground; without colour weight, dimness and underlines are left."""
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
                dim=role in FAINT or None,
                underline=ground is Ground.CURSOR or None,
            )
        name = COLOUR_OF.get(role, role.value)
        attributes = self._attributes_of(name) | self._attributes_of(ground.value)
        return Style(
            color=self._colour_of(name),
            bgcolor=self._colour_of(ground.value),
            bold=role in STRONG or "bold" in attributes or None,
            dim="dim" in attributes or None,
            underline="underline" in attributes or None,
            reverse="reverse" in attributes or None,
        )

    def _colour_of(self, name: str) -> Color | None:
        """Return a colour as it is painted; None where it is the terminal's default."""
        number = self.palette.numbers.get(name)
        if number is not None:
            return Color.from_ansi(number)
        colour = self.palette.colours[name].removeprefix(ANSI)
        return None if colour == "default" else Color.parse(colour)

    def _attributes_of(self, name: str) -> frozenset[str]:
        return self.palette.attributes.get(name, frozenset())

    def strip(self, row: Row, *, dimmed: bool = False) -> Strip:
        """Return the strip of a row; the same row gives the same object, which the painter counts on."""
        key = (row, dimmed)
        strip = self._strips.get(key)
        if strip is None:
            self._spans += len(row)
            if self._spans > MAX_SPANS:
                self._strips.clear()
                self._spans = len(row)
            painted_row, styles = painted(row), self._styles
            segments = []
            for text, role, ground in painted_row:
                if text:
                    shown = Role.FAINT if dimmed and text[0] in BLOCKS else role
                    style = styles.get((shown, ground, dimmed))
                    if style is None:
                        style = self.style(shown, ground, dimmed=dimmed)
                    segments.append(Segment(text, style))
            strip = RowStrip(segments, row_cells(row), narrow=painted_row is row)
            self._strips[key] = strip
        return strip

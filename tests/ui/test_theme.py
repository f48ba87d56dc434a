"""Themes: what a theme file must have, and what becomes of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from cadenza_tui.errors import ThemeError
from cadenza_tui.ui.theme import ROLES, Brush, load_theme, load_themes
from cadenza_tui.view.rows import Ground, Role, Span

if TYPE_CHECKING:
    from pathlib import Path


def write(path: Path, **roles: str) -> Path:
    lines = [f'{name} = "{value}"' for name, value in {**dict.fromkeys(ROLES, "#102030"), **roles}.items()]
    path.write_text("\n".join(['name = "mine"', "dark = false", "[roles]", *lines]))
    return path


def test_the_shipped_themes_are_dark_and_light() -> None:
    """Both themes load, and each knows whether it is dark."""
    themes = load_themes()
    assert {name: theme.dark for name, theme in themes.items()} == {"dark": True, "light": False}


@pytest.mark.parametrize("name", ["dark", "light"])
def test_every_role_can_be_read_on_every_ground(name: str) -> None:
    """Text that is meant to be read keeps a contrast of at least 3 to 1 on panel, cursor and bars."""

    def luminance(colour: str) -> float:
        parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        r, g, b = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
        return 0.2126 * r + 0.7152 * g + 0.0722 * b

    colours = load_themes()[name].colours
    for role in ("text", "strong", "bid", "ask", "accent", "own", "muted"):
        for ground in ("panel", "ground", "cursor"):
            pair = sorted((luminance(colours[role]), luminance(colours[ground])))
            assert (pair[1] + 0.05) / (pair[0] + 0.05) >= 3.0, f"{role} on {ground}"


def test_a_colour_that_is_none_names_file_and_role(tmp_path: Path) -> None:
    """The sentence says what to mend."""
    with pytest.raises(ThemeError, match=r"mine\.toml: 'bid' is not a colour, was 'greenish'"):
        load_theme(write(tmp_path / "mine.toml", bid="greenish"))


def test_a_missing_role_is_named(tmp_path: Path) -> None:
    """A theme that lacks a role is refused."""
    path = tmp_path / "mine.toml"
    path.write_text('[roles]\nbid = "#102030"\n')
    with pytest.raises(ThemeError, match="lacks 'text'"):
        load_theme(path)


def test_an_unknown_role_is_named(tmp_path: Path) -> None:
    """A typo in a role's name is not silently ignored."""
    with pytest.raises(ThemeError, match="'bdi' is not a role"):
        load_theme(write(tmp_path / "mine.toml", bdi="#102030"))


def test_what_is_not_toml_is_refused(tmp_path: Path) -> None:
    """A broken file is named."""
    path = tmp_path / "broken.toml"
    path.write_text("roles = [")
    with pytest.raises(ThemeError, match=r"broken\.toml"):
        load_theme(path)


@pytest.mark.parametrize(
    "content",
    [
        b"name = '\xff'",
        b"[roles]\nbid = 0x" + b"f" * 9 + b"\ntext = " + b"9" * 5_000,
        b"a = " + b"[" * 100_000,
    ],
    ids=["not UTF-8", "a number too long", "too deep"],
)
def test_a_file_that_no_parser_can_take_is_refused(tmp_path: Path, content: bytes) -> None:
    """Whatever it is that the parser raises, the file is named."""
    path = tmp_path / "hostile.toml"
    path.write_bytes(content)
    with pytest.raises(ThemeError, match=r"hostile\.toml: cannot be read as a theme"):
        load_theme(path)


def test_the_same_row_is_the_same_strip() -> None:
    """The painter skips a line by identity, so equal rows must give one object."""
    brush = Brush(load_themes()["dark"])
    assert brush.strip((Span("1", Role.BID),)) is brush.strip((Span("1", Role.BID),))


def test_a_dimmed_row_is_painted_fainter() -> None:
    """What cannot be trusted as current looks different."""
    brush = Brush(load_themes()["dark"])
    row = (Span("61,837.64", Role.STRONG),)
    assert brush.strip(row) != brush.strip(row, dimmed=True)


@pytest.mark.parametrize(
    ("large", "ordinary"), [(Ground.BID_LARGE, Ground.BID_BAR), (Ground.ASK_LARGE, Ground.ASK_BAR)]
)
def test_no_level_stands_out_in_a_dimmed_pane(large: Ground, ordinary: Ground) -> None:
    """A large level that may be gone has the tint of any other."""
    brush = Brush(load_themes()["dark"])
    assert brush.style(Role.STRONG, large, dimmed=True) == brush.style(Role.TEXT, ordinary, dimmed=True)
    assert brush.style(Role.STRONG, large) != brush.style(Role.TEXT, ordinary)


def test_a_bar_of_glyphs_is_fainter_than_its_number_in_a_dimmed_pane() -> None:
    """Else the bars would be the loudest of what may not be so any more."""
    brush = Brush(load_themes()["dark"])
    number, bar = brush.strip((Span("0.5", Role.BID), Span("█▌", Role.BID)), dimmed=True)
    assert number.style == brush.style(Role.MUTED, Ground.PANEL)
    assert bar.style == brush.style(Role.FAINT, Ground.PANEL)


def test_without_colour_a_brush_uses_attributes_only() -> None:
    """NO_COLOR leaves weight and reverse."""
    style = Brush(load_themes()["dark"], colour=False).style(Role.STRONG, Ground.CURSOR)
    assert style.color is None
    assert style.bgcolor is None
    assert style.bold
    assert style.reverse

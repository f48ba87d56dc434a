"""The screen as text, compared exactly. ``CADENZA_SNAPSHOTS=write`` writes the files anew."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from cadenza_tui.market.health import ConnectionState
from cadenza_tui.market.state import Topic
from cadenza_tui.ui.desk import View
from cadenza_tui.ui.preferences import Preferences
from cadenza_tui.view.glyphs import substituted

from .stage import SECOND, Stage, monitor, press, settle

if TYPE_CHECKING:
    from .stage import PaintedApp

FOLDER = Path(__file__).with_name("snapshots")
SIZES = {"80x24": (80, 24), "120x40": (120, 40)}
STATES = ("live", "stale", "empty", "paused", "no-color")


def compare(name: str, app: PaintedApp) -> None:
    """Compare the screen with the file of that name, or write the file."""
    path = FOLDER / f"{name}.txt"
    text = "".join(f"{line.rstrip()}\n" for line in app.glass.lines)
    text = substituted(text, app.glyphs)
    if os.environ.get("CADENZA_SNAPSHOTS") == "write":
        FOLDER.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    assert path.is_file(), f"{path} is missing; run with CADENZA_SNAPSHOTS=write"
    assert text == path.read_text(encoding="utf-8")


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("state", STATES)
async def test_the_screen_is_as_it_was(state: str, size: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every character of it, for each state that matters at both sizes."""
    if state == "no-color":
        monkeypatch.setenv("NO_COLOR", "1")
    stage = Stage()
    if state != "empty":
        stage.open()
    async with monitor(stage, size=SIZES[size]) as (app, pilot):
        match state:
            case "stale":
                stage.time += 90 * SECOND
                stage.market.dirty.mark(Topic.HEALTH)
                stage.say(ConnectionState.CONNECTING, "the connection was reset")
            case "paused":
                await press(pilot, "p", "tab", "p")
                stage.advance(0.5)
        await settle(pilot)
        app.monitor._tick()  # ages and the clock as of now, whenever the timer would ring
        await settle(pilot)
        compare(f"{state}-{size}", app)


ACCOUNT_SIZES = {"40x12": (40, 12), "80x24": (80, 24), "120x40": (120, 40), "200x60": (200, 60)}
ACCOUNT_STATES = ("all", "one", "stale", "masked", "pointed", "unauthorised")


@pytest.mark.parametrize("size", ACCOUNT_SIZES)
@pytest.mark.parametrize("state", ACCOUNT_STATES)
async def test_the_account_view_is_as_it_was(state: str, size: str) -> None:
    """Every character of it, at four sizes."""
    stage = Stage()
    if state != "unauthorised":
        stage.open(20)
    preferences = Preferences(masked=state == "masked")
    async with monitor(stage, size=ACCOUNT_SIZES[size], view=View.ACCOUNT, preferences=preferences) as (
        app,
        pilot,
    ):
        match state:
            case "one":
                await press(pilot, "full_stop")
            case "pointed":
                await press(pilot, "full_stop", "j", "j")
            case "stale":
                stage.time += 90 * SECOND
                stage.say(ConnectionState.CONNECTING, "the connection was reset")
            case "unauthorised":
                stage.say(ConnectionState.UNAUTHORISED, "invalid token", "set CADENZA_TOKEN anew")
        await settle(pilot)
        app.monitor._tick()
        await settle(pilot)
        compare(f"account-{state}-{size}", app)

"""The picker in the running program: pinning without leaving it."""

from __future__ import annotations

from tests.ui.stage import Stage, monitor, press


async def test_a_key_pins_and_lets_go_without_leaving_and_says_so() -> None:
    """The row keeps its place under the cursor; the source and the watchlist have the new list."""
    stage = Stage(instruments=11).open()
    async with monitor(stage) as (app, pilot):
        before = list(stage.pinned)
        assert len(before) == 9
        await press(pilot, "slash", *"xau")
        await press(pilot, "ctrl+t")
        assert list(stage.pinned) == [*before, "IBKR:XAU/USD"]
        assert "XAU/USD IBKR pinned · 10 pinned" in app.glass.text
        assert "• XAU/USD" in app.glass.part(app.screen.query_one("#matches"))
        await press(pilot, "ctrl+t")
        assert list(stage.pinned) == before
        assert "XAU/USD IBKR let go · 9 pinned" in app.glass.text
        await press(pilot, "ctrl+t", "escape")
        assert "10 pinned" in app.part("instruments")

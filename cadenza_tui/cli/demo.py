"""``cadenza-tui demo``: the monitor on a simulator of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from cadenza_tui.cli.options import need_terminal, screen_options, trace_option
from cadenza_tui.cli.simulate import market_options

if TYPE_CHECKING:
    from pathlib import Path


@click.command()
@market_options
@trace_option
@screen_options
@click.pass_context
def demo(
    ctx: click.Context,
    *,
    seed: int | None,
    rate: float | None,
    instruments: int | None,
    trace: Path | None,
    bandwidth: float | None,
    view: str | None,
) -> None:
    """Open the monitor on a simulated market, which ends with it. Needs no account."""
    need_terminal("the demo")
    from cadenza_tui.feed.child import SimulatorChild  # noqa: PLC0415  # heavy for a --help

    options = [
        word
        for name, value in (("--seed", seed), ("--rate", rate), ("--instruments", instruments))
        if value is not None
        for word in (name, f"{value:g}" if isinstance(value, float) else str(value))
    ]
    with SimulatorChild(options) as child:
        import cadenza_tui.ui.app  # noqa: F401, PLC0415  # while the simulator starts, so does Textual
        from cadenza_tui import config as configuration  # noqa: PLC0415
        from cadenza_tui.cli.monitor import open_monitor  # noqa: PLC0415
        from cadenza_tui.credentials import sources  # noqa: PLC0415
        from cadenza_tui.feed.worker import Feed, FeedSettings  # noqa: PLC0415
        from cadenza_tui.market.state import Market  # noqa: PLC0415

        config = configuration.load()
        ready = child.ready()
        token = sources.fixed(ready.token, "the simulator's token")
        feed = Feed(Market(), FeedSettings(ready.url, label="demo", token=token))
        code = open_monitor(feed, config, trace=trace, bandwidth=bandwidth, view=view)
    ctx.exit(code)

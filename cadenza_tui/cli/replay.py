"""``cadenza-tui replay``: a recording, on the screen or as what it leaves."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from cadenza_tui.cli.options import need_terminal, screen_options, trace_option

MAX_SPEED = 100_000.0


class SpeedType(click.ParamType[float]):
    """A factor, or ``max``: 0 as the feed calls it."""

    name = "speed"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Return the factor."""
        if isinstance(value, float):
            return value
        if value == "max":
            return 0.0
        try:
            speed = float(str(value).rstrip("x×"))
        except ValueError:
            speed = -1.0
        if not 0.0 < speed <= MAX_SPEED:
            self.fail(f"{value!r} is no speed; it is a factor such as 2 or 0.5, or max", param, ctx)
        return speed


@click.command()
@click.argument("file", type=click.Path(path_type=Path), metavar="FILE")
@click.option("--speed", type=SpeedType(), default=1.0, metavar="X|max", help="How much faster than it was.")
@click.option("--headless", is_flag=True, help="No screen: print what the whole recording leaves, as JSON.")
@click.option(
    "--depth",
    type=click.IntRange(0, 1_000_000),
    default=10,
    show_default=True,
    metavar="N",
    help="Levels a side, headless.",
)
@trace_option
@screen_options
@click.pass_context
def replay(
    ctx: click.Context,
    *,
    file: Path,
    speed: float,
    headless: bool,
    depth: int,
    trace: Path | None,
    bandwidth: float | None,
    view: str | None,
) -> None:
    """Play a recording (.ndjson or .ndjson.gz) as if it were live.

    Headless, one JSON object is printed for each instrument: the book as it is at the end, best first, in the
    feed's own decimals, and how many messages of each kind there were.
    """
    if headless:
        _headless(file, depth, trace)
        return
    need_terminal("a replay on the screen")
    from cadenza_tui import config as configuration  # noqa: PLC0415  # heavy for a --help
    from cadenza_tui.cli.monitor import open_monitor  # noqa: PLC0415
    from cadenza_tui.feed.replay import ReplayFeed  # noqa: PLC0415
    from cadenza_tui.market.state import Market  # noqa: PLC0415

    config = configuration.load()
    feed = ReplayFeed(Market(), file, speed=speed)
    code = open_monitor(feed, config, trace=trace, bandwidth=bandwidth, view=view)
    if feed.error is not None:
        raise feed.error
    ctx.exit(code)


def _headless(file: Path, depth: int, trace: Path | None) -> None:
    import msgspec  # noqa: PLC0415  # heavy for a --help

    from cadenza_tui.feed.headless import Applied  # noqa: PLC0415
    from cadenza_tui.feed.recording import Recording  # noqa: PLC0415
    from cadenza_tui.feed.trace import Trace  # noqa: PLC0415

    applied = Applied()
    tracing = None if trace is None else Trace(trace, applied.market)
    try:
        with Recording(file) as recording:
            applied.apply(recording, None if tracing is None else tracing.write_if_due)
    finally:
        if tracing is not None:
            tracing.close()
        for outcome in applied.outcomes(depth):
            click.echo(msgspec.json.encode(outcome).decode())

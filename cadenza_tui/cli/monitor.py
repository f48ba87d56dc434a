"""``cadenza-tui [INSTRUMENT…]``: the monitor on the live server."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import click

from cadenza_tui.cli.options import (
    find_server,
    instruments_argument,
    need_terminal,
    screen_options,
    server_options,
)

if TYPE_CHECKING:
    from pathlib import Path

    from cadenza_tui.config import Config
    from cadenza_tui.feed.replay import ReplayFeed
    from cadenza_tui.feed.worker import Feed

NOTHING_CONFIGURED = """\
Nothing says yet which server to watch.

To look around first, without an account:

  cadenza-tui demo                a simulated market on this machine

To watch the live platform, log in, or bring a token in CADENZA_TOKEN_FILE:

  cadenza-tui login --profile prod                or uat, or one of your own
  cadenza-tui --profile prod BINANCE:BTC/USDT     what to watch, or nothing

or write it down once in {path}:

  default_profile = "prod"

  [profiles.prod]
  password_command = "pass show cadenza"  # or token_file, token_command
  instruments = ["BINANCE:BTC/USDT"]      # what the keys 1–9 show
  accounts = ["my-account-id"]

A recording needs neither:  cadenza-tui replay FILE
All options:                cadenza-tui --help"""


def open_monitor(
    source: Feed | ReplayFeed,
    config: Config,
    *,
    trace: Path | None,
    bandwidth: float | None,
    view: str | None,
    chosen: bool = False,
) -> int:
    """Open the screen on a feed, and stay until it is left; return the exit code.

    ``bandwidth`` is in KiB/s, 0 for what suits the link, None for what the configuration says;
    ``view`` None is the last one. ``chosen`` says that the instruments were named on the command line: those
    that were pinned the last time do not take their place, nor they theirs.
    """
    from cadenza_tui import paths  # noqa: PLC0415  # only where there is a screen
    from cadenza_tui.feed.trace import Trace  # noqa: PLC0415
    from cadenza_tui.ui.app import run_monitor  # noqa: PLC0415
    from cadenza_tui.ui.bandwidth import Bandwidth  # noqa: PLC0415
    from cadenza_tui.ui.preferences import Preferences  # noqa: PLC0415

    preferences = Preferences.load(paths.preferences_file())
    preferences.keeps_pinned = not chosen
    return run_monitor(
        source,
        theme=config.theme or "auto",
        alongside=[] if trace is None else [Trace(trace, source.market).run],
        preferences=preferences,
        bandwidth=Bandwidth((config.bandwidth if bandwidth is None else bandwidth) or None),
        view=view,
    )


@click.command(hidden=True)
@instruments_argument
@server_options
@screen_options
@click.pass_context
def monitor(
    ctx: click.Context,
    *,
    instruments: tuple[str, ...],
    profile: str | None,
    url: str | None,
    accounts: tuple[str, ...],
    config_file: Path | None,
    trace: Path | None,
    bandwidth: float | None,
    view: str | None,
) -> None:
    """Open the monitor on the live server, with INSTRUMENTs (VENUE:BASE/QUOTE) on the keys 1-9."""
    server = find_server(profile, url, config_file)
    if server is None:
        from cadenza_tui import paths  # noqa: PLC0415  # only where there is nothing else to do

        click.echo(NOTHING_CONFIGURED.format(path=config_file or paths.config_file()))
        ctx.exit(2)
    need_terminal("the monitor")
    from cadenza_tui.feed.worker import Feed  # noqa: PLC0415  # heavy for a --help
    from cadenza_tui.market.state import Market  # noqa: PLC0415

    if server.tokens is not None:
        asyncio.run(server.tokens.probe())
    feed = Feed(Market(), server.settings(instruments, accounts))
    if instruments:
        feed.show(instruments[0])
    code = open_monitor(
        feed, server.config, trace=trace, bandwidth=bandwidth, view=view, chosen=bool(instruments)
    )
    ctx.exit(code)

"""``cadenza-tui simulate``: the simulator alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

import click

from cadenza_tui.cli.options import trace_option

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

Decorated = TypeVar("Decorated", bound="Callable[..., Any]")


def market_options(command: Decorated) -> Decorated:
    """Take what the simulated market is like."""
    for option in (
        click.option("--instruments", type=click.IntRange(1), metavar="N", help="How many instruments."),
        click.option(
            "--rate", type=float, metavar="R", help="Book updates a second, all instruments together."
        ),
        click.option("--seed", type=int, metavar="N", help="The same seed gives the same market."),
    ):
        command = option(command)
    return command


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, metavar="H", help="Address to listen on.")
@click.option(
    "--port",
    type=click.IntRange(0, 65_535),
    default=0,
    metavar="P",
    help="Port to listen on; 0 is any free one.",
)
@market_options
@click.option("--secret", metavar="S", help="Key of the tokens (HS256); a random one else.")
@click.option("--until-stdin-closes", is_flag=True, hidden=True)
@trace_option
def simulate(
    *,
    host: str,
    port: int,
    seed: int | None,
    rate: float | None,
    instruments: int | None,
    secret: str | None,
    until_stdin_closes: bool,
    trace: Path | None,
) -> None:
    """Serve a simulated market over the real wire, until SIGINT or SIGTERM.

    When it is ready it prints {"url":…,"token":…} as one line.
    """
    from cadenza_tui.simulator.run import simulate as run  # noqa: PLC0415  # heavy for a --help

    given = {"seed": seed, "rate": rate, "instruments": instruments, "secret": secret}
    options: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
    if trace is not None:
        _trace_beside(trace)
    run(host, port, exit_with_stdin=until_stdin_closes, **options)


def _trace_beside(path: Path) -> None:
    """Write the trace from a thread: the simulator's event loop is its own, and it feeds no market here."""
    import threading  # noqa: PLC0415  # only where a trace is asked for

    from cadenza_tui.feed.trace import INTERVAL_S, Trace  # noqa: PLC0415
    from cadenza_tui.market.state import Market  # noqa: PLC0415

    trace = Trace(path, Market())
    pause = threading.Event()

    def write() -> None:
        while not pause.wait(INTERVAL_S):
            trace.write()

    threading.Thread(target=write, name="trace", daemon=True).start()

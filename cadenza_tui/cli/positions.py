"""``cadenza-tui positions``: the accounts' positions, for a terminal or a script."""

from __future__ import annotations

from typing import Any

import click

from cadenza_tui.cli.account_options import EXIT_CODES_HELP, account_options, run


@click.command(epilog=EXIT_CODES_HELP)
@account_options("Print closed positions, too, as far as they are known.")
def positions(**asked: Any) -> None:
    """Print the accounts' open positions.

    Of the accounts given, else the profile's, else those that are listed. Profits are the venue's; ROE is the
    unrealised one over the margin, where that is known.
    """
    run("positions", **asked)

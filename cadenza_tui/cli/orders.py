"""``cadenza-tui orders``: the accounts' own orders, for a terminal or a script."""

from __future__ import annotations

from typing import Any

import click

from cadenza_tui.cli.account_options import EXIT_CODES_HELP, account_options, run


@click.command(epilog=EXIT_CODES_HELP)
@account_options("Print the latest orders that have ended, too.")
def orders(**asked: Any) -> None:
    """Print the accounts' working orders.

    Of the accounts given, else the profile's, else those that are listed. An order that another one brings to
    life stands below it.
    """
    run("orders", **asked)

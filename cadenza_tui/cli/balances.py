"""``cadenza-tui balances``: what the accounts hold, for a terminal or a script."""

from __future__ import annotations

from typing import Any

import click

from cadenza_tui.cli.account_options import EXIT_CODES_HELP, account_options, currency_option, run


@click.command(epilog=EXIT_CODES_HELP)
@currency_option
@account_options("Print balances of zero, too.")
def balances(**asked: Any) -> None:
    """Print what the accounts hold.

    Of the accounts given, else the profile's, else those that are listed. Numbers are exact; a dash is
    unknown. With --currency, ~ marks a value that a stale price is in.
    """
    run("balances", **asked)

"""What ``balances``, ``positions`` and ``orders`` take."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, TypeVar

import click

from cadenza_tui.cli.options import need_server, server_options
from cadenza_tui.errors import EXIT_CODES, ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from click.shell_completion import CompletionItem

Decorated = TypeVar("Decorated", bound="Callable[..., Any]")

DEFAULT_TIMEOUT_S = 15.0
CURRENCIES = ("USDT", "USDC", "USD", "EUR", "BTC", "ETH")
"""What is offered for ``--currency``; any other that is quoted can be given."""
EXIT_CODES_HELP = "\n".join(
    ("\b", "Exit codes:", *(f"  {code}  {meaning}" for code, meaning in EXIT_CODES.items()))
)


def account_options(everything: str) -> Callable[[Decorated], Decorated]:
    """Take what the three have in common; ``everything`` is the help of ``--all``."""

    def decorated(command: Decorated) -> Decorated:
        for option in (
            click.option(
                "--timeout",
                "timeout_s",
                type=click.FloatRange(0, 3_600, min_open=True),
                default=DEFAULT_TIMEOUT_S,
                show_default=True,
                metavar="S",
                help="How many seconds to wait for the server.",
            ),
            click.option("--all", "everything", is_flag=True, help=everything),
            click.option(
                "--watch", is_flag=True, help="Go on: print again on change, once a second at most."
            ),
            click.option(
                "--json", "as_json", is_flag=True, help="Print one JSON object, one a line with --watch."
            ),
            server_options,
        ):
            command = option(command)
        return command

    return decorated


def currency_option(command: Decorated) -> Decorated:
    """Take ``--currency``."""
    return click.option(
        "--currency",
        default="",
        metavar="C",
        shell_complete=_complete_currency,
        help="Say what each balance is worth in C, by which prices, and the total.",
    )(command)


def _complete_currency(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    from click.shell_completion import CompletionItem  # noqa: PLC0415  # for completion alone

    return [CompletionItem(name) for name in CURRENCIES if name.startswith(incomplete.upper())]


def run(
    part: str,
    *,
    profile: str | None,
    url: str | None,
    config_file: Path | None,
    accounts: tuple[str, ...],
    **asked: Any,
) -> None:
    """Print a part of the accounts: ``balances``, ``positions`` or ``orders``."""
    if not all(accounts):
        raise ConfigError("--account names no account", remedy="leave it out for all that are listed")
    server = need_server(profile, url, config_file)
    from cadenza_tui.cli.accounts import PARTS, Asked, print_accounts  # noqa: PLC0415  # heavy for a --help

    asyncio.run(print_accounts(server, PARTS[part], Asked(accounts=accounts, **asked)))

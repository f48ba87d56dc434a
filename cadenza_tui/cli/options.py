"""What several commands take, and how it becomes a server to connect to."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from cadenza_tui.cli.group import misspelt_command
from cadenza_tui.errors import CadenzaError, ConfigError, TokenError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from click.shell_completion import CompletionItem

    from cadenza_tui.config import Config, Profile
    from cadenza_tui.feed.tokens import Tokens
    from cadenza_tui.feed.worker import FeedSettings

PROFILE_VARIABLE = "CADENZA_PROFILE"
DEFAULT_SERVER = "prod"

Decorated = TypeVar("Decorated", bound="Callable[..., Any]")


class InstrumentType(click.ParamType[str]):
    """An instrument's id: VENUE:BASE/QUOTE."""

    name = "instrument"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the id, or fail with what was probably meant."""
        text = str(value)
        venue, colon, symbol = text.partition(":")
        if venue and symbol and text.isprintable() and len(text) <= 200:
            return text
        command = misspelt_command(text, ctx) if ctx is not None and not colon else None
        hint = (
            f"did you mean the command {command!r}?"
            if command
            else "it is VENUE:BASE/QUOTE, as in BINANCE:BTC/USDT"
        )
        return self.fail(f"{text!r} is no instrument; {hint}", param, ctx)

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        """Complete from the instruments of the configuration."""
        profiles = _config_or_none(ctx)
        names = [name for profile in profiles for name in profile.instruments]
        return _items(names, incomplete)


def _complete_profile(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    return _items([profile.name for profile in _config_or_none(ctx)], incomplete)


def _complete_account(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    return _items([name for profile in _config_or_none(ctx) for name in profile.accounts], incomplete)


def _items(names: Sequence[str], incomplete: str) -> list[CompletionItem]:
    from click.shell_completion import CompletionItem  # noqa: PLC0415  # for completion alone

    return [CompletionItem(name) for name in dict.fromkeys(names) if name.startswith(incomplete)]


def _config_or_none(ctx: click.Context) -> list[Profile]:
    from cadenza_tui import config  # noqa: PLC0415  # heavy for a --help

    try:
        return list(config.load(ctx.params.get("config_file")).profiles.values())
    except CadenzaError:
        return []


def instruments_argument(command: Decorated) -> Decorated:
    """Take any number of instruments."""
    return click.argument("instruments", nargs=-1, type=InstrumentType(), metavar="[INSTRUMENT]...")(command)


def trace_option(command: Decorated) -> Decorated:
    """Take ``--trace``."""
    return click.option(
        "--trace",
        type=click.Path(dir_okay=False, path_type=Path),
        metavar="FILE",
        help="Write one JSON line a second of the feed's and the screen's health.",
    )(command)


def server_options(command: Decorated) -> Decorated:
    """Take what names a server, and ``--trace``."""
    for option in (
        trace_option,
        click.option(
            "--config",
            "config_file",
            type=click.Path(dir_okay=False, path_type=Path),
            metavar="FILE",
            help="Configuration file, instead of the usual one or CADENZA_CONFIG.",
        ),
        click.option(
            "--account",
            "accounts",
            multiple=True,
            metavar="ID",
            shell_complete=_complete_account,
            help="Trading account to watch; may be given several times.",
        ),
        click.option("--url", metavar="U", help="WebSocket URL, instead of a profile's."),
        click.option(
            "--profile",
            metavar="P",
            envvar=PROFILE_VARIABLE,
            shell_complete=_complete_profile,
            help="Profile of the configuration; prod and uat are built in.",
        ),
    ):
        command = option(command)
    return command


@dataclass(frozen=True, slots=True)
class Server:
    """A server to connect to, and what is known beforehand."""

    label: str
    url: str
    tokens: Tokens | None
    profile: Profile
    config: Config

    def settings(
        self, instruments: Sequence[str] = (), accounts: Sequence[str] = (), **changes: Any
    ) -> FeedSettings:
        """Return the feed's settings; what the command line says comes before what the profile says."""
        from cadenza_tui.feed.worker import FeedSettings  # noqa: PLC0415  # heavy for a --help

        return FeedSettings(
            url=self.url,
            label=self.label,
            token=self.tokens,
            templates=self.profile.channels,
            accounts=tuple(accounts) or self.profile.accounts,
            pinned=tuple(instruments) or self.profile.instruments,
            **changes,
        )


def find_server(profile: str | None, url: str | None, config_file: Path | None) -> Server | None:
    """Return the server that is meant, or None where nothing says which.

    A profile is the one named, else the file's default or its only one, else ``prod`` when there is a token
    in the environment. A URL without a named profile stands alone: no profile's token is sent there.
    """
    from cadenza_tui import config as configuration  # noqa: PLC0415  # heavy for a --help
    from cadenza_tui.feed import address, tokens  # noqa: PLC0415

    config = configuration.load(config_file)
    token_given = tokens.TOKEN_VARIABLE in os.environ or tokens.FILE_VARIABLE in os.environ
    if url is None and profile is None:
        profile = config.default_profile or config.only_profile or (DEFAULT_SERVER if token_given else None)
        if profile is None:
            return None
    if profile is not None:
        chosen = config.profile(profile)
    else:
        chosen = configuration.Profile(address.host(url or ""), url or "")
    address.check(url or chosen.url, allow_insecure=chosen.allow_insecure)
    source = tokens.find(os.environ, chosen.token_file, chosen.token_command)
    if source is None and url is None:
        raise TokenError(f"there is no token for the profile {chosen.name!r}", remedy=tokens.HOW)
    return Server(chosen.name, url or chosen.url, source, chosen, config)


def need_server(profile: str | None, url: str | None, config_file: Path | None) -> Server:
    """Return the server that is meant; raises ConfigError where nothing says which."""
    server = find_server(profile, url, config_file)
    if server is None:
        raise ConfigError(
            "nothing says which server to connect to",
            remedy="give --profile prod or --url, or set default_profile in the configuration",
        )
    return server


def need_terminal(what: str) -> None:
    """Raise ConfigError unless a person can see and answer; Textual writes to stderr and reads stdin."""
    for name in ("stdout", "stdin", "stderr"):
        stream = getattr(sys, name)
        if stream is None or not stream.isatty():
            raise ConfigError(
                f"{what} needs a terminal, and {name} is not one",
                remedy="run it in a terminal; `stream`, `balances` and `replay --headless` need none",
            )

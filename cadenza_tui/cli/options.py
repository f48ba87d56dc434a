"""What several commands take, and how it becomes a server to connect to."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from cadenza_tui.cli.group import misspelt_command
from cadenza_tui.errors import CadenzaError, ConfigError, TokenError

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Sequence

    from click.shell_completion import CompletionItem

    from cadenza_tui.config import Config, Profile
    from cadenza_tui.credentials.session import Session
    from cadenza_tui.credentials.sources import Source
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


def complete_profile(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Complete from the profiles of the configuration."""
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


class BandwidthType(click.ParamType[float]):
    """KiB a second, or ``auto``, which is 0 here: None would be an option that was not given."""

    name = "bandwidth"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Return the number."""
        from cadenza_tui.config import AUTO_BANDWIDTH, MAX_BANDWIDTH, MIN_BANDWIDTH  # noqa: PLC0415

        if value == AUTO_BANDWIDTH:
            return 0.0
        try:
            number = float(value)
        except ValueError:
            number = -1.0
        if MIN_BANDWIDTH <= number <= MAX_BANDWIDTH:
            return number
        return self.fail(
            f"{value!r} is none; give {MIN_BANDWIDTH:g} to {MAX_BANDWIDTH:,.0f} KiB a second, or auto",
            param,
            ctx,
        )


def screen_options(command: Decorated) -> Decorated:
    """Take what the screen shows first, and how much of the link it may use."""
    for option in (
        click.option(
            "--bandwidth",
            type=BandwidthType(),
            metavar="N|auto",
            help="KiB/s that the screen may take; auto goes by the link, and is modest over SSH.",
        ),
        click.option(
            "--view",
            type=click.Choice(["market", "depth", "tape", "account", "wide", "health"]),
            help="The view to begin with, instead of the last one.",
        ),
    ):
        command = option(command)
    return command


def config_option(command: Decorated) -> Decorated:
    """Take ``--config``."""
    return click.option(
        "--config",
        "config_file",
        type=click.Path(dir_okay=False, path_type=Path),
        metavar="FILE",
        help="Configuration file, instead of the usual one or CADENZA_CONFIG.",
    )(command)


def profile_option(command: Decorated) -> Decorated:
    """Take ``--profile``."""
    return click.option(
        "--profile",
        metavar="P",
        envvar=PROFILE_VARIABLE,
        shell_complete=complete_profile,
        help="Profile of the configuration; prod and uat are built in.",
    )(command)


def server_options(command: Decorated) -> Decorated:
    """Take what names a server, and ``--trace``."""
    for option in (
        trace_option,
        config_option,
        click.option(
            "--account",
            "accounts",
            multiple=True,
            metavar="ID",
            shell_complete=_complete_account,
            help="Trading account to watch; may be given several times.",
        ),
        click.option("--url", metavar="U", help="WebSocket URL, instead of a profile's."),
        profile_option,
    ):
        command = option(command)
    return command


@dataclass(frozen=True, slots=True)
class Server:
    """A server to connect to, and what is known beforehand."""

    label: str
    url: str
    tokens: Source | None
    profile: Profile
    config: Config
    trust: ssl.SSLContext | None = None
    """Whose certificates are trusted, where the profile says so."""

    def settings(
        self, instruments: Sequence[str] = (), accounts: Sequence[str] = (), **changes: Any
    ) -> FeedSettings:
        """Return the feed's settings; what the command line says comes before what the profile says."""
        from cadenza_tui.feed.worker import FeedSettings  # noqa: PLC0415  # heavy for a --help

        settings = FeedSettings(
            url=self.url,
            label=self.label,
            token=self.tokens,
            templates=self.profile.channels,
            accounts=tuple(accounts) or self.profile.accounts,
            pinned=tuple(instruments) or self.profile.instruments,
            channels=self.profile.channel_options,
            delta_updates=self.profile.delta_updates,
            **changes,
        )
        if self.trust is None:
            return settings
        return replace(settings, options=replace(settings.options, ssl=self.trust))


def find_server(profile: str | None, url: str | None, config_file: Path | None) -> Server | None:
    """Return the server that is meant, or None where nothing says which.

    A profile is the one named, else the file's default or its only one, else ``prod`` when there is a token
    in the environment, else the only one that is logged in. A URL without a named profile stands alone: no
    profile's token is sent there. A token of the environment comes before the profile's own file or command,
    and that before a login.
    """
    choice = choose(profile, url, config_file)
    if choice is None:
        return None
    trust = profile_trust(choice.profile)
    source = choice.token_source(trust)
    if source is None and url is None:
        raise TokenError(f"there is no token for the profile {choice.profile.name!r}", remedy=choice.how)
    return Server(choice.profile.name, choice.url, source, choice.profile, choice.config, trust)


@dataclass(frozen=True, slots=True)
class Choice:
    """The server that is meant, before anybody looks for a token."""

    config: Config
    profile: Profile
    url: str
    named: bool
    """Whether it is a profile's server: a URL alone gets no profile's token."""

    @property
    def how(self) -> str:
        """How to come by a token."""
        from cadenza_tui.credentials import claims  # noqa: PLC0415  # heavy for a --help

        if self.profile.rest is None:
            return claims.HOW
        return f"run `cadenza-tui login --profile {self.profile.name}`, or {claims.HOW}"

    def token_source(self, trust: ssl.SSLContext | None) -> Source | None:
        """Return the source of tokens that applies, None where there is none."""
        from cadenza_tui.credentials import sources  # noqa: PLC0415  # heavy for a --help

        found = sources.find(os.environ, self.profile.token_file, self.profile.token_command)
        return _stored_login(self.profile, trust) if found is None and self.named else found


def choose(profile: str | None, url: str | None, config_file: Path | None) -> Choice | None:
    """Return the server that is meant, as ``find_server`` does, without a look at tokens."""
    from cadenza_tui import config as configuration  # noqa: PLC0415  # heavy for a --help
    from cadenza_tui.credentials import claims  # noqa: PLC0415
    from cadenza_tui.feed import address  # noqa: PLC0415

    config = configuration.load(config_file)
    token_given = claims.TOKEN_VARIABLE in os.environ or claims.FILE_VARIABLE in os.environ
    if url is None and profile is None:
        profile = config.default_profile or config.only_profile
        profile = profile or (DEFAULT_SERVER if token_given else _only_login(config))
        if profile is None:
            return None
    if profile is not None:
        chosen = config.profile(profile)
    else:
        chosen = configuration.Profile(address.host(url or ""), url or "")
    address.check(url or chosen.url, allow_insecure=chosen.allow_insecure)
    return Choice(config, chosen, url or chosen.url, named=profile is not None)


def profile_trust(profile: Profile) -> ssl.SSLContext | None:
    """Return what the profile's own ``ca_file`` makes trusted; None where the system's authorities are."""
    if profile.ca_file is None:
        return None
    from cadenza_tui.credentials import certificates  # noqa: PLC0415  # heavy for a --help

    return certificates.context(profile.ca_file, profile.ca_where)


def _stored_login(profile: Profile, trust: ssl.SSLContext | None) -> Session | None:
    from cadenza_tui.credentials.store import Store  # noqa: PLC0415  # heavy for a --help

    store = Store()
    if profile.rest is None or not store.exists(profile.name):
        return None
    from cadenza_tui.credentials.rest import Rest  # noqa: PLC0415  # only where there is a login
    from cadenza_tui.credentials.session import Session  # noqa: PLC0415

    return Session(profile.name, Rest(profile.rest, trust), store)


def _only_login(config: Config) -> str | None:
    """Return the one profile that is logged in."""
    from cadenza_tui.credentials.store import Store  # noqa: PLC0415  # heavy for a --help

    names = [name for name in Store().profiles() if name in config.profiles]
    return names[0] if len(names) == 1 else None


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
    term = os.environ.get("TERM", "")
    if term in ("", "dumb", "unknown") and os.name != "nt":
        raise ConfigError(
            f"{what} needs a terminal that can move its cursor, and TERM is {term or 'not set'}",
            remedy="set TERM to what the terminal is, as xterm-256color",
        )

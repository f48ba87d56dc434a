"""``cadenza-tui login`` and ``logout``: a session of the platform, kept until it is forgotten."""

from __future__ import annotations

import asyncio
import os
import shlex
import sys
import warnings
from typing import TYPE_CHECKING

import click

from cadenza_tui.cli.account_options import EXIT_CODES_HELP
from cadenza_tui.cli.options import DEFAULT_SERVER, config_option, profile_option, profile_trust
from cadenza_tui.errors import ConfigError

if TYPE_CHECKING:
    from pathlib import Path

    from cadenza_tui.config import Profile
    from cadenza_tui.credentials.rest import Rest
    from cadenza_tui.credentials.secret import Secret

PASSWORD_COMMAND_TIMEOUT_S = 60.0
"""The command may have to ask a person for the key to its own store."""
MAX_EMAIL = 320
MAX_PASSWORD = 1_024


@click.command(epilog=EXIT_CODES_HELP)
@click.option("--email", metavar="E", help="Whom to log in; asked for else.")
@click.option(
    "--password-command",
    metavar="C",
    help="Command whose first line is the password, instead of the profile's; asked for else.",
)
@click.option("--no-keyring", is_flag=True, help="Keep the login in a private file in any case.")
@config_option
@profile_option
def login(
    *,
    profile: str | None,
    config_file: Path | None,
    email: str | None,
    password_command: str | None,
    no_keyring: bool,
) -> None:
    """Log in with e-mail and password, once: access tokens are then renewed by themselves.

    The password is asked for without being shown, or printed by a command; it never stands on the command
    line. What is kept is the refresh token, in the system keyring or else in a file that only you can read.
    """
    from cadenza_tui import config as configuration  # noqa: PLC0415  # heavy for a --help
    from cadenza_tui.credentials.rest import Rest  # noqa: PLC0415

    config = configuration.load(config_file)
    chosen = config.profile(profile or config.default_profile or config.only_profile or DEFAULT_SERVER)
    if chosen.rest is None:
        raise ConfigError(
            f"the profile {chosen.name!r} does not say where to log in",
            remedy=f'add rest = "https://…" to [profiles.{chosen.name}]',
        )
    trust = profile_trust(chosen)
    words = chosen.password_command if password_command is None else _words(password_command)
    who = _checked_email(email or _ask_email(chosen))
    password = _ask_password(who) if words is None else _password_of(words)
    asyncio.run(_log_in(chosen, Rest(chosen.rest, trust), who, password, no_keyring=no_keyring))


async def _log_in(profile: Profile, rest: Rest, email: str, password: Secret, *, no_keyring: bool) -> None:
    from cadenza_tui.credentials.claims import moment  # noqa: PLC0415  # heavy for a --help
    from cadenza_tui.credentials.rest import Refused  # noqa: PLC0415
    from cadenza_tui.credentials.session import with_grant  # noqa: PLC0415
    from cadenza_tui.credentials.store import Login, Store  # noqa: PLC0415

    try:
        grant = await rest.login(email, password)
    except Refused as error:
        raise Refused(str(error), remedy="check the e-mail and the password, and the profile") from None
    store = Store(use_keyring=not no_keyring)
    kept = with_grant(Login(profile.name, rest.url, masked(email), grant.refresh), grant)
    with store.locked(profile.name):
        store.save(kept, anew=True)
    click.echo(f"Logged in at {rest.url} as {kept.who}, for the profile {profile.name!r}.")
    click.echo(f"The access token is valid until {moment(grant.ends)} and renewed by itself.")
    click.echo(f"The refresh token is kept in {store.where(profile.name)}.")
    if (before := _before_a_login(profile)) is not None:
        click.echo(f"Note that {before} comes before this login.")


@click.command()
@config_option
@profile_option
def logout(*, profile: str | None, config_file: Path | None) -> None:
    """Forget the login of a profile on this machine.

    An access token that is in use stays valid until its end: the server is not told.
    """
    from cadenza_tui import config as configuration  # noqa: PLC0415  # heavy for a --help
    from cadenza_tui.credentials.store import Store  # noqa: PLC0415

    if profile is None:  # a profile that is named need not be in the configuration any more
        config = configuration.load(config_file)
        profile = config.default_profile or config.only_profile or DEFAULT_SERVER
    store = Store()
    if store.exists(profile):
        with store.locked(profile):
            store.forget(profile)
        click.echo(f"The login of the profile {profile!r} is forgotten.")
    else:
        click.echo(f"There is no login for the profile {profile!r}.")


def masked(email: str) -> str:
    """Return an e-mail as it is kept and shown: enough to tell one's own from another's."""
    name, _, host = email.rpartition("@")
    return f"{name[:1]}…@{host}"


def _before_a_login(profile: Profile) -> str | None:
    from cadenza_tui.credentials.claims import FILE_VARIABLE, TOKEN_VARIABLE  # noqa: PLC0415

    if TOKEN_VARIABLE in os.environ:
        return f"the token in {TOKEN_VARIABLE}"
    if os.environ.get(FILE_VARIABLE):
        return f"the token file of {FILE_VARIABLE}"
    if profile.token_file is not None:
        return "the profile's token_file"
    return None if profile.token_command is None else "the profile's token_command"


def _words(command: str) -> tuple[str, ...]:
    try:
        words = tuple(shlex.split(command))
    except ValueError as error:
        raise ConfigError(f"--password-command cannot be split into words: {error}") from None
    if not words or not words[0]:
        raise ConfigError("--password-command names no command")
    return words


def _password_of(words: tuple[str, ...]) -> Secret:
    """Return the first line of what the command prints, as password stores have it."""
    from cadenza_tui.credentials import commands  # noqa: PLC0415  # heavy for a --help
    from cadenza_tui.credentials.secret import Secret  # noqa: PLC0415

    source = f"the password command {words[0]!r}"
    raw = asyncio.run(commands.run(words, source, PASSWORD_COMMAND_TIMEOUT_S))
    try:
        text = raw.split(b"\n", 1)[0].removesuffix(b"\r").decode()
    except UnicodeDecodeError:
        raise ConfigError(f"{source} printed something that is no text") from None
    return _checked_password(Secret(text), source)


def _ask_email(profile: Profile) -> str:
    _need_a_person("e-mail", "--email")
    return str(click.prompt(f"E-mail for {profile.name}", err=True)).strip()


def _ask_password(email: str) -> Secret:
    from getpass import GetPassWarning, getpass  # noqa: PLC0415  # only where a person is asked

    from cadenza_tui.credentials.secret import Secret  # noqa: PLC0415

    _need_a_person("password", "password_command in the profile, or --password-command")
    with warnings.catch_warnings():
        warnings.simplefilter("error", GetPassWarning)
        try:
            return _checked_password(Secret(getpass(f"Password of {email}: ")), "the password")
        except GetPassWarning:
            raise ConfigError(
                "this terminal would show the password", remedy="give a --password-command instead"
            ) from None


def _need_a_person(what: str, otherwise: str) -> None:
    if sys.stdin is None or not sys.stdin.isatty():
        raise ConfigError(f"there is no terminal to ask for the {what} on", remedy=f"give {otherwise}")


def _checked_email(email: str) -> str:
    name, at, host = email.rpartition("@")
    if not (name and at and host) or not email.isprintable() or " " in email or len(email) > MAX_EMAIL:
        raise ConfigError("that is no e-mail address", remedy="it looks like name@example.com")
    return email


def _checked_password(password: Secret, source: str) -> Secret:
    text = password.reveal()
    if not text:
        raise ConfigError(f"{source} is empty")
    if len(text) > MAX_PASSWORD:
        raise ConfigError(f"{source} is longer than any password ({MAX_PASSWORD:,} characters)")
    return password

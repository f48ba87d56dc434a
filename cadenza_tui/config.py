"""The configuration file: TOML, checked key by key; every error names the file, the line and the key."""

from __future__ import annotations

import re
import shlex
import tomllib
from dataclasses import dataclass, field, fields, replace
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cadenza_tui import paths
from cadenza_tui.errors import ConfigError
from cadenza_tui.feed import address
from cadenza_tui.feed.subscriptions import CROSSED_AFTER_S, ChannelOptions
from cadenza_tui.market.book import DeltaRule, DeltaRules
from cadenza_tui.wire.channels import API_PAGE, PRESETS, Templates

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

MAX_FILE = 1 << 20
MAX_LIST = 128
SERVERS = {
    "prod": "wss://cadenza-ws.algo724.com/connection/websocket",
    "uat": "wss://cadenza-ws-uat.algo724.com/connection/websocket",
}
"""The profiles that need no configuration file, and their servers."""
REST = {
    "prod": "https://cadenza-api.algo724.com",
    "uat": "https://cadenza-api-uat.algo724.com",
}
"""Where the built-in profiles log in."""


@dataclass(frozen=True, slots=True)
class Profile:
    """One server and how to be let in. ``url`` has been checked by ``feed.address``."""

    name: str
    url: str
    token_file: Path | None = None
    token_command: tuple[str, ...] | None = None
    accounts: tuple[str, ...] = ()
    instruments: tuple[str, ...] = ()
    channels: Templates = API_PAGE
    allow_insecure: bool = False
    rest: str | None = None
    """Where to log in; has been checked by ``feed.address``, and has no slash at its end."""
    password_command: tuple[str, ...] | None = None
    ca_file: Path | None = None
    """Whose certificates are trusted, instead of the system's authorities."""
    ca_where: str = field(default="", repr=False)
    """File, line and key that name ``ca_file``, for an error."""
    channel_options: ChannelOptions = field(default_factory=ChannelOptions)
    delta_updates: DeltaRules = field(default_factory=DeltaRules)
    """What a book's DELTA means at each venue: see ``market.book.DeltaRule``."""


def _built_in() -> dict[str, Profile]:
    return {name: Profile(name, url, rest=REST[name]) for name, url in SERVERS.items()}


@dataclass(frozen=True, slots=True)
class Config:
    """What the file says; ``path`` is where it was looked for, ``exists`` whether it was there."""

    path: Path
    exists: bool = False
    default_profile: str | None = None
    theme: str | None = None
    bandwidth: float | None = None
    """KiB a second that the screen may take; None leaves it to the program."""
    profiles: Mapping[str, Profile] = field(default_factory=_built_in)
    own: tuple[str, ...] = ()
    """The profiles that the file itself has."""

    @property
    def only_profile(self) -> str | None:
        """The file's profile where it has a single one."""
        return self.own[0] if len(self.own) == 1 else None

    def profile(self, name: str) -> Profile:
        """Return the profile called ``name``; raises ConfigError with the nearest name."""
        try:
            return self.profiles[name]
        except KeyError:
            raise ConfigError(
                f"there is no profile {name!r}", remedy=_nearest(name, self.profiles, "profiles")
            ) from None


_TOP = ("default_profile", "theme", "bandwidth", "profiles")
_PROFILE = (
    "url",
    "token_file",
    "token_command",
    "accounts",
    "instruments",
    "channels",
    "allow_insecure",
    "rest",
    "password_command",
    "ca_file",
    "delta",
    "request_streams",
    "crossed_after",
    "delta_updates",
)
DEFAULT_VENUE = "default"
MAX_CROSSED_S = 3_600
MIN_BANDWIDTH, MAX_BANDWIDTH = 0.5, 1_000_000.0
"""KiB a second: less than this shows nothing in time, more is no limit."""
AUTO_BANDWIDTH = "auto"
_CHANNELS = tuple(each.name for each in fields(Templates))


def load(path: Path | None = None, environ: Mapping[str, str] | None = None) -> Config:
    """Read the configuration.

    ``path`` is one that the user named, and must exist; without it ``CADENZA_CONFIG`` or the system's own
    place is looked at, where no file is no error. Raises ConfigError.
    """
    named = path is not None
    if path is None:
        path = paths.config_file() if environ is None else paths.config_file(environ)
    try:
        with path.open("rb") as file:
            raw = file.read(MAX_FILE + 1)
    except FileNotFoundError:
        if named:
            raise ConfigError(f"{path}: there is no such file") from None
        return Config(path)
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}") from None
    if len(raw) > MAX_FILE:
        raise ConfigError(f"{path}: larger than {MAX_FILE:,} bytes, which no configuration is")
    try:
        text = raw.decode()
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise ConfigError(f"{path}:{line}: not UTF-8", remedy="save the file as UTF-8") from None
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(*_syntax(path, text, error)) from None
    except ValueError:  # out of int(), which has a limit of its own
        raise ConfigError(f"{path}: not TOML: a number of too many digits") from None
    except RecursionError:
        raise ConfigError(f"{path}: nested too deeply") from None
    return _Reader(path, text).config(document)


def _syntax(path: Path, text: str, error: tomllib.TOMLDecodeError) -> tuple[str]:
    message = str(error)
    place = re.search(r" \(at (?:line (\d+), column (\d+)|end of document)\)$", message)
    if place is None:
        return (f"{path}: not TOML: {message}",)
    line = place[1] or str(len(text.rstrip().splitlines()) or 1)
    return (f"{path}:{line}: not TOML: {message[: place.start()].lower()}",)


def _nearest(word: str, known: Iterable[str], what: str) -> str:
    known = list(known)
    near = get_close_matches(word, known, n=1, cutoff=0.6)
    return f"did you mean {near[0]!r}?" if near else f"known {what}: {', '.join(known)}"


_KEY = re.compile(
    r"""\s*((?:[A-Za-z0-9_-]+|"[^"]*"|'[^']*')(?:\s*\.\s*(?:[A-Za-z0-9_-]+|"[^"]*"|'[^']*'))*)\s*="""
)
_TABLE = re.compile(r"""\s*\[\[?\s*([^\]]+?)\s*\]""")
_PART = re.compile(r"""[A-Za-z0-9_-]+|"[^"]*"|'[^']*'""")


def _parts(dotted: str) -> tuple[str, ...]:
    return tuple(part.strip("\"'") for part in _PART.findall(dotted))


class _Reader:
    def __init__(self, path: Path, text: str) -> None:
        self._path = path
        self._lines = text.splitlines()

    def config(self, document: dict[str, Any]) -> Config:
        self._known(document, _TOP, (), "the configuration")
        profiles = _built_in()
        tables = document.get("profiles", {})
        if not isinstance(tables, dict):
            raise self._wrong(("profiles",), "a table of profiles", tables)
        for name, table in tables.items():
            profiles[name] = self._profile(name, table, profiles.get(name))
        default = self._text(document, "default_profile", ())
        if default is not None and default not in profiles:
            raise self._error(
                ("default_profile",),
                f"there is no profile {default!r}",
                _nearest(default, profiles, "profiles"),
            )
        theme = self._text(document, "theme", ())
        bandwidth = self._bandwidth(document)
        return Config(self._path, True, default, theme, bandwidth, profiles, tuple(tables))

    def _bandwidth(self, document: dict[str, Any]) -> float | None:
        value, where = document.get("bandwidth", AUTO_BANDWIDTH), ("bandwidth",)
        if value == AUTO_BANDWIDTH:
            return None
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise self._wrong(where, f"'{AUTO_BANDWIDTH}' or a number of KiB a second", value)
        if not MIN_BANDWIDTH <= value <= MAX_BANDWIDTH:
            sentence = f"must be {MIN_BANDWIDTH:g} to {MAX_BANDWIDTH:,.0f} KiB a second"
            raise self._error(where, sentence, None)
        return float(value)

    def _profile(self, name: str, table: Any, base: Profile | None) -> Profile:
        at = ("profiles", name)
        if not isinstance(table, dict):
            raise self._wrong(at, "a table", table)
        self._known(table, _PROFILE, at, "a profile")
        insecure = table.get("allow_insecure", False)
        if not isinstance(insecure, bool):
            raise self._wrong((*at, "allow_insecure"), "true or false", insecure)
        url = self._text(table, "url", at)
        if url is None:
            if base is None:
                raise self._error(at, "a profile needs a url", f'add url = "{SERVERS["prod"]}"')
            url = base.url
        address.check(url, allow_insecure=insecure, where=self._where((*at, "url")))
        file = self._file(table, "token_file", at)
        command = self._command(table, "token_command", at)
        ca_file = self._file(table, "ca_file", at)
        if file is not None and command is not None:
            raise self._error((*at, "token_command"), "token_file and token_command exclude each other", None)
        return Profile(
            name,
            url,
            file,
            command,
            self._list(table, "accounts", at),
            self._list(table, "instruments", at, needs=":"),
            self._channels(table, at),
            insecure,
            rest=self._rest(table, at, base if base is not None and base.url == url else None, insecure),
            password_command=self._command(table, "password_command", at),
            ca_file=ca_file,
            ca_where="" if ca_file is None else self._where((*at, "ca_file")),
            channel_options=ChannelOptions(
                delta=self._flag(table, "delta", at),
                request_streams=self._flag(table, "request_streams", at),
                crossed_after_s=self._crossed_after(table, at),
            ),
            delta_updates=self._delta_updates(table, at),
        )

    def _flag(self, table: dict[str, Any], key: str, at: tuple[str, ...]) -> bool:
        value = table.get(key, False)
        if not isinstance(value, bool):
            raise self._wrong((*at, key), "true or false", value)
        return value

    def _crossed_after(self, table: dict[str, Any], at: tuple[str, ...]) -> float:
        value, where = table.get("crossed_after", CROSSED_AFTER_S), (*at, "crossed_after")
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise self._wrong(where, "a number of seconds", value)
        if not 0 < value <= MAX_CROSSED_S:
            raise self._error(where, f"must be above 0 and at most {MAX_CROSSED_S:,} seconds", None)
        return float(value)

    def _delta_updates(self, table: dict[str, Any], at: tuple[str, ...]) -> DeltaRules:
        """Return the rule of each venue that the table names; ``default`` is that of all others."""
        value, where = table.get("delta_updates", {}), (*at, "delta_updates")
        if not isinstance(value, dict):
            raise self._wrong(where, "a table of venues", value)
        if len(value) > MAX_LIST:
            raise self._error(where, f"has {len(value)} entries, at most {MAX_LIST} are possible", None)
        known = [rule.value for rule in DeltaRule]
        rules: dict[str, DeltaRule] = {}
        for venue in value:
            text = self._text(value, venue, where)
            if text not in known:
                raise self._error(
                    (*where, venue), f"{text!r} is not a rule", _nearest(text or "", known, "rules")
                )
            rules[venue] = DeltaRule(text)
        return DeltaRules(rules.pop(DEFAULT_VENUE, DeltaRule.RESYNC), rules)

    def _rest(
        self, table: dict[str, Any], at: tuple[str, ...], base: Profile | None, insecure: bool
    ) -> str | None:
        """Return where to log in; the built-in place belongs to the built-in server alone."""
        rest = self._text(table, "rest", at)
        if rest is None:
            return None if base is None else base.rest
        return address.check_rest(rest, allow_insecure=insecure, where=self._where((*at, "rest")))

    def _command(self, table: dict[str, Any], key: str, at: tuple[str, ...]) -> tuple[str, ...] | None:
        value = table.get(key)
        if value is None:
            return None
        where = (*at, key)
        if isinstance(value, str):
            try:
                words = shlex.split(value)
            except ValueError as error:
                raise self._error(
                    where, f"cannot be split into words: {error}", "give a list of words"
                ) from None
        elif isinstance(value, list) and all(isinstance(word, str) for word in value):
            words = value
        else:
            raise self._wrong(where, "a text or a list of texts", value)
        if not words or not words[0] or any("\0" in word for word in words):
            raise self._error(where, "names no command", None)
        return tuple(words)

    def _channels(self, table: dict[str, Any], at: tuple[str, ...]) -> Templates:
        value = table.get("channels", "api-page")
        where = (*at, "channels")
        if isinstance(value, str):
            if value not in PRESETS:
                raise self._error(
                    where, f"{value!r} is not a spelling", _nearest(value, PRESETS, "spellings")
                )
            return PRESETS[value]
        if not isinstance(value, dict):
            raise self._wrong(where, "'api-page', 'openapi' or a table of templates", value)
        self._known(value, _CHANNELS, where, "channels")
        texts = {key: text for key in value if (text := self._text(value, key, where)) is not None}
        try:
            return replace(API_PAGE, **texts)
        except ValueError as error:
            raise self._error(where, str(error), None) from None

    def _text(self, table: dict[str, Any], key: str, at: tuple[str, ...]) -> str | None:
        value = table.get(key)
        if value is None:
            return None
        if not isinstance(value, str):
            raise self._wrong((*at, key), "a text", value)
        if not value or not value.isprintable():
            raise self._error((*at, key), "is empty or has control characters", None)
        return value

    def _file(self, table: dict[str, Any], key: str, at: tuple[str, ...]) -> Path | None:
        """Return a file's path; one that is not absolute begins where the configuration is."""
        named = self._text(table, key, at)
        try:
            return None if named is None else self._path.parent / Path(named).expanduser()
        except RuntimeError:
            raise self._error((*at, key), f"{named!r} has no home directory", "write the path out") from None

    def _list(self, table: dict[str, Any], key: str, at: tuple[str, ...], needs: str = "") -> tuple[str, ...]:
        value = table.get(key, [])
        where = (*at, key)
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise self._wrong(where, "a list of texts", value)
        if len(value) > MAX_LIST:
            raise self._error(where, f"has {len(value)} entries, at most {MAX_LIST} are possible", None)
        for item in value:
            if not item or not item.isprintable() or needs not in item:
                raise self._error(
                    where,
                    f"{item!r} is not one",
                    "an instrument is VENUE:BASE/QUOTE, as in BINANCE:BTC/USDT" if needs else None,
                )
        return tuple(dict.fromkeys(value))

    def _known(self, table: dict[str, Any], keys: tuple[str, ...], at: tuple[str, ...], what: str) -> None:
        for key in table:
            if key not in keys:
                raise self._error((*at, key), f"is not a key of {what}", _nearest(key, keys, "keys"))

    def _wrong(self, at: tuple[str, ...], wanted: str, value: object) -> ConfigError:
        kinds = {bool: "true or false", int: "a number", float: "a number", str: "a text"}
        kinds |= {list: "a list", dict: "a table"}
        return self._error(at, f"must be {wanted}, is {kinds.get(type(value), 'a date or time')}", None)

    def _error(self, at: tuple[str, ...], sentence: str, remedy: str | None) -> ConfigError:
        return ConfigError(f"{self._where(at)} {sentence}", remedy=remedy)

    def _where(self, at: tuple[str, ...]) -> str:
        line = self._line(at)
        dotted = ".".join(part if part.isprintable() else repr(part) for part in at)
        return f"{self._path}:{line}: {dotted}" if line else f"{self._path}: {dotted}"

    def _line(self, at: tuple[str, ...]) -> int | None:
        """Return the line on which the key, or the nearest table around it, is written."""
        table: tuple[str, ...] = ()
        best: tuple[int, int] | None = None
        for number, line in enumerate(self._lines, 1):
            if header := _TABLE.match(line):
                table = written = _parts(header[1])
            elif key := _KEY.match(line):
                written = (*table, *_parts(key[1]))
            else:
                continue
            if at[: len(written)] == written and (best is None or len(written) > best[0]):
                best = (len(written), number)
        return best[1] if best else None

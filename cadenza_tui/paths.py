"""Where things live on this system."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from cadenza_tui.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping

APP = "cadenza-tui"
CONFIG_VARIABLE = "CADENZA_CONFIG"


def config_file(environ: Mapping[str, str] = os.environ) -> Path:
    """Return where the configuration is looked for: ``CADENZA_CONFIG``, else the system's own place.

    Raises ConfigError where it begins with the home of a user that there is none of.
    """
    named = environ.get(CONFIG_VARIABLE)
    if named:
        try:
            return Path(named).expanduser()
        except RuntimeError:
            raise ConfigError(
                f"{CONFIG_VARIABLE}: {named!r} has no home directory", remedy="write the path out"
            ) from None
    from platformdirs import user_config_path  # noqa: PLC0415  # only where the place is not named

    return user_config_path(APP, appauthor=False) / "config.toml"


def logins_folder() -> Path:
    """Return where logins are kept: a folder of the user's state that only the user can enter."""
    from platformdirs import user_state_path  # noqa: PLC0415  # only where a login is looked for

    return user_state_path(APP, appauthor=False) / "logins"


def preferences_file() -> Path:
    """Return where the user's preferences are kept, beside the logins."""
    from platformdirs import user_state_path  # noqa: PLC0415  # only where the monitor is opened

    return user_state_path(APP, appauthor=False) / "preferences.json"

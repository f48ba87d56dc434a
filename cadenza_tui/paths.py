"""Where things live on this system."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

APP = "cadenza-tui"
CONFIG_VARIABLE = "CADENZA_CONFIG"


def config_file(environ: Mapping[str, str] = os.environ) -> Path:
    """Return where the configuration is looked for: ``CADENZA_CONFIG``, else the system's own place."""
    named = environ.get(CONFIG_VARIABLE)
    if named:
        return Path(named).expanduser()
    from platformdirs import user_config_path  # noqa: PLC0415  # only where the place is not named

    return user_config_path(APP, appauthor=False) / "config.toml"


def logins_folder() -> Path:
    """Return where logins are kept: a folder of the user's state that only the user can enter."""
    from platformdirs import user_state_path  # noqa: PLC0415  # only where a login is looked for

    return user_state_path(APP, appauthor=False) / "logins"

"""What every test takes for granted, whatever it is run in: a terminal's environment in UTF-8."""

from __future__ import annotations

import os

for _name in [name for name in os.environ if name.startswith("LC_")]:
    del os.environ[_name]
os.environ["LANG"] = "C.UTF-8"

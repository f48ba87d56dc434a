"""What every test takes for granted, whatever it is run in: a terminal's environment in UTF-8, signals that work."""

from __future__ import annotations

import os
import signal

for _name in [name for name in os.environ if name.startswith("LC_")]:
    del os.environ[_name]
os.environ["LANG"] = "C.UTF-8"
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # as a shell has it for what runs in its background
    signal.signal(signal.SIGINT, signal.default_int_handler)

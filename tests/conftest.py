"""What every test takes for granted, whatever it is run in: UTF-8 in its environment, signals that work."""

from __future__ import annotations

import os
import signal

for _name in [name for name in os.environ if name.startswith("LC_")]:
    del os.environ[_name]
os.environ["LANG"] = "C.UTF-8"
# ``nohup`` and a shell's background have these ignored, and whatever a test starts would have them so, too.
for _number in (signal.SIGINT, signal.SIGHUP):
    if signal.getsignal(_number) is signal.SIG_IGN:
        signal.signal(_number, lambda _number, _frame: None)

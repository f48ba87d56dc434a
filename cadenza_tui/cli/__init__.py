"""The command line. Each command imports what it needs when it runs: see ``group`` for how they are found."""

from __future__ import annotations

from cadenza_tui.cli.balances import balances
from cadenza_tui.cli.demo import demo
from cadenza_tui.cli.doctor import doctor
from cadenza_tui.cli.group import cli
from cadenza_tui.cli.login import login, logout
from cadenza_tui.cli.monitor import monitor
from cadenza_tui.cli.orders import orders
from cadenza_tui.cli.positions import positions
from cadenza_tui.cli.replay import replay
from cadenza_tui.cli.simulate import simulate
from cadenza_tui.cli.stream import stream

for _command in (monitor, demo, login, logout, simulate, replay, stream, balances, positions, orders, doctor):
    cli.add_command(_command)

__all__ = ["cli"]

"""cadenza-tui: the terminal market monitor for the Cadenza trading platform."""

__version__ = "0.1.0"

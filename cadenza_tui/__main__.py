"""``python -m cadenza_tui`` and the ``cadenza-tui`` script."""

from __future__ import annotations

import sys

INTERRUPTED = 130


def main() -> None:
    """Run the command line and exit with its code."""
    try:
        from cadenza_tui.cli import cli  # noqa: PLC0415  # inside, so that ctrl+c during it is quiet too

        cli(prog_name="cadenza-tui")
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)


if __name__ == "__main__":
    main()

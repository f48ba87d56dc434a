"""``python -m cadenza_tui`` and the ``cadenza-tui`` script."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command line and exit with its code."""
    from cadenza_tui.cli import cli  # noqa: PLC0415  # an import here, so that ctrl+c during it is quiet too

    cli(prog_name="cadenza-tui")


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(130)

"""The house: which rooms may import which, and that each room opens by itself."""

from __future__ import annotations

import pkgutil
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import cadenza_tui

ROOT = Path(cadenza_tui.__file__).resolve().parent.parent
MODULES = sorted(
    name
    for _, name, _ in pkgutil.walk_packages([str(ROOT / "cadenza_tui")], prefix="cadenza_tui.")
    if not name.endswith("__main__")
)
PURE = ("cadenza_tui.wire", "cadenza_tui.market", "cadenza_tui.view")


def test_imports_run_downward_only() -> None:
    """The import contracts hold."""
    linter = Path(sys.executable).with_name("lint-imports")
    if not linter.exists() and shutil.which("lint-imports") is None:
        pytest.skip("import-linter is not installed")
    done = subprocess.run(
        [str(linter) if linter.exists() else "lint-imports", "--no-cache"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout


def test_each_module_opens_by_itself() -> None:
    """No module leans on another having been imported before it."""
    program = (
        "import importlib, sys\n"
        "for name in sys.argv[1:]:\n"
        "    for loaded in [m for m in sys.modules if m.startswith('cadenza_tui')]:\n"
        "        del sys.modules[loaded]\n"
        "    importlib.import_module(name)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, *MODULES], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_the_pure_rooms_know_no_event_loop_and_no_screen() -> None:
    """Importing wire, market and view loads neither asyncio nor websockets nor Textual."""
    pure = [name for name in MODULES if name.startswith(PURE)]
    program = (
        "import importlib, sys\n"
        "for name in sys.argv[1:]: importlib.import_module(name)\n"
        "print(*sorted({'asyncio', 'websockets', 'textual', 'rich'} & set(sys.modules)))\n"
    )
    done = subprocess.run([sys.executable, "-c", program, *pure], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""

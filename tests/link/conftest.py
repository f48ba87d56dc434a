"""These tests take their time and little of a processor: begun first, they run beside all the others."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pytest

HERE = Path(__file__).parent
if not Path("/proc/self/stat").exists():  # memory and processors are asked there
    collect_ignore_glob = ["test_*.py"]


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Put them before the others where workers share the tests: none is then left to the end."""
    if hasattr(config, "workerinput"):
        items.sort(key=lambda item: item.path.parent != HERE)

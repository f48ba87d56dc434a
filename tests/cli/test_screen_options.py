"""What a screen begins with and how much of the link it may use: from the command line, else the file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner

import cadenza_tui.ui.app
from cadenza_tui.cli.monitor import open_monitor
from cadenza_tui.cli.options import screen_options
from cadenza_tui.config import Config
from cadenza_tui.market.state import Market
from cadenza_tui.ui.bandwidth import Bandwidth


@click.command()
@screen_options
def shown(bandwidth: float | None, view: str | None) -> None:
    """Say what was chosen."""
    click.echo(f"{bandwidth} {view}")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "None None"),
        (["--bandwidth", "auto"], "0.0 None"),
        (["--bandwidth", "2.5", "--view", "depth"], "2.5 depth"),
    ],
)
def test_the_choices_are_read(arguments: list[str], said: str) -> None:
    """A number of KiB a second, or auto; a view."""
    assert CliRunner().invoke(shown, arguments).output == f"{said}\n"


@pytest.mark.parametrize("word", ["fast", "0", "-1", "nan", "inf", "2000000"])
def test_what_is_no_bandwidth_is_refused_with_what_is(word: str) -> None:
    """One learns what to give instead."""
    result = CliRunner().invoke(shown, ["--bandwidth", word])
    assert result.exit_code == 2
    assert "KiB a second, or auto" in result.output


@pytest.mark.parametrize(
    ("given", "configured", "chosen"),
    [(None, None, None), (None, 8.0, 8.0), (2.0, 8.0, 2.0), (0.0, 8.0, None)],
)
def test_the_command_line_comes_before_the_file(
    given: float | None, configured: float | None, chosen: float | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And auto on the command line takes a number in the file back."""
    seen: dict[str, Any] = {}
    monkeypatch.setattr(
        cadenza_tui.ui.app, "run_monitor", lambda _source, **options: seen.update(options) or 0
    )
    source: Any = type("Source", (), {"market": Market()})()
    config = Config(Path("config.toml"), bandwidth=configured)
    assert open_monitor(source, config, trace=None, bandwidth=given, view="account") == 0
    assert seen["bandwidth"] == Bandwidth(chosen)
    assert seen["view"] == "account"

"""``cadenza-tui doctor``: what stands between a person and a live screen, one line each."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cadenza_tui.cli.account_options import EXIT_CODES_HELP
from cadenza_tui.cli.options import PROFILE_VARIABLE, choose, complete_profile, profile_trust
from cadenza_tui.errors import FAILED, UNAUTHORISED, UNREACHABLE, UNUSABLE, ConfigError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cadenza_tui.doctor.finding import Finding
    from cadenza_tui.doctor.subject import Subject, Target


@click.command(epilog=EXIT_CODES_HELP)
@click.option(
    "--profile",
    metavar="P",
    envvar=PROFILE_VARIABLE,
    shell_complete=complete_profile,
    help="Profile of the configuration; prod and uat are built in.",
)
@click.option("--url", metavar="U", help="WebSocket URL, instead of a profile's.")
@click.option(
    "--config",
    "config_file",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Configuration file, instead of the usual one or CADENZA_CONFIG.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.pass_context
def doctor(
    ctx: click.Context, *, profile: str | None, url: str | None, config_file: Path | None, as_json: bool
) -> None:
    """Check the configuration, the token, the way to the server, the server and the terminal.

    One line each, with a remedy where something is not as it should be; the token itself is never shown.
    Exits with the code of the first check that fails. What needs a check that failed is skipped.
    """
    from cadenza_tui.doctor.subject import Subject  # noqa: PLC0415  # heavy for a --help

    subject = Subject(lambda: _target(profile, url, config_file))
    findings = asyncio.run(_examine(subject, as_json=as_json))
    ctx.exit(_exit_code(findings, subject))


def _exit_code(findings: Sequence[Finding], subject: Subject) -> int:
    """Return what a script can tell from: the code of the first failure, as the other commands have it."""
    from cadenza_tui.doctor import local, network, server  # noqa: PLC0415  # heavy for a --help
    from cadenza_tui.doctor.finding import Outcome  # noqa: PLC0415

    first = next((finding.name for finding in findings if finding.outcome is Outcome.FAIL), None)
    if first is None:
        return 0
    if first == server.CONNECT and subject.probe is not None and subject.probe.unauthorised:
        return UNAUTHORISED
    codes = {local.CONFIGURATION: UNUSABLE, local.TOKEN: UNAUTHORISED}
    codes |= dict.fromkeys((network.NAME, network.TCP, network.TLS, server.CONNECT), UNREACHABLE)
    return codes.get(first, FAILED)


def _target(profile: str | None, url: str | None, config_file: Path | None) -> Target:
    """Return what the command line and the configuration mean; raises ConfigError."""
    from cadenza_tui.doctor.subject import Target  # noqa: PLC0415  # heavy for a --help

    choice = choose(profile, url, config_file)
    if choice is None:
        raise ConfigError(
            "nothing says which server to connect to",
            remedy="give --profile prod or --url, or set default_profile in the configuration",
        )
    trust = profile_trust(choice.profile)
    return Target(
        label=f"profile {choice.profile.name}" if choice.named else "the URL alone",
        url=choice.url,
        config=choice.config.path,
        config_exists=choice.config.exists,
        templates=choice.profile.channels,
        instruments=choice.profile.instruments,
        trust=trust,
        token=lambda: choice.token_source(trust),
        token_needed=url is None,
        how=choice.how,
    )


async def _examine(subject: Subject, *, as_json: bool) -> list[Finding]:
    import msgspec  # noqa: PLC0415  # heavy for a --help

    from cadenza_tui.cli.paper import paper_of  # noqa: PLC0415
    from cadenza_tui.doctor.examination import checks, examine  # noqa: PLC0415
    from cadenza_tui.doctor.report import Report, to_object  # noqa: PLC0415
    from cadenza_tui.view.glyphs import Glyphs  # noqa: PLC0415

    paper = paper_of(sys.stdout, os.environ)
    report = Report(colour=paper.colour, unicode=paper.glyphs is not Glyphs.ASCII, width=paper.width)
    findings: list[Finding] = []
    async for finding in examine(subject, checks(os.environ)):
        findings.append(finding)
        if as_json:
            continue
        if len(findings) == 1:
            for line in report.heading(["cadenza-tui doctor", *filter(None, _named(subject))]):
                _print(line)
            _print("")
        for line in report.lines(finding):
            _print(line)
    if as_json:
        label, url = _named(subject)
        _print(msgspec.json.encode(to_object(label, url, findings)).decode())
    else:
        _print("")
        _print(report.summary(findings))
    return findings


def _named(subject: Subject) -> tuple[str, str]:
    from cadenza_tui.feed import address  # noqa: PLC0415  # heavy for a --help

    target = subject.found
    return ("", "") if target is None else (target.label, address.shown(target.url))


def _print(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()

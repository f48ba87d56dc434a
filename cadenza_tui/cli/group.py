"""The group of commands: routes to ``monitor`` what is no other command, and ends every command decently."""

from __future__ import annotations

import errno
import os
import sys
from contextlib import suppress
from difflib import get_close_matches
from typing import IO, TYPE_CHECKING, Any

import click

from cadenza_tui import __version__
from cadenza_tui.errors import CadenzaError

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

MONITOR = "monitor"
INTERRUPTED = 130


class Failure(click.ClickException):
    """A CadenzaError as click shows it: one sentence on stderr, then the remedy."""

    def __init__(self, error: CadenzaError) -> None:
        super().__init__(str(error))
        vars(self)["exit_code"] = error.exit_code
        self.remedy = error.remedy

    def show(self, file: IO[Any] | None = None) -> None:
        """Print the sentence and the remedy; what came from outside cannot move the cursor."""
        click.echo(f"cadenza-tui: {_plain(self.message)}", file=file, err=file is None)
        if self.remedy:
            click.echo(f"  {_plain(self.remedy)}", file=file, err=file is None)


def _plain(text: str) -> str:
    return "".join(character if character.isprintable() else " " for character in text)


class MonitorGroup(click.Group):
    """``monitor`` is what is meant when the first word names no command."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Put ``monitor`` in front of instruments and of the monitor's options."""
        completing_first_word = ctx.resilient_parsing and not args
        if not completing_first_word and (not args or self._is_for_monitor(args[0])):
            args = [MONITOR, *args]
        return super().parse_args(ctx, args)

    def _is_for_monitor(self, word: str) -> bool:
        return word not in self.commands and word not in {"--help", "--version"}

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; turn what ends it into an exit code and at most a sentence."""
        try:
            return super().invoke(ctx)
        except CadenzaError as error:
            raise Failure(error) from None
        except KeyboardInterrupt:
            ctx.exit(INTERRUPTED)
        except OSError as error:
            if error.errno != errno.EPIPE:
                raise
            let_go_of_stdout()
            ctx.exit(0)

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the commands in the order of their use."""
        return [name for name in self.commands if name != MONITOR]

    def format_usage(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write both forms."""
        formatter.write_usage(ctx.command_path, "[INSTRUMENT…] [OPTIONS]")
        formatter.write_usage(ctx.command_path, "COMMAND [ARGUMENTS] [OPTIONS]", "   or: ")

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the monitor's options, which are those without a command, and the commands."""
        records = [
            record
            for parameter in (*self.commands[MONITOR].get_params(ctx), *self.get_params(ctx))
            if (record := parameter.get_help_record(ctx)) is not None
        ]
        with formatter.section("Options"):
            formatter.write_dl(list(dict(records).items()))
        self.format_commands(ctx, formatter)

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Complete commands, and what the monitor takes."""
        monitor = self.commands[MONITOR]
        items = super().shell_complete(ctx, incomplete)
        with click.Context(monitor, parent=ctx, info_name=MONITOR, resilient_parsing=True) as context:
            items += monitor.shell_complete(context, incomplete)
            for parameter in monitor.params:
                if isinstance(parameter, click.Argument) and not incomplete.startswith("-"):
                    items += parameter.shell_complete(context, incomplete)
        return list({item.value: item for item in reversed(items)}.values())[::-1]


def let_go_of_stdout() -> None:
    """Nobody reads stdout any more: what is still buffered goes nowhere instead of failing at exit."""
    with suppress(OSError):
        sys.stdout.flush()
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)


def misspelt_command(word: str, ctx: click.Context) -> str | None:
    """Return the command that ``word`` nearly is."""
    group = ctx.find_root().command
    names = group.list_commands(ctx) if isinstance(group, click.Group) else []
    near = get_close_matches(word.lower(), names, n=1, cutoff=0.6)
    return near[0] if near else None


@click.group(
    cls=MonitorGroup,
    context_settings={"help_option_names": ["--help"], "max_content_width": 100},
    epilog='Completion: eval "$(_CADENZA_TUI_COMPLETE=bash_source cadenza-tui)", or zsh_source, fish_source.',
)
@click.version_option(__version__, prog_name="cadenza-tui", message="%(prog)s %(version)s")
def cli() -> None:
    """Watch markets and balances on the Cadenza trading platform.

    Without a command the monitor opens on the live server.  `cadenza-tui demo` needs no account.
    """

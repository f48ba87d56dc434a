"""``cadenza-tui simulate``: the simulator alone, or beside a Centrifugo that it publishes into."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from cadenza_tui.cli.options import trace_option
from cadenza_tui.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable

KEY_VARIABLE = "CENTRIFUGO_API_KEY"
SECRET_VARIABLE = "CENTRIFUGO_CLIENT_TOKEN_HMAC_SECRET_KEY"  # noqa: S105  # as Centrifugo itself reads it
MAX_KEY = 4_096

Decorated = TypeVar("Decorated", bound="Callable[..., Any]")


def market_options(command: Decorated) -> Decorated:
    """Take what the simulated market is like."""
    for option in (
        click.option("--instruments", type=click.IntRange(1), metavar="N", help="How many instruments."),
        click.option(
            "--rate", type=float, metavar="R", help="Book updates a second, all instruments together."
        ),
        click.option("--seed", type=int, metavar="N", help="The same seed gives the same market."),
    ):
        command = option(command)
    return command


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, metavar="H", help="Address to listen on.")
@click.option(
    "--port",
    type=click.IntRange(0, 65_535),
    default=0,
    metavar="P",
    help="Port to listen on; 0 is any free one.",
)
@market_options
@click.option(
    "--prints",
    type=float,
    metavar="R",
    help="Prints a second, all instruments together; as many as the market makes by itself else.",
)
@click.option("--secret", metavar="S", help="Key of the tokens (HS256); a random one else.")
@click.option(
    "--publish-to",
    metavar="URL",
    help="Publish into the Centrifugo at this address, as in http://127.0.0.1:8000, and serve only its RPC "
    f"proxy. Its secret, by {SECRET_VARIABLE} or --secret, signs the token.",
)
@click.option(
    "--api-key-file",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help=f"Holds the key of its HTTP API; {KEY_VARIABLE} in the environment may hold it, too.",
)
@click.option(
    "--api-key",
    metavar="K",
    help="The key itself. Every user of this machine sees it in the list of processes: prefer the others.",
)
@click.option(
    "--rpc-port",
    type=click.IntRange(0, 65_535),
    default=0,
    metavar="P",
    help="Port of the RPC proxy, at /rpc; 0 is any free one.",
)
@click.option("--until-stdin-closes", is_flag=True, hidden=True)
@trace_option
def simulate(
    *,
    host: str,
    port: int,
    seed: int | None,
    rate: float | None,
    instruments: int | None,
    prints: float | None,
    secret: str | None,
    publish_to: str | None,
    api_key_file: Path | None,
    api_key: str | None,
    rpc_port: int,
    until_stdin_closes: bool,
    trace: Path | None,
) -> None:
    """Serve a simulated market over the real wire, until SIGINT or SIGTERM.

    When it is ready it prints {"url":…,"token":…,"rest":…} as one line; one logs in at "rest" as
    demo@example.com with the password demo.

    With --publish-to the market goes into a real Centrifugo instead, which needs the namespaces market and
    tradingAccount, and the line is {"rpc":…,"url":…,"token":…}: "rpc" is for its rpc.proxy.endpoint.
    """
    from cadenza_tui.simulator.run import simulate as run  # noqa: PLC0415  # heavy for a --help

    given = {"seed": seed, "rate": rate, "instruments": instruments, "prints": prints, "secret": secret}
    options: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
    if trace is not None:
        _trace_beside(trace)
    if publish_to is None:
        run(host, port, exit_with_stdin=until_stdin_closes, **options)
        return
    from cadenza_tui.simulator.publish import simulate_beside  # noqa: PLC0415

    options.setdefault("secret", os.environ.get(SECRET_VARIABLE) or None)
    simulate_beside(
        _server_address(publish_to),
        _api_key(api_key, api_key_file),
        host=host,
        rpc_port=rpc_port,
        exit_with_stdin=until_stdin_closes,
        **options,
    )


def _server_address(url: str) -> str:
    from cadenza_tui.feed import address  # noqa: PLC0415

    checked = address.check_rest(url, allow_insecure=True, where="--publish-to")
    if checked.startswith("http://") and not address.is_loopback(address.host(checked)):
        raise ConfigError(
            f"--publish-to: http:// to {address.host(checked)} would send the API key unencrypted",
            remedy="use https://",
        )
    return checked


def _api_key(given: str | None, file: Path | None) -> str:
    """Return the key that was given, that of the file or that of the environment, in this order."""
    from cadenza_tui.credentials import files  # noqa: PLC0415

    key = given
    if key is None and file is not None:
        content = files.read_private(file, f"the API key file {file}", MAX_KEY)
        if content is None:
            raise ConfigError(f"--api-key-file: there is no {file}")
        key = content.decode("ascii", "replace").strip()
    if key is None:
        key = os.environ.get(KEY_VARIABLE)
    if not key:
        raise ConfigError(
            "--publish-to needs the key of the server's HTTP API",
            remedy=f"set {KEY_VARIABLE}, or name a file that holds it with --api-key-file",
        )
    if not key.isascii() or not key.isprintable() or " " in key or len(key) > MAX_KEY:
        raise ConfigError("the API key is none: it is one word of ASCII characters")
    return key


def _trace_beside(path: Path) -> None:
    """Write the trace from a thread: the simulator's event loop is its own, and it feeds no market here."""
    import threading  # noqa: PLC0415  # only where a trace is asked for

    from cadenza_tui.feed.trace import INTERVAL_S, Trace  # noqa: PLC0415
    from cadenza_tui.market.state import Market  # noqa: PLC0415

    trace = Trace(path, Market())
    pause = threading.Event()

    def write() -> None:
        while not pause.wait(INTERVAL_S):
            trace.write()

    threading.Thread(target=write, name="trace", daemon=True).start()

"""Checks of the way to the server: its name, its port, its certificate."""

from __future__ import annotations

import asyncio
import socket
import ssl
import time
from contextlib import suppress
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from websockets.proxy import get_proxy
from websockets.uri import parse_uri

from cadenza_tui.doctor.finding import Finding, fail, ok, warn
from cadenza_tui.feed.address import is_loopback
from cadenza_tui.view.numbers import milliseconds
from cadenza_tui.wire.text import clean

if TYPE_CHECKING:
    from cadenza_tui.doctor.subject import Subject

NAME, TCP, TLS = "name", "TCP", "TLS"
SHOWN = 3
"""Addresses that are told."""
EXPIRES_SOON_DAYS = 14
_DAY_S = 86_400


def place(url: str) -> tuple[str, int]:
    """Return host and port."""
    parts = urlsplit(url)
    return parts.hostname or "", parts.port or (443 if parts.scheme == "wss" else 80)


def proxy_for(url: str) -> str:
    """Return the host of the proxy that the environment names for a URL, "" for none."""
    if is_loopback(place(url)[0]):
        return ""
    found = get_proxy(parse_uri(url))
    return "" if found is None else urlsplit(found).hostname or "a proxy"


async def name(subject: Subject) -> Finding:
    """The host's name has addresses."""
    host, port = place(subject.target.url)
    subject.proxied = proxy_for(subject.target.url)
    if subject.proxied:
        return ok(NAME, f"left to the proxy {clean(subject.proxied)}, which the environment names")
    with suppress(ValueError):
        subject.addresses = [str(ip_address(host))]
        return ok(NAME, f"{host} is an address")
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return fail(
            NAME,
            f"{host} cannot be resolved",
            "check the spelling of the URL, and that this machine has a name server and a network",
        )
    subject.addresses = list(dict.fromkeys(str(address[0]) for *_, address in found))
    more = len(subject.addresses) - SHOWN
    shown = ", ".join(subject.addresses[:SHOWN]) + (f" and {more} more" if more > 0 else "")
    return ok(NAME, f"{host} is {shown}")


async def tcp(subject: Subject) -> Finding:
    """Something listens at one of the addresses."""
    host, port = place(subject.target.url)
    if subject.proxied:
        return ok(TCP, f"left to the proxy {clean(subject.proxied)}")
    errors: dict[str, str] = {}
    for address in subject.addresses:
        started = time.perf_counter()
        try:
            async with asyncio.timeout(subject.quickly):
                _, writer = await asyncio.open_connection(address, port)
        except OSError as error:
            errors[address] = _why(error)
            continue
        took = milliseconds((time.perf_counter() - started) * 1_000)
        await _hang_up(writer)
        beside = "; not " + ", ".join(f"{each} ({why})" for each, why in errors.items()) if errors else ""
        return ok(TCP, f"connected to {address} port {port} in {took}{beside}")
    whys = ", ".join(f"{address} port {port} {why}" for address, why in errors.items())
    remedy = "check the URL's port, and that the server runs and no firewall is in between"
    return fail(TCP, whys or f"{host} has no address", remedy)


def _why(error: OSError) -> str:
    match error:
        case TimeoutError():
            return "does not answer in time"
        case ConnectionRefusedError():
            return "refuses: nothing listens there"
        case _:
            return f"cannot be reached: {clean(error.strerror or type(error).__name__)}"


async def _hang_up(writer: asyncio.StreamWriter) -> None:
    writer.close()
    with suppress(OSError, TimeoutError):
        async with asyncio.timeout(1.0):
            await writer.wait_closed()


async def tls(subject: Subject) -> Finding:
    """The server's certificate is trusted, is for this host, and lasts a while yet."""
    target = subject.target
    host, port = place(target.url)
    if not target.url.startswith("wss:"):
        if is_loopback(host):
            return ok(TLS, "none: ws:// stays on this machine")
        return warn(TLS, "none: the token goes over the link unencrypted", "use wss://")
    if subject.proxied:
        return ok(TLS, "not looked at: the proxy is in between; connect tells whether it works")
    context = target.trust or ssl.create_default_context()
    try:
        async with asyncio.timeout(subject.quickly):
            _, writer = await asyncio.open_connection(
                subject.addresses[0], port, ssl=context, server_hostname=host
            )
    except ssl.SSLCertVerificationError as error:
        why = clean(error.verify_message, 120)
        remedy = (
            "if the server's authority is one of your own, name its file as ca_file in the profile; "
            "else look at this machine's clock, and ask who runs the server"
        )
        return fail(TLS, f"the certificate of {host} is not trusted: {why}", remedy)
    except ssl.SSLError as error:
        why = clean(error.reason or "unknown reason", 120)
        return fail(TLS, f"{host} could not agree on TLS: {why}", "check the URL: is it ws:// on that port?")
    except OSError as error:
        return fail(TLS, f"{host} {_why(error)}", "check that the server speaks TLS on that port")
    connection: ssl.SSLObject = writer.get_extra_info("ssl_object")
    certificate: dict[str, Any] = connection.getpeercert() or {}
    version = connection.version() or "an unknown version"
    await _hang_up(writer)
    until = ssl.cert_time_to_seconds(certificate["notAfter"])
    days = int((until - subject.clock()) // _DAY_S)
    sentence = (
        f"{version}; certificate by {_issuer(certificate)}, "
        f"valid until {time.strftime('%Y-%m-%d', time.gmtime(until))} ({days:,} d)"
    )
    if days < EXPIRES_SOON_DAYS:
        return warn(TLS, sentence, "tell who runs the server that its certificate ends soon")
    return ok(TLS, sentence)


def _issuer(certificate: dict[str, Any]) -> str:
    names = {key: value for part in certificate.get("issuer", ()) for key, value in part}
    return clean(names.get("organizationName") or names.get("commonName") or "an unnamed authority")

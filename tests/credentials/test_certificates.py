"""Whose certificates are trusted: on real TLS servers, for the WebSocket and for REST alike."""

from __future__ import annotations

import asyncio
import ssl
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
import trustme
from websockets.asyncio.server import serve

from cadenza_tui.centrifugo.dial import DialFailed, dial
from cadenza_tui.centrifugo.options import Options
from cadenza_tui.credentials.certificates import MAX_FILE, context
from cadenza_tui.credentials.rest import Rest, Unreachable
from cadenza_tui.credentials.secret import Secret
from cadenza_tui.errors import ConfigError

from .support import always, make, response, scripted

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from websockets.asyncio.server import ServerConnection

GRANTED = response(
    200, {"success": True, "data": {"accessToken": make(), "refreshToken": "r", "expiresIn": 3600}}
)


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    """An authority of this test's own."""
    return trustme.CA()


def pem(tmp_path: Path, authority: trustme.CA) -> Path:
    """Write an authority's certificate."""
    path = tmp_path / "ca.pem"
    path.write_bytes(authority.cert_pem.bytes())
    return path


def server_side(certificate: trustme.LeafCert) -> ssl.SSLContext:
    """Return what a server needs."""
    made = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    certificate.configure_cert(made)
    return made


@asynccontextmanager
async def both(certificate: trustme.LeafCert) -> AsyncIterator[tuple[str, str]]:
    """A WebSocket and a REST server with a certificate; gives their addresses."""

    async def stay(connection: ServerConnection) -> None:
        await connection.wait_closed()

    tls = server_side(certificate)
    async with serve(stay, "127.0.0.1", 0, ssl=tls) as server, scripted(always(GRANTED), tls) as rest:
        port = next(iter(server.sockets)).getsockname()[1]
        yield f"wss://127.0.0.1:{port}/", rest


async def refusals(trust: ssl.SSLContext | None, certificate: trustme.LeafCert) -> tuple[str, str]:
    """Return the sentences with which both ways refuse a certificate."""
    async with both(certificate) as (url, rest):
        with pytest.raises(DialFailed) as dialled:
            await dial(url, Options(ssl=trust))
        with pytest.raises(Unreachable) as asked:
            await Rest(rest, trust).login("t@x.example", Secret("hush"))
    return str(dialled.value), str(asked.value)


async def test_an_authority_of_ones_own_is_accepted(tmp_path: Path, authority: trustme.CA) -> None:
    """By the WebSocket and by REST, with one context."""
    trust = context(pem(tmp_path, authority))
    async with both(authority.issue_cert("127.0.0.1")) as (url, rest):
        connection = await dial(url, Options(ssl=trust))
        await connection.close()
        assert (await Rest(rest, trust).login("t@x.example", Secret("x"))).lifetime_s == 3600


async def test_it_is_refused_where_it_is_not_named(authority: trustme.CA) -> None:
    """The system's authorities do not know it."""
    for sentence in await refusals(None, authority.issue_cert("127.0.0.1")):
        assert sentence.startswith("the certificate of 127.0.0.1 is not trusted: ")


async def test_another_authority_is_refused(tmp_path: Path, authority: trustme.CA) -> None:
    """Only the one that is named is trusted."""
    other = trustme.CA()
    for sentence in await refusals(context(pem(tmp_path, other)), authority.issue_cert("127.0.0.1")):
        assert sentence.startswith("the certificate of 127.0.0.1 is not trusted: ")


async def test_a_certificate_of_another_host_is_refused(tmp_path: Path, authority: trustme.CA) -> None:
    """However good it is for that one."""
    for sentence in await refusals(context(pem(tmp_path, authority)), authority.issue_cert("other.example")):
        assert "IP address mismatch" in sentence


async def test_an_expired_certificate_is_refused(tmp_path: Path, authority: trustme.CA) -> None:
    """Its authority notwithstanding."""
    yesterday = datetime.now(UTC) - timedelta(days=1)
    certificate = authority.issue_cert("127.0.0.1", not_after=yesterday)
    for sentence in await refusals(context(pem(tmp_path, authority)), certificate):
        assert "certificate has expired" in sentence


async def test_no_tls_at_the_other_end_is_named() -> None:
    """A server at a https:// address that speaks something else."""

    def speak(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        writer.close()

    async with await asyncio.start_server(speak, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(Unreachable, match="could not agree on TLS"):
            await Rest(f"https://127.0.0.1:{port}").login("t@x.example", Secret("hush"))


@pytest.mark.parametrize("trusted", [True, False])
def test_certificates_and_names_are_always_verified(
    tmp_path: Path, authority: trustme.CA, trusted: bool
) -> None:
    """With a file of one's own as without; and with one the system's authorities are out."""
    made = context(pem(tmp_path, authority) if trusted else None)
    assert (made.verify_mode, made.check_hostname) == (ssl.CERT_REQUIRED, True)
    assert made.minimum_version >= ssl.TLSVersion.TLSv1_2
    if trusted:
        assert len(made.get_ca_certs()) == 1


def test_a_bundle_may_have_several_and_words_between_them(tmp_path: Path, authority: trustme.CA) -> None:
    """As such bundles do."""
    path = tmp_path / "bundle.pem"
    certificates = [authority.cert_pem.bytes(), trustme.CA().cert_pem.bytes()]
    path.write_bytes(b"# ours\r\n" + b"\n# and theirs\n".join(certificates).replace(b"\n", b"\r\n"))
    assert len(context(path).get_ca_certs()) == 2


def test_a_file_that_cannot_be_used_is_named(tmp_path: Path, authority: trustme.CA) -> None:
    """With who named it, the line of what is wrong, and a remedy."""
    good = authority.cert_pem.bytes()
    key = authority.private_key_pem.bytes()
    cases: list[tuple[bytes | None, str]] = [
        (None, "ca.pem: there is no such file"),
        (b"", "ca.pem: has no certificate in PEM form"),
        (b"\x30\x82\x01\x00" * 99, "ca.pem: has no certificate in PEM form"),
        (good + b"-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n", "not a certificate"),
        (good.replace(b"-----END CERTIFICATE-----", b""), "ca.pem:1: not a certificate"),
        (b"\n\n" + good[:200] + b"\x00" + good[200:], "ca.pem:3: not a certificate"),
        (b"\n" + key + good, "ca.pem:2: holds a private key"),
        (good + b"x" * MAX_FILE, "ca.pem: larger than"),
    ]
    for content, says in cases:
        path = tmp_path / "ca.pem"
        if content is not None:
            path.write_bytes(content)
        with pytest.raises(ConfigError) as caught:
            context(path, "config.toml:7: profiles.desk.ca_file")
        assert str(caught.value).startswith(f"config.toml:7: profiles.desk.ca_file: {path}")
        assert says in str(caught.value)
        assert caught.value.remedy


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    """The system's reason is given."""
    with pytest.raises(ConfigError, match="cannot be read: Is a directory"):
        context(tmp_path)

"""Whose certificates are trusted: the system's authorities, or those of a file that a profile names."""

from __future__ import annotations

import re
import ssl
from typing import TYPE_CHECKING

from cadenza_tui.errors import ConfigError

if TYPE_CHECKING:
    from pathlib import Path

MAX_FILE = 4 << 20
"""Bytes; the bundle of all public authorities is a quarter of a megabyte."""

_BLOCK = re.compile(
    rb"-----BEGIN ([A-Z0-9 ]+)-----\r?$(.*?)(?:^-----END \1-----|(?=^-----BEGIN )|\Z)",
    re.MULTILINE | re.DOTALL,
)
_CERTIFICATES = (b"CERTIFICATE", b"X509 CERTIFICATE", b"TRUSTED CERTIFICATE")


def context(ca_file: Path | None, where: str = "") -> ssl.SSLContext:
    """Return what a TLS connection is checked by: certificate, host name and time, in any case.

    With ``ca_file`` (PEM) its authorities alone are trusted, else the system's. ``where`` says in an error
    who named the file. Raises ConfigError with file, line and remedy.
    """
    if ca_file is None:
        return ssl.create_default_context()
    what = f"{where}: {ca_file}" if where else str(ca_file)
    raw = _read(ca_file, what)
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # checks certificates and names, and trusts nobody yet
    made.minimum_version = ssl.TLSVersion.TLSv1_2
    found = False
    for block in _BLOCK.finditer(raw):
        line = raw.count(b"\n", 0, block.start()) + 1
        if b"PRIVATE KEY" in block[1]:
            raise ConfigError(
                f"{what}:{line}: holds a private key, which is nothing to be trusted by",
                remedy="give a file with the authority's certificates alone",
            )
        if block[1] not in _CERTIFICATES:
            continue
        try:
            made.load_verify_locations(cadata=block[0].decode("ascii") + "\n")
        except (ssl.SSLError, ValueError):
            raise ConfigError(
                f"{what}:{line}: not a certificate that can be read",
                remedy=f"check it with: openssl x509 -noout -text -in {ca_file}",
            ) from None
        found = True
    if not found:
        raise ConfigError(
            f"{what}: has no certificate in PEM form",
            remedy="convert it with: openssl x509 -inform der -in FILE -out FILE.pem",
        )
    return made


def _read(path: Path, what: str) -> bytes:
    remedy = "name the PEM file of your certificate authority, or remove ca_file to trust the system's"
    try:
        with path.open("rb") as file:
            raw = file.read(MAX_FILE + 1)
    except FileNotFoundError:
        raise ConfigError(f"{what}: there is no such file", remedy=remedy) from None
    except OSError as error:
        raise ConfigError(f"{what}: cannot be read: {error.strerror}", remedy=remedy) from None
    if len(raw) > MAX_FILE:
        raise ConfigError(f"{what}: larger than {MAX_FILE:,} bytes, which no bundle is", remedy=remedy)
    return raw

"""Identity-Aware Proxy as a process meets it: the address that has its keys, reached by a proxy, and what it signs."""

import base64
import datetime
import hmac
import json
import ssl
import threading
import time
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Literal

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from google.auth import crypt, jwt

from console.identity import ASSERTION
from local.ports import HOST

AUDIENCE = "/projects/123/locations/us-central1/services/console"
KEYS_HOST, KEYS_PATH = "www.gstatic.com", "/iap/verify/public_key"
KEY_ID = "a"
Trouble = Literal["", "refuses", "fails", "nonsense", "is another"]


class Signer:
    """A key, and what Identity-Aware Proxy's header says by it."""

    def __init__(self) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())

    @property
    def public(self) -> str:
        form = serialization.PublicFormat.SubjectPublicKeyInfo
        return self._key.public_key().public_bytes(serialization.Encoding.PEM, form).decode()

    def word(self, key_id: str = KEY_ID, **changes: Any) -> str:
        """A token of ann's, with some of its claims changed."""
        token: bytes = jwt.encode(crypt.EsSigner(self._key, key_id), claims(**changes))
        return token.decode()


def claims(**changes: Any) -> dict[str, Any]:
    """What a header of ann's claims."""
    now = int(time.time())
    issued = {"iss": "https://cloud.google.com/iap", "aud": AUDIENCE, "iat": now, "exp": now + 600}
    return issued | {"email": "ann@example.com"} | changes


def forged(header: Any, secret: str | None = None) -> str:
    """A token of anybody's making: a header of one's own, and HMAC's signature, or none."""
    signed = ".".join(encoded(json.dumps(part).encode()) for part in (header, claims()))
    signature = hmac.digest(secret.encode(), signed.encode(), "sha256") if secret else b""
    return f"{signed}.{encoded(signature)}"


def encoded(part: bytes) -> str:
    return base64.urlsafe_b64encode(part).decode().rstrip("=")


def headers(word: str) -> dict[str, str]:
    return {ASSERTION: word}


class KeysProxy:
    """An HTTP proxy at the end of whose tunnels stands the address with the keys, under a certificate of our own
    authority (`authority`, a file). `trouble` is what it meets people with; `asked` are the addresses asked for.
    """

    def __init__(self, folder: Path, keys: Mapping[str, str]) -> None:
        self.keys, self.trouble, self.asked = keys, "", list[str]()
        self.authority = folder / "authority.pem"
        self._ours, self._another = _context(folder, self.authority), _context(folder, folder / "another.pem")
        self._server = ThreadingHTTPServer((HOST, 0), type("Bound", (_Tunnel,), {"proxy": self}))
        self._server.daemon_threads = True

    @property
    def address(self) -> str:
        return f"http://{HOST}:{self._server.server_port}"

    @property
    def context(self) -> ssl.SSLContext:
        return self._another if self.trouble == "is another" else self._ours

    def __enter__(self) -> "KeysProxy":
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()


class _Tunnel(BaseHTTPRequestHandler):
    proxy: KeysProxy
    protocol_version = "HTTP/1.1"

    def do_CONNECT(self) -> None:
        if self.proxy.trouble == "refuses":
            self.send_error(502)
            return
        self._host = self.path
        self.send_response(200)
        self.end_headers()
        try:
            self.connection = self.proxy.context.wrap_socket(self.connection, server_side=True)
        except OSError:  # who does not trust us hangs up
            self.close_connection = True
            return
        self.rfile, self.wfile = self.connection.makefile("rb"), self.connection.makefile("wb", 0)
        self.handle_one_request()
        self.close_connection = True

    def do_GET(self) -> None:
        self.proxy.asked.append(f"{self._host}{self.path}")
        told = b"<html>" if self.proxy.trouble == "nonsense" else json.dumps(self.proxy.keys).encode()
        self.send_response(500 if self.proxy.trouble == "fails" else 200)
        self.send_header("Content-Length", str(len(told)))
        self.end_headers()
        self.wfile.write(told)

    def log_message(self, *_: object) -> None:
        pass


def _context(folder: Path, authority: Path) -> ssl.SSLContext:
    """The certificate of the host with the keys, by an authority that is written there."""
    signer, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    issuer = _name("the tests' authority")
    root = _certificate(issuer, issuer, signer, signer, x509.BasicConstraints(ca=True, path_length=None))
    leaf = _certificate(_name(KEYS_HOST), issuer, key, signer, x509.SubjectAlternativeName([x509.DNSName(KEYS_HOST)]))
    pem = serialization.Encoding.PEM
    authority.write_bytes(root.public_bytes(pem))
    chain = folder / f"served-{authority.name}"
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    chain.write_bytes(leaf.public_bytes(pem) + private)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(chain)
    return context


def _certificate(
    subject: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePrivateKey,
    signer: ec.EllipticCurvePrivateKey,
    extension: x509.ExtensionType,
) -> x509.Certificate:
    now, day = datetime.datetime.now(datetime.UTC), datetime.timedelta(days=1)
    builder = x509.CertificateBuilder().subject_name(subject).issuer_name(issuer).public_key(key.public_key())
    builder = builder.serial_number(x509.random_serial_number()).not_valid_before(now - day).not_valid_after(now + day)
    return builder.add_extension(extension, critical=True).sign(signer, hashes.SHA256())


def _name(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])

"""TLS for a running local PostgreSQL, which deploy.sh insists on; those who ask for none are served as before."""

import datetime
import ipaddress
import time
from pathlib import Path

import pg8000.native
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from local.ports import HOST
from local.postgres import SUPERUSER


def switch_tls_on(data: Path, port: int, password: str) -> None:
    """Give the server whose data is there a certificate of its own making, and wait until it uses it."""
    _write_certificate(data)
    connection = pg8000.native.Connection(SUPERUSER, host=HOST, port=port, database="postgres", password=password)
    connection.run("ALTER SYSTEM SET ssl = on")
    connection.run("SELECT pg_reload_conf()")
    deadline = time.monotonic() + 20
    while connection.run("SHOW ssl") != [["on"]]:
        assert time.monotonic() < deadline, "PostgreSQL does not switch TLS on"
        time.sleep(0.05)
    connection.close()


def _write_certificate(folder: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, HOST)])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(HOST))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    private = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    (folder / "server.crt").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    (folder / "server.key").touch(mode=0o600)
    (folder / "server.key").write_bytes(key.private_bytes(*private))

"""A throw-away service account: a key file for Application Default Credentials, and its token endpoint.

    python -m local.credentials --port 8085 --key-file key.json

So the product's production path runs on one machine: it signs an assertion with the key and fetches a
bearer token, or an ID token, for it, as it would from https://oauth2.googleapis.com/token.
"""

import json
import os
import secrets
import time
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import parse_qsl

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from google.auth import crypt, jwt
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from local.http import google_app, serve, server_arguments

# https://developers.google.com/identity/protocols/oauth2/service-account#httprest
GRANT_TYPE = "urn:ietf:params:oauth:grant-type:jwt-bearer"
TOKEN_SECONDS = 3600
# Each process that loads a key has it checked for primes: 11 ms, where Google's 2,048 bits take 67 ms. It opens nothing
# but the servers of this machine, while they run.
KEY_BITS = 1024


def address_of(project: str) -> str:
    """The throw-away service account's address."""
    return f"sheet-to-bigquery@{project}.iam.gserviceaccount.com"


def write_key(path: Path, project: str, token_uri: str) -> None:
    """Write a service-account key file for a fresh RSA key, readable by its owner only."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=KEY_BITS)
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    account = {
        "type": "service_account",
        "project_id": project,
        "private_key_id": secrets.token_hex(20),
        "private_key": private.decode(),
        "client_email": address_of(project),
        "client_id": str(secrets.randbelow(10**21)),
        "token_uri": token_uri,
        "universe_domain": "googleapis.com",
    }
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:  # noqa: PTH123
        json.dump(account, file, indent=2)


def public_key(key_file: Path) -> bytes:
    """The PEM of the public half of a key file's key."""
    account = json.loads(key_file.read_text())
    key = serialization.load_pem_private_key(account["private_key"].encode(), password=None)
    return key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)


def identity_token(key_file: Path, audience: str) -> str:
    """An OIDC token of the shape that Google gives a service account for a service's address, valid for an hour.

    https://cloud.google.com/run/docs/authenticating/service-to-service
    """
    account = json.loads(key_file.read_text())
    now = int(time.time())
    claims = {
        "iss": "https://accounts.google.com",
        "aud": audience,
        "sub": account["client_id"],
        "email": account["client_email"],
        "email_verified": True,
        "iat": now,
        "exp": now + TOKEN_SECONDS,
    }
    return jwt.encode(crypt.RSASigner.from_service_account_info(account), claims).decode()


def token_route(key_file: Path) -> Route:
    """POST /token: for an assertion that is signed with the key, a random bearer token; an ID token where it names a
    `target_audience`.
    """
    certificate = public_key(key_file)

    async def token(request: Request) -> Response:
        form = dict(parse_qsl((await request.body()).decode()))
        if form.get("grant_type") != GRANT_TYPE:
            return _refused("unsupported_grant_type", f"grant_type must be {GRANT_TYPE}")
        try:
            assertion = jwt.decode(form.get("assertion", ""), certs=certificate)
        except ValueError:
            return _refused("invalid_grant", "Invalid JWT Signature.")
        if audience := assertion.get("target_audience"):
            return JSONResponse({"id_token": identity_token(key_file, audience)})
        return JSONResponse(
            {"access_token": secrets.token_urlsafe(32), "expires_in": TOKEN_SECONDS, "token_type": "Bearer"}
        )

    return Route("/token", token, methods=["POST"])


def _refused(error: str, description: str) -> Response:
    """https://datatracker.ietf.org/doc/html/rfc6749#section-5.2"""
    return JSONResponse({"error": error, "error_description": description}, status_code=400)


def main(arguments: Sequence[str] | None = None) -> None:
    """Serve until SIGTERM."""
    parser = server_arguments("The token endpoint of a throw-away service account")
    parser.add_argument("--key-file", type=Path, required=True, help="the service account's key file")
    options = parser.parse_args(arguments)
    serve(google_app([token_route(options.key_file)]), options.port)


if __name__ == "__main__":
    main()

"""Google's client libraries, each built once, on first use, and only here: the one place where endpoints differ.

Imports are inside the functions because every execution starts cold and pays for what it imports.
"""

import functools
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from google.api_core.exceptions import GoogleAPIError
from google.auth.exceptions import GoogleAuthError

from shared.errors import CredentialsMissing, InvalidSettings
from shared.settings import Endpoints, read_endpoints

if TYPE_CHECKING:
    from google.auth.credentials import Credentials
    from google.auth.transport.requests import AuthorizedSession
    from google.cloud import bigquery, run_v2
    from google.pubsub_v1 import PublisherClient

_CLOUD = "https://www.googleapis.com/auth/cloud-platform"
_SHEETS = "https://www.googleapis.com/auth/spreadsheets.readonly"
_DRIVE = "https://www.googleapis.com/auth/drive.metadata.readonly"
SCOPES = (_CLOUD, _SHEETS, _DRIVE)
# All that a call can end with in place of an answer; the REST transports raise `requests`' errors, which are OSErrors.
UNANSWERED = (GoogleAPIError, GoogleAuthError, OSError)
# The methods of Sheets and Drive that anything here calls.
_CALLED = ("sheets.spreadsheets.get", "sheets.spreadsheets.values.batchGet", "drive.files.get")
# Seconds without a byte, as the client library has it where it makes the connection.
_LONGEST_SILENCE = 60
# The older service's variable: a service-account key as JSON.
LEGACY_KEY = "google_cloud_hkdreporting"


class Clients:
    """One environment's clients. Thread-safe where the libraries are: the Sheets and Drive services are not."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
        self.endpoints: Endpoints = read_endpoints(environ)

    @functools.cached_property
    def credentials(self) -> "Credentials":
        """Application Default Credentials; the older service's key where that is set and no explicit ADC file is.

        On Cloud Run ADC is always there (the job's identity), so a key that somebody set on purpose goes
        before it. Without any, anonymous where endpoints point elsewhere. Raises `CredentialsMissing`.
        """
        return find_credentials(self._environ, self.endpoints)

    @property
    def identity(self) -> str:
        """The address that spreadsheets are shared with; empty where the credentials do not tell."""
        return getattr(self.credentials, "service_account_email", "") or ""

    def identified(self, audience: str) -> "AuthorizedSession":
        """An HTTP session of its own that says who we are to one service, by an ID token for its address."""
        from google.auth.transport.requests import AuthorizedSession

        return AuthorizedSession(self._identity(audience))

    @functools.cache  # noqa: B019  (lives as long as the process, by intent)
    def bigquery(self, project: str) -> "bigquery.Client":
        """BigQuery, with jobs billed to `project`; BIGQUERY_EMULATOR_HOST is read by the library itself."""
        from google.cloud import bigquery

        return bigquery.Client(project=project, credentials=self.credentials)

    def sheets(self) -> Any:
        """A Sheets v4 service of its own for the calling thread (httplib2 is not thread-safe); answers are bytes."""
        return self._discovered("sheets", "v4", self.endpoints.sheets_api_endpoint)

    def drive(self) -> Any:
        """A Drive v3 service of its own for the calling thread; answers are bytes."""
        return self._discovered("drive", "v3", self.endpoints.drive_api_endpoint)

    @functools.cached_property
    def jobs(self) -> "run_v2.JobsClient":
        from google.cloud import run_v2

        return run_v2.JobsClient(**self._run_options())

    @functools.cached_property
    def executions(self) -> "run_v2.ExecutionsClient":
        from google.cloud import run_v2

        return run_v2.ExecutionsClient(**self._run_options())

    @functools.cache  # noqa: B019  (lives as long as the process, by intent)
    def _identity(self, audience: str) -> "Credentials":
        return find_identity(self._environ, audience)

    @functools.cached_property
    def publisher(self) -> "PublisherClient":
        """Pub/Sub's request-level publisher: a thousand messages a request, no background batching to lose them."""
        from google.pubsub_v1 import PublisherClient

        host = self.endpoints.pubsub_emulator_host
        if host is None:
            return PublisherClient(credentials=self.credentials)
        import grpc
        from google.pubsub_v1.services.publisher.transports import PublisherGrpcTransport

        return PublisherClient(transport=PublisherGrpcTransport(channel=grpc.insecure_channel(host)))

    @functools.cached_property
    def session(self) -> "AuthorizedSession":
        """For what no client library here speaks: Cloud Monitoring."""
        from google.auth.transport.requests import AuthorizedSession

        return AuthorizedSession(self.credentials)

    def _discovered(self, name: str, version: str, endpoint: str | None) -> Any:
        from google_auth_httplib2 import AuthorizedHttp
        from googleapiclient.discovery import build_from_document
        from googleapiclient.discovery_cache import get_static_doc
        from httplib2 import Http

        document = json.loads(get_static_doc(name, version))
        # A sheet may say the same in all its cells: what compresses a hundredfold is no attack of Google's.
        http = Http(timeout=_LONGEST_SILENCE, decode_limit_ratio=0)
        return build_from_document(
            document | _only_called(document),
            http=AuthorizedHttp(self.credentials, http=http),
            client_options={"api_endpoint": endpoint} if endpoint else None,
        )

    def _run_options(self) -> dict[str, Any]:
        endpoint = self.endpoints.run_api_endpoint
        options: dict[str, Any] = {"transport": "rest", "credentials": self.credentials}
        return options | ({"client_options": {"api_endpoint": endpoint}} if endpoint else {})


def find_credentials(environ: Mapping[str, str], endpoints: Endpoints) -> "Credentials":
    """The credentials of this environment, in the order that `Clients.credentials` tells."""
    import google.auth
    from google.auth.credentials import AnonymousCredentials
    from google.auth.exceptions import DefaultCredentialsError

    if environ.get(LEGACY_KEY) and not environ.get("GOOGLE_APPLICATION_CREDENTIALS"):
        from google.oauth2 import service_account

        return _from_key(environ[LEGACY_KEY], service_account.Credentials, scopes=list(SCOPES))
    try:
        credentials, _project = google.auth.default(scopes=list(SCOPES))
    # The others: what the library lets through of a key file that cannot be read, or holds a list.
    except (DefaultCredentialsError, OSError, AttributeError) as error:
        if environ.get("GOOGLE_APPLICATION_CREDENTIALS") or not _points_elsewhere(endpoints):
            raise CredentialsMissing(
                "no usable Google credentials are found",
                "run as a service account, `gcloud auth application-default login`,"
                " or set GOOGLE_APPLICATION_CREDENTIALS to a key file",
            ) from error
        return AnonymousCredentials()
    return credentials


def find_identity(environ: Mapping[str, str], audience: str) -> "Credentials":
    """Credentials whose token is an ID token for `audience`: the key's, or those of Cloud Run's metadata server.

    In the order of `Clients.credentials`. Raises `CredentialsMissing`.
    """
    from google.auth.exceptions import DefaultCredentialsError
    from google.auth.transport.requests import Request
    from google.oauth2 import id_token, service_account

    if environ.get(LEGACY_KEY) and not environ.get("GOOGLE_APPLICATION_CREDENTIALS"):
        return _from_key(environ[LEGACY_KEY], service_account.IDTokenCredentials, target_audience=audience)
    try:
        return id_token.fetch_id_token_credentials(audience, Request())
    except DefaultCredentialsError as error:
        raise CredentialsMissing(
            f"nobody is found who could identify us to {audience}",
            "run as a service account, or set GOOGLE_APPLICATION_CREDENTIALS to a service account's key file",
        ) from error


def _points_elsewhere(endpoints: Endpoints) -> bool:
    return bool(endpoints.sheets_api_endpoint and endpoints.bigquery_emulator_host)


def _from_key(text: str, kind: Any, **options: Any) -> "Credentials":
    try:
        credentials: Credentials = kind.from_service_account_info(json.loads(text), **options)
    except (ValueError, TypeError, AttributeError):  # the library's for JSON that is no object: a list, a text
        # The cause would quote the key.
        raise InvalidSettings(
            f"{LEGACY_KEY} is not a service-account key as JSON", "paste the whole key file into it"
        ) from None
    return credentials


def _only_called(resource: dict[str, Any]) -> dict[str, Any]:
    """The part of a discovery document that describes the methods in `_CALLED`.

    The library writes the documentation of every method and of its answer when a service is built: leaving
    that out saves 0.2 s and 65 MB of every execution (measured). Without a described answer, it gives the bytes.
    """
    methods = {
        name: {key: value for key, value in method.items() if key != "response"}
        for name, method in resource.get("methods", {}).items()
        if method["id"] in _CALLED
    }
    return {
        "methods": methods,
        "resources": {name: _only_called(child) for name, child in resource.get("resources", {}).items()},
    }

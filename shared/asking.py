"""Calls to Google Cloud while a person waits: what they raise, as the product's errors."""

from collections.abc import Iterator
from contextlib import contextmanager

from google.api_core import exceptions
from google.api_core.retry import Retry
from google.auth import exceptions as auth

from shared.errors import CredentialsMissing, InvalidSettings, PermissionMissing, ServiceUnavailable

# A person waits: long enough for a slow answer, short enough to be told of none.
SECONDS = 20
# The clients of BigQuery and Pub/Sub would try again for ten minutes.
BRIEF_RETRY = Retry(timeout=5.0)


@contextmanager
def asking(service: str, *, missing: str, refused: str) -> Iterator[None]:
    """Translates what a call to `service` raises; `missing` and `refused` are the remedies for 404 and 403."""
    try:
        yield
    except exceptions.NotFound as error:
        raise InvalidSettings(f"{service} is not there", missing) from error
    except (exceptions.Forbidden, exceptions.Unauthorized) as error:
        raise PermissionMissing(f"{service}: our identity is refused", refused) from error
    except exceptions.GoogleAPICallError as error:
        # Only the code: messages may quote what they are about.
        raise ServiceUnavailable(f"{service}: no answer ({error.code})", "try again") from error
    except auth.TransportError as error:
        raise ServiceUnavailable(f"{service}: the token server does not answer", "try again") from error
    except auth.GoogleAuthError as error:
        raise CredentialsMissing(
            f"{service}: no access token is to be had ({type(error).__name__})",
            "`gcloud auth application-default login`, or check GOOGLE_APPLICATION_CREDENTIALS",
        ) from error
    except (exceptions.GoogleAPIError, OSError) as error:  # retries used up; connections broken
        raise ServiceUnavailable(
            f"{service} cannot be reached ({type(error).__name__})", "check the network and try again"
        ) from error

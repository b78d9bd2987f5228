"""Calls to Sheets and Drive for one run: paced, retried within a budget, counted."""

import http.client
import random
import time
import zlib
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

import msgspec

from job.errors import QuotaExceeded, ReadTimedOut, SheetsUnavailable
from job.reading.refusals import Subject, translate
from shared import log
from shared.errors import PermissionMissing, SyncError

if TYPE_CHECKING:
    from googleapiclient.http import HttpRequest

Answer = TypeVar("Answer", bound=msgspec.Struct)

_WINDOW = 60.0  # seconds: quotas count per minute
_FIRST_WAIT, _LONGEST_WAIT = 1.0, 32.0
# How long one call's retries may wait altogether: the quota's minute comes round three times.
WAIT_BUDGET = 200.0


class Calls:
    """Sends requests of one run, one after another.

    At most `reads_per_minute` in any minute; what the quota, a failing server or a broken connection stops is
    sent again after growing, jittered waits (cloud.google.com/storage/docs/retry-strategy#exponential-backoff)
    until the call's budget of waiting is used up. `answer_bytes` are those of the last answer, when unpacked.
    """

    def __init__(
        self,
        subject: Subject,
        reads_per_minute: int,
        wait_budget: float = WAIT_BUDGET,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.subject = subject
        self.count = self.answer_bytes = 0
        self.reads = 0  # of them, those that the Sheets quota counts: it refuses what is too many, and counts it not
        self._reads_per_minute = reads_per_minute
        self._wait_budget = wait_budget
        self._clock = clock
        self._sleep = sleep
        self._sent: deque[float] = deque(maxlen=reads_per_minute)

    def send(self, request: "HttpRequest", model: type[Answer], paced: bool = True) -> Answer:
        """The answer, as a `model`. Raises the `SyncError` that the last refusal stands for.

        `paced=False` is for Drive, whose quota is another one, two hundred times as large. A time-out is retried
        once only, and then raised as `ReadTimedOut`: the caller can ask for less.
        """
        request.postproc = _body
        waited, wait, timeouts = 0.0, _FIRST_WAIT, 0
        while True:
            if paced:
                self._keep_pace()
            self.count += 1
            self.reads += paced
            try:
                return self._execute(request, model)
            except SyncError as error:
                self.reads -= paced and isinstance(error, QuotaExceeded)
                timeouts += isinstance(error, ReadTimedOut)
                pause = wait * random.uniform(0.5, 1.5)  # noqa: S311 (jitter, not a secret)
                if not error.retryable or timeouts > 1 or waited + pause > self._wait_budget:
                    raise
                log.warning("retried a read", reason=error.name, seconds=round(pause, 1))
            self._sleep(pause)
            waited, wait = waited + pause, min(2 * wait, _LONGEST_WAIT)

    def _execute(self, request: "HttpRequest", model: type[Answer]) -> Answer:
        import httplib2
        from google.auth import exceptions as auth
        from googleapiclient.errors import HttpError

        who = self.subject.config
        try:
            answer = request.execute()
            self.answer_bytes = len(answer)
            return msgspec.json.decode(answer, type=model)
        except HttpError as error:
            raise translate(error, self.subject) from error
        except TimeoutError as error:
            raise ReadTimedOut(f"{who}: Google did not answer in time", "it is tried again later") from error
        except msgspec.DecodeError as error:  # cut off, or a proxy's page in place of it
            raise SheetsUnavailable(
                f"{who}: Google's answer cannot be read ({type(error).__name__})", "it is tried again later"
            ) from None
        except auth.GoogleAuthError as error:
            if error.retryable or isinstance(error, auth.TransportError):
                raise SheetsUnavailable(
                    f"{who}: no access token could be had now", "it is tried again later"
                ) from error
            raise PermissionMissing(
                f"{who}: no access token can be had ({type(error).__name__})", "check the job's credentials"
            ) from error
        except (OSError, EOFError, zlib.error, http.client.HTTPException, httplib2.HttpLib2Error) as error:
            raise SheetsUnavailable(
                f"{who}: the connection to Google broke ({type(error).__name__})", "it is tried again later"
            ) from error

    def _keep_pace(self) -> None:
        if len(self._sent) == self._reads_per_minute:
            pause = self._sent[0] + _WINDOW - self._clock()
            if pause > 0:
                self._sleep(pause)
        self._sent.append(self._clock())


def _body(_response: object, content: bytes) -> bytes:
    """Instead of the client's own decoding, which makes rows of Python objects of everything."""
    return content

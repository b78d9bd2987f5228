"""What both systems did in a span of time, as the ledger knows it."""

import msgspec


class JobUse(msgspec.Struct, frozen=True):
    """The job's runs of one kind (`why` is shadow, or not) that ended in the span.

    `seconds` are from the claim to the end, by the last attempt; `billed_seconds` the same with a minute at least,
    as Cloud Run bills an execution of a job. `read_seconds` and `load_seconds` are the job's own, where it told them.
    """

    shadow: bool
    runs: int
    succeeded: int
    failed: int
    seconds: float
    billed_seconds: float
    middle_seconds: float
    slow_seconds: float
    read_seconds: float
    load_seconds: float
    bytes_loaded: int


class ServiceUse(msgspec.Struct, frozen=True):
    """The messages that were handed to the older service in the span, and answered; `seconds` until the answer.

    `middle_seconds` is the median, `slow_seconds` what 95 of 100 stay below; so for the job. `unanswered` got no
    definite answer at all.
    """

    messages: int
    succeeded: int
    failed: int
    unanswered: int
    seconds: float
    middle_seconds: float
    slow_seconds: float

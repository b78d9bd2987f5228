"""How a comparison is judged: a difference proves something only if both sides can have read the same sheet. Pure."""

from datetime import datetime, timedelta

import msgspec

from shared.comparison import Verdict

# The service reads the sheet before its load begins: so much earlier, where no forwarded message tells when. Its
# reading takes seconds; a person who edits in between makes no mismatch.
MARGIN = timedelta(seconds=30)


class Moments(msgspec.Struct, frozen=True):
    """When both sides were read and written, in UTC.

    `service_read_from`: the service did not read the sheet before. `service_written`: its table's last write.
    `shadow_read_from`: the job did not read before. `sheet_modified`: the sheet's last change, as the job saw it.
    `writer`: who made the last write of the service's table, where no message was at the service then; else empty.
    """

    service_read_from: datetime
    service_written: datetime
    shadow_read_from: datetime
    sheet_modified: datetime | None
    writer: str = ""


def judge(equal: bool, moments: Moments) -> tuple[Verdict, str]:
    """The verdict, and the sentence that says why.

    Equal tables are a MATCH whenever they were read. Else the shadow is older where the service wrote after the
    shadow's reading began, and the sheet changed where it was edited after the service can have begun to read. Where
    a `writer` is named, the sentence tells of that write, and not of what the service would have read.
    """
    if equal:
        return "MATCH", "both tables hold the same"
    verdict, why = _by_time(moments)
    if moments.writer:
        why = (
            f"the tables differ, and {moments.writer} wrote the service's table at {_told(moments.service_written)},"
            " when no message was at the service: have the portal publish the config once, and compare again"
        )
    return verdict, why


def _by_time(moments: Moments) -> tuple[Verdict, str]:
    if moments.service_written > moments.shadow_read_from:
        return (
            "SHADOW_OLDER",
            f"the service wrote its table at {_told(moments.service_written)}, after the shadow run began to read"
            f" at {_told(moments.shadow_read_from)}: run the shadow again",
        )
    if moments.sheet_modified is not None and moments.sheet_modified >= moments.service_read_from:
        return (
            "SHEET_CHANGED",
            f"the sheet was changed at {_told(moments.sheet_modified)}, and the service may have read it before, from"
            f" {_told(moments.service_read_from)} on: compare again after the service's next run",
        )
    return "MISMATCH", "both read the same sheet, and the tables differ"


def _told(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC"

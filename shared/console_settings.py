"""What the console is told beside the deployment's settings."""

from collections.abc import Iterable, Mapping
from typing import Any

from shared.errors import InvalidSettings
from shared.parse import Checked, Problem, parse
from shared.settings import present


class Console(Checked, frozen=True, rename=str.upper):
    """How the console learns who asks (`console/identity.py`)."""

    # The audience of Identity-Aware Proxy's header, where one stands in front:
    # /projects/NUMBER/locations/REGION/services/SERVICE, or /projects/NUMBER/global/backendServices/ID.
    console_audience: str | None = None
    # Who acts on a machine of one's own, where nobody else can ask.
    console_user: str | None = None
    # Cloud Run's own variable, on each of its instances.
    k_service: str | None = None

    @classmethod
    def problems(cls, values: Mapping[str, Any]) -> Iterable[Problem]:
        if values.get("console_user") and values.get("k_service"):
            yield "console_user", "would let everybody act as one person: leave it out on Cloud Run"
        audience = values.get("console_audience")
        if audience and not audience.startswith("/projects/"):
            yield "console_audience", "is not the audience that Identity-Aware Proxy shows: /projects/NUMBER/…"


def read_console(environ: Mapping[str, str]) -> Console:
    """Raises `InvalidSettings` that names every variable that is wrong."""
    remedy = "README.md has the table of settings"
    return parse(Console, present(environ), "the environment", error=InvalidSettings, remedy=remedy)

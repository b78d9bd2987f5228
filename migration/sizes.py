"""What an instance of a Cloud Run job or service has."""

from typing import TYPE_CHECKING

import msgspec

from shared.asking import BRIEF_RETRY, SECONDS, asking

if TYPE_CHECKING:
    from google.cloud import run_v2

_GIB = 2**30
_UNITS = {"Ki": 2**10, "Mi": 2**20, "Gi": _GIB, "K": 10**3, "M": 10**6, "G": 10**9}


class Size(msgspec.Struct, frozen=True):
    """What an instance has: vCPUs, and memory in GiB."""

    cpu: float = 1.0
    gib: float = 0.5


def parse_size(cpu: str, memory: str) -> Size:
    """The size in Cloud Run's own words: `1` or `500m`, and `512Mi` or `2Gi`. Raises `ValueError`."""
    vcpus = float(cpu[:-1]) / 1000 if cpu.endswith("m") else float(cpu)
    unit = next((each for each in _UNITS if memory.endswith(each)), "")
    return Size(vcpus, float(memory.removesuffix(unit)) * _UNITS.get(unit, 1) / _GIB)


def size_of(jobs: "run_v2.JobsClient", name: str) -> Size:
    """The size of the deployed job `projects/P/locations/L/jobs/J`; what it does not say is Cloud Run's default.

    Raises `InvalidSettings` where there is no such job, `PermissionMissing`, and `ServiceUnavailable`.
    """
    told = f"the job {name.rpartition('/')[2]}"
    with asking(told, missing="deploy it, or correct JOB_NAME and REGION", refused="grant roles/run.viewer on it"):
        job = jobs.get_job(name=name, retry=BRIEF_RETRY, timeout=SECONDS)
    limits = job.template.template.containers[0].resources.limits
    return parse_size(limits.get("cpu", "1"), limits.get("memory", "512Mi"))

"""List prices, in US dollars: what a reader replaces by their own.

They are Google's public ones for us-central1 (cloud.google.com/run/pricing, Tier 1, and
cloud.google.com/bigquery/pricing, on demand), without free tiers, discounts and taxes, as far as this code knows them:
they change, and so each is a parameter of `migrate.py costs`.
"""

import msgspec

_TIB = 2**40


class Prices(msgspec.Struct, frozen=True):
    """Per vCPU-second and GiB-second of Cloud Run, for a job and for a service whose CPU is billed by request; per
    million requests; per TiB that BigQuery's queries are billed for (loads are free)."""

    job_cpu_second: float = 0.000018
    job_gib_second: float = 0.000002
    service_cpu_second: float = 0.000024
    service_gib_second: float = 0.0000025
    million_requests: float = 0.40
    queried_tib: float = 6.25

    def job(self, cpu_seconds: float, gib_seconds: float) -> float:
        return cpu_seconds * self.job_cpu_second + gib_seconds * self.job_gib_second

    def service(self, cpu_seconds: float, gib_seconds: float, requests: int) -> float:
        compute = cpu_seconds * self.service_cpu_second + gib_seconds * self.service_gib_second
        return compute + requests * self.million_requests / 1_000_000

    def queries(self, bytes_billed: int) -> float:
        return bytes_billed / _TIB * self.queried_tib

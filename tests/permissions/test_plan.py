"""The grants of a deployment's plan are those of the table."""

import subprocess
from pathlib import Path

from tests.permissions.plan import Planned, differences, planned_grants
from tests.permissions.table import read_table

REPOSITORY = Path(__file__).parents[2]
TABLE = read_table(REPOSITORY / "deploy" / "permissions.toml")
# With a plain host and a password, and with Cloud SQL and IAM.
DATABASES = ([], ["--cloud-sql-instance=other-project:us-central1:main", "--postgres-db=sales"])
MIGRATOR = "serviceAccount:sheettobigquery-migration@project-p.iam.gserviceaccount.com"
# With the older service's portal, there is forward.
PORTAL = ["--portal-topic=older-syncs"]
VIEWER = "serviceAccount:sheettobigquery-viewer@project-p.iam.gserviceaccount.com"
# A deployment, and who is let in: into the console by IAM, or by IAP.
CALLS = (
    [],
    ["--console-access=iap"],
    ["migrator", MIGRATOR],
    ["viewer", VIEWER],
    ["viewer", VIEWER, "--console-access=iap"],
)
LINES = """
gcloud projects add-iam-policy-binding p --condition=None --member=serviceAccount:sheettobigquery-job@p.iam.gserviceaccount.com --role=roles/bigquery.jobUser --project=p
gcloud projects add-iam-policy-binding p --condition=None --member=serviceAccount:sheettobigquery-complete@p.iam.gserviceaccount.com --role=projects/p/roles/sheettobigquery.loads --project=p
gcloud run jobs add-iam-policy-binding sheettobigquery-job --region=r --member=serviceAccount:sheettobigquery-launch@p.iam.gserviceaccount.com --role=roles/run.jobsExecutorWithOverrides --project=p
gcloud iam service-accounts add-iam-policy-binding sheettobigquery-job@p.iam.gserviceaccount.com --member=serviceAccount:sheettobigquery-build@p.iam.gserviceaccount.com --role=roles/iam.serviceAccountUser --project=p
gcloud pubsub topics add-iam-policy-binding sheet-to-bigquery-completions "--member=$(gcloud logging sinks describe s --format='value(writerIdentity)' --project=p)" --role=roles/pubsub.publisher --project=p
gcloud beta iap web add-iam-policy-binding --resource-type=cloud-run --region=r --service=sheettobigquery-console --member=serviceAccount:sheettobigquery-viewer@p.iam.gserviceaccount.com --role=roles/iap.httpsResourceAccessor --project=p
gcloud run services add-iam-policy-binding sheettobigquery-console --region=r "--member=serviceAccount:service-$(gcloud projects describe p --format='value(projectNumber)' --project=p)@gcp-sa-iap.iam.gserviceaccount.com" --role=roles/run.invoker --project=p
gcloud pubsub topics create sheet-to-bigquery-requests --project=p
bq query --project_id=p --use_legacy_sql=false 'GRANT `roles/bigquery.dataEditor` ON SCHEMA `p`.`d` TO "serviceAccount:sheettobigquery-job@p.iam.gserviceaccount.com"'
"""  # noqa: E501  (a command is a line)


def test_each_way_of_granting_is_understood() -> None:
    assert planned_grants(LINES.splitlines(), TABLE) == {
        Planned("job", "roles/bigquery.jobUser", "project"),
        Planned("complete", "sheettobigquery.loads", "project"),
        Planned("launch", "roles/run.jobsExecutorWithOverrides", "job"),
        Planned("build", "roles/iam.serviceAccountUser", "job's identity"),
        Planned("log sink", "roles/pubsub.publisher", "completions"),
        Planned("viewer", "roles/iap.httpsResourceAccessor", "console behind IAP"),
        Planned("IAP", "roles/run.invoker", "console"),
        Planned("job", "roles/bigquery.dataEditor", "datasets"),
    }


def test_a_grant_of_only_one_side_is_told() -> None:
    told = differences(TABLE, {Planned("job", "roles/editor", "project")})
    assert told[0] == "not in the table: Planned(component='job', role='roles/editor', on='project')"
    assert "not in the plan: Planned(component='job', role='roles/bigquery.jobUser', on='project')" in told
    assert not any("commands" in line or "spreadsheets" in line for line in told)


if (REPOSITORY / "deploy" / "identities.sh").exists():

    def test_deploy_grants_what_was_reviewed_and_nothing_else() -> None:
        planned: set[Planned] = set()
        for database in DATABASES:
            flags = [
                "--dry-run",
                "--project=project-p",
                "--region=us-central1",
                "--datasets=project-p.sales",
                *database,
                *PORTAL,
            ]
            for words in CALLS:
                command = [str(REPOSITORY / "deploy.sh"), *flags, *words]
                done = subprocess.run(command, capture_output=True, text=True, check=True)
                planned |= planned_grants(done.stdout.splitlines(), TABLE)
        assert differences(TABLE, planned) == []

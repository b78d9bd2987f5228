"""Jobs: an id is taken once per project and location, by loads and queries alike, whatever becomes of the job."""

import io
import signal
import subprocess
import sys
import threading
import time
import uuid

import pyarrow as pa
import pyarrow.parquet
import pytest
from google.api_core.exceptions import BadRequest, Conflict, GoogleAPICallError, NotFound
from google.cloud import bigquery
from google.resumable_media import InvalidResponse

PARQUET = bigquery.LoadJobConfig(source_format="PARQUET")
BURN = "SELECT 1"


def new_id() -> str:
    return f"run-{uuid.uuid4().hex}"


def burn(client: bigquery.Client, job_id: str, **labels: str) -> bigquery.QueryJob:
    configuration = bigquery.QueryJobConfig(labels=labels)
    return client.query(BURN, job_id=job_id, job_config=configuration, job_retry=None)


def test_a_repeated_load_is_a_conflict_and_its_data_is_not_loaded(warehouse):
    job_id = new_id()
    warehouse.load({"id": [1]}, job_id=job_id).result()
    with pytest.raises(Conflict, match=f"Already Exists: Job local-project:EU.{job_id}") as raised:
        warehouse.load({"id": [2]}, job_id=job_id)
    assert raised.value.errors[0]["reason"] == "duplicate"
    assert warehouse.rows() == [(1,)]


def test_a_burn_fences_the_load_of_the_same_id(warehouse):
    job_id = new_id()
    assert [row[0] for row in burn(warehouse.client, job_id).result()] == [1]
    with pytest.raises(Conflict):
        warehouse.load({"id": [1]}, job_id=job_id)


def test_a_load_fences_the_burn_of_the_same_id_and_can_be_fetched(warehouse):
    job_id = new_id()
    warehouse.load({"id": [1, 2]}, job_id=job_id, labels={"run": "7", "attempt": "1"}).result()
    with pytest.raises(Conflict):
        burn(warehouse.client, job_id)
    found = warehouse.client.get_job(job_id, location="EU")
    assert isinstance(found, bigquery.LoadJob)
    assert (found.output_rows, found.labels, found.state) == (2, {"run": "7", "attempt": "1"}, "DONE")
    assert found.destination.table_id == "t"
    assert found.created <= found.started <= found.ended
    assert found.user_email


def test_an_id_stays_taken_after_its_job_failed(warehouse):
    job_id = new_id()
    job = warehouse.load(b"no parquet", job_id=job_id, source_format="PARQUET")
    with pytest.raises(BadRequest):
        job.result()
    with pytest.raises(Conflict):
        warehouse.load({"id": [1]}, job_id=job_id)
    assert warehouse.client.get_job(job_id, location="EU").error_result["reason"] == "invalid"


def test_the_same_id_in_another_location_is_another_job(warehouse, server):
    job_id = new_id()
    warehouse.load({"id": [1]}, job_id=job_id).result()
    assert burn(server.client("US"), job_id).location == "US"
    assert warehouse.client.get_job(job_id, location="eu").job_type == "load"
    assert warehouse.client.get_job(job_id, location="us").job_type == "query"


def test_a_job_is_found_in_its_own_location_only(warehouse, server):
    job_id = new_id()
    client = server.client("europe-west1")
    burn(client, job_id).result()
    for location in ("US", "europe-west2"):
        with pytest.raises(NotFound, match="Not found: Job"):
            client.get_job(job_id, location=location)
    with pytest.raises(NotFound):
        server.client().get_job(job_id)
    assert client.get_job(job_id, location="europe-west1").state == "DONE"


def test_jobs_are_listed_newest_first_and_filtered_by_state(warehouse):
    ids = [new_id() for _ in range(3)]
    for job_id in ids:
        burn(warehouse.client, job_id, kind="listed").result()
    listed = [job.job_id for job in warehouse.client.list_jobs(state_filter="done", max_results=500)]
    assert [job_id for job_id in listed if job_id in ids] == ids[::-1]


def test_labels_that_bigquery_rejects_are_rejected(warehouse):
    for labels in ({"Run": "1"}, {"run": "A"}, {"1run": "1"}, {"run": "x" * 64}, {"run": "a b"}):
        with pytest.raises(BadRequest, match="Label key or value is malformed"):
            burn(warehouse.client, new_id(), **labels)


def test_a_job_id_that_bigquery_rejects_is_rejected(warehouse):
    with pytest.raises(BadRequest, match="Invalid job ID"):
        burn(warehouse.client, "run:1")


def test_a_slow_load_runs_over_time_and_is_seen_only_when_done(start_server, make_warehouse):
    warehouse = make_warehouse(start_server("--load-seconds", "1").client("EU"))
    job = warehouse.load({"id": [1]})
    assert job.state == "RUNNING"
    with pytest.raises(NotFound):
        warehouse.client.get_table(warehouse.table())
    began = time.monotonic()
    assert job.result().state == "DONE"
    assert time.monotonic() - began > 0.5
    assert warehouse.rows() == [(1,)]


def test_a_cancelled_load_is_done_with_an_error_and_leaves_nothing(start_server, make_warehouse):
    warehouse = make_warehouse(start_server("--load-seconds", "30").client("EU"))
    job = warehouse.load({"id": [1]}, job_id=new_id())
    job.cancel()
    assert (job.state, job.error_result["reason"]) == ("DONE", "stopped")
    with pytest.raises(NotFound):
        warehouse.client.get_table(warehouse.table())
    with pytest.raises(Conflict):
        warehouse.load({"id": [1]}, job_id=job.job_id)


def test_a_job_ends_at_its_own_time_limit_and_leaves_nothing(start_server, make_warehouse):
    warehouse = make_warehouse(start_server("--load-seconds", "30").client("EU"))
    job = warehouse.load({"id": [1]}, job_timeout_ms=300)
    with pytest.raises(GoogleAPICallError, match="Operation timed out"):
        job.result(timeout=20)
    assert job.error_result["reason"] == "stopped"
    with pytest.raises(NotFound):
        warehouse.client.get_table(warehouse.table())


def test_readers_see_the_old_rows_or_the_new_ones_and_never_none(warehouse):
    warehouse.loaded({"n": [0] * 1000})
    seen, stop = set(), threading.Event()

    def read() -> None:
        while not stop.is_set():
            seen.add(warehouse.sql("SELECT COUNT(*), MIN(n) = MAX(n) FROM {t}")[0])

    reader = threading.Thread(target=read)
    reader.start()
    for n in range(1, 15):
        warehouse.loaded({"n": [n] * 1000}, write_disposition="WRITE_TRUNCATE")
    stop.set()
    reader.join()
    assert seen == {(1000, True)}


def test_tables_and_jobs_survive_a_kill(start_server, make_warehouse):
    first = start_server()
    warehouse = make_warehouse(first.client("EU"))
    job_id = new_id()
    warehouse.load({"id": [1]}, job_id=job_id).result()
    warehouse.loaded({"id": [2]}, write_disposition="WRITE_TRUNCATE")
    first.stop(signal.SIGKILL)
    warehouse.client = start_server().client("EU")
    assert warehouse.rows() == [(2,)]
    assert warehouse.client.get_job(job_id, location="EU").output_rows == 1
    with pytest.raises(Conflict):
        warehouse.load({"id": [3]}, job_id=job_id)


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_a_load_that_the_servers_end_interrupted_is_done_after_the_restart(start_server, make_warehouse, how):
    first = start_server("--load-seconds", "30")
    warehouse = make_warehouse(first.client("EU"))
    job_id = new_id()
    assert warehouse.load({"id": [1]}, job_id=job_id).state == "RUNNING"
    first.stop(how)
    warehouse.client = start_server().client("EU")
    assert warehouse.client.get_job(job_id, location="EU").result().output_rows == 1
    assert warehouse.rows() == [(1,)]


def test_replaced_and_interrupted_files_do_not_stay_on_disk(start_server, make_warehouse):
    running = start_server()
    warehouse = make_warehouse(running.client("EU"))
    for n in range(5):
        warehouse.loaded({"id": [n]}, write_disposition="WRITE_TRUNCATE")
    assert len(list((running.data / "files").iterdir())) == 1
    assert not list((running.data / "uploads").iterdir())
    (running.data / "files" / "left-over.parquet").write_bytes(b"")
    running.stop()
    start_server()
    assert len(list((running.data / "files").iterdir())) == 1


def test_two_servers_do_not_share_a_folder(start_server):
    running = start_server()
    command = [sys.executable, "-m", "local.bigquery", "--port", "0", "--data", str(running.data)]
    second = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    assert second.returncode != 0
    assert "is in use by another local BigQuery server" in second.stderr


LOADER = """
import io, sys
import pyarrow as pa, pyarrow.parquet as pq
from google.auth.credentials import AnonymousCredentials
from google.cloud import bigquery
from google.resumable_media import InvalidResponse
from google.api_core.exceptions import Conflict
url, dataset, process = sys.argv[1:]
client = bigquery.Client("local-project", AnonymousCredentials(), client_options={"api_endpoint": url})
configuration = bigquery.LoadJobConfig(source_format="PARQUET", write_disposition="WRITE_APPEND")
conflicts, jobs = 0, []
for n in range(50):
    content = io.BytesIO()
    pq.write_table(pa.table({"process": [int(process)], "n": [n]}), content)
    content.seek(0)
    try:
        jobs.append(client.load_table_from_file(
            content, f"local-project.{dataset}.t{n % 5}", job_id=f"{dataset}-{n}", job_config=configuration))
    except Conflict:
        conflicts += 1
for job in jobs:
    job.result()
print(len(jobs), conflicts)
"""


def test_a_hundred_loads_of_several_processes_are_each_done_once(warehouse, server):
    """Two processes race for the same fifty ids: each id is one process's, and its row is there once."""
    command = [sys.executable, "-c", LOADER, server.url, warehouse.dataset]
    processes = [subprocess.Popen([*command, str(n)], stdout=subprocess.PIPE, text=True) for n in range(2)]
    counts = [tuple(map(int, process.communicate(timeout=120)[0].split())) for process in processes]
    assert sum(loaded for loaded, _ in counts) == 50
    assert sum(conflicts for _, conflicts in counts) == 50
    union = " UNION ALL ".join(f"SELECT n FROM {{d}}.t{table}" for table in range(5))
    assert warehouse.sql(f"SELECT COUNT(*), COUNT(DISTINCT n) FROM ({union})") == [(50, 50)]


def test_copy_links_rows_and_schema(warehouse):
    warehouse.loaded({"id": [1, 2]}, schema=[bigquery.SchemaField("id", "INT64", description="key")])
    warehouse.client.copy_table(warehouse.table(), warehouse.table("c")).result()
    warehouse.loaded({"id": [3]}, write_disposition="WRITE_TRUNCATE")
    assert warehouse.rows("c") == [(1,), (2,)]
    assert warehouse.client.get_table(warehouse.table("c")).schema[0].description == "key"
    with pytest.raises(Conflict):
        warehouse.client.copy_table(warehouse.table(), warehouse.table("c")).result()
    append = bigquery.CopyJobConfig(write_disposition="WRITE_APPEND")
    warehouse.client.copy_table(warehouse.table(), warehouse.table("c"), job_config=append).result()
    assert sorted(warehouse.rows("c")) == [(1,), (2,), (3,)]


def test_many_slow_loads_run_side_by_side(start_server, make_warehouse):
    warehouse = make_warehouse(start_server("--load-seconds", "2").client("EU"))
    began = time.monotonic()
    jobs = [warehouse.load({"id": [n]}, f"t{n}") for n in range(10)]
    for job in jobs:
        job.result()
    assert time.monotonic() - began < 15
    assert [warehouse.rows(f"t{n}") for n in range(10)] == [[(n,)] for n in range(10)]


def test_an_upload_that_finds_its_id_taken_at_the_end_is_a_conflict(warehouse):
    """The id is free when the session opens and taken when its last chunk arrives."""
    job_id = new_id()
    client = warehouse.client
    content = pa.BufferOutputStream()
    pa.parquet.write_table(pa.table({"id": [1]}), content)
    reference = {"projectId": client.project, "jobId": job_id, "location": "EU"}
    table = {"projectId": client.project, "datasetId": warehouse.dataset, "tableId": "t"}
    resource = {
        "jobReference": reference,
        "configuration": {"load": {"sourceFormat": "PARQUET", "destinationTable": table}},
    }
    upload, transport = client._initiate_resumable_upload(io.BytesIO(content.getvalue()), resource, None, None)
    burn(client, job_id).result()
    with pytest.raises(InvalidResponse) as raised:
        upload.transmit_next_chunk(transport)
    assert raised.value.response.status_code == 409
    assert raised.value.response.json()["error"]["errors"][0]["reason"] == "duplicate"
    with pytest.raises(NotFound):
        client.get_table(warehouse.table())

"""What the portal beside the older service does: publishes a message for a table that is to be loaded.

source build/local.env
python -m local.portal inventory
"""

import argparse
import json
import os
import sys
from collections.abc import Mapping, Sequence

from shared.interpreter import use_right_interpreter

if __name__ == "__main__":
    use_right_interpreter()

from local.environment import PROJECT
from local.pubsub import PORTAL
from shared.errors import SyncError
from shared.ledger.store import open_store
from shared.messages import ManualRequest
from shared.settings import read_database

# All that the older service has to know: it asks nobody.
_FIELDS = (
    "id",
    "name",
    "google_sheet_url",
    "google_sheet_tab_name",
    "google_cloud_project_id",
    "bigquery_dataset_id",
    "bigquery_table_id",
    "schema_handling",
    "custom_schema",
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Publish a message for each config that is named; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m local.portal", description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="+", metavar="NAME", help="a config's name")
    options = parser.parse_args(arguments)
    if "PUBSUB_EMULATOR_HOST" not in os.environ:
        parser.error("no local system is named: `make up` in another terminal, and source the file it tells")
    try:
        for name in options.names:
            message_id = publish(os.environ, ManualRequest(name=name))
            print(f"published for {name}: message {message_id} of {PORTAL}")
    except SyncError as error:
        print(f"✘ {error.name}: {error}", file=sys.stderr)
        return 1
    return 0


def publish(environ: Mapping[str, str], wanted: ManualRequest) -> str:
    """The message as the portal makes it, of the config's row; its id."""
    import grpc
    from google.pubsub_v1 import PublisherClient, PubsubMessage
    from google.pubsub_v1.services.publisher.transports import PublisherGrpcTransport

    with open_store(read_database(environ)) as store:
        row = store.find_config(wanted)
    data = json.dumps({field: row.get(field) for field in _FIELDS}).encode()
    with grpc.insecure_channel(environ["PUBSUB_EMULATOR_HOST"]) as channel:
        client = PublisherClient(transport=PublisherGrpcTransport(channel=channel))
        answer = client.publish(
            topic=f"projects/{PROJECT}/topics/{PORTAL}", messages=[PubsubMessage(data=data)], timeout=10
        )
    return str(answer.message_ids[0])


if __name__ == "__main__":
    sys.exit(main())

"""The portal beside the older service: it publishes a message for each table that is to be loaded."""

import json

from local.environment import PROJECT
from local.pubsub import PORTAL
from local.system import System
from local.tabs import DATASET, Tab


def publish(system: System, config_id: int, tab: Tab) -> None:
    """The message as the portal makes it, with all that the older service has to know."""
    import grpc
    from google.pubsub_v1 import PublisherClient, PubsubMessage
    from google.pubsub_v1.services.publisher.transports import PublisherGrpcTransport

    message = {
        "id": config_id,
        "name": tab.name,
        "google_sheet_url": tab.url,
        "google_sheet_tab_name": tab.title,
        "google_cloud_project_id": PROJECT,
        "bigquery_dataset_id": DATASET,
        "bigquery_table_id": tab.name,
        "schema_handling": "auto_detect",
        "custom_schema": None,
    }
    with grpc.insecure_channel(system.settings["PUBSUB_EMULATOR_HOST"]) as channel:
        client = PublisherClient(transport=PublisherGrpcTransport(channel=channel))
        topic = f"projects/{PROJECT}/topics/{PORTAL}"
        client.publish(topic=topic, messages=[PubsubMessage(data=json.dumps(message).encode())], timeout=10)

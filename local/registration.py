"""Registering configs as the owner's portal does: by writing their rows."""

from collections.abc import Sequence

from local.clients import LocalClients
from local.environment import PROJECT
from local.tabs import DATASET, Tab


def register(clients: LocalClients, tabs: Sequence[Tab]) -> dict[int, Tab]:
    """Add one daily config per tab, and return the tabs by their config's id.

    A tab that has a config of its name already is left alone and not returned.
    """
    registered: dict[int, Tab] = {}
    for tab in tabs:
        rows = clients.postgres.run(
            """
            INSERT INTO sheet_to_bigquery_configs
                (name, google_sheet_url, google_sheet_tab_name, google_cloud_project_id,
                 bigquery_dataset_id, bigquery_table_id)
            SELECT new.name, :url, :title, :project, :dataset, new.name
            FROM (SELECT CAST(:name AS text) AS name) AS new
            WHERE NOT EXISTS (SELECT FROM sheet_to_bigquery_configs AS present WHERE present.name = new.name)
            RETURNING id
            """,
            name=tab.name,
            url=tab.url,
            title=tab.title,
            project=PROJECT,
            dataset=DATASET,
        )
        registered |= {config_id: tab for (config_id,) in rows}
    return registered

"""The datasets endpoints: https://cloud.google.com/bigquery/docs/reference/rest/v2/datasets."""

from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from local.bigquery.catalog import Dataset
from local.bigquery.errors import BigQueryError, invalid
from local.bigquery.insert import DEFAULT_LOCATION, check_labels
from local.bigquery.names import DatasetName, canonical_location, check_project
from local.bigquery.requests import check_etag, json_body, merged_patch, one_page
from local.bigquery.warehouse import Warehouse

MUTABLE = frozenset(
    [
        "friendlyName",
        "description",
        "labels",
        "access",
        "defaultTableExpirationMs",
        "defaultPartitionExpirationMs",
        "defaultCollation",
        "maxTimeTravelHours",
        "isCaseInsensitive",
        "resourceTags",
    ]
)


def warehouse_of(request: Request) -> Warehouse:
    warehouse: Warehouse = request.app.state.warehouse
    return warehouse


def dataset_name(request: Request) -> DatasetName:
    project = check_project(request.path_params["project"])
    return DatasetName.from_api({"datasetId": request.path_params["dataset"]}, project)


def is_mutable(key: str) -> bool:
    return key in MUTABLE


def presented(dataset: Dataset) -> dict[str, Any]:
    return {
        "kind": "bigquery#dataset",
        "id": str(dataset.name),
        "datasetReference": dataset.name.as_reference(),
        "type": "DEFAULT",
        **dataset.resource,
    }


async def insert(request: Request) -> Response:
    warehouse = warehouse_of(request)
    body = await json_body(request, "Dataset")
    name = DatasetName.from_api(body.get("datasetReference") or {}, check_project(request.path_params["project"]))
    if name.project != request.path_params["project"]:
        raise invalid(f"Project in datasetReference ({name.project}) is not the request's")
    check_labels(body.get("labels") or {})
    resource = {key: value for key, value in body.items() if is_mutable(key) and value is not None}
    resource["location"] = canonical_location(body.get("location") or DEFAULT_LOCATION)
    with warehouse.store.transaction():
        dataset = warehouse.catalog.create_dataset(name, resource)
    return JSONResponse(presented(dataset))


async def get(request: Request) -> Response:
    return JSONResponse(presented(warehouse_of(request).catalog.dataset(dataset_name(request))))


async def list_(request: Request) -> Response:
    """Hidden datasets (of anonymous results) only with `all=true`."""
    hidden = request.query_params.get("all", "").lower() == "true"
    datasets = [
        dataset
        for dataset in warehouse_of(request).catalog.datasets(check_project(request.path_params["project"]))
        if hidden or not dataset.name.dataset.startswith("_")
    ]
    page, token = one_page(request, datasets)
    keys = ("kind", "id", "datasetReference", "location", "labels", "friendlyName")
    items = [{key: value for key, value in presented(dataset).items() if key in keys} for dataset in page]
    return JSONResponse({"kind": "bigquery#datasetList", "etag": "", "datasets": items, **token})


async def patch(request: Request) -> Response:
    return await _change(request, replaces=False)


async def update(request: Request) -> Response:
    return await _change(request, replaces=True)


async def _change(request: Request, *, replaces: bool) -> Response:
    warehouse = warehouse_of(request)
    body = await json_body(request, "Dataset")
    with warehouse.store.transaction():
        dataset = warehouse.catalog.dataset(dataset_name(request))
        check_etag(request, dataset.resource["etag"])
        if body.get("location") and canonical_location(body["location"]) != dataset.location:
            raise invalid("Cannot change the location of a dataset")
        check_labels({key: value for key, value in (body.get("labels") or {}).items() if value is not None})
        resource = dataset.resource
        if replaces:
            resource = {key: value for key, value in resource.items() if not is_mutable(key)}
        changed = Dataset(dataset.name, merged_patch(resource, body, is_mutable))
        return JSONResponse(presented(warehouse.catalog.put_dataset(changed)))


async def delete(request: Request) -> Response:
    warehouse, name = warehouse_of(request), dataset_name(request)
    async with warehouse.changing_all(name):
        warehouse.catalog.dataset(name)
        if warehouse.catalog.tables(name) and request.query_params.get("deleteContents", "").lower() != "true":
            raise BigQueryError(400, "resourceInUse", f"Dataset {name} is still in use")
        with warehouse.store.transaction():
            warehouse.catalog.drop_dataset(name)
    return Response(status_code=204)


ROUTES = [
    Route("/projects/{project}/datasets", insert, methods=["POST"]),
    Route("/projects/{project}/datasets", list_, methods=["GET"]),
    Route("/projects/{project}/datasets/{dataset}", get, methods=["GET"]),
    Route("/projects/{project}/datasets/{dataset}", patch, methods=["PATCH"]),
    Route("/projects/{project}/datasets/{dataset}", update, methods=["PUT"]),
    Route("/projects/{project}/datasets/{dataset}", delete, methods=["DELETE"]),
]

"""The description of the API against its routes, its examples, and what is really answered."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from farm.dashboard.api import OPENAPI
from farm.dashboard.app import create_app
from farm.dashboard.marks import FREE, NEEDS_NO_TOKEN, mark_of
from farm.dashboard.safety import Doors
from farm.dashboard.site import Site
from tests.dashboard.served import Served
from tests.waiting import until

DOCUMENT: dict[str, Any] = json.loads(OPENAPI.read_text())
PAGES = ("/", "/static/{name}")
"""The page's own files are no part of the API."""

READINGS = {
    "/api/v1/farm": "",
    "/api/v1/nodes": "",
    "/api/v1/nodes/{node}": "",
    "/api/v1/nodes/{node}/tags": "",
    "/api/v1/nodes/{node}/tags/{tag}": "",
    "/api/v1/nodes/{node}/trend": "?tags=Wave",
    "/api/v1/nodes/{node}/requests": "",
    "/api/v1/nodes/{node}/connections": "",
    "/api/v1/nodes/{node}/log": "",
    "/api/v1/nodes/{node}/config": "",
    "/api/v1/clients": "",
    "/api/v1/map": "",
    "/api/v1/faults": "",
    "/api/v1/events": "",
    "/healthz": "",
}
VALUES = {"{node}": "sine", "{tag}": "Wave"}


def operations() -> Iterator[tuple[str, str, dict[str, Any]]]:
    """(path, METHOD, operation) of each."""
    for path, methods in DOCUMENT["paths"].items():
        for method, operation in methods.items():
            yield path, method.upper(), operation


def validator(schema: dict[str, Any]) -> Draft202012Validator:
    """Of a schema that refers to the document's components."""
    return Draft202012Validator({**schema, "components": DOCUMENT["components"]})


def routes() -> set[tuple[str, str]]:
    """(path, METHOD) of each route, as the document writes them."""
    app = create_app(Site(None, None, Doors(frozenset({"localhost"}), False, True), "farm"))
    found = set()
    for rule in app.url_map.iter_rules():
        actions = re.search(r"<any\(([^)]*)\):\w+>", rule.rule)
        spellings = [rule.rule]
        if actions:
            spellings = [rule.rule.replace(actions[0], word.strip()) for word in actions[1].split(",")]
        for spelling in spellings:
            path = re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", spelling)
            found |= {(path, method) for method in rule.methods or () if method not in ("HEAD", "OPTIONS")}
    return {(path, method) for path, method in found if path not in PAGES}


def test_every_route_is_described_and_no_other() -> None:
    assert routes() == {(path, method) for path, method, _ in operations()}


def test_what_needs_a_token_says_so() -> None:
    app = create_app(Site(None, None, Doors(frozenset({"localhost"}), False, True), "farm"))
    for rule in app.url_map.iter_rules():
        path = re.sub(r"<any\([^)]*\):\w+>", "restart", rule.rule)
        path = re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", path)
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}:
            if path in PAGES:
                continue
            security = DOCUMENT["paths"][path][method.lower()]["security"]
            if mark_of(app.view_functions[rule.endpoint]) in (FREE, NEEDS_NO_TOKEN):
                assert security == [], path
            elif method != "GET":
                assert {} not in security, path
                assert {"bearer": []} in security, path
            else:
                assert {} in security, path


def test_every_operation_is_told_of_in_words_and_has_its_own_name() -> None:
    names = [operation["operationId"] for _, _, operation in operations()]
    assert len(names) == len(set(names))
    assert all(operation["summary"] for _, _, operation in operations())


def test_the_schemas_are_schemas() -> None:
    for name, schema in DOCUMENT["components"]["schemas"].items():
        Draft202012Validator.check_schema(schema)
        if "example" in schema:
            validator(schema).validate(schema["example"])
        assert name[0].isupper()


def examples() -> Iterator[tuple[str, dict[str, Any], Any]]:
    """(place, schema, example) of all there are."""
    for path, method, operation in operations():
        bodies = {"body": operation.get("requestBody", {}), **operation["responses"]}
        for name, body in bodies.items():
            content = body.get("content", {}).get("application/json", {})
            if "example" in content:
                yield f"{method} {path} {name}", content["schema"], content["example"]


@pytest.mark.parametrize(
    ("place", "schema", "example"), list(examples()), ids=lambda part: part if isinstance(part, str) else ""
)
def test_examples_are_what_their_schemas_say(place: str, schema: dict[str, Any], example: Any) -> None:
    validator(schema).validate(example)


def test_every_answer_in_json_has_an_example() -> None:
    told = {place.split()[1] for place, _, _ in examples()}
    assert set(READINGS) <= told


@pytest.mark.net
@pytest.mark.parametrize("path", READINGS)
def test_answers_are_what_the_schemas_say(served: Served, path: str) -> None:
    filled = path
    for word, value in VALUES.items():
        filled = filled.replace(word, value)
    body = until(lambda: served.get(filled + READINGS[path]))
    schema = DOCUMENT["paths"][path]["get"]["responses"]["200"]["content"]["application/json"]["schema"]
    validator(schema).validate(body)


@pytest.mark.net
def test_what_a_stream_says_is_what_the_schemas_say(served: Served) -> None:
    schemas = DOCUMENT["components"]["schemas"]
    with served.stream("topics=fleet,events,node:sine&tags=Wave") as stream:
        validator(schemas["Frame"]).validate(stream.next("fleet"))
        validator(schemas["NodeNews"]).validate(stream.next("node"))
        served.change("PUT", "/api/v1/nodes/plc/tags/Count", {"value": 1})
        validator(schemas["Event"]).validate(stream.next("log"))


@pytest.mark.net
def test_it_is_served(served: Served) -> None:
    assert served.get("/api/v1/openapi.json") == DOCUMENT

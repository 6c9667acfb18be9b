"""The OpenAPI document is complete: whoever has nothing else knows what to send and what comes."""

from collections.abc import Iterator
from typing import Any

import pytest
from drf_spectacular.generators import SchemaGenerator
from jsonschema import Draft202012Validator

from accounts.api.reading import Input
from queues.models import Token

Json = dict[str, Any]
ERRORS = {"400", "401", "403", "404", "405", "406", "409", "413", "415", "429", "503"}


@pytest.fixture(scope="module")
def document() -> Json:
    return SchemaGenerator().get_schema(public=True)  # type: ignore[no-untyped-call]


def operations(document: Json) -> Iterator[tuple[str, str, Json]]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield method, path, operation


def bodies(operation: Json) -> Iterator[Json]:
    """What is sent as JSON, and what comes with each status."""
    for part in [operation.get("requestBody", {}), *operation["responses"].values()]:
        found = part.get("content", {}).get("application/json")
        multipart = "multipart/form-data" in part.get("content", {})
        if found and not multipart:
            yield found


def component(document: Json, schema: Json) -> tuple[str, Json]:
    """The named schema: of a list or a page that of its rows."""
    schema = schema.get("items", schema)
    name = schema["$ref"].rpartition("/")[2].removesuffix("Page")
    return name, document["components"]["schemas"][name]


def test_every_operation_says_what_it_does_and_what_can_go_wrong(document: Json):
    for method, path, operation in operations(document):
        assert operation["description"], path
        assert all(one["description"] for one in operation.get("parameters", [])), (method, path)
        assert operation["responses"].keys() >= ERRORS, (method, path)
        assert ("422" in operation["responses"]) == (method == "post"), (method, path)


def test_every_shape_and_every_field_says_what_it_is(document: Json):
    silent = [
        f"{name}.{field}".rstrip(".")
        for name, schema in document["components"]["schemas"].items()
        if "properties" in schema
        for field, said in {"": schema, **schema["properties"]}.items()
        if said.get("description") in (None, "", Input.__doc__)
    ]
    assert silent == []


def test_what_a_value_of_a_choice_means_stands_with_it(document: Json):
    state = document["components"]["schemas"]["TokenState"]
    assert state["description"].splitlines() == [
        f"* `{value}` - {label}" for value, label in Token.State.choices
    ]


def test_everything_that_is_sent_or_comes_back_has_an_example(document: Json):
    lacking = {
        component(document, body["schema"])[0]
        for _method, _path, operation in operations(document)
        for body in bodies(operation)
        if "examples" not in body and "examples" not in component(document, body["schema"])[1]
    }
    assert lacking == set()


def test_every_example_is_what_its_schema_says(document: Json):
    schemas = document["components"]["schemas"]
    given = [(name, one) for name, schema in schemas.items() for one in schema.get("examples", [])]
    for _method, _path, operation in operations(document):
        for body in bodies(operation):
            name = component(document, body["schema"])[0]
            given += [(name, one["value"]) for one in body.get("examples", {}).values()]
    wrong = [
        f"{name}{error.json_path[1:]}: {error.message}"
        for name, example in given
        for error in Draft202012Validator(
            {"$ref": f"#/components/schemas/{name}", "components": document["components"]}
        ).iter_errors(example)
    ]
    assert len(given) > 80
    assert wrong == []

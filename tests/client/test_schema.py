# SPDX-License-Identifier: Apache-2.0
"""The schemas in tests/data/schema, which the unit tests hold leat to, before a validator of JSON Schema."""
import json
import pathlib

import jsonschema
import pytest

FOLDER = pathlib.Path(__file__).parents[1] / "data" / "schema"
NAMES = sorted(path.stem for path in FOLDER.glob("*.jsonl"))


def load(name):
    schema = json.loads((FOLDER / f"{name}.schema.json").read_text())
    records = [json.loads(line) for line in (FOLDER / f"{name}.jsonl").read_text().splitlines()]
    return jsonschema.Draft202012Validator(schema), records


def test_there_are_schemas():
    assert NAMES == ["albums", "mixed"]


@pytest.mark.parametrize("name", NAMES)
def test_schema_is_valid_and_takes_each_record_it_came_from(name):
    validator, records = load(name)
    assert validator.META_SCHEMA["$id"] == validator.schema["$schema"]
    validator.check_schema(validator.schema)
    for record in records:
        assert not list(validator.iter_errors(record))


def test_schema_refuses_other_types_and_a_record_without_a_required_field():
    validator, records = load("albums")
    for field, value in [("id", 1), ("popularity", 1.5), ("artists", [{"id": "x"}]), ("label", {})]:
        assert list(validator.iter_errors({**records[0], field: value})), field
    for field in validator.schema["required"]:
        assert list(validator.iter_errors({k: v for k, v in records[0].items() if k != field})), field

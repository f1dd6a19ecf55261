# SPDX-License-Identifier: Apache-2.0
"""The schema of what came: inferred, written beside the data as JSON Schema, and what happens when it changes."""
import json

import jsonschema
import pytest

from support.hostile import Answer
from support.pull import Pull

FIRST = [{"id": "a", "n": 1, "at": "2026-01-01", "tags": ["x"], "deep": {"b": True, "c": None}},
         {"id": "b", "n": 2.5, "at": "2026-01-02", "tags": [], "deep": {"b": False, "c": "t"}, "more": 1}]


def says(**more):
    return {"items": {"path": "/items", "records": ".items", **more}}


def schema_of(pull, name="items"):
    return json.loads((pull.data / "buckets/lake" / f"{name}.schema.json").read_text())


def test_the_schema_beside_the_data_fits_every_record(api, tmp_path):
    api.route("/items", {"items": FIRST})
    pull = Pull(tmp_path, api.url, says())
    pull.run("-q")
    schema = schema_of(pull)
    jsonschema.validators.validator_for(schema).check_schema(schema)
    assert len(pull.lake()) == 2
    for record in pull.lake():
        jsonschema.validate(record, schema)
    for wrong in ({**FIRST[0], "id": 5}, {**FIRST[0], "n": "one"}, {**FIRST[0], "deep": {"b": "yes", "c": None}}):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(wrong, schema)
    assert {"id", "n", "at", "tags", "deep", "more"} <= set(schema["properties"])


def test_a_new_field_and_a_changed_type_are_reported(api, tmp_path):
    api.route("/items", {"items": FIRST})
    pull = Pull(tmp_path, api.url, says())
    pull.run("-q")
    api.route("/items", {"items": [{**FIRST[0], "id": 7, "brand_new": 1}]})
    done = pull.run()
    said = done.stderr + done.stdout
    assert "brand_new" in said and "id" in said and "integer" in said and "string" in said
    jsonschema.validate({**FIRST[0], "id": 7, "brand_new": 1}, schema_of(pull))
    jsonschema.validate(FIRST[1], schema_of(pull))
    assert "brand_new" not in pull.run().stderr, "what is known is not new again"


def test_freeze_fails_at_the_first_record_that_does_not_fit(api, tmp_path):
    api.route("/items", {"items": FIRST})
    pull = Pull(tmp_path, api.url, says(on_change="freeze"))
    pull.run("-q")
    before = schema_of(pull)
    api.route("/items", {"items": [FIRST[0], {**FIRST[0], "id": 7}]})
    done = pull.run(code=1)
    assert "items" in done.stderr and ".id was string, and is integer" in done.stderr and "on_change" in done.stderr
    assert schema_of(pull) == before
    api.route("/items", {"items": FIRST})
    pull.run("-q")


def test_dead_letter_sets_aside_what_does_not_fit(api, tmp_path):
    api.route("/items", {"items": FIRST})
    pull = Pull(tmp_path, api.url, says(on_change="dead_letter"), pipeline={"dead_letters": {"to": "s3://dead/"}})
    pull.says["buckets"].append("dead")
    pull.write().run("-q")
    before = schema_of(pull)
    api.route("/items", {"items": [{"id": "c", "n": 3, "at": "2026-01-03", "tags": [], "deep": {"b": True, "c": None}}, {"id": 7}]})
    done = pull.run(code=3)
    assert "1 dead letter" in done.stderr
    dead = pull.lake("dead")
    assert len(dead) == 1 and "items" in json.dumps(dead[0])
    assert schema_of(pull) == before
    assert "c" in [record["id"] for record in pull.lake()] and 7 not in [record["id"] for record in pull.lake()]


def test_a_record_that_is_no_object_is_a_dead_letter_or_an_error(api, tmp_path):
    api.route("/items", Answer({"items": [{"id": 1}, "text", {"id": 2}]}))
    done = Pull(tmp_path, api.url, says()).run("--to", "-", code=None)
    assert done.returncode in (1, 3)
    assert "object" in done.stderr and "items" in done.stderr


def test_fields_that_no_one_named_pass_byte_for_byte_into_objects(api, tmp_path):
    record = b'{"id":"x","n":1.50,  "e":1e400,"u":"\\u00e9","big":123456789012345678901234567890,"z":{"b":1,"a":2}}'
    api.route("/items", Answer(b'{"items":[' + record + b"]}"))
    pull = Pull(tmp_path, api.url, says(fields={"of": "$resource"}))
    pull.run("-q")
    texts = [path.read_bytes() for path in (pull.data / "buckets/lake").rglob("*.jsonl")]
    assert texts == [record[:-1] + b',"of":"items"}\n']

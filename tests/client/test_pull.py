# SPDX-License-Identifier: Apache-2.0
"""The command itself: which options go together, what is kept for the next run and where, checkpoints, and the summary as JSON."""
import json

import pytest

from support import leat
from support.hostile import Answer
from support.pages import items, next_list, offset_list
from support.pull import Pull, ids, lines, objects, quick

ITEMS = {"items": {"path": "/items", "params": {"limit": 10}, "records": ".items", "paginate": {"offset": {"total": ".total"}}}}
NEXT = {"items": {"path": "/items", "records": ".items", "next": ".next"}}
TRACKS = {"tracks": {"for_each": "items", "path": "/items/{.id}/tracks", "records": ".items"}}


def serve(api, n=30):
    api.route("/items", offset_list(items(n)))
    api.route("/items/[^/]+/tracks", {"items": [{"t": 1}]})


def summary(pull, *args, **more):
    done = pull.run("--summary", "json", *args, **more)
    return json.loads(done.stdout)


@pytest.mark.parametrize("args, word", [
    (["--output", "singer", "--to", "folder"], "--to"),
    (["--compression", "gzip"], "--to FOLDER"),
    (["--to", "-", "--compression", "zstd"], "--to FOLDER"),
    (["--state", "x.json"], "singer or airbyte"),
    (["--output", "singer", "--state", "x.json", "--limit", "3"], "--limit"),
    (["--output", "cvs"], "json"),
    (["--limit", "many"], "whole number"),
    (["--resource", ","], "name"),
    (["--resorce", "items"], "--resource"),
    (["--pipeline", "q"], "pipeline q"),
    (["--output", "grouped"], "--resource"),
])
def test_what_does_not_go_together_is_a_usage_error_that_touches_nothing(api, tmp_path, args, word):
    serve(api)
    pull = Pull(tmp_path, api.url, {**ITEMS, **TRACKS})
    done = pull.run(*args, code=2)
    assert word in done.stderr and done.stdout == ""
    assert not api.asked() and not pull.data.exists()


def test_the_summary_as_json_has_resources_routes_and_counts(api, tmp_path):
    serve(api)
    found = summary(Pull(tmp_path, api.url, {**ITEMS, **TRACKS}))
    assert [(r["name"], r["pages"], r["requests"], r["retries"], r["records"], r["complete"]) for r in found["resources"]] == [
        ("items", 3, 3, 0, 30, True), ("tracks", 30, 30, 0, 30, True)]
    assert [(r["to"], r["records"], r["objects"]) for r in found["routes"]] == [("s3://lake/", 60, 2)]
    assert found["dead"] == found["skipped"] == 0 and found["changes"] == [] and not found["resumed"] and not found["interrupted"]


def test_a_limit_keeps_nothing_and_disturbs_nothing(api, tmp_path):
    serve(api, 100)
    pull = Pull(tmp_path, api.url, ITEMS)
    assert summary(pull, "--limit", "5")["routes"][0]["records"] == 5
    assert ids(pull.lake()) == ids(items(5)), "it goes into the sinks all the same"
    assert "not pulled yet" in leat.run("checkpoint", "show", pull.path, data=pull.data).stdout
    assert not summary(pull)["resumed"]
    assert not list((pull.data / "spool").rglob("*.jsonl"))


def test_a_folder_has_positions_of_its_own(api, tmp_path):
    api.route("/items", lambda request: Answer({"message": "away"}, 404) if request.number("offset", 0) == 50 else
              next_list(items(100), "/items")(request))
    pull = Pull(tmp_path, api.url, NEXT, **quick())
    pull.run("-q", code=1)
    pull.run("-q", "--to", tmp_path / "out", code=1)
    assert not objects(tmp_path / "out"), "what is not whole waits in the spool"
    api.route("/items", next_list(items(100), "/items"))
    api.forget()
    pull.run("-q", "--to", tmp_path / "out")
    assert len(api.asked()) == 5
    assert ids([record for records in objects(tmp_path / "out").values() for record in records]) == ids(items(100))
    api.forget()
    pull.run("-q")
    assert len(api.asked()) == 5 and ids(pull.lake()) == ids(items(100))


def test_fresh_starts_over_and_what_waited_is_no_object(api, tmp_path):
    api.route("/items", lambda request: Answer({"message": "away"}, 404) if request.number("offset", 0) == 50 else
              next_list(items(100), "/items")(request))
    pull = Pull(tmp_path, api.url, NEXT, **quick())
    pull.run("-q", code=1)
    api.route("/items", next_list(items(60), "/items"))
    api.forget()
    found = summary(pull, "--fresh")
    assert len(api.asked()) == 6 and not found["resumed"]
    assert ids(pull.lake()) == ids(items(60))


def test_a_pass_over_other_resources_starts_these_over(api, tmp_path):
    """The positions of a parent and its children belong together."""
    api.route("/items", next_list(items(20), "/items"))
    api.route("/items/[^/]+/tracks", lambda request: Answer({}, 404) if "i15" in request.path else {"items": [{"t": 1}]})
    pull = Pull(tmp_path, api.url, {**NEXT, **TRACKS}, **quick())
    pull.run("-q", code=1)
    done = pull.run("--resource", "items")
    assert "starts over" in done.stderr
    assert ids(pull.lake()) == ids(items(20)), "items alone, each once"


def test_checkpoints_are_shown_and_reset(api, tmp_path):
    api.route("/items", lambda request: Answer({"message": "away"}, 404) if request.number("offset", 0) == 50 else
              next_list(items(100), "/items")(request))
    pull = Pull(tmp_path, api.url, NEXT, **quick())
    pull.run("-q", code=1)
    row = json.loads(leat.run("checkpoint", "show", pull.path, "-o", "json", data=pull.data).stdout)
    assert row == {"pipeline": "p", "api": "api", "resource": "items", "complete": False, "records": 50, "lists_left": 1, "cursor": None}
    assert "50 records" in leat.run("checkpoint", "show", pull.path, data=pull.data).stdout
    assert "starts over" in leat.run("checkpoint", "reset", pull.path, data=pull.data).stdout
    assert "not pulled yet" in leat.run("checkpoint", "show", pull.path, data=pull.data).stdout
    api.route("/items", next_list(items(100), "/items"))
    assert not summary(pull)["resumed"]
    assert "whole" in leat.run("checkpoint", "show", pull.path, data=pull.data).stdout
    assert ids(pull.lake()) == ids(items(100))


@pytest.mark.parametrize("text, good", [
    ("", True), ("{}", True), ("[]", True), ('{"bookmarks": {}}', True), ('{"type": "STATE", "value": {"bookmarks": {}}}\n', True),
    ('{"type":"RECORD","stream":"items","record":{}}\n{"type":"STATE","value":{"bookmarks":{"items":{"at":"2026-01-05"}}}}\n', True),
    ('{"bookmarks": {"items": {"replication_key": "at", "replication_key_value": "2026-01-05"}}}', True),
    ('{"bookmarks": {"items": {"position": {"v": "no"}}}}', False), ("no JSON", False), ('{"a": 1}', False), ("7", False)])
def test_a_state_file_of_any_writer_is_read_or_said_to_be_none(api, tmp_path, text, good):
    feed = [{"id": n, "at": f"2026-01-{n:02}"} for n in range(1, 10)]
    api.route("/items", {"items": feed})
    pull = Pull(tmp_path, api.url, {"items": {"path": "/items", "records": ".items", "paginate": "none", "incremental": {"field": ".at"}}})
    state = tmp_path / "state.json"
    state.write_text(text)
    done = pull.run("-o", "singer", "-q", "--state", state, code=0 if good else 1)
    if good:
        found = [message["record"]["id"] for message in lines(done.stdout) if message["type"] == "RECORD"]
        assert found == ([5, 6, 7, 8, 9] if "05" in text else list(range(1, 10)))
    else:
        assert ("state" in done.stderr or "position" in done.stderr) and not api.asked()


def test_a_state_file_that_is_not_there_is_an_error(api, tmp_path):
    done = Pull(tmp_path, api.url, ITEMS).run("-o", "airbyte", "--state", tmp_path / "none.json", code=1)
    assert "none.json" in done.stderr and not api.asked()


def test_pretty_printed_records_come_on_one_line_each(api, tmp_path):
    api.route("/items", Answer(json.dumps({"items": [{"id": 1, "text": "two\nlines, \\ and \"quotes\"", "l": [1, {"a": 2}]}]}, indent=2).encode()))
    pull = Pull(tmp_path, api.url, {"items": {"path": "/items", "records": ".items", "paginate": "none"}})
    assert pull.records() == [{"id": 1, "text": "two\nlines, \\ and \"quotes\"", "l": [1, {"a": 2}]}]


def test_a_bucket_that_is_not_there_names_the_way(api, server, tmp_path):
    serve(api)
    (tmp_path / "here").mkdir()
    pull = Pull(tmp_path / "here", api.url, ITEMS)
    env = {"AWS_ENDPOINT_URL": server.url, "AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "y", "AWS_REGION": "us-east-1"}
    done = pull.run(code=1, env=env)
    assert "lake" in done.stderr and "leat up" in done.stderr
    server.client("s3").create_bucket(Bucket="lake")
    api.forget()
    pull.run("-q", env=env)
    assert len(server.client("s3").list_objects_v2(Bucket="lake")["Contents"]) >= 1
    assert len(api.asked()) == 3, "the pass was whole: a new one"

# SPDX-License-Identifier: Apache-2.0
"""Where records go: folders and buckets as objects plain and packed, streams, and standard output as JSON lines, one object, Singer and
Airbyte messages that real consumers read."""
import base64
import json
import os
import subprocess

import airbyte_protocol.models as airbyte
import pytest

from support import leat
from support.hostile import Answer
from support.kinesis import read_all
from support.leat import ROOT
from support.pages import items, next_list, offset_list
from support.pull import Pull, ids, lines, objects, quick, unpack

ITEMS = {"items": {"path": "/items", "params": {"limit": 10}, "records": ".items", "paginate": {"offset": {"total": ".total"}}}}
TRACKS = {"tracks": {"for_each": "items", "path": "/items/{.id}/tracks", "records": ".items", "key": ["id"]}}
BOTH = {**ITEMS, **TRACKS}


def serve_both(api, n):
    api.route("/items", offset_list(items(n)))
    api.route("/items/[^/]+/tracks", lambda request: {"items": [
        {"id": f"{request.path.split('/')[2]}-{track}", "length": track * 1000} for track in range(3)]})


def tracks_of(n):
    return [f"i{item}-{track}" for item in range(n) for track in range(3)]


# ---------------------------------------------------------------- objects

@pytest.mark.parametrize("compression, suffix, magic", [
    ("none", ".jsonl", b"{"), ("gzip", ".jsonl.gz", b"\x1f\x8b"), ("zstd", ".jsonl.zst", b"\x28\xb5\x2f\xfd")])
def test_objects_in_the_embedded_engines_bucket(api, tmp_path, compression, suffix, magic):
    serve_both(api, 23)
    pull = Pull(tmp_path, api.url, BOTH, pipeline={"route": [
        {"when": '$resource == "items"', "to": "s3://lake/items/", "compression": compression},
        {"to": "s3://lake/tracks/", "compression": compression}]})
    pull.run("-q")
    found = [path for path in (pull.data / "buckets/lake").rglob("*.jsonl*") if path.is_file()]
    assert sorted(path.parent.name for path in found) == ["items", "tracks"]
    for path in found:
        assert path.name.endswith(suffix) and path.read_bytes().startswith(magic)
        assert ids(lines(unpack(path).decode())) == (ids(items(23)) if path.parent.name == "items" else tracks_of(23))


def test_objects_come_whole_by_size_and_hold_all_records(api, tmp_path):
    records = [{"id": n, "text": "x" * 5000} for n in range(1000)]
    api.route("/items", offset_list(records, limit=50))
    pull = Pull(tmp_path, api.url, {"items": {**ITEMS["items"], "params": {"limit": 50}}},
                pipeline={"route": [{"to": "s3://lake/", "buffer": {"size": "1MiB", "interval": "60s"}}]})
    pull.run("-q")
    found = pull.objects()
    assert 4 <= len(found) <= 8
    assert ids(pull.lake()) == list(range(1000)), "keys lie in the order of the records"


def test_a_folder_instead_of_the_sinks(api, tmp_path):
    serve_both(api, 12)
    pull = Pull(tmp_path, api.url, BOTH)
    for compression in ("none", "gzip", "zstd"):
        folder = tmp_path / compression
        pull.run("-q", "--to", folder, "--compression", compression)
        found = objects(folder)
        assert ids([r for key, records in sorted(found.items()) if "tracks" in key for r in records]) == tracks_of(12)
        assert ids([r for key, records in sorted(found.items()) if "tracks" not in key for r in records]) == ids(items(12))
        assert list(folder.rglob("*.schema.json"))


def test_objects_in_a_bucket_of_another_server(api, server, tmp_path):
    """The same file against an S3 that is somewhere else."""
    serve_both(api, 12)
    s3 = server.client("s3")
    s3.create_bucket(Bucket="lake")
    pull = Pull(tmp_path / "here", api.url, BOTH) if (tmp_path / "here").mkdir() is None else None
    pull.run("-q", env={"AWS_ENDPOINT_URL": server.url, "AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "y",
                        "AWS_REGION": "us-east-1"})
    keys = [entry["Key"] for entry in s3.list_objects_v2(Bucket="lake")["Contents"]]
    found = {key: lines(s3.get_object(Bucket="lake", Key=key)["Body"].read().decode()) for key in keys if ".jsonl" in key}
    assert sorted(ids([record for records in found.values() for record in records])) == sorted(ids(items(12)) + tracks_of(12))


def test_records_into_a_stream(api, server, data, tmp_path):
    serve_both(api, 30)
    (tmp_path / "here").mkdir()
    pull = Pull(tmp_path / "here", api.url, BOTH, pipeline={"route": [{"when": '$resource == "tracks"', "to": "tracks"}, {"to": "items"}],
                                                            "key": ".id"})
    pull.says["streams"] = {"items": {"shards": 2}, "tracks": {"shards": 1}}
    pull.data = data
    pull.write().run("-q")
    kinesis = server.client("kinesis")
    assert [json.loads(record["Data"])["id"] for record in read_all(kinesis, "tracks")] == tracks_of(30)
    found = read_all(kinesis, "items")
    assert sorted(json.loads(record["Data"])["id"] for record in found) == sorted(ids(items(30)))
    assert all(record["PartitionKey"] == json.loads(record["Data"])["id"] for record in found)


def test_transforms_routes_and_dead_letters_apply(api, tmp_path):
    serve_both(api, 10)
    pull = Pull(tmp_path, api.url, BOTH, pipeline={
        "set": {"double": 'if .n == 3 then error("three") else (.n // 0) * 2 end', "of": "$resource"},
        "route": [{"when": '$resource == "items" and .n < 5', "to": "s3://lake/low/"}, {"to": "s3://lake/rest/"}],
        "dead_letters": {"to": "s3://lake/dead/"}})
    pull.run("-q", code=3)
    found = pull.objects()
    low = [record for key, records in found.items() if key.startswith("low/") for record in records]
    assert [(record["id"], record["double"], record["of"]) for record in low] == [(f"i{n}", 2 * n, "items") for n in (0, 1, 2, 4)]
    rest = [record for key, records in sorted(found.items()) if key.startswith("rest/") for record in records]
    assert sorted(ids(rest)) == sorted([f"i{n}" for n in range(5, 10)] + tracks_of(10))
    dead = [record for key, records in found.items() if key.startswith("dead/") for record in records]
    assert len(dead) == 1 and "three" in dead[0]["errorMessage"]
    assert json.loads(base64.b64decode(dead[0]["rawData"]))["id"] == "i3"


# ---------------------------------------------------------------- standard output

def test_a_reader_that_goes_away_ends_the_pull_quietly(api, tmp_path):
    api.route("/items", offset_list([{"id": n, "text": "x" * 1000} for n in range(5000)]))
    pull = Pull(tmp_path, api.url, ITEMS)
    process = pull.start("--to", "-", "-q")
    assert json.loads(process.stdout.readline())["id"] == 0
    process.stdout.close()
    err = process.stderr.read()
    assert process.wait(60) in (0, 141, -13) and "rror" not in err, err
    leat.check_sanitizers(err)


def test_grouped_output_is_one_object_of_lists(api, tmp_path):
    """The shape that simple scripts write: {album_id: [tracks]}."""
    serve_both(api, 12)
    pull = Pull(tmp_path, api.url, BOTH)
    text = pull.run("-o", "grouped", "--resource", "tracks", "-q").stdout
    grouped = json.loads(text)
    assert list(grouped) == ids(items(12))
    assert all(ids(tracks) == [f"{item}-{n}" for n in range(3)] for item, tracks in grouped.items())


# ---------------------------------------------------------------- Singer

def singer_target(folder, messages):
    """What target-jsonl of PyPI loads from the messages: ({stream: records}, the state that it says back)."""
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps({"destination_path": str(folder), "do_timestamp_file": False}))
    done = subprocess.run([str(ROOT / ".deps/singer/bin/target-jsonl"), "-c", str(folder / "config.json")], input=messages, text=True,
                          capture_output=True, timeout=60, env={"PATH": os.environ["PATH"], "HOME": str(folder)})
    assert done.returncode == 0, done.stderr[-3000:]
    state = json.loads(done.stdout) if done.stdout.strip() else None
    return {path.stem: lines(path.read_text()) for path in folder.glob("*.jsonl")}, state


def test_a_singer_target_loads_what_is_pulled(api, tmp_path):
    serve_both(api, 12)
    pull = Pull(tmp_path, api.url, BOTH)
    text = pull.run("-o", "singer", "-q").stdout
    loaded, _ = singer_target(tmp_path / "target", text)
    assert ids(loaded["items"]) == ids(items(12)) and ids(loaded["tracks"]) == tracks_of(12)
    schemas = [message for message in lines(text) if message["type"] == "SCHEMA"]
    assert {(message["stream"], tuple(message["key_properties"])) for message in schemas} == {("items", ()), ("tracks", ("id",))}


def test_a_singer_schema_that_changes_is_told_before_the_records(api, tmp_path):
    """target-jsonl checks each record against the schema at hand."""
    odd = [{"id": str(n), "value": n if n < 500 else {"text": "late"}} for n in range(1000)]
    api.route("/items", offset_list(odd))
    loaded, _ = singer_target(tmp_path / "target", Pull(tmp_path, api.url, ITEMS).run("-o", "singer", "-q").stdout)
    assert loaded["items"] == odd


def incremental(api):
    feed = [{"id": n, "at": f"2026-01-{n:02}"} for n in range(1, 10)]
    api.route("/items", lambda request: {"items": [r for r in feed if r["at"] >= request.get("since", "")]})
    return feed, {"items": {"path": "/items", "records": ".items", "paginate": "none",
                            "incremental": {"field": ".at", "param": "since"}}}


def test_a_singer_state_that_a_target_gave_back_goes_on_from_there(api, tmp_path):
    feed, says = incremental(api)
    pull = Pull(tmp_path, api.url, says)
    loaded, state = singer_target(tmp_path / "one", pull.run("-o", "singer", "-q").stdout)
    assert ids(loaded["items"]) == list(range(1, 10)) and state
    (tmp_path / "state.json").write_text(json.dumps(state))
    feed.append({"id": 10, "at": "2026-01-10"})
    text = pull.run("-o", "singer", "-q", "--state", tmp_path / "state.json").stdout
    assert 10 in [m["record"]["id"] for m in lines(text) if m["type"] == "RECORD"]
    assert len([m for m in lines(text) if m["type"] == "RECORD"]) <= 2
    assert api.asked()[-1].get("since") == "2026-01-09"


# ---------------------------------------------------------------- Airbyte

def airbyte_messages(text):
    """Read by the protocol's own models."""
    return [airbyte.AirbyteMessage.parse_raw(line) for line in text.splitlines()]


def by_kind(messages, kind):
    return [message for message in messages if message.type == kind]


def test_airbyte_messages_are_read_by_the_protocols_models(api, tmp_path):
    serve_both(api, 12)
    messages = airbyte_messages(Pull(tmp_path, api.url, BOTH).run("-o", "airbyte", "-q").stdout)
    records = [message.record for message in by_kind(messages, airbyte.Type.RECORD)]
    assert [record.data["id"] for record in records if record.stream == "items"] == ids(items(12))
    assert [record.data["id"] for record in records if record.stream == "tracks"] == tracks_of(12)
    assert all(record.emitted_at > 1_700_000_000_000 for record in records)
    statuses = [(message.trace.stream_status.stream_descriptor.name, message.trace.stream_status.status.value)
                for message in by_kind(messages, airbyte.Type.TRACE)]
    for name in ("items", "tracks"):
        of_stream = [status for stream, status in statuses if stream == name]
        assert of_stream[0] == "STARTED" and of_stream[-1] == "COMPLETE"


def test_an_airbyte_pull_that_fails_says_so_in_the_protocol(api, tmp_path):
    api.route("/items", lambda request: Answer({"message": "away"}, 404) if request.number("offset", 0) else
              next_list(items(30), "/items")(request))
    pull = Pull(tmp_path, api.url, {"items": {"path": "/items", "records": ".items", "next": ".next"}}, **quick())
    messages = airbyte_messages(pull.run("-o", "airbyte", "-q", code=1).stdout)
    assert len(by_kind(messages, airbyte.Type.RECORD)) == 10
    traces = [message.trace for message in by_kind(messages, airbyte.Type.TRACE)]
    assert "INCOMPLETE" in [trace.stream_status.status.value for trace in traces if trace.stream_status]
    assert "COMPLETE" not in [trace.stream_status.status.value for trace in traces if trace.stream_status]


def test_an_airbyte_state_goes_on_from_there(api, tmp_path):
    feed, says = incremental(api)
    pull = Pull(tmp_path, api.url, says)
    messages = airbyte_messages(pull.run("-o", "airbyte", "-q").stdout)
    states = [message.state for message in by_kind(messages, airbyte.Type.STATE)]
    assert states and states[-1].type == airbyte.AirbyteStateType.STREAM
    assert states[-1].stream.stream_descriptor.name == "items"
    (tmp_path / "state.json").write_text(json.dumps([json.loads(states[-1].json(exclude_unset=True))]))
    feed.append({"id": 10, "at": "2026-01-10"})
    messages = airbyte_messages(pull.run("-o", "airbyte", "-q", "--state", tmp_path / "state.json").stdout)
    found = [message.record.data["id"] for message in by_kind(messages, airbyte.Type.RECORD)]
    assert 10 in found and len(found) <= 2
    assert api.asked()[-1].get("since") == "2026-01-09"

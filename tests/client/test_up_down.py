# SPDX-License-Identifier: Apache-2.0
"""`leat up`, `leat down` and `leat ls`: plans, idempotence, differences, and what is asked before data goes."""
import json
import os
import pty
import subprocess

import pytest

from support.leat import PROGRAM, REGION, clean_environment, run

FILE = """\
streams:
  in: {shards: 2}
  out: {}
  dead: {}
buckets: [lake, pond]
deliveries:
  d: {from: out, to: "s3://lake/out/", buffer: {size: 1MiB, interval: 60s}, compression: gzip, suffix: .jsonl.gz}
pipelines:
  p:
    source: {stream: in}
    route: [{to: out}]
    dead_letters: {stream: dead}
"""
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "secret-that-is-not-shown",
               "AWS_REGION": REGION}


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "system.yaml"
    path.write_text(FILE)
    return path


def plan(command, *args, **more):
    """The items of a plan as {(kind, name): item}."""
    items = json.loads(run(command, *args, "-o", "json", **more).stdout)["items"]
    return {(item["kind"], item["name"]): item for item in items}


def actions(items):
    return {item["action"] for item in items.values()}


def listing(**more):
    return json.loads(run("ls", "-o", "json", **more).stdout)


def test_up_creates_in_order_and_a_second_time_keeps(file, data):
    done = run("up", file, data=data)
    assert done.stdout.splitlines()[1:] == [
        "+ bucket lake", "+ bucket pond", "+ stream in (2 shards)", "+ stream out (1 shard)",
        "+ stream dead (1 shard)", "+ delivery d (out to s3://lake/out/)",
        f"{file}: 6 created, 0 kept, 0 differ"]
    again = run("up", file, data=data)
    assert [line[0] for line in again.stdout.splitlines()[1:-1]] == ["="] * 6
    assert again.stdout.splitlines()[-1] == f"{file}: 0 created, 6 kept, 0 differ"


def test_a_dry_run_creates_nothing(file, data):
    done = run("up", file, "--dry-run", data=data)
    assert "+ stream in (2 shards)" in done.stdout and "6 to create" in done.stdout
    assert listing(data=data)["streams"] == []


def test_up_goes_on_where_it_was_stopped(file, data):
    run("up", file, data=data)
    more = file.with_name("more.yaml")
    more.write_text(FILE.replace("  dead: {}\n", "  dead: {}\n  new: {shards: 3}\n"))
    items = plan("up", more, data=data)
    assert items[("stream", "new")]["action"] == "create" and items[("stream", "new")]["done"]
    assert [i["action"] for i in items.values()].count("keep") == 6


def test_what_differs_is_told_and_left(file, data):
    run("up", file, data=data)
    other = file.with_name("other.yaml")
    other.write_text(FILE.replace("shards: 2", "shards: 5").replace("size: 1MiB", "size: 2MiB")
                     .replace("gzip,", "none,").replace("interval: 60s", "interval: 90s")
                     .replace("/out/", "/elsewhere/").replace("from: out", "from: in")
                     .replace("suffix: .jsonl.gz", "newline: false"))
    done = run("up", other, data=data)
    assert "~ stream in (5 shards): left as it is; would have to change: " \
           "shards is 2, the file says 5" in done.stdout
    assert f"{other}: 0 created, 4 kept, 2 differ" in done.stdout
    items = plan("up", other, data=data)
    difference = items[("delivery", "d")]["difference"]
    for part in ("source stream is out, the file says in",
                 "prefix is out/, the file says elsewhere/",
                 "suffix is .jsonl.gz, the file says none",
                 "compression is GZIP, the file says UNCOMPRESSED",
                 "buffer size is 1 MiB, the file says 2 MiB",
                 "buffer interval is 60s, the file says 90s",
                 "newline is true, the file says false"):
        assert part in difference
    assert "bucket is" not in difference
    stream = next(s for s in listing(data=data)["streams"] if s["name"] == "in")
    assert stream["open_shards"] == 2


def test_retention_is_set(file, data, server, kinesis):
    file.write_text(FILE.replace("in: {shards: 2}", "in: {shards: 2, retention: 7d}"))
    run("up", file, data=data)
    assert actions(plan("up", file, data=data)) == {"keep"}
    remote = {"env": {**CREDENTIALS, "AWS_ENDPOINT_URL": server.url}, "data": data}
    run("down", file, "--yes", **remote)
    run("up", file, **remote)
    summary = kinesis.describe_stream_summary(StreamName="in")["StreamDescriptionSummary"]
    assert summary["RetentionPeriodHours"] == 168
    file.write_text(FILE.replace("in: {shards: 2}", "in: {shards: 2, retention: 48h}"))
    assert plan("up", file, "-n", **remote)[("stream", "in")]["difference"] == \
        "retention is 168h, the file says 48h"


def test_down_refuses_without_a_terminal(file, data):
    run("up", file, data=data)
    done = run("down", file, data=data, code=2)
    assert "expected --yes" in done.stderr
    assert "- stream in (2 shards): 0 records, 0 B" in done.stdout
    assert len(listing(data=data)["streams"]) == 3


def test_down_removes_and_a_second_time_finds_nothing(file, data):
    run("up", file, data=data)
    done = run("down", file, "--yes", data=data)
    assert done.stdout.splitlines()[-1] == f"{file}: 6 removed"
    order = [line.split()[1] for line in done.stdout.splitlines() if line.startswith("- ")]
    assert order == ["delivery", "stream", "stream", "stream", "bucket", "bucket"]
    what = listing(data=data)
    assert not what["streams"] and not what["buckets"] and not what["deliveries"]
    again = run("down", file, "--yes", data=data)
    assert again.stdout.splitlines()[-1] == f"{file}: 0 removed"
    assert actions(plan("down", file, "--yes", data=data)) == {"absent"}
    run("up", file, data=data)


def test_a_dry_run_of_down_removes_nothing(file, data):
    run("up", file, data=data)
    done = run("down", file, "-n", data=data)
    assert done.stdout.splitlines()[-1] == f"{file}: 6 to remove"
    assert len(listing(data=data)["streams"]) == 3


def answer(file, data, text):
    """Runs `leat down` on a terminal and types `text`; gives exit code and what was shown."""
    master, slave = pty.openpty()
    process = subprocess.Popen([PROGRAM, "down", str(file)], stdin=slave, stdout=slave,
                               stderr=slave, env=clean_environment(LEAT_DATA=data))
    os.close(slave)
    shown = b""
    while b"Type yes: " not in shown:
        shown += os.read(master, 4096)
    os.write(master, text)
    while True:
        try:
            chunk = os.read(master, 4096)
        except OSError:
            break
        if not chunk:
            break
        shown += chunk
    os.close(master)
    return process.wait(60), shown.decode().replace("\r\n", "\n")


def test_on_a_terminal_down_asks(file, data):
    run("up", file, data=data)
    code, shown = answer(file, data, b"y\n")
    assert code == 1 and "Nothing was deleted." in shown
    assert "Delete these 6 for good?" in shown
    assert len(listing(data=data)["streams"]) == 3
    code, shown = answer(file, data, b"yes\n")
    assert code == 0 and "6 removed" in shown
    assert listing(data=data)["streams"] == []


def test_a_bad_file_changes_nothing(file, data):
    file.write_text(FILE.replace("from: out", "from: oot"))
    for command in ("up", "down"):
        done = run(command, file, data=data, code=2)
        assert "did you mean 'out'?" in done.stderr and done.stdout == ""
    assert not data.exists()


def test_ls_on_an_empty_folder(data):
    assert run("ls", data=data).stdout == f"Nothing yet on the embedded engine in {data}.\n"
    assert listing(data=data)["streams"] == []


@pytest.mark.parametrize("args, code", [
    (["ls"], 0), (["ls", "-o", "json"], 0), (["up", "FILE", "--dry-run"], 0), (["down", "FILE", "--yes"], 0),
    (["checkpoint", "show", "FILE"], 0), (["tail", "sessions"], 1), (["put", "sessions", "{}"], 1),
])
def test_who_only_looks_makes_no_folder(file, data, tmp_path, args, code):
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    done = run(*[file if arg == "FILE" else arg for arg in args], data=data, code=code, env={"TMPDIR": scratch})
    assert not data.exists()
    assert list(scratch.iterdir()) == []
    assert str(scratch) not in done.stdout + done.stderr


def test_ls_lines_up_its_columns(file, data):
    run("up", file, data=data)
    text = run("ls", "--shards", data=data).stdout
    rows = text.splitlines()
    assert rows[0].split() == ["STREAM", "SHARDS", "RECORDS", "SIZE", "LAST", "RECORD"]
    end = rows[0].index("SHARDS") + len("SHARDS")
    assert [row[end - 1] for row in rows[1:4]] == ["1", "2", "1"]
    assert "shardId-000000000001  open" in text
    assert "s3://lake/out/" in text and "pond" in text


def test_local_and_remote_do_not_mix_for_deliveries(file, data):
    done = run("up", file, data=data, code=1,
               env={**CREDENTIALS, "AWS_ENDPOINT_URL_S3": "http://127.0.0.1:1"})
    assert "set an endpoint for both" in done.stderr


ROLE = "arn:aws:iam::123456789012:role/delivery"


def test_up_works_through_the_process_that_has_the_folder(file, server, kinesis, firehose, s3):
    done = run("up", file, data=server.data)
    assert f"{file}: 6 created, 0 kept, 0 differ" in done.stdout
    assert kinesis.list_streams()["StreamNames"] == ["dead", "in", "out"]
    assert [b["Name"] for b in s3.list_buckets()["Buckets"]] == ["lake", "pond"]
    destination = firehose.describe_delivery_stream(DeliveryStreamName="d")[
        "DeliveryStreamDescription"]["Destinations"][0]["ExtendedS3DestinationDescription"]
    assert destination["Prefix"] == "out/"
    assert destination["BufferingHints"] == {"SizeInMBs": 1, "IntervalInSeconds": 60}
    assert destination["CompressionFormat"] == "GZIP"
    assert actions(plan("up", file, data=server.data)) == {"keep"}
    kinesis.put_record(StreamName="in", Data=b'{"a":1}', PartitionKey="k")
    s3.put_object(Bucket="pond", Key="x/y", Body=b"12345")
    items = plan("down", file, "-n", data=server.data)
    assert (items[("stream", "in")]["records"], items[("bucket", "pond")]["objects"]) == (1, 1)
    assert items[("bucket", "pond")]["bytes"] == 5
    what = listing(data=server.data)
    assert {s["name"]: s["records"] for s in what["streams"]} == {"in": 1, "out": 0, "dead": 0}
    run("down", file, "--yes", data=server.data)
    assert kinesis.list_streams()["StreamNames"] == []
    assert s3.list_buckets()["Buckets"] == []


def test_down_forgets_where_the_pipelines_stood(file, data, tmp_path):
    for _ in range(2):
        run("up", file, data=data)
        run("put", "in", "-", data=data, stdin='{"id":1}\n{"id":2}\n{"id":3}\n')
        done = json.loads(run("run", file, "--drain", "-o", "json", data=data).stdout)
        assert done["pipelines"][0]["read"] == 3
        assert listing(data=data)["pipelines"] == [
            {**listing(data=data)["pipelines"][0], "name": "p", "source": "in", "done": 3, "lag": 0}]
        run("put", "in", '{"id":4}', data=data)
        assert listing(data=data)["pipelines"][0]["lag"] == 1
        items = plan("down", file, "--yes", data=data)
        assert items[("pipeline", "p")]["action"] == "remove"
        assert items[("bucket", "lake")]["objects"] == 1
        assert listing(data=data)["pipelines"] == []


@pytest.fixture
def remote(server, tmp_path):
    """The environment in which another engine is a service far away."""
    return {"env": {**CREDENTIALS, "AWS_ENDPOINT_URL": server.url}, "data": tmp_path / "own"}


def test_elsewhere_a_delivery_without_a_role_runs_inside_leat_run(file, remote, kinesis, firehose):
    done = run("up", file, **remote)
    assert "> delivery d (out to s3://lake/out/): runs inside `leat run`" in done.stdout
    assert f"{file}: 5 created, 0 kept, 0 differ, 1 for `leat run`" in done.stdout
    assert len(kinesis.list_streams()["StreamNames"]) == 3
    assert firehose.list_delivery_streams()["DeliveryStreamNames"] == []
    assert actions(plan("up", file, **remote)) == {"keep", "local"}


def test_elsewhere_a_delivery_with_a_role_is_a_firehose(file, remote, firehose):
    file.write_text(FILE.replace("suffix:", f'role: "{ROLE}", error_prefix: "bad/", suffix:'))
    run("up", file, **remote)
    described = firehose.describe_delivery_stream(DeliveryStreamName="d")["DeliveryStreamDescription"]
    source = described["Source"]["KinesisStreamSourceDescription"]
    assert source["RoleARN"] == ROLE and source["KinesisStreamARN"].endswith(":stream/out")
    assert actions(plan("up", file, **remote)) == {"keep"}
    run("down", file, "-y", **remote)
    assert firehose.list_delivery_streams()["DeliveryStreamNames"] == []


def test_elsewhere_down_names_account_and_region(file, remote, server):
    run("up", file, **remote)
    done = run("down", file, **remote, code=2)
    head = done.stdout.splitlines()[0]
    assert head == f"{file} on {server.url} (region {REGION}), account 000000000000:"
    assert "lost for everybody who uses it" in done.stdout
    assert "secret-that-is-not-shown" not in done.stdout + done.stderr
    what = listing(**remote)
    assert [s["name"] for s in what["streams"]] == ["dead", "in", "out"]
    assert "records" not in what["streams"][0]
    assert "DELIVERY" not in run("ls", **remote).stdout
    run("down", file, "--yes", **remote)
    assert listing(**remote)["streams"] == []
    assert actions(plan("down", file, "--yes", **remote)) <= {"absent", "remove"}
    assert not remote["data"].exists()


def test_a_service_that_does_not_answer_is_named(file, tmp_path):
    done = run("up", file, data=tmp_path / "own", code=1, timeout_s=300,
               env={**CREDENTIALS, "AWS_ENDPOINT_URL": "http://127.0.0.1:1"})
    assert "127.0.0.1:1" in done.stderr and "leat up: " in done.stderr


def test_credentials_that_are_missing_are_asked_for(file, tmp_path):
    done = run("up", file, data=tmp_path / "own", code=1,
               env={"AWS_ENDPOINT_URL": "http://192.0.2.1:1"})
    assert "AWS_ACCESS_KEY_ID" in done.stderr

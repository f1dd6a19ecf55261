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

# SPDX-License-Identifier: Apache-2.0
"""The recommender, end to end, by its own file: on the embedded engine alone, and with kinesalite as the stream service."""
import base64
import gzip
import json
import pathlib
import signal
import subprocess
import time

from support import leat

EXAMPLE = leat.ROOT / "examples/recommender"
SYSTEM = EXAMPLE / "recommender.yaml"
SAMPLE = EXAMPLE / "sessions-sample.jsonl.gz"
FIELDS = ("overall_product_quantity", "overall_in_shopping_cart", "total_different_products")


def sessions():
    with gzip.open(SAMPLE, "rt", encoding="utf-8") as file:
        return file.read().splitlines()


def expected(line):
    """What must be added to a session, by the plain way."""
    items = json.loads(line)["browsing_history"]
    return (sum(i["quantity"] for i in items), sum(i["quantity"] for i in items if i["in_shopping_cart"]),
            len({i["product_code"] for i in items}))


def bucket_lines(data, bucket):
    lines = []
    for path in sorted(pathlib.Path(data, "buckets", bucket).rglob("*")):
        if path.is_file():
            lines += gzip.decompress(path.read_bytes()).decode().splitlines()
    return lines


def check_buckets(data, given):
    found = {}
    for bucket in ("recommender-us", "recommender-intl"):
        for line in bucket_lines(data, bucket):
            record = json.loads(line)
            assert record["session_id"] not in found, "a session stands there twice"
            assert (record["country"] == "USA") == (bucket == "recommender-us")
            found[record["session_id"]] = line
    assert len(found) == len(given)
    for line in given:
        out = found[json.loads(line)["session_id"]]
        record = json.loads(out)
        assert tuple(record[field] for field in FIELDS) == expected(line)
        assert out.startswith(line[:-1]), "bytes of the record were changed"


def run_all(data, env=None):
    given = sessions()
    leat.run("up", SYSTEM, data=data, env=env)
    put = leat.run("put", "sessions", "-", "-o", "json", data=data, env=env, stdin="\n".join(given))
    assert json.loads(put.stdout)["records"] == len(given)
    done = leat.run("run", SYSTEM, "--drain", "-o", "json", data=data, env=env, timeout_s=300)
    pipeline = json.loads(done.stdout)["pipelines"][0]
    assert pipeline["read"] == len(given)
    assert [route["records"] for route in pipeline["routes"]] == [3, len(given) - 3]
    assert pipeline["dead"] == 0
    check_buckets(data, given)
    again = leat.run("run", SYSTEM, "--drain", "-o", "json", data=data, env=env, timeout_s=300)
    assert json.loads(again.stdout)["pipelines"][0]["read"] == 0, "a second run goes on from the checkpoint"
    check_buckets(data, given)


def test_recommender_on_the_embedded_engine(data):
    run_all(data)


def test_recommender_with_kinesalite_as_the_stream_service(data, kinesalite):
    run_all(data, {"AWS_ENDPOINT_URL_KINESIS": kinesalite.url, "AWS_ACCESS_KEY_ID": "x",
                   "AWS_SECRET_ACCESS_KEY": "not-to-be-seen", "AWS_REGION": "us-east-1"})
    for path in data.rglob("*"):
        assert not path.is_file() or b"not-to-be-seen" not in path.read_bytes(), path


def test_from_and_to_touch_no_service(tmp_path):
    given = sessions()
    source = tmp_path / "sessions.jsonl"
    source.write_text("\n".join([*given, '{"session_id": "cut']) + "\n", encoding="utf-8")
    done = leat.run("run", SYSTEM, "--from", source, "--to", tmp_path / "out", cwd=tmp_path, code=3)
    assert f"{source}:{len(given) + 1}: dead letter" in done.stderr
    assert not (tmp_path / "leat-data").exists()
    us = (tmp_path / "out/us-sessions.jsonl").read_text(encoding="utf-8").splitlines()
    intl = (tmp_path / "out/intl-sessions.jsonl").read_text(encoding="utf-8").splitlines()
    dead = (tmp_path / "out/dead-letters.jsonl").read_text(encoding="utf-8").splitlines()
    assert (len(us), len(intl), len(dead)) == (3, len(given) - 3, 1)
    piped = leat.run("run", SYSTEM, "--from", "-", "--to", "-", stdin=given[0], cwd=tmp_path)
    assert json.loads(piped.stdout)["total_different_products"] == expected(given[0])[2]


def test_dead_letters_are_whole_and_replayed_once(data):
    good, bad = sessions()[0], '{"session_id":"b1","country":"USA","browsing_history":[{"quantity":"two"}],"n":1.50}'
    broken = b"\x00\xff not json"
    leat.run("up", SYSTEM, data=data)
    server = leat.Server(data).start()
    kinesis = server.client("kinesis")
    for key, body in (("a", good.encode()), ("b", bad.encode()), ("c", broken)):
        kinesis.put_record(StreamName="sessions", PartitionKey=key, Data=body)
    run = leat.run("run", SYSTEM, "--drain", "-o", "json", data=data)
    assert json.loads(run.stdout)["pipelines"][0]["dead"] == 2
    letters = [json.loads(line) for line in
               leat.run("tail", "rejected-sessions", "--no-follow", "-o", "data", data=data).stdout.splitlines()]
    by_key = {letter["partitionKey"]: letter for letter in letters}
    assert base64.b64decode(by_key["b"]["rawData"]) == bad.encode()
    assert base64.b64decode(by_key["c"]["rawData"]) == broken
    assert by_key["b"]["expression"] == "set.overall_product_quantity" and by_key["b"]["errorMessage"]
    assert by_key["c"]["errorCode"] == "NotJson"
    assert by_key["b"]["shardId"].startswith("shardId-") and by_key["b"]["sequenceNumber"].isdigit()
    first = leat.run("replay", SYSTEM, data=data)
    assert "2 records sent back" in first.stdout
    assert "0 records sent back" in leat.run("replay", SYSTEM, data=data).stdout
    run = leat.run("run", SYSTEM, "--drain", "-o", "json", data=data)
    assert json.loads(run.stdout)["pipelines"][0]["read"] == 2
    server.stop()


def test_a_second_run_of_the_same_pipeline_is_refused(data):
    leat.run("up", SYSTEM, data=data)
    first = subprocess.Popen([str(leat.PROGRAM), "run", str(SYSTEM)], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                             text=True, env=leat.clean_environment(LEAT_DATA=data))
    try:
        deadline = time.monotonic() + 30
        while not (data / "claims/pipeline recommender").exists():
            assert time.monotonic() < deadline
            time.sleep(0.05)
        time.sleep(0.5)
        second = leat.run("run", SYSTEM, "--drain", data=data, code=1)
        assert "pipeline recommender is in use" in second.stderr
        assert leat.run("checkpoint", "reset", SYSTEM, data=data, code=1)
    finally:
        first.send_signal(signal.SIGINT)
        out, err = first.communicate(timeout=60)
    leat.check_sanitizers(err)
    assert first.returncode == 0, err
    assert "pipeline recommender" in out, "a summary is printed when it is stopped"


def test_checkpoints_are_shown_reset_and_sought(data):
    given = sessions()[:200]
    leat.run("up", SYSTEM, data=data)
    leat.run("put", "sessions", "-", data=data, stdin="\n".join(given[:100]))
    leat.run("run", SYSTEM, "--drain", data=data)
    rows = [json.loads(line) for line in leat.run("checkpoint", "show", SYSTEM, "-o", "json", data=data).stdout.splitlines()]
    assert sum(row["records"] for row in rows) == 100
    middle = time.time()
    time.sleep(0.05)
    leat.run("put", "sessions", "-", data=data, stdin="\n".join(given[100:]))
    leat.run("run", SYSTEM, "--drain", data=data)

    def read_again():
        run = leat.run("run", SYSTEM, "--drain", "-o", "json", data=data)
        return json.loads(run.stdout)["pipelines"][0]["read"]

    assert read_again() == 0
    leat.run("checkpoint", "reset", SYSTEM, data=data)
    assert read_again() == 200
    leat.run("checkpoint", "seek", SYSTEM, "--to", f"{middle:.3f}", data=data)
    assert read_again() == 100
    row = max(rows, key=lambda r: r["records"])
    leat.run("checkpoint", "seek", SYSTEM, "--shard", row["shard"], "--to", row["sequence"], data=data)
    n_after = read_again()
    assert 1 <= n_after <= 101, "from that very record of that shard"
    refused = leat.run("checkpoint", "seek", SYSTEM, "--to", row["sequence"], data=data, code=1)
    assert "--shard" in refused.stderr
    assert leat.run("checkpoint", "sek", SYSTEM, code=2).stderr.count("seek") >= 1


def test_routes_straight_into_buckets_deliver_each_record_once(data, tmp_path):
    """Killed again and again while it runs: the objects hold every record exactly once."""
    system = tmp_path / "system.yaml"
    system.write_text("""
streams: {sessions: {shards: 3}}
buckets: [lake]
pipelines:
  lake:
    source: {stream: sessions}
    set: {items: '.browsing_history | length'}
    route: [{when: '.country == "France"', to: "s3://lake/france/"}, {to: "s3://lake/rest/"}]
""")
    given = sessions()
    leat.run("up", system, data=data)
    for part in range(5):
        leat.run("put", "sessions", "-", data=data, stdin="\n".join(given[part * 300:(part + 1) * 300]))
        runner = subprocess.Popen([str(leat.PROGRAM), "run", str(system)], stdout=subprocess.DEVNULL,
                                  stderr=subprocess.DEVNULL, env=leat.clean_environment(LEAT_DATA=data))
        time.sleep(0.4 * leat.SLOW)
        runner.kill()
        runner.wait()
        drained = leat.run("run", system, "--drain", "-o", "json", data=data)
        assert json.loads(drained.stdout)["pipelines"][0]["dead"] == 0
    found = []
    for path in (data / "buckets/lake").rglob("*"):
        if path.is_file():
            records = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
            assert all((record["country"] == "France") == ("/france/" in str(path)) for record in records)
            found += [record["session_id"] for record in records]
    assert sorted(found) == sorted(json.loads(line)["session_id"] for line in given)

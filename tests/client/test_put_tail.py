# SPDX-License-Identifier: Apache-2.0
"""`leat put` and `leat tail`: what goes in comes out, and what cannot go in is said."""
import json
import os
import re
import signal
import subprocess
import threading
import time

import pytest
from support import leat

STREAMS = "streams:\n  one: {shards: 1}\n  four: {shards: 4}\n"


@pytest.fixture
def streams(data, tmp_path):
    """An engine's folder with two streams and nobody in it."""
    file = tmp_path / "streams.yaml"
    file.write_text(STREAMS)
    leat.run("up", file, data=data)
    return data


def tail(data, stream, *args, output="data"):
    return leat.run("tail", stream, "--no-follow", "-o", output, *args, data=data).stdout.splitlines()


def start(*args, data, **pipes):
    """A leat command that goes on by itself."""
    return subprocess.Popen([str(leat.PROGRAM), *map(str, args)], text=True, stderr=subprocess.PIPE,
                            env=leat.clean_environment(LEAT_DATA=data), **pipes)


def finish(process, code):
    out, err = process.communicate(timeout=60 * leat.SLOW)
    leat.check_sanitizers(err)
    assert process.returncode == code, (process.returncode, out, err)
    return out, err


# ---- put ----

def test_put_of_one_record_prints_shard_and_sequence_number(streams):
    line = leat.run("put", "one", '{"session_id":"a1","n":1.50}', data=streams).stdout
    shard, sequence = line.split()
    assert shard == "shardId-000000000000"
    record = json.loads(leat.run("put", "one", '{"id":7}', "-o", "json", data=streams).stdout)
    assert record["ShardId"] == shard
    assert int(record["SequenceNumber"]) > int(sequence)
    assert tail(streams, "one") == ['{"session_id":"a1","n":1.50}', '{"id":7}']


@pytest.mark.parametrize("text, args, key", [
    ('{"id":"i","session_id":"s"}', (), "s"),
    ('{"session_id":null,"id":"i"}', (), "i"),
    ('{"session_id":false,"id":12.0}', (), "12.0"),
    ('{"session_id":"caf\\u00e9"}', (), "café"),
    ('{"a":{"b":["x","y"]}}', ("--key", ".a.b[1]"), "y"),
    ('{"a":5}', ("-k", ".a"), "5"),
    ('{"id":"i"}', ("--key", '"fixed"'), "fixed"),
])
def test_put_takes_the_partition_key_from_the_record(streams, text, args, key):
    leat.run("put", "one", text, *args, data=streams)
    assert json.loads(tail(streams, "one", output="json")[-1])["key"] == key


def test_put_gives_records_without_an_id_random_keys(streams):
    leat.run("put", "four", "-", stdin='{"a":1}\n' * 200, data=streams)
    records = [json.loads(line) for line in tail(streams, "four", output="json")]
    assert len({record["key"] for record in records}) == 200
    assert len({record["shard"] for record in records}) == 4


def test_put_keeps_bytes_and_passes_over_empty_lines(streams, tmp_path):
    lines = ['{"id": 1, "price": 1.10, "big": 123456789012345678901234567890}',
             '{"id":2,"escaped":"\\u00e9\\/","twice":1,"twice":2}', '  {"id":3}', '[1, 2]', '"text"']
    file = tmp_path / "in.jsonl"
    file.write_bytes(("\n" + "\r\n\n".join(lines)).encode())  # the last one has no line end
    done = leat.run("put", "one", f"@{file}", data=streams)
    assert done.stdout.startswith("5 records, ")
    assert tail(streams, "one") == lines


def test_put_keeps_the_order_of_a_key_over_many_calls(streams):
    lines = [json.dumps({"id": f"k{i % 7}", "n": i, "pad": "x" * (i % 900)}) for i in range(6000)]
    done = leat.run("put", "four", "-", "-o", "json", stdin="\n".join(lines), data=streams)
    summary = json.loads(done.stdout)
    assert summary["records"] == 6000 and summary["skipped"] == 0
    assert summary["bytes"] == sum(map(len, lines))
    got = tail(streams, "four", "--from", "trim-horizon")
    assert sorted(got) == sorted(lines)
    for key in range(7):
        numbers = [json.loads(line)["n"] for line in got if f'"id": "k{key}"' in line]
        assert numbers == sorted(numbers)


def test_put_stops_at_a_line_that_is_no_record_and_names_it(streams):
    done = leat.run("put", "one", "-", stdin='{"id":1}\n\n{"id":2\n{"id":3}\n', data=streams, code=1)
    assert "line 3 of standard input" in done.stderr and "not JSON" in done.stderr
    assert done.stdout.startswith("1 records, ")
    assert tail(streams, "one") == ['{"id":1}']


def test_put_skips_what_is_no_record_when_it_is_told_to(streams, tmp_path):
    big = '{"id":"%s"}' % ("x" * (1 << 20))
    file = tmp_path / "in.jsonl"
    file.write_text('{"id":1}\nrubbish\n' + big + "\n" + "y" * 5_000_000 + '\n{"id":""}\n{"id":2}')
    done = leat.run("put", "one", f"@{file}", "--on-error", "skip", "-o", "json", data=streams, code=3)
    summary = json.loads(done.stdout)
    assert (summary["records"], summary["skipped"]) == (3, 3)
    assert [int(n) for n in re.findall(r"line (\d+)", done.stderr)] == [2, 3, 4]
    assert tail(streams, "one") == ['{"id":1}', '{"id":""}', '{"id":2}']


def test_put_names_a_key_that_cannot_be(streams):
    done = leat.run("put", "one", "-", "--key", ".a", stdin='{"a":"x"}\n{"b":1}\n', data=streams, code=1)
    assert "line 2" in done.stderr and "null" in done.stderr
    done = leat.run("put", "one", "{}", "--key", ".a[", data=streams, code=None)
    assert done.returncode != 0 and "--key" in done.stderr
    done = leat.run("put", "one", '{"id":"%s"}' % ("x" * 257), data=streams, code=1)
    assert "256" in done.stderr


def test_put_of_nothing_puts_nothing(streams):
    assert leat.run("put", "one", "-", stdin="", data=streams).stdout.startswith("0 records")
    assert tail(streams, "one") == []


def test_put_into_a_stream_that_is_not_there_says_so(streams):
    for stdin in (None, '{"id":1}\n'):
        what = '{"id":1}' if stdin is None else "-"
        done = leat.run("put", "two", what, stdin=stdin, data=streams, code=1)
        assert "two" in done.stderr and "not found" in done.stderr
    done = leat.run("put", "one", "@/nowhere/at.all", data=streams, code=1)
    assert "/nowhere/at.all" in done.stderr


def test_put_passes_lines_on_as_they_come_and_ends_cleanly_at_sigint(streams):
    process = start("put", "one", "-", data=streams, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    for i in range(3):
        process.stdin.write(f'{{"id":{i}}}\n')
        process.stdin.flush()
        deadline = time.monotonic() + 30 * leat.SLOW
        # the put holds the folder; the tail reaches its engine through it
        while len(tail(streams, "one", "--from", "trim-horizon")) <= i:
            assert time.monotonic() < deadline, "a line waits for the next one"
    process.send_signal(signal.SIGINT)
    process.wait(20 * leat.SLOW)  # its input is still open: the signal alone ends it
    out, _ = finish(process, 130)
    assert out.startswith("3 records")
    assert tail(streams, "one") == ['{"id":0}', '{"id":1}', '{"id":2}']


def wait_for_records(streams, n):
    deadline = time.monotonic() + 30 * leat.SLOW
    while len(tail(streams, "one", "--from", "trim-horizon")) < n:
        assert time.monotonic() < deadline, f"record {n} does not come"


def wait_until_it_has(folder, process):
    deadline = time.monotonic() + 30 * leat.SLOW
    while (folder / "lock").read_text().split()[:1] != [str(process.pid)]:
        assert time.monotonic() < deadline, "the command does not take the folder"
        time.sleep(0.01)


@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGKILL])
def test_put_goes_on_when_the_command_that_had_the_folder_ends(streams, end):
    holder = start("tail", "one", "--follow", "-o", "data", data=streams, stdout=subprocess.PIPE)
    wait_until_it_has(streams, holder)
    put = start("put", "one", "-", data=streams, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    put.stdin.write('{"id":1}\n')
    put.stdin.flush()
    assert holder.stdout.readline() == '{"id":1}\n'  # through it
    holder.send_signal(end)
    holder.communicate(timeout=30 * leat.SLOW)
    put.stdin.write('{"id":2}\n')
    put.stdin.flush()
    wait_until_it_has(streams, put)
    wait_for_records(streams, 2)
    assert finish(put, 0)[0].startswith("2 records")


def test_put_waits_for_a_server_that_comes_back(streams):
    server = leat.Server(streams).start()
    put = start("put", "one", "-", data=streams, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    put.stdin.write('{"id":1}\n')
    put.stdin.flush()
    wait_for_records(streams, 1)
    server.kill()
    put.stdin.write('{"id":2}\n')
    put.stdin.flush()
    time.sleep(0.3)
    server.start()  # the put has not taken its folder
    wait_for_records(streams, 2)
    assert finish(put, 0)[0].startswith("2 records")
    server.stop()


def test_put_ends_at_sigint_while_nobody_takes_its_records(streams):
    server = leat.Server(streams).start()
    put = start("put", "one", "-", "-o", "json", data=streams, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    put.stdin.write('{"id":1}\n')
    put.stdin.flush()
    wait_for_records(streams, 1)
    server.kill()
    put.stdin.write('{"id":2}\n{"id":3}\n')
    put.stdin.flush()
    time.sleep(0.5)  # until it has read them: else it ends the sooner, with none left
    put.send_signal(signal.SIGINT)
    out, _ = finish(put, 130)
    told = json.loads(out)
    assert told["records"] == 1 and told["left"] in (0, 2) and told["interrupted"] is True
    assert tail(streams, "one") == ['{"id":1}']


def test_put_memory_stays_bounded_however_long_the_input(streams):
    line = json.dumps({"id": 1, "pad": "x" * 1000}) + "\n"
    process = start("put", "four", "-", data=streams, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    for _ in range(60):
        process.stdin.write(line * 1000)
    peak = re.search(r"VmHWM:\s+(\d+)", open(f"/proc/{process.pid}/status").read())
    out, _ = finish(process, 0)
    assert out.startswith("60,000 records")
    if leat.SLOW == 1:
        assert int(peak[1]) < 96 * 1024


def test_put_and_tail_through_a_server_are_what_other_clients_see(server, kinesis):
    kinesis.create_stream(StreamName="s", ShardCount=2)
    kinesis.get_waiter("stream_exists").wait(StreamName="s")
    env = {"AWS_ENDPOINT_URL": server.url, "AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "x",
           "AWS_REGION": leat.REGION}
    lines = [json.dumps({"id": i}) for i in range(1200)]
    leat.run("put", "s", "-", stdin="\n".join(lines), env=env)
    got = leat.run("tail", "s", "--no-follow", "-o", "data", env=env).stdout.splitlines()
    assert sorted(got) == sorted(lines)
    seen = []
    for shard in kinesis.list_shards(StreamName="s")["Shards"]:
        iterator = kinesis.get_shard_iterator(StreamName="s", ShardId=shard["ShardId"],
                                              ShardIteratorType="TRIM_HORIZON")["ShardIterator"]
        seen += [r["Data"].decode() for r in kinesis.get_records(ShardIterator=iterator)["Records"]]
    assert sorted(seen) == sorted(lines)


# ---- tail ----

def test_tail_starts_where_it_is_told(streams):
    for i in range(10):
        leat.run("put", "one", f'{{"id":{i}}}', data=streams)
    records = [json.loads(line) for line in tail(streams, "one", output="json")]
    assert [record["data"]["id"] for record in records] == list(range(10))
    assert [record["key"] for record in records] == [str(i) for i in range(10)]

    def ids(*args):
        return [json.loads(line)["id"] for line in tail(streams, "one", *args)]

    assert ids("--from", records[4]["sequence"]) == [4, 5, 6, 7, 8, 9]
    assert ids("--from", str(records[6]["arrival_ms"] / 1000)) == [6, 7, 8, 9]
    assert ids("--from", "latest") == []
    assert ids("--from", "trim-horizon", "-n", "3") == [0, 1, 2]
    assert ids("--from", "2020-01-01") == list(range(10))
    assert ids("--from", "2100-01-01") == []


def test_tail_of_one_shard_gives_that_shard(streams):
    leat.run("put", "four", "-", stdin="".join(f'{{"id":{i}}}\n' for i in range(100)), data=streams)
    all_lines = tail(streams, "four", output="text")
    assert len(all_lines) == 100
    for shard in {line.split()[0] for line in all_lines}:
        mine = tail(streams, "four", "--shard", shard, output="text")
        assert mine == [line for line in all_lines if line.startswith(shard + " ")]


def test_tail_says_what_it_does_not_know(streams):
    done = leat.run("tail", "two", "--no-follow", data=streams, code=1)
    assert "two" in done.stderr
    done = leat.run("tail", "one", "--shard", "shardId-000000000009", "--no-follow", data=streams, code=1)
    assert "shardId-000000000009" in done.stderr
    done = leat.run("tail", "one", "--from", "lates", data=streams, code=2)
    assert "did you mean latest" in done.stderr
    leat.run("put", "four", '{"id":1}', data=streams)
    sequence = json.loads(tail(streams, "four", output="json")[0])["sequence"]
    done = leat.run("tail", "four", "--from", sequence, "--no-follow", data=streams, code=1)
    assert "--shard" in done.stderr


def test_tail_follows_until_sigint(server, kinesis):
    kinesis.create_stream(StreamName="s", ShardCount=1)
    kinesis.get_waiter("stream_exists").wait(StreamName="s")
    kinesis.put_record(StreamName="s", PartitionKey="k", Data=b'{"id":"old"}')
    process = start("tail", "s", "-o", "data", data=server.data, stdout=subprocess.PIPE)
    lines = []
    reader = threading.Thread(target=lambda: lines.extend(iter(process.stdout.readline, "")))
    reader.start()
    deadline = time.monotonic() + 30 * leat.SLOW
    n = 0
    while not lines:  # it starts at the latest: only what comes once it listens
        assert time.monotonic() < deadline
        kinesis.put_record(StreamName="s", PartitionKey="k", Data=b'{"id":"new"}')
        n += 1
        time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    assert process.wait(20 * leat.SLOW) == 0
    reader.join()
    assert 1 <= len(lines) <= n and set(lines) == {'{"id":"new"}\n'}
    leat.check_sanitizers(process.stderr.read())


def test_tail_ends_quietly_when_nobody_reads_on(streams):
    leat.run("put", "one", "-", stdin="".join(f'{{"id":{i}}}\n' for i in range(50000)), data=streams)
    process = start("tail", "one", "--no-follow", "-o", "data", data=streams, stdout=subprocess.PIPE)
    assert process.stdout.readline() == '{"id":0}\n'
    process.stdout.close()
    assert process.wait(30 * leat.SLOW) == 0
    assert process.stderr.read() == ""


def test_tail_says_when_it_cannot_write(streams):
    leat.run("put", "one", '{"id":1}', data=streams)
    with open("/dev/full", "w") as full:
        process = start("tail", "one", "--no-follow", data=streams, stdout=full)
        assert process.wait(30 * leat.SLOW) == 1
    assert "No space left" in process.stderr.read()


def test_tail_shows_what_is_no_json_as_it_is_or_as_base64(server, kinesis):
    kinesis.create_stream(StreamName="s", ShardCount=1)
    kinesis.get_waiter("stream_exists").wait(StreamName="s")
    kinesis.put_record(StreamName="s", PartitionKey="k", Data=b"\xff\x00plain")
    record = json.loads(tail(server.data, "s", output="json")[0])
    assert record["data_base64"] == "/wBwbGFpbg==" and "data" not in record
    raw = subprocess.run([str(leat.PROGRAM), "tail", "s", "--no-follow", "-o", "data"],
                         env=leat.clean_environment(LEAT_DATA=server.data), capture_output=True,
                         timeout=60 * leat.SLOW, check=True)
    assert raw.stdout == b"\xff\x00plain\n"


def test_records_of_a_killed_put_that_were_seen_are_kept(streams):
    process = start("put", "one", "-", data=streams, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    process.stdin.write("".join(f'{{"id":{i}}}\n' for i in range(100)))
    process.stdin.flush()
    deadline = time.monotonic() + 30 * leat.SLOW
    while len(tail(streams, "one", "--from", "trim-horizon")) < 100:
        assert time.monotonic() < deadline
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    assert tail(streams, "one") == [f'{{"id":{i}}}' for i in range(100)]

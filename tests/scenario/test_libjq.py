# SPDX-License-Identifier: Apache-2.0
"""Expressions that are left to libjq, in its process of its own: it is killed, never ends, eats memory, and the pipeline goes on;
every record is in a sink or among the dead letters, once, with the reason."""
import base64
import collections
import contextlib
import json
import os
import pathlib
import random
import signal
import subprocess
import threading
import time

from support import leat

# `_plus` is jq's own name of `+`: known to libjq alone
SYSTEM = """
streams: {in: {shards: 2}, even: {shards: 1}, odd: {shards: 1}, rejected: {shards: 1}}
pipelines:
  p:
    source: {stream: in}
    set:
      m: '_plus(.n; 1)'
      work: |
        if .bad == "memory" then reduce range(40) as $i ("x"; . + .) | length
        elif .bad == "time" then (def f: f; f) | _plus(.; 1)
        elif .bad == "error" then error("as told")
        else .n * 2 end | _plus(.; 0)
    route: [{when: '.n % 2 == 0', to: even}, {to: odd}]
    limits: {time: 700ms, memory: 64MiB}
    dead_letters: {stream: rejected}
"""


def helpers(parent):
    """The libjq processes of a program, by what the system says of them."""
    found = []
    for path in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            stat = (path / "stat").read_text()
            if "(leat-libjq)" in stat and int(stat.rsplit(")", 1)[1].split()[1]) == parent:
                found.append(int(path.name))
        except (OSError, ValueError, IndexError):
            continue
    return found


def start(tmp_path, data, records, system=SYSTEM):
    file = tmp_path / "system.yaml"
    file.write_text(system)
    leat.run("up", file, data=data)
    put = leat.run("put", "in", "-", "-o", "json", "--key", ".n | tostring", data=data,
                   stdin="\n".join(json.dumps(record) for record in records))
    assert json.loads(put.stdout)["records"] == len(records)
    return file


def lines(data, stream):
    out = leat.run("tail", stream, "--no-follow", "-o", "data", data=data).stdout
    return [json.loads(line) for line in out.splitlines()]


def check(data, records):
    """Each record is in its sink with its fields, or a dead letter with its reason."""
    reasons = {"memory": "took more than 64 MiB of memory", "time": "took longer than 700 ms", "error": "as told"}
    seen = collections.Counter()
    for stream, rest in (("even", 0), ("odd", 1)):
        for record in lines(data, stream):
            assert record["n"] % 2 == rest and record["m"] == record["n"] + 1 and record["work"] == record["n"] * 2
            seen[record["n"]] += 1
    dead = collections.Counter()
    for letter in lines(data, "rejected"):
        record = json.loads(base64.b64decode(letter["rawData"]))
        assert letter["errorCode"] == "ExpressionFailed" and letter["expression"] == "set.work"
        assert letter["errorMessage"] == reasons[record["bad"]]
        dead[record["bad"]] += 1
        seen[record["n"]] += 1
    assert seen == collections.Counter(record["n"] for record in records)
    assert dead == collections.Counter(record["bad"] for record in records if "bad" in record)


def test_records_that_never_end_or_eat_memory_become_dead_letters_and_the_rest_goes_on(tmp_path, data):
    records = [{"n": n} for n in range(2000)]
    for at, bad in ((0, "time"), (3, "memory"), (4, "memory"), (700, "error"), (1500, "time"), (1999, "memory")):
        records[at]["bad"] = bad
    file = start(tmp_path, data, records)
    done = leat.run("run", file, "--drain", "-o", "json", data=data)
    pipeline = json.loads(done.stdout)["pipelines"][0]
    assert pipeline["read"] == len(records) and pipeline["dead"] == 6
    check(data, records)


def test_helper_killed_again_and_again_costs_no_record(tmp_path, data):
    records = [{"n": n} for n in range(20000)]
    for endless in (7000, 13001):  # only a kill ends these, so that there is one to be killed however fast the machine
        records[endless]["bad"] = "time"
    file = start(tmp_path, data, records, SYSTEM.replace("700ms", "600s"))
    program = subprocess.Popen([str(leat.PROGRAM), "run", str(file), "--drain", "-o", "json"], stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, text=True, env=leat.clean_environment(LEAT_DATA=data))
    killed, rng = [], random.Random(5)

    def kill():
        while program.poll() is None and len(killed) < 60:
            for pid in helpers(program.pid):
                time.sleep(rng.uniform(0.05, 0.3))  # most often into its work
                with contextlib.suppress(ProcessLookupError):  # one that has compiled for the check of the file ends
                    os.kill(pid, signal.SIGKILL)
                    killed.append(pid)
            time.sleep(0.01)
        if len(killed) == 60:  # fails below, instead of waiting for the limit of time
            program.kill()

    killer = threading.Thread(target=kill)
    killer.start()
    out, err = program.communicate(timeout=120 * leat.SLOW)
    killer.join()
    leat.check_sanitizers(err)
    assert program.returncode == 0, err
    assert len(killed) >= 4
    pipeline = json.loads(out)["pipelines"][0]
    dead = lines(data, "rejected")
    for letter in dead:  # one that was killed over the same record twice
        assert letter["errorMessage"] == "ended libjq unexpectedly (signal 9)"
    lost = collections.Counter(json.loads(base64.b64decode(letter["rawData"]))["n"] for letter in dead)
    assert lost[7000] == lost[13001] == 1
    assert pipeline["read"] == len(records) and pipeline["dead"] == len(dead) <= len(killed) // 2
    taken = collections.Counter(record["n"] for stream in ("even", "odd") for record in lines(data, stream))
    assert taken + lost == collections.Counter(range(20000))


def test_helper_shows_no_secret_and_ends_with_the_program(tmp_path, data):
    records = [{"n": 0, "bad": "time"}]
    file = start(tmp_path, data, records, SYSTEM.replace("700ms", "600s").replace("as told", "hunter2 in the file"))
    program = subprocess.Popen([str(leat.PROGRAM), "run", str(file), "--drain"], stdout=subprocess.DEVNULL,
                               stderr=subprocess.DEVNULL,
                               env=leat.clean_environment(LEAT_DATA=data, AWS_SECRET_ACCESS_KEY="hunter2"))
    try:
        found = []
        while not found and program.poll() is None:
            time.sleep(0.02)
            found = helpers(program.pid)
        proc = pathlib.Path("/proc", str(found[0]))
        assert proc.joinpath("cmdline").read_bytes() == b"leat\0libjq-helper\0"
        assert b"hunter2" not in proc.joinpath("environ").read_bytes()
        assert b"hunter2" in pathlib.Path("/proc", str(program.pid), "environ").read_bytes()
        program.send_signal(signal.SIGKILL)
        program.wait(30)
        for _ in range(1000):
            if not proc.exists() or ") Z " in proc.joinpath("stat").read_text():
                return
            time.sleep(0.02)
        raise AssertionError("the process of libjq outlives the program")
    finally:
        program.kill()
        program.wait(30)


def test_helper_is_not_for_people():
    done = leat.run("libjq-helper", code=2)
    assert done.stderr == "leat libjq-helper: leat itself starts this, to run libjq\n"
    assert "libjq-helper" not in leat.run("--help").stdout

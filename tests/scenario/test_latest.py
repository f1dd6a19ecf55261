# SPDX-License-Identifier: Apache-2.0
"""A pipeline that starts with what comes from now on keeps its place from the first record that it saw."""
import pathlib
import signal
import subprocess
import time

from support import leat

SYSTEM = """
streams: {a: {shards: 1}}
buckets: [lake]
pipelines:
  p:
    source: {stream: a, from: latest}
    route: [{to: 's3://lake/p/'}]
"""


def lines(data):
    return sum((path.read_text().splitlines() for path in pathlib.Path(data, "buckets/lake").rglob("*") if path.is_file()), [])


def test_records_read_from_latest_and_not_yet_in_an_object_survive_a_kill(tmp_path):
    data, system = tmp_path / "data", tmp_path / "system.yaml"
    system.write_text(SYSTEM)
    leat.run("up", system, data=data)
    leat.run("put", "a", '{"id":"before"}', data=data)
    runner = subprocess.Popen([str(leat.PROGRAM), "run", str(system)], env=leat.clean_environment(LEAT_DATA=data),
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        until, shown = time.monotonic() + 60, ""
        while not (data / "address").exists():  # the runner has the folder
            assert time.monotonic() < until
            time.sleep(0.05)
        for number in range(10**6):
            leat.run("put", "a", f'{{"id":"after-{number}"}}', data=data)
            shown = leat.run("checkpoint", "show", system, data=data).stdout
            if " at " in shown:
                break
            assert time.monotonic() < until, shown
    finally:
        runner.send_signal(signal.SIGKILL)
        runner.wait()
    assert not lines(data), "its interval is a minute"
    leat.run("run", system, "--drain", data=data)
    kept = lines(data)
    assert f'{{"id":"after-{number}"}}' in kept
    assert '{"id":"before"}' not in kept

# SPDX-License-Identifier: Apache-2.0
"""The server as such: where it answers, how it stops, and what it says of itself."""
import json
import socket
import time

import requests
from support import leat


def test_serve_answers_healthz(server):
    assert requests.get(server.url + "/healthz", timeout=10).status_code == 200


def test_serve_stops_at_sigterm_with_a_connection_open(server):
    with requests.Session() as session:
        assert session.get(server.url + "/healthz", timeout=10).status_code == 200
        idle = socket.create_connection(("127.0.0.1", server.port))
        start = time.monotonic()
        server.stop()
        assert time.monotonic() - start < 10 * leat.SLOW
        idle.close()


def test_serve_counts_requests_in_prometheus_text(server, kinesis):
    kinesis.list_streams()
    answer = requests.get(server.url + "/metrics", timeout=10)
    assert answer.status_code == 200
    assert answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")
    lines = answer.text.splitlines()
    assert "# TYPE leat_requests_total counter" in lines
    assert 'leat_requests_total{service="kinesis",operation="ListStreams"} 1' in lines
    names = [line.split(" ")[0] for line in lines if not line.startswith("#")]
    assert len(names) == len(set(names)), "a series stands twice"


def test_serve_names_the_address_that_is_in_use(server, tmp_path):
    done = leat.run("serve", "--data", tmp_path / "other", "--listen",
                    f"127.0.0.1:{server.port}", code=None, timeout_s=20)
    assert done.returncode not in (0, None)
    assert str(server.port) in done.stderr


def test_serve_of_a_folder_that_is_taken_names_it_and_fails(server):
    done = leat.run("serve", "--data", server.data, "--listen", "127.0.0.1:0", code=None, timeout_s=20)
    assert done.returncode not in (0, None)
    assert str(server.data) in done.stderr


def test_what_goes_wrong_is_a_line_of_the_json_log(server, tmp_path):
    bad = tmp_path / "bad.yaml"
    bad.write_text("streams: {a: {shard: 1}}\n")
    for args, code, said in ((["serve", "--listen", "127.0.0.1:0"], 1, "has the folder"),
                             (["put", "none", "{}"], 1, "none"), (["tail", "none"], 1, "none"),
                             (["run", bad], 2, "bad.yaml:1:15: "), (["run", tmp_path / "gone.yaml"], 2, "gone.yaml"),
                             (["up", bad], 2, "shard")):
        done = leat.run(*args, "--log-format", "json", data=server.data, code=code)
        lines = [json.loads(line) for line in done.stderr.splitlines()]
        assert lines[-1]["level"] == "error" and lines[-1]["area"] == args[0], done.stderr
        assert said in lines[-1]["message"], done.stderr


def test_serve_answers_rubbish_with_an_error_and_goes_on(server):
    for rubbish in (b"\x00\xff\x00\xff\r\n\r\n", b"GET\r\n\r\n", b"POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
                    b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999\r\n\r\n",
                    b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"a" * 200_000 + b"\r\n\r\n"):
        with socket.create_connection(("127.0.0.1", server.port), 10) as sock:
            sock.settimeout(20)
            try:
                sock.sendall(rubbish)
                sock.shutdown(socket.SHUT_WR)
                answer = sock.recv(65536)
            except ConnectionError:
                answer = b""
            assert answer == b"" or answer.split(b" ")[1][:1] in (b"4", b"5")
    assert requests.get(server.url + "/healthz", timeout=10).status_code == 200


def test_serve_answers_a_body_that_is_not_json_as_the_service_does(server):
    answer = requests.post(server.url + "/", data=b"{not json", timeout=10, headers={
        "X-Amz-Target": "Kinesis_20131202.ListStreams",
        "Content-Type": "application/x-amz-json-1.1"})
    assert answer.status_code == 400
    assert json.loads(answer.text)["__type"].endswith("SerializationException")


def test_a_lost_state_is_reported_and_no_record_is_taken_for_gone(data):
    server = leat.Server(data).start()
    server.client("kinesis").create_stream(StreamName="s", ShardCount=1)
    server.client("kinesis").put_record(StreamName="s", PartitionKey="k", Data=b"{}")
    server.stop()
    kept = (data / "state.db").read_bytes()
    for damage in (lambda: (data / "state.db").unlink(), lambda: (data / "state.db").write_bytes(b"")):
        damage()
        done = leat.run("ls", data=data, code=1)
        assert "state.db is missing or empty" in done.stderr
        (data / "state.db").write_bytes(kept)
    assert "s " in leat.run("ls", data=data).stdout

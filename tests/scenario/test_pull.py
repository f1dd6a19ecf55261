# SPDX-License-Identifier: Apache-2.0
"""The whole catalogue into the lake under faults: tokens of a second, errors, cut bodies, 429s and `kill -9`; then a slow sink, one
that is away, and a full disk. Afterwards every album and track is there exactly once, and little was fetched twice."""
import collections
import os
import random
import resource
import signal
import subprocess
import threading
import time

import pytest

from support import leat
from support.hostile import Answer
from support.leat import ROOT
from support.pages import items, offset_list
from support.pull import Pull, ids, lines, objects, quick, twice
from support.sample import SHARED, SONGS, Api, songs

EXAMPLE = ROOT / "examples/spotify/spotify.yaml"
N_KILLS = int(os.environ.get("LEAT_TEST_PULL_KILLS", "10"))
SECRETS = {"SPOTIFY_CLIENT_ID": "the-client", "SPOTIFY_CLIENT_SECRET": "c1ient-s3cret"}


class Catalogue:
    """What a CSV file of the sample holds, and what a lake should then hold."""

    def __init__(self, path):
        rows = songs(path)
        self.albums = {row["track_album_id"] for row in rows}
        self.tracks = collections.Counter((row["track_album_id"], row["track_id"]) for row in rows)

    def check(self, bucket):
        found = objects(bucket)
        albums = [r["id"] for key, records in found.items() if key.startswith("albums/") for r in records]
        tracks = [r["id"] for key, records in found.items() if key.startswith("tracks/") for r in records]
        assert not twice(albums) and set(albums) == self.albums
        assert collections.Counter(tracks) == collections.Counter(track for _, track in self.tracks.elements())


@pytest.fixture
def sample(tmp_path):
    servers = []

    def start(*args, data=None):
        server = leat.Server(data or tmp_path / "sample-data", "--sample", "spotify", *args).start()
        servers.append(server)
        return server
    yield start
    for server in servers:
        server.stop()


def environment(server, data):
    return {"LEAT_DATA": data, "SPOTIFY_API_URL": server.url + "/v1", "SPOTIFY_TOKEN_URL": server.url + "/api/token", **SECRETS}


def pull_and_kill(env, longest_s, rng, log):
    """Runs the pull until it ends by itself, after N_KILLS kills at random instants. How often it was killed."""
    n_kills = 0
    while True:
        process = subprocess.Popen([str(leat.PROGRAM), "pull", str(EXAMPLE)], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                   stderr=subprocess.PIPE, text=True, env=leat.clean_environment(**env))
        try:
            _, err = process.communicate(timeout=rng.uniform(0.05, longest_s) if n_kills < N_KILLS else 300)
        except subprocess.TimeoutExpired:
            assert n_kills < N_KILLS, "the pull does not end"
            process.kill()
            _, err = process.communicate()
            n_kills += 1
            log.append(err)
            continue
        log.append(err)
        leat.check_sanitizers(err)
        if process.returncode == 0:
            return n_kills
        assert process.returncode == 1, err


@pytest.mark.parametrize("path, where, longest_s", [
    (SONGS, "a folder of its own", 0.5), (SONGS, "the folder of a server", 0.5), (SHARED / "songs.csv", "a folder of its own", 2.5),
], ids=["shipped", "shipped, beside a server", "whole"])
def test_every_album_and_track_is_in_the_lake_once_whatever_happens(sample, tmp_path, path, where, longest_s):
    if not path.exists():
        pytest.skip(f"there is no {path}")
    catalogue = Catalogue(path)
    n_pages = -(-len(catalogue.albums) // 50) + len(catalogue.albums)
    faults = "latency=5ms,errors=5%,truncate=2%,rate=300/1s,retry_after=1s,expire=1s"
    more = ["--sample-data", path] if path != SONGS else []
    data = tmp_path / "sample-data" if where == "the folder of a server" else tmp_path / "leat-data"
    server = sample(*more, "--sample-faults", faults)
    env, log = environment(server, data), []
    n_kills = pull_and_kill(env, longest_s, random.Random(f"{path.name} {where}"), log)
    catalogue.check(data / "buckets/lake")
    state = Api(server.url).state()
    fetched = sum(state["operations"][name] for name in ("new_releases", "album_tracks"))
    failed = sum(state["faults"].values())
    print(f"{n_kills} kills, {n_pages} pages, {fetched} asked for, {failed} of them failed, {state['tokens_issued']} tokens")
    assert n_kills == N_KILLS or path == SONGS and n_kills > 2
    assert failed > n_pages * 0.03
    # a kill costs what was under way or not yet acknowledged, and that is bounded
    assert fetched - failed <= n_pages + n_kills * 300
    assert not any(secret in text for text in log for secret in ("c1ient-s3cret", "Bearer BQ"))
    Api(server.url).change("?reset=all", latency="0ms", errors=0, truncate=0, rate="none")
    leat.run("pull", EXAMPLE, "-q", env=env)
    catalogue.check(data / "buckets/lake")
    state = Api(server.url).state()["operations"]
    assert state["new_releases"] + state["album_tracks"] == n_pages, "a new pass, and its objects are those that are there"


def test_the_same_catalogue_by_offset_and_by_next(sample, tmp_path):
    """The example with the paginator changed gives the same records, byte for byte."""
    server = sample()
    env = environment(server, tmp_path / "leat-data")
    out = []
    for paging in ({"next": ".albums.next"}, {"paginate": {"offset": {"total": ".albums.total"}}}, {}):
        pull = Pull(tmp_path, "${SPOTIFY_API_URL}", {"new_releases": {"path": "/browse/new-releases", "params": {"limit": 50},
                                                                      "records": ".albums.items", **paging}},
                    env=env, auth={"oauth2_client_credentials": {"token_url": "${SPOTIFY_TOKEN_URL}", "client_id": "${SPOTIFY_CLIENT_ID}",
                                                                 "client_secret": "${SPOTIFY_CLIENT_SECRET}"}})
        out.append(pull.run("--to", "-", "-q").stdout)
    assert out[0] == out[1] == out[2]
    assert set(ids(lines(out[0]))) == Catalogue(SONGS).albums


def test_development_mode_is_explained_and_the_search_is_ready(sample, tmp_path):
    server = sample("--sample-faults", "mode=development")
    env = environment(server, tmp_path / "leat-data")
    said = leat.run("pull", EXAMPLE, env=env, code=1).stderr
    assert "403" in said and "Development Mode" in said and "2026" in said and "search" in said


# ---------------------------------------------------------------- sinks

class Lake:
    """An S3 of the test's own: puts go by `chooser`, then into a dict."""

    def __init__(self, api, wait=0.0):
        self.api, self.wait, self.puts, self.lock = api, wait, {}, threading.Lock()
        self.closed = False
        api.route("/lake.*", self.answer)

    def answer(self, request):
        if self.closed:
            return Answer(b"<Error><Code>AccessDenied</Code><Message>closed today</Message></Error>", 403, kind="application/xml")
        if request.method == "PUT" and request.path.count("/") > 1:
            body = request.body
            if "aws-chunked" in (request.header("Content-Encoding") or ""):
                raise AssertionError("a body in chunks of AWS is not read here")
            with self.lock:
                self.puts.setdefault(request.path, []).append(body)
            return Answer(b"", headers={"ETag": '"0"'}, wait=self.wait)
        return Answer(b"", 200 if request.method == "HEAD" else 404, kind="application/xml")

    def records(self):
        with self.lock:
            return [r for path, bodies in sorted(self.puts.items()) if ".jsonl" in path for r in lines(bodies[-1].decode())]


ITEMS = {"items": {"path": "/items", "params": {"limit": 100}, "records": ".items", "paginate": {"offset": {"total": ".total"}}}}
SMALL = {"route": [{"to": "s3://lake/", "buffer": {"size": "1MiB", "interval": "60s"}}]}


def fat(n):
    return [{"id": number, "text": "x" * 4000} for number in range(n)]


def s3_env(other):
    return {"AWS_ENDPOINT_URL_S3": other.url, "AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "y", "AWS_REGION": "us-east-1"}


def test_a_slow_sink_slows_the_pull_and_nothing_is_lost(api, other, tmp_path):
    api.route("/items", offset_list(fat(5000), limit=100))
    lake = Lake(other, wait=0.3)
    pull = Pull(tmp_path, api.url, ITEMS, pipeline=SMALL, env=s3_env(other))
    pull.run("-q")
    assert ids(lake.records()) == list(range(5000))
    assert all(len(bodies) == 1 for bodies in lake.puts.values()), "an object is put once"
    assert max(api.counts().values()) == 1


def test_a_sink_that_refuses_keeps_what_was_read(api, other, tmp_path):
    api.route("/items", offset_list(fat(2000), limit=100))
    lake = Lake(other)
    lake.closed = True
    pull = Pull(tmp_path, api.url, ITEMS, pipeline=SMALL, env=s3_env(other), **quick())
    done = pull.run(code=1, timeout_s=300)
    assert "lake" in done.stderr and "AccessDenied" in done.stderr
    n_before = len(api.asked())
    lake.closed = False
    pull.run("-q")
    assert ids(lake.records()) == list(range(2000))
    assert max(api.counts().values()) <= 2 and len(api.asked()) <= n_before + 20


# ---------------------------------------------------------------- disks and signals

@pytest.fixture
def small_disk(tmp_path):
    """A folder on a file system of 3 MiB, and a function that makes it larger; None where it cannot be mounted."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = os.geteuid() == 0 and subprocess.run(["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", str(folder)],
                                                   check=False, capture_output=True).returncode == 0
    if not mounted:
        yield None
        return
    yield folder, lambda: subprocess.run(["mount", "-o", "remount,size=64m", str(folder)], check=True)
    subprocess.run(["umount", "-l", str(folder)], check=True)


def test_a_full_disk_is_an_error_and_the_pull_goes_on_when_there_is_room(api, tmp_path, small_disk):
    """Where no small disk can be mounted, files may not grow beyond 3 MiB instead."""
    api.route("/items", lambda request: Answer(offset_list(fat(2000), limit=100)(request), wait=0.1))
    pull = Pull(tmp_path, api.url, ITEMS, concurrency=1)
    if small_disk:
        pull.data = small_disk[0] / "leat-data"
        done = pull.run(code=1)
        assert "No space left" in done.stderr
        small_disk[1]()
    else:
        before = resource.getrlimit(resource.RLIMIT_FSIZE)
        signal_before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (3 << 20, before[1]))
        try:
            done = pull.run(code=1)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)
            signal.signal(signal.SIGXFSZ, signal_before)
        assert "too large" in done.stderr
    assert "spool" in done.stderr or "state" in done.stderr or str(pull.data) in done.stderr
    api.forget()
    pull.run("-q")
    assert ids(pull.lake()) == list(range(2000))
    assert len(api.asked()) < 20, "what was on the disk is not fetched again"


def test_a_second_ctrl_c_ends_at_once_and_loses_nothing(api, tmp_path):
    plain = offset_list(items(1000), limit=100)
    api.route("/items", lambda request: Answer(silent=True) if request.get("offset") == "500" and request.nth == 0 else plain(request))
    pull = Pull(tmp_path, api.url, ITEMS, concurrency=1)
    process = pull.start()
    while not [request for request in api.asked() if request.get("offset") == "500"]:
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=30)
    assert process.returncode in (130, -2), err
    pull.run("-q")
    assert ids(pull.lake()) == ids(items(1000))

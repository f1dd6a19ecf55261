# SPDX-License-Identifier: Apache-2.0
"""The sample's faults and limits, its settings and counters, and how it starts and stops."""
import collections
import concurrent.futures
import json
import socket
import time

import pytest
import requests
from support import leat
from support.leat import Server
from support.sample import Api, songs

PATH = "/browse/new-releases"


@pytest.fixture(scope="module")
def sample_server(tmp_path_factory):
    server = Server(tmp_path_factory.mktemp("sample") / "leat-data", "--sample", "spotify").start()
    yield server
    server.stop()


@pytest.fixture
def api(sample_server):
    """A logged-in app; the server's settings and counters are as at its start."""
    api = Api(sample_server.url)
    api.change("?reset=all")
    return api.login()


def send(api, path=PATH):
    """A request on a connection of its own, whose answer is read from the socket."""
    host, port = api.url.removeprefix("http://").split(":")
    sock = socket.create_connection((host, int(port)), 60)
    sock.sendall(f"GET /v1{path} HTTP/1.1\r\nHost: {host}:{port}\r\nAuthorization: "
                 f"{api.session.headers['Authorization']}\r\n\r\n".encode())
    return sock


def read_all(sock):
    received = b""
    while part := sock.recv(1 << 20):
        received += part
    return received


def statuses(api, order, n=4):
    """The statuses that each page's first `n` requests had, asked in the order of `order`."""
    found = collections.defaultdict(list)
    for _ in range(n):
        for offset in order:
            try:
                found[offset].append(api.get(PATH, offset=offset, limit=1).status_code)
            except requests.exceptions.ChunkedEncodingError:
                found[offset].append("cut")
    return dict(found)


# Faults


def test_sample_errors_are_server_errors_in_its_own_form(api):
    api.change(errors=1)
    messages = {500: "Server error.", 502: "Bad gateway.", 503: "Service unavailable"}
    seen = set()
    for offset in range(60):
        answer = api.get(PATH, offset=offset)
        assert answer.json() == {"error": {"status": answer.status_code, "message": messages[answer.status_code]}}
        seen.add(answer.status_code)
    assert seen == set(messages)
    state = api.state()
    assert state["faults"]["errors"] == 60 and state["paths"] == {}
    assert sum(state["statuses"][str(status)] for status in messages) == 60
    assert api.token().status_code == 200, "faults are the Web API's, not the token endpoint's"


def test_sample_errors_come_at_their_rate(api):
    api.change(errors="10%", seed=7)
    n_bad = sum(api.get(PATH, offset=offset, limit=1).status_code >= 500 for offset in range(600))
    assert 30 < n_bad < 100  # 60 are expected; with this seed it is the same number each time
    assert api.state()["faults"]["errors"] == n_bad


def test_sample_faults_follow_from_seed_and_page_and_not_from_the_order(api):
    settings = {"errors": "20%", "truncate": "20%", "throttle": "20%", "retry_after": 0}
    api.change(seed=5, **settings)
    first = statuses(api, range(30))
    api.change("?reset")
    assert statuses(api, range(29, -1, -1)) == first
    api.change("?reset", seed=6)
    assert statuses(api, range(30)) != first
    assert {200, 429, "cut"} < {status for page in first.values() for status in page}


def test_sample_truncates_in_the_middle_of_a_body(api):
    whole = api.get(PATH)
    api.change("?reset", truncate="100%")
    head, body = read_all(send(api, PATH + "?limit=20")).split(b"\r\n\r\n", 1)
    assert head.startswith(b"HTTP/1.1 200 ")
    length = next(int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.startswith(b"Content-Length"))
    assert 0 < len(body) < length == len(whole.content)
    assert whole.content.startswith(body)
    with pytest.raises(requests.exceptions.ChunkedEncodingError):
        api.get(PATH)
    state = api.state()
    assert (state["faults"]["truncated"], state["paths"]) == (2, {}), "what was cut was not given"


def test_sample_throttles_and_tells_how_long(api):
    api.change(throttle="100%")
    answer = api.get(PATH)
    assert answer.json() == {"error": {"status": 429, "message": "API rate limit exceeded"}}
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "1")
    for given, told in (("1500ms", "2"), ("0", "0"), ("7s", "7")):
        api.change(retry_after=given)
        assert api.get(PATH).headers["Retry-After"] == told
    assert api.state()["faults"]["throttled"] == 4


def test_sample_rate_limits_each_client_in_a_rolling_window(api):
    api.change(rate="5/30s")
    assert [api.get(PATH).status_code for _ in range(7)] == [200] * 5 + [429] * 2
    answer = api.get(PATH)
    assert 1 <= int(answer.headers["Retry-After"]) <= 32
    api.login()
    assert api.get(PATH).status_code == 429, "a new token is the same client"
    other = Api(api.url, client="another").login()
    assert other.get(PATH).status_code == 200
    assert api.state()["faults"]["over_rate"] == 4
    api.change(rate="none")
    assert api.get(PATH).status_code == 200


def test_sample_rate_has_room_again_after_what_it_told(api):
    api.change(rate="3/1s")
    for _ in range(2):
        while api.get(PATH).status_code == 200:
            pass
        answer = api.get(PATH)
        if answer.status_code == 429:
            time.sleep(int(answer.headers["Retry-After"]))
            assert api.get(PATH).status_code == 200


def test_sample_quota_ends_with_its_reason(api):
    api.change(quota=2, retry_after="9s")
    assert [api.get(PATH).status_code for _ in range(2)] == [200, 200]
    answer = api.get(PATH)
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "9")
    assert answer.json() == {
        "error": {"status": 429, "message": "API quota exceeded", "reason": "QUOTA_EXCEEDED"}}
    assert api.state()["faults"]["over_quota"] == 1
    api.change(quota=3)
    assert api.get(PATH).status_code == 200, "another quota begins anew"
    api.change(quota="none")
    assert all(api.get(PATH).status_code == 200 for _ in range(5))


def test_sample_latency_holds_answers_back_side_by_side(api):
    api.change(latency="300ms")
    start = time.monotonic()
    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda offset: Api.get(api, PATH, offset=offset, limit=1), range(16)))
    assert time.monotonic() - start >= 0.3
    assert {answer.status_code for answer in answers} == {200}


def test_sample_latency_leaves_the_loop_free(api):
    api.change(latency="3s")
    sock = send(api)
    assert requests.get(api.url + "/healthz", timeout=30).status_code == 200
    # a shorter one that comes later is answered earlier, though it waits behind
    api.change(latency="1ms")
    assert api.get(PATH).status_code == 200
    sock.setblocking(False)
    with pytest.raises(BlockingIOError):
        sock.recv(1)
    sock.settimeout(60)
    assert sock.recv(12) == b"HTTP/1.1 200"
    sock.close()


def test_sample_survives_clients_that_do_not_wait(api):
    api.change(latency="50ms")
    for offset in range(50):
        send(api, f"{PATH}?offset={offset}&limit=1").close()
    assert api.get(PATH, limit=2).status_code == 200
    api.change(latency=0, truncate="100%")
    for offset in range(50):
        send(api, f"{PATH}?offset={offset}").close()
    api.change(truncate=0)
    assert api.get(PATH).status_code == 200


def test_sample_stops_while_requests_wait(tmp_path):
    server = Server(tmp_path / "leat-data", "--sample", "spotify").start()
    api = Api(server.url).login()
    api.change(latency="10m")
    waiting = [send(api) for _ in range(3)]
    while requests.get(server.url + "/healthz", timeout=30).status_code != 200:
        pass
    server.stop()
    for sock in waiting:
        sock.close()


# Settings and counters


def test_sample_counts_what_was_asked(api):
    api.change("?reset")
    album = api.get(PATH, limit=1).json()["albums"]["items"][0]["id"]
    api.get(f"/albums/{album}/tracks", limit=50, offset=0)
    api.get(f"/albums/{album}/tracks?offset=0&limit=50&market=US")
    api.get(f"/albums/{album}/tracks", limit=500)
    api.get(f"/albums/{album}")
    api.get("/search", q="tag:new", type="album")
    api.get("/nowhere")
    api.token()
    state = api.state()
    assert state["operations"] == {"album_tracks": 3, "new_releases": 1, "album": 1, "search": 1, "token": 1}
    assert state["statuses"] == {"200": 6, "400": 1, "404": 1}
    assert (state["requests"], state["tokens_issued"], state["unlisted"]) == (8, 1, 0)
    assert state["paths"] == {
        "/v1/browse/new-releases?offset=0&limit=1": 1,
        f"/v1/albums/{album}/tracks?offset=0&limit=50": 2,
        f"/v1/albums/{album}": 1,
        "/v1/search?query=tag%3Anew&type=album&offset=0&limit=20": 1}
    assert 'leat_requests_total{service="spotify",operation="search"}' in requests.get(
        api.url + "/metrics", timeout=30).text
    state = api.change("?reset")
    assert (state["requests"], state["paths"], state["statuses"], state["tokens_issued"]) == (0, {}, {}, 0)


def test_sample_settings_from_a_form_are_those_from_json(api):
    settings = {"latency": "20ms", "errors": "5%", "truncate": "2%", "throttle": "1%", "retry_after": "1s",
                "expire": "1s", "mode": "development", "rate": "100/30s", "quota": "7", "seed": "3"}
    shown = {"latency": "20ms", "errors": 0.05, "truncate": 0.02, "throttle": 0.01, "retry_after": "1000ms",
             "expire": "1000ms", "mode": "development", "rate": "100/30000ms", "quota": 7, "seed": 3}
    assert api.change(**settings)["settings"] == shown
    api.change("?reset=all")
    form = requests.post(api.url + "/_leat/sample", data=settings, timeout=30).json()
    assert form["settings"] == shown
    # curl -d errors=5%: a percent sign that encodes nothing
    bare = "&".join(f"{key}={value}" for key, value in settings.items())
    api.change("?reset=all")
    assert requests.post(api.url + "/_leat/sample", data=bare, timeout=30).json()["settings"] == shown
    # what is shown can be set
    api.change("?reset=all")
    assert api.change(**shown)["settings"] == shown
    assert api.change("?reset=all")["settings"] != shown


@pytest.mark.parametrize("body, text", [
    ("latency=2y", "a duration"), ("latency=11m", "up to ten minutes"), ("errors=101%", "a share"), ("errors=-1", "a share"),
    ("errors=nan", "a share"), ("errors=", "a share"), ("expire=0", "above zero"), ("mode=Development", "development"),
    ("rate=5/0s", "100/30s"), ("rate=/1s", "100/30s"), ("rate=5/", "100/30s"), ("quota=1.5", "whole number"), ("quota=-1", "whole number"),
    ("seed=none", "whole number"), ("latncy=1s", "did you mean latency?"), ("errors", "a share"), ("=", "no setting"),
    ("{", "expected"), ('{"errors":', "expected"), ('{"errors":[1]}', "a share"), ('{"errors":{"a":{"b":{}}}}', ""), ("[1]", "no setting"),
    ('{"seed":1e99}', "whole number"), ('{"":1}', "no setting"), ("{}{}", "")])
def test_sample_refuses_a_bad_setting_and_changes_nothing(api, body, text):
    before = api.state()["settings"]
    both = {"&": "seed=9&" + body, "{": body}["{" if body.startswith("{") else "&"]
    answer = requests.post(api.url + "/_leat/sample?reset", data=both, timeout=30)
    assert answer.status_code == 400, answer.text
    assert text in answer.json()["message"]
    after = api.state()
    assert after["settings"] == before and after["tokens_issued"] == 1, "the reset was not done, either"


# The command line


def start_and_fail(tmp_path, *args, code=None):
    done = leat.run("serve", "--data", tmp_path / "leat-data", "--listen", "127.0.0.1:0", *args, code=code, timeout_s=30)
    assert done.returncode not in (0, None)
    return done.stderr


def test_sample_faults_of_the_command_line_hold_from_the_start(tmp_path):
    server = Server(tmp_path / "leat-data", "--sample", "spotify",
                    "--sample-faults", "errors=100%,expire=5s,rate=none,seed=4").start()
    api = Api(server.url).login()
    answer = api.get(PATH)
    api.change(errors=0)
    good = api.get(PATH)
    state = api.change("?reset=all")
    server.stop()
    assert answer.status_code >= 500 and good.status_code == 200
    assert (state["settings"]["errors"], state["settings"]["expire"]) == (1, "5000ms")


@pytest.mark.parametrize("args, text", [
    (["--sample", "spotfy"], "spotify"),
    (["--sample", "spotify", "--sample-faults", "errors"], "a share, such as 5%"),
    (["--sample", "spotify", "--sample-faults", "latency=1s,erors=5%"], "did you mean errors?"),
    (["--sample", "spotify", "--sample-scale", "0"], "not 1 to 100000"),
    (["--sample", "spotify", "--sample-scale", "100001"], "not 1 to 100000"),
    (["--sample-faults", "errors=5%"], "--sample spotify"),
    (["--sample", "spotify", "--sample-data", "/nowhere.csv"], "/nowhere.csv"),
    (["--sample", "spotify", "--sample-data", "/"], "/ is not a file"),
])
def test_sample_start_with_a_bad_option_says_so(tmp_path, args, text):
    assert text in start_and_fail(tmp_path, *args)


HEADING = "track_id,track_name,track_artist,track_popularity,track_album_id,track_album_name,track_album_release_date,duration_ms"
TRACK = "2XU0oxnq2qxCpomAAuJY8K,Dance Monkey,Tones and I,100,0UywfDKYlyiu1b38DRrzYD,Dance Monkey,2019,209438"


@pytest.mark.parametrize("lines, line, text", [
    ([], 1, 'names no column: "track_id"'),
    ([HEADING], 2, "there is no track in it"),
    ([HEADING.replace("duration_ms", "duration")], 1, 'names no column: "duration_ms"'),
    ([HEADING, TRACK, TRACK.replace(",2019", "")], 3, "7 fields and the first line 8"),
    ([HEADING, TRACK + ",more"], 2, "9 fields and the first line 8"),
    ([HEADING, TRACK, TRACK], 3, 'stands in the file already: "2XU0oxnq2qxCpomAAuJY8K"'),
    ([HEADING, TRACK.replace("2XU0", "2XU")], 2, "track_id is not 22 letters and digits"),
    ([HEADING, TRACK.replace("0Uyw", "-Uyw")], 2, "track_album_id is not 22 letters and digits"),
    ([HEADING, TRACK.replace(",2019,", ",19,")], 2, "YYYY-MM-DD"),
    ([HEADING, TRACK.replace(",2019,", ",2019-1-1,")], 2, "YYYY-MM-DD"),
    ([HEADING, TRACK.replace("209438", "-5")], 2, "duration_ms is not a whole number"),
    ([HEADING, TRACK.replace(",100,", ",101,")], 2, "track_popularity is not a number from 0 to 100"),
    ([HEADING, TRACK.replace("Dance Monkey,Tones", 'Dance "Monkey",Tones')], 2, "a quote inside a field"),
    ([HEADING, TRACK.replace("Dance Monkey,Tones", '"Dance\nMonkey,Tones')], 2, "nothing closes the quote"),
    ([HEADING, TRACK.replace("Dance Monkey,Tones", '"Dance\nMonkey"x,Tones')], 3, "behind a closing quote"),
])
def test_sample_start_with_a_bad_catalogue_names_file_and_line(tmp_path, lines, line, text):
    path = tmp_path / "songs.csv"
    path.write_text("".join(line + "\n" for line in lines), newline="")
    said = start_and_fail(tmp_path, "--sample", "spotify", "--sample-data", path, code=2)
    assert f"{path}:{line}: " in said and text in said


def test_sample_scale_refuses_ids_whose_copies_would_be_the_same(tmp_path):
    path = tmp_path / "songs.csv"
    near = TRACK.replace("0UywfDKYlyiu1b38DRrzYD", "0UywfDKYlyiu1b38DRrzYF").replace("2XU0", "3XU0")
    path.write_text("\n".join([HEADING, TRACK, near]))
    server = Server(tmp_path / "two", "--sample", "spotify", "--sample-data", path, "--sample-scale", "2").start()
    assert Api(server.url).login().get(PATH).json()["albums"]["total"] == 4
    server.stop()
    said = start_and_fail(tmp_path, "--sample", "spotify", "--sample-data", path, "--sample-scale", "3", code=2)
    assert f"{path}:3: too near to another id" in said


def test_sample_reads_columns_in_any_order_and_any_quoting(tmp_path):
    path = tmp_path / "songs.csv"
    path.write_bytes("\ufefftrack_album_release_date,more,duration_ms,track_album_name,track_album_id,track_artist,track_name,track_id\r\n"
                     '2019-06-14,x,1,"One ""1"", two\r\nlines",0UywfDKYlyiu1b38DRrzYD,Björk,"",2XU0oxnq2qxCpomAAuJY8K\r\n'
                     "\r\n"
                     '"2019-06",,4294967,B\\A\tC,0UywfDKYlyiu1b38DRrzYE,"",D,2XU0oxnq2qxCpomAAuJY8L'.encode())
    server = Server(tmp_path / "leat-data", "--sample", "spotify", "--sample-data", path).start()
    api = Api(server.url).login()
    first, second = api.get(PATH).json()["albums"]["items"]
    track = api.get(f"/albums/{second['id']}/tracks").json()["items"][0]
    server.stop()
    assert (first["name"], first["release_date"], first["release_date_precision"]) == (
        'One "1", two\r\nlines', "2019-06-14", "day")
    assert (first["artists"][0]["name"], second["name"]) == ("Björk", "B\\A\tC")
    assert (second["release_date"], second["release_date_precision"]) == ("2019-06", "month")
    assert (track["name"], track["duration_ms"]) == ("D", 4294967)


def test_sample_says_what_it_serves(tmp_path):
    server = Server(tmp_path / "leat-data", "--sample", "spotify").start()
    catalogue = Api(server.url).state()["catalogue"]
    server.stop()
    assert catalogue == {"source": "built in (examples/spotify/songs.csv)", "scale": 1,
                         "albums": len({row["track_album_id"] for row in songs()}), "tracks": len(songs())}
    assert json.dumps(catalogue)

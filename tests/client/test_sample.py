# SPDX-License-Identifier: Apache-2.0
"""The sample Web API: what it answers, compared with recorded answers of the real one."""
import base64
import json

import pytest
import requests
from support.leat import Server
from support.sample import SHARED, SONGS, Api, songs

RECORDED = SHARED if SHARED.exists() else None
N_ALBUMS, N_TRACKS = 852, 1365  # of the catalogue that ships
UNKNOWN_ID = "0" * 22


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


def walk(api):
    """Every album and track there is, by the links that the pages give."""
    albums = list(api.items("/browse/new-releases", "albums", limit=50))
    tracks = [track for album in albums for track in api.items(f"/albums/{album['id']}/tracks", limit=50)]
    return albums, tracks


def assert_error(answer, status, message, reason=None):
    assert answer.status_code == status, answer.text
    assert answer.headers["Content-Type"].startswith("application/json")
    error = {"status": status, "message": message}
    assert answer.json() == {"error": {**error, "reason": reason} if reason else error}


# Shapes


def assert_same_shape(ours, recorded, where, more=()):
    """Each field of the recorded answer is there with the same type; what is more is in `more`."""
    assert type(ours) is type(recorded), f"{where}: {ours!r} is not like {recorded!r}"
    if isinstance(recorded, dict):
        assert recorded.keys() <= ours.keys(), where
        assert ours.keys() - recorded.keys() <= set(more), where
        for key, value in recorded.items():
            assert_same_shape(ours[key], value, f"{where}.{key}", more)
    if isinstance(recorded, list) and recorded:
        assert ours, f"{where} is empty"
        for value in ours:
            assert_same_shape(value, recorded[0], f"{where}[]", more)


@pytest.mark.skipif(not RECORDED, reason="the recorded answers are not beside this tree")
def test_sample_new_releases_have_the_shape_of_a_recorded_answer(api):
    recorded = json.loads((RECORDED / "new_releases.json").read_text())
    ours = api.get("/browse/new-releases").json()
    # what the API has added to an album since the recording
    assert_same_shape(ours, recorded, "$", more=["artists", "release_date", "release_date_precision", "total_tracks"])
    assert list(ours["albums"]) == list(recorded["albums"])
    assert len(ours["albums"]["items"]) == 20


@pytest.mark.skipif(not RECORDED, reason="the recorded answers are not beside this tree")
def test_sample_album_tracks_have_the_shape_of_a_recorded_answer(api):
    recorded = json.loads((RECORDED / "album_tracks.json").read_text())
    album = next(album for album in api.items("/browse/new-releases", "albums") if album["total_tracks"] > 1)
    ours = api.get(f"/albums/{album['id']}/tracks", limit=1).json()
    assert_same_shape(ours, recorded, "$", more=["is_local"])
    assert list(ours) == list(recorded)


def test_sample_objects_have_the_documented_fields(api):
    album = api.get("/browse/new-releases", limit=1).json()["albums"]["items"][0]
    assert sorted(album) == sorted(
        ["album_type", "artists", "available_markets", "external_urls", "href", "id", "images", "name",
         "release_date", "release_date_precision", "total_tracks", "type", "uri"])
    assert album["type"] == "album" and album["uri"] == "spotify:album:" + album["id"]
    assert album["album_type"] in ("album", "single", "compilation")
    assert album["release_date_precision"] == "year" and len(album["release_date"]) == 4
    assert [(image["width"], image["height"]) for image in album["images"]] == [(640, 640), (300, 300), (64, 64)]
    track = api.get(f"/albums/{album['id']}/tracks").json()["items"][0]
    assert sorted(track) == sorted(
        ["artists", "available_markets", "disc_number", "duration_ms", "explicit", "external_urls", "href", "id",
         "is_local", "name", "preview_url", "track_number", "type", "uri"])
    assert track["preview_url"] is None and track["is_local"] is False and track["track_number"] == 1
    assert sorted(track["artists"][0]) == ["external_urls", "href", "id", "name", "type", "uri"]


def test_sample_album_holds_its_tracks_and_more(api):
    simple = next(album for album in api.items("/browse/new-releases", "albums") if album["total_tracks"] > 2)
    album = api.get("/albums/" + simple["id"]).json()
    assert {key: album[key] for key in simple} == simple
    assert album["tracks"] == api.get(f"/albums/{simple['id']}/tracks", limit=50).json()
    assert album["tracks"]["total"] == album["total_tracks"] == len(album["tracks"]["items"])
    assert [track["track_number"] for track in album["tracks"]["items"]] == list(range(1, album["total_tracks"] + 1))
    assert album.keys() - simple.keys() == {"tracks", "copyrights", "external_ids", "genres", "label", "popularity"}
    rows = [row for row in songs() if row["track_album_id"] == simple["id"]]
    assert album["popularity"] == max(int(row["track_popularity"]) for row in rows)


def test_sample_says_various_artists_where_an_album_has_several(api):
    artists = {}
    for row in songs():
        artists.setdefault(row["track_album_id"], set()).add(row["track_artist"])
    for album in api.items("/browse/new-releases", "albums", limit=50):
        expected = artists[album["id"]]
        assert album["artists"][0]["name"] == (expected.pop() if len(expected) == 1 else "Various Artists")
        assert (album["album_type"] == "compilation") == (album["artists"][0]["name"] == "Various Artists")


# The catalogue


@pytest.mark.parametrize("path", [SONGS, SHARED / "songs.csv"], ids=["shipped", "all"])
def test_sample_gives_every_album_and_track_of_its_file_exactly_once(tmp_path, path):
    if not path.exists():
        pytest.skip("the whole export is not beside this tree")
    rows = songs(path)
    more = [] if path == SONGS else ["--sample-data", path]
    server = Server(tmp_path / "leat-data", "--sample", "spotify", *more).start()
    api = Api(server.url).login()
    albums, tracks = walk(api)
    state = api.state()
    server.stop()
    assert (len(albums), len(tracks)) == ((N_ALBUMS, N_TRACKS) if path == SONGS else (6812, 8124))
    assert {album["id"]: album["name"] for album in albums} == {
        row["track_album_id"]: row["track_album_name"] for row in rows}
    assert sorted(track["id"] for track in tracks) == sorted(row["track_id"] for row in rows)
    expected = {row["track_id"]: (row["track_name"], row["track_artist"], int(row["duration_ms"])) for row in rows}
    assert {track["id"]: (track["name"], track["artists"][0]["name"], track["duration_ms"])
            for track in tracks} == expected
    assert set(state["paths"].values()) == {1}, "a page was given twice"
    assert len(state["paths"]) == -(-len(albums) // 50) + len(albums)
    assert state["tokens_issued"] == 1


def test_sample_orders_new_releases_newest_first_then_by_id(api):
    albums = list(api.items("/browse/new-releases", "albums", limit=50))
    keys = [(-int(album["release_date"]), album["id"]) for album in albums]
    assert keys == sorted(keys)


def test_sample_scale_serves_the_catalogue_often_under_other_ids(tmp_path):
    server = Server(tmp_path / "leat-data", "--sample", "spotify", "--sample-scale", "3").start()
    api = Api(server.url).login()
    albums, tracks = walk(api)
    catalogue = api.state()["catalogue"]
    full = [api.get("/albums/" + album["id"]).json() for album in albums[:9]]
    server.stop()
    assert (catalogue["scale"], catalogue["albums"], catalogue["tracks"]) == (3, 3 * N_ALBUMS, 3 * N_TRACKS)
    assert len({album["id"] for album in albums}) == len(albums) == 3 * N_ALBUMS
    assert len({track["id"] for track in tracks}) == len(tracks) == 3 * N_TRACKS
    assert {row["track_id"] for row in songs()} < {track["id"] for track in tracks}
    assert [album["id"] for album in full] == [album["id"] for album in albums[:9]]
    dates = [int(album["release_date"]) for album in albums]
    assert dates == sorted(dates, reverse=True)


# The token


@pytest.mark.parametrize("where", ["basic", "form"])
def test_sample_gives_a_token_for_credentials(api, where):
    form = {"grant_type": "client_credentials"}
    if where == "form":
        form.update(client_id="anyone", client_secret="anything")
    answer = requests.post(api.url + "/api/token", data=form, timeout=30,
                           auth=("anyone", "anything:with:colons") if where == "basic" else None)
    assert answer.status_code == 200 and answer.headers["Cache-Control"] == "no-store"
    body = answer.json()
    assert sorted(body) == ["access_token", "expires_in", "token_type"]
    assert (body["token_type"], body["expires_in"]) == ("Bearer", 3600)
    headers = {"Authorization": "Bearer " + body["access_token"]}
    assert requests.get(api.url + "/v1/browse/new-releases", headers=headers, timeout=30).status_code == 200


@pytest.mark.parametrize("form, auth, error, description", [
    ({"grant_type": "client_credentials"}, None, "invalid_client", "Invalid client"),
    ({"grant_type": "client_credentials"}, ("", "secret"), "invalid_client", "Invalid client"),
    ({"grant_type": "client_credentials"}, ("id", ""), "invalid_client", "Invalid client secret"),
    ({"grant_type": "client_credentials"}, ("id", "wrong"), "invalid_client", "Invalid client secret"),
    ({"grant_type": "client_credentials", "client_id": "id", "client_secret": "wrong"}, None, "invalid_client",
     "Invalid client secret"),
    ({"grant_type": "client_credentials", "client_id": "id"}, None, "invalid_client", "Invalid client secret"),
    ({"grant_type": "password"}, ("id", "secret"), "unsupported_grant_type", "grant_type must be client_credentials"),
    ({"x": "y"}, ("id", "secret"), "unsupported_grant_type", "grant_type parameter is missing"),
])
def test_sample_refuses_a_token_as_documented(api, form, auth, error, description):
    answer = requests.post(api.url + "/api/token", data=form, auth=auth, timeout=30)
    assert answer.status_code == 400
    assert answer.json() == {"error": error, "error_description": description}
    assert api.state()["tokens_issued"] == 1, "only the fixture's own"


@pytest.mark.parametrize("header", ["Basic", "Basic ====", "Bearer abc", "Basic " + base64.b64encode(b"nocolon").decode()])
def test_sample_takes_no_malformed_credentials(api, header):
    answer = requests.post(api.url + "/api/token", data={"grant_type": "client_credentials"}, timeout=30,
                           headers={"Authorization": header})
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_client")


def test_sample_takes_a_token_request_only_as_a_form(api):
    answer = requests.post(api.url + "/api/token", json={"grant_type": "client_credentials"}, auth=("a", "b"), timeout=30)
    assert answer.status_code == 415
    assert_error(requests.get(api.url + "/api/token", timeout=30), 405, "Method not allowed")


@pytest.mark.parametrize("header, status, message", [
    (None, 401, "No token provided"),
    ("", 401, "No token provided"),
    ("Basic YTpi", 400, "Only valid bearer authentication supported"),
    ("Bearer", 400, "Only valid bearer authentication supported"),
    ("Bearer nonsense", 401, "Invalid access token"),
    ("Bearer " + "BQ" + "_" * 58, 401, "Invalid access token"),
    ("Bearer " + "BQAA" + "A" * 56, 401, "Invalid access token"),
    ("Bearer " + "BQ\x7f\x7f" + "A" * 56, 401, "Invalid access token"),
])
def test_sample_refuses_a_request_without_a_good_token(api, header, status, message):
    headers = {} if header is None else {"Authorization": header}
    answer = requests.get(api.url + "/v1/browse/new-releases", headers=headers, timeout=30)
    assert_error(answer, status, message)
    assert ("WWW-Authenticate" in answer.headers) == (status == 401)


def test_sample_lets_a_token_expire(api):
    api.change(expire="1ms")
    body = api.token().json()
    assert body["expires_in"] == 1
    short = {"Authorization": "Bearer " + body["access_token"]}
    while (answer := requests.get(api.url + "/v1/browse/new-releases", headers=short, timeout=30)).status_code == 200:
        pass
    assert_error(answer, 401, "The access token expired")
    assert 'error="invalid_token"' in answer.headers["WWW-Authenticate"]
    assert api.get("/browse/new-releases").status_code == 200, "an older token lives as long as it was told"
    api.change("?expire_tokens", expire="90s")
    assert_error(api.get("/browse/new-releases"), 401, "The access token expired")
    assert api.token().json()["expires_in"] == 90
    assert api.login().get("/browse/new-releases").status_code == 200


# Pages and parameters


@pytest.mark.parametrize("path", ["/browse/new-releases", "/albums/{id}/tracks", "/search?q=tag:new&type=album"])
@pytest.mark.parametrize("params, message", [
    ({"limit": "0"}, "Invalid limit"), ({"limit": "51"}, "Invalid limit"), ({"limit": "-1"}, "Invalid limit"),
    ({"limit": "x"}, "Invalid limit"), ({"limit": ""}, "Invalid limit"), ({"limit": "1" * 30}, "Invalid limit"),
    ({"offset": "-1"}, "Invalid offset"), ({"offset": "1.5"}, "Invalid offset"), ({"offset": "9" * 30}, "Invalid offset"),
])
def test_sample_refuses_a_bad_range(api, path, params, message):
    album = api.get("/browse/new-releases", limit=1).json()["albums"]["items"][0]
    assert_error(api.get(path.format(id=album["id"]), **params), 400, message)


@pytest.mark.parametrize("path, status, message", [
    (f"/albums/{UNKNOWN_ID}", 404, "Resource not found"),
    (f"/albums/{UNKNOWN_ID}/tracks", 404, "Resource not found"),
    ("/albums/short", 400, "Invalid base62 id"),
    (f"/albums/{UNKNOWN_ID[1:]}-/tracks", 400, "Invalid base62 id"),
    (f"/albums/{UNKNOWN_ID}%00/tracks", 400, "Invalid base62 id"),
    ("/albums//tracks", 404, "Service not found"),
    ("/albums/", 404, "Service not found"),
    (f"/albums/{UNKNOWN_ID}/tracks/more", 404, "Service not found"),
    ("/artists/x", 404, "Service not found"),
    ("", 404, "Service not found"),
    ("/search?type=album", 400, "No search query"),
    ("/search?q=%20&type=album", 400, "No search query"),
    ("/search?q=x", 400, "Missing parameter type"),
    ("/search?q=x&type=al%22bum", 400, 'Bad search type field al"bum'),
    ("/search?q=tag:new&type=album&offset=1000", 400, "Invalid offset"),
])
def test_sample_refuses_what_is_not_there(api, path, status, message):
    assert_error(api.get(path), status, message)


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS"])
def test_sample_refuses_other_methods(api, method):
    assert_error(api.session.request(method, api.url + "/v1/search", timeout=30), 405, "Method not allowed")


def test_sample_answers_head_as_get(api):
    answer = api.session.head(api.url + "/v1/browse/new-releases", timeout=30)
    assert answer.status_code == 200 and answer.content == b""
    assert answer.headers["Content-Length"] == str(len(api.get("/browse/new-releases").content))


def test_sample_links_go_forth_and_back(api):
    base = api.url + "/v1/browse/new-releases"
    first = api.get("/browse/new-releases").json()["albums"]
    assert (first["href"], first["next"], first["previous"]) == (
        base + "?offset=0&limit=20", base + "?offset=20&limit=20", None)
    assert (first["limit"], first["offset"], first["total"]) == (20, 0, N_ALBUMS)
    third = api.get("/browse/new-releases", offset=30, limit=50).json()["albums"]
    assert third["previous"] == base + "?offset=0&limit=50"
    last = api.get("/browse/new-releases", offset=N_ALBUMS - 1, limit=1).json()["albums"]
    assert (last["next"], len(last["items"])) == (None, 1)
    beyond = api.get("/browse/new-releases", offset=N_ALBUMS + 100, limit=10).json()["albums"]
    assert (beyond["items"], beyond["next"]) == ([], None)


@pytest.mark.parametrize("host, base", [
    ("music.example:8080", "http://music.example:8080"), ("[::1]:1", "http://[::1]:1"),
    ('x"y', "http://localhost"), ("a b", "http://localhost"), ("a/b", "http://localhost")])
def test_sample_links_bear_the_host_that_was_asked(api, host, base):
    answer = api.session.get(api.url + "/v1/browse/new-releases", headers={"Host": host}, timeout=30)
    if answer.status_code == 400 and not answer.content.startswith(b"{"):
        return  # refused before the sample saw it
    assert answer.json()["albums"]["next"] == base + "/v1/browse/new-releases?offset=20&limit=20"
    assert answer.json()["albums"]["items"][0]["href"].startswith(base + "/v1/albums/")


def test_sample_search_for_new_gives_the_new_releases(api):
    found = list(api.items("/search", "albums", q="tag:new", type="album", limit=50))
    assert found == list(api.items("/browse/new-releases", "albums", limit=50))
    first = api.get("/search", q="tag:new", type="album").json()["albums"]
    assert first["next"] == api.url + "/v1/search?query=tag%3Anew&type=album&offset=20&limit=20"


@pytest.mark.parametrize("query", ["love", "LOVE the", "tag:new love", "é", '"', "no album has this name"])
def test_sample_search_finds_albums_that_hold_all_words(api, query):
    words = [word for word in query.lower().split() if word != "tag:new"]
    names = {row["track_album_id"]: row["track_album_name"] for row in songs()}

    def lower(text):  # as the sample: ASCII alone
        return "".join(c.lower() if c.isascii() else c for c in text)

    expected = {id for id, name in names.items() if all(word in lower(name) for word in words)}
    found = list(api.items("/search", "albums", q=query, type="album", limit=3))
    assert {album["id"] for album in found} == expected
    assert len(found) == len(expected)


def test_sample_search_ends_after_a_thousand_results(tmp_path):
    server = Server(tmp_path / "leat-data", "--sample", "spotify", "--sample-scale", "2").start()
    api = Api(server.url).login()
    found = list(api.items("/search", "albums", q="tag:new", type="album", limit=30))
    some = list(api.items("/search", "albums", q="love", type="album", limit=7))
    page = api.get("/search", q="tag:new", type="album", limit=30).json()["albums"]
    server.stop()
    assert len(found) == len({album["id"] for album in found}) == page["total"] == 1000
    names = {row["track_album_id"] for row in songs() if "love" in row["track_album_name"].lower()}
    assert len(some) == len({album["id"] for album in some}) == 2 * len(names)


def test_sample_in_development_mode_gives_less(api):
    api.change(mode="development")
    assert_error(api.get("/browse/new-releases"), 403, "Forbidden")
    assert api.get("/search", q="tag:new", type="album").json()["albums"]["limit"] == 5
    assert api.get("/search", q="tag:new", type="album", limit=10).status_code == 200
    assert_error(api.get("/search", q="tag:new", type="album", limit=11), 400, "Invalid limit")
    album = api.get("/search", q="tag:new", type="album", limit=1).json()["albums"]["items"][0]
    assert api.get(f"/albums/{album['id']}/tracks", limit=50).status_code == 200
    api.change(mode="extended")
    assert api.get("/browse/new-releases").status_code == 200


# Its place beside the buckets


def test_sample_off_leaves_its_paths_to_the_buckets(server):
    s3 = server.client("s3")
    s3.create_bucket(Bucket="api")
    s3.put_object(Bucket="api", Key="token", Body=b"an object")
    assert s3.get_object(Bucket="api", Key="token")["Body"].read() == b"an object"
    # two letters are too few for S3's own rules; what the engine answers, the sample has no part in it
    assert "token" not in requests.get(server.url + "/v1/browse/new-releases", timeout=30).text
    assert requests.get(server.url + "/v1", timeout=30).headers["Content-Type"] == "application/xml"
    answer = requests.get(server.url + "/_leat/sample", timeout=30)
    assert answer.status_code == 404 and "--sample spotify" in answer.text


def test_sample_on_leaves_all_else_to_the_buckets(sample_server):
    s3 = sample_server.client("s3")
    s3.create_bucket(Bucket="api")
    s3.put_object(Bucket="api", Key="tokens", Body=b"an object")
    assert s3.get_object(Bucket="api", Key="tokens")["Body"].read() == b"an object"
    s3.create_bucket(Bucket="v1x")
    s3.put_object(Bucket="v1x", Key="a", Body=b"b")
    assert [item["Key"] for item in s3.list_objects_v2(Bucket="v1x")["Contents"]] == ["a"]

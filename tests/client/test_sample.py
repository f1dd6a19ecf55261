# SPDX-License-Identifier: Apache-2.0
"""The sample Web API: what it answers, compared with recorded answers of the real one."""
import pytest
from support.leat import Server
from support.sample import SHARED, SONGS, Api, songs


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


@pytest.mark.parametrize("path", [SONGS, SHARED / "songs.csv"], ids=["shipped", "all"])
def test_sample_gives_every_album_and_track_of_its_file_exactly_once(tmp_path, path):
    if not path.exists():
        pytest.skip("the whole export is not beside this tree")
    rows = songs(path)
    server = Server(tmp_path / "leat-data", "--sample", "spotify", *(["--sample-data", path] if path != SONGS else [])).start()
    api = Api(server.url).login()
    albums, tracks = walk(api)
    state = api.state()
    server.stop()
    assert len(albums) == len({row["track_album_id"] for row in rows})
    assert {album["id"] for album in albums} == {row["track_album_id"] for row in rows}
    assert sorted(track["id"] for track in tracks) == sorted(row["track_id"] for row in rows)
    if path != SONGS:
        assert (len(albums), len(tracks)) == (6812, 8124)
    names = {row["track_id"]: (row["track_name"], row["track_artist"], int(row["duration_ms"])) for row in rows}
    assert {track["id"]: (track["name"], track["artists"][0]["name"], track["duration_ms"]) for track in tracks} == names
    assert set(state["paths"].values()) == {1}, "a page was given twice"
    assert len(state["paths"]) == -(-len(albums) // 50) + len(albums)
    assert state["tokens_issued"] == 1

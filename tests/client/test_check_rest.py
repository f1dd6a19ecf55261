# SPDX-License-Identifier: Apache-2.0
"""Files with a REST API: what `leat check` says of each mistake, variables and `.env`, the editor's schema,
and what the commands for streams say of a pipeline that pulls."""
import gzip
import json
import os

import jsonschema
import pytest
import yaml

from support.leat import ROOT, Server, run

GOOD = """\
buckets: [lake]
sources:
  shop:
    base_url: https://api.example.com/v1
    auth: {bearer: {token: "${SHOP_TOKEN}"}}
    headers: {Accept: application/json}
    rate: 10/s
    resources:
      orders:
        path: /orders
        params: {limit: 50}
        records: .items
        next: .next
        incremental: {field: .updated, param: since}
      lines:
        for_each: orders
        path: "/orders/{.id}/lines"
        paginate: {page: {total: .total}}
        fields: {order: .id, at: $fetched_at}
        hint: {403: ask for access}
pipelines:
  orders:
    source: {rest: shop}
    set: {of: $resource}
    route:
      - {when: '$resource == "orders"', to: "s3://lake/orders/", compression: zstd}
      - {to: "s3://lake/lines/", buffer: {size: 1MiB, interval: 5s}}
    dead_letters: {to: "s3://lake/dead/"}
"""
TOKEN = {"SHOP_TOKEN": "Hunter2Hunter2"}


@pytest.fixture(autouse=True)
def no_app(monkeypatch):
    """Whoever runs the tests may have an app of Spotify's."""
    for name in [name for name in os.environ if name.startswith(("SPOTIFY_", "SHOP_"))]:
        monkeypatch.delenv(name)


@pytest.fixture
def write(tmp_path):
    def write_file(text, name="shop.yaml"):
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path
    return write_file


def problems(text, write, env=None):
    """What check says of a file, as (line, column, severity, text)."""
    done = run("check", "-o", "json", write(text), env=TOKEN if env is None else env, code=None)
    found = json.loads(done.stdout)["problems"]
    return [(p["line"], p["column"], p["severity"], p["text"]) for p in found]


def test_a_good_file_is_counted(write):
    path = write(GOOD)
    done = run("check", path, env=TOKEN)
    assert done.stdout == f"{path}: ok (1 bucket, 1 source, 2 resources, 1 pipeline)\n" \
                          "  pipeline orders: 2 expressions computed once\n"
    counted = json.loads(run("check", "-o", "json", path, env=TOKEN).stdout)
    assert (counted["sources"], counted["resources"], counted["tests"]) == (1, 2, 0)


# each: a text of GOOD, what stands there instead, where the problem is, what is said of it
MISTAKES = [
    ("base_url: https://api", "base_url: api", 4, 15, "base_url is 'api.example.com/v1': it begins with neither"),
    ("base_url:", "base_ur:", 4, 5, "did you mean 'base_url'?"),
    ("auth: {bearer: {token: \"${SHOP_TOKEN}\"}}", "auth: {bearer: {token: \"${SHOP_TOKEN}\"}, none: {}}", 5, 46,
     "auth has several keys; expected exactly one of none, api_key, basic, bearer"),
    ("auth: {bearer:", "auth: {beaerer:", 5, 12, "did you mean 'bearer'?"),
    ("{Accept: application/json}", "{\"Ac cept\": x}", 6, 15, "'Ac cept' cannot name a header"),
    ("{Accept: application/json}", "{Content-Length: 5}", 6, 15, "the client sets it itself"),
    ("rate: 10/s", "rate: ten", 7, 11, "rate is 'ten'; expected a rate such as 10/s, 100/m or 5000/h"),
    ("      orders:\n", "      Orders:\n", 9, 7, "'Orders' cannot name a resource; expected 1 to 64 lower-case letters"),
    ("path: /orders\n", "path: orders\n", 10, 15, "path is 'orders'; expected it to begin with '/'"),
    ("params: {limit: 50}", "params: {limit: \"{1 +}\"}", 11, 30, "params.limit: syntax error"),
    ("records: .items", "records: .items | frist", 12, 27, "records: frist/0 is not defined"),
    ("next: .next\n", "next: .next[\n", 13, 20, "next: ']' is missing for this bracket"),
    ("next: .next\n", "next: .next\n        paginate: link\n", 13, 15, "expected one of the two"),
    ("field: .updated", "field: $now", 14, 30, "field: $now is not defined"),
    ("field: .updated, ", "", 14, 22, "incremental has no 'field'"),
    ("for_each: orders", "for_each: order", 16, 19, "no resource of shop; expected orders or lines; did you mean 'orders'?"),
    ("for_each: orders", "for_each: lines", 16, 19, "for_each goes in a circle: lines -> lines"),
    ("        for_each: orders\n", "", 16, 24, "{.id} has no record to look into; expected 'for_each'"),
    ("/orders/{.id}/", "/orders/{.id/", 17, 24, "path: the brace that opens here is not closed"),
    ("/orders/{.id}/", "/orders/.id}/", 17, 27, "path: '}' closes nothing"),
    ("/orders/{.id}/", "/orders/{}/", 17, 24, "path: the braces are empty"),
    ("paginate: {page:", "paginate: {pages:", 18, 20, "did you mean 'page'?"),
    ("total: .total", "total: .total)", 18, 40, "total: ')' closes nothing"),
    ("at: $fetched_at", "at: $fetchedat", 19, 34, "at: $fetchedat is not defined"),
    ("{403: ask", "{9000: ask", 20, 16, "'9000' is no HTTP status of an error"),
    ("{rest: shop}", "{rest: shp}", 23, 20, "no source of this file; expected shop; did you mean 'shop'?"),
    ("{rest: shop}", "{}", 23, 13, "source has neither a stream nor an API"),
    ("{rest: shop}", "{rest: shop, resources: [ordres]}", 23, 38, "did you mean 'orders'?"),
    ("of: $resource", "of: $recource", 24, 15, "set.of: $recource is not defined"),
    ("when: '$resource ==", "when: '$resource = =", 26, 29, "route[0].when: syntax error"),
    ("compression: zstd", "compression: zst", 26, 79, "expected none, gzip or zstd; did you mean 'zstd'?"),
    ("interval: 5s", "interval: 5h", 27, 65, "interval is '5h'; expected a duration such as 60s or 5m, 1s to 15m"),
    ("dead_letters: {to: \"s3://lake", "dead_letters: {to: \"s3://laek", 28, 24, "did you mean 'lake'?"),
]


@pytest.mark.parametrize("old,new,line,column,text", MISTAKES, ids=[f"{m[2]}-{m[4][:40]}" for m in MISTAKES])
def test_a_mistake_is_told_at_its_place(write, old, new, line, column, text):
    assert GOOD.count(old) == 1
    found = problems(GOOD.replace(old, new), write)
    assert any((p[0], p[1], p[2]) == (line, column, "error") and text in p[3] for p in found), found


def test_all_of_a_circle_is_named_once(write):
    text = ("sources:\n  api:\n    base_url: https://x\n    resources:\n"
            "      a: {path: /a, for_each: c}\n      b: {path: /b, for_each: a}\n"
            "      c: {path: /c, for_each: b}\n      d: {path: /d, for_each: a}\n")
    assert problems(text, write) == [
        (5, 31, "error", "for_each goes in a circle: a -> c -> b -> a; expected a resource that stands "
                         "alone at its start")]


def test_a_secret_written_into_the_file_is_warned_of(write):
    text = GOOD.replace('"${SHOP_TOKEN}"', "abcdefgh")
    found = problems(text, write)
    assert [p[:3] for p in found] == [(5, 28, "warning")]
    assert "${SHOP_TOKEN}" in found[0][3] and "abcdefgh" not in found[0][3]
    done = run("check", write(text))
    assert "ok, 1 warning (" in done.stdout


def test_a_missing_variable_says_where_it_may_stand(write):
    done = run("check", write(GOOD), code=2)
    assert done.stdout.count("\n") == 1
    assert ":5:29: environment variable SHOP_TOKEN is not set; expected it in the environment, in a .env " \
           "beside the file" in done.stdout


def test_a_dot_env_beside_the_file_is_read_from_anywhere(write):
    write("export SHOP_TOKEN='abc'  # the shop's\n", ".env")
    run("check", write(GOOD), cwd=os.sep)


def test_the_environment_wins_over_a_dot_env(write):
    write("PORT=not-a-number\n", ".env")
    text = GOOD.replace("rate: 10/s", "concurrency: \"${PORT}\"")
    assert "whose value in the environment does not fit" in problems(text, write)[0][3]
    assert problems(text, write, env={**TOKEN, "PORT": "5"}) == []


@pytest.mark.parametrize("text,line", [
    ("A=1\nSHOP_TOKEN Hunter2\n", 2),
    ("\n\n=Hunter2\n", 3),
    ("1A=Hunter2\n", 1),
    ("A-B=Hunter2\n", 1),
    ("A='Hunter2\nmore\n", 1),
    ("A=\"Hunter2\" Hunter2\n", 1),
    ("B='x\ny\nz'\nHunter2\n", 4),
])
def test_a_malformed_line_of_a_dot_env_is_named_without_what_it_holds(write, text, line):
    write(text, ".env")
    done = run("check", write(GOOD), env=TOKEN, code=2)
    assert f":5:29: .env:{line}: " in done.stdout
    assert "Hunter2" not in done.stdout + done.stderr


def test_a_dot_env_that_cannot_be_read_is_told(write, tmp_path):
    (tmp_path / ".env").mkdir()
    done = run("check", write(GOOD), env=TOKEN, code=2)
    assert "the .env beside the file cannot be read" in done.stdout
    (tmp_path / ".env").rmdir()
    write(b"A=" + b"x" * (2 << 20), ".env")
    done = run("check", write(GOOD), env=TOKEN, code=2)
    assert "at most 1 MiB" in done.stdout


def test_a_file_without_variables_does_not_look_at_a_dot_env(write):
    write("nonsense", ".env")
    run("check", write(GOOD.replace('auth: {bearer: {token: "${SHOP_TOKEN}"}}', "auth: none")))


def test_no_value_of_a_variable_is_ever_shown(write):
    text = GOOD.replace("/orders/{.id}/lines", "/orders/${SHOP_TOKEN}/{.id").replace(
        "rate: 10/s", 'rate: "${SHOP_TOKEN}"').replace(
        "{rest: shop}", '{rest: "${SHOP_TOKEN}"}').replace("path: /orders\n", 'path: "/x/${SHOP_TOKEN}/{1 +}"\n')
    done = run("check", write(text), env=TOKEN, code=2)
    assert done.stdout.count("\n") >= 4
    assert "Hunter2" not in done.stdout + done.stderr


def test_the_schema_takes_what_the_reader_takes(write):
    validator = jsonschema.Draft202012Validator(json.loads(run("help", "schema").stdout))

    def load(text):
        return json.loads(json.dumps(yaml.safe_load(text)))

    validator.validate(load(GOOD))
    for path in (ROOT / "examples").glob("*/*.yaml"):
        validator.validate(load(path.read_text()))
    for paginate in ("auto", "{link: {}}", "{cursor: {param: p, header: X}}", "{offset: {total: .t, first: 1}}"):
        validator.validate(load(GOOD.replace("{page: {total: .total}}", paginate)))
    for bad in (GOOD.replace("{page: {total: .total}}", "{page: {}, link: {}}"),
                GOOD.replace("{page: {total: .total}}", "lnik"),
                GOOD.replace('{token: "${SHOP_TOKEN}"}', "{}"),
                GOOD.replace("rate: 10/s", "rate: ten"),
                GOOD.replace("path: /orders\n", "pth: /orders\n")):
        with pytest.raises(jsonschema.ValidationError):
            validator.validate(load(bad))


def test_the_reference_names_every_property_of_a_source():
    text = run("help", "file").stdout
    for word in ("base_url", "oauth2_client_credentials", "oauth2_refresh_token", "api_key", "for_each", "paginate",
                 "offset_param", "cursor", "incremental", "on_change", "on_request", "hint", "retry_after_max",
                 "max_page", "ca_file", "concurrency", "fields", "compression"):
        assert word in text, word


def test_run_says_who_runs_a_pipeline_that_pulls(write, data):
    done = run("run", write(GOOD), env=TOKEN, data=data, code=2)
    assert "pipeline orders takes records from the API shop: `leat pull " in done.stderr
    both = GOOD.replace("pipelines:\n", "streams: {in: {}, out: {}}\npipelines:\n"
                                        "  s: {source: {stream: in}, route: [{to: out}]}\n")
    path = write(both)
    run("up", path, env=TOKEN, data=data)
    run("put", "in", '{"id":1}', data=data)
    done = run("run", path, "--drain", "-o", "json", env=TOKEN, data=data)
    assert [(p["name"], p["read"]) for p in json.loads(done.stdout)["pipelines"]] == [("s", 1)]
    assert done.stderr.count("`leat pull ") == 1
    done = run("run", path, "-p", "orders", env=TOKEN, data=data, code=2)
    assert "`leat pull " in done.stderr
    lines = run("run", path, "--from", "-", "--to", "-", env=TOKEN, stdin='{"id":2}\n').stdout
    assert lines == '{"id":2}\n'


def test_up_makes_the_buckets_and_down_removes_them(write, data):
    path = write(GOOD)
    done = run("up", path, env=TOKEN, data=data)
    assert "+ bucket lake" in done.stdout and "1 created" in done.stdout
    items = json.loads(run("down", path, "--yes", "-o", "json", env=TOKEN, data=data).stdout)["items"]
    assert {(i["kind"], i["name"], i["action"]) for i in items} == {
        ("bucket", "lake", "remove"), ("pipeline", "orders", "absent")}


def test_down_forgets_what_was_pulled(write, data, tmp_path):
    """After it, a pull begins anew, with the same objects."""
    with_sample = Server(tmp_path / "sample", "--sample", "spotify").start()
    app = {**APP, "SPOTIFY_API_URL": with_sample.url + "/v1", "SPOTIFY_TOKEN_URL": with_sample.url + "/api/token"}
    try:
        objects = []
        for _ in range(2):
            run("pull", SPOTIFY, env=app, data=data)
            objects.append({one.name: one.read_bytes() for one in (data / "buckets/lake").rglob("*.json*")})
            items = json.loads(run("down", SPOTIFY, "--yes", "-o", "json", env=app, data=data).stdout)["items"]
            assert {(i["kind"], i["name"], i["action"]) for i in items} == {
                ("bucket", "lake", "remove"), ("pipeline", "catalogue", "remove")}
            assert not (data / "buckets/lake").exists()
        assert objects[0] and objects[0] == objects[1]
    finally:
        with_sample.stop()


def test_checkpoint_and_replay_name_the_way_of_a_pipeline_that_pulls(write, data):
    path = write(GOOD)
    run("up", path, env=TOKEN, data=data)
    assert "not pulled yet" in run("checkpoint", "show", path, env=TOKEN, data=data).stdout
    assert "`leat pull --fresh`" in run("checkpoint", "seek", path, "--to", "start", env=TOKEN, data=data, code=1).stderr
    assert "`leat pull --fresh`" in run("replay", path, env=TOKEN, data=data).stdout


def test_a_route_of_a_stream_into_objects_packs_them_as_it_says(write, data):
    text = ("streams: {in: {}}\nbuckets: [lake]\npipelines:\n  p:\n    source: {stream: in}\n    route:\n"
            "      - {when: .z, to: \"s3://lake/zipped/\", compression: gzip, buffer: {size: 1MiB}}\n"
            "      - {to: \"s3://lake/plain/\"}\n")
    path = write(text)
    run("up", path, data=data)
    big = "".join(json.dumps({"z": True, "n": n, "text": "x" * 60000}) + "\n" for n in range(40))
    run("put", "in", "-", data=data, stdin=big)
    run("put", "in", '{"z":false}', data=data)
    run("run", path, "--drain", data=data)
    zipped = sorted((data / "buckets/lake/zipped").rglob("*.jsonl.gz"))
    assert len(zipped) >= 2, "a buffer of 1 MiB gives several objects of 2.4 MB"
    records = [json.loads(line)["n"] for one in zipped for line in gzip.open(one)]
    assert sorted(records) == list(range(40))
    plain = [one for one in (data / "buckets/lake/plain").rglob("*") if one.is_file()]
    assert [json.loads(one.read_text()) for one in plain] == [{"z": False}]


SPOTIFY = ROOT / "examples/spotify/spotify.yaml"
APP = {"SPOTIFY_CLIENT_ID": "some-client", "SPOTIFY_CLIENT_SECRET": "some-secret"}


def test_the_spotify_example_is_well_formed():
    done = run("check", SPOTIFY, env=APP)
    assert done.stdout == f"{SPOTIFY}: ok (1 bucket, 1 source, 4 resources, 1 pipeline, 7 tests)\n" \
                          "  pipeline catalogue: 1 expression computed once\n"
    done = run("check", SPOTIFY, code=2)
    assert {line.split(": ")[1] for line in done.stdout.splitlines()} == {
        "environment variable SPOTIFY_CLIENT_ID is not set; expected it in the environment, in a .env beside the "
        "file, or a default here", "environment variable SPOTIFY_CLIENT_SECRET is not set; expected it in the "
        "environment, in a .env beside the file, or a default here"}


def test_the_spotify_example_is_that_of_the_design_with_what_its_readers_need():
    file = yaml.safe_load(SPOTIFY.read_text())
    source = file["sources"]["spotify"]
    assert source["base_url"] == "${SPOTIFY_API_URL:-https://api.spotify.com/v1}"
    assert source["auth"]["oauth2_client_credentials"] == {
        "token_url": "${SPOTIFY_TOKEN_URL:-https://accounts.spotify.com/api/token}",
        "client_id": "${SPOTIFY_CLIENT_ID}", "client_secret": "${SPOTIFY_CLIENT_SECRET}"}
    hint = source["resources"]["new_releases"]["hint"][403]
    assert "Development Mode" in hint and "February 2026" in hint and "--resource search" in hint
    search = source["resources"]["search"]
    assert search["on_request"] and search["params"] == {"type": "album", "q": "tag:new", "limit": 10}
    for unit in ("leat-spotify.service", "leat-spotify.timer", "crontab", "env.example", "recorded/LICENSE"):
        assert (SPOTIFY.parent / unit).exists()
    assert "Apache License" in (SPOTIFY.parent / "recorded/LICENSE").read_text()


def test_examples_of_a_pipeline_that_pulls_are_run_for_their_resource(write):
    tests = """\
    tests:
      - {name: an order, resource: orders, in: {id: 1}, out: {id: 1, of: orders}, to: "s3://lake/orders/"}
      - {name: a line, resource: lines, in: {id: 1}, out: {id: 1, of: lines}, to: "s3://lake/lines/"}
      - {name: wrong, resource: lines, in: {id: 1}, out: {id: 1, of: orders}, to: "s3://lake/orders/"}
"""
    done = run("test", write(GOOD + tests), env=TOKEN, code=1)
    assert "ok    orders/1 an order (line 30)\n" in done.stdout
    assert "ok    orders/2 a line (line 31)\n" in done.stdout
    assert ('FAIL  orders/3 wrong (line 32)\n        .of\n          expected "orders"\n          got      "lines"\n'
            '        to\n          expected s3://lake/orders/\n          got      s3://lake/lines/\n') in done.stdout


PAGES = """\
sources:
  shop:
    base_url: https://api.example.com/v1
    resources:
      orders:
        path: /orders
        params: {limit: 2}
        paginate: {offset: {total: .total}}
        records: .items
        tests:
          - name: good
            page: {items: [{id: 1, x: {y: 2}}, {id: 2}], total: 3}
            records: 2
            first: {x: {y: 2.0}}
            next: https://api.example.com/v1/orders?limit=2&offset=2
          - {page: '{"items": [], "total": 0}', records: 0, next: null}
          - {name: bad, page: {items: [{id: 1, x: {y: 2}}], total: 3}, records: 3, first: {id: 2, x: {y: 3}, z: 1}, next: null}
          - {name: no records, page: {itms: []}, records: 1}
          - {name: file, page: "@pages/one.json", records: 1}
"""


def test_recorded_pages_are_run(write, tmp_path):
    path = write(PAGES)
    done = run("test", path, code=1)
    assert "warning: pages/one.json cannot be read beside this file: No such file" in done.stderr
    assert done.stdout.startswith("""\
ok    shop.orders/1 good (line 11)
ok    shop.orders/2 (line 16)
FAIL  shop.orders/3 bad (line 17)
        records
          expected 3
          got      1
        first.id
          expected 2
          got      1
        first.x.y
          expected 3
          got      2
        first.z
          expected 1
          got      nothing
        next
          expected no more requests
          got      https://api.example.com/v1/orders?limit=2&offset=""")
    assert "no records (line 18)\n        page\n          expected a page of records\n" in done.stdout
    assert "file (line 19)\n        page\n          expected a file that can be read\n" in done.stdout
    assert "5 tests, 2 passed, 3 failed" in done.stdout
    (tmp_path / "pages").mkdir()
    (tmp_path / "pages/one.json").write_text('{"items": [{"id": 1}], "total": 1}')
    done = run("test", path, "file", "shop.orders/1", cwd=os.sep)
    assert "2 tests, 2 passed" in done.stdout and done.stderr == ""
    (tmp_path / "pages/one.json").write_text('{"items": [')
    assert ":19:32: page is no JSON" in run("check", path, code=2).stdout


def test_a_recorded_page_is_found_by_its_names(write):
    path = write(PAGES.replace("@pages/one.json", "[{}]").replace("records: .items", "records: .items // .itms"))
    for name, n in (("orders", 5), ("shop.orders", 5), ("shop.orders/2", 1), ("good", 1)):
        assert f": {n} test" in run("test", path, name, code=None).stdout, name
    done = run("test", path, "order", code=2)
    assert "did you mean 'orders'?" in done.stderr


def test_the_recorded_answers_of_the_spotify_example_come_out(tmp_path):
    done = run("test", SPOTIFY, env=APP)
    assert "7 tests, 7 passed, 0 failed" in done.stdout
    elsewhere = {**APP, "SPOTIFY_API_URL": "http://127.0.0.1:9/v1", "SPOTIFY_TOKEN_URL": "http://127.0.0.1:9/t"}
    assert "7 passed" in run("test", SPOTIFY, env=elsewhere).stdout


def test_a_token_asked_for_in_clear_text_is_warned_of(write):
    oauth = ('auth: {oauth2_client_credentials: {token_url: "http://id.example.com/t", client_id: c, '
             'client_secret: "${SHOP_TOKEN}"}}')
    text = GOOD.replace('auth: {bearer: {token: "${SHOP_TOKEN}"}}', oauth)
    assert [(p[:3], "http://" in p[3]) for p in problems(text, write)] == [((5, 51, "warning"), True)]
    assert problems(text.replace("id.example.com", "127.0.0.1:8080"), write) == []

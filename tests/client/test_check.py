# SPDX-License-Identifier: Apache-2.0
"""`leat check`, `leat test` and `leat help file`: what a person sees of a file, and the exit codes."""
import json
import os
import pty
import re
import subprocess

import jsonschema
import pytest
import yaml

from support.leat import PROGRAM, ROOT, clean_environment, run

GOOD = """\
streams:
  sessions: {shards: 4}
  usa: {}
  rest: {}
  dead: {}
buckets: [lake]
deliveries:
  d: {from: usa, to: "s3://lake/usa/", buffer: {size: 5MiB, interval: 60s}, compression: gzip}
pipelines:
  p:
    source: {stream: sessions}
    with:
      quantity: 'if type == "number" then . else tonumber end'
    set:
      total: '[.items[].quantity | quantity] | add // 0'
    route:
      - {when: '.country == "USA"', to: usa}
      - {to: rest}
    dead_letters: {stream: dead}
    tests:
      - name: sums
        in: {country: USA, items: [{quantity: 2}, {quantity: "3"}]}
        out: {country: USA, items: [{quantity: 2}, {quantity: "3"}], total: 5}
        to: usa
      - {name: odd, in: {items: [{quantity: two}]}, dead: total}
      - {name: broken, in: "{", dead: true}
"""


@pytest.fixture
def write(tmp_path):
    def write_file(text, name="file.yaml"):
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path
    return write_file


def on_terminal(*args, **env):
    """Runs a command with a terminal as its output; gives exit code and text."""
    environment = clean_environment(TERM="xterm", **env)
    if "NO_COLOR" not in env:
        environment.pop("NO_COLOR", None)
    master, slave = pty.openpty()
    process = subprocess.Popen([PROGRAM, *map(str, args)], stdout=slave, stderr=slave,
                               stdin=subprocess.DEVNULL, env=environment)
    os.close(slave)
    text = b""
    while True:
        try:
            chunk = os.read(master, 65536)
        except OSError:
            break
        if not chunk:
            break
        text += chunk
    os.close(master)
    return process.wait(60), text.decode().replace("\r\n", "\n")


def test_a_good_file_gives_a_line_and_one_a_pipeline_and_0(write):
    path = write(GOOD)
    done = run("check", path)
    assert done.stdout.splitlines()[0] == f"{path}: ok (4 streams, 1 bucket, 1 delivery, 1 pipeline, 3 tests)"
    assert re.fullmatch(r"  pipeline p: \d expressions? .*\n(.*through libjq.*\n)?",
                        done.stdout.split("\n", 1)[1])
    assert done.stderr == ""


def test_problems_are_lines_that_editors_understand(write):
    path = write(GOOD.replace("shards: 4", "shard: 4").replace("gzip", "gzipp"))
    done = run("check", path, code=2)
    assert done.stdout.splitlines() == [
        f"{path}:2:14: unknown key 'shard' in a stream; expected shards or retention; "
        "did you mean 'shards'?",
        f"{path}:8:90: compression is 'gzipp'; expected none or gzip; did you mean 'gzip'?",
    ]


def test_a_jq_error_has_the_place_in_the_file(write):
    done = run("check", write(GOOD.replace("add // 0", "ad // 0")), code=2)
    line = GOOD.splitlines()[14]
    assert f":15:{line.index('add // 0') + 1}: " in done.stdout
    assert 'did you mean "add"?' in done.stdout


@pytest.mark.parametrize("name", ["streams", "source", "route", "dead_letters", "country"])
def test_each_reference_is_checked(write, name):
    text = {
        "streams": GOOD.replace("  rest: {}\n", ""),
        "source": GOOD.replace("stream: sessions", "stream: session"),
        "route": GOOD.replace("to: rest", "to: rst"),
        "dead_letters": GOOD.replace("stream: dead", "stream: deed"),
        "country": GOOD.replace("s3://lake", "s3://lakee"),
    }[name]
    done = run("check", write(text), code=2)
    assert "expected" in done.stdout


def test_all_problems_come_as_json(write):
    path = write(GOOD.replace("shards: 4", "shards: 0").replace("to: rest", "to: rst"))
    answer = json.loads(run("check", "-o", "json", path, code=2).stdout)
    assert answer["ok"] is False and answer["file"] == str(path)
    assert [(p["line"], p["column"], p["severity"]) for p in answer["problems"]] == [
        (2, 22, "error"), (18, 14, "error")]
    assert answer["problems"][1]["suggestion"] == "rest"
    good = json.loads(run("check", "-o", "json", write(GOOD)).stdout)
    assert good["ok"] is True and good["problems"] == [] and good["streams"] == 4


def test_warnings_do_not_fail(write):
    path = write(GOOD.replace("      - {to: rest}\n", ""))
    done = run("check", path)
    assert ": warning: no route takes what fails every condition" in done.stdout
    assert f"{path}: ok, 1 warning (" in done.stdout


def test_several_files_end_with_the_worst(write):
    good, bad = write(GOOD, "a.yaml"), write("x: 1\n", "b.yaml")
    done = run("check", bad, good, code=2)
    assert f"{bad}:1:1:" in done.stdout and f"{good}: ok" in done.stdout


def test_a_file_that_is_not_there_is_2(tmp_path):
    done = run("check", tmp_path / "none.yaml", code=2)
    assert "none.yaml" in done.stderr and done.stdout == ""


def test_check_touches_nothing(write, tmp_path):
    path = write(GOOD)
    run("check", path, cwd=tmp_path)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["file.yaml"]


@pytest.mark.parametrize("text", [
    b"", b"\xff\xfe", b"a: \x00", b"\t", b"- a", b"{", b"a: [", b"a: *x", b"a: &a [*a]",
    b"[" * 100000, b"a: 1\n---\nb: 2\n", b"? {a: b}\n: c\n", b"%TAG ! !\n", b"--- |\n x\n",
    b"\xef\xbb\xbf", b"a: !!binary x", b"&a a: *a", b"<<: [1]", b"streams: !x {}",
    b"streams: {" + b"a, " * 50000 + b"}",
], ids=range(20))
def test_odd_files_get_an_answer(write, text):
    done = run("check", write(text), code=2, timeout_s=20)
    assert re.search(r":\d+:\d+: .", done.stdout)


def test_a_file_comes_from_a_pipe_too():
    done = run("check", "-", stdin=GOOD)
    assert done.stdout.startswith("-: ok (")


def test_a_terminal_shows_the_line_and_a_caret(write):
    path = write(GOOD.replace("shards: 4", "shard: 4"))
    code, text = on_terminal("check", path)
    assert code == 2
    assert "     2 |   sessions: {shard: 4}\n" in text
    assert "       |              \033[1;31m^\033[0m\n" in text
    _, text = on_terminal("check", path, NO_COLOR="1")
    assert "       |              ^\n" in text and "\033" not in text


def test_variables_are_named_and_never_shown(write):
    text = GOOD.replace("buckets: [lake]", 'buckets: [lake, "${MY_BUCKET}"]')
    done = run("check", write(text), code=2)
    assert "environment variable MY_BUCKET is not set" in done.stdout
    done = run("check", write(text), code=2, env={"MY_BUCKET": "Secret_Value"})
    assert "Secret_Value" not in done.stdout + done.stderr
    run("check", write(text), env={"MY_BUCKET": "another"})


def test_the_examples_pass(write):
    done = run("test", write(GOOD))
    assert re.search(r": 3 tests, 3 passed, 0 failed \(\d\.\d\d s\)\n$", done.stdout)


def test_a_failing_example_shows_what_differs(write):
    path = write(GOOD.replace("total: 5}", "total: 6, more: [1]}").replace(
        "        to: usa\n", "        to: rest\n"))
    done = run("test", path, code=1)
    assert done.stdout.startswith(
        "FAIL  p/1 sums (line 21)\n"
        "        .total\n          expected 6\n          got      5\n"
        "        .more\n          expected [1]\n          got      nothing\n"
        "        to\n          expected rest\n          got      usa\n"
        "ok    p/2 odd (line 25)\n")
    assert "3 tests, 2 passed, 1 failed" in done.stdout


def test_a_reason_that_is_another_fails(write):
    done = run("test", write(GOOD.replace("dead: total", "dead: country")), "odd", code=1)
    assert "expected country\n          got      dead letter: set.total: " in done.stdout


def test_examples_are_picked_by_name(write):
    path = write(GOOD)
    assert "1 test, 1 passed" in run("test", path, "sums").stdout
    assert "1 test, 1 passed" in run("test", path, "p/3").stdout
    assert "2 tests, 2 passed" in run("test", path, "odd", "broken").stdout
    done = run("test", path, "smus", code=2)
    assert "did you mean 'sums'?" in done.stderr


def test_colours_of_a_difference_are_for_terminals(write):
    path = write(GOOD.replace("total: 5}", "total: 6}"))
    code, text = on_terminal("test", path)
    assert code == 1 and "\033[31mFAIL\033[0m" in text and "\033[32m6\033[0m" in text
    _, text = on_terminal("test", path, NO_COLOR="1")
    assert "\033" not in text


def test_a_bad_file_is_not_tested(write):
    done = run("test", write(GOOD.replace("shards: 4", "shards: x")), code=2)
    assert "shards is 'x'" in done.stderr and done.stdout == ""


def test_the_reference_and_the_schema_agree_with_the_reader(write):
    text = run("help", "file").stdout
    for word in ("streams", "dead_letters", "1 MiB to 128 MiB", "${VAR:-default}"):
        assert word in text
    schema = json.loads(run("help", "schema").stdout)
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    validator.validate(yaml.safe_load(GOOD))
    assert list(validator.iter_errors(yaml.safe_load(GOOD.replace("shards: 4", "shard: 4"))))


def test_the_examples_of_the_repository_are_good():
    files = sorted((ROOT / "examples").rglob("*.yaml"))
    app = {"SPOTIFY_CLIENT_ID": "some-client", "SPOTIFY_CLIENT_SECRET": "some-secret"}
    for path in files:
        run("check", path, env=app)
        run("test", path, env=app)


TIERS = """
streams: {a: {shards: 1}, b: {shards: 1}}
pipelines:
  p:
    source: {stream: a}
    set:
      one: '$__loc__ | 1'
      two: '.n as [$x] ?// $x | $x'
      three: '_plus(.n; 1)'
    route: [{when: '.n > 1', to: b}, {to: b}]
"""


def test_check_says_what_runs_through_libjq_and_why(tmp_path):
    path = tmp_path / "tiers.yaml"
    path.write_text(TIERS)
    done = run("check", path)
    summary, libjq = done.stdout.splitlines()[1:]
    assert summary.startswith("  pipeline p: 1 expression through libjq, ") and "compiled" in summary
    assert libjq.startswith(f"{path}:9:15: p.set.three: runs through libjq: ") and "_plus" in libjq
    told = run("check", "--verbose", path).stdout.splitlines()[2:]
    assert [line.split(": ")[1] for line in told] == ["p.set.one", "p.set.two", "p.set.three", "p.route[0].when"]
    assert run("check", "--quiet", path).stdout == ""
    found = json.loads(run("check", "-o", "json", path).stdout)["expressions"]
    assert [(e["pipeline"], e["expression"], e["line"]) for e in found] == [
        ("p", "set.one", 7), ("p", "set.two", 8), ("p", "set.three", 9), ("p", "route[0].when", 10)]
    assert [e["runs"] for e in found][1:] == ["compiled", "libjq", "compiled"]
    assert "_plus" in found[2]["why"]


def test_limits_of_a_pipeline_are_checked(tmp_path):
    path = tmp_path / "limits.yaml"
    path.write_text(TIERS + "    limits: {steps: 5, time: 2s, memry: 1GiB}\n")
    done = run("check", path, code=2)
    assert "steps is '5'; expected a whole number, 1,000 to 1,000,000,000,000" in done.stdout
    assert 'memry' in done.stdout and 'memory' in done.stdout
    path.write_text(TIERS + "    limits: {steps: 5000, time: 2s, memory: 64MiB}\n")
    run("check", path)


def test_the_recommender_is_one_pass_over_each_record():
    done = run("check", ROOT / "examples/recommender/recommender.yaml")
    assert done.stdout.splitlines()[1:] == ["  pipeline recommender: 4 expressions in one pass over each record"]

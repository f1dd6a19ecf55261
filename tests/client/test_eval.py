# SPDX-License-Identifier: Apache-2.0
"""`leat eval` beside jq 1.6: the same outputs, options and exit codes, over inputs in any layout."""
import json
import os
import random
import signal
import subprocess
import time

import pytest

from support.leat import PROGRAM, clean_environment

SESSIONS = [
    {"session_id": "a1", "country": "USA", "city": "Washington", "credit": 1000.5,
     "items": [{"code": "S10", "n": 2, "cart": True}, {"code": "S18", "n": 1, "cart": False}]},
    {"session_id": "b2", "country": "France", "city": "Besançon", "credit": None,
     "items": [{"code": "S10", "n": 7, "cart": True}]},
    {"session_id": "c3", "country": "日本", "city": "a\"b\\c\n\t\u0001", "credit": -3, "items": []},
]
LINES = "".join(json.dumps(s, ensure_ascii=False) + "\n" for s in SESSIONS)


def call(program, *args, data="", env=None):
    done = subprocess.run([*program, *args], input=data.encode() if isinstance(data, str) else data,
                          capture_output=True, timeout=60, check=False, env=clean_environment(**(env or {})))
    return done.returncode, done.stdout, done.stderr


def leat(*args, data="", env=None):
    return call([PROGRAM, "eval"], *args, data=data, env=env)


def jq(*args, data="", env=None):
    return call(["jq", "-c"], *args, data=data, env=env)


def same(*args, data=LINES):
    """The same output and exit code as jq's; gives the output."""
    ours, theirs = leat(*args, data=data), jq(*args, data=data)
    assert ours[:2] == theirs[:2], (args, ours, theirs)
    return ours[1]


@pytest.mark.parametrize("expr", [
    ".", ".country", ".items[].n", "[.items[].n] | add", "select(.country == \"USA\") | .city", ".items | length",
    "keys", "to_entries", "with_entries(select(.key != \"items\"))", ".items |= map(select(.cart))", "del(.items[0])",
    "\"\\(.session_id): \\(.city)\"", "[.session_id, .country, .credit] | @csv", "[.session_id, .city] | @tsv",
    ".city | @json", ".city | @uri", ".city | @html", ".country | @base64", ".items | group_by(.code)",
    "[.items[] | .n] | min, max", "reduce .items[] as $i (0; . + $i.n)", "[foreach .items[] as $i (0; . + $i.n)]",
    ".items[0].n // \"none\"", "first(.items[])", "[limit(1; .items[])]", "def f(x): x * 2; [.items[].n | f(.)]",
    "[paths]", "[leaf_paths]", "any(.items[]; .cart)", "all(.items[]; .cart)", ".items | map(.code) | unique",
    "[range(5)]", "[.[] | type]", "try error(\"x\") catch .", ".city | test(\"^W\")", ".city | sub(\"a\"; \"b\")",
    "[.city | match(\"[a-z]+\"; \"g\") | .string]", ".country | ascii_downcase", ".city | explode | implode", "tojson",
    "tojson | fromjson", ".items | sort_by(.n)", "[.items[] as {code: $c, n: $n} | [$c, $n]]", "input", "[., input]",
    "label $out | .items[] | if .cart then break $out else . end", "env | type", "$ENV | type", "input_filename",
    ".. | numbers", "[splits(\"a\")]?", ".items | tostream", "getpath([\"items\", 0, \"n\"])", "ltrimstr(\"a\")",
    "(.a, .b) = 1", ".credit += 1", ".a.b.c = 1", "@text \"x\\(.credit)\"", "$__loc__", "{session_id, n: .items[].n}",
    "[.items[] | {(.code): .n}] | add", "1e1000", "[.[]?]", "not", "halt_error", "ascii", "now | type", "empty",
])
def test_a_text_gives_what_jq_gives(expr):
    same(expr)


@pytest.mark.parametrize("args", [
    ["-r", ".city"], ["-j", ".city"], ["-n", "1, 2"], ["-n", "[inputs.session_id]"], ["-n", "input, input"],
    ["-n", "input, input, input, input"], ["-s", "length"], ["-s", "map(.credit)"], ["-s", "."], ["-rn", "\"a\\tb\""],
    ["-e", ".credit"], ["-e", ".nothing"], ["-e", "empty"], ["-e", "false"], ["-e", ".city"], ["-R", "."], ["-Rr", "."],
    ["-Rs", "."], ["-Rn", "[inputs | length]"], ["-a", ".city"], ["-S", "."], ["--tab", "."], ["--indent", "3", "."],
    ["--arg", "c", "USA", "select(.country == $c)"], ["--argjson", "o", "{\"a\": [1, 2]}", "$o.a[1], $ARGS.named"],
    ["-n", "$ARGS", "--args", "a", "b"], ["-n", "$ARGS", "--jsonargs", "1", "{\"a\": 2}"], ["-n", "$ARGS.positional"],
    ["-n", "--arg", "a", "1", "--arg", "b", "2", "[$a, $b, $ARGS.named]"], ["-sr", ".[].city"],
    ["-n", "-5 % 3"], ["-(.items | length)"], ["-n", "-$ARGS.named.a", "--argjson", "a", "2"],
])
def test_options_do_as_jqs_do(args):
    same(*args)


@pytest.mark.parametrize("data", [
    "", " \n ", "1 2\n3", "1\n\n\n2", "{\"a\":1}{\"a\":2}", "[1,\n2]\n{\n  \"a\": 3\n}", "\"x\"\"y\"", "true false null",
    json.dumps(SESSIONS, indent=2), "\n".join(json.dumps(s, indent=1) for s in SESSIONS * 5), "[]{}\"\"1 ",
    "{\"a\":1,\"b\":{\"a\":2},\"a\":3}", "\r\n1\r\n2\r\n", "[[[[[]]]]]", "\"\\ud83d\\ude00 \\u00e9\"", "0.1 1e3 -0 1.5e-3",
])
def test_inputs_come_in_any_layout(data):
    ours, theirs = leat(".", data=data), jq(".", data=data)
    assert ours[0] == theirs[0] == 0
    assert [json.loads(x) for x in ours[1].splitlines()] == [json.loads(x) for x in theirs[1].splitlines()]


def test_values_over_many_blocks_are_whole():
    big = json.dumps({"text": "x\"y\\" * 100_000, "list": list(range(100_000))}, indent=1)
    data = "\n".join([big, json.dumps({"a": 1}), big, big.replace("\n", "")])
    same("length, (.text? | length), (.list? // [1] | add)", data=data)
    same("-s", "map(keys)", data=data)
    many = "".join(f'{{"n":{i}}}' for i in range(100_000))
    same("select(.n % 9973 == 0)", data=many)


def test_numbers_that_pass_through_keep_their_spelling_and_integers_are_exact():
    data = '{"id": 12345678901234567890, "price": 1.10, "n": 9007199254740993}'
    assert leat(".", data=data)[1] == b'{"id":12345678901234567890,"price":1.10,"n":9007199254740993}\n'
    assert leat(".n + 1", data=data)[1] == b"9007199254740994\n"


def test_an_error_of_one_input_is_told_and_the_next_goes_on():
    ours = leat(".a + 1", data='{"a":1}\n{"a":"x"}\n{"a":2}\n')
    assert ours[:2] == (5, b"2\n3\n")  # jq 1.6 forgets the error of any but the last input
    assert ours[2] == b'leat eval: standard input, line 2: string ("x") and number (1) cannot be added\n'


def test_bad_json_names_file_and_line(tmp_path):
    path = tmp_path / "in.json"
    path.write_text('{"a":1}\n{"a":2}\n{"a":3,}\n')
    code, out, err = leat(".a", str(path))
    assert (code, out) == (2, b"1\n2\n")
    assert err.decode() == f"leat eval: {path}: line 3: not JSON: byte 7: expected a name in quotes, found '}}'\n"


def test_files_come_one_after_the_other_and_one_that_is_not_there_is_told(tmp_path):
    (tmp_path / "a").write_text("1\n2")
    (tmp_path / "b").write_text("3")
    code, out, err = leat("[., input_filename]", str(tmp_path / "a"), str(tmp_path / "no"), str(tmp_path / "b"))
    assert code == 2
    assert [json.loads(x) for x in out.splitlines()] == [[1, f"{tmp_path}/a"], [2, f"{tmp_path}/a"],
                                                         [3, f"{tmp_path}/b"]]
    assert b"cannot read" in err and b"No such file" in err
    code, out, _ = leat("-f", str(tmp_path / "b"), str(tmp_path / "a"))
    assert (code, out) == (0, b"3\n3\n")
    (tmp_path / "prog.jq").write_text("# doubles\n. * 2\n")
    assert leat("-f", str(tmp_path / "prog.jq"), str(tmp_path / "a"))[1] == b"2\n4\n"
    assert leat("--slurpfile", "v", str(tmp_path / "a"), "-n", "$v")[1] == b"[1,2]\n"
    assert leat("--rawfile", "v", str(tmp_path / "a"), "-n", "$v")[1] == b'"1\\n2"\n'


@pytest.mark.parametrize("expr, column, words", [
    (".a |", 5, "end"), (".a | foo", 6, "foo"), ("[1, 2", 1, "]"), (".a | selct(.b)", 6, "did you mean"), ("$x", 1, "$x"),
])
def test_what_is_no_jq_is_shown_with_its_place(expr, column, words):
    code, out, err = leat(expr)
    lines = err.decode().splitlines()
    assert (code, out) == (3, b"")
    assert f"line 1, column {column}" in lines[0] and words in err.decode()
    assert lines[1].strip() == expr and lines[2].rstrip().endswith("^")


@pytest.mark.parametrize("args", [
    [], ["--arg", "a"], ["--arg", "1x", "b", "."], ["--argjson", "a", "{", "."], ["--indent", "99", "."], ["--rwa", "."],
    ["-f", "/nowhere/at/all"], ["-n", "$ARGS", "--jsonargs", "{"],
])
def test_a_wrong_command_line_is_refused(args):
    code, out, err = leat(*args)
    assert code == 2 and out == b"" and err.startswith(b"leat eval: ") and err.count(b"\n") == 1


def test_outputs_come_before_it_waits_for_more():
    process = subprocess.Popen([PROGRAM, "eval", ".a"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    for i in range(3):
        process.stdin.write(b'{"a":%d}\n' % i)
        process.stdin.flush()
        assert process.stdout.readline() == b"%d\n" % i
    process.stdin.close()
    assert process.wait(10) == 0


def test_a_closed_pipe_ends_it_quietly():
    with subprocess.Popen([PROGRAM, "eval", "-n", "range(1000000000)"], stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE) as process:
        assert process.stdout.readline() == b"0\n"
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait(20) == 0


@pytest.mark.parametrize("expr", ["sort", "unique", "group_by(.)", "map({k: .}) | sort_by(.k, .k)", "map({k: .}) | unique_by(.k)",
                                  "min, max", "map({k: ., i: 1}) | sort_by(empty)"])
def test_texts_that_begin_alike_are_ordered_by_all_their_bytes(expr):
    """Their first 7 and 14 bytes are compared as numbers."""
    rng = random.Random(7)
    stems = ["abcdefghijklmnop"[:n] for n in (0, 1, 6, 7, 8, 13, 14, 15, 16)]
    others = [None, True, False, 1, 1.5, -2, [], ["a"], {}, {"a": 1}]
    inputs = [[rng.choice(stems) + rng.choice(["", "", "\0", "\0\0", "a", "z", "é", "\0x"]) if rng.random() < 0.8 else rng.choice(others)
               for _ in range(rng.randint(2, 40))] for _ in range(200)]
    same(expr, data="".join(json.dumps(values) + "\n" for values in inputs))


def test_ctrl_c_ends_a_run_that_would_never_end():
    # a shell's background job has the signal ignored, and hands that on
    with subprocess.Popen([PROGRAM, "eval", "-n", "last(range(1e15))"], stdout=subprocess.PIPE,
                          preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL)) as process:
        try:
            time.sleep(0.3)
            process.send_signal(signal.SIGINT)
            assert process.wait(20) == -signal.SIGINT
        finally:
            process.kill()


def test_memory_is_bounded():
    code, _, err = leat("--memory", "32MiB", "-n", "[range(100000000)]")
    assert code == 5 and b"32 MiB" in err


def test_a_full_disk_is_told():
    with open("/dev/full", "wb") as full:
        done = subprocess.run([PROGRAM, "eval", "-n", "1"], stdout=full, stderr=subprocess.PIPE, check=False, timeout=20)
    assert done.returncode == 1 and b"No space left" in done.stderr


def test_what_is_not_compiled_runs_through_libjq():
    code, out, err = leat("--explain", "get_search_list")
    assert code == 0 and out.startswith(b"runs through libjq: "), (out, err)
    assert leat("--explain", ".a")[1] == b"compiled\n"
    code, out, _ = leat("-c", "., halt", data="1 2 3")
    assert (code, out) == (0, b"1\n")
    code, out, err = leat("-n", "1, halt, 2")
    assert (code, out) == (0, b"1\n")
    code, out, err = leat("-n", '"bye\\n" | halt_error(7)')
    assert (code, out, err) == (7, b"", b"bye\n")


def test_deep_recursion_is_answered_by_libjq():
    expr = "def f: if . > 200000 then . else . + 1 | f end; f"
    assert leat("-n", f"0 | {expr}")[:2] == jq("-n", f"0 | {expr}")[:2]


def test_variables_are_the_same_for_each_input():
    names = json.dumps({f"k{i}": [i] for i in range(40)})
    same("--argjson", "o", names, "$o.k7[0] + ., ($o | keys | length), [$o[]][3][0], ($o.k1 + [.])", data="1 2 3 4 5" * 50)


def test_the_environment_is_seen():
    assert leat("-n", "env.LEAT_EVAL_TEST, $ENV.LEAT_EVAL_TEST", env={"LEAT_EVAL_TEST": "é"})[1] == '"é"\n"é"\n'.encode()


def test_debug_and_stderr_go_to_standard_error():
    data = '{"a":1}'
    assert leat("debug", data=data)[1:] == jq("debug", data=data)[1:]
    assert leat("stderr", data=data)[1:] == jq("stderr", data=data)[1:]
    assert os.path.exists(PROGRAM)

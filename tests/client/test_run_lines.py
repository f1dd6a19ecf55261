# SPDX-License-Identifier: Apache-2.0
"""`leat run FILE --from … --to …` over more lines than one chunk holds: their order, their numbers, their ends."""
import json
import os
import subprocess
import time

import pytest
from support import leat

FILE = """
streams: {in: {shards: 1}, even: {shards: 1}, odd: {shards: 1}, dead: {shards: 1}}
pipelines:
  p:
    source: {stream: in}
    set: {twice: '.n * 2'}
    route: [{when: '.n % 2 == 0', to: even}, {to: odd}]
    dead_letters: {stream: dead}
"""
N = 12_000
PADDING = "x" * 200  # so that the lines are some 2.7 MB: ten chunks


@pytest.fixture
def system(tmp_path):
    path = tmp_path / "system.yaml"
    path.write_text(FILE)
    return path


def lines(bad=()):
    """Numbered lines, those in `bad` no JSON."""
    return ["oops" if n in bad else json.dumps({"n": n, "padding": PADDING[n % 150:]}) for n in range(N)]


def numbers(text):
    return [json.loads(line)["n"] for line in text.splitlines()]


@pytest.mark.parametrize("threads", [1, 2, 4])
def test_lines_come_out_in_the_order_in_which_they_went_in(system, tmp_path, threads):
    source = tmp_path / "in.jsonl"
    source.write_text("\n".join(lines()) + "\n")
    done = leat.run("run", system, "--from", source, "--to", "-", "--threads", threads, cwd=tmp_path)
    assert numbers(done.stdout) == list(range(N))
    assert all(record["twice"] == 2 * record["n"] for record in map(json.loads, done.stdout.splitlines()))
    leat.run("run", system, "--from", source, "--to", tmp_path / "out", "--threads", threads, cwd=tmp_path)
    for name, first in (("even", 0), ("odd", 1)):
        assert numbers((tmp_path / "out" / f"{name}.jsonl").read_text()) == list(range(first, N, 2))


@pytest.mark.parametrize("threads", [1, 3])
def test_dead_letters_have_the_numbers_of_their_lines(system, tmp_path, threads):
    bad = [0, 777, 4321, 4322, 9999, N - 1]
    text = "\n" + "\n \n".join(lines(bad))  # every other line is blank, and the last one has no end
    done = leat.run("run", system, "--from", "-", "--to", tmp_path / "out", "--threads", threads, stdin=text, cwd=tmp_path, code=3)
    letters = [json.loads(line) for line in (tmp_path / "out" / "dead-letters.jsonl").read_text().splitlines()]
    assert [int(letter["sequenceNumber"]) for letter in letters] == [2 + 2 * n for n in bad]
    told = [int(line.split(":")[1]) for line in done.stderr.splitlines() if ": dead letter: " in line]
    assert told == [2 + 2 * n for n in bad]


def test_a_line_longer_than_many_chunks_passes_whole(system, tmp_path):
    long = [json.dumps({"n": n, "padding": "y" * (n * 700_000)}) for n in range(6)]
    done = leat.run("run", system, "--from", "-", "--to", "-", stdin="\n".join(long), cwd=tmp_path)
    assert [len(json.loads(line)["padding"]) for line in done.stdout.splitlines()] == [n * 700_000 for n in range(6)]


def test_a_line_over_the_limit_is_an_error_after_what_came_before_it(system, tmp_path):
    source = tmp_path / "in.jsonl"
    with open(source, "w", encoding="utf-8") as f:
        f.write("\n".join(lines()[:100]) + "\n" + '{"n": "' + "z" * (65 << 20))
    done = leat.run("run", system, "--from", source, "--to", "-", cwd=tmp_path, code=1)
    assert numbers(done.stdout) == list(range(100))
    assert "line 101" in done.stderr and "64 MiB" in done.stderr


def test_a_line_is_answered_before_the_next_one_is_there(system, tmp_path):
    with subprocess.Popen([leat.PROGRAM, "run", system, "--from", "-", "--to", "-"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, cwd=tmp_path) as process:
        for n in range(3):
            process.stdin.write(b'{"n": %d}\n' % n)
            process.stdin.flush()
            assert json.loads(process.stdout.readline()) == {"n": n, "twice": 2 * n}
        process.stdin.close()
        assert process.wait(30) == 0


def test_a_reader_that_goes_away_ends_it_without_an_error(system, tmp_path):
    source = tmp_path / "in.jsonl"
    source.write_text("\n".join(lines() * 3) + "\n")
    read, write = os.pipe()
    with subprocess.Popen([leat.PROGRAM, "run", system, "--from", source, "--to", "-"], stdout=write, stderr=subprocess.PIPE,
                          cwd=tmp_path) as process:
        os.close(write)
        assert os.read(read, 100).startswith(b'{"n": 0,')
        os.close(read)
        assert process.wait(60) == 0


def test_a_file_that_shrinks_while_it_is_read_is_no_crash(system, tmp_path):
    source = tmp_path / "in.jsonl"
    source.write_text("\n".join(lines() * 10) + "\n")
    with subprocess.Popen([leat.PROGRAM, "run", system, "--from", source, "--to", "-", "-q"], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          cwd=tmp_path) as process:
        process.stdout.read(1000)
        os.truncate(source, 0)
        time.sleep(0.05)
        process.stdout.read()
        assert process.wait(60) in (0, 3)  # a line may have been cut in its middle

# SPDX-License-Identifier: Apache-2.0
"""The checks of the tree are themselves fed trees that they must refuse."""
import pathlib
import subprocess

TOOLS = pathlib.Path(__file__).resolve().parents[2] / "tools"


def run(tool, root):
    done = subprocess.run([TOOLS / tool, root], capture_output=True, text=True, timeout=60)
    return done.returncode, done.stdout


def make_tree(root, files):
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


GOOD = {
    "include/leat/status.h": "#include <stddef.h>\n",
    "src/base/buf.h": '#include "base/slice.h"\n#include <leat/status.h>\n#include <uv.h>\n',
    "src/base/slice.h": "#include <stdint.h>\n",
    "src/json/json.h": '#include "base/buf.h"\n',
    "src/engine/engine.c": '#include "engine/engine.h"\n#include "json/json.h"\n',
    "src/engine/engine.h": '#include "base/buf.h"\n',
}


def test_includes_of_a_good_tree_pass(tmp_path):
    make_tree(tmp_path, GOOD)
    assert run("check-includes", tmp_path) == (0, "")


def test_includes_that_point_upward_are_refused(tmp_path):
    make_tree(tmp_path, {**GOOD, "src/base/buf.c": '#include "base/buf.h"\n#include "json/json.h"\n'})
    code, out = run("check-includes", tmp_path)
    assert code == 1
    assert "src/base/buf.c:2: base may not know json" in out


def test_includes_of_a_neighbour_that_is_not_below_are_refused(tmp_path):
    make_tree(tmp_path, {**GOOD, "src/http/http.c": '#  include   "json/json.h"\n'})
    code, out = run("check-includes", tmp_path)
    assert code == 1
    assert "src/http/http.c:1: http may not know json" in out


def test_includes_upward_are_found_in_angle_brackets_and_beside_the_file(tmp_path):
    make_tree(tmp_path, {
        **GOOD,
        "src/json/a.c": "#include <engine/engine.h>\n",
        "src/json/b.c": '#include "../engine/engine.h"\n',
    })
    code, out = run("check-includes", tmp_path)
    assert code == 1
    assert "src/json/a.c:1: json may not know engine" in out
    assert "src/json/b.c:1: json may not know engine" in out
    assert "goes through .." in out


def test_includes_in_a_circle_are_refused(tmp_path):
    make_tree(tmp_path, {
        **GOOD,
        "src/base/slice.h": '#include "base/third.h"\n',
        "src/base/third.h": '#include "base/buf.h"\n',
    })
    code, out = run("check-includes", tmp_path)
    assert code == 1
    assert "a circle of includes: " in out
    assert out.count("src/base/third.h") == 1


def test_includes_of_files_that_are_not_there_or_in_no_room_are_refused(tmp_path):
    make_tree(tmp_path, {
        **GOOD,
        "src/attic/old.c": '#include "base/buf.h"\n',
        "src/json/c.c": '#include "base/none.h"\n',
    })
    code, out = run("check-includes", tmp_path)
    assert code == 1
    assert "src/attic/old.c: stands in no room" in out
    assert 'src/json/c.c:1: there is no file "base/none.h"' in out


def test_includes_of_inner_headers_by_public_ones_are_refused(tmp_path):
    make_tree(tmp_path, {**GOOD, "include/leat/bad.h": "#include <leat/status.h>\n#include <base/buf.h>\n"})
    code, out = run("check-includes", tmp_path)
    assert code == 1
    assert "include/leat/bad.h:2: a public header may not include" in out


def test_includes_of_an_empty_tree_prove_nothing(tmp_path):
    assert run("check-includes", tmp_path)[0] == 1
    assert run("check-sizes", tmp_path)[0] == 1


def function(name, n_lines):
    body = "    x();\n" * (n_lines - 3)
    return f"static int {name}(int a,\n{' ' * 8}int b) {{\n{body}}}\n"


def test_sizes_of_a_good_tree_pass(tmp_path):
    table = "static const int table[] = {\n" + "    1,\n" * 150 + "};\n"
    struct = "struct big {\n" + "    int x;\n" * 120 + "};\n"
    make_tree(tmp_path, {"src/base/a.c": table + struct + function("fits", 100)})
    assert run("check-sizes", tmp_path) == (0, "")


def test_sizes_refuse_a_long_function_by_name_and_line(tmp_path):
    make_tree(tmp_path, {"src/base/a.c": "int x;\n\n" + function("too_long", 101)})
    code, out = run("check-sizes", tmp_path)
    assert code == 1
    assert out == "src/base/a.c:3: too_long has 101 lines (at most 100)\n"


def test_sizes_refuse_a_long_function_after_a_table_and_with_labels(tmp_path):
    table = "static const struct row rows[] = {\n    {1},\n};\n\nenum { A, B };\n\n"
    long = "leat_status deep(void) {\n" + "    x();\n" * 60 + "fail:\n" + "    x();\n" * 60 + "}\n"
    make_tree(tmp_path, {"src/base/a.c": table + function("short", 20) + "\n" + long})
    code, out = run("check-sizes", tmp_path)
    assert code == 1
    assert "deep has 123 lines" in out
    assert "short" not in out


def test_sizes_refuse_a_long_file(tmp_path):
    make_tree(tmp_path, {"tests/unit/a.c": "int x;\n" * 601, "tests/b.py": "x = 1\n" * 600})
    code, out = run("check-sizes", tmp_path)
    assert code == 1
    assert out == "tests/unit/a.c:1: 601 lines (at most 600)\n"

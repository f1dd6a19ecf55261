/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The functions that are best said in jq itself. Each is what jq 1.6 gives for it, in the order in
 * which it gives it, and works in `path(…)` where jq's does. Who calls one sees only its own text.
 */
#include "expr/fn.h"
#include "expr/fn_parts.h"

const struct lt_fn_definition lt_fn_definitions[] = {
    {"map", 1, "def map(f): [.[] | f];"},
    {"map_values", 1, "def map_values(f): .[] |= f;"},
    {"select", 1, "def select(f): if f then . else empty end;"},
    {"recurse", 0, "def recurse: recurse(.[]?);"},
    {"recurse", 1, "def recurse(f): def again: ., (f | again); again;"},
    {"recurse", 2, "def recurse(f; keep): def again: ., (f | select(keep) | again); again;"},
    {"recurse_down", 0, "def recurse_down: recurse;"},
    {"repeat", 1, "def repeat(f): def again: ., (f | again); again;"},
    {"while", 2,
     "def while(holds; f): def again: if holds then ., (f | again) else empty end; again;"},
    {"until", 2, "def until(done; f): def again: if done then . else f | again end; again;"},
    {"add", 0, "def add: reduce .[] as $x (null; . + $x);"},
    {"del", 1, "def del(f): delpaths([path(f)]);"},
    {"to_entries", 0, "def to_entries: [keys_unsorted[] as $k | {key: $k, value: .[$k]}];"},
    {"with_entries", 1, "def with_entries(f): to_entries | map(f) | from_entries;"},
    {"from_entries", 0,
     "def from_entries: map({(.key // .k // .name // .Name // .K // .Key"
     " | if type == \"string\" then . else tojson end):"
     " (if has(\"value\") then .value else .Value end)}) | add + {} // {};"},
    {"paths", 0, "def paths: path(..) | select(length > 0);"},
    {"paths", 1, "def paths(f): . as $all | paths | select(. as $p | $all | getpath($p) | f);"},
    {"leaf_paths", 0, "def leaf_paths: paths(scalars);"},
    {"in", 1, "def in(all): . as $key | all | has($key);"},
    {"inside", 1, "def inside(all): . as $part | all | contains($part);"},
    {"arrays", 0, "def arrays: select(type == \"array\");"},
    {"objects", 0, "def objects: select(type == \"object\");"},
    {"iterables", 0, "def iterables: select(type | . == \"array\" or . == \"object\");"},
    {"booleans", 0, "def booleans: select(type == \"boolean\");"},
    {"numbers", 0, "def numbers: select(type == \"number\");"},
    {"normals", 0, "def normals: select(isnormal);"},
    {"finites", 0, "def finites: select(isinfinite or isnan | not);"},
    {"isfinite", 0, "def isfinite: type == \"number\" and (isinfinite | not);"},
    {"strings", 0, "def strings: select(type == \"string\");"},
    {"nulls", 0, "def nulls: select(. == null);"},
    {"values", 0, "def values: select(. != null);"},
    {"scalars", 0, "def scalars: select(type | . != \"array\" and . != \"object\");"},
    {"scalars_or_empty", 0,
     "def scalars_or_empty: select(type | . != \"array\" and . != \"object\");"},
    {"range", 1, "def range($upto): range(0; $upto);"},
    {"range", 3,
     "def range($from; $upto; $by): if $by > 0 then $from | while(. < $upto; . + $by)"
     " elif $by < 0 then $from | while(. > $upto; . + $by) else empty end;"},
    {"first", 0, "def first: .[0];"},
    {"last", 0, "def last: .[-1];"},
    {"nth", 1, "def nth($n): .[$n];"},
    {"nth", 2,
     "def nth($n; f): if $n < 0 then error(\"Out of bounds negative array index\")"
     " else last(limit($n + 1; f)) end;"},
    {"first", 1, "def first(f): label $done | f | ., break $done;"},
    {"last", 1, "def last(f): reduce f as $x (null; $x);"},
    {"limit", 2,
     "def limit($n; f): if $n > 0 then label $done"
     " | foreach f as $x (0; . + 1; $x, if . >= $n then break $done else empty end)"
     " elif $n == 0 then empty else f end;"},
    {"inputs", 0,
     "def inputs: def again: try input catch if . == \"No more inputs\" then empty else error end;"
     " repeat(again);"},
    {"combinations", 0,
     "def combinations: if length == 0 then [] else .[0][] as $x | .[1:] | combinations as $more"
     " | [$x] + $more end;"},
    {"combinations", 1, "def combinations(n): . as $set | [range(n)] | map($set) | combinations;"},
    {"transpose", 0,
     "def transpose: if . == [] then [] else . as $rows | (map(length) | max) as $width"
     " | [range(0; $width) as $i | [range(0; $rows | length) as $j | $rows[$j][$i]]] end;"},
    {"walk", 1,
     "def walk(f): def again: . as $all | if type == \"object\" then"
     " reduce keys_unsorted[] as $k ({}; . + {($k): ($all[$k] | again)}) | f"
     " elif type == \"array\" then map(again) | f else f end; again;"},
    {"env", 0, "def env: $ENV;"},
    {"todate", 0, "def todate: strftime(\"%Y-%m-%dT%H:%M:%SZ\");"},
    {"todateiso8601", 0, "def todateiso8601: strftime(\"%Y-%m-%dT%H:%M:%SZ\");"},
    {"fromdate", 0, "def fromdate: strptime(\"%Y-%m-%dT%H:%M:%SZ\") | mktime;"},
    {"fromdateiso8601", 0, "def fromdateiso8601: strptime(\"%Y-%m-%dT%H:%M:%SZ\") | mktime;"},
    {"tostream", 0,
     "def tostream: path(def again: (.[]? | again), .; again) as $p | getpath($p)"
     " | reduce path(.[]?) as $q ([$p, .]; [$p + $q]);"},
    {"fromstream", 1,
     "def fromstream(f): {x: null, e: false} as $init | foreach f as $i ($init;"
     " if .e then $init else . end | if $i | length == 2"
     " then setpath([\"e\"]; $i[0] | length == 0) | setpath([\"x\"] + $i[0]; $i[1])"
     " else setpath([\"e\"]; $i[0] | length == 1) end; if .e then .x else empty end);"},
    {"truncate_stream", 1,
     "def truncate_stream(f): . as $n | null | f | . as $in"
     " | if (.[0] | length) > $n then setpath([0]; .[0][$n:]) else empty end;"},
    {"INDEX", 2, "def INDEX(f; key): reduce f as $row ({}; .[$row | key | tostring] |= $row);"},
    {"INDEX", 1, "def INDEX(key): INDEX(.[]; key);"},
    {"JOIN", 2, "def JOIN($idx; key): [.[] | [., $idx[key]]];"},
    {"JOIN", 3, "def JOIN($idx; f; key): f | [., $idx[key]];"},
    {"JOIN", 4, "def JOIN($idx; f; key; joined): f | [., $idx[key]] | joined;"},
    {"IN", 1, "def IN(f): any(f == .; .);"},
    {"IN", 2, "def IN(f; g): any(f == g; .);"},
    {"any", 0, "def any: any(.);"},
    {"any", 1, "def any(f): any(.[]; f);"},
    {"any", 2, "def any(f; holds): isempty(first(f | holds or empty)) | not;"},
    {"all", 0, "def all: all(.);"},
    {"all", 1, "def all(f): all(.[]; f);"},
    {"all", 2, "def all(f; holds): isempty(first(f | holds and empty));"},
    {"isempty", 1, "def isempty(f): 0 == ((label $done | f | (1, break $done)) // 0);"},
    {NULL, 0, NULL},
};

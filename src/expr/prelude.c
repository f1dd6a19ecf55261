/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The functions that are best said in jq itself. Each is what jq 1.6 gives for it, in the order in
 * which it gives it, and works in `path(…)` where jq's does. Who calls one sees only its own text.
 */
#include "expr/fn.h"
#include "expr/fn_parts.h"

const struct lt_fn_definition lt_fn_definitions[] = {
    {"map_values", 1, "def map_values(f): .[] |= f;"},
    {"recurse_down", 0, "def recurse_down: recurse;"},
    {"with_entries", 1, "def with_entries(f): to_entries | map(f) | from_entries;"},
    {"paths", 0, "def paths: path(..) | select(length > 0);"},
    {"paths", 1, "def paths(f): . as $all | paths | select(. as $p | $all | getpath($p) | f);"},
    {"leaf_paths", 0, "def leaf_paths: paths(scalars);"},
    {"in", 1, "def in(all): . as $key | all | has($key);"},
    {"inside", 1, "def inside(all): . as $part | all | contains($part);"},
    {"arrays", 0, "def arrays: select(type == \"array\");"},
    {"objects", 0, "def objects: select(type == \"object\");"},
    {"booleans", 0, "def booleans: select(type == \"boolean\");"},
    {"numbers", 0, "def numbers: select(type == \"number\");"},
    {"normals", 0, "def normals: select(isnormal);"},
    {"strings", 0, "def strings: select(type == \"string\");"},
    {"nulls", 0, "def nulls: select(. == null);"},
    {"values", 0, "def values: select(. != null);"},
    {"scalars", 0, "def scalars: select(type | . != \"array\" and . != \"object\");"},
    {"first", 0, "def first: .[0];"},
    {"last", 0, "def last: .[-1];"},
    {"nth", 1, "def nth($n): .[$n];"},
    {"combinations", 0,
     "def combinations: if length == 0 then [] else .[0][] as $x | (.[1:] | combinations) as $more"
     " | [$x] + $more end;"},
    {"combinations", 1, "def combinations(n): . as $set | [range(n) | $set] | combinations;"},
    {"transpose", 0,
     "def transpose: if . == [] then [] else . as $rows | (map(length) | max) as $width"
     " | [range(0; $width) as $i | [range(0; $rows | length) as $j | $rows[$j][$i] as $v | $v]] "
     "end;"},
    {"walk", 1,
     "def walk(f): def again: . as $all | if type == \"object\" then"
     " reduce keys_unsorted[] as $k ({}; . + {($k): ($all[$k] | again)}) | f"
     " elif type == \"array\" then map(again) | f else f end; again;"},
    /* What is sought is evaluated anew at each comparison, on the bounds: so it is in jq. */
    {"bsearch", 1,
     "def bsearch(sought): if length == 0 then -1"
     " elif length == 1 then (if sought == .[0] then 0 elif sought < .[0] then -1 else -2 end)"
     " else . as $all | [0, length - 1, null] | until(.[0] > .[1]; if .[2] != null then .[1] = -1"
     " else ((.[1] + .[0]) / 2 | floor) as $middle | $all[$middle] as $there"
     " | if $there == sought then .[2] = $middle elif .[0] == .[1] then .[1] = -1"
     " elif $there < sought then .[0] = $middle + 1 else .[1] = $middle - 1 end end)"
     " | if .[2] != null then .[2] elif $all[.[0]] < sought then -2 - .[0] else -1 - .[0] end"
     " end;"},
    {"match", 1, "def match($re): _match_impl($re) | .[];"},
    {"match", 2, "def match(re; flags): _match_impl(re; flags) | .[];"},
    {"capture", 1, "def capture($re): _capture_impl($re) | .[];"},
    {"capture", 2, "def capture(re; flags): _capture_impl(re; flags) | .[];"},
    {"scan", 1, "def scan(re): _scan_impl(re) | .[];"},
    {"splits", 1, "def splits($re): _splits_impl($re; [null]) | .[];"},
    {"splits", 2, "def splits($re; flags): _splits_impl($re; [flags]) | .[];"},
    {"split", 2, "def split($re; flags): [_splits_impl($re; [flags]) | .[]];"},
    {"env", 0, "def env: $ENV;"},
    {"todate", 0, "def todate: strftime(\"%Y-%m-%dT%H:%M:%SZ\");"},
    {"todateiso8601", 0, "def todateiso8601: strftime(\"%Y-%m-%dT%H:%M:%SZ\");"},
    {"fromdate", 0, "def fromdate: strptime(\"%Y-%m-%dT%H:%M:%SZ\") | mktime;"},
    {"fromdateiso8601", 0, "def fromdateiso8601: strptime(\"%Y-%m-%dT%H:%M:%SZ\") | mktime;"},
    {"tostream", 0,
     "def tostream: path(def again: (.[]? | again), .; again) as $p | getpath($p)"
     " | reduce path(.[]?) as $q ([$p, .]; [$p + $q]);"},
    {"truncate_stream", 1,
     "def truncate_stream(f): . as $n | null | f | . as $in"
     " | if (.[0] | length) > $n then setpath([0]; .[0][$n:]) else empty end;"},
    {"INDEX", 2, "def INDEX(f; key): reduce f as $row ({}; .[$row | key | tostring] |= $row);"},
    {"INDEX", 1, "def INDEX(key): INDEX(.[]; key);"},
    {"JOIN", 2, "def JOIN($idx; key): [.[] | [., $idx[key]]];"},
    {"JOIN", 3, "def JOIN($idx; f; key): f | [., $idx[key]];"},
    {"JOIN", 4, "def JOIN($idx; f; key; joined): f | [., $idx[key]] | joined;"},
    {"IN", 1, "def IN(f): reduce (first(select(f == .)) | true) as $x (false; . or $x);"},
    {"IN", 2, "def IN(f; g): reduce (f | IN(g)) as $x (false; . or $x);"},
    {"iterables", 0, "def iterables: arrays, objects;"},
    {"finites", 0, "def finites: select(isfinite);"},
    {"scalars_or_empty", 0,
     "def scalars_or_empty: select((type | . != \"array\" and . != \"object\") or length == 0);"},
    {"fromstream", 1,
     "def fromstream(f): foreach f as $event ([null, false, null, false];"
     " ($event[0] | length) as $depth | ($event | length) as $n"
     " | if $depth == 0 then [null, false] + .[2:]"
     " elif $n == 1 and $depth < 2 then [null, false] + .[:2] else . end"
     " | if $n > 1 and $depth > 0"
     " then [(.[0] | setpath($event[0]; $event[1])), true] + .[2:] else . end;"
     " if ($event[0] | length) == 1 and ($event | length) == 1 and .[3] then .[2] else empty end,"
     " if ($event[0] | length) == 0 then $event[1] else empty end);"},
    {NULL, 0, NULL},
};

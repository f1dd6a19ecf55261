/* SPDX-License-Identifier: Apache-2.0 */
#include "expr/val_seq.h"

enum { WALKED = 4 }; /* elements of a document's array that are found without listing it */

static struct lt_val built(struct lt_seq *seq, size_t n) {
    if (!seq)
        return lt_val_null();
    struct lt_val v = {.kind = LT_VAL_ARRAY, .form = LT_VAL_BUILT, .n = (uint32_t)n};
    v.arr = (struct lt_arr *)seq;
    return v;
}

struct lt_val lt_arr_of_raw(struct lt_heap *heap, struct lt_val raw) {
    const struct lt_json_tape *tape = &raw.doc->tape;
    size_t n = 0;
    for (uint32_t at = lt_json_tape_first(tape, raw.n); at; at = lt_json_tape_next(tape, at))
        n++;
    struct lt_seq *seq = lt_seq_new(heap, 1, n);
    struct lt_val *items = seq && n ? lt_seq_extend(heap, &seq, 1, 0, n) : NULL;
    if (!items)
        return built(heap->full ? NULL : seq, 0);
    for (uint32_t at = lt_json_tape_first(tape, raw.n); at; at = lt_json_tape_next(tape, at))
        *items++ = lt_val_at(raw.doc, at);
    return built(seq, n);
}

struct lt_val lt_val_array(struct lt_heap *heap, size_t room) {
    return built(lt_seq_new(heap, 1, room), 0);
}

const struct lt_val *lt_val_items(struct lt_heap *heap, struct lt_val array, size_t *n) {
    static const struct lt_val none;
    struct lt_val v = lt_val_resolve(heap, array);
    const struct lt_val *items = v.kind == LT_VAL_ARRAY ? lt_seq_items(heap, &v.arr->seq, 1) : NULL;
    *n = items ? v.n : 0;
    return items ? items : &none;
}

size_t lt_val_array_len(struct lt_heap *heap, struct lt_val array) {
    struct lt_val v = lt_val_resolve(heap, array);
    return v.kind == LT_VAL_ARRAY ? v.n : 0;
}

struct lt_val lt_val_array_get(struct lt_heap *heap, struct lt_val array, size_t i) {
    if (array.form == LT_VAL_RAW && i < WALKED) {
        const struct lt_json_tape *tape = &array.doc->tape;
        uint32_t at = lt_json_tape_first(tape, array.n);
        while (at && i--)
            at = lt_json_tape_next(tape, at);
        return at ? lt_val_at(array.doc, at) : lt_val_null();
    }
    size_t n;
    const struct lt_val *items = lt_val_items(heap, array, &n);
    return i < n ? items[i] : lt_val_null();
}

struct lt_val lt_val_array_append(struct lt_heap *heap, struct lt_val array, struct lt_val v) {
    struct lt_val a = lt_val_resolve(heap, array);
    if (a.kind != LT_VAL_ARRAY)
        return lt_val_null();
    struct lt_seq *seq = &a.arr->seq;
    struct lt_val *where = lt_seq_extend(heap, &seq, 1, a.n, 1);
    if (!where)
        return lt_val_null();
    *where = v;
    return built(seq, (size_t)a.n + 1);
}

struct lt_val lt_val_array_extend(struct lt_heap *heap, struct lt_val array,
                                  const struct lt_val *items, size_t n) {
    struct lt_val a = lt_val_resolve(heap, array);
    if (a.kind != LT_VAL_ARRAY)
        return lt_val_null();
    if (!n)
        return a;
    struct lt_seq *seq = &a.arr->seq;
    struct lt_val *where = lt_seq_extend(heap, &seq, 1, a.n, n);
    if (!where)
        return lt_val_null();
    memcpy(where, items, n * sizeof(*items));
    return built(seq, a.n + n);
}

struct lt_val lt_val_array_set(struct lt_heap *heap, struct lt_val array, size_t i,
                               struct lt_val v) {
    struct lt_val a = lt_val_resolve(heap, array);
    if (a.kind != LT_VAL_ARRAY)
        return lt_val_null();
    struct lt_seq *seq = &a.arr->seq;
    if (i < a.n)
        return built(lt_seq_set(heap, seq, 1, a.n, i, v), a.n);
    struct lt_val *where = lt_seq_extend(heap, &seq, 1, a.n, i - a.n + 1);
    if (!where)
        return lt_val_null();
    for (size_t gap = i - a.n; gap > 0; gap--)
        *where++ = lt_val_null();
    *where = v;
    return built(seq, i + 1);
}

struct lt_val lt_val_array_slice(struct lt_heap *heap, struct lt_val array, size_t from,
                                 size_t to) {
    struct lt_val a = lt_val_resolve(heap, array);
    if (a.kind != LT_VAL_ARRAY)
        return lt_val_null();
    to = to > a.n ? a.n : to;
    from = from > to ? to : from;
    if (from == 0)
        return built(&a.arr->seq, to);
    return built(lt_seq_slice(heap, &a.arr->seq, 1, from, to), to - from);
}

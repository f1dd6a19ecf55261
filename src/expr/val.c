/* SPDX-License-Identifier: Apache-2.0 */
/* Values of documents, strings, and what does not ask for a container's elements. */
#include "expr/val_seq.h"

#include "json/scan.h"

/* A string that was put together has this before its bytes, and ROOM in `spare`: the version that
 * ends where the room is filled is extended in place. */
enum { ROOM = 1, FIRST_ROOM_BYTES = 32 };
struct text_room {
    uint32_t cap;
    uint32_t used;
    char bytes[];
};

void *lt_heap_alloc(struct lt_heap *heap, size_t len) {
    void *data = heap->full ? NULL : lt_arena_alloc(heap->arena, len);
    if (!data)
        heap->full = true;
    return data;
}

const char *lt_val_type(struct lt_val v) {
    static const char *const names[] = {"null",   "boolean", "boolean", "number",
                                        "string", "array",   "object"};
    return names[v.kind];
}

/* --- documents -------------------------------------------------------------------------- */

static struct lt_val string_at(const struct lt_doc *doc, uint32_t token) {
    struct lt_slice raw = lt_json_tape_scalar(&doc->tape, token);
    struct lt_val v = lt_val_string(lt_slice(raw.data + 1, raw.len - 2));
    if (doc->tape.flags & LT_JSON_HAS_ESCAPES && memchr(v.s, '\\', v.n))
        v.form = LT_VAL_RAW;
    return v;
}

struct lt_val lt_val_at(const struct lt_doc *doc, uint32_t token) {
    switch (lt_json_tape_type(&doc->tape, token)) {
    case LT_JSON_NULL:
        return lt_val_null();
    case LT_JSON_FALSE:
        return lt_val_bool(false);
    case LT_JSON_TRUE:
        return lt_val_bool(true);
    case LT_JSON_NUMBER: {
        struct lt_slice raw = lt_json_tape_scalar(&doc->tape, token);
        return (struct lt_val){
            .kind = LT_VAL_NUMBER, .form = LT_VAL_RAW, .n = (uint32_t)raw.len, .s = raw.data};
    }
    case LT_JSON_STRING:
        return string_at(doc, token);
    case LT_JSON_ARRAY:
        return (struct lt_val){.kind = LT_VAL_ARRAY, .form = LT_VAL_RAW, .n = token, .doc = doc};
    case LT_JSON_OBJECT:
    default:
        return (struct lt_val){.kind = LT_VAL_OBJECT, .form = LT_VAL_RAW, .n = token, .doc = doc};
    }
}

struct lt_val lt_val_of_doc(const struct lt_doc *doc) {
    return lt_val_at(doc, 0);
}

void **lt_doc_listed(struct lt_heap *heap, struct lt_val raw) {
    struct lt_doc *doc = (struct lt_doc *)raw.doc; /* what is listed is no part of its content */
    if (!doc->listed) {
        size_t len = (doc->tape.n + 1) * sizeof(void *);
        doc->listed = lt_heap_alloc(heap, len);
        if (!doc->listed)
            return NULL;
        memset(doc->listed, 0, len);
    }
    return &doc->listed[raw.n];
}

struct lt_val lt_val_resolve(struct lt_heap *heap, struct lt_val container) {
    if (container.form == LT_VAL_BUILT || container.kind < LT_VAL_ARRAY)
        return container; /* a null is what a function gave that found no memory */
    void **listed = lt_doc_listed(heap, container);
    if (!listed)
        return lt_val_null();
    if (*listed && !((uintptr_t)*listed & 1))
        return *(struct lt_val *)*listed;
    struct lt_val *kept = lt_heap_alloc(heap, sizeof(*kept));
    if (!kept)
        return lt_val_null();
    *kept = container.kind == LT_VAL_ARRAY ? lt_arr_of_raw(heap, container)
                                           : lt_obj_of_raw(heap, container);
    if (kept->kind == LT_VAL_NULL)
        return lt_val_null();
    *listed = kept;
    return *kept;
}

leat_status lt_val_parse(struct lt_heap *heap, struct lt_slice text, struct lt_val *out,
                         struct leat_error *err) {
    struct lt_doc scratch = {0};
    *out = lt_val_null();
    leat_status status = lt_json_tape_parse(&scratch.tape, text, LT_JSON_DEFAULT_DEPTH, err);
    if (status != LEAT_OK) {
        lt_json_tape_deinit(&scratch.tape);
        return status;
    }
    size_t n = scratch.tape.n;
    struct lt_doc *doc = lt_heap_alloc(heap, sizeof(*doc));
    uint32_t *at = lt_heap_alloc(heap, (n + 1) * sizeof(*at));
    uint32_t *jump = lt_heap_alloc(heap, (n + 1) * sizeof(*jump));
    if (doc && at && jump) {
        *doc = scratch;
        memcpy(at, scratch.tape.at, (n + 1) * sizeof(*at));
        for (size_t i = 0; i < n; i++) /* those of scalars are undefined */
            if (text.data[at[i]] == '{' || text.data[at[i]] == '[')
                jump[i] = scratch.tape.jump[i];
        doc->tape.at = at;
        doc->tape.jump = jump;
        *out = lt_val_of_doc(doc);
    } else {
        status = lt_fail(err, LEAT_E_NOMEM, 0, "no memory for a JSON value");
    }
    lt_json_tape_deinit(&scratch.tape);
    return status;
}

/* --- strings ---------------------------------------------------------------------------- */

struct lt_slice lt_val_bytes(struct lt_heap *heap, struct lt_val string) {
    if (string.form != LT_VAL_RAW)
        return lt_slice(string.s, string.n);
    struct lt_json quoted = {LT_JSON_STRING, lt_slice(string.s - 1, (size_t)string.n + 2)};
    struct lt_slice bytes = lt_json_string(quoted, heap->arena);
    if (!bytes.data) {
        heap->full = true;
        return LT_LIT("");
    }
    return bytes;
}

/* Bytes at `at` that jq takes as one broken character: the lead and what of it goes on. */
static size_t broken_len(const unsigned char *at, size_t left) {
    unsigned char lead = at[0];
    size_t len = lead < 0xc2 || lead > 0xf4 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
    if (len > left)
        return left;
    for (size_t i = 1; i < len; i++)
        if ((at[i] & 0xc0) != 0x80)
            return i;
    return len;
}

/* Bytes before the first that is not ASCII. */
static size_t ascii_len(struct lt_slice in) {
    size_t at = 0;
    for (; in.len - at >= 8; at += 8) {
        uint64_t word;
        memcpy(&word, in.data + at, 8);
        if (word & 0x8080808080808080)
            break;
    }
    while (at < in.len && (unsigned char)in.data[at] < 0x80)
        at++;
    return at;
}

static size_t replace_broken(struct lt_slice in, char *out) {
    const char *at = in.data, *end = in.data + in.len;
    size_t len = 0;

    while (at < end) {
        size_t n = lt_utf8_len(at, end);
        const char *from = n ? at : "\xef\xbf\xbd";
        size_t n_out = n ? n : 3;
        at += n ? n : broken_len((const unsigned char *)at, (size_t)(end - at));
        if (out)
            memcpy(out + len, from, n_out);
        len += n_out;
    }
    return len;
}

struct lt_val lt_val_copy_string(struct lt_heap *heap, struct lt_slice bytes) {
    size_t ascii = ascii_len(bytes);
    struct lt_slice rest = lt_slice_from(bytes, ascii);
    size_t len = ascii + replace_broken(rest, NULL);
    char *copy = len <= UINT32_MAX ? lt_heap_alloc(heap, len) : NULL;
    if (!copy) {
        heap->full = true;
        return lt_val_null();
    }
    if (ascii)
        memcpy(copy, bytes.data, ascii);
    replace_broken(rest, copy + ascii);
    return lt_val_string(lt_slice(copy, len));
}

struct lt_val lt_val_concat(struct lt_heap *heap, struct lt_val a, struct lt_val b) {
    struct lt_slice x = lt_val_bytes(heap, a), y = lt_val_bytes(heap, b);
    if (!y.len)
        return a;
    if (!x.len)
        return b;
    bool grown = a.form == LT_VAL_PLAIN && a.spare == ROOM;
    if (grown) {
        struct text_room *room = (struct text_room *)(void *)(a.s - sizeof(*room));
        if (room->used == a.n && room->cap - room->used >= y.len) {
            memcpy(room->bytes + room->used, y.data, y.len);
            room->used += (uint32_t)y.len;
            a.n += (uint32_t)y.len;
            return a;
        }
    }
    size_t len = x.len + y.len;
    size_t cap = grown ? 2 * len : len < FIRST_ROOM_BYTES ? FIRST_ROOM_BYTES : len;
    struct text_room *room = cap <= UINT32_MAX ? lt_heap_alloc(heap, sizeof(*room) + cap) : NULL;
    if (!room) {
        heap->full = true;
        return lt_val_null();
    }
    *room = (struct text_room){.cap = (uint32_t)cap, .used = (uint32_t)len};
    memcpy(room->bytes, x.data, x.len);
    memcpy(room->bytes + x.len, y.data, y.len);
    struct lt_val v = lt_val_string(lt_slice(room->bytes, len));
    v.spare = ROOM;
    return v;
}

size_t lt_val_codepoints(struct lt_slice utf8) {
    size_t n = utf8.len, at = 0;
    for (; utf8.len - at >= 8; at += 8) { /* less those that go on a character: 10xxxxxx */
        uint64_t word;
        memcpy(&word, utf8.data + at, 8);
        n -= (size_t)__builtin_popcountll(word >> 7 & ~(word >> 6) & 0x0101010101010101);
    }
    for (; at < utf8.len; at++)
        n -= (utf8.data[at] & 0xc0) == 0x80;
    return n;
}

/* --- long-lived values -------------------------------------------------------------------- */

static struct lt_val freeze_string(struct lt_heap *heap, struct lt_val v) {
    struct lt_slice bytes = lt_val_bytes(heap, v);
    char *copy = v.form == LT_VAL_RAW ? NULL : lt_heap_alloc(heap, bytes.len);
    if (copy && bytes.len)
        memcpy(copy, bytes.data, bytes.len);
    return lt_val_string(copy ? lt_slice(copy, bytes.len) : bytes);
}

static struct lt_val freeze(struct lt_heap *heap, struct lt_val v, unsigned depth) {
    if (depth > LT_VAL_MAX_DEPTH || heap->full) {
        heap->full = true;
        return lt_val_null();
    }
    if (v.kind == LT_VAL_STRING)
        return freeze_string(heap, v);
    if (v.kind == LT_VAL_NUMBER)
        return lt_val_number(v);
    if (v.kind < LT_VAL_ARRAY)
        return v;
    size_t n = 0;
    unsigned stride = v.kind == LT_VAL_ARRAY ? 1 : 2;
    const struct lt_val *items = stride == 1 ? lt_val_items(heap, v, &n)
                                             : (const struct lt_val *)lt_val_members(heap, v, &n);
    struct lt_seq *seq = lt_seq_new(heap, stride, n);
    struct lt_val *to = seq && n ? lt_seq_extend(heap, &seq, stride, 0, n) : NULL;
    if (heap->full || !seq)
        return lt_val_null();
    for (size_t i = 0; to && i < n * stride; i++)
        to[i] = freeze(heap, items[i], depth + 1);
    if (stride == 2)
        lt_obj_index(heap, seq->room);
    seq->room->pins++;
    struct lt_val frozen = {.kind = v.kind, .form = LT_VAL_BUILT, .n = (uint32_t)n};
    frozen.arr = (struct lt_arr *)seq;
    return frozen;
}

struct lt_val lt_val_freeze(struct lt_heap *heap, struct lt_val v) {
    return freeze(heap, v, 0);
}

void *lt_val_pin(struct lt_heap *heap, struct lt_val container) {
    struct lt_val v = lt_val_resolve(heap, container);
    if (v.kind < LT_VAL_ARRAY)
        return NULL;
    struct lt_seq *seq = &v.arr->seq;
    if (!lt_seq_items(heap, seq, v.kind == LT_VAL_ARRAY ? 1 : 2))
        return NULL;
    seq->room->pins++;
    return seq->room;
}

void lt_val_unpin(void *pin) {
    struct lt_room *room = pin;
    if (room)
        room->pins--;
}

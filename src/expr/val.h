/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LT_EXPR_VAL_H
#define LT_EXPR_VAL_H

#include "base/arena.h"
#include "base/buf.h"
#include "json/tape.h"

/*
 * A value of a compiled expression: 16 bytes, passed by value, never freed by itself. What comes
 * from a record stays in the record's bytes (RAW) until somebody looks: a string is unescaped, a
 * number read, a container listed only then. What is computed lives in the arena of the run.
 *
 * Values are immutable to all who hold them. Arrays, objects and strings that are computed step by
 * step
 * (`. + [$x]`, `.[$k] = $v` in a reduce) must still cost no more than the steps: the newest version
 * is changed in place, and an older one that is looked at again finds its own content (arrays and
 * strings share their room with their longer successors; objects and arrays under set keep a chain
 * of differences).
 */

/** In jq's order of comparison. */
enum lt_val_kind {
    LT_VAL_NULL,
    LT_VAL_FALSE,
    LT_VAL_TRUE,
    LT_VAL_NUMBER,
    LT_VAL_STRING,
    LT_VAL_ARRAY,
    LT_VAL_OBJECT,
};

enum lt_val_form {
    LT_VAL_PLAIN,  /**< null, false, true; a string's own bytes (UTF-8, may hold NUL) */
    LT_VAL_INT,    /**< number */
    LT_VAL_DOUBLE, /**< number; may be NaN or infinite */
    LT_VAL_RAW,    /**< number: its spelling. string: bytes between its quotes, with escapes. array,
                      object:    a token of a document */
    LT_VAL_BUILT,  /**< array, object: in the arena */
};

struct lt_arr;
struct lt_obj;

/** A parsed text that RAW values look into. It outlives them. */
struct lt_doc {
    struct lt_json_tape tape;
    void **listed; /**< by token: what was already made of a RAW container; val.c's own. Whoever
                      reads another text into the tape, or resets the arena of the heap that looked
                      at it, sets it to NULL */
};

struct lt_val {
    uint8_t kind;
    uint8_t form;
    uint16_t spare; /**< val.c's own: of strings; 0 in what others make */
    uint32_t n; /**< string, RAW number: bytes. RAW container: token. BUILT container: elements or
                   members */
    union {
        int64_t i;
        double d;
        const char *s;
        const struct lt_doc *doc;
        struct lt_arr *arr;
        struct lt_obj *obj;
    };
};

#define LT_VAL_OF(k) ((struct lt_val){.kind = (k), .form = LT_VAL_PLAIN})

static inline struct lt_val lt_val_null(void) {
    return LT_VAL_OF(LT_VAL_NULL);
}
static inline struct lt_val lt_val_bool(bool b) {
    return LT_VAL_OF(b ? LT_VAL_TRUE : LT_VAL_FALSE);
}
static inline struct lt_val lt_val_int(int64_t i) {
    return (struct lt_val){.kind = LT_VAL_NUMBER, .form = LT_VAL_INT, .i = i};
}
static inline struct lt_val lt_val_double(double d) {
    return (struct lt_val){.kind = LT_VAL_NUMBER, .form = LT_VAL_DOUBLE, .d = d};
}
/** Borrows the bytes (valid UTF-8), which must live as long as the arena. */
static inline struct lt_val lt_val_string(struct lt_slice s) {
    return (struct lt_val){
        .kind = LT_VAL_STRING, .form = LT_VAL_PLAIN, .n = (uint32_t)s.len, .s = s.data};
}
static inline bool lt_val_is_true(struct lt_val v) {
    return v.kind > LT_VAL_FALSE;
}
/** "null", "boolean", "number", "string", "array", "object" */
const char *lt_val_type(struct lt_val v);

/**
 * Memory of one run and whether it gave out. A function below that finds none sets `full` and gives
 * a harmless value (null, an empty slice); who calls many looks at `full` now and then, the
 * evaluator after each step.
 */
struct lt_heap {
    struct lt_arena *arena;
    bool full;
};
void *lt_heap_alloc(struct lt_heap *heap, size_t len);

/* --- documents -------------------------------------------------------------------------- */

/** The value at the first token of a parsed document. */
struct lt_val lt_val_of_doc(const struct lt_doc *doc);
struct lt_val lt_val_at(const struct lt_doc *doc, uint32_t token);

/* --- scalars ---------------------------------------------------------------------------- */

/** A number with form INT or DOUBLE: a RAW one is read (INT where it is spelled without point and
 * exponent and fits int64). Others unchanged. */
struct lt_val lt_val_number(struct lt_val v);
/** Any number as the nearest double. */
double lt_val_as_double(struct lt_val number);
/** A string's own bytes; a RAW one with escapes is unescaped into the heap. */
struct lt_slice lt_val_bytes(struct lt_heap *heap, struct lt_val string);
/** A string with a copy of the bytes; bytes that are not UTF-8 become U+FFFD. */
struct lt_val lt_val_copy_string(struct lt_heap *heap, struct lt_slice bytes);
/** Both strings one after the other; in place where `a` is the newest of its room. */
struct lt_val lt_val_concat(struct lt_heap *heap, struct lt_val a, struct lt_val b);
/** Length in codepoints, as `length`. */
size_t lt_val_codepoints(struct lt_slice utf8);

/* --- arrays ----------------------------------------------------------------------------- */

/** An empty array with room for `room` elements. */
struct lt_val lt_val_array(struct lt_heap *heap, size_t room);
/** The elements, contiguous, valid until the array's next change by `set` (see lt_val_pin()). A RAW
 * array is listed once a token. */
const struct lt_val *lt_val_items(struct lt_heap *heap, struct lt_val array, size_t *n);
size_t lt_val_array_len(struct lt_heap *heap, struct lt_val array);
/** Element `i`, null outside. */
struct lt_val lt_val_array_get(struct lt_heap *heap, struct lt_val array, size_t i);
struct lt_val lt_val_array_append(struct lt_heap *heap, struct lt_val array, struct lt_val v);
/** The array with element `i` set; nulls fill the gap. */
struct lt_val lt_val_array_set(struct lt_heap *heap, struct lt_val array, size_t i,
                               struct lt_val v);
/** The array with all of the elements behind its own. */
struct lt_val lt_val_array_extend(struct lt_heap *heap, struct lt_val array,
                                  const struct lt_val *items, size_t n);
/** The elements from ≤ i < to. */
struct lt_val lt_val_array_slice(struct lt_heap *heap, struct lt_val array, size_t from, size_t to);

/* --- objects: members in the order in which their names came ----------------------------- */

struct lt_member {
    struct lt_val name; /**< a PLAIN string */
    struct lt_val value;
};
struct lt_val lt_val_object(struct lt_heap *heap, size_t room);
/** All members, contiguous, in order, a name once (its last value, its first place); valid until
 * the object's next change. */
const struct lt_member *lt_val_members(struct lt_heap *heap, struct lt_val object, size_t *n);
/** As lt_val_members() ordered by name, bytewise by codepoint as jq's `keys`. */
const struct lt_member *lt_val_sorted_members(struct lt_heap *heap, struct lt_val object,
                                              size_t *n);
size_t lt_val_object_len(struct lt_heap *heap, struct lt_val object);
/** False when absent; `*out` is then null. */
bool lt_val_object_get(struct lt_heap *heap, struct lt_val object, struct lt_slice name,
                       struct lt_val *out);
struct lt_val lt_val_object_set(struct lt_heap *heap, struct lt_val object, struct lt_val name,
                                struct lt_val value);
struct lt_val lt_val_object_delete(struct lt_heap *heap, struct lt_val object,
                                   struct lt_slice name);

/* --- over a while ------------------------------------------------------------------------ */

/**
 * Until lt_val_unpin(), the elements (members) that were got of the container stay as they are
 * where they lie, whatever is set in it meanwhile: for whoever evaluates something between two of
 * them. NULL without memory, which needs no unpin.
 */
void *lt_val_pin(struct lt_heap *heap, struct lt_val container);
void lt_val_unpin(void *pin);

/**
 * The value with all that it holds built in the heap, never changed in place: for one that outlives
 * runs with other heaps (literals, `$name`s). What is not frozen must not.
 */
struct lt_val lt_val_freeze(struct lt_heap *heap, struct lt_val v);

/* --- what jq says of two values ----------------------------------------------------------- */

/** jq's order: below 0, 0, above 0. An int64 and a double are compared exactly; NaN is below every
 * number. */
int lt_val_compare(struct lt_heap *heap, struct lt_val a, struct lt_val b);
bool lt_val_equal(struct lt_heap *heap, struct lt_val a, struct lt_val b);
/** In that order; those that compare alike stay in theirs. */
void lt_val_sort(struct lt_heap *heap, struct lt_val *items, size_t n);

/* --- text ------------------------------------------------------------------------------- */

/**
 * Appends compact JSON, as `jq -c` prints it but for numbers: RAW ones keep their spelling, INT all
 * digits, DOUBLE as jq 1.6 prints it (17 significant digits, NaN as null, infinities as the largest
 * double).
 */
void lt_val_write(struct lt_heap *heap, struct lt_buf *out, struct lt_val v);

/** Indentation and order for people. */
struct lt_val_style {
    unsigned indent; /**< spaces a level; 0: compact */
    bool tab;
    bool sort_keys;
    bool ascii;
    bool color;
};
void lt_val_write_styled(struct lt_heap *heap, struct lt_buf *out, struct lt_val v,
                         const struct lt_val_style *style);

/** The value as `tojson` gives it, in the heap: as lt_val_write(), but RAW numbers as jq would
 * print them (1.0 as 1). */
struct lt_slice lt_val_json(struct lt_heap *heap, struct lt_val v);

/** jq's shortened form of a value in error texts: at most 14 bytes, of a longer one 11 and "...".
 * It may be cut within a character: lt_vm_raise() puts U+FFFD there, as jq does. */
const char *lt_val_shortened(struct lt_heap *heap, struct lt_val v, char out[16]);
/** The same for a buffer of another size (jq's "Invalid path expression" has 30). */
const char *lt_val_cut(struct lt_heap *heap, struct lt_val v, char *out, size_t size);

/** Reads one JSON text, which must live as long as the heap's memory, as a value of its own
 * document (in the heap). Errors: as lt_json_parse(). */
LEAT_MUST_CHECK leat_status lt_val_parse(struct lt_heap *heap, struct lt_slice text,
                                         struct lt_val *out, struct leat_error *err);

#endif

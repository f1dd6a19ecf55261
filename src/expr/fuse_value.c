/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Values the slow way: of another type than the site expects, strings with escapes or beyond ASCII,
 * numbers of any spelling, containers that are skipped. Strict as lt_json_parse(). All stops at the
 * record's end, which `end` is; the zeros behind it make looking at one byte safe.
 */
#include "expr/fuse_run.h"

#include "json/scan.h"

static const char *skip_escape(const char *at, const char *end) {
    if (end - at < 2)
        return NULL;
    if (at[1] != 'u')
        return at[1] && strchr("\"\\/bfnrt", at[1]) ? at + 2 : NULL;
    int unit = end - at < 6 ? -1 : lt_json_hex4(at + 2);
    if (unit < 0)
        return NULL;
    if (unit < 0xd800 || unit > 0xdfff)
        return at + 6;
    if (unit > 0xdbff || end - at < 12 || at[6] != '\\' || at[7] != 'u')
        return NULL;
    int low = lt_json_hex4(at + 8);
    return low < 0xdc00 || low > 0xdfff ? NULL : at + 12;
}

const char *lt_fuse_skip_string(const struct lt_fuse_walk *w, const char *at, bool *escapes) {
    const char *end = w->end;

    *escapes = false;
    for (at++;;) {
        at = lt_json_scan_plain(at, end);
        if (at == end || (unsigned char)*at < 0x20)
            return NULL;
        if (*at == '"')
            return at + 1;
        if (*at == '\\') {
            *escapes = true;
            at = skip_escape(at, end);
            if (!at)
                return NULL;
        } else {
            unsigned n = lt_utf8_len(at, end);
            if (!n)
                return NULL;
            at += n;
        }
    }
}

static bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

static const char *skip_digits(const char *at) {
    if (!is_digit(*at))
        return NULL;
    while (is_digit(*at))
        at++;
    return at;
}

/* The zeros behind the record end every number. */
static const char *skip_number(const char *at, bool *whole) {
    at += *at == '-';
    *whole = true;
    at = *at == '0' ? at + 1 : skip_digits(at);
    if (at && *at == '.') {
        *whole = false;
        at = skip_digits(at + 1);
    }
    if (at && (*at | 0x20) == 'e') {
        *whole = false;
        at++;
        at = skip_digits(at + (*at == '+' || *at == '-'));
    }
    return at;
}

static const char *skip_word(const struct lt_fuse_walk *w, const char *at, const char *word) {
    size_t len = strlen(word);
    return (size_t)(w->end - at) >= len && memcmp(at, word, len) == 0 ? at + len : NULL;
}

static const char *skip_scalar(const struct lt_fuse_walk *w, const char *at) {
    bool ignored;

    switch (*at) {
    case '"':
        return lt_fuse_skip_string(w, at, &ignored);
    case 't':
        return skip_word(w, at, "true");
    case 'f':
        return skip_word(w, at, "false");
    case 'n':
        return skip_word(w, at, "null");
    default:
        return skip_number(at, &ignored);
    }
}

static const char *skip_name(const struct lt_fuse_walk *w, const char *at) {
    bool ignored;

    at = lt_json_skip_space(at, w->end);
    at = *at == '"' ? lt_fuse_skip_string(w, at, &ignored) : NULL;
    if (!at)
        return NULL;
    at = lt_json_skip_space(at, w->end);
    return *at == ':' ? at + 1 : NULL;
}

/* A container: a bit a level says whether it is an object. */
static const char *skip_container(const struct lt_fuse_walk *w, const char *at, unsigned depth) {
    uint64_t objects[LT_JSON_DEFAULT_DEPTH / 64] = {0};
    unsigned n = 0; /* levels entered here */
    bool opened = true;

    for (;;) {
        if (opened) { /* at the opening bracket */
            if (depth + n >= LT_JSON_DEFAULT_DEPTH)
                return NULL;
            uint64_t bit = 1ULL << n % 64;
            bool object = *at == '{';
            objects[n / 64] = object ? objects[n / 64] | bit : objects[n / 64] & ~bit;
            n++;
            at = lt_json_skip_space(at + 1, w->end);
        }
        bool object = objects[(n - 1) / 64] >> (n - 1) % 64 & 1;
        if (!opened || *at != (object ? '}' : ']')) {
            if (object && !(at = skip_name(w, at)))
                return NULL;
            at = lt_json_skip_space(at, w->end);
            opened = *at == '{' || *at == '[';
            if (opened)
                continue;
            at = skip_scalar(w, at);
            if (!at)
                return NULL;
            at = lt_json_skip_space(at, w->end);
        }
        while (*at == (object ? '}' : ']')) { /* behind a value */
            at++;
            if (--n == 0)
                return at;
            object = objects[(n - 1) / 64] >> (n - 1) % 64 & 1;
            at = lt_json_skip_space(at, w->end);
        }
        if (*at++ != ',')
            return NULL;
        opened = false;
    }
}

const char *lt_fuse_skip_any(struct lt_fuse_walk *w, const char *at, unsigned depth) {
    return *at == '{' || *at == '[' ? skip_container(w, at, depth) : skip_scalar(w, at);
}

/* For the sums of the column: large numbers are added with care. */
static void set_lanes(struct lt_fuse_walk *w, unsigned column, int64_t value) {
    for (unsigned a = 0; a < w->plan->n_aggregates; a++)
        if (w->plan->aggregates[a].column == column &&
            w->plan->aggregates[a].lane != LT_FUSE_NO_LANE)
            w->lanes[w->plan->aggregates[a].lane] = value;
    if (value > LT_FUSE_QUICK_INT || value < -LT_FUSE_QUICK_INT)
        w->irregular |= LT_FUSE_IRREGULAR;
}

static const char *read_number(struct lt_fuse_walk *w, const char *at, unsigned column) {
    struct lt_fuse_cell *cell = &w->cells[column];
    bool whole;
    const char *behind = skip_number(at, &whole);
    if (!behind)
        return NULL;
    bool negative = *at == '-';
    size_t digits = (size_t)(behind - at) - negative;

    w->class[column] = LT_FUSE_NUMBER;
    if (whole && digits <= 18 && !(negative && at[1] == '0')) {
        int64_t value = 0;
        for (const char *d = at + negative; d < behind; d++)
            value = value * 10 + (*d - '0');
        cell->i = negative ? -value : value;
        w->class[column] = LT_FUSE_INT;
        if (column >= LT_FUSE_ROOT_COLUMNS)
            set_lanes(w, column, cell->i);
    }
    return behind;
}

const char *lt_fuse_read_any(struct lt_fuse_walk *w, const char *at, unsigned column,
                             unsigned depth) {
    struct lt_fuse_cell *cell = &w->cells[column];
    const char *behind;
    bool escapes;

    switch (*at) {
    case '"':
        behind = lt_fuse_skip_string(w, at, &escapes);
        if (!behind)
            return NULL;
        w->class[column] = escapes ? LT_FUSE_ESCAPED : LT_FUSE_STRING;
        cell->at = at + 1;
        cell->len = (uint32_t)(behind - at - 2);
        lt_fuse_refine(w, column);
        return behind;
    case '{':
    case '[':
        w->class[column] = *at == '{' ? LT_FUSE_OBJECT : LT_FUSE_ARRAY;
        behind = skip_container(w, at, depth);
        break;
    case 't':
    case 'f':
    case 'n':
        w->class[column] = *at == 't' ? LT_FUSE_TRUE : *at == 'f' ? LT_FUSE_FALSE : LT_FUSE_NULL;
        behind = skip_scalar(w, at);
        break;
    default:
        behind = read_number(w, at, column);
        break;
    }
    cell->at = at;
    cell->len = behind ? (uint32_t)(behind - at) : 0;
    if (behind)
        lt_fuse_refine(w, column);
    return behind;
}

/* Compares exactly: `d` is a whole number below 2^53 or has a fraction. */
static int compare_int(int64_t i, double d) {
    if (d >= 9223372036854775808.0)
        return -1;
    if (d < -9223372036854775808.0)
        return 1;
    int64_t whole = (int64_t)d; /* towards zero */
    if (i != whole)
        return i < whole ? -1 : 1;
    double rest = d - (double)whole;
    return rest > 0 ? -1 : rest < 0;
}

static unsigned find_interval(const struct lt_fuse_column *c, bool is_int, int64_t i, double d) {
    unsigned k = 0;

    for (; k < c->n_numbers; k++) {
        double bound = c->numbers[k];
        int order = is_int ? compare_int(i, bound) : (d > bound) - (d < bound);
        if (order <= 0)
            return 2 * k + (order == 0);
    }
    return 2 * k;
}

void lt_fuse_refine(struct lt_fuse_walk *w, unsigned column) {
    const struct lt_fuse_column *c = &w->plan->columns[column];
    const struct lt_fuse_cell *cell = &w->cells[column];
    unsigned class = w->class[column];

    if (class == LT_FUSE_STRING) {
        for (unsigned i = 0; i < c->n_texts; i++)
            if (c->texts[i].len == cell->len && memcmp(c->texts[i].data, cell->at, cell->len) == 0)
                w->class[column] = (uint8_t)(LT_FUSE_N_TYPES + i);
    } else if ((class == LT_FUSE_INT || class == LT_FUSE_NUMBER) && c->n_numbers) {
        unsigned first = LT_FUSE_N_TYPES + c->n_texts;
        double d = 0;
        if (class == LT_FUSE_NUMBER) {
            struct lt_json raw = {LT_JSON_NUMBER, {cell->at, cell->len}};
            if (!lt_json_double(raw, &d))
                w->deopt = true;
            first += 2U * c->n_numbers + 1;
        }
        w->class[column] = (uint8_t)(first + find_interval(c, class == LT_FUSE_INT, cell->i, d));
    }
}

/* What a column's class adds to the place of its row's entry. */
static unsigned place_of(const struct lt_fuse_plan *plan, unsigned column, unsigned class) {
    if (column < LT_FUSE_ROOT_COLUMNS)
        return 0;
    const struct lt_fuse_table *table =
        &plan->sources[(column - LT_FUSE_ROOT_COLUMNS) / LT_FUSE_ELEMENT_COLUMNS].table;
    for (unsigned k = 0; k < table->n_columns; k++)
        if (table->columns[k] == column)
            return table->places[k][class];
    return 0;
}

unsigned lt_fuse_place(const struct lt_fuse_walk *w, unsigned column) {
    return place_of(w->plan, column, w->class[column]);
}

/* The lanes that take an INT of the column; false when there are more than a site has. */
static bool find_lanes(struct lt_fuse_walk *w, struct lt_fuse_site *site) {
    const struct lt_fuse_plan *plan = w->plan;
    unsigned n = 0;

    site->lanes[0] = site->lanes[1] = &w->lanes[LT_FUSE_MAX_LANES];
    for (unsigned a = 0; site->column != LT_FUSE_ONE && a < plan->n_aggregates; a++) {
        const struct lt_fuse_aggregate *agg = &plan->aggregates[a];
        if (agg->kind != LT_FUSE_SUM || agg->column != site->column || agg->lane == LT_FUSE_NO_LANE)
            continue;
        if (n == LT_FUSE_SITE_LANES)
            return false;
        site->lanes[n++] = &w->lanes[agg->lane];
    }
    return true;
}

void lt_fuse_place_site(struct lt_fuse_walk *w, struct lt_fuse_site *site) {
    const struct lt_fuse_plan *plan = w->plan;
    const struct lt_fuse_column *column = &plan->columns[site->column];
    bool exact = column->n_texts || column->n_numbers;

    if (site->kind == LT_FUSE_SITE_STRING && exact)
        site->kind = LT_FUSE_SITE_EXACT_STRING;
    if (site->kind == LT_FUSE_SITE_INT && (exact || !find_lanes(w, site)))
        site->kind = LT_FUSE_SITE_ANY;
    site->cell = &w->cells[site->column];
    site->class = &w->class[site->column];
    for (unsigned i = 0; i < site->n_marks; i++)
        site->marks_place[i] = (uint16_t)place_of(plan, site->marks[i][0], site->marks[i][1]);
    for (unsigned class = LT_FUSE_NULL; class <= LT_FUSE_TRUE; class ++)
        site->places[class] = (uint16_t)place_of(plan, site->column, class);
    if (site->kind == LT_FUSE_SITE_EXACT_STRING && column->n_texts == 1 &&
        column->texts[0].len - 1 < 8) {
        site->kind = LT_FUSE_SITE_ONE_STRING;
        site->text_len = (uint8_t)column->texts[0].len;
        memcpy(&site->text, column->texts[0].data, site->text_len);
        site->places[0] = (uint16_t)place_of(plan, site->column, LT_FUSE_STRING);
        site->places[1] = (uint16_t)place_of(plan, site->column, LT_FUSE_N_TYPES);
    }
    site->place = (uint16_t)place_of(plan, site->column,
                                     site->kind == LT_FUSE_SITE_INT ? LT_FUSE_INT : LT_FUSE_STRING);
    site->quick = site->ends ? &w->quick[site->ends - 1] : NULL;
    site->is_long = site->n_compared > 32;
    site->flags = (uint8_t)((site->ends ? LT_FUSE_ENDS : 0) | (site->begins ? LT_FUSE_BEGINS : 0) |
                            (site->n_marks ? LT_FUSE_MARKS : 0));
}

const char *lt_fuse_reread(struct lt_fuse_walk *w, const struct lt_fuse_site *site) {
    if (site->kind == LT_FUSE_SITE_SKIP_NUMBER || site->kind == LT_FUSE_SITE_FIXED_SKIP_NUMBER)
        return lt_fuse_skip_any(w, w->start, site->depth);
    if (site->kind != LT_FUSE_SITE_INT && site->kind != LT_FUSE_SITE_FIXED_INT)
        return NULL;
    w->place -= lt_fuse_place(w, site->column);
    const char *at = lt_fuse_read_any(w, w->start, site->column, site->depth);
    w->place += lt_fuse_place(w, site->column);
    return at;
}

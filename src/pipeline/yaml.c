/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libfyaml's events become a tree in the caller's arena. The tree is built on a stack of open
 * collections, without recursion; each finished collection is an array. An anchor names a node, and
 * an alias is that node, shared: the tree is never larger than the file. libfyaml is opened when
 * it is first used, and never prints.
 */
#include "pipeline/yaml.h"

#include "base/dylib.h"

#include <libfyaml.h>
#include <pthread.h>
#include <stdlib.h>

static struct {
    typeof(fy_diag_cfg_default) *diag_cfg_default;
    typeof(fy_diag_create) *diag_create;
    typeof(fy_diag_destroy) *diag_destroy;
    typeof(fy_diag_set_collect_errors) *diag_set_collect_errors;
    typeof(fy_diag_errors_iterate) *diag_errors_iterate;
    typeof(fy_parser_create) *parser_create;
    typeof(fy_parser_destroy) *parser_destroy;
    typeof(fy_parser_set_string) *parser_set_string;
    typeof(fy_parser_parse) *parser_parse;
    typeof(fy_parser_event_free) *parser_event_free;
    typeof(fy_parser_get_stream_error) *parser_get_stream_error;
    typeof(fy_event_start_mark) *event_start_mark;
    typeof(fy_event_end_mark) *event_end_mark;
    typeof(fy_token_get_text) *token_get_text;
    typeof(fy_token_scalar_style) *token_scalar_style;
} fy;

static const struct lt_dylib_symbol symbols[] = {
    {"fy_diag_cfg_default", &fy.diag_cfg_default},
    {"fy_diag_create", &fy.diag_create},
    {"fy_diag_destroy", &fy.diag_destroy},
    {"fy_diag_set_collect_errors", &fy.diag_set_collect_errors},
    {"fy_diag_errors_iterate", &fy.diag_errors_iterate},
    {"fy_parser_create", &fy.parser_create},
    {"fy_parser_destroy", &fy.parser_destroy},
    {"fy_parser_set_string", &fy.parser_set_string},
    {"fy_parser_parse", &fy.parser_parse},
    {"fy_parser_event_free", &fy.parser_event_free},
    {"fy_parser_get_stream_error", &fy.parser_get_stream_error},
    {"fy_event_start_mark", &fy.event_start_mark},
    {"fy_event_end_mark", &fy.event_end_mark},
    {"fy_token_get_text", &fy.token_get_text},
    {"fy_token_scalar_style", &fy.token_scalar_style},
};

static struct leat_error load_error;
static leat_status load_status;

static void load(void) {
    load_status = lt_dylib_open("libfyaml.so.0", "libfyaml0", symbols,
                                sizeof(symbols) / sizeof(symbols[0]), &load_error);
}

/* What is inside an open collection so far. For a mapping, keys and values take turns. */
struct level {
    struct lt_yaml_node *node;
    struct lt_yaml_node **children;
    size_t n, cap;
};

struct anchor {
    struct lt_slice name;
    struct lt_yaml_node *node;
    struct anchor *next;
};

struct builder {
    struct lt_yaml_source *source;
    struct lt_arena *arena;
    lt_yaml_problem *problem;
    void *ctx;
    struct leat_error *err;
    struct level levels[LT_YAML_MAX_DEPTH];
    size_t depth;
    struct lt_yaml_node *root;
    struct anchor *anchors; /* the latest first: a name may be used again */
    size_t n_nodes, n_anchors;
    size_t last; /* end of what was read last: the place of what has none of its own */
    unsigned n_documents;
};

static leat_status fail_at(struct builder *b, size_t offset, const char *text) {
    unsigned line, column;

    lt_yaml_place(b->source, offset, &line, &column);
    lt_fail(b->err, LEAT_E_CONFIG, 0, "%s", text);
    if (b->err) {
        b->err->line = line;
        b->err->column = column;
    }
    return LEAT_E_CONFIG;
}

static leat_status fail_memory(struct builder *b) {
    return lt_fail(b->err, LEAT_E_NOMEM, 0, "no memory for the values of the file");
}

static struct lt_slice token_text(struct fy_token *token) {
    size_t len = 0;
    const char *text = token ? fy.token_get_text(token, &len) : NULL;
    return text ? lt_slice(text, len) : lt_slice("", 0);
}

static void tell_tag(struct builder *b, const struct lt_yaml_node *node) {
    const char *text =
        lt_arena_printf(b->arena, "tag '%.*s' is not known; expected none, or !!str",
                        node->tag.len < 100 ? (int)node->tag.len : 100, node->tag.data);
    b->problem(b->ctx, node->offset, text ? text : "unknown tag");
}

static struct lt_yaml_node *new_node(struct builder *b, enum lt_yaml_type type,
                                     struct fy_event *event, struct fy_token *tag) {
    struct lt_yaml_node *node = lt_arena_calloc(b->arena, 1, sizeof(*node));
    const struct fy_mark *start = fy.event_start_mark(event);
    const struct fy_mark *end = fy.event_end_mark(event);

    if (!node)
        return NULL;
    node->type = type;
    node->offset = start ? start->input_pos : b->last;
    node->end = end ? end->input_pos : node->offset;
    node->tag = lt_arena_dup(b->arena, token_text(tag));
    if (node->tag.len && !lt_slice_starts(node->tag, LT_LIT("tag:yaml.org,2002:")))
        tell_tag(b, node);
    return node->tag.data ? node : NULL;
}

/* Grows by doubling; what is outgrown stays in the arena, at most as much again. */
static bool add_child(struct lt_arena *arena, struct level *level, struct lt_yaml_node *node) {
    if (level->n == level->cap) {
        size_t cap = level->cap ? level->cap * 2 : 8;
        struct lt_yaml_node **children = lt_arena_calloc(arena, cap, sizeof(*children));
        if (!children)
            return false;
        if (level->n)
            memcpy(children, level->children, level->n * sizeof(*children));
        level->children = children;
        level->cap = cap;
    }
    level->children[level->n++] = node;
    return true;
}

static leat_status add(struct builder *b, struct lt_yaml_node *node) {
    if (!b->depth) {
        b->root = node;
        return LEAT_OK;
    }
    return add_child(b->arena, &b->levels[b->depth - 1], node) ? LEAT_OK : fail_memory(b);
}

static leat_status set_anchor(struct builder *b, struct fy_token *token,
                              struct lt_yaml_node *node) {
    if (!token)
        return LEAT_OK;
    if (++b->n_anchors > LT_YAML_MAX_ANCHORS)
        return fail_at(b, node->offset, "too many anchors; at most 1,000 are read");
    struct anchor *anchor = lt_arena_calloc(b->arena, 1, sizeof(*anchor));
    if (!anchor)
        return fail_memory(b);
    *anchor = (struct anchor){lt_arena_dup(b->arena, token_text(token)), node, b->anchors};
    b->anchors = anchor;
    return anchor->name.data ? LEAT_OK : fail_memory(b);
}

static leat_status add_alias(struct builder *b, struct fy_event *event) {
    struct lt_slice name = token_text(event->alias.anchor);
    struct anchor *anchor = b->anchors;
    size_t place = b->last - (b->last > 0); /* libfyaml's mark stands after the '*' */

    while (anchor && !lt_slice_eq(anchor->name, name))
        anchor = anchor->next;
    for (size_t i = 0; anchor && i < b->depth; i++)
        if (b->levels[i].node == anchor->node)
            return fail_at(b, place, "this alias stands inside the value that it names");
    if (!anchor) {
        const char *text =
            lt_arena_printf(b->arena, "no anchor '&%.*s' stands before this alias", LT_FMT(name));
        return fail_at(b, place, text ? text : "unknown anchor");
    }
    return add(b, anchor->node);
}

static leat_status add_scalar(struct builder *b, struct fy_event *event) {
    static const enum lt_yaml_style styles[FYSS_MAX] = {
        [FYSS_PLAIN] = LT_YAML_PLAIN,
        [FYSS_SINGLE_QUOTED] = LT_YAML_SINGLE_QUOTED,
        [FYSS_DOUBLE_QUOTED] = LT_YAML_DOUBLE_QUOTED,
        [FYSS_LITERAL] = LT_YAML_LITERAL,
        [FYSS_FOLDED] = LT_YAML_FOLDED,
    };
    struct lt_yaml_node *node = new_node(b, LT_YAML_SCALAR, event, event->scalar.tag);
    enum fy_scalar_style style = fy.token_scalar_style(event->scalar.value);

    if (!node)
        return fail_memory(b);
    node->style = style >= 0 && style < FYSS_MAX ? styles[style] : LT_YAML_PLAIN;
    node->text = lt_arena_dup(b->arena, token_text(event->scalar.value));
    if (!node->text.data)
        return fail_memory(b);
    node->absent = node->style == LT_YAML_PLAIN && !node->text.len && !node->tag.len;
    /* libfyaml's marks of a quoted scalar stand inside the quotes. */
    if (node->style == LT_YAML_SINGLE_QUOTED || node->style == LT_YAML_DOUBLE_QUOTED) {
        node->offset -= node->offset > 0;
        node->end += node->end < b->source->text.len;
    }
    if (node->absent && b->depth && b->levels[b->depth - 1].n)
        node->offset = node->end =
            b->levels[b->depth - 1].children[b->levels[b->depth - 1].n - 1]->offset;
    leat_status status = set_anchor(b, event->scalar.anchor, node);
    return status == LEAT_OK ? add(b, node) : status;
}

static leat_status open_collection(struct builder *b, enum lt_yaml_type type,
                                   struct fy_event *event, struct fy_token *tag,
                                   struct fy_token *anchor) {
    struct lt_yaml_node *node = new_node(b, type, event, tag);

    if (!node)
        return fail_memory(b);
    if (b->depth == LT_YAML_MAX_DEPTH)
        return fail_at(b, node->offset, "nested too deep; at most 60 levels are read");
    leat_status status = set_anchor(b, anchor, node);
    if (status == LEAT_OK)
        status = add(b, node);
    b->levels[b->depth++] = (struct level){.node = node};
    return status;
}

/* A pair of a mapping being finished. `rank` is its place: its own first, then what is merged. */
struct ranked {
    struct lt_yaml_pair pair;
    size_t rank;
};

struct ranked_list {
    struct ranked *list;
    size_t n, cap;
};

static int by_key(const void *a, const void *b) {
    const struct ranked *x = a, *y = b;
    int c = lt_slice_cmp(x->pair.key->text, y->pair.key->text);
    return c ? c : (x->rank > y->rank) - (x->rank < y->rank);
}

static int by_rank(const void *a, const void *b) {
    const struct ranked *x = a, *y = b;
    return (x->rank > y->rank) - (x->rank < y->rank);
}

static bool is_merge(const struct lt_yaml_node *key) {
    return key->type == LT_YAML_SCALAR && key->style == LT_YAML_PLAIN &&
           lt_slice_eq_str(key->text, "<<");
}

static bool push(struct ranked_list *list, struct lt_yaml_pair pair) {
    if (list->n == list->cap) {
        size_t cap = list->cap ? list->cap * 2 : 16;
        struct ranked *grown = realloc(list->list, cap * sizeof(*grown));
        if (!grown)
            return false;
        list->list = grown;
        list->cap = cap;
    }
    list->list[list->n] = (struct ranked){pair, list->n};
    list->n++;
    return true;
}

/* Takes in the pairs of what `<<` names. Merged pairs count as values, or merges of merges could
 * grow with the square of the file. */
static leat_status merge(struct builder *b, struct ranked_list *list, struct lt_yaml_node *from) {
    if (from->type != LT_YAML_MAPPING) {
        b->problem(b->ctx, from->offset,
                   "'<<' merges a mapping or a list of mappings, not something else");
        return LEAT_OK;
    }
    b->n_nodes += from->n;
    if (b->n_nodes > LT_YAML_MAX_NODES)
        return fail_at(b, from->offset, "too many values; at most 100,000 are read");
    for (size_t i = 0; i < from->n; i++)
        if (!push(list, from->pairs[i]))
            return fail_memory(b);
    return LEAT_OK;
}

static leat_status gather(struct builder *b, struct level *level, struct ranked_list *list,
                          size_t *n_own) {
    leat_status status = LEAT_OK;

    for (size_t i = 0; i + 1 < level->n; i += 2) {
        struct lt_yaml_node *key = level->children[i];
        if (key->type != LT_YAML_SCALAR)
            b->problem(b->ctx, key->offset, "a key must be a plain word or a text in quotes");
        else if (!is_merge(key) && !push(list, (struct lt_yaml_pair){key, level->children[i + 1]}))
            return fail_memory(b);
    }
    *n_own = list->n;
    for (size_t i = 0; i + 1 < level->n && status == LEAT_OK; i += 2) {
        struct lt_yaml_node *from = level->children[i + 1];
        if (level->children[i]->type != LT_YAML_SCALAR || !is_merge(level->children[i]))
            continue;
        if (from->type != LT_YAML_SEQUENCE)
            status = merge(b, list, from);
        for (size_t k = 0; from->type == LT_YAML_SEQUENCE && k < from->n && status == LEAT_OK; k++)
            status = merge(b, list, from->items[k]);
    }
    return status;
}

static void tell_duplicate(struct builder *b, const struct lt_yaml_node *again,
                           const struct lt_yaml_node *first) {
    unsigned line, column;

    lt_yaml_place(b->source, first->offset, &line, &column);
    const char *text = lt_arena_printf(b->arena, "key '%.*s' stands here again; it is at line %u",
                                       LT_FMT(again->text), line);
    b->problem(b->ctx, again->offset, text ? text : "key stands here again");
}

/* The first of a key stays: an own key goes before a merged one, an earlier merge before a later.
 */
static leat_status close_mapping(struct builder *b, struct level *level) {
    struct ranked_list list = {0};
    size_t n_own = 0, n = 0;
    leat_status status = gather(b, level, &list, &n_own);

    if (status != LEAT_OK)
        goto done;
    if (list.n)
        qsort(list.list, list.n, sizeof(*list.list), by_key);
    for (size_t i = 0; i < list.n; i++) {
        struct ranked *last = n ? &list.list[n - 1] : NULL;
        if (!last || !lt_slice_eq(last->pair.key->text, list.list[i].pair.key->text))
            list.list[n++] = list.list[i];
        else if (list.list[i].rank < n_own)
            tell_duplicate(b, list.list[i].pair.key, last->pair.key);
    }
    if (n)
        qsort(list.list, n, sizeof(*list.list), by_rank);
    level->node->pairs = lt_arena_calloc(b->arena, n, sizeof(struct lt_yaml_pair));
    level->node->n = n;
    if (!level->node->pairs)
        status = fail_memory(b);
    for (size_t i = 0; i < n && status == LEAT_OK; i++)
        level->node->pairs[i] = list.list[i].pair;
done:
    free(list.list);
    return status;
}

/* True when the collection starts with a bracket of its own. */
static bool opens_flow(const struct builder *b, const struct lt_yaml_node *node) {
    const struct lt_slice text = b->source->text;
    return node->offset < text.len &&
           (text.data[node->offset] == '{' || text.data[node->offset] == '[');
}

/* A flow collection ends after its bracket; a block one has no end of its own. */
static leat_status close_collection(struct builder *b, struct fy_event *event) {
    struct level *level = b->depth ? &b->levels[b->depth - 1] : NULL;
    struct lt_yaml_node *node = level ? level->node : NULL;
    const struct fy_mark *end = fy.event_end_mark(event);

    if (!node)
        return fail_at(b, b->last, "this is not YAML");
    b->depth--;
    node->end = end && opens_flow(b, node) ? end->input_pos : node->offset;
    if (node->type == LT_YAML_MAPPING)
        return close_mapping(b, level);
    node->items = level->children;
    node->n = level->n;
    return LEAT_OK;
}

static leat_status handle(struct builder *b, struct fy_event *event) {
    const struct fy_mark *start = fy.event_start_mark(event);

    if (start)
        b->last = start->input_pos;
    if (event->type == FYET_SCALAR || event->type == FYET_ALIAS ||
        event->type == FYET_MAPPING_START || event->type == FYET_SEQUENCE_START)
        b->n_nodes++;
    if (b->n_nodes > LT_YAML_MAX_NODES)
        return fail_at(b, b->last, "too many values; at most 100,000 are read");
    switch (event->type) {
    case FYET_DOCUMENT_START:
        if (b->n_documents++)
            return fail_at(b, b->last, "a second document starts here; expected one in a file");
        return LEAT_OK;
    case FYET_SCALAR:
        return add_scalar(b, event);
    case FYET_ALIAS:
        return add_alias(b, event);
    case FYET_MAPPING_START:
        return open_collection(b, LT_YAML_MAPPING, event, event->mapping_start.tag,
                               event->mapping_start.anchor);
    case FYET_SEQUENCE_START:
        return open_collection(b, LT_YAML_SEQUENCE, event, event->sequence_start.tag,
                               event->sequence_start.anchor);
    case FYET_MAPPING_END:
    case FYET_SEQUENCE_END:
        return close_collection(b, event);
    default:
        return LEAT_OK;
    }
}

/* What libfyaml found, and the bracket that is still open, which is where the slip mostly is. */
static leat_status syntax_error(struct builder *b, struct fy_diag *diag) {
    void *at = NULL;
    const struct fy_diag_error *found = fy.diag_errors_iterate(diag, &at);
    const struct lt_yaml_node *open = b->depth ? b->levels[b->depth - 1].node : NULL;
    unsigned line = 0, column = 0;

    if (!found)
        return fail_at(b, b->last, "this is not YAML");
    lt_fail(b->err, LEAT_E_CONFIG, 0, "%s", found->msg);
    if (open && opens_flow(b, open)) {
        lt_yaml_place(b->source, open->offset, &line, &column);
        lt_fail(b->err, LEAT_E_CONFIG, 0, "%s; '%c' at line %u, column %u is open", found->msg,
                b->source->text.data[open->offset], line, column);
    }
    if (b->err) {
        b->err->line = found->line > 0 ? (unsigned)found->line : 1;
        b->err->column = found->column > 0 ? (unsigned)found->column : 1;
    }
    return LEAT_E_CONFIG;
}

static void drop_output(struct fy_diag *diag, void *user, const char *text, size_t len) {
    (void)diag, (void)user, (void)text, (void)len;
}

static leat_status build(struct builder *b, struct fy_parser *parser, struct fy_diag *diag) {
    leat_status status = LEAT_OK;
    struct fy_event *event;

    while (status == LEAT_OK && (event = fy.parser_parse(parser)) != NULL) {
        bool end = event->type == FYET_STREAM_END;
        status = handle(b, event);
        fy.parser_event_free(parser, event);
        if (end && status == LEAT_OK && !fy.parser_get_stream_error(parser))
            return LEAT_OK;
    }
    return status == LEAT_OK ? syntax_error(b, diag) : status;
}

leat_status lt_yaml_parse(struct lt_yaml_source *source, struct lt_yaml_node **out,
                          struct lt_slice file, struct lt_arena *arena, lt_yaml_problem *problem,
                          void *ctx, struct leat_error *err) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    struct fy_diag_cfg diag_cfg;
    struct fy_diag *diag = NULL;
    struct fy_parser *parser = NULL;
    struct builder b = {.source = source, .arena = arena, .problem = problem, .ctx = ctx};

    *out = NULL;
    b.err = err;
    leat_status status = lt_yaml_source_init(source, file, arena, err);
    if (status != LEAT_OK)
        return status;
    pthread_once(&once, load);
    if (load_status != LEAT_OK) {
        if (err)
            *err = load_error;
        return load_status;
    }
    if (!source->text.len)
        return LEAT_OK;
    fy.diag_cfg_default(&diag_cfg);
    diag_cfg.fp = NULL;
    diag_cfg.output_fn = drop_output;
    diag_cfg.colorize = false;
    diag = fy.diag_create(&diag_cfg);
    struct fy_parse_cfg cfg = {
        .flags = FYPCF_QUIET | FYPCF_COLLECT_DIAG | FYPCF_DEFAULT_VERSION_1_2,
        .diag = diag,
    };
    parser = diag ? fy.parser_create(&cfg) : NULL;
    if (!parser || fy.parser_set_string(parser, source->text.data, source->text.len) != 0) {
        status = lt_fail(err, LEAT_E_NOMEM, 0, "no memory for the YAML parser");
        goto done;
    }
    fy.diag_set_collect_errors(diag, true);
    status = build(&b, parser, diag);
    if (status == LEAT_OK)
        *out = b.root;
done:
    if (parser)
        fy.parser_destroy(parser);
    if (diag)
        fy.diag_destroy(diag);
    return status;
}

struct lt_yaml_node *lt_yaml_get(const struct lt_yaml_node *mapping, const char *key) {
    for (size_t i = 0; mapping->type == LT_YAML_MAPPING && i < mapping->n; i++)
        if (lt_slice_eq_str(mapping->pairs[i].key->text, key))
            return mapping->pairs[i].value;
    return NULL;
}

const char *lt_yaml_kind(const struct lt_yaml_node *node) {
    if (node->type == LT_YAML_MAPPING)
        return "a mapping";
    if (node->type == LT_YAML_SEQUENCE)
        return "a list";
    return node->absent ? "nothing" : node->style == LT_YAML_PLAIN ? "a word" : "a text";
}

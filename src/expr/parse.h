/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LT_EXPR_PARSE_H
#define LT_EXPR_PARSE_H

#include "expr/token.h"
#include "expr/tree.h"

/*
 * From text to syntax: the same nodes as in tree.h, but names are not resolved. A VAR, BREAK, LABEL
 * and CALL has its name in `text`; a CALL stands for all that is called by name; a definition is a
 * node of its own; `slot` is the height of the node, `plan` what is known of a constant; `op` of a
 * COMMA says that it is an inner one of a longer list.
 */

/** `def …; a`: def is a struct lt_syntax_def. Only between the parser and the checker. */
#define LT_SYNTAX_DEF ((enum lt_node_kind)(LT_NODE_ASSIGN + 1))

/** How deep a text may nest, and how tall its tree may be (`1+1+1+…` nests nothing). */
enum { LT_SYNTAX_MAX_DEPTH = 1000, LT_SYNTAX_MAX_HEIGHT = 2000 };

/** What jq 1.6 knows of an expression when it compiles: it folds some, and refuses by that. */
struct lt_syntax_constant {
    enum lt_syntax_constant_kind {
        LT_CONSTANT_NULL,
        LT_CONSTANT_BOOLEAN,
        LT_CONSTANT_NUMBER,
        LT_CONSTANT_STRING,
        LT_CONSTANT_ARRAY,
        LT_CONSTANT_OBJECT,
        LT_CONSTANT_LIST,    /**< constants with commas between */
        LT_CONSTANT_NOTHING, /**< no constant: `.`, which jq leaves out of a pipe */
    } kind;
    double number;
};

struct lt_syntax_pattern {
    struct lt_pattern pattern; /**< first */
    struct lt_slice name;      /**< VAR */
    struct lt_slice *names;    /**< OBJECT: of members that bind */
    size_t offset;
};

struct lt_scope;
struct lt_syntax_def {
    struct lt_def def; /**< first */
    struct lt_slice *params;
    size_t offset;

    /* the checker's */
    const struct lt_scope *scope; /**< what its body sees but for its parameters */
    const struct lt_expr_text *text;
    unsigned depth; /**< of its frame: 0 is the program's own */
    bool queued;
    struct lt_syntax_def *next;            /**< among those called */
    struct lt_syntax_def *next_in_prelude; /**< among those of the prelude */
    struct lt_syntax_call *calls;
    unsigned mark;
};

/** Which definitions a body calls. */
struct lt_syntax_call {
    struct lt_syntax_def *def;
    struct lt_syntax_call *next;
};

struct lt_parser {
    struct lt_slice text;
    struct lt_token token; /**< not yet taken */
    size_t last_end;       /**< byte behind the last one taken */
    struct lt_arena *arena;
    struct leat_error *err;
    leat_status status;
    size_t at; /**< of the fault */
    unsigned depth;
    const struct lt_parser_bracket *open;
    bool bare; /**< the program is definitions alone */
};

/** A bracket that is open. */
struct lt_parser_bracket {
    const struct lt_parser_bracket *outer;
    size_t offset;
    char closer;
};

/**
 * Parses a whole program, or one that is definitions alone (jq's meaning is `.` then). On failure
 * `p->status` and `p->at` say what and where, and NULL is returned; `err` is filled in.
 */
struct lt_node *lt_parse_program(struct lt_parser *p, struct lt_slice text, struct lt_arena *arena,
                                 struct leat_error *err);

/** As lt_parse_program() for one expression: nothing is too little. */
struct lt_node *lt_parse_body(struct lt_parser *p, struct lt_slice text, struct lt_arena *arena,
                              struct leat_error *err);

/** The name and parameters of a definition as they stand behind `def`. NULL on failure. */
struct lt_syntax_def *lt_parse_def_name(struct lt_parser *p, struct lt_slice name,
                                        struct lt_arena *arena, struct leat_error *err);

/** Whether a text is short enough and has no NUL. */
LEAT_MUST_CHECK leat_status lt_tree_check_size(const struct lt_expr_text *text,
                                               struct leat_error *err);

/* --- among the files of the parser: each returns NULL after a failure ---------------------- */

/** Levels of precedence, from the loosest. */
enum {
    LT_LEVEL_PIPE = 1,
    LT_LEVEL_COMMA,
    LT_LEVEL_ALTERNATIVE,
    LT_LEVEL_ASSIGN,
    LT_LEVEL_OR,
    LT_LEVEL_AND,
    LT_LEVEL_COMPARE,
    LT_LEVEL_ADD,
    LT_LEVEL_MULTIPLY,
    LT_LEVEL_OPTIONAL, /* ? */
    LT_LEVEL_TRY,
    LT_LEVEL_CATCH,
};

/** One with an operand on each side. */
struct lt_operator {
    int token;
    int level;
    enum { LT_ASSOC_LEFT, LT_ASSOC_RIGHT, LT_ASSOC_NONE } assoc;
    enum lt_node_kind kind;
    enum lt_op op;
};
/** NULL for other nodes. */
const struct lt_operator *lt_parser_operator(enum lt_node_kind kind, unsigned op);

/** An expression whose operators bind as `level` or tighter. */
struct lt_node *lt_parse_expression(struct lt_parser *p, int level);
struct lt_node *lt_parse_term(struct lt_parser *p);
/** A string, which may have an `@name` before it. */
struct lt_node *lt_parse_string(struct lt_parser *p);
struct lt_node *lt_parse_object(struct lt_parser *p);
/** `if`, `reduce`, `foreach`, `try`, `label` at their keyword. */
struct lt_node *lt_parse_construct(struct lt_parser *p);
/** `def … : … ;` */
struct lt_syntax_def *lt_parse_def(struct lt_parser *p);
/** PATTERN ?// PATTERN … into the node. */
bool lt_parse_patterns(struct lt_parser *p, struct lt_node *node);

void lt_parser_advance(struct lt_parser *p);
void lt_parser_fail(struct lt_parser *p, size_t at, const char *fmt, ...) LEAT_PRINTF(3, 4);
/** The token cannot stand here. `expected` in words; `keywords` (may be NULL) are looked through
 * for one that is meant. */
void lt_parser_unexpected(struct lt_parser *p, const char *expected, const char *const *keywords);
/** Takes a token of that kind, or fails. */
bool lt_parser_expect(struct lt_parser *p, int kind, const char *expected);
/** A bracket begins at byte `at`. */
bool lt_parser_open(struct lt_parser *p, size_t at, char closer);
/** Takes the end of the last bracket, or fails. */
bool lt_parser_close(struct lt_parser *p, const char *expected);
bool lt_parser_enter(struct lt_parser *p);
/** There is no memory; gives NULL. */
void *lt_parser_nomem(struct lt_parser *p);
void *lt_parser_alloc(struct lt_parser *p, size_t n, size_t size);

struct lt_node *lt_parser_node(struct lt_parser *p, enum lt_node_kind kind, size_t offset);
/** Sets the node's end and height. */
struct lt_node *lt_parser_finish(struct lt_parser *p, struct lt_node *node);
struct lt_node *lt_parser_literal(struct lt_parser *p, size_t offset, struct lt_slice json,
                                  enum lt_syntax_constant_kind kind, double number);
struct lt_node *lt_parser_string(struct lt_parser *p, size_t offset, struct lt_slice bytes);

/** Nodes that become many. */
struct lt_node_list {
    struct lt_node **items;
    size_t n, cap;
};
/** False when `node` is NULL, as after a failure. */
bool lt_parser_add(struct lt_parser *p, struct lt_node_list *list, struct lt_node *node);
/** As lt_parser_add(), but NULL is added too. */
bool lt_parser_add_any(struct lt_parser *p, struct lt_node_list *list, struct lt_node *node);
/** All of the list with `|` between. */
struct lt_node *lt_parser_pipe(struct lt_parser *p, const struct lt_node_list *list);

/** NULL when jq does not know the value while it compiles. */
static inline const struct lt_syntax_constant *lt_syntax_constant(const struct lt_node *node) {
    const struct lt_syntax_constant *c = node->plan;
    return c && c->kind != LT_CONSTANT_NOTHING ? c : NULL;
}
/** Marks as constant what jq would fold. `a` and `b` are the operands. */
void lt_parser_fold(struct lt_parser *p, struct lt_node *node);
/** Whether jq refuses this as a key while it compiles; says so then. */
bool lt_parser_check_key(struct lt_parser *p, const struct lt_node *key, size_t offset);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LT_EXPR_TOKEN_H
#define LT_EXPR_TOKEN_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/error.h"

/*
 * The words of a jq text, by the rules of jq 1.6's own scanner, its odd ones included: `.e3` is a
 * malformed number, `a::b` is one name, and a carriage return is no space.
 */

/** Signs of one byte are their own kind. */
enum lt_token_kind {
    LT_TOKEN_END = 0,
    LT_TOKEN_BAD = 256, /**< no token begins like this */
    LT_TOKEN_NAME,      /**< an identifier that is no keyword; text */
    LT_TOKEN_FIELD,     /**< .name; text: the name */
    LT_TOKEN_NUMBER,    /**< text: as written */
    LT_TOKEN_FORMAT,    /**< @name; text: the name */
    LT_TOKEN_QUOTE,     /**< the string behind it is read with lt_token_string() */
    LT_TOKEN_RECURSE,   /**< .. */
    LT_TOKEN_EQ,
    LT_TOKEN_NE,
    LT_TOKEN_LE,
    LT_TOKEN_GE,
    LT_TOKEN_ALTERNATIVE, /**< the sign of two strokes */
    LT_TOKEN_PATTERN_OR,  /**< the same behind a question mark */
    LT_TOKEN_UPDATE,      /**< |= */
    LT_TOKEN_ADD_UPDATE,  /**< += */
    LT_TOKEN_SUB_UPDATE,  /**< -= */
    LT_TOKEN_MUL_UPDATE,  /**< *= */
    LT_TOKEN_DIV_UPDATE,  /**< /= */
    LT_TOKEN_MOD_UPDATE,  /**< %= */
    LT_TOKEN_ALTERNATIVE_UPDATE /**< two strokes and = */,
    LT_TOKEN_KEYWORD, /**< the first keyword; the others follow in the order of lt_token_keywords */
    LT_TOKEN_AND = LT_TOKEN_KEYWORD,
    LT_TOKEN_AS,
    LT_TOKEN_BREAK,
    LT_TOKEN_CATCH,
    LT_TOKEN_DEF,
    LT_TOKEN_ELIF,
    LT_TOKEN_ELSE,
    LT_TOKEN_ENDIF,
    LT_TOKEN_FOREACH,
    LT_TOKEN_IF,
    LT_TOKEN_IMPORT,
    LT_TOKEN_INCLUDE,
    LT_TOKEN_LABEL,
    LT_TOKEN_LOC,
    LT_TOKEN_MODULE,
    LT_TOKEN_OR,
    LT_TOKEN_REDUCE,
    LT_TOKEN_THEN,
    LT_TOKEN_TRY,
};

/** Their spelling, by kind minus LT_TOKEN_KEYWORD; NULL at the end. */
extern const char *const lt_token_keywords[];

struct lt_token {
    int kind;             /**< enum lt_token_kind, or a byte */
    size_t offset, end;   /**< bytes of the text */
    struct lt_slice text; /**< see the kinds; else the token itself */
};

/** The token at or behind byte `at`, white space and comments skipped. */
struct lt_token lt_token_next(struct lt_slice text, size_t at);

/** How a sign of several bytes is spelled, NULL for other kinds. */
const char *lt_token_sign(int kind);

static inline bool lt_token_is_keyword(struct lt_token token) {
    return token.kind >= LT_TOKEN_KEYWORD;
}

/** A number as JSON spells it (`.5` is 0.5, `007.` is 7): false when it is none (`1.2.3`). */
bool lt_token_number(struct lt_slice written, struct lt_buf *json);

/** What ends a piece of a string. */
enum lt_token_stop {
    LT_TOKEN_STRING_END,    /**< its quote */
    LT_TOKEN_STRING_INSERT, /**< "\(" */
    LT_TOKEN_STRING_OPEN,   /**< nothing: the text ended */
    LT_TOKEN_STRING_BAD,    /**< a fault at `*at`, said in `*why` */
};

/** Reads a string's own text from byte `*at` up to what ends it, unescaped into `out`; `*at` is
 * then behind that. */
enum lt_token_stop lt_token_string(struct lt_slice text, size_t *at, struct lt_buf *out,
                                   const char **why);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* The nearest word for "did you mean": edits counted as optimal string alignment does (insert,
 * delete, change, or swap two neighbours), without case, over words up to 64 bytes. */
#include "base/units.h"

#include <ctype.h>

enum { MAX_WORD = 64 };

static int lower(char c) {
    return tolower((unsigned char)c);
}

static size_t least(size_t a, size_t b) {
    return a < b ? a : b;
}

static size_t edits(struct lt_slice a, struct lt_slice b) {
    size_t rows[3][MAX_WORD + 1]; /* the row being filled and the two before it, in turn */

    for (size_t j = 0; j <= b.len; j++)
        rows[0][j] = j;
    for (size_t i = 1; i <= a.len; i++) {
        size_t *row = rows[i % 3];
        const size_t *above = rows[(i - 1) % 3];
        row[0] = i;
        for (size_t j = 1; j <= b.len; j++) {
            bool same = lower(a.data[i - 1]) == lower(b.data[j - 1]);
            row[j] = least(above[j - 1] + !same, least(above[j], row[j - 1]) + 1);
            if (i > 1 && j > 1 && lower(a.data[i - 1]) == lower(b.data[j - 2]) &&
                lower(a.data[i - 2]) == lower(b.data[j - 1]))
                row[j] = least(row[j], rows[(i - 2) % 3][j - 2] + 1);
        }
    }
    return rows[a.len % 3][b.len];
}

const char *lt_nearest(struct lt_slice word, const char *const *candidates) {
    const char *best = NULL;
    size_t allowed = (word.len + 1) / 3;

    if (word.len == 0 || word.len > MAX_WORD)
        return NULL;
    for (; *candidates; candidates++) {
        struct lt_slice candidate = lt_slice_str(*candidates);
        if (candidate.len > MAX_WORD || candidate.len > word.len + allowed ||
            word.len > candidate.len + allowed)
            continue;
        size_t n = edits(word, candidate);
        if (n > allowed)
            continue;
        best = *candidates;
        if (n == 0)
            break;
        allowed = n - 1;
    }
    return best;
}

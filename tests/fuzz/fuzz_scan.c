/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Each scanner of this machine beside the portable one: the same tokens or a fault, at every
 * alignment, at the begin of a page and at the end of one. The grammar over the tokens of each
 * says what the validator says.
 */
#include "../unit/json/guarded.h"

#include "json/scanner.h"

enum { DEPTH = 64, MAX_LEN = 1 << 16, MAX_LEN_EVERYWHERE = 4096, ALIGNMENTS = 64 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void must(bool holds) {
    if (!holds)
        abort();
}

static void check_scan(struct lt_slice text, const struct lt_json_tape *wanted,
                       leat_status status) {
    static struct lt_json_tape tape;

    must(lt_json_tape_scan(&tape, text, NULL) == status);
    if (status != LEAT_OK)
        return;
    must(tape.n == wanted->n && tape.flags == wanted->flags);
    must(memcmp(tape.at, wanted->at, (tape.n + 1) * sizeof(*tape.at)) == 0);
}

static void check_parse(struct lt_slice text) {
    static struct lt_json_tape tape;
    struct leat_error err, wanted;
    struct lt_json value, again;
    leat_status status = lt_json_validate(&value, text, DEPTH, &wanted);

    must(lt_json_tape_parse(&tape, text, DEPTH, &err) == status);
    must(lt_json_parse(&again, text, DEPTH, NULL) == status && again.raw.data == value.raw.data &&
         again.raw.len == value.raw.len);
    if (status != LEAT_OK)
        must(strcmp(err.text, wanted.text) == 0);
    else
        must(lt_json_tape_value(&tape, 0).raw.data == value.raw.data &&
             lt_json_tape_value(&tape, 0).raw.len == value.raw.len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len) {
    static struct guarded memory;
    static struct lt_json_tape wanted; /* of the portable scanner */
    struct lt_slice text = lt_slice(data, len);

    if (len > MAX_LEN)
        return 0;
    if (!memory.start)
        memory = guarded_new(MAX_LEN + ALIGNMENTS);
    must(lt_json_scanner_use("portable"));
    struct lt_slice copy = guarded_at_end(memory, text);
    leat_status status = lt_json_tape_scan(&wanted, copy, NULL);
    must(status == LEAT_OK || status == LEAT_E_PARSE);
    check_parse(copy);
    for (size_t i = 1; i < N_SCANNER_NAMES; i++) {
        if (!lt_json_scanner_use(scanner_names[i]))
            continue;
        copy = guarded_at_end(memory, text);
        check_scan(copy, &wanted, status);
        check_parse(copy);
        for (size_t offset = 0; offset < (len > MAX_LEN_EVERYWHERE ? 1 : ALIGNMENTS); offset++)
            check_scan(guarded_at_start(memory, text, offset), &wanted, status);
    }
    return 0;
}

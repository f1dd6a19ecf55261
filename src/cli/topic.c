/* SPDX-License-Identifier: Apache-2.0 */
/* `leat help TOPIC`: pages that belong to no command. */
#include "cli/file.h"

#include "pipeline/config.h"

static const struct {
    const char *name;
    void (*write)(struct lt_buf *out);
} topics[] = {
    {"file", lt_config_write_reference},
    {"schema", lt_config_write_schema},
};

bool lt_help_topic(FILE *out, const char *name) {
    for (size_t i = 0; i < sizeof(topics) / sizeof(topics[0]); i++) {
        struct lt_buf text;
        if (strcmp(name, topics[i].name) != 0)
            continue;
        lt_buf_init(&text, 1 << 20);
        topics[i].write(&text);
        fprintf(out, "%.*s%s", LT_FMT(lt_buf_slice(&text)),
                text.len && text.data[text.len - 1] == '\n' ? "" : "\n");
        lt_buf_deinit(&text);
        return true;
    }
    return false;
}

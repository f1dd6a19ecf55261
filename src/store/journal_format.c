/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads and writes the fixed parts of the journal's files. Nothing here looks
 * at a file or keeps a state; each `put` writes exactly the bytes that its
 * LT_…_BYTES names, with its sum, and each `get` says whether they are whole.
 */
#include "store/journal_format.h"

#include "base/hash.h"

#include <endian.h>

#define SEGMENT_MAGIC "leatjrnl"
#define INDEX_MAGIC "leatjidx"
#define MARKS_MAGIC "leatmark"
/* No NUL and no letter of JSON: a torn or foreign text does not start like one. */
static const char header_magic[4] = {(char)LT_GROUP_FIRST_BYTE, 'L', 'G', '\x1f'};
static const char trailer_magic[4] = {(char)LT_GROUP_FIRST_BYTE, 'L', 'T', '\x1e'};

static void put32(char *to, uint32_t value) {
    value = htole32(value);
    memcpy(to, &value, sizeof(value));
}

static void put64(char *to, uint64_t value) {
    value = htole64(value);
    memcpy(to, &value, sizeof(value));
}

static uint32_t get32(const char *from) {
    uint32_t value;
    memcpy(&value, from, sizeof(value));
    return le32toh(value);
}

static uint64_t get64(const char *from) {
    uint64_t value;
    memcpy(&value, from, sizeof(value));
    return le64toh(value);
}

/* Head of a file: 8 bytes of magic, the version, … and in its last 4 bytes the sum. */
static enum lt_format_check check_head(const char *from, size_t len, const char *magic) {
    if (memcmp(from, magic, 8) != 0 || lt_crc32c(0, from, len - 4) != get32(from + len - 4))
        return LT_FORMAT_DAMAGED;
    return get32(from + 8) == LT_JOURNAL_VERSION ? LT_FORMAT_OK : LT_FORMAT_NEWER;
}

static void start_head(char *to, size_t len, const char *magic) {
    memset(to, 0, len);
    memcpy(to, magic, 8);
    put32(to + 8, LT_JOURNAL_VERSION);
}

static void finish_head(char *to, size_t len) {
    put32(to + len - 4, lt_crc32c(0, to, len - 4));
}

void lt_segment_header_put(char *to, const struct lt_segment_header *header) {
    start_head(to, LT_SEGMENT_HEADER_BYTES, SEGMENT_MAGIC);
    put64(to + 16, header->number);
    put64(to + 24, header->covers);
    put64(to + 32, header->salt);
    put64(to + 40, (uint64_t)header->created_ms);
    finish_head(to, LT_SEGMENT_HEADER_BYTES);
}

enum lt_format_check lt_segment_header_get(const char *from, struct lt_segment_header *header) {
    header->number = get64(from + 16);
    header->covers = get64(from + 24);
    header->salt = get64(from + 32);
    header->created_ms = (int64_t)get64(from + 40);
    return check_head(from, LT_SEGMENT_HEADER_BYTES, SEGMENT_MAGIC);
}

void lt_group_header_put(char *to, const struct lt_group_header *header) {
    memcpy(to, header_magic, 4);
    put64(to + 8, header->salt);
    put64(to + 16, header->offset);
    put64(to + 24, header->number);
    put64(to + 32, header->len);
    put32(to + 40, header->n_records);
    put32(to + 44, 0);
    put32(to + 4, lt_crc32c(0, to + 8, LT_GROUP_HEADER_BYTES - 8));
}

bool lt_group_header_get(const char *from, struct lt_group_header *header) {
    header->salt = get64(from + 8);
    header->offset = get64(from + 16);
    header->number = get64(from + 24);
    header->len = get64(from + 32);
    header->n_records = get32(from + 40);
    return memcmp(from, header_magic, 4) == 0 &&
           get32(from + 4) == lt_crc32c(0, from + 8, LT_GROUP_HEADER_BYTES - 8) &&
           header->len >= LT_GROUP_HEADER_BYTES + LT_GROUP_TRAILER_BYTES;
}

void lt_group_trailer_put(char *to, const struct lt_group_header *header) {
    memcpy(to, trailer_magic, 4);
    put64(to + 8, header->salt);
    put64(to + 16, header->offset);
    put64(to + 24, header->number);
    put32(to + 4, lt_crc32c(0, to + 8, LT_GROUP_TRAILER_BYTES - 8));
}

bool lt_group_trailer_get(const char *from, struct lt_group_header *header) {
    memset(header, 0, sizeof(*header));
    header->salt = get64(from + 8);
    header->offset = get64(from + 16);
    header->number = get64(from + 24);
    return memcmp(from, trailer_magic, 4) == 0 &&
           get32(from + 4) == lt_crc32c(0, from + 8, LT_GROUP_TRAILER_BYTES - 8);
}

void lt_record_header_put(char *to, const struct lt_record_header *header) {
    put32(to + 4, header->payload_crc);
    put32(to + 8, header->data_len);
    put32(to + 12, header->key_len);
    put32(to + 16, header->hash_len);
    put32(to + 20, 0);
    put64(to + 24, header->shard);
    put64(to + 32, header->seq);
    put64(to + 40, (uint64_t)header->time_ms);
    put32(to, lt_crc32c(0, to + 4, LT_RECORD_HEADER_BYTES - 4));
}

bool lt_record_header_get(const char *from, struct lt_record_header *header) {
    header->payload_crc = get32(from + 4);
    header->data_len = get32(from + 8);
    header->key_len = get32(from + 12);
    header->hash_len = get32(from + 16);
    header->shard = get64(from + 24);
    header->seq = get64(from + 32);
    header->time_ms = (int64_t)get64(from + 40);
    return get32(from) == lt_crc32c(0, from + 4, LT_RECORD_HEADER_BYTES - 4) &&
           header->key_len <= LT_RECORD_KEY_MAX_BYTES &&
           header->hash_len <= LT_RECORD_HASH_MAX_BYTES && header->data_len <= LT_RECORD_MAX_BYTES;
}

void lt_run_put(char *to, const struct lt_run *run) {
    put64(to, run->seq);
    put64(to + 8, (uint64_t)run->time_ms);
    put64(to + 16, run->offset);
    put32(to + 24, run->len);
    put32(to + 28, run->n_records);
}

void lt_run_get(const char *from, struct lt_run *run) {
    run->seq = get64(from);
    run->time_ms = (int64_t)get64(from + 8);
    run->offset = get64(from + 16);
    run->len = get32(from + 24);
    run->n_records = get32(from + 28);
}

void lt_index_row_put(char *to, const struct lt_index_row *row) {
    put64(to, row->shard);
    put64(to + 8, row->first);
    put64(to + 16, row->last);
    put64(to + 24, (uint64_t)row->first_time_ms);
    put64(to + 32, (uint64_t)row->last_time_ms);
    put64(to + 40, row->n_bytes);
    put64(to + 48, row->run);
    put32(to + 56, row->n_runs);
    put32(to + 60, row->crc);
}

void lt_index_row_get(const char *from, struct lt_index_row *row) {
    row->shard = get64(from);
    row->first = get64(from + 8);
    row->last = get64(from + 16);
    row->first_time_ms = (int64_t)get64(from + 24);
    row->last_time_ms = (int64_t)get64(from + 32);
    row->n_bytes = get64(from + 40);
    row->run = get64(from + 48);
    row->n_runs = get32(from + 56);
    row->crc = get32(from + 60);
}

void lt_index_header_put(char *to, const struct lt_index_header *header) {
    start_head(to, LT_INDEX_HEADER_BYTES, INDEX_MAGIC);
    put32(to + 12, header->n_rows);
    put64(to + 16, header->number);
    put64(to + 24, header->salt);
    put64(to + 32, header->log_len);
    put64(to + 40, header->n_runs);
    put32(to + 48, header->n_groups);
    put32(to + 52, header->rows_crc);
    finish_head(to, LT_INDEX_HEADER_BYTES);
}

enum lt_format_check lt_index_header_get(const char *from, struct lt_index_header *header) {
    header->n_rows = get32(from + 12);
    header->number = get64(from + 16);
    header->salt = get64(from + 24);
    header->log_len = get64(from + 32);
    header->n_runs = get64(from + 40);
    header->n_groups = get32(from + 48);
    header->rows_crc = get32(from + 52);
    return check_head(from, LT_INDEX_HEADER_BYTES, INDEX_MAGIC);
}

void lt_mark_put(char *to, const struct lt_mark *mark) {
    put64(to, mark->shard);
    put64(to + 8, mark->first);
    put64(to + 16, mark->forgotten);
}

void lt_mark_get(const char *from, struct lt_mark *mark) {
    mark->shard = get64(from);
    mark->first = get64(from + 8);
    mark->forgotten = get64(from + 16) != 0;
}

void lt_marks_header_put(char *to, uint64_t n_marks, uint32_t rows_crc) {
    start_head(to, LT_MARKS_HEADER_BYTES, MARKS_MAGIC);
    put64(to + 12, n_marks);
    put32(to + 20, rows_crc);
    finish_head(to, LT_MARKS_HEADER_BYTES);
}

enum lt_format_check lt_marks_header_get(const char *from, uint64_t *n_marks, uint32_t *rows_crc) {
    *n_marks = get64(from + 12);
    *rows_crc = get32(from + 20);
    return check_head(from, LT_MARKS_HEADER_BYTES, MARKS_MAGIC);
}

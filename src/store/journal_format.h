/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LT_STORE_JOURNAL_FORMAT_H
#define LT_STORE_JOURNAL_FORMAT_H

#include "base/slice.h"

/*
 * The journal's bytes on disk; all numbers little-endian, all sums CRC-32C.
 *
 *   NNNNNNNNNNNN.log   segment header | group | group | … | zeros (preallocated room)
 *   group              header | records, those of a shard together | trailer
 *   record             header | key | explicit hash key | data
 *   NNNNNNNNNNNN.idx   header | one row a shard, by shard | runs, by shard and sequence number
 *   marks              header | one row a shard: the oldest sequence number in view
 *
 * A group is one write and one sync; the next group is written only after that
 * sync, so a valid group proves all before it. The segment's random salt and the
 * group's own offset stand in its header and trailer: no stored payload looks like one.
 */
enum {
    LT_SEGMENT_HEADER_BYTES = 64,
    LT_GROUP_HEADER_BYTES = 48,
    LT_GROUP_TRAILER_BYTES = 32,
    LT_RECORD_HEADER_BYTES = 48,
    LT_INDEX_HEADER_BYTES = 64,
    LT_INDEX_ROW_BYTES = 64,
    LT_INDEX_RUN_BYTES = 32,
    LT_MARKS_HEADER_BYTES = 32,
    LT_MARK_BYTES = 24,
    LT_JOURNAL_VERSION = 1,
    LT_RECORD_MAX_BYTES = 64 << 20, /* key, hash and data */
    LT_RECORD_KEY_MAX_BYTES = 64 << 10,
    LT_RECORD_HASH_MAX_BYTES = 1 << 10,
    LT_RUN_BYTES = 64 << 10 /* a run is closed when it reaches this */
};

/** What is wrong with the head of a file. */
enum lt_format_check { LT_FORMAT_OK, LT_FORMAT_DAMAGED, LT_FORMAT_NEWER };

struct lt_segment_header {
    uint64_t number;
    uint64_t covers; /**< this file holds what is left of segments number..covers */
    uint64_t salt;
    int64_t created_ms;
};
void lt_segment_header_put(char *to, const struct lt_segment_header *header);
enum lt_format_check lt_segment_header_get(const char *from, struct lt_segment_header *header);

struct lt_group_header {
    uint64_t salt;   /**< the segment's */
    uint64_t offset; /**< where the group starts in the file */
    uint64_t number; /**< 0, 1, 2 … in the segment */
    uint64_t len;    /**< from the header to the trailer's end */
    uint32_t n_records;
};
void lt_group_header_put(char *to, const struct lt_group_header *header);
bool lt_group_header_get(const char *from, struct lt_group_header *header);

/** The trailer repeats salt, offset and number: its presence shows that the group's end was
 * written. */
void lt_group_trailer_put(char *to, const struct lt_group_header *header);
bool lt_group_trailer_get(const char *from, struct lt_group_header *header);

/** The first byte of every group header and of every trailer, to look for them. */
enum { LT_GROUP_FIRST_BYTE = 0xf1 };

struct lt_record_header {
    uint32_t payload_crc;
    uint32_t data_len;
    uint32_t key_len;
    uint32_t hash_len;
    uint64_t shard;
    uint64_t seq;
    int64_t time_ms;
};
void lt_record_header_put(char *to, const struct lt_record_header *header);
/** False when its sum does not match or a length is over its limit. */
bool lt_record_header_get(const char *from, struct lt_record_header *header);

static inline uint32_t lt_record_payload_len(const struct lt_record_header *header) {
    return header->key_len + header->hash_len + header->data_len;
}

/** Records of a shard that lie together in a group. */
struct lt_run {
    uint64_t seq;    /**< of the first record */
    int64_t time_ms; /**< of the first record */
    uint64_t offset; /**< of the first record's header in the file */
    uint32_t len;
    uint32_t n_records;
};
void lt_run_put(char *to, const struct lt_run *run);
void lt_run_get(const char *from, struct lt_run *run);

/** Keys and data of a run (explicit hash keys counted). */
static inline uint64_t lt_run_payload(const struct lt_run *run) {
    return run->len - (uint64_t)run->n_records * LT_RECORD_HEADER_BYTES;
}

/** What a segment holds of a shard: always without a gap. */
struct lt_index_row {
    uint64_t shard;
    uint64_t first; /**< sequence numbers, both held */
    uint64_t last;
    int64_t first_time_ms;
    int64_t last_time_ms;
    uint64_t n_bytes; /**< payload */
    uint64_t run;     /**< index of its first run */
    uint32_t n_runs;
    uint32_t crc; /**< of its runs as they lie in the file */
};
void lt_index_row_put(char *to, const struct lt_index_row *row);
void lt_index_row_get(const char *from, struct lt_index_row *row);

struct lt_index_header {
    uint64_t number;
    uint64_t salt;
    uint64_t log_len; /**< the segment's groups end here, and all of them were synced */
    uint64_t n_runs;
    uint32_t n_rows;
    uint32_t n_groups;
    uint32_t rows_crc;
};
void lt_index_header_put(char *to, const struct lt_index_header *header);
enum lt_format_check lt_index_header_get(const char *from, struct lt_index_header *header);

struct lt_mark {
    uint64_t shard;
    uint64_t first; /**< oldest sequence number in view */
    bool forgotten;
};
void lt_mark_put(char *to, const struct lt_mark *mark);
void lt_mark_get(const char *from, struct lt_mark *mark);
void lt_marks_header_put(char *to, uint64_t n_marks, uint32_t rows_crc);
enum lt_format_check lt_marks_header_get(const char *from, uint64_t *n_marks, uint32_t *rows_crc);

#endif

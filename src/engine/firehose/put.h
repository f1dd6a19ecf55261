/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LT_ENGINE_FIREHOSE_PUT_H
#define LT_ENGINE_FIREHOSE_PUT_H

#include "engine/firehose/firehose.h"

/* What PutRecord and PutRecordBatch share. */

/** {"Data": …}, with its limit of 1,024,000 bytes. */
extern const struct lt_shape lt_firehose_record_shape;

/** The decoded data of a record that fits the shape; `data` NULL: no memory. */
struct lt_slice lt_firehose_record_data(struct lt_json record, struct lt_arena *arena);

typedef char lt_firehose_record_id[LT_SEQUENCE_DIGITS + 1];

#endif

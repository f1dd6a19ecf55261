/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LT_ENGINE_FIREHOSE_DESTINATION_H
#define LT_ENGINE_FIREHOSE_DESTINATION_H

#include "engine/firehose/firehose.h"

/* S3DestinationConfiguration and ExtendedS3DestinationConfiguration: what they say, and how it is
 * shown again. */

extern const struct lt_shape lt_firehose_s3_shape;
extern const struct lt_shape lt_firehose_extended_s3_shape;

/**
 * Reads a configuration (its shape is checked) into `config`. What leat does not do is refused by
 * name, never passed over.
 *
 * Errors: LEAT_E_INVALID, InvalidArgumentException naming the member.
 */
LEAT_MUST_CHECK leat_status lt_firehose_read_destination(struct lt_json destination, bool extended,
                                                         struct lt_delivery_config *config,
                                                         struct lt_arena *arena,
                                                         struct leat_error *err);

/** Writes the two descriptions of it as members of the object that `w` is in. */
void lt_firehose_write_destination(struct lt_json_writer *w, struct lt_json destination,
                                   const struct lt_delivery_config *config);

#endif

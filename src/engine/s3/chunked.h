/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LT_ENGINE_S3_CHUNKED_H
#define LT_ENGINE_S3_CHUNKED_H

#include "base/buf.h"
#include "http/server.h"

/*
 * The "aws-chunked" coding of a body: SIZE[;chunk-signature=…] CRLF data CRLF, a chunk of
 * size 0, then trailers (checksums) and an empty line. It stands inside of whatever
 * HTTP does to the body. Signatures of chunks are read over.
 */
struct lt_s3_chunked {
    enum {
        LT_S3_CHUNK_SIZE,
        LT_S3_CHUNK_DATA,
        LT_S3_CHUNK_CR,
        LT_S3_CHUNK_LF,
        LT_S3_CHUNK_TRAILER,
        LT_S3_CHUNK_DONE
    } state;
    uint64_t left; /**< of this chunk's data */
    uint64_t n_bytes;
    struct lt_buf line;
    struct lt_buf trailers; /**< whole lines */
};

void lt_s3_chunked_init(struct lt_s3_chunked *chunked);
void lt_s3_chunked_deinit(struct lt_s3_chunked *chunked);

/** Decodes the next bytes and gives data to `part`. 0; EPROTO when it is malformed; or what `part`
 * returned. */
int lt_s3_chunked_feed(struct lt_s3_chunked *chunked, struct lt_slice bytes,
                       lt_http_body_part *part, void *ctx);

/** Whether all of the body was there. */
bool lt_s3_chunked_is_whole(const struct lt_s3_chunked *chunked);

/** A trailer's value; `data` NULL when absent. */
struct lt_slice lt_s3_chunked_trailer(const struct lt_s3_chunked *chunked, const char *name);

#endif

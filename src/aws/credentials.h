/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LT_AWS_CREDENTIALS_H
#define LT_AWS_CREDENTIALS_H

#include "base/arena.h"
#include "base/error.h"

/** What requests are signed with. The strings live in the arena that they were loaded into. */
struct lt_aws_credentials {
    const char *access_key_id;
    const char *secret_access_key;
    const char *session_token; /**< or NULL */
    const char *source; /**< where they came from, for people: "environment", "profile default" */
    /** Without keys: what is configured and cannot be used, as a sentence for people; or NULL. */
    const char *problem;
};

/** Everything said about AWS outside the command line: from the environment
 * and the shared files (AWS_CONFIG_FILE, AWS_SHARED_CREDENTIALS_FILE, AWS_PROFILE). */
struct lt_aws_config {
    struct lt_aws_credentials credentials; /**< all NULL when there are none */
    const char *region;       /**< AWS_REGION, AWS_DEFAULT_REGION, the profile's, or NULL */
    const char *endpoint_url; /**< AWS_ENDPOINT_URL, the profile's `endpoint_url`, or NULL */
    const char *endpoint_url_kinesis; /**< AWS_ENDPOINT_URL_KINESIS, …, or NULL */
    const char *endpoint_url_firehose;
    const char *endpoint_url_s3;
};

/**
 * Loads it, in the order of the AWS command line. `profile` (may be NULL) goes before AWS_PROFILE,
 * and before keys in the environment. A file that is not there is no error. Credentials that leat
 * cannot get (roles, SSO, processes) are no error here, for nobody may need them: `problem` says
 * so. Errors: LEAT_E_CONFIG with file and line for a file that cannot be read as it should, or a
 *         profile that was named and does not exist. No text ever holds a secret.
 */
LEAT_MUST_CHECK leat_status lt_aws_config_load(struct lt_aws_config *out, const char *profile,
                                               struct lt_arena *arena, struct leat_error *err);

#endif

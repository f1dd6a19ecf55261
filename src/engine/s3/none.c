/* SPDX-License-Identifier: Apache-2.0 */
/* Until S3's operations are here, each of its requests is answered 501, and says so. */
#include "engine/s3/s3.h"

#include <stdlib.h>

struct lt_s3_service {
    char unused;
};

leat_status lt_s3_service_new(struct lt_s3_service **out, const struct lt_s3_options *opt,
                              struct leat_error *err) {
    (void)opt;
    *out = calloc(1, sizeof(**out));
    return *out ? LEAT_OK : lt_fail(err, LEAT_E_NOMEM, 0, "no memory for S3");
}

void lt_s3_service_free(struct lt_s3_service *service) {
    free(service);
}

void lt_s3_on_headers(struct lt_s3_service *service, struct lt_http_request *request) {
    (void)service;
    (void)request;
}

void lt_s3_on_request(struct lt_s3_service *service, struct lt_http_request *request) {
    (void)service;
    lt_http_respond(request, 501, NULL, LT_LIT("S3 is not served yet\n"));
}

void lt_s3_on_abort(struct lt_s3_service *service, struct lt_http_request *request) {
    (void)service;
    (void)request;
}

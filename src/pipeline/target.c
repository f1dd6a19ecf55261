/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which service is where. The embedded engine is opened when the first thing of it is asked for: in
 * this process when its folder is free, else over the private socket of the process that has it,
 * and in this process again when that one ends.
 */
#include "pipeline/target.h"

#include "object/s3.h"
#include "pipeline/takeover.h"
#include "store/claim.h"
#include "store/folder.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { ARENA_MAX_BYTES = 1 << 20, N_OPEN_ATTEMPTS = 20, OPEN_WAIT_US = 100000 };

enum service { KINESIS, FIREHOSE, S3, N_SERVICES };

static const char *const service_names[N_SERVICES] = {"kinesis", "firehose", "s3"};

struct lt_target {
    struct lt_arena arena;
    struct lt_aws_config aws;
    const char *data_dir;
    const char *description;
    struct lt_aws_endpoint remote[N_SERVICES]; /* url NULL: embedded */
    struct lt_aws_endpoint engine_endpoint;    /* url NULL: not opened yet */
    char socket_path[64];
    bool looks;
    char scratch[64];                /* "": the data folder is the engine's */
    struct lt_engine *engine;        /* in this process, or NULL */
    struct lt_takeover *takeover;    /* while another process has it */
    struct lt_object_store *objects; /* own: over S3's protocol */
    struct lt_state *state;          /* own: when the engine is not in this process */
};

static leat_status no_memory(struct leat_error *err) {
    return lt_fail(err, LEAT_E_NOMEM, 0, "no memory to open the services");
}

static const char *aws_url(struct lt_target *target, enum service service) {
    return lt_arena_printf(&target->arena, "https://%s.%s.amazonaws.com", service_names[service],
                           target->aws.region);
}

static leat_status choose(struct lt_target *target, const struct lt_target_options *opt,
                          enum service service, const char *own_url, struct leat_error *err) {
    const char *url = opt->endpoint_url ? opt->endpoint_url
                      : own_url         ? own_url
                                        : target->aws.endpoint_url;
    if (!url && !opt->aws)
        return LEAT_OK;
    if (!url && !target->aws.region)
        return lt_fail(err, LEAT_E_INVALID, 0,
                       "no region: set --region, AWS_REGION, or `region` in the AWS config file");
    if (!url)
        url = aws_url(target, service);
    if (!url)
        return no_memory(err);
    target->remote[service] = (struct lt_aws_endpoint){
        .url = url,
        .region = target->aws.region ? target->aws.region : "us-east-1",
        .credentials = target->aws.credentials,
    };
    return lt_aws_endpoint_check(&target->remote[service], err);
}

static const char *describe(struct lt_target *target) {
    const struct lt_aws_endpoint *streams = &target->remote[KINESIS];
    if (!streams->url)
        return lt_arena_printf(&target->arena, "the embedded engine in %s", target->data_dir);
    return lt_arena_printf(&target->arena, "%s (region %s)", streams->url, streams->region);
}

leat_status lt_target_open(struct lt_target **out, const struct lt_target_options *opt,
                           struct leat_error *err) {
    leat_status status;
    const char *from_env = getenv("LEAT_DATA");
    struct lt_target *target = calloc(1, sizeof(*target));

    *out = NULL;
    if (!target)
        return no_memory(err);
    target->looks = opt->looks;
    lt_arena_init(&target->arena, ARENA_MAX_BYTES);
    status = lt_aws_config_load(&target->aws, opt->profile, &target->arena, err);
    if (status != LEAT_OK)
        goto fail;
    if (opt->region)
        target->aws.region = opt->region;
    const char *dir = opt->data_dir           ? opt->data_dir
                      : from_env && *from_env ? from_env
                                              : "./leat-data";
    target->data_dir = lt_arena_str(&target->arena, lt_slice_str(dir));
    const char *own_urls[N_SERVICES] = {target->aws.endpoint_url_kinesis,
                                        target->aws.endpoint_url_firehose,
                                        target->aws.endpoint_url_s3};
    for (enum service s = KINESIS; s < N_SERVICES && status == LEAT_OK; s++)
        status = choose(target, opt, s, own_urls[s], err);
    if (status != LEAT_OK)
        goto fail;
    target->description = target->data_dir ? describe(target) : NULL;
    if (!target->description) {
        status = no_memory(err);
        goto fail;
    }
    *out = target;
    return LEAT_OK;

fail:
    lt_target_close(target, false);
    return status;
}

void lt_target_close(struct lt_target *target, bool flush) {
    if (!target)
        return;
    if (target->objects)
        target->objects->ops->close(target->objects);
    lt_state_close(target->state);
    lt_engine_close(target->engine, flush);
    lt_takeover_stop(target->takeover, flush);
    if (*target->scratch)
        lt_folder_remove(target->scratch);
    lt_arena_deinit(&target->arena);
    free(target);
}

/* Who only looks sees an empty folder where there is none. */
static leat_status find_folder(struct lt_target *target, struct leat_error *err) {
    if (!target->looks || access(target->data_dir, F_OK) == 0 || errno != ENOENT)
        return LEAT_OK;
    leat_status status = lt_folder_scratch(target->scratch, err);
    if (status == LEAT_OK)
        target->data_dir = target->scratch;
    else
        *target->scratch = '\0';
    return status;
}

/* The holder may end, or a new one appear, between two looks: look again. */
static leat_status open_engine(struct lt_target *target, struct leat_error *err) {
    if (target->engine_endpoint.url)
        return LEAT_OK;
    leat_status status = find_folder(target, err);
    if (status != LEAT_OK)
        return status;
    const struct lt_engine_options opt = {.data_dir = target->data_dir, .passing = true};
    for (int attempt = 0; attempt < N_OPEN_ATTEMPTS; attempt++) {
        status = lt_engine_open(&target->engine, &opt, err);
        if (status != LEAT_E_BUSY)
            break;
        status = lt_folder_peer(target->data_dir, target->socket_path, err);
        if (status != LEAT_E_NOT_FOUND)
            break;
        status = LEAT_E_BUSY;
        usleep(OPEN_WAIT_US);
    }
    if (status == LEAT_OK && target->engine)
        status = lt_folder_peer(target->data_dir, target->socket_path, err);
    else if (status == LEAT_OK)
        status = lt_takeover_start(&target->takeover, target->data_dir, err);
    if (status != LEAT_OK)
        return status;
    target->engine_endpoint = (struct lt_aws_endpoint){
        .url = "http://localhost",
        .unix_socket = target->socket_path,
        .region = "us-east-1",
        .credentials = {.access_key_id = "leat", .secret_access_key = "leat"},
    };
    return LEAT_OK;
}

leat_status lt_target_streams(struct lt_target *target, uv_loop_t *loop,
                              struct lt_stream_service **out, struct leat_error *err) {
    *out = NULL;
    if (target->remote[KINESIS].url)
        return lt_stream_kinesis_new(out, loop, &target->remote[KINESIS], err);
    leat_status status = open_engine(target, err);
    if (status != LEAT_OK)
        return status;
    if (target->engine)
        return lt_stream_engine_new(out, loop, target->engine, err);
    return lt_stream_kinesis_new(out, loop, &target->engine_endpoint, err);
}

leat_status lt_target_objects(struct lt_target *target, struct lt_object_store **out,
                              struct leat_error *err) {
    *out = NULL;
    if (!target->remote[S3].url) {
        leat_status status = open_engine(target, err);
        if (status != LEAT_OK)
            return status;
        if (target->engine) {
            *out = lt_engine_objects(target->engine);
            return LEAT_OK;
        }
    }
    if (!target->objects) {
        leat_status status = lt_object_s3_new(
            &target->objects,
            target->remote[S3].url ? &target->remote[S3] : &target->engine_endpoint, err);
        if (status != LEAT_OK)
            return status;
    }
    *out = target->objects;
    return LEAT_OK;
}

leat_status lt_target_firehose(struct lt_target *target, const struct lt_aws_endpoint **out,
                               struct leat_error *err) {
    *out = NULL;
    if (target->remote[KINESIS].url) {
        if (target->remote[FIREHOSE].url)
            *out = &target->remote[FIREHOSE];
        return LEAT_OK;
    }
    if (target->remote[FIREHOSE].url)
        return LEAT_OK; /* it cannot read the streams of this machine */
    return lt_target_engine_endpoint(target, out, err);
}

leat_status lt_target_engine_endpoint(struct lt_target *target, const struct lt_aws_endpoint **out,
                                      struct leat_error *err) {
    *out = NULL;
    leat_status status = open_engine(target, err);
    if (status == LEAT_OK)
        *out = &target->engine_endpoint;
    return status;
}

leat_status lt_target_claim_pipeline(struct lt_target *target, const char *pipeline, int *fd,
                                     struct leat_error *err) {
    char *name = lt_arena_printf(&target->arena, "pipeline %s", pipeline);
    return name ? lt_claim_take(target->data_dir, name, fd, err) : no_memory(err);
}

leat_status lt_target_state(struct lt_target *target, struct lt_state **out,
                            struct leat_error *err) {
    *out = target->engine ? lt_engine_state(target->engine) : target->state;
    if (*out)
        return LEAT_OK;
    char *path = lt_arena_printf(&target->arena, "%s/state.db", target->data_dir);
    if (!path)
        return no_memory(err);
    leat_status status = lt_state_open(&target->state, path, err);
    *out = target->state;
    return status;
}

const char *lt_target_data_dir(const struct lt_target *target) {
    return target->data_dir;
}

struct lt_engine *lt_target_engine(struct lt_target *target) {
    return target->engine;
}

bool lt_target_streams_embedded(const struct lt_target *target) {
    return !target->remote[KINESIS].url;
}

bool lt_target_objects_embedded(const struct lt_target *target) {
    return !target->remote[S3].url;
}

const char *lt_target_describe(const struct lt_target *target) {
    return target->description;
}

const char *lt_target_region(const struct lt_target *target) {
    return target->remote[KINESIS].url ? target->remote[KINESIS].region : NULL;
}

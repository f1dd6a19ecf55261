/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The one table of what may stand in a file. The reader, the reference page (`leat help file`) and
 * the JSON schema are made from these rows.
 */
#include "pipeline/config.h"

enum { MiB = 1 << 20, HOUR_MS = 3600000 };

#define AT(type, member) .offset = offsetof(struct type, member)
#define COUNT(type, member) .count_offset = offsetof(struct type, member)

static const char *const compressions[] = {
    [LT_COMPRESSION_NONE] = "none", [LT_COMPRESSION_GZIP] = "gzip", NULL};
static const char *const source_froms[] = {"trim-horizon", "latest", NULL};

static const struct lt_config_property stream_rows[] = {
    {.name = "shards",
     .type = &lt_config_uint,
     AT(lt_system_stream, n_shards),
     .fallback = "1",
     .min = 1,
     .max = 1000,
     .help = "how many shards it has: records of one partition key stay in order in one shard"},
    {.name = "retention",
     .type = &lt_config_hours,
     AT(lt_system_stream, retention_hours),
     .fallback = "24h",
     .min = 24LL * HOUR_MS,
     .max = 8760LL * HOUR_MS,
     .step = HOUR_MS,
     .help = "how long a record can be read after its arrival"},
    {0},
};
static const struct lt_config_kind stream_kind = {
    .name = "a stream",
    .help = "A stream keeps records in order by partition key, for any number of readers.",
    .properties = stream_rows,
    .size = sizeof(struct lt_system_stream),
    .place_offset = offsetof(struct lt_system_stream, place),
    .name_offset = offsetof(struct lt_system_stream, name),
    .check_name = lt_config_check_stream_name,
};

static const struct lt_config_property buffer_rows[] = {
    {.name = "size",
     .type = &lt_config_bytes,
     AT(lt_system_delivery, buffer_bytes),
     .fallback = "5MiB",
     .min = MiB,
     .max = 128LL * MiB,
     .step = MiB,
     .help = "an object is written when this much has come in, before compression"},
    {.name = "interval",
     .type = &lt_config_duration,
     AT(lt_system_delivery, buffer_ms),
     .fallback = "300s",
     .min = 0,
     .max = 900000,
     .step = 1000,
     .help = "or when the oldest record has waited this long; whichever comes first"},
    {0},
};
static const struct lt_config_kind buffer_kind = {
    .name = "buffer",
    .help = "When a delivery writes an object.",
    .properties = buffer_rows,
};

static const struct lt_config_property delivery_rows[] = {
    {.name = "from",
     .type = &lt_config_stream_ref,
     AT(lt_system_delivery, from),
     .required = true,
     .help = "the stream that it drains"},
    {.name = "to",
     .type = &lt_config_objects,
     AT(lt_system_delivery, bucket),
     .required = true,
     .help = "bucket and key prefix of the objects; without an expression such as "
             "!{timestamp:yyyy/MM/dd} the time is added as YYYY/MM/DD/HH/"},
    {.name = "buffer",
     .type = &lt_config_object,
     .kind = &buffer_kind,
     .help = "when an object is written"},
    {.name = "compression",
     .type = &lt_config_choice,
     AT(lt_system_delivery, compression),
     .fallback = "none",
     .choices = compressions,
     .help = "of the objects"},
    {.name = "newline",
     .type = &lt_config_bool,
     AT(lt_system_delivery, newline),
     .fallback = "true",
     .help = "each record ends with a line end"},
    {.name = "suffix",
     .type = &lt_config_suffix,
     AT(lt_system_delivery, suffix),
     .fallback = "",
     .help = "end of each key, such as .jsonl.gz"},
    {.name = "error_prefix",
     .type = &lt_config_error_prefix,
     AT(lt_system_delivery, error_prefix),
     .fallback = "",
     .help = "key prefix of what could not be delivered; wanted once `to` has an expression"},
    {.name = "role",
     .type = &lt_config_role,
     AT(lt_system_delivery, role),
     .help = "ARN of the role of a real Firehose delivery; without one, the delivery runs inside "
             "`leat run` where the target is AWS"},
    {0},
};
static const struct lt_config_kind delivery_kind = {
    .name = "a delivery",
    .help = "A delivery drains a stream into objects, each record exactly once.",
    .properties = delivery_rows,
    .size = sizeof(struct lt_system_delivery),
    .place_offset = offsetof(struct lt_system_delivery, place),
    .name_offset = offsetof(struct lt_system_delivery, name),
    .check_name = lt_config_check_delivery_name,
    .finish = lt_config_finish_delivery,
};

static const struct lt_config_property source_rows[] = {
    {.name = "stream",
     .type = &lt_config_stream_ref,
     AT(lt_system_pipeline, source_stream),
     .required = true,
     .help = "the stream that it reads"},
    {.name = "from",
     .type = &lt_config_switch,
     AT(lt_system_pipeline, from_latest),
     .fallback = "trim-horizon",
     .choices = source_froms,
     .help = "where it starts without a checkpoint: the oldest record, or what comes from now on"},
    {.name = "rest",
     .type = &lt_config_string,
     .later = "is not supported yet; expected 'stream'",
     .help = "a REST API under `sources`"},
    {0},
};
static const struct lt_config_kind source_kind = {
    .name = "source",
    .help = "Where a pipeline's records come from.",
    .properties = source_rows,
};

static const struct lt_config_property dead_letters_rows[] = {
    {.name = "stream",
     .type = &lt_config_stream_ref,
     AT(lt_system_pipeline, dead_stream),
     .required = true,
     .help = "the stream that takes them"},
    {0},
};
static const struct lt_config_kind dead_letters_kind = {
    .name = "dead_letters",
    .help = "Where records go that cannot be processed, whole and with the reason. Without it such "
            "a record stops the pipeline.",
    .properties = dead_letters_rows,
};

static const struct lt_config_property route_rows[] = {
    {.name = "when",
     .type = &lt_config_jq,
     AT(lt_system_route, when),
     .help = "a condition on the record with its fields set; without it, every record"},
    {.name = "to",
     .type = &lt_config_destination,
     AT(lt_system_route, to),
     .required = true,
     .help = "a stream of the file, or a bucket and key prefix"},
    {0},
};
static const struct lt_config_kind route_kind = {
    .name = "a route",
    .help = "Where records go. The first route whose condition holds takes the record.",
    .properties = route_rows,
    .size = sizeof(struct lt_system_route),
    .place_offset = offsetof(struct lt_system_route, place),
};

static const struct lt_config_property test_rows[] = {
    {.name = "name",
     .type = &lt_config_string,
     AT(lt_system_test, name),
     .help = "to find it by, in `leat test FILE NAME`"},
    {.name = "in",
     .type = &lt_config_test_in,
     AT(lt_system_test, in),
     .required = true,
     .help =
         "the record; a text is taken as the record's bytes, so that a broken one can be shown"},
    {.name = "out",
     .type = &lt_config_test_out,
     AT(lt_system_test, out),
     .help = "what must come out; not looked at when it is absent"},
    {.name = "to",
     .type = &lt_config_string,
     AT(lt_system_test, to),
     .help = "the route's `to` that must take it; not looked at when it is absent"},
    {.name = "dead",
     .type = &lt_config_test_dead,
     AT(lt_system_test, dead),
     .help = "it must become a dead letter, with this text in its reason (true: any reason)"},
    {0},
};
static const struct lt_config_kind test_kind = {
    .name = "a test",
    .help = "An example, run by `leat test`.",
    .properties = test_rows,
    .size = sizeof(struct lt_system_test),
    .place_offset = offsetof(struct lt_system_test, place),
    .finish = lt_config_finish_test,
};

static const struct lt_config_property pipeline_rows[] = {
    {.name = "source",
     .type = &lt_config_object,
     .kind = &source_kind,
     .required = true,
     .help = "where records come from"},
    {.name = "with",
     .type = &lt_config_jq_map,
     AT(lt_system_pipeline, defs),
     COUNT(lt_system_pipeline, n_defs),
     .help = "functions for the expressions below: `NAME: TEXT` is jq's `def NAME: TEXT;`"},
    {.name = "set",
     .type = &lt_config_jq_map,
     AT(lt_system_pipeline, sets),
     COUNT(lt_system_pipeline, n_sets),
     .help = "fields added to each record; all see the record as it came"},
    {.name = "key",
     .type = &lt_config_jq_pointer,
     AT(lt_system_pipeline, key),
     .help = "partition key of what goes out; the record's own key when it is absent"},
    {.name = "route",
     .type = &lt_config_list,
     AT(lt_system_pipeline, routes),
     COUNT(lt_system_pipeline, n_routes),
     .kind = &route_kind,
     .required = true,
     .help = "where records go: the first route whose condition holds takes the record"},
    {.name = "dead_letters",
     .type = &lt_config_object,
     .kind = &dead_letters_kind,
     .help = "where records go that cannot be processed; without it they stop the pipeline"},
    {.name = "buffer",
     .type = &lt_config_bytes,
     AT(lt_system_pipeline, buffer_bytes),
     .fallback = "16MiB",
     .min = MiB,
     .max = 1024LL * MiB,
     .help = "what each route may hold that its destination has not acknowledged; when it is full, "
             "the source waits"},
    {.name = "tests",
     .type = &lt_config_list,
     AT(lt_system_pipeline, tests),
     COUNT(lt_system_pipeline, n_tests),
     .kind = &test_kind,
     .help = "examples, run by `leat test`"},
    {0},
};
static const struct lt_config_kind pipeline_kind = {
    .name = "a pipeline",
    .help = "A pipeline reads records, adds fields, and sends each on by the first route that "
            "takes it.",
    .properties = pipeline_rows,
    .size = sizeof(struct lt_system_pipeline),
    .place_offset = offsetof(struct lt_system_pipeline, place),
    .name_offset = offsetof(struct lt_system_pipeline, name),
    .check_name = lt_config_check_pipeline_name,
    .finish = lt_config_finish_pipeline,
};

static const struct lt_config_property file_rows[] = {
    {.name = "streams",
     .type = &lt_config_map,
     AT(lt_system, streams),
     COUNT(lt_system, n_streams),
     .kind = &stream_kind,
     .help = "streams by name"},
    {.name = "buckets",
     .type = &lt_config_buckets,
     AT(lt_system, buckets),
     COUNT(lt_system, n_buckets),
     .help = "buckets of the object store"},
    {.name = "sources",
     .type = &lt_config_map,
     .later = "is not supported yet; expected pipelines that read a stream",
     .help = "REST APIs by name"},
    {.name = "deliveries",
     .type = &lt_config_map,
     AT(lt_system, deliveries),
     COUNT(lt_system, n_deliveries),
     .kind = &delivery_kind,
     .help = "streams drained into objects, by name"},
    {.name = "pipelines",
     .type = &lt_config_map,
     AT(lt_system, pipelines),
     COUNT(lt_system, n_pipelines),
     .kind = &pipeline_kind,
     .help = "records read, enriched and routed, by name"},
    {0},
};

const struct lt_config_kind lt_config_file = {
    .name = "the file",
    .help = "One file describes a system: its streams, buckets, deliveries and pipelines.",
    .properties = file_rows,
    .size = sizeof(struct lt_system),
};

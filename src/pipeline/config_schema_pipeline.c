/* SPDX-License-Identifier: Apache-2.0 */
/* The table of what may stand in a pipeline. */
#include "pipeline/config.h"

enum { MiB = 1 << 20 };

#define AT(type, member) .offset = offsetof(struct type, member)
#define COUNT(type, member) .count_offset = offsetof(struct type, member)

static const char *const compressions[] = {[LT_COMPRESSION_NONE] = "none",
                                           [LT_COMPRESSION_GZIP] = "gzip",
                                           [LT_COMPRESSION_ZSTD] = "zstd",
                                           NULL};
static const char *const source_froms[] = {"trim-horizon", "latest", NULL};

static const struct lt_config_property source_rows[] = {
    {.name = "stream",
     .type = &lt_config_stream_ref,
     AT(lt_system_pipeline, source_stream),
     .help = "the stream that it reads, in `leat run`"},
    {.name = "from",
     .type = &lt_config_switch,
     AT(lt_system_pipeline, from_latest),
     .fallback = "trim-horizon",
     .choices = source_froms,
     .help = "where it starts without a checkpoint: the oldest record, or what comes from now on"},
    {.name = "rest",
     .type = &lt_config_api_ref,
     AT(lt_system_pipeline, source_api),
     .help =
         "instead of a stream: the API of `sources` that it takes records from, in `leat pull`"},
    {.name = "resources",
     .type = &lt_config_resource_refs,
     AT(lt_system_pipeline, source_resources),
     COUNT(lt_system_pipeline, n_source_resources),
     .help = "only these resources of the API; without it all that are not `on_request`"},
    {0},
};
static const struct lt_config_kind source_kind = {
    .name = "source",
    .help = "Where a pipeline's records come from.",
    .properties = source_rows,
    .finish = lt_config_finish_source,
};

static const struct lt_config_property dead_letters_rows[] = {
    {.name = "stream",
     .type = &lt_config_stream_ref,
     AT(lt_system_pipeline, dead_stream),
     .help = "the stream that takes them"},
    {.name = "to",
     .type = &lt_config_dead_objects,
     AT(lt_system_pipeline, dead_bucket),
     .help = "instead of a stream, where the source is a REST API: bucket and key prefix"},
    {0},
};
static const struct lt_config_kind dead_letters_kind = {
    .name = "dead_letters",
    .help = "Where records go that cannot be processed, whole and with the reason. Without it such "
            "a record stops the pipeline.",
    .properties = dead_letters_rows,
    .finish = lt_config_finish_dead_letters,
};

static const struct lt_config_property route_buffer_rows[] = {
    {.name = "size",
     .type = &lt_config_bytes,
     AT(lt_system_route, object_bytes),
     .fallback = "5MiB",
     .min = MiB,
     .max = 128LL * MiB,
     .help = "an object is written when this much has come in, before compression"},
    {.name = "interval",
     .type = &lt_config_duration,
     AT(lt_system_route, object_ms),
     .min = 1000,
     .max = 900000,
     .help =
         "or when the oldest record has waited this long, whichever comes first; default 60s "
         "where a stream is read. A pull without it writes by size and at its end alone, so that "
         "a repeated pull of the same records writes the same objects"},
    {0},
};
static const struct lt_config_kind route_buffer_kind = {
    .name = "buffer",
    .help = "When a route writes an object.",
    .properties = route_buffer_rows,
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
    {.name = "compression",
     .type = &lt_config_choice,
     AT(lt_system_route, compression),
     .fallback = "none",
     .choices = compressions,
     .help = "of the objects that it writes"},
    {.name = "buffer",
     .type = &lt_config_object,
     .kind = &route_buffer_kind,
     .help = "when it writes an object"},
    {0},
};
static const struct lt_config_kind route_kind = {
    .name = "a route",
    .help = "Where records go. The first route whose condition holds takes the record.",
    .properties = route_rows,
    .size = sizeof(struct lt_system_route),
    .place_offset = offsetof(struct lt_system_route, place),
    .finish = lt_config_finish_route,
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
    {.name = "resource",
     .type = &lt_config_string,
     AT(lt_system_test, resource),
     .help = "where the source is a REST API: the resource that the record is of"},
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

static const struct lt_config_property limits_rows[] = {
    {.name = "steps",
     .type = &lt_config_int,
     AT(lt_system_pipeline, limits.max_steps),
     .fallback = "100000000",
     .min = 1000,
     .max = 1000000000000,
     .help =
         "of the evaluator, some 10 to 100 million a second: the same for the same record on any "
         "machine. What runs through libjq has none"},
    {.name = "time",
     .type = &lt_config_duration,
     AT(lt_system_pipeline, limits.max_ms),
     .fallback = "5s",
     .min = 10,
     .max = 3600000,
     .help = "for all expressions of a record"},
    {.name = "memory",
     .type = &lt_config_bytes,
     AT(lt_system_pipeline, limits.max_bytes),
     .fallback = "512MiB",
     .min = MiB,
     .max = 64LL * 1024 * MiB,
     .help = "for what its expressions compute"},
    {0},
};
static const struct lt_config_kind limits_kind = {
    .name = "limits",
    .help = "What the expressions may take for one record. One that takes more becomes a dead "
            "letter, and the pipeline goes on.",
    .properties = limits_rows,
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
     .help = "functions for the expressions below: `NAME: TEXT` is jq's `def NAME: TEXT;`; where "
             "the source is a REST API, `$resource` is the name of the record's resource"},
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
    {.name = "limits",
     .type = &lt_config_object,
     .kind = &limits_kind,
     .help = "what the expressions may take for one record"},
    {.name = "tests",
     .type = &lt_config_list,
     AT(lt_system_pipeline, tests),
     COUNT(lt_system_pipeline, n_tests),
     .kind = &test_kind,
     .help = "examples, run by `leat test`"},
    {0},
};
const struct lt_config_kind lt_config_pipeline_kind = {
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

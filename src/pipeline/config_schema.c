/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The one table of what may stand in a file; sources are in config_schema_rest.c, pipelines in
 * config_schema_pipeline.c. The reader, the reference page (`leat help file`) and the JSON schema
 * are made from these rows.
 */
#include "pipeline/config.h"

enum { MiB = 1 << 20, HOUR_MS = 3600000 };

#define AT(type, member) .offset = offsetof(struct type, member)
#define COUNT(type, member) .count_offset = offsetof(struct type, member)

static const char *const compressions[] = {
    [LT_COMPRESSION_NONE] = "none", [LT_COMPRESSION_GZIP] = "gzip", NULL};

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
     AT(lt_system, apis),
     COUNT(lt_system, n_apis),
     .kind = &lt_config_api_kind,
     .help = "REST APIs by name, for `leat pull`"},
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
     .kind = &lt_config_pipeline_kind,
     .help = "records read, enriched and routed, by name"},
    {0},
};

const struct lt_config_kind lt_config_file = {
    .name = "the file",
    .help = "One file describes a system: its streams, buckets, sources, deliveries and "
            "pipelines.",
    .properties = file_rows,
    .size = sizeof(struct lt_system),
};

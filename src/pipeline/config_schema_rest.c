/* SPDX-License-Identifier: Apache-2.0 */
/* The table of what may stand in a source: a REST API, its auth, its resources and their pages. */
#include "pipeline/config.h"

enum { KiB = 1 << 10, MiB = 1 << 20, HOUR_MS = 3600000 };

#define AT(type, member) .offset = offsetof(struct type, member)
#define COUNT(type, member) .count_offset = offsetof(struct type, member)

static const char *const api_key_places[] = {"header", "query", "cookie", NULL};
static const char *const credential_places[] = {"form", "basic", NULL};
static const char *const param_places[] = {"query", "body", NULL};
static const char *const methods[] = {"GET", "POST", NULL};
static const char *const changes[] = {[LT_REST_EVOLVE] = "evolve",
                                      [LT_REST_FREEZE] = "freeze",
                                      [LT_REST_DEAD_LETTER] = "dead_letter",
                                      NULL};
static const char *const orders[] = {[LT_REST_UNORDERED] = "unordered",
                                     [LT_REST_ASCENDING] = "ascending",
                                     [LT_REST_DESCENDING] = "descending",
                                     NULL};

static const struct lt_config_property no_rows[] = {{0}};

/* auth */

static const struct lt_config_kind none_kind = {
    .name = "none", .help = "No credentials.", .properties = no_rows};

static const struct lt_config_property api_key_rows[] = {
    {.name = "in",
     .type = &lt_config_choice,
     AT(lt_rest_api, auth.in),
     .fallback = "header",
     .choices = api_key_places,
     .help = "where it goes in a request"},
    {.name = "name",
     .type = &lt_config_param_name,
     AT(lt_rest_api, auth.name),
     .required = true,
     .help = "of the header, parameter or cookie"},
    {.name = "value",
     .type = &lt_config_secret,
     AT(lt_rest_api, auth.value),
     .required = true,
     .help = "the key"},
    {0},
};
static const struct lt_config_kind api_key_kind = {
    .name = "api_key",
    .help = "A key in a header, a parameter or a cookie.",
    .properties = api_key_rows,
    .finish = lt_config_finish_auth,
};

static const struct lt_config_property basic_rows[] = {
    {.name = "username",
     .type = &lt_config_identity,
     AT(lt_rest_api, auth.username),
     .required = true,
     .help = "as the API gave it"},
    {.name = "password",
     .type = &lt_config_secret,
     AT(lt_rest_api, auth.password),
     .help = "as the API gave it; without it, empty, as where a key is the username"},
    {0},
};
static const struct lt_config_kind basic_kind = {
    .name = "basic", .help = "HTTP Basic.", .properties = basic_rows};

static const struct lt_config_property bearer_rows[] = {
    {.name = "token",
     .type = &lt_config_secret,
     AT(lt_rest_api, auth.token),
     .required = true,
     .help = "sent as `Authorization: Bearer TOKEN`"},
    {0},
};
static const struct lt_config_kind bearer_kind = {
    .name = "bearer", .help = "A token that does not change.", .properties = bearer_rows};

#define TOKEN_URL                                                                                  \
    {                                                                                              \
        .name = "token_url", .type = &lt_config_url, AT(lt_rest_api, auth.token_url),              \
        .required = true, .help = "where tokens are asked for"                                     \
    }
#define SCOPE                                                                                      \
    {                                                                                              \
        .name = "scope", .type = &lt_config_string, AT(lt_rest_api, auth.scope),                   \
        .help = "what the token is asked for, words with blanks between"                           \
    }
#define CREDENTIALS_IN                                                                             \
    {                                                                                              \
        .name = "credentials_in", .type = &lt_config_choice, AT(lt_rest_api, auth.credentials_in), \
        .fallback = "basic", .choices = credential_places,                                         \
        .help = "how id and secret are sent to token_url: in the form, or as HTTP Basic"           \
    }

static const struct lt_config_property client_credentials_rows[] = {
    TOKEN_URL,
    {.name = "client_id",
     .type = &lt_config_identity,
     AT(lt_rest_api, auth.client_id),
     .required = true,
     .help = "of the registered application"},
    {.name = "client_secret",
     .type = &lt_config_secret,
     AT(lt_rest_api, auth.client_secret),
     .required = true,
     .help = "of the registered application"},
    SCOPE,
    CREDENTIALS_IN,
    {0},
};
static const struct lt_config_kind client_credentials_kind = {
    .name = "oauth2_client_credentials",
    .help = "OAuth2 tokens for an application, renewed as they expire.",
    .properties = client_credentials_rows,
};

static const struct lt_config_property refresh_token_rows[] = {
    TOKEN_URL,
    {.name = "client_id",
     .type = &lt_config_identity,
     AT(lt_rest_api, auth.client_id),
     .required = true,
     .help = "of the registered application"},
    {.name = "client_secret",
     .type = &lt_config_secret,
     AT(lt_rest_api, auth.client_secret),
     .help = "of the registered application; a public client has none"},
    {.name = "refresh_token",
     .type = &lt_config_secret,
     AT(lt_rest_api, auth.refresh_token),
     .required = true,
     .help = "the long-lived token that the others are asked for with"},
    SCOPE,
    CREDENTIALS_IN,
    {0},
};
static const struct lt_config_kind refresh_token_kind = {
    .name = "oauth2_refresh_token",
    .help = "OAuth2 tokens for a person who once agreed, renewed as they expire.",
    .properties = refresh_token_rows,
};

static const struct lt_config_property auth_rows[] = {
    {.name = "none", .type = &lt_config_object, .kind = &none_kind, .help = "no credentials"},
    {.name = "api_key",
     .type = &lt_config_object,
     .kind = &api_key_kind,
     .help = "a key in a header, a parameter or a cookie"},
    {.name = "basic", .type = &lt_config_object, .kind = &basic_kind, .help = "HTTP Basic"},
    {.name = "bearer",
     .type = &lt_config_object,
     .kind = &bearer_kind,
     .help = "a token that does not change"},
    {.name = "oauth2_client_credentials",
     .type = &lt_config_object,
     .kind = &client_credentials_kind,
     .help = "tokens for an application, renewed ahead of their expiry"},
    {.name = "oauth2_refresh_token",
     .type = &lt_config_object,
     .kind = &refresh_token_kind,
     .help = "tokens for a person who once agreed, renewed ahead of their expiry"},
    {0},
};
static const struct lt_config_kind auth_kind = {
    .name = "auth", .help = "How requests are authorised.", .properties = auth_rows};

/* paginate */

#define TOTAL                                                                                      \
    {                                                                                              \
        .name = "total", .type = &lt_config_query, AT(lt_rest_resource, pagination.total),         \
        .help = "number of records in all, in the body; with it pages are fetched side by side"    \
    }
#define MORE                                                                                       \
    {                                                                                              \
        .name = "more", .type = &lt_config_query, AT(lt_rest_resource, pagination.more),           \
        .help = "in the body: false or null on the last page"                                      \
    }
#define IN(member)                                                                                 \
    {                                                                                              \
        .name = "in", .type = &lt_config_choice, AT(lt_rest_resource, member),                     \
        .fallback = "query", .choices = param_places,                                              \
        .help = "where it goes: in a POST's body, a name such as variables.after leads inwards"    \
    }

static const struct lt_config_property offset_rows[] = {
    IN(pagination.in),
    {.name = "offset_param",
     .type = &lt_config_param_name,
     AT(lt_rest_resource, pagination.offset_param),
     .fallback = "offset",
     .help = "the parameter that takes the offset"},
    {.name = "limit_param",
     .type = &lt_config_param_name,
     AT(lt_rest_resource, pagination.limit_param),
     .fallback = "limit",
     .help = "the one of `params`, or of the body, that says how long a page is"},
    TOTAL,
    {.name = "first",
     .type = &lt_config_int,
     AT(lt_rest_resource, pagination.first),
     .fallback = "0",
     .help = "the first record's offset"},
    {0},
};
static const struct lt_config_kind offset_kind = {
    .name = "offset", .help = "Pages by offset and limit.", .properties = offset_rows};

static const struct lt_config_property page_rows[] = {
    IN(pagination.in),
    {.name = "page_param",
     .type = &lt_config_param_name,
     AT(lt_rest_resource, pagination.page_param),
     .fallback = "page",
     .help = "the parameter that takes the page's number"},
    {.name = "limit_param",
     .type = &lt_config_param_name,
     AT(lt_rest_resource, pagination.limit_param),
     .fallback = "per_page",
     .help = "the one of `params`, or of the body, that says how long a page is"},
    TOTAL,
    {.name = "pages",
     .type = &lt_config_query,
     AT(lt_rest_resource, pagination.pages),
     .help = "number of pages in all, in the body"},
    MORE,
    {.name = "first",
     .type = &lt_config_int,
     AT(lt_rest_resource, pagination.first),
     .fallback = "1",
     .help = "the first page's number"},
    {0},
};
static const struct lt_config_kind page_kind = {
    .name = "page", .help = "Pages by number.", .properties = page_rows};

static const struct lt_config_property cursor_rows[] = {
    IN(pagination.in),
    {.name = "param",
     .type = &lt_config_param_name,
     AT(lt_rest_resource, pagination.cursor_param),
     .required = true,
     .help = "the parameter that takes the cursor"},
    {.name = "cursor",
     .type = &lt_config_query,
     AT(lt_rest_resource, pagination.next),
     .help =
         "the next page's cursor in the body, such as .next_cursor, or .data[-1].id of the last "
         "record; null on the last page"},
    {.name = "header",
     .type = &lt_config_header,
     AT(lt_rest_resource, pagination.cursor_header),
     .help = "or the header of the answer that holds it"},
    MORE,
    {0},
};
static const struct lt_config_kind cursor_kind = {
    .name = "cursor",
    .help = "Pages by a cursor that each answer gives for the next.",
    .properties = cursor_rows,
    .finish = lt_config_finish_cursor,
};

static const struct lt_config_property next_rows[] = {
    {.name = "url",
     .type = &lt_config_query,
     AT(lt_rest_resource, pagination.next),
     .required = true,
     .help = "the next page's URL in the body, whole or relative; null on the last page"},
    {0},
};
static const struct lt_config_kind next_kind = {
    .name = "next", .help = "Each page has the URL of the next.", .properties = next_rows};

static const struct lt_config_kind link_kind = {
    .name = "link", .help = "A `Link` header with rel=\"next\".", .properties = no_rows};
static const struct lt_config_kind auto_kind = {
    .name = "auto", .help = "Found in the first page.", .properties = no_rows};
static const struct lt_config_kind single_kind = {
    .name = "none", .help = "One page.", .properties = no_rows};

static const struct lt_config_property paginate_rows[] = {
    {.name = "auto",
     .type = &lt_config_object,
     .kind = &auto_kind,
     .help = "whichever of the others fits the first page"},
    {.name = "none", .type = &lt_config_object, .kind = &single_kind, .help = "one page is all"},
    {.name = "offset",
     .type = &lt_config_object,
     .kind = &offset_kind,
     .help = "by the number of records before the page"},
    {.name = "page", .type = &lt_config_object, .kind = &page_kind, .help = "by the page's number"},
    {.name = "cursor",
     .type = &lt_config_object,
     .kind = &cursor_kind,
     .help = "by a text that each answer gives for the next"},
    {.name = "next",
     .type = &lt_config_object,
     .kind = &next_kind,
     .help = "by a URL that each answer gives for the next"},
    {.name = "link",
     .type = &lt_config_object,
     .kind = &link_kind,
     .help = "by the answer's header `Link: <URL>; rel=\"next\"`"},
    {0},
};
static const struct lt_config_kind paginate_kind = {
    .name = "paginate", .help = "How one page leads to the next.", .properties = paginate_rows};

/* resources */

static const struct lt_config_property incremental_rows[] = {
    {.name = "field",
     .type = &lt_config_query,
     AT(lt_rest_resource, incremental.field),
     .required = true,
     .help = "of each record: a text or a number that grows with what is new"},
    {.name = "start",
     .type = &lt_config_string,
     AT(lt_rest_resource, incremental.start),
     .help = "the least value that the first run takes"},
    {.name = "param",
     .type = &lt_config_param_name,
     AT(lt_rest_resource, incremental.param),
     .help = "the parameter that tells the API the value of the last run"},
    IN(incremental.in),
    {.name = "order",
     .type = &lt_config_choice,
     AT(lt_rest_resource, incremental.order),
     .fallback = "unordered",
     .choices = orders,
     .help =
         "of the records in the API's answers: with descending, a page of old ones is the last"},
    {0},
};
static const struct lt_config_kind incremental_kind = {
    .name = "incremental",
    .help = "A later run takes only what is new.",
    .properties = incremental_rows,
};

static const struct lt_config_property page_test_rows[] = {
    {.name = "name",
     .type = &lt_config_string,
     AT(lt_rest_test, name),
     .help = "to find it by, in `leat test FILE NAME`"},
    {.name = "page",
     .type = &lt_config_page,
     AT(lt_rest_test, page),
     .required = true,
     .help = "the body of a recorded answer, or \"@FILE\" for one beside this file"},
    {.name = "records",
     .type = &lt_config_int,
     AT(lt_rest_test, n_records),
     .help = "how many records must be found; not looked at when it is absent"},
    {.name = "first",
     .type = &lt_config_json,
     AT(lt_rest_test, first),
     .help = "the first record, or of an object the members to look at; not looked at when it is "
             "absent"},
    {.name = "next",
     .type = &lt_config_next_url,
     AT(lt_rest_test, next),
     .help = "URL of the next request, null for none; not looked at when it is absent"},
    {0},
};
static const struct lt_config_kind page_test_kind = {
    .name = "a test",
    .help = "A recorded page, run by `leat test`.",
    .properties = page_test_rows,
    .size = sizeof(struct lt_rest_test),
    .place_offset = offsetof(struct lt_rest_test, line),
    .finish = lt_config_finish_page_test,
};

static const struct lt_config_property resource_rows[] = {
    {.name = "for_each", /* first: what follows asks whether there is a parent */
     .type = &lt_config_for_each,
     AT(lt_rest_resource, parent),
     .fallback = "",
     .help = "the resource for each of whose records this one is fetched; braces below see that "
             "record"},
    {.name = "path",
     .type = &lt_config_template,
     AT(lt_rest_resource, path),
     .required = true,
     .help = "after base_url, or a whole URL: \"/albums/{.id}/tracks\" has jq on the parent's "
             "record in braces ({{ and }} are braces)"},
    {.name = "method",
     .type = &lt_config_word,
     AT(lt_rest_resource, method),
     .fallback = "GET",
     .choices = methods,
     .help = "of the requests"},
    {.name = "params",
     .type = &lt_config_templates,
     AT(lt_rest_resource, params),
     COUNT(lt_rest_resource, n_params),
     .help = "parameters of the query, with jq in braces"},
    {.name = "headers",
     .type = &lt_config_templates,
     AT(lt_rest_resource, headers),
     COUNT(lt_rest_resource, n_headers),
     .help = "headers, with jq in braces"},
    {.name = "body",
     .type = &lt_config_body,
     AT(lt_rest_resource, body),
     .help = "JSON body of a POST; its strings have jq in braces"},
    {.name = "records",
     .type = &lt_config_query,
     AT(lt_rest_resource, records),
     .help = "the records of a page, such as .items; without it the body when it is an array, else "
             "its one array of objects"},
    {.name = "next",
     .type = &lt_config_query,
     AT(lt_rest_resource, pagination.next),
     .help = "short for `paginate: {next: {url: …}}`"},
    {.name = "paginate",
     .type = &lt_config_variant,
     AT(lt_rest_resource, pagination.kind),
     .fallback = "auto",
     .kind = &paginate_kind,
     .help = "how one page leads to the next"},
    {.name = "fields",
     .type = &lt_config_query_fields,
     AT(lt_rest_resource, fields),
     COUNT(lt_rest_resource, n_fields),
     .help = "fields added to each record: jq on the parent's record, with $resource and "
             "$fetched_at"},
    {.name = "incremental",
     .type = &lt_config_object,
     .kind = &incremental_kind,
     .help = "a later run takes only what is new"},
    {.name = "key",
     .type = &lt_config_names,
     AT(lt_rest_resource, key),
     COUNT(lt_rest_resource, n_key),
     .help = "the fields that tell one record from all others"},
    {.name = "on_change",
     .type = &lt_config_choice,
     AT(lt_rest_resource, on_change),
     .fallback = "evolve",
     .choices = changes,
     .help = "what a record does that does not fit the schema known: widen it, stop the run, or "
             "become a dead letter"},
    {.name = "on_request",
     .type = &lt_config_bool,
     AT(lt_rest_resource, on_request),
     .fallback = "false",
     .help = "only pulled when `--resource` or a pipeline names it"},
    {.name = "hint",
     .type = &lt_config_hints,
     AT(lt_rest_resource, hints),
     .help = "what to do about an error, by HTTP status: shown with it"},
    {.name = "tests",
     .type = &lt_config_list,
     AT(lt_rest_resource, tests),
     COUNT(lt_rest_resource, n_tests),
     .kind = &page_test_kind,
     .help = "recorded pages, run by `leat test`"},
    {0},
};
static const struct lt_config_kind resource_kind = {
    .name = "a resource",
    .help = "A list of records of an API.",
    .properties = resource_rows,
    .size = sizeof(struct lt_rest_resource),
    .place_offset = offsetof(struct lt_rest_resource, line),
    .name_offset = offsetof(struct lt_rest_resource, name),
    .check_name = lt_config_check_resource_name,
    .finish = lt_config_finish_resource,
};

/* the API */

static const struct lt_config_property timeout_rows[] = {
    {.name = "connect",
     .type = &lt_config_duration,
     AT(lt_rest_api, connect_timeout_ms),
     .fallback = "5s",
     .min = 1,
     .max = HOUR_MS,
     .help = "until a connection stands"},
    {.name = "read",
     .type = &lt_config_duration,
     AT(lt_rest_api, read_timeout_ms),
     .fallback = "30s",
     .min = 1,
     .max = HOUR_MS,
     .help = "in which the API says nothing"},
    {.name = "total",
     .type = &lt_config_duration,
     AT(lt_rest_api, total_timeout_ms),
     .fallback = "5m",
     .min = 1,
     .max = 24LL * HOUR_MS,
     .help = "for one request in all"},
    {0},
};
static const struct lt_config_kind timeout_kind = {
    .name = "timeout", .help = "How long a request may take.", .properties = timeout_rows};

static const struct lt_config_property retry_rows[] = {
    {.name = "attempts",
     .type = &lt_config_uint,
     AT(lt_rest_api, max_attempts),
     .fallback = "8",
     .min = 1,
     .max = 100,
     .help = "of one request, the first one counted"},
    {.name = "retry_after_max",
     .type = &lt_config_duration,
     AT(lt_rest_api, retry_after_cap_ms),
     .fallback = "5m",
     .min = 1000,
     .max = 24LL * HOUR_MS,
     .help = "the longest wait that the API may ask for; a longer one ends the run"},
    {0},
};
static const struct lt_config_kind retry_kind = {
    .name = "retry", .help = "When a request is sent again.", .properties = retry_rows};

static const struct lt_config_property api_rows[] = {
    {.name = "base_url",
     .type = &lt_config_url,
     AT(lt_rest_api, base_url),
     .required = true,
     .help = "what the paths of its resources follow"},
    {.name = "auth",
     .type = &lt_config_variant,
     AT(lt_rest_api, auth.kind),
     .fallback = "none",
     .kind = &auth_kind,
     .help = "how requests are authorised; credentials go to base_url's own host alone"},
    {.name = "headers",
     .type = &lt_config_params,
     AT(lt_rest_api, headers),
     COUNT(lt_rest_api, n_headers),
     .help = "headers of every request"},
    {.name = "params",
     .type = &lt_config_params,
     AT(lt_rest_api, params),
     COUNT(lt_rest_api, n_params),
     .help = "parameters of every request"},
    {.name = "rate",
     .type = &lt_config_rate,
     AT(lt_rest_api, rate_per_s),
     .help = "requests to one host, at most; without it as fast as the API allows"},
    {.name = "concurrency",
     .type = &lt_config_uint,
     AT(lt_rest_api, concurrency),
     .fallback = "16",
     .min = 1,
     .max = 64,
     .help = "requests under way at once"},
    {.name = "timeout",
     .type = &lt_config_object,
     .kind = &timeout_kind,
     .help = "how long a request may take"},
    {.name = "retry",
     .type = &lt_config_object,
     .kind = &retry_kind,
     .help = "when a request is sent again"},
    {.name = "max_page",
     .type = &lt_config_bytes,
     AT(lt_rest_api, max_page_bytes),
     .fallback = "64MiB",
     .min = KiB,
     .max = 1024LL * MiB,
     .help = "the largest answer that is read"},
    {.name = "ca_file",
     .type = &lt_config_path,
     AT(lt_rest_api, ca_file),
     .help = "certificates to trust beside the system's, in PEM, beside this file"},
    {.name = "resources",
     .type = &lt_config_map,
     AT(lt_rest_api, resources),
     COUNT(lt_rest_api, n_resources),
     .kind = &resource_kind,
     .required = true,
     .help = "its lists of records, by name"},
    {0},
};
const struct lt_config_kind lt_config_api_kind = {
    .name = "a source",
    .help = "A REST API, read page by page by `leat pull`.",
    .properties = api_rows,
    .size = sizeof(struct lt_rest_api),
    .place_offset = offsetof(struct lt_rest_api, line),
    .name_offset = offsetof(struct lt_rest_api, name),
    .check_name = lt_config_check_api_name,
    .finish = lt_config_finish_api,
};

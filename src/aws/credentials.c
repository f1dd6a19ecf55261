/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Credentials, region and endpoints, looked for in the order of the AWS command
 * line: the environment goes before the files, a profile named by the caller goes
 * before keys in the environment, the credentials file goes before the config file.
 * Kinds of credentials that need a request to get them (roles, SSO, processes) are
 * told by name where nothing else is there, instead of being passed over.
 */
#include "aws/credentials.h"

#include "aws/ini.h"

#include <ctype.h>
#include <pwd.h>
#include <stdlib.h>
#include <strings.h>
#include <unistd.h>

/* What a profile says in one file. */
struct profile {
    bool found;
    const char *access_key_id;
    const char *secret_access_key;
    const char *session_token;
    const char *region;
    const char *endpoint_url;
    const char *services;
    const char *ignore_urls;
    const char *role_arn;
    const char *sso_session;
    const char *sso_start_url;
    const char *credential_process;
    const char *login_session;
};

static const struct setting {
    const char *key;
    size_t offset;
} settings[] = {
    {"aws_access_key_id", offsetof(struct profile, access_key_id)},
    {"aws_secret_access_key", offsetof(struct profile, secret_access_key)},
    {"aws_session_token", offsetof(struct profile, session_token)},
    {"aws_security_token", offsetof(struct profile, session_token)},
    {"region", offsetof(struct profile, region)},
    {"endpoint_url", offsetof(struct profile, endpoint_url)},
    {"services", offsetof(struct profile, services)},
    {"ignore_configured_endpoint_urls", offsetof(struct profile, ignore_urls)},
    {"role_arn", offsetof(struct profile, role_arn)},
    {"sso_session", offsetof(struct profile, sso_session)},
    {"sso_start_url", offsetof(struct profile, sso_start_url)},
    {"credential_process", offsetof(struct profile, credential_process)},
    {"login_session", offsetof(struct profile, login_session)},
};

/* Kinds of credentials that leat does not get. A role stands above keys, the others below. */
static const struct unsupported {
    const char *key;
    size_t offset;
    bool above_keys;
} unsupported[] = {
    {"role_arn", offsetof(struct profile, role_arn), true},
    {"sso_session", offsetof(struct profile, sso_session), false},
    {"sso_start_url", offsetof(struct profile, sso_start_url), false},
    {"credential_process", offsetof(struct profile, credential_process), false},
    {"login_session", offsetof(struct profile, login_session), false},
};

static const struct service {
    const char *name; /* in a [services] section */
    const char *variable;
    size_t offset;
} services[] = {
    {"kinesis", "AWS_ENDPOINT_URL_KINESIS", offsetof(struct lt_aws_config, endpoint_url_kinesis)},
    {"firehose", "AWS_ENDPOINT_URL_FIREHOSE",
     offsetof(struct lt_aws_config, endpoint_url_firehose)},
    {"s3", "AWS_ENDPOINT_URL_S3", offsetof(struct lt_aws_config, endpoint_url_s3)},
};

#define N_OF(table) (sizeof(table) / sizeof((table)[0]))

struct loader {
    struct lt_aws_config *out;
    struct lt_arena *arena;
    const char *name; /* of the profile */
    const char *path; /* of the file being read */
    bool is_config;   /* sections are [profile NAME] but for [default] */
    struct profile *profile;
    const char *services_name; /* not NULL: look for [services NAME] instead */
    bool services_found;
};

static const char **field(void *object, size_t offset) {
    return (const char **)((char *)object + offset);
}

/* An environment variable that says something. */
static const char *env(const char *name) {
    const char *value = getenv(name);
    return value && *value ? value : NULL;
}

static const char *keep(struct lt_arena *arena, struct lt_slice text, struct leat_error *err) {
    const char *copy = lt_arena_str(arena, text);
    if (!copy)
        lt_fail(err, LEAT_E_NOMEM, 0, "no memory for the AWS configuration");
    return copy;
}

static bool equals_ignoring_case(struct lt_slice text, const char *other) {
    return text.len == strlen(other) && strncasecmp(text.data, other, text.len) == 0;
}

/* The NAME of "KIND NAME", where NAME may be in quotes; `data` NULL when it is another kind. */
static struct lt_slice name_of_section(struct lt_slice section, const char *kind) {
    struct lt_slice none = {NULL, 0};
    size_t len = strlen(kind);
    if (section.len <= len || memcmp(section.data, kind, len) != 0 ||
        !isspace((unsigned char)section.data[len]))
        return none;
    struct lt_slice name = lt_slice_from(section, len);
    while (name.len && isspace((unsigned char)name.data[0]))
        name = lt_slice_from(name, 1);
    if (name.len >= 2 && (name.data[0] == '"' || name.data[0] == '\'') &&
        name.data[name.len - 1] == name.data[0])
        name = lt_slice(name.data + 1, name.len - 2);
    return name;
}

static bool is_wanted(const struct loader *loader, struct lt_slice section) {
    if (loader->services_name)
        return lt_slice_eq_str(name_of_section(section, "services"), loader->services_name);
    if (!loader->is_config)
        return lt_slice_eq_str(section, loader->name);
    struct lt_slice name = name_of_section(section, "profile");
    if (name.data)
        return lt_slice_eq_str(name, loader->name);
    return !strcmp(loader->name, "default") && lt_slice_eq_str(section, "default");
}

static void on_section(void *ctx, struct lt_slice section) {
    struct loader *loader = ctx;
    if (!is_wanted(loader, section))
        return;
    if (loader->services_name)
        loader->services_found = true;
    else
        loader->profile->found = true;
}

static leat_status on_profile_setting(struct loader *loader, const struct lt_ini_setting *setting,
                                      struct leat_error *err) {
    bool nested = setting->parent.len > 0;
    for (size_t i = 0; i < N_OF(settings); i++) {
        if (!equals_ignoring_case(nested ? setting->parent : setting->key, settings[i].key))
            continue;
        if (nested) {
            lt_fail(err, LEAT_E_CONFIG, 0, "%s:%u: the value of %s goes on over several lines",
                    loader->path, setting->line, settings[i].key);
            if (err)
                err->line = setting->line;
            return LEAT_E_CONFIG;
        }
        const char *value = setting->value.len ? keep(loader->arena, setting->value, err) : NULL;
        if (setting->value.len && !value)
            return LEAT_E_NOMEM;
        *field(loader->profile, settings[i].offset) = value;
    }
    return LEAT_OK;
}

static leat_status on_service_setting(struct loader *loader, const struct lt_ini_setting *setting,
                                      struct leat_error *err) {
    if (!equals_ignoring_case(setting->key, "endpoint_url"))
        return LEAT_OK;
    for (size_t i = 0; i < N_OF(services); i++) {
        const char **slot = field(loader->out, services[i].offset);
        if (*slot || !setting->value.len ||
            !equals_ignoring_case(setting->parent, services[i].name))
            continue;
        *slot = keep(loader->arena, setting->value, err);
        if (!*slot)
            return LEAT_E_NOMEM;
    }
    return LEAT_OK;
}

static leat_status on_setting(void *ctx, const struct lt_ini_setting *setting,
                              struct leat_error *err) {
    struct loader *loader = ctx;
    if (!is_wanted(loader, setting->section))
        return LEAT_OK;
    return loader->services_name ? on_service_setting(loader, setting, err)
                                 : on_profile_setting(loader, setting, err);
}

static const char *home_folder(void) {
    const char *home = env("HOME");
    if (home)
        return home;
    const struct passwd *user = getpwuid(getuid());
    return user ? user->pw_dir : "/";
}

static const char *path_of(struct lt_arena *arena, const char *variable, const char *standard) {
    const char *path = env(variable);
    if (!path)
        return lt_arena_printf(arena, "%s/%s", home_folder(), standard);
    if (path[0] == '~' && path[1] == '/')
        return lt_arena_printf(arena, "%s%s", home_folder(), path + 1);
    return path;
}

static leat_status read_file(struct loader *loader, const char *path, struct leat_error *err) {
    const struct lt_ini_visitor visitor = {loader, on_section, on_setting};
    struct leat_error missing;
    if (!path)
        return lt_fail(err, LEAT_E_NOMEM, 0, "no memory for the AWS configuration");
    loader->path = path;
    leat_status status = lt_ini_read(path, &visitor, &missing);
    if (status == LEAT_E_NOT_FOUND)
        return LEAT_OK;
    if (status != LEAT_OK && err)
        *err = missing;
    return status;
}

static leat_status credentials_of_environment(struct lt_aws_credentials *out,
                                              struct leat_error *err) {
    const char *id = env("AWS_ACCESS_KEY_ID"), *secret = env("AWS_SECRET_ACCESS_KEY");
    if (!id && !secret)
        return LEAT_OK;
    if (!id || !secret)
        return lt_fail(err, LEAT_E_CONFIG, 0, "%s is set and %s is not",
                       id ? "AWS_ACCESS_KEY_ID" : "AWS_SECRET_ACCESS_KEY",
                       id ? "AWS_SECRET_ACCESS_KEY" : "AWS_ACCESS_KEY_ID");
    out->access_key_id = id;
    out->secret_access_key = secret;
    out->session_token =
        env("AWS_SESSION_TOKEN") ? env("AWS_SESSION_TOKEN") : env("AWS_SECURITY_TOKEN");
    out->source = "environment";
    return LEAT_OK;
}

/* The setting that says how to get credentials in a way that leat cannot, or NULL. */
static const char *find_unsupported(const struct profile *config, const struct profile *file,
                                    bool has_keys) {
    for (size_t i = 0; i < N_OF(unsupported); i++) {
        size_t offset = unsupported[i].offset;
        bool set = *(const char *const *)((const char *)config + offset) ||
                   *(const char *const *)((const char *)file + offset);
        if (set && (unsupported[i].above_keys || !has_keys))
            return unsupported[i].key;
    }
    return NULL;
}

static leat_status credentials_of_profile(struct loader *loader, const struct profile *config,
                                          const struct profile *file, struct leat_error *err) {
    struct lt_aws_credentials *out = &loader->out->credentials;
    const struct profile *from = file->access_key_id || file->secret_access_key ? file : config;
    bool has_keys = from->access_key_id || from->secret_access_key;
    const char *key = find_unsupported(config, file, has_keys);

    if (key) {
        out->problem = lt_arena_printf(
            loader->arena,
            "profile %s gets its credentials by %s, which leat does not do; it takes the "
            "aws_access_key_id and aws_secret_access_key of a profile, or the variables that "
            "`aws configure export-credentials --profile %s --format env` prints",
            loader->name, key, loader->name);
        return out->problem ? LEAT_OK
                            : lt_fail(err, LEAT_E_NOMEM, 0, "no memory for the AWS configuration");
    }
    if (!has_keys)
        return LEAT_OK;
    if (!from->access_key_id || !from->secret_access_key)
        return lt_fail(err, LEAT_E_CONFIG, 0, "profile %s has %s and no %s", loader->name,
                       from->access_key_id ? "aws_access_key_id" : "aws_secret_access_key",
                       from->access_key_id ? "aws_secret_access_key" : "aws_access_key_id");
    out->access_key_id = from->access_key_id;
    out->secret_access_key = from->secret_access_key;
    out->session_token = from->session_token;
    out->source = lt_arena_printf(loader->arena, "profile %s", loader->name);
    if (!out->source)
        return lt_fail(err, LEAT_E_NOMEM, 0, "no memory for the AWS configuration");
    return LEAT_OK;
}

/* Without slashes at the end, so that a path can follow. */
static leat_status check_url(struct loader *loader, const char **url, const char *of,
                             struct leat_error *err) {
    if (!*url)
        return LEAT_OK;
    struct lt_slice text = lt_slice_str(*url);
    size_t scheme = !strncasecmp(*url, "http://", 7)    ? 7
                    : !strncasecmp(*url, "https://", 8) ? 8
                                                        : 0;
    while (text.len > scheme && text.data[text.len - 1] == '/')
        text.len--;
    if (!scheme || text.len == scheme || strpbrk(*url, " \t\r\n?#"))
        return lt_fail(err, LEAT_E_CONFIG, 0,
                       "the endpoint URL %s is not of the form http://HOST:PORT or https://HOST",
                       of);
    *url = keep(loader->arena, text, err);
    return *url ? LEAT_OK : LEAT_E_NOMEM;
}

static bool is_true(const char *value) {
    return value && strcasecmp(value, "true") == 0;
}

static leat_status load_endpoints(struct loader *loader, const struct profile *profile,
                                  const char *config_path, struct leat_error *err) {
    struct lt_aws_config *out = loader->out;
    const char *ignore = env("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS");
    leat_status status = LEAT_OK;

    if (is_true(ignore ? ignore : profile->ignore_urls))
        return LEAT_OK;
    out->endpoint_url = env("AWS_ENDPOINT_URL");
    for (size_t i = 0; i < N_OF(services); i++)
        *field(out, services[i].offset) = env(services[i].variable);
    /* The variable for all services goes before a profile's URL for one. */
    if (!out->endpoint_url && profile->services) {
        loader->services_name = profile->services;
        status = read_file(loader, config_path, err);
        if (status == LEAT_OK && !loader->services_found)
            status = lt_fail(err, LEAT_E_CONFIG, 0,
                             "profile %s names the section [services %s], which is not in %s",
                             loader->name, profile->services, config_path);
    }
    if (!out->endpoint_url)
        out->endpoint_url = profile->endpoint_url;
    if (status == LEAT_OK)
        status = check_url(loader, &out->endpoint_url, "for all services", err);
    for (size_t i = 0; i < N_OF(services) && status == LEAT_OK; i++)
        status = check_url(loader, field(out, services[i].offset), services[i].name, err);
    return status;
}

/* What came from the environment may change there. */
static leat_status keep_all(struct lt_aws_config *out, struct lt_arena *arena,
                            struct leat_error *err) {
    const char **texts[] = {&out->region, &out->credentials.access_key_id,
                            &out->credentials.secret_access_key, &out->credentials.session_token};
    for (size_t i = 0; i < N_OF(texts); i++) {
        if (*texts[i] && !(*texts[i] = keep(arena, lt_slice_str(*texts[i]), err)))
            return LEAT_E_NOMEM;
    }
    return LEAT_OK;
}

leat_status lt_aws_config_load(struct lt_aws_config *out, const char *profile,
                               struct lt_arena *arena, struct leat_error *err) {
    struct profile config = {0}, file = {0};
    struct loader loader = {.out = out, .arena = arena, .profile = &config, .is_config = true};
    const char *named = profile              ? profile
                        : env("AWS_PROFILE") ? env("AWS_PROFILE")
                                             : env("AWS_DEFAULT_PROFILE");

    memset(out, 0, sizeof(*out));
    loader.name = named ? named : "default";
    const char *config_path = path_of(arena, "AWS_CONFIG_FILE", ".aws/config");
    leat_status status = read_file(&loader, config_path, err);
    if (status != LEAT_OK)
        return status;
    loader.is_config = false;
    loader.profile = &file;
    const char *file_path = path_of(arena, "AWS_SHARED_CREDENTIALS_FILE", ".aws/credentials");
    status = read_file(&loader, file_path, err);
    if (status != LEAT_OK)
        return status;
    if (named && !config.found && !file.found)
        return lt_fail(err, LEAT_E_CONFIG, 0, "there is no profile %s in %s or %s", named,
                       config_path, file_path);

    if (!profile)
        status = credentials_of_environment(&out->credentials, err);
    if (status == LEAT_OK && !out->credentials.access_key_id)
        status = credentials_of_profile(&loader, &config, &file, err);
    if (status != LEAT_OK)
        return status;
    out->region = env("AWS_REGION") ? env("AWS_REGION") : env("AWS_DEFAULT_REGION");
    if (!out->region)
        out->region = file.region ? file.region : config.region;
    status = load_endpoints(&loader, &config, config_path, err);
    return status == LEAT_OK ? keep_all(out, arena, err) : status;
}

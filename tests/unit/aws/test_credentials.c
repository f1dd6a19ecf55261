/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "aws/credentials.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

struct fixture {
    char home[64];
    char config[128];
    char credentials[128];
    struct lt_arena arena;
    struct lt_aws_config out;
    struct leat_error err;
};

static int set_up(void **state) {
    static const char *const variables[] = {"AWS_ACCESS_KEY_ID",
                                            "AWS_SECRET_ACCESS_KEY",
                                            "AWS_SESSION_TOKEN",
                                            "AWS_SECURITY_TOKEN",
                                            "AWS_PROFILE",
                                            "AWS_DEFAULT_PROFILE",
                                            "AWS_REGION",
                                            "AWS_DEFAULT_REGION",
                                            "AWS_CONFIG_FILE",
                                            "AWS_SHARED_CREDENTIALS_FILE",
                                            "AWS_ENDPOINT_URL",
                                            "AWS_ENDPOINT_URL_KINESIS",
                                            "AWS_ENDPOINT_URL_FIREHOSE",
                                            "AWS_ENDPOINT_URL_S3",
                                            "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS"};
    static struct fixture f;
    memset(&f, 0, sizeof(f));
    for (size_t i = 0; i < sizeof(variables) / sizeof(variables[0]); i++)
        unsetenv(variables[i]);
    snprintf(f.home, sizeof(f.home), "/tmp/leat-aws-XXXXXX");
    assert_non_null(mkdtemp(f.home));
    setenv("HOME", f.home, 1);
    snprintf(f.config, sizeof(f.config), "%s/.aws", f.home);
    assert_int_equal(mkdir(f.config, 0700), 0);
    snprintf(f.config, sizeof(f.config), "%s/.aws/config", f.home);
    snprintf(f.credentials, sizeof(f.credentials), "%s/.aws/credentials", f.home);
    lt_arena_init(&f.arena, 1 << 20);
    *state = &f;
    return 0;
}

static int tear_down(void **state) {
    struct fixture *f = *state;
    char dir[128];
    lt_arena_deinit(&f->arena);
    unlink(f->config);
    unlink(f->credentials);
    snprintf(dir, sizeof(dir), "%s/.aws", f->home);
    rmdir(dir);
    rmdir(f->home);
    return 0;
}

static void write_file(const char *path, const char *text) {
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static leat_status load(struct fixture *f, const char *profile) {
    return lt_aws_config_load(&f->out, profile, &f->arena, &f->err);
}

static void nothing_anywhere_is_no_error(void **state) {
    struct fixture *f = *state;
    assert_int_equal(load(f, NULL), LEAT_OK);
    assert_null(f->out.credentials.access_key_id);
    assert_null(f->out.credentials.problem);
    assert_null(f->out.region);
    assert_null(f->out.endpoint_url);
    assert_null(f->out.endpoint_url_kinesis);
}

static void the_environment_goes_before_the_files(void **state) {
    struct fixture *f = *state;
    write_file(f->credentials, "[default]\naws_access_key_id = FILE\naws_secret_access_key = s\n"
                               "aws_session_token = of-the-file\n");
    write_file(f->config, "[default]\nregion = eu-west-1\n");
    setenv("AWS_ACCESS_KEY_ID", "ENV", 1);
    setenv("AWS_SECRET_ACCESS_KEY", "secret", 1);
    setenv("AWS_DEFAULT_REGION", "us-west-2", 1);
    assert_int_equal(load(f, NULL), LEAT_OK);
    assert_string_equal(f->out.credentials.access_key_id, "ENV");
    assert_string_equal(f->out.credentials.secret_access_key, "secret");
    assert_null(f->out.credentials.session_token);
    assert_string_equal(f->out.credentials.source, "environment");
    assert_string_equal(f->out.region, "us-west-2");
    setenv("AWS_REGION", "us-east-2", 1);
    setenv("AWS_SESSION_TOKEN", "token", 1);
    assert_int_equal(load(f, NULL), LEAT_OK);
    assert_string_equal(f->out.region, "us-east-2");
    setenv("AWS_SESSION_TOKEN", "other", 1);
    assert_string_equal(f->out.credentials.session_token, "token");
}

static void half_a_key_in_the_environment_is_an_error(void **state) {
    struct fixture *f = *state;
    setenv("AWS_SECRET_ACCESS_KEY", "very-hidden", 1);
    assert_int_equal(load(f, NULL), LEAT_E_CONFIG);
    assert_non_null(strstr(f->err.text, "AWS_ACCESS_KEY_ID is not"));
    assert_null(strstr(f->err.text, "hidden"));
    setenv("AWS_SECRET_ACCESS_KEY", "", 1);
    assert_int_equal(load(f, NULL), LEAT_OK);
}

static void profiles_are_found_in_both_files(void **state) {
    struct fixture *f = *state;
    write_file(f->config, "# a comment\n"
                          "[default]\r\n"
                          "region=eu-west-1\r\n"
                          "\n"
                          "[profile dev]\n"
                          "Region : eu-central-1\n"
                          "output = json\n"
                          "aws_access_key_id = CONFIG\n"
                          "aws_secret_access_key = config-secret\n"
                          "[profile \"two words\"]\n"
                          "region = ap-south-1\n"
                          "[dev]\n"
                          "region = wrong\n");
    write_file(f->credentials, "[default]\naws_access_key_id = DEFAULT\n"
                               "aws_secret_access_key = a=b:c#d\n"
                               "; another comment\n"
                               "[dev]\naws_access_key_id=DEV\naws_secret_access_key=dev-secret\n"
                               "aws_session_token = dev-token\n");
    assert_int_equal(load(f, NULL), LEAT_OK);
    assert_string_equal(f->out.credentials.access_key_id, "DEFAULT");
    assert_string_equal(f->out.credentials.secret_access_key, "a=b:c#d");
    assert_string_equal(f->out.credentials.source, "profile default");
    assert_string_equal(f->out.region, "eu-west-1");

    assert_int_equal(load(f, "dev"), LEAT_OK);
    assert_string_equal(f->out.credentials.access_key_id, "DEV");
    assert_string_equal(f->out.credentials.session_token, "dev-token");
    assert_string_equal(f->out.credentials.source, "profile dev");
    assert_string_equal(f->out.region, "eu-central-1");

    setenv("AWS_PROFILE", "two words", 1);
    assert_int_equal(load(f, NULL), LEAT_OK);
    assert_string_equal(f->out.region, "ap-south-1");
    assert_null(f->out.credentials.access_key_id);
}

static void keys_of_one_file_are_not_mixed_with_those_of_the_other(void **state) {
    struct fixture *f = *state;
    write_file(f->config, "[default]\naws_access_key_id = A\naws_secret_access_key = B\n"
                          "aws_session_token = C\n");
    write_file(f->credentials, "[default]\naws_access_key_id = D\naws_secret_access_key = E\n");
    assert_int_equal(load(f, NULL), LEAT_OK);
    assert_string_equal(f->out.credentials.access_key_id, "D");
    assert_null(f->out.credentials.session_token);
    write_file(f->credentials, "[default]\naws_access_key_id = D\n");
    assert_int_equal(load(f, NULL), LEAT_E_CONFIG);
    assert_non_null(strstr(f->err.text, "aws_secret_access_key"));
}

static void a_profile_named_by_the_caller_goes_before_keys_in_the_environment(void **state) {
    struct fixture *f = *state;
    write_file(f->credentials, "[dev]\naws_access_key_id=DEV\naws_secret_access_key=x\n");
    setenv("AWS_ACCESS_KEY_ID", "ENV", 1);
    setenv("AWS_SECRET_ACCESS_KEY", "secret", 1);
    assert_int_equal(load(f, "dev"), LEAT_OK);
    assert_string_equal(f->out.credentials.access_key_id, "DEV");
    setenv("AWS_PROFILE", "dev", 1);
    assert_int_equal(load(f, NULL), LEAT_OK);
    assert_string_equal(f->out.credentials.access_key_id, "ENV");
}

static void a_named_profile_that_is_nowhere_is_an_error(void **state) {
    struct fixture *f = *state;
    write_file(f->config, "[profile dev]\nregion = x\n");
    assert_int_equal(load(f, "prod"), LEAT_E_CONFIG);
    assert_non_null(strstr(f->err.text, "no profile prod in "));
    assert_non_null(strstr(f->err.text, f->config));
    setenv("AWS_PROFILE", "prod", 1);
    assert_int_equal(load(f, NULL), LEAT_E_CONFIG);
}

static void what_leat_cannot_use_is_told_by_name(void **state) {
    static const char *const kinds[] = {"role_arn", "sso_session", "sso_start_url",
                                        "credential_process", "login_session"};
    struct fixture *f = *state;
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        char text[256];
        snprintf(text, sizeof(text), "[profile dev]\n%s = value\nregion = eu-west-1\n", kinds[i]);
        write_file(f->config, text);
        assert_int_equal(load(f, "dev"), LEAT_OK);
        assert_null(f->out.credentials.access_key_id);
        assert_non_null(strstr(f->out.credentials.problem, kinds[i]));
        assert_non_null(strstr(f->out.credentials.problem, "export-credentials --profile dev"));
        assert_string_equal(f->out.region, "eu-west-1");
    }
}

static void keys_stand_in_for_sso_but_not_for_a_role(void **state) {
    struct fixture *f = *state;
    write_file(f->config, "[profile a]\nsso_session = s\n[profile b]\nrole_arn = r\n");
    write_file(f->credentials, "[a]\naws_access_key_id=A\naws_secret_access_key=x\n"
                               "[b]\naws_access_key_id=B\naws_secret_access_key=x\n");
    assert_int_equal(load(f, "a"), LEAT_OK);
    assert_string_equal(f->out.credentials.access_key_id, "A");
    assert_null(f->out.credentials.problem);
    assert_int_equal(load(f, "b"), LEAT_OK);
    assert_null(f->out.credentials.access_key_id);
    assert_non_null(strstr(f->out.credentials.problem, "role_arn"));
}

static void endpoints_are_read_as_the_aws_cli_reads_them(void **state) {
    struct fixture *f = *state;
    write_file(f->config, "[services local]\n"
                          "kinesis =\n"
                          "  endpoint_url = http://localhost:4567/\n"
                          "s3=\n"
                          "    addressing_style = path\n"
                          "    endpoint_url = http://localhost:9000\n"
                          "[default]\n"
                          "services = local\n"
                          "endpoint_url = https://all.example\n"
                          "[services other]\n"
                          "firehose =\n"
                          "  endpoint_url = http://wrong\n");
    assert_int_equal(load(f, NULL), LEAT_OK);
    assert_string_equal(f->out.endpoint_url, "https://all.example");
    assert_string_equal(f->out.endpoint_url_kinesis, "http://localhost:4567");
    assert_string_equal(f->out.endpoint_url_s3, "http://localhost:9000");
    assert_null(f->out.endpoint_url_firehose);

    setenv("AWS_ENDPOINT_URL_S3", "http://127.0.0.1:1", 1);
    assert_int_equal(load(f, NULL), LEAT_OK);
    assert_string_equal(f->out.endpoint_url_s3, "http://127.0.0.1:1");
    assert_string_equal(f->out.endpoint_url_kinesis, "http://localhost:4567");

    setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:2/", 1);
    assert_int_equal(load(f, NULL), LEAT_OK);
    assert_string_equal(f->out.endpoint_url, "http://127.0.0.1:2");
    assert_string_equal(f->out.endpoint_url_s3, "http://127.0.0.1:1");
    assert_null(f->out.endpoint_url_kinesis);

    setenv("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "true", 1);
    assert_int_equal(load(f, NULL), LEAT_OK);
    assert_null(f->out.endpoint_url);
    assert_null(f->out.endpoint_url_s3);
}

static void an_endpoint_that_is_no_url_is_refused_without_repeating_it(void **state) {
    static const char *const urls[] = {
        "localhost:4567",      "http://",        "http:///", "ftp://hidden",
        "http://host/?hidden", "http://a hidden"};
    struct fixture *f = *state;
    for (size_t i = 0; i < sizeof(urls) / sizeof(urls[0]); i++) {
        setenv("AWS_ENDPOINT_URL_KINESIS", urls[i], 1);
        assert_int_equal(load(f, NULL), LEAT_E_CONFIG);
        assert_non_null(strstr(f->err.text, "endpoint URL kinesis"));
        assert_null(strstr(f->err.text, "hidden"));
    }
}

static void a_missing_services_section_is_an_error(void **state) {
    struct fixture *f = *state;
    write_file(f->config, "[default]\nservices = absent\n");
    assert_int_equal(load(f, NULL), LEAT_E_CONFIG);
    assert_non_null(strstr(f->err.text, "[services absent]"));
}

static void a_malformed_file_is_named_with_its_line_and_without_its_text(void **state) {
    static const struct {
        const char *text;
        unsigned line;
    } files[] = {
        {"region = hidden\n", 1},
        {"[default]\nhidden\n", 2},
        {"[default\n", 1},
        {"[]\n", 1},
        {"[default]\n\n= hidden\n", 3},
        {"[default]\ns3 =\n  hidden\n", 3},
        {"[default]\naws_secret_access_key = hidden\n   hidden\n", 3},
    };
    struct fixture *f = *state;
    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
        char place[192];
        write_file(f->credentials, files[i].text);
        assert_int_equal(load(f, NULL), LEAT_E_CONFIG);
        assert_int_equal(f->err.line, files[i].line);
        snprintf(place, sizeof(place), "%s:%u: ", f->credentials, files[i].line);
        assert_non_null(strstr(f->err.text, place));
        assert_null(strstr(f->err.text, "hidden"));
    }
}

static void settings_that_are_not_ours_may_look_as_they_like(void **state) {
    struct fixture *f = *state;
    write_file(f->config, "\xef\xbb\xbf[default]\nregion = eu-west-1\n"
                          "cli_history = a\n  b\n  c = d\n"
                          "s3 =\n  max_concurrent_requests = 20\n\n  # a comment\n"
                          "[plugins]\nx = y\n[profile other]\naws_secret_access_key = a\n  b\n");
    assert_int_equal(load(f, NULL), LEAT_OK);
    assert_string_equal(f->out.region, "eu-west-1");
}

static void other_places_for_the_files_are_taken(void **state) {
    struct fixture *f = *state;
    char path[128];
    snprintf(path, sizeof(path), "%s/elsewhere", f->home);
    write_file(path, "[default]\nregion = sa-east-1\n");
    setenv("AWS_CONFIG_FILE", "~/elsewhere", 1);
    assert_int_equal(load(f, NULL), LEAT_OK);
    assert_string_equal(f->out.region, "sa-east-1");
    unlink(path);
    setenv("AWS_CONFIG_FILE", f->home, 1); /* a folder */
    assert_int_equal(load(f, NULL), LEAT_E_CONFIG);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(nothing_anywhere_is_no_error),
        TEST(the_environment_goes_before_the_files),
        TEST(half_a_key_in_the_environment_is_an_error),
        TEST(profiles_are_found_in_both_files),
        TEST(keys_of_one_file_are_not_mixed_with_those_of_the_other),
        TEST(a_profile_named_by_the_caller_goes_before_keys_in_the_environment),
        TEST(a_named_profile_that_is_nowhere_is_an_error),
        TEST(what_leat_cannot_use_is_told_by_name),
        TEST(keys_stand_in_for_sso_but_not_for_a_role),
        TEST(endpoints_are_read_as_the_aws_cli_reads_them),
        TEST(an_endpoint_that_is_no_url_is_refused_without_repeating_it),
        TEST(a_missing_services_section_is_an_error),
        TEST(a_malformed_file_is_named_with_its_line_and_without_its_text),
        TEST(settings_that_are_not_ours_may_look_as_they_like),
        TEST(other_places_for_the_files_are_taken),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

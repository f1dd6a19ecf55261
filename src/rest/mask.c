/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Secrets in texts. Each secret stands in the list in all the forms that it may take on the way
 * (raw, %XX in capitals and not, a form's, JSON's, Base64's); at each byte of a text the longest
 * form that fits is hidden.
 */
#include "rest/mask.h"

#include "base/base64.h"
#include "rest/auth.h"
#include "json/json.h"

#include <stdlib.h>
#include <strings.h>

enum { KEPT_TOKENS = 8, MAX_FORMS_PER_SECRET = 6, SHORT_SECRET = 4, MAX_SECRET_BYTES = 64 << 10 };

struct form {
    char *text;
    size_t len;
    bool whole_word; /* it is short: hidden only where nothing of its kind stands beside it */
};

struct forms {
    struct form *list;
    size_t n, cap;
};

struct lt_rest_mask {
    struct forms secrets;
    struct forms tokens[KEPT_TOKENS];
    unsigned next_token;
    unsigned starts[256]; /* how many forms begin with that byte */
};

static bool is_unreserved(unsigned char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           strchr("-._~", c);
}

static bool is_word_byte(char c) {
    return c && is_unreserved((unsigned char)c) && c != '.' && c != '~';
}

static bool has_form(const struct forms *forms, struct lt_slice text) {
    for (size_t i = 0; i < forms->n; i++)
        if (lt_slice_eq(lt_slice(forms->list[i].text, forms->list[i].len), text))
            return true;
    return false;
}

/* Takes what stands in `buf` as one more form. */
static bool add_form(struct lt_rest_mask *mask, struct forms *forms, const struct lt_buf *buf,
                     bool whole_word) {
    if (buf->failed)
        return false;
    if (!buf->len || has_form(forms, lt_buf_slice(buf)))
        return true;
    if (forms->n == forms->cap) {
        size_t cap = forms->cap ? forms->cap * 2 : (size_t)MAX_FORMS_PER_SECRET;
        struct form *list = reallocarray(forms->list, cap, sizeof(*list));
        if (!list)
            return false;
        forms->list = list;
        forms->cap = cap;
    }
    struct form *form = &forms->list[forms->n];
    form->text = malloc(buf->len);
    if (!form->text)
        return false;
    memcpy(form->text, buf->data, buf->len);
    form->len = buf->len;
    form->whole_word = whole_word;
    forms->n++;
    mask->starts[(unsigned char)buf->data[0]]++;
    return true;
}

static void drop_forms(struct lt_rest_mask *mask, struct forms *forms) {
    for (size_t i = 0; i < forms->n; i++) {
        mask->starts[(unsigned char)forms->list[i].text[0]]--;
        free(forms->list[i].text);
    }
    free(forms->list);
    *forms = (struct forms){NULL, 0, 0};
}

static void append_percent(struct lt_buf *buf, struct lt_slice text, const char *digits,
                           bool plus) {
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.data[i];
        if (c && is_unreserved(c)) {
            lt_buf_append_byte(buf, (char)c);
        } else if (c == ' ' && plus) {
            lt_buf_append_byte(buf, '+');
        } else {
            const char code[3] = {'%', digits[c >> 4], digits[c & 15]};
            lt_buf_append(buf, lt_slice(code, sizeof(code)));
        }
    }
}

static void append_json(struct lt_buf *buf, struct lt_slice text) {
    lt_json_write_string(buf, text);
    if (buf->failed || buf->len < 2)
        return;
    buf->len--; /* without its quotes */
    lt_buf_consume(buf, 1);
}

static bool add_forms(struct lt_rest_mask *mask, struct forms *forms, struct lt_slice secret) {
    static const char upper[] = "0123456789ABCDEF", lower[] = "0123456789abcdef";
    bool whole_word = secret.len < SHORT_SECRET, ok = true;
    struct lt_buf buf;

    lt_buf_init(&buf, (size_t)MAX_SECRET_BYTES * 6 + 2);
    for (int form = 0; form < MAX_FORMS_PER_SECRET && ok; form++) {
        lt_buf_clear(&buf);
        switch (form) {
        case 0:
            lt_buf_append(&buf, secret);
            break;
        case 1:
            append_percent(&buf, secret, upper, false);
            break;
        case 2:
            append_percent(&buf, secret, lower, false);
            break;
        case 3:
            append_percent(&buf, secret, upper, true);
            break;
        case 4:
            append_json(&buf, secret);
            break;
        default:
            lt_base64_append(&buf, secret);
            break;
        }
        ok = add_form(mask, forms, &buf, whole_word);
    }
    lt_buf_deinit(&buf);
    return ok;
}

static leat_status add(struct lt_rest_mask *mask, struct forms *forms, struct lt_slice secret,
                       struct leat_error *err) {
    if (!secret.len)
        return LEAT_OK;
    if (secret.len > MAX_SECRET_BYTES)
        return lt_fail(err, LEAT_E_LIMIT, 0, "a secret is longer than %d bytes", MAX_SECRET_BYTES);
    return add_forms(mask, forms, secret)
               ? LEAT_OK
               : lt_fail(err, LEAT_E_NOMEM, 0, "no memory for the secrets of an API");
}

leat_status lt_rest_mask_add(struct lt_rest_mask *mask, struct lt_slice secret,
                             struct leat_error *err) {
    return add(mask, &mask->secrets, secret, err);
}

leat_status lt_rest_mask_add_token(struct lt_rest_mask *mask, struct lt_slice token,
                                   struct leat_error *err) {
    for (unsigned i = 0; i < KEPT_TOKENS; i++)
        if (has_form(&mask->tokens[i], token))
            return LEAT_OK;
    struct forms *forms = &mask->tokens[mask->next_token++ % KEPT_TOKENS];
    drop_forms(mask, forms);
    return add(mask, forms, token, err);
}

/* What HTTP Basic makes of a name and a password. */
static leat_status add_basic(struct lt_rest_mask *mask, const char *user, const char *password,
                             struct leat_error *err) {
    leat_status status = LEAT_OK;
    struct lt_arena arena;
    const char *line;

    if (!user)
        return LEAT_OK;
    lt_arena_init(&arena, (size_t)8 * MAX_SECRET_BYTES);
    line = lt_rest_basic_line(lt_slice_str(user), lt_slice_str(password), &arena);
    status = line ? lt_rest_mask_add(mask, lt_slice_str(strrchr(line, ' ') + 1), err)
                  : lt_fail(err, LEAT_E_NOMEM, 0, "no memory for the secrets of an API");
    lt_arena_deinit(&arena);
    return status;
}

leat_status lt_rest_mask_new(struct lt_rest_mask **out, const struct lt_rest_api *api,
                             struct leat_error *err) {
    const struct lt_rest_auth *auth = &api->auth;
    const char *const of_auth[] = {
        auth->value,         auth->username,      auth->password,  auth->token,
        auth->client_secret, auth->refresh_token, auth->client_id, NULL};
    leat_status status = LEAT_OK;
    struct lt_rest_mask *mask = calloc(1, sizeof(*mask));

    *out = NULL;
    if (!mask)
        return lt_fail(err, LEAT_E_NOMEM, 0, "no memory for the secrets of an API");
    for (size_t i = 0; i + 1 < sizeof(of_auth) / sizeof(of_auth[0]) && status == LEAT_OK; i++)
        status = lt_rest_mask_add(mask, lt_slice_str(of_auth[i]), err);
    for (size_t i = 0; i < api->n_secrets && status == LEAT_OK; i++)
        status = lt_rest_mask_add(mask, lt_slice_str(api->secrets[i]), err);
    if (status == LEAT_OK)
        status = add_basic(mask, auth->username, auth->password, err);
    if (status == LEAT_OK)
        status = add_basic(mask, auth->client_id, auth->client_secret, err);
    if (status != LEAT_OK) {
        lt_rest_mask_free(mask);
        return status;
    }
    *out = mask;
    return LEAT_OK;
}

void lt_rest_mask_free(struct lt_rest_mask *mask) {
    if (!mask)
        return;
    drop_forms(mask, &mask->secrets);
    for (unsigned i = 0; i < KEPT_TOKENS; i++)
        drop_forms(mask, &mask->tokens[i]);
    free(mask);
}

static bool is_alone(struct lt_slice text, size_t at, size_t len) {
    return (at == 0 || !is_word_byte(text.data[at - 1])) &&
           (at + len == text.len || !is_word_byte(text.data[at + len]));
}

/* The longest form that stands at `at`, as a length, or 0. */
static size_t longest_in(const struct forms *forms, struct lt_slice text, size_t at) {
    size_t longest = 0;
    for (size_t i = 0; i < forms->n; i++) {
        const struct form *form = &forms->list[i];
        if (form->len > longest && text.len - at >= form->len &&
            memcmp(text.data + at, form->text, form->len) == 0 &&
            (!form->whole_word || is_alone(text, at, form->len)))
            longest = form->len;
    }
    return longest;
}

static size_t secret_at(const struct lt_rest_mask *mask, struct lt_slice text, size_t at) {
    if (!mask->starts[(unsigned char)text.data[at]])
        return 0;
    size_t longest = longest_in(&mask->secrets, text, at);
    for (unsigned i = 0; i < KEPT_TOKENS; i++) {
        size_t len = longest_in(&mask->tokens[i], text, at);
        if (len > longest)
            longest = len;
    }
    return longest;
}

/* The length of "user:password" when a URL's authority begins at `at` and has them, or 0. */
static size_t user_part_at(struct lt_slice text, size_t at) {
    if (at < 3 || memcmp(text.data + at - 3, "://", 3) != 0)
        return 0;
    size_t user_len = 0;
    for (size_t i = at; i < text.len && !strchr("/?# \t\r\n\"'<>", text.data[i]); i++)
        if (text.data[i] == '@')
            user_len = i - at;
    return user_len;
}

void lt_rest_mask_append(const struct lt_rest_mask *mask, struct lt_slice text,
                         struct lt_buf *out) {
    size_t plain_from = 0, at = 0;
    while (at < text.len) {
        size_t hidden = secret_at(mask, text, at);
        size_t user = user_part_at(text, at);
        hidden = hidden > user ? hidden : user;
        if (!hidden) {
            at++;
            continue;
        }
        lt_buf_append(out, lt_slice(text.data + plain_from, at - plain_from));
        lt_buf_append(out, LT_LIT("***"));
        at += hidden;
        plain_from = at;
    }
    lt_buf_append(out, lt_slice_from(text, plain_from));
}

bool lt_rest_mask_hides(const struct lt_rest_mask *mask, struct lt_slice text) {
    for (size_t at = 0; at < text.len; at++)
        if (secret_at(mask, text, at) || user_part_at(text, at))
            return true;
    return false;
}

char *lt_rest_mask_str(const struct lt_rest_mask *mask, struct lt_slice text,
                       struct lt_arena *arena) {
    struct lt_buf buf;
    /* A secret of one byte becomes three. */
    lt_buf_init(&buf, text.len * 3 + 16);
    lt_rest_mask_append(mask, text, &buf);
    char *str = buf.failed ? NULL : lt_arena_str(arena, lt_buf_slice(&buf));
    lt_buf_deinit(&buf);
    return str;
}

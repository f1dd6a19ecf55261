// SPDX-License-Identifier: Apache-2.0
/*
 * The recommender's transform as one writes it by hand with simdjson's on-demand API: for each line
 * the three aggregates and the route, and the line with the three fields spliced in. What the
 * pipeline sends to its dead letters is counted and left out.
 *
 * With -DSTRICT=1 it also looks at the values that it skips, as leat does.
 *
 *   transform_simdjson memory FILE [SECONDS]   again and again in memory; prints the best rate
 *   transform_simdjson pipe FILE               reads the file ("-": standard input), writes to
 *                                              standard output
 */
#include <simdjson.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <string>
#include <string_view>
#include <time.h>
#include <unistd.h>
#include <vector>

using namespace simdjson;

namespace {

#if defined(STRICT)
constexpr bool strict = true;
#else
constexpr bool strict = false;
#endif

/* On demand, nobody looks at a value that is skipped: whether it is a number, a word or a string
 * that JSON allows. Here all are looked at. */
bool check(ondemand::value value) {
    ondemand::json_type type;
    if (value.type().get(type))
        return false;
    switch (type) {
    case ondemand::json_type::array: {
        ondemand::array array;
        if (value.get_array().get(array))
            return false;
        for (auto element : array) {
            ondemand::value v;
            if (element.get(v) || !check(v))
                return false;
        }
        return true;
    }
    case ondemand::json_type::object: {
        ondemand::object object;
        if (value.get_object().get(object))
            return false;
        for (auto member : object) {
            ondemand::value v;
            std::string_view name;
            if (member.unescaped_key().get(name) || member.value().get(v) || !check(v))
                return false;
        }
        return true;
    }
    case ondemand::json_type::number: {
        ondemand::number number;
        return !value.get_number().get(number);
    }
    case ondemand::json_type::string: {
        std::string_view text;
        return !value.get_string().get(text);
    }
    case ondemand::json_type::boolean: {
        bool b;
        return !value.get_bool().get(b);
    }
    default:
        return value.is_null();
    }
}

/* Counts different strings: open addressing, emptied by a new stamp. */
class distinct {
  public:
    void clear() {
        if (entries.size() * 2 > slots.size())
            slots.assign(entries.size() * 4, slot{});
        entries.clear();
        if (++stamp == 0) {
            slots.assign(slots.size(), slot{});
            stamp = 1;
        }
    }

    void add(std::string_view s) {
        if ((entries.size() + 1) * 2 > slots.size())
            grow();
        place(s);
    }

    std::size_t count() const {
        return entries.size();
    }

  private:
    struct slot {
        std::uint32_t stamp = 0, entry = 0;
    };

    static std::uint64_t hash(std::string_view s) {
        std::uint64_t h = s.size() * 0x9e3779b97f4a7c15ULL, word = 0;
        const char *at = s.data();
        std::size_t n = s.size();
        for (; n >= 8; n -= 8, at += 8) {
            std::memcpy(&word, at, 8);
            h = (h ^ word) * 0xff51afd7ed558ccdULL;
            h ^= h >> 32;
        }
        word = 0;
        std::memcpy(&word, at, n);
        h = (h ^ word) * 0xff51afd7ed558ccdULL;
        return h ^ h >> 32;
    }

    void place(std::string_view s) {
        std::size_t mask = slots.size() - 1;
        for (std::size_t i = hash(s) & mask;; i = (i + 1) & mask) {
            if (slots[i].stamp != stamp) {
                slots[i] = {stamp, static_cast<std::uint32_t>(entries.size())};
                entries.push_back(s);
                return;
            }
            if (entries[slots[i].entry] == s)
                return;
        }
    }

    void grow() {
        std::vector<std::string_view> old;
        old.swap(entries);
        slots.assign(slots.size() * 2, slot{});
        stamp = 1;
        for (std::string_view s : old)
            place(s);
    }

    std::vector<slot> slots = std::vector<slot>(64);
    std::vector<std::string_view> entries;
    std::uint32_t stamp = 1;
};

struct totals {
    std::int64_t quantity = 0, in_cart = 0;
};

/* "2" is 2, null is 0; other things are a dead letter. */
bool read_quantity(ondemand::value value, std::int64_t &out) {
    ondemand::json_type type;
    if (value.type().get(type))
        return false;
    switch (type) {
    case ondemand::json_type::number:
        return !value.get_int64().get(out);
    case ondemand::json_type::string:
        return !value.get_int64_in_string().get(out);
    case ondemand::json_type::null:
        out = 0;
        return true;
    default:
        return false;
    }
}

bool read_in_cart(ondemand::value value, bool &out) {
    ondemand::json_type type;
    if (value.type().get(type))
        return false;
    if (type == ondemand::json_type::boolean)
        return !value.get_bool().get(out);
    std::string_view text;
    out = type == ondemand::json_type::string && !value.get_string().get(text) && text == "true";
    return true;
}

bool read_items(ondemand::value value, totals &sums, distinct &products) {
    ondemand::array items;
    if (value.get_array().get(items))
        return false;
    for (auto element : items) {
        ondemand::object item;
        std::int64_t quantity = 0;
        bool in_cart = false;
        std::string_view product;
        if (element.get_object().get(item))
            return false;
        for (auto member : item) {
            ondemand::raw_json_string key;
            ondemand::value v;
            if (member.key().get(key) || member.value().get(v))
                return false;
            if (key == "product_code") {
                if (v.get_string().get(product))
                    return false;
            } else if (key == "quantity") {
                if (!read_quantity(v, quantity))
                    return false;
            } else if (key == "in_shopping_cart") {
                if (!read_in_cart(v, in_cart))
                    return false;
            } else if (strict && !check(v)) {
                return false;
            }
        }
        products.add(product);
        sums.quantity += quantity;
        sums.in_cart += in_cart ? quantity : 0;
    }
    return true;
}

struct program {
    ondemand::parser parser;
    distinct products;
    std::size_t n_dead = 0, n_usa = 0;

    /* One line to `out`; gives its new end, `out` itself for a dead letter. */
    char *run(const char *line, std::size_t len, std::size_t readable, char *out) {
        ondemand::document doc;
        ondemand::object object;
        totals sums;
        bool has_items = false, usa = false;

        products.clear();
        if (parser.iterate(line, len, readable).get(doc) || doc.get_object().get(object))
            return dead(out);
        for (auto member : object) {
            ondemand::raw_json_string key;
            ondemand::value v;
            if (member.key().get(key) || member.value().get(v))
                return dead(out);
            if (key == "browsing_history" || (key == "browse_history" && !has_items)) {
                if (!read_items(v, sums, products))
                    return dead(out);
                has_items = true;
            } else if (key == "country") {
                std::string_view country;
                usa = !v.get_string().get(country) && country == "USA";
            } else if (strict && !check(v)) {
                return dead(out);
            }
        }
        const char *rest;
        if (!has_items || !doc.current_location().get(rest)) /* nothing may follow */
            return dead(out);
        n_usa += usa;
        return splice(line, len, sums, out);
    }

    char *splice(const char *line, std::size_t len, const totals &sums, char *out) {
        std::size_t brace = len - 1;
        while (line[brace] != '}')
            brace--;
        std::memcpy(out, line, brace);
        out += brace;
        out = field(out, ",\"overall_product_quantity\":", sums.quantity);
        out = field(out, ",\"overall_in_shopping_cart\":", sums.in_cart);
        out = field(out,
                    ",\"total_different_products\":", static_cast<std::int64_t>(products.count()));
        *out++ = '}';
        return out;
    }

    template <std::size_t N> char *field(char *out, const char (&name)[N], std::int64_t value) {
        std::memcpy(out, name, N - 1);
        out += N - 1;
        std::uint64_t rest =
            value < 0 ? 0 - static_cast<std::uint64_t>(value) : static_cast<std::uint64_t>(value);
        char digits[20];
        int at = 20;
        do
            digits[--at] = static_cast<char>('0' + rest % 10);
        while (rest /= 10);
        if (value < 0)
            *out++ = '-';
        std::memcpy(out, digits + at, static_cast<std::size_t>(20 - at));
        return out + 20 - at;
    }

    char *dead(char *out) {
        n_dead++;
        return out;
    }
};

std::string read_all(const char *path) {
    std::string text;
    int fd = std::strcmp(path, "-") == 0 ? 0 : open(path, O_RDONLY);
    if (fd < 0) {
        std::perror(path);
        std::exit(1);
    }
    for (ssize_t n = 1; n > 0;) {
        std::size_t before = text.size();
        text.resize(before + (4 << 20));
        n = read(fd, &text[before], 4 << 20);
        text.resize(before + static_cast<std::size_t>(n > 0 ? n : 0));
    }
    if (fd)
        close(fd);
    return text;
}

void write_all(const char *data, std::size_t len) {
    while (len) {
        ssize_t n = write(1, data, len);
        if (n <= 0)
            std::exit(1);
        data += n;
        len -= static_cast<std::size_t>(n);
    }
}

/* Of this thread's own work: what others do on the machine meanwhile is not measured. */
double now() {
    timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_nsec) / 1e9;
}

enum { BATCH_BYTES = 1 << 20 };

/* All lines of the text, the results batch by batch into one buffer. */
std::size_t run_all(program &p, const std::string &text, std::vector<char> &out, bool to_stdout) {
    const char *at = text.data(), *end = at + text.size(), *readable = end + SIMDJSON_PADDING;
    std::size_t n_records = 0, used = 0;

    while (at < end) {
        const char *eol =
            static_cast<const char *>(std::memchr(at, '\n', static_cast<std::size_t>(end - at)));
        if (!eol)
            eol = end;
        std::size_t len = static_cast<std::size_t>(eol - at);
        if (used + len + 256 > out.size()) {
            if (to_stdout)
                write_all(out.data(), used);
            used = 0;
            if (len + 256 > out.size())
                out.resize(len + 256);
        }
        char *to = out.data() + used;
        char *behind = p.run(at, len, static_cast<std::size_t>(readable - at), to);
        if (behind > to && to_stdout)
            *behind++ = '\n';
        used += static_cast<std::size_t>(behind - to);
        n_records++;
        at = eol + 1;
    }
    if (to_stdout)
        write_all(out.data(), used);
    return n_records;
}

} // namespace

int main(int argc, char **argv) {
    if (argc < 3) {
        std::fprintf(stderr, "usage: transform_simdjson memory|pipe FILE [SECONDS]\n");
        return 2;
    }
    std::string text = read_all(argv[2]);
    text.reserve(text.size() + SIMDJSON_PADDING);
    std::vector<char> out(BATCH_BYTES);
    program p;
    if (std::strcmp(argv[1], "pipe") == 0) {
        run_all(p, text, out, true);
        return 0;
    }
    double limit = argc > 3 ? std::atof(argv[3]) : 1, best = 1e9, total = 0;
    std::size_t n_records = 0;
    while (total < limit) {
        p.n_dead = p.n_usa = 0;
        double start = now();
        n_records = run_all(p, text, out, false);
        double s = now() - start;
        best = s < best ? s : best;
        total += s;
    }
    std::printf("{\"mb_s\":%.1f,\"records_s\":%.0f,\"dead\":%zu,\"usa\":%zu}\n",
                static_cast<double>(text.size()) / best / 1e6,
                static_cast<double>(n_records) / best, p.n_dead, p.n_usa);
}

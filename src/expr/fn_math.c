/* SPDX-License-Identifier: Apache-2.0 */
/*
 * jq's functions over libm. What rounds leaves an int64 as it is, so that it stays exact beyond
 * 2^53; everything else is done in doubles, as in jq.
 */
#include "expr/fn.h"
#include "expr/fn_help.h"

#include <limits.h>
#include <math.h>

enum { MAX_ORDER = 1000000 }; /* of Bessel functions, whose time grows with it */

static enum lt_flow require_number(struct lt_vm *vm, struct lt_val v) {
    return v.kind == LT_VAL_NUMBER ? LT_FLOW_ON : lt_fn_refuse(vm, v, "number required");
}

/* of one number */
#define UNARY(name)                                                                                \
    static enum lt_flow do_##name(struct lt_vm *vm, const struct lt_val *args,                     \
                                  struct lt_val *out) {                                            \
        enum lt_flow flow = require_number(vm, args[0]);                                           \
        if (flow == LT_FLOW_ON)                                                                    \
            *out = lt_val_double(name(lt_val_as_double(args[0])));                                 \
        return flow;                                                                               \
    }

/* of one number; an integer is its own answer */
#define ROUNDING(name)                                                                             \
    static enum lt_flow do_##name(struct lt_vm *vm, const struct lt_val *args,                     \
                                  struct lt_val *out) {                                            \
        enum lt_flow flow = require_number(vm, args[0]);                                           \
        if (flow != LT_FLOW_ON)                                                                    \
            return flow;                                                                           \
        struct lt_val v = lt_val_number(args[0]);                                                  \
        *out = v.form == LT_VAL_INT ? v : lt_val_double(name(v.d));                                \
        return LT_FLOW_ON;                                                                         \
    }

/* of two numbers, neither of them the input */
#define BINARY_AS(name, type, convert)                                                             \
    static enum lt_flow do_##name(struct lt_vm *vm, const struct lt_val *args,                     \
                                  struct lt_val *out) {                                            \
        enum lt_flow flow = require_number(vm, args[1]);                                           \
        if (flow == LT_FLOW_ON)                                                                    \
            flow = require_number(vm, args[2]);                                                    \
        if (flow == LT_FLOW_ON)                                                                    \
            *out = lt_val_double(                                                                  \
                name(lt_val_as_double(args[1]), (type)convert(lt_val_as_double(args[2]))));        \
        return flow;                                                                               \
    }
#define BINARY(name) BINARY_AS(name, double, )

static long to_long(double d) {
    return d >= -9223372036854775808.0 && d < 9223372036854775808.0 ? (long)d : LONG_MIN;
}

ROUNDING(floor)
ROUNDING(ceil)
ROUNDING(round)
ROUNDING(trunc)
ROUNDING(rint)
ROUNDING(nearbyint)
UNARY(acos)
UNARY(acosh)
UNARY(asin)
UNARY(asinh)
UNARY(atan)
UNARY(atanh)
UNARY(cbrt)
UNARY(cos)
UNARY(cosh)
UNARY(erf)
UNARY(erfc)
UNARY(exp)
UNARY(exp10)
UNARY(exp2)
UNARY(expm1)
UNARY(j0)
UNARY(j1)
UNARY(log)
UNARY(log10)
UNARY(log1p)
UNARY(log2)
UNARY(logb)
UNARY(significand)
UNARY(sin)
UNARY(sinh)
UNARY(sqrt)
UNARY(tan)
UNARY(tanh)
UNARY(tgamma)
UNARY(y0)
UNARY(y1)
BINARY(atan2)
BINARY(copysign)
BINARY(drem)
BINARY(fdim)
BINARY(fmod)
BINARY(hypot)
BINARY(nextafter)
BINARY(pow)
BINARY(remainder)
BINARY(scalb)
BINARY_AS(ldexp, int, lt_fn_to_int)
BINARY_AS(nexttoward, long double, )
BINARY_AS(scalbln, long, to_long)

static enum lt_flow do_fabs(struct lt_vm *vm, const struct lt_val *args, struct lt_val *out) {
    enum lt_flow flow = require_number(vm, args[0]);
    if (flow != LT_FLOW_ON)
        return flow;
    struct lt_val v = lt_val_number(args[0]);
    if (v.form == LT_VAL_INT && v.i != INT64_MIN)
        *out = lt_val_int(v.i < 0 ? -v.i : v.i);
    else
        *out = lt_val_double(fabs(lt_val_as_double(v)));
    return LT_FLOW_ON;
}

/* Two integers are compared as such: the answer is one of them, exact. */
static enum lt_flow pick(struct lt_vm *vm, const struct lt_val *args, bool greater,
                         struct lt_val *out) {
    enum lt_flow flow = require_number(vm, args[1]);
    if (flow == LT_FLOW_ON)
        flow = require_number(vm, args[2]);
    if (flow != LT_FLOW_ON)
        return flow;
    struct lt_val a = lt_val_number(args[1]);
    struct lt_val b = lt_val_number(args[2]);
    if (a.form == LT_VAL_INT && b.form == LT_VAL_INT) {
        *out = (a.i > b.i) == greater ? a : b;
        return LT_FLOW_ON;
    }
    double x = lt_val_as_double(a);
    double y = lt_val_as_double(b);
    bool first = isnan(y) || (greater ? x >= y : x <= y); /* of 0 and -0 the first, as libjq's */
    *out = lt_val_double(first ? x : y);
    return LT_FLOW_ON;
}

static enum lt_flow do_fmax(struct lt_vm *vm, const struct lt_val *args, struct lt_val *out) {
    return pick(vm, args, true, out);
}

static enum lt_flow do_fmin(struct lt_vm *vm, const struct lt_val *args, struct lt_val *out) {
    return pick(vm, args, false, out);
}

static enum lt_flow bessel(struct lt_vm *vm, const struct lt_val *args, double (*f)(int, double),
                           struct lt_val *out) {
    enum lt_flow flow = require_number(vm, args[1]);
    if (flow == LT_FLOW_ON)
        flow = require_number(vm, args[2]);
    if (flow != LT_FLOW_ON)
        return flow;
    int n = lt_fn_to_int(lt_val_as_double(args[1]));
    if (n > MAX_ORDER || n < -MAX_ORDER)
        return lt_vm_raise(vm, "an order over %d is not computed", MAX_ORDER);
    vm->steps += (uint64_t)(n < 0 ? -n : n) / 16;
    *out = lt_val_double(f(n, lt_val_as_double(args[2])));
    return lt_vm_step(vm);
}

static enum lt_flow do_jn(struct lt_vm *vm, const struct lt_val *args, struct lt_val *out) {
    return bessel(vm, args, jn, out);
}

static enum lt_flow do_yn(struct lt_vm *vm, const struct lt_val *args, struct lt_val *out) {
    return bessel(vm, args, yn, out);
}

static enum lt_flow do_fma(struct lt_vm *vm, const struct lt_val *args, struct lt_val *out) {
    enum lt_flow flow = LT_FLOW_ON;
    for (size_t i = 1; i <= 3 && flow == LT_FLOW_ON; i++)
        flow = require_number(vm, args[i]);
    if (flow == LT_FLOW_ON)
        *out = lt_val_double(
            fma(lt_val_as_double(args[1]), lt_val_as_double(args[2]), lt_val_as_double(args[3])));
    return flow;
}

/* lgamma() keeps the sign in a variable of the whole process. */
static enum lt_flow do_lgamma(struct lt_vm *vm, const struct lt_val *args, struct lt_val *out) {
    int sign;
    enum lt_flow flow = require_number(vm, args[0]);
    if (flow == LT_FLOW_ON)
        *out = lt_val_double(lgamma_r(lt_val_as_double(args[0]), &sign));
    return flow;
}

static struct lt_val pair(struct lt_vm *vm, struct lt_val a, struct lt_val b) {
    struct lt_val list = lt_val_array(&vm->heap, 2);
    list = lt_val_array_append(&vm->heap, list, a);
    return lt_val_array_append(&vm->heap, list, b);
}

static enum lt_flow do_lgamma_r(struct lt_vm *vm, const struct lt_val *args, struct lt_val *out) {
    int sign = 1;
    enum lt_flow flow = require_number(vm, args[0]);
    if (flow != LT_FLOW_ON)
        return flow;
    double d = lgamma_r(lt_val_as_double(args[0]), &sign);
    *out = pair(vm, lt_val_double(d), lt_val_int(sign));
    return LT_FLOW_ON;
}

static enum lt_flow do_frexp(struct lt_vm *vm, const struct lt_val *args, struct lt_val *out) {
    int exponent = 0;
    enum lt_flow flow = require_number(vm, args[0]);
    if (flow != LT_FLOW_ON)
        return flow;
    double d = frexp(lt_val_as_double(args[0]), &exponent);
    *out = pair(vm, lt_val_double(d), lt_val_int(isfinite(d) ? exponent : 0));
    return LT_FLOW_ON;
}

static enum lt_flow do_modf(struct lt_vm *vm, const struct lt_val *args, struct lt_val *out) {
    double whole;
    enum lt_flow flow = require_number(vm, args[0]);
    if (flow != LT_FLOW_ON)
        return flow;
    double part = modf(lt_val_as_double(args[0]), &whole);
    *out = pair(vm, lt_val_double(part), lt_val_double(whole));
    return LT_FLOW_ON;
}

static enum lt_flow do_pow10(struct lt_vm *vm, const struct lt_val *args, struct lt_val *out) {
    (void)args;
    (void)out;
    return lt_vm_raise(vm, "Error: pow10/0 not found at build time");
}

const struct lt_fn lt_fn_math[] = {
    {"acos", 0, do_acos, NULL},
    {"acosh", 0, do_acosh, NULL},
    {"asin", 0, do_asin, NULL},
    {"asinh", 0, do_asinh, NULL},
    {"atan", 0, do_atan, NULL},
    {"atan2", 2, do_atan2, NULL},
    {"atanh", 0, do_atanh, NULL},
    {"cbrt", 0, do_cbrt, NULL},
    {"ceil", 0, do_ceil, NULL},
    {"copysign", 2, do_copysign, NULL},
    {"cos", 0, do_cos, NULL},
    {"cosh", 0, do_cosh, NULL},
    {"drem", 2, do_drem, NULL},
    {"erf", 0, do_erf, NULL},
    {"erfc", 0, do_erfc, NULL},
    {"exp", 0, do_exp, NULL},
    {"exp10", 0, do_exp10, NULL},
    {"exp2", 0, do_exp2, NULL},
    {"expm1", 0, do_expm1, NULL},
    {"fabs", 0, do_fabs, NULL},
    {"fdim", 2, do_fdim, NULL},
    {"floor", 0, do_floor, NULL},
    {"fma", 3, do_fma, NULL},
    {"fmax", 2, do_fmax, NULL},
    {"fmin", 2, do_fmin, NULL},
    {"fmod", 2, do_fmod, NULL},
    {"frexp", 0, do_frexp, NULL},
    {"gamma", 0, do_lgamma, NULL},
    {"hypot", 2, do_hypot, NULL},
    {"j0", 0, do_j0, NULL},
    {"j1", 0, do_j1, NULL},
    {"jn", 2, do_jn, NULL},
    {"ldexp", 2, do_ldexp, NULL},
    {"lgamma", 0, do_lgamma, NULL},
    {"lgamma_r", 0, do_lgamma_r, NULL},
    {"log", 0, do_log, NULL},
    {"log10", 0, do_log10, NULL},
    {"log1p", 0, do_log1p, NULL},
    {"log2", 0, do_log2, NULL},
    {"logb", 0, do_logb, NULL},
    {"modf", 0, do_modf, NULL},
    {"nearbyint", 0, do_nearbyint, NULL},
    {"nextafter", 2, do_nextafter, NULL},
    {"nexttoward", 2, do_nexttoward, NULL},
    {"pow", 2, do_pow, NULL},
    {"pow10", 0, do_pow10, NULL},
    {"remainder", 2, do_remainder, NULL},
    {"rint", 0, do_rint, NULL},
    {"round", 0, do_round, NULL},
    {"scalb", 2, do_scalb, NULL},
    {"scalbln", 2, do_scalbln, NULL},
    {"significand", 0, do_significand, NULL},
    {"sin", 0, do_sin, NULL},
    {"sinh", 0, do_sinh, NULL},
    {"sqrt", 0, do_sqrt, NULL},
    {"tan", 0, do_tan, NULL},
    {"tanh", 0, do_tanh, NULL},
    {"tgamma", 0, do_tgamma, NULL},
    {"trunc", 0, do_trunc, NULL},
    {"y0", 0, do_y0, NULL},
    {"y1", 0, do_y1, NULL},
    {"yn", 2, do_yn, NULL},
    {NULL, 0, NULL, NULL},
};

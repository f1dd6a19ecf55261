/* SPDX-License-Identifier: Apache-2.0 */
/* Functions of libm, as /usr/bin/jq 1.6 gives them. */
#include "fn_rig.h"

static void functions_of_one_number(void **state) {
    static const struct fn_case cases[] = {
        {"[0.5, -1.5, 0, 3, -3 | acos, acosh, asin]", "null",
         "[1.0471975511965979,null,0.5235987755982989,null,null,null,1.5707963267948966,null,0,"
         "null,1.762747174039086,null,null,null,null]"},
        {"[0.5, -1.5, 0, 3, -3 | asinh, atan, atanh]", "null",
         "[0.48121182505960347,0.4636476090008061,0.5493061443340548,-1.1947632172871094,-0."
         "982793723247329,null,0,0,0,1.8184464592320668,1.2490457723982544,null,-1."
         "8184464592320668,-1.2490457723982544,null]"},
        {"[0.5, -1.5, 0, 3, -3 | cbrt, ceil, cos]", "null",
         "[0.7937005259840998,1,0.8775825618903728,-1.1447142425533317,-1,0.0707372016677029,0,0,1,"
         "1.4422495703074083,3,-0.9899924966004454,-1.4422495703074083,-3,-0.9899924966004454]"},
        {"[0.5, -1.5, 0, 3, -3 | cosh, erf, erfc]", "null",
         "[1.1276259652063807,0.5204998778130465,0.4795001221869535,2.352409615243247,-0."
         "9661051464753108,1.9661051464753108,1,0,1,10.067661995777765,0.9999779095030014,2."
         "2090496998585438e-05,10.067661995777765,-0.9999779095030014,1.9999779095030015]"},
        {"[0.5, -1.5, 0, 3, -3 | exp, exp10, exp2]", "null",
         "[1.6487212707001282,3.1622776601683795,1.4142135623730951,0.22313016014842982,0."
         "03162277660168379,0.3535533905932738,1,1,1,20.085536923187668,1000.0000000000001,8,0."
         "049787068367863944,0.001,0.125]"},
        {"[0.5, -1.5, 0, 3, -3 | expm1, fabs, floor]", "null",
         "[0.6487212707001282,0.5,0,-0.7768698398515702,1.5,-2,0,0,0,19.085536923187668,3,3,-0."
         "950212931632136,3,-3]"},
        {"[0.5, -1.5, 0, 3, -3 | j0, j1, lgamma]", "null",
         "[0.9384698072408129,0.2422684576748739,0.5723649429247001,0.5118276717359181,-0."
         "5579365079100996,0.8600470153764809,1,0,1.7976931348623157e+308,-0.2600519549019335,0."
         "33905895852593637,0.6931471805599453,-0.2600519549019335,-0.33905895852593637,1."
         "7976931348623157e+308]"},
        {"[0.5, -1.5, 0, 3, -3 | log, log10, log1p]", "null",
         "[-0.6931471805599453,-0.3010299956639812,0.4054651081081644,null,null,null,-1."
         "7976931348623157e+308,-1.7976931348623157e+308,0,1.0986122886681098,0.47712125471966244,"
         "1.3862943611198906,null,null,null]"},
        {"[0.5, -1.5, 0, 3, -3 | log2, logb, nearbyint]", "null",
         "[-1,-1,0,null,0,-2,-1.7976931348623157e+308,-1.7976931348623157e+308,0,1.584962500721156,"
         "1,3,null,1,-3]"},
        {"[0.5, -1.5, 0, 3, -3 | rint, round, significand]", "null",
         "[0,1,1,-2,-2,-1.5,0,0,0,3,3,1.5,-3,-3,-1.5]"},
        {"[0.5, -1.5, 0, 3, -3 | sin, sinh, sqrt]", "null",
         "[0.479425538604203,0.5210953054937474,0.7071067811865476,-0.9974949866040544,-2."
         "1292794550948173,null,0,0,0,0.1411200080598672,10.017874927409903,1.7320508075688772,-0."
         "1411200080598672,-10.017874927409903,null]"},
        {"[0.5, -1.5, 0, 3, -3 | tan, tanh, tgamma]", "null",
         "[0.5463024898437905,0.46211715726000974,1.772453850905516,-14.101419947171719,-0."
         "9051482536448664,2.363271801207355,0,0,1.7976931348623157e+308,-0.1425465430742778,0."
         "9950547536867305,2,0.1425465430742778,-0.9950547536867305,null]"},
        {"[0.5, -1.5, 0, 3, -3 | trunc, y0, y1]", "null",
         "[0,-0.44451873350670656,-1.4714723926702433,-1,null,null,0,-1.7976931348623157e+308,-1."
         "7976931348623157e+308,3,0.3768500100127904,0.3246744247917999,-3,null,null]"},
        {"[0.5, -1.5, 0, 3, -3 | gamma]", "null",
         "[0.5723649429247001,0.8600470153764809,1.7976931348623157e+308,0.6931471805599453,1."
         "7976931348623157e+308]"},
    };
    (void)state;
    fn_cases_hold(cases, sizeof(cases) / sizeof(cases[0]));
}

static void functions_of_a_number_that_is_none_or_huge(void **state) {
    static const struct fn_case cases[] = {
        {"[nan, infinite, -infinite, 1e300 | acos, acosh, asin]", "null",
         "[null,null,null,null,1.7976931348623157e+308,null,null,null,null,null,691.4686750787736,"
         "null]"},
        {"[nan, infinite, -infinite, 1e300 | asinh, atan, atanh]", "null",
         "[null,null,null,1.7976931348623157e+308,1.5707963267948966,null,-1.7976931348623157e+308,"
         "-1.5707963267948966,null,691.4686750787736,1.5707963267948966,null]"},
        {"[nan, infinite, -infinite, 1e300 | cbrt, ceil, cos]", "null",
         "[null,null,null,1.7976931348623157e+308,1.7976931348623157e+308,null,-1."
         "7976931348623157e+308,-1.7976931348623157e+308,null,1e+100,1e+300,-0.5753861119575491]"},
        {"[nan, infinite, -infinite, 1e300 | cosh, erf, erfc]", "null",
         "[null,null,null,1.7976931348623157e+308,1,0,1.7976931348623157e+308,-1,2,1."
         "7976931348623157e+308,1,0]"},
        {"[nan, infinite, -infinite, 1e300 | exp, exp10, exp2]", "null",
         "[null,null,null,1.7976931348623157e+308,1.7976931348623157e+308,1.7976931348623157e+308,"
         "0,0,0,1.7976931348623157e+308,1.7976931348623157e+308,1.7976931348623157e+308]"},
        {"[nan, infinite, -infinite, 1e300 | expm1, fabs, floor]", "null",
         "[null,null,null,1.7976931348623157e+308,1.7976931348623157e+308,1.7976931348623157e+308,-"
         "1,1.7976931348623157e+308,-1.7976931348623157e+308,1.7976931348623157e+308,1e+300,1e+"
         "300]"},
        {"[nan, infinite, -infinite, 1e300 | j0, j1, lgamma]", "null",
         "[null,null,null,0,0,1.7976931348623157e+308,0,-0,1.7976931348623157e+308,-7."
         "860673062724093e-151,-1.3681360450342481e-151,6.897755278982137e+302]"},
        {"[nan, infinite, -infinite, 1e300 | log, log10, log1p]", "null",
         "[null,null,null,1.7976931348623157e+308,1.7976931348623157e+308,1.7976931348623157e+308,"
         "null,null,null,690.7755278982137,300,690.7755278982137]"},
        {"[nan, infinite, -infinite, 1e300 | log2, logb, nearbyint]", "null",
         "[null,null,null,1.7976931348623157e+308,1.7976931348623157e+308,1.7976931348623157e+308,"
         "null,1.7976931348623157e+308,-1.7976931348623157e+308,996.5784284662087,996,1e+300]"},
        {"[nan, infinite, -infinite, 1e300 | rint, round, significand]", "null",
         "[null,null,null,1.7976931348623157e+308,1.7976931348623157e+308,1.7976931348623157e+308,-"
         "1.7976931348623157e+308,-1.7976931348623157e+308,-1.7976931348623157e+308,1e+300,1e+300,"
         "1.4932217896051503]"},
        {"[nan, infinite, -infinite, 1e300 | sin, sinh, sqrt]", "null",
         "[null,null,null,null,1.7976931348623157e+308,1.7976931348623157e+308,null,-1."
         "7976931348623157e+308,null,-0.8178819121159085,1.7976931348623157e+308,1e+150]"},
        {"[nan, infinite, -infinite, 1e300 | tan, tanh, tgamma]", "null",
         "[null,null,null,null,1,1.7976931348623157e+308,null,-1,null,1.4214488238747245,1,1."
         "7976931348623157e+308]"},
        {"[nan, infinite, -infinite, 1e300 | trunc, y0, y1]", "null",
         "[null,null,null,1.7976931348623157e+308,0,0,-1.7976931348623157e+308,null,null,1e+300,-1."
         "3681360450342481e-151,7.860673062724093e-151]"},
        {"[nan, infinite, -infinite, 1e300 | gamma]", "null",
         "[null,1.7976931348623157e+308,1.7976931348623157e+308,6.897755278982137e+302]"},
    };
    (void)state;
    fn_cases_hold(cases, sizeof(cases) / sizeof(cases[0]));
}

static void functions_that_give_a_pair(void **state) {
    static const struct fn_case cases[] = {
        {"[1.5, -1.5, 0, -3, 1e300, 0.1 | frexp]", "null",
         "[[0.75,1],[-0.75,1],[0,0],[-0.75,2],[0.7466108948025751,997],[0.8,-3]]"},
        {"[1.5, -1.5, 0, -3.25, 1e300, infinite | modf]", "null",
         "[[0.5,1],[-0.5,-1],[0,0],[-0.25,-3],[0,1e+300],[0,1.7976931348623157e+308]]"},
        {"[1.5, -1.5, 0, -3, 10 | lgamma_r]", "null",
         "[[-0.12078223763524522,1],[0.8600470153764809,1],[1.7976931348623157e+308,1],[1."
         "7976931348623157e+308,1],[12.80182748008147,1]]"},
        {"[nan | frexp, modf]", "null", "[[null,0],[null,null]]"},
    };
    (void)state;
    fn_cases_hold(cases, sizeof(cases) / sizeof(cases[0]));
}

static void functions_of_two_numbers(void **state) {
    static const struct fn_case cases[] = {
        {"[atan2(10, -3.5, 0; 3, 0.5)]", "null",
         "[1.2793395323170296,-0.8621700546672264,0,1.5208379310729538,-1.4288992721907328,0]"},
        {"[copysign(10, -3.5, 0; 3, 0.5)]", "null", "[10,3.5,0,10,3.5,0]"},
        {"[drem(10, -3.5, 0; 3, 0.5)]", "null", "[1,-0.5,0,0,-0,0]"},
        {"[fdim(10, -3.5, 0; 3, 0.5)]", "null", "[7,0,0,9.5,0,0]"},
        {"[fmax(10, -3.5, 0; 3, 0.5)]", "null", "[10,3,3,10,0.5,0.5]"},
        {"[fmin(10, -3.5, 0; 3, 0.5)]", "null", "[3,-3.5,0,0.5,-3.5,0]"},
        {"[fmod(10, -3.5, 0; 3, 0.5)]", "null", "[1,-0.5,0,0,-0,0]"},
        {"[hypot(10, -3.5, 0; 3, 0.5)]", "null",
         "[10.44030650891055,4.6097722286464435,3,10.012492197250394,3.5355339059327378,0.5]"},
        {"[ldexp(10, -3.5, 0; 3, 0.5)]", "null", "[80,-28,0,10,-3.5,0]"},
        {"[nextafter(10, -3.5, 0; 3, 0.5)]", "null",
         "[9.999999999999998,-3.4999999999999996,5e-324,9.999999999999998,-3.4999999999999996,5e-"
         "324]"},
        {"[nexttoward(10, -3.5, 0; 3, 0.5)]", "null",
         "[9.999999999999998,-3.4999999999999996,5e-324,9.999999999999998,-3.4999999999999996,5e-"
         "324]"},
        {"[pow(10, -3.5, 0; 3, 0.5)]", "null", "[1000,-42.875,0,3.1622776601683795,null,0]"},
        {"[remainder(10, -3.5, 0; 3, 0.5)]", "null", "[1,-0.5,0,0,-0,0]"},
        {"[scalb(10, -3.5, 0; 3, 0.5)]", "null", "[80,-28,0,null,null,null]"},
        {"[scalbln(10, -3.5, 0; 3, 0.5)]", "null", "[80,-28,0,10,-3.5,0]"},
        {"[jn(0, 1, 2, -1; 0.5, 3)]", "null",
         "[0.9384698072408129,0.2422684576748739,0.03060402345868264,-0.2422684576748739,-0."
         "2600519549019335,0.33905895852593637,0.4860912605858911,-0.33905895852593637]"},
        {"[yn(0, 1, 2; 0.5, 3)]", "null",
         "[-0.44451873350670656,-1.4714723926702433,-5.441370837174267,0.3768500100127904,0."
         "3246744247917999,-0.1604003934849238]"},
        {"[ldexp(1; 1.5, 1e10, nan), scalbln(1; 1e20), jn(1.5; 2)]", "null",
         "[2,0,0,0,0.5767248077568733]"},
    };
    (void)state;
    fn_cases_hold(cases, sizeof(cases) / sizeof(cases[0]));
}

static void fma_takes_three(void **state) {
    static const struct fn_case cases[] = {
        {"fma(2; 3; 4)", "null", "10"},
        {"[fma(1,2; 3,4; 5,6)]", "null", "[8,11,9,13,9,12,10,14]"},
    };
    (void)state;
    fn_cases_hold(cases, sizeof(cases) / sizeof(cases[0]));
}

static void what_is_no_number_is_refused(void **state) {
    static const struct fn_case cases[] = {
        {"floor", "\"a\"", "error: string (\"a\") number required"},
        {"floor", "null", "error: null (null) number required"},
        {"floor", "[]", "error: array ([]) number required"},
        {"floor", "\"abcdefghijklmnop\"", "error: string (\"abcdefghij...) number required"},
        {"pow(\"a\"; 2)", "null", "error: string (\"a\") number required"},
        {"pow(2; \"a\")", "null", "error: string (\"a\") number required"},
        {"pow(\"a\"; \"b\")", "null", "error: string (\"a\") number required"},
        {"fma(\"a\"; 1; 2)", "null", "error: string (\"a\") number required"},
        {"fma(1; \"a\"; 2)", "null", "error: string (\"a\") number required"},
        {"fma(1; 2; {})", "null", "error: object ({}) number required"},
        {"jn(\"a\"; 1)", "null", "error: string (\"a\") number required"},
        {"ldexp(1; \"a\")", "null", "error: string (\"a\") number required"},
        {"fmin(null; 1)", "null", "error: null (null) number required"},
        {"[frexp]", "\"a\"", "error: string (\"a\") number required"},
        {"modf", "null", "error: null (null) number required"},
        {"lgamma_r", "{}", "error: object ({}) number required"},
        {"fabs", "true", "error: boolean (true) number required"},
        {"pow10", "1", "error: Error: pow10/0 not found at build time"},
    };
    (void)state;
    fn_cases_hold(cases, sizeof(cases) / sizeof(cases[0]));
}

static void integers_stay_exact_where_they_are_only_rounded(void **state) {
    static const struct fn_case cases[] = {
        {"[floor, ceil, round, trunc, rint, nearbyint, fabs]", "-9007199254740993",
         "[-9007199254740993,-9007199254740993,-9007199254740993,-9007199254740993,-"
         "9007199254740993,-9007199254740993,9007199254740993]"},
        {"[fmin(.; 9007199254740992), fmax(.; 9007199254740992)]", "9007199254740993",
         "[9007199254740992,9007199254740993]"},
    };
    (void)state;
    fn_cases_hold(cases, sizeof(cases) / sizeof(cases[0]));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(functions_of_one_number),
        cmocka_unit_test(functions_of_a_number_that_is_none_or_huge),
        cmocka_unit_test(functions_that_give_a_pair),
        cmocka_unit_test(functions_of_two_numbers),
        cmocka_unit_test(fma_takes_three),
        cmocka_unit_test(what_is_no_number_is_refused),
        cmocka_unit_test(integers_stay_exact_where_they_are_only_rounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

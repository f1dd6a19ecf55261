/* SPDX-License-Identifier: Apache-2.0 */
/* The evaluation of nodes. Whatever has more than one output, but for the elements of one array, is
 * not known here. */
#include "expr/fuse_sym.h"

#include "expr/fn.h"

enum { MAX_DEPTH = 64 };

static enum lt_sym_status eval_pipe(struct lt_sym *sym, const struct lt_node *node,
                                    struct lt_sym_env *env, struct lt_sym_value input,
                                    struct lt_sym_value *out) {
    struct lt_sym_value between = {0};
    enum lt_sym_status status = lt_sym_eval(sym, node->a, env, input, &between);
    return status == LT_SYM_ONE ? lt_sym_eval(sym, node->b, env, between, out) : status;
}

/* For what does not go element by element: elements may not come out of it. */
static enum lt_sym_status eval_whole(struct lt_sym *sym, const struct lt_node *node,
                                     struct lt_sym_env *env, struct lt_sym_value input,
                                     struct lt_sym_value *out) {
    unsigned n_uses = sym->n_uses;
    enum lt_sym_status status = lt_sym_eval(sym, node, env, input, out);
    if (status == LT_SYM_GENERATES || sym->n_uses != n_uses)
        return lt_sym_unsure(sym, "takes the elements of an array together in a way of its own");
    return status;
}

static enum lt_sym_status eval_alternative(struct lt_sym *sym, const struct lt_node *node,
                                           struct lt_sym_env *env, struct lt_sym_value input,
                                           struct lt_sym_value *out) {
    bool truth = false;
    enum lt_sym_status status = eval_whole(sym, node->a, env, input, out);

    if (status == LT_SYM_ONE)
        status = lt_sym_truth(sym, *out, &truth);
    else if (status == LT_SYM_NONE)
        status = LT_SYM_ONE;
    if (status != LT_SYM_ONE || truth)
        return status;
    return lt_sym_eval(sym, node->b, env, input, out);
}

static enum lt_sym_status eval_if(struct lt_sym *sym, const struct lt_node *node,
                                  struct lt_sym_env *env, struct lt_sym_value input,
                                  struct lt_sym_value *out) {
    struct lt_sym_value condition = {0};
    bool truth = false;
    enum lt_sym_status status = lt_sym_eval(sym, node->a, env, input, &condition);

    if (status == LT_SYM_ONE)
        status = lt_sym_truth(sym, condition, &truth);
    if (status != LT_SYM_ONE)
        return status;
    const struct lt_node *then = truth ? node->b : node->c;
    if (then)
        return lt_sym_eval(sym, then, env, input, out);
    *out = input;
    return LT_SYM_ONE;
}

static enum lt_sym_status eval_and_or(struct lt_sym *sym, const struct lt_node *node,
                                      struct lt_sym_env *env, struct lt_sym_value input,
                                      struct lt_sym_value *out) {
    bool truth = false;
    enum lt_sym_status status = lt_sym_eval(sym, node->a, env, input, out);

    if (status == LT_SYM_ONE)
        status = lt_sym_truth(sym, *out, &truth);
    if (status == LT_SYM_ONE && truth == (node->kind == LT_NODE_AND)) {
        status = lt_sym_eval(sym, node->b, env, input, out);
        if (status == LT_SYM_ONE)
            status = lt_sym_truth(sym, *out, &truth);
    }
    if (status == LT_SYM_ONE)
        *out = lt_sym_bool(sym, truth);
    return status;
}

static enum lt_sym_status eval_binary(struct lt_sym *sym, const struct lt_node *node,
                                      struct lt_sym_env *env, struct lt_sym_value input,
                                      struct lt_sym_value *out) {
    struct lt_sym_value a = {0}, b = {0};
    enum lt_sym_status status = lt_sym_eval(sym, node->b, env, input, &b);

    if (status == LT_SYM_ONE)
        status = lt_sym_eval(sym, node->a, env, input, &a);
    return status == LT_SYM_ONE ? lt_sym_binary(sym, (enum lt_op)node->op, a, b, out) : status;
}

static enum lt_sym_status eval_negate(struct lt_sym *sym, const struct lt_node *node,
                                      struct lt_sym_env *env, struct lt_sym_value input,
                                      struct lt_sym_value *out) {
    struct lt_sym_value a = {0}, zero = {0};
    enum lt_sym_status status = lt_sym_literal(sym, LT_LIT("0"), &zero);
    enum lt_fuse_class type = LT_FUSE_NULL;
    unsigned class;

    if (status == LT_SYM_ONE)
        status = lt_sym_eval(sym, node->a, env, input, &a);
    if (status == LT_SYM_ONE)
        status = lt_sym_class(sym, a, &class, &type);
    if (status == LT_SYM_ONE && type != LT_FUSE_INT) /* -0.0 is not 0 - 0.0 */
        return lt_sym_unsure(sym, "negates what is no whole number");
    return status == LT_SYM_ONE ? lt_sym_binary(sym, LT_OP_SUB, zero, a, out) : status;
}

static struct lt_sym_env *new_env(struct lt_sym *sym, struct lt_sym_env *up, unsigned n_vars,
                                  unsigned n_args) {
    struct lt_sym_env *env = lt_arena_calloc(sym->arena, 1, sizeof(*env));

    if (env) {
        *env = (struct lt_sym_env){.up = up, .n_vars = n_vars, .n_args = n_args};
        env->vars = lt_arena_calloc(sym->arena, n_vars + 1, sizeof(*env->vars));
        env->args = lt_arena_calloc(sym->arena, n_args + 1, sizeof(*env->args));
    }
    if (env && env->vars && env->args)
        return env;
    sym->full = true;
    return NULL;
}

static struct lt_sym_env *climb(struct lt_sym_env *env, unsigned up) {
    while (env && up--)
        env = env->up;
    return env;
}

static enum lt_sym_status call_definition(struct lt_sym *sym, const struct lt_node *node,
                                          struct lt_sym_env *env, struct lt_sym_value input,
                                          struct lt_sym_value *out) {
    const struct lt_def *def = node->def;

    if (def->recursive)
        return lt_sym_unsure(sym, "calls a recursive function");
    struct lt_sym_env *frame = new_env(sym, climb(env, node->up), def->n_vars, (unsigned)node->n);
    if (!frame)
        return LT_SYM_UNSURE;
    for (unsigned i = 0; i < node->n; i++) {
        frame->args[i] = (struct lt_sym_closure){node->items[i], env};
        if (!def->is_value || !def->is_value[i])
            continue;
        enum lt_sym_status status =
            eval_whole(sym, node->items[i], env, input, &frame->vars[def->value_slot[i]]);
        if (status != LT_SYM_ONE)
            return status == LT_SYM_NONE ? lt_sym_unsure(sym, "an argument without a value")
                                         : status;
    }
    return lt_sym_eval(sym, def->body, frame, input, out);
}

/* `select(f)`: `if f then . else empty end`. */
static enum lt_sym_status eval_select(struct lt_sym *sym, const struct lt_node *node,
                                      struct lt_sym_env *env, struct lt_sym_value input,
                                      struct lt_sym_value *out) {
    struct lt_sym_value condition = {0};
    bool truth = false;
    enum lt_sym_status status = lt_sym_eval(sym, node->items[0], env, input, &condition);

    if (status == LT_SYM_ONE)
        status = lt_sym_truth(sym, condition, &truth);
    if (status == LT_SYM_ONE && !truth)
        status = LT_SYM_NONE;
    *out = input;
    return status;
}

static enum lt_sym_status eval_call(struct lt_sym *sym, const struct lt_node *node,
                                    struct lt_sym_env *env, struct lt_sym_value input,
                                    struct lt_sym_value *out) {
    bool ours = node->kind == LT_NODE_BUILTIN || node->def->prelude;
    struct lt_slice name =
        node->kind == LT_NODE_BUILTIN ? lt_slice_str(node->builtin->name) : node->def->name;
    enum lt_sym_status status;

    if (ours && lt_sym_call(sym, name, node, env, input, &status, out))
        return status;
    if (node->kind == LT_NODE_BUILTIN && lt_slice_eq_str(name, "select") && node->n == 1)
        return eval_select(sym, node, env, input, out);
    if (node->kind == LT_NODE_BUILTIN)
        return lt_sym_unsure(sym, node->builtin->name);
    return call_definition(sym, node, env, input, out);
}

static enum lt_sym_status eval_param(struct lt_sym *sym, const struct lt_node *node,
                                     struct lt_sym_env *env, struct lt_sym_value input,
                                     struct lt_sym_value *out) {
    struct lt_sym_env *frame = climb(env, node->up);

    if (!frame || node->slot >= frame->n_args)
        return lt_sym_unsure(sym, "calls a parameter");
    struct lt_sym_closure c = frame->args[node->slot];
    return lt_sym_eval(sym, c.node, c.env, input, out);
}

static bool binds_one_variable(const struct lt_node *node) {
    return node->n_patterns == 1 && node->patterns[0]->kind == LT_PATTERN_VAR;
}

static enum lt_sym_status eval_as(struct lt_sym *sym, const struct lt_node *node,
                                  struct lt_sym_env *env, struct lt_sym_value input,
                                  struct lt_sym_value *out) {
    struct lt_sym_value bound = {0};

    if (!binds_one_variable(node))
        return lt_sym_unsure(sym, "takes a value apart");
    enum lt_sym_status status = lt_sym_eval(sym, node->a, env, input, &bound);
    if (status != LT_SYM_ONE)
        return status;
    env->vars[node->patterns[0]->slot] = bound;
    return lt_sym_eval(sym, node->b, env, input, out);
}

static enum lt_sym_status eval_array(struct lt_sym *sym, const struct lt_node *node,
                                     struct lt_sym_env *env, struct lt_sym_value input,
                                     struct lt_sym_value *out) {
    *out = (struct lt_sym_value){.kind = LT_SYM_LIST};
    if (!node->a)
        return LT_SYM_ONE;
    if (sym->at)
        return lt_sym_unsure(sym, "makes an array of each element");
    enum lt_sym_status status = lt_sym_eval(sym, node->a, env, input, out);
    if (status == LT_SYM_ONE)
        return lt_sym_unsure(sym, "makes an array of single values");
    *out = (struct lt_sym_value){.kind = LT_SYM_LIST};
    if (status != LT_SYM_GENERATES)
        return status == LT_SYM_NONE ? LT_SYM_ONE : status;
    out->list = lt_sym_new_list(sym, sym->generated, (struct lt_sym_closure){node->a, env}, input);
    return out->list ? LT_SYM_ONE : LT_SYM_UNSURE;
}

/* `reduce G as $x (0; . + E)`, which is a sum. */
static enum lt_sym_status eval_reduce(struct lt_sym *sym, const struct lt_node *node,
                                      struct lt_sym_env *env, struct lt_sym_value input,
                                      struct lt_sym_value *out) {
    const struct lt_node *update = node->c;
    struct lt_sym_value start = {0}, list = {.kind = LT_SYM_LIST};

    if (sym->at || !binds_one_variable(node) || update->kind != LT_NODE_BINARY ||
        update->op != LT_OP_ADD || update->a->kind != LT_NODE_IDENTITY)
        return lt_sym_unsure(sym, "reduces to more than a sum");
    enum lt_sym_status status = lt_sym_eval(sym, node->b, env, input, &start);
    if (status != LT_SYM_ONE)
        return status == LT_SYM_NEED ? status : lt_sym_unsure(sym, "reduces to more than a sum");
    const struct lt_fuse_leaf *zero = &sym->plan->leaves[start.leaf];
    bool from_zero = start.kind == LT_SYM_LEAF && zero->what == LT_FUSE_CONST &&
                     zero->type == LT_FUSE_INT && zero->i == 0;
    bool from_null =
        start.kind == LT_SYM_LEAF && zero->what == LT_FUSE_CONST && zero->type == LT_FUSE_NULL;
    if (!from_zero && !from_null)
        return lt_sym_unsure(sym, "reduces from another value than 0 or null");
    status = lt_sym_eval(sym, node->a, env, input, out);
    if (status == LT_SYM_NONE) {
        *out = start;
        return LT_SYM_ONE;
    }
    if (status != LT_SYM_GENERATES)
        return status == LT_SYM_ONE ? lt_sym_unsure(sym, "reduces a single value") : status;
    list.list = lt_sym_new_list(sym, sym->generated, (struct lt_sym_closure){node->a, env}, input);
    if (!list.list)
        return LT_SYM_UNSURE;
    struct lt_sym_list *summands =
        lt_sym_new_list(sym, list, (struct lt_sym_closure){update->b, env},
                        (struct lt_sym_value){.kind = LT_SYM_SUMMED});
    if (!summands)
        return LT_SYM_UNSURE;
    summands->bound = true;
    summands->slot = node->patterns[0]->slot;
    list.list = summands;
    return lt_sym_aggregate(sym, LT_FUSE_SUM, list, from_zero, out);
}

static enum lt_sym_status eval_field(struct lt_sym *sym, const struct lt_node *node,
                                     struct lt_sym_env *env, struct lt_sym_value input,
                                     struct lt_sym_value *out) {
    struct lt_sym_value target = input;
    enum lt_sym_status status =
        node->a ? lt_sym_eval(sym, node->a, env, input, &target) : LT_SYM_ONE;
    return status == LT_SYM_ONE ? lt_sym_field(sym, target, node->text, out) : status;
}

/* `.["name"]`, and `.[0]` and `.[-1]` of a list. */
static enum lt_sym_status eval_index(struct lt_sym *sym, const struct lt_node *node,
                                     struct lt_sym_env *env, struct lt_sym_value input,
                                     struct lt_sym_value *out) {
    struct lt_sym_value key = {0}, target = {0};
    enum lt_sym_status status = lt_sym_eval(sym, node->b, env, input, &key);

    if (status == LT_SYM_ONE)
        status = lt_sym_eval(sym, node->a, env, input, &target);
    if (status != LT_SYM_ONE)
        return status;
    const struct lt_fuse_leaf *leaf = &sym->plan->leaves[key.leaf];
    if (key.kind == LT_SYM_LEAF && leaf->what == LT_FUSE_CONST) {
        if (leaf->type == LT_FUSE_STRING)
            return lt_sym_field(sym, target, lt_slice(leaf->text.data + 1, leaf->text.len - 2),
                                out);
        if (target.kind == LT_SYM_LIST && leaf->type == LT_FUSE_INT &&
            (leaf->i == 0 || leaf->i == -1))
            return lt_sym_aggregate(sym, leaf->i ? LT_FUSE_LAST : LT_FUSE_FIRST, target, false,
                                    out);
    }
    return lt_sym_unsure(sym, "takes an element by its place");
}

static enum lt_sym_status eval_each(struct lt_sym *sym, const struct lt_node *node,
                                    struct lt_sym_env *env, struct lt_sym_value input,
                                    struct lt_sym_value *out) {
    struct lt_sym_value target = input;
    enum lt_sym_status status =
        node->a ? lt_sym_eval(sym, node->a, env, input, &target) : LT_SYM_ONE;
    return status == LT_SYM_ONE ? lt_sym_each(sym, target, node->optional, out) : status;
}

static enum lt_sym_status eval_var(struct lt_sym *sym, const struct lt_node *node,
                                   struct lt_sym_env *env, struct lt_sym_value *out) {
    if (node->kind == LT_NODE_GLOBAL)
        return node->slot < sym->plan->n_vars
                   ? lt_sym_literal(sym, sym->plan->vars[node->slot], out)
                   : lt_sym_unsure(sym, "asks for a variable");
    struct lt_sym_env *frame = climb(env, node->up);
    if (!frame || node->slot >= frame->n_vars)
        return lt_sym_unsure(sym, "asks for a variable");
    *out = frame->vars[node->slot];
    return LT_SYM_ONE;
}

static enum lt_sym_status eval_node(struct lt_sym *sym, const struct lt_node *node,
                                    struct lt_sym_env *env, struct lt_sym_value input,
                                    struct lt_sym_value *out) {
    switch (node->kind) {
    case LT_NODE_IDENTITY:
        *out = input;
        return LT_SYM_ONE;
    case LT_NODE_LITERAL:
        return lt_sym_literal(sym, node->text, out);
    case LT_NODE_FIELD:
        return eval_field(sym, node, env, input, out);
    case LT_NODE_INDEX:
        return eval_index(sym, node, env, input, out);
    case LT_NODE_EACH:
        return eval_each(sym, node, env, input, out);
    case LT_NODE_PIPE:
        return eval_pipe(sym, node, env, input, out);
    case LT_NODE_NEGATE:
        return eval_negate(sym, node, env, input, out);
    case LT_NODE_BINARY:
        return eval_binary(sym, node, env, input, out);
    case LT_NODE_AND:
    case LT_NODE_OR:
        return eval_and_or(sym, node, env, input, out);
    case LT_NODE_ALTERNATIVE:
        return eval_alternative(sym, node, env, input, out);
    case LT_NODE_IF:
        return eval_if(sym, node, env, input, out);
    case LT_NODE_ARRAY:
        return eval_array(sym, node, env, input, out);
    case LT_NODE_AS:
        return eval_as(sym, node, env, input, out);
    case LT_NODE_REDUCE:
        return eval_reduce(sym, node, env, input, out);
    case LT_NODE_VAR:
    case LT_NODE_GLOBAL:
        return eval_var(sym, node, env, out);
    case LT_NODE_CALL:
    case LT_NODE_BUILTIN:
        return eval_call(sym, node, env, input, out);
    case LT_NODE_PARAM:
        return eval_param(sym, node, env, input, out);
    default:
        return lt_sym_unsure(sym, "is more than paths, conditions and aggregates");
    }
}

enum lt_sym_status lt_sym_eval(struct lt_sym *sym, const struct lt_node *node,
                               struct lt_sym_env *env, struct lt_sym_value input,
                               struct lt_sym_value *out) {
    if (sym->full || sym->changed)
        return LT_SYM_UNSURE;
    if (input.kind == LT_SYM_SUMMED && node->kind == LT_NODE_IDENTITY)
        return lt_sym_unsure(sym, "reduces to more than a sum");
    if (sym->depth == MAX_DEPTH)
        return lt_sym_unsure(sym, "is nested too deep");
    sym->depth++;
    enum lt_sym_status status = eval_node(sym, node, env, input, out);
    sym->depth--;
    return status;
}

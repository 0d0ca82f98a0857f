#include "accuracy_table.h"

#include "base/civil.h"
#include "base/decimal.h"
#include "summary.h"

#include <stdio.h>

static void print_train(const Run *run)
{
    const HeldOut *held = &run->held_out;
    char users[DECIMAL_TEXT_SIZE], items[DECIMAL_TEXT_SIZE], pairs[DECIMAL_TEXT_SIZE];
    count_format(held->train_users, users);
    count_format(held->train_items, items);
    count_format(held->train_pairs, pairs);
    summary_line("train", "%s users, %s items, %s pairs", users, items, pairs);
    const InteractionCounts *left_out = &held->interactions;
    if (left_out->bulk_buyers + left_out->bots > 0)
        summary_line("", "left out: %lld bulk buyers, %lld bots", (long long)left_out->bulk_buyers,
                     (long long)left_out->bots);
}

static void print_test_users(const HeldOut *held, const char *label, Protocol protocol)
{
    char users[DECIMAL_TEXT_SIZE], pairs[DECIMAL_TEXT_SIZE];
    count_format(held->test_users[protocol], users);
    count_format(held->test_pairs[protocol], pairs);
    summary_line(label, "%s users, %s pairs to %s", users, pairs, protocol_name(protocol));
}

static void print_test(const Run *run)
{
    const HeldOut *held = &run->held_out;
    bool has_last_baskets = run->recommend_options.leave_last_basket;
    char cut[CIVIL_TEXT_SIZE], count[DECIMAL_TEXT_SIZE];
    print_test_users(held, "test", PROTOCOL_DISCOVER);
    if (run->store != NULL && !has_last_baskets) {
        civil_format_day(run->cut_day, cut);
        print_test_users(held, "", PROTOCOL_AGAIN);
        summary_line("", "held out: %s and later", cut);
    } else if (has_last_baskets) {
        summary_line("", "held out: each customer's last order");
    }
    if (held->unknown_users > 0) {
        count_format(held->unknown_users, count);
        summary_line("", "left out: %s users who have no train pairs", count);
    }
    if (held->repeated > 0) {
        count_format(held->repeated, count);
        summary_line("", "%s pairs came again and count once", count);
    }
}

static void print_header(Protocol protocol)
{
    (void)printf("\n%-9s", protocol_name(protocol));
    static const char *const names[] = {"recall", "NDCG", "MAP", "hits"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        for (int cut = 0; cut < ACCURACY_CUTS; cut++) {
            char name[16];
            (void)snprintf(name, sizeof name, "%s@%d", names[i], accuracy_cuts[cut]);
            (void)printf(" %9s", name);
        }
    }
    (void)printf(" %9s %8s %8s %8s\n", "coverage", "novelty", "learn s", "rank s");
}

static void print_row(const Run *run, const Evaluation *evaluation)
{
    const Accuracy *accuracy = &evaluation->accuracy;
    const double *const figures[] = {accuracy->recall, accuracy->ndcg, accuracy->map,
                                     accuracy->hit_rate};
    (void)printf("%-9s", model_name(evaluation->model));
    if (evaluation->is_singular) {
        (void)printf(" not learned: its matrix is singular; give it a larger lambda\n");
        return;
    }
    if (evaluation->left_out_bytes > 0) {
        char items[DECIMAL_TEXT_SIZE];
        count_format(run->held_out.users.n_columns, items);
        (void)printf(" left out: with %s items it would take %.1f GiB a rank (--ease-most-items, "
                     "--memory)\n",
                     items, (double)evaluation->left_out_bytes / (1 << 30));
        return;
    }
    for (size_t i = 0; i < sizeof figures / sizeof *figures; i++) {
        for (int cut = 0; cut < ACCURACY_CUTS; cut++)
            (void)printf(" %9.4f", figures[i][cut]);
    }
    (void)printf(" %9.4f %8.4f %8.3f %8.3f\n", accuracy->coverage[ACCURACY_CUTS - 1],
                 accuracy->novelty[ACCURACY_CUTS - 1], evaluation->learn_seconds,
                 evaluation->rank_seconds);
}

void accuracy_table_print(const Run *run)
{
    if (comm_rank(run->comm) != 0)
        return;
    print_train(run);
    print_test(run);
    for (int i = 0; i < run->n_evaluations; i++) {
        const Evaluation *evaluation = &run->evaluations[i];
        if (i == 0 || evaluation->protocol != run->evaluations[i - 1].protocol)
            print_header(evaluation->protocol);
        print_row(run, evaluation);
    }
    (void)printf("\n");
}

/* Words of the dialogues that speak of the engine's inside. */
#include "dialogue.h"

/* Not to be seen on the wire. */
void expect_reason(struct talk *t, enum flue_tcp_reason reason)
{
    (void)t;
    (void)reason;
}

void expect_place(struct talk *t, uint32_t seq, uint32_t len)
{
    (void)t;
    (void)seq;
    (void)len;
}

void expect_drop(struct talk *t)
{
    (void)t;
}

/* ---- words of the engine alone: a dialogue that uses one is not in the list of dialogue_adapter_test.c ----------------------
 */

static void alone(struct talk *t)
{
    EXPECT(!"this dialogue needs the engine alone");
}

struct flue_tcp talk_record(struct talk *t, struct setup s)
{
    (void)s;
    alone(t);
    return (struct flue_tcp){0};
}

void talk_load(struct talk *t, const struct flue_tcp *record)
{
    (void)record;
    alone(t);
}

void command(struct talk *t, enum flue_tcp_command which)
{
    (void)which;
    alone(t);
}

void turn(struct talk *t, uint32_t budget)
{
    (void)budget;
    alone(t);
}

void placed(struct talk *t, bool ok)
{
    (void)ok;
    alone(t);
}

void sent(struct talk *t, bool is_turn)
{
    (void)is_turn;
    alone(t);
}

void timer(struct talk *t)
{
    alone(t);
}

/* Verbs of adopted connections: adopt, move, connections. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include "control.h"
#include "relay.h"

cJSON *verb_adopt(struct daemon *d, const cJSON *request)
{
    unsigned id = 0;
    int local = -1;

    (void)request;
    if (d->passed_fd < 0)
        return error_answer("adopt: no descriptor came with the request");
    const char *wrong = relay_adopt(d->relays, d->passed_fd, &local, &id);
    if (wrong != NULL)
        return error_answer(wrong);
    d->passed_fd = -1;
    d->answer_fd = local;
    cJSON *answer = ok_answer();
    add_number(answer, "id", id);
    return answer;
}

/* Of a move: the whole, the adapter's commands, and the rest, the host's part. */
static void times_add(cJSON *to, const struct flue_move_times *t)
{
    add_number(to, "began_us", t->began_us);
    add_number(to, "total_us", t->total_us);
    add_number(to, "adapter_us", t->adapter_us);
    add_number(to, "host_us", t->total_us - t->adapter_us);
    add_number(to, "held", t->held);
    cJSON_AddStringToObject(to, "state", relay_state_name(t->at));
}

cJSON *verb_move(struct daemon *d, const cJSON *request)
{
    const cJSON *id = cJSON_GetObjectItem(request, "id"), *to = cJSON_GetObjectItem(request, "to");
    struct flue_move_times times;
    struct flue_sim_stats before, after;
    bool adapter = cJSON_IsString(to) && strcmp(to->valuestring, "adapter") == 0;

    if (!cJSON_IsNumber(id) || id->valuedouble < 1 || id->valuedouble > UINT32_MAX)
        return error_answer("move: it needs the id of a connection");
    if (!cJSON_IsString(to) || (!adapter && strcmp(to->valuestring, "kernel") != 0))
        return error_answer("move: to is adapter or kernel");
    flue_sim_stats(d->sim, &before);
    const char *wrong = relay_move(d->relays, (unsigned)id->valuedouble, adapter ? RELAY_ADAPTER : RELAY_KERNEL, &times);
    flue_sim_stats(d->sim, &after);
    if (wrong != NULL)
        return error_answer(wrong);
    cJSON *answer = ok_answer();
    times_add(answer, &times);
    add_number(answer, "cycles", after.cycles - before.cycles);
    return answer;
}

static void end_add(cJSON *to, const char *name, const struct sockaddr_storage *a)
{
    char text[INET6_ADDRSTRLEN + 16] = "", address[INET6_ADDRSTRLEN] = "?";
    const struct sockaddr_in *in = (const struct sockaddr_in *)a;
    const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)a;

    if (a->ss_family == AF_INET) {
        inet_ntop(AF_INET, &in->sin_addr, address, sizeof address);
        snprintf(text, sizeof text, "%s:%u", address, ntohs(in->sin_port));
    } else {
        inet_ntop(AF_INET6, &in6->sin6_addr, address, sizeof address);
        snprintf(text, sizeof text, "[%s]:%u", address, ntohs(in6->sin6_port));
    }
    cJSON_AddStringToObject(to, name, text);
}

/* The windows and the estimates, as engine or kernel have them. */
static void engine_add(cJSON *one, const struct flue_move_view *e)
{
    add_number(one, "rcv_wnd", e->rcv_wnd);
    add_number(one, "snd_wnd", e->snd_wnd);
    add_number(one, "cwnd", e->cwnd);
    add_number(one, "ssthresh", e->ssthresh);
    add_number(one, "srtt_us", e->srtt_us);
    add_number(one, "rttvar_us", e->rttvar_us);
    add_number(one, "timeouts", e->timeouts);
    add_number(one, "unread", e->unread);
    add_number(one, "unacked", e->unacked);
}

/* The positions, as the connection's status line has them. */
static void line_add(cJSON *one, const struct relay_view *v)
{
    add_number(one, "snd_una", v->now.snd_una);
    add_number(one, "send_limit", v->now.send_limit);
    add_number(one, "rcv_nxt", v->now.rcv_nxt);
    add_number(one, "consumed", v->now.consumed);
    cJSON_AddBoolToObject(one, "refused", v->now.refused);
    cJSON_AddBoolToObject(one, "doubt", v->now.doubt);
}

struct list {
    cJSON *to;
    bool asks;
};

static void relay_add(void *ctx, const struct relay_view *v)
{
    const struct list *list = ctx;
    cJSON *one = cJSON_CreateObject();

    add_number(one, "id", v->id);
    cJSON_AddStringToObject(one, "where", v->place == RELAY_ADAPTER ? "adapter" : "kernel");
    end_add(one, "local", &v->local);
    end_add(one, "remote", &v->remote);
    add_number(one, "sent", v->sent);
    add_number(one, "received", v->received);
    add_number(one, "sent_adapter", v->sent_adapter);
    add_number(one, "received_adapter", v->received_adapter);
    add_number(one, "moves_in", v->moves_in);
    add_number(one, "moves_out", v->moves_out);
    add_number(one, "held", v->held);
    times_add(cJSON_AddObjectToObject(one, "in"), &v->in);
    times_add(cJSON_AddObjectToObject(one, "out"), &v->out);
    cJSON_AddStringToObject(one, "state", v->state);
    add_number(one, "out_kbps", v->out_kbps);
    add_number(one, "in_kbps", v->in_kbps);
    add_number(one, "again", v->again);
    if (v->place == RELAY_ADAPTER)
        line_add(one, v);
    if (list->asks)
        engine_add(one, &v->engine);
    cJSON_AddItemToArray(list->to, one);
}

/* "brief": true leaves out what the engine has to be asked for; "ended": what they last were. */
cJSON *verb_connections(struct daemon *d, const cJSON *request)
{
    cJSON *answer = ok_answer();
    struct list list = {.to = cJSON_AddArrayToObject(answer, "connections"),
                        .asks = !cJSON_IsTrue(cJSON_GetObjectItem(request, "brief"))};

    relays_each(d->relays, list.asks, relay_add, &list);
    list = (struct list){.to = cJSON_AddArrayToObject(answer, "ended")};
    relays_each_ended(d->relays, relay_add, &list);
    return answer;
}

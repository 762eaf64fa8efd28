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
    cJSON_AddStringToObject(to, "state", flue_ndis_connection_state_name(t->at));
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

static void relay_add(void *ctx, const struct relay_view *v)
{
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
    if (v->place == RELAY_ADAPTER) {
        cJSON_AddStringToObject(one, "state", flue_ndis_connection_state_name(v->now.state));
        add_number(one, "snd_una", v->now.snd_una);
        add_number(one, "send_limit", v->now.send_limit);
        add_number(one, "rcv_nxt", v->now.rcv_nxt);
        add_number(one, "consumed", v->now.consumed);
        add_number(one, "rcv_wnd", v->engine.rcv_wnd);
        add_number(one, "snd_wnd", v->engine.snd_wnd);
        add_number(one, "unread", v->engine.unread);
        add_number(one, "unacked", v->engine.unacked);
        add_number(one, "cwnd", v->engine.cwnd);
        add_number(one, "ssthresh", v->engine.ssthresh);
        add_number(one, "srtt_us", v->engine.srtt_us);
        add_number(one, "rttvar_us", v->engine.rttvar_us);
        add_number(one, "timeouts", v->engine.timeouts);
        cJSON_AddBoolToObject(one, "refused", v->now.refused);
        cJSON_AddBoolToObject(one, "doubt", v->now.doubt);
    }
    cJSON_AddItemToArray(ctx, one);
}

cJSON *verb_connections(struct daemon *d, const cJSON *request)
{
    cJSON *answer = ok_answer(), *list = cJSON_AddArrayToObject(answer, "connections");

    (void)request;
    relays_each(d->relays, relay_add, list);
    return answer;
}

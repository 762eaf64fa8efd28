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

cJSON *verb_move(struct daemon *d, const cJSON *request)
{
    const cJSON *id = cJSON_GetObjectItem(request, "id"), *to = cJSON_GetObjectItem(request, "to");
    bool adapter = cJSON_IsString(to) && strcmp(to->valuestring, "adapter") == 0;

    if (!cJSON_IsNumber(id) || id->valuedouble < 1 || id->valuedouble > UINT32_MAX)
        return error_answer("move: it needs the id of a connection");
    if (!cJSON_IsString(to) || (!adapter && strcmp(to->valuestring, "kernel") != 0))
        return error_answer("move: to is adapter or kernel");
    const char *wrong = relay_move(d->relays, (unsigned)id->valuedouble, adapter ? RELAY_ADAPTER : RELAY_KERNEL);
    return wrong != NULL ? error_answer(wrong) : ok_answer();
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
    add_number(one, "in_us", v->in_us);
    add_number(one, "out_us", v->out_us);
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

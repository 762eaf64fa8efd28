/* Sends on offloaded connections: looked at in flue_target_run(), never from inside the entry point (CH-052). */
#include "target_internal.h"

#include <stdlib.h>
#include "slots.h"

struct target_send {
    struct target_send *next;
    void *context;
    NET_BUFFER_LIST *chain;
    uint32_t bytes;
};

NDIS_STATUS MiniportTcpOffloadSend(NDIS_HANDLE adapter, void *context, NET_BUFFER_LIST *chain)
{
    struct flue_target *t = adapter;
    struct target_send *send;
    uint32_t bytes;

    if (chain == NULL || !nbl_chain_bytes(chain, &bytes))
        return NDIS_STATUS_INVALID_DATA;
    send = malloc(sizeof *send);
    if (send == NULL)
        return NDIS_STATUS_RESOURCES;
    *send = (struct target_send){.context = context, .chain = chain, .bytes = bytes};
    if (t->send_last != NULL)
        t->send_last->next = send;
    else
        t->send_first = send;
    t->send_last = send;
    t->send_count++;
    if (t->params.gate.send != NULL)
        t->params.gate.send(t->params.gate.ctx, true);
    return NDIS_STATUS_PENDING;
}

/* PENDING: keep it. */
static NDIS_STATUS verdict(const struct flue_target *t, const struct target_object *object)
{
    if (object == NULL || !object->live || object->layer != FLUE_LAYER_TCP || object->aborted)
        return NDIS_STATUS_REQUEST_ABORTED;
    if (object->uploads || object->terminating || t->fault != NULL ||
        (t->params.gate.uploading != NULL && t->params.gate.uploading(t->params.gate.ctx)))
        return NDIS_STATUS_UPLOAD_IN_PROGRESS;
    return NDIS_STATUS_PENDING;
}

/* Behind what the connection holds. */
static void keep(struct target_object *object, const struct target_send *send)
{
    NET_BUFFER_LIST **end = &object->chain;

    while (*end != NULL)
        end = &(*end)->Next;
    *end = send->chain;
    object->send_bytes += send->bytes;
}

static void complete(struct flue_target *t, NET_BUFFER_LIST *chain, NDIS_STATUS status)
{
    for (NET_BUFFER_LIST *list = chain; list != NULL; list = list->Next) {
        list->Status = status;
        flue_ndis_slot_set(list, TcpOffloadBytesTransferred, 0);
    }
    if (t->params.ndis.send_complete != NULL)
        t->params.ndis.send_complete(t->params.ndis.miniport, chain);
}

bool target_send_run(struct flue_target *t)
{
    bool any = false;

    while (t->send_first != NULL) {
        struct target_send *send = t->send_first;
        struct target_object *object = handle_find(&t->handles, send->context);
        NDIS_STATUS status = verdict(t, object);
        t->send_first = send->next;
        if (t->send_first == NULL)
            t->send_last = NULL;
        if (status == NDIS_STATUS_PENDING)
            keep(object, send);
        else
            complete(t, send->chain, status);
        t->send_count--;
        free(send);
        if (t->params.gate.send != NULL)
            t->params.gate.send(t->params.gate.ctx, false);
        any = true;
    }
    return any;
}

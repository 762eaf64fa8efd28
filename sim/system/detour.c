#include "detour.h"

#include <stdlib.h>
#include <string.h>

enum { FORWARDS = 4, LIMIT_US = 20000 }; /* at a time: fewer than a test has, so that some wait */

static void on_received(struct live_rig *rig, const struct rig_frame *frame)
{
    struct detour *d = rig->user;
    if (!frame->rx.diverted) {
        if (d->plain)
            d->plain(d->plain_user, frame);
        return;
    }
    d->newest = frame->rx.number;
    CHECK(d->kept_count < DETOUR_FRAMES);
    if (d->kept_count == DETOUR_FRAMES)
        return;
    struct rig_frame *k = &d->kept[d->kept_count++];
    *k = *frame;
    k->data = malloc(frame->len);
    memcpy(k->data, frame->data, frame->len);
}

static void on_done(void *ctx, void *cookie, enum flue_forwarded what)
{
    struct detour *d = ctx;
    d->fate[what]++;
    d->sum++;
    if (cookie)
        *(enum flue_forwarded *)cookie = what;
}

void detour_open(struct detour *d, struct live_rig *rig)
{
    *d = (struct detour){.rig = rig};
    rig->user = d;
    rig->received = on_received;
    CHECK(flue_forward_start(rig->t->rig->adapter,
                             &(struct flue_forward_params){.frames = FORWARDS, .frame_bytes = 1522, .ctx = d, .done = on_done},
                             &d->forward) == FLUE_OK);
}

void detour_close(struct detour *d)
{
    flue_forward_stop(d->forward);
    d->rig->received = NULL;
    detour_forget(d);
}

static void wait_for(struct detour *d, unsigned most)
{
    uint64_t end = flue_sim_time_us(d->rig->t->rig->sim) + LIMIT_US;
    while (flue_forward_outstanding(d->forward) > most && flue_sim_time_us(d->rig->t->rig->sim) < end)
        if (!live_run(d->rig, 20))
            return;
    CHECK(flue_forward_outstanding(d->forward) <= most, "%u frames do not come back", flue_forward_outstanding(d->forward));
}

void detour_forward(struct detour *d)
{
    for (unsigned i = 0; i < d->kept_count; i++) { /* more may come meanwhile */
        struct rig_frame *k = &d->kept[i];
        wait_for(d, FORWARDS - 1);
        CHECK(flue_forward_put(d->forward, &k->rx, k->data, NULL) == FLUE_OK);
        wait_for(d, i + 1 == d->kept_count ? 0 : FORWARDS);
    }
    detour_forget(d);
}

void detour_forget(struct detour *d)
{
    for (unsigned i = 0; i < d->kept_count; i++)
        free(d->kept[i].data);
    d->kept_count = 0;
}

enum flue_forwarded detour_one(struct detour *d, uint32_t handle, const uint8_t *frame, size_t len)
{
    enum flue_forwarded what = FLUE_FORWARD_LOST;
    struct flue_rx_done done = {.len_bytes = (uint32_t)len, .diverted = true, .conn_handle = handle};
    unsigned before = d->sum;
    CHECK(flue_forward_put(d->forward, &done, frame, &what) == FLUE_OK);
    wait_for(d, 0);
    CHECK_EQ(d->sum, before + 1);
    return what;
}

enum flue_forwarded detour_segment(struct detour *d, uint32_t handle, const struct flue_forward_ends *ends,
                                   const uint8_t *segment, size_t len)
{
    enum flue_forwarded what = FLUE_FORWARD_LOST;
    unsigned before = d->sum;
    CHECK(flue_forward_segment(d->forward, handle, ends, segment, (uint32_t)len, &what) == FLUE_OK);
    wait_for(d, 0);
    CHECK_EQ(d->sum, before + 1);
    return what;
}

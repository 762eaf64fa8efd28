/*
 * The driver's side of a detour: diverted frames are kept, copied, in order, and forwarded when the test says so.
 */
#ifndef FLUE_DETOUR_H
#define FLUE_DETOUR_H

#include "flue/forward.h"
#include "live.h"

enum { DETOUR_FRAMES = 256, DETOUR_FATES = FLUE_FORWARD_LOST + 1 };

struct detour {
    struct live_rig *rig;
    struct flue_forward *forward;
    struct rig_frame kept[DETOUR_FRAMES];
    unsigned kept_count;
    unsigned fate[DETOUR_FATES]; /* of the forwarded frames */
    unsigned sum;                /* of fate[] */
    uint32_t newest;             /* number of the last diverted frame */
    void *plain_user;
    void (*plain)(void *user, const struct rig_frame *frame); /* of frames that were not diverted; may be null */
};

/* Keep what is diverted from now on. */
void detour_open(struct detour *d, struct live_rig *rig);
void detour_close(struct detour *d);

/* Forward what is kept, oldest first, and wait until all fates are known. */
void detour_forward(struct detour *d);

/* Forget what is kept. */
void detour_forget(struct detour *d);

/* Forward one frame to a connection; the fate, FLUE_FORWARD_LOST when none comes. */
enum flue_forwarded detour_one(struct detour *d, uint32_t handle, const uint8_t *frame, size_t len);

/* One segment without IP header, likewise. */
enum flue_forwarded detour_segment(struct detour *d, uint32_t handle, const struct flue_forward_ends *ends,
                                   const uint8_t *segment, size_t len);

#endif

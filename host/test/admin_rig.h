/*
 * The core's rig with a management processor that does what the test says, and a list of what came back from it.
 */
#ifndef FLUE_TEST_ADMIN_RIG_H
#define FLUE_TEST_ADMIN_RIG_H

#include "core_rig.h"
#include "flue/admin.h"
#include "flue/ndis/status.h"

#define ADMIN_TIMEOUT_US 10000u
#define ADMIN_LOG2       3u
#define ADMIN_SIZE       (1u << ADMIN_LOG2)

static struct admin_rig {
    struct flue_admin *admin;
    unsigned back[RIG_COOKIES]; /* times a cookie came back */
    unsigned total, notices, traps;
    struct flue_admin_done done; /* the last one */
    enum flue_cqe_kind kind;
    uint32_t notice_status, notice_result;
    struct flue_admin_trap trap;
    unsigned back_at_trap;                    /* commands that had come back when `trapped` was called */
    void (*inside)(struct flue_admin *admin); /* called from the handlers */
} ad;

static inline void ad_done(void *ctx, const struct flue_admin_done *done)
{
    (void)ctx;
    ad.back[rig_number(done->cookie) % RIG_COOKIES]++;
    ad.total++;
    ad.done = *done;
    if (ad.inside != NULL)
        ad.inside(ad.admin);
}

static inline void ad_notice(void *ctx, enum flue_cqe_kind kind, uint32_t status, uint32_t result)
{
    (void)ctx;
    ad.notices++;
    ad.kind = kind;
    ad.notice_status = status;
    ad.notice_result = result;
}

static inline void ad_trapped(void *ctx, const struct flue_admin_trap *trap)
{
    (void)ctx;
    ad.traps++;
    ad.trap = *trap;
    ad.back_at_trap = ad.total;
    if (ad.inside != NULL)
        ad.inside(ad.admin);
}

static const uint32_t ad_image[16] = {0x11111111, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 0xFFFFFFFF};

static inline enum flue_err ad_start(void)
{
    struct flue_admin_params params = {
        .image = ad_image, .image_bytes = sizeof ad_image, .log2_commands = ADMIN_LOG2, .timeout_us = ADMIN_TIMEOUT_US};
    struct flue_admin_handlers handlers = {NULL, ad_done, ad_notice, ad_trapped};
    memset(&ad, 0, sizeof ad);
    return flue_admin_start(rig.a, &params, &handlers, &ad.admin);
}

static inline void open_admin(void)
{
    open_rig();
    CHECK_EQ(ad_start(), FLUE_OK);
}

static inline enum flue_err ad_submit(unsigned cookie, uint32_t opcode, uint32_t length)
{
    struct flue_sqe sqe = {.word0 = FLUE_PUT(SQE_OPCODE, opcode), .length = length};
    return flue_admin_submit(ad.admin, &sqe, rig_cookie(cookie));
}

/* Answer with success; a command without a result that can lie. */
static inline void ad_answer(uint16_t index)
{
    mock_answer(&rig.m, index, (uint32_t)NDIS_STATUS_SUCCESS, 0, FLUE_AD_NONE);
}

#endif

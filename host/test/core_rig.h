/*
 * What the programs that test the core share: one rig, opened and closed by each test.
 */
#ifndef FLUE_TEST_CORE_RIG_H
#define FLUE_TEST_CORE_RIG_H

#include <string.h>
#include "check.h"
#include "rig.h"

static struct rig rig;

static inline void open_rig(void)
{
    CHECK_EQ(rig_open(&rig, 4, 3), FLUE_OK);
}

/* Close, and nothing may be left mapped. */
static inline void close_rig(void)
{
    flue_adapter_close(rig.a);
    rig.a = NULL;
    CHECK_EQ(rig.m.maps, 0);
}

static inline enum flue_err poll_all(void)
{
    unsigned handled;
    return flue_poll(rig.a, 1000, &handled);
}

static inline void put_one(unsigned cookie)
{
    CHECK_EQ(rig_put(&rig, cookie, 0), FLUE_OK);
    CHECK_EQ(flue_tx_kick(rig.a), FLUE_OK);
}

#endif

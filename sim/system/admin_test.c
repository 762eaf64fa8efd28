/*
 * The admin cases of the host tests over the RTL: management processor, its firmware image, rings and DMA.
 */
#include "../../host/test/admin_cases.c"
#include "rig.h"

static void cases(struct rig *rig)
{
    static struct admin_cases c;
    enum flue_err err = admin_cases_start(&c, rig->adapter);
    CHECK(err == FLUE_OK, "width %u: start: %s %s", rig->width, flue_err_name(err),
          flue_adapter_fault(rig->adapter) != NULL ? flue_adapter_fault(rig->adapter) : "");
    for (unsigned i = 0; i < admin_case_count; i++) {
        const char *said = admin_case_list[i].run(&c);
        CHECK(said == NULL, "width %u: %s: %s; fault: %s", rig->width, admin_case_list[i].name, said,
              flue_adapter_fault(rig->adapter) != NULL ? flue_adapter_fault(rig->adapter) : "none");
    }
    flue_admin_stop(c.admin);
    rig_refill(rig);
    rig_expect_alive(rig);
}

/* CH-021: as on the model, every case one after the other on one device; the data plane works afterwards. */
TEST(every_admin_case_holds_on_the_rtl)
{
    static const struct rig_options how[] = {{.width = 32}, {.width = 64, .rough = true}, {.width = 128}};
    for (unsigned i = 0; i < sizeof how / sizeof how[0]; i++) {
        struct rig *rig = rig_open(&how[i]);
        cases(rig);
        rig_close(rig);
    }
}

TEST_MAIN(1)

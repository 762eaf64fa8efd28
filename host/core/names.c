/* Names of numbers. */
#include <string.h>
#include "internal.h"

const char *flue_err_name(enum flue_err err)
{
    switch (err) {
    case FLUE_OK:
        return "FLUE_OK";
    case FLUE_EARG:
        return "FLUE_EARG";
    case FLUE_EAGAIN:
        return "FLUE_EAGAIN";
    case FLUE_ENOMEM:
        return "FLUE_ENOMEM";
    case FLUE_EVERSION:
        return "FLUE_EVERSION";
    case FLUE_EDEVICE:
        return "FLUE_EDEVICE";
    case FLUE_ETIMEOUT:
        return "FLUE_ETIMEOUT";
    case FLUE_ESTATE:
        return "FLUE_ESTATE";
    case FLUE_EUNSUPP:
        return "FLUE_EUNSUPP";
    case FLUE_EIO:
        return "FLUE_EIO";
    case FLUE_EMONITOR:
        return "FLUE_EMONITOR";
    case FLUE_EPEER:
        return "FLUE_EPEER";
    }
    return "FLUE_E?";
}

const char *flue_status_name(uint8_t status)
{
    switch (status) {
#define X(name, value, text)                                                                                                   \
    case value:                                                                                                                \
        return #name;
        FLUE_ST_LIST(X)
#undef X
    }
    return "?";
}

const char *flue_stat_name(unsigned stat)
{
    static const char *const name[FLUE_STAT_COUNT] = {
#define X(name, value, text) [value] = #name,
        FLUE_STAT_LIST(X)
#undef X
    };
    return stat < FLUE_STAT_COUNT ? name[stat] : NULL;
}

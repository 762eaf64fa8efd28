/*
 * Error codes of libflue.  Each says what did not happen.
 */
#ifndef FLUE_ERR_H
#define FLUE_ERR_H

#ifdef __cplusplus
extern "C" {
#endif

#define FLUE_MUST_CHECK __attribute__((warn_unused_result))

enum flue_err {
    FLUE_OK = 0,
    FLUE_EARG,     /* an argument is out of range or null; nothing was touched */
    FLUE_EAGAIN,   /* no room or nothing there now; a retry is harmless */
    FLUE_ENOMEM,   /* memory could not be had; nothing was changed */
    FLUE_EVERSION, /* driver and adapter speak different contract versions; adapter left alone */
    FLUE_EDEVICE,  /* the device answered with something impossible; it is no longer used */
    FLUE_ETIMEOUT, /* the device did not answer within the named limit */
    FLUE_ESTATE,   /* not allowed in the present state; nothing was touched */
    FLUE_EUNSUPP,  /* the device lacks this capability; nothing was touched */
    FLUE_EIO,      /* a system call failed; errno says why */
    FLUE_EMONITOR, /* a simulation monitor was violated; flue_sim_violation() says which */
    FLUE_EPEER,    /* the process at the far end of the wire broke its rules or is gone; flue_sim_peer_error() says how */
};

/* Name of a code, "FLUE_EARG"; "FLUE_E?" for an unknown one.  Static storage. */
const char *flue_err_name(enum flue_err err);

#ifdef __cplusplus
}
#endif
#endif

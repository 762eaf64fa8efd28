/* The RTL engine as a subject (rtl/tcp/flue_tcp_engine.sv, 64 rows of which `rows` are used). */
#ifndef FLUE_LOCKSTEP_SUBJECT_RTL_H
#define FLUE_LOCKSTEP_SUBJECT_RTL_H

#include "subject.h"

#ifdef __cplusplus
extern "C" {
#endif

struct tcp_subject *tcp_subject_rtl(unsigned rows);
void tcp_subject_rtl_free(struct tcp_subject *subject);

#ifdef __cplusplus
}
#endif
#endif

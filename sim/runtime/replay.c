/* Run a log again, comparing outputs and writing waves. */
#include "runtime.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

struct replay {
    const struct flue_model_api *api;
    void *model;
    struct flue_flog log;
    struct flue_flog_head head;
    const char *fst_path;
    uint64_t from_us, to_us;
    uint64_t hash;
    uint64_t sub; /* cycles since the time input changed */
    uint64_t at_us;
    uint64_t ps;
    uint64_t sum_us; /* time of the last sum that agreed */
    bool tracing, traced;
    struct flue_sim_replay_result *result;
};

static bool trace_window(struct replay *r)
{
    bool inside = r->fst_path && r->at_us >= r->from_us && r->at_us <= r->to_us;
    if (inside && !r->traced) {
        r->tracing = r->traced = r->api->trace_open(r->model, r->fst_path);
        if (!r->tracing) {
            flue_sim_error("%s: waves cannot be written", r->fst_path);
            return false;
        }
    } else if (!inside && r->tracing) {
        r->api->trace_close(r->model);
        r->tracing = false;
    }
    return true;
}

static bool replay_cycle(struct replay *r, struct flue_model_out *out)
{
    const struct flue_model_in *in = &r->log.in;
    const uint32_t period_ps = 1000000 / r->head.clock_mhz;
    r->sub = in->time_us == r->at_us ? r->sub + 1 : 0;
    r->at_us = in->time_us;
    if (!trace_window(r))
        return false;
    if (r->tracing) {
        uint64_t ps = r->at_us * UINT64_C(1000000) + r->sub * period_ps;
        r->ps = ps > r->ps ? ps : r->ps + period_ps;
        r->api->cycle_traced(r->model, in, out, r->ps, period_ps / 2);
    } else {
        r->api->cycle(r->model, in, out);
    }
    r->hash = flue_flog_hash(r->hash, out);
    if (!r->result->cycles++)
        r->result->first_us = r->at_us;
    r->result->last_us = r->at_us;
    return true;
}

static enum flue_err replay_all(struct replay *r)
{
    struct flue_model_out out;
    memset(&out, 0, sizeof out);
    for (;;) {
        uint32_t count = 0;
        uint64_t sum = 0;
        switch (flue_flog_next(&r->log, &count, &sum)) {
        case FLUE_FLOG_CYCLES:
            while (count--)
                if (!replay_cycle(r, &out))
                    return FLUE_EIO;
            break;
        case FLUE_FLOG_SUM:
            if (sum != r->hash && r->result->equal) {
                r->result->equal = false;
                r->result->differs_at_us = r->sum_us;
            }
            r->sum_us = r->at_us;
            break;
        case FLUE_FLOG_END:
            return FLUE_OK;
        default:
            flue_sim_error("the log ends in the middle");
            return FLUE_EARG;
        }
    }
}

/* The log itself, or the one a capture names (beside the capture when its name has no folder). */
static enum flue_err open_log(struct replay *r, const char *path)
{
    char name[PATH_MAX], beside[PATH_MAX + PATH_MAX];
    enum flue_err err = flue_flog_open(&r->log, path, &r->head);
    if (err == FLUE_EIO)
        flue_sim_error("%s: %s", path, strerror(errno));
    if (err != FLUE_EARG)
        return err;
    if (flue_pcapng_section_value(path, "log", name, sizeof name) || !*name) {
        flue_sim_error("%s is neither a log nor a capture that names one", path);
        return FLUE_EARG;
    }
    err = flue_flog_open(&r->log, name, &r->head);
    if (err == FLUE_EIO) {
        const char *slash = strrchr(path, '/'), *base = strrchr(name, '/');
        snprintf(beside, sizeof beside, "%.*s%s", slash ? (int)(slash - path + 1) : 0, path, base ? base + 1 : name);
        err = flue_flog_open(&r->log, beside, &r->head);
    }
    if (err)
        flue_sim_error("%s, the log of %s: %s", name, path, err == FLUE_EIO ? strerror(errno) : "not a log of this version");
    return err;
}

static enum flue_err replay(const char *path, const char *fst_path, uint64_t from_us, uint64_t to_us, const char *model_dir,
                            const struct flue_model_api *api, struct flue_sim_replay_result *result)
{
    struct replay r = {.fst_path = fst_path, .from_us = from_us, .to_us = to_us ? to_us : UINT64_MAX, .result = result};
    memset(result, 0, sizeof *result);
    enum flue_err err = open_log(&r, path);
    if (err)
        return err;
    result->equal = true;
    result->seed = r.head.seed;
    result->width = r.head.width;
    r.api = api;
    if (!api)
        err = flue_sim_load(model_dir, r.head.width, fst_path != NULL, &r.api);
    if (!err) {
        r.model = r.api->create(r.head.seed);
        err = r.model ? replay_all(&r) : FLUE_ENOMEM;
    }
    if (r.tracing)
        r.api->trace_close(r.model);
    if (r.model)
        r.api->destroy(r.model);
    fclose(r.log.file);
    return err;
}

enum flue_err flue_sim_replay(const char *path, const char *fst_path, uint64_t from_us, uint64_t to_us, const char *model_dir,
                              struct flue_sim_replay_result *result)
{
    return replay(path, fst_path, from_us, to_us, model_dir, NULL, result);
}

enum flue_err flue_sim_replay_model(const char *path, const struct flue_model_api *api, struct flue_sim_replay_result *result)
{
    return replay(path, NULL, 0, 0, NULL, api, result);
}

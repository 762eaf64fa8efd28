/* Find the Verilated model of a width: a shared object, so that a program links no width it does not use.  Once loaded it stays. */
#include "runtime.h"

#include <dlfcn.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifndef FLUE_MODEL_INSTALL_DIR
#define FLUE_MODEL_INSTALL_DIR "/usr/local/lib/flue"
#endif

/* Places where the models may be, best first. */
static unsigned places(const char *dir, char place[][PATH_MAX], unsigned cap)
{
    unsigned n = 0;
    char exe[PATH_MAX];
    const char *env = getenv("FLUE_MODEL_DIR");
    if (dir) {
        snprintf(place[n++], PATH_MAX, "%s", dir);
        return n;
    }
    if (env && *env)
        snprintf(place[n++], PATH_MAX, "%s", env);
    ssize_t len = readlink("/proc/self/exe", exe, sizeof exe - 1);
    if (len > 0) {
        static const char *const BESIDE[] = { "", "/../lib", "/../models", "/../lib/flue" };
        exe[len] = 0;
        *strrchr(exe, '/') = 0;
        for (unsigned i = 0; i < sizeof BESIDE / sizeof *BESIDE && n + 1 < cap; i++)
            if (snprintf(place[n], PATH_MAX, "%s%s", exe, BESIDE[i]) < PATH_MAX)
                n++;
    }
    snprintf(place[n++], PATH_MAX, "%s", FLUE_MODEL_INSTALL_DIR);
    return n;
}

enum flue_err flue_sim_load(const char *dir, unsigned width, bool traced, const struct flue_model_api **api)
{
    char place[8][PATH_MAX], path[PATH_MAX + 64], sought[8 * PATH_MAX] = "";
    unsigned n = places(dir, place, 8);
    *api = NULL;
    for (unsigned i = 0; i < n; i++) {
        snprintf(path, sizeof path, "%.*s/libflue_model_w%u%s.so", PATH_MAX, place[i], width, traced ? "_fst" : "");
        strcat(sought, i ? ", " : "");
        strncat(sought, place[i], PATH_MAX - 2);
        if (access(path, R_OK))
            continue;
        void *lib = dlopen(path, RTLD_NOW | RTLD_LOCAL);
        if (!lib) {
            flue_sim_error("%s", dlerror());
            return FLUE_EUNSUPP;
        }
        flue_model_api_fn *get;
        *(void **)&get = dlsym(lib, "flue_model_api");
        const struct flue_model_api *a = get ? get() : NULL;
        if (!a || a->abi != FLUE_MODEL_ABI || a->width != width || a->traced != traced) {
            flue_sim_error("%s is not a model of this version, %u bits wide", path, width);
            return FLUE_EUNSUPP;
        }
        *api = a;
        return FLUE_OK;
    }
    flue_sim_error("no libflue_model_w%u%s.so in %s", width, traced ? "_fst" : "", sought);
    return FLUE_EUNSUPP;
}

enum flue_err flue_sim_open(const struct flue_sim_config *cfg, struct flue_sim **sim)
{
    const struct flue_model_api *api;
    *sim = NULL;
    enum flue_err err = flue_sim_load(cfg->model_dir, cfg->width, cfg->fst_path != NULL, &api);
    return err ? err : flue_sim_open_model(cfg, api, sim);
}

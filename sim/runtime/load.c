/* Find the Verilated model of a width: a shared object, so that a program links no width it does not use.  Once loaded it
 * stays. */
#include "runtime.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifndef FLUE_MODEL_INSTALL_DIR
#define FLUE_MODEL_INSTALL_DIR "/usr/local/lib/flue"
#endif

enum { PLACES = 8, DIR_LEN = 1024 };

struct place {
    char dir[DIR_LEN];
};

/* Where the models may be, best first. */
static unsigned places(const char *dir, struct place place[PLACES])
{
    unsigned n = 0;
    char exe[DIR_LEN / 2];
    const char *env = getenv("FLUE_MODEL_DIR");
    if (dir) {
        snprintf(place[n++].dir, DIR_LEN, "%s", dir);
        return n;
    }
    if (env && *env)
        snprintf(place[n++].dir, DIR_LEN, "%s", env);
    ssize_t len = readlink("/proc/self/exe", exe, sizeof exe - 1);
    if (len > 0) {
        static const char *const BESIDE[] = {"", "/../bin", "/../lib/flue"};
        exe[len] = 0;
        *strrchr(exe, '/') = 0;
        for (unsigned i = 0; i < sizeof BESIDE / sizeof *BESIDE; i++)
            snprintf(place[n++].dir, DIR_LEN, "%s%s", exe, BESIDE[i]);
    }
    snprintf(place[n++].dir, DIR_LEN, "%s", FLUE_MODEL_INSTALL_DIR);
    return n;
}

enum flue_err flue_sim_load(const char *dir, unsigned width, bool traced, const struct flue_model_api **api)
{
    struct place place[PLACES];
    char path[DIR_LEN + 64], sought[PLACES * (DIR_LEN + 2)] = "";
    unsigned n = places(dir, place);
    *api = NULL;
    for (unsigned i = 0; i < n; i++) {
        int len = snprintf(path, sizeof path, "%s/libflue_model_w%u%s.so", place[i].dir, width, traced ? "_fst" : "");
        strcat(sought, i ? ", " : "");
        strcat(sought, place[i].dir);
        if (len >= (int)sizeof path || access(path, R_OK))
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

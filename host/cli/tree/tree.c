/* `flue tree FILE`: the verb. */
#include <getopt.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "../cli.h"
#include "tree.h"

#define WIDTH_DEFAULT 128u

struct tree_options {
    struct tree_device_params device;
    const char *file, *dump;
    bool check;
};

/* The whole text of a file; null with a message. */
static char *file_read(const char *path, size_t *len)
{
    FILE *in = strcmp(path, "-") == 0 ? stdin : fopen(path, "r");
    char *text = malloc(FLUE_TEXT_BYTES_MAX + 1);

    if (in == NULL || text == NULL) {
        complain(STATUS_USAGE, "%s: %s", path, in == NULL ? strerror(errno) : "out of memory");
        free(text);
        text = NULL;
    } else {
        *len = fread(text, 1, FLUE_TEXT_BYTES_MAX + 1, in); /* a byte more than allowed is refused by the parser */
        if (ferror(in) != 0) {
            complain(STATUS_USAGE, "%s: %s", path, strerror(errno));
            free(text);
            text = NULL;
        }
    }
    if (in != NULL && in != stdin)
        fclose(in);
    return text;
}

static struct flue_text_script *script_read(const char *path)
{
    struct flue_text_script *script = NULL;
    struct flue_text_error error;
    size_t len = 0;
    char *text = file_read(path, &len);

    if (text == NULL)
        return NULL;
    enum flue_err err = flue_text_parse(text, len, &script, &error);
    if (err == FLUE_ENOMEM)
        complain(STATUS_REFUSED, "%s: out of memory", path);
    else if (err != FLUE_OK && error.line == 0)
        fprintf(stderr, "%s: %s\n", path, error.text);
    else if (err != FLUE_OK)
        fprintf(stderr, "%s:%u:%u: %s\n", path, error.line, error.column, error.text);
    free(text);
    return script;
}

static int options_read(struct tree_options *o, int argc, char **argv)
{
    static const struct option options[] = {
        {"device", required_argument, NULL, 'd'},    {"dump", required_argument, NULL, 'f'},  {"check", no_argument, NULL, 'c'},
        {"model-dir", required_argument, NULL, 'm'}, {"width", required_argument, NULL, 'w'}, {NULL, 0, NULL, 0}};
    int option;

    *o = (struct tree_options){.device = {.kind = TREE_DEVICE_MODEL, .width = WIDTH_DEFAULT}};
    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        switch (option) {
        case 'd':
            if (strcmp(optarg, "model") != 0 && strcmp(optarg, "rtl") != 0)
                return complain(STATUS_USAGE, "--device: '%s' is not model or rtl", optarg);
            o->device.kind = strcmp(optarg, "rtl") == 0 ? TREE_DEVICE_RTL : TREE_DEVICE_MODEL;
            break;
        case 'f':
            o->dump = optarg;
            break;
        case 'c':
            o->check = true;
            break;
        case 'm':
            o->device.model_dir = optarg;
            break;
        case 'w':
            if (strcmp(optarg, "32") != 0 && strcmp(optarg, "64") != 0 && strcmp(optarg, "128") != 0)
                return complain(STATUS_USAGE, "--width: '%s' is not 32, 64 or 128", optarg);
            o->device.width = (unsigned)strtoul(optarg, NULL, 10);
            break;
        default:
            return STATUS_USAGE;
        }
    }
    if (optind + 1 != argc)
        return complain(STATUS_USAGE, "tree: needs one FILE (- is the standard input)");
    o->file = argv[optind];
    return STATUS_OK;
}

static int script_run(const struct tree_options *o, const struct flue_text_script *script)
{
    struct tree_device_params params = o->device;
    cJSON *steps = json ? cJSON_CreateArray() : NULL;
    const char *wrong;
    unsigned unmet = 0;
    int status = STATUS_REFUSED;

    if (o->dump != NULL && (params.dump = fopen(o->dump, "w")) == NULL) {
        cJSON_Delete(steps);
        return complain(STATUS_REFUSED, "--dump: %s: %s", o->dump, strerror(errno));
    }
    struct tree_device *device = tree_device_open(&params, &wrong);
    if (device == NULL)
        complain(status, "%s: %s", params.kind == TREE_DEVICE_RTL ? "rtl" : "model", wrong);
    else if (tree_run(device, script, o->file, steps, &unmet) == FLUE_OK)
        status = unmet > 0 ? STATUS_REFUSED : STATUS_OK;
    if (json && device != NULL) {
        cJSON *out = cJSON_CreateObject();
        cJSON_AddBoolToObject(out, "ok", status == STATUS_OK);
        cJSON_AddNumberToObject(out, "unmet", unmet);
        cJSON_AddItemToObject(out, "steps", steps);
        char *text = cJSON_Print(out);
        puts(text);
        cJSON_free(text);
        cJSON_Delete(out);
    } else {
        cJSON_Delete(steps);
    }
    if (params.dump != NULL && fclose(params.dump) != 0)
        return complain(STATUS_REFUSED, "--dump: %s: %s", o->dump, strerror(errno));
    return status;
}

int verb_tree(int argc, char **argv)
{
    struct tree_options o;
    int status = options_read(&o, argc, argv);

    if (status != STATUS_OK)
        return status;
    struct flue_text_script *script = script_read(o.file);
    if (script == NULL)
        return STATUS_USAGE;
    if (o.check)
        flue_text_print(stdout, script);
    else
        status = script_run(&o, script);
    flue_text_free(script);
    return status;
}

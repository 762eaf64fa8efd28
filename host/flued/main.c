/* flued: see flued.h and `flued --help`. */
#include "flued.h"

int main(int argc, char **argv)
{
    struct options options;

    int status = options_read(&options, argc, argv);
    if (status >= 0)
        return status;
    if (!privileges_get(&options))
        return 1;
    return daemon_run(&options);
}

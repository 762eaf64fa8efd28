// Runs the Verilated top of one unit bench: clock, reset, waves.  The rest is bench.c.
#include <cstdio>
#include <cstring>
#include <memory>

#include "Vbench.h"
#include "bench.h"
#include "verilated.h"
#if VM_TRACE_FST
#include "verilated_fst_c.h"
static std::unique_ptr<VerilatedFstC> wave;
#endif

static std::unique_ptr<VerilatedContext> context;
static std::unique_ptr<Vbench> top;

static void edge(bool clk) {
    top->clk = clk;
    top->eval();
#if VM_TRACE_FST
    if (wave) wave->dump(context->time());
#endif
    context->timeInc(5);
}

extern "C" void bench_top_clock(bool rst) {
    top->rst = rst;
    edge(true);
    edge(false);
}

int main(int argc, char **argv) {
    context = std::make_unique<VerilatedContext>();
    context->randReset(2);
    context->randSeed(1);
#if VM_TRACE_FST
    context->traceEverOn(true);
#endif
    top = std::make_unique<Vbench>(context.get());
    for (int i = 1; i + 1 < argc; i++) {
        if (std::strcmp(argv[i], "--wave") != 0) continue;
#if VM_TRACE_FST
        wave = std::make_unique<VerilatedFstC>();
        top->trace(wave.get(), 99);
        wave->open(argv[i + 1]);
#else
        std::fprintf(stderr, "--wave: this bench was built without waves\n");
        return 2;
#endif
    }
    edge(false);
    int status = bench_main(argc, argv);
    top->final();
#if VM_TRACE_FST
    wave.reset();                       // before the model that it reads
#endif
    top.reset();
    return status;
}

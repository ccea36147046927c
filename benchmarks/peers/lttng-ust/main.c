// Emits events through LTTng-UST in rounds, with a pause after each so that the consumer daemon can catch up.
// Writes one line for each timed round, "sample TAB name TAB nanoseconds per event", and at last "emitted TAB name TAB events".
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tp.h"

static double now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1e9 + t.tv_nsec;
}

static double u64_round_ns(uint64_t first, int events)
{
    double start = now_ns();
    for (int i = 0; i < events; i++)
        lttng_ust_tracepoint(weir_bench_peer, u64, first + i);
    return now_ns() - start;
}

static double int_str16_round_ns(int events)
{
    double start = now_ns();
    for (int i = 0; i < events; i++)
        lttng_ust_tracepoint(weir_bench_peer, int_str16, i, "WEIRweirWEIRweir");
    return now_ns() - start;
}

int main(int argc, char **argv)
{
    if (argc != 6) {
        fprintf(stderr, "usage: %s u64|int_str16 NAME WARMUP_ROUNDS ROUNDS EVENTS_PER_ROUND\n", argv[0]);
        return 2;
    }
    int is_u64 = strcmp(argv[1], "u64") == 0;
    const char *name = argv[2];
    int warmup = atoi(argv[3]), rounds = atoi(argv[4]), events = atoi(argv[5]);
    if (!(is_u64 ? lttng_ust_tracepoint_enabled(weir_bench_peer, u64) : lttng_ust_tracepoint_enabled(weir_bench_peer, int_str16))) {
        fprintf(stderr, "%s: no session records the event\n", name);
        return 1;
    }

    // The upper half of every value is a marker, by which the events that reached the trace are counted.
    uint64_t value = (uint64_t)0x52494557 << 32;
    for (int round = 0; round < warmup + rounds; round++) {
        double ns = is_u64 ? u64_round_ns(value, events) : int_str16_round_ns(events);
        value += events;
        if (round >= warmup)
            printf("sample\t%s\t%.4f\n", name, ns / events);
        nanosleep(&(struct timespec){.tv_nsec = 10 * 1000 * 1000}, NULL);
    }
    printf("emitted\t%s\t%" PRIu64 "\n", name, (uint64_t)events * (warmup + rounds));
    return 0;
}

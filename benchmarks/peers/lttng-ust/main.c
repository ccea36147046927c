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

#if defined(__x86_64__)
static uint64_t cycles(void)
{
    uint32_t low, high;
    __asm__ __volatile__("lfence; rdtsc" : "=a"(low), "=d"(high)::"memory");
    return (uint64_t)high << 32 | low;
}

static int by_value(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

// The counter before and after each event, as Weir's own measurement takes it.
static void print_latencies(const char *name, uint64_t first, int events)
{
    uint64_t *times = malloc(events * sizeof *times);
    double start_ns = now_ns();
    uint64_t start = cycles();
    for (int i = 0; i < events; i++) {
        uint64_t before = cycles();
        lttng_ust_tracepoint(weir_bench_peer, u64, first + i);
        times[i] = cycles() - before;
    }
    double ns_per_cycle = (now_ns() - start_ns) / (cycles() - start);
    qsort(times, events, sizeof *times, by_value);
    printf("sample\t%s.p50\t%.4f\n", name, times[events / 2] * ns_per_cycle);
    printf("sample\t%s.p99\t%.4f\n", name, times[(int)(events * 0.99)] * ns_per_cycle);
    printf("sample\t%s.p999\t%.4f\n", name, times[(int)(events * 0.999)] * ns_per_cycle);
    printf("sample\t%s.max\t%.4f\n", name, times[events - 1] * ns_per_cycle);
    free(times);
}
#else
static void print_latencies(const char *name, uint64_t first, int events)
{
    (void)name, (void)first, (void)events;
    fprintf(stderr, "the counter is read on x86-64 only\n");
    exit(1);
}
#endif

int main(int argc, char **argv)
{
    if (argc != 6) {
        fprintf(stderr, "usage: %s u64|u64_latency|int_str16 NAME WARMUP_ROUNDS ROUNDS EVENTS_PER_ROUND\n", argv[0]);
        return 2;
    }
    int is_latency = strcmp(argv[1], "u64_latency") == 0;
    int is_u64 = is_latency || strcmp(argv[1], "u64") == 0;
    const char *name = argv[2];
    int warmup = atoi(argv[3]), rounds = atoi(argv[4]), events = atoi(argv[5]);
    if (!(is_u64 ? lttng_ust_tracepoint_enabled(weir_bench_peer, u64) : lttng_ust_tracepoint_enabled(weir_bench_peer, int_str16))) {
        fprintf(stderr, "%s: no session records the event\n", name);
        return 1;
    }

    // The upper half of every value is a marker, by which the events that reached the trace are counted.
    uint64_t value = (uint64_t)0x52494557 << 32;
    if (is_latency) {
        u64_round_ns(value, events);
        print_latencies(name, value, events);
        return 0;
    }
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

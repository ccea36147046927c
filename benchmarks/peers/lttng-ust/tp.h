#undef LTTNG_UST_TRACEPOINT_PROVIDER
#define LTTNG_UST_TRACEPOINT_PROVIDER weir_bench_peer

#undef LTTNG_UST_TRACEPOINT_INCLUDE
#define LTTNG_UST_TRACEPOINT_INCLUDE "./tp.h"

#if !defined(WEIR_BENCH_PEER_TP_H) || defined(LTTNG_UST_TRACEPOINT_HEADER_MULTI_READ)
#define WEIR_BENCH_PEER_TP_H

#include <stdint.h>
#include <lttng/tracepoint.h>

LTTNG_UST_TRACEPOINT_EVENT(weir_bench_peer, u64,
    LTTNG_UST_TP_ARGS(uint64_t, value),
    LTTNG_UST_TP_FIELDS(lttng_ust_field_integer(uint64_t, value, value)))

LTTNG_UST_TRACEPOINT_EVENT(weir_bench_peer, int_str16,
    LTTNG_UST_TP_ARGS(int, n, const char *, s),
    LTTNG_UST_TP_FIELDS(lttng_ust_field_integer(int, n, n) lttng_ust_field_string(s, s)))

#endif

#include <lttng/tracepoint-event.h>

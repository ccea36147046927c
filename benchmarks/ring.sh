# The ring set: what the library costs by itself, for every client and mode. Sourced by ./bench.

ring_bench=$here/benchmarks/Ring/bin/Release/net10.0/RingBench.dll
ring_sequences=(rseq atomic)

ring() { attempt dotnet "$ring_bench" "$@" || { not_measured "ring $1" "the program failed" "$log"; failed=1; }; }

# ratio_line NAME SAMPLED_NAME SAMPLED_NAME_OF_THE_BASE - a ratio that is a figure of its own.
ratio_line() {
    local base
    base=$(median "$3")
    [ -z "$base" ] || line "$1" "$(awk -v a="$(median "$2")" -v b="$base" 'BEGIN { if (a) print a / b }')" %.3f ratio
}

run_ring() {
    quietly dotnet build "$here/benchmarks/Ring" -c Release -v quiet --disable-build-servers
    local has_lttng=1 cpus pass name sequence how condition point threads
    cpus=$(nproc)
    build_lttng_peer || has_lttng=0
    for pass in 1 2; do
        remark "ring: pass $pass of 2"
        ring clients "$samples" 60 50000
        ring scaling "$samples" 3 1000000
        ring latency "$samples" 1000000
        if [ $has_lttng = 1 ]; then
            lttng_ust peer.lttng-ust.latency overwrite u64_latency 1 1000000 || has_lttng=0
        fi
        ring moving "$samples" 40 0
    done

    base=$(median clock.read)
    time_line clock.read
    for sequence in "${ring_sequences[@]}"; do
        for name in ctf-compact ctf-large ftrace plain perf; do
            time_line "ring.$name.discard.$sequence"
            time_line "ring.$name.overwrite.$sequence"
            ratio_line "ring.$name.overwrite-to-discard.$sequence" "ring.$name.overwrite.$sequence" "ring.$name.discard.$sequence"
        done
    done
    time_line ring.plain.discard.global
    for name in overwrite.rseq drained.rseq overwrite.atomic; do
        for how in pinned free; do
            for ((threads = 1; threads <= 4 * cpus; threads++)); do
                throughput_line "ring.scale.$name.$how.$threads" "ring.scale.$name.$how.$threads" "ring.scale.$name.$how.1"
            done
        done
    done
    for point in p50 p99 p999 max; do
        time_line "ring.latency.nothing.$point"
        for sequence in "${ring_sequences[@]}"; do
            for condition in alone collecting crowd; do time_line "ring.latency.$sequence.$condition.$point"; done
        done
        time_line "peer.lttng-ust.latency.$point"
    done
    for name in file.64k file.1024k pipe.64k pipe.1024k; do
        for how in write descriptor copy; do
            line "ring.move.$name.$how" "$(median "ring.move.$name.$how")" %.2f GB/s "$(median "ring.move.$name.copy")"
        done
    done
}

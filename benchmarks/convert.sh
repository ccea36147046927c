# The convert set: reading traces, beside babeltrace2 in the same run. Sourced by ./bench.
# shellcheck shell=bash disable=SC2154

convert_bench=$here/benchmarks/Convert/bin/Release/net10.0/ConvertBench.dll

# measure NAME PROGRAM ARGUMENT... - one run; samples NAME.cpu (user and system, s), NAME.wall (s) and NAME.peak (MiB). Its output goes through a pipe.
measure() {
    local name=$1 status user system wall peak bytes
    shift
    if ! attempt dotnet "$convert_bench" run "$@"; then
        not_measured "$name" "it cannot be run" "$log"
        return 1
    fi
    IFS=$'\t' read -r status user system wall peak bytes <"$log.out"
    if [ "$status" != 0 ] || [ "$bytes" -lt "${least_bytes:-0}" ]; then
        not_measured "$name" "status $status, $bytes bytes of output" "$log"
        return 1
    fi
    awk -v n="$name" -v u="$user" -v s="$system" -v w="$wall" -v p="$peak" 'BEGIN {
        printf "sample\t%s.cpu\t%.3f\nsample\t%s.wall\t%.3f\nsample\t%s.peak\t%.1f\n", n, u + s, n, w, n, p / 1024 }' >>"$samples"
}

# measure_ctf NAME PROGRAM ARGUMENT... - one run that writes the trace anew.
measure_ctf() {
    local status=0
    measure "$@" -o ctf -w "$work/written" "$trace" || status=1
    rm -rf "$work/written"
    return $status
}

# make_trace NAME BYTES STREAMS PACKET_BYTES [index] - sets trace, events, first and last (ns).
make_trace() {
    trace=$1
    shift
    quietly dotnet "$convert_bench" trace "$trace" "$@"
    IFS=$'\t' read -r events first last <"$log.out"
}

# times NAME [PEER] - the CPU and wall time lines of NAME; the ratio is how many times the peer's.
times() {
    local peer=${2:-}
    line "$1.cpu" "$(median "$1.cpu")" %.3f s "$(median "${peer:-none}.cpu")"
    line "$1.wall" "$(median "$1.wall")" %.3f s "$(median "${peer:-none}.wall")"
}

# events_line NAME - events in each second of CPU time; the ratio is to the peer's.
events_line() {
    local own peer
    own=$(median "$1.cpu")
    peer=$(median "${2:-none}.cpu")
    [ -n "$own" ] || return 0
    line "$1" "$(awk -v e="$events" -v t="$own" 'BEGIN { printf "%.0f", e / t }')" %.0f "events/s CPU" \
        "$([ -z "$peer" ] || awk -v e="$events" -v t="$peer" 'BEGIN { printf "%.3f", e / t }')"
}

peak_line() { line "$1.peak" "$(median "$1.peak")" %.0f MiB; }

# The places: BENCH_BABELTRACE2 names peers (programs) besides the babeltrace2 on the PATH; BENCH_LARGE_BYTES the size of the large trace.
run_convert() {
    local weir=$here/artifacts/weir/weir large=${BENCH_LARGE_BYTES:-11000000000} peers=() peer name trace events first last least_bytes i begin end
    "$here/weir" --version >/dev/null
    quietly dotnet build "$here/benchmarks/Convert" -c Release -v quiet --disable-build-servers
    export XDG_CACHE_HOME=$work/cache
    for peer in babeltrace2 ${BENCH_BABELTRACE2:-}; do
        if command -v "$peer" >/dev/null; then peers+=("$(command -v "$peer")"); else not_measured "peer.$peer" "it is not there"; fi
    done

    remark "convert: counting, text and CTF"
    make_trace "$work/events" 420000000 4 262144 index
    for i in 1 2 3; do
        least_bytes=0
        measure convert.count.1job "$weir" convert -o dummy --jobs 1 "$trace" || failed=1
        measure convert.count "$weir" convert -o dummy "$trace" || failed=1
        for peer in "${peers[@]}"; do
            [ "$i" = 3 ] || measure "peer.$(peer_name "$peer").count" "$peer" -c source.ctf.fs -p "inputs=[\"$trace\"]" -c sink.utils.counter || true
        done
        least_bytes=1000000
        measure convert.text.1job "$weir" convert --jobs 1 "$trace" || failed=1
        measure convert.text "$weir" convert "$trace" || failed=1
        for peer in "${peers[@]}"; do
            [ "$i" != 1 ] || measure "peer.$(peer_name "$peer").text" "$peer" "$trace" || true
        done
        least_bytes=0
        measure_ctf convert.ctf.1job "$weir" convert --jobs 1 || failed=1
        measure_ctf convert.ctf "$weir" convert || failed=1
        for peer in "${peers[@]}"; do
            [ "$i" != 1 ] || measure_ctf "peer.$(peer_name "$peer").ctf" "$peer" || true
        done
    done
    for name in count text ctf; do
        for peer in "${peers[@]}"; do
            events_line "peer.$(peer_name "$peer").$name"
            events_line "convert.$name.1job" "peer.$(peer_name "$peer").$name"
        done
        for peer in "${peers[@]}"; do times "peer.$(peer_name "$peer").$name" convert."$name".1job; done
        times "convert.$name.1job"
        times "convert.$name" "convert.$name.1job"
        peak_line "convert.$name"
    done
    rm -r "$trace"

    remark "convert: start-up"
    make_trace "$work/tiny" 4096 1 4096
    least_bytes=0
    for i in 1 2 3 4 5 6 7 8 9; do
        measure convert.start "$weir" convert "$trace" || failed=1
        for peer in "${peers[@]}"; do measure "peer.$(peer_name "$peer").start" "$peer" "$trace" || true; done
    done
    line convert.start "$(median convert.start.wall)" %.3f s
    for peer in "${peers[@]}"; do line "peer.$(peer_name "$peer").start" "$(median "peer.$(peer_name "$peer").start.wall")" %.3f s; done

    remark "convert: 512 streams"
    make_trace "$work/streams" 200000000 512 16384
    measure convert.512streams "$weir" convert "$trace" || failed=1
    times convert.512streams
    peak_line convert.512streams
    rm -r "$trace"

    remark "convert: $large bytes"
    if [ "$(df --output=avail -B1 "${TMPDIR:-/tmp}" | tail -n 1)" -lt $((large + 2000000000)) ]; then
        not_measured convert.large "there is no room for it in ${TMPDIR:-/tmp}"
        return
    fi
    large_place=$(mktemp -d "${TMPDIR:-/tmp}/weir-bench-large.XXXXXX")
    for i in 4096 65536 1048576; do
        make_trace "$large_place/trace" "$large" 4 "$i" index
        # One percent of the time, in the middle.
        begin=$(awk -v a="$first" -v b="$last" 'BEGIN { printf "%.9f", (a + (b - a) * 0.5) / 1e9 }')
        end=$(awk -v a="$first" -v b="$last" 'BEGIN { printf "%.9f", (a + (b - a) * 0.51) / 1e9 }')
        measure "convert.window.$i.indexed" "$weir" convert -o dummy "--begin=$begin" "--end=$end" "$trace" || failed=1
        mv "$trace/index" "$large_place/index"
        measure "convert.window.$i.first" "$weir" convert -o dummy "--begin=$begin" "--end=$end" "$trace" || failed=1
        measure "convert.window.$i.second" "$weir" convert -o dummy "--begin=$begin" "--end=$end" "$trace" || failed=1
        measure "convert.large.$i" "$weir" convert -o dummy "$trace" || failed=1
        for name in window.$i.indexed window.$i.first window.$i.second large.$i; do
            times "convert.$name"
            peak_line "convert.$name"
        done
        rm -r "$large_place"/*
    done
    rm -r "$large_place"
}

# peer_name PROGRAM - babeltrace2-VERSION.
peer_name() { "$1" --version 2>/dev/null | awk 'NR == 1 { sub(/"$/, "", $NF); print "babeltrace2-" $2; exit }'; }

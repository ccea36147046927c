# The emit set: what an event costs where it is emitted. Sourced by ./bench.

emit_passes=2       # every measurement is repeated, in turn with the others, so that a slow minute of the machine meets all of them
emit_rounds=120     # timed rounds in each pass
emit_peer_rounds=60
emit_events=100000  # in each round

# record NAME MODE ROUNDS EVENTS [VARIABLE=VALUE]... - Weir, as a user records a program.
record() {
    local name=$1 mode=$2 rounds=$3 events=$4 trace=$work/trace
    shift 4
    rm -rf "$trace"
    if ! attempt env WEIR_HOME="$work/home" "$@" "$here/weir" record -o "$trace" -e 'bench:*' --strict \
            --subbuf-size 4M --num-subbuf 8 -- dotnet "$emit_bench" "$mode" "$name" "$samples" "$rounds" "$events"; then
        not_measured "$name" "the recording failed" "$log"
        drop "$name"
        return 1
    fi
    count "$name" "$trace/ust"
    rm -rf "$trace"
}

# eventpipe NAME STACKWALK ROUNDS EVENTS - the same program and loop with an EventSource, recorded by the runtime.
eventpipe() {
    local name=$1 stacks=$2 rounds=$3 events=$4 trace=$work/trace
    rm -rf "$trace"
    mkdir "$trace"
    if ! attempt env DOTNET_EnableEventPipe=1 DOTNET_EventPipeConfig=WeirBenchPeer:0xFFFFFFFFFFFFFFFF:5 \
            DOTNET_EventPipeOutputPath="$trace/peer.nettrace" DOTNET_EventPipeEnableStackwalk="$stacks" DOTNET_EventPipeOutputStreaming=1 \
            dotnet "$emit_bench" eventpipe "$name" "$samples" "$rounds" "$events"; then
        not_measured "$name" "the program failed" "$log"
        drop "$name"
        return 1
    fi
    count "$name" "$trace"
    rm -rf "$trace"
}

# count NAME TRACE - note how many events lie in the trace, and in how many bytes.
count() {
    local counted bytes
    read -r counted bytes < <(dotnet "$emit_bench" count "$2")
    printf 'counted\t%s\t%s\t%s\n' "$1" "$counted" "$bytes" >>"$samples"
}

# lttng_ust NAME MODE EVENT ROUNDS EVENTS
lttng_ust() {
    local name=$1 isolate=()
    rm -rf "$work/lttng"
    mkdir "$work/lttng"
    # In namespaces of its own, nothing of a daemon that already runs here is touched, and nothing outlives the run.
    local options=(--mount --pid --fork --kill-child --mount-proc)
    [ "$(id -u)" = 0 ] || options+=(--map-root-user)
    if unshare "${options[@]}" true 2>/dev/null; then
        isolate=(env WEIR_BENCH_ISOLATED=1 unshare "${options[@]}")
    elif [ "$(id -u)" = 0 ]; then
        not_measured "$name" "root's session daemon cannot be kept apart from the system's here (unshare is refused)"
        return 1
    fi
    if ! attempt "${isolate[@]}" "$here/benchmarks/peers/lttng-ust/run.sh" "$work/lttng" "$2" "$3" "$name" "$4" "$5" dotnet "$emit_bench" count; then
        not_measured "$name" "the recording failed" "$log"
        return 1
    fi
    cat "$log.out" >>"$samples"
}

build_lttng_peer() {
    local source=$here/benchmarks/peers/lttng-ust
    if ! command -v lttng >/dev/null || ! command -v lttng-sessiond >/dev/null; then
        not_measured peer.lttng-ust "lttng is not installed"
    elif ! command -v gcc >/dev/null; then
        not_measured peer.lttng-ust "gcc is not installed"
    elif ! echo '#include <lttng/tracepoint.h>' | gcc -E -x c - >/dev/null 2>&1; then
        not_measured peer.lttng-ust "the headers of lttng-ust are not installed (liblttng-ust-dev)"
    elif ! gcc -O2 -I"$source" "$source/tp.c" "$source/main.c" -o "$work/lttng-peer" -llttng-ust -ldl 2>"$log"; then
        not_measured peer.lttng-ust "the peer program does not compile" "$log"
    else
        return 0
    fi
    return 1
}

run_emit() {
    local pass has_weir=1 has_rseq=1 has_lttng=1
    quietly "$here/weir" --help
    grep -qw record "$log.out" || { has_weir=0; not_measured emit "this weir cannot record yet"; failed=1; }
    local sequence
    sequence=$(dotnet "$emit_bench" describe | sed -n 's/^sequence: //p')
    case $sequence in
        Rseq*) ;;
        *) has_rseq=0; not_measured 'emit.*.rseq' "the sequence here is $sequence"; failed=1 ;;
    esac
    build_lttng_peer || has_lttng=0
    for ((pass = 1; pass <= emit_passes; pass++)); do
        if [ $pass -gt 1 ] && [ $SECONDS -gt 60 ]; then
            remark "emit: the machine is busy and the first pass took long: no further one"
            break
        fi
        remark "emit: pass $pass of $emit_passes"
        if [ $has_weir = 1 ] && [ $has_rseq = 1 ]; then
            record emit.u64.rseq u64 $emit_rounds $emit_events WEIR_SEQUENCE=rseq || failed=1
            record emit.int_str16.rseq int_str16 $emit_rounds $emit_events WEIR_SEQUENCE=rseq || failed=1
            record emit.u64.rseq.2threads threads 200 100000 WEIR_SEQUENCE=rseq || failed=1
        fi
        if [ $has_weir = 1 ]; then
            record emit.u64.atomic u64 $emit_rounds $emit_events WEIR_SEQUENCE=atomic || failed=1
        fi
        if [ $has_lttng = 1 ]; then
            lttng_ust peer.lttng-ust.u64 overwrite u64 $emit_peer_rounds $emit_events || has_lttng=0
        fi
        if [ $has_lttng = 1 ]; then
            lttng_ust peer.lttng-ust-discard.u64 discard u64 $emit_peer_rounds $emit_events || has_lttng=0
        fi
        if [ $has_lttng = 1 ]; then
            lttng_ust peer.lttng-ust.int_str16 overwrite int_str16 $emit_peer_rounds $emit_events || has_lttng=0
        fi
        # The runtime walks the stack of every event unless it is told not to.
        eventpipe peer.eventpipe.u64 0 $emit_peer_rounds $emit_events || true
        eventpipe peer.eventpipe-stacks.u64 1 $emit_peer_rounds 10000 || true
    done

    check_complete || failed=1
    base=$(median clock.read)
    time_line clock.read
    time_line loop.empty
    time_line emit.disabled
    time_line emit.u64.rseq
    bytes_lines emit.u64.rseq emit.u64
    time_line emit.u64.atomic
    throughput_line emit.u64.rseq.1thread emit.u64.rseq.2threads.one emit.u64.rseq.2threads.one
    throughput_line emit.u64.rseq.2threads emit.u64.rseq.2threads emit.u64.rseq.2threads.one
    time_line emit.int_str16.rseq
    bytes_lines emit.int_str16.rseq emit.int_str16
    local peer
    for peer in peer.lttng-ust.u64 peer.lttng-ust-discard.u64 peer.lttng-ust.int_str16 peer.eventpipe.u64 peer.eventpipe-stacks.u64; do
        time_line $peer
        bytes_lines $peer $peer
    done
}

#!/usr/bin/env bash
# Record the peer program with a session daemon of its own, and print its samples.
# usage: run.sh DIR MODE EVENT NAME ROUNDS EVENTS_PER_ROUND COUNT...
#   DIR    an empty directory for everything; the program stands at DIR/../lttng-peer
#   MODE   overwrite or discard
#   COUNT  a command that counts the events in a directory
# Called inside a mount namespace of its own where the machine allows one; WEIR_BENCH_ISOLATED says so.
set -euo pipefail
dir=$1 mode=$2 event=$3 name=$4 rounds=$5 events=$6
shift 6
program=$dir/../lttng-peer

if [ -n "${WEIR_BENCH_ISOLATED:-}" ]; then
    # A daemon of root serves from /run/lttng whatever LTTNG_HOME says, and programs meet it through files in /dev/shm. Here both are
    # this run's own. The working directory is reached through the descriptor, for it may lie under what is covered now.
    exec 8<"$dir/.."
    mount -t tmpfs none /run
    mount -t tmpfs none /dev/shm
    program=/proc/self/fd/8/lttng-peer
    dir=/run/peer
    mkdir "$dir"
else
    before=$(ls /dev/shm)
fi

export LTTNG_HOME=$dir/home LTTNG_UST_REGISTER_TIMEOUT=5000
unset LTTNG_SESSION_CONFIG_XSD_PATH LTTNG_RELAYD_HOST
mkdir "$LTTNG_HOME"

finish() {
    if [ -s "$dir/pid" ]; then
        local pid
        pid=$(<"$dir/pid")
        kill "$pid" 2>/dev/null || true
        for ((i = 0; i < 100; i++)); do kill -0 "$pid" 2>/dev/null || break; sleep 0.05; done
        kill -KILL "$pid" 2>/dev/null || true
    fi
    # The shared-memory files by which programs find a daemon: only those that were not there before.
    if [ -z "${WEIR_BENCH_ISOLATED:-}" ]; then
        for file in /dev/shm/lttng-ust-wait-*; do
            [ -O "$file" ] && ! grep -qxF "${file##*/}" <<<"$before" && rm -f "$file"
        done
    fi
    return 0
}
trap finish EXIT
trap 'exit 143' TERM
trap 'exit 130' INT

{
    lttng-sessiond --daemonize --no-kernel --pidfile="$dir/pid"
    lttng create bench --output="$dir/trace"
    lttng enable-channel -u --buffers-uid "--$mode" --num-subbuf=8 --subbuf-size=4M -s bench channel
    lttng enable-event -u -s bench -c channel "weir_bench_peer:${event%_latency}"
    lttng start bench
} >"$dir/log" 2>&1 8<&- || { cat "$dir/log" >&2; exit 1; }

"$program" "$event" "$name" 60 "$rounds" "$events"

# Latencies are samples of their own; how many of the events are still in the trace says nothing about them.
case $event in *_latency) exit 0 ;; esac
lttng stop bench >>"$dir/log" 2>&1 8<&-
lost=$(lttng list bench 8<&- | awk -F: '/Discarded events|Lost packets/ { sum += $2 } END { print sum + 0 }')
if [ "$mode" = discard ] && [ "$lost" != 0 ]; then
    echo "$name: $lost events were discarded" >&2
    exit 1
fi
read -r counted bytes < <("$@" "$dir/trace")
printf 'counted\t%s\t%s\t%s\n' "$name" "$counted" "$bytes"
lttng destroy bench >>"$dir/log" 2>&1 8<&-

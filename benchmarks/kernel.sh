# The kernel set: recording the kernel under a load of system calls and of context switches, beside trace-cmd in the same run. Sourced by ./bench.
# shellcheck shell=bash disable=SC2154

kernel_rules=('sched:*' 'raw_syscalls:*')

# The loads, about half a million and a hundred thousand system calls a second.
load_calls() { dd if=/dev/zero of=/dev/null bs=1 count="$1" 2>/dev/null; }
load_switches() { perf bench -f simple sched pipe -l "$1" >/dev/null; }
export -f load_calls load_switches

# recorded NAME LOAD COUNT TRACE COMMAND... - runs the load under a recorder; samples NAME.load (wall time of the load, s) and NAME.cpu (what
# the recorder used beside it, s).
recorded() {
    local name=$1 load=$2 count=$3 inner outer wall user system status=0
    shift 3
    # The load's own times go to a file: what the recorder uses is the rest.
    inner="TIMEFORMAT='%R %U %S'; { time $load $count; } 2>$work/load.times"
    TIMEFORMAT='%U %S'
    { time "$@" bash -c "$inner" >"$log.out" 2>"$log" </dev/null; } 2>"$work/outer.times" || status=$?
    read -r wall user system <"$work/load.times" || status=1
    outer=$(awk '{ print $1 + $2 }' "$work/outer.times")
    if [ "$status" != 0 ]; then
        not_measured "$name" "status $status" "$log"
        return 1
    fi
    awk -v n="$name" -v w="$wall" -v u="$user" -v s="$system" -v o="$outer" 'BEGIN {
        printf "sample\t%s.load\t%.3f\nsample\t%s.cpu\t%.3f\n", n, w, n, o - u - s }' >>"$samples"
}

# per_event NAME BYTES EVENTS - a sample of the bytes of each event.
per_event() { awk -v n="$1" -v b="$2" -v e="$3" 'BEGIN { if (e) printf "sample\t%s.bytes\t%.2f\nsample\t%s.events\t%d\n", n, b / e, n, e }' >>"$samples"; }

# In a mount namespace of its own, where what a kernel refuses trace-cmd is not the kernel's.
trace_cmd() {
    unshare -m bash -c '
        for file in /proc/sys/kernel/ftrace_enabled /sys/kernel/tracing/set_ftrace_*; do [ ! -e "$file" ] || mount --bind /dev/null "$file"; done
        exec trace-cmd "$@"' trace-cmd "$@"
}

kernel_load() {
    local load=$1 count=$2 weir=$here/artifacts/weir/weir events lost i rule rules=() peer_rules=()
    for rule in "${kernel_rules[@]}"; do rules+=(-k "$rule") peer_rules+=(-e "${rule%%:*}"); done
    for i in 1 2 3; do
        recorded "kernel.$load.bare" "load_$load" "$count" env
        rm -rf "$work/kernel"
        if recorded "kernel.$load" "load_$load" "$count" "$weir" record -a "${rules[@]}" --kernel-buffer-size 32M -o "$work/kernel" --json --; then
            events=$(jq .events "$log.out") lost=$(jq '[.lost[]] | add' "$log.out")
            per_event "kernel.$load" "$(du -cb "$work"/kernel/kernel/stream_* | tail -n 1 | cut -f 1)" "$events"
            printf 'sample\tkernel.%s.lost\t%d\n' "$load" "$lost" >>"$samples"
        else
            failed=1
        fi
        rm -rf "$work/kernel"
        if recorded "kernel.$load.packed" "load_$load" "$count" "$weir" record -a "${rules[@]}" --raw --compress --kernel-buffer-size 32M -o "$work/kernel" --json --; then
            per_event "kernel.$load.packed" "$(stat -c %s "$work/kernel/kernel/trace.dat")" "$(jq .events "$log.out")"
        else
            failed=1
        fi
        rm -rf "$work/kernel"
        [ -n "${peer_name:-}" ] || continue
        if recorded "peer.trace-cmd.$load" "load_$load" "$count" trace_cmd record "${peer_rules[@]}" -C x86-tsc -b 32768 -o "$work/kernel.dat" -q; then
            events=$(trace-cmd report "$work/kernel.dat" 2>/dev/null | grep -c ': ')
            per_event "peer.trace-cmd.$load" "$(stat -c %s "$work/kernel.dat")" "$events"
        fi
        rm -f "$work"/kernel.dat*
    done
    line "kernel.$load.bare" "$(median "kernel.$load.bare.load")" %.3f "s of the load"
    for i in "kernel.$load" "kernel.$load.packed" "peer.trace-cmd.$load"; do
        line "$i.load" "$(median "$i.load")" %.3f "s of the load" "$(median "kernel.$load.bare.load")"
        line "$i.cpu" "$(median "$i.cpu")" %.3f "s of the recorder"
        line "$i.events" "$(median "$i.events")" %.0f events
        line "$i.bytes" "$(median "$i.bytes")" %.1f "B/event"
    done
    line "kernel.$load.lost" "$(median "kernel.$load.lost")" %.0f events
}

# Pages to CTF, apart from getting them; the rounds after the code is compiled.
transcoding() {
    quietly dotnet build "$here/benchmarks/Kernel" -c Release -v quiet --disable-build-servers
    mkdir -p "$work/transcode"
    if ! attempt dotnet "$here/benchmarks/Kernel/bin/Release/net10.0/KernelBench.dll" transcode "$work/transcode" 20; then
        not_measured kernel.transcode "it cannot be run" "$log"
        failed=1
        return
    fi
    tail -n 10 "$log.out" | awk -F'\t' '{ printf "sample\tkernel.transcode\t%.0f\n", $1 / $2 }' >>"$samples"
    line kernel.transcode "$(median kernel.transcode)" %.0f "events/s, one core"
}

run_kernel() {
    local peer_name=
    if [ "$(id -u)" -ne 0 ]; then
        not_measured kernel "recording the kernel needs root"
        return 0
    fi
    "$here/weir" --version >/dev/null
    if command -v trace-cmd >/dev/null; then peer_name=trace-cmd; else not_measured peer.trace-cmd "it is not there"; fi
    remark "kernel: transcoding"
    transcoding
    remark "kernel: system calls"
    kernel_load calls 1500000
    if command -v perf >/dev/null; then
        remark "kernel: context switches"
        kernel_load switches 200000
    else
        not_measured kernel.switches "the load is perf's, which is not there"
    fi
}

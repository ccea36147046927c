# The clock set: how far the stored samples lead from clock_gettime. Sourced by ./bench.
# shellcheck shell=bash disable=SC2154

# Of one run: --seconds N (default 60) and --steer, which sets the rate of the kernel's clocks meanwhile as an NTP daemon would (needs root).
run_clock() {
    quietly dotnet build "$here/benchmarks/Clock" -c Release -v quiet --disable-build-servers
    remark "clock: $clock_seconds s${clock_steer:+, with the kernel clocks steered}"
    # shellcheck disable=SC2086
    if ! attempt dotnet "$here/benchmarks/Clock/bin/Release/net10.0/ClockBench.dll" "$clock_seconds" $clock_steer; then
        not_measured clock "the program failed" "$log"
        failed=1
        return
    fi
    cat "$log" >&2
    cat "$log.out"
}

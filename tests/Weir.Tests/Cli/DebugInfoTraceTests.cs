using Weir.Tests.Sessions;
using Xunit;

namespace Weir.Tests.Cli;

/// <summary>Where events of LTTng-UST happened, as babeltrace2's <c>--debug-info</c> says it and as ours does.</summary>
public class DebugInfoTraceTests
{
    private const string Provider = """
        #undef TRACEPOINT_PROVIDER
        #define TRACEPOINT_PROVIDER weir_test
        #undef TRACEPOINT_INCLUDE
        #define TRACEPOINT_INCLUDE "./tp.h"
        #if !defined(WEIR_TEST_TP_H) || defined(TRACEPOINT_HEADER_MULTI_READ)
        #define WEIR_TEST_TP_H
        #include <lttng/tracepoint.h>
        TRACEPOINT_EVENT(weir_test, tick, TP_ARGS(long, number), TP_FIELDS(ctf_integer(long, number, number)))
        #endif
        #include <lttng/tracepoint-event.h>
        """;

    private const string Library = """
        #include "tp.h"
        static void nothing_inside(void) __attribute__((noinline));
        static void nothing_inside(void) { tracepoint(weir_test, tick, 1); }
        static inline void inner(long number) { if (number > 1) { long twice = number * 2; tracepoint(weir_test, tick, twice); } }
        void in_library(long number) { { long other = number + 1; inner(other); } nothing_inside(); tracepoint(weir_test, tick, number); }
        """;

    private const string Program = """
        #define TRACEPOINT_CREATE_PROBES
        #define TRACEPOINT_DEFINE
        #include "tp.h"
        #include <dlfcn.h>
        #include <stdlib.h>
        static inline __attribute__((always_inline)) void inlined(long number)
        {
            for (long i = 0; i < number; i++) {
                long value = i * number;
                tracepoint(weir_test, tick, value);
            }
        }
        static __attribute__((noinline)) void plain(void)
        {
            tracepoint(weir_test, tick, 7);
        }
        int main(int count, char **arguments)
        {
            inlined(count + 2);
            plain();
            void *library = dlopen(arguments[1], RTLD_NOW);
            if (!library)
                return 3;
            void (*in_library)(long) = (void (*)(long)) dlsym(library, "in_library");
            for (long i = 0; i < 3; i++) {
                in_library(i);
                tracepoint(weir_test, tick, i);
            }
            dlclose(library);
            plain();
            return 0;
        }
        """;

    private const string Script = """
        set -e
        mount -t tmpfs none /run
        mount -t tmpfs none /dev/shm
        export LTTNG_HOME=$PWD/lttng
        mkdir "$LTTNG_HOME" debug
        gcc $FLAGS -fPIC -shared -I. -o library.so library.c
        gcc $FLAGS $PIE -I. -rdynamic -o program program.c -llttng-ust -ldl
        case $STRIP in
        no) ;;
        all) strip program library.so ;;
        link)
            for file in program library.so; do
                objcopy --only-keep-debug $file $file.debug
                strip $file
                objcopy --add-gnu-debuglink=$file.debug $file
            done
            mkdir .debug
            mv library.so.debug .debug ;;
        id)
            for file in program library.so; do
                id=$(readelf -n $file | sed -n 's/.*Build ID: //p')
                mkdir -p debug/.build-id/${id:0:2}
                objcopy --only-keep-debug --compress-debug-sections=zlib $file debug/.build-id/${id:0:2}/${id:2}.debug
                strip $file
            done ;;
        esac
        lttng-sessiond --daemonize --no-kernel --pidfile="$PWD/pid"
        trap 'kill $(cat pid)' EXIT
        lttng create test --output="$PWD/trace"
        lttng enable-channel -u channel
        lttng enable-event -u -c channel 'weir_test:*,lttng_ust_statedump:*,lttng_ust_lib:*,lttng_ust_dl:*'
        lttng add-context -u -c channel -t vpid -t ip
        lttng start
        LD_PRELOAD=liblttng-ust-dl.so LTTNG_UST_REGISTER_TIMEOUT=5000 ./program $PWD/library.so
        lttng stop
        lttng destroy
        """;

    [Theory]
    [InlineData("-g -O0", "", "no")]
    [InlineData("-g -O2", "", "no")]
    [InlineData("-g -gdwarf-4 -O2", "", "no")]
    [InlineData("-g -gdwarf-2 -gstrict-dwarf -O1", "-no-pie", "no")]
    [InlineData("-g -gz=zlib -O2", "", "no")]
    [InlineData("-O2", "", "no")]
    [InlineData("-g -O2", "", "all")]
    [InlineData("-g -O2", "", "link")]
    [InlineData("-g -O2", "", "id")]
    public void Events_say_where_they_happened_as_in_babeltrace2s_text(string flags, string pie, string strip)
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "A session daemon of its own needs mounts, and those need root.");
        foreach (string program in new[] { "lttng", "lttng-sessiond", "gcc", "objcopy", "strip", "readelf", "babeltrace2" })
            Assert.SkipUnless(LttngTraceTests.IsInstalled(program), $"{program} is not installed.");
        using var place = new Place();
        File.WriteAllText(place.In("tp.h"), Provider);
        File.WriteAllText(place.In("library.c"), Library);
        File.WriteAllText(place.In("program.c"), Program);
        var recorded = place.Run(["unshare", "--mount", "bash", "-c", Script], $"FLAGS={flags}", $"PIE={pie}", $"STRIP={strip}");
        Assert.True(recorded.Status == 0, recorded.Error);

        foreach (string[] options in new string[][] { [], ["--debug-info-full-path"] })
        {
            string[] arguments = ["--debug-info", $"--debug-info-dir={place.In("debug")}", .. options, place.In("trace")];
            var expected = place.Run(["babeltrace2", .. arguments]);
            Assert.True(expected.Status == 0, expected.Error);
            var actual = place.Run([Place.Weir, "convert", .. arguments]);
            Assert.True(actual.Status == 0, actual.Error);
            string[] lines = LttngTraceTests.Lines(actual.Output);
            Assert.Equal(LttngTraceTests.Lines(expected.Output), lines);
            if (flags.StartsWith("-g", StringComparison.Ordinal) && strip != "all")
                Assert.Contains(lines, line => line.Contains("program.c:", StringComparison.Ordinal) && line.Contains("func = \"main+0x", StringComparison.Ordinal));
        }
    }
}

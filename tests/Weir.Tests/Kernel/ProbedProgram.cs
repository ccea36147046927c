using Weir.Tests.Sessions;
using Xunit;

namespace Weir.Tests.Kernel;

/// <summary>
/// A program in C that is compiled for a test and recorded by the kernel. It calls <c>work</c> ten times with numbers from 1000 on, sizes in
/// steps of 50 from 0 on and the texts even and odd, and has a probe <c>weir:fired</c> with a semaphore.
/// </summary>
internal static class ProbedProgram
{
    private const string Source = """
        #include <stdio.h>
        #include <string.h>
        #include <unistd.h>
        volatile unsigned short semaphore __attribute__((section(".probes"))) = 0;
        volatile int counter = 41;
        __attribute__((noinline)) int work(unsigned long number, int size, const char *text) { __asm__ volatile("" ::: "memory"); return (int)number * 2 + size + (int)strlen(text); }
        __attribute__((noinline)) void fire(long id, int level, const char *text)
        {
            __asm__ volatile("990: nop\n"
                ".pushsection .note.stapsdt,\"?\",\"note\"\n.balign 4\n.4byte 992f-991f, 994f-993f, 3\n991: .asciz \"stapsdt\"\n992: .balign 4\n"
                "993: .8byte 990b\n.8byte _.stapsdt.base\n.8byte semaphore\n.asciz \"weir\"\n.asciz \"fired\"\n"
                ".asciz \"-8@%0 -4@%1 8@%2 -4@" FIVE " 4@counter(%%rip) 8f@%%xmm0\"\n994: .balign 4\n.popsection\n"
                ".pushsection .stapsdt.base,\"aG\",\"progbits\",.stapsdt.base,comdat\n.weak _.stapsdt.base\n.hidden _.stapsdt.base\n"
                "_.stapsdt.base: .space 1\n.size _.stapsdt.base, 1\n.popsection\n"
                :: "r"(id), "r"(level), "r"(text));
        }
        int main(int argc, char **argv)
        {
            for (int i = 0; i < 10; i++)
            {
                printf("work %d\n", work(1000 + i, i * 50, i % 2 ? "odd" : "even"));
                fire(i, -i, "hello");
            }
            printf("semaphore %d\n", semaphore);
            fflush(stdout);
            return argc > 1 ? (int)getchar() * 0 : 0;
        }
        """;

    /// <summary>Compiles it in a place; skips the test where that or recording the kernel cannot be done.</summary>
    public static string Compile(Place place, string name = "probed")
    {
        Assert.SkipUnless(Command.IsInstalled("gcc"), "gcc is not installed.");
        SkipWithoutTracefs();
        File.WriteAllText(place.In("probed.c"), Source);
        bool isArm64 = System.Runtime.InteropServices.RuntimeInformation.ProcessArchitecture == System.Runtime.InteropServices.Architecture.Arm64;
        var compiled = place.Run(["gcc", "-O1", $"-DFIVE=\"{(isArm64 ? "5" : "$5")}\"", "-o", name, "probed.c"]);
        Assert.True(compiled.Status == 0, compiled.Error);
        return place.In(name);
    }

    public static void SkipWithoutTracefs()
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "Recording the kernel needs root.");
        Assert.SkipUnless(File.Exists("/sys/kernel/tracing/uprobe_events"), "This kernel has no uprobe_events.");
    }

    /// <summary>The lines of the kernel's part of a trace, without the state dump.</summary>
    public static string[] Lines(Place place, string trace = "trace")
    {
        var result = place.Run([Place.Weir, "convert", trace + "/kernel"]);
        Assert.True(result.Status == 0, result.Error);
        return [.. result.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Where(line => !line.Contains("_statedump_", StringComparison.Ordinal))];
    }

    /// <summary>That neither probes of a file of this place nor instances of a process are left in the kernel.</summary>
    public static void AssertNothingLeft(Place place) =>
        Assert.DoesNotContain(place.Directory, File.ReadAllText("/sys/kernel/tracing/uprobe_events"));
}

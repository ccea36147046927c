using System.Diagnostics;
using System.Globalization;
using Weir.Benchmarks.Kernel;

// transcode DIR ROUNDS    record system calls and switches of a load, then make CTF of the pages again and again; prints for each round:
//                         events, seconds of CPU time of the one thread, bytes of pages, bytes of CTF
switch (args)
{
    case ["transcode", var directory, var rounds]:
        Transcoding.Run(directory, int.Parse(rounds, CultureInfo.InvariantCulture));
        return 0;
    default:
        Console.Error.WriteLine("usage: KernelBench transcode DIR ROUNDS");
        return 2;
}

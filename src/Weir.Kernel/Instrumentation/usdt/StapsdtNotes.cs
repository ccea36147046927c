using Weir.Graph;

namespace Weir.Kernel;

/// <summary>A probe that a program's author has left in it.</summary>
/// <param name="Provider">Who provides it.</param>
/// <param name="Name">Its name.</param>
/// <param name="Address">The address of the instruction that does nothing.</param>
/// <param name="SemaphoreAddress">The address of a counter of those who trace it; 0 for none.</param>
/// <param name="Arguments">Where its arguments are then, in the assembler's words.</param>
internal readonly record struct StapsdtNote(string Provider, string Name, ulong Address, ulong SemaphoreAddress, string Arguments);

/// <summary>
/// Reads the section <c>.note.stapsdt</c>, of which nothing is believed:
/// <code>
///  length of the owner u32 | length of the description u32 | type u32, 3 | "stapsdt\0" | description, filled up to 4 bytes
///  description: address | address of .stapsdt.base when it was linked | address of the semaphore | provider\0 | name\0 | arguments\0
/// </code>
/// A program that moved its sections since then (prelink) has moved all three by as much as that base. Source: the SystemTap wiki, UserSpaceProbeImplementation.
/// </summary>
internal static class StapsdtNotes
{
    private const string SectionName = ".note.stapsdt";
    private const string BaseSectionName = ".stapsdt.base";
    private const uint NoteType = 3;

    /// <summary>All probes of a file, in its order; none where it has none.</summary>
    /// <exception cref="BadElfException">The notes are bad.</exception>
    public static IReadOnlyList<StapsdtNote> Read(ElfFile file)
    {
        var notes = new List<StapsdtNote>();
        if (file.FindSection(SectionName) is not { } section)
            return notes;
        ulong? movedTo = file.FindSectionAddress(BaseSectionName);
        var reader = new ElfReader(section, file.IsBigEndian);
        while (reader.Rest >= 12)
        {
            uint ownerLength = reader.UInt32();
            uint length = reader.UInt32();
            uint type = reader.UInt32();
            var owner = reader.Take(ownerLength);
            Align(ref reader);
            var description = new ElfReader(reader.Take(length), file.IsBigEndian);
            Align(ref reader);
            if (type != NoteType || !owner.SequenceEqual("stapsdt\0"u8))
                continue;
            ulong address = description.Word(file.Is64);
            ulong linkedBase = description.Word(file.Is64);
            ulong semaphore = description.Word(file.Is64);
            ulong moved = movedTo is { } place && linkedBase != 0 ? unchecked(place - linkedBase) : 0;
            notes.Add(new StapsdtNote(
                description.Name(), description.Name(), unchecked(address + moved), semaphore == 0 ? 0 : unchecked(semaphore + moved), description.Name()));
        }
        return notes;
    }

    private static void Align(ref ElfReader reader) => reader.Take((ulong)Math.Min(reader.Rest, -reader.Position & 3));
}

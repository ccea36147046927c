using Weir.Ctf;
using Weir.Graph;

namespace Weir.Kernel;

/// <summary>
/// The fields of a system call's entry or exit. The kernel tells an argument's C type but keeps it as an unsigned long; here it becomes what
/// its type says: <c>int dfd</c> with 8 bytes a signed number of 32 bits, its low half.
/// <code>
///   __syscall_nr  4   dropped, the event's name says it
///   int dfd       8   s32
///   filename      8   an address, base 16; where the kernel has read the text too (6.19), __filename_val, that stands for it
/// </code>
/// </summary>
internal static class SystemCallArguments
{
    /// <summary>The system of system calls.</summary>
    public const string System = "syscalls";

    // Types that are not here, pointers among them, are as wide as an argument and unsigned.
    private static readonly Dictionary<string, IntegerType> s_types = new()
    {
        ["char"] = new(1, true),
        ["unsigned char"] = new(1, false),
        ["u8"] = new(1, false),
        ["bool"] = new(1, false),
        ["short"] = new(2, true),
        ["unsigned short"] = new(2, false),
        ["u16"] = new(2, false),
        ["umode_t"] = new(2, false),
        ["old_uid_t"] = new(2, false),
        ["old_gid_t"] = new(2, false),
        ["int"] = new(4, true),
        ["s32"] = new(4, true),
        ["__s32"] = new(4, true),
        ["pid_t"] = new(4, true),
        ["clockid_t"] = new(4, true),
        ["timer_t"] = new(4, true),
        ["mqd_t"] = new(4, true),
        ["key_t"] = new(4, true),
        ["key_serial_t"] = new(4, true),
        ["rwf_t"] = new(4, true),
        ["unsigned"] = new(4, false),
        ["unsigned int"] = new(4, false),
        ["u32"] = new(4, false),
        ["__u32"] = new(4, false),
        ["uid_t"] = new(4, false),
        ["gid_t"] = new(4, false),
        ["qid_t"] = new(4, false),
        ["dev_t"] = new(4, false),
        ["long"] = new(8, true),
        ["long long"] = new(8, true),
        ["s64"] = new(8, true),
        ["__s64"] = new(8, true),
        ["ssize_t"] = new(8, true),
        ["off_t"] = new(8, true),
        ["loff_t"] = new(8, true),
        ["time_t"] = new(8, true),
        ["__kernel_old_time_t"] = new(8, true),
    };

    /// <summary>The fields as the trace has them.</summary>
    public static IReadOnlyList<FtraceField> Describe(IReadOnlyList<FtraceField> fields, ByteOrder byteOrder)
    {
        var texts = fields.Where(field => TextOf(field) is not null).Select(TextOf).ToHashSet();
        var described = new List<FtraceField>();
        for (int i = 0; i < fields.Count; i++)
        {
            var field = fields[i];
            if (TextOf(field) is { } name)
                described.Add(field with { Name = name });
            else if (!IsNumber(field, isFirst: i == 0) && !texts.Contains(field.Name))
                described.Add(TypeOf(field).ApplyTo(field with { IsHexadecimal = false }, byteOrder));
        }
        return described;
    }

    private static IntegerType TypeOf(FtraceField field) =>
        s_types.TryGetValue(WithoutConst(field.Type), out var type) ? type : new IntegerType(field.SizeBytes, IsSigned: false);

    private static string WithoutConst(string type) =>
        type.StartsWith("const ", StringComparison.Ordinal) ? type["const ".Length..] : type;

    /// <summary>The call's number; <c>nr</c> before Linux 4.5.</summary>
    private static bool IsNumber(FtraceField field, bool isFirst) =>
        field.Name == "__syscall_nr" || (isFirst && field is { Name: "nr", Type: "int", SizeBytes: sizeof(int) });

    /// <summary>The argument whose text a field has, or null.</summary>
    private static string? TextOf(FtraceField field) =>
        field.IsText && field.Name.StartsWith("__", StringComparison.Ordinal) && field.Name.EndsWith("_val", StringComparison.Ordinal) && field.Name.Length > 6
            ? field.Name[2..^4]
            : null;
}

using System.Runtime.CompilerServices;

namespace Weir.Ctf;

/// <summary>What decoding carries from field to field.</summary>
internal sealed class DecodeState(int slotCount)
{
    public readonly ulong[] Slots = new ulong[slotCount];

    public ulong Clock;

    public ulong EventClassId;

    public bool HasEventClassId;

    /// <summary>Byte order of the last number that ended inside a byte.</summary>
    public bool IsLastBigEndian;

    public PacketProperties Packet;

    public unsafe byte* UuidBytes;

    /// <summary>Whether a packet repeats its trace's UUID in two ways.</summary>
    public bool HasTwoUuids;

    /// <summary>Takes text that was transcoded to UTF-8.</summary>
    public byte[] Utf8 = [];

    /// <summary>Elements of arrays that took no bits, since whoever runs programs began a record or a packet.</summary>
    public int EmptyElementCount;

    /// <summary>Keeps what a value means for the reader.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public void Keep(in DecodeStep step, ulong value, int sizeBits)
    {
        if (step.StoreSlot >= 0)
            Slots[step.StoreSlot] = value;
        if (step.UpdatesClock)
            Clock = ClockValue.Extend(Clock, value, sizeBits);
        if (step.Role != FieldRole.None)
            Keep(step.Role, value);
        if (step.OtherRoles is not { } roles)
            return;
        foreach (var role in roles)
            Keep(role, value);
    }

    public unsafe void KeepUuid(byte* bytes)
    {
        HasTwoUuids |= UuidBytes is not null && !new ReadOnlySpan<byte>(bytes, 16).SequenceEqual(new ReadOnlySpan<byte>(UuidBytes, 16));
        UuidBytes = bytes;
    }

    private void Keep(FieldRole role, ulong value)
    {
        if (role != FieldRole.EventClassId)
        {
            Packet.Set(role, value);
            return;
        }
        EventClassId = value;
        HasEventClassId = true;
    }
}

using System.Runtime.CompilerServices;

namespace Weir.Ctf;

/// <summary>What decoding carries from field to field.</summary>
internal sealed class DecodeState(int slotCount)
{
    public ulong[] Slots = new ulong[slotCount];

    public ulong Clock;

    public ulong EventClassId;

    public bool HasEventClassId;

    /// <summary>Byte order of the last number that ended inside a byte.</summary>
    public bool IsLastBigEndian;

    public PacketProperties Packet;

    /// <summary>Takes text that was transcoded to UTF-8.</summary>
    public byte[] Utf8 = [];

    /// <summary>Elements of arrays that took no bits, since whoever runs programs began a record or a packet.</summary>
    public int EmptyElementCount;

    /// <summary>Makes room for slots that newer metadata has brought.</summary>
    public void ReserveSlots(int count)
    {
        if (Slots.Length < count)
            Array.Resize(ref Slots, count);
    }

    /// <summary>The step that could not be decoded, for <see cref="FailureFinder"/>, which sets it to -1 before.</summary>
    public int FailedStep;

    /// <summary>Bits from the packet's beginning to that step's field.</summary>
    public long FailedBits;

    /// <summary>Notes which step failed, the innermost one.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public DecodeStatus Fail(DecodeStatus status, int step, long positionBits)
    {
        if (FailedStep < 0)
            (FailedStep, FailedBits) = (step, positionBits);
        return status;
    }

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

namespace Weir.Ctf;

/// <summary>The roles of CTF 2 (CTF2-SPEC-2.0, 5.6.1 and 5.8.1): which names there are, where they may stand, and what they mean here.</summary>
internal static class JsonRoles
{
    public const string MagicNumber = "packet-magic-number";
    public const string MetadataStreamUuid = "metadata-stream-uuid";
    private const string ClockTimestamp = "default-clock-timestamp";
    private const string EndClockTimestamp = "packet-end-default-clock-timestamp";

    /// <summary>The roles of an unsigned integer.</summary>
    /// <param name="fragment">The fragment, for errors.</param>
    /// <param name="json">The <c>roles</c> property.</param>
    /// <param name="scope">Where the field stands; null inside an alias, whose place is not known yet.</param>
    /// <param name="isTimestamp">Whether one of them makes the field a snapshot of the default clock.</param>
    public static List<FieldRole> Read(JsonFragment fragment, MetadataJson json, FieldScope? scope, out bool isTimestamp)
    {
        isTimestamp = false;
        var roles = new List<FieldRole>();
        fragment.RequireKind(json, MetadataJsonKind.Array, "an array of roles");
        foreach (var item in json.Items)
        {
            var (home, role) = Find(fragment, item);
            isTimestamp |= item.Text is ClockTimestamp or EndClockTimestamp;
            if (item.Text == ClockTimestamp && scope == FieldScope.EventHeader)
                continue;
            if (scope is not null && home != scope)
                throw fragment.Error(item, $"a field has the role '{item.Text}' in the {NameOf(home)} only");
            // The packet's beginning first: by its first role a reader decides whether the field updates the clock.
            if (role == FieldRole.PacketBeginTime)
                roles.Insert(0, role);
            else if (!roles.Contains(role))
                roles.Add(role);
        }
        return roles;
    }

    /// <summary>The role of a BLOB, or <see cref="FieldRole.None"/>.</summary>
    public static FieldRole ReadBlobRole(JsonFragment fragment, MetadataJson json, FieldScope? scope)
    {
        fragment.RequireKind(json, MetadataJsonKind.Array, "an array of roles");
        foreach (var item in json.Items)
        {
            fragment.RequireWord(item, (MetadataStreamUuid, 0));
            if (scope is not null and not FieldScope.PacketHeader)
                throw fragment.Error(item, $"a field has the role '{item.Text}' in the packet header only");
        }
        return json.Items.Count > 0 ? FieldRole.TraceUuid : FieldRole.None;
    }

    private static (FieldScope Home, FieldRole Role) Find(JsonFragment fragment, MetadataJson json) => fragment.RequireWord(
        json,
        ("data-stream-class-id", (FieldScope.PacketHeader, FieldRole.DataStreamClassId)),
        ("data-stream-id", (FieldScope.PacketHeader, FieldRole.DataStreamId)),
        (MagicNumber, (FieldScope.PacketHeader, FieldRole.PacketMagicNumber)),
        (ClockTimestamp, (FieldScope.PacketContext, FieldRole.PacketBeginTime)),
        (EndClockTimestamp, (FieldScope.PacketContext, FieldRole.PacketEndTime)),
        ("discarded-event-record-counter-snapshot", (FieldScope.PacketContext, FieldRole.DiscardedEventCount)),
        ("packet-content-length", (FieldScope.PacketContext, FieldRole.PacketContentLength)),
        ("packet-sequence-number", (FieldScope.PacketContext, FieldRole.PacketSequenceNumber)),
        ("packet-total-length", (FieldScope.PacketContext, FieldRole.PacketTotalLength)),
        ("event-record-class-id", (FieldScope.EventHeader, FieldRole.EventClassId)));

    private static string NameOf(FieldScope scope) => scope switch
    {
        FieldScope.PacketHeader => "packet header",
        FieldScope.PacketContext => "packet context",
        _ => "event record header",
    };
}

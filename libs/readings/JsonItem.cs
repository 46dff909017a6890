namespace ThermalStreaming.Readings;

/// <summary>
/// Where the parts of one reading lie in a payload, and what they say. The values end with the last field present; for a missing key or
/// null they are empty. Extra holds the values of keys that the rows do not have.
/// </summary>
sealed record JsonItem(Place Whole, Place[] Values, Dictionary<string, ReadOnlyMemory<byte>>? Extra)
{
    /// <summary>No time at all.</summary>
    public const long Unknown = long.MinValue;

    /// <summary>Why the reading cannot be taken; null when it can.</summary>
    public string? Problem { get; set; }

    /// <summary>"" unless it came with boot id and sequence.</summary>
    public string BootId { get; set; } = "";

    public ulong Sequence { get; set; }

    /// <summary>Microseconds since 1970; <see cref="Unknown"/> when the sender did not say.</summary>
    public long ObservedAtUs { get; set; } = Unknown;

    /// <summary>Bit i is set when field i of the row differs from the sender's value.</summary>
    public uint Replaced { get; set; }

    /// <summary>The place of a field's value; empty if the object, or the kind, does not have it.</summary>
    public Place Value(int field) => (uint)field < (uint)Values.Length ? Values[field] : default;

    /// <summary>The same item in a payload with this many more bytes in front.</summary>
    public JsonItem MoveBy(int bytes)
    {
        for (var i = 0; i < Values.Length; i++)
        {
            // A missing value has nothing to move.
            if (!Values[i].Equals(default))
                Values[i] = Move(Values[i], bytes);
        }
        return this with { Whole = Move(Whole, bytes) };
    }

    static Place Move(Place place, int bytes) => place with { Start = place.Start + bytes };
}

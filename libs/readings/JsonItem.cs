namespace ThermalStreaming.Readings;

/// <summary>
/// Where the parts of one reading lie in a payload, and what they say. The values end with the last field that is there; of a missing key,
/// and of null, they are empty. Extra are the values of keys that the rows do not know.
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

    /// <summary>Bit i is set when the row says under field i something else than the sender did.</summary>
    public uint Replaced { get; set; }

    /// <summary>Empty for a field that the object, or the kind, does not have.</summary>
    public Place Value(int field) => (uint)field < (uint)Values.Length ? Values[field] : default;

    /// <summary>The same item of a payload in front of which are so many bytes more.</summary>
    public JsonItem MoveBy(int bytes)
    {
        for (var i = 0; i < Values.Length; i++)
        {
            // Of a missing value there is nothing to move.
            if (!Values[i].Equals(default))
                Values[i] = Move(Values[i], bytes);
        }
        return this with { Whole = Move(Whole, bytes) };
    }

    static Place Move(Place place, int bytes) => place with { Start = place.Start + bytes };
}

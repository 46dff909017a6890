using System.Globalization;
using ThermalStreaming.Journal;

namespace ThermalStreaming.SnowpipeForwarder;

/// <summary>
/// What a slot must remember about its channel in addition to what Snowflake remembers: one line in <c>snowpipe-channel</c> of the slot's
/// directory, in two copies. Written when it changes: when the channel is first opened, after refused or missing rows, and once an hour for
/// <see cref="Expected"/>.
/// </summary>
/// <param name="Epoch">Identity of the line's journal; a line of another journal does not apply.</param>
/// <param name="Generation">
/// Starts at 1, and grows by one each time the journal has lost readings that the channel has already seen.
/// </param>
/// <param name="FirstOffset">Everything before it was committed through an earlier generation.</param>
/// <param name="RowErrors">The channel's count of refused rows up to which they have been reported.</param>
/// <param name="Expected">
/// The channel's count of inserted and refused rows once everything before the offset is committed and counted; null while not known. It
/// may be old, but every offset from there on has a row: it is removed before delivery passes a reading without a row.
/// </param>
sealed record ChannelRecord(string Epoch, int Generation, long FirstOffset, long RowErrors, (long Count, long Offset)? Expected = null)
{
    const string FileName = "snowpipe-channel";

    const int Version = 1;

    /// <summary>Reads the record; null if there is none for this journal.</summary>
    /// <param name="directory">The slot's directory.</param>
    /// <param name="epoch">The journal's epoch.</param>
    /// <param name="damaged">The file or its copy, if one of them was damaged: it is repaired.</param>
    /// <exception cref="InvalidDataException">Both copies are damaged.</exception>
    /// <exception cref="IOException">
    /// It is not known whether there is a record: a guess would deliver through an older generation's channel.
    /// </exception>
    /// <exception cref="UnauthorizedAccessException">As above.</exception>
    public static ChannelRecord? Load(string directory, string epoch, out string? damaged)
    {
        var line = TwinFile.Load(Path.Combine(directory, FileName), out var bad);
        damaged = bad.Count > 0 ? bad[0] : null;
        if (line is null && damaged is null)
            return null;
        if (LaterVersion(line) is { } version)
            throw new LaterFormatException(Path.Combine(directory, FileName), version, Version);
        if (
            line?.Split(' ') is not ["v1", var of, var generation, var first, var errors, .. var expected]
            || !int.TryParse(generation, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            || !TryParse(first, out var offset)
            || !TryParse(errors, out var count)
        )
            throw new InvalidDataException($"{FileName} of {directory} is damaged, and its copy too");
        return of == epoch
            ? new(
                epoch,
                number,
                offset,
                count,
                expected is [var rows, var at] && TryParse(rows, out var counted) && TryParse(at, out var from) ? (counted, from) : null
            )
            : null;
    }

    /// <summary>The version of a line from a later release.</summary>
    static int? LaterVersion(string? line) =>
        line?.Split(' ')[0] is ['v', .. var digits]
        && int.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out var version)
        && version > Version
            ? version
            : null;

    static bool TryParse(string text, out long number) => long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out number);

    /// <summary>Returns when the record is on disk. A crash leaves the old line or the new one.</summary>
    /// <exception cref="IOException">The disk refused it.</exception>
    public void Save(string directory) =>
        TwinFile.Save(
            Path.Combine(directory, FileName),
            string.Create(
                CultureInfo.InvariantCulture,
                $"v1 {Epoch} {Generation} {FirstOffset} {RowErrors}{(Expected is var (count, offset) ? $" {count} {offset}" : "")}"
            )
        );
}

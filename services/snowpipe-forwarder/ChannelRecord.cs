using System.Globalization;
using ThermalStreaming.Journal;

namespace ThermalStreaming.SnowpipeForwarder;

/// <summary>
/// What a slot must remember of its channel besides what Snowflake remembers: one line in <c>snowpipe-channel</c> of the slot's directory,
/// kept twice. Written when it changes, which is when the channel is first opened, after refused or missing rows, and once an hour for <see
/// cref="Expected"/>.
/// </summary>
/// <param name="Epoch">Identity of the journal the line is about; a line of another journal says nothing.</param>
/// <param name="Generation">1, and one more each time the journal lost readings that the channel has already seen.</param>
/// <param name="FirstOffset">Everything before it was committed through an earlier generation.</param>
/// <param name="RowErrors">The channel's count of refused rows up to which they have been reported.</param>
/// <param name="Expected">
/// The channel's count of inserted and refused rows, when everything before the offset is committed and counted; null while it is not
/// knows. However old it is, every offset from there on has a row: otherwise it is taken back before the reading without a row is passed
/// over.
/// </param>
sealed record ChannelRecord(string Epoch, int Generation, long FirstOffset, long RowErrors, (long Count, long Offset)? Expected = null)
{
    const string FileName = "snowpipe-channel";

    const int Version = 1;

    /// <summary>Null when there is none for this journal.</summary>
    /// <param name="directory">The slot's.</param>
    /// <param name="epoch">The journal's.</param>
    /// <param name="damaged">The file or its copy, if one of them was damaged: it is mended.</param>
    /// <exception cref="InvalidDataException">It is damaged, and its copy too.</exception>
    /// <exception cref="IOException">Whether there is one cannot be said: a guess would deliver through an older generation's
    /// channel.</exception>
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

    /// <summary>The version of a line that a later release wrote.</summary>
    static int? LaterVersion(string? line) =>
        line?.Split(' ')[0] is ['v', .. var digits]
        && int.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out var version)
        && version > Version
            ? version
            : null;

    static bool TryParse(string text, out long number) => long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out number);

    /// <summary>Returns when it is on disk; a crash leaves the old line or the new one.</summary>
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

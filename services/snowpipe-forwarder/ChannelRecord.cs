using System.Globalization;
using System.Text;
using ThermalStreaming.Journal;

namespace ThermalStreaming.SnowpipeForwarder;

/// <summary>
/// What a slot must remember of its channel besides what Snowflake remembers: one line in <c>snowpipe-channel</c> of the slot's directory.
/// Written when it changes, which is when the channel is first opened and after refused rows.
/// </summary>
/// <param name="Epoch">Identity of the journal the line is about; a line of another journal says nothing.</param>
/// <param name="Generation">1, and one more each time the journal lost readings that the channel has already seen.</param>
/// <param name="FirstOffset">Everything before it was committed through an earlier generation.</param>
/// <param name="RowErrors">The channel's count of refused rows up to which they have been reported.</param>
sealed record ChannelRecord(string Epoch, int Generation, long FirstOffset, long RowErrors)
{
    const string FileName = "snowpipe-channel";

    /// <summary>Null when there is none for this journal, or none that can be read.</summary>
    public static ChannelRecord? Load(string directory, string epoch)
    {
        try
        {
            var fields = File.ReadAllText(Path.Combine(directory, FileName)).Split(' ', StringSplitOptions.TrimEntries);
            return fields is ["v1", var of, var generation, var first, var errors] && of == epoch
                && int.TryParse(generation, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
                && long.TryParse(first, NumberStyles.None, CultureInfo.InvariantCulture, out var offset)
                && long.TryParse(errors, NumberStyles.None, CultureInfo.InvariantCulture, out var count)
                ? new(epoch, number, offset, count)
                : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>Returns when it is on disk; a crash leaves the old line or the new one.</summary>
    /// <exception cref="IOException">The disk refused it.</exception>
    public void Save(string directory)
        => DurableFile.Replace(Path.Combine(directory, FileName), Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"v1 {Epoch} {Generation} {FirstOffset} {RowErrors}\n")));
}

using System.Globalization;
using System.Net;
using ThermalStreaming.Forwarding;

namespace ThermalStreaming.SnowpipeForwarder;

/// <summary>
/// Reads and writes a slot's <see cref="ChannelRecord"/>, and asks the pipe if both copies are damaged. Used by one caller at a time.
/// </summary>
sealed partial class ChannelRecords(SnowpipeClient client, SnowpipeOptions options, ILogger logger)
{
    /// <summary>After this many consecutive generations that the pipe does not know, there are no later ones.</summary>
    const int MostForgottenChannels = 5;

    /// <summary>Name of the channel of a slot; see the remarks of <see cref="SnowpipeSink"/>.</summary>
    public static string ChannelName(string prefix, string slot, string epoch, int generation) =>
        string.Create(
            CultureInfo.InvariantCulture,
            $"{prefix}_{slot}_{epoch[..Math.Min(8, epoch.Length)]}{(generation > 1 ? $"-{generation}" : "")}"
        );

    public string NameOf(SlotContext slot, ChannelRecord? record) =>
        ChannelName(options.ChannelPrefix, slot.Name, slot.Epoch, record?.Generation ?? 1);

    /// <summary>The record of the slot's channel; null if there is none.</summary>
    /// <exception cref="SinkException">The disk refuses: a guess would deliver through an older channel.</exception>
    public async Task<ChannelRecord?> RecallAsync(SlotContext slot, CancellationToken cancellationToken)
    {
        try
        {
            var found = ChannelRecord.Load(slot.Directory, slot.Epoch, out var damaged);
            if (damaged is not null)
                LogDamagedCopy(damaged);
            return found;
        }
        catch (InvalidDataException e)
        {
            var found = await FindLastAsync(slot, cancellationToken);
            LogDamagedRecord(e.Message, found is null ? "none" : NameOf(slot, found));
            // Saved at once: a second search could count more refused rows as reported.
            return found is null ? null : Remember(slot, found);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new SinkException(
                SinkFailure.Transient,
                $"the channel's record cannot be read from {slot.Directory}: {e.Message}",
                inner: e
            );
        }
    }

    /// <summary>Returns when the record is on disk.</summary>
    /// <exception cref="SinkException">The disk refuses.</exception>
    public ChannelRecord Remember(SlotContext slot, ChannelRecord changed)
    {
        try
        {
            changed.Save(slot.Directory);
            return changed;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new SinkException(
                SinkFailure.Transient,
                $"the record of channel {NameOf(slot, changed)} cannot be written to {slot.Directory}: {e.Message}",
                inner: e
            );
        }
    }

    /// <summary>
    /// The last of the slot's channels that the pipe knows: the best guess when the record and its copy are damaged. The pipe may have
    /// forgotten older ones, so a gap does not end the search. How many of its refused rows were reported is not known; all that it counts
    /// now are treated as reported.
    /// </summary>
    async Task<ChannelRecord?> FindLastAsync(SlotContext slot, CancellationToken cancellationToken)
    {
        ChannelRecord? last = null;
        for (var generation = 1; generation <= (last?.Generation ?? 0) + MostForgottenChannels; generation++)
        {
            var channel = new ChannelSession(ChannelName(options.ChannelPrefix, slot.Name, slot.Epoch, generation));
            try
            {
                if (await client.StatusAsync(channel, cancellationToken) is { } status)
                    last = new ChannelRecord(slot.Epoch, generation, FirstOffset: 0, status.RowErrors);
            }
            catch (SnowflakeException e) when (e.Error.Status == HttpStatusCode.NotFound && options.DefaultPipeTable is not null)
            {
                // The pipe does not exist, so neither do its channels.
                break;
            }
        }
        return last;
    }

    [LoggerMessage(
        EventId = 418,
        Level = LogLevel.Error,
        Message = "{Path} was corrupt; restored it from its copy. Check the storage (dmesg, SD card)"
    )]
    partial void LogDamagedCopy(string path);

    [LoggerMessage(
        EventId = 417,
        Level = LogLevel.Error,
        Message = "{Problem}. These files name the newest channel of the slot; the newest one that the pipe knows is {Channel}, and "
            + "delivery continues there. Check the storage (dmesg, SD card)"
    )]
    partial void LogDamagedRecord(string problem, string channel);
}

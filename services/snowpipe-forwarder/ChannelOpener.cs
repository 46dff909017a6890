using System.Net;
using ThermalStreaming.Forwarding;

namespace ThermalStreaming.SnowpipeForwarder;

/// <summary>Opens the channel that a slot delivers through, and finds the offset to continue at. Used by one caller at a time.</summary>
sealed partial class ChannelOpener(SnowpipeClient client, SnowpipeOptions options, ChannelRecords records, ILogger logger)
{
    /// <summary>The channel opened last, or being opened.</summary>
    public ChannelSession Channel { get; private set; } = new("");

    /// <summary>Uses the elastic channel, which needs no open.</summary>
    /// <exception cref="SnowflakeException">The pipe is missing or invalid, or Snowflake cannot be reached.</exception>
    public Task OpenElasticAsync(CancellationToken cancellationToken)
    {
        Channel = new ChannelSession("ELASTIC");
        return CheckPipeAsync(cancellationToken);
    }

    /// <summary>
    /// Opens the slot's channel: the last one in its record, or a new one if the journal has lost readings that the last one has.
    /// </summary>
    /// <param name="start">The slot and its journal.</param>
    /// <param name="sentEnd">One past the last offset that this process has sent.</param>
    /// <param name="cancellationToken">Ends the attempt.</param>
    /// <exception cref="SnowflakeException">Snowflake refuses or cannot be reached.</exception>
    /// <exception cref="SinkException">The channel's record cannot be read or written.</exception>
    public async Task<OpenPosition> OpenNamedAsync(SinkStart start, long sentEnd, CancellationToken cancellationToken)
    {
        var (epoch, initialEnd) = (start.Slot.Epoch, start.Slot.InitialEnd);
        var ownEnd = Math.Max(initialEnd, sentEnd);
        var record = await records.RecallAsync(start.Slot, cancellationToken);
        while (true)
        {
            var name = records.NameOf(start.Slot, record);
            // Calls keep their identity while an open is retried.
            Channel = Channel.Name == name ? Channel : new ChannelSession(name);
            Channel.Affinity = null;
            await CheckPipeAsync(cancellationToken);
            var opened = await client.OpenAsync(Channel, cancellationToken);
            if (!opened.Status.IsValid)
                throw new SnowflakeException(opened.Status.Error($"open channel {name} of {client.PipeName}"));
            record ??= records.Remember(start.Slot, new ChannelRecord(epoch, 1, 0, opened.Status.RowErrors));
            var next =
                OffsetToken.TryParse(opened.Status.CommittedToken, out var token) && token.Epoch == epoch ? token.Offset + 1 : (long?)null;
            if (next > ownEnd)
            {
                // The disk lost data that it had called durable, or an older copy of the journal was restored. Readings that it held at the
                // start are committed; later ones are not, even where they have got the offsets of lost ones.
                LogLostTail(name, next.Value - 1, ownEnd - 1);
                record = records.Remember(
                    start.Slot,
                    new ChannelRecord(epoch, record.Generation + 1, Math.Max(start.Cursor, initialEnd), 0)
                );
                continue;
            }
            if (next is null && opened.Status.CommittedToken is { Length: > 0 } foreign)
                LogForeignEpoch(name, SnowflakeError.OneLine(foreign));
            // No token: the channel is new, or Snowflake deleted it after a long idle time. Then this side's cursor is the best source.
            var position = next ?? Math.Max(start.Cursor, record.FirstOffset);
            if (position < start.FirstStored)
            {
                LogGap(name, position, start.FirstStored - 1);
                position = start.FirstStored;
            }
            return new OpenPosition(opened.ContinuationToken, opened.Status, record, position, next);
        }
    }

    /// <summary>
    /// Finds a pipe that is missing or invalid. An invalid pipe opens channels, answers appends with 200, and drops their rows. The default
    /// pipe of a table does not exist before the first open or elastic append.
    /// </summary>
    async Task CheckPipeAsync(CancellationToken cancellationToken)
    {
        try
        {
            _ = await client.StatusAsync(Channel, cancellationToken);
        }
        catch (SnowflakeException e) when (e.Error.Status == HttpStatusCode.NotFound && options.DefaultPipeTable is not null)
        {
            // The open creates the pipe, or the first append to its table does.
        }
    }

    [LoggerMessage(
        EventId = 412,
        Level = LogLevel.Error,
        Message = "{Channel}: Snowflake has committed offset {Committed}, but the journal ends at {Last}: the disk lost readings "
            + "after they were delivered, or an older copy of it was restored. Delivery continues in a new channel; no reading is "
            + "lost by that"
    )]
    partial void LogLostTail(string channel, long committed, long last);

    [LoggerMessage(
        EventId = 413,
        Level = LogLevel.Error,
        Message = "{Channel}: offsets {First} to {Last} are not committed and no longer in the journal: they are lost"
    )]
    partial void LogGap(string channel, long first, long last);

    [LoggerMessage(
        EventId = 415,
        Level = LogLevel.Warning,
        Message = "{Channel} carries the offset token '{Token}' of another journal: nothing of this journal is committed in it"
    )]
    partial void LogForeignEpoch(string channel, string token);
}

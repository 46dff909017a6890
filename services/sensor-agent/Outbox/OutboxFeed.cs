using ThermalStreaming.Hosting;
using ThermalStreaming.Journal;
using ThermalStreaming.Mqtt;
using ThermalStreaming.Readings;

namespace ThermalStreaming.SensorAgent;

/// <summary>Takes the batches of an outbox in order and hands each to the MQTT client. Not thread-safe.</summary>
sealed partial class OutboxFeed(Outbox outbox, MqttClient client, Health health, TimeProvider clock, ILogger logger)
{
    /// <summary>
    /// <c>replayed = true</c> as a protobuf field. Appended to a serialised batch without the field, it sets the field: protobuf allows
    /// fields in any order. So a batch is marked without touching its other bytes.
    /// </summary>
    static ReadOnlySpan<byte> ReplayedMark => [ReadingBatch.ReplayedFieldNumber << 3, 1];

    static readonly TimeSpan ReadRetry = TimeSpan.FromSeconds(1),
        ClockLook = TimeSpan.FromSeconds(1),
        CellLook = TimeSpan.FromMilliseconds(200);

    /// <summary>Waits for the next batch and hands it to the client. Null once the outbox is closed.</summary>
    public async ValueTask<PublishedBatch?> NextAsync(JournalReader reader, PublishingPass pass, CancellationToken cancellationToken)
    {
        while (true)
        {
            JournalEntry entry;
            try
            {
                if (!reader.TryRead(out entry))
                {
                    if (!await reader.WaitToReadAsync(cancellationToken))
                        return null;
                    continue;
                }
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                // Nothing is skipped: the reader resumes where it is.
                health.Unwell($"reading {Topics.Name(outbox.Kind)}", $"the outbox cannot be read: {e.Message}");
                try
                {
                    await Task.Delay(ReadRetry, clock, cancellationToken);
                }
                finally
                {
                    health.Forget($"reading {Topics.Name(outbox.Kind)}");
                }
                continue;
            }
            await WaitForCellAsync(entry.EndOffset, cancellationToken);
            if (!StoredPayload.TryParse(entry.Payload, out var batch) || batch.IsJson)
            {
                // The checksum is right, but it is not a batch. It stays in the journal for `journal export` until it is released.
                LogForeign(entry.Offset, outbox.Journal.Epoch);
                continue;
            }
            var (bytes, storedAt) = (batch.Bytes, batch.StoredAt);
            if (ProvisionalTimes.AreIn(bytes.Span))
                (bytes, storedAt) = await FinishAsync(bytes, storedAt, cancellationToken);
            if (entry.Offset == outbox.AcknowledgedOffset)
                outbox.SetOldest(storedAt);
            var replayed = entry.Offset < Math.Max(pass.ReplayUntil, pass.SentUntil);
            pass.SentUntil = Math.Max(pass.SentUntil, entry.EndOffset);
            var acknowledged = client.PublishAsync(
                Topics.Readings(batch.DeviceId, batch.Kind),
                Message(bytes.Span, replayed),
                MqttQos.AtLeastOnce,
                contentType: Payload.ProtobufContentType,
                cancellationToken: cancellationToken
            );
            return new PublishedBatch(entry.EndOffset, entry.Count, storedAt, replayed, clock.GetTimestamp(), acknowledged);
        }
    }

    /// <summary>Waits while the device moves to another cell, which gets this batch and the ones after it.</summary>
    async Task WaitForCellAsync(long endOffset, CancellationToken cancellationToken)
    {
        var heldBy = outbox.HeldBy;
        while (!outbox.MayPublish(endOffset))
        {
            // A stop does not wait for the move.
            outbox.HeldBy = "the device moves to another cell, which gets these readings when the present cell has all earlier ones";
            await Task.Delay(CellLook, clock, cancellationToken);
            outbox.HeldBy = heldBy;
        }
    }

    /// <summary>The batch with its final times. Waits until the clock knows them, and so does the rest of the outbox.</summary>
    async Task<(ReadOnlyMemory<byte> Bytes, DateTimeOffset StoredAt)> FinishAsync(
        ReadOnlyMemory<byte> batch,
        DateTimeOffset storedAt,
        CancellationToken cancellationToken
    )
    {
        var heldBy = outbox.HeldBy;
        while (true)
        {
            if (outbox.Clock.Finish(batch.Span, out var movedBy) is { } finished)
            {
                outbox.HeldBy = heldBy;
                return (finished, storedAt + movedBy);
            }
            // A stop does not wait for the clock.
            outbox.HeldBy = outbox.Clock.WaitingText;
            await Task.Delay(ClockLook, clock, cancellationToken);
        }
    }

    /// <summary>A copy of a serialised <see cref="ReadingBatch"/> to publish.</summary>
    internal static byte[] Message(ReadOnlySpan<byte> batch, bool replayed)
    {
        var message = GC.AllocateUninitializedArray<byte>(batch.Length + (replayed ? ReplayedMark.Length : 0));
        batch.CopyTo(message);
        if (replayed)
            ReplayedMark.CopyTo(message.AsSpan(batch.Length));
        return message;
    }

    [LoggerMessage(
        EventId = 12,
        Level = LogLevel.Error,
        Message = "The record at offset {Offset} of outbox {Epoch} is not a batch of readings and cannot be published; it stays there for "
            + "`journal export`"
    )]
    partial void LogForeign(long offset, string epoch);
}

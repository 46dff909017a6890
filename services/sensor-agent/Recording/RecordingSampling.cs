using System.Text.Json;
using Google.Protobuf;
using ThermalStreaming.Hosting;
using ThermalStreaming.Readings;

namespace ThermalStreaming.SensorAgent;

/// <summary>
/// Takes readings from a recorded file instead of from sensors, at the recorded pace or faster. Each is taken once, even across restarts: a
/// position on disk shows how far the replay came, and the outbox what was stored since. Its figures may be read from any thread.
/// </summary>
sealed partial class RecordingSampling(
    RecordingOptions replay,
    Device device,
    Outbox outbox,
    AgentMetrics metrics,
    Health health,
    TimeProvider clock,
    ILogger<RecordingSampling> logger
) : BackgroundService
{
    /// <summary>Readings in a batch, however fast the replay is.</summary>
    const int MostInBatch = 500;

    /// <summary>Bad lines that get a log line each.</summary>
    const int MostNamed = 20;

    static readonly TimeSpan FileRetry = TimeSpan.FromSeconds(5),
        LongGap = TimeSpan.FromMinutes(10),
        LongestWait = TimeSpan.FromDays(20);

    /// <summary>Receives every reading when it is due; null: nobody watches.</summary>
    public ReadingFeed? Feed { get; init; }

    readonly RecordingPositionFile file = new(replay.PositionPath, clock, logger);
    readonly string part = $"replay {Topics.Name(replay.Kind)}";

    /// <summary>Everything before this position is in the outbox.</summary>
    volatile RecordingPosition? position;

    /// <summary>Lines that were not readings, since the start.</summary>
    long skipped;
    volatile bool hasEnded;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            await outbox.OpenAsync(stoppingToken);
            while (!stoppingToken.IsCancellationRequested)
            {
                try
                {
                    await PlayAsync(stoppingToken);
                    await Task.Delay(Timeout.InfiniteTimeSpan, clock, stoppingToken);
                }
                catch (RecordingException e)
                {
                    // The readings in hand are read again. An outbox that cannot store does not end up here; it ends the agent.
                    health.Unwell(part, $"{replay.File}, its position or the outbox cannot be read ({e.Message}); retrying every 5 s");
                    await Task.Delay(FileRetry, clock, stoppingToken);
                }
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // PlayAsync has stored what it had in hand.
        }
        finally
        {
            file.Flush();
        }
    }

    /// <summary>Plays the file from its position to its end.</summary>
    async Task PlayAsync(CancellationToken stoppingToken)
    {
        // After an error the file may be another one.
        var taken = position = RecordingException.Guard(() => position is { } known && known.IsOf(replay.File) ? known : LoadOrBegin());
        var stored = RecordingException.Guard(() => StoredSequence(taken));
        using var recorded = RecordingException.Guard(() => new RecordedFile(replay.File, taken.Byte, taken.Line));
        health.Well(part);
        var pace = new RecordingPace(replay.Speed, replay.Linger, clock);
        var batch = NewBatch(taken);
        var (count, began, roundBegan) = (0, TimeSpan.Zero, taken.Line == 0 ? taken.Sequence : ulong.MaxValue);
        try
        {
            while (true)
            {
                // A replay that is behind waits for nothing else below.
                stoppingToken.ThrowIfCancellationRequested();
                var (hasLine, read, problem) = RecordingException.Guard(() => Read(recorded));
                if (!hasLine || (problem is not null && recorded.IsUnfinished))
                {
                    if (count > 0)
                        await StoreAsync();
                    if (!replay.IsLooping || taken.Sequence == roundBegan)
                    {
                        End(RecordingException.Guard(() => taken.Marked(recorded)), isUnfinished: hasLine);
                        return;
                    }
                    RecordingException.Guard(() => recorded.Seek(0, 0));
                    pace.BeginAgain();
                    taken = taken with { Byte = 0, Line = 0 };
                    roundBegan = taken.Sequence;
                    continue;
                }
                var next = taken with { Byte = recorded.Position, Line = recorded.Line };
                if (problem is not null)
                    Skip(recorded.Line, problem);
                if (read is not { } row)
                {
                    taken = next;
                    continue;
                }
                next = next with { Sequence = next.Sequence + 1 };
                if (next.Sequence <= stored)
                {
                    position = taken = next;
                    continue;
                }
                var due = pace.Next(row.AtUs);
                if (count > 0 && (count >= MostInBatch || due - began >= replay.Linger))
                    await StoreAsync();
                if (count == 0)
                    await outbox.WaitForRoomAsync(stoppingToken);
                await WaitAsync(pace.Until(due), recorded.Line, stoppingToken);
                if (count == 0)
                    began = due;
                Add(batch, row, next.Sequence);
                count++;
                taken = next;
            }
        }
        catch (OperationCanceledException) when (count > 0)
        {
            await StoreAsync();
            throw;
        }

        async Task StoreAsync()
        {
            var before = outbox.Journal.NextOffset;
            await outbox.StoreAsync(batch, count, stoppingToken, areDated: replay.Time == RecordingTime.Recorded);
            if (outbox.Journal.NextOffset < before + count)
            {
                // Given up at a stop: the next start takes these readings again, or finds them in the outbox. A second attempt now would
                // date them twice.
                count = 0;
                throw new OperationCanceledException(stoppingToken);
            }
            var marked = RecordingException.Guard(() => taken.Marked(recorded));
            position = taken = marked with { Epoch = outbox.Journal.Epoch, Offset = outbox.Journal.NextOffset };
            file.Note(taken);
            metrics.Taken(replay.Kind, count);
            batch = NewBatch(taken);
            count = 0;
        }
    }

    RecordingPosition LoadOrBegin()
    {
        var (loaded, journal) = (file.Load(), outbox.Journal);
        if (loaded is not null && loaded.IsOf(replay.File))
        {
            LogContinues(replay.File, loaded.Line + 1, loaded.Sequence);
            return loaded;
        }
        if (loaded is { Sequence: > 0 })
            LogIsAnother(replay.File, loaded.Sequence);
        var begun = RecordingPosition.Begin(
            replay.File,
            Guid.CreateVersion7(clock.GetUtcNow()).ToString("N"),
            journal.Epoch,
            journal.NextOffset
        );
        // Before the first reading: after a crash the same readings must get the same identity.
        file.Save(begun);
        LogBegins(replay.File);
        return begun;
    }

    /// <summary>The last reading of this replay in the outbox, which may be further than the position on disk.</summary>
    ulong StoredSequence(RecordingPosition from)
    {
        var last = from.Sequence;
        if (outbox.Journal.Epoch != from.Epoch)
            return last;
        using var reader = outbox.Journal.OpenReader(from.Offset);
        while (reader.TryRead(out var entry))
        {
            if (!StoredPayload.TryParse(entry.Payload, out var payload) || payload.IsJson)
                continue;
            var batch = ReadingBatch.Parser.ParseFrom(payload.Bytes.Span);
            if (batch.BootId != from.BootId)
                continue;
            last = Math.Max(last, batch.Thermal.LastOrDefault()?.Sequence ?? batch.Inverters.LastOrDefault()?.Sequence ?? 0);
        }
        return last;
    }

    /// <summary>The next line as a reading, or why it is not one; both null for a blank line.</summary>
    (bool HasLine, RecordedRow? Row, string? Problem) Read(RecordedFile recorded)
    {
        if (!recorded.TryRead(out var line, out var isTooLong))
            return (false, null, null);
        if (isTooLong)
            return (true, null, $"it is longer than {RecordedFile.LongestLine} bytes");
        if (line.IsEmpty)
            return (true, null, null);
        var problem = RecordedRow.Parse(replay.Kind, line, out var row);
        return (true, problem is null ? row : null, problem);
    }

    void Skip(long number, string problem)
    {
        var total = Interlocked.Increment(ref skipped);
        metrics.ReplaySkipped(replay.Kind);
        if (total <= MostNamed)
            LogSkipped(replay.File, number, problem);
        if (total == MostNamed)
            LogSkipsMore(replay.File);
    }

    ReadingBatch NewBatch(RecordingPosition at)
    {
        var batch = device.NewBatch();
        batch.BootId = at.BootId;
        return batch;
    }

    void Add(ReadingBatch batch, RecordedRow row, ulong sequence)
    {
        var now = clock.GetUtcNow();
        if (replay.Time == RecordingTime.Now)
            row.ForgetRecordedClock();
        var observedAt = replay.Time == RecordingTime.Recorded ? row.AtUs ?? Instants.ToMicroseconds(now) : outbox.Clock.SinceBootUs;
        if (row.Thermal is { } thermal)
        {
            Span<byte> id = stackalloc byte[16];
            Guid.CreateVersion7(now).TryWriteBytes(id, bigEndian: true, out _);
            (thermal.Sequence, thermal.ObservedAtUs, thermal.Id) = (sequence, observedAt, ByteString.CopyFrom(id));
            batch.Thermal.Add(thermal);
            var taken = new TakenReading(thermal, replay.Time == RecordingTime.Recorded ? Instants.FromMicroseconds(observedAt) : now);
            Feed?.Show(device, taken);
        }
        else if (row.Inverter is { } inverter)
        {
            (inverter.Sequence, inverter.ObservedAtUs) = (sequence, observedAt);
            batch.Inverters.Add(inverter);
            Feed?.Show(device, [inverter], replay.Time == RecordingTime.Recorded ? Instants.FromMicroseconds(observedAt) : now);
        }
    }

    async Task WaitAsync(TimeSpan wait, long line, CancellationToken stoppingToken)
    {
        if (wait <= TimeSpan.Zero)
            return;
        if (wait >= LongGap)
            LogWaits(replay.File, line, wait);
        for (var left = wait; left > TimeSpan.Zero; left -= LongestWait)
            await Task.Delay(left < LongestWait ? left : LongestWait, clock, stoppingToken);
    }

    void End(RecordingPosition at, bool isUnfinished)
    {
        hasEnded = true;
        position = at;
        file.Note(at);
        file.Flush();
        var kind = Topics.Name(replay.Kind);
        if (at.Sequence == 0)
            health.Unwell(part, $"{replay.File} holds no reading of kind {kind}; name another file");
        var lines = Interlocked.Read(ref skipped);
        if (isUnfinished)
            LogUnfinished(replay.File, at.Line + 1);
        LogEnds(replay.File, at.Sequence, lines, kind);
    }

    /// <summary>Writes the state for <c>/status</c>.</summary>
    public void WriteStatus(Utf8JsonWriter json)
    {
        json.WriteStartObject($"replay_{Topics.Name(replay.Kind)}");
        json.WriteString("file"u8, replay.File);
        json.WriteNumber("line"u8, position?.Line ?? 0);
        json.WriteNumber("readings"u8, position?.Sequence ?? 0);
        json.WriteNumber("skipped"u8, Interlocked.Read(ref skipped));
        json.WriteBoolean("ended"u8, hasEnded);
        json.WriteEndObject();
    }

    [LoggerMessage(EventId = 32, Level = LogLevel.Information, Message = "Replaying {File} from its beginning")]
    partial void LogBegins(string file);

    [LoggerMessage(EventId = 33, Level = LogLevel.Information, Message = "Replaying {File} from line {Line} on, after {Readings} readings")]
    partial void LogContinues(string file, long line, ulong readings);

    [LoggerMessage(EventId = 34, Level = LogLevel.Warning, Message = "{File}, line {Line} is skipped: {Problem}")]
    partial void LogSkipped(string file, long line, string problem);

    [LoggerMessage(
        EventId = 35,
        Level = LogLevel.Warning,
        Message = "{File}: further lines that are skipped are only counted (thermal_agent_replay_skipped_total)"
    )]
    partial void LogSkipsMore(string file);

    [LoggerMessage(
        EventId = 36,
        Level = LogLevel.Information,
        Message = "{File}: line {Line} follows in {Wait}, as it was recorded. REPLAY_SPEED shortens this"
    )]
    partial void LogWaits(string file, long line, TimeSpan wait);

    [LoggerMessage(
        EventId = 37,
        Level = LogLevel.Information,
        Message = "The replay of {File} has ended: {Readings} readings, {Skipped} lines skipped since the start. No more {Kind} readings are "
            + "taken. REPLAY_LOOP=true begins again; a file that has grown is continued at the next start"
    )]
    partial void LogEnds(string file, ulong readings, long skipped, string kind);

    [LoggerMessage(
        EventId = 38,
        Level = LogLevel.Warning,
        Message = "{File} is not the file that was replayed under this name before ({Readings} readings): it no longer contains the "
            + "replayed lines. It is replayed from its beginning, and all its readings are new"
    )]
    partial void LogIsAnother(string file, ulong readings);

    [LoggerMessage(
        EventId = 39,
        Level = LogLevel.Information,
        Message = "{File}, line {Line}, the last one, is not complete; the next start reads it if it is complete then"
    )]
    partial void LogUnfinished(string file, long line);
}

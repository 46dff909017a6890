using Microsoft.Extensions.Logging;
using ThermalStreaming.Journal;
using ThermalStreaming.Mqtt;
using ThermalStreaming.Readings;

namespace ThermalStreaming.Forwarding;

/// <summary>
/// Judges the messages that arrive for one slot. Readings that can be stored are returned for the journal; each other reading goes to the
/// dead letters with its reason; odd senders are noted. Not thread-safe.
/// </summary>
/// <param name="slot">Name of the slot.</param>
/// <param name="options">Bounds of a message, and the destination's columns.</param>
/// <param name="deadLetters">Where refused readings go.</param>
/// <param name="senders">Hears of odd senders.</param>
/// <param name="metrics">Counts.</param>
/// <param name="clock">For the time of arrival.</param>
/// <param name="logger">For refusals.</param>
sealed partial class Intake(
    string slot, ForwarderOptions options, DeadLetters deadLetters, SenderNotes senders, ForwarderMetrics metrics, TimeProvider clock,
    ILogger logger)
{
    /// <summary>Refused readings of one message that get a letter each; the rest of them share one.</summary>
    const int MaxLetters = 20;

    readonly Dictionary<string, (string DeviceId, ReadingKind Kind)> topics = new(StringComparer.Ordinal);
    readonly List<DeadLetter> refused = [];

    /// <summary>Messages since <see cref="Begin"/> of which nothing can be stored.</summary>
    public int Poisoned { get; private set; }

    /// <summary>Whether letters were added since <see cref="Begin"/>: they must be on disk before the messages are acknowledged.</summary>
    public bool HasLetters { get; private set; }

    /// <summary>Begins a group of messages.</summary>
    public void Begin() => (Poisoned, HasLetters) = (0, false);

    /// <summary>Decodes a message. Readings that cannot be stored become dead letters.</summary>
    /// <returns>The readings that can be stored; null when there are none.</returns>
    public Arrival? Take(in MqttMessage message)
    {
        if (message.Payload.IsEmpty)
        {
            // Not a reading: an empty payload deletes a retained message.
            metrics.Empty();
            return null;
        }
        refused.Clear();
        var arrival = Read(message.Topic, message.Payload, message.ContentType, clock.GetUtcNow(), null, refused);
        foreach (var letter in refused)
            deadLetters.Add(letter, DeadLetterOrigin.Unread);
        if (refused.Count == 0)
            return arrival;
        HasLetters = true;
        Poisoned += arrival is null ? 1 : 0;
        metrics.Refused(refused.Sum(letter => letter.Readings));
        if (arrival is null)
            LogPoison(slot, message.Topic, message.Payload.Length, refused[0].Reason);
        else
            LogRefused(slot, refused.Sum(letter => letter.Readings), arrival.Count + refused.Sum(letter => letter.Readings), message.Topic, refused[0].Reason);
        return arrival;
    }

    /// <summary>Decodes a dead letter again.</summary>
    /// <param name="letter">With the time of its arrival and the identity that it was given, which it keeps.</param>
    /// <param name="stillRefused">Gets the readings that still cannot be stored.</param>
    /// <returns>The readings that can be stored by now; null when there are none.</returns>
    public JournalRecord? TakeAgain(DeadLetter letter, List<DeadLetter> stillRefused)
    {
        if (letter.Payload.IsEmpty)
            return null;
        // Letters of earlier versions do not have the time of arrival; most were put aside on arrival.
        var receivedAt = letter.ReceivedAt ?? (letter.At == default ? clock.GetUtcNow() : letter.At);
        return Read(letter.Topic, letter.Payload, letter.ContentType, receivedAt, letter.Assigned, stillRefused)?.ToRecord();
    }

    Arrival? Read(
        string topic, ReadOnlyMemory<byte> message, string? contentType, DateTimeOffset receivedAt, AssignedIdentity? assigned, List<DeadLetter> letters)
    {
        try
        {
            var (deviceId, kind) = Parse(topic);
            // Checked before decoding, which takes memory.
            var limit = Math.Min(SpoolRecord.MaxBytes, options.Journal.MaxBytes / 4) - 512;
            if (message.Length > limit)
                throw new PayloadException($"the payload is {message.Length} bytes long; at most {limit} are stored as one message");
            var isJson = PayloadFormat.IsJson(message, contentType, out var body);
            var payload = Payload.Decode(body, isJson, deviceId, kind, receivedAt, assigned, options.Limits);
            senders.Look(payload, deviceId);
            if (payload.Problems.Count > 0)
            {
                var type = isJson ? Payload.JsonContentType : Payload.ProtobufContentType;
                if (Refuse(payload, assigned, (reason, readings, bytes) =>
                    letters.Add(new DeadLetter(reason, topic, type, readings, bytes ?? body) { ReceivedAt = receivedAt, Assigned = assigned })) is not { } rest)
                    return null;
                (body, payload) = (rest, Payload.Decode(rest, isJson, deviceId, kind, receivedAt));
            }
            return new Arrival(StoredPayload.Header(isJson, kind, deviceId, receivedAt, assigned), body, payload.Count, ReadingRuns.Of(payload), ReadingRuns.Fingerprints(payload));
        }
        catch (PayloadException e)
        {
            letters.Add(new DeadLetter(e.Message, topic, contentType, 0, message) { ReceivedAt = receivedAt, Assigned = assigned });
            return null;
        }
        catch (Exception e) when (e is not (IOException or OperationCanceledException or OutOfMemoryException))
        {
            // A defect of the decoder. Thrown on, it would stop everything behind this message, at each delivery again.
            LogDecoderDefect(e, slot, topic, message.Length);
            letters.Add(new DeadLetter($"decoding it failed with {e.GetType().Name} ({e.Message}); this is a defect of thermal-streaming, please report it with this letter", topic, contentType, 0, message)
            {
                ReceivedAt = receivedAt,
                Assigned = assigned,
            });
            return null;
        }
    }

    /// <summary>
    /// Passes the readings that cannot be stored to <paramref name="add"/>, and returns the payload without them; null when nothing is
    /// left.
    /// </summary>
    static byte[]? Refuse(Payload payload, AssignedIdentity? assigned, Action<string, int, byte[]?> add)
    {
        var problems = payload.Problems;
        var first = problems.First();
        // An assigned identity numbers readings by their place in the payload, so no reading may be removed from it.
        if (assigned is not null || (problems.Count == payload.Count && problems.Values.All(problem => problem == first.Value)))
        {
            add(Number(payload, first.Key) + first.Value, payload.Count, null);
            return null;
        }
        foreach (var (index, problem) in problems.Take(MaxLetters))
            add(Number(payload, index) + problem, 1, payload.Select([index]));
        if (problems.Count > MaxLetters)
        {
            var others = problems.Keys.Skip(MaxLetters).ToList();
            add($"{others.Count} readings of {payload.Count}; the first: {problems[others[0]]}", others.Count, payload.Select(others));
        }
        var good = Enumerable.Range(0, payload.Count).Where(index => !problems.ContainsKey(index)).ToList();
        return good.Count == 0 ? null : payload.Select(good);
    }

    static string Number(Payload payload, int index) => payload.Count == 1 ? "" : $"reading {index + 1} of {payload.Count}: ";

    (string DeviceId, ReadingKind Kind) Parse(string name)
    {
        if (topics.TryGetValue(name, out var topic))
            return topic;
        if (!Topics.TryParse(name, out topic.DeviceId, out topic.Kind))
            throw new PayloadException(Topics.Problem(name));
        if (topics.Count > 10_000)
            topics.Clear();
        return topics[name] = topic;
    }

    [LoggerMessage(EventId = 130, Level = LogLevel.Warning, Message =
        "{Slot}: a message on {Topic} ({Bytes} bytes) cannot be read: {Reason}. It is kept with the dead letters")]
    partial void LogPoison(string slot, string topic, int bytes, string reason);

    [LoggerMessage(EventId = 137, Level = LogLevel.Error,
        Message = "{Slot}: decoding a message on {Topic} ({Bytes} bytes) failed. It is kept with the dead letters; please report this defect with it")]
    partial void LogDecoderDefect(Exception e, string slot, string topic, int bytes);

    [LoggerMessage(EventId = 136, Level = LogLevel.Warning, Message =
        "{Slot}: {Refused} of {Count} readings of a message on {Topic} cannot be taken; they are kept with the dead letters, the others "
        + "are stored. The first: {Reason}")]
    partial void LogRefused(string slot, int refused, int count, string topic, string reason);
}

using System.Buffers;
using Microsoft.Extensions.Logging;
using ThermalStreaming.Mappings;
using ThermalStreaming.Mqtt;
using ThermalStreaming.Readings;

namespace ThermalStreaming.Forwarding;

/// <summary>
/// Judges the messages that arrive for one slot. Readings that can be stored are returned for the journal; each other reading goes to the
/// dead letters with its reason; odd senders are noted. Not thread-safe.
/// </summary>
/// <param name="slot">Name of the slot.</param>
/// <param name="services">Options (bounds of a message, the destination's columns, mappings), rules, and where refused readings go.</param>
sealed partial class Intake(string slot, SlotServices services)
{
    /// <summary>Refused readings of one message that get a letter each; the rest of them share one.</summary>
    const int MaxLetters = 20;

    /// <summary>Longest topic that is remembered; a longer one is parsed each time it comes.</summary>
    const int LongestTopic = 512;

    readonly ForwarderOptions options = services.Options;
    readonly DeadLetters deadLetters = services.DeadLetters;
    readonly ForwarderMetrics metrics = services.Metrics;
    readonly TimeProvider clock = services.Clock;
    readonly ILogger logger = services.Logger;
    readonly ReadingJudge? judge = services.Rules is { } rules ? new ReadingJudge(rules) : null;
    readonly Dictionary<string, Destined> topics = new(StringComparer.Ordinal);
    readonly List<DeadLetter> refused = [];

    /// <summary>Messages since <see cref="Begin"/> of which nothing can be stored.</summary>
    public int DeadMessages { get; private set; }

    /// <summary>Whether letters were added since <see cref="Begin"/>: they must be on disk before the messages are acknowledged.</summary>
    public bool HasLetters { get; private set; }

    /// <summary>Begins a group of messages.</summary>
    public void Begin() => (DeadMessages, HasLetters) = (0, false);

    /// <summary>Decodes a message. Readings that cannot be stored become dead letters.</summary>
    /// <returns>The readings that can be stored; null when there are none.</returns>
    public Arrival? Take(in MqttMessage message)
    {
        if (message.Payload.IsEmpty)
        {
            // An empty payload is not a reading: it deletes a retained message.
            metrics.Empty();
            return null;
        }
        refused.Clear();
        var destined = Find(message.Topic);
        if (destined.Route is { } route && IsLeftOut(message, route))
            return null;
        var incoming = new Incoming(message.Topic, message.ContentType, message.Payload, clock.GetUtcNow(), null)
        {
            Sender = destined.Sender,
        };
        var arrival = Interpret(destined, incoming, refused);
        if (arrival is not null)
            services.Devices.Hear(destined.DeviceId, arrival.Count);
        foreach (var letter in refused)
            deadLetters.Add(letter, DeadLetterOrigin.Unread);
        if (refused.Count == 0)
            return arrival;
        HasLetters = true;
        DeadMessages += arrival is null ? 1 : 0;
        metrics.Refused(refused.Sum(letter => letter.Readings));
        if (arrival is null)
            LogDead(slot, message.Topic, message.Payload.Length, refused[0].Reason);
        else
            LogRefused(
                slot,
                refused.Sum(letter => letter.Readings),
                arrival.Count + refused.Sum(letter => letter.Readings),
                message.Topic,
                refused[0].Reason
            );
        return arrival;
    }

    /// <summary>Decodes a dead letter again.</summary>
    /// <param name="letter">The letter; it keeps the time of its arrival and the identity that it was given.</param>
    /// <param name="stillRefused">Gets the readings that still cannot be stored.</param>
    /// <returns>The readings that can be stored by now; null when there are none.</returns>
    public Arrival? TakeAgain(DeadLetter letter, List<DeadLetter> stillRefused)
    {
        if (letter.Payload.IsEmpty)
            return null;
        // Letters of earlier versions do not have the time of arrival; most became dead letters on arrival.
        var receivedAt = letter.ReceivedAt ?? (letter.At == default ? clock.GetUtcNow() : letter.At);
        var destined = Find(letter.Topic);
        var message = new Incoming(letter.Topic, letter.ContentType, letter.Payload, receivedAt, letter.Assigned)
        {
            Sender = destined.Sender,
            IsReplay = true,
        };
        return Interpret(destined, message, stillRefused);
    }

    /// <summary>Whether the mappings make nothing of a message, which is counted and forgotten.</summary>
    bool IsLeftOut(in MqttMessage message, TopicRoute route)
    {
        if (route.Outcome == TopicOutcome.Unmapped)
            metrics.Unmapped(message.Topic);
        // A retained message dates from before the subscription. Shared subscriptions get none (MQTT 5 §4.8.2).
        return route.Outcome is TopicOutcome.Unmapped or TopicOutcome.LeftOut || message.Retain;
    }

    Arrival? Interpret(Destined destined, in Incoming message, List<DeadLetter> letters)
    {
        try
        {
            if (destined.Problem is { } problem)
                throw new PayloadException(problem);
            // Checked before decoding, because decoding takes memory.
            CheckLength(message.Payload.Length);
            if (destined.Route is { } route)
                return MapAndJudge(route, destined, message, letters);
            var isJson = PayloadFormat.IsJson(message.Payload, message.ContentType, out var body);
            return DecodeAndJudge(destined, isJson, body, message, letters);
        }
        catch (PayloadException e)
        {
            letters.Add(message.ToLetter(e.Message));
            return null;
        }
        catch (Exception e) when (e is not (IOException or OperationCanceledException or OutOfMemoryException))
        {
            // A defect of the decoder. Rethrown, it would block everything behind this message, at each redelivery.
            LogDecoderDefect(e, slot, message.Topic, message.Payload.Length);
            letters.Add(
                message.ToLetter(
                    $"decoding it failed with {e.GetType().Name} ({e.Message}); this is a defect of thermal-streaming, please report it "
                        + "with this letter"
                )
            );
            return null;
        }
    }

    /// <param name="destined">The device and the kind.</param>
    /// <param name="isJson">Whether the payload is JSON.</param>
    /// <param name="body">The payload.</param>
    /// <param name="message">The message that the payload came in, or would have come in.</param>
    /// <param name="letters">Gets the readings that cannot be taken.</param>
    /// <exception cref="PayloadException">It cannot be read.</exception>
    Arrival? DecodeAndJudge(Destined destined, bool isJson, ReadOnlyMemory<byte> body, in Incoming message, List<DeadLetter> letters)
    {
        var (deviceId, kind) = destined;
        var payload = Payload.Decode(body, isJson, deviceId, kind, message.ReceivedAt, message.Assigned, options.Limits);
        services.Senders.Look(payload, deviceId);
        var problems = payload.Problems;
        var leftOut = judge?.Judge(payload, ref problems, message.IsReplay);
        if (problems.Count > 0 || leftOut is not null)
        {
            var whole = message with { Payload = body, ContentType = TypeOf(isJson) };
            if (WithoutRefused(payload, problems, leftOut, whole, letters) is not { } rest)
                return null;
            // Its readings were judged. It has no assigned identity, or WithoutRefused would have left nothing of it.
            (body, payload) = (rest, Payload.Decode(rest, isJson, deviceId, kind, message.ReceivedAt));
        }
        return new Arrival(
            StoredPayload.Header(isJson, kind, deviceId, message.ReceivedAt, message.Assigned),
            body,
            payload.Count,
            ReadingRuns.Of(payload),
            ReadingRuns.Fingerprints(payload)
        );
    }

    /// <summary>
    /// Makes readings of a message as its mapping says. The result is stored, so changing the mapping later changes nothing. A message of
    /// which nothing can be taken becomes a letter as it came. Otherwise only the refused readings become letters, as the mapping made
    /// them, on our own topic for them, so that a replay does not take in the other readings again.
    /// </summary>
    /// <exception cref="PayloadException">Nothing of it can be taken.</exception>
    Arrival? MapAndJudge(TopicRoute route, Destined destined, in Incoming message, List<DeadLetter> letters)
    {
        if (route.Outcome != TopicOutcome.Mapped)
            throw new PayloadException("no mapping in use makes a reading of this message");
        var mapped = MessageMapper.Map(route, message.Payload, destined.Kind, MaxLength);
        var refused = mapped.FindAll(reading => reading.Problem is not null);
        var taken = mapped.FindAll(reading => reading is { Problem: null, HasValue: true });
        if (taken.Count == 0 && refused.Count > 0)
            throw new PayloadException(
                refused[0].Problem + (refused.Count > 1 ? $"; {refused.Count - 1} more readings of the message cannot be stored" : "")
            );
        if (taken.Count == 0)
        {
            metrics.WithoutValue();
            return null;
        }
        var made = message with { Topic = Topics.Readings(destined.DeviceId, destined.Kind), ContentType = Payload.JsonContentType };
        var body = Lines(taken);
        CheckLength(body.Length);
        foreach (var reading in refused.Take(MaxLetters))
            letters.Add(made.ToLetter($"{reading.Problem} (of a message on {message.Topic})", 1, reading.Json));
        if (refused.Count > MaxLetters)
        {
            var others = refused[MaxLetters..];
            var reason = $"{others.Count} readings of a message on {message.Topic}; the first: {others[0].Problem}";
            letters.Add(made.ToLetter(reason, others.Count, Lines(others)));
        }
        var before = letters.Count;
        var arrival = DecodeAndJudge(destined, isJson: true, body, made, letters);
        if (arrival is null && refused.Count == 0 && letters.Count > before)
        {
            var reason = letters[before].Reason;
            letters.RemoveRange(before, letters.Count - before);
            letters.Add(message.ToLetter(reason, taken.Count));
            return null;
        }
        for (var i = before; i < letters.Count; i++)
            letters[i] = letters[i] with { Reason = $"{letters[i].Reason} (of a message on {message.Topic})" };
        return arrival;
    }

    static ReadOnlyMemory<byte> Lines(List<MappedReading> readings)
    {
        if (readings.Count == 1)
            return readings[0].Json;
        var lines = new ArrayBufferWriter<byte>(readings.Sum(reading => reading.Json.Length + 1));
        foreach (var reading in readings)
        {
            lines.Write(reading.Json.Span);
            lines.Write("\n"u8);
        }
        return lines.WrittenMemory;
    }

    /// <summary>The longest payload that is stored as one message, in bytes.</summary>
    int MaxLength => (int)Math.Min(JournalPayload.MaxBytes, options.Journal.MaxBytes / 4) - 512;

    /// <exception cref="PayloadException">It is too long to be stored as one message.</exception>
    void CheckLength(int length)
    {
        if (length > MaxLength)
            throw new PayloadException($"the payload is {length} bytes long; at most {MaxLength} are stored as one message");
    }

    static string TypeOf(bool isJson) => isJson ? Payload.JsonContentType : Payload.ProtobufContentType;

    /// <summary>
    /// Adds the readings that cannot be stored to <paramref name="letters"/>, and returns the payload without them and without those that
    /// are left out; null when nothing remains.
    /// </summary>
    static byte[]? WithoutRefused(
        Payload payload,
        IReadOnlyDictionary<int, string> problems,
        HashSet<int>? leftOut,
        in Incoming message,
        List<DeadLetter> letters
    )
    {
        if (problems.Count > 0)
        {
            var first = problems.First();
            // An assigned identity numbers readings by their place in the payload, so no reading may be removed from it.
            if (message.Assigned is not null || (problems.Count == payload.Count && problems.Values.All(problem => problem == first.Value)))
            {
                letters.Add(message.ToLetter(Number(payload, first.Key) + first.Value, payload.Count));
                return null;
            }
            AddLetters(payload, problems, message, letters);
        }
        var good = Enumerable
            .Range(0, payload.Count)
            .Where(index => !problems.ContainsKey(index) && leftOut?.Contains(index) != true)
            .ToList();
        return good.Count == 0 ? null : payload.Select(good);
    }

    static void AddLetters(Payload payload, IReadOnlyDictionary<int, string> problems, in Incoming message, List<DeadLetter> letters)
    {
        foreach (var (index, problem) in problems.Take(MaxLetters))
            letters.Add(message.ToLetter(Number(payload, index) + problem, 1, payload.Select([index])));
        if (problems.Count <= MaxLetters)
            return;
        var others = problems.Keys.Skip(MaxLetters).ToList();
        var reason = $"{others.Count} readings of {payload.Count}; the first: {problems[others[0]]}";
        letters.Add(message.ToLetter(reason, others.Count, payload.Select(others)));
    }

    static string Number(Payload payload, int index) => payload.Count == 1 ? "" : $"reading {index + 1} of {payload.Count}: ";

    Destined Find(string topic)
    {
        if (topics.TryGetValue(topic, out var known))
            return known;
        var destined = Destined.Of(topic, options.Mappings, options.Kind);
        if (destined.Problem is not null)
            return destined;
        // MQTT allows topics of 64 KiB, and a sender may use any number of them.
        if (topic.Length > LongestTopic)
            return destined;
        if (topics.Count > 10_000)
            topics.Clear();
        return topics[topic] = destined;
    }

    [LoggerMessage(
        EventId = 130,
        Level = LogLevel.Warning,
        Message = "{Slot}: a message on {Topic} ({Bytes} bytes) has no reading that can be stored: {Reason}. The message is kept as "
            + "a dead letter"
    )]
    partial void LogDead(string slot, string topic, int bytes, string reason);

    [LoggerMessage(
        EventId = 137,
        Level = LogLevel.Error,
        Message = "{Slot}: decoding a message on {Topic} ({Bytes} bytes) failed. The message is kept as a dead letter; please report "
            + "this defect with that letter"
    )]
    partial void LogDecoderDefect(Exception e, string slot, string topic, int bytes);

    [LoggerMessage(
        EventId = 136,
        Level = LogLevel.Warning,
        Message = "{Slot}: {Refused} of {Count} readings of a message on {Topic} cannot be stored; they are kept as dead letters, "
            + "the others are stored. The first: {Reason}"
    )]
    partial void LogRefused(string slot, int refused, int count, string topic, string reason);
}

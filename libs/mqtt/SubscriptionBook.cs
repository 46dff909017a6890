using MQTTnet.Packets;
using MQTTnet.Protocol;

namespace ThermalStreaming.Mqtt;

/// <summary>
/// The subscriptions wanted, across connections: sends SUBSCRIBE on each connection, retries refused ones with growing pauses, and sends
/// UNSUBSCRIBE until it is answered. Thread-safe.
/// </summary>
sealed class SubscriptionBook(IEnumerable<MqttSubscription> subscriptions, PublishStore ids, TimeProvider clock, TimeSpan answerTimeout)
{
    static readonly TimeSpan firstRetry = TimeSpan.FromSeconds(1);
    static readonly TimeSpan longestRetry = TimeSpan.FromSeconds(30);
    readonly Lock gate = new();
    readonly List<MqttSubscription> wanted = [.. subscriptions];
    readonly HashSet<string> granted = [];
    readonly Dictionary<string, string> problems = [];
    readonly List<Unsubscription> unsubscriptions = [];
    readonly List<MqttSubscription> due = [];
    readonly List<MqttSubscription> refused = [];
    MqttSubscription[]? asked;
    ushort askedId;
    long askedAt;
    long refusedAt;
    TimeSpan retryDelay;
    bool isConnected;
    MqttException? closed;

    sealed class Unsubscription(string filter)
    {
        public string Filter => filter;

        /// <summary>0: not sent on this connection.</summary>
        public ushort PacketId { get; set; }

        public long SentAt { get; set; }

        public TaskCompletionSource Completion { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }

    /// <summary>All wanted subscriptions are granted on this connection.</summary>
    public bool IsComplete
    {
        get
        {
            lock (gate)
                return isConnected && wanted.TrueForAll(s => granted.Contains(s.Filter));
        }
    }

    public bool IsGranted(string filter)
    {
        lock (gate)
            return isConnected && granted.Contains(filter);
    }

    /// <summary>Why some are not granted; null if none was refused.</summary>
    public string? Problem
    {
        get
        {
            lock (gate)
                return problems.Count == 0 ? null : string.Join(" ", problems.Values);
        }
    }

    public void BeginConnection()
    {
        lock (gate)
        {
            isConnected = true;
            granted.Clear();
            due.Clear();
            refused.Clear();
            due.AddRange(wanted);
            retryDelay = firstRetry;
        }
    }

    public void EndConnection()
    {
        lock (gate)
        {
            isConnected = false;
            granted.Clear();
            if (asked is not null)
                ids.ReturnId(askedId);
            asked = null;
            foreach (var unsubscription in unsubscriptions)
            {
                if (unsubscription.PacketId != 0)
                    ids.ReturnId(unsubscription.PacketId);
                unsubscription.PacketId = 0;
            }
        }
    }

    /// <summary>Encodes what is to be sent now.</summary>
    public void Fill(PacketBuffer output)
    {
        lock (gate)
        {
            if (!isConnected)
                return;
            foreach (var unsubscription in unsubscriptions)
            {
                if (unsubscription.PacketId != 0)
                    continue;
                unsubscription.PacketId = ids.TakeId();
                unsubscription.SentAt = clock.GetTimestamp();
                output.Add(
                    new MqttUnsubscribePacket { PacketIdentifier = unsubscription.PacketId, TopicFilters = [unsubscription.Filter] }
                );
            }
            if (due.Count == 0 || asked is not null)
                return;
            asked = [.. due];
            due.Clear();
            askedId = ids.TakeId();
            askedAt = clock.GetTimestamp();
            output.Add(new MqttSubscribePacket { PacketIdentifier = askedId, TopicFilters = [.. asked.Select(Filter)] });
        }
    }

    /// <summary>With retain handling 1, retained messages come with a new subscription and not again each time the session is
    /// resumed.</summary>
    static MqttTopicFilter Filter(MqttSubscription subscription) =>
        new()
        {
            Topic = subscription.Filter,
            QualityOfServiceLevel = (MqttQualityOfServiceLevel)subscription.MaximumQos,
            RetainHandling = MqttRetainHandling.SendAtSubscribeIfNewSubscriptionOnly,
        };

    /// <summary>SUBACK.</summary>
    /// <exception cref="MqttProtocolException">It does not match the request.</exception>
    public void Answer(MqttSubAckPacket suback)
    {
        lock (gate)
        {
            if (asked is null || suback.PacketIdentifier != askedId)
                throw MqttProtocolException.Error($"SUBACK {suback.PacketIdentifier} answers no SUBSCRIBE");
            if (suback.ReasonCodes.Count != asked.Length)
                throw MqttProtocolException.Error($"SUBACK has {suback.ReasonCodes.Count} reason codes for {asked.Length} topic filters");
            var text = suback.ReasonString;
            for (var i = 0; i < asked.Length; i++)
            {
                var filter = asked[i].Filter;
                var reason = (MqttReasonCode)suback.ReasonCodes[i];
                if (!wanted.Contains(asked[i]))
                    continue;
                if (!reason.IsFailure())
                {
                    granted.Add(filter);
                    problems.Remove(filter);
                    continue;
                }
                refused.Add(asked[i]);
                problems[filter] =
                    $"The broker refused the subscription '{filter}': {MqttReasons.Describe(reason)}"
                    + $"{(string.IsNullOrEmpty(text) ? "" : $", {text}")}. {MqttReasons.SubscribeCure(reason)}";
            }
            asked = null;
            ids.ReturnId(askedId);
            refusedAt = clock.GetTimestamp();
        }
    }

    /// <summary>UNSUBACK.</summary>
    /// <exception cref="MqttProtocolException">It does not match the request.</exception>
    public void AnswerUnsubscribe(MqttUnsubAckPacket unsuback)
    {
        lock (gate)
        {
            if (unsubscriptions.Find(u => u.PacketId == unsuback.PacketIdentifier) is not { } unsubscription)
                throw MqttProtocolException.Error($"UNSUBACK {unsuback.PacketIdentifier} answers no UNSUBSCRIBE");
            if (unsuback.ReasonCodes.Count != 1)
                throw MqttProtocolException.Error($"UNSUBACK has {unsuback.ReasonCodes.Count} reason codes for one topic filter");
            unsubscriptions.Remove(unsubscription);
            ids.ReturnId(unsuback.PacketIdentifier);
            var reason = (MqttReasonCode)unsuback.ReasonCodes[0];
            if (reason.IsFailure())
            {
                unsubscription.Completion.TrySetException(
                    new MqttException(
                        $"The broker refused to end the subscription '{unsubscription.Filter}': {MqttReasons.Describe(reason)}."
                    )
                );
            }
            else
                unsubscription.Completion.TrySetResult();
        }
    }

    /// <summary>Called now and then while connected.</summary>
    /// <param name="listening">False while an answer may have come but is not read: its time-out starts again.</param>
    /// <returns>True if there is something to send.</returns>
    /// <exception cref="MqttConnectionException">The broker left a request unanswered for too long.</exception>
    public bool Tick(bool listening)
    {
        lock (gate)
        {
            if (!listening)
            {
                askedAt = clock.GetTimestamp();
                unsubscriptions.ForEach(u => u.SentAt = askedAt);
            }
            else if (
                (asked is not null && clock.GetElapsedTime(askedAt) > answerTimeout)
                || unsubscriptions.Exists(u => u.PacketId != 0 && clock.GetElapsedTime(u.SentAt) > answerTimeout)
            )
            {
                throw new MqttConnectionException(
                    $"the broker did not answer a subscription request within {answerTimeout.TotalSeconds:0.#} s."
                );
            }
            if (refused.Count == 0 || clock.GetElapsedTime(refusedAt) < retryDelay)
                return false;
            due.AddRange(refused);
            refused.Clear();
            retryDelay = retryDelay * 2 < longestRetry ? retryDelay * 2 : longestRetry;
            return true;
        }
    }

    /// <summary>Removes a subscription, now and for later connections, and tells the broker.</summary>
    public Task Remove(string filter)
    {
        lock (gate)
        {
            if (closed is not null)
                return Task.FromException(closed);
            wanted.RemoveAll(s => s.Filter == filter);
            due.RemoveAll(s => s.Filter == filter);
            refused.RemoveAll(s => s.Filter == filter);
            granted.Remove(filter);
            problems.Remove(filter);
            var unsubscription = new Unsubscription(filter);
            unsubscriptions.Add(unsubscription);
            return unsubscription.Completion.Task;
        }
    }

    public void Close(MqttException reason)
    {
        lock (gate)
        {
            closed = reason;
            foreach (var unsubscription in unsubscriptions)
            {
                unsubscription.Completion.TrySetException(reason);
                _ = unsubscription.Completion.Task.Exception;
            }
            unsubscriptions.Clear();
        }
    }
}

using System.Buffers;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using System.Security.Authentication;

namespace ThermalStreaming.Mqtt;

/// <summary>
/// One connection to the broker, from CONNECT to its end: a loop that reads, a loop that writes, and a timer that watches both. The reader
/// parses all that a read brought before it reads again. It never waits for the writer, and for the consumer only when too much is
/// unacknowledged already: then it leaves the rest to TCP. The writer sends whatever has gathered while its last write went out:
/// acknowledgements, pings, subscriptions, publishes.
/// </summary>
sealed class Connection : IDisposable
{
    const int UsualReceiveBuffer = 64 * 1024;
    const int SendAtOnce = 64 * 1024;

    /// <summary>Payload that may be unacknowledged before no more is read: with large messages, less than Receive Maximum of them.</summary>
    public const int MaximumUnacknowledgedBytes = 384 * 1024;

    /// <summary>Payloads from this size on come from a pool and go back to it when they are acknowledged.</summary>
    const int PooledPayload = 2048;

    static readonly TimeSpan closeTimeout = TimeSpan.FromSeconds(1);

    readonly MqttOptions options;
    readonly TimeProvider clock;
    readonly Transport transport;
    readonly Stream stream;
    readonly PublishStore store;
    readonly SubscriptionBook subscriptions;
    readonly Inbox inbox;
    readonly MqttCounters counters;
    readonly TextCache topics;
    readonly TextCache contentTypes;
    readonly string broker;
    string clientId = "";
    readonly AsyncSignal toWrite = new();
    readonly AsyncSignal toRead = new();

    // Guards output, window, exactlyOnce, isPingToSend and isClosing.
    readonly Lock gate = new();
    readonly ReceiveWindow window;
    readonly HashSet<ushort> exactlyOnce = [];
    MqttWriter output = new();
    MqttWriter sending = new();
    bool isPingToSend;
    bool isClosing;
    bool isHeld;
    int mostUnacknowledged;

    byte[] buffer = new byte[UsualReceiveBuffer];
    int start;
    int end;

    TimeSpan keepAlive;
    long lastReceived;
    long lastSent;
    long writeStarted;
    long pingSent;
    MqttConnectionException? fault;

    Connection(Transport transport, long generation, MqttOptions options, TimeProvider clock, PublishStore store,
        SubscriptionBook subscriptions, Inbox inbox, MqttCounters counters, TextCache topics, TextCache contentTypes)
    {
        this.transport = transport;
        this.options = options;
        this.clock = clock;
        this.store = store;
        this.subscriptions = subscriptions;
        this.inbox = inbox;
        this.counters = counters;
        this.topics = topics;
        this.contentTypes = contentTypes;
        stream = transport.Stream;
        Generation = generation;
        // Mosquitto 2.0 sends more than the Receive Maximum when it holds a backlog (2.0.11: over 4,000 for 1,000; its issue 2301), and after
        // a reconnect with a lower one everything that was in flight. Cutting such a connection would only make it send all again.
        window = new ReceiveWindow(Math.Max(4 * options.ReceiveMaximum, 1000));
        broker = $"the MQTT broker {options.Host}:{options.Port}";
        keepAlive = options.KeepAlive;
        lastReceived = lastSent = clock.GetTimestamp();
    }

    public long Generation { get; }

    public ConnackPacket Connack { get; private set; } = new(false, MqttReasonCode.Success);

    public TimeSpan KeepAlive => keepAlive;

    /// <summary>Called by the reader after a SUBACK.</summary>
    public Action? SubscriptionsChanged { get; set; }

    /// <summary>Called by the reader when it has taken what had come and <see cref="IsHalfFull"/>.</summary>
    public Action? HalfFull { get; set; }

    /// <summary>
    /// Half of what may be unacknowledged waits for the consumer. How much that is only the broker knows, whose own limit may be below the Receive Maximum;
    /// the most that ever was is never above it.
    /// </summary>
    public bool IsHalfFull
    {
        get
        {
            lock (gate)
                return inbox.Waiting >= Math.Min(mostUnacknowledged, options.ReceiveMaximum) / 2 || window.Bytes >= MaximumUnacknowledgedBytes / 2;
        }
    }

    /// <summary>Makes a connection up to and including the broker's CONNACK.</summary>
    /// <exception cref="MqttException">It could not be made, or the broker refused.</exception>
    public static async Task<Connection> OpenAsync(long generation, string clientId, bool cleanStart, MqttOptions options, TimeProvider clock,
        PublishStore store, SubscriptionBook subscriptions, Inbox inbox, MqttCounters counters, TextCache topics, TextCache contentTypes,
        CancellationToken stop)
    {
        using var timeout = new CancellationTokenSource(options.ConnectTimeout, clock);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, stop);
        Connection? connection = null;
        try
        {
            var transport = await Transport.OpenAsync(options, both.Token);
            connection = new Connection(transport, generation, options, clock, store, subscriptions, inbox, counters, topics, contentTypes);
            await connection.ConnectAsync(clientId, cleanStart, both.Token);
            return connection;
        }
        catch (OperationCanceledException) when (!stop.IsCancellationRequested)
        {
            connection?.Dispose();
            throw new MqttConnectionException($"The MQTT broker {options.Host}:{options.Port} did not answer within "
                + $"{options.ConnectTimeout.TotalSeconds:0.#} s. Check MQTT_HOST, MQTT_PORT, and the network and firewall between here and there.");
        }
        catch
        {
            connection?.Dispose();
            throw;
        }
    }

    /// <summary>Serves the connection until it is lost or a stop is asked for; then says goodbye and returns.</summary>
    /// <returns>Whether the goodbye went out.</returns>
    /// <exception cref="MqttException">Why it was lost.</exception>
    public async Task<bool> ServeAsync(Func<bool> discardSession, CancellationToken stop)
    {
        var reading = ReadLoopAsync();
        var writing = WriteLoopAsync();
        var stopped = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        using var registration = stop.UnsafeRegister(static s => ((TaskCompletionSource)s!).TrySetResult(), stopped);
        var period = keepAlive / 8 < TimeSpan.FromSeconds(1) ? keepAlive / 8 : TimeSpan.FromSeconds(1);
        using var watch = clock.CreateTimer(static c => ((Connection)c!).Watch(), this, period, period);
        try
        {
            await Task.WhenAny(reading, writing, stopped.Task);
            if (stop.IsCancellationRequested && !reading.IsCompleted && !writing.IsCompleted)
            {
                return await CloseAsync(new DisconnectPacket(MqttReasonCode.Success)
                {
                    Properties = discardSession()
                        ? new MqttProperties([new MqttProperty(MqttPropertyId.SessionExpiryInterval) { Number = 0 }])
                        : MqttProperties.None,
                }, reading, writing);
            }
            // When a write fails, the broker's reason may be waiting to be read.
            await Settle(reading, closeTimeout / 2);
            await (reading.IsCompleted ? reading : writing);
            return false;
        }
        catch (MqttProtocolException e)
        {
            await CloseAsync(new DisconnectPacket(e.Reason)
            {
                Properties = new MqttProperties([new MqttProperty(MqttPropertyId.ReasonString) { Text = e.Message }]),
            }, reading, writing);
            throw new MqttProtocolException(e.Reason, $"{e.Message} It came from {broker}; the connection is made anew.");
        }
        catch (Exception e) when (IsLoss(e))
        {
            throw fault ?? (e as MqttException) ?? new MqttConnectionException($"The connection to {broker} was lost: {e.Message}", e);
        }
        finally
        {
            lock (gate)
                isClosing = true;
            transport.Abort();
            toWrite.Set();
            toRead.Set();
            await Settle(reading, Timeout.InfiniteTimeSpan);
            await Settle(writing, Timeout.InfiniteTimeSpan);
        }
    }

    /// <summary>Something is in the publish store or the subscription book.</summary>
    public void WakeWriter() => toWrite.Set();

    /// <summary>Acknowledges messages of this connection.</summary>
    /// <returns>How many of them were not acknowledged before.</returns>
    public int Acknowledge(ReadOnlySpan<MqttMessage> messages)
    {
        var count = 0;
        bool anyToWrite, anyToRead;
        lock (gate)
        {
            if (isClosing)
                return 0;
            foreach (ref readonly var message in messages)
            {
                if (message.Generation != Generation || message.Qos == MqttQos.AtMostOnce || !window.Done(message.Arrival))
                    continue;
                count++;
                Return(message.Payload);
            }
            var before = output.Length;
            while (window.TryTakeDone(out var id, out var isExactlyOnce))
            {
                MqttCodec.EncodeAck(output, isExactlyOnce ? MqttPacketType.Pubrec : MqttPacketType.Puback, id);
                if (isExactlyOnce)
                    exactlyOnce.Add(id);
            }
            anyToWrite = output.Length > before;
            anyToRead = anyToWrite && isHeld;
        }
        if (anyToWrite)
            toWrite.Set();
        if (anyToRead)
            toRead.Set();
        return count;
    }

    public void Dispose() => transport.Dispose();

    async Task ConnectAsync(string id, bool cleanStart, CancellationToken cancellationToken)
    {
        clientId = id;
        var connect = new ConnectPacket(clientId, cleanStart, (ushort)options.KeepAlive.TotalSeconds)
        {
            UserName = options.UserName,
            Password = options.CurrentPassword() is { } password ? System.Text.Encoding.UTF8.GetBytes(password) : null,
            Will = options.Will is not { } will ? null : new WillPacket(will.Topic, will.Payload, will.Qos, will.Retain)
            {
                Properties = will.ContentType is null
                    ? MqttProperties.None
                    : new MqttProperties([new MqttProperty(MqttPropertyId.ContentType) { Text = will.ContentType }]),
            },
            Properties = new MqttProperties([
                new MqttProperty(MqttPropertyId.SessionExpiryInterval) { Number = (uint)options.SessionExpiry.TotalSeconds },
                new MqttProperty(MqttPropertyId.ReceiveMaximum) { Number = (uint)options.ReceiveMaximum },
                new MqttProperty(MqttPropertyId.MaximumPacketSize) { Number = (uint)options.MaximumPacketSize },
            ]),
        };
        try
        {
            MqttCodec.Encode(sending, connect);
            await stream.WriteAsync(sending.Written, cancellationToken);
            counters.AddSent(sending.Length);
            sending.Clear();
            int bodyStart, size;
            while (!MqttCodec.TryFrame(buffer.AsSpan(start, end - start), options.MaximumPacketSize, out bodyStart, out size))
            {
                if (size > 0 && (MqttPacketType)(buffer[0] >> 4) != MqttPacketType.Connack)
                    break;
                if (!await FillAsync(size, cancellationToken))
                {
                    throw new MqttConnectionException($"{Capital(broker)} closed the connection instead of answering CONNECT. "
                        + (options.Tls is null
                            ? "Does this port expect TLS, or something other than MQTT 5?"
                            : "Does it accept this client's certificate, or want one?"));
                }
            }
            if ((MqttPacketType)(buffer[0] >> 4) != MqttPacketType.Connack)
                MqttReader.Error($"{(MqttPacketType)(buffer[0] >> 4)} came instead of CONNACK");
            if (size == 4 && buffer[2] == 0 && buffer[3] is 1 or 0x84)
            {
                throw new MqttConnectionException($"{Capital(broker)} does not speak MQTT 5.0, only an older version. "
                    + MqttReasons.ConnectCure(MqttReasonCode.UnsupportedProtocolVersion, null), MqttReasonCode.UnsupportedProtocolVersion);
            }
            Connack = (ConnackPacket)MqttCodec.Decode(buffer[0], buffer.AsSpan(bodyStart, size - bodyStart));
            start = size;
            if (Connack.Reason != MqttReasonCode.Success)
                throw Refused(Connack);
            if (Connack.SessionPresent && cleanStart)
                MqttReader.Error("the broker resumes a session although a clean start was asked for");
            // 0 turns the broker's check off; dead connections are still to be noticed here.
            if (Connack.Properties.Number(MqttPropertyId.ServerKeepAlive) is > 0 and var seconds)
                keepAlive = TimeSpan.FromSeconds(seconds);
        }
        catch (MqttProtocolException e)
        {
            await SayGoodbyeAsync(e, cancellationToken);
            throw new MqttProtocolException(e.Reason, $"{e.Message} It came from {broker} in answer to CONNECT; is that an MQTT 5 broker?");
        }
        catch (Exception e) when (e is IOException or SocketException)
        {
            throw new MqttConnectionException($"{Capital(broker)} closed the connection instead of answering CONNECT: {e.Message}"
                + (options.Tls is null ? "" : " Does it accept this client's certificate, or want one?"), e);
        }
        lastReceived = lastSent = clock.GetTimestamp();
    }

    async Task SayGoodbyeAsync(MqttProtocolException e, CancellationToken cancellationToken)
    {
        try
        {
            MqttCodec.Encode(sending, new DisconnectPacket(e.Reason));
            await stream.WriteAsync(sending.Written, cancellationToken);
            transport.EndSending();
        }
        catch (Exception failure) when (IsLoss(failure))
        {
            // It was only a courtesy.
        }
    }

    MqttConnectionException Refused(ConnackPacket connack)
    {
        var who = options.UserName is null ? "the client without a user name" : $"user '{options.UserName}'";
        return Ended($"refused {who} (client id '{clientId}')", connack.Reason, connack.Properties, MqttReasons.ConnectCure(connack.Reason, options.UserName));
    }

    MqttConnectionException Ended(string how, MqttReasonCode reason, MqttProperties properties, string cure)
    {
        var text = properties.Text(MqttPropertyId.ReasonString);
        var elsewhere = properties.Text(MqttPropertyId.ServerReference);
        return new MqttConnectionException($"{Capital(broker)} {how}: {MqttReasons.Describe(reason)}{(string.IsNullOrEmpty(text) ? "" : $", {text}")}. {cure}"
            + (elsewhere is null ? "" : $" It names another server: {elsewhere}."), reason);
    }

    async Task ReadLoopAsync()
    {
        while (true)
        {
            bool isDone;
            int needed;
            do
            {
                isDone = TryProcessBuffer(out needed);
                if (IsHalfFull)
                    HalfFull?.Invoke();
                if (!isDone)
                    await toRead.WaitAsync();
            }
            while (!isDone);
            if (!await FillAsync(needed, CancellationToken.None))
            {
                if (Volatile.Read(ref isClosing))
                    return;
                throw new MqttConnectionException(end > start
                    ? $"{Capital(broker)} closed the connection in the middle of a packet."
                    : $"{Capital(broker)} closed the connection without giving a reason. It may be restarting; if this goes on, see in its "
                        + $"log whether another client uses the client id '{clientId}', or a message is larger than it allows.");
            }
        }
    }

    /// <summary>Reads once. The buffer grows as data comes, never on the word of a length field alone. The packet
    /// size is that of the packet at the start, 0 if unknown.</summary>
    /// <returns>False at the end of the stream.</returns>
    async ValueTask<bool> FillAsync(int packetSize, CancellationToken cancellationToken)
    {
        if (start == end)
        {
            start = end = 0;
            if (buffer.Length > 4 * UsualReceiveBuffer)
                buffer = new byte[UsualReceiveBuffer];
        }
        else if (start > 0 && (end == buffer.Length || start + packetSize > buffer.Length))
        {
            Buffer.BlockCopy(buffer, start, buffer, 0, end - start);
            end -= start;
            start = 0;
        }
        if (end == buffer.Length)
            Array.Resize(ref buffer, (int)Math.Min(2L * buffer.Length, Math.Max(packetSize, buffer.Length + UsualReceiveBuffer)));
        var read = await stream.ReadAsync(buffer.AsMemory(end), cancellationToken);
        if (read == 0)
            return false;
        end += read;
        Volatile.Write(ref lastReceived, clock.GetTimestamp());
        counters.AddReceived(read);
        return true;
    }

    /// <summary>Handles every whole packet in the buffer.</summary>
    /// <param name="needed">Size of the packet that is not whole yet, 0 if unknown.</param>
    /// <returns>False when the consumer must acknowledge something first.</returns>
    bool TryProcessBuffer(out int needed)
    {
        while (true)
        {
            var data = buffer.AsSpan(start, end - start);
            if (!MqttCodec.TryFrame(data, options.MaximumPacketSize, out var bodyStart, out needed))
                return true;
            if (!TryHandle(data[0], data[bodyStart..needed]))
                return false;
            start += needed;
        }
    }

    bool TryHandle(byte first, ReadOnlySpan<byte> body)
    {
        switch ((MqttPacketType)(first >> 4))
        {
            case MqttPacketType.Publish:
                return TryReceive(new PublishView(first, body));
            case MqttPacketType.Puback:
                HandlePuback(body);
                break;
            case MqttPacketType.Pubrel:
                HandlePubrel((AckPacket)MqttCodec.Decode(first, body));
                break;
            case MqttPacketType.Pingresp:
                MqttCodec.Decode(first, body);
                Volatile.Write(ref pingSent, 0);
                break;
            case MqttPacketType.Suback:
                subscriptions.Answer((SubackPacket)MqttCodec.Decode(first, body));
                SubscriptionsChanged?.Invoke();
                break;
            case MqttPacketType.Unsuback:
                subscriptions.AnswerUnsubscribe((SubackPacket)MqttCodec.Decode(first, body));
                SubscriptionsChanged?.Invoke();
                break;
            case MqttPacketType.Disconnect:
                throw Disconnected((DisconnectPacket)MqttCodec.Decode(first, body));
            default:
                MqttReader.Error($"{(MqttPacketType)(first >> 4)} is not for a client to receive here");
                break;
        }
        return true;
    }

    bool TryReceive(PublishView view)
    {
        if (view.TopicAlias > 0)
            throw new MqttProtocolException(MqttReasonCode.TopicAliasInvalid, "A message uses a topic alias although none was allowed.");
        var topic = topics.Get(view.Topic);
        var contentType = view.HasContentType ? contentTypes.Get(view.ContentType) : null;
        var place = 0L;
        if (view.Qos > MqttQos.AtMostOnce)
        {
            lock (gate)
            {
                if (isClosing)
                    return true;
                isHeld = !window.HasRoom || window.Bytes >= MaximumUnacknowledgedBytes;
                if (isHeld)
                    return false;
                place = window.Add(view.PacketId, view.Qos, view.Payload.Length);
                mostUnacknowledged = Math.Max(mostUnacknowledged, window.Count);
            }
        }
        var payload = Rent(view.Payload.Length, view.Qos);
        view.Payload.CopyTo(payload);
        counters.CountReceived();
        inbox.Post(new MqttMessage
        {
            Topic = topic,
            Payload = payload.AsMemory(0, view.Payload.Length),
            ContentType = contentType,
            Qos = view.Qos,
            Retain = view.Retain,
            Duplicate = view.Duplicate,
            Generation = Generation,
            PacketId = view.PacketId,
            Arrival = place,
        });
        return true;
    }

    /// <summary>
    /// A large payload, again and again, would fill the youngest generation and push what is in flight into the older ones: 5 MB more in a busy service. Small
    /// ones are more than a pool keeps.
    /// </summary>
    static byte[] Rent(int length, MqttQos qos)
        => qos > MqttQos.AtMostOnce && length >= PooledPayload ? ArrayPool<byte>.Shared.Rent(length) : GC.AllocateUninitializedArray<byte>(length);

    /// <summary>Of a message that has just been acknowledged for the first time, on the connection that it came by. All others are left to the collector.</summary>
    static void Return(ReadOnlyMemory<byte> payload)
    {
        if (payload.Length >= PooledPayload && MemoryMarshal.TryGetArray(payload, out var rented))
            ArrayPool<byte>.Shared.Return(rented.Array!);
    }

    /// <summary>Without building a packet object, as there is one for each message sent.</summary>
    void HandlePuback(ReadOnlySpan<byte> body)
    {
        var reader = new MqttReader(body);
        var id = reader.ReadPacketId();
        var reason = reader.AtEnd ? MqttReasonCode.Success : (MqttReasonCode)reader.ReadByte();
        string? text = null;
        if (!reader.AtEnd)
        {
            var properties = new MqttPropertyReader(reader.ReadPropertyBlock(), MqttPropertyTypes.Ack);
            while (properties.MoveNext())
            {
                if (properties.Id == MqttPropertyId.ReasonString)
                    text = System.Text.Encoding.UTF8.GetString(properties.Bytes);
            }
            if (!reader.AtEnd)
                MqttReader.Malformed("PUBACK is longer than its properties");
        }
        // One that answers nothing is harmless: the message it may once have meant was given up with an older session.
        if (store.Acknowledge(id, reason, text) && store.HasWaiting)
            toWrite.Set();
    }

    /// <summary>Only a session that someone else subscribed with QoS 2 sends these. Such messages are handed over at least once and
    /// then taken through the rest of the handshake (§4.3.3).</summary>
    void HandlePubrel(AckPacket pubrel)
    {
        lock (gate)
        {
            if (isClosing)
                return;
            var known = exactlyOnce.Remove(pubrel.PacketId);
            MqttCodec.EncodeAck(output, MqttPacketType.Pubcomp, pubrel.PacketId, known ? MqttReasonCode.Success : MqttReasonCode.PacketIdentifierNotFound);
        }
        toWrite.Set();
    }

    MqttConnectionException Disconnected(DisconnectPacket disconnect)
        => Ended("ended the connection", disconnect.Reason, disconnect.Properties, MqttReasons.DisconnectCure(disconnect.Reason));

    async Task WriteLoopAsync()
    {
        while (true)
        {
            bool isLast;
            lock (gate)
            {
                (output, sending) = (sending, output);
                isLast = isClosing;
                // An older ping's time counts on: only a PINGRESP clears it.
                if (isPingToSend && Volatile.Read(ref pingSent) == 0)
                    Volatile.Write(ref pingSent, clock.GetTimestamp());
                isPingToSend = false;
            }
            if (!isLast)
            {
                subscriptions.Fill(sending);
                store.Fill(sending, SendAtOnce);
            }
            // In pieces, so that a large message over a slow line is seen to move and not taken for a stall.
            for (var sent = 0; sent < sending.Length;)
            {
                var piece = sending.Written.Slice(sent, Math.Min(SendAtOnce, sending.Length - sent));
                Volatile.Write(ref writeStarted, clock.GetTimestamp());
                await stream.WriteAsync(piece);
                sent += piece.Length;
                counters.AddSent(piece.Length);
                Volatile.Write(ref lastSent, clock.GetTimestamp());
                Volatile.Write(ref writeStarted, 0);
            }
            var wrote = sending.Length > 0;
            sending.Clear();
            if (isLast)
                return;
            if (!wrote)
                await toWrite.WaitAsync();
        }
    }

    /// <summary>Timer: pings in time (§3.1.2.10), and ends a connection on which nothing moves although it should.</summary>
    void Watch()
    {
        try
        {
            var writing = Volatile.Read(ref writeStarted);
            if (writing != 0 && clock.GetElapsedTime(writing) > keepAlive)
            {
                Fail($"it took nothing of what was sent for {keepAlive.TotalSeconds:0} s. Check the network and the load of the broker.");
                return;
            }
            var half = keepAlive / 2;
            var received = Volatile.Read(ref lastReceived);
            var pinged = Volatile.Read(ref pingSent);
            // While nothing is read, silence says nothing; while a write is under way, its progress is what tells.
            var held = Volatile.Read(ref isHeld);
            if (held)
                Volatile.Write(ref lastReceived, clock.GetTimestamp());
            else if (writing == 0 && pinged != 0 && clock.GetElapsedTime(Math.Max(pinged, received)) > half)
            {
                Fail($"nothing came for {clock.GetElapsedTime(received).TotalSeconds:0.#} s, not even an answer to a ping. Check the network.");
                return;
            }
            if (clock.GetElapsedTime(Volatile.Read(ref lastSent)) >= half || (pinged == 0 && clock.GetElapsedTime(received) >= half))
                Ping();
            if (subscriptions.Tick(listening: !held))
                toWrite.Set();
        }
        catch (MqttConnectionException e)
        {
            Fail(e.Message);
        }
    }

    void Ping()
    {
        lock (gate)
        {
            if (isClosing || isPingToSend)
                return;
            MqttCodec.Encode(output, new PingreqPacket());
            isPingToSend = true;
        }
        toWrite.Set();
    }

    void Fail(string why)
    {
        fault ??= new MqttConnectionException($"The connection to {broker} is dead: {why}");
        transport.Abort();
    }

    /// <summary>Sends what has gathered and DISCONNECT, then lets the broker close, so that nothing on its way is reset.</summary>
    /// <returns>Whether it went out.</returns>
    async Task<bool> CloseAsync(DisconnectPacket disconnect, Task reading, Task writing)
    {
        lock (gate)
        {
            if (!isClosing)
                MqttCodec.Encode(output, disconnect);
            isClosing = true;
        }
        toWrite.Set();
        toRead.Set();
        await Settle(writing, closeTimeout);
        if (!writing.IsCompletedSuccessfully)
            return false;
        transport.EndSending();
        await Settle(reading.IsCompleted ? DrainAsync() : reading, closeTimeout);
        return true;
    }

    async Task DrainAsync()
    {
        while (await stream.ReadAsync(buffer) > 0)
        {
        }
    }

    /// <summary>Waits for a task's end, whatever it is, but not longer than given.</summary>
    async Task Settle(Task task, TimeSpan timeout)
    {
        try
        {
            await task.WaitAsync(timeout, clock);
        }
        catch (Exception)
        {
            // Looked at where it matters; a timeout is seen by the task not being completed.
        }
    }

    static bool IsLoss(Exception e) => e is MqttConnectionException or IOException or SocketException or ObjectDisposedException
        or AuthenticationException or OperationCanceledException;

    static string Capital(string text) => char.ToUpperInvariant(text[0]) + text[1..];
}

using System.ComponentModel;
using System.Text;

namespace ThermalStreaming.Bench;

/// <summary>
/// Simulated devices: each with a name, a boot id and readings that it keeps until the broker has acknowledged them, as an agent does; each
/// with a connection, a client id and a user of its own, or sharing one with others, as behind a gateway. One thread and <c>epoll</c> for all of them. Not thread-safe, except <see cref="Do"/>.
/// </summary>
sealed class DeviceFleet
{
    /// <summary>Readings of a connection on their way; more than one only after a cut.</summary>
    const int Window = 8;

    /// <summary>Connections being made at a time. Beyond the broker's backlog of 100, the kernel lets the others wait.</summary>
    const int MostConnecting = 256;

    const int EventsAtOnce = 512,
        ConnectionsPerAddress = 20_000,
        KeepAliveSeconds = 600;

    static readonly TimeSpan reportInterval = TimeSpan.FromMilliseconds(100),
        connectPause = TimeSpan.FromSeconds(1);

    readonly TimeProvider clock;
    readonly int port;
    readonly double secondsBetweenReadings;
    readonly string password;
    readonly DeviceMessages messages;
    readonly int devices;
    readonly Connection[] connections;
    readonly int poll = LinuxSockets.CreatePoll(),
        nothing = LinuxSockets.CreatePoll();
    readonly Queue<int> toConnect = [];
    readonly Queue<(long From, int Connection)> failed = [];
    readonly byte[] input = new byte[4096];
    int connecting,
        connected;
    long taken,
        acknowledged,
        sent;
    long begun;
    long begunUs;
    bool isTaking,
        isDeaf;
    long lastReport;

    /// <param name="options">How many, where, how often.</param>
    /// <param name="clock">Time.</param>
    public DeviceFleet(DeviceOptions options, TimeProvider clock)
    {
        this.clock = clock;
        port = options.Port;
        password = options.Password;
        secondsBetweenReadings = options.Interval.TotalSeconds / options.Devices;
        messages = new DeviceMessages(options.Seed);
        devices = options.Devices;
        connections = new Connection[options.Connections];
        Array.Fill(connections, new Connection { Socket = -1 });
    }

    /// <summary>What to do next. Set from any thread.</summary>
    public volatile DeviceOrder Do;

    /// <summary>Runs until <see cref="DeviceOrder.End"/>, and writes a <see cref="DeviceReport"/> ten times a second.</summary>
    /// <exception cref="Win32Exception">The kernel refuses connections.</exception>
    /// <exception cref="InvalidDataException">The broker refuses a device or a reading.</exception>
    public void Run(TextWriter output)
    {
        var done = DeviceOrder.Wait;
        Span<(int Tag, uint Events)> events = stackalloc (int, uint)[EventsAtOnce];
        while (Do is not DeviceOrder.End)
        {
            if (Do is var order && order != done)
            {
                Begin(order);
                done = order;
            }
            Take();
            Connect();
            var count = LinuxSockets.Wait(isDeaf ? nothing : poll, events, toConnect.Count > 0 && connecting < MostConnecting ? 0 : 2);
            foreach (var (tag, found) in events[..count])
                Handle(tag, found);
            if (clock.GetElapsedTime(lastReport) < reportInterval)
                continue;
            lastReport = clock.GetTimestamp();
            output.WriteLine(new DeviceReport(lastReport, taken, acknowledged, sent, connected).Line);
            output.Flush();
        }
    }

    void Begin(DeviceOrder order)
    {
        switch (order)
        {
            case DeviceOrder.Connect:
                for (var connection = 0; connection < connections.Length; connection++)
                {
                    if (connections[connection].Socket < 0)
                        toConnect.Enqueue(connection);
                }
                break;
            case DeviceOrder.Take:
                (begun, begunUs, isTaking) = (clock.GetTimestamp(), clock.GetUtcNow().ToUnixTimeMilliseconds() * 1000, true);
                break;
            case DeviceOrder.Deaf:
                isDeaf = true;
                break;
            case DeviceOrder.Cut:
                isDeaf = false;
                toConnect.Clear();
                failed.Clear();
                for (var connection = 0; connection < connections.Length; connection++)
                    Drop(connection);
                break;
            case DeviceOrder.Stop:
                isTaking = false;
                break;
        }
    }

    /// <summary>Takes the readings that are due: evenly over the interval, one device after the other.</summary>
    void Take()
    {
        if (!isTaking)
            return;
        var due = (long)(clock.GetElapsedTime(begun).TotalSeconds / secondsBetweenReadings);
        for (; taken < due; taken++)
        {
            var connection = (int)(taken % connections.Length);
            connections[connection].Taken++;
            Send(connection);
        }
    }

    void Connect()
    {
        while (failed.TryPeek(out var first) && clock.GetElapsedTime(first.From) >= connectPause)
            toConnect.Enqueue(failed.Dequeue().Connection);
        while (connecting < MostConnecting && toConnect.TryDequeue(out var connection))
        {
            var socket = LinuxSockets.Connect((byte)(1 + connection / ConnectionsPerAddress), port);
            connections[connection] = connections[connection] with { Socket = socket, State = DeviceState.Connecting };
            LinuxSockets.Want(poll, socket, connection, LinuxSockets.Readable | LinuxSockets.Writable, isNew: true);
            connecting++;
        }
    }

    void Handle(int connection, uint events)
    {
        ref var state = ref connections[connection];
        if (state.Socket < 0)
            return;
        if (state.State == DeviceState.Connecting)
        {
            if ((events & LinuxSockets.Failed) != 0 || LinuxSockets.ErrorOf(state.Socket) != 0)
            {
                Lose(connection);
                return;
            }
            if ((events & LinuxSockets.Writable) == 0)
                return;
            LinuxSockets.Want(poll, state.Socket, connection, LinuxSockets.Readable, isNew: false);
            state.State = DeviceState.SigningIn;
            Write(connection, SignIn(connection, password));
            return;
        }
        if ((events & LinuxSockets.Writable) != 0)
            WriteRest(connection);
        if ((events & (LinuxSockets.Readable | LinuxSockets.Failed)) != 0)
            Read(connection);
    }

    void Read(int connection)
    {
        var rest = connections[connection].Unread;
        rest?.CopyTo(input, 0);
        var kept = rest?.Length ?? 0;
        var read = LinuxSockets.Receive(connections[connection].Socket, input.AsSpan(kept));
        if (read < 0)
        {
            Lose(connection);
            return;
        }
        var bytes = input.AsSpan(0, kept + read);
        while (bytes.Length >= 2 && bytes.Length >= 2 + bytes[1] && connections[connection].Socket >= 0)
        {
            // What a broker sends to one that only publishes is shorter than 128 bytes.
            var packet = bytes[..(2 + bytes[1])];
            bytes = bytes[packet.Length..];
            Take(connection, packet);
        }
        if (connections[connection].Socket >= 0)
            connections[connection].Unread = bytes.IsEmpty ? null : bytes.ToArray();
    }

    void Take(int connection, ReadOnlySpan<byte> packet)
    {
        ref var state = ref connections[connection];
        switch (packet[0] & 0xF0)
        {
            case 0x20 when packet[3] == 0:
                state.State = DeviceState.Connected;
                connecting--;
                connected++;
                Send(connection);
                break;
            case 0x20:
                throw new InvalidDataException($"The broker refuses {DeviceMessages.DeviceId(connection)} with reason 0x{packet[3]:x2}.");
            case 0x40:
                // No reason, or 0: somebody takes it. 0x10, nobody does: the reading is lost to the broker.
                if (packet[1] > 2 && packet[4] != 0)
                    throw new InvalidDataException($"The broker refuses a reading with reason 0x{packet[4]:x2}.");
                if ((packet[2] << 8 | packet[3]) != PacketId(state.Acknowledged))
                    throw new InvalidDataException("The broker acknowledges out of order.");
                state.Acknowledged++;
                acknowledged++;
                Send(connection);
                break;
            case 0xE0:
                Lose(connection);
                break;
        }
    }

    void Send(int connection)
    {
        while (true)
        {
            ref var state = ref connections[connection];
            if (state.State != DeviceState.Connected || state.Unsent is not null)
                return;
            if (state.Sent >= state.Taken || state.Sent - state.Acknowledged >= Window)
                return;
            var index = state.Sent++;
            var isRepeat = index < state.EverSent;
            // Of all readings: one of each device, then the next of each.
            var number = (long)index * connections.Length + connection;
            state.EverSent = Math.Max(state.EverSent, state.Sent);
            sent++;
            var takenAt = begunUs + (long)(number * secondsBetweenReadings * 1e6);
            var (device, reading) = ((int)(number % devices), (int)(number / devices));
            Write(connection, messages.Make(device, reading, PacketId(index), takenAt, isRepeat));
        }
    }

    static ushort PacketId(int index) => (ushort)(index % ushort.MaxValue + 1);

    void Write(int connection, ReadOnlySpan<byte> bytes)
    {
        var written = LinuxSockets.Send(connections[connection].Socket, bytes);
        if (written < 0)
        {
            Lose(connection);
            return;
        }
        if (written == bytes.Length)
            return;
        connections[connection].Unsent = bytes[written..].ToArray();
        LinuxSockets.Want(poll, connections[connection].Socket, connection, LinuxSockets.Readable | LinuxSockets.Writable, isNew: false);
    }

    void WriteRest(int connection)
    {
        if (connections[connection].Unsent is not { } rest)
            return;
        connections[connection].Unsent = null;
        LinuxSockets.Want(poll, connections[connection].Socket, connection, LinuxSockets.Readable, isNew: false);
        Write(connection, rest);
        Send(connection);
    }

    /// <summary>The broker ended the connection, or did not take it: it is made again after a while.</summary>
    void Lose(int connection)
    {
        Drop(connection);
        failed.Enqueue((clock.GetTimestamp(), connection));
    }

    void Drop(int connection)
    {
        ref var state = ref connections[connection];
        if (state.Socket < 0)
            return;
        if (state.State == DeviceState.Connected)
            connected--;
        else
            connecting--;
        LinuxSockets.Cut(state.Socket);
        state = state with { Socket = -1, State = DeviceState.Away, Sent = state.Acknowledged, Unsent = null, Unread = null };
    }

    /// <summary>CONNECT of MQTT 5.0 with a clean start.</summary>
    public static byte[] SignIn(int connection, string password)
    {
        var name = Encoding.ASCII.GetBytes(DeviceMessages.DeviceId(connection));
        var secret = Encoding.ASCII.GetBytes(password);
        byte[] rest =
        [
            0,
            4,
            .. "MQTT"u8,
            5,
            0xC2,
            KeepAliveSeconds >> 8,
            KeepAliveSeconds & 0xFF,
            0,
            0,
            (byte)name.Length,
            .. name,
            0,
            (byte)name.Length,
            .. name,
            0,
            (byte)secret.Length,
            .. secret,
        ];
        return [0x10, (byte)rest.Length, .. rest];
    }

    struct Connection
    {
        public int Socket;
        public DeviceState State;
        public int Taken,
            Sent,
            EverSent,
            Acknowledged;
        public byte[]? Unsent,
            Unread;
    }
}

using System.Collections.Concurrent;
using System.Device.I2c;
using System.Globalization;
using Microsoft.Extensions.Logging;

namespace ThermalStreaming.Sensors;

/// <summary>
/// Owns an I²C bus. One thread runs all its transfers, because on a hung bus the kernel blocks the caller for 1 s per transfer, and nobody
/// else should wait for that. A hung device is left alone for 1 s, then 2 s, up to 30 s; so is the whole bus when a second device hangs, or
/// when the adapter fails. Meanwhile every transfer fails at once, with <see cref="SensorErrorKind.Bus"/> if the bus is at fault. It
/// reports the bus once when it fails and once when it works again. Thread-safe.
/// </summary>
public sealed partial class BusWorker : IDisposable
{
    /// <summary>The adapters' own time-out is 1 s, and some try three times.</summary>
    static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    const long Idle = -1;

    /// <summary>
    /// Guarded by itself. A monitor puts the thread to sleep at once; a blocking collection would let it spin after each transfer.
    /// </summary>
    readonly Queue<BusTransfer> queue = [];
    bool isClosed;
    readonly ConcurrentDictionary<int, bool> asked = [];
    readonly Dictionary<int, I2cDevice> devices = [];
    readonly RetryDelay delay = new(TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(30));
    readonly Func<I2cBus> open;
    readonly TimeProvider clock;
    readonly ILogger logger;
    readonly BusDiagnosis diagnosis;
    I2cBus? bus;
    long runningSince = Idle;
    long closedAt;
    TimeSpan closedFor;
    volatile string? problem;

    /// <param name="name">The usual name of the bus, for example <c>/dev/i2c-1</c>.</param>
    /// <param name="open">Opens it; called on the worker's thread, and again after the bus has failed.</param>
    /// <param name="clock">Where time comes from.</param>
    /// <param name="logger">Receives an entry when the bus fails and when it works again.</param>
    public BusWorker(string name, Func<I2cBus> open, TimeProvider clock, ILogger logger)
    {
        Name = name;
        this.open = open;
        this.clock = clock;
        this.logger = logger;
        diagnosis = new BusDiagnosis(clock);
        // A background thread: a process that ends does not wait for a hung transfer.
        new Thread(Run) { IsBackground = true, Name = name }.Start();
    }

    /// <summary>The usual name of the bus.</summary>
    public string Name { get; }

    /// <summary>Why the bus does not work, with the remedy; null while it works or was not tried yet.</summary>
    public string? Problem => problem ?? Hanging();

    /// <summary>Writes, reads, or writes and reads with a repeated start, in one transfer.</summary>
    /// <param name="address">7-bit address.</param>
    /// <param name="toWrite">May be empty.</param>
    /// <param name="toRead">Bytes to read; 0: none.</param>
    /// <param name="cancellationToken">Ends the wait; a transfer that has begun continues without anybody waiting for it.</param>
    public Task<TransferResult> TransferAsync(int address, byte[] toWrite, int toRead, CancellationToken cancellationToken)
    {
        asked.TryAdd(address, true);
        var transfer = new BusTransfer(address, toWrite, toRead, cancellationToken);
        lock (queue)
        {
            if (isClosed)
                return Task.FromResult(TransferResult.Failed(SensorErrorKind.Bus, $"{Name} was closed"));
            queue.Enqueue(transfer);
            Monitor.Pulse(queue);
        }
        return transfer.Done.Task.WaitAsync(cancellationToken);
    }

    /// <summary>Lets the thread end after the queued transfers. Returns at once. Safe to call twice.</summary>
    public void Dispose()
    {
        lock (queue)
        {
            isClosed = true;
            Monitor.Pulse(queue);
        }
    }

    void Run()
    {
        while (Next() is { } transfer)
        {
            if (transfer.CancellationToken.IsCancellationRequested)
                continue;
            Interlocked.Exchange(ref runningSince, clock.GetTimestamp());
            var result = Execute(transfer);
            Interlocked.Exchange(ref runningSince, Idle);
            transfer.Done.TrySetResult(result);
        }
        Close();
    }

    /// <summary>The next transfer, as soon as there is one; null if the worker was closed and nothing is queued.</summary>
    BusTransfer? Next()
    {
        lock (queue)
        {
            BusTransfer? next;
            while (!queue.TryDequeue(out next) && !isClosed)
                Monitor.Wait(queue);
            return next;
        }
    }

    TransferResult Execute(BusTransfer transfer)
    {
        if (problem is { } known && clock.GetElapsedTime(closedAt) < closedFor)
            return TransferResult.Failed(SensorErrorKind.Bus, known);
        if (problem is null && diagnosis.Rests(transfer.Address) > TimeSpan.Zero)
            return Hangs();
        var isOpening = bus is null;
        try
        {
            bus ??= open();
            isOpening = false;
            if (!devices.TryGetValue(transfer.Address, out var device))
                devices[transfer.Address] = device = bus.CreateDevice(transfer.Address);
            var bytes = Run(device, transfer);
            Works(transfer.Address);
            return TransferResult.Ok(bytes);
        }
        catch (Exception e)
            when (e is IOException or UnauthorizedAccessException or InvalidOperationException or PlatformNotSupportedException)
        {
            return Failed(e, Errno.Of(e), transfer.Address, isOpening);
        }
        catch (Exception e)
        {
            // The thread serves every sensor of the bus, so any exception becomes the outcome of its transfer.
            return TransferResult.Failed(SensorErrorKind.Transfer, $"{e.GetType().Name}: {e.Message}");
        }
    }

    static byte[] Run(I2cDevice device, BusTransfer transfer)
    {
        var bytes = transfer.ToRead == 0 ? [] : new byte[transfer.ToRead];
        if (transfer.ToRead == 0)
            device.Write(transfer.ToWrite);
        else if (transfer.ToWrite.Length == 0)
            device.Read(bytes);
        else
            device.WriteRead(transfer.ToWrite, bytes);
        return bytes;
    }

    TransferResult Failed(Exception e, int errno, int address, bool isOpening)
    {
        if (isOpening)
            return BusFailed(CannotOpen(e, errno));
        switch (errno)
        {
            case Errno.NoSuchAddress or Errno.RemoteIo:
                // No device acknowledged: the bus itself works.
                Works(address);
                return TransferResult.Failed(SensorErrorKind.NotAcknowledged, "did not acknowledge");
            case Errno.NoDevice:
                return BusFailed($"{Name} is gone (errno 19); plug its adapter in again");
            case Errno.TimedOut:
                return problem is not null || diagnosis.TimedOut(address, asked.Count == 1) ? BusFailed(Stuck()) : Hangs();
            default:
                return problem is not null || diagnosis.IsBroken()
                    ? BusFailed(
                        string.Create(CultureInfo.InvariantCulture, $"{Name} fails (errno {errno}); check the wires and the adapter")
                    )
                    : TransferResult.Failed(
                        SensorErrorKind.Transfer,
                        string.Create(CultureInfo.InvariantCulture, $"the transfer failed with errno {errno}")
                    );
        }
    }

    static TransferResult Hangs() =>
        TransferResult.Failed(
            SensorErrorKind.Transfer,
            "the device hangs (errno 110) while the bus works; switch its supply off and on. Retrying every 1 to 30 s"
        );

    TransferResult BusFailed(string text)
    {
        Close();
        diagnosis.Closed();
        if (problem is null)
            LogFails(Name, text);
        closedFor = delay.Next();
        closedAt = clock.GetTimestamp();
        problem = text;
        return TransferResult.Failed(SensorErrorKind.Bus, text);
    }

    void Works(int address)
    {
        diagnosis.Answered(address);
        delay.Reset();
        if (problem is null)
            return;
        problem = null;
        LogWorks(Name);
    }

    /// <summary>Describes a transfer that does not return: only the kernel can end it.</summary>
    string? Hanging() =>
        Interlocked.Read(ref runningSince) is var since
        && since != Idle
        && clock.GetElapsedTime(since) is var elapsed
        && elapsed >= Patience
            ? string.Create(
                CultureInfo.InvariantCulture,
                $"{Name} has not finished a transfer for {elapsed.TotalSeconds:0} s, so its driver hangs; see dmesg, then plug the "
                    + $"adapter in again or restart the machine"
            )
            : null;

    string Stuck() =>
        $"{Name} is stuck (errno 110): a device holds the data line low, or there is no pull-up; switch the sensors' supply off and on, and "
        + "check the wires";

    string CannotOpen(Exception e, int errno) =>
        errno switch
        {
            Errno.NoEntry => $"{Name} does not exist; enable I²C (raspi-config, Interface Options), and in a container pass the device on "
                + "(docs/hardware.md)",
            Errno.Access =>
                $"{Name} may not be opened by this user; add the number of the machine's group i2c to group_add (docs/hardware.md)",
            _ => $"{Name} cannot be opened: {e.Message}",
        };

    void Close()
    {
        foreach (var device in devices.Values)
            device.Dispose();
        devices.Clear();
        bus?.Dispose();
        bus = null;
    }

    [LoggerMessage(EventId = 700, Level = LogLevel.Error, Message = "{Problem}. No sensor on {Bus} can be read; retrying every 1 to 30 s")]
    partial void LogFails(string bus, string problem);

    [LoggerMessage(EventId = 701, Level = LogLevel.Information, Message = "{Bus} works again")]
    partial void LogWorks(string bus);
}

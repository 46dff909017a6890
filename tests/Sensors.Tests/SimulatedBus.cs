using System.Device.I2c;

namespace ThermalStreaming.Sensors.Tests;

/// <summary>An I²C bus in memory, with the errors of Linux and of System.Device.Gpio.</summary>
sealed class SimulatedBus : I2cBus
{
    readonly Dictionary<int, SimulatedDevice> devices = [];
    int transfers,
        opened;

    /// <summary>A device holds the data line low: every transfer runs into the adapter's time-out.</summary>
    public bool IsStuck { get; set; }

    /// <summary>The error number that every transfer gives; 0: none.</summary>
    public int Error { get; set; }

    /// <summary>The error number that opening it gives; 0: it opens.</summary>
    public int OpenError { get; set; }

    /// <summary>Set: a transfer blocks until it is set, as on a hung adapter.</summary>
    public ManualResetEventSlim? Hang { get; set; }

    /// <summary>Transfers that were tried.</summary>
    public int Transfers => Volatile.Read(ref transfers);

    /// <summary>How often it was opened.</summary>
    public int Opened => Volatile.Read(ref opened);

    public void Attach(int address, SimulatedDevice device) => devices[address] = device;

    public I2cBus Open()
    {
        Interlocked.Increment(ref opened);
        return OpenError == 0 ? this : throw new IOException($"Error {OpenError}. Can not open I2C device file '/dev/i2c-1'.");
    }

    public override I2cDevice CreateDevice(int deviceAddress) => new Connection(this, deviceAddress);

    public override void RemoveDevice(int deviceAddress) { }

    SimulatedDevice Begin(int address)
    {
        Interlocked.Increment(ref transfers);
        Hang?.Wait();
        if (IsStuck)
            throw new IOException("Error 110 (Connection timed out) performing I2C data transfer.");
        devices.TryGetValue(address, out var device);
        if (Math.Max(Error, device?.Error ?? 0) is var error and > 0)
            throw new IOException($"Error {error} (as the test wants it) performing I2C data transfer.");
        return device is { Unplugged: false } ? device : throw SimulatedDevice.NotAcknowledged();
    }

    sealed class Connection(SimulatedBus bus, int address) : I2cDevice
    {
        public override I2cConnectionSettings ConnectionSettings { get; } = new(1, address);

        public override void Read(Span<byte> buffer) => Answer(bus.Begin(address), device => device.Read, buffer);

        public override void Write(ReadOnlySpan<byte> buffer) => bus.Begin(address).Write(buffer);

        public override void WriteRead(ReadOnlySpan<byte> writeBuffer, Span<byte> readBuffer)
        {
            var written = writeBuffer.ToArray();
            Answer(bus.Begin(address), device => count => device.WriteRead(written, count), readBuffer);
        }

        static void Answer(SimulatedDevice device, Func<SimulatedDevice, Func<int, byte[]>> read, Span<byte> buffer)
        {
            read(device)(buffer.Length).CopyTo(buffer);
            if (device.GarbledLength == buffer.Length)
                buffer[0] ^= 0x10;
            if (device.Garbled <= 0)
                return;
            device.Garbled--;
            buffer[0] ^= 0x10;
        }
    }
}

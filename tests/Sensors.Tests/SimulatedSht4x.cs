namespace ThermalStreaming.Sensors.Tests;

/// <summary>
/// An SHT40, SHT41 or SHT45 as its data sheet (version 6) describes it: commands of one byte, words with checksums, nothing acknowledged
/// within an execution time, an answer that can be read once.
/// </summary>
sealed class SimulatedSht4x(TimeProvider clock) : SimulatedDevice
{
    readonly Lock gate = new();
    byte[]? answer;
    long since = clock.GetTimestamp();
    TimeSpan busy;

    /// <summary>Temperature and humidity. 25 °C and 50 %.</summary>
    public ushort[] Sample { get; set; } = [0x6666, 0x72B0];

    /// <summary>Commands in their order.</summary>
    public List<byte> Commands { get; } = [];

    /// <summary>A measurement that a program began before it died.</summary>
    public void Begin() => Takes(8.3, Sample);

    public override void Write(ReadOnlySpan<byte> bytes)
    {
        lock (gate)
        {
            if (IsBusy)
            {
                Violation($"{bytes[0]:x2} while busy");
                throw NotAcknowledged();
            }
            if (bytes.Length != 1)
                Violation($"a command of {bytes.Length} bytes");
            Commands.Add(bytes[0]);
            answer = null;
            switch (bytes[0])
            {
                case 0xFD:
                    Takes(8.3, Sample);
                    break;
                case 0xF6:
                    Takes(4.5, Sample);
                    break;
                case 0xE0:
                    Takes(1.6, Sample);
                    break;
                case 0x89:
                    Takes(0, [0x0F4E, 0x8DA2]);
                    break;
                case 0x94:
                    Takes(1, []);
                    break;
                default:
                    // 0x39, 0x32 and others heat, which falsifies what is measured next.
                    Violation($"unwanted command {bytes[0]:x2}");
                    throw NotAcknowledged();
            }
        }
    }

    public override byte[] Read(int count)
    {
        lock (gate)
        {
            if (IsBusy)
            {
                Violation("read too early");
                throw NotAcknowledged();
            }
            if (answer is null)
                throw NotAcknowledged();
            var bytes = Enumerable.Range(0, count).Select(i => i < answer.Length ? answer[i] : (byte)0xFF).ToArray();
            answer = null;
            return bytes;
        }
    }

    bool IsBusy => clock.GetElapsedTime(since) < busy;

    void Takes(double milliseconds, ushort[] words)
    {
        (since, busy) = (clock.GetTimestamp(), TimeSpan.FromMilliseconds(milliseconds));
        answer =
            words.Length == 0 ? null : [.. words.SelectMany(word => new[] { (byte)(word >> 8), (byte)word, WordDevice.Checksum(word) })];
    }
}

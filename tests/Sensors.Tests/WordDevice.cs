using ThermalStreaming.Testing;

namespace ThermalStreaming.Sensors.Tests;

/// <summary>
/// What the devices with 16-bit commands have in common: nothing is acknowledged within an execution time, arguments carry checksums, an
/// answer can be read once.
/// </summary>
abstract class WordDevice(ManualClock clock) : SimulatedDevice
{
    readonly Lock gate = new();
    byte[]? answer;
    long busyUntil;

    protected ManualClock Clock { get; } = clock;

    /// <summary>Commands in their order, with arguments, without checksums.</summary>
    public List<string> Commands { get; } = [];

    protected long Now => Clock.GetTimestamp();

    public sealed override void Write(ReadOnlySpan<byte> bytes)
    {
        lock (gate)
        {
            var command = (ushort)(bytes[0] << 8 | bytes[1]);
            if (Now < busyUntil)
            {
                Violation($"{command:x4} while busy");
                throw NotAcknowledged();
            }
            answer = null;
            var words = new ushort[(bytes.Length - 2) / 3];
            for (var i = 0; i < words.Length; i++)
            {
                words[i] = (ushort)(bytes[2 + 3 * i] << 8 | bytes[3 + 3 * i]);
                if (bytes[4 + 3 * i] != Checksum(words[i]))
                    Violation($"{command:x4}: wrong checksum of argument {words[i]:x4}");
            }
            Commands.Add(string.Join(' ', words.Prepend(command).Select(word => word.ToString("x4", null))));
            Execute(command, words);
        }
    }

    public sealed override byte[] Read(int count)
    {
        lock (gate)
        {
            if (Now < busyUntil)
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

    /// <summary>Does what a command does; throws <see cref="SimulatedDevice.NotAcknowledged"/> when it is not accepted now.</summary>
    protected abstract void Execute(ushort command, ushort[] arguments);

    /// <summary>The execution time, and what can be read then.</summary>
    protected void Takes(double milliseconds, params ushort[] words)
    {
        busyUntil = Now + (long)(milliseconds * TimeSpan.TicksPerMillisecond);
        if (words.Length > 0)
            answer = [.. words.SelectMany(word => new[] { (byte)(word >> 8), (byte)word, Checksum(word) })];
    }

    protected void Takes(double milliseconds) => Takes(milliseconds, []);

    /// <summary>The checksum as a polynomial division of the whole word: another way than the product's.</summary>
    public static byte Checksum(ushort word)
    {
        var rest = (uint)(word ^ 0xFF00) << 8;
        for (var bit = 23; bit >= 8; bit--)
        {
            if ((rest >> bit & 1) != 0)
                rest ^= 0x131u << (bit - 8);
        }
        return (byte)rest;
    }
}

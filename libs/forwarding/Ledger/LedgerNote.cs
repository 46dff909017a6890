using System.Buffers.Binary;
using System.Globalization;
using System.Text;

namespace ThermalStreaming.Forwarding;

/// <summary>
/// The content of the file <c>ledger.lock</c>: generation of the ledger's file (8 bytes, little-endian), then the slot that holds the lock,
/// the process, and since when: three texts, each a length byte and UTF-8. The slot is empty while the lock is free; a name in it while
/// nobody holds the lock is that of a process that died.
/// </summary>
/// <param name="Generation">Of the ledger's file.</param>
/// <param name="Holder">Name of the slot that holds the lock; empty for none.</param>
/// <param name="Process">The holder's process, for people: <c>process 7 on host pi</c>.</param>
/// <param name="Since">When it took the lock; null when that is not known.</param>
readonly record struct LedgerNote(ulong Generation, string Holder, string Process, DateTimeOffset? Since)
{
    public const int MaxBytes = 512;

    /// <summary>This process.</summary>
    public static string ThisProcess { get; } =
        string.Create(CultureInfo.InvariantCulture, $"process {Environment.ProcessId} on host {Environment.MachineName}");

    public static LedgerNote Parse(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length < 9)
            return new LedgerNote(0, "", "", null);
        var rest = bytes[8..];
        var (holder, process, since) = (Text(ref rest), Text(ref rest), Text(ref rest));
        return new LedgerNote(
            BinaryPrimitives.ReadUInt64LittleEndian(bytes),
            holder,
            process,
            DateTimeOffset.TryParse(since, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var at) ? at : null
        );
    }

    public ReadOnlySpan<byte> Write(Span<byte> target)
    {
        BinaryPrimitives.WriteUInt64LittleEndian(target, Generation);
        var length = 8;
        foreach (
            var text in (ReadOnlySpan<string>)[Holder, Process, Since?.ToString("yyyy-MM-ddTHH:mm:ssZ", CultureInfo.InvariantCulture) ?? ""]
        )
        {
            var written = Encoding.UTF8.TryGetBytes(
                text,
                target.Slice(length + 1, Math.Min(byte.MaxValue, target.Length - length - 1)),
                out var bytes
            )
                ? bytes
                : 0;
            target[length] = (byte)written;
            length += 1 + written;
        }
        return target[..length];
    }

    static string Text(ref ReadOnlySpan<byte> rest)
    {
        if (rest.IsEmpty)
            return "";
        var text = Encoding.UTF8.GetString(rest.Slice(1, Math.Min(rest[0], rest.Length - 1)));
        rest = rest[Math.Min(rest.Length, 1 + rest[0])..];
        return text;
    }
}

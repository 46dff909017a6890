using System.Buffers.Binary;

namespace ThermalStreaming.Sensors;

/// <summary>
/// The protocol of the SCD4x, the SGP30 and the ICP-10125: commands of 16 bits, and answers of 16-bit words that each have a checksum. The
/// answer is a separate transfer after the command's execution time; until then the sensor acknowledges nothing.
/// </summary>
static class WordProtocol
{
    /// <summary>Sends a command with its arguments, and waits for its execution time.</summary>
    /// <returns>Null, or what went wrong.</returns>
    public static async Task<SensorError?> SendAsync(
        this SensorLink link,
        ushort command,
        ushort[] arguments,
        double milliseconds,
        CancellationToken cancellationToken
    )
    {
        if (await link.WriteAsync(Encode(command, arguments), cancellationToken) is { } error)
            return error;
        if (milliseconds > 0)
            await link.WaitAsync(milliseconds, cancellationToken);
        return null;
    }

    /// <summary>Sends a command, waits, and reads its answer.</summary>
    /// <returns>The words, with verified checksums.</returns>
    public static async Task<Outcome<ushort[]>> AskAsync(
        this SensorLink link,
        ushort command,
        ushort[] arguments,
        int words,
        double milliseconds,
        CancellationToken cancellationToken
    )
    {
        if (await link.SendAsync(command, arguments, milliseconds, cancellationToken) is { } error)
            return error;
        return await link.ReadWordsAsync(words, cancellationToken);
    }

    /// <summary>Reads an answer.</summary>
    /// <returns>The words, with verified checksums.</returns>
    public static async Task<Outcome<ushort[]>> ReadWordsAsync(this SensorLink link, int words, CancellationToken cancellationToken) =>
        (await link.ReadAsync(3 * words, cancellationToken)).Has(out var bytes, out var error) ? link.Decode(bytes) : error;

    /// <summary>The command, and each argument with its checksum.</summary>
    public static byte[] Encode(ushort command, params ReadOnlySpan<ushort> arguments)
    {
        var bytes = new byte[2 + 3 * arguments.Length];
        BinaryPrimitives.WriteUInt16BigEndian(bytes, command);
        for (var i = 0; i < arguments.Length; i++)
        {
            var word = bytes.AsSpan(2 + 3 * i, 3);
            BinaryPrimitives.WriteUInt16BigEndian(word, arguments[i]);
            word[2] = Crc8.Of(word[0], word[1]);
        }
        return bytes;
    }

    /// <summary>The words of an answer.</summary>
    public static Outcome<ushort[]> Decode(this SensorLink link, byte[] bytes)
    {
        var words = new ushort[bytes.Length / 3];
        for (var i = 0; i < words.Length; i++)
        {
            var word = bytes.AsSpan(3 * i, 3);
            if (Crc8.Of(word[0], word[1]) != word[2])
                return link.Error(
                    SensorErrorKind.Checksum,
                    $"the checksum of {Convert.ToHexString(word)} is wrong; shorten the wires if this comes often"
                );
            words[i] = BinaryPrimitives.ReadUInt16BigEndian(word);
        }
        return words;
    }

    /// <summary>Three words as one number, the form of serial numbers.</summary>
    public static ulong Serial(ReadOnlySpan<ushort> words) => (ulong)words[0] << 32 | (ulong)words[1] << 16 | words[2];
}

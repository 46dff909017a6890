using System.Globalization;

namespace ThermalStreaming.SnowpipeForwarder;

/// <summary>
/// The token that Snowflake stores with the rows of an append and returns once they are committed: <c>{epoch}:{offset}</c>. The offset is
/// that of the append's last reading in the journal, in 20 digits so that the tokens of one journal also sort as text.
/// </summary>
/// <param name="Epoch">Identity of the journal, 16 hexadecimal digits.</param>
/// <param name="Offset">Offset of a reading in it, from 0.</param>
readonly record struct OffsetToken(string Epoch, long Offset)
{
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Epoch}:{Offset:D20}");

    /// <summary>False for null, an empty text, and tokens from another writer.</summary>
    public static bool TryParse(string? text, out OffsetToken token)
    {
        token = default;
        var colon = text?.LastIndexOf(':') ?? -1;
        if (colon < 1 || !long.TryParse(text.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var offset))
            return false;
        token = new(text![..colon], offset);
        return true;
    }
}

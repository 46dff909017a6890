namespace ThermalStreaming.Readings;

/// <summary>Distinguishes batches whose times are not final (<see cref="ClockReference"/>) from all others, without decoding
/// them.</summary>
public static class ProvisionalTimes
{
    const uint ClockTag = ReadingBatch.ClockFieldNumber << 3 | 2;

    /// <summary>Whether a serialised <see cref="ReadingBatch"/> has a clock reference; also false when it is malformed.</summary>
    public static bool AreIn(ReadOnlySpan<byte> batch)
    {
        try
        {
            var reader = new WireReader(batch);
            while (!reader.AtEnd)
            {
                var tag = reader.ReadTag();
                if (tag == ClockTag)
                    return true;
                reader.Skip(tag);
            }
        }
        catch (PayloadException)
        {
            // The receiver says what is wrong with it.
        }
        return false;
    }
}

namespace ThermalStreaming.SnowflakeEmulator;

/// <summary>Reads streams one after the other, and disposes them. For asynchronous reading only.</summary>
sealed class ChainedStream(params Stream[] parts) : ReadingStream
{
    int current;

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (buffer.IsEmpty)
            return 0;
        for (; current < parts.Length; current++)
        {
            var read = await parts[current].ReadAsync(buffer, cancellationToken);
            if (read > 0)
                return read;
        }
        return 0;
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            foreach (var part in parts)
                part.Dispose();
        }
        base.Dispose(disposing);
    }
}

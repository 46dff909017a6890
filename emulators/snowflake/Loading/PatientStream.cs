namespace ThermalStreaming.SnowflakeEmulator;

/// <summary>Reads from the network, and gives up if nothing arrives for some time: a connection can die unnoticed.</summary>
/// <param name="source">The stream; disposed with this.</param>
/// <param name="patience">How long a read may take.</param>
/// <param name="clock">The time.</param>
sealed class PatientStream(Stream source, TimeSpan patience, TimeProvider clock) : ReadingStream
{
    /// <exception cref="IOException">Nothing arrived for too long.</exception>
    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        using var timer = new CancellationTokenSource(patience, clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(timer.Token, cancellationToken);
        try
        {
            return await source.ReadAsync(buffer, either.Token);
        }
        catch (Exception) when (timer.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            throw new IOException($"no data has arrived for {patience.TotalSeconds:0} s.");
        }
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
            source.Dispose();
        base.Dispose(disposing);
    }
}

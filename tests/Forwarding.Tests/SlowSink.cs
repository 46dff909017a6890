namespace ThermalStreaming.Forwarding.Tests;

/// <summary>A destination that takes ten readings in 50 ms, until <paramref name="isSlow"/> says no more.</summary>
/// <param name="sink">Where the readings go.</param>
/// <param name="isSlow">Asked before each call.</param>
sealed class SlowSink(IBatchSink sink, Func<bool> isSlow) : IBatchSink
{
    public string Destination => sink.Destination;

    public BatchLimits Limits => new(isSlow() ? 10 : 5000, 1_000_000, TimeSpan.FromMilliseconds(20));

    public TimeSpan PollInterval => sink.PollInterval;

    public Task<SinkPosition> OpenAsync(SinkStart start, CancellationToken cancellationToken) => sink.OpenAsync(start, cancellationToken);

    public async Task SendAsync(Batch batch, CancellationToken cancellationToken)
    {
        if (isSlow())
            await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System, cancellationToken);
        await sink.SendAsync(batch, cancellationToken);
    }

    public Task<SinkCommit> PollAsync(CancellationToken cancellationToken) => sink.PollAsync(cancellationToken);

    public ValueTask DisposeAsync() => sink.DisposeAsync();
}

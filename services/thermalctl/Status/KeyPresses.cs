using System.Threading.Channels;

namespace ThermalStreaming.Thermalctl;

/// <summary>Reads key presses without a line end and without echo. One reader.</summary>
sealed class KeyPresses : IDisposable
{
    /// <summary>What <see cref="NextAsync"/> returns without a key.</summary>
    public const char None = '\0';

    readonly Channel<char> pressed = Channel.CreateUnbounded<char>();

    public KeyPresses()
    {
        // A pipe has no key presses.
        if (Console.IsInputRedirected)
            return;
        var thread = new Thread(Read) { IsBackground = true, Name = "keys" };
        thread.Start();
    }

    /// <summary>Ends the wait for a key. Call it from any thread.</summary>
    public void Wake() => pressed.Writer.TryWrite(None);

    /// <summary>The next key, or <see cref="None"/> when the time is up or <see cref="Wake"/> is called.</summary>
    public async Task<char> NextAsync(TimeSpan patience, CancellationToken cancellationToken)
    {
        using var ceiling = new CancellationTokenSource(patience, TimeProvider.System);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(ceiling.Token, cancellationToken);
        try
        {
            return await pressed.Reader.ReadAsync(both.Token);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return None;
        }
    }

    public void Dispose() => pressed.Writer.TryComplete();

    void Read()
    {
        try
        {
            while (pressed.Writer.TryWrite(Console.ReadKey(intercept: true).KeyChar)) { }
        }
        catch (Exception e) when (e is InvalidOperationException or IOException)
        {
            // The terminal is gone; SIGHUP ends the program.
        }
    }
}

using System.Runtime.ExceptionServices;

namespace ThermalStreaming.Runner;

/// <summary>
/// Gives the lines of a program's two outputs on, one at a time. They come on threads where an exception would end this process, so the
/// first one is kept for the end. Thread-safe.
/// </summary>
sealed class LineGate
{
    readonly Lock turn = new();
    ExceptionDispatchInfo? failure;
    bool isClosed;

    /// <param name="action">What takes the line.</param>
    /// <param name="line">Null at the end of an output.</param>
    public void Give(Action<string> action, string? line)
    {
        if (line is null)
            return;
        lock (turn)
        {
            if (isClosed || failure is not null)
                return;
            try
            {
                action(line);
            }
            catch (Exception e)
            {
                failure = ExceptionDispatchInfo.Capture(e);
            }
        }
    }

    /// <summary>Lines that come later, from what a killed program has left running, have nobody to take them.</summary>
    /// <exception cref="Exception">What an action threw.</exception>
    public void Close()
    {
        lock (turn)
            isClosed = true;
        failure?.Throw();
    }
}

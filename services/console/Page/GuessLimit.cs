namespace ThermalStreaming.Console;

/// <summary>After ten wrong tokens within a minute, refuses all tokens for the rest of it. Thread-safe.</summary>
sealed class GuessLimit(TimeProvider clock)
{
    public const int MostGuesses = 10;

    static readonly TimeSpan period = TimeSpan.FromMinutes(1);

    readonly Lock gate = new();
    readonly Queue<long> wrong = [];

    /// <summary>Whether no token may be tried now.</summary>
    public bool IsReached
    {
        get
        {
            lock (gate)
            {
                while (wrong.TryPeek(out var at) && clock.GetElapsedTime(at) > period)
                    wrong.Dequeue();
                return wrong.Count >= MostGuesses;
            }
        }
    }

    public void NoteWrong()
    {
        lock (gate)
            wrong.Enqueue(clock.GetTimestamp());
    }
}

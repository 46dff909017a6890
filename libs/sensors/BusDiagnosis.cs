namespace ThermalStreaming.Sensors;

/// <summary>
/// Decides from the outcomes of transfers whether one device fails or the whole bus, and stops a hung device from costing the others a
/// second each time. Not thread-safe.
/// </summary>
/// <param name="clock">Where time comes from.</param>
sealed class BusDiagnosis(TimeProvider clock)
{
    /// <summary>After this many unusual errors in a row, the adapter itself is suspect.</summary>
    const int MostOddErrors = 5;

    /// <summary>Addresses whose last transfer did not time out.</summary>
    readonly HashSet<int> answering = [];

    /// <summary>Addresses that have timed out since the last answer of any device.</summary>
    readonly HashSet<int> timedOut = [];

    readonly Dictionary<int, Rest> rests = [];
    int oddErrors;

    /// <summary>How long the device is still left alone; zero or less if it is not.</summary>
    public TimeSpan Rests(int address) =>
        rests.TryGetValue(address, out var rest) ? rest.For - clock.GetElapsedTime(rest.Since) : TimeSpan.Zero;

    /// <summary>The device completed its transfer, or no device acknowledged: the bus works.</summary>
    public void Answered(int address)
    {
        timedOut.Clear();
        answering.Add(address);
        rests.Remove(address);
        oddErrors = 0;
    }

    /// <summary>Records a transfer that ran into the adapter's time-out.</summary>
    /// <param name="address">The device.</param>
    /// <param name="isAlone">Whether no other address has been used yet.</param>
    /// <returns>Whether the bus is stuck, rather than only the device.</returns>
    public bool TimedOut(int address, bool isAlone)
    {
        var isRepeated = !timedOut.Add(address);
        answering.Remove(address);
        if (isAlone || timedOut.Count > 1 || (isRepeated && answering.Count == 0))
            return true;
        if (!rests.TryGetValue(address, out var rest))
            rests[address] = rest = new Rest();
        (rest.Since, rest.For) = (clock.GetTimestamp(), rest.Delay.Next());
        return false;
    }

    /// <summary>Records an error that is neither a missing acknowledgement nor a stuck bus.</summary>
    /// <returns>Whether there were so many in a row that the bus should be reopened.</returns>
    public bool IsBroken() => ++oddErrors >= MostOddErrors;

    /// <summary>The bus was closed: from now on the whole bus rests.</summary>
    public void Closed()
    {
        rests.Clear();
        oddErrors = 0;
    }

    sealed class Rest
    {
        public RetryDelay Delay { get; } = new(TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(30));

        public long Since { get; set; }

        public TimeSpan For { get; set; }
    }
}

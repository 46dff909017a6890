namespace ThermalStreaming.Sensors;

/// <summary>
/// Tells from the outcomes of transfers whether one device fails or the whole bus, and keeps a device that hangs from costing the others
/// a second each time. Not thread-safe.
/// </summary>
/// <param name="clock">Where time comes from.</param>
sealed class BusDiagnosis(TimeProvider clock)
{
    /// <summary>So many odd errors in a row, and the adapter itself is in doubt.</summary>
    const int MostOddErrors = 5;

    /// <summary>Addresses whose last transfer had an outcome other than a time-out.</summary>
    readonly HashSet<int> answering = [];

    /// <summary>Addresses that have timed out since the last answer of any.</summary>
    readonly HashSet<int> timedOut = [];

    readonly Dictionary<int, Rest> rests = [];
    int oddErrors;

    /// <summary>How long the device is still left alone; zero or less: not at all.</summary>
    public TimeSpan Rests(int address) =>
        rests.TryGetValue(address, out var rest) ? rest.For - clock.GetElapsedTime(rest.Since) : TimeSpan.Zero;

    /// <summary>The device has done its transfer, or nobody acknowledged: the bus works.</summary>
    public void Answered(int address)
    {
        timedOut.Clear();
        answering.Add(address);
        rests.Remove(address);
        oddErrors = 0;
    }

    /// <summary>Takes note of a transfer that ran into the adapter's time-out.</summary>
    /// <param name="address">The device.</param>
    /// <param name="isAlone">Nobody has asked for another address yet.</param>
    /// <returns>Whether the bus is stuck, and not the device alone.</returns>
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

    /// <summary>Takes note of an error that says neither that nobody acknowledged nor that the bus is stuck.</summary>
    /// <returns>Whether so many have followed each other that the bus should be opened again.</returns>
    public bool IsBroken() => ++oddErrors >= MostOddErrors;

    /// <summary>The bus was closed: from here on it rests as a whole.</summary>
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

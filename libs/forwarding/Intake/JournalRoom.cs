using ThermalStreaming.Hosting;
using ThermalStreaming.Journal;

namespace ThermalStreaming.Forwarding;

/// <summary>Waits for room in a slot's journal, and reports in <c>/readyz</c> that it is full. For one caller at a time.</summary>
/// <param name="slot">Name of the slot.</param>
/// <param name="journal">Its journal.</param>
/// <param name="health">Gets the state of the journal.</param>
/// <param name="clock">Time.</param>
sealed class JournalRoom(string slot, DurableJournal journal, Health health, TimeProvider clock)
{
    static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(200);

    readonly string part = $"journal {slot}";

    /// <summary>Waits until so many bytes fit.</summary>
    /// <returns>False when asked to stop first.</returns>
    public async Task<bool> WaitAsync(long bytes, CancellationToken cancellationToken)
    {
        while ((journal.FullReason ?? journal.WhyNoRoomFor(bytes)) is { } reason)
        {
            ReportFull(reason);
            try
            {
                await Task.Delay(Interval, clock, cancellationToken);
            }
            catch (OperationCanceledException)
            {
                return false;
            }
        }
        ReportWell();
        return true;
    }

    /// <summary>Reports that the journal takes nothing now.</summary>
    public void ReportFull(string reason) => health.Unwell(part, $"{reason}. The broker keeps new messages until there is room.");

    /// <summary>Reports that the journal is open and takes what comes.</summary>
    public void ReportWell() => health.Well(part);

    /// <summary>Removes the journal from health.</summary>
    public void Close() => health.Forget(part);
}

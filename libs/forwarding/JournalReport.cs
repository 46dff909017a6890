using ThermalStreaming.Control;
using ThermalStreaming.Journal;

namespace ThermalStreaming.Forwarding;

/// <summary>What gRPC reports about the journals of this replica's slots. They are open here, so no lock is taken. Thread-safe.</summary>
/// <param name="services">What the slots share.</param>
sealed class JournalReport(SlotServices services)
{
    /// <param name="verify">Read the files and check each record.</param>
    /// <param name="cancellationToken">Ends the reading.</param>
    /// <exception cref="IOException">A file cannot be read now.</exception>
    public InspectJournalResponse Inspect(bool verify, CancellationToken cancellationToken)
    {
        var response = new InspectJournalResponse
        {
            Journals = { services.Slots.Select(slot => Describe(services.Options.DataDirectory, slot)) },
        };
        if (!verify)
            return response;
        foreach (var journal in response.Journals)
        {
            var inspection = new JournalInspection(SlotDirectory.JournalPathOf(services.Options.DataDirectory, journal.Slot));
            foreach (var _ in inspection.Read())
                cancellationToken.ThrowIfCancellationRequested();
            journal.Problems.AddRange(inspection.Problems);
            journal.VerifiedReadings = (ulong)inspection.Readings;
        }
        return response;
    }

    static JournalStatus Describe(string dataDirectory, Slot slot) =>
        new()
        {
            Slot = slot.Name,
            Epoch = slot.Journal.Epoch,
            FirstOffset = (ulong)slot.Journal.FirstOffset,
            CommittedOffset = (ulong)slot.Journal.CommittedOffset,
            NextOffset = (ulong)slot.Journal.NextOffset,
            Bytes = (ulong)slot.Journal.SizeBytes,
            Segments = (uint)Segment.List(SlotDirectory.JournalPathOf(dataDirectory, slot.Name)).Count,
            LostReadings = (ulong)slot.Journal.LostReadings,
            DamagedPlaces = (ulong)slot.Journal.DamagedPlaces,
        };
}

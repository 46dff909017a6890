using System.Diagnostics.Metrics;
using System.Text.Json;
using Microsoft.Extensions.Logging.Abstractions;
using ThermalStreaming.Hosting;
using ThermalStreaming.Testing;

namespace ThermalStreaming.Forwarding.Tests;

/// <summary>What <c>/status</c> says of a forwarder.</summary>
public sealed class ForwarderFiguresTests : IDisposable
{
    readonly TempDirectory directory = new();
    readonly Meter meter = new("test");

    public void Dispose()
    {
        meter.Dispose();
        directory.Dispose();
    }

    [Fact]
    public void After_a_restart_the_dead_letters_that_are_kept_count_as_the_metric_says()
    {
        Keep(Open(), 3);
        Assert.Equal((3, 0), Status(Open()));

        var letters = Open();
        Keep(letters, 2);
        Assert.Equal((5, 2), Status(letters));
    }

    DeadLetters Open() => new(directory.File("dead-letters"), 64 << 20, TimeProvider.System, NullLogger.Instance);

    static void Keep(DeadLetters letters, int count)
    {
        for (var i = 0; i < count; i++)
            letters.Add(new DeadLetter("no JSON", "telemetry/v1/pi/thermal", null, 0, "x"u8.ToArray()), DeadLetterOrigin.Unread);
        letters.Flush();
    }

    (int Kept, int Made) Status(DeadLetters letters)
    {
        var services = Replica.Services(
            Replica.Options(directory.Path, 0),
            letters,
            new ForwarderMetrics(meter, TimeProvider.System),
            TimeProvider.System,
            new SenderNotes(meter, NullLogger<SenderNotes>.Instance),
            NullLogger.Instance
        );
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            new ForwarderFigures(services.Slots, services, new StatusPage(), meter).Write(json);
            json.WriteEndObject();
        }
        using var status = JsonDocument.Parse(buffer.ToArray());
        return (status.RootElement.GetProperty("dead_letters").GetInt32(), status.RootElement.GetProperty("dead_letters_made").GetInt32());
    }
}

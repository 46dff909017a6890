using ThermalStreaming.Testing;

namespace ThermalStreaming.Pipeline.Tests;

/// <summary>The same comparison for the real sensor-agents: what they have taken is in their outboxes until it is safe.</summary>
sealed class AgentDelivery(PipelineProject project)
{
    /// <summary>Of each agent's service, the device it is.</summary>
    static readonly IReadOnlyDictionary<string, string> devices = new Dictionary<string, string>
    {
        [PipelineProject.Agent] = "agent-1",
        [PipelineProject.SecondAgent] = "agent-2",
    };

    readonly TakenReadings taken = new();

    /// <summary>Readings seen in an outbox so far.</summary>
    public int Taken => taken.Count;

    /// <summary>
    /// Notes what is in an agent's outbox now, by its own verb; the agent may be running or dead. What it forgets afterwards is held
    /// against everybody.
    /// </summary>
    public async Task NoteOutboxAsync(string service)
    {
        var container = (await project.ReplicasAsync(service))[0].Id;
        var image = await Docker.RunAsync("inspect", "--format", "{{.Config.Image}}", container);
        // Exit code 1 means that something could not be read, such as the half record of a power cut. What could be read is there.
        var export = await Docker.TryAsync(
            "run",
            "--rm",
            "--network",
            "none",
            "--read-only",
            "--tmpfs",
            "/tmp",
            "--volumes-from",
            $"{container}:ro",
            image,
            "journal",
            "export"
        );
        Assert.True(export.ExitCode is 0 or 1, $"{export.Command}\nexit code {export.ExitCode}:\n{export.Text}");
        taken.Note(export.Output);
    }

    /// <summary>
    /// Waits until every reading that the agents have taken up to now has arrived; each must be there once, with the values it was taken
    /// with, and numbered without gaps since its agent's start. Inverter readings may be among the valid or the quarantined.
    /// </summary>
    public async Task ExpectExactlyOnceAsync(int atLeast)
    {
        foreach (var service in devices.Keys)
            await NoteOutboxAsync(service);
        await taken.ExpectStoredOnceAsync([.. devices.Values], atLeast, () => StoredReadings.FetchAsync(project.Emulator, project.Bucket));
    }
}

using System.Globalization;
using ThermalStreaming.Testing;
using Xunit.Abstractions;
using static ThermalStreaming.Pipeline.Tests.PipelineProject;

namespace ThermalStreaming.Pipeline.Tests;

/// <summary>Power cuts of every part, alone and two at a time, at random moments, while readings are published.</summary>
[Collection(nameof(WholePipeline))]
public sealed class KillTests(WholePipeline pipeline, ITestOutputHelper output)
{
    const int Kills = 24;

    static readonly string[] parts = [Agent, SecondAgent, Broker, SnowpipeForwarder, S3Forwarder, Snowflake, S3];

    [Fact]
    public Task Every_reading_arrives_once_however_often_parts_are_killed()
        => pipeline.ScenarioAsync(output, "kills at random moments", project => KillAsync(project, kills => kills < Kills));

    /// <summary>The same for as long as THERMAL_TEST_SOAK says, in minutes, and with cuts and pauses.</summary>
    [Fact]
    public Task Every_reading_arrives_once_in_a_soak_run()
    {
        if (!double.TryParse(Environment.GetEnvironmentVariable("THERMAL_TEST_SOAK"), CultureInfo.InvariantCulture, out var minutes))
        {
            Progress.Say("no soak run: THERMAL_TEST_SOAK is not set (minutes; for example THERMAL_TEST_SOAK=30 ./test soak)");
            output.WriteLine("THERMAL_TEST_SOAK is not set: nothing was done.");
            return Task.CompletedTask;
        }
        var started = TimeProvider.System.GetTimestamp();
        return pipeline.ScenarioAsync(output, $"soak run of {minutes} minutes", project => KillAsync(project, _ => TimeProvider.System.GetElapsedTime(started).TotalMinutes < minutes));
    }

    static async Task KillAsync(PipelineProject project, Func<int, bool> goesOn)
    {
        var (random, seed) = Seed.Next();
        Progress.Say($"  seed {seed} (THERMAL_TEST_SEED={seed} repeats it)");
        await using var fleet = Fleet.Publish(project, "kill");
        await fleet.MoreAsync(50);

        // Each part at least once, then whoever it hits.
        var turn = new Queue<string>(Shuffled(parts, random));
        for (var kills = 0; goesOn(kills);)
        {
            await Until.PauseAsync(TimeSpan.FromMilliseconds(random.Next(200, 3000)));
            var first = turn.Count > 0 ? turn.Dequeue() : parts[random.Next(parts.Length)];
            var second = random.Next(2) == 0 ? null : parts.Except([first]).ElementAt(random.Next(parts.Length - 1));
            await project.KillAsync(first);
            kills++;
            if (second is not null)
            {
                await Until.PauseAsync(TimeSpan.FromMilliseconds(random.Next(0, 1500)));
                await project.KillAsync(second);
                kills++;
            }
            Progress.Say($"  kill {kills}: {first}{(second is null ? "" : $" and {second}")}");
            await Until.PauseAsync(TimeSpan.FromMilliseconds(random.Next(0, 3000)));
            await project.StartServiceAsync(first);
            if (second is not null)
                await project.StartServiceAsync(second);
        }

        await project.ReadyAsync();
        await project.ExpectExactlyOnceAsync([fleet], TimeSpan.FromMinutes(3));
        await project.ExpectAgentsExactlyOnceAsync(["agent-1", "agent-2"], atLeast: 50);
    }

    static string[] Shuffled(string[] items, Random random)
    {
        var copy = items.ToArray();
        random.Shuffle(copy);
        return copy;
    }
}

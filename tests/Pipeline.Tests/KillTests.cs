using System.Globalization;
using ThermalStreaming.Testing;
using static ThermalStreaming.Pipeline.Tests.PipelineProject;

namespace ThermalStreaming.Pipeline.Tests;

/// <summary>Power cuts of every part, alone and two at a time, at random moments, while readings are published.</summary>
[Collection(nameof(WholePipeline))]
public sealed class KillTests(WholePipeline pipeline, ITestOutputHelper output)
{
    const int Kills = 24;

    static readonly string[] parts = [Agent, SecondAgent, Broker, SnowpipeForwarder, S3Forwarder, Snowflake, S3];

    [Fact]
    public Task Every_reading_arrives_once_however_often_parts_are_killed() =>
        pipeline.ScenarioAsync(
            output,
            "kills at random moments",
            project => BreakAsync(project, breaks => breaks < Kills, killsOnly: true)
        );

    /// <summary>The same for as long as THERMAL_TEST_SOAK says, in minutes, and with frozen parts and pulled cables.</summary>
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
        return pipeline.ScenarioAsync(
            output,
            $"soak run of {minutes} minutes",
            project => BreakAsync(project, _ => TimeProvider.System.GetElapsedTime(started).TotalMinutes < minutes, killsOnly: false)
        );
    }

    static async Task BreakAsync(PipelineProject project, Func<int, bool> goesOn, bool killsOnly)
    {
        var (random, seed) = Seed.Next();
        Progress.Say($"  seed {seed} (THERMAL_TEST_SEED={seed} repeats it)");
        var agents = new AgentDelivery(project);
        await using var fleet = Fleet.Publish(project, "kill");
        await fleet.MoreAsync(50);

        // Each part at least once, then whoever it hits.
        var turn = new Queue<string>(Shuffled(parts, random));
        for (var breaks = 0; goesOn(breaks); )
        {
            await Until.PauseAsync(TimeSpan.FromMilliseconds(random.Next(200, 3000)));
            var first = turn.Count > 0 ? turn.Dequeue() : parts[random.Next(parts.Length)];
            var second = random.Next(2) == 0 ? null : parts.Except([first]).ElementAt(random.Next(parts.Length - 1));
            var how = killsOnly ? How.Killed : (How)random.Next(3);
            await HurtAsync(project, first, how);
            breaks++;
            if (second is not null)
            {
                await Until.PauseAsync(TimeSpan.FromMilliseconds(random.Next(0, 1500)));
                await HurtAsync(project, second, how);
                breaks++;
            }
            Progress.Say($"  {breaks}: {how} {first}{(second is null ? "" : $" and {second}")}");
            await Until.PauseAsync(TimeSpan.FromMilliseconds(random.Next(0, how == How.Killed ? 3000 : 20_000)));
            // What a dead agent has on its disk was taken, whether or not anybody has heard of it.
            foreach (var agent in new[] { first, second }.Where(service => how == How.Killed && service is (Agent or SecondAgent)))
                await agents.NoteOutboxAsync(agent!);
            await HealAsync(project, first, how);
            if (second is not null)
                await HealAsync(project, second, how);
        }

        await project.ReadyAsync();
        await project.ExpectExactlyOnceAsync([fleet], TimeSpan.FromMinutes(3));
        await agents.ExpectExactlyOnceAsync(atLeast: 50);
    }

    static Task HurtAsync(PipelineProject project, string service, How how) =>
        how switch
        {
            How.Killed => project.KillAsync(service),
            How.Frozen => project.PauseAsync(service),
            _ => project.CutOffAsync(service),
        };

    static Task HealAsync(PipelineProject project, string service, How how) =>
        how switch
        {
            How.Killed => project.StartServiceAsync(service),
            How.Frozen => project.UnpauseAsync(service),
            _ => project.ReconnectAsync(service),
        };

    static string[] Shuffled(string[] items, Random random)
    {
        var copy = items.ToArray();
        random.Shuffle(copy);
        return copy;
    }

    enum How
    {
        Killed,
        Frozen,
        CutOff,
    }
}

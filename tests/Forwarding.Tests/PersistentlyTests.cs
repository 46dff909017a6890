using ThermalStreaming.Hosting;

namespace ThermalStreaming.Forwarding.Tests;

/// <summary>What the disk refuses is repeated, and reported while it lasts.</summary>
public class PersistentlyTests
{
    static readonly TimeSpan Ceiling = TimeSpan.FromSeconds(30);

    readonly Health health = new();
    readonly List<string> refusals = [];
    readonly List<string?> problems = [];
    int attempts;

    [Fact]
    public async Task A_refused_action_is_repeated_each_second_and_each_new_reason_is_logged_once()
    {
        var started = TimeProvider.System.GetTimestamp();

        await DoAsync(Make(), new IOException("full"), new IOException("read-only"), new IOException("read-only"), null);

        Assert.Equal(4, attempts);
        Assert.InRange(TimeProvider.System.GetElapsedTime(started), 2.9 * Persistently.Interval, Ceiling);
        Assert.Equal(["full", "read-only"], refusals);
        string?[] expected = [null, "full. Retrying every second.", .. Enumerable.Repeat("read-only. Retrying every second.", 2)];
        Assert.Equal(expected, problems);
        Assert.Empty(health.Parts);
    }

    [Fact]
    public async Task A_part_that_is_always_listed_is_well_afterwards()
    {
        var persistently = new Persistently("part", health, TimeProvider.System) { IsAlwaysListed = true };

        await DoAsync(persistently, new UnauthorizedAccessException("denied"), null);

        Assert.Equal(KeyValuePair.Create("part", (string?)null), Assert.Single(health.Parts));
    }

    [Fact]
    public async Task A_wrong_setting_is_not_waited_for_at_the_first_attempt()
    {
        var thrown = await Assert.ThrowsAsync<InvalidOperationException>(() =>
            DoAsync(Make(e => new InvalidOperationException("correct the path", e)), new UnauthorizedAccessException("denied"))
        );

        Assert.Equal(("correct the path", 1), (thrown.Message, attempts));
        Assert.Empty(health.Parts);
    }

    [Fact]
    public async Task A_wrong_setting_is_waited_for_once_the_disk_has_refused_for_another_reason()
    {
        await DoAsync(
            Make(e => new InvalidOperationException("correct the path", e)),
            new IOException("full"),
            new UnauthorizedAccessException("denied"),
            null
        );

        Assert.Equal(["full", "denied"], refusals);
    }

    [Fact]
    public async Task A_lock_that_the_action_has_waited_for_is_tried_again_at_once()
    {
        var started = TimeProvider.System.GetTimestamp();

        await DoAsync(Make(), [.. Enumerable.Range(0, 100).Select(_ => new LedgerHeldException("held")), null]);

        Assert.Equal(101, attempts);
        // With a pause before each attempt it would be 100 s.
        Assert.InRange(TimeProvider.System.GetElapsedTime(started), TimeSpan.Zero, Ceiling);
    }

    [Fact]
    public async Task A_stop_ends_the_wait_and_leaves_the_problem_reported()
    {
        using var stop = new CancellationTokenSource();
        var doing = Make().DoAsync(() => throw new IOException("full"), stop.Token);
        Assert.Equal("full. Retrying every second.", Assert.Single(health.Parts).Value);

        await stop.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => doing.WaitAsync(Ceiling));
        Assert.Single(health.Parts);
    }

    [Fact]
    public async Task A_defect_is_thrown_and_not_repeated()
    {
        await Assert.ThrowsAsync<InvalidOperationException>(() => DoAsync(Make(), new InvalidOperationException("defect"), null));

        Assert.Equal(1, attempts);
    }

    Persistently Make(Func<Exception, Exception>? toSettingError = null) =>
        new("part", health, TimeProvider.System) { OnRefused = refusals.Add, ToSettingError = toSettingError };

    /// <summary>Does an action that throws these, one for each attempt; null succeeds.</summary>
    async Task DoAsync(Persistently persistently, params Exception?[] outcomes) =>
        await persistently
            .DoAsync(
                () =>
                {
                    problems.Add(health.Parts.Select(part => part.Value).SingleOrDefault());
                    if (outcomes[attempts++] is { } refusal)
                        throw refusal;
                },
                CancellationToken.None
            )
            .WaitAsync(Ceiling);
}

namespace ThermalStreaming.Hosting.Tests;

public sealed class HealthTests
{
    [Fact]
    public void A_note_is_no_problem_and_goes_with_the_next_word_about_the_part()
    {
        var health = new Health();
        health.Well("clock", "not synchronised");
        Assert.True(health.IsReady);
        Assert.Equal("not synchronised", health.Note("clock"));

        health.Unwell("clock", "waiting");
        Assert.False(health.IsReady);
        Assert.Null(health.Note("clock"));

        health.Well("clock", "not synchronised");
        health.Well("clock");
        Assert.Null(health.Note("clock"));
        health.Well("clock", "not synchronised");
        health.Forget("clock");
        Assert.Null(health.Note("clock"));
    }

    [Fact]
    public async Task Can_be_read_while_parts_come_and_go()
    {
        var health = new Health();
        using var stop = new CancellationTokenSource();
        var changing = Task.Run(() =>
        {
            for (var i = 0; !stop.IsCancellationRequested; i++)
            {
                if (i / 20 % 2 == 0)
                    health.Well($"part {i % 20}");
                else
                    health.Forget($"part {i % 20}");
            }
        });

        try
        {
            Assert.True(SpinWait.SpinUntil(() => health.Parts.Any(), TimeSpan.FromSeconds(30)));
            for (var i = 0; i < 200_000; i++)
                Assert.InRange(health.Parts.Select(part => part.Key).ToList().Count, 0, 20);
        }
        finally
        {
            await stop.CancelAsync();
            await changing;
        }
    }
}

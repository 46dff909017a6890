using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using ThermalStreaming.Hosting;
using ThermalStreaming.Testing;

namespace ThermalStreaming.Forwarding.Tests;

/// <summary>What <c>check</c> says of dead letters that were deleted.</summary>
public sealed class DeadLetterCheckTests
{
    [Fact]
    public async Task A_deleted_letter_of_each_kind_is_a_warning_that_counts_it()
    {
        Assert.Equal(CheckResult.Ok("no dead letter was deleted"), await CheckAsync(unread: 0, refused: 0, unloaded: 0));
        foreach (var (unread, refused, unloaded) in new[] { (0, 0, 5), (3, 0, 0), (0, 4, 0), (3, 4, 5) })
        {
            var result = await CheckAsync(unread, refused, unloaded);

            Assert.Equal(CheckOutcome.Warning, result.Outcome);
            Assert.StartsWith(
                $"{unread} letters that could not be read, {refused} refused by the destination and {unloaded} about objects",
                result.Detail,
                StringComparison.Ordinal
            );
            Assert.Contains("a sixteenth", result.Fix, StringComparison.Ordinal);
        }
    }

    static async Task<CheckResult> CheckAsync(int unread, int refused, int unloaded)
    {
        var port = Ports.Take();
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls($"http://127.0.0.1:{port}");
        await using var app = builder.Build();
        app.Run(context =>
            context.Response.WriteAsync(
                $$"""
                {
                  "dead_letters_deleted_unread": {{unread}},
                  "dead_letters_deleted_refused": {{refused}},
                  "dead_letters_deleted_unloaded": {{unloaded}}
                }
                """
            )
        );
        await app.StartAsync(TestContext.Current.CancellationToken);
        return await DeadLetterCheck.Step(new RunningService(port)).Run(TestContext.Current.CancellationToken);
    }
}

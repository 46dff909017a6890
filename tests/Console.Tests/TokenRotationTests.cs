using System.Net;
using Grpc.Core;
using ThermalStreaming.Control;
using ThermalStreaming.Testing;
using ThermalStreaming.Thermalctl.Tests;

namespace ThermalStreaming.Console.Tests;

/// <summary><c>setup token</c>, while an agent, a console and their users are running.</summary>
[Trait("Category", "Security")]
public sealed class TokenRotationTests : IDisposable
{
    static readonly TimeSpan patience = TimeSpan.FromSeconds(60);

    readonly ControlledAgent agent = new();
    readonly TempDirectory directory = new();

    public TokenRotationTests()
    {
        Directory.CreateDirectory(Path.GetDirectoryName(OperatorsFile)!);
        foreach (var name in new[] { "auth", "authority", "credentials" })
            Directory.CreateDirectory(directory.File(name));
    }

    public void Dispose()
    {
        agent.Dispose();
        directory.Dispose();
    }

    /// <summary>The operator's copy.</summary>
    string OperatorsFile => Path.Combine(agent.Tokens, "cli/token");

    [Fact]
    public async Task A_new_token_holds_at_once_the_old_one_no_more_and_at_no_time_do_both_fail()
    {
        using var console = new ConsoleProcess(directory.File("console"), 1, ("CONSOLE_AGENTS", $"127.0.0.1:{agent.Port}"));
        await agent.ReadyAsync();
        await console.ReadyAsync();
        await console.ShowsAsync("\"batch\":5");
        var old = await RotateAsync();
        using var ended = new CancellationTokenSource();
        var users = new[]
        {
            UseAsync(AskAgentAsync, old, ended.Token),
            UseAsync(token => AskConsoleAsync(console, token), old, ended.Token),
        };

        for (var rotation = 0; rotation < 3; rotation++)
        {
            var used = uses;
            var renewed = await RotateAsync();

            Assert.NotEqual(old, renewed);
            Assert.False(await AskAgentAsync(old), "the agent takes the old token");
            Assert.True(await AskAgentAsync(renewed), "the agent does not take the new token");
            Assert.False(await AskConsoleAsync(console, old), "the console takes the old token");
            Assert.True(await AskConsoleAsync(console, renewed), "the console does not take the new token");
            await OperateAsync(old, expected: 1);
            await OperateAsync(renewed, expected: 0);
            await UntilAsync(() => uses > used + 4, users);
            old = renewed;
        }
        await ended.CancelAsync();
        foreach (var user in users)
            await user;
    }

    int uses;

    /// <summary>Uses its token, and takes the service's when that is refused, which must then hold.</summary>
    async Task UseAsync(Func<string, Task<bool>> isTaken, string token, CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            if (!await isTaken(token))
            {
                token = Read(agent.TokenFile);
                Assert.True(await isTaken(token), "neither the old nor the new token is taken");
            }
            Interlocked.Increment(ref uses);
            await Task.Delay(TimeSpan.FromMilliseconds(5), TimeProvider.System, CancellationToken.None);
        }
    }

    async Task<string> RotateAsync()
    {
        var answer = await OperatorProcess.RunAsync(
            new Dictionary<string, string>
            {
                ["MOSQUITTO_AUTH"] = directory.File("auth"),
                ["MOSQUITTO_AUTHORITY"] = directory.File("authority"),
                ["MQTT_CREDENTIALS"] = directory.File("credentials"),
                ["CONTROL_TOKENS"] = agent.Tokens,
            },
            "setup",
            "token"
        );

        Assert.Equal((0, "made a control token\n", ""), (answer.ExitCode, answer.Output, answer.Error));
        var token = Read(OperatorsFile);
        Assert.Equal(token, Read(agent.TokenFile));
        return token;
    }

    async Task<bool> AskAgentAsync(string token)
    {
        using var client = new ControlClient(
            new Uri($"http://127.0.0.1:{agent.Port}"),
            new ControlOptions { Token = token, Deadline = patience }
        );
        try
        {
            await client.Agent.SetSamplingAsync(new SetSamplingRequest { Kind = "thermal", BatchSize = 5 });
            return true;
        }
        catch (RpcException e) when (e.StatusCode == StatusCode.Unauthenticated)
        {
            return false;
        }
    }

    static async Task<bool> AskConsoleAsync(ConsoleProcess console, string token)
    {
        using var answer = await console.CommandAsync("sampling", """{"service":"sensor-agent","interval":1}""", token);
        Assert.True(
            answer.StatusCode is HttpStatusCode.OK or HttpStatusCode.Unauthorized,
            $"{answer.StatusCode}: {await answer.Content.ReadAsStringAsync()}"
        );
        return answer.StatusCode == HttpStatusCode.OK;
    }

    async Task OperateAsync(string token, int expected)
    {
        await File.WriteAllTextAsync(directory.File("token"), token);

        var answer = await agent.OperateAsync("127.0.0.1", "set", "batch", "5", "--token-file", directory.File("token"));

        Assert.Equal(expected, answer.ExitCode);
        if (expected != 0)
            Assert.Contains("refused the token", answer.Output, StringComparison.Ordinal);
    }

    static async Task UntilAsync(Func<bool> condition, IEnumerable<Task> users)
    {
        using var timeout = new CancellationTokenSource(patience);
        while (!condition())
        {
            // Says at once why one of them has ended.
            foreach (var user in users.Where(user => user.IsCompleted))
                await user;
            await Task.Delay(TimeSpan.FromMilliseconds(10), TimeProvider.System, timeout.Token);
        }
    }

    static string Read(string file) => File.ReadAllText(file).Trim();
}

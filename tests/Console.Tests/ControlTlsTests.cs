using System.Diagnostics;
using System.Text.Json.Nodes;
using ThermalStreaming.Testing;

namespace ThermalStreaming.Console.Tests;

/// <summary>gRPC over TLS: a real agent with certificate files, called by real processes of thermalctl, of another maker, and of the console.</summary>
[Trait("Category", "Security")]
public sealed class ControlTlsTests : IDisposable
{
    static readonly (double From, double Until) valid = (-1, 20);

    readonly TestAuthority authority = new();

    public void Dispose() => authority.Dispose();

    [Fact]
    public async Task Thermalctl_and_a_foreign_client_read_and_change_with_the_authority_of_the_certificate()
    {
        using var agent = Start(authority.Sign("server", valid, "localhost", "127.0.0.1"));
        await agent.ReadyAsync();

        var status = await agent.OperateAsync("localhost", "status", "--ca", authority.CaFile, "--json");
        var byAddress = await agent.OperateAsync("127.0.0.1", "read", "--ca", authority.CaFile);
        var set = await agent.OperateAsync(
            new Dictionary<string, string> { ["THERMAL_CA_FILE"] = authority.CaFile },
            "localhost",
            "set",
            "batch",
            "7",
            "--token-file",
            agent.TokenFile
        );
        var foreign = await ForeignClient.CallAsync(agent.Port, "/thermal.v1.Agent/GetStatus", "{}", $"ca={authority.CaFile}");

        Assert.Equal("sensor-agent", (string)Row(status)["service"]!);
        Assert.Equal($"127.0.0.1:{agent.Port}", (string)Row(status)["address"]!);
        Assert.NotEqual("no_answer", (string)Row(status)["state"]!);
        Assert.Equal(0, byAddress.ExitCode);
        Assert.True(set.ExitCode == 0, set.Output + set.Error);
        Assert.Equal(7, foreign.Messages[0].GetProperty("thermal").GetProperty("batch_size").GetInt32());
    }

    [Fact]
    public async Task A_wrong_authority_is_named_with_its_cure()
    {
        using var other = new TestAuthority("another authority");
        using var agent = Start(authority.Sign("server", valid, "localhost"));
        await agent.ReadyAsync();

        var (problem, fix) = Problem(await agent.OperateAsync("localhost", "status", "--ca", other.CaFile, "--json"));

        Assert.Equal($"is not trusted: its certificate was signed by 'CN=test authority', which is not in {other.CaFile}", problem);
        Assert.Contains("--ca FILE", fix, StringComparison.Ordinal);
        var (ofMachine, _) = Problem(await agent.OperateAsync("localhost", "status", "--tls", "--json"));
        Assert.Contains("which is not among the authorities that this machine trusts", ofMachine, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(-20, -1, "its certificate expired on ")]
    [InlineData(1, 20, "its certificate is valid only from ")]
    public async Task A_certificate_of_another_time_is_named_with_its_cure(double from, double until, string expected)
    {
        using var agent = Start(authority.Sign("server", (from, until), "localhost"));
        await agent.ReadyAsync();

        var (problem, fix) = Problem(await agent.OperateAsync("localhost", "status", "--ca", authority.CaFile, "--json"));

        Assert.StartsWith($"is not trusted: {expected}", problem, StringComparison.Ordinal);
        Assert.Contains("GRPC_TLS_CERTIFICATE_FILE", fix, StringComparison.Ordinal);
        Assert.Contains("timedatectl", fix, StringComparison.Ordinal);
        if (until < 0)
            Assert.Contains("the service reads them without a restart", agent.Process.Log, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_certificate_for_another_name_is_named_and_the_right_name_can_be_said()
    {
        using var agent = Start(authority.Sign("server", valid, "pi.example", "10.1.2.3"));
        await agent.ReadyAsync();

        var (problem, fix) = Problem(await agent.OperateAsync("localhost", "status", "--ca", authority.CaFile, "--json"));
        var named = await agent.OperateAsync("localhost", "status", "--ca", authority.CaFile, "--tls-name", "pi.example", "--json");

        Assert.Equal("is not trusted: its certificate is for 'pi.example', '10.1.2.3', and not for 'localhost'", problem);
        Assert.Contains("--tls-name NAME", fix, StringComparison.Ordinal);
        Assert.NotEqual("no_answer", (string)Row(named)["state"]!);
    }

    [Fact]
    public async Task Without_TLS_towards_TLS_and_with_it_towards_none_the_difference_is_said()
    {
        using var encrypted = Start(authority.Sign("server", valid, "localhost"));
        using var plain = new ControlledAgent();
        await encrypted.ReadyAsync();
        await plain.ReadyAsync();

        var (toTls, addTls) = Problem(await encrypted.OperateAsync("localhost", "status", "--json"));
        var (toPlain, leaveOut) = Problem(await plain.OperateAsync("localhost", "status", "--ca", authority.CaFile, "--json"));

        Assert.Equal("takes the connection but does not answer without TLS", toTls);
        Assert.Contains("--ca FILE", addTls, StringComparison.Ordinal);
        Assert.Equal("does not answer with TLS", toPlain);
        Assert.Contains("GRPC_TLS=true", leaveOut, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Nothing_that_listens_is_not_mistaken_for_a_problem_of_TLS()
    {
        using var agent = Start(authority.Sign("server", valid, "localhost"));
        await agent.ReadyAsync();
        agent.Process.Kill();

        var (problem, _) = Problem(await agent.OperateAsync("localhost", "status", "--ca", authority.CaFile, "--json"));

        Assert.Equal("does not answer: Connection refused", problem);
    }

    [Fact]
    public async Task A_renewed_certificate_is_taken_without_a_restart_and_a_half_renewed_one_waits()
    {
        var files = authority.Sign("server", valid, "old.example");
        using var agent = Start(files);
        await agent.ReadyAsync();
        Assert.NotEqual("no_answer", await StateAsync(agent, "old.example"));

        // The certificate is written before its key.
        var (certificate, key) = authority.Sign("renewed", valid, "new.example");
        File.Copy(certificate, files.Certificate, overwrite: true);
        Assert.NotEqual("no_answer", await StateAsync(agent, "old.example"));
        Assert.Contains("cannot be used together", agent.Process.Log, StringComparison.Ordinal);
        File.Copy(key, files.Key, overwrite: true);

        Assert.NotEqual("no_answer", await StateAsync(agent, "new.example"));
        Assert.Equal("no_answer", await StateAsync(agent, "old.example"));
    }

    [Fact]
    public async Task A_file_that_holds_no_authority_is_refused_before_anybody_is_asked()
    {
        using var directory = new TempDirectory();
        await File.WriteAllTextAsync(directory.File("empty.pem"), "nothing", TestContext.Current.CancellationToken);

        foreach (var (file, expected) in new[] { ("empty.pem", "holds no certificate"), ("missing.pem", "cannot be read") })
        {
            var answer = await Thermalctl.Tests.OperatorProcess.RunAsync("status", "--ca", directory.File(file));

            Assert.Equal(2, answer.ExitCode);
            Assert.Contains(expected, answer.Error, StringComparison.Ordinal);
            Assert.Contains("--ca FILE", answer.Error, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task The_commands_of_the_documentation_make_files_that_work()
    {
        using var directory = new TempDirectory();
        var page = await File.ReadAllTextAsync(
            Path.Combine(AppContext.BaseDirectory, "../../../../docs/operations.md"),
            TestContext.Current.CancellationToken
        );
        var begin = page.IndexOf("mkdir -p secrets/control-tls", StringComparison.Ordinal);
        var commands = page[begin..page.IndexOf("```", begin, StringComparison.Ordinal)];
        using var bash = Process.Start(
            new ProcessStartInfo("bash", ["-e", "-c", commands]) { WorkingDirectory = directory.Path, RedirectStandardError = true }
        )!;
        var said = await bash.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        await bash.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.True(bash.ExitCode == 0, said);
        var files = directory.File("secrets/control-tls");
        using var agent = Start((Path.Combine(files, "server.crt"), Path.Combine(files, "server.key")));
        await agent.ReadyAsync();

        foreach (var name in (string[])["pi.lan", "192.168.1.20", "sensor-agent", "snowpipe-forwarder", "s3-forwarder"])
        {
            var answer = await agent.OperateAsync(
                "localhost",
                "status",
                "--ca",
                Path.Combine(files, "ca.crt"),
                "--tls-name",
                name,
                "--json"
            );
            Assert.NotEqual("no_answer", (string)Row(answer)["state"]!);
        }
    }

    [Fact]
    public async Task The_console_shows_and_changes_through_TLS()
    {
        using var agent = Start(authority.Sign("server", valid, "localhost"));
        using var directory = new TempDirectory();
        using var console = ConsoleOf(agent, directory, ("CONSOLE_CA_FILE", authority.CaFile));
        await console.ReadyAsync();

        await console.ShowsAsync("\"batch\":5");
        using var answer = await console.CommandAsync("sampling", """{"service":"sensor-agent","interval":2.5}""", FakeToken.Value);

        Assert.Contains("A batch every 2.5 s", await answer.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        await console.ShowsAsync("\"interval\":2.5");
    }

    [Fact]
    public async Task The_console_says_what_is_wrong_with_a_certificate()
    {
        using var other = new TestAuthority("another authority");
        using var agent = Start(authority.Sign("server", valid, "localhost"));
        using var directory = new TempDirectory();
        using var console = ConsoleOf(agent, directory, ("CONSOLE_CA_FILE", other.CaFile));
        await console.ReadyAsync();

        await console.ShowsAsync("This replica does not answer: Is not trusted: its certificate was signed by");
        await console.ShowsAsync("CONSOLE_CA_FILE");
    }

    async Task<string> StateAsync(ControlledAgent agent, string name) =>
        (string)Row(await agent.OperateAsync("localhost", "status", "--ca", authority.CaFile, "--tls-name", name, "--json"))["state"]!;

    static ControlledAgent Start((string Certificate, string Key) files) =>
        new(("GRPC_TLS", "true"), ("GRPC_TLS_CERTIFICATE_FILE", files.Certificate), ("GRPC_TLS_KEY_FILE", files.Key));

    static ConsoleProcess ConsoleOf(ControlledAgent agent, TempDirectory directory, params (string, string)[] settings) =>
        new(directory.Path, 1, [("CONSOLE_AGENTS", $"localhost:{agent.Port}"), ("CONSOLE_TLS", "true"), .. settings]);

    static JsonNode Row(ToolResult answer) => JsonNode.Parse(answer.Output)!["replicas"]![0]!;

    static (string Problem, string Fix) Problem(ToolResult answer)
    {
        var finding = JsonNode.Parse(answer.Output)!["findings"]![0]!;
        Assert.Equal(1, answer.ExitCode);
        return ((string)finding["problem"]!, (string)finding["fix"]!);
    }
}

using System.Text.Json.Nodes;

namespace ThermalStreaming.Thermalctl.Tests;

/// <summary>
/// The private key before a start: the one that is there is used, and a pair is made only where there is no other. With real containers:
/// <c>KeyAccidentTests</c> of Pipeline.Tests.
/// </summary>
public sealed class PrivateKeyTests : IAsyncDisposable
{
    const string Key = "/home/pi/thermal/secrets/my.p8";
    const string List = "ls -Ap /keys";
    const string Readable = "test -r /keys";
    const string Owner = "stat -c %u, mode %a /keys/my.p8";
    const string KeyGeneration = "keygen --output /keys/my.p8 --user SOMEBODY";
    const string Chown = "chown 1654:1654 /keys/my.p8";

    readonly FakeEngine engine = new();
    readonly StringWriter output = new() { NewLine = "\n" };
    readonly StringWriter errors = new() { NewLine = "\n" };

    public PrivateKeyTests()
    {
        engine.Runs[Readable] = (0, "", "");
        engine.Runs[Owner] = (0, "1654, mode 600\n", "");
        engine.Runs[KeyGeneration] = (0, "ALTER USER SOMEBODY SET RSA_PUBLIC_KEY='…';\n", "");
        engine.Runs[Chown] = (0, "", "");
    }

    public ValueTask DisposeAsync() => engine.DisposeAsync();

    [Fact]
    public async Task A_key_that_its_service_alone_can_read_is_fine()
    {
        engine.Runs[List] = (0, "my.p8\nmy.pub\n", "");

        Assert.Null(await ProblemAsync());
        Assert.Equal("", output.ToString() + errors);
        Assert.Equal(["ls -Ap /keys", "test -r /keys", "stat -c %u, mode %a /keys/my.p8"], Commands());
        var mount = engine.Made[1]["HostConfig"]!["Mounts"]![0]!;
        Assert.Equal((Key, true, "1654:1654"), ((string)mount["Source"]!, (bool)mount["ReadOnly"]!, (string)engine.Made[1]["User"]!));
        Assert.Equal(0, engine.LeftOver);
    }

    [Fact]
    public async Task A_key_that_everybody_can_read_is_warned_of()
    {
        engine.Runs[List] = (0, "my.p8\n", "");
        engine.Runs[Owner] = (0, "1000, mode 644\n", "");

        Assert.Null(await ProblemAsync());
        Assert.Equal(
            $"    warning: every user of this machine can read {Key} (mode 644): sudo chown 1654 '{Key}' && sudo chmod 600 '{Key}'\n",
            errors.ToString()
        );
    }

    [Fact]
    public async Task A_key_that_the_service_cannot_read_is_named_with_its_owner()
    {
        engine.Runs[List] = (0, "my.p8\n", "");
        engine.Runs[Readable] = (1, "", "");
        engine.Runs[Owner] = (0, "0, mode 600\n", "");

        Assert.Equal(
            $"the service cannot read {Key}. It runs as user id 1654, the file belongs to 0, mode 600. "
                + $"To fix it: sudo chown 1654 '{Key}' && sudo chmod 600 '{Key}'",
            await ProblemAsync()
        );
    }

    [Fact]
    public async Task Without_any_key_a_pair_is_made_for_the_service_and_shown()
    {
        engine.Runs[List] = (0, "README\n", "");

        Assert.Equal(
            $"Snowflake does not know the new key yet. It was made just now, at {Key}. To fix it: run the ALTER USER statement above as an "
                + "administrator of the account, then ./up again",
            await ProblemAsync()
        );
        Assert.Equal([List, KeyGeneration, Chown], Commands());
        Assert.Contains("    ALTER USER SOMEBODY SET RSA_PUBLIC_KEY='…';\n", output.ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("my.p8/\n", "/home/pi/thermal", "is a directory")]
    [InlineData("rsa_key.p8\nREADME\n", "/home/pi/thermal", "Another key is in the same directory: rsa_key.p8. ")]
    [InlineData("", "/home/pi/other", "./up makes keys only inside /home/pi/other. ")]
    [InlineData("", "/home/pi/therma", "./up makes keys only inside /home/pi/therma. ")]
    public async Task Where_a_key_may_not_be_made_none_is(string found, string directory, string says)
    {
        engine.Runs[List] = (0, found, "");

        Assert.Contains(says, await ProblemAsync(directory), StringComparison.Ordinal);
        Assert.Equal([List], Commands());
    }

    [Fact]
    public async Task A_directory_that_cannot_be_read_is_named()
    {
        engine.Runs[List] = (1, "", "ls: /keys: Permission denied\n");

        Assert.Equal(
            "/home/pi/thermal/secrets cannot be read. The private key should be there as my.p8; Docker says: ls: /keys: Permission denied. "
                + "To fix it: correct SNOWFLAKE_PRIVATE_KEY_PATH in .env, or mount that disk",
            await ProblemAsync()
        );
    }

    [Fact]
    public async Task With_the_stand_ins_no_key_is_looked_for()
    {
        Assert.Null(await ProblemAsync(services: ["mosquitto", "snowpipe-forwarder", "snowflake"]));
        Assert.Empty(engine.Made);
    }

    List<string> Commands() => [.. engine.Made.Select(made => string.Join(' ', made["Cmd"]!.AsArray().Select(word => (string)word!)))];

    async Task<string?> ProblemAsync(string directory = "/home/pi/thermal", params string[] services)
    {
        using var docker = new DockerEngine(engine.Socket);
        var project = Project.With(services.Length > 0 ? services : ["mosquitto", "snowpipe-forwarder"]);
        project["secrets"] = new JsonObject { ["rsa_key.p8"] = new JsonObject { ["file"] = Key } };
        project["services"]!["snowpipe-forwarder"]!["environment"]!["SNOWFLAKE_USER"] = "SOMEBODY";
        var key = new PrivateKey(docker, project.Parse(), new Narrator(output, errors, isInteractive: false));
        return (await Record.ExceptionAsync(() => key.CheckAsync(directory, CancellationToken.None)))?.Message;
    }
}

namespace ThermalStreaming.Runner.Tests;

/// <summary>How <c>./thermalctl</c> and <c>./check</c> run the program, with a docker that writes down what it was asked.</summary>
public sealed class ThermalctlScriptTests : IDisposable
{
    const string Docker = """
        #!/bin/sh
        case "$*" in
            *"config --images cli") echo thermal-streaming/thermalctl:of-today ;;
            *"config --format json") echo '{}' ;;
            *"image inspect"* | "version" | *"version --short") [ -z "$NO_IMAGE" ] || [ "$1" != image ] || exit 1 ;;
            "run "* | "compose --progress"* | "compose exec"*)
                echo "tag=$IMAGE_TAG $*" >>asked
                echo "the answer"
                exit "${ENDS_WITH:-0}" ;;
        esac
        """;

    readonly ScriptCopy copy = new("thermalctl", "check", "offline/docker.sh", "offline/project.sh");

    public ThermalctlScriptTests() => copy.WriteScript("bin/docker", Docker);

    public void Dispose() => copy.Dispose();

    [Fact]
    public async Task A_verb_runs_in_the_services_network_and_its_exit_code_is_the_scripts()
    {
        var (code, text) = await copy.RunAsync("ENDS_WITH=3 ./thermalctl status --json </dev/null 2>noise");

        Assert.Equal((3, "the answer\n"), (code, text));
        Assert.Equal("tag=of-today compose --progress quiet run --rm --no-deps -T cli status --json\n", await copy.ReadAsync("asked"));
    }

    [Fact]
    public async Task Check_gets_the_socket_and_the_settings()
    {
        var (code, text) = await copy.RunAsync("ENDS_WITH=1 ./check --probe </dev/null 2>noise");

        Assert.Equal((1, "the answer\n"), (code, text));
        var asked = await copy.ReadAsync("asked");
        Assert.Contains("target=/var/run/docker.sock", asked, StringComparison.Ordinal);
        Assert.Contains("thermal-streaming/thermalctl:of-today check --probe --compose", asked, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Journals_are_exported_by_the_service_itself()
    {
        var (code, text) = await copy.RunAsync("./thermalctl journal export s3-forwarder --from 5 </dev/null 2>noise");

        Assert.Equal((0, "the answer\n"), (code, text));
        Assert.EndsWith("compose exec -T s3-forwarder s3-forwarder journal export --from 5\n", await copy.ReadAsync("asked"));
    }

    [Fact]
    public async Task Before_the_first_start_it_says_what_to_do_and_still_has_help()
    {
        var (code, text) = await copy.RunAsync("NO_IMAGE=yes ./check --json </dev/null 2>noise");
        var (other, plain) = await copy.RunAsync("NO_IMAGE=yes ./thermalctl status </dev/null");
        var (help, usage) = await copy.RunAsync("NO_IMAGE=yes ./check --help </dev/null");

        Assert.Equal((1, 1, 0), (code, other, help));
        Assert.StartsWith("{\"ok\":false,\"machine\":[{\"name\":\"services\"", text, StringComparison.Ordinal);
        Assert.Contains("fix:   ./up\n", plain, StringComparison.Ordinal);
        Assert.Contains("usage: ./thermalctl VERB", usage, StringComparison.Ordinal);
    }
}

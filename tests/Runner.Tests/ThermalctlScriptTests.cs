using System.Text;
using System.Text.Json.Nodes;

namespace ThermalStreaming.Runner.Tests;

/// <summary>How <c>./thermalctl</c> and <c>./check</c> run the program, with a docker that writes down what it was asked.</summary>
public sealed class ThermalctlScriptTests : IDisposable
{
    const string Docker = """
        #!/bin/sh
        case "$*" in
            *"config --images cli") echo thermal-streaming/thermalctl:of-today ;;
            *"-f - config --format json") printf '  "files": "compose.yaml:own/mine.yaml",\n  "separator": ":"\n' ;;
            *"config --format json") echo '{"name": "home"}' ;;
            *"image inspect"* | "version" | *"version --short") [ -z "$NO_IMAGE" ] || [ "$1" != image ] || exit 1 ;;
            "run "* | "compose --progress"* | "compose exec"*)
                cat >given
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
    public async Task Check_gets_the_texts_of_env_and_of_every_compose_file_that_can_read_it()
    {
        copy.WriteScript(".env", "A='b'\n");
        copy.WriteScript("compose.yaml", "services:\n");
        copy.WriteScript("compose.override.yaml", "networks:\n");
        copy.WriteScript("own/mine.yaml", "include: [below.yml]\nservices: { x: { extends: { file: own/base.yaml, service: x } } }\n");
        copy.WriteScript("own/below.yml", "below\n");
        copy.WriteScript("own/base.yaml", "base\n");
        copy.WriteScript("own/other.yaml", "not asked for\n");

        await copy.RunAsync("./check </dev/null 2>noise");

        var given = JsonNode.Parse(await copy.ReadAsync("given"))!;
        Assert.Equal("home", (string?)given["name"]);
        var texts = Encoding.UTF8.GetString(Convert.FromBase64String((string)given["x-thermal-sources"]!)).Split('\x1d');
        Assert.Equal("A='b'\n", texts[0]);
        Assert.Equal(
            ["base\n", "below\n", await copy.ReadAsync("own/mine.yaml"), "networks:\n", "services:\n"],
            texts[1..].Order(StringComparer.Ordinal)
        );
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

using System.Text.RegularExpressions;

namespace ThermalStreaming.Deployment.Tests;

/// <summary>A name that a program, a message or a document gives works in <c>.env</c>, and <c>.env.example</c> has it.</summary>
public sealed partial class ComposeSettingsTests
{
    static readonly string[] programs = ["sensor-agent", "snowpipe-forwarder", "s3-forwarder", "console"];

    /// <summary>Settings that Compose does not take from .env, and why not; docs/operations.md, "Settings that matter", says it too.</summary>
    static readonly Dictionary<string, string> notInEnv = new(StringComparer.Ordinal)
    {
        ["AWS_ACCESS_KEY_ID_FILE"] = "AWS_CREDENTIALS_PATH mounts a file",
        ["AWS_DEFAULT_REGION"] = "AWS_REGION always has a value",
        ["AWS_SECRET_ACCESS_KEY_FILE"] = "AWS_CREDENTIALS_PATH mounts a file",
        ["AWS_SESSION_TOKEN_FILE"] = "AWS_CREDENTIALS_PATH mounts a file",
        ["AWS_WEB_IDENTITY_TOKEN_FILE"] = "needs a mount of its own",
        ["CHECK_PROBE"] = "./check --probe",
        ["MQTT_CA_FILE"] = "the broker is in the same project; compose.agent.yaml has it",
        ["MQTT_CLIENT_CERT_FILE"] = "the broker is in the same project; compose.agent.yaml has it",
        ["MQTT_CLIENT_ID"] = "each service and each slot needs one of its own",
        ["MQTT_CLIENT_KEY_FILE"] = "the broker is in the same project; compose.agent.yaml has it",
        ["MQTT_TLS"] = "the broker is in the same project; compose.agent.yaml has it",
        ["SNOWFLAKE_CONFIG_FILE"] = "needs a mount of its own",
    };

    /// <summary>Passed on so that the service can say what replaced them.</summary>
    static readonly string[] ofEarlierVersions = ["SIMULATE"];

    public static TheoryData<string> Services => [.. programs];

    [Theory]
    [MemberData(nameof(Services))]
    public async Task Every_setting_reaches_the_container_under_its_own_name(string service)
    {
        var environment = ComposeFiles.EnvironmentOf(service);
        foreach (var setting in await SettingsTests.SettingsAsync(service))
        {
            Assert.True(
                environment.Contains(setting) || notInEnv.ContainsKey(setting),
                $"{service} --help offers {setting}, which no Compose file passes on"
            );
        }
        foreach (var variable in environment)
        {
            foreach (var value in variable)
            {
                var names = ComposeFiles.Referred(value).ToList();
                Assert.True(
                    names.Count == 0 || names.Contains(variable.Key),
                    $"{service} reads {variable.Key}, which is {string.Join(" or ", names)} in .env"
                );
            }
        }
    }

    [Fact]
    public async Task Every_exception_is_one()
    {
        var missing = new HashSet<string>(StringComparer.Ordinal);
        foreach (var service in programs)
            missing.UnionWith((await SettingsTests.SettingsAsync(service)).Where(it => !ComposeFiles.EnvironmentOf(service).Contains(it)));

        Assert.Equal(notInEnv.Keys.Order(StringComparer.Ordinal), missing.Order(StringComparer.Ordinal));
    }

    [Fact]
    public void The_example_has_every_name_that_a_Compose_file_reads_and_no_other() =>
        Assert.Equal(
            ComposeFiles.NamesRead.Except(ofEarlierVersions).Append("COMPOSE_FILE").Distinct().Order(StringComparer.Ordinal),
            Line()
                .Matches(File.ReadAllText(Repository.File(".env.example")))
                .Select(match => match.Groups[1].Value)
                .Distinct()
                .Order(StringComparer.Ordinal)
        );

    [GeneratedRegex("^#([A-Z][A-Z0-9_]+)=", RegexOptions.Multiline)]
    private static partial Regex Line();
}

// There is no other system than Linux.
#pragma warning disable CA1416
using System.Security.Cryptography;
using System.Text;
using ThermalStreaming.Testing;

namespace ThermalStreaming.Thermalctl.Tests;

/// <summary>The volumes of <c>setup</c>, empty at first, with its settings, clock and output.</summary>
public abstract class SetupTestBase : IDisposable
{
    private protected readonly TempDirectory directory = new();
    private protected readonly Dictionary<string, string> settings = new() { ["DEVICE_ID"] = "pi" };
    private protected readonly ManualClock clock = new();
    private protected readonly StringWriter output = new() { NewLine = "\n" };
    private protected readonly StringWriter errors = new() { NewLine = "\n" };
    private protected string hostName = "raspberrypi";

    protected SetupTestBase()
    {
        foreach (
            var name in new[]
            {
                "auth",
                "authority",
                "credentials/sensor-agent",
                "credentials/snowpipe-forwarder",
                "credentials/s3-forwarder",
                "credentials/publisher",
                "credentials/cli",
            }
        )
            Directory.CreateDirectory(directory.File(name));
    }

    public void Dispose() => directory.Dispose();

    private protected SetupTools Tools =>
        SetupTools.For(
            new SetupPlaces(
                directory.File("auth"),
                directory.File("authority"),
                directory.File("credentials"),
                directory.File("control"),
                hostName,
                name => settings.GetValueOrDefault(name, "")
            ),
            output,
            errors,
            clock
        );

    protected void Make()
    {
        Tools.Services.Make();
        Tools.Certificates.Make();
    }

    protected string Read(string name) => File.ReadAllText(directory.File(name));

    protected SortedDictionary<string, string> Snapshot(string except = "") =>
        new(
            Directory
                .GetFiles(directory.Path, "*", SearchOption.AllDirectories)
                .Where(file => file != directory.File(except))
                .ToDictionary(
                    file => Path.GetRelativePath(directory.Path, file),
                    file => $"{File.GetUnixFileMode(file)} {File.ReadAllText(file)}"
                )
        );

    protected static bool Verifies(string hash, string password)
    {
        var parts = hash.Split('$');
        var expected = Rfc2898DeriveBytes.Pbkdf2(
            Encoding.UTF8.GetBytes(password),
            Convert.FromBase64String(parts[3]),
            int.Parse(parts[2], System.Globalization.CultureInfo.InvariantCulture),
            HashAlgorithmName.SHA512,
            64
        );
        return parts[1] == "7" && Convert.ToBase64String(expected) == parts[4];
    }

    protected static string Field(string text, string key) =>
        text.Split('\n').Single(line => line.StartsWith($"{key}=", StringComparison.Ordinal))[(key.Length + 1)..];
}

using System.Net;

namespace ThermalStreaming.SnowpipeForwarder.Tests;

/// <summary>docs/troubleshooting.md and the program say the same of each error.</summary>
public class DocsTests
{
    static readonly string[] page = File.ReadAllLines(Find("docs/troubleshooting.md"));

    public static TheoryData<string> Codes => [.. SnowflakeExplanations.ByCode.Keys];

    [Theory]
    [MemberData(nameof(Codes))]
    public void The_page_gives_the_programs_cause_of(string code)
    {
        var rows = page.Where(line => line.StartsWith($"| `{code}` |", StringComparison.Ordinal)).ToList();

        Assert.StartsWith($"| `{code}` | {SnowflakeExplanations.ByCode[code].Cause} |", Assert.Single(rows), StringComparison.Ordinal);
    }

    [Fact]
    public void Every_code_on_the_page_is_one_the_program_knows()
    {
        var codes = page.Where(line =>
                line.StartsWith("| `ERR_", StringComparison.Ordinal)
                || (line.StartsWith("| `", StringComparison.Ordinal) && char.IsAsciiDigit(line[3]))
                || line.StartsWith("| `STALE_", StringComparison.Ordinal)
            )
            .Select(line => line.Split('`')[1]);

        Assert.Equal(SnowflakeExplanations.ByCode.Keys.Order(StringComparer.Ordinal), codes.Order(StringComparer.Ordinal));
    }

    [Theory]
    [InlineData("no answer", null)]
    [InlineData("2xx with another content than was asked for, 3xx, 407, 511, or an HTML page", 202)]
    [InlineData("2xx with another content than was asked for, 3xx, 407, 511, or an HTML page", 302)]
    [InlineData("400", 400)]
    [InlineData("401", 401)]
    [InlineData("403", 403)]
    [InlineData("404", 404)]
    [InlineData("405", 405)]
    [InlineData("406", 406)]
    [InlineData("408, 499", 408)]
    [InlineData("409", 409)]
    [InlineData("410", 410)]
    [InlineData("413", 413)]
    [InlineData("429", 429)]
    [InlineData("5xx", 503)]
    public void The_page_gives_the_programs_cause_of_status(string row, int? status) =>
        Assert.Contains(
            page,
            line => line.StartsWith($"| {row} | {SnowflakeExplanations.Explain((HttpStatusCode?)status).Cause} |", StringComparison.Ordinal)
        );

    static string Find(string path)
    {
        for (var at = AppContext.BaseDirectory; at is not null; at = Path.GetDirectoryName(at))
        {
            if (File.Exists(Path.Combine(at, path)))
                return Path.Combine(at, path);
        }
        throw new FileNotFoundException($"{path} is in no directory above {AppContext.BaseDirectory}");
    }
}

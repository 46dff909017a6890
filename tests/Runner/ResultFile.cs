using System.Globalization;
using System.Xml.Linq;

namespace ThermalStreaming.Runner;

/// <summary>What a test project left behind: a TRX file, the format of `dotnet test --logger trx`.</summary>
sealed class ResultFile
{
    /// <summary>Characters. A message can hold a whole log.</summary>
    const int LongestReason = 400;

    ResultFile(int total, int passed, IReadOnlyList<TestOutcome> others)
    {
        Total = total;
        Passed = passed;
        NotPassed = others;
    }

    public int Total { get; }

    public int Passed { get; }

    /// <summary>Every test that did not pass, also one that was cut off: it has no outcome.</summary>
    public IReadOnlyList<TestOutcome> NotPassed { get; }

    /// <exception cref="System.Xml.XmlException">The file is torn.</exception>
    public static ResultFile Read(string path)
    {
        var root = XDocument.Load(path).Root!;
        var counters = root.Descendants().FirstOrDefault(element => element.Name.LocalName == "Counters");
        var others = root.Descendants()
            .Where(element => element.Name.LocalName == "UnitTestResult")
            .Select(Outcome)
            .Where(test => test.Outcome != "Passed");
        return new ResultFile(Count(counters, "total"), Count(counters, "passed"), [.. others]);
    }

    static TestOutcome Outcome(XElement result) =>
        new(
            (string?)result.Attribute("testName") ?? "a test without a name",
            (string?)result.Attribute("outcome") ?? "no outcome",
            Line(result.Descendants().FirstOrDefault(element => element.Name.LocalName == "Message")?.Value ?? "")
        );

    static string Line(string message)
    {
        var line = string.Join(' ', message.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries));
        return line.Length > LongestReason ? line[..LongestReason] + "…" : line;
    }

    static int Count(XElement? counters, string name) =>
        int.TryParse((string?)counters?.Attribute(name), CultureInfo.InvariantCulture, out var count) ? count : 0;
}

using System.Text.Json;
using ThermalStreaming.Testing;

namespace ThermalStreaming.Mappings.Tests;

/// <summary>Paths of mapping files: what is none is a problem with file, line and key, whatever it is.</summary>
public sealed class JsonPathTests
{
    [Theory]
    [InlineData("['")]
    [InlineData("['a")]
    [InlineData("a['b.c")]
    [InlineData("['a]")]
    [InlineData("[")]
    [InlineData("[]")]
    [InlineData("a[")]
    [InlineData("a[-1]")]
    [InlineData("a..b")]
    [InlineData("a.")]
    [InlineData("")]
    public void A_text_that_is_no_path_is_a_problem_with_its_line(string path)
    {
        var problems = Mapped.Problems(
            $$"""
            mappings:
              - name: garden
                messages:
                  - topic: garden/{device}/air
                    readings:
                      - fields:
                          temperature: "{{path}}"
            """
        );

        Assert.Equal(
            $"test.yaml:7: mappings[0].messages[0].readings[0].fields.temperature: '{path}' is not a path; write keys with dots "
                + "between them, such as BME280.Temperature",
            Assert.Single(problems)
        );
    }

    [Theory]
    [InlineData("$", "{\"a\":{\"b.c\":[1,2]},\"\":3}")]
    [InlineData("a['b.c'][1]", "2")]
    [InlineData("$.a['b.c'].[0]", "1")]
    [InlineData("['']", "3")]
    public void A_path_leads_to_its_value(string path, string value)
    {
        using var document = JsonDocument.Parse("{\"a\":{\"b.c\":[1,2]},\"\":3}");

        Assert.Equal(value, JsonPath.Parse(path)!.Find(document.RootElement)!.Value.GetRawText());
    }

    [Fact]
    public void Fuzz()
    {
        var (random, seed) = Seed.Next();
        TestContext.Current.TestOutputHelper!.WriteLine($"THERMAL_TEST_SEED={seed}");
        using var document = JsonDocument.Parse("""{"a":[{"b":1},[2]],"":{"'":3}}""");
        const string letters = "ab01[]'.$*-\"";
        for (var i = 0; i < 200_000; i++)
        {
            var text = new string([.. Enumerable.Range(0, random.Next(9)).Select(_ => letters[random.Next(letters.Length)])]);
            JsonPath.Parse(text)?.Find(document.RootElement);
            MemberPattern.Parse(text, [])?.Of(document.RootElement).Count();
        }
    }
}

namespace ThermalStreaming.Mappings;

/// <summary>Turns the text of a mapping file into mappings, and collects all its problems.</summary>
static class MappingParser
{
    static readonly string[] mappingKeys = ["name", "description", "gateway", "messages", "ignore"];

    /// <param name="text">YAML or JSON.</param>
    /// <param name="problems">Receives the problems.</param>
    /// <returns>The mappings that could be read; do not use them if there are problems.</returns>
    public static List<Mapping> Parse(string text, MappingProblems problems)
    {
        YamlNode file;
        try
        {
            file = YamlReader.Read(text);
        }
        catch (MappingSyntaxException e)
        {
            problems.Add(e.Line, "", e.Message);
            return [];
        }
        if (file is { Text: null, Items: null, Entries: null })
            return [];
        var node = new KeyedNode(file, "", problems);
        if (file.Entries is null || !node.Allow(["mappings"]) || node.List("mappings") is not { } items)
        {
            if (file.Entries is null || file["mappings"] is null)
                problems.Add(file.Line, "mappings", "is missing: a mapping file begins with 'mappings:' and a list below it");
            return [];
        }
        return [.. items.Select(item => ParseMapping(item, problems)).OfType<Mapping>()];
    }

    static Mapping? ParseMapping(KeyedNode node, MappingProblems problems)
    {
        if (!node.Allow(mappingKeys))
            return null;
        var name = node.Required("name", "the name of the mapping, for example garden");
        if (name is not null && (name.Length > 40 || !name.All(letter => char.IsAsciiLetterOrDigit(letter) || letter is '-' or '_')))
            node.Add("name", $"is '{name}'; 1 to 40 letters, digits, - and _ are allowed, because device ids may begin with it");
        var mapping = new Mapping
        {
            Name = name ?? "",
            File = problems.File,
            Line = node.Line,
            IsGateway = node.Flag("gateway"),
            Description = node.Optional("description") ?? "",
        };
        var rules = new List<TopicRule>();
        foreach (var pattern in node.Texts("ignore"))
        {
            if (TopicPattern.Parse(pattern.Text!) is var (parsed, problem) && parsed is not null)
                rules.Add(new TopicRule(mapping, parsed, pattern.Line, true, null, []));
            else
                problems.Add(pattern.Line, node.Name("ignore"), problem);
        }
        if (node.List("messages") is { } messages)
            rules.InsertRange(0, messages.SelectMany(message => RuleParser.Parse(message, mapping)));
        else if (!node.Has("messages"))
            node.Add("messages", "is missing: a list of topics, each with the readings that its messages make");
        mapping.Rules = rules;
        return mapping;
    }
}

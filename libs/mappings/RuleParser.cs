using ThermalStreaming.Readings;

namespace ThermalStreaming.Mappings;

/// <summary>Turns an item of <c>messages</c> in a mapping file into <see cref="TopicRule"/>s.</summary>
static class RuleParser
{
    static readonly string[] messageKeys = ["topic", "payload", "time", "readings"];
    static readonly string[] timeKeys = ["path", "zone"];
    static readonly string[] readingKeys = ["kind", "each", "except", "fields", "constants", "extra"];
    static readonly string[] fieldKeys = ["path", "unit", "unit_path"];

    /// <returns>A rule for each of its topics; none if it is unusable.</returns>
    public static IEnumerable<TopicRule> Parse(KeyedNode node, Mapping mapping)
    {
        if (!node.Allow(messageKeys))
            return [];
        if (!node.Has("topic"))
            node.Problems.Add(node.Line, node.Name("topic"), "is missing: the topics, for example garden/{device}/air");
        var patterns = node.Texts("topic").Select(text => ParseTopic(node, text, mapping)).OfType<TopicPattern>().ToList();
        var payload = node.Optional("payload") ?? "json";
        if (payload is not ("json" or "value"))
            node.Add("payload", $"is '{payload}'; it must be json, or value for a payload that is a bare value");
        var readings = node.List("readings") ?? [];
        if (readings.Count == 0)
            node.Add("readings", "is missing: a list of the readings that a message makes");
        var rules = readings.Select(reading => ParseReading(reading, payload != "value", patterns)).OfType<ReadingRule>().ToList();
        var time = ParseTime(node);
        return patterns.Select(pattern => new TopicRule(mapping, pattern, node.Line, payload == "json", time, rules));
    }

    static TopicPattern? ParseTopic(KeyedNode node, YamlNode text, Mapping mapping)
    {
        var (pattern, problem) = TopicPattern.Parse(text.Text!);
        if (pattern is null)
            Add(problem);
        else if (!mapping.IsGateway && pattern.DeviceLevel < 0)
            Add($"'{text.Text}' has no {{device}}: where the topic names no device, the mapping needs 'gateway: true'");
        else if (mapping.IsGateway && pattern.DeviceLevel >= 0)
            Add("{device} is the user that publishes; behind a gateway give the capture another name, for example {name}");
        else if (mapping.IsGateway && pattern.Captures.Count == 0)
            Add($"'{text.Text}' captures nothing: a device needs a name, for example {{name}}");
        return pattern;

        void Add(string problem) => node.Problems.Add(text.Line, node.Name("topic"), problem);
    }

    static TimeRule? ParseTime(KeyedNode message)
    {
        if (message.Node["time"] is not { } value)
            return null;
        var node = new KeyedNode(value, message.Name("time"), message.Problems);
        if (value.Text is not null)
            return JsonPath.Parse(value.Text) is { } only ? new TimeRule(only, TimeZoneInfo.Utc) : Wrong(message, "time", value.Text);
        if (!node.Allow(timeKeys) || node.Required("path", "where the payload says the time") is not { } text)
            return null;
        if (JsonPath.Parse(text) is not { } path)
            return Wrong(node, "path", text);
        var zone = node.Optional("zone") ?? "UTC";
        try
        {
            return new TimeRule(
                path,
                zone == "arrival" ? null
                    : zone == "UTC" ? TimeZoneInfo.Utc
                    : TimeZoneInfo.FindSystemTimeZoneById(zone)
            );
        }
        catch (Exception e)
            when (e
                    is TimeZoneNotFoundException
                        or InvalidTimeZoneException
                        or System.Security.SecurityException
                        or UnauthorizedAccessException
            )
        {
            node.Add(
                "zone",
                $"is '{zone}', which this system does not know; it must be UTC, an IANA name such as Europe/Berlin, or arrival, which "
                    + "uses the time of arrival for a time without a zone"
            );
            return null;
        }
    }

    static TimeRule? Wrong(KeyedNode node, string key, string text)
    {
        node.Add(key, NoPath(text));
        return null;
    }

    static ReadingRule? ParseReading(KeyedNode node, bool isJson, IReadOnlyList<TopicPattern> patterns)
    {
        if (!node.Allow(readingKeys))
            return null;
        var kindText = node.Optional("kind") ?? "thermal";
        if (kindText is not ("thermal" or "inverter"))
            node.Add("kind", $"is '{kindText}'; it must be thermal or inverter");
        var kind = kindText == "inverter" ? ReadingKind.Inverter : ReadingKind.Thermal;
        var each = ParseEach(node);
        if (each is not null && !isJson)
            node.Add("each", "is allowed only with a JSON payload");
        var fields = node.Entries("fields").Select(entry => ParseField(node, kind, entry.Key, entry.Value)).OfType<FieldRule>().ToList();
        if (!node.Has("fields") || (fields.Count == 0 && node.Node["fields"]!.Entries is { Count: 0 }))
            node.Add("fields", "is missing: the fields of the reading, each with its path in the payload");
        else if (!fields.Exists(field => field.Field.Unit is not null) && fields.Count == node.Entries("fields").Count)
            node.Add("fields", "has no measurement: a reading needs one");
        if (!isJson && fields.Any(field => !field.Path.IsRoot))
            node.Add("fields", "a payload that is a bare value has no paths; write $ for it");
        return new ReadingRule(kind, each, fields, ParseConstants(node, kind, each, patterns), ParseExtra(node, kind));
    }

    static MemberPattern? ParseEach(KeyedNode node)
    {
        var except = new List<NamePattern>();
        foreach (var text in node.Texts("except"))
        {
            if (NamePattern.Parse(text.Text!) is { Capture: null } name)
                except.Add(name);
            else
                node.Problems.Add(text.Line, node.Name("except"), $"'{text.Text}' is not a key; it may begin or end with *");
        }
        if (node.Optional("each") is not { } each)
        {
            if (node.Has("except"))
                node.Add("except", "is allowed only with each");
            return null;
        }
        var members = MemberPattern.Parse(each, except);
        if (members is null)
            node.Add("each", $"'{each}' is not a path to the members of an object, such as * or params.temperature:*");
        return members;
    }

    static FieldRule? ParseField(KeyedNode reading, ReadingKind kind, string key, YamlNode value)
    {
        var fields = new KeyedNode(reading.Node["fields"]!, reading.Name("fields"), reading.Problems);
        if (TargetField.Find(kind, key) is not { } field)
        {
            var known = string.Join(", ", TargetField.All(kind).Select(known => known.Key));
            fields.Add(key, $"is not a field of a reading of kind {Topics.Name(kind)}; known are {known}. Other values belong under extra");
            return null;
        }
        var node = new KeyedNode(value, fields.Name(key), reading.Problems);
        var text = value.Text;
        if (text is null)
        {
            if (!node.Allow(fieldKeys))
                return null;
            text = node.Required("path", "where the value lies in the payload");
        }
        if (text is null)
            return null;
        if (JsonPath.Parse(text) is not { } path)
        {
            (value.Text is null ? node : fields).Add(value.Text is null ? "path" : key, NoPath(text));
            return null;
        }
        var (unit, unitPath) = value.Text is null ? ParseUnit(node, field) : (field.Unit, null);
        return new FieldRule(field, path, unit, unitPath, value.Line);
    }

    static (Unit? Unit, JsonPath? Path) ParseUnit(KeyedNode node, TargetField field)
    {
        if (field.Unit is null)
        {
            if (node.Has("unit") || node.Has("unit_path"))
                node.Add(node.Has("unit") ? "unit" : "unit_path", $"{field.Key} is a text and has no unit");
            return (null, null);
        }
        var name = node.Optional("unit");
        var unit = name is null ? field.Unit : Unit.Find(name);
        if (unit is null || unit.Quantity != field.Unit.Quantity)
        {
            node.Add(
                "unit",
                $"is '{name}', {(unit is null ? "which is not a known unit" : $"but {field.Key} is kept in {field.Unit.Name}")}; it "
                    + "must be one of "
                    + Unit.Names(field.Unit.Quantity)
            );
            unit = field.Unit;
        }
        var text = node.Optional("unit_path");
        var path = text is null ? null : JsonPath.Parse(text);
        if (text is not null && path is null)
            node.Add("unit_path", NoPath(text));
        return (unit, path);
    }

    static List<(string Key, string Text)> ParseConstants(
        KeyedNode node,
        ReadingKind kind,
        MemberPattern? each,
        IReadOnlyList<TopicPattern> patterns
    )
    {
        var names = patterns
            .Select(pattern => pattern.Names)
            .Aggregate((IEnumerable<string>)[], (all, some) => all.Union(some))
            .ToHashSet();
        names.RemoveWhere(name => patterns.Any(pattern => !pattern.Names.Contains(name)));
        if (each is not null)
            names.Add("key");
        var constants = new List<(string Key, string Text)>();
        foreach (var (key, value) in node.Entries("constants"))
        {
            var place = node.Name("constants") + "." + key;
            if (TargetField.Find(kind, key) is not { Unit: null } field && !TargetField.IsFree(kind, key))
                node.Problems.Add(value.Line, place, "cannot be set: it is a measurement, or the forwarder writes it itself");
            else if (value.Text is not { } text)
                node.Problems.Add(value.Line, place, $"is {value.Description}; it must be a text");
            else if (Template.UnknownName(text, names) is { } unknown)
                node.Problems.Add(
                    value.Line,
                    place,
                    $"'{text}' names {{{unknown}}}, which the topic does not capture{(unknown == "key" ? " and each does not give" : "")}"
                );
            else
                constants.Add((TargetField.Find(kind, key)?.Key ?? key, text));
        }
        return constants;
    }

    static List<(string Key, JsonPath Path)> ParseExtra(KeyedNode node, ReadingKind kind)
    {
        var extra = new List<(string Key, JsonPath Path)>();
        foreach (var (key, value) in node.Entries("extra"))
        {
            var place = node.Name("extra") + "." + key;
            if (!TargetField.IsFree(kind, key))
                node.Problems.Add(
                    value.Line,
                    place,
                    "is a key that the rows have already, or not a key of letters, digits, _ and -; choose another one"
                );
            else if (value.Text is { } text && JsonPath.Parse(text) is { } path)
                extra.Add((key, path));
            else
                node.Problems.Add(value.Line, place, NoPath(value.Text ?? value.Description));
        }
        return extra;
    }

    static string NoPath(string text) => $"'{text}' is not a path; write keys with dots between them, such as BME280.Temperature";
}

using ThermalStreaming.Readings;

namespace ThermalStreaming.Mappings;

/// <summary>The mappings in use, checked against each other. Immutable.</summary>
public sealed class MappingSet
{
    /// <summary>Topics with a fixed meaning.</summary>
    static readonly TopicFilter[] own =
    [
        new("telemetry/v1/+/+"),
        .. Enum.GetValues<ReadingKind>().Select(kind => new TopicFilter(Topics.Forwarders(kind))),
    ];

    readonly Dictionary<ReadingKind, IReadOnlyList<TopicFilter>> subscriptions;

    MappingSet(IReadOnlyList<Mapping> mappings)
    {
        Mappings = mappings;
        Owners =
        [
            .. mappings
                .SelectMany(mapping => mapping.Rules)
                .GroupBy(rule => rule.Pattern.Filter)
                .OrderBy(group => group.Key, Comparer<TopicFilter>.Create(TopicFilter.Compare))
                .Select(group => new FilterOwner(group.Key, [.. group.Select(rule => rule.Mapping.Name).Distinct()])
                {
                    Rules = [.. group],
                    IsGateway = group.FirstOrDefault(rule => rule.Readings.Count > 0)?.Mapping.IsGateway == true,
                }),
        ];
        subscriptions = Enum.GetValues<ReadingKind>().ToDictionary(kind => kind, Subscribe);
        TakenTwice =
        [
            .. subscriptions
                .Values.SelectMany(filters =>
                    filters.SelectMany((filter, i) => filters.Skip(i + 1).Select(filter.Intersect)).OfType<TopicFilter>()
                )
                .Distinct()
                .OrderBy(filter => filter.Text, StringComparer.Ordinal),
        ];
    }

    /// <summary>No mapping.</summary>
    public static MappingSet None { get; } = new([]);

    /// <summary>The mappings in the order in which they were named.</summary>
    public IReadOnlyList<Mapping> Mappings { get; }

    /// <summary>Every filter with its mappings; a topic belongs to the first that takes it.</summary>
    public IReadOnlyList<FilterOwner> Owners { get; }

    /// <summary>
    /// Topics that match two subscriptions. A message there would arrive twice, so the broker must let nobody publish there.
    /// </summary>
    public IReadOnlyList<TopicFilter> TakenTwice { get; }

    /// <summary>The filters that a forwarder of a kind subscribes to. None of them covers another one.</summary>
    public IReadOnlyList<TopicFilter> Subscriptions(ReadingKind kind) => subscriptions[kind];

    /// <summary>Checks mappings against each other.</summary>
    /// <param name="mappings">Each is correct in itself.</param>
    /// <param name="problems">Receives a line for each problem.</param>
    /// <returns>No mapping at all if there are problems.</returns>
    internal static MappingSet Create(IReadOnlyList<Mapping> mappings, ICollection<string> problems)
    {
        var before = problems.Count;
        foreach (var twice in mappings.GroupBy(mapping => mapping.Name).Where(group => group.Count() > 1))
        {
            var last = twice.Last();
            problems.Add(
                $"{last.File}:{last.Line}: name: '{twice.Key}' is the name of the mapping at {twice.First().File}:{twice.First().Line} too; "
                    + "choose another one"
            );
        }
        var rules = mappings.SelectMany(mapping => mapping.Rules).ToList();
        foreach (var rule in rules)
        {
            if (own.FirstOrDefault(topics => topics.Intersect(rule.Pattern.Filter) is not null) is { } taken)
                problems.Add($"{rule.Place}: topic: '{rule.Pattern.Text}' takes topics of {taken}, which are in use already");
        }
        for (var i = 0; i < rules.Count; i++)
        {
            for (var j = 0; j < i; j++)
            {
                if (Conflict(rules[j], rules[i]) is { } conflict)
                    problems.Add($"{rules[i].Place}: topic: {conflict}");
            }
        }
        return problems.Count == before ? new MappingSet(mappings) : None;
    }

    /// <summary>Where the messages of a topic go, for a forwarder of a kind.</summary>
    public TopicRoute Route(string topic, ReadingKind kind)
    {
        var levels = topic.Split('/');
        if (Owners.FirstOrDefault(owner => owner.Filter.Takes(levels)) is { } owner)
        {
            var isKnown = false;
            foreach (var rule in owner.Rules)
            {
                if (!rule.Pattern.Matches(levels, out var captured))
                    continue;
                if (rule.Readings.Count == 0)
                    return new TopicRoute(TopicOutcome.LeftOut, rule, reason: $"{rule.Place} leaves it out");
                isKnown = true;
                if (!rule.Readings.Any(reading => reading.Kind == kind))
                    continue;
                var deviceId = rule.DeviceId(captured);
                return Topics.IsDeviceId(deviceId)
                    ? new TopicRoute(TopicOutcome.Mapped, rule, levels, captured, deviceId)
                    : new TopicRoute(TopicOutcome.Refused, rule, levels, captured, deviceId, Refusal(rule, deviceId));
            }
            if (isKnown)
                return new TopicRoute(
                    TopicOutcome.LeftOut,
                    reason: $"no mapping makes a reading of kind {Topics.Name(kind)} of this message"
                );
        }
        return new TopicRoute(Subscriptions(kind).Any(filter => filter.Takes(levels)) ? TopicOutcome.Unmapped : TopicOutcome.Foreign);
    }

    IReadOnlyList<TopicFilter> Subscribe(ReadingKind kind)
    {
        var filters = Owners
            .Where(owner => owner.Rules.Any(rule => rule.Readings.Any(reading => reading.Kind == kind)))
            .Select(owner => owner.Filter)
            .ToList();
        return [.. filters.Where(filter => !filters.Exists(other => !other.Equals(filter) && other.Covers(filter)))];
    }

    static string Refusal(TopicRule rule, string deviceId) =>
        $"{rule.Place}: the device id would be {JsonQuote.Of(deviceId)}, which is not a valid device id: 1 to "
        + $"{Topics.MaxDeviceIdLength} characters, at most {Topics.MaxDeviceIdBytes} bytes, no control character, and no $ in front";

    /// <summary>Why two rules cannot be in use together; null if they can.</summary>
    static string? Conflict(TopicRule first, TopicRule second)
    {
        if (!first.Pattern.Filter.Equals(second.Pattern.Filter) || first.Readings.Count == 0 || second.Readings.Count == 0)
            return null;
        var place = $"{first.Place} ('{first.Pattern.Text}')";
        if (first.Mapping.IsGateway != second.Mapping.IsGateway)
            return $"'{second.Pattern.Text}' and {place} subscribe to the same topics, one as a gateway and one for devices themselves";
        if (first.Mapping.IsGateway && first.Mapping.Name != second.Mapping.Name)
            return $"'{second.Pattern.Text}' and {place} subscribe to the same topics and belong to two gateways";
        if (first.Pattern.DeviceLevel != second.Pattern.DeviceLevel)
            return $"'{second.Pattern.Text}' and {place} subscribe to the same topics and name the device at another level";
        return
            first.Pattern.Text == second.Pattern.Text
            && first.Readings.Select(reading => reading.Kind).Intersect(second.Readings.Select(reading => reading.Kind)).Any()
            ? $"'{second.Pattern.Text}' is taken by {place} already, which comes first"
            : null;
    }
}

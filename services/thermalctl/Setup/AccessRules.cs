using ThermalStreaming.Mappings;
using ThermalStreaming.Readings;

namespace ThermalStreaming.Thermalctl;

/// <summary>What each user of the broker may do. Everything else is refused, with a reason code.</summary>
static class AccessRules
{
    const string Send = "publishClientSend";
    const string Receive = "publishClientReceive";
    const string Subscribe = "subscribeLiteral";
    const string SubscribeBelow = "subscribePattern";

    static readonly string[] kinds = ["thermal", "inverter"];

    /// <summary>Rules of a user of the broker's own container.</summary>
    public static AccessRule[] OfBroker(string name) =>
        name == "health" ? [.. Both(Subscribe, "$SYS/broker/version")] : [new AccessRule(Send, "$CONTROL/dynamic-security/#")];

    /// <summary>Rules of a service or a device.</summary>
    public static AccessRule[] Of(BrokerUser user, AccessSettings settings) =>
        user.Kind switch
        {
            "device" =>
            [
                .. user.Devices.SelectMany(device =>
                    kinds.Append("status").Select(topic => new AccessRule(Send, $"telemetry/v1/{device}/{topic}"))
                ),
                // Whether forwarders are taking readings now.
                .. kinds.SelectMany(topic => Both(Subscribe, $"forwarders/v1/{topic}")),
                .. Mapped(user, settings.Mappings),
                .. settings.HomeAssistant ? HomeAssistant(user) : [],
            ],
            "snowpipe-forwarder" => Forwarder(user.Kind, "thermal", settings.Mappings.Subscriptions(ReadingKind.Thermal)),
            "s3-forwarder" => Forwarder(user.Kind, "inverter", settings.Mappings.Subscriptions(ReadingKind.Inverter)),
            // Sees readings, but nothing about sessions, forwarders or the broker; publishes nothing.
            "console" => [.. kinds.SelectMany(topic => Both(Subscribe, $"telemetry/v1/+/{topic}"))],
            BrokerUser.Reader => Both(SubscribeBelow, "telemetry/v1/#"),
            _ => [],
        };

    /// <summary>Whether a rule lets a device publish by a mapping.</summary>
    public static bool IsMapped(AccessRule rule) =>
        rule is { Type: Send, Allow: true, Topic: not HomeAssistantTopics.Birth }
        && !rule.Topic.StartsWith("telemetry/v1/", StringComparison.Ordinal)
        && !rule.Topic.StartsWith(HomeAssistantTopics.Devices, StringComparison.Ordinal);

    static AccessRule[] Forwarder(string name, string topic, IReadOnlyList<TopicFilter> mapped) =>
        [
            .. mapped.Select(filter => filter.Text).Prepend($"telemetry/v1/+/{topic}").SelectMany(filter => Shared(name, filter)),
            new(Send, $"forwarders/v1/{topic}"),
            .. Both(SubscribeBelow, "$SYS/broker/#"),
        ];

    static AccessRule[] Shared(string name, string filter) => [new(Subscribe, $"$share/{name}/{filter}"), .. Both(Subscribe, filter)];

    /// <summary>
    /// Where the mappings let a device publish. A topic belongs to the first filter that takes it, so that filter's rule decides: it has a
    /// higher priority than those of later filters. It refuses topics on which the user must not publish by it, even if a later rule would
    /// allow them. Otherwise a device named like a part of another mapping's topics could publish the readings of others.
    /// </summary>
    static List<AccessRule> Mapped(BrokerUser user, MappingSet mappings)
    {
        var own = mappings
            .Owners.Select(owner =>
                user.Devices.Select(device => owner.For(device, user.Gateways)).OfType<TopicFilter>().Distinct().ToList()
            )
            .ToList();
        var priority = 2 * own.Count + 1;
        var rules = new List<AccessRule>();
        foreach (var twice in mappings.TakenTwice)
            Refuse(twice, from: 0);
        for (var i = 0; i < own.Count; i++)
        {
            priority = 2 * (own.Count - i);
            foreach (var filter in own[i])
                Add(new AccessRule(Send, filter.Text, priority));
            priority--;
            Refuse(mappings.Owners[i].Filter, from: i + 1);
        }
        return rules;

        // Only if a later rule would allow it: most devices need no such rule.
        void Refuse(TopicFilter filter, int from)
        {
            if (own.Skip(from).Any(filters => filters.Exists(later => later.Intersect(filter) is not null)))
                Add(new AccessRule(Send, filter.Text, priority, Allow: false));
        }

        // The plugin keeps one rule per topic: the first one counts.
        void Add(AccessRule rule)
        {
            if (!rules.Exists(other => other.Topic == rule.Topic))
                rules.Add(rule);
        }
    }

    /// <summary>An agent describes itself and shows its values; Home Assistant sees all agents and announces its start.</summary>
    static IEnumerable<AccessRule> HomeAssistant(BrokerUser user) =>
        user.Gateways.Contains(AccessSettings.HomeAssistantUser)
            ?
            [
                .. new[] { "homeassistant/#", HomeAssistantTopics.State("+"), Topics.Status("+") }.SelectMany(topic =>
                    Both(SubscribeBelow, topic)
                ),
                new(Send, HomeAssistantTopics.Birth),
            ]
            :
            [
                .. user
                    .Devices.Where(device => device != "+")
                    .SelectMany(device =>
                        new AccessRule[] { new(Send, HomeAssistantTopics.Discovery(device)), new(Send, HomeAssistantTopics.State(device)) }
                    ),
                .. Both(Subscribe, HomeAssistantTopics.Birth),
            ];

    static AccessRule[] Both(string subscription, string topic) => [new(subscription, topic), new(Receive, topic)];
}

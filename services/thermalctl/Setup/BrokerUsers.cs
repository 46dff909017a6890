using System.Text.Json;
using ThermalStreaming.Mappings;
using ThermalStreaming.Readings;

namespace ThermalStreaming.Thermalctl;

/// <summary>
/// The broker's users: a file for each, and the rules that the broker reads, which are made of them.
/// </summary>
sealed class BrokerUsers(SetupPlaces places)
{
    const string RulesFile = "rules.json";
    const string PreviousRulesFile = "rules.previous.json";
    const string SubscriptionsFile = "subscriptions";

    public IReadOnlyList<BrokerUser> All =>
        Directory.Exists(places.Users)
            ?
            [
                .. Directory
                    .GetFiles(places.Users)
                    .Order(StringComparer.Ordinal)
                    .Select(file => Find(Path.GetFileName(file)))
                    .OfType<BrokerUser>(),
            ]
            : [];

    public bool Knows(string name) => name.Length > 0 && File.Exists(PathOf(name));

    /// <returns>Null if there is no such user, or its file has no hash that the broker could read.</returns>
    /// <exception cref="IOException">The user's file cannot be read. Without it the rules would lose the user.</exception>
    public BrokerUser? Find(string name) =>
        Directory.Exists(PathOf(name)) ? null : BrokerUser.Parse(name, SafeFile.ReadOrEmpty(PathOf(name)));

    public void Keep(BrokerUser user)
    {
        Directory.CreateDirectory(places.Users);
        // Not among the users: what a crash leaves there would be one.
        SafeFile.WriteIfChanged(PathOf(user.Name), user.Text, beside: Path.Combine(places.Auth, "users.new"));
    }

    public void Remove(string name) => File.Delete(PathOf(name));

    /// <summary>
    /// Makes the rules anew, and the list of the forwarders' subscriptions, which a broker that starts gives their sessions back. Until then
    /// the broker has those of before.
    /// </summary>
    public void WriteRules(AccessSettings access) => Write(BrokerRules.Of(All, access), access.Mappings);

    /// <summary>Prepares a change of one user: all that is read for it is read here, before anything is changed.</summary>
    /// <returns>Writes the user and the rules.</returns>
    public Action Prepare(BrokerUser user, AccessSettings access)
    {
        var users = All.Where(other => other.Name != user.Name).Append(user).OrderBy(other => other.Name, StringComparer.Ordinal);
        var rules = BrokerRules.Of([.. users], access);
        return () =>
        {
            Keep(user);
            Write(rules, access.Mappings);
        };
    }

    /// <summary>
    /// Takes a user out of the rules as they are. Neither a mapping file nor another user's file that cannot be read stands in the way.
    /// </summary>
    /// <exception cref="IOException">The disk does not give or take the rules.</exception>
    public void Revoke(string name)
    {
        if (ReadRules() is { } rules)
        {
            WriteRules(
                rules with
                {
                    Logins = [.. rules.Logins.Where(login => !login.Roles.Any(role => role.Name == name))],
                    Roles = [.. rules.Roles.Where(role => role.Name != name)],
                }
            );
        }
        // Last: until then it is enrolled, and this can be done again.
        Remove(name);
    }

    /// <summary>Null if there are none that could be read: `setup` makes them of the users.</summary>
    BrokerRules? ReadRules()
    {
        try
        {
            var text = SafeFile.ReadOrEmpty(RulesPath);
            return text.Length == 0 ? null : JsonSerializer.Deserialize(text, BrokerJson.Readable.BrokerRules);
        }
        catch (JsonException)
        {
            return null;
        }
    }

    void Write(BrokerRules rules, MappingSet mappings)
    {
        var subscriptions = string.Concat(
            Subscriptions("snowpipe-forwarder", ReadingKind.Thermal, mappings)
                .Concat(Subscriptions("s3-forwarder", ReadingKind.Inverter, mappings))
                .Select(line => $"{line}\n")
        );
        SafeFile.WriteIfChanged(Path.Combine(places.Auth, SubscriptionsFile), subscriptions);
        WriteRules(rules);
    }

    void WriteRules(BrokerRules rules)
    {
        var text = $"{JsonSerializer.Serialize(rules, BrokerJson.Readable.BrokerRules)}\n";
        var before = SafeFile.ReadOrEmpty(RulesPath);
        if (text == before)
            return;
        // `broker apply` knows by it whether the running broker had everything but the change that it gives it.
        if (before.Length > 0)
            SafeFile.WriteIfChanged(Path.Combine(places.Auth, PreviousRulesFile), before);
        SafeFile.Write(RulesPath, text);
    }

    static IEnumerable<string> Subscriptions(string service, ReadingKind kind, MappingSet mappings) =>
        mappings
            .Subscriptions(kind)
            .Select(filter => filter.Text)
            .Prepend(Topics.Filter(kind))
            .Select(filter => $"{service} $share/{service}/{filter}");

    string RulesPath => Path.Combine(places.Auth, RulesFile);

    string PathOf(string name) => Path.Combine(places.Users, name);
}

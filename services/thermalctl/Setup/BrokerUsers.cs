using System.Text.Json;
using ThermalStreaming.Mappings;
using ThermalStreaming.Readings;

namespace ThermalStreaming.Thermalctl;

/// <summary>The broker's users: a file for each, and the rules derived from them, which the broker reads.</summary>
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

    /// <returns>Null if there is no such user, or its file has no hash that the broker can read.</returns>
    /// <exception cref="IOException">The user's file cannot be read. Without it the user would be missing from the rules.</exception>
    public BrokerUser? Find(string name) =>
        Directory.Exists(PathOf(name)) ? null : BrokerUser.Parse(name, SafeFile.ReadOrEmpty(PathOf(name)));

    public void Keep(BrokerUser user)
    {
        Directory.CreateDirectory(places.Users);
        // Not in the users' directory: a file that a crash leaves there would count as a user.
        SafeFile.WriteIfChanged(PathOf(user.Name), user.Text, beside: Path.Combine(places.Auth, "users.new"));
    }

    public void Remove(string name) => File.Delete(PathOf(name));

    /// <summary>
    /// Writes the rules again, and the list of the forwarders' subscriptions, from which a starting broker restores their sessions. Until
    /// then the broker uses the old ones.
    /// </summary>
    public void WriteRules(AccessSettings access) => Write(BrokerRules.Of(All, access), access.Mappings);

    /// <summary>Prepares a change of one user. Everything is read here, before anything is changed.</summary>
    /// <returns>An action that writes the user and the rules.</returns>
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

    /// <summary>Removes a user from the existing rules. An unreadable mapping file or other user's file does not prevent this.</summary>
    /// <exception cref="IOException">The disk refuses to read or write the rules.</exception>
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
        // Last: until then the user is enrolled, and this can be repeated.
        Remove(name);
    }

    /// <summary>Null if there are no readable rules: `setup` makes them from the users.</summary>
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
        // From it `broker apply` knows whether the running broker had everything except the change that it applies.
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

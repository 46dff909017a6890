using System.Text.Json;
using System.Text.Json.Serialization;

namespace ThermalStreaming.Thermalctl;

/// <summary>What <c>broker apply</c> reads: commands that bring a running broker to what the files of its users say.</summary>
sealed record BrokerCommands([property: JsonPropertyName("commands")] IReadOnlyList<BrokerCommand> Commands)
{
    /// <summary>Takes a device's user away; its connection ends.</summary>
    public static BrokerCommands Forget(string device) => new(Forgetting(device));

    /// <summary>Makes a device's user, in the place of one with the same name.</summary>
    public static BrokerCommands Enroll(BrokerUser user, string password, AccessSettings settings) =>
        new([
            .. Forgetting(user.Name),
            new BrokerCommand("createRole", Role: user.Name, Rules: AccessRules.Of(user, settings)),
            .. user.Logins.Select(login => new BrokerCommand("createClient", login, password, Roles: [new RoleName(user.Name)])),
        ]);

    /// <summary>Gives every login of a user a new password; connections that were made with the old one end.</summary>
    public static BrokerCommands Rotate(BrokerUser user, string password) =>
        new([.. user.Logins.Select(login => new BrokerCommand("setClientPassword", login, password))]);

    /// <summary>The topics of mappings that the users of commands may publish to.</summary>
    /// <param name="line">The commands, as <see cref="ToString"/> makes them.</param>
    public static List<string> MappedTopics(string line) =>
        [
            .. (JsonSerializer.Deserialize(line, BrokerJson.Readable.BrokerCommands)?.Commands ?? [])
                .SelectMany(command => command.Rules ?? [])
                .Where(AccessRules.IsMapped)
                .Select(rule => rule.Topic),
        ];

    /// <summary>One line.</summary>
    public override string ToString() => JsonSerializer.Serialize(this, BrokerJson.Readable.BrokerCommands);

    static BrokerCommand[] Forgetting(string device) =>
        [new("deleteClient", device), new("deleteClient", $"{device}/check"), new("deleteRole", Role: device)];
}

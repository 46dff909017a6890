using System.Text.Json;
using System.Text.Json.Serialization;

namespace ThermalStreaming.Thermalctl;

/// <summary>The input of <c>broker apply</c>: commands that bring a running broker in line with its users' files.</summary>
sealed record BrokerCommands([property: JsonPropertyName("commands")] IReadOnlyList<BrokerCommand> Commands)
{
    /// <summary>Removes a device's user; its connection ends.</summary>
    public static BrokerCommands Forget(string device) => new(Forgetting(device));

    /// <summary>Creates a device's user, replacing one with the same name.</summary>
    public static BrokerCommands Enroll(BrokerUser user, string password, AccessSettings settings) =>
        new([
            .. Forgetting(user.Name),
            new BrokerCommand("createRole", Role: user.Name, Rules: AccessRules.Of(user, settings)),
            .. user.Logins.Select(login => new BrokerCommand("createClient", login, password, Roles: [new RoleName(user.Name)])),
        ]);

    /// <summary>Gives every login of a user a new password; connections made with the old one end.</summary>
    public static BrokerCommands Rotate(BrokerUser user, string password) =>
        new([.. user.Logins.Select(login => new BrokerCommand("setClientPassword", login, password))]);

    /// <summary>The topics of mappings on which the users in the commands may publish.</summary>
    /// <param name="line">The commands in the form of <see cref="ToString"/>.</param>
    public static List<string> MappedTopics(string line) =>
        [
            .. (JsonSerializer.Deserialize(line, BrokerJson.Readable.BrokerCommands)?.Commands ?? [])
                .SelectMany(command => command.Rules ?? [])
                .Where(AccessRules.IsMapped)
                .Select(rule => rule.Topic),
        ];

    /// <summary>The commands as one line.</summary>
    public override string ToString() => JsonSerializer.Serialize(this, BrokerJson.Readable.BrokerCommands);

    static BrokerCommand[] Forgetting(string device) =>
        [new("deleteClient", device), new("deleteClient", $"{device}/check"), new("deleteRole", Role: device)];
}

using System.Text.Json.Serialization;

namespace ThermalStreaming.Thermalctl;

/// <summary>The configuration of Mosquitto's dynamic-security plugin: all users, and one role each.</summary>
sealed record BrokerRules(
    [property: JsonPropertyName("defaultACLAccess")] DefaultAccess Default,
    [property: JsonPropertyName("clients")] IReadOnlyList<BrokerLogin> Logins,
    [property: JsonPropertyName("roles")] IReadOnlyList<BrokerRole> Roles
)
{
    /// <summary>
    /// Users of the broker's own container. At each start <c>broker</c> makes passwords for them and writes them in place of these marks.
    /// </summary>
    static readonly string[] broker = ["administrator", "health"];

    public static BrokerRules Of(IReadOnlyList<BrokerUser> users, AccessSettings settings) =>
        new(
            new DefaultAccess(),
            [
                .. broker.Select(name => new BrokerLogin(name, $"@{name}-hash@", $"@{name}-salt@", 0, [new RoleName(name)])),
                .. users.SelectMany(user =>
                    user.Logins.Select(login => new BrokerLogin(
                        login,
                        user.Hash.Hash,
                        user.Hash.Salt,
                        user.Hash.Iterations,
                        [new RoleName(user.Name)]
                    ))
                ),
            ],
            [
                .. broker.Select(name => new BrokerRole(name, AccessRules.OfBroker(name))),
                .. users.Select(user => new BrokerRole(user.Name, AccessRules.Of(user, settings))),
            ]
        );
}

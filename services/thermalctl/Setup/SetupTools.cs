namespace ThermalStreaming.Thermalctl;

/// <summary>The parts of <c>setup</c>, assembled.</summary>
sealed record SetupTools(
    SetupPlaces Places,
    InstallationIdentity Identity,
    ServiceUsers Services,
    DeviceUsers Devices,
    Certificates Certificates,
    ControlTokens Tokens
)
{
    public static SetupTools OfContainer() => For(SetupPlaces.OfContainer(), Console.Out, Console.Error, TimeProvider.System);

    public static SetupTools For(SetupPlaces places, TextWriter output, TextWriter errors, TimeProvider clock)
    {
        var users = new BrokerUsers(places);
        var inUse = new AccessInUse(places);
        var identity = new InstallationIdentity(places, errors);
        var services = new ServiceUsers(places, users, inUse, identity, output);
        var devices = new DeviceUsers(users, services, inUse, output, errors);
        return new SetupTools(
            places,
            identity,
            services,
            devices,
            new Certificates(places, output, clock),
            new ControlTokens(places, output)
        );
    }
}

namespace ThermalStreaming.Thermalctl;

/// <summary>The Compose profile <c>lan</c> of earlier versions, which published the broker's TLS port.</summary>
static class LanProfile
{
    public static void Warn(ComposeProject project, Narrator narrator)
    {
        var profiles = project.Value("services", "setup", "environment", "COMPOSE_PROFILES") ?? "";
        if (!profiles.Split(',').Contains("lan") || project.Value("services", "mosquitto", "ports", "0", "host_ip") != "127.0.0.1")
            return;
        narrator.Warn(
            "the profile lan no longer exists: the broker publishes its TLS port itself. "
                + "Write MQTT_LAN_ADDRESS=0.0.0.0 into .env instead of COMPOSE_PROFILES=lan; until then other machines cannot connect"
        );
    }
}

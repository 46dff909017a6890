namespace ThermalStreaming.Thermalctl;

/// <summary>Instructions to paste on an enrolled device.</summary>
static class DeviceInstructions
{
    const int TlsPort = 8883;

    /// <summary>
    /// Shows them; <paramref name="authority"/> is the certificate of the broker's authority, empty while the broker is not running.
    /// </summary>
    public static void Show(ComposeProject project, Narrator narrator, string name, string password, string hostName, string authority)
    {
        var host = $"{hostName}.local";
        var port = project.HostPort("mosquitto", TlsPort) ?? "8883";
        var certificate = authority.Length > 0 ? authority : "(ca.crt, once the broker runs)";
        var text = $$"""

            Keep this password: it is shown once.
              user      {{name}}
              password  {{password}}

            mosquitto_pub (ca.crt: docker compose exec -T mosquitto cat /mosquitto/auth/ca.crt > ca.crt)
              mosquitto_pub -h {{host}} -p {{port}} --cafile ca.crt -u {{name}} -P '{{password}}' -q 1 \
                -t telemetry/v1/{{name}}/thermal -m '{"temperature": 21.5, "humidity": 40}'

            sensor-agent of another Pi (.env in its own copy of this project; docs/scaling.md)
              COMPOSE_FILE=compose.agent.yaml
              DEVICE_ID={{name}}
              MQTT_HOST={{host}}
              MQTT_PORT={{port}}
              and the files secrets/mqtt/password and secrets/mqtt/ca.crt, readable by user id 1654

            ESPHome
              mqtt:
                broker: {{host}}
                port: {{port}}
                username: {{name}}
                password: "{{password}}"
                discovery: false
                topic_prefix: telemetry/v1/{{name}}
                birth_message: {topic: telemetry/v1/{{name}}/status, payload: online, retain: false}
                will_message: {topic: telemetry/v1/{{name}}/status, payload: offline, retain: false}
                certificate_authority: |
                  {{certificate.Replace("\n", "\n      ", StringComparison.Ordinal)}}
              sensor:
                - platform: …        # id: temperature
                  on_value:
                    - mqtt.publish_json:
                        topic: telemetry/v1/{{name}}/thermal
                        qos: 1
                        payload: |-
                          root["temperature"] = x;

            Tasmota (console; a build with TLS, and the CA pasted with it or MqttFingerprint1 set)
              Backlog MqttHost {{host}}; MqttPort {{port}}; MqttUser {{name}}; MqttPassword {{password}}; SetOption103 1; SetOption104 1
              Rule1 ON Tele-SHT3X#Temperature DO Publish telemetry/v1/{{name}}/thermal {"temperature":%value%} ENDON
              Rule1 1
              (with MAPPINGS=tasmota in .env here: Topic {{name}} in place of the rule; more devices in docs/devices.md)

            """;
        foreach (var line in text.Split('\n'))
            narrator.Say(line);
        if (project.HostAddress("mosquitto", TlsPort) == "127.0.0.1")
            narrator.Warn("the broker is not reachable from other machines yet: MQTT_LAN_ADDRESS=0.0.0.0 in .env, then ./up --no-build");
        narrator.Say(
            "the broker keeps no retained messages: " + "a device that sets the retain flag is refused (SetOption104 1, retain: false)"
        );
    }
}

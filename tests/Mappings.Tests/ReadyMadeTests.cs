using ThermalStreaming.Readings;

namespace ThermalStreaming.Mappings.Tests;

/// <summary>Each product's payloads, in the shapes that its documentation and its users show.</summary>
public sealed class ReadyMadeTests
{
    static readonly string[] sensors = ["tasmota", "zigbee2mqtt", "shelly", "esphome", "statestream"];

    [Fact]
    public void All_can_be_used_together()
    {
        Assert.Equal(
            [.. sensors, "shelly-inverter", "tasmota-inverter"],
            ReadyMade.Names.OrderBy(name => name.Contains('-')).ThenBy(name => Array.IndexOf(sensors, name))
        );
        var set = Mapped.ReadyMade([.. ReadyMade.Names]);

        Assert.Equal(
            ["+/events/rpc", "+/sensor/+/state", "+/status/+", "tele/+/SENSOR", "zigbee2mqtt/+", "zigbee2mqtt/+/+"],
            set.Subscriptions(ReadingKind.Thermal).Select(filter => filter.Text).Order(StringComparer.Ordinal)
        );
        Assert.Equal(
            ["+/events/rpc", "tele/+/SENSOR"],
            set.Subscriptions(ReadingKind.Inverter).Select(filter => filter.Text).Order(StringComparer.Ordinal)
        );
        Assert.Equal(
            ["tele/status/SENSOR", "zigbee2mqtt/events/rpc", "zigbee2mqtt/status/+"],
            set.TakenTwice.Select(filter => filter.Text)
        );
    }

    [Theory]
    [InlineData(
        """{"Time":"2026-11-20T10:13:48","AM2301":{"Temperature":28.7,"Humidity":41.9,"DewPoint":14.5},"TempUnit":"C"}""",
        """{"temperature":28.7,"humidity":41.9,"sensors":"AM2301"}"""
    )]
    [InlineData(
        """{"Time":"2026-06-21T01:42:25","Switch1":"OFF","BMP280":{"Temperature":40.9,"Pressure":917.7},"PressureUnit":"hPa","TempUnit":"C"}""",
        """{"temperature":40.9,"pressure":91770,"sensors":"BMP280"}"""
    )]
    [InlineData(
        """{"Time":"2026-11-20T10:13:48+01:00","BME280":{"Temperature":70.7,"Humidity":53.1,"Pressure":750.1},"PressureUnit":"mmHg","TempUnit":"F"}""",
        """{"observed_at":"2026-11-20T10:13:48+01:00","temperature":21.5,"humidity":53.1,"pressure":100005.1228,"sensors":"BME280"}"""
    )]
    [InlineData(
        """{"Time":"2026-05-09T11:41:50","BME280":{"Temperature":21.4,"Humidity":33.7,"Pressure":1021.9},"BH1750":{"Illuminance":0},"MHZ19B":{"Model":"B","CarbonDioxide":424,"Temperature":19.0},"PressureUnit":"hPa","TempUnit":"C"}""",
        """{"temperature":21.4,"humidity":33.7,"pressure":102190,"sensors":"BME280"}""",
        """{"temperature":19.0,"co2":424,"sensors":"MHZ19B"}"""
    )]
    [InlineData(
        """{"Time":"1970-01-01T00:18:15","SCD30":{"CarbonDioxide":614,"eCO2":636,"Temperature":25.7,"Humidity":48.3},"TempUnit":"C"}""",
        """{"temperature":25.7,"humidity":48.3,"co2":614,"equivalentco2ppm":636,"sensors":"SCD30"}"""
    )]
    [InlineData(
        """{"Time":"2026-04-20T19:00:40","SGP30":{"eCO2":584,"TVOC":263,"aHumidity":6.5717},"BME680":{"Temperature":25.0,"Humidity":62.7,"Pressure":1016.1,"Gas":125.75},"DS18B20-1":{"Id":"000008BD38BF","Temperature":null},"PressureUnit":"hPa","TempUnit":"C"}""",
        """{"equivalentco2ppm":584,"totalvocppb":263,"sensors":"SGP30"}""",
        """{"temperature":25.0,"humidity":62.7,"pressure":101610,"gas_resistance":125750,"sensors":"BME680"}"""
    )]
    [InlineData("""{"Time":"2026-04-20T19:00:40","Switch1":"ON","ESP32":{"Temperature":44.4},"ENERGY":{"Power":5,"Temperature":1}}""")]
    public void Tasmota(string payload, params string[] readings)
    {
        var (device, made) = Mapped.Take(Mapped.ReadyMade("tasmota"), "tele/garden/SENSOR", payload);

        Assert.Equal("garden", device);
        Assert.Equal(readings, made);
    }

    [Fact]
    public void A_meter_with_Tasmota_behind_an_inverter()
    {
        const string payload =
            """{"Time":"2026-08-01T12:00:00","ENERGY":{"TotalStartTime":"2025-01-01T00:00:00","Total":1234.567,"Yesterday":3.1,"Today":1.2,"Power":2210,"ApparentPower":2250,"Factor":0.98,"Voltage":231,"Current":9.7}}""";
        var set = Mapped.ReadyMade("tasmota", "tasmota-inverter");

        Assert.Equal(
            ["""{"PAC":2210,"energy_output":1234.567,"output_voltage":231,"id":"roof"}"""],
            Mapped.Take(set, "tele/roof/SENSOR", payload, ReadingKind.Inverter).Readings
        );
        Assert.Empty(Mapped.Take(set, "tele/roof/SENSOR", payload).Readings);
    }

    [Fact]
    public void Zigbee2MQTT()
    {
        var set = Mapped.ReadyMade("zigbee2mqtt");

        var (device, readings) = Mapped.Take(
            set,
            "zigbee2mqtt/living room",
            """{"battery":100,"humidity":49.2,"last_seen":"2026-11-20T10:13:48+01:00","linkquality":120,"pressure":1013.2,"temperature":21.28,"voltage":3005}"""
        );
        Assert.Equal("zigbee2mqtt:living room", device);
        Assert.Equal(
            [
                """{"observed_at":"2026-11-20T10:13:48+01:00","temperature":21.28,"humidity":49.2,"pressure":101320,"battery":100,"linkquality":120}""",
            ],
            readings
        );
        (device, readings) = Mapped.Take(set, "zigbee2mqtt/kitchen/air", """{"co2":655,"last_seen":1795169628000}""");
        Assert.Equal("zigbee2mqtt:kitchen:air", device);
        Assert.Equal(["""{"observed_at":1795169628000,"co2":655}"""], readings);
        Assert.Empty(Mapped.Take(set, "zigbee2mqtt/0x00158d0001d82999", """{"action":"single","battery":97}""").Readings);
        foreach (var known in new[] { "bridge/state", "bridge/devices", "kitchen/availability", "lamp/set", "lamp/get" })
            Assert.Equal(TopicOutcome.LeftOut, set.Route($"zigbee2mqtt/{known}", ReadingKind.Thermal).Outcome);
    }

    [Fact]
    public void Shelly()
    {
        var set = Mapped.ReadyMade("shelly");

        Assert.Equal(
            ["""{"observed_at":1680962879.62,"temperature":19.8,"humidity":42.2}"""],
            Mapped
                .Take(
                    set,
                    "shellyplusht-b8d61a8b17cc/events/rpc",
                    """{"src":"shellyplusht-b8d61a8b17cc","dst":"shellyplusht-b8d61a8b17cc/events","method":"NotifyFullStatus","params":{"ts":1680962879.62,"ble":{},"devicepower:0":{"id":0,"battery":{"V":0.43,"percent":0}},"humidity:0":{"id":0,"rh":42.2},"temperature:0":{"id":0,"tC":19.8,"tF":67.6}}}"""
                )
                .Readings
        );
        Assert.Equal(
            ["""{"observed_at":1700000000.01,"temperature":4.5,"sensors":"temperature:101"}"""],
            Mapped
                .Take(
                    set,
                    "cellar/events/rpc",
                    """{"src":"shellyplus1-a8032abe54dc","method":"NotifyStatus","params":{"ts":1700000000.01,"temperature:100":{"id":100,"tC":null,"tF":null,"errors":["read"]},"temperature:101":{"id":101,"tC":4.5,"tF":40.1}}}"""
                )
                .Readings
        );
        Assert.Equal(
            ["""{"temperature":21.5,"sensors":"temperature:0"}"""],
            Mapped.Take(set, "cellar/status/temperature:0", """{"id":0,"tC":21.5,"tF":70.7}""").Readings
        );
        Assert.Empty(
            Mapped
                .Take(
                    set,
                    "cellar/events/rpc",
                    """{"src":"x","method":"NotifyEvent","params":{"ts":1.0,"events":[{"component":"input:0"}]}}"""
                )
                .Readings
        );
        Assert.Equal(TopicOutcome.LeftOut, set.Route("cellar/status/wifi", ReadingKind.Thermal).Outcome);
    }

    [Fact]
    public void A_Shelly_behind_an_inverter()
    {
        Assert.Equal(
            [
                """{"observed_at":1690000000.5,"PAC":812.3,"energy_output":1056.0072,"output_voltage":231.4,"frequency":50,"id":"roof switch:0"}""",
            ],
            Mapped
                .Take(
                    Mapped.ReadyMade("shelly-inverter"),
                    "roof/events/rpc",
                    """{"src":"shellyplus1pm-1","method":"NotifyStatus","params":{"ts":1690000000.5,"switch:0":{"id":0,"apower":812.3,"voltage":231.4,"freq":50,"aenergy":{"total":1056007.2,"by_minute":[1,2,3]},"temperature":{"tC":51.1,"tF":124}}}}""",
                    ReadingKind.Inverter
                )
                .Readings
        );
    }

    [Theory]
    [InlineData("node1/sensor/living_room_temperature/state", "21.5", """{"temperature":21.5,"sensors":"living_room_temperature"}""")]
    [InlineData("node1/sensor/temperature/state", "-0.5", """{"temperature":-0.5,"sensors":"temperature"}""")]
    [InlineData("node1/sensor/bme280_pressure/state", "1008.23", """{"pressure":100823,"sensors":"bme280_pressure"}""")]
    [InlineData("node1/sensor/scd40_co2/state", "655", """{"co2":655,"sensors":"scd40_co2"}""")]
    [InlineData("node1/sensor/sgp30_eco2/state", "400", """{"equivalentco2ppm":400,"sensors":"sgp30_eco2"}""")]
    public void ESPHome(string topic, string payload, string reading)
    {
        var (device, readings) = Mapped.Take(Mapped.ReadyMade("esphome"), topic, payload);

        Assert.Equal("node1", device);
        Assert.Equal([reading], readings);
    }

    [Theory]
    [InlineData("homeassistant_state/sensor/living_co2/state", "655", """{"co2":655}""")]
    [InlineData("homeassistant/sensor/living_co2/state", "655", """{"co2":655}""")]
    [InlineData("homeassistant_state/sensor/living_temperature/state", "21.37", """{"temperature":21.37}""")]
    [InlineData("homeassistant_state/sensor/living_pressure/state", "1013.2", """{"pressure":101320}""")]
    public void Statestream(string topic, string payload, string reading)
    {
        var (device, readings) = Mapped.Take(Mapped.ReadyMade("esphome", "statestream"), topic, payload);

        Assert.Equal("statestream:living", device);
        Assert.Equal([reading], readings);
    }

    [Theory]
    [InlineData("unknown")]
    [InlineData("unavailable")]
    [InlineData("nan")]
    [InlineData("None")]
    [InlineData(" ")]
    public void A_value_that_is_none_makes_no_reading(string payload)
    {
        Assert.Empty(Mapped.Take(Mapped.ReadyMade("statestream"), "homeassistant_state/sensor/living_co2/state", payload).Readings);
        Assert.Empty(Mapped.Take(Mapped.ReadyMade("esphome"), "node/sensor/x_co2/state", payload).Readings);
    }

    [Fact]
    public void Attributes_and_other_entities_are_no_readings()
    {
        var set = Mapped.ReadyMade("statestream");

        Assert.Equal(
            TopicOutcome.Foreign,
            set.Route("homeassistant_state/sensor/living_co2/unit_of_measurement", ReadingKind.Thermal).Outcome
        );
        Assert.Equal(TopicOutcome.Unmapped, set.Route("homeassistant_state/sensor/sun_next_dawn/state", ReadingKind.Thermal).Outcome);
    }
}

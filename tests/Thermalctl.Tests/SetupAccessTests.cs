using ThermalStreaming.Hosting;

namespace ThermalStreaming.Thermalctl.Tests;

/// <summary>Changes of users while .env and the mapping file are being edited: rights follow what the last <c>setup</c> used.</summary>
public sealed class SetupAccessTests : SetupTestBase
{
    void MakeWith(string mappings)
    {
        settings["MAPPINGS"] = mappings;
        Make();
        output.GetStringBuilder().Clear();
        errors.GetStringBuilder().Clear();
    }

    [Fact]
    public void A_device_is_revoked_whatever_the_mappings_and_other_users_are()
    {
        MakeWith("tasmota");
        Tools.Devices.Enroll("garden", renew: false);
        Tools.Devices.Enroll("shed", renew: false);
        var kept = Read("auth/rules.json");
        Tools.Devices.Enroll("my-esp", renew: false);
        output.GetStringBuilder().Clear();
        settings["MAPPINGS"] = "hue";
        File.WriteAllText(directory.File("auth/access"), "MAPPINGS=hue\n");
        File.Delete(directory.File("auth/users/shed"));
        File.CreateSymbolicLink(directory.File("auth/users/shed"), "/proc/self/mem");

        Tools.Devices.Revoke("my-esp");

        Assert.Equal(kept, Read("auth/rules.json"));
        Assert.False(File.Exists(directory.File("auth/users/my-esp")));
        Assert.Contains("\"deleteClient\"", output.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_device_whose_rules_could_not_be_written_can_be_revoked_again()
    {
        MakeWith("tasmota");
        Tools.Devices.Enroll("my-esp", renew: false);
        Directory.CreateDirectory(directory.File("auth/rules.json.new/x"));

        Assert.ThrowsAny<Exception>(() => Tools.Devices.Revoke("my-esp"));
        Directory.Delete(directory.File("auth/rules.json.new"), recursive: true);
        Tools.Devices.Revoke("my-esp");

        Assert.DoesNotContain("my-esp", Read("auth/rules.json"), StringComparison.Ordinal);
    }

    [Fact]
    public void A_password_is_rotated_while_a_mapping_is_edited()
    {
        MakeWith("tasmota");
        settings["MAPPINGS"] = "hue";

        Tools.Devices.Rotate("s3-forwarder");

        var password = Read("credentials/s3-forwarder/password").TrimEnd('\n');
        var hash = Field(Read("auth/users/s3-forwarder"), "hash");
        Assert.True(Verifies(hash, password));
        Assert.Contains(hash.Split('$')[4], Read("auth/rules.json"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("auth/access")]
    [InlineData("auth/users/garden")]
    public void A_rotation_that_cannot_be_finished_changes_nothing(string unreadable)
    {
        MakeWith("tasmota");
        Tools.Devices.Enroll("garden", renew: false);
        File.Delete(directory.File(unreadable));
        File.CreateSymbolicLink(directory.File(unreadable), "/proc/self/mem");
        var before = Snapshot(except: unreadable);

        Assert.ThrowsAny<IOException>(() => Tools.Devices.Rotate("s3-forwarder"));

        Assert.Equal(before, Snapshot(except: unreadable));
    }

    [Fact]
    public void A_mapping_is_added_to_those_that_a_device_has()
    {
        MakeWith("statestream,zigbee2mqtt");
        settings["HOME_ASSISTANT"] = "true";
        Make();
        Tools.Devices.Enroll("home", renew: false, ["home-assistant"]);
        Assert.Contains(
            "./up --enroll home --renew --mapping statestream makes a new one and adds the mapping",
            Assert.Throws<FailureException>(() => Tools.Devices.Enroll("home", renew: false, ["statestream"])).Message,
            StringComparison.Ordinal
        );

        errors.GetStringBuilder().Clear();
        Tools.Devices.Enroll("home", renew: true, ["statestream", "zigbee2mqtt", "statestream"]);

        Assert.Equal("home is the gateway of home-assistant, statestream, zigbee2mqtt\n", errors.ToString());
        Assert.EndsWith("\ngateways=home-assistant,statestream,zigbee2mqtt\n", Read("auth/users/home"), StringComparison.Ordinal);
    }

    [Fact]
    public void What_changed_since_the_last_start_gives_no_rights_before_the_next()
    {
        MakeWith("tasmota");
        settings["MAPPINGS"] = "tasmota,zigbee2mqtt,shelly";
        settings["HOME_ASSISTANT"] = "true";

        foreach (var gateway in new[] { "zigbee2mqtt", "home-assistant" })
        {
            Assert.EndsWith(
                "To fix it: run ./up --no-build first, then run this again",
                Assert.Throws<FailureException>(() => Tools.Devices.Enroll("hub", renew: false, [gateway])).Message,
                StringComparison.Ordinal
            );
        }
        Tools.Devices.Enroll("garden", renew: false);

        Assert.EndsWith("To apply the new settings: ./up --no-build\n", errors.ToString(), StringComparison.Ordinal);
        Assert.Contains("tele/garden/SENSOR", output.ToString(), StringComparison.Ordinal);
        Assert.DoesNotContain("garden/events/rpc", output + Read("auth/rules.json"), StringComparison.Ordinal);
        Assert.DoesNotContain("zigbee2mqtt", Read("auth/subscriptions"), StringComparison.Ordinal);

        Make();
        Assert.Contains("garden/events/rpc", Read("auth/rules.json"), StringComparison.Ordinal);
    }

    [Fact]
    public void The_keeper_takes_nothing_back_that_its_own_environment_does_not_have()
    {
        settings["MAPPINGS_FILE"] = directory.File("mine.yaml");
        File.WriteAllText(directory.File("mine.yaml"), "");
        MakeWith("tasmota,statestream");
        Tools.Devices.Enroll("home", renew: false, ["statestream"]);
        var before = (Read("auth/rules.json"), Read("auth/subscriptions"));

        foreach (var mappings in new[] { "", "zigbee2mqtt", "hue" })
        {
            settings["MAPPINGS"] = mappings;
            Tools.Services.FollowHostName();
            Assert.Equal(before, (Read("auth/rules.json"), Read("auth/subscriptions")));
        }
    }

    [Fact]
    public void Without_kept_settings_of_an_earlier_version_today_s_count()
    {
        MakeWith("tasmota");
        File.Delete(directory.File("auth/access"));
        settings["MAPPINGS"] = "hue";

        Assert.Throws<ConfigurationException>(() => Tools.Devices.Enroll("garden", renew: false));
    }

    [Fact]
    public void The_rules_before_a_change_are_kept_for_the_broker()
    {
        MakeWith("tasmota");
        var before = Read("auth/rules.json");

        Tools.Devices.Enroll("garden", renew: false);
        Assert.Equal(before, Read("auth/rules.previous.json"));
        Tools.Services.FollowHostName();

        Assert.Equal(before, Read("auth/rules.previous.json"));
    }
}

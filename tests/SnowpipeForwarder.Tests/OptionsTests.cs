using System.Text;
using Microsoft.Extensions.Configuration;
using ThermalStreaming.Hosting;
using ThermalStreaming.Testing;

namespace ThermalStreaming.SnowpipeForwarder.Tests;

public sealed class OptionsTests : IDisposable
{
    readonly TempDirectory directory = new();

    public void Dispose() => directory.Dispose();

    [Fact]
    public void Good_settings_load_with_their_defaults()
    {
        var (options, problems) = Load();

        Assert.Empty(problems);
        Assert.Equal("https://myorg-my-account.snowflakecomputing.com/", options.Url.ToString());
        Assert.Equal("MYORG-MY_ACCOUNT", options.Account?.Claim);
        Assert.Equal("THERMAL", options.ChannelPrefix);
        Assert.Equal(SnowpipeAuth.ScopedToken, options.Auth);
    }

    [Fact]
    public void Nothing_set_names_every_setting_that_is_missing()
    {
        var settings = new Settings(new ConfigurationBuilder().Build());

        SnowpipeOptions.Load(settings);

        foreach (
            var key in new[]
            {
                "SNOWFLAKE_ACCOUNT",
                "SNOWFLAKE_USER",
                "SNOWFLAKE_DATABASE",
                "SNOWFLAKE_SCHEMA",
                "SNOWFLAKE_PIPE",
                "SNOWFLAKE_PRIVATE_KEY_FILE",
            }
        )
            Assert.Contains(settings.Problems, problem => problem.StartsWith(key, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("SNOWFLAKE_ACCOUNT", "https://myorg-myaccount.snowflakecomputing.com", "that is myorg-myaccount")]
    [InlineData("SNOWFLAKE_ACCOUNT", "my account", "ORGNAME-ACCOUNTNAME")]
    [InlineData("SNOWFLAKE_URL", "ftp://x", "address without path")]
    [InlineData("SNOWFLAKE_URL", "https://x/console", "address without path")]
    [InlineData("SNOWFLAKE_DATABASE", "a.b", "not DATABASE.SCHEMA.NAME")]
    [InlineData("SNOWFLAKE_ROLE", "my role", "double quotes")]
    [InlineData("SNOWFLAKE_CHANNEL", "a/b", "letters, digits")]
    [InlineData("SNOWFLAKE_AUTH", "Password", "ScopedToken, DirectJwt, Pat, DirectPat")]
    [InlineData("SNOWFLAKE_AUTH", "DirectPat", "SNOWFLAKE_PAT_FILE")]
    [InlineData("SNOWFLAKE_AUTH", "Pat", "SNOWFLAKE_PAT_FILE")]
    [InlineData("SNOWFLAKE_INGESTION", "Magic", "Named, Elastic")]
    [InlineData("BATCH_LINGER", "5s", "set SNOWPIPE_BATCH_LINGER in its place")]
    [InlineData("BATCH_MAX_READINGS", "5", "set SNOWPIPE_BATCH_MAX_READINGS in its place")]
    [InlineData("BATCH_MAX_BYTES", "5", "set SNOWPIPE_BATCH_MAX_BYTES in its place")]
    [InlineData("VALIDATION", "Drop", "set THERMAL_VALIDATION in its place")]
    [InlineData("SNOWPIPE_BATCH_MAX_READINGS", "0", "1 to 100000")]
    [InlineData("SNOWPIPE_BATCH_LINGER", "soon", "for example 500ms")]
    [InlineData("SNOWFLAKE_CONFIG_FILE", "/nowhere/config.json", "does not exist")]
    public void A_bad_setting_says_what_was_found_and_what_is_allowed(string key, string value, string expected)
    {
        var (_, problems) = Load((key, value));

        var problem = Assert.Single(problems);
        Assert.Contains(expected, problem);
    }

    /// <summary>In Compose the file is /dev/null where the installation names none.</summary>
    [Theory]
    [InlineData("/dev/null", "SNOWFLAKE_PAT_FILE is '/dev/null', which is empty, but SNOWFLAKE_AUTH is Pat; put the token into a file ")]
    [InlineData("/nowhere/pat", "SNOWFLAKE_PAT_FILE is '/nowhere/pat', which cannot be read (it does not exist)")]
    public void A_file_without_a_token_is_one_problem(string file, string expected) =>
        Assert.StartsWith(
            expected,
            Assert.Single(Load(("SNOWFLAKE_AUTH", "Pat"), ("SNOWFLAKE_PAT_FILE", file)).Problems),
            StringComparison.Ordinal
        );

    [Fact]
    public void Empty_files_of_the_other_ways_to_sign_in_count_as_none() =>
        Assert.Empty(Load(("SNOWFLAKE_PAT_FILE", "/dev/null"), ("SNOWFLAKE_PRIVATE_KEY_PASSPHRASE_FILE", "/dev/null")).Problems);

    [Fact]
    public void A_password_in_an_address_is_not_shown()
    {
        var (_, problems) = Load(("SNOWFLAKE_URL", "https://me:hunter2@host/"));

        Assert.DoesNotContain("hunter2", Assert.Single(problems));
    }

    [Theory]
    [InlineData("https://myorg-myaccount.snowflakecomputing.com/console/login", "https://myorg-myaccount.snowflakecomputing.com,")]
    [InlineData("https://myorg-myaccount.snowflakecomputing.com?role=X", "https://myorg-myaccount.snowflakecomputing.com,")]
    [InlineData(
        "https://app.snowflake.com/myorg/myaccount",
        "the console; the address of the account is https://myorg-my-account.snowflakecomputing.com."
    )]
    [InlineData("myorg-myaccount", "a name without a domain")]
    [InlineData("http://myorg-myaccount.snowflakecomputing.com", "by https only: https://myorg-myaccount.snowflakecomputing.com,")]
    [InlineData("https://myorg.myaccount.snowflakecomputing.com", "joined by a dash, not by a dot")]
    [InlineData("https://abc123.ingest.us-west-2.snowflakecomputing.com", "the ingest host")]
    [InlineData("https://my org", "address without path")]
    [InlineData("https:\\\\x", "address without path")]
    public void An_address_that_cannot_be_says_how_it_should_be_written(string url, string expected)
    {
        var (_, problems) = Load(("SNOWFLAKE_URL", url));

        Assert.Contains(expected, Assert.Single(problems));
    }

    [Theory]
    [InlineData("\"https://myorg-x.snowflakecomputing.com/\"", "https://myorg-x.snowflakecomputing.com/")]
    [InlineData(
        "https://xy12345.us-east-1.privatelink.snowflakecomputing.com",
        "https://xy12345.us-east-1.privatelink.snowflakecomputing.com/"
    )]
    [InlineData("localhost", "https://localhost/")]
    [InlineData("my_org-x.snowflakecomputing.com", "https://my-org-x.snowflakecomputing.com/")]
    [InlineData("https://MyOrg-X.snowflakecomputing.com:443", "https://myorg-x.snowflakecomputing.com/")]
    [InlineData("http://snow_flake:8090", "http://snow_flake:8090/")]
    public void The_url_is_normalised(string url, string expected)
    {
        var (options, problems) = Load(("SNOWFLAKE_URL", url));

        Assert.Empty(problems);
        Assert.Equal(expected, options.Url.ToString());
    }

    [Fact]
    public void The_config_file_stands_for_settings_and_the_environment_wins()
    {
        var path = directory.File("snowflake_config.json");
        File.WriteAllText(
            path,
            """{"user":"U","account":"A-B","url":"https://a-b.snowflakecomputing.com:443","private_key_file":"rsa_key.p8","role":"R","database":"D","schema":"S","pipe":"P","channel_name":"TH_CHNL","batch_size":10,"other":null}"""
        );

        Assert.True(SnowflakeConfigFile.TryRead(path, out var settings, out _));

        var configuration = new ConfigurationBuilder()
            .AddInMemoryCollection(settings)
            .AddInMemoryCollection([new("SNOWFLAKE_DATABASE", "E"), new("SNOWFLAKE_PRIVATE_KEY_FILE", Key())])
            .Build();
        var options = SnowpipeOptions.Load(new Settings(configuration));
        Assert.Equal(Path.Combine(directory.Path, "rsa_key.p8"), settings["SNOWFLAKE_PRIVATE_KEY_FILE"]);
        Assert.Equal(
            ("U", "A-B", "R", "E", "S", "P", "TH_CHNL"),
            (options.User, options.Account?.Claim, options.Role, options.Database, options.Schema, options.Pipe, options.ChannelPrefix)
        );
    }

    [Theory]
    [InlineData("{", "not JSON: line 1")]
    [InlineData("[]", "not one JSON object")]
    [InlineData("""{"user":1}""", "user is not a text")]
    public void A_broken_config_file_says_where(string content, string expected)
    {
        var path = directory.File("snowflake_config.json");
        File.WriteAllText(path, content, Encoding.UTF8);

        var (_, problems) = Load(("SNOWFLAKE_CONFIG_FILE", path));

        Assert.Contains(expected, Assert.Single(problems));
    }

    [Fact]
    public void The_channel_name_holds_prefix_slot_and_journal()
    {
        Assert.Equal("THERMAL_slot-0_1a2b3c4d", ChannelRecords.ChannelName("THERMAL", "slot-0", "1a2b3c4d5e6f7081", 1));
        Assert.Equal("THERMAL_slot-0_1a2b3c4d-2", ChannelRecords.ChannelName("THERMAL", "slot-0", "1a2b3c4d5e6f7081", 2));
    }

    string Key()
    {
        var path = directory.File("good_key.p8");
        File.WriteAllText(path, SinkFixture.KeyPem);
        return path;
    }

    (SnowpipeOptions Options, IReadOnlyList<string> Problems) Load(params (string Key, string Value)[] changes)
    {
        var all = new Dictionary<string, string?>
        {
            ["SNOWFLAKE_ACCOUNT"] = "myorg-my_account",
            ["SNOWFLAKE_USER"] = "streamer",
            ["SNOWFLAKE_DATABASE"] = "demo",
            ["SNOWFLAKE_SCHEMA"] = "public",
            ["SNOWFLAKE_PIPE"] = "thermal_pipe",
            ["SNOWFLAKE_PRIVATE_KEY_FILE"] = Key(),
        };
        foreach (var (key, value) in changes)
            all[key] = value;
        var settings = new Settings(new ConfigurationBuilder().AddInMemoryCollection(all).Build());
        return (SnowpipeOptions.Load(settings), settings.Problems);
    }
}

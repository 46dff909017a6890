using System.Security.Cryptography;
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

        foreach (var key in new[] { "SNOWFLAKE_ACCOUNT", "SNOWFLAKE_USER", "SNOWFLAKE_DATABASE", "SNOWFLAKE_SCHEMA", "SNOWFLAKE_PIPE", "SNOWFLAKE_PRIVATE_KEY_FILE" })
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
    [InlineData("SNOWFLAKE_AUTH", "Password", "ScopedToken, DirectJwt, Pat")]
    [InlineData("SNOWFLAKE_AUTH", "Pat", "SNOWFLAKE_PAT_FILE")]
    [InlineData("SNOWFLAKE_INGESTION", "Magic", "Named, Elastic")]
    [InlineData("BATCH_MAX_READINGS", "0", "1 to 100000")]
    [InlineData("BATCH_LINGER", "soon", "for example 500ms")]
    [InlineData("SNOWFLAKE_CONFIG_FILE", "/nowhere/config.json", "does not exist")]
    public void A_bad_setting_says_what_was_found_and_what_is_allowed(string key, string value, string expected)
    {
        var (_, problems) = Load((key, value));

        var problem = Assert.Single(problems);
        Assert.Contains(expected, problem);
    }

    [Fact]
    public void A_password_in_an_address_is_not_shown()
    {
        var (_, problems) = Load(("SNOWFLAKE_URL", "https://me:hunter2@host/"));

        Assert.DoesNotContain("hunter2", Assert.Single(problems));
    }

    [Theory]
    [InlineData("my_org-x.snowflakecomputing.com", "https://my-org-x.snowflakecomputing.com/")]
    [InlineData("https://MyOrg-X.snowflakecomputing.com:443", "https://myorg-x.snowflakecomputing.com/")]
    [InlineData("http://snow_flake:8090", "http://snow_flake:8090/")]
    public void The_url_is_normalised(string url, string expected)
    {
        var (options, problems) = Load(("SNOWFLAKE_URL", url));

        Assert.Empty(problems);
        Assert.Equal(expected, options.Url.ToString());
    }

    public static TheoryData<string, string> BadKeys() => new()
    {
        { "public", "the public key" },
        { "encrypted", "SNOWFLAKE_PRIVATE_KEY_PASSPHRASE_FILE" },
        { "short", "1024 bits" },
        { "ec", "no RSA key" },
        { "openssh", "OpenSSH" },
        { "certificate", "'CERTIFICATE'" },
        { "der", "openssl pkcs8" },
        { "empty", "an empty file" },
        { "text", "not a PEM file" },
        { "damaged", "damaged" },
        { "directory", "a directory" },
        { "missing", "it does not exist" },
    };

    [Theory]
    [MemberData(nameof(BadKeys))]
    public void A_key_file_that_cannot_be_used_says_what_it_is_instead(string kind, string expected)
    {
        using var rsa = RSA.Create(2048);
        using var small = RSA.Create(1024);
        using var curve = ECDsa.Create();
        var path = directory.File("key");
        var content = kind switch
        {
            "public" => rsa.ExportSubjectPublicKeyInfoPem(),
            "encrypted" => rsa.ExportEncryptedPkcs8PrivateKeyPem("secret", new PbeParameters(PbeEncryptionAlgorithm.Aes256Cbc, HashAlgorithmName.SHA256, 1000)),
            "short" => small.ExportPkcs8PrivateKeyPem(),
            "ec" => curve.ExportPkcs8PrivateKeyPem(),
            "openssh" => "-----BEGIN OPENSSH PRIVATE KEY-----\nYWJj\n-----END OPENSSH PRIVATE KEY-----\n",
            "certificate" => "-----BEGIN CERTIFICATE-----\nYWJj\n-----END CERTIFICATE-----\n",
            "empty" => "",
            "text" => "hello",
            "damaged" => "-----BEGIN PRIVATE KEY-----\nYWJj\n-----END PRIVATE KEY-----\n",
            _ => null,
        };
        if (kind == "der")
            File.WriteAllBytes(path, rsa.ExportPkcs8PrivateKey());
        else if (kind == "directory")
            Directory.CreateDirectory(path);
        else if (content is not null)
            File.WriteAllText(path, content);

        var (_, problems) = Load(("SNOWFLAKE_PRIVATE_KEY_FILE", path));

        var problem = Assert.Single(problems);
        Assert.StartsWith($"SNOWFLAKE_PRIVATE_KEY_FILE is '{path}', which", problem);
        Assert.Contains(expected, problem);
    }

    [Theory]
    [InlineData("secret", true)]
    [InlineData("wrong", false)]
    public void An_encrypted_key_opens_with_its_passphrase(string passphrase, bool opens)
    {
        using var rsa = RSA.Create(2048);
        var (key, file) = (directory.File("key"), directory.File("passphrase"));
        File.WriteAllText(key, rsa.ExportEncryptedPkcs8PrivateKeyPem("secret", new PbeParameters(PbeEncryptionAlgorithm.Aes256Cbc, HashAlgorithmName.SHA256, 1000)));
        File.WriteAllText(file, passphrase + "\n");

        var (options, problems) = Load(("SNOWFLAKE_PRIVATE_KEY_FILE", key), ("SNOWFLAKE_PRIVATE_KEY_PASSPHRASE_FILE", file));

        Assert.Equal(opens, options.Key is not null);
        Assert.Equal(!opens, problems.Any(problem => problem.Contains("the passphrase is wrong", StringComparison.Ordinal)));
        Assert.DoesNotContain(problems, problem => problem.Contains("secret", StringComparison.Ordinal));
    }

    [Fact]
    public void The_config_file_stands_for_settings_and_the_environment_wins()
    {
        var path = directory.File("snowflake_config.json");
        File.WriteAllText(path, """{"user":"U","account":"A-B","url":"https://a-b.snowflakecomputing.com:443","private_key_file":"rsa_key.p8","role":"R","database":"D","schema":"S","pipe":"P","channel_name":"TH_CHNL","batch_size":10,"other":null}""");

        Assert.True(SnowflakeConfigFile.TryRead(path, out var settings, out _));

        var configuration = new ConfigurationBuilder().AddInMemoryCollection(settings).AddInMemoryCollection([new("SNOWFLAKE_DATABASE", "E"), new("SNOWFLAKE_PRIVATE_KEY_FILE", Key())]).Build();
        var options = SnowpipeOptions.Load(new Settings(configuration));
        Assert.Equal(Path.Combine(directory.Path, "rsa_key.p8"), settings["SNOWFLAKE_PRIVATE_KEY_FILE"]);
        Assert.Equal(("U", "A-B", "R", "E", "S", "P", "TH_CHNL"), (options.User, options.Account?.Claim, options.Role, options.Database, options.Schema, options.Pipe, options.ChannelPrefix));
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
        Assert.Equal("THERMAL_slot-0_1a2b3c4d", SnowpipeSink.ChannelName("THERMAL", "slot-0", "1a2b3c4d5e6f7081", 1));
        Assert.Equal("THERMAL_slot-0_1a2b3c4d-2", SnowpipeSink.ChannelName("THERMAL", "slot-0", "1a2b3c4d5e6f7081", 2));
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

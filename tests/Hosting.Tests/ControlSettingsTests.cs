using Microsoft.Extensions.Configuration;
using ThermalStreaming.Testing;

namespace ThermalStreaming.Hosting.Tests;

/// <summary>Certificate files that cannot be used are settings to change, found at the start.</summary>
[Trait("Category", "Security")]
public sealed class ControlSettingsTests : IDisposable
{
    readonly TestAuthority authority = new();
    readonly TempDirectory directory = new();

    public void Dispose()
    {
        authority.Dispose();
        directory.Dispose();
    }

    [Fact]
    public void A_certificate_with_its_key_is_taken()
    {
        var (certificate, key) = authority.Sign("server", (-1, 1), "localhost");

        Assert.Equal([], Problems(certificate, key));
    }

    [Fact]
    public void A_key_of_another_certificate_is_named()
    {
        var (certificate, _) = authority.Sign("server", (-1, 1), "localhost");
        var (_, key) = authority.Sign("other", (-1, 1), "localhost");

        var problem = Assert.Single(Problems(certificate, key));
        Assert.Contains($"GRPC_TLS_CERTIFICATE_FILE '{certificate}' and GRPC_TLS_KEY_FILE '{key}'", problem, StringComparison.Ordinal);
        Assert.Contains("give a certificate and its own key", problem, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("nothing of this kind")]
    [InlineData("")]
    [InlineData("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")]
    public void What_is_no_PEM_is_named(string text)
    {
        var (certificate, key) = authority.Sign("server", (-1, 1), "localhost");
        File.WriteAllText(directory.File("odd"), text);

        Assert.Contains("cannot be used together", Assert.Single(Problems(directory.File("odd"), key)), StringComparison.Ordinal);
        Assert.Contains("the key unencrypted", Assert.Single(Problems(certificate, directory.File("odd"))), StringComparison.Ordinal);
    }

    [Fact]
    public void A_file_that_is_not_there_is_named_once()
    {
        var (certificate, _) = authority.Sign("server", (-1, 1), "localhost");

        var problem = Assert.Single(Problems(certificate, directory.File("missing")));
        Assert.Contains("GRPC_TLS_KEY_FILE", problem, StringComparison.Ordinal);
        Assert.Contains("cannot be read", problem, StringComparison.Ordinal);
    }

    static IReadOnlyList<string> Problems(string certificate, string key)
    {
        var settings = new Settings(
            new ConfigurationBuilder()
                .AddInMemoryCollection(
                    new Dictionary<string, string?>
                    {
                        ["GRPC_PORT"] = "8081",
                        ["GRPC_TLS"] = "true",
                        ["GRPC_TLS_CERTIFICATE_FILE"] = certificate,
                        ["GRPC_TLS_KEY_FILE"] = key,
                    }
                )
                .Build()
        );
        _ = ControlSettings.Load(settings, httpPort: 8080);
        return settings.Problems;
    }
}

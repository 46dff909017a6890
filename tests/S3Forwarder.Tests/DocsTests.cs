using System.Net;
using Amazon.Runtime;
using Amazon.S3;

namespace ThermalStreaming.S3Forwarder.Tests;

/// <summary>docs/troubleshooting.md and the program say the same of each error of S3 and of STS.</summary>
public sealed class DocsTests
{
    static readonly S3Options options = new()
    {
        Region = "<region>",
        Bucket = "<bucket>",
        Prefix = "inverter-data/",
        QuarantinePrefix = "inverter-quarantine/",
        Credentials = new AwsCredentials { Sts = new StsOptions("<region>", null) },
    };

    [Theory]
    [InlineData("NoSuchBucket", 404)]
    [InlineData("AccessDenied", 403)]
    [InlineData("InvalidAccessKeyId", 403)]
    [InlineData("SignatureDoesNotMatch", 403)]
    [InlineData("ExpiredToken", 400)]
    [InlineData("InvalidToken", 400)]
    [InlineData("RequestTimeTooSkewed", 403)]
    [InlineData("RequestExpired", 403)]
    [InlineData("PermanentRedirect", 301)]
    [InlineData("AuthorizationHeaderMalformed", 400)]
    [InlineData("InvalidRegionName", 400)]
    [InlineData("XMinioStorageFull", 507)]
    [InlineData("QuotaExceeded", 403)]
    [InlineData("XMinioAdminBucketQuotaExceeded", 400)]
    [InlineData("KMS.DisabledException", 400)]
    public void The_page_gives_the_programs_words_of(string code, int status) =>
        AssertSame(
            Row(line =>
                line.StartsWith("| `", StringComparison.Ordinal) && line.Split(" | ")[0].Contains($"`{code}`", StringComparison.Ordinal)
            ),
            S3Advice.For(Error(code, status), code, status, "", options)
        );

    [Theory]
    [InlineData("AccessDenied")]
    [InlineData("InvalidIdentityToken")]
    [InlineData("ExpiredToken")]
    [InlineData("InvalidClientTokenId")]
    [InlineData("SignatureDoesNotMatch")]
    [InlineData("RegionDisabledException")]
    [InlineData("ValidationError")]
    public void The_page_gives_the_programs_words_of_a_role(string code) =>
        AssertSame(
            Row(line => line.StartsWith($"| STS `{code}` |", StringComparison.Ordinal)),
            StsAdvice.For(Error(code, 403), "<role>", options.Credentials)
        );

    [Theory]
    [InlineData(HttpStatusCode.NotFound, "| 403, 404 |")]
    [InlineData(HttpStatusCode.Forbidden, "| 403, 404 |")]
    [InlineData(HttpStatusCode.TooManyRequests, "| 429 (asked too often) |")]
    public void The_page_gives_the_programs_words_of_Snowpipes_history(HttpStatusCode status, string begin)
    {
        var explanation = LoadAdvice.Explain(new SnowflakeError("ask", status, "", ""));

        AssertSame(Row(line => line.StartsWith(begin, StringComparison.Ordinal)), new Advice(explanation.Cause, explanation.Fix));
    }

    static AmazonServiceException Error(string code, int status) =>
        new AmazonS3Exception("", null, ErrorType.Sender, code, "4442587FB7D0A2F9", (HttpStatusCode)status);

    static void AssertSame(string row, Advice? advice)
    {
        Assert.NotNull(advice);
        Assert.NotEmpty(advice.Fix);
        Assert.Contains(advice.Cause, row, StringComparison.OrdinalIgnoreCase);
        Assert.Contains(advice.Fix, row, StringComparison.OrdinalIgnoreCase);
    }

    /// <summary>The only such line of the page, without the marks of code.</summary>
    static string Row(Func<string, bool> isMeant)
    {
        var at = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(at, "docs/troubleshooting.md")))
            at = Path.GetDirectoryName(at.TrimEnd('/')) ?? throw new FileNotFoundException("docs/troubleshooting.md");
        return Assert
            .Single(File.ReadLines(Path.Combine(at, "docs/troubleshooting.md")), line => isMeant(line))
            .Replace("`", "", StringComparison.Ordinal);
    }
}

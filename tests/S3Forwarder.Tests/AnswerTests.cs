using ThermalStreaming.Forwarding;

namespace ThermalStreaming.S3Forwarder.Tests;

/// <summary>S3's answers, translated into what to do.</summary>
public sealed class AnswerTests : SinkTest
{
    [Theory]
    [InlineData(503, "SlowDown", SinkFailure.Transient)]
    [InlineData(500, "InternalError", SinkFailure.Transient)]
    [InlineData(409, "ConditionalRequestConflict", SinkFailure.Transient)]
    [InlineData(400, "RequestTimeout", SinkFailure.Transient)]
    [InlineData(403, "InvalidAccessKeyId", SinkFailure.NeedsOperator, "AKIA…MPLE")]
    [InlineData(403, "SignatureDoesNotMatch", SinkFailure.NeedsOperator, "AWS_SECRET_ACCESS_KEY")]
    [InlineData(403, "RequestTimeTooSkewed", SinkFailure.NeedsOperator, "timedatectl")]
    [InlineData(400, "ExpiredToken", SinkFailure.NeedsOperator, "AWS_SESSION_TOKEN")]
    [InlineData(404, "NoSuchBucket", SinkFailure.NeedsOperator, "aws s3 mb s3://readings")]
    [InlineData(501, "NotImplemented", SinkFailure.NeedsOperator, "If-None-Match")]
    public async Task An_answer_is_translated_into_what_to_do(int status, string code, SinkFailure expected, string remedy = "")
    {
        Spool.AddInverters(1);
        var sink = NewSink(Options());
        await sink.OpenAsync(Spool.Start(), default);
        S3.Script = call => call.Method == "PUT" ? new S3Fault { Answer = (status, code, "as scripted") } : null;

        var failure = await Assert.ThrowsAsync<SinkException>(() => sink.SendAsync(Spool.Cut(0, 1), default));

        Assert.Equal(expected, failure.Failure);
        Assert.StartsWith("PUT s3://readings/inverter-data/2026-11-20/", failure.Message, StringComparison.Ordinal);
        Assert.Contains($": {status} {code} \"as scripted\"", failure.Message, StringComparison.Ordinal);
        Assert.Contains(remedy, failure.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', failure.Message);
    }

    [Theory]
    [InlineData(301, "PermanentRedirect", "The bucket you are attempting to access must be addressed using the specified endpoint.")]
    [InlineData(
        400,
        "AuthorizationHeaderMalformed",
        "The authorization header is malformed; the region 'us-east-1' is wrong; expecting 'eu-west-1'"
    )]
    public async Task A_bucket_elsewhere_names_its_region(int status, string code, string message)
    {
        Spool.AddInverters(1);
        var sink = NewSink(Options());
        await sink.OpenAsync(Spool.Start(), default);
        S3.Script = call => new S3Fault { Answer = (status, code, message), Header = ("x-amz-bucket-region", "eu-west-1") };

        var failure = await Assert.ThrowsAsync<SinkException>(() => sink.SendAsync(Spool.Cut(0, 1), default));

        Assert.Equal(SinkFailure.NeedsOperator, failure.Failure);
        Assert.Contains("set AWS_REGION=eu-west-1", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_server_that_is_not_there_is_a_passing_failure_that_names_it()
    {
        Spool.AddInverters(1);
        var options = Options();
        var sink = NewSink(options);
        await S3.DisposeAsync();

        var failure = await Assert.ThrowsAsync<SinkException>(() => sink.OpenAsync(Spool.Start(), default));

        Assert.Equal(SinkFailure.Transient, failure.Failure);
        Assert.Equal(
            $"HEAD s3://readings: {options.Endpoint!.Authority}: connection refused; is the server running, is the port right?",
            failure.Message
        );
    }

    [Fact]
    public async Task A_bucket_that_is_not_there_is_reported_at_the_start()
    {
        S3.Buckets.Clear();

        var failure = await Assert.ThrowsAsync<SinkException>(() => NewSink(Options()).OpenAsync(Spool.Start(), default));

        Assert.Equal(SinkFailure.NeedsOperator, failure.Failure);
        Assert.Equal(
            "HEAD s3://readings: 404 NoSuchBucket; there is no bucket 'readings'; correct S3_BUCKET, or create it: aws s3 mb s3://readings "
                + "--region us-east-1",
            failure.Message
        );
    }
}

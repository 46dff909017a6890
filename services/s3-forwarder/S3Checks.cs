using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Amazon.Runtime;
using Amazon.S3;
using Amazon.S3.Model;
using ThermalStreaming.Forwarding;
using ThermalStreaming.Hosting;

namespace ThermalStreaming.S3Forwarder;

/// <summary>The steps of <c>check</c> between this machine and the bucket. None of them writes under the prefix that is loaded.</summary>
static class S3Checks
{
    /// <summary>S3 refuses requests whose time is off by more than this.</summary>
    static readonly TimeSpan MostClockSkew = TimeSpan.FromMinutes(15);

    /// <summary>Beyond this, dates and times in the keys are misleading.</summary>
    static readonly TimeSpan NotableClockSkew = TimeSpan.FromMinutes(1);

    const string CheckName = "_check";

    public static IEnumerable<CheckStep> Steps(S3Options options, IAmazonS3 client, TimeProvider clock)
    {
        var store = new ObjectStore(options, client, clock);
        var bucket = new BucketChecks(options, client, store);
        yield return new CheckStep("s3 address", cancellationToken => AddressAsync(options, cancellationToken));
        yield return new CheckStep("s3 clock", cancellationToken => ClockAsync(options, clock, cancellationToken), "s3 address");
        yield return new CheckStep(
            "s3 credentials",
            cancellationToken => CredentialsAsync(options, client, store, cancellationToken),
            "s3 address"
        );
        if (options.Endpoint is null || options.Credentials.Sts.Endpoint is not null)
            yield return new CheckStep(
                "aws identity",
                cancellationToken => AwsIdentityCheck.RunAsync(options, cancellationToken),
                "s3 credentials"
            );
        yield return new CheckStep(
            "s3 bucket",
            cancellationToken => BucketAsync(options, client, store, cancellationToken),
            "s3 credentials"
        );
        yield return new CheckStep("s3 upload", cancellationToken => UploadAsync(options, client, store, cancellationToken), "s3 bucket");
        if (options.Validation == InvalidReadings.Quarantine)
            yield return new CheckStep(
                "s3 quarantine",
                cancellationToken => QuarantineAsync(options, client, store, clock, cancellationToken),
                "s3 bucket"
            );
        foreach (var step in bucket.Steps())
            yield return step;
    }

    static async Task<CheckResult> AddressAsync(S3Options options, CancellationToken cancellationToken)
    {
        var address = options.Address;
        try
        {
            var found = await Dns.GetHostAddressesAsync(address.DnsSafeHost, cancellationToken);
            using var socket = new TcpClient();
            await socket.ConnectAsync(found, address.Port, cancellationToken);
            var reached = ((IPEndPoint)socket.Client.RemoteEndPoint!).Address;
            return CheckResult.Ok($"{address.Authority} answers at {(reached.IsIPv4MappedToIPv6 ? reached.MapToIPv4() : reached)}");
        }
        catch (SocketException e) when (e.SocketErrorCode is SocketError.HostNotFound or SocketError.NoData or SocketError.TryAgain)
        {
            return CheckResult.Failed(
                $"{address.DnsSafeHost} does not resolve",
                "No network, no DNS, or a misspelt region or endpoint.",
                options.Endpoint is null
                    ? $"Check AWS_REGION ({options.Region}), then: getent hosts {address.DnsSafeHost}"
                    : $"Check S3_ENDPOINT_URL ({address}), then: getent hosts {address.DnsSafeHost}"
            );
        }
        catch (SocketException e)
        {
            return CheckResult.Failed(
                $"{address.Authority}: {e.Message}",
                "Nothing listens there, or a firewall refuses.",
                options.Endpoint is null ? "Allow outgoing TCP to port 443." : $"Start the server, or correct S3_ENDPOINT_URL ({address})."
            );
        }
    }

    static async Task<CheckResult> ClockAsync(S3Options options, TimeProvider clock, CancellationToken cancellationToken)
    {
        using var http = new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false });
        HttpResponseMessage answer;
        try
        {
            answer = await http.SendAsync(new HttpRequestMessage(HttpMethod.Head, options.Address), cancellationToken);
        }
        catch (HttpRequestException e)
        {
            return CheckResult.Failed(
                S3Failure.Explain(e, $"HEAD {options.Address}", options).Answer,
                "The connection works, HTTP on it does not: wrong scheme, a proxy, or a certificate.",
                "Check S3_ENDPOINT_URL's scheme and this machine's CA certificates."
            );
        }
        using (answer)
        {
            if (answer.Headers.Date is not { } theirs)
                return CheckResult.Warning(
                    "the server sends no Date",
                    "This is not a server of Amazon.",
                    "Make sure that this machine's clock is set: timedatectl"
                );
            var skew = clock.GetUtcNow() - theirs;
            var text = string.Create(
                CultureInfo.InvariantCulture,
                $"{Math.Abs(skew.TotalSeconds):0} s {(skew < TimeSpan.Zero ? "behind" : "ahead of")} the server"
            );
            return skew.Duration() switch
            {
                var off when off > MostClockSkew => CheckResult.Failed(
                    text,
                    "S3 refuses requests that are more than 15 minutes off (RequestTimeTooSkewed).",
                    "timedatectl set-ntp true"
                ),
                var off when off > NotableClockSkew => CheckResult.Warning(
                    text,
                    "The clock is not synchronised.",
                    "timedatectl set-ntp true"
                ),
                _ => CheckResult.Ok(text),
            };
        }
    }

    static async Task<CheckResult> CredentialsAsync(
        S3Options options,
        IAmazonS3 client,
        ObjectStore store,
        CancellationToken cancellationToken
    )
    {
        var whose = options.Credentials.Description;
        var what = $"LIST s3://{options.Bucket}/{options.Prefix}";
        try
        {
            var request = new ListObjectsV2Request
            {
                BucketName = options.Bucket,
                Prefix = options.Prefix,
                MaxKeys = 1,
            };
            await store.CallAsync(token => client.ListObjectsV2Async(request, token), what, 0, cancellationToken);
            return CheckResult.Ok($"{whose}; the signature is accepted");
        }
        catch (AmazonServiceException e) when (e.ErrorCode is "AccessDenied" or "NoSuchBucket" or "PermanentRedirect")
        {
            return CheckResult.Ok($"{whose}; the signature is accepted (listing answers {e.ErrorCode})");
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            return Failed(e, what, options);
        }
    }

    static async Task<CheckResult> BucketAsync(S3Options options, IAmazonS3 client, ObjectStore store, CancellationToken cancellationToken)
    {
        var what = $"HEAD s3://{options.Bucket}";
        try
        {
            var answer = await store.CallAsync(
                token => client.HeadBucketAsync(new HeadBucketRequest { BucketName = options.Bucket }, token),
                what,
                0,
                cancellationToken
            );
            return string.IsNullOrEmpty(answer.BucketRegion) || answer.BucketRegion == options.Region || options.Endpoint is not null
                ? CheckResult.Ok(
                    $"s3://{options.Bucket} exists in {(string.IsNullOrEmpty(answer.BucketRegion) ? options.Region : answer.BucketRegion)}"
                )
                : CheckResult.Failed(
                    $"s3://{options.Bucket} is in {answer.BucketRegion}",
                    $"AWS_REGION is {options.Region}.",
                    $"Set AWS_REGION={answer.BucketRegion}"
                );
        }
        catch (AmazonServiceException e) when (e.StatusCode == HttpStatusCode.Forbidden)
        {
            return CheckResult.Warning(
                $"{what}: 403",
                "The key may not ask for the bucket (s3:ListBucket), which uploading does not need; or the bucket belongs to "
                    + "somebody else.",
                "The next step tells which."
            );
        }
        catch (AmazonServiceException e) when (e.StatusCode == HttpStatusCode.NotFound)
        {
            return CheckResult.Failed(
                $"{what}: 404",
                $"There is no bucket '{options.Bucket}'.",
                $"Correct S3_BUCKET, or: aws s3 mb s3://{options.Bucket} --region {options.Region}"
            );
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            return Failed(e, what, options);
        }
    }

    /// <summary>
    /// Tests the right to write below the loaded prefix without writing: a PUT on condition that it replaces an object that cannot be
    /// there.
    /// </summary>
    static async Task<CheckResult> UploadAsync(S3Options options, IAmazonS3 client, ObjectStore store, CancellationToken cancellationToken)
    {
        var target = new UploadObject(options.Bucket, $"{options.Prefix}{CheckName}", "text/plain", CheckName, 0);
        var what = $"PUT {target.Address}";
        using var body = new ObjectBody();
        var request = store.Request(target, body, body.Digest(withSha256: true));
        request.IfMatch = "\"0\"";
        try
        {
            await store.CallAsync(token => client.PutObjectAsync(request, token), what, 0, cancellationToken);
            await DeleteAsync(options, client, target.Key, cancellationToken);
            return CheckResult.Warning(
                $"{what}: written although the condition If-Match did not hold",
                "This server ignores conditions on PUT: an upload repeated after a crash overwrites its object instead of leaving it alone.",
                "Use a server that supports conditional writes: Amazon S3, LocalStack 4, MinIO."
            );
        }
        catch (AmazonServiceException e)
            when (e.StatusCode is HttpStatusCode.NotFound or HttpStatusCode.PreconditionFailed && e.ErrorCode != "NoSuchBucket")
        {
            return CheckResult.Ok($"writing below {options.Prefix} is allowed (tried without writing)");
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            return Failed(e, what, options);
        }
    }

    /// <summary>
    /// Writes an object below the quarantine, where nothing loads it, exactly as readings are uploaded, and deletes it if allowed.
    /// </summary>
    static async Task<CheckResult> QuarantineAsync(
        S3Options options,
        IAmazonS3 client,
        ObjectStore store,
        TimeProvider clock,
        CancellationToken cancellationToken
    )
    {
        // A new name each time, because nothing is overwritten and the last object may still be there.
        var key = string.Create(
            CultureInfo.InvariantCulture,
            $"{options.QuarantinePrefix}{CheckName}-{clock.GetUtcNow():yyyyMMdd'T'HHmmssfff'Z'}"
        );
        var target = new UploadObject(options.Bucket, key, "text/plain", Guid.NewGuid().ToString("N"), 0);
        try
        {
            using var body = new ObjectBody();
            body.Write(System.Text.Encoding.UTF8.GetBytes($"Written by 's3-forwarder check' at {clock.GetUtcNow():u}.\n"));
            await store.PutAsync(target, body, cancellationToken);
            var isReadable = await IsReadableAsync(client, target, store, cancellationToken);
            var isDeleted = await DeleteAsync(options, client, key, cancellationToken);
            if (!isReadable)
                return CheckResult.Warning(
                    $"wrote {key}, but may not look at it",
                    "If the answer to an upload is lost, the forwarder cannot see whether the object is there, and delivery stops.",
                    $"Allow s3:GetObject on arn:aws:s3:::{options.Bucket}/{options.Prefix}* and "
                        + $"arn:aws:s3:::{options.Bucket}/{options.QuarantinePrefix}* (sql/classic/aws/uploader-policy.json)."
                );
            return isDeleted
                ? CheckResult.Ok($"wrote, found and deleted {key}")
                : CheckResult.Ok($"wrote and found {key}; it stays there, because the key may not delete");
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            return Failed(e, $"PUT {target.Address}", options);
        }
    }

    static async Task<bool> IsReadableAsync(IAmazonS3 client, UploadObject target, ObjectStore store, CancellationToken cancellationToken)
    {
        try
        {
            var what = $"HEAD {target.Address}";
            await store.CallAsync(token => client.GetObjectMetadataAsync(target.Bucket, target.Key, token), what, 0, cancellationToken);
            return true;
        }
        catch (AmazonServiceException e) when (e.StatusCode == HttpStatusCode.Forbidden)
        {
            return false;
        }
    }

    static async Task<bool> DeleteAsync(S3Options options, IAmazonS3 client, string key, CancellationToken cancellationToken)
    {
        try
        {
            await client.DeleteObjectAsync(options.Bucket, key, cancellationToken);
            return true;
        }
        catch (Exception e) when (e is AmazonServiceException or ForeignAnswerException)
        {
            return false;
        }
    }

    internal static CheckResult Failed(Exception e, string what, S3Options options)
    {
        // The sink's message has answer, cause and fix in one line.
        Exception cause =
            e is SinkException { InnerException: ForeignAnswerException or AmazonServiceException } own
            && own.Message.StartsWith(what, StringComparison.Ordinal)
                ? own.InnerException!
                : e;
        var problem = S3Failure.Explain(cause, what, options);
        return problem.Failure == SinkFailure.NeedsOperator || problem.Fix.Length > 0
            ? CheckResult.Failed(
                problem.Answer,
                problem.Cause.Length > 0 ? problem.Cause : "The request arrived and was refused.",
                problem.Fix
            )
            : CheckResult.Failed(
                problem.Answer,
                problem.Cause.Length > 0 ? problem.Cause : "The server or the network is in trouble.",
                "Try again later; if this repeats, check the address."
            );
    }
}

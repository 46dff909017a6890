using System.Globalization;
using System.Net;
using System.Text.RegularExpressions;
using Amazon.Runtime;
using Amazon.S3;
using Amazon.S3.Model;
using ThermalStreaming.Forwarding;

namespace ThermalStreaming.S3Forwarder;

/// <summary>
/// Puts objects into a bucket and accepts only evidence that they are there: S3's own answer to the PUT (200 with an ETag that matches the
/// content), or a HEAD that shows this plan's metadata and the length that was sent. Everything else is a <see cref="SinkException"/>. Each
/// call ends by its deadline. Thread-safe.
/// </summary>
sealed partial class ObjectStore(S3Options options, IAmazonS3 client, TimeProvider clock)
{
    /// <summary>Time for a call: this, plus its duration at <see cref="SlowestBytesPerSecond"/>.</summary>
    static readonly TimeSpan Grace = TimeSpan.FromSeconds(30);

    const int SlowestBytesPerSecond = 16 * 1024;

    /// <summary>
    /// Metadata that shows that an object is its plan's and complete: the plan's random identity, the readings, the bytes, and their MD5.
    /// S3 adds <c>x-amz-meta-</c>.
    /// </summary>
    const string PlanMetadata = "plan",
        RowsMetadata = "rows",
        BytesMetadata = "bytes",
        Md5Metadata = "md5";

    internal BoundedCalls Calls { get; init; } = new(clock);

    /// <summary>Uploads an object without ever overwriting one.</summary>
    /// <returns>True if this call put it there, false if it was there from an earlier call.</returns>
    /// <exception cref="SinkException">It is not known to be there.</exception>
    /// <exception cref="OperationCanceledException"><paramref name="stop"/> was requested.</exception>
    public async Task<bool> PutAsync(UploadObject target, ObjectBody body, CancellationToken stop)
    {
        var what = $"PUT {target.Address}";
        var digest = body.Digest(options.Checksum == UploadChecksum.Sha256);
        var request = Request(target, body, digest);
        request.IfNoneMatch = "*";
        PutObjectResponse response;
        try
        {
            response = await CallAsync(token => client.PutObjectAsync(request, token), what, body.Length, stop);
        }
        catch (Exception e)
            when (e
                    is AmazonServiceException { StatusCode: HttpStatusCode.PreconditionFailed }
                        or ForeignAnswerException { Status: HttpStatusCode.PreconditionFailed }
            )
        {
            await ConfirmAsync(target, body.Length, digest, "the answer to the PUT is 412, an object is there", stop);
            return false;
        }
        catch (Exception e) when (!IsStop(e, stop))
        {
            throw S3Failure.Translate(e, what, options);
        }
        if (ChecksumIn(response) is { } theirs && theirs != ChecksumOf(digest))
        {
            throw new SinkException(
                SinkFailure.Transient,
                $"{what}: 200, but the store's checksum is {PlainText.OneLine(theirs, 100)} and the content's is {ChecksumOf(digest)}; the "
                    + "content was changed on the way"
            );
        }
        // If the answer does not settle it, ask for the object itself.
        var isProven = ChecksumIn(response) is not null
            ? true
            : ETagProves(response.ETag, response.ServerSideEncryptionMethod?.Value, digest.Md5Hex);
        if (isProven == false || !ETagPattern().IsMatch(response.ETag ?? ""))
            await ConfirmAsync(
                target,
                body.Length,
                digest,
                $"the answer to the PUT is 200 with the ETag {PlainText.OneLine(response.ETag ?? "", 80)}, which "
                    + $"{(isProven == false ? "is not the content's MD5" : "S3 does not send")}",
                stop
            );
        return true;
    }

    /// <summary>Checks that the bucket answers. A user that may only put objects may not ask.</summary>
    /// <exception cref="SinkException">There is no such bucket, or it cannot be reached.</exception>
    public async Task ProbeAsync(CancellationToken stop)
    {
        var what = $"HEAD s3://{options.Bucket}";
        try
        {
            await CallAsync(token => client.HeadBucketAsync(new HeadBucketRequest { BucketName = options.Bucket }, token), what, 0, stop);
        }
        catch (AmazonServiceException e) when (e.StatusCode is HttpStatusCode.NotFound)
        {
            throw S3Failure.Translate(
                new AmazonS3Exception("", e, ErrorType.Sender, "NoSuchBucket", e.RequestId, e.StatusCode),
                what,
                options
            );
        }
        catch (AmazonServiceException e)
            when (e.StatusCode
                    is HttpStatusCode.Forbidden
                        or HttpStatusCode.MethodNotAllowed
                        or HttpStatusCode.NotImplemented
                        or HttpStatusCode.BadRequest
            )
        {
            // The first upload will tell.
        }
        catch (Exception e) when (!IsStop(e, stop))
        {
            throw S3Failure.Translate(e, what, options);
        }
    }

    /// <summary>A PUT with everything that the settings demand; the caller adds its condition.</summary>
    internal PutObjectRequest Request(UploadObject target, ObjectBody body, ContentDigest digest)
    {
        var attributes = options.Attributes;
        var request = new PutObjectRequest
        {
            BucketName = target.Bucket,
            Key = target.Key,
            InputStream = body,
            AutoCloseStream = false,
            AutoResetStreamPosition = true,
            ContentType = target.ContentType,
            // The body is sent in one piece, with its SHA-256 in the signature: stand-ins on plain http store the framing of chunks as
            // content.
            UseChunkEncoding = false,
        };
        switch (options.Checksum)
        {
            case UploadChecksum.Crc32C:
                request.ChecksumCRC32C = digest.Crc32CBase64;
                break;
            case UploadChecksum.Sha256:
                request.ChecksumSHA256 = digest.Sha256Base64;
                break;
            case UploadChecksum.Md5:
                request.MD5Digest = digest.Md5Base64;
                break;
        }
        if (attributes.Encryption is { } encryption)
            request.ServerSideEncryptionMethod = ServerSideEncryptionMethod.FindValue(encryption);
        if (attributes.KmsKeyId is { } key)
            request.ServerSideEncryptionKeyManagementServiceKeyId = key;
        if (attributes.BucketKey is { } bucketKey)
            request.BucketKeyEnabled = bucketKey;
        if (attributes.StorageClass is { } storageClass)
            request.StorageClass = S3StorageClass.FindValue(storageClass);
        if (attributes.Tags.Count > 0)
            request.TagSet = [.. attributes.Tags.Select(tag => new Tag { Key = tag.Key, Value = tag.Value })];
        request.Metadata[PlanMetadata] = target.PlanId;
        request.Metadata[RowsMetadata] = target.Rows.ToString(CultureInfo.InvariantCulture);
        request.Metadata[BytesMetadata] = body.Length.ToString(CultureInfo.InvariantCulture);
        request.Metadata[Md5Metadata] = digest.Md5Hex;
        return request;
    }

    /// <exception cref="TimeoutException">The deadline for this many bytes has passed.</exception>
    internal async Task<T> CallAsync<T>(Func<CancellationToken, Task<T>> call, string what, long bytes, CancellationToken stop)
    {
        var within = Grace + TimeSpan.FromSeconds(bytes / (double)SlowestBytesPerSecond);
        try
        {
            return await Calls.RunAsync(call, within, stop);
        }
        catch (TimeoutException e) when (bytes > 0)
        {
            throw new SinkException(
                SinkFailure.Transient,
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"{what}: {bytes} bytes took longer than {within.TotalSeconds:0} s ({e.Message})"
                ),
                inner: e
            );
        }
    }

    /// <summary>
    /// Checks that the object under the key is this plan's and complete. Any other object is neither overwritten nor taken for delivered.
    /// </summary>
    async Task ConfirmAsync(UploadObject target, long length, ContentDigest digest, string why, CancellationToken stop)
    {
        var what = $"HEAD {target.Address}";
        GetObjectMetadataResponse found;
        try
        {
            found = await CallAsync(token => client.GetObjectMetadataAsync(target.Bucket, target.Key, token), what, 0, stop);
        }
        catch (AmazonServiceException e) when (e.StatusCode == HttpStatusCode.NotFound)
        {
            throw new SinkException(
                SinkFailure.Transient,
                $"{what}: 404, but {why}; a proxy or gateway answers in place of the store, or the object was deleted at this moment. "
                    + "The object is uploaded again",
                inner: e
            );
        }
        catch (AmazonServiceException e) when (e.StatusCode == HttpStatusCode.Forbidden)
        {
            throw new SinkException(
                SinkFailure.NeedsOperator,
                $"{what}: 403; {why}, and this key cannot see whether it belongs to this batch; allow s3:GetObject on "
                    + $"arn:aws:s3:::{target.Bucket}/{options.Prefix}* and arn:aws:s3:::{target.Bucket}/{options.QuarantinePrefix}* "
                    + "(sql/classic/aws/uploader-policy.json)",
                inner: e
            );
        }
        catch (Exception e) when (!IsStop(e, stop))
        {
            throw S3Failure.Translate(e, what, options);
        }
        // No object of a plan is empty. If this called it another plan's, a person would move it away, and its readings would be uploaded
        // twice.
        if (found.ContentLength <= 0 && found.Metadata[PlanMetadata] == target.PlanId)
        {
            throw new SinkException(
                SinkFailure.Transient,
                $"{what}: {why}, and its metadata is that of this batch, but the answer has no length, so it is not known whether the "
                    + "object is complete. A proxy or gateway between here and the store removes Content-Length; let that header "
                    + "through, or go around the proxy (NO_PROXY). Retrying"
            );
        }
        if (Difference(found, target, length, digest) is { } difference)
        {
            throw new SinkException(
                SinkFailure.NeedsOperator,
                $"{what}: {why}; an object with other content is there: {difference} (ETag {PlainText.OneLine(found.ETag ?? "", 80)}, "
                    + $"{found.ContentLength} bytes, {found.LastModified:u}); "
                    + $"it was not overwritten. Find out who wrote it, then move it away: aws s3 mv {target.Address} "
                    + $"s3://{target.Bucket}/set-aside/"
            );
        }
    }

    /// <summary>How an object differs from the one that this plan makes under its key; null if it does not.</summary>
    static string? Difference(GetObjectMetadataResponse found, UploadObject target, long length, ContentDigest digest)
    {
        if (found.Metadata[PlanMetadata] is not { } plan)
            return "it lacks this service's metadata";
        if (plan != target.PlanId)
            return "it belongs to another plan";
        // If the object has more rows than expected, the journal has lost some since. If it has fewer, readings are missing from it.
        if (!TryNumber(found.Metadata[RowsMetadata], out var rows) || rows < target.Rows)
            return $"it has fewer than {target.Rows} readings";
        // The length sent then; another version of the compressor may now produce a few bytes more or less.
        var (sent, md5) =
            TryNumber(found.Metadata[BytesMetadata], out var bytes) ? (bytes, found.Metadata[Md5Metadata])
            : rows == target.Rows ? (length, digest.Md5Hex)
            : (found.ContentLength, null);
        if (found.ContentLength != sent)
            return $"{sent} bytes were sent";
        return md5 is not null && ETagProves(found.ETag, found.ServerSideEncryptionMethod?.Value, md5) == false
            ? $"bytes with the MD5 {PlainText.OneLine(md5, 40)} were sent"
            : null;
    }

    /// <summary>
    /// True: the ETag is the MD5 of the sent bytes. False: it is the MD5 of something else. Null: it is not an MD5, as under a KMS key.
    /// </summary>
    static bool? ETagProves(string? etag, string? encryption, string md5)
    {
        var value = (etag ?? "").Trim('"');
        if (encryption?.StartsWith("aws:kms", StringComparison.Ordinal) == true || !Md5Pattern().IsMatch(value))
            return null;
        return value.Equals(md5, StringComparison.OrdinalIgnoreCase);
    }

    string? ChecksumIn(PutObjectResponse response) =>
        options.Checksum switch
        {
            UploadChecksum.Crc32C => response.ChecksumCRC32C,
            UploadChecksum.Sha256 => response.ChecksumSHA256,
            _ => null,
        };

    string? ChecksumOf(ContentDigest digest) =>
        options.Checksum switch
        {
            UploadChecksum.Crc32C => digest.Crc32CBase64,
            UploadChecksum.Sha256 => digest.Sha256Base64,
            _ => null,
        };

    static bool TryNumber(string? text, out long number) =>
        long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out number);

    static bool IsStop(Exception e, CancellationToken stop) => e is OperationCanceledException && stop.IsCancellationRequested;

    /// <summary>ETags of S3 and compatible servers: an MD5, or as many digits of something else, with the number of parts.</summary>
    [GeneratedRegex("^\"?[0-9a-fA-F]{32}(-[0-9]{1,5})?\"?$")]
    private static partial Regex ETagPattern();

    [GeneratedRegex("^[0-9a-fA-F]{32}$")]
    private static partial Regex Md5Pattern();
}

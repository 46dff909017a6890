using System.Net;
using Amazon.Runtime;
using Amazon.S3;
using Amazon.S3.Model;
using ThermalStreaming.Hosting;

namespace ThermalStreaming.S3Forwarder;

/// <summary>
/// The steps of <c>check</c> that inspect the bucket's configuration: its notifications, retention, encryption and deletion. Uploading
/// needs none of these rights, so missing rights fail no step.
/// </summary>
sealed class BucketChecks(S3Options options, IAmazonS3 client, ObjectStore store)
{
    /// <summary>How long Snowpipe remembers what it has loaded: an object that it may still have to load must exist for as long.</summary>
    const int SnowpipeMemoryDays = 14;

    const string Policy = "sql/classic/aws/uploader-policy.json";

    public IEnumerable<CheckStep> Steps() =>
        [
            Step(
                "s3 notification",
                "s3:GetBucketNotification",
                null,
                token => client.GetBucketNotificationAsync(new GetBucketNotificationRequest { BucketName = options.Bucket }, token),
                Notification
            ),
            Step(
                "s3 versioning",
                "s3:GetBucketVersioning",
                null,
                token => client.GetBucketVersioningAsync(new GetBucketVersioningRequest { BucketName = options.Bucket }, token),
                Versioning
            ),
            Step(
                "s3 encryption",
                "s3:GetEncryptionConfiguration",
                "ServerSideEncryptionConfigurationNotFoundError",
                token => client.GetBucketEncryptionAsync(new GetBucketEncryptionRequest { BucketName = options.Bucket }, token),
                Encryption
            ),
            Step(
                "s3 lifecycle",
                "s3:GetLifecycleConfiguration",
                "NoSuchLifecycleConfiguration",
                token => client.GetLifecycleConfigurationAsync(new GetLifecycleConfigurationRequest { BucketName = options.Bucket }, token),
                Lifecycle
            ),
            Step(
                "s3 object lock",
                "s3:GetBucketObjectLockConfiguration",
                "ObjectLockConfigurationNotFoundError",
                token =>
                    client.GetObjectLockConfigurationAsync(new GetObjectLockConfigurationRequest { BucketName = options.Bucket }, token),
                ObjectLock
            ),
        ];

    /// <param name="name">Name of the step.</param>
    /// <param name="right">The action that the request needs.</param>
    /// <param name="none">The error that means that nothing is configured.</param>
    /// <param name="ask">Makes the request.</param>
    /// <param name="judge">Judges the answer; null: nothing is configured.</param>
    CheckStep Step<T>(string name, string right, string? none, Func<CancellationToken, Task<T>> ask, Func<T?, CheckResult> judge)
        where T : class =>
        new(
            name,
            async cancellationToken =>
            {
                var what = $"GET {right[6..]} of s3://{options.Bucket}";
                try
                {
                    return judge(await store.CallAsync(ask, what, 0, cancellationToken));
                }
                catch (AmazonServiceException e) when (e.ErrorCode == none && none is not null)
                {
                    return judge(null);
                }
                catch (AmazonServiceException e) when (e.StatusCode == HttpStatusCode.Forbidden)
                {
                    return CheckResult.Ok($"not known: the key lacks the right {right}, which uploads do not need ({Policy})");
                }
                catch (Exception e) when (options.Endpoint is not null && IsUnknown(e))
                {
                    return CheckResult.Ok("not known: this store does not answer this request");
                }
                catch (Exception e) when (e is not OperationCanceledException)
                {
                    return S3Checks.Failed(e, what, options);
                }
            },
            "s3 bucket"
        );

    static bool IsUnknown(Exception e) =>
        e is ForeignAnswerException { IsPage: false }
        || e
            is AmazonServiceException
            {
                StatusCode: HttpStatusCode.NotImplemented
                    or HttpStatusCode.MethodNotAllowed
                    or HttpStatusCode.BadRequest
                    or HttpStatusCode.NotFound
                    or HttpStatusCode.InternalServerError
            };

    CheckResult Notification(GetBucketNotificationResponse? answer)
    {
        List<NotificationTarget> all =
        [
            .. (answer?.QueueConfigurations ?? []).Select(to => NotificationTarget.Of("queue", to.Queue, to)),
            .. (answer?.TopicConfigurations ?? []).Select(to => NotificationTarget.Of("topic", to.Topic, to)),
        ];
        var telling = all.Where(to => to.IsToldOfUploads && options.Prefix.StartsWith(to.Prefix, StringComparison.Ordinal)).ToList();
        if (telling.Count == 0)
        {
            if (answer?.EventBridgeConfiguration is not null)
                return CheckResult.Ok(
                    "EventBridge is notified of every object; this key cannot see whether a rule notifies the pipe's queue"
                );
            var part = all.Find(to => to.Prefix.StartsWith(options.Prefix, StringComparison.Ordinal) || !to.IsToldOfUploads);
            return CheckResult.Warning(
                part is null
                    ? $"no notification is sent for new objects below {options.Prefix}"
                    : $"{part} is not notified of every upload below {options.Prefix}",
                "Objects are uploaded, but Snowpipe loads none of them by itself.",
                "Put the pipe's queue (SHOW PIPES, notification_channel) into sql/classic/aws/notification.json, then: aws s3api "
                    + $"put-bucket-notification-configuration --bucket {options.Bucket} --notification-configuration "
                    + "file://sql/classic/aws/notification.json"
            );
        }
        var end = $".{ContentSettings.ExtensionOf(options.Compression)}";
        if (telling.Find(to => !end.EndsWith(to.Suffix, StringComparison.Ordinal)) is { } odd)
            return CheckResult.Warning(
                $"{odd} is notified only of keys that end with {odd.Suffix}",
                $"This service's keys end with {end}: nothing is loaded.",
                "Take the suffix out of the bucket's notification."
            );
        if (
            options.Validation == InvalidReadings.Quarantine
            && telling.Find(to => options.QuarantinePrefix.StartsWith(to.Prefix, StringComparison.Ordinal)) is { } wide
        )
            return CheckResult.Warning(
                $"{wide} is notified of the quarantine too ({options.QuarantinePrefix})",
                "Quarantined readings are announced; a pipe whose stage lies above that prefix loads them.",
                $"Narrow the notification's prefix to {options.Prefix}."
            );
        return CheckResult.Ok(
            string.Join("; ", telling.Select(to => $"{to} is notified of new objects below {(to.Prefix.Length > 0 ? to.Prefix : "/")}"))
        );
    }

    static CheckResult Versioning(GetBucketVersioningResponse? answer) =>
        answer?.VersioningConfig?.Status?.Value switch
        {
            "Enabled" => CheckResult.Ok(
                "on; no object is overwritten here, but one that a lifecycle rule expires is kept until NoncurrentVersionExpiration"
            ),
            "Suspended" => CheckResult.Ok("suspended"),
            _ => CheckResult.Ok("off, which is enough: no object is overwritten here"),
        };

    CheckResult Encryption(GetBucketEncryptionResponse? answer)
    {
        var rule = answer?.ServerSideEncryptionConfiguration?.ServerSideEncryptionRules?.FirstOrDefault();
        var theirs = rule?.ServerSideEncryptionByDefault;
        var method = options.Attributes.Encryption ?? theirs?.ServerSideEncryptionAlgorithm?.Value;
        if (method is null)
            return CheckResult.Ok("the bucket sets none, and S3_SSE is not set");
        var from = options.Attributes.Encryption is not null ? "S3_SSE" : "the bucket's default";
        if (!method.StartsWith("aws:kms", StringComparison.Ordinal))
            return CheckResult.Ok($"{method} ({from})");
        var key = options.Attributes.KmsKeyId ?? theirs?.ServerSideEncryptionKeyManagementServiceKeyId;
        var text = $"{method} ({from}) with {key ?? "the account's own key aws/s3"}";
        if (key is null)
            return CheckResult.Warning(
                text,
                "A role of another account cannot use that key, nor can its policy be changed; Snowflake reads with a role of this account.",
                "Works while user and role are in this account. Otherwise set S3_SSE_KMS_KEY_ID to a key of your own."
            );
        return (options.Attributes.BucketKey ?? rule?.BucketKeyEnabled) == true
            ? CheckResult.Ok($"{text}, with a bucket key; Snowflake's role needs kms:Decrypt on it")
            : CheckResult.Ok(
                $"{text}; each object is a request to KMS, which S3_BUCKET_KEY=true avoids. Snowflake's role needs kms:Decrypt on it"
            );
    }

    CheckResult Lifecycle(GetLifecycleConfigurationResponse? answer)
    {
        var rules = (answer?.Configuration?.Rules ?? []).Where(rule => rule.Status?.Value == "Enabled" && Concerns(rule)).ToList();
        if (rules.Find(rule => rule.Expiration?.Days < SnowpipeMemoryDays) is { } early)
            return CheckResult.Warning(
                $"rule {early.Id} deletes objects after {early.Expiration.Days} days",
                "Objects that Snowpipe has not loaded by then, because it was paused or not notified, are lost.",
                $"Let it be more than {SnowpipeMemoryDays} days (sql/classic/aws/lifecycle.json has 30)."
            );
        if (rules.Find(rule => (rule.Transitions ?? []).Exists(IsEarlyArchive)) is { } archiving)
            return CheckResult.Warning(
                $"rule {archiving.Id} archives objects within {SnowpipeMemoryDays} days",
                "Snowpipe cannot read GLACIER and DEEP_ARCHIVE.",
                "Expire the objects instead, or archive them later."
            );
        return rules.Find(rule => rule.Expiration?.Days is not null) is { } expiring
            ? CheckResult.Ok($"rule {expiring.Id} deletes objects after {expiring.Expiration.Days} days")
            : CheckResult.Ok(
                $"no rule deletes objects below {options.Prefix}: they stay and cost money until somebody deletes them "
                    + "(sql/classic/aws/lifecycle.json)"
            );
    }

    bool Concerns(LifecycleRule rule)
    {
        var prefix =
            rule.Filter?.Prefix
            ?? rule.Filter?.And?.Prefix
            ?? (rule.Filter?.LifecycleFilterPredicate as LifecyclePrefixPredicate)?.Prefix
            ?? "";
        return options.Prefix.StartsWith(prefix, StringComparison.Ordinal) || prefix.StartsWith(options.Prefix, StringComparison.Ordinal);
    }

    static bool IsEarlyArchive(LifecycleTransition transition) =>
        transition.StorageClass?.Value is "GLACIER" or "DEEP_ARCHIVE" && transition.Days < SnowpipeMemoryDays;

    CheckResult ObjectLock(GetObjectLockConfigurationResponse? answer)
    {
        if (answer?.ObjectLockConfiguration?.ObjectLockEnabled?.Value != "Enabled")
            return CheckResult.Ok("off");
        if (options.Checksum == UploadChecksum.None)
            return CheckResult.Failed(
                "on, and S3_CHECKSUM is None",
                "A bucket with Object Lock refuses uploads without a checksum.",
                "Set S3_CHECKSUM=Crc32C, Sha256 or Md5."
            );
        var kept = answer.ObjectLockConfiguration.Rule?.DefaultRetention;
        return CheckResult.Ok(
            kept is null
                ? "on, without a default retention"
                : $"on: {kept.Mode} for {(kept.Years is { } years ? $"{years} years" : $"{kept.Days} days")}; nobody deletes an object before"
        );
    }

    /// <summary>A target of the bucket's notifications.</summary>
    sealed record NotificationTarget(string Kind, string Name, string Prefix, string Suffix, bool IsToldOfUploads)
    {
        public static NotificationTarget Of(string kind, string name, NotificationConfiguration configuration)
        {
            var rules = configuration.Filter?.S3KeyFilter?.FilterRules ?? [];
            return new(
                kind,
                name,
                Value("prefix"),
                Value("suffix"),
                (configuration.Events ?? []).Exists(told => told.Value is "s3:ObjectCreated:*" or "s3:ObjectCreated:Put")
            );

            string Value(string rule) => rules.Find(found => rule.Equals(found.Name, StringComparison.OrdinalIgnoreCase))?.Value ?? "";
        }

        public override string ToString() => $"{Kind} {Name}";
    }
}

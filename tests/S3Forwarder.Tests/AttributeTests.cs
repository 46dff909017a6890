using ThermalStreaming.Forwarding;

namespace ThermalStreaming.S3Forwarder.Tests;

/// <summary>Encryption, storage class and tags reach the store, and what they do to its answers is understood.</summary>
public sealed class AttributeTests : SinkTest
{
    [Fact]
    public async Task Each_object_carries_what_the_settings_ask_for()
    {
        Spool.AddInverters(20, change: (i, reading) => reading.PacW = i == 3 ? 1 : 3000);
        S3.Store = stored => stored with { ETag = "\"fedcba9876543210fedcba9876543210\"" };
        var attributes = new ObjectAttributes
        {
            Encryption = "aws:kms",
            KmsKeyId = "arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab",
            BucketKey = true,
            StorageClass = "STANDARD_IA",
            Tags = [KeyValuePair.Create("team", "energy & more"), KeyValuePair.Create("site", "roof")],
        };

        await Spool.DeliverAsync(NewSink(Options() with { Attributes = attributes }));

        AssertOnce(20);
        Assert.All(
            S3.Calls.Where(call => call.Method == "PUT"),
            call =>
            {
                Assert.Equal("aws:kms", call.Headers["x-amz-server-side-encryption"]);
                Assert.Equal(attributes.KmsKeyId, call.Headers["x-amz-server-side-encryption-aws-kms-key-id"]);
                Assert.Equal("true", call.Headers["x-amz-server-side-encryption-bucket-key-enabled"], ignoreCase: true);
                Assert.Equal("STANDARD_IA", call.Headers["x-amz-storage-class"]);
                Assert.Equal("team=energy%20%26%20more&site=roof", call.Headers["x-amz-tagging"]);
            }
        );
        // The ETag of an object under a KMS key is not its MD5; nothing was asked because of it.
        Assert.DoesNotContain(S3.Calls, call => call is { Method: "HEAD", Key.Length: > 0 });
    }

    [Fact]
    public async Task Nothing_is_asked_for_by_default()
    {
        Spool.AddInverters(4);

        await Spool.DeliverAsync(NewSink(Options()));

        Assert.All(
            S3.Calls.Where(call => call.Method == "PUT"),
            call =>
                Assert.DoesNotContain(
                    call.Headers.Keys,
                    name =>
                        name.StartsWith("x-amz-server-side", StringComparison.OrdinalIgnoreCase)
                        || name is "x-amz-storage-class" or "x-amz-tagging"
                )
        );
    }

    [Fact]
    public async Task A_repeat_under_a_KMS_key_is_recognised_without_the_MD5()
    {
        Spool.AddInverters(8);
        S3.Store = stored => stored with { ETag = "\"fedcba9876543210fedcba9876543210\"" };
        var cut = new HashSet<string>();
        S3.Script = call => call.Method == "PUT" && S3SinkTests.Once(cut, call.Key) ? new S3Fault { AbortAfter = true } : null;

        await Spool.DeliverAsync(NewSink(Options() with { Attributes = new ObjectAttributes { Encryption = "aws:kms" } }));

        AssertOnce(8);
        Assert.All(S3.Calls.Where(call => call.Method == "HEAD"), call => Assert.False(call.Headers.ContainsKey("x-amz-checksum-mode")));
    }

    /// <summary>
    /// What the store says that it has is not what was sent: the object is damaged, and neither taken for delivered nor overwritten.
    /// </summary>
    [Fact]
    public async Task Bytes_that_changed_on_the_way_are_noticed_by_the_ETag()
    {
        Spool.AddInverters(4);
        S3.Store = stored => stored with { ETag = "\"fedcba9876543210fedcba9876543210\"" };

        var failure = await FailAsync(NewSink(Options()));

        Assert.Equal(SinkFailure.NeedsOperator, failure.Failure);
        Assert.Contains("bytes with the MD5", failure.Message, StringComparison.Ordinal);
        Assert.Equal(0, Spool.Cursor);
    }

    [Fact]
    public async Task A_store_that_repeats_the_checksum_may_have_ETags_of_its_own()
    {
        Spool.AddInverters(4);
        S3.EchoesChecksums = true;
        S3.Store = stored => stored with { ETag = "\"fedcba9876543210fedcba9876543210\"" };

        await Spool.DeliverAsync(NewSink(Options()));

        AssertOnce(4);
    }

    [Fact]
    public async Task A_checksum_that_comes_back_different_does_not_count()
    {
        Spool.AddInverters(4);
        S3.Script = call => call.Method == "PUT" ? new S3Fault { Header = ("x-amz-checksum-crc32c", "AAAAAA==") } : null;

        var failure = await FailAsync(NewSink(Options()));

        Assert.Contains("the store's checksum is AAAAAA==", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_multipart_like_ETag_is_S3s()
    {
        Spool.AddInverters(4);
        S3.Store = stored => stored with { ETag = "\"fedcba9876543210fedcba9876543210-1\"" };

        await Spool.DeliverAsync(NewSink(Options()));

        AssertOnce(4);
    }

    [Fact]
    public async Task An_ETag_of_another_form_is_settled_by_the_object_itself()
    {
        Spool.AddInverters(4);
        S3.Store = stored => stored with { ETag = "\"0x8DCA1B2C3D4E5F6\"" };

        await Spool.DeliverAsync(NewSink(Options()));

        AssertOnce(4);
        Assert.Equal(4, S3.Calls.Count(call => call is { Method: "HEAD", Key.Length: > 0 }));
    }
}

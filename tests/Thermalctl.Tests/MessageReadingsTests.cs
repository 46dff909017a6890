using System.Text;
using ThermalStreaming.Readings;

namespace ThermalStreaming.Thermalctl.Tests;

/// <summary>Messages of any sender, which must not end the verb <c>tail</c>.</summary>
[Trait("Category", "Security")]
public sealed class MessageReadingsTests
{
    [Theory]
    [InlineData("""{"temperature": 21.5, "quality": "\ud800"}""")]
    [InlineData("""{"temperature": 21.5, "sensors": "\ud800"}""")]
    [InlineData("""{"temperature": 21.5, "note": "\udc00"}""")]
    [InlineData("""{"temperature": 21.5, "\ud800": 1}""")]
    [InlineData("""{"temperature": 21.5, "note": 1, "note": 2}""")]
    [InlineData("""{"temperature": 21.5, "temperature": 22}""")]
    [InlineData("""{"temperature": 21.5, "as_sent": 1, "forwarded_at": 1, "forwarded_at": 2}""")]
    [InlineData("""{"id": "\ud800", "PAC": 1}""")]
    [InlineData("""{"id": "a", "PAC": 1, "fault_status": "\ud800"}""")]
    public void A_strange_message_is_shown_or_explained(string payload)
    {
        foreach (var kind in Enum.GetValues<ReadingKind>())
        {
            var message = MessageReadings.Of(
                Topics.Readings("demo", kind),
                null,
                Encoding.UTF8.GetBytes(payload),
                DateTimeOffset.UnixEpoch.AddYears(56)
            );

            Assert.True(message.Rows.Count > 0 || message.Problem is { Length: > 0 });
            foreach (var (_, row) in message.Rows)
            {
                Assert.NotEmpty(ReadingLine.Of(kind, row));
                Assert.NotEmpty(row.ToJsonString());
            }
        }
    }
}

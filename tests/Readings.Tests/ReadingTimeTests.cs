using System.Globalization;
using System.Text;
using ThermalStreaming.Testing;

namespace ThermalStreaming.Readings.Tests;

public sealed class ReadingTimeTests
{
    /// <summary>Every spelling of 2026-11-20T10:13:48Z, or what the second argument says.</summary>
    [Theory]
    [InlineData("\"2026-11-20T10:13:48Z\"")]
    [InlineData("\"2026-11-20t10:13:48z\"")]
    [InlineData("\"2026-11-20 10:13:48\"")]
    [InlineData("\"  2026-11-20T10:13:48.000Z \"")]
    [InlineData("\"2026-11-20T10:13:48,000000000+00:00\"")]
    [InlineData("\"2026-11-20T10:13:48-00:00\"")]
    [InlineData("\"2026-11-20T11:13:48+01\"")]
    [InlineData("\"2026-11-20T11:13:48+0100\"")]
    [InlineData("\"2026-11-20T15:58:48+05:45\"")]
    [InlineData("\"2026-11-20 00:13:48 -1000\"")]
    [InlineData("\"2026-11-21T00:13:48+14:00\"")]
    [InlineData("\"20261120T101348Z\"")]
    [InlineData("\"20261120T101348.0+0000\"")]
    [InlineData("\"20261120T10:13:48\"")]
    [InlineData("\"2026-324T10:13:48Z\"")]
    [InlineData("\"2026324T101348Z\"")]
    [InlineData("\"2026-W47-5T10:13:48Z\"")]
    [InlineData("\"2026W475T101348Z\"")]
    [InlineData("\"2026-11-20T10:13.8Z\"")]
    [InlineData("\"2026-11-20T10.23Z\"")]
    [InlineData("\"\\u0032026-11-20T10:13:48Z\"")]
    [InlineData("\"Fri, 20 Nov 2026 10:13:48 GMT\"")]
    [InlineData("\"fri, 20 nov 2026 10:13:48 gmt\"")]
    [InlineData("\"20 Nov 2026 10:13:48 UT\"")]
    [InlineData("\"Fri, 20 Nov 2026 11:13:48 +0100\"")]
    [InlineData("1795169628")]
    [InlineData("1795169628.0")]
    [InlineData("1.795169628e9")]
    [InlineData("17951696280E-1")]
    [InlineData("1795169628000")]
    [InlineData("1795169628000000")]
    [InlineData("1795169628000000000")]
    [InlineData("1.795169628E+18")]
    [InlineData("\"1795169628\"")]
    [InlineData("\" 1795169628000 \"")]
    [InlineData("\"1.795169628e12\"")]
    [InlineData("\"2026-11-20T10:13:48.5+01:00\"", "2026-11-20T09:13:48.5Z")]
    [InlineData("1763632828.25", "2025-11-20T10:00:28.25Z")]
    [InlineData("\"1763632828.25\"", "2025-11-20T10:00:28.25Z")]
    [InlineData("1763632828.1234567", "2025-11-20T10:00:28.123456Z")]
    [InlineData("1763632828123", "2025-11-20T10:00:28.123Z")]
    [InlineData("1763632828123.75", "2025-11-20T10:00:28.12375Z")]
    [InlineData("1763632828123456789", "2025-11-20T10:00:28.123456Z")]
    [InlineData("\"2026-11-20T10:13:48.123456789Z\"", "2026-11-20T10:13:48.123456Z")]
    [InlineData("\"2026-11-20T10:13Z\"", "2026-11-20T10:13:00Z")]
    [InlineData("\"2026-11-20T24:00:00Z\"", "2026-11-21T00:00:00Z")]
    [InlineData("\"2016-12-31T23:59:60Z\"", "2017-01-01T00:00:00Z")]
    [InlineData("\"2016-12-31T23:59:60.5Z\"", "2017-01-01T00:00:00.5Z")]
    [InlineData("\"2017-01-01T08:59:60+09:00\"", "2017-01-01T00:00:00Z")]
    [InlineData("\"20161231T235960Z\"", "2017-01-01T00:00:00Z")]
    [InlineData("\"Sat, 31 Dec 2016 23:59:60 GMT\"", "2017-01-01T00:00:00Z")]
    [InlineData("0", "1970-01-01T00:00:00Z")]
    [InlineData("12.5", "1970-01-01T00:00:12.5Z")]
    [InlineData("\"1970-01-01T00:00:12+01:00\"", "1969-12-31T23:00:12Z")]
    [InlineData("999999999", "2001-09-09T01:46:39Z")]
    [InlineData("9999999999", "2286-11-20T17:46:39Z")]
    [InlineData("\"9999-12-31T23:59:59.999999Z\"", "9999-12-31T23:59:59.999999Z")]
    public void Reads_a_time(string value, string expected = "2026-11-20T10:13:48Z")
    {
        Assert.True(ReadingTime.TryParse(Encoding.UTF8.GetBytes(value), out var time), $"{value} was refused");
        Assert.Equal(DateTimeOffset.Parse(expected, CultureInfo.InvariantCulture), Instants.FromMicroseconds(time.Microseconds));
    }

    [Theory]
    [InlineData("\"\"")]
    [InlineData("\" \"")]
    [InlineData("\"03/04/2026 10:00\"")]
    [InlineData("\"20.11.2026 10:13:48\"")]
    [InlineData("\"2026/11/20 10:13:48\"")]
    [InlineData("\"10:13\"")]
    [InlineData("\"10:13:48Z\"")]
    [InlineData("\"11.20\"")]
    [InlineData("\"2026-11-20\"")]
    [InlineData("\"20261120\"")]
    [InlineData("\"20261120101348\"")]
    [InlineData("\"Fri Nov 20 10:13:48 2026\"")]
    [InlineData("\"Friday, 20-Nov-26 10:13:48 GMT\"")]
    [InlineData("\"Thu, 20 Nov 2026 10:13:48 GMT\"")]
    [InlineData("\"Fri, 20 Nov 2026 10:13:48\"")]
    [InlineData("\"Fri, 20 Nov 2026 10:13:48 CET\"")]
    [InlineData("\"Nov 20 2026 10:13:48\"")]
    [InlineData("\"2026-11-20T10:13:48+00:00Z\"")]
    [InlineData("\"2026-11-20T10:13:48Z+01:00\"")]
    [InlineData("\"2026-11-20T10:13:48 CET\"")]
    [InlineData("\"2026-11-20T10:13:48+1\"")]
    [InlineData("\"2026-11-20T10:13:48+15:00\"")]
    [InlineData("\"2026-11-20T10:13:48+01:60\"")]
    [InlineData("\"2026-11-20T10:13:48.Z\"")]
    [InlineData("\"2026-11-20T10:13:60Z\"")]
    [InlineData("\"2016-12-31T23:59:61Z\"")]
    [InlineData("\"2016-12-31T23:59:60+09:00\"")]
    [InlineData("\"2026-11-20T24:00:01Z\"")]
    [InlineData("\"2026-11-20T25:00:00Z\"")]
    [InlineData("\"2026-11-20T10:60:00Z\"")]
    [InlineData("\"2026-02-29T10:13:48Z\"")]
    [InlineData("\"2026-13-01T10:13:48Z\"")]
    [InlineData("\"2026-00-01T10:13:48Z\"")]
    [InlineData("\"2026-366T10:13:48Z\"")]
    [InlineData("\"2026-W54-1T10:13:48Z\"")]
    [InlineData("\"2026-W47-8T10:13:48Z\"")]
    [InlineData("\"0000-01-01T00:00:00Z\"")]
    [InlineData("\"1969-12-31T00:00:00Z\"")]
    [InlineData("\"0001-01-01T00:00:00Z\"")]
    [InlineData("\"26-11-20T10:13:48Z\"")]
    [InlineData("\"yesterday\"")]
    [InlineData("\"NaN\"")]
    [InlineData("\"0x6B010ADC\"")]
    [InlineData("\"12\"")]
    [InlineData("\"1,795,169,628\"")]
    [InlineData("-1")]
    [InlineData("-1795169628")]
    [InlineData("17951696280")]
    [InlineData("179516962800")]
    [InlineData("17951696280000")]
    [InlineData("17951696280000000000")]
    [InlineData("1e300")]
    [InlineData("1e999999999999")]
    [InlineData("true")]
    [InlineData("[1795169628]")]
    [InlineData("{}")]
    public void Refuses_what_is_no_time(string value)
    {
        Assert.False(ReadingTime.TryParse(Encoding.UTF8.GetBytes(value), out var time), $"{value} was taken for {time}");
    }

    [Fact]
    public void Any_instant_in_any_zone_and_spelling_is_read_to_the_microsecond()
    {
        var (random, seed) = Seed.Next();
        string[] forms =
        [
            "yyyy-MM-dd'T'HH:mm:ss.ffffffzzz",
            "yyyyMMdd'T'HHmmss.ffffffzzz",
            "yyyy-MM-dd HH:mm:ss,ffffffzzz",
            "yyyy-MM-dd'T'HH:mm:ss.fffffffzzz",
        ];
        for (var round = 0; round < 20_000; round++)
        {
            var at = DateTimeOffset
                .UnixEpoch.AddTicks(random.NextInt64(86_400_000_000_0 * 2, 80_000L * 864_000_000_000) / 10 * 10)
                .ToOffset(TimeSpan.FromMinutes(random.Next(-14 * 60, 14 * 60 + 1)));
            var text = at.ToString(forms[random.Next(forms.Length)], CultureInfo.InvariantCulture);
            if (random.Next(2) == 0)
                text = text[..^3] + text[^2..];
            var micros = Instants.ToMicroseconds(at);
            var number = micros % 1_000_000 == 0 ? $"{micros / 1_000_000}" : $"{micros / 1_000_000}.{micros % 1_000_000:000000}";
            foreach (
                var value in micros >= 1_000_000_000_000_000 && micros < 10_000_000_000_000_000
                    ? [$"\"{text}\"", number, $"{micros}", $"\"{micros}\"", $"{micros}e-6", $"{micros}123"]
                    : new[] { $"\"{text}\"" }
            )
            {
                Assert.True(ReadingTime.TryParse(Encoding.UTF8.GetBytes(value), out var time), $"seed {seed}: {value} was refused");
                Assert.True(micros == time.Microseconds, $"seed {seed}: {value} became {Instants.FromMicroseconds(time.Microseconds):O}");
            }
        }
    }

    [Fact]
    public void Whatever_the_text_nothing_is_thrown()
    {
        var (random, seed) = Seed.Next();
        const string letters = "0123456789-+:.,TZW /eEnov\\u";
        for (var round = 0; round < 100_000; round++)
        {
            var text = new string([.. Enumerable.Range(0, random.Next(1, 30)).Select(_ => letters[random.Next(letters.Length - 2)])]);
            if (random.Next(3) == 0)
                text = "2026-11-20T10:13:48.5+01:00"
                    .Remove(random.Next(20), random.Next(1, 6))
                    .Insert(random.Next(15), text[..Math.Min(3, text.Length)]);
            var exception = Record.Exception(() => ReadingTime.TryParse(Encoding.UTF8.GetBytes($"\"{text}\""), out _));
            Assert.True(exception is null, $"seed {seed}: {text}: {exception}");
        }
    }
}

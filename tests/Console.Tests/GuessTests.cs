using System.Net;
using System.Text;

namespace ThermalStreaming.Console.Tests;

/// <summary>Wrong tokens.</summary>
[Trait("Category", "Security")]
public sealed class GuessTests
{
    [Fact]
    public async Task After_ten_wrong_tokens_not_even_the_right_one_is_tried()
    {
        await using var stand = await ConsoleStand.StartAsync();
        HttpStatusCode code;
        // Until the forwarders have answered once, there is nobody to ask.
        do code = await TryAsync(stand, "wrong");
        while (code == HttpStatusCode.ServiceUnavailable);

        for (var guess = 1; guess < GuessLimit.MostGuesses; guess++)
        {
            Assert.Equal(HttpStatusCode.Unauthorized, code);
            code = await TryAsync(stand, $"guess-{guess}");
        }

        Assert.Equal(HttpStatusCode.Unauthorized, code);
        Assert.Equal(HttpStatusCode.TooManyRequests, await TryAsync(stand, FakeToken.Value));
    }

    static async Task<HttpStatusCode> TryAsync(ConsoleStand stand, string token)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/api/token") { Content = new StringContent("{}", Encoding.UTF8) };
        request.Headers.TryAddWithoutValidation("Authorization", $"Bearer {token}");
        using var answer = await stand.Console.Http.SendAsync(request);
        return answer.StatusCode;
    }
}

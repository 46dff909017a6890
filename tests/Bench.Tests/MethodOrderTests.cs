namespace ThermalStreaming.Bench.Tests;

/// <summary>The list that the compiler gets: which methods it names, and in which order.</summary>
public sealed class MethodOrderTests
{
    readonly MethodOrder order = new();

    [Fact]
    public void What_is_called_later_comes_before_what_only_the_start_calls_each_by_name()
    {
        order.Add([new(0x10, "b"), new(0x20, "a"), new(0x30, "B"), new(0x40, "A")], ["0 10", "0 20", "1 30", "1 40"]);

        Assert.Equal(["a", "b", "A", "B"], order.Names);
    }

    [Fact]
    public void Only_methods_that_were_called_are_named()
    {
        order.Add([new(0x10, "called"), new(0x20, "not called")], ["0 0000000000000010", "0 0000000000000030"]);

        Assert.Equal(["called"], order.Names);
    }

    [Fact]
    public void Every_name_of_an_address_is_named()
    {
        order.Add([new(0x10, "one"), new(0x10, "other"), new(0xabc, "last")], ["0 10", "0 abc"]);

        Assert.Equal(["last", "one", "other"], order.Names);
    }

    [Theory]
    [InlineData("0", "1")]
    [InlineData("1", "0")]
    public void A_name_stands_once_and_with_the_calls_of_a_running_service(string first, string second)
    {
        order.Add([new(0x10, "shared"), new(0x20, "a")], [$"{first} 10", "1 20"]);
        order.Add([new(0x30, "shared"), new(0x40, "b")], [$"{second} 30", "1 40"]);

        Assert.Equal(["shared", "a", "b"], order.Names);
    }

    [Fact]
    public void A_name_that_only_starts_call_stays_with_the_start()
    {
        order.Add([new(0x10, "a")], ["1 10"]);
        order.Add([new(0x10, "a"), new(0x20, "b")], ["1 10", "0 20"]);

        Assert.Equal(["b", "a"], order.Names);
    }

    /// <summary>As bytes are, and not as words in a dictionary: the list is the same wherever it is made.</summary>
    [Fact]
    public void Names_are_in_the_order_of_their_characters()
    {
        order.Add([new(1, "a__B"), new(2, "a_Z"), new(3, "<Boxed>z"), new(4, "Z")], ["0 1", "0 2", "0 3", "0 4"]);

        Assert.Equal(["<Boxed>z", "Z", "a_Z", "a__B"], order.Names);
    }

    [Theory]
    [InlineData("2 10")]
    [InlineData("0 ")]
    [InlineData("0 xyz")]
    [InlineData("0")]
    [InlineData("0 10 10")]
    public void A_line_that_the_tracer_does_not_write_is_refused(string line)
    {
        var problem = Assert.Throws<InvalidDataException>(() => order.Add([new(0x10, "a")], [line]));

        Assert.Equal($"'{line}' is not a line of the tracer", problem.Message);
    }
}

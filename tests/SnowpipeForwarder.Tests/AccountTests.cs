namespace ThermalStreaming.SnowpipeForwarder.Tests;

/// <summary>SNOWFLAKE_ACCOUNT as people write it.</summary>
public class AccountTests
{
    [Theory]
    [InlineData("myorg-myaccount", "MYORG-MYACCOUNT", "myorg-myaccount")]
    [InlineData("  MyOrg-MyAccount ", "MYORG-MYACCOUNT", "myorg-myaccount")]
    [InlineData("MYORG-MY_ACCOUNT", "MYORG-MY_ACCOUNT", "myorg-my-account")]
    [InlineData("acct-with-dashes", "ACCT-WITH-DASHES", "acct-with-dashes")]
    [InlineData("xy12345", "XY12345", "xy12345")]
    [InlineData("xy12345.us-east-1", "XY12345", "xy12345.us-east-1")]
    [InlineData("xy12345.us-east-1.aws", "XY12345", "xy12345.us-east-1.aws")]
    [InlineData("xy12345.us-east4.gcp", "XY12345", "xy12345.us-east4.gcp")]
    [InlineData("xy12345.us-gov-west-1.aws", "XY12345", "xy12345.us-gov-west-1.aws")]
    [InlineData("xy12345.us-east-1.privatelink", "XY12345", "xy12345.us-east-1.privatelink")]
    [InlineData("xy12345.east-us-2.azure.privatelink", "XY12345", "xy12345.east-us-2.azure.privatelink")]
    [InlineData("xy12345.mexicocentral.azure", "XY12345", "xy12345.mexicocentral.azure")]
    [InlineData("xy12345.aws", "XY12345", "xy12345.aws")]
    [InlineData("myorg-myaccount.privatelink", "MYORG-MYACCOUNT", "myorg-myaccount.privatelink")]
    [InlineData("x.global", "X.GLOBAL", "x.global")]
    [InlineData("testaccount-user.global", "TESTACCOUNT", "testaccount-user.global")]
    [InlineData("xy12345.west-europe.azure", "XY12345", "xy12345.west-europe.azure")]
    public void Accounts_are_normalised(string text, string claim, string host)
    {
        var account = AccountIdentifier.Parse(text, out var problem);

        Assert.Equal("", problem);
        Assert.Equal(claim, account?.Claim);
        Assert.Equal(host + ".snowflakecomputing.com", account?.Host);
    }

    [Theory]
    // The part that is wrong, and how it should be written.
    [InlineData("myorg.myaccount", "MYORG-MYACCOUNT", "by a dash, not by a dot")]
    [InlineData("MYORG.MY_ACCOUNT", "MYORG-MY_ACCOUNT", "by a dash, not by a dot")]
    [InlineData("myorg.myaccount.privatelink", "MYORG-MYACCOUNT.privatelink", "by a dash, not by a dot")]
    [InlineData("https://myorg.myaccount.snowflakecomputing.com", "MYORG-MYACCOUNT", "by a dash, not by a dot")]
    [InlineData("myorg/myaccount", "MYORG-MYACCOUNT", "not by a slash")]
    [InlineData("https://myorg-myaccount.snowflakecomputing.com", "myorg-myaccount", "'https://' does not belong")]
    [InlineData("https://myorg-myaccount.snowflakecomputing.com", "myorg-myaccount", "'.snowflakecomputing.com' does not belong")]
    [InlineData("https://myorg-myaccount.snowflakecomputing.com/console/login", "myorg-myaccount", "'/console/login' does not belong")]
    [InlineData("xy12345.us-east-1.snowflakecomputing.com", "xy12345.us-east-1", "'.snowflakecomputing.com' does not belong")]
    [InlineData("https://app.snowflake.com/myorg/myaccount/#/homepage", "MYORG-MYACCOUNT", "'myorg' and 'myaccount'")]
    [InlineData("app.snowflake.com/us-east-1/xy12345", "xy12345.us-east-1", "'us-east-1' and 'xy12345'")]
    [InlineData("myorg-myaccount.snowflakecomputing.com:443", "myorg-myaccount", "':443' (a port)")]
    [InlineData("myorg-myaccount/", "myorg-myaccount", "'/' does not belong")]
    [InlineData(
        "myorg-myaccount.snowflakecomputing.cn",
        "myorg-myaccount",
        "Set SNOWFLAKE_URL to https://myorg-myaccount.snowflakecomputing.cn"
    )]
    [InlineData("\"myorg-myaccount\"", "myorg-myaccount", "quotation marks")]
    [InlineData("myorg\u2013myaccount", "myorg-myaccount", "U+2013")]
    [InlineData("myorg-\u200Bmyaccount", "myorg-myaccount", "U+200B")]
    [InlineData("myorg-myaccount.us-east-1", "myorg-myaccount", "leave out '.us-east-1'")]
    [InlineData("myorg-myaccount.us-east-1.aws.privatelink", "myorg-myaccount.privatelink", "leave out '.us-east-1.aws'")]
    [InlineData("myorg-myaccount.prod", "myorg-myaccount", "'.prod' is neither a region nor a cloud")]
    [InlineData("us-east-1.xy12345", "xy12345.us-east-1", "comes after the account")]
    [InlineData("xy12345.aws.us-east-1", "xy12345.us-east-1.aws", "comes after the region")]
    public void What_is_no_account_names_the_wrong_part_and_the_right_spelling(string text, string right, string part)
    {
        var account = AccountIdentifier.Parse(text, out var problem);

        Assert.Null(account);
        Assert.Contains($"that is {right}.", problem);
        Assert.Contains(part, problem);
        Assert.NotNull(AccountIdentifier.Parse(right, out _));
    }

    [Theory]
    [InlineData("my account")]
    [InlineData("-org")]
    [InlineData("a..b")]
    [InlineData("a.b.c.d.e")]
    [InlineData("kontö")]
    [InlineData("<org>-<account>")]
    [InlineData("user@myorg-myaccount")]
    [InlineData("https://")]
    public void What_has_no_account_shape_is_refused(string text)
    {
        var account = AccountIdentifier.Parse(text, out var problem);

        Assert.Null(account);
        Assert.Contains("ORGNAME-ACCOUNTNAME", problem);
    }
}

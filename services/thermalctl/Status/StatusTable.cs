using Spectre.Console;

namespace ThermalStreaming.Thermalctl;

/// <summary>One table of all replicas. If it is too wide, the least important columns are dropped.</summary>
static class StatusTable
{
    /// <summary>Space between two columns.</summary>
    const int Gap = 2;

    const int MarkWidth = 1;
    const int MarkGap = 1;

    /// <param name="rows">The replicas, in order.</param>
    /// <param name="width">Width of the screen.</param>
    public static Table Of(IReadOnlyList<ReplicaStatus> rows, int width)
    {
        var columns = Fitting(rows, width);
        var table = new Table().Border(TableBorder.None).AddColumn(Column("", isNumber: false, MarkGap));
        for (var i = 0; i < columns.Count; i++)
            table.AddColumn(Column(columns[i].Title, columns[i].IsNumber, i == columns.Count - 1 ? 0 : Gap));
        foreach (var row in rows)
        {
            var (mark, style) = MarkOf(row.State);
            var figures = row.HasAnswered ? Style.Plain : new Style(decoration: Decoration.Dim);
            table.AddRow([
                new Text(mark, style),
                .. columns.Select(column => new Text(column.Text(row), column.Title == "state" ? style : figures)),
            ]);
        }
        return table;
    }

    /// <summary>The mark before a replica, and its colour. State and mark are enough without colours.</summary>
    public static (string Mark, Style Style) MarkOf(ReplicaState state) =>
        state switch
        {
            ReplicaState.Well => ("✓", new Style(Color.Green)),
            ReplicaState.Paused or ReplicaState.Waits => ("!", new Style(Color.Yellow)),
            _ => ("✗", new Style(Color.Red)),
        };

    static List<StatusColumn> Fitting(IReadOnlyList<ReplicaStatus> rows, int width)
    {
        var columns = StatusColumn.All.ToList();
        while (columns.Sum(WidthOf) + MarkWidth + MarkGap + Gap * (columns.Count - 1) > width)
        {
            var least = columns.MaxBy(column => column.LeavesAt)!;
            if (least.LeavesAt == 0)
                break;
            columns.Remove(least);
        }
        return columns;

        int WidthOf(StatusColumn column) => rows.Select(row => column.Text(row).Length).Append(column.Title.Length).Max();
    }

    static TableColumn Column(string title, bool isNumber, int gap) =>
        new(new Text(title, new Style(decoration: Decoration.Bold)))
        {
            Alignment = isNumber ? Justify.Right : Justify.Left,
            NoWrap = true,
            Padding = new Padding(0, 0, gap, 0),
        };
}

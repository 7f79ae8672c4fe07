//! The chart: rate and latency of each row against the size of the table, as an SVG written by hand. Both axes are
//! logarithmic, so that a row that doesn't mind the table's size is a level line wherever it stands.

use super::report::{Report, Round, Row, thousands};

const WIDTH: f64 = 1120.0;
const HEIGHT: f64 = 520.0;
const TOP: f64 = 60.0;
const BOTTOM: f64 = 470.0;
/// Where a panel's lines are; its labels stand to the right of them.
const PANELS: [(f64, f64); 2] = [(70.0, 330.0), (630.0, 890.0)];
/// The least distance of two labels.
const LINE: f64 = 14.0;
/// Colours that colour-blind readers can tell apart (Okabe and Ito); limits are dashed.
const COLOURS: [&str; 8] =
    ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000", "#999999"];

/// One row's points in one panel.
struct Line<'a> {
    name: &'a str,
    limit: bool,
    points: Vec<(f64, f64)>,
}

/// Draws a report.
pub fn svg(report: &Report, title: &str) -> String {
    let mut text = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{WIDTH}\" height=\"{HEIGHT}\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" \
         font-family=\"sans-serif\" font-size=\"11\">\n<rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n\
         <text x=\"20\" y=\"24\" font-size=\"15\">{}</text>\n",
        escaped(title)
    );
    panel(&mut text, "requests per second", PANELS[0], &lines(&report.rows, Row::rate));
    let p99 = |row: &Row| row.median(|round: &Round| round.p99).unwrap_or(0.0);
    panel(&mut text, "99th percentile, milliseconds", PANELS[1], &lines(&report.rows, p99));
    text.push_str("</svg>\n");
    text
}

fn lines(rows: &[Row], value: impl Fn(&Row) -> f64) -> Vec<Line<'_>> {
    let mut lines: Vec<Line<'_>> = Vec::new();
    for row in rows {
        let (users, value) = (row.users as f64, value(row));
        if users < 1.0 || value <= 0.0 {
            continue;
        }
        match lines.iter_mut().find(|line| line.name == row.name) {
            Some(line) => line.points.push((users, value)),
            None => lines.push(Line { name: &row.name, limit: row.limit, points: vec![(users, value)] }),
        }
    }
    lines
}

/// The powers of ten around some values.
fn decades(values: impl Iterator<Item = f64>) -> (i32, i32) {
    let (low, high) =
        values.fold((f64::MAX, f64::MIN), |(low, high), value| (low.min(value), high.max(value)));
    let (low, high) = (low.log10().floor() as i32, high.log10().ceil() as i32);
    (low, high.max(low + 1))
}

fn panel(text: &mut String, title: &str, (left, right): (f64, f64), lines: &[Line<'_>]) {
    if lines.is_empty() {
        return;
    }
    let points = || lines.iter().flat_map(|line| &line.points);
    let (low, high) = decades(points().map(|point| point.1));
    let sizes = points().map(|point| point.0.log10());
    let (least, most) =
        sizes.fold((f64::MAX, f64::MIN), |(least, most), size| (least.min(size), most.max(size)));
    let x = |users: f64| match most - least {
        span if span < 0.01 => f64::midpoint(left, right),
        span => left + (users.log10() - least) / span * (right - left),
    };
    let y = |value: f64| BOTTOM - (value.log10() - f64::from(low)) / f64::from(high - low) * (BOTTOM - TOP);
    text.push_str(&format!("<text x=\"{left}\" y=\"{}\" font-weight=\"bold\">{title}</text>\n", TOP - 12.0));
    for decade in low..=high {
        let (value, level) = (10f64.powi(decade), y(10f64.powi(decade)));
        let label = if value < 1.0 { value.to_string() } else { thousands(value) };
        text.push_str(&format!(
            "<path d=\"M{left} {level:.1}H{right}\" stroke=\"#ddd\"/><text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{label}</text>\n",
            left - 6.0, level + 4.0
        ));
    }
    let mut marks: Vec<f64> = points().map(|point| point.0).collect();
    marks.sort_by(f64::total_cmp);
    marks.dedup();
    for users in marks {
        text.push_str(&format!(
            "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{} users</text>\n",
            x(users),
            BOTTOM + 18.0,
            thousands(users)
        ));
    }
    let mut labels: Vec<(f64, usize)> = lines
        .iter()
        .enumerate()
        .filter_map(|(index, line)| Some((y(line.points.last()?.1), index)))
        .collect();
    labels.sort_by(|one, other| one.0.total_cmp(&other.0));
    let mut free = TOP;
    for (level, index) in labels {
        let (line, colour) = (&lines[index], COLOURS[index % COLOURS.len()]);
        let dashes = if line.limit { " stroke-dasharray=\"4 3\"" } else { "" };
        let path: Vec<String> =
            line.points.iter().map(|point| format!("{:.1} {:.1}", x(point.0), y(point.1))).collect();
        text.push_str(&format!(
            "<path d=\"M{}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"1.5\"{dashes}/>\n",
            path.join("L")
        ));
        for point in &line.points {
            text.push_str(&format!(
                "<circle cx=\"{:.1}\" cy=\"{:.1}\" r=\"3\" fill=\"{colour}\"/>\n",
                x(point.0),
                y(point.1)
            ));
        }
        let (end, value) = line.points.last().map_or((right, 0.0), |point| (x(point.0), point.1));
        let shown = if value < 10.0 { format!("{value:.2}") } else { thousands(value) };
        let place = level.max(free);
        free = place + LINE;
        text.push_str(&format!(
            "<path d=\"M{:.1} {level:.1}L{} {place:.1}\" stroke=\"{colour}\" stroke-width=\"0.5\"/><text x=\"{}\" y=\"{:.1}\" \
             fill=\"{colour}\">{}: {shown}</text>\n",
            end + 4.0, right + 14.0, right + 17.0, place + 4.0, escaped(line.name)
        ));
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::{decades, svg};
    use crate::bench::report::{Report, Round, Row};

    #[test]
    fn every_row_has_its_line_and_label() {
        let mut report = Report::default();
        for users in [1_000, 100_000] {
            for name in ["user-view", "a < b"] {
                let mut row = Row::new(name, users);
                row.rounds.push(Round { rate: 20_000.0, p50: Some(1.0), p99: Some(3.0), cpu: None });
                report.rows.push(row);
            }
        }
        let text = svg(&report, "A & B");
        assert!(
            text.contains("A &amp; B") && text.contains("a &lt; b: 20,000") && text.contains("100,000 users")
        );
        assert_eq!(text.matches("<circle").count(), 8);
        assert!(!text.contains("NaN") && !text.contains("inf"));
        assert!(svg(&Report::default(), "nothing").ends_with("</svg>\n"));
    }

    #[test]
    fn axes_span_the_values() {
        assert_eq!(decades([5.0, 20_000.0].into_iter()), (0, 5));
        assert_eq!(decades([1.0].into_iter()), (0, 1));
    }
}

//! The chart: rate and latency of each row against the number of users, as an SVG. Both axes are logarithmic, so a row
//! that is independent of the number of users is a horizontal line at any height.

use plotters::coord::Shift;
use plotters::prelude::{
    BindKeyPoints, ChartBuilder, Circle, DashedLineSeries, DrawingArea, IntoDrawingArea, IntoFont,
    IntoLogRange, LineSeries, PathElement, RGBColor, SVGBackend, TRANSPARENT, Text,
};
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{Color, FontStyle, WHITE};

use super::report::{Report, Row, thousands};

/// Width and height in pixels.
const SIZE: (u32, u32) = (1120, 520);
/// Space to the right of a panel's lines for their labels, in pixels.
const LABELS: i32 = 250;
/// Minimum distance between two labels, in pixels.
const LINE: i32 = 14;
/// Font size of all text but the headings. The SVG has about four fifths of it.
const TEXT: i32 = 14;
/// Colours that colour-blind readers can tell apart (Okabe and Ito). Lines of limits are dashed.
const COLOURS: [RGBColor; 8] = [
    RGBColor(0x00, 0x72, 0xb2),
    RGBColor(0xd5, 0x5e, 0x00),
    RGBColor(0x00, 0x9e, 0x73),
    RGBColor(0xcc, 0x79, 0xa7),
    RGBColor(0xe6, 0x9f, 0x00),
    RGBColor(0x56, 0xb4, 0xe9),
    RGBColor(0x00, 0x00, 0x00),
    RGBColor(0x99, 0x99, 0x99),
];

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;

/// One row's points in one panel.
struct Line<'a> {
    name: &'a str,
    limit: bool,
    points: Vec<(f64, f64)>,
}

/// A line's label: the end of the line in pixels, the text and the colour.
struct Label {
    end: (i32, i32),
    text: String,
    colour: RGBColor,
}

/// Draws a report.
pub fn svg(report: &Report, title: &str) -> anyhow::Result<String> {
    let mut text = String::new();
    let root = SVGBackend::with_string(&mut text, SIZE).into_drawing_area();
    root.fill(&WHITE)?;
    let panels = root.titled(title, ("sans-serif", 19))?.split_evenly((1, 2));
    let rates = lines(&report.rows, Row::rate);
    let latencies = lines(&report.rows, |row| row.median(|round| round.p99).unwrap_or(0.0));
    let headings = ["requests per second", "99th percentile, milliseconds"];
    for ((area, heading), lines) in panels.iter().zip(headings).zip([rates, latencies]) {
        if lines.is_empty() {
            continue;
        }
        let labels = panel(area, heading, &lines)?;
        let right = area.get_pixel_range().0.end - LABELS;
        write_labels(&root, right, labels)?;
    }
    root.present()?;
    drop((root, panels));
    Ok(text)
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

/// The smallest and the largest value.
fn bounds(values: impl Iterator<Item = f64>) -> (f64, f64) {
    values.fold((f64::MAX, f64::MIN), |(low, high), value| (low.min(value), high.max(value)))
}

/// The exponents of the powers of ten below and above some values.
fn decades(values: impl Iterator<Item = f64>) -> (i32, i32) {
    let (low, high) = bounds(values);
    let (low, high) = (low.log10().floor() as i32, high.log10().ceil() as i32);
    (low, high.max(low + 1))
}

/// Draws one panel and returns the labels of its lines.
fn panel(area: &Area<'_>, heading: &str, lines: &[Line<'_>]) -> anyhow::Result<Vec<Label>> {
    let points = || lines.iter().flat_map(|line| line.points.iter().copied());
    let mut sizes: Vec<f64> = points().map(|point| point.0).collect();
    sizes.sort_by(f64::total_cmp);
    sizes.dedup();
    // A little wider than the points, so that a range with one size has a width too.
    let (least, most) = bounds(sizes.iter().copied());
    let users = (least * 0.99..most * 1.01).log_scale().with_key_points(sizes);
    let (low, high) = decades(points().map(|point| point.1));
    // The factor keeps the top decade's line inside, whatever is lost in rounding.
    let values = (10f64.powi(low)..10f64.powi(high) * 1.001).log_scale();
    let mut chart = ChartBuilder::on(area)
        .caption(heading, ("sans-serif", 15).into_font().style(FontStyle::Bold))
        .margin_right(LABELS)
        .x_label_area_size(30)
        .y_label_area_size(70)
        .build_cartesian_2d(users, values)?;
    chart
        .configure_mesh()
        .disable_x_mesh()
        .light_line_style(TRANSPARENT)
        .y_labels(usize::try_from(high - low + 1)?)
        .label_style(("sans-serif", TEXT))
        .x_label_formatter(&|users| format!("{} users", thousands(*users)))
        .y_label_formatter(&|value| if *value < 1.0 { value.to_string() } else { thousands(*value) })
        .draw()?;
    let mut labels = Vec::new();
    for (line, colour) in lines.iter().zip(COLOURS.into_iter().cycle()) {
        let points = line.points.iter().copied();
        if line.limit && line.points.len() > 1 {
            chart.draw_series(DashedLineSeries::new(points.clone(), 4, 3, colour.into()))?;
        } else {
            chart.draw_series(LineSeries::new(points.clone(), colour))?;
        }
        chart.draw_series(points.map(|point| Circle::new(point, 3, colour.filled())))?;
        if let Some(end) = line.points.last() {
            let value = if end.1 < 10.0 { format!("{:.2}", end.1) } else { thousands(end.1) };
            let text = format!("{}: {value}", line.name);
            labels.push(Label { end: chart.backend_coord(end), text, colour });
        }
    }
    Ok(labels)
}

/// Writes labels beside the ends of their lines, from top to bottom, each below the one before.
fn write_labels(root: &Area<'_>, right: i32, mut labels: Vec<Label>) -> anyhow::Result<()> {
    labels.sort_by_key(|label| label.end.1);
    let mut free = 0;
    for Label { end, text, colour } in labels {
        let height = end.1.max(free);
        free = height + LINE;
        root.draw(&PathElement::new([(end.0 + 4, end.1), (right + 14, height)], colour.mix(0.5)))?;
        let style = ("sans-serif", TEXT).into_font().color(&colour);
        root.draw(&Text::new(text, (right + 17, height), style.pos(Pos::new(HPos::Left, VPos::Center))))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::report::{Report, Round, Row};
    use super::{decades, svg};

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
        let text = svg(&report, "A & B").unwrap();
        for label in ["A &amp; B", "a &lt; b: 20,000", "user-view: 3.00", "100,000 users", "\n10,000\n"] {
            assert!(text.contains(label), "{label}: {text}");
        }
        assert_eq!(text.matches("<circle").count(), 8);
        assert!(!text.contains("NaN") && !text.contains("inf"));
    }

    #[test]
    fn one_size_and_no_rows_make_a_chart_too() {
        let mut row = Row::limit("pgbench", 5_000);
        row.rounds.push(Round { rate: 20_000.0, p50: None, p99: None, cpu: None });
        let text = svg(&Report { rows: vec![row], ..Report::default() }, "one").unwrap();
        assert!(text.contains("pgbench: 20,000") && text.matches("<circle").count() == 1, "{text}");
        assert!(svg(&Report::default(), "nothing").unwrap().trim_end().ends_with("</svg>"));
    }

    #[test]
    fn axes_span_the_values() {
        assert_eq!(decades([5.0, 20_000.0].into_iter()), (0, 5));
        assert_eq!(decades([1.0].into_iter()), (0, 1));
    }
}

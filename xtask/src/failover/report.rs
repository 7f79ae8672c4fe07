//! The table at the end of a run, and the final check.

use std::time::Duration;

use anyhow::bail;

use super::events::Happened;
use super::load::{Figures, Journal, LIMIT};

/// Maximum number of entries of a kind that are shown.
const SHOWN: usize = 10;

/// The table, in Markdown.
pub fn table(happened: &[Happened], journal: &Journal) -> String {
    let mut text = String::from(
        "| event | write gap, s | read gap, s | requests | 503s | others | slowest, s | acknowledged writes | stale | lost |\n\
         |---|---:|---:|---:|---:|---:|---:|---:|---:|---:|\n",
    );
    let mut total = journal.total();
    // Gaps count from the first event on.
    (total.write_gap, total.read_gap) = (Duration::ZERO, Duration::ZERO);
    for event in happened {
        let figures = event.figures(journal);
        text.push_str(&row(&event.name, &figures));
        total.write_gap = total.write_gap.max(figures.write_gap);
        total.read_gap = total.read_gap.max(figures.read_gap);
    }
    text.push_str(&row("the whole run", &total));
    text
}

fn row(name: &str, figures: &Figures) -> String {
    let Figures { requests, unavailable, others, acknowledged, stale, lost, .. } = figures;
    format!(
        "| {name} | {:.1} | {:.1} | {requests} | {unavailable} | {others} | {:.2} | {acknowledged} | {stale} | {lost} |\n",
        figures.write_gap.as_secs_f64(),
        figures.read_gap.as_secs_f64(),
        figures.slowest.as_secs_f64(),
    )
}

/// Lost and stale data, unexpected outcomes and late responses, one per line.
pub fn faults(journal: &Journal) -> String {
    let (stale, lost) = journal.broken();
    let mut text = String::new();
    for (title, broken) in [("lost", lost), ("stale", stale)] {
        for one in broken.iter().take(SHOWN) {
            text.push_str(&format!("{title}, {:.1} s: {}\n", one.at.as_secs_f64(), one.what));
        }
        if broken.len() > SHOWN {
            text.push_str(&format!("{title}: {} more\n", broken.len() - SHOWN));
        }
    }
    for (title, others) in [("other", journal.others()), ("late", journal.late())] {
        for (what, other) in others {
            let [first, slowest] = [other.first, other.slowest].map(|time| time.as_secs_f64());
            text.push_str(&format!(
                "{title}, {} times, first at {first:.1} s, within {slowest:.2} s: {what}\n",
                other.count
            ));
        }
    }
    text
}

/// Fails if data were lost or stale, or if a response was late or unexpected.
pub fn check(journal: &Journal) -> anyhow::Result<()> {
    let all = journal.total();
    let late: u32 = journal.late().iter().map(|(_, other)| other.count).sum();
    if all.lost + all.stale + all.others > 0 || late > 0 {
        bail!(
            "{} acknowledged changes lost, {} stale responses, {} responses later than {} s, {} neither a success nor a \
             503 with Retry-After",
            all.lost,
            all.stale,
            late,
            LIMIT.as_secs(),
            all.others
        );
    }
    if all.acknowledged == 0 {
        bail!("no change was acknowledged");
    }
    Ok(())
}

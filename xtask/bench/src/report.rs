//! Results of a run, as a table for people and as JSON for programs.

use serde_json::{Value, json};

use super::load::Outcome;
use super::process::{Cpu, Memory};

/// One round of one row.
#[derive(Clone, Copy, Debug)]
pub struct Round {
    /// Requests (or transactions, or hashes) per second.
    pub rate: f64,
    /// Median latency in milliseconds, where it is known.
    pub p50: Option<f64>,
    /// 99th percentile of the latency in milliseconds, where it is known.
    pub p99: Option<f64>,
    /// Processor time per request, in microseconds.
    pub cpu: Option<Cpu>,
}

impl Round {
    /// Converts a measurement of the load generator and the processor time spent meanwhile.
    pub fn of(outcome: &Outcome, cpu: Cpu) -> Self {
        let milliseconds = |quantile: f64| Some(outcome.latency.value_at_quantile(quantile) as f64 / 1e6);
        Self {
            rate: outcome.rate(),
            p50: milliseconds(0.50),
            p99: milliseconds(0.99),
            cpu: Some(per_item(cpu, outcome.responses as f64)),
        }
    }

    /// Round with a rate only, and with processor time where that is known.
    pub fn rate(rate: f64, cpu: Option<(Cpu, f64)>) -> Self {
        Self { rate, p50: None, p99: None, cpu: cpu.map(|(cpu, items)| per_item(cpu, items)) }
    }
}

fn per_item(cpu: Cpu, items: f64) -> Cpu {
    let micros = |seconds: f64| seconds * 1e6 / items.max(1.0);
    Cpu { server: micros(cpu.server), postgres: micros(cpu.postgres), driver: micros(cpu.driver) }
}

/// Everything measured under one name at one table size.
#[derive(Clone, Debug)]
pub struct Row {
    /// Name of the row.
    pub name: String,
    /// Number of users in the table.
    pub users: u64,
    /// True for a limit of the machine, false for a measurement of Rollcall.
    pub limit: bool,
    /// Rounds, in the order of measurement.
    pub rounds: Vec<Round>,
}

impl Row {
    /// Creates a row without rounds.
    pub fn new(name: impl Into<String>, users: u64) -> Self {
        Self { name: name.into(), users, limit: false, rounds: Vec::new() }
    }

    /// Creates a row without rounds for a limit of the machine.
    pub fn limit(name: impl Into<String>, users: u64) -> Self {
        Self { limit: true, ..Self::new(name, users) }
    }

    /// The median of the rounds' rates.
    pub fn rate(&self) -> f64 {
        self.median(|round| Some(round.rate)).unwrap_or(0.0)
    }

    /// The median of a value over the rounds that have it.
    pub fn median(&self, of: impl Fn(&Round) -> Option<f64>) -> Option<f64> {
        let mut values: Vec<f64> = self.rounds.iter().filter_map(of).collect();
        values.sort_by(f64::total_cmp);
        let middle = values.len() / 2;
        match values.len() {
            0 => None,
            even if even % 2 == 0 => Some(f64::midpoint(values[middle - 1], values[middle])),
            _ => Some(values[middle]),
        }
    }

    fn json(&self) -> Value {
        json!({
            "name": self.name, "users": self.users, "limit": self.limit, "rate": self.rate(),
            "p50_ms": self.median(|round| round.p50), "p99_ms": self.median(|round| round.p99),
            "server_cpu_us": self.median(|round| Some(round.cpu?.server)),
            "postgres_cpu_us": self.median(|round| Some(round.cpu?.postgres)),
            "driver_cpu_us": self.median(|round| Some(round.cpu?.driver)),
            "rates": self.rounds.iter().map(|round| round.rate).collect::<Vec<f64>>(),
        })
    }
}

/// A single figure.
#[derive(Clone, Debug)]
pub struct Fact {
    /// Name with the unit.
    pub name: String,
    /// Number of users in the table.
    pub users: u64,
    /// The figure.
    pub value: f64,
    /// Goal in words; empty without one.
    pub goal: &'static str,
}

/// A whole run.
#[derive(Debug, Default)]
pub struct Report {
    /// Measurements and limits.
    pub rows: Vec<Row>,
    /// Ratios, memory, times.
    pub facts: Vec<Fact>,
    /// Number of users in the table, for facts that are added.
    pub users: u64,
    /// Remarks that a reader needs to judge the figures.
    pub notes: Vec<String>,
}

impl Report {
    /// Adds a fact about the current table size.
    pub fn fact(&mut self, name: impl Into<String>, value: f64, goal: &'static str) {
        self.facts.push(Fact { name: name.into(), users: self.users, value, goal });
    }

    /// Adds the server's memory.
    pub fn memory(&mut self, when: &str, memory: Memory, goal: &'static str) {
        self.fact(format!("server's memory {when}, resident MiB"), memory.resident, goal);
        self.fact(format!("server's memory {when}, peak MiB"), memory.peak, "");
    }

    /// The report for programs.
    pub fn json(&self) -> Value {
        json!({
            "rows": self.rows.iter().map(Row::json).collect::<Vec<_>>(),
            "facts": self.facts.iter().map(|fact| json!({ "name": fact.name, "users": fact.users, "value": fact.value, "goal": fact.goal }))
                .collect::<Vec<_>>(),
            "notes": self.notes,
        })
    }

    /// The report for people.
    pub fn text(&self) -> String {
        let mut text = format!(
            "\n{:<54} {:>9} {:>10} {:>8} {:>8} {:>9} {:>9} {:>9}\n",
            "", "users", "rate/s", "p50 ms", "p99 ms", "server us", "pg us", "driver us"
        );
        for row in &self.rows {
            let name = if row.limit { format!("  limit: {}", row.name) } else { row.name.clone() };
            text.push_str(&format!(
                "{name:<54} {:>9} {:>10} {:>8} {:>8} {:>9} {:>9} {:>9}\n",
                thousands(row.users as f64),
                thousands(row.rate()),
                cell(row.median(|round| round.p50), 2),
                cell(row.median(|round| round.p99), 2),
                cell(row.median(|round| Some(round.cpu?.server)), 1),
                cell(row.median(|round| Some(round.cpu?.postgres)), 1),
                cell(row.median(|round| Some(round.cpu?.driver)), 1),
            ));
        }
        text.push_str("(medians of the rounds; us: processor time per request, in microseconds)\n\n");
        for fact in &self.facts {
            let goal = if fact.goal.is_empty() { String::new() } else { format!("   (goal: {})", fact.goal) };
            text.push_str(&format!(
                "{:<54} {:>9} {:>10.2}{goal}\n",
                fact.name,
                thousands(fact.users as f64),
                fact.value
            ));
        }
        for note in &self.notes {
            text.push_str(&format!("note: {note}\n"));
        }
        text
    }
}

fn cell(value: Option<f64>, digits: usize) -> String {
    value.filter(|value| *value > 0.0).map_or_else(|| "-".to_owned(), |value| format!("{value:.digits$}"))
}

/// Formats a number with commas between thousands; below a hundred with one decimal.
pub fn thousands(value: f64) -> String {
    if value < 100.0 {
        return format!("{value:.1}").trim_end_matches(".0").to_owned();
    }
    let digits = format!("{value:.0}");
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index) % 3 == 0 {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::{Report, Round, Row, thousands};

    #[test]
    fn the_table_shows_medians() {
        let mut row = Row::new("user-view", 1000);
        row.rounds = [10.0, 30.0, 20_000.0].map(|rate| Round::rate(rate, None)).to_vec();
        assert_eq!(row.rate(), 30.0);
        row.rounds.pop();
        assert_eq!(row.rate(), 20.0);
        assert_eq!(row.median(|round| round.p99), None);
        let mut report = Report { rows: vec![row], ..Report::default() };
        report.fact("ratio", 0.5, "at least 0.5");
        assert!(report.text().contains("user-view") && report.text().contains("(goal: at least 0.5)"));
        assert_eq!(report.json()["rows"][0]["rate"], 20.0);
    }

    #[test]
    fn large_numbers_are_readable() {
        assert_eq!(
            [0.0, 54.25, 100.0, 1234.5, 1_234_567.0].map(thousands),
            ["0", "54.2", "100", "1,234", "1,234,567"]
        );
    }
}

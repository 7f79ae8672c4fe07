//! Patterns with wildcards: `*` is any run of characters, `?` exactly one.

/// A pattern.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pattern(pub Vec<Part>);

/// A piece of a pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    /// These characters.
    Text(String),
    /// `*`
    Many,
    /// `?`
    One,
}

impl Pattern {
    /// A pattern without wildcards.
    pub fn text(text: impl Into<String>) -> Self {
        Self(vec![Part::Text(text.into())])
    }

    /// Adds a character that stands for itself.
    pub fn push(&mut self, character: char) {
        match self.0.last_mut() {
            Some(Part::Text(text)) => text.push(character),
            _ => self.0.push(Part::Text(character.to_string())),
        }
    }

    /// The text, where it has no wildcards.
    pub fn plain(&self) -> Option<&str> {
        match self.0.as_slice() {
            [Part::Text(text)] => Some(text),
            _ => None,
        }
    }

    /// Whether it has no character and no wildcard.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The longest run of characters without a wildcard in it, in characters.
    pub fn longest(&self) -> usize {
        self.0
            .iter()
            .map(|part| if let Part::Text(text) = part { text.chars().count() } else { 0 })
            .max()
            .unwrap_or(0)
    }

    /// The pattern with its characters folded. Runs of which nothing remains are left out.
    pub fn folded(&self, fold: impl Fn(&str) -> String) -> Self {
        let parts = self.0.iter().map(|part| match part {
            Part::Text(text) => Part::Text(fold(text)),
            wildcard => wildcard.clone(),
        });
        Self(parts.filter(|part| !matches!(part, Part::Text(text) if text.is_empty())).collect())
    }

    /// As SQL's LIKE takes it, with the backslash as the escape.
    pub fn like(&self) -> String {
        self.0
            .iter()
            .map(|part| match part {
                Part::Text(text) => escaped(text),
                Part::Many => "%".to_owned(),
                Part::One => "_".to_owned(),
            })
            .collect()
    }
}

/// A text that stands for itself in LIKE.
pub fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        if matches!(character, '\\' | '%' | '_') {
            escaped.push('\\');
        }
        escaped.push(character);
    }
    escaped
}

//! Patterns with wildcards: `*` is any run of characters, `?` exactly one.

/// A sequence of texts and wildcards.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pattern(pub Vec<Part>);

/// An element of a pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    /// Literal text.
    Text(String),
    /// `*`
    Many,
    /// `?`
    One,
}

impl Pattern {
    /// Creates a pattern without wildcards.
    pub fn text(text: impl Into<String>) -> Self {
        Self(vec![Part::Text(text.into())])
    }

    /// Appends a literal character.
    pub fn push(&mut self, character: char) {
        match self.0.last_mut() {
            Some(Part::Text(text)) => text.push(character),
            _ => self.0.push(Part::Text(character.to_string())),
        }
    }

    /// Returns the text of a pattern without wildcards.
    pub fn plain(&self) -> Option<&str> {
        match self.0.as_slice() {
            [Part::Text(text)] => Some(text),
            _ => None,
        }
    }

    /// Returns true if the pattern has no characters and no wildcards.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Length of the longest run without wildcards, in characters.
    pub fn longest(&self) -> usize {
        self.0
            .iter()
            .map(|part| if let Part::Text(text) = part { text.chars().count() } else { 0 })
            .max()
            .unwrap_or(0)
    }

    /// Folds the literal text. Runs that fold to nothing are dropped.
    pub fn folded(&self, fold: impl Fn(&str) -> String) -> Self {
        let parts = self.0.iter().map(|part| match part {
            Part::Text(text) => Part::Text(fold(text)),
            wildcard => wildcard.clone(),
        });
        Self(parts.filter(|part| !matches!(part, Part::Text(text) if text.is_empty())).collect())
    }

    /// Renders the pattern for SQL's `LIKE`, with the backslash as the escape character.
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

/// Escapes a text so that SQL's `LIKE` matches it literally.
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

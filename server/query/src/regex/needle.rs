//! The longest run of characters that every match contains.

use regex_syntax::ast::{Ast, RepetitionKind, RepetitionRange};

/// Minimum length that a trigram index can find.
const LEAST: usize = 3;

/// Returns the longest run, if a trigram index can find it.
pub(super) fn needle(ast: &Ast) -> Option<String> {
    let mut runs = Runs::default();
    runs.walk(ast);
    runs.end();
    Some(runs.longest).filter(|run| run.len() >= LEAST)
}

/// The current run, and the longest so far.
#[derive(Default)]
struct Runs {
    current: String,
    longest: String,
}

impl Runs {
    fn walk(&mut self, ast: &Ast) {
        match ast {
            // Indexes hold folded text, and folding can change characters next to non-ASCII ones.
            Ast::Literal(literal) if literal.c.is_ascii() => self.current.push(literal.c),
            Ast::Concat(concat) => concat.asts.iter().for_each(|part| self.walk(part)),
            Ast::Group(group) => self.walk(&group.ast),
            Ast::Repetition(repetition) if at_least_once(&repetition.op.kind) => {
                self.walk(&repetition.ast);
                self.end();
            }
            // Assertions match no characters.
            Ast::Assertion(_) | Ast::Flags(_) | Ast::Empty(_) => {}
            _ => self.end(),
        }
    }

    fn end(&mut self) {
        let run = std::mem::take(&mut self.current);
        if run.len() > self.longest.len() {
            self.longest = run;
        }
    }
}

fn at_least_once(kind: &RepetitionKind) -> bool {
    match kind {
        RepetitionKind::ZeroOrOne | RepetitionKind::ZeroOrMore => false,
        RepetitionKind::OneOrMore => true,
        RepetitionKind::Range(range) => {
            let (RepetitionRange::Exactly(least)
            | RepetitionRange::AtLeast(least)
            | RepetitionRange::Bounded(least, _)) = range;
            *least > 0
        }
    }
}

//! The longest run of characters that every match has.

use regex_syntax::ast::{Ast, RepetitionKind, RepetitionRange};

/// An index of trigrams finds no less.
const LEAST: usize = 3;

/// The longest run, where it is long enough to be looked for.
pub(super) fn needle(ast: &Ast) -> Option<String> {
    let mut runs = Runs::default();
    runs.walk(ast);
    runs.end();
    Some(runs.longest).filter(|run| run.len() >= LEAST)
}

/// The run that is being read, and the longest so far.
#[derive(Default)]
struct Runs {
    current: String,
    longest: String,
}

impl Runs {
    fn walk(&mut self, ast: &Ast) {
        match ast {
            // Indexes hold folded text, in which neighbours beyond ASCII can become something else.
            Ast::Literal(literal) if literal.c.is_ascii() => self.current.push(literal.c),
            Ast::Concat(concat) => concat.asts.iter().for_each(|part| self.walk(part)),
            Ast::Group(group) => self.walk(&group.ast),
            Ast::Repetition(repetition) if at_least_once(&repetition.op.kind) => {
                self.walk(&repetition.ast);
                self.end();
            }
            // They take no room.
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

//! Rejects regular expressions that Postgres takes long to compile or much memory to match. Both grow with the size of the
//! expression after expanding counted repetitions: `(ab?){3}` is `ab?ab?ab?`, six characters, three of them optional.

use regex_syntax::ast::{Ast, RepetitionKind, RepetitionRange};

/// Maximum size of the expanded expression, in characters; the automaton has as many states.
pub(crate) const SIZE_MAX: u32 = 1000;
/// Maximum number of optional parts (`?`, `*`, `{0,…}`) of the expanded expression. The time to compile grows with the cube of
/// their number: Postgres 15 needs at most 0.3 s for 20, 0.8 s for 30, and more than 20 s for 1000.
pub(crate) const OPTIONAL_MAX: u32 = 20;

/// Returns an error message if the expression exceeds a limit.
pub(super) fn excess(ast: &Ast) -> Option<String> {
    let cost = of(ast, 1);
    if cost.size > SIZE_MAX {
        return Some(format!(
            "too costly: with its repetitions written out it has {} characters, more than {SIZE_MAX}; repeat less",
            cost.size
        ));
    }
    (cost.optional > OPTIONAL_MAX).then(|| {
        format!(
            "too costly: with its repetitions written out it has {} optional parts (?, *, {{0,…}}), more than \
             {OPTIONAL_MAX}; use fewer",
            cost.optional
        )
    })
}

#[derive(Clone, Copy, Default)]
struct Cost {
    size: u32,
    optional: u32,
}

impl Cost {
    fn and(self, other: Self) -> Self {
        Self {
            size: self.size.saturating_add(other.size),
            optional: self.optional.saturating_add(other.optional),
        }
    }
}

/// Computes the cost of a node that occurs `times` times.
fn of(ast: &Ast, times: u32) -> Cost {
    let sum = |parts: &[Ast]| parts.iter().fold(Cost::default(), |cost, part| cost.and(of(part, times)));
    match ast {
        Ast::Concat(concat) => sum(&concat.asts),
        Ast::Alternation(choice) => sum(&choice.asts),
        Ast::Group(group) => of(&group.ast, times),
        Ast::Repetition(repetition) => {
            let (most, optional) = match &repetition.op.kind {
                RepetitionKind::ZeroOrOne | RepetitionKind::ZeroOrMore => (1, true),
                RepetitionKind::OneOrMore => (1, false),
                RepetitionKind::Range(range) => match *range {
                    RepetitionRange::Exactly(most) => (most, most == 0),
                    RepetitionRange::AtLeast(least) => (least, least == 0),
                    RepetitionRange::Bounded(least, most) => (most, least == 0),
                },
            };
            let inner = of(&repetition.ast, times.saturating_mul(most.max(1)));
            inner.and(Cost { size: 0, optional: if optional { times } else { 0 } })
        }
        // `^` and `$` match no characters; if repeated, they cost as much as optional parts.
        Ast::Assertion(_) => Cost { size: times, optional: times - 1 },
        Ast::Empty(_) | Ast::Flags(_) => Cost::default(),
        Ast::Literal(_) | Ast::Dot(_) | Ast::ClassUnicode(_) | Ast::ClassPerl(_) | Ast::ClassBracketed(_) => {
            Cost { size: times, optional: 0 }
        }
    }
}

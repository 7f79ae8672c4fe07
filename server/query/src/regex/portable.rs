//! Rejects syntax that Postgres and Rust interpret differently or that one of them lacks, and repetitions that cost too much.

use regex_syntax::ast::{
    self, AssertionKind, Ast, ClassSet, ClassSetItem, FlagsItemKind, GroupKind, LiteralKind, RepetitionKind,
    RepetitionRange, Span, SpecialLiteralKind,
};

use super::Flaw;

/// Maximum count of a repetition in Postgres.
const REPEAT_MAX: u32 = 255;
/// Maximum product of the counts of nested repetitions, which determines time and memory.
const PRODUCT_MAX: u32 = 1000;

type Checked = Result<(), Flaw>;

/// Validates a whole regular expression.
pub(super) fn check(text: &str, ast: &Ast) -> Checked {
    Check { text, product: 1 }.piece(ast)
}

fn flaw(span: Span, message: impl Into<String>) -> Checked {
    Err(Flaw { span, message: message.into() })
}

/// State of the walk through the syntax tree.
#[derive(Clone, Copy)]
struct Check<'a> {
    text: &'a str,
    /// Product of the counts of the repetitions around this node.
    product: u32,
}

impl Check<'_> {
    fn piece(self, ast: &Ast) -> Checked {
        match ast {
            Ast::Dot(_) | Ast::ClassPerl(_) => Ok(()),
            Ast::Literal(found) => literal(found),
            Ast::Concat(concat) => {
                let parts = match concat.asts.as_slice() {
                    [Ast::Flags(flags), rest @ ..] if ignores_case(flags) => rest,
                    parts => parts,
                };
                parts.iter().try_for_each(|part| self.piece(part))
            }
            Ast::Alternation(choice) => choice.asts.iter().try_for_each(|part| self.piece(part)),
            Ast::Group(group) => match &group.kind {
                GroupKind::CaptureIndex(_) => self.piece(&group.ast),
                GroupKind::NonCapturing(flags) if flags.items.is_empty() => self.piece(&group.ast),
                _ => flaw(group.span, "groups are written (…) or (?:…)"),
            },
            Ast::Repetition(repetition) => self.repetition(repetition),
            Ast::ClassBracketed(class) => bracketed(class),
            Ast::Assertion(assertion) => match assertion.kind {
                AssertionKind::StartLine | AssertionKind::EndLine => Ok(()),
                _ => flaw(assertion.span, "the only places to ask for are ^ and $"),
            },
            Ast::Empty(span) => flaw(**span, "expected something to match"),
            Ast::Flags(flags) if ignores_case(flags) => {
                flaw(flags.span, "expected something to match behind (?i)")
            }
            Ast::Flags(flags) => flaw(flags.span, "the only option is (?i), at the very start"),
            Ast::ClassUnicode(class) => {
                flaw(class.span, "classes are written […], [[:alpha:]], \\d, \\s or \\w")
            }
        }
    }

    fn repetition(self, repetition: &ast::Repetition) -> Checked {
        let span = repetition.op.span;
        if matches!(*repetition.ast, Ast::Repetition(_)) {
            return flaw(span, "a repetition can't be repeated without a group around it");
        }
        if matches!(*repetition.ast, Ast::Assertion(_)) {
            return flaw(span, "^ and $ can't be repeated");
        }
        // Postgres treats braces with spaces in them as literals.
        let written = self.text.get(span.start.offset..span.end.offset).unwrap_or_default();
        if written.contains(char::is_whitespace) {
            return flaw(span, "a repetition must not have spaces in it");
        }
        let RepetitionKind::Range(range) = &repetition.op.kind else { return self.piece(&repetition.ast) };
        let (RepetitionRange::Exactly(most)
        | RepetitionRange::AtLeast(most)
        | RepetitionRange::Bounded(_, most)) = *range;
        if most > REPEAT_MAX {
            return flaw(span, format!("a repetition must not ask for more than {REPEAT_MAX} times"));
        }
        let product = self.product * most.max(1);
        if product > PRODUCT_MAX {
            return flaw(
                span,
                format!("too costly: nested repetitions must not multiply to more than {PRODUCT_MAX}"),
            );
        }
        Self { product, ..self }.piece(&repetition.ast)
    }
}

/// Returns true for `(?i)`, which is allowed only at the very start.
fn ignores_case(flags: &ast::SetFlags) -> bool {
    flags.span.start.offset == 0
        && matches!(flags.flags.items.as_slice(), [item] if item.kind == FlagsItemKind::Flag(ast::Flag::CaseInsensitive))
}

fn literal(literal: &ast::Literal) -> Checked {
    match literal.kind {
        LiteralKind::Verbatim | LiteralKind::Meta | LiteralKind::Superfluous => Ok(()),
        LiteralKind::Special(SpecialLiteralKind::Tab | SpecialLiteralKind::LineFeed) => Ok(()),
        _ => flaw(
            literal.span,
            "expected the character itself; the only letters behind a backslash are d, s, w, D, S, W, t, n",
        ),
    }
}

fn bracketed(class: &ast::ClassBracketed) -> Checked {
    let ClassSet::Item(item) = &class.kind else {
        return flaw(class.span, "&&, -- and ~~ can't be used in brackets");
    };
    let items = match item {
        ClassSetItem::Union(union) => union.items.as_slice(),
        item => std::slice::from_ref(item),
    };
    items.iter().try_for_each(class_item)?;
    // In other positions Postgres parses it as a range.
    let mut hyphens = items.iter().enumerate().filter(|(_, item)| is_hyphen(item));
    match (hyphens.next(), hyphens.next()) {
        (None, _) => Ok(()),
        (Some((index, _)), None) if index == 0 || index + 1 == items.len() => Ok(()),
        (Some((_, item)), _) => {
            flaw(*item.span(), "in brackets - must be the first or the last, or be written \\-")
        }
    }
}

fn is_hyphen(item: &ClassSetItem) -> bool {
    matches!(item, ClassSetItem::Literal(literal) if literal.c == '-' && literal.kind == LiteralKind::Verbatim)
}

fn class_item(item: &ClassSetItem) -> Checked {
    match item {
        ClassSetItem::Perl(_) => Ok(()),
        ClassSetItem::Literal(found) => literal(found),
        // Together with the next character, Postgres parses it as the start of a class name.
        ClassSetItem::Range(range) if range.end.c == '[' && range.end.kind == LiteralKind::Verbatim => {
            flaw(range.end.span, "[ in brackets is written \\[")
        }
        ClassSetItem::Range(range) => literal(&range.start).and_then(|()| literal(&range.end)),
        ClassSetItem::Ascii(class) if class.negated => {
            flaw(class.span, "a class is negated by ^ in front of it all, as in [^[:alpha:]]")
        }
        ClassSetItem::Ascii(_) => Ok(()),
        ClassSetItem::Unicode(class) => {
            flaw(class.span, "classes in brackets are \\d, \\s, \\w and those of POSIX, such as [:alpha:]")
        }
        ClassSetItem::Bracketed(class) => flaw(class.span, "[ in brackets is written \\["),
        ClassSetItem::Empty(_) | ClassSetItem::Union(_) => {
            flaw(*item.span(), "expected characters in the brackets")
        }
    }
}

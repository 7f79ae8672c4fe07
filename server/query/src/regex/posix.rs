//! Expansion of POSIX classes, whose members depend on the database's locale in Postgres and are ASCII elsewhere.

use regex_syntax::ast::{self, Ast, ClassAscii, ClassAsciiKind, ClassSetItem, Visitor};

/// Expands every class of the expression to its members.
pub(super) fn written_out(text: &str, ast: &Ast) -> String {
    ast::visit(ast, WrittenOut { text, done: 0, written: String::with_capacity(text.len()) })
        .unwrap_or_else(|never| match never {})
}

struct WrittenOut<'a> {
    text: &'a str,
    /// Number of bytes already written.
    done: usize,
    written: String,
}

impl WrittenOut<'_> {
    fn up_to(&mut self, byte: usize) {
        self.written.push_str(self.text.get(self.done..byte).unwrap_or_default());
        self.done = byte;
    }
}

impl Visitor for WrittenOut<'_> {
    type Output = String;
    type Err = std::convert::Infallible;

    fn finish(mut self) -> Result<String, Self::Err> {
        self.up_to(self.text.len());
        Ok(self.written)
    }

    fn visit_class_set_item_pre(&mut self, item: &ClassSetItem) -> Result<(), Self::Err> {
        if let ClassSetItem::Ascii(ClassAscii { span, kind, .. }) = item {
            self.up_to(span.start.offset);
            self.written.push_str(members(kind));
            self.done = span.end.offset;
        }
        Ok(())
    }
}

/// Members of a class, for use between brackets. Only escapes that Postgres and Rust share.
fn members(kind: &ClassAsciiKind) -> &'static str {
    match kind {
        ClassAsciiKind::Alnum => "0-9A-Za-z",
        ClassAsciiKind::Alpha => "A-Za-z",
        // Text in the database contains no NUL.
        ClassAsciiKind::Ascii => r"\u0001-\u007F",
        ClassAsciiKind::Blank => r" \t",
        ClassAsciiKind::Cntrl => r"\u0001-\u001F\u007F",
        ClassAsciiKind::Digit => "0-9",
        ClassAsciiKind::Graph => "!-~",
        ClassAsciiKind::Lower => "a-z",
        ClassAsciiKind::Print => " -~",
        ClassAsciiKind::Punct => r"!-/:-@\[\\\]\^_`{-~",
        ClassAsciiKind::Space => r" \t\n\v\f\r",
        ClassAsciiKind::Upper => "A-Z",
        ClassAsciiKind::Word => "0-9A-Za-z_",
        ClassAsciiKind::Xdigit => "0-9A-Fa-f",
    }
}

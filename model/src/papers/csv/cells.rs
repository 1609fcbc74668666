//! Cells of a CSV text with the line and column at which each begins.

/// A line of cells; a cell may hold line breaks, so lines of the text are counted apart.
#[derive(Clone)]
pub(super) struct Row(Vec<Cell>);

#[derive(Clone)]
struct Cell {
    line: usize,
    column: usize,
    text: String,
}

impl Row {
    pub(super) const fn len(&self) -> usize {
        self.0.len()
    }

    /// The text of a cell, without blanks around it.
    pub(super) fn text(&self, at: usize) -> &str {
        self.0.get(at).map_or("", |cell| cell.text.trim())
    }

    /// Line and column of a cell, from 1.
    pub(super) fn place(&self, at: usize) -> (usize, usize) {
        self.0
            .get(at)
            .map_or((0, 0), |cell| (cell.line, cell.column))
    }

    fn is_blank(&self) -> bool {
        matches!(self.0.as_slice(), [cell] if cell.text.trim().is_empty())
    }
}

/// All lines that are not blank, or the place of a quotation mark that is never closed.
pub(super) fn rows(text: &str) -> Result<Vec<Row>, (usize, usize)> {
    let mut reader = Reader {
        rest: text,
        line: 1,
        column: 1,
    };
    let mut rows = Vec::new();
    while !reader.rest.is_empty() {
        let row = reader.row()?;
        if !row.is_blank() {
            rows.push(row);
        }
    }
    Ok(rows)
}

struct Reader<'a> {
    rest: &'a str,
    line: usize,
    column: usize,
}

impl Reader<'_> {
    fn next(&mut self) -> Option<char> {
        let mut chars = self.rest.chars();
        let char = chars.next()?;
        self.rest = chars.as_str();
        if char == '\n' {
            (self.line, self.column) = (self.line + 1, 1);
        } else {
            self.column += 1;
        }
        Some(char)
    }

    fn row(&mut self) -> Result<Row, (usize, usize)> {
        let mut cells = Vec::new();
        loop {
            let (line, column) = (self.line, self.column);
            let text = if self.rest.starts_with('"') {
                self.quoted()?
            } else {
                String::new()
            };
            let (text, more) = self.until_separator(text);
            cells.push(Cell { line, column, text });
            if !more {
                return Ok(Row(cells));
            }
        }
    }

    /// A cell in quotation marks; two of them stand for one.
    fn quoted(&mut self) -> Result<String, (usize, usize)> {
        let opened = (self.line, self.column);
        self.next();
        let mut text = String::new();
        while let Some(char) = self.next() {
            match char {
                '"' if self.rest.starts_with('"') => {
                    self.next();
                    text.push('"');
                }
                '"' => return Ok(text),
                _ => text.push(char),
            }
        }
        Err(opened)
    }

    /// The rest of a cell, and whether another cell follows on the line.
    fn until_separator(&mut self, mut text: String) -> (String, bool) {
        while let Some(char) = self.next() {
            match char {
                ',' => return (text, true),
                '\n' => return (text, false),
                '\r' if self.rest.starts_with('\n') => {}
                _ => text.push(char),
            }
        }
        (text, false)
    }
}

//! Where a change of a tree goes in its text.

use std::ops::Range;

use serde_json::{Map, Value};

use super::{refuse, wrapped};
use crate::{
    Result,
    definition::{
        tree::{Entry, Kind, Node, Style},
        write,
    },
};

/// Ranges of a text and what takes their place; an empty range is an insertion.
pub type Patches = Vec<(Range<usize>, String)>;

/// Where a node stands in what holds it.
#[derive(Clone, Copy)]
enum Holder<'n> {
    Nothing,
    Map(&'n Node, &'n Entry),
    /// A list, and the place of the item in it.
    List(&'n Node, usize),
}

/// A text, its tree, and by how much it indents.
pub struct Editor<'t> {
    pub text: &'t str,
    pub root: &'t Node,
    pub step: usize,
}

impl<'t> Editor<'t> {
    /// What must be changed in the text so that `parts` holds `value`, or nothing.
    pub fn patches(&self, parts: &[String], value: Option<&Value>) -> Result<Patches> {
        let mut chain: Vec<(Holder<'t>, &'t Node)> = vec![(Holder::Nothing, self.root)];
        let mut rest = parts;
        while let (Some((part, more)), Some((_, node))) = (rest.split_first(), chain.last()) {
            let next = match &node.kind {
                Kind::Map { .. } => node.entry(part).map(|entry| (Holder::Map(node, entry), &*entry.value)),
                Kind::List { .. } => {
                    part.parse().ok().and_then(|index| node.item(index).map(|item| (Holder::List(node, index), &**item)))
                }
                Kind::Alias(_) => {
                    return Err(refuse("The place is shared with another one")
                        .why(format!("line {} is an alias; a change would show in both", node.line))
                        .next("Change it in the text"));
                }
                Kind::Scalar { .. } => None,
            };
            let Some(next) = next else { break };
            chain.push(next);
            rest = more;
        }
        let (holder, node) = chain.last().copied().unwrap_or((Holder::Nothing, self.root));
        match (value, rest.split_first()) {
            (None, _) => self.remove(&chain),
            (Some(value), None) => self.replace(holder, node, value),
            (Some(value), Some((part, more))) => match &node.kind {
                Kind::Map { .. } => self.insert(holder, node, Some(part), &wrapped(more, value.clone())),
                Kind::List { .. } => self.insert(holder, node, None, &wrapped(more, value.clone())),
                _ => self.replace(holder, node, &wrapped(rest, value.clone())),
            },
        }
    }

    // Places in the text.

    fn line_start(&self, at: usize) -> usize {
        self.text[..at].rfind('\n').map_or(0, |newline| newline + 1)
    }

    /// The end of the line, before its `\n` or `\r\n`.
    fn line_end(&self, at: usize) -> usize {
        let end = self.text[at..].find('\n').map_or(self.text.len(), |newline| at + newline);
        if end > at && self.text[..end].ends_with('\r') { end - 1 } else { end }
    }

    /// Behind the end of the line.
    fn next_line(&self, at: usize) -> usize {
        self.text[at..].find('\n').map_or(self.text.len(), |newline| at + newline + 1)
    }

    fn is_first_on_line(&self, at: usize) -> bool {
        self.text[self.line_start(at)..at].trim().is_empty()
    }

    /// The next character that is no blank, line break or comment.
    fn skip(&self, mut at: usize) -> usize {
        let bytes = self.text.as_bytes();
        while let Some(byte) = bytes.get(at) {
            match byte {
                b' ' | b'\t' | b'\n' | b'\r' => at += 1,
                b'#' if at == 0 || bytes[at - 1].is_ascii_whitespace() => at = self.line_end(at),
                _ => break,
            }
        }
        at
    }

    /// Behind the colon of an entry; `None` for a key in brackets that has none.
    fn colon(&self, entry: &Entry) -> Option<usize> {
        let at = self.skip(entry.end);
        (self.text.as_bytes().get(at) == Some(&b':')).then_some(at + 1)
    }

    /// Where an entry's text ends.
    fn entry_end(&self, entry: &Entry) -> usize {
        let colon = self.colon(entry).unwrap_or(entry.end);
        if entry.value.is_absent() { colon } else { entry.value.end.max(colon) }
    }

    /// The dashes of a block list.
    fn dashes(&self, holder: Holder<'_>, list: &Node) -> Vec<usize> {
        let Kind::List { items, .. } = &list.kind else { return Vec::new() };
        let mut at = match holder {
            Holder::Map(_, entry) => self.colon(entry).unwrap_or(entry.end),
            // The parser's place of a list in a list, or at the top, is its first dash.
            _ => list.start,
        };
        let mut dashes = Vec::new();
        for item in items {
            at = self.skip(at);
            // An anchor or a tag may stand before the first dash.
            while dashes.is_empty() && self.text[at..].starts_with(['&', '!']) {
                at = self.skip(at + self.text[at..].find(char::is_whitespace).unwrap_or(self.text.len() - at));
            }
            dashes.push(at);
            at = if item.is_absent() { at + 1 } else { item.end.max(at + 1) };
        }
        dashes
    }

    fn item_end(&self, item: &Node, dash: usize) -> usize {
        if item.is_absent() { dash + 1 } else { item.end.max(dash + 1) }
    }

    /// Where a block collection's text ends.
    fn block_end(&self, holder: Holder<'_>, node: &Node) -> usize {
        match &node.kind {
            Kind::Map { entries, flow: false } => entries.last().map_or(node.end, |entry| {
                let inner = self.block_end(Holder::Map(node, entry), &entry.value);
                inner.max(self.entry_end(entry))
            }),
            Kind::List { items, flow: false } => items.last().map_or(node.end, |item| {
                let dash = self.dashes(holder, node).last().copied().unwrap_or(node.end);
                let inner = self.block_end(Holder::List(node, items.len() - 1), item);
                inner.max(self.item_end(item, dash))
            }),
            _ => node.end,
        }
    }

    fn column(&self, at: usize) -> usize {
        self.text[self.line_start(at)..at].chars().filter(|c| *c != '\u{feff}').count()
    }

    /// The indentation of what lies under a node's holder.
    fn indent(&self, holder: Holder<'_>) -> usize {
        match holder {
            Holder::Nothing => 0,
            Holder::Map(_, entry) => entry.column as usize - 1 + self.step,
            Holder::List(..) => 2,
        }
    }

    // Changes.

    fn replace(&self, holder: Holder<'_>, node: &Node, value: &Value) -> Result<Patches> {
        let in_flow = match holder {
            Holder::Nothing => false,
            Holder::Map(map, _) => matches!(map.kind, Kind::Map { flow: true, .. }),
            Holder::List(list, _) => matches!(list.kind, Kind::List { flow: true, .. }),
        };
        let was_flow = matches!(node.kind, Kind::Map { flow: true, .. } | Kind::List { flow: true, .. });
        let style = match &node.kind {
            Kind::Scalar { style, value } if !value.is_null() && !node.is_absent() => Some(*style),
            _ => None,
        };
        let collection = value.is_object() || value.is_array();
        if in_flow || (was_flow && collection) {
            let text = match value {
                Value::String(text) => write::scalar(text, true, style),
                value => write::flow(value),
            };
            return Ok(self.put(holder, node, text, Vec::new()));
        }
        let as_literal = value.as_str().is_some_and(write::is_literal) && !matches!(style, Some(Style::Single | Style::Double));
        if write::is_inline(value) || (value.is_string() && !as_literal) {
            return Ok(self.put(holder, node, write::inline(value, style), Vec::new()));
        }
        let indent = match holder {
            Holder::List(list, index) => {
                let dash = self.dash_of(list, index);
                self.column(dash) + 2
            }
            holder => self.indent(holder),
        };
        if let Some(text) = value.as_str() {
            let (header, lines) = write::literal(text);
            return Ok(self.put(holder, node, header.to_owned(), write::indented(lines, indent)));
        }
        let mut lines = write::block(value, self.step);
        // Behind a key a block begins on a line of its own, behind a dash on the same one.
        let first = if matches!(holder, Holder::Map(..)) { String::new() } else { lines.remove(0) };
        Ok(self.put(holder, node, first, write::indented(lines, indent)))
    }

    fn dash_of(&self, list: &Node, index: usize) -> usize {
        // The holder of the list is found anew: only its colon matters, and that lies before its first item.
        let holder = holder_of(self.root, list);
        self.dashes(holder, list).get(index).copied().unwrap_or(list.start)
    }

    /// Puts `first` where a node stands, and `lines` under its line.
    fn put(&self, holder: Holder<'_>, node: &Node, first: String, lines: Vec<String>) -> Patches {
        let anchor = match holder {
            Holder::Map(_, entry) => self.colon(entry),
            Holder::List(list, index) if matches!(list.kind, Kind::List { flow: false, .. }) => {
                Some(self.dash_of(list, index) + 1)
            }
            _ => None,
        };
        let block = matches!(node.kind, Kind::Map { flow: false, .. } | Kind::List { flow: false, .. });
        let literal = matches!(node.kind, Kind::Scalar { style: Style::Block, .. });
        let lead = if first.is_empty() { "" } else { " " };
        let below: String = lines.iter().map(|line| format!("\n{line}")).collect();
        match (anchor, holder) {
            // A key in brackets without a colon.
            (None, Holder::Map(_, entry)) => vec![(entry.end..entry.end, format!(": {first}"))],
            (Some(anchor), _) if node.is_absent() => {
                let end = self.line_end(anchor);
                vec![(anchor..anchor, format!("{lead}{first}")), (end..end, below)]
            }
            // What lies on lines below goes, and a comment beside the key stays.
            (Some(anchor), Holder::Map(..)) if block => {
                let end = self.line_end(self.block_end(holder, node));
                let line = self.line_end(anchor);
                vec![(anchor..anchor, format!("{lead}{first}")), (line..end, below)]
            }
            (Some(anchor), _) if block || literal => {
                let end = if literal { node.end } else { self.block_end(holder, node) };
                let end = self.line_end(end.max(anchor));
                vec![(anchor..end, format!("{lead}{first}{below}"))]
            }
            (Some(anchor), Holder::Map(..)) if first.is_empty() => {
                let end = self.line_end(node.end);
                vec![(anchor..node.end, String::new()), (end..end, below)]
            }
            _ if block => vec![(node.start..self.block_end(holder, node), format!("{first}{below}"))],
            _ => {
                let end = if below.is_empty() { node.end } else { self.line_end(node.end) };
                vec![(node.start..node.end, first), (end..end, below)]
            }
        }
    }

    /// Adds an entry to a mapping, or an item to a list.
    fn insert(&self, holder: Holder<'_>, node: &Node, key: Option<&String>, value: &Value) -> Result<Patches> {
        match &node.kind {
            Kind::Map { flow: true, .. } | Kind::List { flow: true, .. } => {
                let text = match key {
                    Some(key) => format!("{}: {}", write::scalar(key, true, None), write::flow(value)),
                    None => write::flow(value),
                };
                Ok(self.insert_flow(node, &text))
            }
            Kind::Map { entries, .. } => {
                let key = key.map(String::as_str).unwrap_or_default();
                let indent = entries.first().map_or(0, |entry| entry.column as usize - 1);
                Ok(self.below(self.block_end(holder, node), write::entry(key, value, self.step), indent))
            }
            _ => {
                let indent = self.dashes(holder, node).first().map_or(0, |dash| self.column(*dash));
                Ok(self.below(self.block_end(holder, node), write::item(value, self.step), indent))
            }
        }
    }

    fn below(&self, end: usize, lines: Vec<String>, indent: usize) -> Patches {
        let at = self.line_end(end);
        vec![(at..at, write::indented(lines, indent).iter().map(|line| format!("\n{line}")).collect())]
    }

    fn insert_flow(&self, node: &Node, text: &str) -> Patches {
        let last = match &node.kind {
            Kind::Map { entries, .. } => entries.last().map(|entry| (entry.start, self.entry_end(entry))),
            Kind::List { items, .. } => items.last().map(|item| (item.start, item.end)),
            _ => None,
        };
        let close = node.end.saturating_sub(1);
        let Some((start, end)) = last else {
            let open = self.text[node.start..close].rfind(['{', '[']).map_or(close, |open| node.start + open + 1);
            let map = matches!(node.kind, Kind::Map { .. });
            let with = if map { format!(" {text} ") } else { text.to_owned() };
            return if self.text[open..close].trim().is_empty() { vec![(open..close, with)] } else { vec![(open..open, with)] };
        };
        let next = self.skip(end);
        let comma = (self.text.as_bytes().get(next) == Some(&b',')).then_some(next);
        // One entry a line, and the bracket on a line of its own.
        let own_lines = self.is_first_on_line(start) && self.line_end(end) < close;
        if own_lines {
            let indent = &self.text[self.line_start(start)..start];
            let at = self.line_end(comma.unwrap_or(end));
            let added = match comma {
                Some(_) => (at..at, format!("\n{indent}{text},")),
                None => (at..at, format!("\n{indent}{text}")),
            };
            return match comma {
                Some(_) => vec![added],
                None => vec![(end..end, ",".to_owned()), added],
            };
        }
        match comma {
            Some(comma) => vec![(comma + 1..comma + 1, format!(" {text}"))],
            None => vec![(end..end, format!(", {text}"))],
        }
    }

    fn remove(&self, chain: &[(Holder<'t>, &'t Node)]) -> Result<Patches> {
        let Some(((holder, _), above)) = chain.split_last().and_then(|(last, above)| Some((*last, above.last()?))) else {
            return Err(refuse("The whole file can't be taken out").next("Remove the integration instead"));
        };
        match holder {
            Holder::Nothing => Ok(Vec::new()),
            Holder::Map(map, entry) => {
                let Kind::Map { entries, flow } = &map.kind else { return Ok(Vec::new()) };
                if entries.len() == 1 {
                    return self.replace(above.0, above.1, &Value::Object(Map::new()));
                }
                let end = self.entry_end(entry).max(self.block_end(holder, &entry.value));
                if !*flow {
                    return Ok(self.remove_lines(entry.start, end));
                }
                let before =
                    entries.iter().take_while(|other| other.start < entry.start).last().map(|other| self.entry_end(other));
                Ok(self.remove_flow(before, entry.start..end))
            }
            Holder::List(list, index) => {
                let Kind::List { items, flow } = &list.kind else { return Ok(Vec::new()) };
                if items.len() == 1 {
                    return self.replace(above.0, above.1, &Value::Array(Vec::new()));
                }
                let item = &items[index];
                if !*flow {
                    let dash = self.dash_of(list, index);
                    return Ok(self.remove_lines(dash, self.item_end(item, dash).max(self.block_end(holder, item))));
                }
                let before = index.checked_sub(1).map(|before| items[before].end);
                Ok(self.remove_flow(before, item.start..item.end))
            }
        }
    }

    /// Takes out the lines of an entry or item, with the comment at the end of its last line.
    fn remove_lines(&self, start: usize, end: usize) -> Patches {
        let next = self.next_line(end);
        if !self.is_first_on_line(start) {
            // It shares its line with a dash: the next entry takes its place there.
            let blanks = self.text[next..].len() - self.text[next..].trim_start_matches(' ').len();
            return vec![(start..next + blanks, String::new())];
        }
        let mut from = self.line_start(start);
        // The last line of a file without a final line break: the break before it goes.
        if next == self.text.len() && !self.text.ends_with('\n') && from > 0 {
            from = self.line_end(from - 1);
        }
        vec![(from..next, String::new())]
    }

    /// Takes an entry or item out of brackets, together with one comma.
    fn remove_flow(&self, before: Option<usize>, range: Range<usize>) -> Patches {
        let bytes = self.text.as_bytes();
        let next = self.skip(range.end);
        let own_line = self.is_first_on_line(range.start);
        let comma_behind = bytes.get(next) == Some(&b',');
        let mut patches = Vec::new();
        let mut end = range.end;
        if comma_behind {
            end = next + 1;
        } else if let Some(comma) = before.map(|before| self.skip(before)).filter(|at| bytes.get(*at) == Some(&b',')) {
            patches.push((comma..comma + 1, String::new()));
        }
        let rest = &self.text[end..self.line_end(end)];
        let alone = rest.trim().is_empty() || rest.trim_start().starts_with('#');
        if own_line && alone {
            patches.push((self.line_start(range.start)..self.next_line(end), String::new()));
        } else if comma_behind {
            let blanks = rest.len() - rest.trim_start_matches(' ').len();
            patches.push((range.start..end + blanks, String::new()));
        } else {
            let lead = self.text[..range.start].len() - self.text[..range.start].trim_end_matches(' ').len();
            patches.push((range.start - lead..range.end, String::new()));
        }
        patches
    }
}

/// What holds a node.
fn holder_of<'n>(root: &'n Node, wanted: &Node) -> Holder<'n> {
    let mut open = vec![root];
    while let Some(node) = open.pop() {
        match &node.kind {
            Kind::Map { entries, .. } => {
                for entry in entries {
                    if std::ptr::eq(&*entry.value, wanted) {
                        return Holder::Map(node, entry);
                    }
                    open.push(&entry.value);
                }
            }
            Kind::List { items, .. } => {
                for (index, item) in items.iter().enumerate() {
                    if std::ptr::eq(&**item, wanted) {
                        return Holder::List(node, index);
                    }
                    open.push(item);
                }
            }
            _ => {}
        }
    }
    Holder::Nothing
}

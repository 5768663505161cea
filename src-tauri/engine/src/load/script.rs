//! The requests of a load run.
//!
//! References are filled in by the same code that fills in a probe. A value that differs from request to request is filled
//! in as a mark first, and the request is then cut at the marks.

use std::{fs::File, path::Path, sync::Arc};

use indexmap::IndexMap;
use patchbay_contracts::{
    Code, Problem,
    integration::{Endpoint, Integration, LoadSpec},
};
use patchbay_load::script::{
    Body, Feed, Inspect, Order, Script, Step,
    template::{Escape, Part, Source, Template},
};

use super::{
    feeds,
    inspect::{Judge, accepted},
};
use crate::{
    Result,
    contract::Schemas,
    http::{self, Context, Ready},
};

/// Values that are computed for each request, by name.
const COMPUTED: [(&str, Source); 5] = [
    ("uuid", Source::Uuid),
    ("iteration", Source::Iteration),
    ("user", Source::User),
    ("unix_ms", Source::UnixMs),
    ("random", Source::Random),
];

/// The names of values that are computed for each request of a load run.
pub(crate) const COMPUTED_NAMES: [&str; 5] = ["uuid", "iteration", "user", "unix_ms", "random"];

/// Letters and digits only, so that no escape changes it, and nothing that anybody would write.
const MARK: &str = "zq7PbLoadMark";
const MARK_END: &str = "Xqz";

/// A script that is being made.
pub(super) struct Making<'a> {
    context: Context,
    definition: &'a Integration,
    schemas: &'a Schemas,
    folder: &'a Path,
    /// What each mark stands for; its number is its place.
    marks: Vec<Source>,
    /// The places of captured values by name.
    captures: IndexMap<String, usize>,
    feeds: Vec<Feed>,
}

impl<'a> Making<'a> {
    pub(super) fn new(context: &Context, definition: &'a Integration, schemas: &'a Schemas, folder: &'a Path) -> Self {
        Self {
            context: context.clone(),
            definition,
            schemas,
            folder,
            marks: Vec::new(),
            captures: IndexMap::new(),
            feeds: Vec::new(),
        }
    }

    /// Makes it, and writes into the spec which endpoint was meant where it didn't say.
    pub(super) async fn run(mut self, spec: &mut LoadSpec) -> Result<Script> {
        let (endpoints, order) = self.endpoints(spec)?;
        for (name, source) in COMPUTED {
            self.mark(name, source);
        }
        self.read_feeds(spec)?;
        let captured = self.captured(&endpoints, order);
        let mut steps = Vec::with_capacity(endpoints.len());
        let mut origin: Option<(String, u16, bool)> = None;
        let mut target = None;
        for (endpoint, weight) in &endpoints {
            // A body from a file isn't read before the run, but piece by piece in it.
            let mut bodiless = (*endpoint).clone();
            let file = bodiless.request.as_mut().and_then(|request| request.file.take());
            let request = http::request_with(self.definition, &bodiless, self.schemas)?;
            let ready = http::ready(&self.context, &request).await?;
            let here = place_of(&ready);
            if origin.as_ref().is_some_and(|known| *known != here) {
                return Err(Problem::new(Code::Unsupported, "The endpoints of a load run are on different hosts")
                    .why(format!("`{}` is at {}:{}, and others aren't", endpoint.label(), here.0, here.1))
                    .next("Leave it out, or make a run of its own for it"));
            }
            origin = Some(here);
            target.get_or_insert_with(|| ready.url.clone());
            steps.push(self.step(endpoint, *weight, ready, file)?);
        }
        let Some((host, port, secure)) = origin else { return Err(Problem::internal("a load run without an endpoint")) };
        // Certificates are read here and not in the run; the next run sees a file that was changed.
        let tls = match target.filter(|_| secure) {
            Some(target) => Some(http::tls_config(&self.context, &target).await?),
            None => None,
        };
        if order == Order::Mix && endpoints.len() == 1 && spec.mix.is_empty() {
            spec.endpoint = Some(endpoints[0].0.label());
        }
        Ok(Script {
            name: self.definition.name.clone(),
            host,
            port,
            tls,
            steps,
            order,
            captures: self.captures.len(),
            captured,
            feeds: self.feeds,
        })
    }

    fn endpoints(&self, spec: &LoadSpec) -> Result<(Vec<(&'a Endpoint, u32)>, Order)> {
        let chosen = [!spec.mix.is_empty(), !spec.chain.is_empty(), spec.endpoint.is_some()];
        if chosen.iter().filter(|chosen| **chosen).count() > 1 {
            return Err(Problem::new(Code::InvalidInput, "A load run has one of `endpoint`, `mix` and `chain`")
                .why("more than one of them is given")
                .next("Leave the others out"));
        }
        let definition = self.definition;
        if !spec.chain.is_empty() {
            let steps = spec.chain.iter().map(|name| Ok((definition.endpoint_or_first(Some(name))?, 1)));
            return Ok((steps.collect::<Result<_>>()?, Order::Chain));
        }
        if !spec.mix.is_empty() {
            let steps = spec.mix.iter().map(|part| Ok((definition.endpoint_or_first(Some(&part.endpoint))?, part.weight)));
            return Ok((steps.collect::<Result<_>>()?, Order::Mix));
        }
        Ok((vec![(definition.endpoint_or_first(spec.endpoint.as_deref())?, 1)], Order::Mix))
    }

    /// Lets a name stand for a value that differs.
    fn mark(&mut self, name: &str, source: Source) {
        let mark = format!("{MARK}{}{MARK_END}", self.marks.len());
        self.marks.push(source);
        self.context.scope.captured.insert(name.to_owned(), mark);
    }

    fn read_feeds(&mut self, spec: &LoadSpec) -> Result<()> {
        for data in &spec.data {
            let read = feeds::read(self.folder, data)?;
            for (column, name) in read.columns.iter().enumerate() {
                self.mark(name, Source::Column { feed: self.feeds.len(), column });
            }
            self.feeds.push(read.feed);
        }
        Ok(())
    }

    /// Gives each value that the run captures a place. Gives what the setup captured of them before.
    fn captured(&mut self, endpoints: &[(&'a Endpoint, u32)], order: Order) -> Vec<(usize, Arc<[u8]>)> {
        let mut before = Vec::new();
        // In a mix there is no earlier request that a later one could take anything from.
        if order == Order::Mix {
            return before;
        }
        for name in endpoints.iter().flat_map(|(endpoint, _)| endpoint.capture.keys()) {
            if self.captures.contains_key(name) {
                continue;
            }
            let place = self.captures.len();
            self.captures.insert(name.clone(), place);
            if let Some(value) = self.context.scope.captured.get(name) {
                before.push((place, Arc::from(value.as_bytes())));
            }
            self.mark(name, Source::Captured(place));
        }
        before
    }

    fn step(&self, endpoint: &Endpoint, weight: u32, ready: Ready, file: Option<String>) -> Result<Step> {
        let inspect = Judge::new(endpoint, |name| self.captures.get(name).copied())?;
        let query = ready.url.query().map(|query| format!("?{query}")).unwrap_or_default();
        let path = self.cut(&format!("{}{query}", ready.url.path()), Escape::Address);
        let content_type = ready.headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("content-type"));
        let content_type = content_type.map(|(_, value)| value.to_ascii_lowercase()).unwrap_or_default();
        let body = match &file {
            Some(file) => self.file(file)?,
            None => Body::Bytes(self.cut_body(&ready.body, &content_type)?),
        };
        let mut headers = ready.headers;
        if inspect.is_some() {
            // Bodies are looked into as they come, and nobody takes an encoding off them.
            headers.retain(|(name, _)| !name.eq_ignore_ascii_case("accept-encoding"));
        }
        if file.is_some() && content_type.is_empty() {
            let own = endpoint.request.as_ref().and_then(|request| request.content_type.clone());
            headers.push(("Content-Type".to_owned(), own.unwrap_or_else(|| "application/octet-stream".to_owned())));
        }
        if headers.iter().any(|(name, value)| name.eq_ignore_ascii_case("authorization") && hides_mark(value)) {
            return Err(Problem::new(Code::Unsupported, "A user or password can't be another for each request")
                .why("they are encoded together before the request goes out")
                .next("Put the whole value into the data file, and send it as a header: Authorization: ${authorization}"));
        }
        let headers = headers.into_iter().map(|(name, value)| (name, self.cut(&value, Escape::Header))).collect();
        let expected = endpoint.expect.as_ref().and_then(|expect| expect.status.as_ref());
        Ok(Step {
            name: endpoint.label(),
            shown: format!("{} {}", ready.method, self.named(&ready.shown_url)),
            weight,
            method: ready.method,
            path,
            headers,
            body,
            accepts: accepted(expected),
            inspect: inspect.map(|judge| Arc::new(judge) as Arc<dyn Inspect>),
        })
    }

    fn file(&self, name: &str) -> Result<Body> {
        let cannot = |why: String| Problem::new(Code::InvalidInput, format!("The body's file `{name}` can't be read")).why(why);
        let file = File::open(self.folder.join(name)).map_err(|error| cannot(error.to_string()))?;
        let meta = file.metadata().map_err(|error| cannot(error.to_string()))?;
        if !meta.is_file() {
            return Err(cannot("it is no file".to_owned()));
        }
        Ok(Body::File { file: Arc::new(file), length: meta.len() })
    }

    /// The text in parts, cut at its marks.
    fn cut(&self, text: &str, escape: Escape) -> Template {
        let mut parts = Vec::new();
        self.cut_into(text, &mut parts, |_| escape);
        Template::new(parts)
    }

    fn cut_body(&self, body: &[u8], content_type: &str) -> Result<Template> {
        let Ok(text) = std::str::from_utf8(body) else { return Ok(Template::fixed(body)) };
        let media_type = content_type.split(';').next().unwrap_or_default().trim();
        let mut parts = Vec::new();
        let mut within = false;
        let is_json = media_type.is_empty() || media_type.ends_with("json");
        self.cut_into(text, &mut parts, |before| {
            if media_type == "application/x-www-form-urlencoded" {
                return Escape::Form;
            }
            within = http::in_literal(before, within);
            if is_json && within { Escape::Json } else { Escape::None }
        });
        Ok(Template::new(parts))
    }

    /// Cuts a text at its marks; `escape` is asked for each, with the text since the one before.
    fn cut_into(&self, text: &str, parts: &mut Vec<Part>, mut escape: impl FnMut(&str) -> Escape) {
        let mut rest = text;
        while let Some((before, behind)) = rest.split_once(MARK) {
            let Some((number, after)) = behind.split_once(MARK_END) else { break };
            let Some(source) = number.parse::<usize>().ok().and_then(|number| self.marks.get(number)) else { break };
            parts.push(Part::Text(before.as_bytes().to_vec()));
            parts.push(Part::Value(*source, escape(before)));
            rest = after;
        }
        parts.push(Part::Text(rest.as_bytes().to_vec()));
    }

    /// The text with the names of its marks, to be shown.
    fn named(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for (name, mark) in self.context.scope.captured.iter().filter(|(_, value)| value.starts_with(MARK)) {
            text = text.replace(mark.as_str(), &format!("${{{name}}}"));
        }
        text
    }
}

/// Host, port and whether it is over TLS.
fn place_of(ready: &Ready) -> (String, u16, bool) {
    let host = ready.url.host_str().unwrap_or_default().trim_start_matches('[').trim_end_matches(']').to_owned();
    (host, ready.url.port_or_known_default().unwrap_or(80), ready.url.scheme() == "https")
}

/// Whether a value of `Authorization: Basic` holds a mark that can't be seen any more.
fn hides_mark(value: &str) -> bool {
    use base64::{Engine as _, engine::general_purpose::STANDARD};
    let Some((scheme, encoded)) = value.split_once(' ') else { return false };
    scheme.eq_ignore_ascii_case("basic")
        && STANDARD.decode(encoded.trim()).is_ok_and(|bytes| String::from_utf8_lossy(&bytes).contains(MARK))
}

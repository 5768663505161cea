//! The command line.

mod load;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueHint};
use clap_complete::Shell;
use patchbay_contracts::{integration::Method, sample::Faults, units::Span};

pub(crate) use self::load::LoadArguments;

/// Probe, verify, load and watch everything that your software plugs into.
#[derive(Debug, Parser)]
#[command(name = "patchbay", version, max_term_width = 100, propagate_version = true, infer_subcommands = false)]
#[command(after_help = "Exit status: 0 it holds; 1 it does not (a broken contract, a breached threshold, an unhealthy check);
2 bad usage or bad input; 3 it could not be carried out.

Examples:
  patchbay init orders-workspace
  patchbay probe https://api.example.com/health
  patchbay contract test orders --report junit=contract.xml
  patchbay load orders --rate 200/s --duration 1m --threshold 'p95 < 500ms'")]
pub(crate) struct Arguments {
    /// The folder of integration files [default: $PATCHBAY_WORKSPACE, this folder where it is one, ~/Patchbay]
    #[arg(long, global = true, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub(crate) workspace: Option<PathBuf>,
    /// The results database, a file or a sqlite: URL [default: inside the workspace]
    #[arg(long, global = true, value_name = "URL")]
    pub(crate) db: Option<String>,
    /// The environment whose variables fill in ${env:…}
    #[arg(long, global = true, value_name = "NAME")]
    pub(crate) env: Option<String>,
    /// Print one JSON document in place of text
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// Say what is being done; -vv and -vvv say more
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub(crate) verbose: u8,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Make a workspace with one commented example
    #[command(after_help = "Example:\n  patchbay init my-integrations")]
    Init {
        /// The folder, made where it is missing
        #[arg(default_value = ".", value_hint = ValueHint::DirPath)]
        dir: PathBuf,
    },
    /// Run the bundled sample service: a REST API with /metrics, and faults on demand
    Sample(SampleArguments),
    /// The integrations and how they do
    #[command(alias = "ls", after_help = "Example:\n  patchbay list --json | jq '.[].status'")]
    List,
    /// One integration: health, uptime, incidents, promises
    #[command(after_help = "Example:\n  patchbay show orders --range 24h")]
    Show {
        /// The integration
        name: String,
        /// How far back to look
        #[arg(long, default_value = "1h")]
        range: Span,
    },
    /// Register an integration from an address, a curl line or a file
    #[command(after_help = "Examples:
  patchbay add https://api.example.com/health
  patchbay add \"curl -H 'Accept: application/json' https://api.example.com/v1/orders\" --name orders
  patchbay add payments.yaml")]
    Add {
        /// An address, a curl line in quotes, or an integration file
        input: String,
        /// Its name [default: made from the address]
        #[arg(long)]
        name: Option<String>,
    },
    /// Take an integration's file out of the workspace
    Remove {
        /// The integration
        name: String,
    },
    /// Make one exchange and show it whole, with its timing
    Probe(ProbeArguments),
    /// Hold a service to its contract
    #[command(subcommand)]
    Contract(ContractCommand),
    /// Serve a contract: OpenAPI, Swagger, an integration file, a pact, messages or a JSON Schema
    Mock(MockArguments),
    /// Put a service under load
    Load(Box<LoadArguments>),
    /// Scrape metrics and show them parsed
    #[command(
        after_help = "Examples:\n  patchbay scrape orders\n  patchbay scrape http://127.0.0.1:9100/metrics\n  patchbay scrape dump.prom --json"
    )]
    Scrape {
        /// An integration (what comes is stored), an address or a file
        source: String,
    },
    /// Stored metrics over time
    #[command(
        after_help = "Examples:\n  patchbay query orders\n  patchbay query orders sample_requests_total --range 1h\n  patchbay query orders sample_request_duration_seconds --quantile 0.95"
    )]
    Query {
        /// The integration
        name: String,
        /// The series or the family; without it, those that are stored
        series: Option<String>,
        /// Only with this label; may be repeated
        #[arg(long = "label", value_name = "NAME=VALUE")]
        labels: Vec<String>,
        /// How far back to look
        #[arg(long, default_value = "1h")]
        range: Span,
        /// As increase a second
        #[arg(long, conflicts_with = "quantile")]
        rate: bool,
        /// As a quantile of a histogram, from 0 to 1
        #[arg(long)]
        quantile: Option<f64>,
    },
    /// Run the health checks and scrapes without a window
    #[command(after_help = "Examples:\n  patchbay monitor --once\n  patchbay monitor --for 10m orders")]
    Monitor {
        /// Only these integrations
        names: Vec<String>,
        /// Check each once and end
        #[arg(long, conflicts_with = "duration")]
        once: bool,
        /// End after this time [default: on Ctrl-C]
        #[arg(long = "for", value_name = "D")]
        duration: Option<Span>,
    },
    /// Credentials in the OS keychain
    #[command(subcommand)]
    Secret(SecretCommand),
    /// What was done, newest first
    #[command(after_help = "Example:\n  patchbay history orders --kind contract")]
    History {
        /// Only of this integration
        name: Option<String>,
        /// Only of this kind
        #[arg(long, value_enum)]
        kind: Option<Kind>,
        /// At most so many
        #[arg(long, default_value_t = 20)]
        limit: u32,
    },
    /// A stored run as a report
    #[command(
        after_help = "Examples:\n  patchbay report 42\n  patchbay report 42 -o report.html\n  patchbay report 42 -o junit.xml\n  patchbay report 42 -o review.sarif\n  patchbay report 42 -o timeline.csv"
    )]
    Report {
        /// The run's number, as `history` shows it, or `last`
        run: String,
        /// The file; its ending chooses the kind: .html, .json, .xml (JUnit), .sarif, .csv (a load run's timeline)
        #[arg(short, long, value_name = "FILE")]
        output: Option<PathBuf>,
    },
    /// What this machine has and lacks
    Doctor,
    /// The JSON Schema of the integration file, for editors; or documents held against a JSON Schema
    Schema {
        #[command(subcommand)]
        command: Option<SchemaCommand>,
    },
    /// A script that completes this command in a shell
    Completions {
        /// The shell
        shell: Shell,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum SchemaCommand {
    /// The JSON Schema of the integration file
    Integration,
    /// Hold documents, in JSON or YAML, against a JSON Schema
    #[command(
        after_help = "Examples:\n  patchbay schema validate order.schema.json order.json\n  patchbay schema validate --draft 7 order.schema.json orders/*.json --json"
    )]
    Validate {
        /// The draft: 4, 6, 7, 2019-09 or 2020-12; without it, what `$schema` says
        #[arg(long, value_name = "DRAFT")]
        draft: Option<String>,
        /// Fetch what the schema refers to from other addresses
        #[arg(long)]
        fetch: bool,
        /// Judge formats in every draft; from 2019-09 on they are remarks otherwise
        #[arg(long)]
        format_assertion: bool,
        /// The schema: a file or an address
        schema: String,
        /// The documents: files, folders of them, or addresses
        #[arg(required = true, value_name = "INSTANCE")]
        instances: Vec<String>,
    },
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  patchbay sample --port 8617
  patchbay sample --fault latency=200ms --fault errors=20%
  patchbay sample --at http://127.0.0.1:8617 --fault missing-field   (a running one, from another terminal)")]
pub(crate) struct SampleArguments {
    /// The port on 127.0.0.1; 0 for any that is free
    #[arg(long, default_value_t = patchbay_engine::sample::PORT)]
    pub(crate) port: u16,
    /// What it does wrong: latency=200ms, errors=20%, stall, type-change, missing-field, wrong-status, expired-token
    #[arg(long = "fault", value_name = "F")]
    pub(crate) faults: Vec<String>,
    /// The bearer token that it takes
    #[arg(long, default_value = patchbay_engine::sample::TOKEN)]
    pub(crate) token: String,
    /// Register it in the workspace, with its token in the keychain
    #[arg(long)]
    pub(crate) register: bool,
    /// End after this time [default: on Ctrl-C]
    #[arg(long = "for", value_name = "D")]
    pub(crate) duration: Option<Span>,
    /// Tell the one that runs at this address what to do wrong, in place of starting one; no faults mend it
    #[arg(long, value_name = "URL", conflicts_with_all = ["port", "register", "duration", "token"])]
    pub(crate) at: Option<String>,
}

impl SampleArguments {
    pub(crate) fn faults(&self) -> Result<Faults, patchbay_contracts::Problem> {
        let mut faults = Faults::default();
        for text in &self.faults {
            faults
                .turn_on(text)
                .map_err(|bad| patchbay_contracts::Problem::new(patchbay_contracts::Code::InvalidInput, bad.to_string()))?;
        }
        Ok(faults)
    }
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  patchbay probe orders/'create order'
  patchbay probe http://127.0.0.1:8617/health
  patchbay probe https://api.example.com/v1/orders -X POST -H 'Content-Type: application/json' -d '{\"amount\": 1}'
  patchbay probe \"curl -u me:pass https://api.example.com\"")]
pub(crate) struct ProbeArguments {
    /// NAME, NAME/ENDPOINT, an address or a curl line in quotes
    pub(crate) target: String,
    /// The method
    #[arg(short = 'X', long, value_parser = method)]
    pub(crate) method: Option<Method>,
    /// A header; may be repeated
    #[arg(short = 'H', long = "header", value_name = "NAME: VALUE")]
    pub(crate) headers: Vec<String>,
    /// The body, or @FILE
    #[arg(short, long)]
    pub(crate) data: Option<String>,
    /// Follow redirects
    #[arg(short = 'L', long)]
    pub(crate) location: bool,
    /// Accept a bad certificate, and say so
    #[arg(short = 'k', long)]
    pub(crate) insecure: bool,
    /// The longest that it may take
    #[arg(long)]
    pub(crate) timeout: Option<Span>,
    /// Exit with 1 on a status of 400 or more
    #[arg(short, long)]
    pub(crate) fail: bool,
}

fn method(text: &str) -> Result<Method, String> {
    Method::named(text).ok_or_else(|| format!("there are {}", Method::ALL.map(Method::as_str).join(", ")))
}

#[derive(Debug, Subcommand)]
pub(crate) enum ContractCommand {
    /// Hold a service to a contract of any kind
    #[command(after_help = TEST_HELP)]
    Test(Box<TestArguments>),
    /// Put up with a failure of a run until a day, with a reason
    #[command(after_help = "Example:
  patchbay contract accept last 'GET /orders/{id}' response-schema --pointer /total --reason 'rounds until release 14' --until 2027-01-31")]
    Accept {
        /// The run's number, as `history` shows it, or `last`
        run: String,
        /// The operation as the run names it; `*` stands for any text
        operation: String,
        /// The check that failed
        check: String,
        /// Only at this JSON pointer
        #[arg(long)]
        pointer: Option<String>,
        /// Why
        #[arg(long)]
        reason: String,
        /// The last day, such as 2027-01-31
        #[arg(long, value_name = "DAY")]
        until: String,
    },
    /// What contract runs judge: each check with its weight
    Checks,
    /// Hold messages to a contract: a file, a folder, or a stream on standard input
    #[command(after_help = "Examples:
  patchbay contract messages orders-events.yaml recorded/ --report junit=messages.xml
  consume orders | patchbay contract messages asyncapi.yaml -
  patchbay contract messages order.schema.json orders.jsonl --envelope none")]
    Messages(Box<MessagesArguments>),
    /// Find mistakes in integration files without calling anything
    #[command(after_help = "Example:\n  patchbay contract lint *.yaml")]
    Lint {
        /// The files
        #[arg(required = true)]
        files: Vec<PathBuf>,
    },
    /// Match single cases {expected, actual} by the rules of the Pact specification
    #[command(after_help = "Example:\n  patchbay contract match case.json --spec 4")]
    Match(MatchArguments),
}

#[derive(Debug, Args)]
pub(crate) struct MatchArguments {
    /// Files with one case each, or folders of them: what is expected, and what came
    #[arg(required = true, value_name = "CASE", value_hint = ValueHint::FilePath)]
    pub(crate) cases: Vec<PathBuf>,
    /// The version of the specification: 1, 1.1, 2, 3 or 4
    #[arg(long, value_name = "N")]
    pub(crate) spec: String,
    /// What the cases are about [default: recognised by what stands in them]
    #[arg(long, value_parser = ["request", "response", "message"])]
    pub(crate) kind: Option<String>,
}

const TEST_HELP: &str =
    "The contract is recognised by what stands in it: an integration file, OpenAPI 3.0 and 3.1, Swagger 2, Pact 1 to 4
(a file, a folder, an address or pact-broker:URL), AsyncAPI, JSON Schema or a message contract.

Examples:
  patchbay contract test orders
  patchbay contract test orders.yaml --url http://127.0.0.1:8617 --report junit=contract.xml --report html=contract.html
  patchbay contract test openapi.yaml --url http://127.0.0.1:8617 --auth 'bearer:${secret:token}' --seed 7
  patchbay contract test http://127.0.0.1:8617/openapi.json --url http://127.0.0.1:8617 --only 'GET *' --skip latency
  patchbay contract test pacts/ --url http://127.0.0.1:8080 --states http://127.0.0.1:8080/_pact/states

A credential is taken from the keychain or from PATCHBAY_SECRET_<NAME>. `patchbay contract checks` lists the checks.";

/// What `contract test` may be told.
#[derive(Debug, Args)]
pub(crate) struct TestArguments {
    /// An integration, a file, a folder of pacts, an address, or pact-broker:URL
    pub(crate) contract: String,
    /// The address to call, in place of the contract's own
    #[arg(long)]
    pub(crate) url: Option<String>,
    /// How to authenticate: bearer:TOKEN, basic:USER:PASSWORD, api_key:HEADER=VALUE; values may be ${secret:NAME}
    #[arg(long, value_name = "KIND:VALUE")]
    pub(crate) auth: Option<String>,
    /// A header sent with every request; may be repeated
    #[arg(short = 'H', long = "header", value_name = "NAME: VALUE")]
    pub(crate) headers: Vec<String>,
    /// What generated requests are made from; the same seed makes the same requests
    #[arg(long)]
    pub(crate) seed: Option<u64>,
    /// Only these: a check's name, or an operation as METHOD /path, id or tag, `*` for any text; may be repeated
    #[arg(long, value_name = "NAME")]
    pub(crate) only: Vec<String>,
    /// Not these; may be repeated
    #[arg(long, value_name = "NAME")]
    pub(crate) skip: Vec<String>,
    /// A check that is shown and fails no run; may be repeated
    #[arg(long, value_name = "CHECK")]
    pub(crate) warn: Vec<String>,
    /// The longest that the whole run may take
    #[arg(long, value_name = "D", alias = "time-budget")]
    pub(crate) budget: Option<Span>,
    /// The file of accepted failures [default: accepted.yaml beside the contract]
    #[arg(long, value_name = "FILE")]
    pub(crate) accepted: Option<std::path::PathBuf>,
    /// Follow references of the contract to other addresses
    #[arg(long)]
    pub(crate) fetch: bool,
    /// Write a report: junit=FILE, json=FILE, html=FILE or sarif=FILE; may be repeated
    #[arg(long = "report", value_name = "KIND=FILE")]
    pub(crate) reports: Vec<String>,
    #[command(flatten)]
    pub(crate) pact: PactArguments,
}

/// What only Pact knows.
#[derive(Debug, Args)]
#[command(next_help_heading = "Pact")]
pub(crate) struct PactArguments {
    /// Where provider states are changed: an address, or command:LINE
    #[arg(long, value_name = "URL")]
    pub(crate) states: Option<String>,
    /// Take states down after each interaction
    #[arg(long)]
    pub(crate) tear_down: bool,
    /// The provider, where the source is a broker
    #[arg(long, value_name = "NAME")]
    pub(crate) provider: Option<String>,
    /// Only the pacts of this consumer; may be repeated
    #[arg(long = "consumer", value_name = "NAME")]
    pub(crate) consumers: Vec<String>,
    /// How to authenticate with the broker, as --auth
    #[arg(long, value_name = "KIND:VALUE")]
    pub(crate) broker_auth: Option<String>,
    /// Publish the results under this version of the provider
    #[arg(long, value_name = "VERSION")]
    pub(crate) publish: Option<String>,
    /// The branch of the provider
    #[arg(long, value_name = "NAME")]
    pub(crate) branch: Option<String>,
    /// Let pending pacts fail without failing the run
    #[arg(long)]
    pub(crate) pending: bool,
    /// Take in work-in-progress pacts from this day on
    #[arg(long, value_name = "DAY")]
    pub(crate) wip_since: Option<String>,
    /// Where messages come from: an address that is sent the description and the states
    #[arg(long, value_name = "URL")]
    pub(crate) messages: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct MessagesArguments {
    /// A message contract, an AsyncAPI document or a JSON Schema; a file or an address
    pub(crate) contract: String,
    /// Files and folders of messages (JSON, a list, or JSON lines), or - for standard input [default: -]
    #[arg(value_name = "FILE|FOLDER|-")]
    pub(crate) inputs: Vec<PathBuf>,
    /// The envelope, in place of the contract's own: patchbay, cloudevents, none or auto
    #[arg(long, value_name = "KIND")]
    pub(crate) envelope: Option<String>,
    /// How many messages are remembered to find duplicates and causes
    #[arg(long, value_name = "N", default_value_t = patchbay_engine::contract::messages::WINDOW)]
    pub(crate) window: usize,
    /// Only these checks, or types with * for any text; may be repeated
    #[arg(long, value_name = "NAME")]
    pub(crate) only: Vec<String>,
    /// Not these checks, or types with * for any text; may be repeated
    #[arg(long, value_name = "NAME")]
    pub(crate) skip: Vec<String>,
    /// Checks that are shown and fail nothing; may be repeated
    #[arg(long, value_name = "CHECK")]
    pub(crate) warn: Vec<String>,
    /// Whether the contract's references to other addresses are fetched
    #[arg(long)]
    pub(crate) fetch: bool,
    /// Write a report: junit=FILE, json=FILE or html=FILE; may be repeated
    #[arg(long = "report", value_name = "KIND=FILE")]
    pub(crate) reports: Vec<String>,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  patchbay mock openapi.yaml --port 8080
  patchbay mock orders --fault latency=200ms --fault errors=20%
  patchbay mock openapi.yaml --auth 'bearer:${secret:orders-token}' --seed 7

What the contract protects takes the credential of --auth and refuses others; without --auth one is made up and printed. A
mock of an integration file, whose own credentials aren't known here, takes any of the right kind unless --auth is given.
A pact's states are set up at /_patchbay/states, or chosen by the header X-Patchbay-State.")]
pub(crate) struct MockArguments {
    /// The contract: a file, an address, or an integration's name
    pub(crate) file: String,
    /// The port; 0 for any that is free
    #[arg(long, default_value_t = 0)]
    pub(crate) port: u16,
    /// The address to listen on [default: 127.0.0.1, which other machines can't reach]
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) host: Option<std::net::IpAddr>,
    /// What it does wrong: latency=200ms, errors=20%, stall, type-change, missing-field, wrong-status, expired-token
    #[arg(long = "fault", value_name = "F")]
    pub(crate) faults: Vec<String>,
    /// What bodies are made from where the contract has no example; the same seed makes the same bodies
    #[arg(long, value_name = "N")]
    pub(crate) seed: Option<u64>,
    /// The credential that it takes: bearer:VALUE, api-key:VALUE or basic:USER:VALUE
    #[arg(long, value_name = "KIND:VALUE")]
    pub(crate) auth: Option<String>,
    /// Whether the contract's references to other addresses are fetched
    #[arg(long)]
    pub(crate) fetch: bool,
    /// End after this time [default: on Ctrl-C]
    #[arg(long = "for", value_name = "D")]
    pub(crate) duration: Option<Span>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum SecretCommand {
    /// Set or replace a secret; its value is read from standard input, with all of its lines
    #[command(after_help = "Examples:\n  pass show orders | patchbay secret set orders-token --host api.example.com\n  \
                            patchbay secret set orders-client-key --host api.example.com < client.key")]
    Set {
        /// Its name, as in ${secret:NAME}
        name: String,
        /// A host that it may be sent to: host, host:port or *.domain; may be repeated [default: those of the integrations that name it]
        #[arg(long = "host", value_name = "HOST")]
        hosts: Vec<String>,
    },
    /// The secrets, without their values
    List,
    /// Remove a secret
    Remove {
        /// Its name
        name: String,
    },
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
pub(crate) enum Kind {
    Probe,
    Contract,
    Load,
}

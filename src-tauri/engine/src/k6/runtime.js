function text(value) {
  return value === undefined || value === null ? '' : String(value);
}

function inAddress(value) {
  const plain = text(value);
  // A segment of nothing but dots would lead out of its folder.
  if (plain === '.' || plain === '..') return plain.replace(/\./g, '%252E');
  return encodeURIComponent(plain).replace(/[!'()*]/g, (c) => '%' + c.charCodeAt(0).toString(16).toUpperCase());
}

function inForm(value) {
  const escaped = encodeURIComponent(text(value)).replace(/[!'()~]/g, (c) => '%' + c.charCodeAt(0).toString(16).toUpperCase());
  return escaped.replace(/%20/g, '+');
}

function inJson(value) {
  return JSON.stringify(text(value)).slice(1, -1);
}

function inHeader(value) {
  return text(value).replace(/[\x00-\x08\x0a-\x1f\x7f]/g, '');
}

function secret(variable) {
  const value = __ENV[variable];
  if (!value) exec.test.abort('The variable ' + variable + ' is not set; it holds a secret that a request needs');
  return value;
}

function uuid() {
  const hex = [];
  for (let i = 0; i < 16; i++) {
    let byte = Math.floor(Math.random() * 256);
    if (i === 6) byte = (byte & 0x0f) | 0x40;
    if (i === 8) byte = (byte & 0x3f) | 0x80;
    if (i === 4 || i === 6 || i === 8 || i === 10) hex.push('-');
    hex.push(byte.toString(16).padStart(2, '0'));
  }
  return hex.join('');
}

function header(r, name) {
  const wanted = name.toLowerCase();
  const key = Object.keys(r.headers).find((known) => known.toLowerCase() === wanted);
  return key === undefined ? undefined : r.headers[key];
}

function json(r) {
  try {
    return JSON.parse(r.body);
  } catch (_) {
    return undefined;
  }
}

function find(r, path) {
  let at = json(r);
  for (const step of path) {
    const isThere = at !== null && typeof at === 'object' && Array.isArray(at) === (typeof step === 'number');
    if (!isThere || !Object.prototype.hasOwnProperty.call(at, step)) return undefined;
    at = at[step];
  }
  return at;
}

function asText(value) {
  if (value === undefined) return undefined;
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function found(value) {
  return value === null ? undefined : asText(value);
}

function bodyText(r, path) {
  return path.length === 0 ? (r.body === null ? undefined : String(r.body).trim()) : asText(find(r, path));
}

function bodyHas(r, path) {
  if (path.length === 0) return String(r.body !== null && r.body.length > 0);
  const value = find(r, path);
  return String(value !== undefined && value !== null);
}

function bodyLength(r, path) {
  const value = path.length === 0 && json(r) === undefined ? bodyText(r, path) : find(r, path);
  if (value === undefined) return undefined;
  if (value !== null && typeof value === 'object') return String(Object.keys(value).length);
  return length(asText(value));
}

function length(value) {
  return value === undefined ? undefined : String(Array.from(value).length);
}

function has(value) {
  return String(value !== undefined && value !== '');
}

function span(written, ms) {
  return { written, ms };
}

function written(value) {
  return value !== null && typeof value === 'object' ? value.written : value;
}

function number(value) {
  if (value !== null && typeof value === 'object') return value.ms;
  const plain = value.trim();
  return /^[-+.0-9]/.test(plain) && Number.isFinite(Number(plain)) ? Number(plain) : undefined;
}

function same(a, b) {
  if (written(a) === written(b)) return true;
  if (typeof a === 'object' || typeof b === 'object') return false;
  if (/^[-+]?\d+$/.test(a) && /^[-+]?\d+$/.test(b)) return whole(a) === whole(b);
  const [x, y] = [number(a), number(b)];
  return x !== undefined && x === y;
}

function whole(digits) {
  const [, sign, rest] = /^([-+]?)0*(\d+)$/.exec(digits);
  return (sign === '-' && rest !== '0' ? '-' : '') + rest;
}

// A value that isn't there makes no comparison hold.
function compare(a, operator, b) {
  if (a === undefined || b === undefined) return false;
  if (operator === '==') return same(a, b);
  if (operator === '!=') return !same(a, b);
  const [x, y] = [number(a), number(b)];
  if (x === undefined || y === undefined) return false;
  return operator === '<' ? x < y : operator === '<=' ? x <= y : operator === '>' ? x > y : x >= y;
}

function oneOf(options, value) {
  return value === undefined ? undefined : options.some((option) => same(option, value));
}

// `*` is anything, `?` one character, `[a-z]` and `[^a-z]` one of a set, and `\` takes the next one as it is.
function matches(pattern, value) {
  if (value === undefined) return undefined;
  let expression = '^';
  for (let at = 0; at < pattern.length; at++) {
    const c = pattern[at];
    const end = c === '[' ? pattern.indexOf(']', at + 2) : -1;
    if (c === '*') expression += '[\\s\\S]*';
    else if (c === '?') expression += '[\\s\\S]';
    else if (c === '[' && end > 0) {
      const negated = pattern[at + 1] === '^' || pattern[at + 1] === '!';
      const set = pattern.slice(at + (negated ? 2 : 1), end).replace(/[\\\]^[]/g, '\\$&');
      expression += '[' + (negated ? '^' : '') + set + ']';
      at = end;
    } else {
      if (c === '\\' && at + 1 < pattern.length) at++;
      expression += pattern[at].replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&');
    }
  }
  return new RegExp(expression + '$').test(written(value));
}

// The rows of this iteration; nothing where a file has no more of them.
function rows() {
  const taken = [];
  for (const feed of feeds) {
    const count = feed.rows.length;
    const next = exec.scenario.iterationInTest;
    if (feed.order === 'once' && next >= count) return undefined;
    taken.push(feed.rows[feed.order === 'random' ? Math.floor(Math.random() * count) : next % count]);
  }
  return taken;
}

function choose() {
  let left = Math.random() * endpoints.reduce((sum, endpoint) => sum + endpoint.weight, 0);
  return endpoints.find((endpoint) => (left -= endpoint.weight) < 0) || endpoints[endpoints.length - 1];
}

function think() {
  sleep((plan.think[0] + Math.random() * (plan.think[1] - plan.think[0])) / 1000);
}

// Sends a request and judges its answer; says whether all of it held.
function send(endpoint, v, phase) {
  v.uuid = uuid();
  const tags = { endpoint: endpoint.tag, name: endpoint.shown, phase };
  const r = http.request(endpoint.method, endpoint.url(v), endpoint.body(v), {
    headers: endpoint.headers(v),
    redirects: 0,
    timeout: plan.timeout,
    responseCallback: endpoint.expected,
    // Patchbay sends no cookies of its own accord.
    jar: new http.CookieJar(),
    tags,
  });
  const status = endpoint.name + ': the status';
  let held = check(r, { [status]: () => endpoint.accepts.some(([from, to]) => r.status >= from && r.status <= to) }, tags);
  if (held) {
    const checks = {};
    for (const [name, holds] of Object.entries(endpoint.checks)) checks[name] = () => holds(r, v);
    for (const [name, read] of Object.entries(endpoint.captures)) {
      checks[endpoint.name + ': ' + name + ' is there'] = () => {
        const value = read(r);
        if (value !== undefined) v.captured[name] = value;
        return value !== undefined;
      };
    }
    held = Object.keys(checks).length === 0 || check(r, checks, tags);
  }
  failed.add(!held, tags);
  return held;
}

export function setup() {
  variables.forEach(secret);
  const v = { captured: {}, rows: [], iteration: 0, user: 0 };
  for (const endpoint of before) {
    if (!send(endpoint, v, 'setup')) throw new Error('The setup failed at ' + endpoint.name);
  }
  return { captured: v.captured };
}

export default function (data) {
  if (plan.seed !== null && exec.vu.iterationInInstance === 0) randomSeed(plan.seed + exec.vu.idInTest);
  const taken = rows();
  if (taken === undefined) return;
  const v = {
    captured: Object.assign({}, data.captured),
    rows: taken,
    iteration: exec.scenario.iterationInTest + 1,
    user: exec.vu.idInTest,
  };
  const phase = Date.now() - exec.scenario.startTime < plan.warmUp ? 'warm-up' : 'load';
  const round = plan.chain ? endpoints : [choose()];
  for (let at = 0; at < round.length; at++) {
    const held = send(round[at], v, phase);
    const goesOn = held && at + 1 < round.length;
    // Between the iterations of an open workload, the arrivals make the pauses.
    if (plan.think && (!plan.open || goesOn)) think();
    if (!goesOn) return;
  }
}

export function teardown(data) {
  const v = { captured: Object.assign({}, data.captured), rows: [], iteration: 0, user: 0 };
  for (const endpoint of after) send(endpoint, v, 'teardown');
}

// The summary in k6's own format, for `patchbay load NAME --from-k6 FILE`. What the setup captured may be a credential.
export function handleSummary(data) {
  delete data.setup_data;
  data.patchbay = Object.assign({ ended: Date.now() }, origin);
  const file = __ENV.PATCHBAY_SUMMARY || 'summary.json';
  if (file === '-') return { stdout: JSON.stringify(data) + '\n' };
  let lines = '';
  for (const [metric, found] of Object.entries(data.metrics)) {
    for (const [threshold, outcome] of Object.entries(found.thresholds || {})) {
      lines += (outcome.ok ? 'held    ' : 'BROKEN  ') + metric + ' ' + threshold + '\n';
    }
  }
  return { [file]: JSON.stringify(data, null, 2), stdout: lines + 'wrote ' + file + '\n' };
}

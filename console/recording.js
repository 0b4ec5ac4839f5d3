// From rrweb events to what is shown beside the film: pure, so that it can be tested with plain values.

const [FULL_SNAPSHOT, INCREMENTAL, META, CUSTOM] = [2, 3, 4, 5];
const MOUSE_MOVE_TO_DRAG = [1, 2, 3, 4, 5, 6, 12];   // incremental sources that mean a person did something
const IDLE = 10_000;
const DEAD_AFTER = 7000;
const RAGE_CLICKS = 5;

// Breadcrumbs carry milliseconds, performance spans seconds, in the same member.
const milliseconds = (timestamp) => (timestamp > 9_999_999_999 ? timestamp : timestamp * 1000);
const isEvent = (event) => event !== null && typeof event === 'object' && Number.isFinite(event.timestamp) && event.timestamp > 0 && Number.isInteger(event.type);
const string = (value) => (value === null || value === undefined ? '' : typeof value === 'string' ? value : safeJson(value));

function safeJson(value) {
  try {
    return JSON.stringify(value) ?? String(value);
  } catch {
    return String(value);
  }
}

/** Splits segments into the film (what rrweb plays, sorted) and the notes (breadcrumbs and spans, sorted). */
export function split(segments) {
  const all = segments.flat().filter(isEvent);
  const order = (a, b) => a.timestamp - b.timestamp;
  const film = all.filter((event) => event.type !== CUSTOM && event.data !== undefined).sort(order);
  const notes = all.filter((event) => event.type === CUSTOM && event.data?.payload)
    .map((event) => ({tag: event.data.tag, payload: event.data.payload, timestamp: milliseconds(event.data.payload.timestamp ?? event.timestamp)})).sort(order);
  const start = film[0]?.timestamp ?? notes[0]?.timestamp ?? 0;
  const end = film.at(-1)?.timestamp ?? start;
  return {film, notes, start, end, length: end - start, playable: film.length >= 2 && film.some((event) => event.type === FULL_SNAPSHOT)};
}

function element(node) {
  if (!node || typeof node !== 'object') return '';
  const attributes = node.attributes ?? {};
  const id = attributes.id ? `#${string(attributes.id)}` : '';
  const classes = string(attributes.class).split(/\s+/).filter(Boolean).slice(0, 3).map((name) => `.${name}`).join('');
  return `${string(node.tagName)}${id}${classes}`;
}

/** A ui.click and the slow click found in it later share node and time: one row, the worse of the two. */
function clicks(notes) {
  const rows = new Map();
  for (const {payload, timestamp} of notes) {
    if (!['ui.click', 'ui.slowClickDetected', 'ui.multiClick', 'ui.tap'].includes(payload.category)) continue;
    const data = payload.data ?? {};
    const slow = payload.category === 'ui.slowClickDetected' && data.endReason === 'timeout' && data.timeAfterClickMs >= DEAD_AFTER
      && ['a', 'button', 'input'].includes(string(data.node?.tagName).toLowerCase());
    const count = Number(data.clickCount) || 1;
    const key = `${timestamp}:${data.nodeId ?? data.node?.id}`;
    const known = rows.get(key);
    const row = {
      at: timestamp,
      kind: slow && count >= RAGE_CLICKS ? 'rage' : slow ? 'dead' : 'click',
      title: string(data.node?.textContent).trim() || string(data.node?.attributes?.['aria-label']) || element(data.node) || string(payload.message) || 'Click',
      detail: element(data.node) || string(payload.message),
      count: Math.max(count, known?.count ?? 1),
    };
    if (known && known.kind !== 'click') row.kind = known.kind;
    rows.set(key, row);
  }
  return [...rows.values()];
}

function consoleLines(notes) {
  return notes.filter(({tag, payload}) => tag === 'breadcrumb' && payload.category === 'console').map(({payload, timestamp}) => {
    const level = {log: 'log', warn: 'warning', warning: 'warning', error: 'error', fatal: 'error', debug: 'debug', info: 'info'}[payload.level] ?? 'log';
    const words = Array.isArray(payload.data?.arguments) ? payload.data.arguments.map(string).join(' ') : '';
    return {at: timestamp, kind: level, title: string(payload.message) || words, detail: words && words !== string(payload.message) ? words : ''};
  });
}

function network(notes) {
  return notes.filter(({tag, payload}) => tag === 'performanceSpan' && /^(resource|navigation\.(navigate|reload|back_forward))/.test(string(payload.op))).map(({payload}) => {
    const data = payload.data ?? {};
    const status = Number(data.statusCode) || null;
    const start = milliseconds(Number(payload.startTimestamp) || 0);
    return {
      at: start,
      kind: status >= 400 || data.statusCode === 0 ? 'failed' : 'request',
      type: string(payload.op).split('.').at(-1),
      method: string(data.method) || 'GET',
      status,
      title: string(payload.description),
      lasted: milliseconds(Number(payload.endTimestamp) || 0) - start,
      bytes: Number(data.responseBodySize ?? data.response?.size ?? data.size ?? NaN),
    };
  }).filter((row) => row.at > 0);
}

function pages(film, notes) {
  const rows = [];
  for (const event of film) if (event.type === META && event.data?.href) rows.push({at: event.timestamp, kind: 'navigation', title: string(event.data.href)});
  for (const {payload, timestamp} of notes) {
    if (string(payload.op).startsWith('navigation.push')) rows.push({at: milliseconds(Number(payload.startTimestamp) || 0), kind: 'navigation', title: string(payload.description)});
    else if (payload.category === 'navigation' && payload.data?.to) rows.push({at: timestamp, kind: 'navigation', title: string(payload.data.to)});
  }
  rows.sort((a, b) => a.at - b.at);
  return rows.filter((row, index) => index === 0 || row.title !== rows[index - 1].title);
}

/** Errors with a time come from the API; ids without one, and failures seen in the recording, complete the list. */
function errors(replay, consoleRows, networkRows) {
  const linked = (replay.error_events ?? []).filter((event) => event.level === 'error' || event.level === 'fatal')
    .map((event) => ({at: milliseconds(Number(event.timestamp)), kind: 'error', title: string(event.title) || 'Error', detail: string(event.id)}));
  const timed = new Set(linked.map((row) => row.detail));
  const untimed = (replay.error_ids ?? []).filter((id) => !timed.has(id)).map((id) => ({at: null, kind: 'error', title: 'Error', detail: string(id)}));
  const logged = consoleRows.filter((row) => row.kind === 'error').map((row) => ({...row, label: 'console'}));
  const failed = networkRows.filter((row) => row.kind === 'failed')
    .map((row) => ({at: row.at, kind: 'error', label: 'network', title: `${row.method} ${row.status ?? 'failed'}`, detail: row.title}));
  return [...[...linked, ...logged, ...failed].sort((a, b) => a.at - b.at), ...untimed];
}

/** Stretches longer than ten seconds in which nobody did anything, as offsets. */
function idle(film, start, end) {
  const acted = film.filter((event) => event.type === INCREMENTAL && MOUSE_MOVE_TO_DRAG.includes(event.data?.source)).map((event) => event.timestamp);
  const moments = [start, ...acted, end];
  return moments.slice(1).map((moment, index) => [moments[index] - start, moment - start]).filter(([from, to]) => to - from > IDLE);
}

/** Everything the player page shows; every `at` is an offset in milliseconds from the film's start, or null. */
export function read(segments, replay = {}) {
  const tape = split(segments);
  const offset = (row) => ({...row, at: row.at === null ? null : Math.min(Math.max(0, row.at - tape.start), Math.max(0, tape.length))});
  const byTime = (rows) => rows.sort((a, b) => a.at - b.at).map(offset);
  const [consoleRows, networkRows] = [consoleLines(tape.notes), network(tape.notes)];
  const panes = {
    clicks: byTime(clicks(tape.notes)),
    console: byTime(consoleRows),
    network: byTime(networkRows),
    errors: errors(replay, consoleRows, networkRows).map(offset),
    pages: byTime(pages(tape.film, tape.notes)),
  };
  return {...tape, panes, idle: idle(tape.film, tape.start, tape.end), markers: markers(panes)};
}

/** The marks on the timeline, least important first, so that the important ones are drawn on top. */
function markers({clicks: clicked, errors: failed, pages: visited}) {
  const rank = ['click', 'navigation', 'dead', 'rage', 'error'];
  const label = {click: 'Click', navigation: 'Page', dead: 'Dead click', rage: 'Rage click', error: 'Error'};
  return [...visited, ...clicked, ...failed].filter((row) => row.at !== null)
    .map((row) => ({at: row.at, kind: row.kind, title: `${label[row.kind]}: ${row.title}`}))
    .sort((a, b) => rank.indexOf(a.kind) - rank.indexOf(b.kind) || a.at - b.at);
}

// Captures: windows over the events of an environment. The list with a form for a new one, one capture with its metrics, and who belongs to the environment.

import * as api from './api.js';
import {histogram} from './chart.js';
import {announce, confirmed, h, icon, notice} from './dom.js';
import {duration, moment, plural, size} from './format.js';
import {looking} from './looking.js';
import {membersPanel} from './members.js';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const SOON = 2000;      // milliseconds between two looks while something is about to change
const LATER = 15_000;   // while captures run, or wait for their time
const SELDOM = 60_000;  // while nothing goes on: somebody else may begin one
const MEASURED = 20_000;
const NAMES = {SCHEDULED: 'Scheduled', STARTED: 'Starting', STARTING: 'Starting', RUNNING: 'Running', STOPPING: 'Stopping', DONE: 'Done', FAILED: 'Failed'};
const LENGTHS = [[60, '1 minute'], [300, '5 minutes'], [900, '15 minutes'], [3600, '1 hour'], [21600, '6 hours'], [86400, '1 day'], [604800, '7 days'], ['', 'When I stop it']];

const number = (value) => value.toLocaleString('en-GB');
const once = () => globalThis.crypto?.randomUUID?.() ?? String(Math.random());

// How a metric's values are told, by unit.
const UNITS = {
  Count: number,
  Bytes: size,
  Milliseconds: (value) => `${number(Math.round(value))} ms`,
  Percent: (value) => `${number(Math.round(value * 10) / 10)} %`,
  'Count/Second': (value) => `${number(Math.round(value))} a second`,
  'Bytes/Second': (value) => `${size(value)} a second`,
  Megabytes: (value) => size(value * 1e6),
};
const ADD_UP = ['EVENTS IN', 'BYTES IN', 'ERRORS'];   // of the others a sum says nothing

const address = (parts) => `?${new URLSearchParams([['page', 'captures'], ...Object.entries(parts).filter(([, value]) => value)])}`;

const begins = (capture) => capture.start ?? capture.scheduledStart;
const ends = (capture) => capture.end ?? capture.scheduledEnd;

// --- Moments: in the reader's own time, with UTC beside them

const HERE = new Intl.DateTimeFormat('en-GB', {day: 'numeric', month: 'short', hour: '2-digit', minute: '2-digit', second: '2-digit'});
const SAME_DAY = new Intl.DateTimeFormat('en-GB', {timeStyle: 'medium'});
const UTC = new Intl.DateTimeFormat('en-GB', {hour: '2-digit', minute: '2-digit', timeZone: 'UTC'});
const UTC_DAY = new Intl.DateTimeFormat('en-GB', {weekday: 'short', day: 'numeric', month: 'short', hour: '2-digit', minute: '2-digit', timeZone: 'UTC'});

/** A moment; of one on the same day as another the day is not said again. */
function time(iso, other = null) {
  const at = new Date(iso);
  const written = (other && new Date(other).toDateString() === at.toDateString() ? SAME_DAY : HERE).format(at);
  return h('time', {datetime: iso, title: `${moment(iso)} · ${iso}`}, written, at.getTimezoneOffset() !== 0 && h('span', {class: 'faint'}, ` ${UTC.format(at)} UTC`));
}

/** '3:07', or '1:02:09'. */
function span(milliseconds) {
  const seconds = Math.max(0, Math.round(milliseconds / 1000));
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60];
  return hours ? `${hours}:${String(minutes).padStart(2, '0')}:${String(seconds % 60).padStart(2, '0')}` : `${minutes}:${String(seconds % 60).padStart(2, '0')}`;
}

/** How far a capture is at this moment: {text, part}; part is null where there is no measure. */
function progress(capture, now) {
  const [from, until] = [Date.parse(begins(capture)), Date.parse(ends(capture))];
  if (capture.status === 'SCHEDULED') return {text: `begins in ${span(from - now)}`, part: null};
  if (capture.status === 'RUNNING' && until) return {text: `${span(until - now)} left`, part: Math.min(1, Math.max(0, (now - from) / (until - from)))};
  if (capture.status === 'RUNNING') return {text: `for ${span(now - from)}`, part: null};
  return {text: '', part: null};
}

// --- Pieces of both pages

const badge = ({status}) => h('span', {class: `badge state of-${status.toLowerCase()}`}, NAMES[status]);

/** The window of a capture, and a bar that is moved on by `tick`. */
function windowOf(capture) {
  const {text, part} = progress(capture, Date.now());
  return h('div', {class: 'capture-window'},
    h('span', {}, begins(capture) ? time(begins(capture)) : '–', ' – ', ends(capture) ? time(ends(capture), begins(capture)) : capture.status === 'FAILED' ? '' : 'when it is stopped'),
    part !== null && h('progress', {max: 1, value: part, 'aria-label': `How far ${capture.name} is`}),
    h('span', {class: 'capture-left faint'}, text));
}

function tick(element, capture) {
  const {text, part} = progress(capture, Date.now());
  const left = element.querySelector('.capture-left');
  if (left && left.textContent !== text) left.textContent = text;
  const bar = element.querySelector('progress');
  if (bar && part !== null) bar.value = part;
}

/** Whether the caller may stop and delete it: who made it may, who administers its environment, and a key of the organization. */
function mayChange(capture, environment, me) {
  return me.scopes.includes('capture:write') && (me.id === null || capture.ownerId === me.id || ['owner', 'admin'].includes(environment?.role));
}

/** Stop and Delete, as far as they are the caller's to press. `changed` is told of what became of it: null when it is gone. */
function actions(capture, environment, me, changed, failed) {
  if (!mayChange(capture, environment, me)) return [];
  let busy = false;
  const press = (act, said) => async () => {
    if (busy) return;
    busy = true;
    try {
      const now = await act();
      if (now === undefined) return;
      announce(`${capture.name}: ${said}`);
      changed(now);
    } catch (error) {
      failed(error);
    } finally {
      busy = false;
    }
  };
  const remove = async () => {
    const sure = await confirmed(`Delete ${capture.name}?`, capture.status === 'DONE' ? 'What it holds goes with it, and cannot be brought back.' : 'Nothing of it will be kept.', 'Delete');
    if (!sure) return undefined;
    await api.deleteCapture(capture.id);
    return null;
  };
  return [
    capture.status === 'RUNNING' && h('button', {class: 'button small', type: 'button', 'data-act': 'stop', 'aria-label': `Stop ${capture.name}`, onclick: press(() => api.stopCapture(capture.id), 'stopping')}, 'Stop'),
    h('button', {class: 'button small quiet', type: 'button', 'data-act': 'delete', 'aria-label': `Delete ${capture.name}`, onclick: press(remove, 'deleted')}, 'Delete'),
  ].filter(Boolean);
}

/** How long to wait before looking again. */
function pause(captures, now = Date.now()) {
  if (captures.some(({status}) => ['STARTED', 'STARTING', 'STOPPING'].includes(status))) return SOON;
  const due = captures.flatMap((one) => (one.status === 'SCHEDULED' ? [Date.parse(begins(one))] : one.status === 'RUNNING' && ends(one) ? [Date.parse(ends(one))] : []));
  if (due.length) return Math.max(SOON, Math.min(LATER, Math.min(...due) - now + 500));
  return captures.some(({status}) => status === 'RUNNING') ? LATER : SELDOM;
}

function every(milliseconds, act, signal) {
  const timer = setInterval(act, milliseconds);
  signal.addEventListener('abort', () => clearInterval(timer));
}

// --- The form

const field = (label, name, control, ...more) => h('div', {class: `field of-${name}`}, h('label', {for: `capture-${name}`}, label), control, more);

function zone() {
  const minutes = -new Date().getTimezoneOffset();
  const offset = `UTC${minutes < 0 ? '−' : '+'}${Math.floor(Math.abs(minutes) / 60)}${minutes % 60 ? `:${String(Math.abs(minutes) % 60).padStart(2, '0')}` : ''}`;
  return minutes ? `your time is ${offset}` : 'your time is UTC';
}

/** A moment as a datetime-local field takes it. */
const local = (at) => new Date(at - new Date(at).getTimezoneOffset() * MINUTE).toISOString().slice(0, 16);

/** The form for a new capture; `made` is told of it. */
function form(environments, chosen, made) {
  let key = once();
  const name = h('input', {id: 'capture-name', required: true, minlength: 4, maxlength: 25, pattern: '[A-Za-z0-9 :_\\-]+', autocomplete: 'off', spellcheck: 'false', placeholder: 'Checkout rush',
    title: '4 to 25 letters, digits, spaces and : _ -', 'aria-describedby': 'capture-problem'});
  const where = h('select', {id: 'capture-environment'}, environments.map((one) => h('option', {value: one.id, selected: one.id === chosen?.id}, one.name)));
  const mode = h('select', {id: 'capture-mode', onchange: () => tell()}, h('option', {value: ''}, 'Now'), h('option', {value: 'at'}, 'At a time'));
  const at = h('input', {id: 'capture-at', type: 'datetime-local', 'aria-describedby': 'capture-utc', oninput: () => tell()});
  const utc = h('output', {id: 'capture-utc', class: 'faint capture-utc', for: 'capture-at'});
  const atField = field('Time', 'at', at);
  const length = h('select', {id: 'capture-length'}, LENGTHS.map(([value, text]) => h('option', {value, selected: value === 300}, text)));
  const problem = h('p', {id: 'capture-problem', class: 'problem', role: 'alert', hidden: true});
  const button = h('button', {class: 'button primary', type: 'submit'}, 'Capture');

  function tell() {
    const scheduled = mode.value === 'at';
    atField.hidden = utc.hidden = !scheduled;
    at.required = scheduled;
    if (scheduled && !at.value) at.value = local(Math.ceil((Date.now() + 2 * MINUTE) / (5 * MINUTE)) * 5 * MINUTE);
    at.min = local(Date.now());
    const moment = new Date(at.value);
    utc.textContent = Number.isNaN(moment.getTime()) ? '' : `= ${UTC_DAY.format(moment)} UTC (${zone()})`;
    button.textContent = scheduled ? 'Schedule' : 'Capture';
  }

  async function submit(event) {
    event.preventDefault();
    problem.hidden = true;
    button.disabled = true;
    const scheduled = mode.value === 'at';
    const asked = {name: name.value.trim(), envId: Number(where.value), status: scheduled ? 'SCHEDULED' : 'STARTED', ...(scheduled && {scheduledStart: new Date(at.value).toISOString()}), ...(length.value && {duration: Number(length.value)})};
    try {
      const capture = await api.createCapture(asked, key);
      key = once();
      name.value = '';
      announce(`${capture.name}: ${NAMES[capture.status]}`);
      made(capture);
    } catch (error) {
      problem.textContent = error.message;
      problem.hidden = false;
      const first = error.wrong?.[0]?.path?.[0];
      ({name, scheduledStart: at, duration: length, envId: where}[first] ?? name).focus();
      if (error.status) key = once();   // of a lost answer nobody knows whether it was done: the same again is the same
    } finally {
      button.disabled = false;
    }
  }

  const element = h('section', {class: 'card capture-form', 'aria-labelledby': 'form-heading'},
    h('div', {class: 'card-head'}, h('h2', {id: 'form-heading'}, 'New capture')),
    h('form', {onsubmit: submit},
      h('div', {class: 'filters'}, field('Name', 'name', name), environments.length > 1 && field('Environment', 'environment', where), field('Begins', 'mode', mode), atField, field('Stops after', 'length', length), button),
      utc, problem));
  tell();
  return element;
}

// --- The list

function row(capture, environment, me, several, changed, failed) {
  const element = h('li', {class: 'capture', 'data-id': capture.id},
    h('div', {class: 'capture-name'},
      h('a', {class: 'capture-link', href: address({capture: capture.id}), 'data-route': true, 'data-act': 'open'}, capture.name),
      several && h('span', {class: 'faint'}, environment?.name ?? '')),
    badge(capture),
    windowOf(capture),
    h('span', {class: 'capture-owner'}, capture.username ?? 'a key'),
    h('div', {class: 'capture-actions'}, actions(capture, environment, me, changed, failed)));
  if (capture.reason) element.querySelector('.capture-window').append(h('span', {class: 'capture-reason'}, capture.reason));
  return element;
}

async function listPage(main, parameters, {signal, navigate}) {
  document.title = 'Captures · Tapedeck';
  const [me, environments] = await Promise.all([api.me(signal), api.environments(signal)]);
  if (signal.aborted) return;
  if (environments.length === 0) {
    main.replaceChildren(notice('empty', 'No environment to capture from', 'You belong to no environment of this organization yet. Ask an owner to add you.'));
    return;
  }
  const chosen = environments.find(({slug, id}) => [slug, String(id)].includes(parameters.get('environment'))) ?? null;
  const of = new Map(environments.map((one) => [one.id, one]));
  const known = new Map();   // id → {capture, element, text}
  let listed = false;
  const wait = () => (listed ? pause([...known.values()].map(({capture}) => capture)) : SOON);
  const list = h('ol', {class: 'captures', 'aria-label': 'Captures, newest first'});
  const none = h('p', {class: 'rows-empty', hidden: true}, 'Nothing has been captured yet. A capture keeps every event that is accepted between its start and its end.');
  const problem = h('p', {class: 'problem', role: 'alert', hidden: true});
  const count = h('span', {class: 'faint'});
  const state = h('span', {class: 'live-state lost', role: 'status'});
  const picker = h('select', {id: 'filter-environment', onchange: () => navigate(address({environment: picker.value}), {replace: true})},
    h('option', {value: ''}, 'All environments'), environments.map(({slug, name}) => h('option', {value: slug, selected: slug === chosen?.slug}, name)));
  const failed = (error) => {
    problem.textContent = error.message;
    problem.hidden = false;
    look();
  };

  function show(captures) {
    const held = list.contains(document.activeElement) ? [document.activeElement.closest('.capture').dataset.id, document.activeElement.dataset.act] : null;
    const gone = new Set(known.keys());
    for (const capture of captures) {
      const text = JSON.stringify(capture);
      const before = known.get(capture.id);
      gone.delete(capture.id);
      if (before?.text === text) continue;
      if (before && before.capture.status !== capture.status) announce(`${capture.name}: ${NAMES[capture.status]}`);
      const element = row(capture, of.get(capture.envId), me, environments.length > 1 && !chosen, () => look(), failed);
      known.set(capture.id, {capture, element, text});
    }
    for (const id of gone) known.delete(id);
    const wanted = [...known.keys()].sort((a, b) => b - a).map((id) => known.get(id).element);
    if (wanted.length !== list.children.length || wanted.some((element, index) => element !== list.children[index])) list.replaceChildren(...wanted);
    none.hidden = wanted.length > 0;
    count.textContent = wanted.length ? plural(wanted.length, 'capture') : '';
    if (held && !list.contains(document.activeElement)) (list.querySelector(`[data-id="${held[0]}"] [data-act="${held[1]}"]`) ?? list.querySelector(`[data-id="${held[0]}"] a`) ?? main).focus({preventScroll: true});
  }

  const read = async () => {
    const captures = await api.captures(chosen?.id, signal);
    if (!signal.aborted) show(captures);
    listed = true;
  };
  const look = looking(read, wait, signal, state);
  const team = membersPanel(chosen ?? environments[0], me, signal);
  main.replaceChildren(h('div', {class: 'page'},
    h('div', {class: 'page-head'}, h('h1', {}, 'Captures'), h('div', {class: 'filters', role: 'group', 'aria-label': 'Filter'},
      environments.length > 1 && h('div', {class: 'field'}, h('label', {for: 'filter-environment'}, 'Environment'), picker))),
    h('div', {class: 'captures-page'},
      h('div', {class: 'events-main'},
        me.scopes.includes('capture:write') && form(environments, chosen, () => look()),
        problem,
        h('section', {class: 'results', 'aria-labelledby': 'captures-heading'},
          h('div', {class: 'card-head'}, h('h2', {id: 'captures-heading'}, chosen ? `Captures of ${chosen.name}` : 'All captures'), count, state),
          list, none)),
      team)));
  await read();
  every(1000, () => known.forEach(({element, capture}) => tick(element, capture)), signal);
}

// --- One capture

/** Charts of its metrics, which `show` makes and moves on. */
function charts(signal) {
  const element = h('div', {class: 'metrics'});
  const known = new Map();   // type → {update, count}

  function show(metrics, start, end) {
    const wide = end - start;
    const step = wide <= DAY ? MINUTE : wide <= 7 * DAY ? 5 * MINUTE : HOUR;   // as CloudWatch was asked
    const from = Math.floor(start / step) * step;
    for (const {type, displayName: name, dataPoints} of metrics) {
      const points = dataPoints.map(({Timestamp, Maximum}) => [Date.parse(Timestamp), Maximum]);
      const said = UNITS[dataPoints[0]?.Unit] ?? number;
      const adds = ADD_UP.includes(type);
      const value = adds ? points.reduce((sum, [, one]) => sum + one, 0) : Math.max(0, ...points.map(([, one]) => one));
      let one = known.get(type);
      if (!one) {
        const total = h('span', {class: 'metric-value'});
        const plot = h('div', {class: 'chart-box'});
        one = {total, plot, chart: null};
        known.set(type, one);
        element.append(h('section', {class: 'card metric', 'aria-label': name}, h('div', {class: 'card-head'}, h('h3', {}, name), total), plot));
      }
      one.total.textContent = points.length ? `${said(value)}${adds ? '' : ' at most'}` : '';
      if (points.length && !one.chart) {
        one.chart = histogram({name, points, start: from, end: Math.max(end, from + step), step, signal, height: 110, measure: {column: name, said, adds}});
        one.plot.replaceChildren(one.chart.element);
      } else if (one.chart) one.chart.update(points, Math.max(end, from + step), from);
      else one.plot.replaceChildren(h('p', {class: 'rows-empty'}, 'Nothing was measured.'));
    }
  }
  return {element, show};
}

async function capturePage(main, id, {signal, navigate}) {
  let [capture, me, environments] = await Promise.all([api.capture(id, signal), api.me(signal), api.environments(signal)]);
  if (signal.aborted) return;
  const environment = environments.find((one) => one.id === capture.envId);
  document.title = `${capture.name} · Captures · Tapedeck`;
  const head = h('div', {class: 'player-head'});
  const facts = h('dl', {class: 'event-facts capture-facts'});
  const problem = h('p', {class: 'problem', role: 'alert', hidden: true});
  const measured = charts(signal);
  const note = h('p', {class: 'faint', role: 'status'});
  const state = h('span', {class: 'live-state lost', role: 'status'});
  const failed = (error) => {
    problem.textContent = error.message;
    problem.hidden = false;
  };
  let shown = null;

  function show() {
    if (shown === JSON.stringify(capture)) return;
    shown = JSON.stringify(capture);
    const held = head.contains(document.activeElement) ? document.activeElement.dataset.act : null;
    head.replaceChildren(
      h('a', {class: 'back', href: address({}), 'data-route': true}, icon('back', 18), 'Captures'),
      h('div', {class: 'player-who'}, h('h1', {}, capture.name), h('p', {class: 'faint'}, environment?.name ?? '')),
      badge(capture), h('span', {class: 'spring'}),
      ...(capture.collectionId && me.scopes.includes('event:write') ? [h('a', {class: 'button small', href: `?${new URLSearchParams({page: 'event-replays', new: '1', collection: capture.collectionId})}`, 'data-route': true, 'data-act': 'replay'}, 'Replay this')] : []),
      ...actions(capture, environment, me, (now) => (now === null ? navigate(address({}), {replace: true}) : look()), failed));
    const rows = [
      ['Window', windowOf(capture)],
      capture.duration && ['Length', duration(capture.duration)],
      ['By', capture.username ?? 'a key of the organization'],
      capture.reason && ['Reason', capture.reason],
      capture.collectionId && ['Collection', h('a', {class: 'mono', href: `?${new URLSearchParams({page: 'collection', collection: capture.collectionId})}`, 'data-route': true}, capture.collectionId)],
    ];
    facts.replaceChildren(...rows.filter(Boolean).map(([name, value]) => h('div', {}, h('dt', {}, name), h('dd', {}, value))));
    if (held) (head.querySelector(`[data-act="${held}"]`) ?? head.querySelector('a')).focus({preventScroll: true});
  }

  async function measure() {
    if (!['RUNNING', 'STOPPING', 'DONE'].includes(capture.status)) {
      note.textContent = capture.status === 'FAILED' ? 'It has failed: nothing was kept.' : 'Metrics are shown here as soon as it runs.';
      return;
    }
    const metrics = await api.captureMetrics(capture.id, signal);
    if (signal.aborted) return;
    const [from, until] = [Date.parse(capture.start), Date.parse(ends(capture))];
    measured.show(metrics, from, capture.end || until - from <= HOUR ? until : Date.now());   // of a short one all of its window, from the start
    const whole = metrics.every(({complete}) => complete);
    note.textContent = capture.status === 'RUNNING' ? 'Live: CloudWatch tells of a minute when it is over, or a little later.' : whole ? '' : 'CloudWatch may still learn of the last minutes.';
    settled = whole;
  }

  let settled = false;
  async function read() {
    const before = capture.status;
    capture = await api.capture(id, signal);
    if (signal.aborted) return;
    if (capture.status !== before) announce(`${capture.name}: ${NAMES[capture.status]}`);
    show();
    if (!settled) await measure();
  }

  main.replaceChildren(h('div', {class: 'page'}, head, problem,
    h('section', {class: 'card capture-card', 'aria-label': 'About this capture'}, facts),
    h('div', {class: 'page-head metrics-head'}, h('h2', {}, 'Metrics'), state, note),
    measured.element));
  const look = looking(read, () => (settled ? SELDOM : Math.min(pause([capture]), MEASURED)), signal, state);
  show();
  look();
  every(1000, () => tick(facts, capture), signal);
}

export async function capturesPage(main, parameters, context) {
  if (parameters.get('capture')) await capturePage(main, parameters.get('capture'), context);
  else await listPage(main, parameters, context);
}


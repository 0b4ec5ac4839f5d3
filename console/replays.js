// Event replays: what is sent again, how far it is, and what it has done. The list with a form for a new one, and one of them with its history.

import * as api from './api.js';
import {announce, confirmed, h, icon, notice} from './dom.js';
import {ago, clock, moment, plural} from './format.js';
import {looking} from './looking.js';
import {destinationsPanel} from './replays-destinations.js';
import {replayForm} from './replays-form.js';

const SOON = 1000;      // milliseconds between two looks while something is being sent
const LATER = 5000;     // while something may be sent at any time
const SELDOM = 60_000;  // while nothing goes on: somebody else may begin one
const MOST_LINES = 500; // of a history that are shown
const NAMES = {pending: 'Pending', running: 'Running', paused: 'Paused', completed: 'Completed', failed: 'Failed', aborted: 'Stopped'};
const WHAT = {created: 'Created', started: 'Started', progress: 'Under way', paused: 'Paused', resumed: 'Resumed', delivery_error: 'Given up', completed: 'Completed', failed: 'Failed', aborted: 'Stopped', archived: 'Archived'};

const number = (value) => value.toLocaleString('en-GB');
const once = () => globalThis.crypto?.randomUUID?.() ?? String(Math.random());

const address = (parts) => `?${new URLSearchParams([['page', 'event-replays'], ...Object.entries(parts).filter(([, value]) => value)])}`;

/** Whether it may still send anything. */
const goesOn = ({state, archived}) => !archived && ['pending', 'running', 'paused'].includes(state);

/** How far one is: {text, part}; part is null where there is no end. */
function far({state, progress}) {
  const total = progress.until === null ? null : progress.looked_at + progress.until - progress.position;
  const runs = state === 'running';
  const text = [
    `${number(progress.sent)} sent`,
    progress.failed > 0 && `${number(progress.failed)} failed`,
    progress.waiting > 0 && `${number(progress.waiting)} to be tried again`,
    runs && progress.rate !== null && `${number(Math.round(progress.rate * 10) / 10)} a second`,
    runs && progress.eta !== null && `${clock(progress.eta * 1000)} left`,
    total === null && `${number(progress.looked_at)} looked at`,
  ].filter(Boolean).join(' · ');
  return {text, part: total === null ? null : total ? Math.min(1, progress.looked_at / total) : 1};
}

// --- Pieces of both pages

const badge = ({state}) => h('span', {class: `badge state of-${state}`}, NAMES[state]);

function progressOf(replay) {
  const {text, part} = far(replay);
  return h('div', {class: 'capture-window'},
    part !== null && goesOn(replay) && h('progress', {max: 1, value: part, 'aria-label': `How far ${replay.name} is`}),
    h('span', {}, text),
    replay.status === 'error' && goesOn(replay) && h('span', {class: 'capture-reason'}, replay.message));
}

/** What can be done with one, as far as the caller may. `changed` is told of what became of it. */
function actions(replay, me, {changed, failed, all = false}) {
  if (!me.scopes.includes('event:write')) return [];
  const key = once();   // a press is done once, whatever becomes of the answer
  let busy = false;
  const press = (act) => async () => {
    if (busy) return;
    busy = true;
    try {
      const now = await act();
      if (now) changed(now);
    } catch (error) {
      failed(error);
    } finally {
      busy = false;
    }
  };
  const button = (name, text, act, kind = '') => h('button', {class: `button small ${kind}`.trim(), type: 'button', 'data-act': name, 'aria-label': `${text} ${replay.name}`, onclick: press(act)}, text);
  const archive = async () => {
    const sure = !goesOn(replay) || await confirmed(`Archive ${replay.name}?`, 'It stops for good. What it has done can still be read.', 'Archive');
    return sure ? api.archiveEventReplay(replay.id) : null;
  };
  return [
    !replay.archived && replay.state === 'running' && button('toggle', 'Pause', () => api.toggleEventReplay(replay.id, key)),
    !replay.archived && replay.state === 'paused' && button('toggle', 'Resume', () => api.toggleEventReplay(replay.id, key), 'primary'),
    all && button('redo', 'Redo', () => api.redoEventReplay(replay.id, key)),
    all && !replay.archived && button('archive', 'Archive', archive, 'quiet'),
  ].filter(Boolean);
}

function pause(replays) {
  if (replays.some(({state, type}) => state === 'pending' || (state === 'running' && type === 'single'))) return SOON;
  return replays.some(({state}) => state === 'running') ? LATER : SELDOM;
}

// --- The list

function row(replay, me, told) {
  return h('li', {class: 'capture event-replay', 'data-id': replay.id},
    h('div', {class: 'capture-name'},
      h('a', {class: 'capture-link', href: address({id: replay.id}), 'data-route': true, 'data-act': 'open'}, replay.name),
      h('code', {class: 'replay-query'}, replay.query)),
    badge(replay),
    progressOf(replay),
    h('span', {class: 'capture-owner'}, h('span', {class: 'visually-hidden'}, 'to '), replay.destination.name ?? '–'),
    h('div', {class: 'capture-actions'}, actions(replay, me, told)));
}

async function listPage(main, parameters, {signal, navigate}) {
  document.title = 'Event replays · Tapedeck';
  const [me, collections, environments] = await Promise.all([api.me(signal), api.collections(signal), api.environments(signal)]);
  if (signal.aborted) return;
  if (collections.length === 0) {
    main.replaceChildren(notice('empty', 'No events to replay', 'You belong to no environment of this organization yet. Ask an owner to add you.'));
    return;
  }
  const known = new Map();   // id → {replay, element, text}
  const list = h('ol', {class: 'captures', 'aria-label': 'Event replays, newest first'});
  const none = h('p', {class: 'rows-empty', hidden: true}, 'Nothing has been replayed yet. A replay sends the events that a query finds to a destination, once or as they come.');
  const problem = h('p', {class: 'problem', role: 'alert', hidden: true});
  const count = h('span', {class: 'faint'});
  const lost = h('span', {class: 'live-state lost', role: 'status'});
  const told = {
    changed: () => look(),
    failed: (error) => {
      problem.textContent = error.message;
      problem.hidden = false;
      look();
    },
  };

  function show(replays) {
    const held = list.contains(document.activeElement) ? [document.activeElement.closest('.capture').dataset.id, document.activeElement.dataset.act] : null;
    const gone = new Set(known.keys());
    for (const replay of replays) {
      const text = JSON.stringify(replay);
      const before = known.get(replay.id);
      gone.delete(replay.id);
      if (before?.text === text) continue;
      if (before && before.replay.state !== replay.state) announce(`${replay.name}: ${NAMES[replay.state]}`);
      known.set(replay.id, {replay, element: row(replay, me, told), text});
    }
    for (const id of gone) known.delete(id);
    const wanted = replays.map(({id}) => known.get(id).element);
    if (wanted.length !== list.children.length || wanted.some((element, index) => element !== list.children[index])) list.replaceChildren(...wanted);
    none.hidden = wanted.length > 0;
    count.textContent = wanted.length ? plural(wanted.length, 'replay') : '';
    if (held && !list.contains(document.activeElement)) (list.querySelector(`[data-id="${held[0]}"] [data-act="${held[1]}"]`) ?? list.querySelector(`[data-id="${held[0]}"] a`) ?? main).focus({preventScroll: true});
  }

  const read = async () => {
    const replays = await api.eventReplays(signal);
    if (!signal.aborted) show(replays);
  };
  const environment = environments.find(({slug}) => slug === parameters.get('environment'));
  const wish = {collection: parameters.get('collection') ?? environment?.collection_id, query: parameters.get('query') ?? ''};
  const form = me.scopes.includes('event:write') ? replayForm(collections, wish, {signal, made: ({id}) => navigate(address({id}))}) : null;
  const targets = destinationsPanel(collections, me, {signal, changed: (destinations) => form?.offer(destinations)});
  main.replaceChildren(h('div', {class: 'page'},
    h('div', {class: 'page-head'}, h('h1', {}, 'Event replays')),
    h('div', {class: 'captures-page'},
      h('div', {class: 'events-main'},
        form?.element,
        problem,
        h('section', {class: 'results', 'aria-labelledby': 'replays-heading'}, h('div', {class: 'card-head'}, h('h2', {id: 'replays-heading'}, 'All replays'), count, lost), list, none)),
      targets)));
  if (wish.collection) form?.element.querySelector('#replay-query').focus({preventScroll: true});   // who came from events goes on with them
  await read();
  const look = looking(read, () => pause([...known.values()].map(({replay}) => replay)), signal, lost);
}

// --- One of them

/** The table of a history, which is read on from where it was. */
function historyOf(id, signal) {
  const rows = h('tbody');
  const rest = h('p', {class: 'faint history-rest', hidden: true});
  const element = h('section', {class: 'card', 'aria-labelledby': 'history-heading'},
    h('div', {class: 'card-head'}, h('h2', {id: 'history-heading'}, 'History'), rest),
    h('div', {class: 'history', tabindex: '0', role: 'region', 'aria-labelledby': 'history-heading'},
      h('table', {}, h('thead', {}, h('tr', {}, ['When', 'What', 'Matched', 'Sent', 'Failed', 'Said'].map((name) => h('th', {scope: 'col'}, name)))), rows)));
  const known = new Map();
  let from = null;

  async function read() {
    for (;;) {
      const {entries, next} = await api.eventReplayHistory(id, from, signal);
      for (const entry of entries) known.set(entry.id, entry);
      if (signal.aborted || !next) break;
      from = next;
    }
    if (signal.aborted || known.size === rows.childElementCount) return;
    const shown = [...known.values()].slice(-MOST_LINES).reverse();
    rest.hidden = known.size <= MOST_LINES;
    rest.textContent = `the newest ${MOST_LINES} of ${number(known.size)}`;
    rows.replaceChildren(...shown.map((entry) => h('tr', {class: entry.type === 'delivery_error' || entry.type === 'failed' ? 'lost' : null},
      h('td', {}, h('time', {datetime: entry.at, title: entry.at}, moment(entry.at))),
      h('th', {scope: 'row'}, WHAT[entry.type] ?? entry.type),
      h('td', {}, number(entry.matched)), h('td', {}, number(entry.sent)), h('td', {}, number(entry.failed)),
      h('td', {}, [entry.event_id, entry.message].filter(Boolean).join(' ')))));
  }
  return {element, read};
}

async function onePage(main, id, {signal, navigate}) {
  let [replay, me] = await Promise.all([api.eventReplay(id, signal), api.me(signal)]);
  if (signal.aborted) return;
  document.title = `${replay.name} · Event replays · Tapedeck`;
  const head = h('div', {class: 'player-head'});
  const facts = h('dl', {class: 'event-facts capture-facts'});
  const problem = h('p', {class: 'problem', role: 'alert', hidden: true});
  const lost = h('p', {class: 'live-state lost', role: 'status'});
  const past = historyOf(id, signal);
  const told = {
    all: true,
    changed: (now) => (now.id === replay.id ? look() : navigate(address({id: now.id}))),
    failed: (error) => {
      problem.textContent = error.message;
      problem.hidden = false;
      look();
    },
  };
  let shown = null;

  function show() {
    if (shown === JSON.stringify(replay)) return;
    shown = JSON.stringify(replay);
    const held = head.contains(document.activeElement) ? document.activeElement.dataset.act : null;
    head.replaceChildren(...[
      h('a', {class: 'back', href: address({}), 'data-route': true}, icon('back', 18), 'Event replays'),
      h('div', {class: 'player-who'}, h('h1', {}, replay.name), h('p', {class: 'faint'}, replay.type === 'continuous' ? 'Goes on with what comes' : 'Ends with what there was')),
      badge(replay), replay.archived && h('span', {class: 'chip'}, 'Archived'), h('span', {class: 'spring'}),
      ...actions(replay, me, told),
    ].filter(Boolean));
    const {collection, destination} = replay;
    const rows = [
      ['Progress', progressOf(replay)],
      ['Query', h('code', {class: 'mono'}, replay.query)],
      ['From', h('a', {href: `?${new URLSearchParams({page: 'collection', collection: collection.id, query: replay.query})}`, 'data-route': true}, collection.name ?? collection.id)],
      ['To', [destination.name ?? destination.id, destination.type && h('span', {class: 'faint'}, ` ${destination.type}`)]],
      ['Latest delivery', replay.last_checked_at ? [replay.status === 'ok' ? `well, in ${number(replay.latency_ms)} ms` : replay.message, h('span', {class: 'faint'}, ` ${ago(new Date(replay.last_checked_at * 1000).toISOString())}`)] : 'none yet'],
      replay.concurrency > 1 && ['At a time', `${replay.concurrency}, in no order`],
      replay.redo_of && ['Again', h('a', {href: address({id: replay.redo_of}), 'data-route': true}, 'the replay that this one does again')],
      replay.notes && ['Notes', replay.notes],
      ['By', [replay.author?.name ?? 'a key of the organization', h('span', {class: 'faint'}, ` ${moment(replay.inserted_at)}`)]],
    ];
    facts.replaceChildren(...rows.filter(Boolean).map(([name, value]) => h('div', {}, h('dt', {}, name), h('dd', {}, value))));
    if (held) (head.querySelector(`[data-act="${held}"]`) ?? head.querySelector('a')).focus({preventScroll: true});
  }

  async function read() {
    const before = replay.state;
    replay = await api.eventReplay(id, signal);
    if (signal.aborted) return;
    if (replay.state !== before) announce(`${replay.name}: ${NAMES[replay.state]}`);
    show();
    await past.read();
  }

  main.replaceChildren(h('div', {class: 'page'}, head, problem, h('section', {class: 'card capture-card', 'aria-label': 'About this replay'}, facts, lost), past.element));
  show();
  const look = looking(read, () => pause([replay]), signal, lost);
  await past.read();
}

export async function replaysPage(main, parameters, context) {
  if (parameters.get('id')) await onePage(main, parameters.get('id'), context);
  else await listPage(main, parameters, context);
}

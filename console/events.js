// Events: what applications report, by name, in time, and one by one. What is chosen is in the address, as on the list of replays.

import * as api from './api.js';
import {histogram, spoken} from './chart.js';
import {announce, copy, h, icon, notice} from './dom.js';
import {follow} from './following.js';
import {ago, moment, plural} from './format.js';
import {codeBlock} from './setup.js';

const MINUTE = 60_000;
const DAY = 1440 * MINUTE;
const INTERVALS = [
  ['minute', 'Minute', MINUTE], ['5m', '5 minutes', 5 * MINUTE], ['15m', '15 minutes', 15 * MINUTE], ['30m', '30 minutes', 30 * MINUTE], ['hour', 'Hour', 60 * MINUTE],
  ['3h', '3 hours', 180 * MINUTE], ['12h', '12 hours', 720 * MINUTE], ['day', 'Day', DAY], ['week', 'Week', 7 * DAY],
].map(([key, label, step]) => ({key, label, step}));
const DAYS = {1: '15m', 2: '30m', 7: '3h', 30: '12h', 90: 'day'};   // how far back → how wide an interval is unless chosen
const MOST_POINTS = 3000;    // more of them are no chart
const USUAL = {environment: '', event: '', app: '', server: '', days: '2', interval: '', from: '', offset: '', of: '', live: ''};
const PER_PAGE = 25;
const MOST_ROWS = 300;       // that a page grows to while it is live
const MOST_MISSED = 1000;    // events that are caught up with one by one; after more of them the list is read anew
const WAIT = 20;             // seconds for which the server holds a question open
const REFRESH = 5000;        // milliseconds between two looks at the counts while events come in
const MOST_PEEK = 240;       // characters of an event's data in its line

const number = (value) => value.toLocaleString('en-GB');

const counted = (value) => `${number(value)} ${value === 1 ? 'event' : 'events'}`;

/** What the address chooses. `of` is how many events there were when the first page was read: later pages count from there. */
function chosen(parameters) {
  const one = Object.fromEntries(Object.entries(USUAL).map(([name, usual]) => [name, parameters.get(name) || usual]));
  if (!Object.hasOwn(DAYS, one.days)) one.days = USUAL.days;
  if (!intervals(one.days).some(({key}) => key === one.interval)) one.interval = '';
  for (const name of ['from', 'offset', 'of']) if (!/^\d{1,15}$/.test(one[name])) one[name] = '';
  return one;
}

function address(one) {
  return `?${new URLSearchParams([['page', 'events'], ...Object.entries(one).filter(([name, value]) => value && value !== USUAL[name])])}`;
}

const intervals = (days) => INTERVALS.filter(({step}) => (days * DAY) / step <= MOST_POINTS && step < days * DAY);

const choices = (options, value) => options.map(([key, text]) => h('option', {value: key, selected: key === value}, text));

const field = (label, name, control) => h('div', {class: `field of-${name}`}, h('label', {for: `filter-${name}`}, label), control);

function select(name, options, value, onchange) {
  const made = h('select', {id: `filter-${name}`, onchange: () => onchange(made.value)}, choices(options, value));
  return made;
}

/** The name that was last heard of. */
function latest(apps) {
  const all = apps.flatMap(({details}) => details);
  return all.reduce((best, one) => (one.last > best.last ? one : best), all[0]).name;
}

/** The query that finds the same events when they are replayed. There the window is of the times at which they were received. */
function queryOf({event, app, server}, window) {
  const quoted = (text) => `"${text.replace(/[\\"]/g, '\\$&')}"`;
  const at = (milliseconds) => new Date(milliseconds).toISOString();
  return [
    `client.metadata.event_name:${quoted(event)}`,
    app && `client.metadata.app_name:${quoted(app)}`,
    server && `client.metadata.server_name:${quoted(server)}`,
    window && `batch.info.date_human:[${at(window.start)} TO ${at(window.end)}}`,
  ].filter(Boolean).join(' AND ');
}

/** How many events of this name there are, in one application or all. */
function total(apps, {event, app}) {
  return apps.filter(({app_name: name}) => !app || name === app).flatMap(({details}) => details).filter(({name}) => name === event).reduce((sum, {count}) => sum + count, 0);
}

/** The panel of names by application. Returns {element, show(apps)}. */
function names(now, shown) {
  const list = h('div', {class: 'names-list'});
  const filter = h('input', {class: 'filter', type: 'search', 'aria-label': 'Find a name', placeholder: 'Find a name', autocomplete: 'off', spellcheck: 'false', oninput: () => narrow()});
  const line = h('div', {class: 'filter-line'}, icon('search', 15), filter);
  const none = h('p', {class: 'rows-empty', hidden: true}, 'No name like that');
  const element = h('nav', {class: 'card names', 'aria-label': 'Events by application'}, line, list, none);

  function narrow() {
    const text = filter.value.trim().toLowerCase();
    for (const group of list.children) {
      for (const link of group.querySelectorAll('.name')) link.hidden = !link.dataset.key.toLowerCase().includes(text);
      group.hidden = !group.querySelector('.name:not([hidden])');
    }
    none.hidden = Boolean(list.querySelector('section:not([hidden])'));
  }

  function show(apps) {
    const held = list.contains(document.activeElement) ? document.activeElement.dataset.key : null;
    const scrolled = list.firstChild ? element.scrollTop : null;   // at first, to the name that is shown
    const every = apps.reduce((sum, {details}) => sum + details.length, 0);
    line.hidden = every < 9;
    list.replaceChildren(...apps.map(({app_name: app, details}) => h('section', {},
      h('h2', {}, app),
      h('ul', {}, details.map(({name, count, first, last}) => {
        const current = shown.event === name && (!shown.app || shown.app === app);
        return h('li', {}, h('a', {
          class: 'name', href: address({...now, event: name, app, server: '', from: '', offset: '', of: '', live: now.live}), 'data-route': true, 'data-key': `${app} ${name}`,
          'aria-current': current ? 'true' : null, title: `${name}\nfirst ${moment(first)}\nlast ${moment(last)}`,
        },
        h('span', {class: 'name-text'}, name), h('span', {class: 'name-count'}, number(count), h('span', {class: 'visually-hidden'}, count === 1 ? ' event' : ' events')),
        h('span', {class: 'name-when'}, h('span', {}, `since ${new Date(first).toLocaleDateString('en-GB', {day: 'numeric', month: 'short'})}`), h('time', {datetime: last}, ago(last)))));
      })))));
    narrow();
    const top = list.querySelector('[aria-current]')?.offsetTop ?? 0;
    element.scrollTop = scrolled ?? (top > element.clientHeight - 80 ? top - 96 : 0);
    if (held) [...list.querySelectorAll('.name')].find(({dataset}) => dataset.key === held)?.focus({preventScroll: true});
  }
  return {element, show};
}

const TODAY = new Intl.DateTimeFormat('en-GB', {timeStyle: 'medium'});
const EARLIER = new Intl.DateTimeFormat('en-GB', {day: 'numeric', month: 'short', hour: '2-digit', minute: '2-digit', second: '2-digit'});

function when(iso) {
  const at = new Date(iso);
  return (at.toDateString() === new Date().toDateString() ? TODAY : EARLIER).format(at);
}

/** One event: a line, and all of it when that is opened. What it says is text and stays text. */
function row(event, fresh) {
  const peek = JSON.stringify(event.data);
  const more = h('div', {class: 'event-more'});
  const details = h('details', {ontoggle: () => details.open && !more.firstChild && more.append(...whole(event))},
    h('summary', {class: 'event-line'},
      icon('next', 14),
      h('time', {class: 'event-when', datetime: event.at, title: `${moment(event.at)} · ${event.at}`}, when(event.at)),
      h('span', {class: 'event-app'}, event.app_name),
      h('span', {class: 'event-server'}, event.server_name || '–'),
      h('code', {class: 'event-peek'}, peek.length > MOST_PEEK ? `${peek.slice(0, MOST_PEEK)}…` : peek)),
    more);
  return h('li', {class: fresh ? 'event fresh' : 'event', 'data-id': event._id}, details);
}

function whole(event) {
  const text = JSON.stringify(event.data, null, 2);
  const button = h('button', {class: 'button small copy', type: 'button', onclick: () => copy(text, button)}, icon('copy', 15), h('span', {class: 'label'}, 'Copy'));
  const facts = [['Id', event._id], ['Time', event.at], ['Server', event.server_name], ['Process', event.process.pm_id], ['Revision', event.process.rev]];
  return [
    h('dl', {class: 'event-facts'}, facts.filter(([, value]) => value !== null && value !== '').map(([name, value]) => h('div', {}, h('dt', {}, name), h('dd', {class: 'mono'}, String(value))))),
    h('figure', {class: 'code'}, h('figcaption', {}, 'Data', button), h('pre', {tabindex: '0', 'aria-label': 'Data'}, h('code', {}, text))),
  ];
}

/** Nothing yet: how to send the first event, and a watch for it. */
function nothingYet(main, bucket, head, {signal, after, arrived}) {
  const curl = (token) => `curl -X POST ${location.origin}${api.base}/api/bucket/${bucket._id}/data/events/ingest \\
  -H 'Authorization: Bearer ${token}' \\
  -d '{"name": "hello", "data": {"from": "curl"}, "process": {"name": "shop", "server": "web-1"}}'`;
  const shown = `${api.token().slice(0, 4)}…`;
  const state = h('p', {class: 'live-state', role: 'status'}, h('i', {class: 'live-dot', 'aria-hidden': 'true'}), h('span', {}, 'Waiting for the first event'));
  const empty = notice('empty', 'No event yet', 'Applications report what happens as events: a name, and JSON that says more. Send the first one:');
  empty.classList.add('wide');
  empty.append(
    codeBlock('Terminal', curl(shown), curl(api.token())),
    h('p', {class: 'faint'}, 'Copying puts your token in its place. In a checkout, ', h('code', {}, 'tapedeck events send hello'), ' will do.'),
    state);
  const say = (text, lost) => {
    state.lastChild.textContent = text;
    state.classList.toggle('lost', lost);
  };
  main.replaceChildren(h('div', {class: 'page'}, head, h('div', {class: 'results'}, empty)));
  follow({signal,
    ask: (from, stop) => api.newEvents(bucket._id, {after: from, wait: WAIT, limit: 1}, stop),
    after: Math.max(0, after - 1),   // one step back: finds an event that came while this page was made; one that was deleted is not there to be found
    answered: (events) => (events.length ? arrived() : say('Waiting for the first event', false)),
    lost: (pause) => say(`No connection; trying again in ${Math.round(pause / 1000)} s`, true),
  }).catch((error) => signal.aborted || say(error.message, true));
}

let focusNext = null;   // the control that people were at when their choice made the page anew

export async function eventsPage(main, parameters, {signal, navigate}) {
  document.title = 'Events · Tapedeck';
  const buckets = await api.buckets(signal);
  if (signal.aborted) return;
  if (buckets.length === 0) {
    main.replaceChildren(notice('empty', 'No environment to look into', 'You belong to no environment of this organization yet. Ask an owner to add you.'));
    return;
  }
  const now = chosen(parameters);
  const bucket = buckets.find(({name, _id}) => now.environment === name || now.environment === _id) ?? buckets[0];
  const change = (part, focus) => {
    focusNext = focus;
    const next = {...now, from: '', offset: '', of: '', ...part};
    navigate(address(next), {replace: address(next) === address(now)});
  };
  const environment = field('Environment', 'environment', select('environment', buckets.map(({name}) => [name, name]), bucket.name, (value) => change({...USUAL, days: now.days, environment: value === buckets[0].name ? '' : value}, 'filter-environment')));
  // `after` is where live goes on. It is known before the list is read, so that nothing falls in between.
  let [apps, {next: after}] = await Promise.all([api.eventNames(bucket._id, signal), api.newEvents(bucket._id, {}, signal)]);
  if (signal.aborted) return;
  if (apps.length === 0) {
    const head = h('div', {class: 'page-head'}, h('h1', {}, 'Events'), h('div', {class: 'filters', role: 'group', 'aria-label': 'Filter'}, environment));
    nothingYet(main, bucket, head, {signal, after, arrived: () => navigate(location.search, {replace: true})});
    refocus();
    return;
  }

  const shown = {event: now.event || latest(apps), app: now.app, server: now.server};
  document.title = `${shown.event} · Events · Tapedeck`;
  const filters = {event_name: shown.event, ...(shown.app && {app_name: shown.app}), ...(shown.server && {server_name: shown.server})};
  const possible = intervals(now.days);
  const {key: interval, step} = possible.find(({key}) => key === (now.interval || DAYS[now.days]));
  const window = now.from ? {start: Number(now.from), end: Number(now.from) + step} : {};
  const having = apps.filter(({events}) => events.includes(shown.event)).map(({app_name: name}) => [name, name]);
  const known = h('datalist', {id: 'servers'});
  const server = h('input', {id: 'filter-server', type: 'search', list: 'servers', value: shown.server, placeholder: 'All servers', autocomplete: 'off', spellcheck: 'false', maxlength: '256',
    onchange: () => change({server: server.value.trim()}, 'filter-server')});
  const panel = names(now, shown);
  const chartBox = h('div', {class: 'chart-box', 'aria-busy': 'true'});
  const list = h('ol', {class: 'events', 'aria-label': `${shown.event}, newest first`});
  const listBox = h('div', {class: 'events-box', 'aria-busy': 'true'}, skeleton());
  const count = h('span', {class: 'faint'});
  const live = h('button', {class: 'switch', type: 'button', role: 'switch', 'aria-checked': 'false'}, h('i', {'aria-hidden': 'true'}), h('span', {}, 'Live'));
  const state = h('span', {class: 'live-state', role: 'status'});
  main.replaceChildren(h('div', {class: 'page'},
    h('div', {class: 'page-head'}, h('h1', {}, 'Events'), h('div', {class: 'filters', role: 'group', 'aria-label': 'Filter'},
      environment,
      field('Application', 'app', select('app', [['', 'All applications'], ...having, ...(shown.app && !having.some(([name]) => name === shown.app) ? [[shown.app, shown.app]] : [])], shown.app, (value) => change({event: shown.event, app: value}, 'filter-app'))),
      field('Server', 'server', server), known,
      field('Period', 'days', select('days', Object.keys(DAYS).map((days) => [days, days === '1' ? 'Last 24 hours' : `Last ${days} days`]), now.days, (value) => change({days: value, interval: ''}, 'filter-days'))),
      field('Interval', 'interval', select('interval', possible.map((one) => [one.key, one.label]), interval, (value) => change({interval: value === DAYS[now.days] ? '' : value}, 'filter-interval'))))),
    h('div', {class: 'events-page'},
      panel.element,
      h('div', {class: 'events-main'},
        h('section', {class: 'card chart-card', 'aria-labelledby': 'chart-heading'},
          h('div', {class: 'card-head'}, h('h2', {id: 'chart-heading'}, shown.event), count), chartBox),
        h('section', {class: 'results', 'aria-labelledby': 'events-heading'},
          h('div', {class: 'card-head'},
            h('h2', {id: 'events-heading'}, now.from ? spoken(window.start, step) : now.offset ? 'Older events' : 'Newest events'),
            h('a', {class: 'button small', href: `?${new URLSearchParams({page: 'event-replays', environment: bucket.name, query: queryOf(shown, now.from && window)})}`, 'data-route': true}, icon('again', 14), 'Replay these'),
            now.from && h('button', {class: 'button small', type: 'button', onclick: () => change({}, 'events-heading')}, icon('close', 13), 'All times'),
            state, live),
          listBox)))));
  panel.show(apps);
  refocus();

  // --- the chart
  let chart = null;
  async function look() {
    let points;
    try {
      points = await api.distribution(bucket._id, {...filters, days: Number(now.days), interval}, signal);
    } catch (error) {
      if (error.status !== 400) throw error;
      chartBox.replaceChildren(h('p', {class: 'rows-empty'}, error.message));
      return;
    }
    if (signal.aborted) return;
    const end = Date.now();
    const sum = points.reduce((all, [, one]) => all + one, 0);
    count.textContent = `${counted(sum)} in the last ${now.days === '1' ? '24 hours' : `${now.days} days`}`;
    chartBox.removeAttribute('aria-busy');
    if (chart) return chart.update(points, end);
    chart = histogram({name: shown.event, points, start: end - now.days * DAY, end, step, signal, picked: now.from ? window.start : null,
      pick: (at) => change(at === null ? {} : {event: shown.event, from: String(at)}, 'chart')});
    chartBox.replaceChildren(chart.element);
    refocus();
  }

  // --- the list
  const all = total(apps, shown);
  const moved = now.of && !shown.server && !now.from ? Math.max(0, all - Number(now.of)) : 0;   // what came since the first page was read
  const offset = Number(now.offset) || 0;
  async function read() {
    const events = await api.events(bucket._id, {...filters, ...window, limit: PER_PAGE + 1, offset: offset + moved}, signal);
    if (signal.aborted) return;
    listBox.removeAttribute('aria-busy');
    const older = events.length > PER_PAGE;
    list.replaceChildren(...events.slice(0, PER_PAGE).map((one) => row(one, false)));
    offer(events);
    const first = now.of || String(all);
    const turn = (to, text, mark) => {
      const inside = [mark === 'prev' && icon('back', 16), text, mark === 'next' && icon('next', 16)];
      return to === null ? h('span', {class: 'button', 'aria-disabled': 'true'}, inside) : h('a', {class: 'button', href: address({...now, event: shown.event, live: '', offset: to ? String(to) : '', of: to ? first : ''}), 'data-route': true, rel: mark}, inside);
    };
    listBox.replaceChildren(
      h('div', {class: 'event-columns', 'aria-hidden': 'true'}, ['Time', 'Application', 'Server', 'Data'].map((name) => h('span', {}, name))),
      list, none(),
      (older || offset) ? h('nav', {class: 'pager', 'aria-label': 'Pages'}, turn(offset ? Math.max(0, offset - PER_PAGE) : null, 'Newer', 'prev'), turn(older ? offset + PER_PAGE : null, 'Older', 'next')) : '');
    announce(`${plural(list.children.length, 'event')} on this page`);
  }

  function none() {
    const element = h('p', {class: 'rows-empty', hidden: list.children.length > 0},
      now.from ? 'Nothing in this interval.' : shown.server || shown.app ? `No ${shown.event} from there. ` : `There is no ${shown.event} yet.`,
      !now.from && (shown.server || shown.app) && h('button', {class: 'button small', type: 'button', onclick: () => change({event: shown.event, app: '', server: ''}, 'filter-app')}, 'From everywhere'));
    return element;
  }

  function offer(events) {
    const seen = new Set([...known.children].map(({value}) => value));
    for (const {server_name: name} of events) if (name) seen.add(name);
    known.replaceChildren(...[...seen].sort().map((value) => h('option', {value})));
  }

  // --- live
  let following = null;   // the controller of the question that is open
  let refreshing = null;
  let unheard = 0;

  function tell(name, text) {
    if (state.textContent === text) return;
    state.className = `live-state ${name}`;
    state.replaceChildren(...(name === 'live' ? [h('i', {class: 'live-dot', 'aria-hidden': 'true'})] : []), text);
  }

  /** The newest go on top; who reads further down is not pushed about. */
  function arrived(events) {
    const listed = new Set([...list.children].map(({dataset}) => dataset.id));
    const fresh = events.filter(({_id}) => !listed.has(_id));
    if (!fresh.length) return;
    const [read, place] = [list.firstChild, list.firstChild?.getBoundingClientRect().top];
    list.prepend(...fresh.slice(-MOST_ROWS).reverse().map((one) => row(one, true)));
    while (list.children.length > MOST_ROWS) list.lastChild.remove();
    listBox.querySelector('.rows-empty').hidden = true;
    if (place < 0 && read.isConnected) globalThis.scrollBy(0, read.getBoundingClientRect().top - place);
    offer(fresh);
    unheard += fresh.length;
    refreshing ??= setTimeout(refresh, REFRESH);
  }

  async function refresh() {
    announce(`${plural(unheard, 'new event')}`);
    unheard = 0;
    try {
      const [, fresh] = await Promise.all([look(), api.eventNames(bucket._id, signal)]);
      if (!signal.aborted) panel.show(apps = fresh);
    } catch (error) {
      if (!signal.aborted) console.warn(error);   // the counts are of a moment ago; the next events bring others
    }
    refreshing = null;
  }

  async function start() {
    following?.abort();
    const mine = following = new AbortController();
    const either = AbortSignal.any([mine.signal, signal]);
    live.setAttribute('aria-checked', 'true');
    tell('live', 'Waiting for events');
    remember('1');
    let first = true;
    const ask = async (from, stop) => {
      const {next} = first ? await api.newEvents(bucket._id, {}, stop) : {next: 0};
      first = false;
      if (next - from <= MOST_MISSED) return api.newEvents(bucket._id, {...filters, after: from, wait: WAIT, limit: 1000}, stop);
      await read();
      return {next, events: []};
    };
    try {
      await follow({
        ask,
        after,
        signal: either,
        answered: (events, next) => {
          after = next;
          tell('live', 'Waiting for events');
          arrived(events);
        },
        lost: (pause) => tell('lost', `No connection; trying again in ${Math.round(pause / 1000)} s`),
      });
    } catch (error) {
      if (either.aborted) return;
      stop();
      tell('lost', error.message);
    }
  }

  function stop() {
    following?.abort();
    following = null;
    live.setAttribute('aria-checked', 'false');
    tell('paused', `Paused at ${TODAY.format(new Date())}`);
    remember('');
  }

  /** Live or not is in the address too, but is no step of the history. */
  function remember(value) {
    [now.live, now.event] = [value, shown.event];
    history.replaceState(history.state, '', `${location.pathname}${address(now)}`);
    panel.show(apps);
  }

  live.addEventListener('click', () => {
    if (following) stop();
    else if (now.from || now.offset) change({event: shown.event, live: '1'}, null);
    else start();
  });
  document.addEventListener('visibilitychange', () => {   // a tab that nobody sees asks nothing; it catches up when it is seen
    if (now.live && !document.hidden) start();
    else if (now.live) following?.abort();
  }, {signal});
  signal.addEventListener('abort', () => clearTimeout(refreshing));

  await Promise.all([look(), read()]);
  if (!signal.aborted && now.live && !now.from && !now.offset) start();
}

/** Puts the keyboard back where it was, as soon as that is there again. */
function refocus() {
  const control = focusNext === 'chart' ? document.querySelector('.chart-plot') : document.getElementById(focusNext);
  if (!control) return;
  focusNext = null;
  if (!control.matches('a, button, select, input, [tabindex]')) control.tabIndex = -1;
  control.focus({preventScroll: true});
}

function skeleton() {
  return h('div', {class: 'skeleton', role: 'status'}, h('span', {class: 'visually-hidden'}, 'Loading events'), Array.from({length: 5}, () => h('div', {class: 'skeleton-row', 'aria-hidden': 'true'}, h('i'), h('i'), h('i'))));
}

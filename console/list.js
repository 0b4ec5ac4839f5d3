// The list: what was recorded, found by query, place and time. All of what is chosen is in the address, so that it can be shared, reloaded and gone back to.

import * as api from './api.js';
import {announce, h, icon, notice} from './dom.js';
import {SORTS} from './fields.js';
import {ago, duration, hue, initials, moment, path, plural} from './format.js';
import {plainWords, quoted} from './query.js';
import {searchBox} from './search.js';

const PERIODS = ['1h', '24h', '7d', '30d', '90d'];
const UNITS = {s: ['second', 1], m: ['minute', 60], h: ['hour', 3600], d: ['day', 86400], w: ['week', 604800]};
const USUAL = {query: '', sort: '-started_at', period: '7d', start: '', end: '', project: '', environment: '', cursor: ''};
const PER_PAGE = 25;
const SEEN = 'tapedeck.environments';

/** What the address chooses. Start and end beside a period are that period as it was when its first page was read: later pages keep to it. */
function chosen(parameters) {
  const one = Object.fromEntries(Object.entries(USUAL).map(([name, usual]) => [name, parameters.get(name) || usual]));
  const range = one.start && one.end;
  if (range && !parameters.get('period')) one.period = '';
  if (!range || (one.period && !one.cursor)) one.start = one.end = '';
  return one;
}

function address(one) {
  const parameters = new URLSearchParams(Object.entries(one).filter(([name, value]) => value && (value !== USUAL[name] || (name === 'period' && one.start))));
  return parameters.size ? `?${parameters}` : '?';
}

/** '24h' → 86400; null for what is no period. */
function seconds(period) {
  const found = period.match(/^(\d{1,9})([hdmsw]?)$/);
  return found && Number(found[1]) * UNITS[found[2] || 's'][1];
}

function spoken(period) {
  const found = period.match(/^(\d{1,9})([hdmsw]?)$/);
  if (!found) return period;
  const [unit] = UNITS[found[2] || 's'];
  return found[1] === '1' ? `Last ${unit}` : `Last ${found[1]} ${unit}s`;
}

const written = (milliseconds) => new Date(milliseconds).toISOString().replace(/\.\d+Z$/, 'Z');

/** The part of a request that says when. */
function when({period, start, end}) {
  return start ? {start, end} : {statsPeriod: period};
}

/** The API names no environments; those met in answers are offered from then on. */
function environments(organization, rows, one) {
  const known = [...(organization.environments ?? []), ...JSON.parse(sessionStorage.getItem(SEEN) ?? '[]'), ...rows.map((row) => row.environment), one];
  const unique = [...new Set(known.filter(Boolean))].sort();
  sessionStorage.setItem(SEEN, JSON.stringify(unique));
  return [['', 'All environments'], ...unique.map((name) => [name, name])];
}

const choices = (options, value) => options.map(([key, text]) => h('option', {value: key, selected: key === value}, text));

function field(label, name, content) {
  return h('div', {class: `field of-${name}`}, h('label', {for: `filter-${name}`}, label), content);
}

function select(name, children, onchange, more = {}) {
  const made = h('select', {id: `filter-${name}`, onchange: () => onchange(made.value), ...more}, children);
  return made;
}

/** What to sort by, and a button that turns it round. */
function sorting(now, change) {
  const key = now.sort.replace(/^-/, '');
  const descending = now.sort.startsWith('-');
  const sort = SORTS.find((one) => one.key === key);
  const groups = [...new Set(SORTS.map(({group}) => group))];
  const picker = select('sort', [
    !sort && h('option', {value: key, selected: true}, key),
    groups.map((group) => h('optgroup', {label: group}, choices(SORTS.filter((one) => one.group === group).map((one) => [one.key, one.label]), key))),
  ].flat(2).filter(Boolean), (value) => change({sort: `${SORTS.find((one) => one.key === value)?.words[0].startsWith('Z') ? '' : '-'}${value}`}, 'filter-sort'));
  const words = sort?.words[descending ? 0 : 1] ?? (descending ? 'descending' : 'ascending');
  const turn = h('button', {id: 'filter-turn', class: 'button turn', type: 'button', title: `${words}: turn round`, 'aria-label': `Sorted ${words}; turn round`,
    onclick: () => change({sort: descending ? key : `-${key}`}, 'filter-turn')}, icon(descending ? 'down' : 'up', 16));
  return h('div', {class: 'field of-sort'}, h('label', {for: 'filter-sort'}, 'Sort by'), h('div', {class: 'joined'}, picker, turn));
}

/** Presets, or a form for two moments of the clock on the wall. */
function periods(now, change) {
  const range = now.start && !now.period;
  const presets = PERIODS.includes(now.period) || !now.period ? PERIODS : [...PERIODS, now.period];
  const from = h('input', {id: 'range-start', type: 'datetime-local', required: true});
  const to = h('input', {id: 'range-end', type: 'datetime-local', required: true});
  const local = (milliseconds) => (Number.isFinite(milliseconds) ? new Date(milliseconds - new Date(milliseconds).getTimezoneOffset() * 60_000).toISOString().slice(0, 16) : '');
  const show = (first, last) => {
    from.value = local(first);
    to.value = local(last);
  };
  const form = h('form', {class: 'range', 'aria-label': 'Started between', hidden: !range, onsubmit: (event) => {
    event.preventDefault();
    change({period: '', start: written(Date.parse(from.value)), end: written(Date.parse(to.value))}, 'filter-period');
  }},
    h('div', {class: 'field'}, h('label', {for: 'range-start'}, 'From'), from),
    h('div', {class: 'field'}, h('label', {for: 'range-end'}, 'Until'), to),
    h('button', {class: 'button', type: 'submit'}, 'Apply'));
  const check = () => to.setCustomValidity(from.value && to.value && from.value >= to.value ? 'This must be later than the other.' : '');
  from.addEventListener('input', check);
  to.addEventListener('input', check);
  if (range) show(Date.parse(now.start), Date.parse(now.end));
  const picker = select('period', choices([...presets.map((one) => [one, spoken(one)]), ['', range ? 'Between two dates' : 'Between two dates …']], now.period), (value) => {
    if (value) return change({period: value, start: '', end: ''}, 'filter-period');
    form.hidden = false;
    show(Date.now() - 1000 * (seconds(now.period) ?? 86400), Date.now() + 60_000);
    from.focus();
  });
  return [field('Started', 'period', picker), form];
}

function badge(kind, count, label) {
  if (!count) return null;
  return h('span', {class: `badge ${kind}`, title: plural(count, label)}, icon(kind, 13), String(count), h('span', {class: 'visually-hidden'}, ` ${plural(count, label)}`));
}

export function person(user, size = '') {
  const name = user?.display_name || 'Anonymous';
  return h('span', {class: `avatar ${size}`, 'aria-hidden': 'true', style: {'--hue': hue(name)}}, user?.display_name ? initials(name) : '?');
}

function row(replay, organization, shows) {
  const project = organization.projects.find(({id}) => String(id) === String(replay.project_id));
  if (replay.is_archived) {
    return h('li', {class: 'replay archived'}, h('div', {class: 'replay-who'}, h('span', {class: 'avatar', 'aria-hidden': 'true'}, '×'), h('div', {}, h('strong', {}, 'Deleted replay'), h('span', {class: 'faint mono'}, replay.id))));
  }
  const urls = replay.urls ?? [];
  const open = `?${new URLSearchParams({replay: replay.id, project: project?.slug ?? replay.project_id})}`;
  const quiet = !replay.count_errors && !replay.count_rage_clicks && !replay.count_dead_clicks;
  return h('li', {class: `replay${replay.has_viewed ? '' : ' unwatched'}`},
    h('div', {class: 'replay-who'},
      person(replay.user),
      h('div', {},
        h('a', {class: 'replay-link', href: open, 'data-route': true}, replay.user?.display_name || 'Anonymous', !replay.has_viewed && h('span', {class: 'visually-hidden'}, ' (not watched yet)')),
        h('span', {class: 'replay-url', title: urls.join('\n')}, urls.length ? path(urls[0], true) : 'no page recorded', urls.length > 1 && h('b', {}, ` +${urls.length - 1}`)))),
    h('div', {class: 'replay-badges'},
      badge('error', replay.count_errors, 'error'), badge('rage', replay.count_rage_clicks, 'rage click'), badge('dead', replay.count_dead_clicks, 'dead click'),
      quiet && h('span', {class: 'faint'}, 'no trouble'),
      shows && h('span', {class: 'chip sorted'}, shows(replay))),
    h('div', {class: 'replay-client'},
      h('span', {}, [replay.browser?.name, replay.browser?.version?.split('.')[0]].filter(Boolean).join(' ') || 'Unknown browser'),
      h('span', {class: 'faint'}, [replay.os?.name, replay.os?.version].filter(Boolean).join(' ') || 'unknown system')),
    h('div', {class: 'replay-where'},
      h('span', {class: 'chip'}, project?.slug ?? `project ${replay.project_id}`),
      replay.environment && h('span', {class: 'faint'}, replay.environment)),
    h('div', {class: 'replay-length'}, h('span', {class: 'visually-hidden'}, 'Duration '), duration(replay.duration)),
    h('time', {class: 'replay-when', datetime: replay.started_at, title: moment(replay.started_at)}, ago(replay.started_at)));
}

/** Nothing was found: what was asked, part by part, each with a way to ask for more. */
function nothing(now, project, go) {
  const parts = [
    now.query && ['Search', h('code', {}, now.query), 'Without it', {query: ''}],
    ['Started', now.start && !now.period ? `${moment(now.start)} – ${moment(now.end)}` : spoken(now.period), now.period !== '90d' && 'Last 90 days', {period: '90d', start: '', end: ''}],
    now.project && ['Project', project?.name ?? now.project, 'All projects', {project: ''}],
    now.environment && ['Environment', now.environment, 'All environments', {environment: ''}],
  ].filter(Boolean);
  const words = plainWords(now.query);
  const near = words.length > 0 && ['urls', 'user.email'].map((key) => `${key}:${containing(words)}`);
  const untouched = address({...now, sort: '', cursor: ''}) === '?';
  if (untouched) {
    return notice('empty', 'No tape recorded yet', 'Put the snippet into your page, click around, and the session appears here a few seconds later.',
      h('a', {class: 'button primary', href: '?page=setup', 'data-route': true}, 'Set up recording'),
      h('button', {class: 'button', type: 'button', onclick: () => go({}, 'filter-period')}, 'Look again'),
      h('button', {class: 'button', type: 'button', onclick: () => go({period: '90d'}, 'filter-period')}, 'Last 90 days'));
  }
  const widen = (label, part) => h('button', {class: 'button small', type: 'button', onclick: () => go(part, 'search')}, label);
  const element = notice('empty', now.cursor ? 'There are no more pages' : 'No session matches',
    now.cursor ? 'Sessions may have been deleted since.' : 'This was searched; each part can be widened:');
  element.append(h('dl', {class: 'asked'}, parts.map(([name, value, label, part]) => [h('dt', {}, name), h('dd', {}, h('span', {}, value), label && widen(label, part))])));
  if (near) {
    element.append(h('p', {}, 'Plain words look for a tag called ', h('code', {}, 'message'), ' only. Did you mean a page or a person?'),
      h('div', {class: 'notice-actions'}, near.map((query) => h('button', {class: 'button small mono', type: 'button', onclick: () => go({query}, 'search')}, query))));
  }
  if (parts.length > 1 || now.cursor) {
    element.append(h('div', {class: 'notice-actions'},
      now.cursor && h('button', {class: 'button', type: 'button', onclick: () => go({}, 'search')}, 'First page'),
      parts.length > 1 && h('button', {class: 'button', type: 'button', onclick: () => go({...USUAL, sort: now.sort, period: '90d'}, 'search')}, 'Last 90 days, everything')));
  }
  return element;
}

/** The value of whatever has these words in it, in this order. */
function containing(words) {
  const literal = quoted(words.join(' '));
  return literal.startsWith('"') ? `"*${literal.slice(1, -1).replaceAll(' ', '*')}*"` : `*${literal}*`;
}

/** A 400 that is about the query and not about period, order or page. */
const aboutQuery = (error, now) => error.status === 400 && now.query && !/^Invalid (date range|cursor|per_page|offset|project)|is not a sortable field|^Invalid .*environment/.test(error.message);

let focusNext = null;   // the control that people were at when their choice made the page anew

export async function listPage(main, parameters, {signal, navigate}) {
  document.title = 'Replays · Tapedeck';
  const organization = await api.organization();
  const now = chosen(parameters);
  const project = organization.projects.find(({id, slug}) => slug === now.project || String(id) === now.project);
  const change = (part, focus) => {
    focusNext = focus;
    const next = {...now, ...(now.period && {start: '', end: ''}), cursor: '', ...part};
    navigate(address(next), {replace: address(next) === address(now)});
  };

  const scope = new URLSearchParams(when(now));
  if (now.environment) scope.set('environment', now.environment);
  if (now.project) scope.set('project', project?.id ?? now.project);
  const asked = new URLSearchParams([...scope, ['per_page', PER_PAGE], ['sort', now.sort], ...(now.query ? [['query', now.query]] : []), ...(now.cursor ? [['cursor', now.cursor]] : [])]);

  const box = searchBox({value: now.query, scope, submit: (query) => change({query}, 'search'), signal});
  const environment = select('environment', choices(environments(organization, [], now.environment), now.environment), (value) => change({environment: value}, 'filter-environment'));
  const [period, range] = periods(now, change);
  const results = h('div', {class: 'results', 'aria-busy': 'true'}, skeleton());
  main.replaceChildren(h('div', {class: 'page'},
    h('div', {class: 'page-head'}, h('h1', {}, 'Replays'), h('div', {class: 'filters', role: 'group', 'aria-label': 'Filter and sort'},
      field('Project', 'project', select('project', choices([['', 'All projects'], ...organization.projects.map(({slug, name}) => [slug, name ?? slug])], project?.slug ?? ''), (value) => change({project: value}, 'filter-project'))),
      field('Environment', 'environment', environment), period, sorting(now, change))),
    range, box.element, results));
  if (focusNext) {
    const control = document.getElementById(focusNext);
    focusNext = null;
    control?.focus({preventScroll: true});
    if (control?.id === 'search') control.setSelectionRange(now.query.length, now.query.length);
  }

  let answer;
  try {
    answer = await api.replays(asked, signal);
  } catch (error) {
    if (signal.aborted) return;
    if (aboutQuery(error, now)) {
      const marked = box.refuse(error.message);
      results.removeAttribute('aria-busy');
      results.replaceChildren(notice('empty', 'Nothing was searched', `Correct ${marked ? 'what is marked' : 'the search'} above and press Enter.`));
      return;
    }
    if (error.status !== 404 || !now.environment) throw error;
    answer = {replays: [], next: null, previous: null};   // an environment that nothing has named yet is an empty view, not a fault
  }
  if (signal.aborted) return;
  environment.replaceChildren(...choices(environments(organization, answer.replays, now.environment), now.environment));
  results.removeAttribute('aria-busy');
  if (answer.replays.length === 0) {
    results.replaceChildren(nothing(now, project, change));
    announce('No replays');
    return;
  }
  const sort = SORTS.find(({key}) => key === now.sort.replace(/^-/, ''));
  const inTime = sort?.key === 'started_at' && now.sort.startsWith('-');
  const kept = now.start ? {} : {start: written(answer.now - 1000 * (seconds(now.period) ?? 0)), end: written(answer.now)};
  const turn = (cursor, label, mark) => (cursor
    ? h('a', {class: 'button', href: address({...now, ...kept, cursor}), 'data-route': true, rel: mark}, mark === 'prev' && icon('back', 16), label, mark === 'next' && icon('next', 16))
    : h('span', {class: 'button', 'aria-disabled': 'true'}, mark === 'prev' && icon('back', 16), label, mark === 'next' && icon('next', 16)));
  results.replaceChildren(
    h('div', {class: 'columns', 'aria-hidden': 'true'}, ['Person and page', 'Trouble', 'Browser', 'Project', 'Length', 'Started'].map((name) => h('span', {}, name))),
    h('ol', {class: 'replays', 'aria-label': `Replays, ${inTime ? 'newest first' : `by ${sort?.label.toLowerCase() ?? now.sort}`}`}, answer.replays.map((one) => row(one, organization, sort?.shows))),
    (answer.next || answer.previous) ? h('nav', {class: 'pager', 'aria-label': 'Pages'}, turn(answer.previous, inTime ? 'Newer' : 'Previous', 'prev'), turn(answer.next, inTime ? 'Older' : 'Next', 'next')) : '',
    answer.cost ? h('p', {class: 'cost'}, `${plural(answer.cost.looked, 'replay')} looked at in ${Math.max(1, Math.round(answer.cost.took))} ms`) : '');
  announce(`${plural(answer.replays.length, 'replay')} on this page`);
}

function skeleton() {
  return h('div', {class: 'skeleton', role: 'status'}, h('span', {class: 'visually-hidden'}, 'Loading replays'), Array.from({length: 6}, () => h('div', {class: 'skeleton-row', 'aria-hidden': 'true'}, h('i'), h('i'), h('i'))));
}

// The list: what was recorded, newest first.

import * as api from './api.js';
import {announce, h, icon, notice} from './dom.js';
import {ago, duration, hue, initials, moment, path, plural} from './format.js';

const PERIODS = [['1h', 'Last hour'], ['24h', 'Last 24 hours'], ['7d', 'Last 7 days'], ['30d', 'Last 30 days'], ['90d', 'Last 90 days']];
const PER_PAGE = 25;
const SEEN = 'tapedeck.environments';

/** The API names no environments; those met in answers are offered from then on. */
function environments(organization, rows, chosen) {
  const known = [...(organization.environments ?? []), ...JSON.parse(sessionStorage.getItem(SEEN) ?? '[]'), ...rows.map((row) => row.environment), chosen];
  const unique = [...new Set(known.filter(Boolean))].sort();
  sessionStorage.setItem(SEEN, JSON.stringify(unique));
  return unique;
}

export function address({period, project, environment, cursor}) {
  const parameters = new URLSearchParams(Object.entries({period: period === '7d' ? '' : period, project, environment, cursor}).filter(([, value]) => value));
  return parameters.size ? `?${parameters}` : '?';
}

function select(label, name, options, value, onchange) {
  const field = h('select', {id: `filter-${name}`, onchange: () => onchange(field.value)}, options.map(([key, text]) => h('option', {value: key, selected: key === value}, text)));
  return h('div', {class: 'field'}, h('label', {for: `filter-${name}`}, label), field);
}

function badge(kind, count, label) {
  if (!count) return null;
  return h('span', {class: `badge ${kind}`, title: plural(count, label)}, icon(kind, 13), String(count), h('span', {class: 'visually-hidden'}, ` ${plural(count, label)}`));
}

export function person(user, size = '') {
  const name = user?.display_name || 'Anonymous';
  return h('span', {class: `avatar ${size}`, 'aria-hidden': 'true', style: {'--hue': hue(name)}}, user?.display_name ? initials(name) : '?');
}

function row(replay, organization) {
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
      quiet && h('span', {class: 'faint'}, 'no trouble')),
    h('div', {class: 'replay-client'},
      h('span', {}, [replay.browser?.name, replay.browser?.version?.split('.')[0]].filter(Boolean).join(' ') || 'Unknown browser'),
      h('span', {class: 'faint'}, [replay.os?.name, replay.os?.version].filter(Boolean).join(' ') || 'unknown system')),
    h('div', {class: 'replay-where'},
      h('span', {class: 'chip'}, project?.slug ?? `project ${replay.project_id}`),
      replay.environment && h('span', {class: 'faint'}, replay.environment)),
    h('div', {class: 'replay-length'}, h('span', {class: 'visually-hidden'}, 'Duration '), duration(replay.duration)),
    h('time', {class: 'replay-when', datetime: replay.started_at, title: moment(replay.started_at)}, ago(replay.started_at)));
}

function nothing(filtered, navigate) {
  if (filtered) {
    return notice('empty', 'Nothing in this view', 'No session matches these filters. A longer period may have some.',
      h('button', {class: 'button', type: 'button', onclick: () => navigate('?period=90d')}, 'Last 90 days, everything'));
  }
  return notice('empty', 'No tape recorded yet', 'Put the snippet into your page, click around, and the session appears here a few seconds later.',
    h('a', {class: 'button primary', href: '?page=setup', 'data-route': true}, 'Set up recording'),
    h('button', {class: 'button', type: 'button', onclick: () => navigate('?', {replace: true})}, 'Look again'));
}

export async function listPage(main, parameters, {signal, navigate}) {
  document.title = 'Replays · Tapedeck';
  const organization = await api.organization();
  const now = {period: parameters.get('period') ?? '7d', project: parameters.get('project') ?? '', environment: parameters.get('environment') ?? '', cursor: parameters.get('cursor') ?? ''};
  const change = (part) => navigate(address({...now, cursor: '', ...part}));

  const query = new URLSearchParams({statsPeriod: now.period, per_page: PER_PAGE, sort: '-started_at'});
  if (now.cursor) query.set('cursor', now.cursor);
  if (now.environment) query.set('environment', now.environment);
  const project = organization.projects.find(({id, slug}) => slug === now.project || String(id) === now.project);
  if (now.project) query.set('project', project?.id ?? now.project);

  const results = h('div', {class: 'results', 'aria-busy': 'true'}, skeleton());
  const filters = h('form', {class: 'filters', role: 'search', 'aria-label': 'Filter replays', onsubmit: (event) => event.preventDefault()});
  const offer = (rows) => filters.replaceChildren(
    select('Project', 'project', [['', 'All projects'], ...organization.projects.map(({slug, name}) => [slug, name ?? slug])], project?.slug ?? '', (value) => change({project: value})),
    select('Environment', 'environment', [['', 'All environments'], ...environments(organization, rows, now.environment).map((name) => [name, name])], now.environment, (value) => change({environment: value})),
    select('Started', 'period', PERIODS.some(([key]) => key === now.period) ? PERIODS : [...PERIODS, [now.period, now.period]], now.period, (value) => change({period: value})));
  offer([]);
  main.replaceChildren(h('div', {class: 'page'}, h('div', {class: 'page-head'}, h('h1', {}, 'Replays'), filters), results));

  let answer;
  try {
    answer = await api.replays(query, signal);
  } catch (error) {
    if (error.status !== 404 || !now.environment) throw error;
    answer = {replays: [], next: null, previous: null};   // an environment that nothing has named yet is an empty view, not a fault
  }
  if (signal.aborted) return;
  offer(answer.replays);
  results.removeAttribute('aria-busy');
  if (answer.replays.length === 0) {
    results.replaceChildren(nothing(now.project || now.environment || now.cursor || now.period !== '7d', navigate));
    announce('No replays');
    return;
  }
  const turn = (cursor, label, mark) => (cursor
    ? h('a', {class: 'button', href: address({...now, cursor}), 'data-route': true}, mark === 'back' && icon('back', 16), label, mark === 'next' && icon('next', 16))
    : h('span', {class: 'button', 'aria-disabled': 'true'}, mark === 'back' && icon('back', 16), label, mark === 'next' && icon('next', 16)));
  results.replaceChildren(
    h('div', {class: 'columns', 'aria-hidden': 'true'}, ['Person and page', 'Trouble', 'Browser', 'Project', 'Length', 'Started'].map((name) => h('span', {}, name))),
    h('ol', {class: 'replays', 'aria-label': 'Replays, newest first'}, answer.replays.map((one) => row(one, organization))),
    (answer.next || answer.previous) && h('nav', {class: 'pager', 'aria-label': 'Pages'}, turn(answer.previous, 'Newer', 'back'), turn(answer.next, 'Older', 'next')));
  announce(`${plural(answer.replays.length, 'replay')} on this page`);
}

function skeleton() {
  return h('div', {class: 'skeleton', role: 'status'}, h('span', {class: 'visually-hidden'}, 'Loading replays'), Array.from({length: 6}, () => h('div', {class: 'skeleton-row', 'aria-hidden': 'true'}, h('i'), h('i'), h('i'))));
}

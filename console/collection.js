// A collection: what a capture has kept, or what an application sends, found by content; the newest first.

import * as api from './api.js';
import {codeBlock} from './setup.js';
import {announce, h, icon} from './dom.js';
import {moment} from './format.js';

const PER_PAGE = 25;
const EVERYTHING = '*';
const MOST_PEEK = 240;   // characters of an event's data in its line

const number = (value) => value.toLocaleString('en-GB');

function address(collection, query, offset) {
  return `?${new URLSearchParams([['page', 'collection'], ['collection', collection], ['query', query], ['offset', offset ? String(offset) : '']].filter(([, value]) => value))}`;
}

const WHEN = new Intl.DateTimeFormat('en-GB', {day: 'numeric', month: 'short', hour: '2-digit', minute: '2-digit', second: '2-digit'});

/** One event: a line, and all of it when that is opened. */
export function row({batch, client}) {
  const received = batch.info.date_human;
  const {event_name: name, app_name: app, server_name: server} = client.metadata;
  const peek = JSON.stringify(client.payload);
  const more = h('div', {class: 'event-more'});
  const details = h('details', {ontoggle: () => details.open && !more.firstChild && more.append(codeBlock('Data', JSON.stringify(client.payload, null, 2)))},
    h('summary', {class: 'event-line'},
      icon('next', 14),
      h('time', {class: 'event-when', datetime: received, title: `received ${moment(received)} · ${received}`}, WHEN.format(new Date(received))),
      h('span', {class: 'event-app'}, name),
      h('span', {class: 'event-server'}, [app, server].filter(Boolean).join(' · ') || '–'),
      h('code', {class: 'event-peek'}, peek.length > MOST_PEEK ? `${peek.slice(0, MOST_PEEK)}…` : peek)),
    more);
  return h('li', {class: 'event'}, details);
}

export async function collectionPage(main, parameters, {signal, navigate}) {
  document.title = 'Collection · Tapedeck';
  const id = parameters.get('collection') ?? '';
  const query = parameters.get('query') ?? '';
  const offset = /^\d{1,6}$/.test(parameters.get('offset') ?? '') ? Number(parameters.get('offset')) : 0;
  const collection = await api.collection(id, signal);
  if (signal.aborted) return;
  document.title = `${collection.name} · Tapedeck`;
  const problem = h('p', {class: 'problem', role: 'alert', hidden: true});
  const search = h('input', {class: 'search-input', type: 'search', value: query, 'aria-label': 'Find events', placeholder: 'client.payload.amount:>100 AND client.metadata.event_name:paid', autocomplete: 'off', spellcheck: 'false'});
  const count = h('span', {class: 'faint'});
  const list = h('ol', {class: 'events', 'aria-label': 'Events, newest first'});
  const box = h('div', {class: 'events-box', 'aria-busy': 'true'}, list);
  main.replaceChildren(h('div', {class: 'page'},
    h('div', {class: 'page-head'}, h('div', {}, h('h1', {}, collection.name), h('p', {class: 'faint'}, `${collection.type === 'capture' ? 'What a capture of' : 'Live events of'} ${collection.environment ?? 'an environment'}${collection.type === 'capture' ? ' has kept' : ''} · `, h('code', {class: 'mono'}, id))),
      h('a', {class: 'button', href: `?${new URLSearchParams({page: 'event-replays', collection: id, ...(query && {query})})}`, 'data-route': true}, icon('again', 16), 'Replay this')),
    h('form', {class: 'search', role: 'search', onsubmit: (event) => {
      event.preventDefault();
      navigate(address(id, search.value.trim(), 0), {replace: search.value.trim() === query});
    }}, h('div', {class: 'search-line'}, h('div', {class: 'search-box'}, icon('search', 16), search), h('button', {class: 'button', type: 'submit'}, 'Find'))),
    problem,
    h('section', {class: 'results', 'aria-labelledby': 'collection-heading'},
      h('div', {class: 'card-head'}, h('h2', {id: 'collection-heading'}, query ? 'Events like that' : 'Events'), count), box)));
  let found;
  try {
    found = await api.searchCollection(id, {query: query || EVERYTHING, from: offset, size: PER_PAGE}, signal);
  } catch (error) {
    if (signal.aborted || ![400, 422].includes(error.status)) throw error;
    problem.textContent = error.message;
    problem.hidden = false;
    search.setAttribute('aria-invalid', 'true');
    search.focus();
    return;
  } finally {
    box.removeAttribute('aria-busy');
  }
  if (signal.aborted) return;
  const {total, data, complete = true} = found;
  count.textContent = `${complete ? '' : 'at least '}${number(total)} ${total === 1 ? 'event' : 'events'}`;
  announce(count.textContent);
  list.replaceChildren(...data.map(row));
  if (!data.length) box.append(h('p', {class: 'rows-empty'}, query ? 'Nothing like that.' : 'Nothing came while it was open.'));
  const turn = (to, text, mark) => {
    const inside = [mark === 'prev' && icon('back', 16), text, mark === 'next' && icon('next', 16)];
    return to === null ? h('span', {class: 'button', 'aria-disabled': 'true'}, inside) : h('a', {class: 'button', href: address(id, query, to), 'data-route': true, rel: mark}, inside);
  };
  if (total > PER_PAGE) box.append(h('nav', {class: 'pager', 'aria-label': 'Pages'}, turn(offset ? Math.max(0, offset - PER_PAGE) : null, 'Newer', 'prev'), turn(offset + PER_PAGE < total ? offset + PER_PAGE : null, 'Older', 'next')));
}

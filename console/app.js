// Which page is shown: ?replay=…, ?page=events, ?page=captures, ?page=collection, ?page=event-replays, ?page=privacy, ?page=setup or the list; and signing in and out.

import * as api from './api.js';
import {capturesPage} from './captures.js';
import {collectionPage} from './collection.js';
import {announce, failure, h, notice} from './dom.js';
import {eventsPage} from './events.js';
import {listPage} from './list.js';
import {playerPage} from './player.js';
import {privacyPage} from './privacy.js';
import {replaysPage} from './replays.js';
import {setupPage} from './setup.js';

const main = document.getElementById('main');
let leave = new AbortController();

function pageOf(parameters) {
  if (parameters.has('replay')) return ['player', playerPage];
  if (parameters.get('page') === 'events') return ['events', eventsPage];
  if (parameters.get('page') === 'captures') return ['captures', capturesPage];
  if (parameters.get('page') === 'collection') return ['collection', collectionPage];
  if (parameters.get('page') === 'event-replays') return ['event-replays', replaysPage];
  if (parameters.get('page') === 'privacy') return ['privacy', privacyPage];
  if (parameters.get('page') === 'setup') return ['setup', setupPage];
  return ['list', listPage];
}

/** A page is a function (container, parameters, {signal, navigate}); the signal says that it was left. */
async function show() {
  leave.abort();
  leave = new AbortController();
  const {signal} = leave;
  const parameters = new URLSearchParams(location.search);
  const [name, page] = pageOf(parameters);
  document.body.dataset.page = api.token() ? name : 'sign-in';
  document.getElementById('nav').hidden = document.getElementById('account').hidden = !api.token();
  for (const link of document.querySelectorAll('.nav a')) {
    if (link.dataset.page === name) {
      link.setAttribute('aria-current', 'page');
      link.parentElement.scrollLeft = link.offsetLeft - link.parentElement.offsetLeft - link.offsetWidth;   // where there is no room for all
    } else link.removeAttribute('aria-current');
  }
  if (!api.token()) return signInPage();
  main.replaceChildren(notice('loading', 'Loading…'));
  try {
    const {name: organization, slug} = await api.organization();
    document.getElementById('organization').textContent = organization ?? slug;
    if (signal.aborted) return;
    await page(main, parameters, {signal, navigate});
  } catch (error) {
    if (signal.aborted) return;
    if (error.status === 401) return signInPage('That token is not valid here, or no longer.');
    console.error(error);
    document.title = 'Tapedeck';
    main.replaceChildren(failure(error, show));
  }
}

function navigate(search, {replace = false} = {}) {
  history[replace ? 'replaceState' : 'pushState'](null, '', `${location.pathname}${search}`);
  window.scrollTo(0, 0);
  show();
  main.focus({preventScroll: true});
}

function signInPage(problem) {
  api.signOut();
  api.forget();
  document.body.dataset.page = 'sign-in';
  document.title = 'Sign in · Tapedeck';
  document.getElementById('nav').hidden = document.getElementById('account').hidden = true;
  const field = h('input', {id: 'token', type: 'password', autocomplete: 'off', spellcheck: 'false', required: true, placeholder: 'tdu_…', 'aria-describedby': 'token-help'});
  const form = h('form', {class: 'card sign-in', onsubmit: (event) => {
    event.preventDefault();
    api.signIn(field.value.trim());
    show();
  }},
    h('h1', {}, 'Sign in'),
    problem && h('p', {class: 'problem', role: 'alert'}, problem),
    h('label', {for: 'token'}, 'Token'),
    field,
    h('p', {id: 'token-help', class: 'faint'}, 'Your user token or an organization key. It stays in this tab and is gone when you close it.'),
    h('button', {class: 'button primary', type: 'submit'}, 'Open console'));
  main.replaceChildren(form);
  if (!problem) field.focus();
}

document.addEventListener('click', (event) => {
  const link = event.target.closest?.('a[data-route]');
  if (!link || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
  event.preventDefault();
  navigate(new URL(link.href).search);
});

document.getElementById('sign-out').addEventListener('click', () => {
  leave.abort();
  history.replaceState(null, '', location.pathname);
  signInPage();
  announce('Signed out');
});

window.addEventListener('popstate', show);
window.addEventListener('hashchange', () => {
  if (!location.hash.includes('token=')) return;
  api.takeTokenFromAddress();
  api.forget();
  show();
});
api.takeTokenFromAddress();
show();

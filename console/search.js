// The search box: a combobox that offers keys and values where they are being written, and shows where a query went wrong.

import * as api from './api.js';
import {announce, h, icon} from './dom.js';
import {FIELDS, IDEAS, fieldOf} from './fields.js';
import {ago, plural} from './format.js';
import {named, place, quoted, writing} from './query.js';

const PAUSE = 140;   // milliseconds without a key before the server is asked for values
const MOST = 60;     // options at a time

const EXAMPLES = [
  ['count_errors:>0', 'with errors'],
  ['count_rage_clicks:>0 duration:>1m', 'both; AND may be left out'],
  ['urls:*/pay* OR (duration:<10s AND platform:javascript)', 'either; AND binds tighter'],
  ['user.email:*@example.com', 'an asterisk is any text'],
  ['!browser.name:Safari', 'not'],
  ['browser.name:[Chrome, Firefox]', 'one of several'],
  ['has:user.email', 'known; !has: is unknown'],
  ['release:"shop 1.4 (beta)"', 'quotes around spaces and parentheses'],
  ['tags[plan]:family', 'a tag; mostly plan:family is enough'],
  ['rage.selector:"button#pay"', 'clicked in anger; also click. and dead.'],
];

/**
 * The box. `value` is the query shown, `scope` the other parameters of the list as URLSearchParams: what is offered comes from there; `submit` is
 * told the query. Returns {element, refuse}: `refuse` shows a complaint of the server under the box, and says whether it found the place of it.
 */
export function searchBox({value, scope, submit, signal}) {
  const input = h('input', {id: 'search', class: 'search-input', type: 'text', value, placeholder: 'Search, for example count_errors:>0 user.email:*@example.com', maxlength: '4096',
    role: 'combobox', 'aria-label': 'Search replays', 'aria-autocomplete': 'list', 'aria-expanded': 'false', 'aria-controls': 'search-options',
    autocomplete: 'off', autocapitalize: 'off', autocorrect: 'off', spellcheck: 'false', enterkeyhint: 'search'});
  const list = h('div', {class: 'options', id: 'search-options', role: 'listbox', 'aria-label': 'Suggestions', hidden: true});
  const clear = h('button', {class: 'round small', type: 'button', 'aria-label': 'Clear the search', title: 'Clear', hidden: !value}, icon('close', 16));
  const problem = h('div', {class: 'search-problem', id: 'search-problem', role: 'alert', hidden: true});
  const dialog = help((text) => { input.value = text; submit(text); });
  const form = h('form', {class: 'search-line', role: 'search', 'aria-label': 'Search replays', onsubmit: (event) => {
    event.preventDefault();
    close();
    submit(input.value.trim());
  }},
    h('div', {class: 'search-box'}, icon('search', 17), input, clear, list),
    h('button', {class: 'button', type: 'submit'}, 'Search'),
    h('button', {class: 'button quiet', type: 'button', 'aria-haspopup': 'dialog', onclick: () => dialog.showModal()}, 'How to search'));

  let tags = null;   // a promise of those in scope, asked for when somebody begins to write
  const tagsInScope = () => (tags ??= api.tags(scope).catch(() => []));
  let options = [];
  let active = -1;
  let asking = new AbortController();

  function close() {
    asking.abort();
    list.hidden = true;
    input.setAttribute('aria-expanded', 'false');
    point(-1);
  }

  function point(index) {
    list.querySelector('[aria-selected="true"]')?.setAttribute('aria-selected', 'false');
    active = index;
    const chosen = index < 0 ? null : document.getElementById(`search-option-${index}`);
    chosen?.setAttribute('aria-selected', 'true');
    chosen?.scrollIntoView({block: 'nearest'});
    if (chosen) input.setAttribute('aria-activedescendant', chosen.id);
    else input.removeAttribute('aria-activedescendant');
  }

  /** Asks what could stand where the caret is, and shows it unless something else is being written by then. */
  async function offer({patient = false} = {}) {
    asking.abort();
    asking = new AbortController();
    const mine = AbortSignal.any([asking.signal, signal]);
    const at = writing(input.value, input.selectionStart ?? input.value.length);
    try {
      if (patient && at.of === 'value') await pause(PAUSE, mine);
      const found = at.of === 'key' ? keys(at.written, await tagsInScope()) : await values(at, tagsInScope, scope, mine);
      if (!mine.aborted) show(found.slice(0, MOST), at);
    } catch (error) {
      if (error.name !== 'AbortError') close();   // nothing to offer is no reason to disturb who is typing
    }
  }

  function show(found, at) {
    const groups = [...new Set(found.map(({group}) => group))];
    options = groups.flatMap((name) => found.filter(({group}) => group === name)).map((option) => ({...option, at}));
    if (options.length === 0) return close();
    list.replaceChildren(...groups.map((name, number) => h('div', {role: 'group', 'aria-labelledby': `search-group-${number}`},
      h('div', {class: 'option-group', id: `search-group-${number}`, role: 'presentation'}, name),
      options.flatMap((option, index) => (option.group === name ? h('div', {class: 'option', id: `search-option-${index}`, role: 'option', 'aria-selected': 'false', onclick: () => accept(option)},
        h('span', {class: 'option-text'}, option.text), h('span', {class: 'option-about'}, option.about)) : [])))));
    list.hidden = false;
    list.scrollTop = 0;
    input.setAttribute('aria-expanded', 'true');
    point(-1);
    announce(plural(options.length, 'suggestion'));
  }

  function accept({insert, at}) {
    const before = input.value.slice(0, at.start);
    const after = input.value.slice(at.end);
    const gap = at.of === 'value' && !at.inList && !after.startsWith(' ') && !after.startsWith(')') ? ' ' : '';
    input.value = before + insert + gap + after;
    const caret = before.length + insert.length + (at.of === 'value' && !at.inList ? 1 : 0);
    input.setSelectionRange(caret, caret);
    input.focus();
    input.scrollLeft = input.scrollWidth;
    clear.hidden = false;
    if (at.of === 'key') offer();
    else close();
  }

  list.addEventListener('mousedown', (event) => event.preventDefault());   // the box keeps the focus
  input.addEventListener('input', () => {
    clear.hidden = !input.value;
    offer({patient: true});
  });
  input.addEventListener('click', () => { if (list.hidden) offer(); });
  input.addEventListener('blur', close);
  input.addEventListener('keydown', (event) => {
    if (event.isComposing || event.ctrlKey || event.metaKey) return;
    if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
      event.preventDefault();
      if (list.hidden) return void offer();
      const step = event.key === 'ArrowDown' ? 1 : -1;
      point(((active + step + 1 + options.length + 1) % (options.length + 1)) - 1);   // −1, the text itself, is one of the places
    } else if (event.key === 'Enter' && !list.hidden && active >= 0) {
      event.preventDefault();
      accept(options[active]);
    } else if (event.key === 'Escape' && !list.hidden) {
      event.preventDefault();
      close();
    } else if ((event.key === 'ArrowLeft' || event.key === 'ArrowRight') && active >= 0) {
      point(-1);
    }
  });
  clear.addEventListener('click', () => {
    input.value = '';
    clear.hidden = true;
    close();
    input.focus();
    if (value) submit('');
  });
  document.addEventListener('keydown', (event) => {
    if (event.key !== '/' || event.ctrlKey || event.metaKey || event.altKey || event.target.closest?.('input, select, textarea, dialog[open]')) return;
    event.preventDefault();
    input.focus();
    input.select();
  }, {signal});

  function refuse(complaint) {
    const where = place(complaint, value);
    input.setAttribute('aria-invalid', 'true');
    input.setAttribute('aria-describedby', 'search-problem');
    problem.replaceChildren(
      h('p', {}, icon('error', 16), complaint),
      where && h('p', {class: 'search-where'}, h('span', {class: 'visually-hidden'}, 'In: '), value.slice(0, where[0]), h('mark', {}, value.slice(...where)), value.slice(where[1])),
      where && h('button', {class: 'button small', type: 'button', onclick: () => {
        input.focus();
        input.setSelectionRange(...where);
      }}, 'Go there'));
    problem.hidden = false;
    return where !== null;
  }

  return {element: h('div', {class: 'search'}, form, problem, dialog), refuse};
}

function pause(milliseconds, signal) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, milliseconds);
    signal.addEventListener('abort', () => {
      clearTimeout(timer);
      reject(new DOMException('left', 'AbortError'));
    }, {once: true});
  });
}

/** Keys that begin with, then that contain what is written; a field's words count as well, so that "mail" finds user.email. */
function keys(written, tags) {
  const fields = FIELDS.map(({group, key, words, aliases}) => ({group, text: key, insert: `${key}:`, about: words, names: [key, ...aliases], words}));
  const ofTags = tags.map(({key, totalValues}) => ({group: 'Tags', text: key, insert: named(key, true), about: plural(totalValues, 'value'), names: [key, `tags[${key}]`], words: ''}))
    .filter(({insert}) => insert !== null).map((option) => ({...option, insert: `${option.insert}:`}));
  const has = {group: 'More', text: 'has', insert: 'has:', about: 'with any value of a key', names: ['has'], words: ''};
  const wanted = written.replace(/^"/, '').toLowerCase();
  const rank = ({names, words}) => {
    if (names.some((name) => name.toLowerCase().startsWith(wanted))) return 0;
    if (names.some((name) => name.toLowerCase().split(/[._]/).some((word) => word.startsWith(wanted)))) return 1;
    if (names.some((name) => name.toLowerCase().includes(wanted)) || words.toLowerCase().split(/[ -]/).some((word) => word.startsWith(wanted))) return 2;
    return 3;
  };
  const all = [...fields, ...ofTags, has];
  if (!wanted) return [...ofTags.slice(0, 8), ...fields, has];
  const ranked = all.map((option) => [rank(option), option]).filter(([place]) => place < 3);
  const best = ranked.some(([place]) => place < 2) ? 2 : 3;   // what only contains it or is only described by it comes last, among few
  return (ranked.length > 12 ? ranked.filter(([place]) => place < best) : ranked).sort(([a], [b]) => a - b).map(([, option]) => option);
}

/** Values: a field's own ideas, or what the replays of the list have. */
async function values({key, isTag, written, inList}, tagsInScope, scope, signal) {
  if (!isTag && key === 'has') return keys(written, await tagsInScope()).filter(({text}) => text !== 'has').map((option) => ({...option, insert: option.insert.slice(0, -1)}));
  const field = isTag ? null : fieldOf(key);
  const ideas = IDEAS[field?.kind];
  if (ideas) return inList ? [] : ideas.filter(([text]) => text.startsWith(written) && text !== written).map(([text, about]) => ({group: field.words, text, insert: text, about}));
  const asked = field ? field.values : key;
  if (!asked || !/^[\w.:-]+$/.test(asked)) return [];
  const found = await api.tagValues(asked, written.replaceAll('*', ''), scope, signal);
  return found.filter(({value}) => value !== '').map(({value, count, lastSeen}) => ({group: field?.words ?? key, text: value, insert: quoted(value, inList), about: `${plural(count, 'replay')}, ${ago(lastSeen)}`}));
}

function help(take) {
  const dialog = h('dialog', {class: 'help wide', 'aria-labelledby': 'search-help-title'},
    h('h2', {id: 'search-help-title'}, 'How to search'),
    h('p', {class: 'faint'}, 'A search is made of filters, key:value. Press one to try it.'),
    h('dl', {class: 'examples'}, EXAMPLES.map(([text, words]) => [
      h('dt', {}, h('button', {type: 'button', class: 'example', onclick: () => { dialog.close(); take(text); }}, text)),
      h('dd', {}, words)])),
    h('p', {class: 'faint'}, 'Plain words look for a tag called message only. Press / anywhere on this page to get to the box.'),
    h('form', {method: 'dialog', onsubmit: (event) => { event.preventDefault(); dialog.close(); }}, h('button', {class: 'button primary', type: 'submit'}, 'Close')));
  dialog.addEventListener('click', (event) => { if (event.target === dialog) dialog.close(); });
  return dialog;
}


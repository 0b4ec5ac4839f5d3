// The form for a new event replay, with a look at what it would send.

import * as api from './api.js';
import {row as eventRow} from './collection.js';
import {announce, h} from './dom.js';
import {clock, plural} from './format.js';

const EVERYTHING = '*';
const FIELDS = {name: 'name', collection_id: 'collection', destination_id: 'destination', query: 'query', type: 'type', concurrency: 'concurrency'};

const number = (value) => value.toLocaleString('en-GB');
const once = () => globalThis.crypto?.randomUUID?.() ?? String(Math.random());

const field = (label, name, control) => h('div', {class: `field of-${name}`}, h('label', {for: `replay-${name}`}, label), control);

/** What a dry run has found. */
function preview({matched, sample, estimate}) {
  const sure = estimate.complete ? '' : ` There are ${number(estimate.events)}: about ${number(estimate.matched)} of them should match.`;
  const time = estimate.matched ? ` Sending them takes ${estimate.seconds < 1 ? 'less than a second' : `about ${clock(estimate.seconds * 1000)}`}.` : '';
  return [
    h('p', {}, h('strong', {}, `${plural(matched, 'event matches', 'events match')}`), ` of ${number(estimate.looked_at)} looked at.${sure}${time}`),
    sample.length > 0 && h('ol', {class: 'events preview-events', 'aria-label': `The first ${sample.length}`}, sample.map(eventRow)),
  ];
}

/** The form; `wish` is {collection, query} to begin with, `made` is told of a new replay. Returns {element, offer(destinations)}. */
export function replayForm(collections, wish, {signal, made}) {
  let key = once();
  const named = (id, attributes) => h('input', {id: `replay-${id}`, autocomplete: 'off', spellcheck: 'false', 'aria-describedby': 'replay-problem', ...attributes});
  const controls = {
    name: named('name', {maxlength: 256}),
    collection: h('select', {id: 'replay-collection', onchange: () => suggest()}, collections.map(({id, name, environment, type}) => h('option', {value: id, selected: id === wish.collection}, `${name}${type === 'capture' ? ` (captured in ${environment ?? '–'})` : ''}`))),
    query: named('query', {class: 'mono', maxlength: 4096, value: wish.query, placeholder: `${EVERYTHING} is all of them; or level:error AND amount:>100`}),
    destination: h('select', {id: 'replay-destination', onchange: () => suggest()}),
    type: h('select', {id: 'replay-type'}, h('option', {value: 'onetime'}, 'Once'), h('option', {value: 'continuous'}, 'As they come')),
    concurrency: named('concurrency', {type: 'number', min: 1, max: 64, value: 1}),
  };
  const problem = h('p', {id: 'replay-problem', class: 'problem', role: 'alert', hidden: true});
  const found = h('div', {class: 'preview', role: 'status'});
  const look = h('button', {class: 'button', type: 'button', onclick: () => attempt(async (asked) => found.replaceChildren(...preview(await api.previewEventReplay(asked, signal)).filter(Boolean)))}, 'Preview');
  const button = h('button', {class: 'button primary', type: 'submit'}, 'Replay');

  const text = (select) => select.selectedOptions[0]?.textContent ?? '';
  const usual = () => `${text(controls.collection)} to ${text(controls.destination)}`;
  const suggest = () => { controls.name.placeholder = controls.destination.value ? usual() : 'What it is called'; };

  function asked() {
    return {
      name: controls.name.value.trim() || usual(), collection_id: controls.collection.value, destination_id: controls.destination.value,
      query: controls.query.value.trim() || EVERYTHING, type: controls.type.value, concurrency: Number(controls.concurrency.value) || 1,
    };
  }

  /** Does it with what is in the form; what is refused is told where it is. */
  async function attempt(act) {
    problem.hidden = true;
    found.replaceChildren();
    look.disabled = button.disabled = true;
    try {
      await act(asked());
    } catch (error) {
      if (signal.aborted) return;
      problem.textContent = error.message;
      problem.hidden = false;
      controls[FIELDS[error.wrong?.[0]?.field] ?? 'query'].focus();
      if (error.status) key = once();   // of a lost answer nobody knows whether it was done: the same again is the same
    } finally {
      look.disabled = button.disabled = !controls.destination.value;
    }
  }

  function submit(event) {
    event.preventDefault();
    attempt(async (wanted) => {
      const replay = await api.createEventReplay(wanted, key);
      key = once();
      announce(`${replay.name}: begun`);
      made(replay);
    });
  }

  /** The destinations that there are to choose from. */
  function offer(destinations) {
    const before = controls.destination.value || destinations.findLast(({type}) => type !== 'listen')?.id;
    controls.destination.replaceChildren(...(destinations.length ? destinations.map(({id, name}) => h('option', {value: id, selected: id === before}, name)) : [h('option', {value: ''}, 'Make a destination first')]));
    look.disabled = button.disabled = !controls.destination.value;
    suggest();
  }

  const element = h('section', {class: 'card capture-form', 'aria-labelledby': 'form-heading'},
    h('div', {class: 'card-head'}, h('h2', {id: 'form-heading'}, 'New replay')),
    h('form', {onsubmit: submit, oninput: () => found.replaceChildren()},
      h('div', {class: 'replay-fields'},
        field('Events of', 'collection', controls.collection), field('To', 'destination', controls.destination), field('Send', 'type', controls.type), field('At a time', 'concurrency', controls.concurrency),
        field('Query', 'query', controls.query),
        field('Name', 'name', controls.name), h('div', {class: 'replay-buttons'}, look, button)),
      problem, found));
  offer([]);
  return {element, offer};
}

// Where events can be sent to: how each destination fares, a test event, and a form for a new one.

import * as api from './api.js';
import {announce, confirmed, h} from './dom.js';
import {ago} from './format.js';
import {looking} from './looking.js';

const MINUTE = 60_000;
const AGAIN = 30_000;   // milliseconds between two looks at how they fare
const FARES = {ok: 'Well', error: 'Not well', pending: 'Not tried'};
const ROLE = {name: 'role_arn', label: 'Role, if in another account', placeholder: 'arn:aws:iam::123456789012:role/tapedeck-dest-…', optional: true};
const OURS = 'tapedeck-dest-orders';   // what resources must be called to be within reach
const KINDS = [
  {type: 'http', label: 'HTTP', fields: [{name: 'url', label: 'URL', placeholder: 'https://example.com/hook'}, {name: 'headers', label: 'Headers, one a line', placeholder: 'Authorization: Bearer …', optional: true, lines: true}]},
  {type: 'sqs', label: 'SQS queue', fields: [{name: 'queue_url', label: 'Queue URL', placeholder: `https://sqs.eu-central-1.amazonaws.com/123456789012/${OURS}`}, ROLE]},
  {type: 'sns', label: 'SNS topic', fields: [{name: 'topic_arn', label: 'Topic', placeholder: `arn:aws:sns:eu-central-1:123456789012:${OURS}`}, ROLE]},
  {type: 'eventbridge', label: 'EventBridge bus', fields: [{name: 'event_bus_arn', label: 'Event bus', placeholder: `arn:aws:events:eu-central-1:123456789012:event-bus/${OURS}`}, ROLE]},
  {type: 'kinesis', label: 'Kinesis stream', fields: [{name: 'stream_arn', label: 'Stream', placeholder: `arn:aws:kinesis:eu-central-1:123456789012:stream/${OURS}`}, ROLE]},
  {type: 's3', label: 'S3 bucket', fields: [{name: 'bucket', label: 'Bucket', placeholder: OURS}, {name: 'prefix', label: 'Prefix', placeholder: 'orders/', optional: true}, ROLE]},
  {type: 'lambda', label: 'Lambda function', fields: [{name: 'function_arn', label: 'Function', placeholder: `arn:aws:lambda:eu-central-1:123456789012:function:${OURS}`}, ROLE]},
  {type: 'collection', label: 'Collection', fields: [{name: 'collection_id', label: 'Collection', collections: true}]},
  {type: 'listen', label: 'A listener (tapedeck listen)', fields: []},
];

const once = () => globalThis.crypto?.randomUUID?.() ?? String(Math.random());
const number = (value) => value.toLocaleString('en-GB');

/** Where a destination is, in a word. */
function where({type, metadata}) {
  const place = metadata.url ?? metadata.queue_url ?? metadata.queue_name ?? metadata.bucket ?? Object.entries(metadata).find(([name]) => name.endsWith('_arn') && name !== 'role_arn')?.[1];
  return place ?? KINDS.find((kind) => kind.type === type)?.label ?? type;
}

function health(fares) {
  const at = fares.last_checked_at && new Date(fares.last_checked_at * 1000).toISOString();
  const said = fares.status === 'pending' ? '' : [fares.message || `${number(fares.latency_ms)} ms`, at && ago(at)].filter(Boolean).join(', ');
  return h('span', {class: 'destination-health'}, h('span', {class: `badge state of-${fares.status}`}, FARES[fares.status]), said && h('span', {class: 'faint'}, said));
}

/** The form's fields of a kind: {element, metadata()}. */
function fieldsOf(kind, collections) {
  const controls = kind.fields.map((one) => {
    const shared = {id: `destination-${one.name}`, required: !one.optional, placeholder: one.placeholder, autocomplete: 'off', spellcheck: 'false'};
    if (one.collections) return h('select', shared, collections.filter(({type}) => type === 'live').map(({id, name}) => h('option', {value: id}, name)));
    return one.lines ? h('textarea', {...shared, rows: 2}) : h('input', shared);
  });
  const pairs = (text) => text.split('\n').filter((line) => line.trim()).map((line) => {
    const [name, ...rest] = line.split(':');
    return {[name.trim()]: rest.join(':').trim()};
  });
  return {
    elements: kind.fields.map((one, index) => h('div', {class: 'field'}, h('label', {for: `destination-${one.name}`}, one.label), controls[index])),
    metadata: () => Object.fromEntries(kind.fields.map((one, index) => [one.name, one.lines ? pairs(controls[index].value) : controls[index].value.trim()]).filter(([, value]) => value.length)),
  };
}

/** The panel, which fills itself and keeps up; `changed` is told which destinations there are. */
export function destinationsPanel(collections, me, {signal, changed}) {
  const list = h('ul', {class: 'members-list'});
  const problem = h('p', {class: 'problem', role: 'alert', hidden: true});
  const mine = me.scopes.includes('event:write');

  /** Do it, say so, and show what is there now; what is refused is told in its place. */
  async function attempt(act) {
    problem.hidden = true;
    try {
      const said = await act();
      if (said) announce(said);
    } catch (error) {
      problem.textContent = error.message;
      problem.hidden = false;
    }
    look();
  }

  function one(destination, fares) {
    const test = () => attempt(async () => {
      const fared = await api.testDestination(destination.id);
      return `${destination.name}: ${FARES[fared.status]}${fared.message ? `, ${fared.message}` : ''}`;
    });
    const remove = async () => {
      if (!await confirmed(`Delete ${destination.name}?`, 'Nothing can be sent there any more.', 'Delete')) return;
      await attempt(async () => {
        await api.deleteDestination(destination.id);
        return `${destination.name} was deleted`;
      });
    };
    return h('li', {class: 'destination'},
      h('div', {class: 'member-who'}, h('span', {title: destination.name}, destination.name), h('span', {class: 'faint', title: where(destination)}, where(destination))),
      health(fares),
      mine && h('span', {class: 'destination-actions'},
        destination.type !== 'listen' && h('button', {class: 'button small', type: 'button', 'data-key': `test ${destination.id}`, 'aria-label': `Test ${destination.name}`, onclick: test}, 'Test'),
        h('button', {class: 'button small quiet', type: 'button', 'data-key': `delete ${destination.id}`, 'aria-label': `Delete ${destination.name}`, onclick: remove}, 'Delete')));
  }

  let shown = null;
  async function read() {
    const [destinations, fares] = await Promise.all([api.destinations(signal), api.destinationHealth(signal)]);
    if (signal.aborted) return;
    const told = destinations.map((each) => [each, fares[each.id] ?? {status: 'pending', message: '', latency_ms: 0, last_checked_at: 0}]);
    const text = JSON.stringify([told, Math.floor(Date.now() / MINUTE)]);   // times are told as they are from here
    if (shown === text) return;
    shown = text;
    const held = list.contains(document.activeElement) ? document.activeElement.dataset.key : null;
    list.replaceChildren(...(told.length ? told.map((each) => one(...each)) : [h('li', {class: 'rows-empty'}, 'None yet')]));
    if (held) list.querySelector(`[data-key="${held}"]`)?.focus({preventScroll: true});
    changed(destinations);
  }

  function form() {
    const name = h('input', {id: 'destination-name', required: true, maxlength: 256, autocomplete: 'off', spellcheck: 'false', placeholder: 'Staging'});
    const kind = h('select', {id: 'destination-type', onchange: () => choose()}, KINDS.map(({type, label}) => h('option', {value: type}, label)));
    const most = h('input', {id: 'destination-most', type: 'number', min: 1, max: 10_000, placeholder: 'as fast as it goes'});
    const fields = h('div', {class: 'destination-fields'});
    let chosen = null;
    const choose = () => {
      chosen = fieldsOf(KINDS.find(({type}) => type === kind.value), collections);
      fields.replaceChildren(...chosen.elements);
    };
    choose();
    let key = once();
    const submit = (event) => {
      event.preventDefault();
      attempt(async () => {
        const asked = {name: name.value.trim(), type: kind.value, metadata: chosen.metadata(), ...(most.value && {max_per_second: Number(most.value)})};
        const made = await api.createDestination(asked, key).catch((error) => {
          if (error.status) key = once();   // of a lost answer nobody knows whether it was done: the same again is the same
          throw error;
        });
        key = once();
        event.target.reset();
        choose();
        return `${made.name} was made`;
      });
    };
    const field = (label, control) => h('div', {class: 'field'}, h('label', {for: control.id}, label), control);
    return h('details', {class: 'destination-new'},
      h('summary', {}, 'New destination'),
      h('form', {onsubmit: submit}, field('Name', name), field('Type', kind), fields, field('Most a second', most), h('button', {class: 'button', type: 'submit'}, 'Make')));
  }

  const look = looking(read, () => AGAIN, signal);
  look();
  return h('aside', {class: 'card members', 'aria-labelledby': 'destinations-heading'},
    h('div', {class: 'card-head'}, h('h2', {id: 'destinations-heading'}, 'Destinations')), list, problem, mine && form());
}
